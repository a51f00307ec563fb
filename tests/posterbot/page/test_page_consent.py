"""The grammar of X-Robots-Tag, robots tags, TDMRep and Content-Usage: by their documents, and with hostile text."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import parsel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posterbot.page.aipref import preferences, read_dictionary, robots_txt_signals
from posterbot.page.consent import MAX_SHOWN, Kind, Signal, header_signals, meta_signals, moment_of, read_robots
from posterbot.page.tdmrep import MAX_BYTES, matches, normal_path, read_file, rule_for, tdm_meta_signals, value_of

US = frozenset({"posterbot", "example-museum"})
URL = "https://films.example/a.jpg"


def said(value: str) -> list[str]:
    return [f"{scope}>{directive}" if scope else directive for scope, directive in read_robots(value, US)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("noindex", ["noindex"]),
        ("NOINDEX , NoAI", ["noindex", "noai"]),
        ("noindex noai;noimageai", ["noindex", "noai", "noimageai"]),
        ('"noindex, noai"', ["noindex", "noai"]),
        ("", []),
        (",,, ,:", []),
        ("all, index, follow", []),
        ("noindexed, no-ai, ai", []),
        ("nosnippet, noarchive, notranslate, indexifembedded", []),
        ("max-snippet: 0, noai", ["noai"]),
        ("max-snippet:-1, max-image-preview:large, max-video-preview:-1, noai", ["noai"]),
        ("max-something-new: 7, noai", ["noai"]),
        ("otherbot: noai", []),
        ("otherbot: noindex, noai", []),
        ("noimageai, otherbot: noai", ["noimageai"]),
        ("BadBot: noindex, noai, posterbot: noimageai", ["posterbot>noimageai"]),
        ("PosterBot/1.0: noai", ["posterbot>noai"]),
        ("example-museum: noai, noimageai", ["example-museum>noai", "example-museum>noimageai"]),
        ("*: noai", ["noai"]),
        ("otherbot: noindex, *: noai", ["noai"]),
        ("Yahoo! Slurp: noai", []),
        ("360Spider: noai", []),
        ("otherbot: max-snippet: 0, noai", []),
        ("noindex: noai", ["noindex", "noai"]),
        ("noai, noai, noai", ["noai"]),
    ],
)
def test_fields(value: str, expected: list[str]) -> None:
    assert said(value) == expected


@pytest.mark.parametrize(
    ("value", "scope", "moment", "others"),
    [
        ("unavailable_after: 25 Jun 2030 15:00:00 PST, noai", "", datetime(2030, 6, 25, 23, tzinfo=UTC), ["noai"]),
        ("unavailable_after: Wed, 03 Dec 2025 13:09:53 GMT", "", datetime(2025, 12, 3, 13, 9, 53, tzinfo=UTC), []),
        (
            "unavailable_after: Saturday, 25-Jun-30 15:00:00 PST, noindex",
            "",
            datetime(2030, 6, 25, 23, tzinfo=UTC),
            ["noindex"],
        ),
        ("unavailable_after: 2030-06-25T15:00:00+02:00", "", datetime(2030, 6, 25, 13, tzinfo=UTC), []),
        ("unavailable_after: 2030-06-25", "", datetime(2030, 6, 25, tzinfo=UTC), []),
        ("posterbot: unavailable_after: 2030-06-25, noai", "posterbot", datetime(2030, 6, 25, tzinfo=UTC), ["noai"]),
        ("unavailable_after: 3 Dec 2025 00:00:00 GMT, 360spider: noai", "", datetime(2025, 12, 3, tzinfo=UTC), []),
        ("unavailable_after: soon, noai", "", None, ["noai"]),
    ],
)
def test_values_with_colons_and_commas(value: str, scope: str, moment: datetime | None, others: list[str]) -> None:
    found = read_robots(value, US)
    assert [(of, moment_of(directive)) for of, directive in found if ":" in directive] == [(scope, moment)]
    assert [directive for _, directive in found if ":" not in directive] == others


def test_every_field_begins_anew() -> None:
    found = list(header_signals(["otherbot: noindex", "noai", "posterbot: noimageai"], US, URL))
    assert [(signal.scope, signal.directive) for signal in found] == [("", "noai"), ("posterbot", "noimageai")]


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<meta name="robots" content="noai">', ["noai"]),
        ('<META NAME=" ROBOTS " CONTENT=" NoAI ">', ["noai"]),
        ('<meta name="robots" content="noindex"><meta name="robots" content="noai">', ["noindex", "noai"]),
        ('<meta name="posterbot" content="noai">', ["noai"]),
        ('<meta name="googlebot" content="noai">', []),
        ('<meta name="robots" content="otherbot: noai">', []),
        ('<meta name="robots">', []),
        ('<meta content="noai">', []),
        ('<meta property="robots" content="noai">', []),
        ('<!-- <meta name="robots" content="noai"> -->', []),
        ('<div>broken</div><meta name="robots" content="noai">', ["noai"]),
        ("<body><p>x</p><meta name=robots content=noai></body>", ["noai"]),
        ("", []),
    ],
)
def test_tags(html: str, expected: list[str]) -> None:
    root = parsel.Selector(f"<html><head>{html}</head></html>").root
    assert [signal.directive for signal in meta_signals(root, US, URL)] == expected


def test_evidence() -> None:
    (one,) = header_signals(["noai"], US, URL)
    assert str(one) == "X-Robots-Tag: noai (https://films.example/a.jpg)"
    (of_ours,) = header_signals(["max-snippet: 0, posterbot: NOAI"], US, URL)
    assert str(of_ours) == f"X-Robots-Tag: posterbot: noai ({URL}; as written: max-snippet: 0, posterbot: NOAI)"


@given(st.sampled_from(Kind), st.text(max_size=300), st.text(), st.text(max_size=9_000), st.text(max_size=9_000))
def test_evidence_is_one_short_line_that_any_database_takes(
    kind: Kind, directive: str, scope: str, text: str, url: str
) -> None:
    shown = str(Signal(kind, directive, scope, text, url))
    assert len(shown) <= MAX_SHOWN
    assert "\0" not in shown
    assert len(shown.splitlines()) == 1
    shown.encode()


WORDS = ("noai", "NoIndex", "posterbot", "otherbot", "unavailable_after", "25 Jun 2030", "max-snippet", "0")
PIECES = st.sampled_from([*WORDS, ":", ",", ", ", " "])


@given(st.one_of(st.text(), st.lists(PIECES).map("".join)))
def test_any_field(value: str) -> None:
    for scope, directive in read_robots(value, US):
        assert scope in US | {""}
        assert directive in value.lower() or directive.startswith("unavailable_after: ")
        moment_of(directive)
    # An opt-out in front of whatever else a field says is never lost.
    assert ("", "noai") in read_robots(f"noai, {value}", US)


@given(st.text(max_size=200))
def test_any_date(text: str) -> None:
    moment = moment_of(f"unavailable_after: {text}")
    assert moment is None or moment.tzinfo is UTC


@pytest.mark.parametrize("piece", ["a:", "noai,", "unavailable_after:1,", "unavailable_after: 1, 2, ", " ", ";", "x"])
def test_long_fields_take_linear_time(piece: str) -> None:
    value = piece * (2_000_000 // len(piece))
    began = time.process_time()
    read_robots(value, US)
    assert time.process_time() - began < 5


def test_deep_pages_take_linear_time() -> None:
    html = "<html><body>" + '<div><meta name="robots" content="noai">' * 30_000
    root = parsel.Selector(html).root
    began = time.process_time()
    assert len(list(meta_signals(root, US, URL))) > 1000
    assert time.process_time() - began < 5


# --- TDMRep ---


@pytest.mark.parametrize(
    ("pattern", "url", "expected"),
    [
        ("/", "https://e.example", True),
        ("/", "https://e.example/x/y?z", True),
        ("/images/", "https://e.example/images/a.jpg", True),
        ("/images/", "https://e.example/Images/a.jpg", False),
        ("/images/", "https://e.example/image", False),
        ("/directory-b/images/*.jpg", "https://e.example/directory-b/images/1/2.jpg", True),
        ("/directory-b/images/*.jpg", "https://e.example/directory-b/images/2.png", False),
        ("/directory-b/images/*.jpg", "https://e.example/directory-b/images/2.jpg?w=3", True),
        ("/*.jpg$", "https://e.example/2.jpg?w=3", False),
        ("/*.jpg$", "https://e.example/2.jpg", True),
        ("/this/path/exactly$", "https://e.example/this/path/exactly", True),
        ("/this/path/exactly$", "https://e.example/this/path/exactly/no", False),
        ("/this/*/then", "https://e.example/this/and/then/more", True),
        ("/path/foo-%24", "https://e.example/path/foo-$", True),
        ("/a$b", "https://e.example/a$b/c", True),
        ("/%7ejoe/", "https://e.example/~joe/x", True),
        ("/~joe/", "https://e.example/%7Ejoe/x", True),
        ("/a%2fb", "https://e.example/a%2Fb", True),
        ("/a%2fb", "https://e.example/a/b", False),
        ("/plakát", "https://e.example/plak%C3%A1t.jpg", True),
        ("*", "https://e.example/", True),
        ("images/", "https://e.example/images/a.jpg", True),
        ("/a*a$", "https://e.example/a", False),
        ("/", "http://[", False),
    ],
)
def test_locations(pattern: str, url: str, expected: bool) -> None:
    rules = read_file(json.dumps([{"location": pattern, "tdm-reservation": 1}]).encode())
    assert (rule_for(rules, url) is not None) is expected


def test_the_first_match_counts() -> None:
    rules = read_file(
        b'[{"location": "/a/", "tdm-reservation": 0}, {"location": "/", "tdm-reservation": 1, "tdm-policy": "https://p"},'
        b' {"location": "/b/", "tdm-reservation": 0}]'
    )
    found = [rule_for(rules, f"https://e.example{path}") for path in ("/a/1", "/b/1")]
    assert [(rule.reservation, rule.policy) for rule in found if rule] == [("0", ""), ("1", "https://p")]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'[{"location": "/", "tdm-reservation": 1}]', ["1"]),
        (b'\xef\xbb\xbf[ {"location": "/", "tdm-reservation": 1} ]', ["1"]),
        (b'{"location": "/", "tdm-reservation": 1}', ["1"]),
        (b'[{"location": "/", "tdm-reservation": "1"}]', ["1"]),
        (b'[{"location": "/", "tdm-reservation": 1.0}]', ["1"]),
        (b'[{"location": "/", "tdm-reservation": true}]', [None]),
        (b'[{"location": "/", "tdm-reservation": 2}]', [None]),
        (b'[{"location": "/", "tdm-reservation": [1]}]', [None]),
        (b'[{"location": "/"}, {"tdm-reservation": 1}, {"location": 7, "tdm-reservation": 1}]', []),
        (b'[{"location": "/", "tdm-reservation": 1}, {"locat', ["1"]),
        (b'[{"location": "/", "tdm-reservation": 1},]', ["1"]),
        (b'[{"location": "/", "tdm-policy": 5, "tdm-reservation": 0}]', ["0"]),
        (b"<!doctype html><title>Not found</title>", []),
        (b"", []),
        (b"[", []),
        (b"null", []),
        (b"[" * 400_000, []),
        (b'[{"a":' * 100_000, []),
        (b'[{"location": "/", "tdm-reservation": ' + b"1" * 100_000 + b"}]", []),
    ],
)
def test_files(body: bytes, expected: list[str | None]) -> None:
    assert [rule.reservation for rule in read_file(body)] == expected


def test_of_a_long_file_the_start_counts() -> None:
    body = (
        b'[{"location": "/a", "tdm-reservation": 1},' + b" " * MAX_BYTES + b'{"location": "/", "tdm-reservation": 1}]'
    )
    assert [rule.location for rule in read_file(body)] == ["/a"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1", "1"), (" 0 ", "0"), ("1, 1", "1"), ("0, 1", "1"), ("0, 2", None), ("2", None), ("", None), ("yes", None)],
)
def test_values(text: str, expected: str | None) -> None:
    assert value_of(text) == expected


def test_rights_are_given_free_only_in_the_head() -> None:
    def read(html: str) -> list[str]:
        return [str(signal) for signal in tdm_meta_signals(parsel.Selector(html).root, "https://e.example/")]

    tag = '<meta name="TDM-Reservation" content="{}"><meta name="tdm-policy" content="https://p.example">'
    head, body = "<html><head>{}</head></html>", "<html><head></head><body><p>x</p>{}</body></html>"
    assert read(head.format(tag.format(0))) == ["meta tdm-reservation: 0 (https://e.example/)"]
    assert read(body.format(tag.format(0))) == []
    reserved = "meta tdm-reservation: 1 (https://e.example/; as written: 1, tdm-policy https://p.example)"
    assert read(body.format(tag.format(1))) == read(head.format(tag.format(1))) == [reserved]


NESTED = st.recursive(st.none() | st.text(), st.lists).map(json.dumps).map(str.encode)


@given(st.one_of(st.binary(), st.text().map(str.encode), NESTED))
def test_any_file(body: bytes) -> None:
    read_file(body)


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5)
RULES = st.lists(st.fixed_dictionaries({"location": JSON, "tdm-reservation": JSON, "tdm-policy": JSON}))


@given(RULES, st.text())
def test_any_rules(rules: object, url: str) -> None:
    read = read_file(json.dumps(rules).encode())
    rule_for(read, url)
    rule_for(read, f"https://e.example/{url}")


@given(st.text("ab*$%24", max_size=8), st.text("ab*$%24", max_size=8))
def test_locations_against_a_regular_expression(pattern: str, path: str) -> None:
    import re

    pattern, path = normal_path("/" + pattern), normal_path("/" + path)
    quoted = path.replace("$", "%24").replace("*", "%2A")
    parts = pattern.removesuffix("$").replace("$", "%24").split("*")
    expression = ".*".join(map(re.escape, parts)) + (r"\Z" if pattern.endswith("$") else "")
    assert matches(pattern, path) is (re.match(expression, quoted) is not None)


def test_slow_patterns_are_not() -> None:
    rules = read_file(json.dumps([{"location": "/" + "*a" * 200_000 + "b", "tdm-reservation": 1}]).encode())
    many = read_file(json.dumps([{"location": f"*a*b*{n}*", "tdm-reservation": 1} for n in range(8_000)]).encode())
    url = "https://e.example/" + "a" * 4_000
    began = time.process_time()
    assert rule_for(rules, url) is None
    assert rule_for(many, url) is None
    assert time.process_time() - began < 2


# --- AIPREF ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("train-ai=n", {"train-ai": False}),
        ("train-ai=y, search=n", {"train-ai": True, "search": False}),
        ("train-ai=n,search=y\t,\t ai-use=n", {"train-ai": False, "search": True, "ai-use": False}),
        ("  train-ai=n  ", {"train-ai": False}),
        ('train-ai=y, train-ai, search=n, search="n"', {}),
        ("train-ai;allow=n, train-ai=y", {"train-ai": True}),
        ('train-ai;has;parameters="?";', {}),
        ("train-ai=n;x=1;y", {"train-ai": False}),
        ("other=(a b;c=1 2.5);d, train-ai=n", {"train-ai": False}),
        ('other=:YWJj:, x=?0, z=@17, d=%"f%c3%bc", train-ai=n', {"train-ai": False}),
        ("train-ai=no", {}),
        ("train-ai=N", {}),
        ("TRAIN-AI=n", {}),
        ("Other=1, train-ai=n", {}),
        ("train-ai=n,", {}),
        ("train-ai=n search=y", {}),
        ("train-ai = n", {}),
        ("train-ai=n, x=(a", {}),
        ('train-ai=n, x=(ab"c")', {}),
        ("train-ai=n, ü=1", {}),
        ("", {}),
    ],
)
def test_content_usage(text: str, expected: dict[str, bool]) -> None:
    assert preferences(text, "attach-05") == expected


@given(st.one_of(st.text(), st.text('ab=n,;" ()?:@%\\1.-*')))
def test_any_dictionary(text: str) -> None:
    stated = preferences(f"{text}, train-ai=n", "attach-05")
    assert stated in ({}, preferences(text, "attach-05") | {"train-ai": False})


def test_long_dictionaries_take_linear_time() -> None:
    began = time.process_time()
    for text in ("a=" + '"\\\\' * 300_000, "a=(" + "a " * 300_000, "a;" * 300_000, "a=1, " * 300_000, " " * 1_000_000):
        read_dictionary(text)
    assert time.process_time() - began < 5


def test_rules_in_robots_txt() -> None:
    lines = (
        "Allow: /\nDisallow: /never/\nContent-Usage: / train-ai=n\ncontent-usage :\t/ai-ok/ \t train-ai=y # yes\n"
        "Content-Usage: train-ai=n\nContent-Usage: /both train-ai=y\nContent-Usage: /both train-ai=n"
    )

    def of(path: str) -> list[str]:
        return [signal.directive for signal in robots_txt_signals(lines, "attach-05", f"https://e.example{path}")]

    assert of("/test") == ["train-ai=n"]
    assert of("/ai-ok/test") == ["train-ai=y"]
    assert of("/both") == ["train-ai=y", "train-ai=n"]
    assert list(robots_txt_signals(lines, "attach-05", "http://[")) == []
