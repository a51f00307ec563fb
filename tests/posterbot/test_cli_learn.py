"""``posterbot learn``: what it prints, writes and refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from review.reviewed_images import fake_model, fill, sha256_of, world

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.records import Policy
from posterbot.cli_learn import learn
from posterbot.cli_rejudge import rejudge
from posterbot.review.answers import record

NUMBER = 400


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A catalogue whose model takes stamps for posters, and 80 reviews."""
    url = f"sqlite:///{tmp_path}/catalogue.db"
    engine = open_catalogue(url)
    features, shares, truth = world(NUMBER)
    policy = Policy(("poster",), 0.5, fake_model(tmp_path / "base"), "anna", "arguments")
    fill(engine, shares, policy=policy, features=features)
    for number in range(1, 81):
        said = {"poster": "yes", "stamp": "label"}.get(str(truth[number - 1]), "no")
        label = "stamp" if said == "label" else None
        record(engine, sha256_of(number), said, label=label, picked="asked", stratum=None, reviewer="anna")
    engine.dispose()
    return url


def run(url: str, *words: str) -> Result:
    return CliRunner().invoke(learn, ["--catalogue", url, *words])


def test_a_better_head_is_written_and_judges_the_past(url: str, tmp_path: Path) -> None:
    out = tmp_path / "models"
    result = run(url, "--out", str(out), "--apply")
    assert result.exit_code == 0, result.output
    assert "poster" in result.output
    assert "average precision" in result.output
    assert "no crawl is running that could take it; to begin with it: scrapy crawl posters -a model=" in result.output
    assert sorted(file.name for file in (out / "learned-1").iterdir()) == [
        "card.md",
        "head.npz",
        "labels.txt",
        "model.toml",
    ]
    assert (out / "learned-1" / "labels.txt").read_text().split() == ["poster", "photo", "logo", "stamp"]
    words = ["--catalogue", url, "--store", str(tmp_path / "store"), "--model", str(out / "learned-1")]
    tried = CliRunner().invoke(rejudge, [*words, "--dry-run"])
    assert tried.exit_code == 2
    assert "scored by it first" in tried.output
    judged = CliRunner().invoke(rejudge, [*words, "--json"])
    assert judged.exit_code == 0, judged.output
    said = json.loads(judged.stdout)
    assert (said["judged"], said["model"]) == (NUMBER, "learned-1")
    assert said["newly_dropped"] > 20


def test_json_names_what_was_compared(url: str, tmp_path: Path) -> None:
    result = run(url, "--label", "stamp", "--name", "my-stamps", "--out", str(tmp_path / "models"), "--json")
    said = json.loads(result.stdout)
    assert said["folder"].endswith("models/my-stamps")
    assert [(one["labels"], one["learned"]) for one in said["compared"]] == [(["stamp"], True), (["poster"], False)]
    assert said["compared"][0]["stand_in"] in {"poster", "photo", "logo"}
    assert (said["refused"], said["applied"]) == (None, [])


def test_what_is_worse_is_written_and_not_applied(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("posterbot.review.learn.SURE", 1.1)
    monkeypatch.setattr("posterbot.steering.client.running", lambda _: pytest.fail("it is not offered to anybody"))
    result = run(url, "--out", str(tmp_path / "models"), "--apply")
    assert result.exit_code == 1
    assert "posterbot: not better, so not applied: poster: average precision" in result.output
    assert "refused" in (tmp_path / "models" / "learned-1" / "card.md").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--label", "gnome"], "label 'gnome' is none of"),
        (["--name", "../x"], "a model's name is made of"),
        (["--name", "web-images"], "a shipped model is called so"),
        (["--out", "/proc/nowhere"], "cannot write /proc/nowhere"),
    ],
)
def test_one_line_says_what_is_wrong(url: str, words: list[str], said: str) -> None:
    result = run(url, *words)
    assert result.exit_code == 1
    assert result.output.splitlines()[-1].startswith("posterbot: ")
    assert said in result.output
    assert "Traceback" not in result.output


def test_nothing_reviewed_says_how_much_it_takes(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/catalogue.db"
    engine = open_catalogue(url)
    fill(
        engine, np.array([[0.9, 0.1, 0.0]], "<f4"), policy=Policy(("poster",), 0.5, fake_model(tmp_path / "m"), "", "")
    )
    engine.dispose()
    result = run(url, "--out", str(tmp_path / "models"))
    assert result.exit_code == 1
    assert "nothing was reviewed yet" in result.output
    assert not (tmp_path / "models").exists()


def test_the_commands_start_without_what_a_crawl_needs() -> None:
    code = (
        "import sys; import posterbot.cli_learn, posterbot.cli_rejudge; "
        "print([m for m in ('scrapy', 'twisted', 'tensorflow', 'sklearn', 'scipy', 'PIL') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
