from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import encode, picture
from hypothesis import given, settings
from hypothesis import strategies as st
from page_reader import Reader

from posterbot.similarity.similar import Answer, Answers, Known
from posterbot.stores.local import LocalStore
from posterbot.web.similar_page import write_similar_page


def known(number: int, **facts: object) -> Known:
    given: dict[str, object] = {
        "sha256": f"{number:064x}",
        "verdict": "kept",
        "title": "Metropolis",
        "year": 1927,
        "host": "images.example",
        "url": "https://images.example/a.jpg",
        "alt": "a poster",
        "width": 600,
        "height": 900,
        "path": None,
    }
    return Known(**given | facts)  # type: ignore[arg-type]


def page_of(folder: Path, answers: Answers, store: LocalStore | None = None) -> Reader:
    write_similar_page(answers, store, folder / "page.html")
    return Reader((folder / "page.html").read_text(encoding="utf-8"))


def test_shows_the_picture_and_its_neighbours(tmp_path: Path) -> None:
    store = LocalStore(str(tmp_path / "images"))
    store.put_if_absent("aa/a.jpg", encode(picture(60, 90)))
    store.put_if_absent("aa/broken.jpg", b"not a picture")
    near = [
        Answer(1, 0.98765, known(1, path="aa/a.jpg")),
        Answer(2, 0.9, known(2, verdict="dropped")),
        Answer(3, 0.8, known(3, path="aa/broken.jpg", title=None)),
        Answer(4, 0.7, known(4, path="aa/gone.jpg", title=None, alt=None)),
        Answer(5, 0.6, known(5, title=None, alt=None, url=None, host=None, verdict=None)),
    ]
    read = page_of(tmp_path, Answers("f" * 64, None, encode(picture(60, 90)), "web-images", 7, tuple(near)), store)
    assert [image["src"][:22] for image in read.all("img")] == ["data:image/jpeg;base64"] * 2  # type: ignore[index]
    assert [one["id"] for one in read.all("figure")] == [f"{number:064x}" for number in range(1, 6)]
    assert "dropped" in (read.all("figure")[1].get("class") or "")
    for text in ("0.988", "Metropolis (1927)", "bytes not kept", "file not found or not readable", "a poster", "a.jpg"):
        assert text in read.text
    assert "nearest of 7 images" in read.text
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    read = page_of(tmp_path, Answers("f" * 64, known(9, path="aa/a.jpg"), None, "web-images", 1, ()), store)
    assert len(read.all("img")) == 1
    assert "No other image" in read.text


HOSTILE = st.text(st.characters(codec=None), max_size=60) | st.sampled_from(
    ['"><script>alert(1)</script>', "' onload='x", "\ud800", "\0", "]]>", "a" * 20_000, "javascript:alert(1)"]
)


@settings(max_examples=40)
@given(title=HOSTILE, alt=HOSTILE, url=HOSTILE, host=HOSTILE)
def test_nothing_of_the_web_gets_out_of_its_place(
    title: str, alt: str, url: str, host: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    of = known(1, title=title, alt=alt, url=url, host=host)
    folder = tmp_path_factory.getbasetemp()
    read = page_of(folder, Answers("f" * 64, of, None, "m", 2, (Answer(1, 0.5, of),)))
    plain = page_of(folder, Answers("f" * 64, known(1), None, "m", 2, (Answer(1, 0.5, known(1)),)))
    assert [tag for tag, _ in read.tags if tag != "a"] == [tag for tag, _ in plain.tags if tag != "a"]
    assert all(re.match("https?://", link["href"] or "", re.IGNORECASE) for link in read.all("a"))
    assert not [name for _, attributes in read.tags for name in attributes if name.startswith("on")]
    assert len(read.text) < len(plain.text) + 2000 + len(host) * 4
