"""The web as it is: every bad image of one site ends as a recorded drop, and the good one beside them is judged."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Answer, Site, encode, picture
from crawling import Crawl, crawl
from test_decode import BAD, READABLE, animated, png_bomb, transparent

GOOD = encode(picture(400, 600, seed=3))
JUDGED = {"relevant", "not_relevant"}


def bad_site(site: Site) -> dict[str, set[str]]:
    """Fill the site; path → the reasons that are right for it."""
    images: dict[str, tuple[Answer, set[str]]] = {
        "/good.jpg": (Answer(GOOD, "image/jpeg"), JUDGED),
        "/html.jpg": (Answer(b"<!doctype html><title>no</title>", "image/jpeg"), {"html"}),
        "/empty.jpg": (Answer(b"", "image/jpeg"), {"empty"}),
        "/pixel.gif": (Answer(READABLE["1x1 GIF"], "image/gif"), {"too_small"}),
        "/cut.jpg": (Answer(GOOD[: len(GOOD) // 2], "image/jpeg"), {"truncated"}),
        "/cut.png": (Answer(BAD["half a PNG"][0], "image/png"), {"truncated"}),
        "/cut.webp": (Answer(BAD["half a WebP"][0], "image/webp"), {"truncated"}),
        "/cmyk.jpg": (Answer(READABLE["CMYK JPEG"], "image/jpeg"), JUDGED),
        "/deep.png": (Answer(READABLE["16-bit PNG"], "image/png"), JUDGED),
        "/palette.png": (Answer(transparent("P"), "image/png"), JUDGED),
        "/moving.gif": (Answer(animated("GIF"), "image/gif"), JUDGED),
        "/moving.webp": (Answer(animated("WEBP"), "image/webp"), JUDGED),
        "/drawing.svg": (Answer(BAD["svg"][0], "image/svg+xml"), {"unsupported_format"}),
        "/photo.avif": (Answer(READABLE["AVIF"], "image/avif"), JUDGED),
        "/photo.heic": (Answer(BAD["heic"][0], "image/heic"), {"unsupported_format"}),
        "/really-a-png.jpg": (Answer(READABLE["PNG"], "image/jpeg"), JUDGED),
        "/wrong-type.jpg": (Answer(encode(picture(seed=5)), "text/html"), JUDGED),
        "/turned.jpg": (Answer(encode(picture(seed=6)), "image/jpeg"), JUDGED),
        "/words.jpg": (Answer(b"just some words", "image/jpeg"), {"not_an_image"}),
        "/bomb.png": (Answer(png_bomb(), "image/png"), {"too_many_pixels"}),
        "/heavy.jpg": (Answer(bytes(30_000_000), "image/jpeg"), {"too_many_bytes"}),
        "/heavy-unsized.jpg": (Answer(GOOD + bytes(30_000_000), "image/jpeg", unsized=True), {"too_many_bytes"}),
        "/words-unsized.jpg": (Answer(bytes(30_000_000), "image/jpeg", unsized=True), {"not_an_image"}),
        "/to-a-page.jpg": (Answer(status=302, headers={"Location": "/about.html"}), {"html"}),
        "/to-an-image.jpg": (Answer(status=301, headers={"Location": "/good.jpg"}), JUDGED),
        "/circle.jpg": (Answer(status=302, headers={"Location": "/circle.jpg?again"}), {"redirect_loop"}),
        "/circle.jpg?again": (Answer(status=302, headers={"Location": "/circle.jpg"}), set()),
        "/to-a-file.jpg": (Answer(status=302, headers={"Location": "file:///etc/hostname"}), {"http_other", "bad_url"}),
        "/forbidden.jpg": (Answer(b"no", status=403), {"http_403"}),
        "/missing.jpg": (Answer(b"no", status=404), {"http_404"}),
        "/gone.jpg": (Answer(b"no", status=410), {"http_404"}),
        "/often.jpg": (Answer(b"no", status=429), {"http_429"}),
        "/teapot.jpg": (Answer(b"no", status=418), {"http_4xx"}),
        "/broken.jpg": (Answer(b"no", status=500), {"http_5xx"}),
        "/slow.jpg": (Answer(GOOD, "image/jpeg", delay=4), {"timeout"}),
        "/private/hidden.jpg": (Answer(GOOD, "image/jpeg"), {"robots_txt"}),
    }
    for path, (answer, _) in images.items():
        site[path] = answer
    site["/robots.txt"] = Answer(b"User-agent: *\nDisallow: /private/\n", "text/plain")
    site.page("/about.html", "<h1>About</h1>")
    site.page(
        "/", "<h1>All kinds</h1>" + "".join(f'<p><img src="{path}" alt="{path}">' for path in images if "?" not in path)
    )
    expected = {path: reasons for path, (_, reasons) in images.items() if reasons}
    expected["http://127.0.0.1:1/refused.jpg"] = {"connection_failed"}
    expected["http://no-such-host.invalid/x.jpg"] = {"no_contact"}
    site["/"].body += b"".join(b'<img src="%s">' % url.encode() for url in expected if url.startswith("http"))
    return expected


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Crawl, dict[str, set[str]]]:
    """One crawl over all of it."""
    site = Site()
    expected = bad_site(site)
    folder: Path = tmp_path_factory.mktemp("bad")
    done = crawl(folder, "-a", f"start={site.url}/", DOWNLOAD_TIMEOUT=2, RETRY_TIMES=1)
    site.close()
    return done, expected


def test_every_image_has_its_reason(finished: tuple[Crawl, dict[str, set[str]]]) -> None:
    done, expected = finished
    assert done.code == 0, done.output
    found = {
        s.url if "127.0.0.1:1/" in s.url or "invalid" in s.url else "/" + s.url.split("/", 3)[3]: s.reason
        for s in done.sightings()
    }
    wrong = {path: (found.get(path), want) for path, want in expected.items() if found.get(path) not in want}
    assert not wrong
    assert found.keys() == expected.keys()


def test_nothing_is_thrown_at_the_user(finished: tuple[Crawl, dict[str, set[str]]]) -> None:
    done, _ = finished
    assert "Traceback" not in done.output
    assert " ERROR: " not in done.output


def test_the_event_loop_stays_awake(finished: tuple[Crawl, dict[str, set[str]]]) -> None:
    done, _ = finished
    blocked = int(done.output.split("'posterbot/loop_blocked_max_ms': ")[1].split(",")[0])
    # 100 ms is the promise, measured in benchmarks/; a test machine may be busy with something else as well. What
    # this guards against, decoding the bomb on the loop, took 4.7 seconds.
    assert blocked < 1000


def test_same_bytes_under_two_addresses_are_one_image(finished: tuple[Crawl, dict[str, set[str]]]) -> None:
    done, _ = finished
    by_path = {s.url.rsplit("/", 1)[1]: s for s in done.sightings()}
    assert by_path["good.jpg"].sha256 == by_path["to-an-image.jpg"].sha256 is not None


def test_facts_are_recorded_of_what_is_dropped(finished: tuple[Crawl, dict[str, set[str]]]) -> None:
    done, _ = finished
    by_path = {s.url.rsplit("/", 1)[1]: s for s in done.sightings()}
    assert by_path["bomb.png"].width is None  # its transfer was cut off: there are no bytes to have facts of
    assert not by_path["bomb.png"].scores
    good = by_path["good.jpg"]
    assert sum(good.scores.values()) == pytest.approx(1, abs=0.02)
    assert (good.width, good.height, good.bytes, good.alt) == (400, 600, len(GOOD), "/good.jpg")
