"""What the documents promise: every command in them runs, every query answers, every reason is explained."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from posterbot.reasons import Reason
from posterbot.spiders.arguments import KNOWN

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("models/weights/*/card.md")])


def blocks(kind: str) -> list[str]:
    """The contents of all blocks of one language."""
    found = []
    for document in DOCUMENTS:
        found += re.findall(rf"^```{kind}\n(.*?)^```", document.read_text(), re.MULTILINE | re.DOTALL)
    return found


COMMANDS = list(dict.fromkeys(line for block in blocks("sh") for line in block.splitlines() if line))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where the first command of the README has been run."""
    folder = tmp_path_factory.mktemp("docs")
    run("scrapy crawl posters -a labels=poster", folder)
    return folder


def run(command: str, folder: Path) -> str:
    """Run it as a person would, with the programs of this environment first."""
    command = command.replace(".venv/bin/", "").replace("make ", "make -n ")
    outside = {"IMAGES_STORE", "CATALOGUE_URL", "OPERATOR_CONTACT", "START", "REPORTS", "SPOOL"}
    done = subprocess.run(
        command,
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


@pytest.mark.parametrize("command", COMMANDS)
def test_commands(command: str, folder: Path) -> None:
    assert run(command, folder).strip()


@pytest.mark.parametrize("query", blocks("sql"))
def test_queries(query: str, folder: Path) -> None:
    with sqlite3.connect(folder / "data/catalogue.db") as connection:
        assert connection.execute(query).fetchall()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
        assert (document.parent / target).exists(), target


def test_every_reason_is_explained() -> None:
    text = (ROOT / "docs/reasons.md").read_text()
    assert [reason for reason in Reason if f"`{reason}`" not in text] == []


def test_every_argument_is_explained() -> None:
    text = (ROOT / "docs/crawl.md").read_text()
    assert [name for name in KNOWN if f"| `{name}` |" not in text] == []
