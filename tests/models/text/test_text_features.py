"""Reading alt texts and addresses: what is kept of them, and when they say nothing."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.text.features import BUCKETS, LENGTHS, MAX_TEXT, Ngrams, is_informative, normalise, read_fields, split_url


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Fight Club (1999)", "fight club 0000"),
        ("ＦＩＬＭ　ポスター", "film ポスター"),
        ("Straße_der·Ölsardinen", "strasse der ölsardinen"),
        ("फ़िल्म पोस्टर", "फ़िल्म पोस्टर"),
        ("٢٠١٩", "0000"),
        ("\x00\ud800—", ""),
    ],
)
def test_normalise(text: str, read: str) -> None:
    import unicodedata

    assert normalise(text) == unicodedata.normalize("NFKC", read).casefold()


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://a.org/x/y/Fight%20Club.jpg", ("x/y", "Fight Club")),
        ("https://a.org/_next/image?url=%2Fposters%2Fheat.jpg&w=640", ("/posters", "heat")),
        ("https://a.org/logo.svg#top", ("", "logo.svg")),
        ("https://a.org", ("", "")),
        ("data:image/png;base64,bG9nbw==", ("", "")),
        ("http://[", ("", "")),
        ("/img/%ff%fe.png", ("/img", "��")),
    ],
)
def test_split_url(url: str, parts: tuple[str, str]) -> None:
    assert split_url(url) == parts


def test_the_host_is_not_read() -> None:
    assert read_fields("", "", "", "https://logos.example/a/b.jpg") == read_fields("", "", "", "https://x.org/a/b.jpg")


@pytest.mark.parametrize(
    ("alt", "url"),
    [
        ("", ""),
        ("", "data:image/gif;base64,R0lGODlhAQABAAAAACw="),
        ("image", "https://a.org/image1.jpg"),
        ("", "https://image.tmdb.org/t/p/w500/pVq9sD95ZHazVJxUFAiCxexgt0R.jpg"),
        ("", "https://m.media-amazon.com/images/M/MV5BMjAxMzY3NjcxNF5BMl5BanBn._V1_UX182_CR0,0,182,268_AL_.jpg"),
        ("...", "https://img3.doubanio.com/view/photo/s_ratio_poster/public/p2564556863.jpg"),
        ("1", "https://a.org/logos/ace4b187-6168-494a-922f-c2aece4d0e41.jpg"),
        ("DSC_0041", "https://a.org/icons/DSC_0041.JPG"),
    ],
)
def test_says_nothing(alt: str, url: str) -> None:
    assert not is_informative(read_fields(alt, "", "Our sponsors", url))


@pytest.mark.parametrize("alt", ["logo", "海报", "Щ", "Filmplakat"])
def test_says_something(alt: str) -> None:
    assert is_informative(read_fields(alt, "", "", ""))


@given(st.lists(st.tuples(*[st.text(max_size=30)] * 4), max_size=4))
def test_no_ngram_reaches_over_its_field(texts: list[tuple[str, str, str, str]]) -> None:
    fields = [read_fields(*each) for each in texts]
    ngrams = Ngrams(fields)
    found = [np.flatnonzero(bucket) for bucket in ngrams.buckets()]
    expected = [sum(max(len(text) + 3 - n, 0) for each in fields for text in each if text) for n in LENGTHS]
    # A real n-gram may fall into bucket 0 by chance, but hardly ever.
    assert [len(each) for each in found] == pytest.approx(expected, abs=1)
    assert ngrams.counts.sum() == sum(expected)
    assert all(bucket.max(initial=0) < BUCKETS for bucket in ngrams.buckets())


def test_long_input_is_cut_and_costs_no_more() -> None:
    monster = "%E3%81%82ﷺ a.b?c=d&" * 200_000
    start = time.process_time()
    fields = read_fields(monster, monster, monster, "https://a.org/x?" + monster)
    assert time.process_time() - start < 0.5
    assert all(len(field) <= MAX_TEXT for field in fields)
