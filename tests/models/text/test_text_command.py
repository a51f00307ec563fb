"""``python -m models text``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from models.commands.text import text, train_text


def test_answers() -> None:
    result = CliRunner().invoke(text, ["Company logo", "--url", "https://a.org/logo.png", "--json"])
    assert json.loads(result.stdout)["answer"] == "surely_not"
    result = CliRunner().invoke(text, ["Playtime movie poster", "--url", "https://a.org/posters/playtime.jpg"])
    assert result.stdout.startswith("likely\t")


def test_nothing_given_is_a_usage_error() -> None:
    result = CliRunner().invoke(text, [])
    assert result.exit_code == 2
    assert "give an alt text" in result.stderr


@pytest.mark.parametrize("content", [None, b"[]", b"not json", b'[{"title": "A", "cast": []}]'])
def test_a_folder_without_a_corpus_is_one_line(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "films.json").write_bytes(content)
    result = CliRunner().invoke(train_text, ["--data", str(tmp_path), "--out", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "expected a list of films" in result.stderr
