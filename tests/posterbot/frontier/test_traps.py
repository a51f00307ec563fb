"""What a URL alone tells: which visitor it was made for, which kind of page it leads to, whether it is hopeless."""

from __future__ import annotations

import hashlib
from itertools import islice, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posterbot.frontier.traps import (
    MAX_LENGTH,
    MAX_PATTERN,
    MAX_PATTERN_SEGMENTS,
    URL_REPEATS,
    URL_TOO_LONG,
    URL_TOO_MANY_PARAMETERS,
    clean_url,
    pattern,
    refusal,
)

SITE = "https://www.example.org"
HEX = hashlib.md5(b"a visitor").hexdigest()

PIECES = """
    / // ? & ; = # ( ) . _ - % : %3F {n} {date} {text} … film 2024 05 17 tt0133093 The_Matrix utm_source sid s ref_ amp;
    ;jsessionid= phpsessid= /(S(lit3py55t21z5v55vlm25s55))/ https:// [ %5B0%5D .html Special: page-2 é ٣ ²
"""
pieces = st.sampled_from([HEX, *PIECES.split()])
any_url = st.one_of(
    st.text(),
    st.lists(st.one_of(pieces, st.text(max_size=3)), max_size=30).map(lambda some: SITE + "/" + "".join(some)),
)


@pytest.mark.parametrize(
    ("url", "cleaned"),
    [
        # session ids
        ("/film;jsessionid=0A1B2C.node1", "/film"),
        ("/film;jsessionid=0A1B2C?id=5", "/film?id=5"),
        ("/film;JSESSIONID=0A1B2C;v=2/cast", "/film;v=2/cast"),
        ("/a;jsessionid=1/b;jsessionid=2/c", "/a/b/c"),
        ("/film.do?id=5;jsessionid=0A1B2C&x=1", "/film.do?id=5&x=1"),
        ("/index.php?PHPSESSID=tq1k3e8p2o5&page=2", "/index.php?page=2"),
        ("/?jsessionid=1", "/"),
        ("/default.asp?ASPSESSIONIDQQBTRCSA=MLKPHBCB&id=3", "/default.asp?id=3"),
        ("/(S(lit3py55t21z5v55vlm25s55))/films.aspx", "/films.aspx"),
        ("/app/(X(1)S(lit3py55t21z5v55vlm25s55))/films.aspx?id=1", "/app/films.aspx?id=1"),
        ("/(A(0T3LkdYqygEk)F(4nKnR2WxDq))/(S(lit3py55t21z5v55vlm25s55))/a.aspx", "/a.aspx"),
        ("/film.cfm?id=3&CFID=12345&CFTOKEN=87654321", "/film.cfm?id=3"),
        (f"/viewtopic.php?f=3&t=57&sid={HEX}", "/viewtopic.php?f=3&t=57"),
        (f"/showthread.php?s={HEX}&t=57", "/showthread.php?t=57"),
        ("/shop?sessionid=9f8b1c2d-1a2b-3c4d-5e6f-778899aabbcc", "/shop"),
        ("/shop/lamp.html?osCsid=k1jq9f8b1c2d1a2b3c4d", "/shop/lamp.html"),
        ("/shop/?___SID=U", "/shop/"),
        # campaigns
        ("/film?utm_source=mail&utm_medium=x&id=5&utm_content=", "/film?id=5"),
        ("/film?UTM_Source=mail", "/film"),
        ("/film?id=5&amp;utm_source=mail", "/film?id=5"),
        ("/film?fbclid=IwAR0&gclid=x&msclkid=y", "/film"),
        ("/title/tt0133093/?ref_=nv_sr_1&pf_rd_p=9", "/title/tt0133093/"),
        ("/film?fbclid=IwAR0#cast", "/film#cast"),
        # what only looks like them
        ("/?s=the+matrix", None),
        ("/?s=matrix", None),
        ("/serie?s=2&e=3", None),
        ("/school?sid=42", None),
        ("/log?session=monday", None),
        ("/film?ref=imdb&id=5", None),
        ("/film?xutm_source=1", None),
        ("/wiki/The_Matrix_(film)", None),
        ("/wiki/(S(hort))/x", None),
        ("/film;v=1", None),
        ("/x?a=%2f%2F&b=%zz&c=+&&d&=e?f=?", None),
        ("/x?a[]=1&a%5b%5d=2", None),
        ("/?", None),
        ("/#?utm_source=x", None),
        ("", None),
    ],
)
def test_clean_url(url: str, cleaned: str | None) -> None:
    assert clean_url(SITE + url) == SITE + (url if cleaned is None else cleaned)


@given(any_url)
def test_cleaning_twice_changes_nothing(url: str) -> None:
    cleaned = clean_url(url)
    assert clean_url(cleaned) == cleaned
    assert len(cleaned) <= len(url)


@given(st.text("/ab%=&?.2F").map((SITE + "/").__add__))
def test_what_is_no_noise_stays_byte_for_byte(url: str) -> None:
    assert clean_url(url) == url


@pytest.mark.parametrize(
    ("url", "template"),
    [
        ("", "/"),
        ("/", "/"),
        ("/?page=2", "/?"),
        # films
        ("/film/the-matrix/", "/film/{text}"),
        ("/film/12-monkeys", "/film/{text}"),
        ("/film/Heat", "/film/{text}"),
        ("/film/am%C3%A9lie", "/film/{text}"),
        ("/film/mr.robot", "/film/{text}"),
        ("/film/antidisestablishmentarianism", "/film/{text}"),
        ("/film/the-matrix/cast/", "/film/{text}/cast"),
        ("/movie/603-the-matrix", "/movie/{text}"),
        ("/movie/603", "/movie/{n}"),
        ("/tv/1399-game-of-thrones/season/8", "/tv/{text}/season/{n}"),
        ("/title/tt0133093/", "/title/tt{n}"),
        ("/name/nm0000206/bio", "/name/nm{n}/bio"),
        ("/m/matrix_reloaded", "/m/{text}"),
        ("/films/2024/", "/films/{n}"),
        ("/films/the-matrix.html", "/films/{text}.html"),
        ("/films/603.html", "/films/{n}.html"),
        ("/Movies/Details/5", "/{text}/{text}/{n}"),
        # wikis
        ("/wiki/The_Matrix", "/wiki/{text}"),
        ("/wiki/Alien:_Covenant", "/wiki/{text}"),
        ("/wiki/Special:RecentChanges", "/wiki/Special:{text}"),
        ("/wiki/Special:Search/Heat", "/wiki/Special:{text}/{text}"),
        ("/wiki/User_talk:Bob", "/wiki/User_talk:{text}"),
        ("/wiki/File:Poster.jpg", "/wiki/File:{text}"),
        ("/w/index.php?title=The_Matrix&action=history", "/w/index.php?"),
        ("/wiki/Q83495", "/wiki/Q{n}"),
        # boards, shops and other engines
        ("/viewtopic.php?f=3&t=57", "/viewtopic.php?"),
        ("/showthread.php/57-the-matrix", "/showthread.php/{text}"),
        ("/node/57", "/node/{n}"),
        ("/search?f%5B0%5D=genre%3A5&f%5B1%5D=year%3A1999", "/search?"),
        ("/wp-content/index.php", "/{text}/index.php"),
        ("/Default.ASPX?id=3", "/{text}.ASPX?"),
        ("/(S(lit3py55t21z5v55vlm25s55))/films.aspx", "/{text}/films.aspx"),
        # pages of lists
        ("/page/2/", "/page/{n}"),
        ("/films/page-2", "/films/page-{n}"),
        ("/films/page2", "/films/page{n}"),
        ("/films?page=2", "/films?"),
        # dates
        ("/2024/05/17/", "/{date}"),
        ("/2024/05", "/{date}"),
        ("/2024/may/17", "/{date}"),
        ("/2024/5/1/the-matrix", "/{date}/{text}"),
        ("/events/2024-05-17", "/events/{date}"),
        ("/events/2024-05-17T10:00", "/events/{date}"),
        ("/events/2024-05", "/events/{date}"),
        ("/events/17.05.2024", "/events/{date}"),
        ("/events/2024_05_17.html", "/events/{date}.html"),
        ("/events/20240517", "/events/{n}"),
        ("/events/2024", "/events/{n}"),
        ("/films/2001/5-fingers", "/films/{n}/{text}"),
        ("/films/2001/13/5", "/films/{n}/{n}/{n}"),
        # ids
        (f"/item/{HEX}", "/item/{text}"),
        ("/item/9f8b1c2d-1a2b-3c4d-5e6f-778899aabbcc/cast", "/item/{text}/cast"),
        ("/item/deadbeef", "/item/{text}"),
        ("/item/qxkzvbt", "/item/{text}"),
        ("/item/ab123456", "/item/{text}"),
        ("/watch/dQw4w9WgXcQ", "/watch/{text}"),
        # long ones
        ("/a/b/c/d/e/f/g/h", "/a/b/c/d/e/f/g/h"),
        ("/a/b/c/d/e/f/g/h/i/j?x", "/a/b/c/d/e/f/g/h/…?"),
        ("//a///b", "//a///b"),
    ],
)
def test_pattern(url: str, template: str) -> None:
    assert pattern(SITE + url) == template


def test_pattern_is_of_the_path_alone() -> None:
    assert pattern("http://example.org:8080/film/5#cast") == pattern("https://user@[::1]/film/7/") == "/film/{n}"
    assert pattern("https://example.org") == pattern("https://example.org/") == "/"
    assert pattern("https://example.org?q=https://x/y") == "/?"


@given(any_url)
def test_patterns_are_short(url: str) -> None:
    template = pattern(url)
    assert 1 <= len(template) <= MAX_PATTERN
    assert template.startswith("/")
    assert template.count("/") <= MAX_PATTERN_SEGMENTS + 1


def test_long_patterns_are_cut() -> None:
    template = pattern(SITE + "/Abcdefghijklmno_talk:x.action" * 8 + "?a")
    assert len(template) == MAX_PATTERN
    assert template.endswith("/…?")


FOLDERS = [
    ["/calendar/{y}", "/calendar/{y}/{m:02}", "/calendar/{y}/{m:02}/{d:02}"],
    ["/events/day.listevents/{y}/{m}/{d}/-"],
    ["/calendar?year={y}&month={m}&day={d}"],
    ["/calendar.php?do=getinfo&day={y}-{m}-{d}", "/calendar.php"],
    ["/archive/{y}-{m:02}-{d:02}.html", "/archive/{y}-{m:02}.html"],
]


@pytest.mark.parametrize("forms", FOLDERS)
def test_a_calendar_has_few_patterns(forms: list[str]) -> None:
    days = islice(product(range(1990, 2026), range(1, 13), range(1, 29)), 10_000)
    assert len({pattern(SITE + form.format(y=y, m=m, d=d)) for y, m, d in days for form in forms}) <= 3


def test_a_facet_search_has_few_patterns() -> None:
    facets = product(["", "genre=5", "genre=7&genre=8"], range(20), range(20), ["asc", "desc"], range(5))
    urls = {f"{SITE}/films/search?{genre}&year={y}&land[]={c}&sort={s}&p={p}" for genre, y, c, s, p in facets}
    assert len(urls) >= 10_000
    assert len({pattern(url) for url in urls}) <= 3


@pytest.mark.parametrize("form", ["/page/{}/", "/films?page={}", "/films/page-{}", "/films/{}.html", "/films/p{}/all"])
def test_endless_pages_have_few_patterns(form: str) -> None:
    assert len({pattern(SITE + form.format(n)) for n in range(1, 10_001)}) <= 3


@pytest.mark.parametrize(
    "form",
    [
        "/film;jsessionid={}",
        "/(S({:.24}))/film.aspx",
        "/s/{}/film",
        "/film?sid={}",
        "/s/{:.8}/film",
        "/s/{:.12}",
    ],
)
def test_a_site_of_sessions_has_few_patterns(form: str) -> None:
    ids = [hashlib.md5(b"%d" % n).hexdigest() for n in range(10_000)]
    assert len({pattern(SITE + form.format(id)) for id in ids}) <= 3


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", None),
        ("/", None),
        ("/film/the-matrix?page=2", None),
        ("/" + "a" * (MAX_LENGTH - len(SITE) - 1), None),
        ("/" + "a" * (MAX_LENGTH - len(SITE)), URL_TOO_LONG),
        ("/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/", None),
        ("/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16", URL_REPEATS),
        ("/2011/11/11/11", None),
        ("/a/x/a/y/a/z", None),
        ("/a/x/a/y/a/z/a", URL_REPEATS),
        ("/en/a/b/a/b/film", None),
        ("/en/a/b/a/b/a/b/film", URL_REPEATS),
        ("/a/b/c/a/b/c/a/b/d", None),
        ("/en/a/b/c/a/b/c/a/b/c", URL_REPEATS),
        ("/web/2020/http://example.org/film", None),
        ("/a//b//c//d", None),
        ("/a//b//c//d//e", URL_REPEATS),
        ("/?" + "&".join(f"{name}=1" for name in "abcdefghijkl"), None),
        ("/?" + "&".join(f"{name}=1" for name in "abcdefghijklm"), URL_TOO_MANY_PARAMETERS),
        ("/?" + "&".join(["a=1"] * 5), None),
        ("/?" + "&".join(["a=1"] * 6), URL_TOO_MANY_PARAMETERS),
        ("/search?" + "&".join(f"f%5B{n}%5D=genre%3A{n}" for n in range(5)), None),
        ("/search?" + "&".join(f"f%5B{n}%5D=genre%3A{n}" for n in range(6)), URL_TOO_MANY_PARAMETERS),
        ("/search?" + "&".join(f"f[{n}]=genre" for n in range(6)), URL_TOO_MANY_PARAMETERS),
        ("/search?q=a/a/a/a/a/a", None),
    ],
)
def test_refusal(url: str, reason: str | None) -> None:
    assert refusal(SITE + url) == reason


@given(any_url)
def test_any_text_is_refused_or_not(url: str) -> None:
    reason = refusal(url)
    assert reason in {None, URL_TOO_LONG, URL_REPEATS, URL_TOO_MANY_PARAMETERS}
    if len(url) > MAX_LENGTH:
        assert reason == URL_TOO_LONG


@pytest.mark.parametrize("piece", ["a/", ".do", "&a", "%", ";jsessionid=", "/(S(", "0-", "/2024/05", "[", "page"])
def test_long_text_does_no_harm(piece: str) -> None:
    url = SITE + "/" + piece * 20_000
    assert len(pattern(url)) <= MAX_PATTERN
    assert refusal(url) == URL_TOO_LONG
    assert clean_url(clean_url(url)) == clean_url(url)
