from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import wikitextparser
from hypothesis import given, settings
from hypothesis import strategies as st

from wikidump import template
from wikidump.template import MAX_BOX, box_at, templates, without_comments
from wikidump.wikis import template_title


def any_title(text: str) -> str:
    return template_title(text, "enwiki")


def film(text: str) -> str:
    title = any_title(text)
    return title if title == "Infobox film" else ""


def parameters(text: str) -> dict[str, str]:
    """The parameters of the first box in ``text``."""
    boxes, _ = box_at(text, text.index("{{"), any_title)
    return boxes[0].parameters()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{a|x=1|y=2}}", {"x": "1", "y": "2"}),
        ("{{a\n| x = 1 \n|y=\n}}", {"x": "1", "y": ""}),
        ("{{a|one|x=y|two}}", {"1": "one", "x": "y", "2": "two"}),
        ("{{a| one |2=two}}", {"1": " one ", "2": "two"}),
        ("{{a|x={{b|c=d|e}}|y=1}}", {"x": "{{b|c=d|e}}", "y": "1"}),
        ("{{a|x=[[b|c=d]]|y=1}}", {"x": "[[b|c=d]]", "y": "1"}),
        ("{{a|[[b=c]]}}", {"1": "[[b=c]]"}),
        ("{{a|x=[[File:f.jpg|thumb|[[c|d]] {{e|f}}]]|y=1}}", {"x": "[[File:f.jpg|thumb|[[c|d]] {{e|f}}]]", "y": "1"}),
        ("{{a|x=1<!-- |z=2 -->|y=2}}", {"x": "1", "y": "2"}),
        ("{{a|x<!-- c --> = 1}}", {"x": "1"}),
        ("{{a|x=1|y=2<!-- }} never closed |z=3", {"x": "1", "y": "2"}),
        ("{{a|x=<nowiki>|}}</nowiki>|y=1}}", {"x": "<nowiki>|}}</nowiki>", "y": "1"}),
        ("{{a|x=<nowiki><!-- c --></nowiki>}}", {"x": "<nowiki><!-- c --></nowiki>"}),
        ("{{a|x=1<ref>{{cite|b=c}|d</ref>|y=2}}", {"x": "1<ref>{{cite|b=c}|d</ref>", "y": "2"}),
        ("{{a|x=1<ref name=\"r\" />|y=2<REF >|</Ref >}}", {"x": '1<ref name="r" />', "y": "2<REF >|</Ref >"}),
        ("{{a|x=1<ref>|y=2}}", {"x": "1<ref>", "y": "2"}),
        ("{{a|x=<gallery>\nA.jpg|b\n</gallery>|y=2}}", {"x": "<gallery>\nA.jpg|b\n</gallery>", "y": "2"}),
        ("{{a|x=b{{!}}c|y={{=}}}}", {"x": "b{{!}}c", "y": "{{=}}"}),
        ("{{a|x={{{1|d}}}|y=2}}", {"x": "{{{1|d}}}", "y": "2"}),
        ("{{a|x={b}|y={{c}}}}", {"x": "{b}", "y": "{{c}}"}),
        ("{{a|x=[[b|y=2}}", {"x": "[[b", "y": "2"}),
        ("{{a|x=[[b]|y=[[c|d]]}}", {"x": "[[b]", "y": "[[c|d]]"}),
        ("{{a|x=b]]|y=2}}", {"x": "b]]", "y": "2"}),
        ("{{a|x=a=b==c}}", {"x": "a=b==c"}),
        ("{{a}}", {}),
    ],
)  # fmt: skip
def test_parameters(text: str, expected: dict[str, str]) -> None:
    assert parameters(text) == expected


def test_pitfall_6_the_last_of_two_equal_names_wins_even_when_it_is_empty() -> None:
    assert parameters("{{a|image=x.jpg|image=y.jpg|b=1|b=}}") == {"image": "y.jpg", "b": ""}
    assert parameters("{{a|one|1=two}}") == {"1": "two"}


def test_pitfall_3_four_braces_close_two_templates() -> None:
    text = "{{a|x={{b|{{c}}}}|y={{d|e={{f}}}}}} rest }}}}"
    boxes, end = box_at(text, 0, any_title)
    assert boxes[0].parameters() == {"x": "{{b|{{c}}}}", "y": "{{d|e={{f}}}}"}
    assert text[end:] == " rest }}}}"


def test_pitfall_3_a_self_closing_reference_opens_nothing() -> None:
    assert parameters("{{a|x=<ref name=b/>|y=1<ref>z</ref>}}") == {"x": "<ref name=b/>", "y": "1<ref>z</ref>"}


def test_pitfall_4_a_box_that_is_never_closed_ends_at_the_next_heading() -> None:
    text = "{{Infobox film\n| image = A.jpg\n| director = [[B]]\n\n== Plot ==\n|x=y}}"
    boxes, end = box_at(text, 0, any_title)
    assert [box.closed for box in boxes] == [False]
    assert boxes[0].parameters() == {"image": "A.jpg", "director": "[[B]]"}
    assert text[end:].startswith("\n== Plot")


def test_pitfall_4_a_box_that_is_never_closed_ends_after_64_kb() -> None:
    text = "{{Infobox film| image = A.jpg| plot = " + "x " * MAX_BOX
    boxes, end = box_at(text, 0, any_title)
    assert end == MAX_BOX
    assert not boxes[0].closed
    assert boxes[0].parameters()["image"] == "A.jpg"


def test_a_box_in_a_box_that_is_never_closed_has_its_own_parameters() -> None:
    text = "{{Infobox film|image=A.jpg|module={{Infobox film|image=B.jpg|year=[[1999|y=1"
    boxes, _ = box_at(text, 0, film)
    assert [box.parameters() for box in boxes] == [
        {"image": "A.jpg", "module": "{{Infobox film|image=B.jpg|year=[[1999|y=1"},
        {"image": "B.jpg", "year": "[[1999", "y": "1"},
    ]


@pytest.mark.parametrize(
    "name",
    [
        "Infobox film", " infobox_film ", "infobox  film\n", "Infobox<!-- c --> film", "<!--c-->Infobox film<!-- d -->",
        "Template:Infobox film", "template : infobox_film", "_Infobox film_", "Infobox\u00a0film", "Infobox&nbsp;film",
        "Infobox film\u200e",
    ],
)  # fmt: skip
def test_pitfall_5_a_name_in_all_its_spellings(name: str) -> None:
    assert template_title(name, "enwiki") == "Infobox film"


@pytest.mark.parametrize(
    "name",
    ["Infobox Film", "Infobox film awards", "Infobox\nfilm", ":Infobox film", "Vorlage:Infobox film", "[[x]]", ""],
)
def test_pitfall_5_a_name_that_is_another(name: str) -> None:
    assert template_title(name, "enwiki") != "Infobox film"


def test_nesting_200_deep() -> None:
    text = "{{a|x=" * 200 + "[[b|c]]" + "|y=z}}" * 200
    found = templates(text)
    assert len(found) == 200
    assert all(each.parameters().keys() == {"x", "y"} for each in found)
    assert found[0].parameters() == {"x": "[[b|c]]", "y": "z"}


def test_nesting_100000_deep_and_never_closed_raises_nothing() -> None:
    for text in ("{{a|" * 100_000, "{{a|[[" * 100_000 + "}}" * 100_000, "{" * 200_000 + "}" * 200_000, "[[" * 100_000):
        templates(text)


def test_ten_megabytes_of_template() -> None:
    text = "{{Infobox film|image=A.jpg|plot=" + "{{b|c=d}} " * 1_000_000 + "}}"
    boxes, end = box_at(text, 0, film)
    assert boxes[0].parameters()["image"] == "A.jpg"
    assert end == MAX_BOX


# The oracle: wikitextparser, on text made by a grammar.

words = st.text("abcxyz é.,-'=", min_size=1, max_size=8).map(lambda text: text.strip("=") or "w")
names = st.sampled_from(["image", "name", "director", "x", "image size", "é"])


def _nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    arguments = st.lists(st.tuples(names, inner).map("=".join) | inner, max_size=3).map(
        lambda each: "".join(f"|{a}" for a in each)
    )
    return st.one_of(
        st.tuples(st.sampled_from(["t", "Film date", "ubl"]), arguments).map(lambda pair: "{{" + "".join(pair) + "}}"),
        words.map(lambda word: f"[[{word.replace('=', '')}]]"),
        st.tuples(words, words).map(lambda pair: f"[[{pair[0]}|{pair[1]}]]"),
        words.map(lambda word: f"<ref>{{{{cite web|title={word}|url=x}}}} [[y|z]]</ref>"),
        st.lists(inner, min_size=1, max_size=3).map(" ".join),
    )


values = st.recursive(
    words | st.sampled_from(["<!-- c|d={{ -->", "<nowiki>|{{</nowiki>", "<ref name=a/>"]), _nested, max_leaves=12
)
boxes_made = st.lists(st.tuples(names, values), min_size=1, max_size=6).map(
    lambda pairs: "{{Infobox film\n" + "".join(f"| {name} = {value}\n" for name, value in pairs) + "}}"
)


def by_oracle(text: str) -> dict[str, str]:
    box = next(each for each in wikitextparser.parse(text).templates if each.name.strip().startswith("Infobox film"))
    return {without_comments(each.name).strip(): without_comments(each.value).strip() for each in box.arguments}


@given(boxes_made, values)
@settings(max_examples=300)
def test_oracle_agrees_on_made_boxes(box: str, before: str) -> None:
    text = f"{before}\n{box}\n'''Text'''"
    boxes, end = box_at(text, len(before) + 1, film)
    assert boxes[0].closed
    assert end == len(before) + 1 + len(box)
    assert boxes[0].parameters() == by_oracle(box)


def real_boxes(real_data: Path) -> Iterator[tuple[str, str]]:
    for path in sorted((real_data / "wiki/piki-film-pages").glob("*.xml")):
        text = path.read_text().replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&amp;", "&")
        start = text.find("{{Infobox film")
        if start >= 0:
            yield path.stem, text[start:]


def test_oracle_agrees_on_real_boxes(real_data: Path) -> None:
    checked = 0
    for title, text in real_boxes(real_data):
        boxes, end = box_at(text, 0, film)
        assert boxes[0].closed, title
        assert boxes[0].parameters() == by_oracle(text[:end]), title
        checked += 1
    assert checked >= 60


pieces = st.sampled_from(
    ["{{", "}}", "{{{", "}}}", "[[", "]]", "|", "=", "\n", "<!--", "-->", "<ref>", "</ref>", "<ref", "/>", ">",
     "<nowiki>", "</nowiki>", "<gallery>", "==", "\n==", "Infobox film", "image", "a.jpg", " ", "{", "}", "[",
     "]", "<", "&lt;"]
)  # fmt: skip
noise = st.lists(pieces | st.text(max_size=3), max_size=60).map("".join)


@given(noise)
@settings(max_examples=500)
def test_noise_raises_nothing_and_gives_templates_that_are_there(text: str) -> None:
    for each in templates(text):
        assert text.startswith("{{", each.start)
        assert text.endswith("}}", 0, each.end)
        each.parameters()
    for match in re.finditer(r"\{\{", text):
        boxes, end = box_at(text, match.start(), any_title)
        assert match.start() < end <= len(text)
        for each in boxes:
            assert match.start() <= each.start < each.end <= end
            assert all(value in text or "<!--" in text for value in each.parameters().values())


@given(st.data())
@settings(max_examples=40)
def test_real_boxes_with_pieces_lost_or_added_raise_nothing(real_data: Path, data: st.DataObject) -> None:
    boxes = list(real_boxes(real_data))
    _, text = data.draw(st.sampled_from(boxes[:20]))
    text = text[:6000]
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + data.draw(pieces) + text[at + data.draw(st.integers(0, 20)) :]
    for each in templates(text):
        each.parameters()
    if text.startswith("{{"):
        for each in box_at(text, 0, film)[0]:
            each.parameters()


class _Counting:
    """A pattern that counts the characters it has passed."""

    passed = 0

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._pattern = pattern

    def search(self, text: str, start: int = 0, end: int | None = None) -> re.Match[str] | None:
        end = len(text) if end is None else end
        match = self._pattern.search(text, start, end)
        _Counting.passed += 1 + (match.end() if match else end) - start
        return match


class _CountingText(str):
    """A text that counts the characters it was searched through."""

    def find(self, sub: str, *where: int) -> int:  # type: ignore[override]
        at = super().find(sub, *where)
        start, end = where
        _Counting.passed += 1 + (at if at >= 0 else end) - start
        return at


SHAPES = [
    "{{a|", "}}", "{{a}}", "{{a|x=[[b", "[[", "{", "<ref ", "{{a|<ref>", "{{a|<ref/>", "{{a|<!--", "|=",
    "{{a|b=<nowiki>", "{{a|b}}<ref>c</ref>", "{{{{a}}", "]]}}{{[[", "<pre><ref><math>", "\n==", "<ref>{{a|b</ref>",
    "<gallery\n", "<!-- -->",
]  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_work_grows_linearly(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template, "_token", _Counting(template._token))
    monkeypatch.setattr(template, "_closing", {tag: _Counting(each) for tag, each in template._closing.items()})

    def work(times: int) -> int:
        _Counting.passed = 0
        templates(_CountingText("{{a|" + shape * times))
        return _Counting.passed

    small, large = work(500), work(2000)
    assert large <= 4.2 * small + 100
    assert large <= 12 * (2000 * len(shape) + 4)
