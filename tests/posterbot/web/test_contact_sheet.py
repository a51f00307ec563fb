from __future__ import annotations

import base64
import hashlib
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from page_reader import Reader
from PIL import Image as Picture
from sqlalchemy import Engine

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.recorder import Recorder
from posterbot.catalogue.records import Film, Image, Model, Outcome, Page, Policy
from posterbot.stores.local import LocalStore
from posterbot.web.contact_sheet import write_contact_sheet

POLICY = Policy(
    ("poster", "<b>cover"), 0.5, Model("web-images", "a" * 64, ("poster", "<b>cover", "photo")), "anna", "arguments"
)
HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_catalogue(f"sqlite:///{tmp_path}/catalogue.db")
    yield engine
    engine.dispose()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "images"


def drawn(store: Path, colour: tuple[int, int, int]) -> Image:
    """A stored picture of one colour."""
    buffer = io.BytesIO()
    Picture.new("RGB", (400, 600), colour).save(buffer, "PNG")
    sha256 = hashlib.sha256(buffer.getvalue()).hexdigest()
    path = f"{sha256[:2]}/{sha256[2:4]}/{sha256}.png"
    (store / path).parent.mkdir(parents=True, exist_ok=True)
    (store / path).write_bytes(buffer.getvalue())
    return Image(sha256, len(buffer.getvalue()), "PNG", 400, 600, None, path)


def record(engine: Engine, *outcomes: Outcome) -> int:
    recorder = Recorder(engine, spider="posters", arguments={}, version="1")
    for outcome in outcomes:
        recorder.outcome(outcome)
    recorder.close("finished")
    return recorder.run_id


def kept(
    image: Image, page_url: str = "https://site.example/film", films: tuple[Film, ...] = (), **facts: Any
) -> Outcome:
    given: dict[str, Any] = {
        "scores": np.array([0.9, 0.06, 0.04], "<f4"),
        "policy": POLICY,
        "keep": True,
        "verdict_reason": "relevant",
        "label": "poster",
        "score": 0.96,
    }
    page = Page(page_url, 200, "A page", films=films)
    return Outcome(page, f"https://images.example/{image.sha256[:4]}.png", "img", image=image, **given | facts)


@pytest.fixture
def sheet(engine: Engine, store: Path, tmp_path: Path) -> Callable[..., Reader]:
    def sheet(store: Path | None = store, run: int | None = None, limit: int = 300) -> Reader:
        out = tmp_path / "sheets" / "sheet.html"
        images = None if store is None else LocalStore(str(store))
        number = write_contact_sheet(engine, images, out, run, limit)
        assert [file.name for file in out.parent.iterdir()] == ["sheet.html"]
        reader = Reader(out.read_text())
        assert len(reader.all("figure")) == number
        return reader

    return sheet


def test_thumbnails_are_embedded(engine: Engine, store: Path, sheet: Callable[..., Reader]) -> None:
    record(engine, kept(drawn(store, (200, 30, 30))), kept(drawn(store, (30, 30, 200)), alt="Blue"))
    blue, red = sheet().all("img")
    for image, colour in ((blue, (30, 30, 200)), (red, (200, 30, 30))):
        head, _, data = str(image["src"]).partition(",")
        assert head == "data:image/jpeg;base64"
        with Picture.open(io.BytesIO(base64.b64decode(data))) as thumbnail:
            assert thumbnail.height <= 400
            assert np.allclose(np.asarray(thumbnail)[50, 50], colour, atol=6)
    assert blue["alt"] == "Blue"


def test_the_page_needs_nothing_from_outside(engine: Engine, store: Path, sheet: Callable[..., Reader]) -> None:
    record(engine, kept(drawn(store, (1, 2, 3))))
    page = sheet()
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.tags}
    assert [name for _, attributes in page.tags for name in attributes if name.startswith("on")] == []
    assert all(str(image["src"]).startswith("data:") for image in page.all("img"))


def test_text_from_the_web_stays_text(engine: Engine, store: Path, sheet: Callable[..., Reader]) -> None:
    film = (Film("Movie", HOSTILE),)
    page_url = "https://site.example/\"'><script>"
    record(
        engine,
        kept(drawn(store, (1, 2, 3)), alt=HOSTILE, label=HOSTILE),
        kept(drawn(store, (3, 2, 1)), page_url, film, title=HOSTILE),
        Outcome(Page("https://site.example/film"), "https://images.example/x", "img", reason=HOSTILE),
    )
    page = sheet()
    assert page.all("script") == []
    assert len(page.all("img")) == 2
    assert page.text.count("<script>alert(1)</script>") == 4
    assert page_url in [link["href"] for link in page.all("a")]
    assert "<b>cover" in page.text


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", " javascript:alert(1)", "posters.jsonl"])
def test_only_web_addresses_become_links(engine: Engine, store: Path, sheet: Callable[..., Reader], url: str) -> None:
    record(engine, kept(drawn(store, (1, 2, 3)), url))
    assert [link["href"] for link in sheet().all("a")] == [kept(drawn(store, (1, 2, 3))).url]


def test_tiles_say_what_is_known(engine: Engine, store: Path, sheet: Callable[..., Reader]) -> None:
    record(engine, kept(drawn(store, (1, 2, 3)), films=(Film("Movie", "Night Train"),), alt="Poster"))
    text = sheet().text
    for expected in ("Night Train", "poster 0.96", "400×600", "site.example"):
        assert expected in text


def test_the_head_tells_run_policy_and_reasons(engine: Engine, store: Path, sheet: Callable[..., Reader]) -> None:
    failure = Outcome(Page("https://site.example/film"), "https://images.example/x", "img", reason="timeout")
    run = record(engine, kept(drawn(store, (1, 2, 3))), failure)
    text = re.sub(r"\s+", " ", sheet(run=run).text)
    for expected in (
        "Contact sheet, run 1",
        "finished",
        "posterbot 1",
        "web-images",
        "at least 0.5",
        "Dropped: 1",
        "timeout",
    ):
        assert expected in text


@pytest.mark.parametrize(
    ("labels", "threshold", "top", "expected"),
    [
        (("poster",), 0.5, None, "Keep poster: at least 0.5."),
        (("poster",), 0.0, 5, "Keep poster: in the top 5."),
        (("poster",), 0.25, 5, "Keep poster: at least 0.25 and in the top 5."),
        (("poster", "photo"), 0.5, 5, "Keep poster photo: at least 0.5 in sum and one in the top 5."),
    ],
)
def test_the_head_says_the_rule(
    engine: Engine,
    store: Path,
    sheet: Callable[..., Reader],
    labels: tuple[str, ...],
    threshold: float,
    top: int | None,
    expected: str,
) -> None:
    rule = replace(POLICY, labels=labels, threshold=threshold, top=top)
    record(engine, kept(drawn(store, (1, 2, 3)), policy=rule))
    assert expected in sheet().text


@pytest.mark.parametrize("path", ["aa/bb/none.png", "../outside.png", "/etc/hostname", None])
def test_images_that_are_not_there_get_a_placeholder(
    engine: Engine, store: Path, tmp_path: Path, sheet: Callable[..., Reader], path: str | None
) -> None:
    Picture.new("RGB", (4, 6)).save(tmp_path / "outside.png")
    record(engine, kept(Image("a" * 64, 10, "PNG", 4, 6, None, path)))
    page = sheet()
    assert page.all("img") == []
    assert ("bytes not kept" if path is None else "file not found or not readable") in page.text


def test_damaged_files_get_a_placeholder(engine: Engine, store: Path, sheet: Callable[..., Reader]) -> None:
    image = drawn(store, (1, 2, 3))
    assert image.path is not None
    (store / image.path).write_bytes(b"no picture")
    record(engine, kept(image))
    assert "not readable" in sheet().text


def test_without_a_local_store_only_texts_are_shown(engine: Engine, store: Path, sheet: Callable[..., Reader]) -> None:
    record(engine, kept(drawn(store, (1, 2, 3))))
    page = sheet(None)
    assert page.all("img") == []
    assert "stored elsewhere" in page.text


def test_limit_and_footer(engine: Engine, store: Path, sheet: Callable[..., Reader]) -> None:
    assert "No image was kept." in sheet().text
    record(engine, kept(drawn(store, (1, 2, 3))), kept(drawn(store, (3, 2, 1))))
    assert "1 of 2 kept images" in sheet(limit=1).text
    assert "All 2 kept images" in sheet().text


def test_a_sheet_that_fails_leaves_the_old_one(engine: Engine, store: Path, tmp_path: Path) -> None:
    out = tmp_path / "sheet.html"
    out.write_text("old")
    with pytest.raises(LookupError):
        write_contact_sheet(engine, LocalStore(str(store)), out, run=9)
    assert out.read_text() == "old"
