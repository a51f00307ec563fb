"""The srcset grammar, by table and by property."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posterbot.page.srcset import MAX_SOURCES, Source, best_first, parse_srcset


@pytest.mark.parametrize(
    ("text", "sources"),
    [
        ("", []),
        (" , ,", []),
        ("a.jpg", [Source("a.jpg")]),
        ("a.jpg, b.jpg 2x", [Source("a.jpg"), Source("b.jpg", density=2)]),
        ("a.jpg 300w,b.jpg 600w", [Source("a.jpg", 300), Source("b.jpg", 600)]),
        ("\n a.jpg\t300w ,\n\n b.jpg 1.5x ,", [Source("a.jpg", 300), Source("b.jpg", density=1.5)]),
        ("a.jpg,b.jpg 2x", [Source("a.jpg,b.jpg", density=2)]),
        ("a.jpg,,,b.jpg", [Source("a.jpg,,,b.jpg")]),
        (
            "w_300,h_450/a.jpg 300w, w_600,h_900/a.jpg 600w",
            [Source("w_300,h_450/a.jpg", 300), Source("w_600,h_900/a.jpg", 600)],
        ),
        (
            "data:image/png;base64,AA,BB 1x, b.jpg 2x",
            [Source("data:image/png;base64,AA,BB", density=1), Source("b.jpg", density=2)],
        ),
        ("data:,a ( , data:,b 1x, ), data:,c", [Source("data:,c")]),
        ("a.jpg 300w 200h", [Source("a.jpg", 300)]),
        ("a.jpg 0w, b.jpg -3w, c.jpg 1.5w, d.jpg 3q, e.jpg 1w 2x, f.jpg 9w", [Source("f.jpg", 9)]),
        ("a.jpg 2x 3x, b.jpg .5x, c.jpg 1e1x", [Source("b.jpg", density=0.5), Source("c.jpg", density=10)]),
        ("a.jpg 99999999999999999w", []),
    ],
)
def test_grammar(text: str, sources: list[Source]) -> None:
    assert parse_srcset(text) == sources


def test_the_number_of_entries_is_bounded() -> None:
    assert len(parse_srcset("a.jpg 1w, " * 10_000)) == MAX_SOURCES


def test_best_is_large_but_not_absurd() -> None:
    widths = [9000, 200, 2560, 3000, 1200, 639]
    assert [source.width for source in best_first(Source("a", width) for width in widths)] == [
        2560,
        1200,
        3000,
        9000,
        639,
        200,
    ]


urls = st.text(st.characters(exclude_categories=["Cs", "Zs", "Cc"], exclude_characters=" \t\n\f\r"), min_size=1).filter(
    lambda url: not url.startswith(",") and not url.endswith(",") and not any(map(str.isspace, url))
)
sources = st.one_of(
    st.builds(Source, urls),
    st.builds(Source, urls, width=st.integers(1, 999_999_999)),
    st.builds(Source, urls, density=st.integers(1, 400).map(lambda quarter: quarter / 4)),
)


def written(source: Source) -> str:
    if source.width is not None:
        return f"{source.url} {source.width}w"
    return f"{source.url} {source.density}x" if source.density is not None else source.url


@given(st.lists(sources, max_size=8))
def test_what_is_written_is_read(expected: list[Source]) -> None:
    assert parse_srcset(", ".join(map(written, expected))) == expected


@given(st.text(st.sampled_from("a,  ()0129.wxh\n:;-")) | st.text())
def test_any_text_is_read(text: str) -> None:
    for source in best_first(parse_srcset(text)):
        assert source.url
        assert not source.url.startswith(",")
        assert not source.url.endswith(",")
