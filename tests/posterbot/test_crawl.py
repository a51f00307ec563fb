"""``scrapy crawl posters`` from end to end, as a person runs it."""

from __future__ import annotations

import json
import resource
import shutil
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest
from conftest import Site, encode, picture
from crawling import ROOT, Crawl, command, crawl, environment

from models.registry import WEIGHTS
from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.queries import funnel


def everything_wanted() -> str:
    """A value for ``labels`` under which any picture is kept: all labels of the shipped model."""
    return "labels=" + ",".join((WEIGHTS / "web-images" / "labels.txt").read_text().split())


def film_site(site: Site, films: int = 6) -> None:
    """A list of films, a page for each, an image on each, and one image on all of them."""
    logo = encode(picture(200, 200, seed=99), "PNG")
    site.image("/logo.png", logo, "image/png")
    for n in range(films):
        site.image(f"/posters/{n}.jpg", encode(picture(400, 600, seed=n), quality=95))
        site.page(
            f"/film/{n}",
            f"""<html><head><title>Film {n}</title><script type="application/ld+json">{json.dumps({
                "@type": "Movie", "name": f"Film {n}", "datePublished": "1968-04-03", "genre": ["Drama"],
            })}</script></head><body><h1>Film {n}</h1><img src="/logo.png">
            <img src="/posters/{n}.jpg" alt="Poster of film {n}"></body></html>""",
        )  # fmt: skip
    site.page(
        "/", '<img src="/logo.png" alt="site logo">' + "".join(f'<a href="/film/{n}">{n}</a>' for n in range(films))
    )


def test_pages_to_rows_and_files(site: Site, tmp_path: Path) -> None:
    film_site(site)
    site.image("/posters/same.jpg", site["/posters/0.jpg"].body)
    site["/film/1"].body = b'<img src="/posters/same.jpg">' + site["/film/1"].body
    done = crawl(tmp_path, "-a", f"start={site.url}/", "-a", everything_wanted())
    assert done.code == 0, done.output

    seen = done.sightings()
    assert {s.verdict for s in seen} == {"kept"}
    assert sorted(s.url.removeprefix(site.url) for s in seen) == sorted(
        ["/logo.png"] * 7 + [f"/posters/{n}.jpg" for n in range(6)] + ["/posters/same.jpg"]
    )
    assert site.asked.count("/logo.png") == 1  # seen on seven pages, fetched once
    poster = next(s for s in seen if s.url.endswith("/0.jpg"))
    assert (poster.page_url, poster.alt, poster.film) == (f"{site.url}/film/0", "Poster of film 0", "Film 0")
    assert (done.store / str(poster.path)).read_bytes() == site["/posters/0.jpg"].body  # unchanged
    assert str(poster.path) == f"{poster.sha256[:2]}/{poster.sha256[2:4]}/{poster.sha256}.jpg"
    assert sum(1 for file in done.store.rglob("*") if file.is_file()) == 7  # same.jpg is stored once

    engine = open_catalogue(done.catalogue)
    counts = funnel(engine, 1)
    engine.dispose()
    assert (counts.pages, counts.candidates, counts.kept, counts.kept_images) == (7, 14, 14, 7)
    assert counts.runs[0].finish_reason == "finished"
    assert (tmp_path / "runs/1/kept.html").stat().st_size > 10_000
    for expected in ("run 1", "kept", "contact sheet", "'posterbot/kept': 14", "'posterbot/images': 14"):
        assert expected in done.output


def test_what_is_dropped_leaves_no_file(site: Site, tmp_path: Path) -> None:
    film_site(site, films=2)
    done = crawl(tmp_path, "-a", f"start={site.url}/", "-a", "labels=document", "-a", "threshold=0.999")
    assert done.code == 0, done.output
    assert {s.reason for s in done.sightings()} == {"not_relevant"}
    assert all(s.scores for s in done.sightings())
    assert [file for file in done.store.rglob("*") if file.is_file()] == []


def test_a_second_run_adds_to_the_catalogue(site: Site, tmp_path: Path) -> None:
    film_site(site, films=2)
    crawl(tmp_path, "-a", f"start={site.url}/", "-a", everything_wanted())
    done = crawl(tmp_path, "-a", f"start={site.url}/", "-a", everything_wanted())
    assert "run 2" in done.output
    assert {s.run for s in done.sightings()} == {1, 2}
    with sqlite3.connect(tmp_path / "catalogue.db") as connection:
        assert connection.execute("select count(*) from images").fetchone() == (3,)


def test_a_list_of_urls(site: Site, tmp_path: Path) -> None:
    film_site(site)
    rows = [
        {"url": f"{site.url}/posters/0.jpg", "title": "Film 0"},
        {"url": None, "title": "A film without an image"},
        {"url": f"{site.url}/film/1"},
        {"url": "nonsense"},
        {"url": "file:///etc/hostname.jpg"},
        {"url": f"{site.url}/missing-page"},
    ]
    (tmp_path / "list.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = crawl(tmp_path, "-a", f"urls={tmp_path}/list.jsonl", "-a", everything_wanted())
    assert done.code == 0, done.output
    found = {s.url.removeprefix(site.url): s.reason for s in done.sightings()}
    assert found == {
        "/posters/0.jpg": "relevant",
        "/posters/1.jpg": "relevant",
        "/logo.png": "relevant",
        "nonsense": "bad_url",
        "file:///etc/hostname.jpg": "bad_url",
    }
    assert "/film/0" not in site.asked  # a list is read, not left
    assert next(s for s in done.sightings() if s.url.endswith("/0.jpg")).alt == "Film 0"
    with sqlite3.connect(tmp_path / "catalogue.db") as connection:
        assert connection.execute("select status from pages where reason = 'http_404'").fetchall() == [(404,)]


def test_a_list_that_breaks_off_is_read_up_to_there(site: Site, tmp_path: Path) -> None:
    film_site(site)
    rows = ['{"url": "%s/posters/0.jpg"}' % site.url, '{"url": "http://[broken/x.jpg"}', '{"url": "half a ro']  # noqa: UP031
    (tmp_path / "list.jsonl").write_text("\n".join(rows))
    done = crawl(tmp_path, "-a", f"urls={tmp_path}/list.jsonl", "-a", everything_wanted())
    assert done.code == 0
    assert {s.reason for s in done.sightings()} == {"relevant", "bad_url"}
    assert len([line for line in done.output.splitlines() if " ERROR: " in line]) == 1
    assert "is not a readable .jsonl file" in done.output
    assert "Traceback" not in done.output


def test_a_long_list_is_fed_in_pieces(site: Site, tmp_path: Path) -> None:
    for n in range(120):
        site.image(f"/{n}.png", encode(picture(120, 160, seed=n), "PNG"), "image/png", delay=0.02)
    (tmp_path / "list.txt").write_text("".join(f"{site.url}/{n}.png\n" for n in range(120)))
    done = crawl(tmp_path, "-a", f"urls={tmp_path}/list.txt", IMAGES_IN_FLIGHT=4)
    assert len(done.sightings()) == 120
    assert 2 <= site.most_at_once <= 4
    assert sorted(site.asked) == sorted([f"/{n}.png" for n in range(120)] + ["/robots.txt"])


def test_a_link_to_the_full_file_may_lead_nowhere(site: Site, tmp_path: Path) -> None:
    site.image("/thumb.png", encode(picture(), "PNG"), "image/png")
    site.page("/full.png", "<h1>About this file</h1>")
    site.page("/", '<a href="/full.png"><img src="/thumb.png" alt="x"></a><a href="/gone.jpg"><img src="/no.jpg"></a>')
    done = crawl(tmp_path, "-a", f"start={site.url}/", "-a", everything_wanted())
    found = {s.url.removeprefix(site.url): (s.reason, s.sha256 is not None) for s in done.sightings()}
    assert found == {"/full.png": ("relevant", True), "/gone.jpg": ("http_404", False)}
    assert {"/gone.jpg", "/no.jpg"} <= set(site.asked)


def test_domains_hold_pages_but_not_their_images(site: Site, tmp_path: Path) -> None:
    site.image("/a.png", encode(picture(), "PNG"), "image/png")
    elsewhere = site.url.replace("127.0.0.1", "localhost")
    site.page("/", f'<img src="{elsewhere}/a.png"><a href="{elsewhere}/other">x</a><a href="/here">y</a>')
    site.page("/other", "")
    site.page("/here", "")
    done = crawl(tmp_path, "-a", f"start={site.url}/", "-a", "domains=127.0.0.1")
    assert len(done.sightings()) == 1
    assert {"/a.png", "/here"} <= set(site.asked)
    assert "/other" not in site.asked


def test_the_user_agent_names_the_operator(site: Site, tmp_path: Path) -> None:
    film_site(site, films=1)
    crawl(tmp_path, "-a", f"start={site.url}/", OPERATOR_CONTACT="me@example.org")
    assert site.agents == {"posterbot/0.1.0 (+me@example.org)"}


def test_depth_limit_is_scrapys_own(site: Site, tmp_path: Path) -> None:
    film_site(site)
    site.page("/film/0", '<a href="/deeper">x</a>')
    crawl(tmp_path, "-a", f"start={site.url}/", DEPTH_LIMIT=1)
    assert "/film/0" in site.asked
    assert "/deeper" not in site.asked


@pytest.mark.parametrize(
    ("arguments", "settings", "message"),
    [
        (["labels=postr"], {}, "unknown label 'postr': web-images knows album_cover"),
        (["threshold=2"], {}, "threshold '2': give a number between 0 and 1"),
        (["top=1000"], {}, "top '1000': give a whole number from 1 to"),
        (["urls=nowhere.csv"], {}, "urls: cannot read nowhere.csv: No such file"),
        (["start=nowhere.txt"], {}, "start: 'nowhere.txt' is neither"),
        (["model=vgg"], {}, "no model 'vgg': give one of imagenet, "),
        (["start=https://example.org/"], {}, "OPERATOR_CONTACT is not set"),
        ([], {"IMAGES_STORE": "/dev/null/images"}, "IMAGES_STORE: cannot write to /dev/null/images"),
        ([], {"IMAGES_STORE": ""}, "IMAGES_STORE is empty"),
        ([], {"IMAGES_STORE": "smb://host/x"}, "IMAGES_STORE: cannot store to smb://"),
        ([], {"IMAGES_STORE": "gs://no-bucket/x"}, "IMAGES_STORE: gs://no-bucket/x: cannot use the credentials"),
        ([], {"CATALOGUE_URL": "nonsense"}, "nonsense"),
        ([], {"CATALOGUE_URL": "sqlite:////dev/null/c.db"}, "/dev/null"),
    ],
)
def test_what_is_wrong_is_one_line_and_code_2(
    site: Site, tmp_path: Path, arguments: list[str], settings: dict[str, str], message: str
) -> None:
    film_site(site)
    given = arguments if any(a.startswith(("start", "urls")) for a in arguments) else [f"start={site.url}/", *arguments]
    done = crawl(tmp_path, *(word for a in given for word in ("-a", a)), **settings)
    assert done.code == 2, done.output
    assert message in done.output
    assert len(done.output.strip().splitlines()) == 1, done.output
    assert site.asked == []


def test_an_unreadable_model_is_one_line_and_code_2(tmp_path: Path) -> None:
    spoilt = Path(shutil.copytree(WEIGHTS / "web-images", tmp_path / "spoilt"))
    (spoilt / "model.tflite").write_bytes((spoilt / "model.tflite").read_bytes()[:50_000])
    done = crawl(tmp_path, "-a", f"model={spoilt}")
    assert done.code == 2
    assert "is not a readable .tflite file" in done.output
    assert len(done.output.strip().splitlines()) == 1, done.output


def slow_crawl(site: Site, tmp_path: Path) -> subprocess.Popen[str]:
    """A crawl that would take several seconds, stopped by nobody yet, with some images behind it."""
    for n in range(400):
        site.image(f"/{n}.png", encode(picture(120, 160, seed=n), "PNG"), "image/png", delay=0.2)
    for n in range(20):
        site.page(f"/page/{n}", "".join(f'<img src="/{k}.png">' for k in range(n * 20, n * 20 + 20)))
    site.page("/", "".join(f'<a href="/page/{n}">{n}</a>' for n in range(20)))
    running = subprocess.Popen(
        command(tmp_path, "-a", f"start={site.url}/", "-a", everything_wanted()),
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    while len(site.asked) < 120:
        assert running.poll() is None
        time.sleep(0.05)
    return running


def check_whole(done: Crawl) -> None:
    """Every row has what it names; every kept image has its file, with the right content."""
    with sqlite3.connect(done.folder / "catalogue.db") as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
        assert connection.execute("pragma foreign_key_check").fetchall() == []
    for seen in done.sightings():
        if seen.verdict == "kept":
            assert (done.store / str(seen.path)).stat().st_size == seen.bytes
            assert seen.scores


def test_ctrl_c_ends_in_good_order(site: Site, tmp_path: Path) -> None:
    running = slow_crawl(site, tmp_path)
    running.send_signal(signal.SIGINT)
    output, _ = running.communicate(timeout=30)
    done = Crawl(running.returncode, output, tmp_path)
    assert done.code == 0, output
    assert "Traceback" not in output
    assert 50 < len(done.sightings()) <= 400
    check_whole(done)
    engine = open_catalogue(done.catalogue)
    assert funnel(engine, 1).runs[0].finish_reason == "shutdown"
    engine.dispose()
    assert (tmp_path / "runs/1/kept.html").exists()


def test_nobody_reads_the_summary(site: Site, tmp_path: Path) -> None:
    film_site(site)
    running = subprocess.Popen(
        command(tmp_path, "-a", f"start={site.url}/"),
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert running.stdout is not None
    running.stdout.close()
    assert running.wait(30) in {0, 120}  # Python's own code where standard output could not be flushed
    assert (tmp_path / "runs/1/kept.html").exists()


def test_kill_9_leaves_nothing_half_written(site: Site, tmp_path: Path) -> None:
    running = slow_crawl(site, tmp_path)
    running.kill()
    running.communicate()
    done = Crawl(running.returncode, "", tmp_path)
    assert len(done.sightings()) > 20
    check_whole(done)
    assert crawl(tmp_path, "-a", f"start={site.url}/page/1").code == 0  # and the catalogue goes on


def test_a_catalogue_that_cannot_be_written_ends_the_crawl(site: Site, tmp_path: Path) -> None:
    for n in range(300):
        site.image(f"/{n}.png", encode(picture(120, 160, seed=n), "PNG"), "image/png")
    site.page("/", "".join(f'<img src="/{n}.png" alt="{"long " * 100}">' for n in range(300)))
    open_catalogue(f"sqlite:///{tmp_path}/catalogue.db").dispose()
    most = (tmp_path / "catalogue.db").stat().st_size + 100_000
    done = subprocess.run(
        command(tmp_path, "-a", f"start={site.url}/"),
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        # As on a full disk: no file may grow beyond this.
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if " ERROR: " in line]
    assert len(errors) == 1
    assert "catalogue" in errors[0]


def test_a_run_whose_end_cannot_be_written_is_no_success(site: Site, tmp_path: Path) -> None:
    site.page("/", "<p>nothing to see</p>")
    engine = open_catalogue(f"sqlite:///{tmp_path}/catalogue.db")
    with engine.begin() as connection:
        full = "create trigger full before update of finished_at on runs begin select raise(abort, 'disk full'); end"
        connection.exec_driver_sql(full)
    engine.dispose()
    done = crawl(tmp_path, "-a", f"start={site.url}/")
    assert done.code == 1, done.output
    assert "Traceback" not in done.output
    errors = [line for line in done.output.splitlines() if " ERROR: " in line]
    assert len(errors) == 1
    assert "disk full" in errors[0]
