"""Spider arguments: the right ones are understood, the wrong ones are one line that names the fix."""

from __future__ import annotations

from pathlib import Path

import pytest
from scrapy.settings import Settings

from posterbot.spiders.arguments import ArgumentError, read_arguments


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


def test_top_comes_without_a_threshold_unless_one_is_given() -> None:
    policy = read_arguments(settings(), {"top": "5"}).policy.current
    assert (policy.top, policy.threshold) == (5, 0)
    policy = read_arguments(settings(), {"top": "5", "threshold": "0.3"}).policy.current
    assert (policy.top, policy.threshold) == (5, 0.3)


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
        ({"threshold": "0"}, "threshold '0'"),
        ({"threshold": "accuracy=0.9"}, "unknown goal 'accuracy'"),
        ({"top": "0"}, r"top '0': give a whole number from 1 to \d+, the number of labels of web-images"),
        ({"top": "five"}, "top 'five': give a whole number"),
        ({"top": "100000"}, "top '100000': give a whole number"),
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


def test_a_list_of_the_open_web_needs_a_contact_too(tmp_path: Path) -> None:
    listed = tmp_path / "urls.jsonl"
    listed.write_text('{"url": null}\n{"url": "https://upload.wikimedia.org/wikipedia/en/a/a9/X.jpg"}\n')
    with pytest.raises(ArgumentError, match=r"https://upload\.wikimedia\.org/.*: OPERATOR_CONTACT is not set"):
        read_arguments(settings(), {"urls": str(listed)})
    read_arguments(settings(OPERATOR_CONTACT="me@example.org"), {"urls": str(listed)})


@pytest.mark.parametrize(
    "url", ["nonsense", "http://[broken/x.jpg", "ftp://example.org/x.jpg", "http://localhost/x.jpg"]
)
def test_a_list_that_leads_nowhere_needs_none(tmp_path: Path, url: str) -> None:
    (tmp_path / "urls.txt").write_text(url)
    assert read_arguments(settings(), {"urls": str(tmp_path / "urls.txt")}).urls
