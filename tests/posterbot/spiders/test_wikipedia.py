"""Hosts and addresses of Wikipedias."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posterbot.spiders.wikipedia import article_url, file_path_url, host_of
from wikidump.wikis import all_wikis

TITLE = 'AC/DC: "What?" – Amélie & 100% [it\'s] #1'


@pytest.mark.parametrize(
    ("wiki", "host"),
    [
        ("enwiki", "en.wikipedia.org"),
        ("zh_min_nanwiki", "zh-min-nan.wikipedia.org"),
        ("be_x_oldwiki", "be-x-old.wikipedia.org"),
        ("simplewiki", "simple.wikipedia.org"),
        ("enwiktionary", None),
        ("wiki", None),
        ("", None),
        ("evil.example/#wiki", None),
        ("evil.example\nwiki", None),
        ("_wiki", None),
    ],
)
def test_hosts(wiki: str, host: str | None) -> None:
    assert host_of(wiki) == host


def test_every_wiki_of_the_tables_has_a_host() -> None:
    assert [code for code in all_wikis() if host_of(f"{code}wiki") is None] == []


def test_articles_are_written_as_mediawiki_does() -> None:
    assert article_url("enwiki", "What's Up, Doc? (1972 film)") == (
        "https://en.wikipedia.org/wiki/What%27s_Up,_Doc%3F_(1972_film)"
    )
    assert article_url("enwiki", TITLE) == (
        "https://en.wikipedia.org/wiki/AC/DC:_%22What%3F%22_%E2%80%93_Am%C3%A9lie_%26_100%25_%5Bit%27s%5D_%231"
    )
    assert article_url("nonsense", TITLE) is None


@given(st.text(min_size=1))
def test_a_title_stays_in_its_path(title: str) -> None:
    parts = urlsplit(str(article_url("enwiki", title)))
    assert (parts.hostname, parts.query, parts.fragment) == ("en.wikipedia.org", "", "")
    assert unquote(parts.path) == "/wiki/" + title.replace(" ", "_")


@pytest.mark.parametrize(
    ("repository", "host"),
    [
        ("local", "tr.wikipedia.org"),
        (None, "tr.wikipedia.org"),
        ("commons", "commons.wikimedia.org"),
        ("enwiki", "en.wikipedia.org"),
        ("evil.example/#wiki", None),
    ],
)
def test_where_a_file_is_looked_for(repository: str | None, host: str | None) -> None:
    found = file_path_url("trwiki", repository, 'Kim "O"?/é.jpg', "https://{host}")
    path = "/wiki/Special:FilePath/Kim_%22O%22%3F%2F%C3%A9.jpg"
    assert found == (None if host is None else f"https://{host}{path}")


def test_the_setting_says_where_wikis_are() -> None:
    found = file_path_url("trwiki", "commons", "A b.jpg", "http://127.0.0.1:8000/{host}")
    assert found == "http://127.0.0.1:8000/commons.wikimedia.org/wiki/Special:FilePath/A_b.jpg"
