"""Background images in CSS."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posterbot.page.css import background_images


@pytest.mark.parametrize(
    ("css", "pictures"),
    [
        ("background-image: url(a.jpg)", [["a.jpg"]]),
        ("BACKGROUND:URL( 'a b.jpg' ) no-repeat #fff", [["a b.jpg"]]),
        ('background:url("a\\"b.jpg")', [['a"b.jpg']]),
        (r"background:url(a\29 \20 b.jpg)", [["a) b.jpg"]]),
        (r"background:url('\70 .jpg')", [["p.jpg"]]),
        ("background:url(a.jpg), url('b.jpg')", [["a.jpg"], ["b.jpg"]]),
        ("background:url(data:image/png;base64,AA;BB)", [["data:image/png;base64,AA;BB"]]),
        ("background:linear-gradient(rgba(0,0,0,.5), red), url(a.jpg)", [["a.jpg"]]),
        ("/* background:url(a.jpg) */ color:red", []),
        ("background:/* url(a.jpg) */url(b.jpg)", [["b.jpg"]]),
        ("--hero: url(a.jpg)", [["a.jpg"]]),
        ("cursor:url(a.cur);list-style:url(b.png);mask-image:url(c.png);src:url(d.woff)", []),
        ("@import url(a.css); .b{background:url(b.jpg)}", [["b.jpg"]]),
        (
            "@media (min-width:1px){a:hover{background:url(a.jpg)}b{background-image:url(b.jpg)}}",
            [["a.jpg"], ["b.jpg"]],
        ),
        ("a[title='x{background:url(y.jpg)}']{color:red}", []),
        ("background:image-set('a.jpg' 1x, url(b.jpg) 2x)", [["a.jpg", "b.jpg"]]),
        ("background:-webkit-image-set(url(a.jpg) 1x), url(b.jpg)", [["a.jpg"], ["b.jpg"]]),
        ("background-image:image-set('a.avif' type('image/avif'), 'a.jpg' type('image/jpeg'))", [["a.avif", "a.jpg"]]),
        ("background:none;color:url(a.jpg)", []),
        ("background:url('a.jpg", [["a.jpg"]]),
        ("background:url(a.jpg", [["a.jpg"]]),
    ],
)
def test_backgrounds(css: str, pictures: list[list[str]]) -> None:
    assert [[source.url for source in picture] for picture in background_images(css)] == pictures


def test_resolutions() -> None:
    (picture,) = background_images("background:image-set('a' 1.5x, 'b' 2dppx, 'c' 192dpi, 'd')")
    assert [source.density for source in picture] == [1.5, 2, 2, None]


@given(st.text(st.sampled_from("url(background:-image-set')\"\\;{}/* \n9af#")) | st.text())
def test_any_text_is_read(css: str) -> None:
    background_images(css)
    background_images("background:" + css)


@pytest.mark.parametrize("piece", ['"', "'", "\\", "/*", "url(", "image-set(", "(", "a:", 'url("\\', "*", "/* *"])
def test_repetition_takes_linear_time(piece: str) -> None:
    # A scanner that goes back would not be done before the test's time is over.
    background_images("background:" + piece * 200_000)
