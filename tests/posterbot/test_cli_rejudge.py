"""``posterbot rejudge``: what it prints, asks and refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from upkeep.kept_images import Kept, path_of

from posterbot.catalogue.database import open_catalogue
from posterbot.cli_rejudge import rejudge
from posterbot.rejudge import judge_past


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    engine = open_catalogue(f"sqlite:///{tmp_path}/catalogue.db")
    kept = Kept(engine, tmp_path)
    kept.crawl(["a", "b", "c"])
    yield kept
    engine.dispose()


def run(kept: Kept, *words: str, answer: str | None = None) -> Result:
    given = ["--catalogue", str(kept.engine.url), "--store", kept.store.name, "--spool", str(kept.spool_root), *words]
    return CliRunner().invoke(rejudge, given, input=answer)


def test_a_dry_run_says_what_would_change_by_label_and_host(kept: Kept) -> None:
    result = run(kept, "--threshold", "0.8", "--dry-run", "--prune")
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        "new policy: poster from 0.8 on, by web-images",
        "3 images judged, 0 would be newly kept, 3 would be newly dropped, 0 as before",
        "dropped for: not_relevant 3",
        "  newly kept  newly dropped  label",
        "           0              3  poster",
        "  newly kept  newly dropped  host",
        "           0              3  images.example",
        "no original of a dropped image is kept",
    ]
    assert json.loads(run(kept, "--json").stdout)["policy"] == 1, "nothing was recorded"


def test_dropped_then_pruned_then_wanted_again(kept: Kept) -> None:
    first = run(kept, "--threshold", "0.8")
    assert "policy 2: poster from 0.8 on, by web-images" in first.output
    assert "0 newly kept, 3 newly dropped" in first.output
    assert kept.everything() == sorted(map(path_of, "abc"))
    asked = run(kept, "--prune")
    assert asked.exit_code == 2
    assert "nobody can be asked here" in asked.output
    gone = run(kept, "--prune", "--yes")
    assert gone.exit_code == 0, gone.output
    assert "to be deleted: 3 originals (" in gone.output
    assert "deleted: 3 objects (" in gone.output
    assert kept.everything() == []
    back = run(kept, "--threshold", "0.7")
    assert (
        "run 1: 3 images queued; to fetch them: posterbot crawls resume 1 -- -a labels=poster -a threshold=0.7"
        in back.output
    )
    said = json.loads(run(kept, "--json").stdout)
    assert (said["policy"], said["judged"], said["wanted"]) == (3, 0, ["poster"])
    assert said["bytes"]["runs"][0]["images"] == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--labels", "gnome"], "unknown label 'gnome'"),
        (["--threshold", "nan"], "threshold 'nan'"),
        (["--threshold", "2"], "threshold '2'"),
        (["--threshold", "precision=0.95"], "no curve with this model"),
        (["--top", "none", "--threshold", "0"], "threshold '0'"),
        (["--top", "x"], "top 'x'"),
        (["--model", "other"], "no image here has scores of a model 'other'"),
    ],
)
def test_what_cannot_be_used_changes_nothing(kept: Kept, words: list[str], said: str) -> None:
    result = run(kept, *words)
    assert result.exit_code == 2
    assert said in result.output
    assert "nothing has changed" in result.output
    assert json.loads(run(kept, "--json").stdout)["policy"] == 1


def test_ctrl_c_is_one_line_and_the_same_command_goes_on(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge_past, "AT_ONCE", 2)
    judge = judge_past.Judging._judge

    def once(self: judge_past.Judging, batch: object) -> None:
        judge(self, batch)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as interrupted:
        interrupted.setattr(judge_past.Judging, "_judge", once)
        result = run(kept, "--threshold", "0.8")
    assert result.exit_code == 130
    assert result.output.splitlines()[-1] == "posterbot: interrupted: the same command goes on"
    result = run(kept, "--threshold", "0.8")
    assert "policy 2: " in result.output
    assert "1 image judged" in result.output


def test_no_catalogue_is_one_line(tmp_path: Path) -> None:
    result = CliRunner().invoke(rejudge, ["--catalogue", f"sqlite:///{tmp_path}/none.db"])
    assert result.exit_code == 1
    assert result.output.startswith("posterbot: no catalogue at")
    engine = open_catalogue(f"sqlite:///{tmp_path}/empty.db")
    engine.dispose()
    result = CliRunner().invoke(rejudge, ["--catalogue", f"sqlite:///{tmp_path}/empty.db", "--threshold", "0.5"])
    assert result.exit_code == 1
    assert result.output == "posterbot: there is no policy in this catalogue yet: run a crawl first\n"
