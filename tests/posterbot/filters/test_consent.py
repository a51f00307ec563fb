"""Opt-outs, from what is sent to yes or no: a table of cases, each with the document that decides it."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy.http import Headers, HtmlResponse, Response
from scrapy.settings import BaseSettings

from posterbot.filters.consent import OPT_OUTS, Decision, OptOuts
from posterbot.page.consent import Signal
from posterbot.page.tdmrep import file_signal, read_file, rule_for

NOW = datetime(2026, 11, 21, tzinfo=UTC)
PAGE, IMAGE = "https://films.example/metropolis.html", "https://cdn.example/metropolis.jpg"
GOOGLE = "Google Search Central, robots meta tag specifications: "
MDN = "MDN, X-Robots-Tag: "
MISS = "missed by the parser of img2dataset"
DEVIANT = "DeviantArt, 'All deviations are opted out', on noai and noimageai"
REPORT = "TDMRep, CG report of 10 May 2024, "
VOCAB, ATTACH = "draft-ietf-aipref-vocab-08, ", "draft-ietf-aipref-attach-05, "

Fields = list[tuple[str, str]]


@dataclass(frozen=True)
class Case:
    """What is sent with page and image; is the image used, and what is the evidence if not?"""

    source: str
    allowed: bool
    image: Fields = field(default_factory=list)
    page: Fields = field(default_factory=list)
    head: str = ""
    body: str = ""
    file: str = ""
    """Of the image's host."""
    page_file: str = ""
    evidence: str = ""
    aipref: str = ""


def robots(*values: str) -> Fields:
    return [("X-Robots-Tag", value) for value in values]


def tdm(*values: str) -> Fields:
    return [("tdm-reservation", value) for value in values]


def tag(name: str, content: str) -> str:
    return f'<meta name="{name}" content="{content}">'


def rules(*rules: tuple[str, int]) -> str:
    return json.dumps([{"location": location, "tdm-reservation": value} for location, value in rules])


NO, YES = False, True
CASES = {
    # X-Robots-Tag of the image itself
    "nothing said": Case("", YES),
    "noai": Case(DEVIANT, NO, robots("noai"), evidence=f"X-Robots-Tag: noai ({IMAGE})"),
    "noimageai": Case(DEVIANT, NO, robots("noimageai"), evidence=f"X-Robots-Tag: noimageai ({IMAGE})"),
    "noml": Case("noml.info, open letter", NO, robots("noml")),
    "noindex": Case(GOOGLE + "noindex", NO, robots("noindex")),
    "noimageindex": Case(GOOGLE + "noimageindex", NO, robots("noimageindex")),
    "none": Case(GOOGLE + "none = noindex, nofollow; " + MISS, NO, robots("none")),
    "capitals": Case(GOOGLE + "not case-sensitive", NO, robots("NOAI")),
    "field name in other capitals": Case("RFC 9110 §5.1", NO, [("x-robots-tag", "noai")]),
    "all": Case(GOOGLE + "all: no restrictions", YES, robots("all")),
    "nofollow": Case(GOOGLE + "nofollow is about links", YES, robots("nofollow")),
    "nosnippet, noarchive": Case(GOOGLE + "about the presentation of results", YES, robots("nosnippet, noarchive")),
    "max-image-preview": Case(GOOGLE + "about the size of previews", YES, robots("max-image-preview: none")),
    "unknown": Case(GOOGLE + "only known rules have an effect", YES, robots("nothumbnail")),
    "list": Case(GOOGLE + "comma-separated lists", NO, robots("nofollow, noarchive, noai")),
    "the most restrictive": Case(GOOGLE + "conflicting rules", NO, robots("all, noai")),
    "several fields": Case(GOOGLE + "several fields combined", NO, robots("noarchive", "noai")),
    "value before": Case(MISS, NO, robots("max-snippet: 0, noai")),
    "date before": Case(MISS, NO, robots("unavailable_after: 25 Jun 2030 15:00:00 PST, noai")),
    "date with a comma before": Case(
        MDN + "several headers", NO, robots("unavailable_after: Wed, 03 Dec 2031 13:09:53 GMT, noai")
    ),
    "date in the future": Case(GOOGLE + "its date", YES, robots("unavailable_after: 25 Jun 2030 15:00:00 PST")),
    "date in the past": Case(GOOGLE + "unavailable_after", NO, robots("unavailable_after: 25 Jun 2010 15:00:00 PST")),
    "no date": Case(GOOGLE + "without a valid date no effect", YES, robots("unavailable_after: soon")),
    "of another crawler": Case(MDN + "specifying user agents", YES, robots("otherbot: noai, noindex")),
    "of another crawler, then ours": Case(
        MDN + "specifying user agents, in a single header",
        NO,
        robots("BadBot: noindex, nofollow, posterbot: noai"),
        evidence=f"X-Robots-Tag: posterbot: noai ({IMAGE}; as written: BadBot: noindex, nofollow, posterbot: noai)",
    ),
    "ours in another field": Case(MDN + "specifying user agents", NO, robots("otherbot: nofollow", "posterbot: noai")),
    "ours, and a value": Case(MISS, NO, robots("posterbot: max-snippet: 0, noai")),
    "of all, and less of ours": Case(MDN + "the sum of the negative rules", NO, robots("noai", "posterbot: all")),
    "of all, before another's": Case(MDN + "syntax", NO, robots("noai, otherbot: nofollow")),
    # The page's
    "page: noai": Case(DEVIANT, NO, head=tag("robots", "noai"), evidence=f"meta robots: noai ({PAGE})"),
    "page: noimageai": Case(DEVIANT, NO, head=tag("robots", "noimageai")),
    "page: noimageindex": Case(GOOGLE + "noimageindex: images on this page", NO, head=tag("robots", "noimageindex")),
    "page: noindex": Case(GOOGLE + "noindex: this page", YES, head=tag("robots", "noindex")),
    "page: noindex, follow": Case(GOOGLE + "noindex", YES, head=tag("robots", "noindex, follow")),
    "page: none": Case(GOOGLE + "none; " + MISS, NO, head=tag("robots", "none")),
    "page: noindex, nofollow": Case(
        GOOGLE + "none = noindex, nofollow",
        NO,
        head=tag("robots", "noindex, nofollow"),
        evidence=f"meta robots: noindex ({PAGE}; as written: noindex, nofollow)",
    ),
    "page: both, in two places": Case(
        GOOGLE + "none = noindex, nofollow", NO, page=robots("noindex"), head=tag("robots", "nofollow")
    ),
    "page: nofollow": Case(GOOGLE + "nofollow: links", YES, head=tag("robots", "nofollow")),
    "page: several tags": Case(GOOGLE + "several tags", NO, head=tag("robots", "noindex") + tag("robots", "noai")),
    "page: our name": Case(GOOGLE + "the name of a crawler", NO, head=tag("PosterBot", "noai")),
    "page: another name": Case(GOOGLE + "the name of a crawler", YES, head=tag("googlebot", "noai")),
    "page: header": Case(GOOGLE + "X-Robots-Tag of a page", NO, page=robots("noai")),
    "page: in the body": Case("draft-illyes-repext says head; we read more", NO, body=tag("robots", "noai")),
    "page: date in the past": Case(GOOGLE + "as noindex", YES, head=tag("robots", "unavailable_after: 2010-01-01")),
    # TDMRep
    "tdm: header": Case(REPORT + "§ TDM Header Field", NO, tdm("1"), evidence=f"tdm-reservation: 1 ({IMAGE})"),
    "tdm: not reserved": Case(REPORT + "§ tdm-reservation", YES, tdm("0")),
    "tdm: another value": Case(REPORT + "§ tdm-reservation: protocol errors", YES, tdm("2")),
    "tdm: with a policy": Case(
        REPORT + "§ tdm-policy: a licence is still to be had",
        NO,
        [*tdm("1"), ("tdm-policy", "https://p.example/1")],
        evidence=f"tdm-reservation: 1 ({IMAGE}; as written: 1, tdm-policy https://p.example/1)",
    ),
    "tdm: file": Case(
        REPORT + "§ TDM File on the Origin Server",
        NO,
        file=rules(("/", 1)),
        evidence="tdmrep.json: 1 (https://cdn.example/.well-known/tdmrep.json; as written: location /)",
    ),
    "tdm: file, elsewhere": Case(REPORT + "§ File: no match is unset", YES, file=rules(("/private/", 1))),
    "tdm: file, first match": Case(REPORT + "§ File: the first in sequence", YES, file=rules(("/*.jpg$", 0), ("/", 1))),
    "tdm: header over file, free": Case(REPORT + "§ Processing priority", YES, tdm("0"), file=rules(("/", 1))),
    "tdm: header over file, reserved": Case(REPORT + "§ Processing priority", NO, tdm("1"), file=rules(("/", 0))),
    "tdm: error in the header, file": Case(REPORT + "§ Priority; unset", NO, tdm("yes"), file=rules(("/", 1))),
    "tdm: page": Case(REPORT + "§ TDM Metadata in HTML; the page is mined", NO, head=tag("tdm-reservation", "1")),
    "tdm: page's header": Case(REPORT + "§ TDM Header Field; the page is mined", NO, page=tdm("1")),
    "tdm: page's file": Case(REPORT + "§ File; the page is mined", NO, page_file=rules(("/*.html", 1))),
    "tdm: tag over header": Case(REPORT + "§ Priority", YES, page=tdm("1"), head=tag("tdm-reservation", "0")),
    "tdm: page free, image not": Case(REPORT + "§ HTML", NO, tdm("1"), head=tag("tdm-reservation", "0")),
    "tdm: free, but noai": Case("each signal by itself", NO, [*tdm("0"), *robots("noai")]),
    # AIPREF
    "aipref: off": Case("a draft: off unless a version is set", YES, [("Content-Usage", "train-ai=n")]),
    "aipref: train-ai=n": Case(
        ATTACH + "§2",
        NO,
        [("Content-Usage", "search=y, train-ai=n")],
        aipref="attach-05",
        evidence=f"Content-Usage: train-ai=n ({IMAGE}; as written: search=y, train-ai=n)",
    ),
    "aipref: train-ai=y": Case(VOCAB + "§6", YES, [("Content-Usage", "train-ai=y")], aipref="attach-05"),
    "aipref: search=n": Case(VOCAB + "§4.3", YES, [("Content-Usage", "search=n")], aipref="attach-05"),
    "aipref: unknown value": Case(VOCAB + "§6.5", YES, [("Content-Usage", "train-ai=no")], aipref="attach-05"),
    "aipref: two fields": Case(
        "RFC 9651 §4.2: combined; " + VOCAB + "§6.5.1: the last counts",
        NO,
        [("Content-Usage", "train-ai=y"), ("Content-Usage", "train-ai=n")],
        aipref="attach-05",
    ),
    "aipref: damaged": Case("RFC 9651 §4.2: ignored", YES, [("Content-Usage", "train-ai=n,")], aipref="attach-05"),
    "aipref: page": Case(
        ATTACH + "§2: the representation; the page is mined",
        NO,
        page=[("Content-Usage", "train-ai=n")],
        aipref="attach-05",
    ),
}


def opt_outs(**settings: object) -> OptOuts:
    return OptOuts(BaseSettings({"USER_AGENT": "posterbot/1.0 (+https://example.org)", **settings}))


def headers(fields: Fields) -> Headers:
    found = Headers()
    for name, value in fields:
        found.appendlist(name, value)
    return found


def of_file(text: str, url: str) -> Signal | None:
    site = "/".join(url.split("/")[:3])
    return file_signal(rule_for(read_file(text.encode()), url), site)


def decide(case: Case, **settings: object) -> Decision:
    ours = opt_outs(AIPREF=case.aipref, **settings)
    html = f"<!doctype html><html><head><title>x</title>{case.head}</head><body><p>x</p>{case.body}</body></html>"
    response = HtmlResponse(PAGE, headers=headers(case.page), body=html.encode(), encoding="utf-8")
    page = ours.page_signals(response, file=of_file(case.page_file, PAGE))
    image = ours.image_signals(headers(case.image), IMAGE, of_file(case.file, IMAGE))
    return ours.decide(page, image, NOW)


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    case = CASES[name]
    decision = decide(case)
    assert decision.allowed is case.allowed
    assert (decision.signal is None) is case.allowed
    if case.evidence:
        assert str(decision.signal) == case.evidence


def test_there_are_cases_enough() -> None:
    assert len(CASES) >= 40
    assert all(case.source for name, case in CASES.items() if name != "nothing said")


@pytest.mark.parametrize("name", OPT_OUTS)
def test_each_can_be_switched_off_but_not_silently(name: str, caplog: pytest.LogCaptureFixture) -> None:
    fields = {"tdm-reservation": tdm("1"), "content-usage": [("Content-Usage", "train-ai=n")]}.get(name, robots(name))
    case = Case("", False, fields, aipref="attach-05")
    with caplog.at_level(logging.WARNING):
        assert not decide(case).allowed
        assert caplog.messages == []
        others = ",".join(other for other in OPT_OUTS if other != name)
        assert decide(case, OPT_OUTS=others).allowed
    assert caplog.messages == [f"opt-outs that are NOT respected, by the setting OPT_OUTS: {name}"]


def test_wrong_settings() -> None:
    with pytest.raises(ValueError, match=r"^OPT_OUTS: 'noia' is none of noai, .*$"):
        opt_outs(OPT_OUTS="noai, noia")
    with pytest.raises(ValueError, match=r"^AIPREF: 'attach-99' is none of the drafts attach-05; empty: off$"):
        opt_outs(AIPREF="attach-99")


@pytest.mark.parametrize(
    ("content", "follows"),
    [("nofollow", False), ("none", False), ("noindex", True), ("noai", True), ("otherbot: nofollow", True), ("", True)],
)
def test_links_are_followed_unless_nofollow(content: str, follows: bool) -> None:
    ours = opt_outs()
    response = HtmlResponse(PAGE, body=tag("robots", content).encode(), encoding="utf-8")
    assert ours.follows(ours.page_signals(response)).allowed is follows


def test_pages_that_are_no_html_have_header_fields() -> None:
    ours = opt_outs()
    response = Response(PAGE, headers=headers(robots("noai")), body=tag("robots", "noimageai").encode())
    assert [str(signal) for signal in ours.page_signals(response)] == [f"X-Robots-Tag: noai ({PAGE})"]


def test_before_the_request_the_page_and_the_file_are_enough() -> None:
    ours = opt_outs()
    assert ours.decide().allowed
    signal = of_file(rules(("/", 1)), IMAGE)
    assert signal is not None
    assert ours.decide((), (signal,)) == Decision(False, signal)


TEXT = st.one_of(st.text(), st.sampled_from(["noai", "1", "0", "none", "train-ai=n", "noai, x: y", "max-snippet:1"]))
FIELDS = st.lists(
    st.tuples(st.sampled_from(["X-Robots-Tag", "tdm-reservation", "tdm-policy", "Content-Usage"]), TEXT), max_size=4
)


@given(FIELDS, FIELDS, TEXT, TEXT, st.binary())
def test_anything(image: Fields, page: Fields, head: str, file: str, html: bytes) -> None:
    """It decides, whatever was sent; and what else is said never makes a clear opt-out void."""
    case = Case("", False, image, page, tag("robots", head), file=file, aipref="attach-05")
    decision = decide(case)
    assert decision.allowed is (decision.signal is None)
    more = Case("", False, [*robots("noai"), *image], page, tag("robots", head), file=file)
    assert not decide(more).allowed
    opt_outs().page_signals(HtmlResponse(PAGE, body=html, encoding="utf-8"))
