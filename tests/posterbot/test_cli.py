from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import posterbot
from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.recorder import Recorder
from posterbot.catalogue.records import Image, Model, Outcome, Page, Policy
from posterbot.cli import cli
from posterbot.reasons import Reason

ROOT = Path(posterbot.__file__).parents[1]
POLICY = Policy(("poster",), 0.5, Model("web-images", "a" * 64, ("poster", "photo")), "anna", "arguments")


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A catalogue with one run: one image kept, one dropped, one not found."""
    url = f"sqlite:///{tmp_path}/catalogue.db"
    engine = open_catalogue(url)
    recorder = Recorder(engine, spider="posters", arguments={}, version="1")
    page = Page("https://site.example/", 200, "Films")
    for name, keep in (("good", True), ("bad", False)):
        recorder.outcome(
            Outcome(
                page,
                f"https://images.example/{name}.jpg",
                "img",
                alt="\x1b[31mred",
                http_status=200,
                image=Image(name[0] * 64, 81_920, "JPEG", 600, 900, "0" * 16, "g/x.jpg" if keep else None),
                scores=np.array([0.75, 0.25], "<f4"),
                policy=POLICY,
                keep=keep,
                verdict_reason="relevant" if keep else "not_relevant",
                label="poster",
                score=0.75,
            )
        )
    recorder.outcome(Outcome(page, "https://[red].example/\x1b[2J", "img", reason="http_404", http_status=404))
    recorder.close("finished")
    engine.dispose()
    return url


def run(*arguments: str, env: dict[str, str] | None = None) -> Result:
    given = {"CATALOGUE_URL": None, "IMAGES_STORE": None} | (env or {})
    return CliRunner().invoke(cli, arguments, env=given)


def test_stats_shows_the_funnel(url: str) -> None:
    result = run("stats", "--catalogue", url)
    assert result.exit_code == 0, result.output
    assert result.output.startswith("all runs\n")
    rows = [line.split() for line in result.output.splitlines()]
    assert ["pages", "1"] in rows
    assert ["kept", "1", "33.3%", "█" * 10] in rows
    assert ["http_404", "1", "50.0%", "█" * 15] in rows
    assert ["images.example", "2", "1", "50.0%", "█" * 15] in rows
    assert ["poster", "2", "1", "50.0%", "█" * 15] in rows
    assert "\x1b" not in result.output


def test_stats_as_json(url: str) -> None:
    counts = json.loads(run("stats", "--json", "--run", "last", "--catalogue", url).stdout)
    assert (counts["run"], counts["candidates"], counts["kept"], counts["dropped"]) == (1, 3, 1, 2)
    assert counts["reasons"] == {"http_404": 1, "not_relevant": 1}
    assert counts["policies"][0]["labels"] == ["poster"]
    assert counts["runs"][0]["finish_reason"] == "finished"


def test_stats_of_a_run_says_how_it_ended(url: str) -> None:
    assert "run 1 (posters, 20" in run("stats", "--run", "1", "--catalogue", url).output
    assert "finished)" in run("stats", "--run", "1", "--catalogue", url).output


def test_ls_prints_one_aligned_line_each(url: str) -> None:
    lines = run("ls", "--catalogue", url).stdout.splitlines()
    assert lines[0].split() == [
        "kept",
        "relevant",
        "poster",
        "0.75",
        "600x900",
        "82",
        "kB",
        "https://images.example/good.jpg",
    ]
    assert len({line.index("https://") for line in lines}) == 1
    assert lines[2].split() == ["dropped", "http_404", "https://[red].example/?[2J"]


def test_ls_as_json_lines(url: str) -> None:
    found = [json.loads(line) for line in run("ls", "--json", "--catalogue", url).stdout.splitlines()]
    assert [row["verdict"] for row in found] == ["kept", "dropped", "dropped"]
    contract = {"url", "page_url", "alt", "sha256", "width", "height", "bytes", "phash"}
    contract |= {"model", "scores", "label", "verdict", "reason", "path"}
    assert contract <= found[0].keys()
    assert (found[0]["alt"], found[0]["scores"]) == ("\x1b[31mred", {"poster": 0.75, "photo": 0.25})
    assert "\x1b" not in run("ls", "--json", "--catalogue", url).stdout


def test_ls_filters(url: str) -> None:
    assert len(run("ls", "--verdict", "dropped", "--catalogue", url).stdout.splitlines()) == 2
    assert len(run("ls", "--reason", "http_404", "--run", "last", "--catalogue", url).stdout.splitlines()) == 1
    assert len(run("ls", "--limit", "1", "--catalogue", url).stdout.splitlines()) == 1
    assert run("ls", "--reason", "timeout", "--catalogue", url).stdout == ""


def test_the_environment_names_the_catalogue(url: str) -> None:
    assert run("stats", env={"CATALOGUE_URL": url}).exit_code == 0


def test_sheet_is_written(url: str, tmp_path: Path) -> None:
    out = tmp_path / "new" / "sheet.html"
    result = run("sheet", "--out", str(out), "--store", str(tmp_path / "gone"), "--run", "last", "--catalogue", url)
    assert (result.exit_code, result.output) == (0, f"1 image in {out}\n")
    assert "file not found" in out.read_text()


def test_sheet_that_cannot_be_written(url: str, tmp_path: Path) -> None:
    result = run("sheet", "--out", str(tmp_path / "catalogue.db" / "sheet.html"), "--catalogue", url)
    assert result.exit_code == 1
    assert result.stderr.startswith("posterbot: cannot write ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["ls", "--reason", "nonesuch"], "'not_relevant'"),
        (["ls", "--verdict", "maybe"], "'kept', 'dropped'"),
        (["ls", "--run", "first"], "'first' is neither a run's number nor 'last'"),
        (["ls", "--run", "0"], "neither a run's number"),
        (["ls", "--limit", "0"], "--limit"),
        (["nonesuch"], "No such command"),
    ],
)
def test_wrong_command_lines_exit_2(arguments: list[str], says: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert says in result.stderr


def test_an_unknown_reason_is_answered_with_all_known_ones() -> None:
    stderr = run("ls", "--reason", "nonesuch").stderr
    assert all(str(reason) in stderr for reason in Reason)


@pytest.mark.parametrize("command", ["stats", "ls", "sheet"])
def test_a_missing_catalogue_is_one_line(command: str, tmp_path: Path) -> None:
    result = run(command, "--catalogue", f"sqlite:///{tmp_path}/none.db")
    assert result.exit_code == 1
    assert result.stderr == f"posterbot: no catalogue at {tmp_path}/none.db; run a crawl first or give --catalogue\n"
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_run_is_one_line(url: str) -> None:
    result = run("ls", "--run", "9", "--catalogue", url)
    assert (result.exit_code, result.stderr) == (1, "posterbot: no run 9; the newest is 1\n")


def test_the_last_of_no_runs(tmp_path: Path) -> None:
    open_catalogue(f"sqlite:///{tmp_path}/empty.db").dispose()
    result = run("ls", "--run", "last", "--catalogue", f"sqlite:///{tmp_path}/empty.db")
    assert (result.exit_code, result.stderr) == (1, "posterbot: there is no run in this catalogue yet\n")


def test_a_damaged_catalogue_is_one_line(url: str, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "catalogue.db") as connection:
        connection.execute("DROP TABLE verdicts")
    result = run("stats", "--catalogue", url)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"posterbot: catalogue {tmp_path}/catalogue.db: no such table")
    assert result.stderr.count("\n") == 1


def test_version() -> None:
    assert run("--version").stdout == f"posterbot {posterbot.__version__}\n"


def python(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, env={**os.environ, **(env or {})}
    )


def test_the_program_starts_light_and_speaks_every_encoding(url: str) -> None:
    result = python("-m", "posterbot.cli", "stats", env={"CATALOGUE_URL": url, "PYTHONIOENCODING": "ascii"})
    assert (result.returncode, result.stderr) == (0, "")
    assert "????" in result.stdout
    program = (
        "import sys, posterbot.cli; "
        "print([name for name in ('scrapy', 'twisted', 'tensorflow', 'alembic') if name in sys.modules])"
    )
    assert python("-c", program).stdout == "[]\n"


def test_a_reader_that_goes_away_ends_it_in_silence(url: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "posterbot.cli", "ls", "--catalogue", url],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        program.stdout.close()
        assert program.stderr.read() == b""
