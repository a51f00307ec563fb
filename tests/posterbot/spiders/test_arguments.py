"""Spider arguments: the right ones are understood, the wrong ones are one line that names the fix."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest
from scrapy.settings import Settings

from posterbot.spiders.arguments import ArgumentError, Listed, read_arguments, read_urls


def settings(**more: str) -> Settings:
    return Settings({"START": "sample", "OPERATOR_CONTACT": "", **more})


def test_bare_command_is_the_sample() -> None:
    arguments = read_arguments(settings(), {"labels": "poster"})
    assert arguments.sample
    assert arguments.start == ()
    assert arguments.policy.current.labels == ("poster",)
    assert arguments.policy.current.threshold == 0.5


def test_everything_given(tmp_path: Path) -> None:
    listed = tmp_path / "urls.txt"
    listed.write_text("http://127.0.0.1/x.jpg\n")
    arguments = read_arguments(
        settings(OPERATOR_CONTACT="me@example.org"),
        {
            "labels": "poster, book_cover",
            "threshold": "0.8",
            "start": "https://example.org/, http://example.com/films",
            "urls": str(listed),
            "domains": "Example.org, example.com",
        },
    )
    assert arguments.start == ("https://example.org/", "http://example.com/films")
    assert arguments.policy.current.labels == ("poster", "book_cover")
    assert arguments.policy.current.threshold == 0.8
    assert arguments.domains == ("example.org", "example.com")
    assert arguments.urls == listed


def test_a_list_alone_does_not_start_the_sample(tmp_path: Path) -> None:
    listed = tmp_path / "urls.txt"
    listed.write_text("http://127.0.0.1/x.jpg\n")
    assert not read_arguments(settings(), {"urls": str(listed)}).sample


def test_start_may_be_a_file(tmp_path: Path) -> None:
    listed = tmp_path / "start.txt"
    listed.write_text("# films\nhttp://127.0.0.1/a\n\nhttp://localhost:8000/b\n")
    arguments = read_arguments(settings(), {"start": str(listed)})
    assert arguments.start == ("http://127.0.0.1/a", "http://localhost:8000/b")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"labels": "postr"}, r"unknown label 'postr': web-images knows .*poster"),
        ({"labels": ""}, "no label given"),
        ({"threshold": "1.5"}, "threshold '1.5': give a number between 0 and 1"),
        ({"threshold": "nan"}, "threshold 'nan'"),
        ({"threshold": "high"}, "threshold 'high'"),
        ({"model": "vgg"}, "no model 'vgg'"),
        ({"lables": "poster"}, "unknown argument -a lables"),
        ({"start": "no-such-file.txt"}, "neither an http"),
        ({"start": "http:///nowhere"}, "has no host"),
        ({"urls": "no-such-file.txt"}, "cannot read no-such-file.txt: No such file"),
        ({"start": "https://example.org/"}, "OPERATOR_CONTACT is not set"),
        ({"start": "http://10.0.0.1/"}, "OPERATOR_CONTACT is not set"),
    ],
)
def test_refused(given: dict[str, str], message: str) -> None:
    with pytest.raises(ArgumentError, match=message) as caught:
        read_arguments(settings(), given)
    assert "\n" not in str(caught.value)


ROWS = [
    {"url": "http://127.0.0.1/a.jpg", "title": "Film A"},
    {"url": None, "title": "a film without an image"},
    {"url": "http://127.0.0.1/b.jpg", "title": "Film, B"},
]
LISTED = [Listed("http://127.0.0.1/a.jpg", "Film A"), Listed("http://127.0.0.1/b.jpg", "Film, B")]


def test_every_kind_of_list(tmp_path: Path) -> None:
    (tmp_path / "l.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    (tmp_path / "l.csv").write_text(
        'id,url,title\n1,http://127.0.0.1/a.jpg,Film A\n2,,x\n3,http://127.0.0.1/b.jpg,"Film, B"\n'
    )
    pyarrow.parquet.write_table(pa.Table.from_pylist(ROWS), tmp_path / "l.parquet")
    for kind in ("jsonl", "csv", "parquet"):
        assert list(read_urls(tmp_path / f"l.{kind}")) == LISTED, kind
    (tmp_path / "l.txt").write_text("\ufeffhttp://127.0.0.1/a.jpg\n\n# no\nhttp://127.0.0.1/b.jpg\n", encoding="utf-8")
    assert [row.url for row in read_urls(tmp_path / "l.txt")] == [row.url for row in LISTED]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("l.csv", b"id,link\n1,http://x/\n", "no column 'url'"),
        ("l.jsonl", b'{"link": 1}\n', "no column 'url'"),
        ("l.jsonl", b"[1]\n", "no column 'url'"),
        ("l.jsonl", b"{broken\n", "not a readable .jsonl file"),
        ("l.parquet", b"PAR1 no", "not a readable .parquet file"),
        ("l.txt", b"\xff\xfe\x00", "not a readable .txt file"),
    ],
)
def test_unreadable_lists(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ArgumentError, match=message) as caught:
        list(read_urls(tmp_path / name))
    assert "\n" not in str(caught.value)
