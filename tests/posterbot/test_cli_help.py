"""The help of each command fits a terminal and starts at once; shells complete names and values."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from models.__main__ import cli as models
from posterbot.cli import SECTIONS, cli
from posterbot.cli_crawl import ARGUMENTS
from posterbot.spiders.arguments import KNOWN
from wikidump.__main__ import cli as wikidump

HEAVY = ("scrapy", "twisted", "tensorflow", "pandas", "pyarrow", "sklearn", "PIL", "numpy", "sqlalchemy", "rich")


def commands(command: click.Command, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The words of a command, and of all below it."""
    yield words
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands(below, (*words, name))


ALL = [(cli, words) for words in commands(cli, ())]
ALL += [(models, words) for words in commands(models, ())] + [(wikidump, ())]


@pytest.mark.parametrize(("root", "words"), ALL, ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_help_fits_a_terminal(root: click.Command, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    result = CliRunner().invoke(root, [*words, "--help"], prog_name="posterbot")
    assert result.exit_code == 0
    assert max(map(len, result.output.splitlines())) <= 80
    assert not re.search(r"\.\.\.$", result.output.partition("\nCommands:")[2], re.MULTILINE), "a summary was cut"


def test_a_summary_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = CliRunner().invoke(cli, ["--help"]).output.splitlines()
    for title, listed in SECTIONS.items():
        start = lines.index(f"{title}:") + 1
        assert [line.split()[0] for line in lines[start : start + len(listed)]] == list(listed)


def run(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("words", [["--help"], ["--version"]])
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    code = f"""
import sys
sys.argv[1:] = {words}
from posterbot.cli import main
try:
    main()
finally:
    print("imported", sorted({{name.partition(".")[0] for name in sys.modules}} & {set(HEAVY)}))
"""
    assert run(code).endswith("imported []\n")


def test_every_argument_is_in_the_help_of_crawl() -> None:
    assert tuple(ARGUMENTS) == KNOWN


def completed(line: str) -> list[str]:
    """What bash offers for the last word of a line."""
    words = line.split(" ")
    code = "from posterbot.cli import main; main()"
    answer = run(code, _POSTERBOT_COMPLETE="bash_complete", COMP_WORDS=line, COMP_CWORD=str(len(words) - 1))
    return [row.partition(",")[2] for row in answer.splitlines()]


def test_commands_are_completed() -> None:
    assert completed("posterbot st") == ["steer", "stats"]
    assert completed("posterbot crawls st") == ["stop"]


def test_options_and_values_are_completed() -> None:
    assert "--verdict" in completed("posterbot ls --v")
    assert completed("posterbot ls --verdict ke") == ["kept"]
    assert completed("posterbot crawl -a t") == ["threshold=", "top="]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_script(shell: str) -> None:
    result = CliRunner().invoke(cli, ["completion", shell])
    assert f"_POSTERBOT_COMPLETE={shell}_complete" in result.output


def test_bash_understands_its_script() -> None:
    script = CliRunner().invoke(cli, ["completion", "bash"]).output
    subprocess.run(["bash", "-n"], input=script, text=True, check=True, timeout=60)


def test_crawl_takes_no_names() -> None:
    result = CliRunner().invoke(cli, ["crawl", "posters"])
    assert result.exit_code == 2
    assert "-a start=" in result.output
