"""What the documents promise: every command in them runs, every query answers, every reason is explained.

Commands that need the web, a bucket, a server or a dump stand in blocks of ``text``; they are held against the parsers
of the programs that they call, so that no option in them is misspelt or gone.
"""

from __future__ import annotations

import importlib
import os
import re
import shlex
import sqlite3
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
from scrapy.settings import Settings

from posterbot import settings
from posterbot.reasons import Reason
from posterbot.spiders.arguments import KNOWN

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("models/weights/*/card.md")])
READ_ONLY = [*DOCUMENTS, *sorted(ROOT.glob("examples/*/README.md"))]
FIRST = "scrapy crawl posters -a labels=poster"
"""The first command of the README: all others run where it has run."""


def blocks(kind: str, documents: list[Path] = DOCUMENTS) -> list[str]:
    """The contents of all blocks of one language."""
    found = []
    for document in documents:
        found += re.findall(rf"^```{kind}\n(.*?)^```", document.read_text(), re.MULTILINE | re.DOTALL)
    return found


def commands(kind: str, documents: list[Path] = DOCUMENTS) -> list[str]:
    """All lines in such blocks, in the order of their first appearance, however the programs are found."""
    lines = [line for block in blocks(kind, documents) for line in block.replace("\\\n", " ").splitlines() if line]
    return list(dict.fromkeys(re.sub(r"\s+#\s.*|(?<!\S)\.venv/bin/", "", line) for line in lines))


SHOWN = [
    line
    for line in (line.removeprefix("$ ") for line in commands("text", READ_ONLY))
    if re.match(r"(posterbot|scrapy crawl|python -m|python \w+/|pip install) ", line + " ")
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where the first command of the README has been run."""
    folder = tmp_path_factory.mktemp("docs")
    assert "kept" in run(FIRST, folder)
    return folder


def run(command: str, folder: Path) -> str:
    """Run it as a person would, with the programs of this environment first."""
    outside = {"IMAGES_STORE", "CATALOGUE_URL", "OPERATOR_CONTACT", "START", "REPORTS", "SPOOL"}
    done = subprocess.run(
        command.replace("make ", "make -n "),
        shell=True,
        cwd=ROOT if command.startswith("make") else folder,
        env={name: value for name, value in os.environ.items() if name not in outside}
        | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "SCRAPY_SETTINGS_MODULE": "posterbot.settings",
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def test_the_first_command_is_in_the_documents() -> None:
    assert FIRST in commands("sh")


@pytest.mark.parametrize("command", [command for command in commands("sh") if command != FIRST])
def test_commands(command: str, folder: Path) -> None:
    assert run(command, folder).strip()


@pytest.mark.parametrize("query", blocks("sql"))
def test_queries(query: str, folder: Path) -> None:
    with sqlite3.connect(folder / "data/catalogue.db") as connection:
        assert connection.execute(query).fetchall()


@pytest.mark.parametrize("command", SHOWN)
def test_commands_that_cannot_run_here_are_spelt_right(command: str) -> None:
    check(shlex.split(command.partition(" > ")[0]))


@pytest.mark.parametrize(
    "command",
    [
        "posterbot funnel",
        "posterbot stats --jason",
        "posterbot crawls resume",
        "posterbot retry --reason",
        "scrapy crawl posters -a label=poster",
        "scrapy crawl posters -s EXPLORES=0",
        "scrapy crawl poster",
        "python -m wikidump posters.xml",
        "python -m models teach stamps",
        "python benchmarks/none.py",
        "pip install 'posterbot[none]'",
    ],
)
def test_misspelt_commands_are_noticed(command: str) -> None:
    with pytest.raises((click.UsageError, AssertionError)):
        check(shlex.split(command))


def check(words: list[str]) -> None:
    """Hold a command against the parser of its program.

    Raises:
        click.UsageError, AssertionError: there is no such command, option, argument, setting, script or extra.
    """
    match words:
        case ["posterbot", *rest]:
            parse("posterbot.cli", rest)
        case ["python", "-m", "wikidump" | "models" as program, *rest]:
            parse(f"{program}.__main__", rest)
        case ["scrapy", "crawl", spider, *rest]:
            assert spider == "posters"
            check_crawl(rest)
        case ["python", script, *_]:
            assert (ROOT / script).exists()
        case ["pip", "install", what]:
            if extra := re.search(r"\[(\w+)\]", what):
                project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
                assert extra[1] in project["optional-dependencies"]
        case _:
            raise AssertionError(f"nobody knows {words}")


def parse(module: str, words: list[str]) -> None:
    """Go down to the command, and have it read its options. Files that are not here are none of its faults."""
    command: click.Command = importlib.import_module(module).cli
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        below = command.get_command(click.Context(command), words[0])
        if below is None:
            raise click.UsageError(f"no command {words[0]}")
        command, words = below, words[1:]
    try:
        command.make_context(module, list(words))
    except click.BadParameter as error:
        if "does not exist" not in error.message:
            raise


def check_crawl(words: list[str]) -> None:
    """Arguments and settings by name."""
    pairs = list(zip(words[::2], words[1::2], strict=True))
    for sign, pair in pairs:
        name = pair.partition("=")[0]
        assert sign in {"-a", "-s"}
        assert (name in KNOWN) if sign == "-a" else (hasattr(settings, name) or name in Settings()), pair


@pytest.mark.parametrize("code", blocks("python", READ_ONLY))
def test_python_can_be_read(code: str) -> None:
    compile(code, "document", "exec")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text()):
        assert (document.parent / target).exists(), target


def test_every_reason_is_explained() -> None:
    text = (ROOT / "docs/reasons.md").read_text()
    table = re.search(r"^\| reason \|.*?(?=\n\n)", text, re.MULTILINE | re.DOTALL)
    assert table
    rows = [row.split("|")[1] for row in table[0].splitlines()[2:]]
    assert sorted(re.findall(r"`(\w+)`", " ".join(rows))) == sorted(Reason)


def test_every_argument_is_explained() -> None:
    text = (ROOT / "docs/crawl.md").read_text()
    assert [name for name in KNOWN if f"| `{name}` |" not in text] == []
