"""Downloads: whole and as published, or not there at all."""

from __future__ import annotations

import hashlib
import os
import socket
from pathlib import Path

import pytest
from conftest import Answer, Site

from models.classifier import ModelError
from models.download import Download, cache_folder, fetch

CONTENT = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def to(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "net" / "weights.bin"


def published(url: str) -> Download:
    return Download(url, len(CONTENT), SHA256)


def test_downloaded_once_and_said_so(site: Site, to: Path, capfd: pytest.CaptureFixture[str]) -> None:
    site.image("/w", CONTENT)
    fetch({to: published(f"{site.url}/w")})
    fetch({to: published(f"{site.url}/w")})
    assert to.read_bytes() == CONTENT
    assert [file.name for file in to.parent.iterdir()] == ["weights.bin"]
    assert site.asked == ["/w"]
    assert capfd.readouterr().err == f"downloading {site.url}/w (0.3 MB) to {to}\n"


def test_what_is_there_is_used_as_it_is(to: Path) -> None:
    to.parent.mkdir(parents=True)
    to.write_bytes(b"put here by hand")
    fetch({to: published("http://127.0.0.1:1/w")})
    assert to.read_bytes() == b"put here by hand"


@pytest.mark.parametrize(
    "answer",
    [
        Answer(CONTENT[:-1]),
        Answer(CONTENT + b"x"),
        Answer(CONTENT[:-1] + b"x"),
        Answer(CONTENT[:-5], headers={"Content-Length": str(len(CONTENT)), "Connection": "close"}),
        Answer(bytes(5_000_000), unsized=True),
        Answer(b""),
        Answer(b"<html>", status=404),
        Answer(status=302, headers={"Location": "file:///etc/hostname"}),
    ],
    ids=["short", "long", "changed", "broken off", "endless", "empty", "404", "elsewhere"],
)
def test_what_is_not_as_published_is_not_used(site: Site, to: Path, answer: Answer) -> None:
    site["/w"] = answer
    with pytest.raises(ModelError, match=r"cannot download .*/w to .*put by hand: .*/w \(0\.3 MB\) at") as caught:
        fetch({to: published(f"{site.url}/w")})
    assert str(to) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(to.parent.iterdir()) == []


def test_ctrl_c_leaves_nothing(site: Site, to: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(descriptor: int) -> None:
        assert not to.exists()  # it is written beside, and named when it is whole
        raise KeyboardInterrupt

    site.image("/w", CONTENT)
    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch({to: published(f"{site.url}/w")})
    assert list(to.parent.iterdir()) == []


def test_a_wrong_hash_is_shown(site: Site, to: Path) -> None:
    site.image("/w", b"other")
    with pytest.raises(ModelError, match=f"it is 5 bytes with sha256 {hashlib.sha256(b'other').hexdigest()}, expected"):
        fetch({to: published(f"{site.url}/w")})


def test_without_a_network_all_that_is_needed_is_named(to: Path) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unheard.getsockname()[1]}"
        with pytest.raises(ModelError, match=r"Connection refused") as caught:
            fetch({to: published(f"{url}/a"), to.with_name("labels.txt"): published(f"{url}/b")})
    assert f"put by hand: {url}/a (0.3 MB) at {to}, {url}/b (0.3 MB) at {to.parent}/labels.txt" in str(caught.value)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(ModelError, match="cannot download"):
        fetch({tmp_path / "taken" / "x": published("http://127.0.0.1:1/w")})


def test_the_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTERBOT_MODELS", "/somewhere")
    assert cache_folder() == Path("/somewhere")
    monkeypatch.setenv("POSTERBOT_MODELS", "")
    assert cache_folder() == Path.home() / ".cache/posterbot/models"
