"""The command that explains the frontier: what it says, at 80 columns as well, and when there is nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from frontier.frontier_cases import Part, link
from rich.console import Console
from sqlalchemy import Engine

from posterbot.catalogue.database import open_catalogue
from posterbot.cli import cli
from posterbot.frontier import arm_display
from posterbot.frontier.explain import explain
from posterbot.frontier.records import Finished, Link, Place

EVIL = "https://a.example/odd/\x1b[31m<b>"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_catalogue(f"sqlite:///{tmp_path}/catalogue.db")
    yield engine
    engine.dispose()


@pytest.fixture
def part(engine: Engine) -> Part:
    """Lists and films were found; two films brought a picture each."""
    part = Part(engine, by_yield=True)
    add(part, "/list/{n}", "nav.main/a", *(f"https://a.example/list/{n}" for n in range(3)))
    ((_, key),) = part.lease(1).items()
    add(part, "/film/{n}", "ul.films/li/a", *(f"https://a.example/film/{n}" for n in range(40)), parent=key)
    add(part, "/odd/\x1b[31m{text}", "ul.films/li/a", EVIL, parent=key)
    part.do(part.frontier.finish, Finished(key, new_images=1))
    for url, key in part.lease(6).items():
        part.do(part.frontier.finish, Finished(key, new_images=1, kept=int("film" in url), requests=2))
    return part


def add(part: Part, pattern: str, path: str, *urls: str, parent: int | None = None) -> None:
    plain = [link(url, parent=parent, pattern=pattern) for url in urls]
    links = [
        Link(one.url, one.fingerprint, one.host, pattern, -1, "{}", parent, Place(path, "", n), 1)
        for n, one in enumerate(plain)
    ]
    part.do(part.frontier.add, links)


def run(engine: Engine, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["frontier", *arguments, "--catalogue", str(engine.url)])


def test_arms_are_lines_with_columns(engine: Engine, part: Part) -> None:
    result = run(engine, "--next", "4")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith("run 1, by yield: ")
    assert " ".join(lines[1].split()) == "worth hope recent found pages waiting host pattern path example leads to"
    rows = {line.split()[7]: line.split() for line in lines[2:5]}
    assert rows["/film/{n}"][6] == "a.example"
    assert "× /film/{n}" in result.stdout
    assert len([line for line in lines if line.lstrip()[:1].isdigit() and "https://" in line]) == 3 + 4
    assert "\x1b" not in result.stdout
    assert "<b>" in run(engine, "--next", "60").stdout


def test_on_a_terminal_nothing_is_wider_than_it(engine: Engine, part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    consoles: list[Console] = []

    def terminal(**options: object) -> Console:
        consoles.append(Console(force_terminal=True, width=80, record=True, **options))  # type: ignore[arg-type]
        return consoles[-1]

    monkeypatch.setattr(arm_display, "Console", terminal)
    arm_display.print_frontier(explain(engine, part.run, number=60))
    text = consoles[0].export_text()
    assert max(map(len, text.splitlines())) <= 80
    assert "leads to" in text
    assert "e.g. /film/" in text
    assert "\x1b" not in text


def test_as_json(engine: Engine, part: Part) -> None:
    told = json.loads(run(engine, "--json", "--next", "3", "--limit", "1").stdout)
    assert (told["run"], told["strategy"], len(told["arms"]), told["arm_count"]) == (1, "yield", 1, 3)
    assert [set(one) for one in told["next"]] == [{"url", "host", "arm", "why", "seconds"}] * 3
    assert {"worth", "hope", "pulls", "recent", "leads", "examples", "path"} < set(told["arms"][0])


def test_breadth_first_shows_depths(engine: Engine) -> None:
    Part(engine).add("https://a.example/1", "https://a.example/2")
    lines = run(engine).stdout.splitlines()
    assert lines[0] == "run 1, breadth first: 2 URLs waiting"
    assert [line.split() for line in lines[1:3]] == [["depth", "pages", "found", "waiting"], ["0", "0", "0", "2"]]
    assert lines[3].startswith("next, by turns: of hosts the one served longest ago")
    assert lines[5].split() == ["1", "https://a.example/1"]


def test_what_is_not_there_is_one_line(engine: Engine, tmp_path: Path) -> None:
    missing = CliRunner().invoke(cli, ["frontier", "--catalogue", f"sqlite:///{tmp_path}/none.db"])
    assert (missing.exit_code, missing.stderr.count("\n")) == (1, 1)
    assert missing.stderr.startswith("posterbot: no catalogue at ")
    none = run(engine)
    assert (none.exit_code, none.stderr) == (1, "posterbot: there is no run in this catalogue yet\n")
    Part(engine)
    assert run(engine).stdout == "nothing is in the frontier of run 1\n"
    unknown = run(engine, "--run", "9")
    assert (unknown.exit_code, unknown.stderr) == (1, "posterbot: no run 9; the newest is 1\n")
    host = run(engine, "--host", "b.example")
    assert (host.exit_code, host.stderr.count("\n")) == (1, 1)
    assert run(engine, "--next", "-1").exit_code == run(engine, "--run", "x").exit_code == 2
