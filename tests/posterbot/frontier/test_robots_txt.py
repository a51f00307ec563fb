"""What a robots.txt asks of us, whatever bytes it is made of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protego import Protego

from posterbot.frontier.robots_txt import MAX_BYTES, delay_of, parse, product_tokens, rules_for

US = frozenset({"posterbot"})


def allowed(body: bytes, path: str, names: frozenset[str] = US) -> bool:
    return parse(rules_for(names, body)).can_fetch(f"https://example.org{path}", "*")


def delay(body: bytes) -> float | None:
    return delay_of(parse(rules_for(US, body)))


@pytest.mark.parametrize(
    ("user_agent", "names"),
    [
        ("posterbot/0.3.0 (+me@example.org)", {"posterbot"}),
        ("posterbot/0.3.0 (+https://example.org/bot)", {"posterbot"}),  # not "bot", not "example"
        ("Mozilla/5.0 (compatible; Foobot/1.0; +http://foo.example/bot)", {"mozilla", "compatible", "foobot"}),
        ("PosterBot", {"posterbot"}),
        ("360spider", {"360spider"}),
        ("", set()),
    ],
)
def test_our_names(user_agent: str, names: set[str]) -> None:
    assert product_tokens(user_agent) == names


@pytest.mark.parametrize(
    ("body", "path", "expected"),
    [
        # the examples of RFC 9309 §5 and its rules on groups
        (b"User-Agent: *\nDisallow: *.gif$\nDisallow: /example/\nAllow: /publications/", "/a.gif", False),
        (b"User-Agent: *\nDisallow: *.gif$\nDisallow: /example/\nAllow: /publications/", "/a.gif?x", True),
        (b"User-Agent: posterbot\nDisallow: /a\n\nUser-Agent: *\nDisallow: /b", "/a", False),
        (b"User-Agent: posterbot\nDisallow: /a\n\nUser-Agent: *\nDisallow: /b", "/b", True),
        (b"User-Agent: posterbot\nDisallow:\n\nUser-Agent: *\nDisallow: /", "/b", True),
        (b"User-Agent: posterbot\nUser-Agent: other\n\nDisallow: /a", "/a", False),
        (
            b"User-Agent: posterbot\nDisallow: /a\nUser-Agent: x\nDisallow: /b\nUser-agent: Posterbot\nDisallow: /c",
            "/c",
            0,
        ),
        (
            b"User-Agent: posterbot\nDisallow: /a\nUser-Agent: x\nDisallow: /b\nUser-agent: Posterbot\nDisallow: /c",
            "/b",
            1,
        ),
        (b"User-Agent: posterbot\nSitemap: /s\nUser-Agent: x\nDisallow: /b", "/b", False),
        (b"User-Agent: posterbot-images\nDisallow: /", "/a", True),
        (b"User-Agent: bot\nDisallow: /", "/a", True),
        (b"User-agent: posterbot/1.0\nDisallow: /", "/a", False),
        (b"User-agent: x\nDisallow: /a\nUser-agent:\nDisallow: /b", "/b", True),
        (b"Disallow: /a", "/a", True),
        (b"User-agent: *\nDisallow: /\nAllow: /film", "/film/1", True),
        (b"User-agent: *\nDisallow: /\nAllow: /film", "/news", False),
        (b"User-agent: *\nDisallow: /", "/robots.txt", True),
        # odd bytes
        (b"\xef\xbb\xbfUser-agent: *\r\nDisallow: /a\r\n", "/a", False),
        (b"User-agent: *\rDisallow: /a\rDisallow: /b", "/b", False),
        ("User-agent: *\nDisallow: /a".encode("utf-16"), "/a", False),
        ("\ufeffUser-agent: *\nDisallow: /a".encode("utf-16-be"), "/a", False),
        ("User-agent: *\nDisallow: /a".encode("utf-16-le"), "/a", False),
        ("User-agent: *\nDisallow: /café/".encode(), "/caf%C3%A9/x", False),
        ("User-agent: *\nDisallow: /café/".encode("latin-1"), "/caf%E9/x", False),
        ("User-agent: *\nDisallow: /café/".encode("latin-1"), "/cafx", True),
        (b"USER AGENT *\ndissalow /a # typed in a hurry", "/a", False),
        (b"\0\0\0\xff\xfe\xff", "/a", True),
        (b"", "/a", True),
        # a page in its place
        (b"<!doctype html><title>Allow: me</title>\n<p>User-agent: *</p>\n<p>Disallow: /</p>", "/a", True),
    ],
)
def test_what_is_allowed(body: bytes, path: str, expected: bool) -> None:
    assert allowed(body, path) is bool(expected)


def test_the_longest_name_counts() -> None:
    body = b"User-agent: foobot\nDisallow: /a\nUser-agent: mozilla\nDisallow: /b\nUser-agent: *\nDisallow: /c"
    names = frozenset({"mozilla", "foobot"})
    assert [allowed(body, path, names) for path in ("/a", "/b", "/c")] == [True, False, True]


@pytest.mark.parametrize(
    ("lines", "seconds"),
    [
        (b"Crawl-delay: 10", 10),
        (b"crawl delay 2.5", 2.5),
        (b"Crawl-delay: 0", 0),
        (b"Crawl-delay: 86400", 300),
        (b"Crawl-delay: soon", None),
        (b"Crawl-delay: -5", None),
        (b"Crawl-delay: nan", None),
        (b"Crawl-delay: inf", None),
        (b"Crawl-delay: 1e400", None),
        (b"Crawl-delay:", None),
        (b"Disallow: /x", None),
        (b"Request-rate: 1/5", 5),
        (b"Request-rate: 30/1m 0400-0845", 2),
        (b"Request-rate: 1/0", None),
        (b"Request-rate: 1/9d", 300),
        (b"Request-rate: 1/5\nCrawl-delay: 3", 5),
        (b"Request-rate: 1/5\nCrawl-delay: 30", 30),
        (b"Disallow: /\nUser-agent: googlebot\nCrawl-delay: 7", None),
    ],
)
def test_delay(lines: bytes, seconds: float | None) -> None:
    assert delay(b"User-agent: *\n" + lines) == seconds


def test_the_delay_of_our_group_counts() -> None:
    assert delay(b"User-agent: *\nCrawl-delay: 10\nUser-agent: posterbot\nCrawl-delay: 1") == 1


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_of_a_long_file_the_start_counts_up_to_the_last_whole_line(end: bytes) -> None:
    head = b"User-agent: *" + end + b"Disallow: /first" + end
    cut = b"Disallow: /public/but/not/this"
    filler = b"#" * (MAX_BYTES - len(head) - len(end) - len(b"Disallow: /public")) + end
    body = head + filler + cut + end + b"Disallow: /last" + end
    assert not allowed(body, "/first")
    assert allowed(body, "/public/and/fine")
    assert allowed(body, "/last")


def test_a_line_that_never_ends_is_no_rule() -> None:
    assert allowed(b"User-agent: *" + b"\t" * MAX_BYTES + b"\nDisallow: /", "/")


def test_many_agents_with_many_rules_are_no_work() -> None:
    """Protego alone takes hours and all memory for these."""
    agents = b"".join(b"User-agent: a%d\n" % n for n in range(14_000)) + b"User-agent: *\n"
    rules = b"".join(b"Disallow: /%d\n" % n for n in range(14_000))
    assert len(agents + rules) < MAX_BYTES
    assert not allowed(agents + rules, "/13999")
    assert not allowed(b"User-agent: *\n" * 15_000 + rules, "/13999")


@pytest.mark.parametrize(
    "rule",
    [b"/" + b"a*" * 50_000, b"/*" * 50_000 + b"$", b"$" * 100_000, b"%" * 100_000, b"0" * 100_000, b" " * 100_000],
)
def test_hostile_rules_end(rule: bytes) -> None:
    allowed(b"User-agent: *\nDisallow: " + rule, "/" + "a" * 5000)
    allowed(b"User-agent: " + rule + b"\nDisallow: /", "/a")
    assert delay(b"User-agent: *\nCrawl-delay: " + rule + b"\nRequest-rate: " + rule + b"/" + rule) in {None, 0, 300}


fields = [b"User-agent:", b"Disallow:", b"Allow:", b"Crawl-delay:", b"Request-rate:", b"Sitemap:"]
values = [b"*", b"$", b"#", b"%", b"/a", b"1/2", b"posterbot", b" "]
odd = [b"\n", b"\r", b"\0", b"\x85", b"\xff\xfe", b"\xef\xbb\xbf", b"\xe9", b"\xed\xa0\x80"]
pieces = st.sampled_from(fields + values + odd)


@given(st.one_of(st.binary(), st.lists(st.one_of(pieces, st.binary(max_size=4))).map(b"".join)))
def test_any_bytes_will_do(body: bytes) -> None:
    rules = rules_for(US, body)
    parser = parse(rules)
    parser.can_fetch("https://example.org/a", "*")
    assert (seconds := delay_of(parser)) is None or 0 <= seconds <= 300
    assert rules_for(frozenset(), b"User-agent: *\n" + rules) == rules  # nothing else in it


agents = st.sampled_from(["posterbot", "PosterBot", "*", "other", "posterbot-images", "bot"])
rules = st.tuples(st.sampled_from(["Allow", "Disallow"]), st.text("/ab*$.", min_size=1, max_size=5).map("/".__add__))
groups = st.tuples(st.lists(agents, min_size=1, max_size=3), st.lists(rules, min_size=1, max_size=4))


@given(st.lists(groups, max_size=5), st.text("/ab.", max_size=6).map("/".__add__))
def test_protego_finds_the_same_in_the_whole_file(
    found: list[tuple[list[str], list[tuple[str, str]]]], path: str
) -> None:
    lines = []
    for names, rules in found:
        lines += [f"User-agent: {name}" for name in names] + [f"{field}: {value}" for field, value in rules]
    text = "\n".join(lines)
    assert allowed(text.encode(), path) == Protego.parse(text).can_fetch(f"https://example.org{path}", "posterbot")
