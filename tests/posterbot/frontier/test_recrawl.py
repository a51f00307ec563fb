"""Crawling a site again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import Answer, Site, encode, picture
from crawling import crawl
from frontier_cases import Part
from frontier_rows import rows
from sqlalchemy import select

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.schema import frontier
from posterbot.frontier.records import Finished
from posterbot.spiders.arguments import ArgumentError, read_since

NOW = datetime(2026, 5, 17, 12, tzinfo=UTC)


def test_only_what_has_changed_is_read_again(tmp_path: Path, site: Site) -> None:
    html = {
        "/": '<a href="/same">1</a><a href="/changed">2</a><a href="/no-etag">3</a>',
        "/same": '<img src="/same.jpg"><a href="/below">4</a>',
        "/changed": '<img src="/changed.jpg">',
        "/no-etag": "<p>5",
        "/below": '<img src="/below.jpg">',
    }
    for path, body in html.items():
        site[path] = Answer(body.encode(), headers={} if path == "/no-etag" else {"ETag": f'"{path}"'})
    for name in ("same", "changed", "below", "new"):
        site.image(f"/{name}.jpg", encode(picture(200, 300, seed=len(name))))
    crawl(tmp_path, "-a", f"start={site.url}/")
    site["/changed"] = Answer(b'<img src="/new.jpg"><a href="/newer">6</a>', headers={"ETag": '"2"'})
    site["/newer"] = Answer(b"<p>7")
    site.asked.clear()
    again = crawl(tmp_path, "-a", f"start={site.url}/", "-a", "since=now")
    assert again.code == 0
    assert sorted(site.asked) == sorted([*html, "/newer", "/new.jpg", "/robots.txt"])
    statuses = {row["url"].removeprefix(site.url): row["status"] for row in rows(tmp_path, "pages", "run_id = 2")}
    assert statuses == {"/": 304, "/same": 304, "/changed": 200, "/no-etag": 200, "/below": 304, "/newer": 200}
    assert "'downloader/response_status_count/304': 3" in again.output

    site.asked.clear()
    fresh = crawl(tmp_path, "-a", f"start={site.url}/", "-a", "since=1d")
    assert fresh.code == 0
    assert site.asked == []
    found = {row["url"].removeprefix(site.url): row["reason"] for row in rows(tmp_path, "frontier", "run_id = 3")}
    assert found == dict.fromkeys([*html, "/newer"], "fresh")


def test_links_of_unchanged_pages_are_added_once(catalogue_url: str) -> None:
    engine = open_catalogue(catalogue_url)
    first = Part(engine)
    first.add("https://a.example/x/1")
    key = first.lease()["https://a.example/x/1"]
    first.add("https://a.example/x/2", "https://a.example/y/3", parent=key, priority=-1)
    first.do(first.frontier.finish, Finished(key), *(Finished(other) for other in first.lease().values()))
    first.do(first.worker.leave, "finished")
    second = Part(engine, since=NOW)
    second.add("https://a.example/x/1", "https://a.example/x/2")
    again = second.lease()["https://a.example/x/1"]
    second.frontier._mine[again].earlier = key  # as if its page had been read
    done = Finished(again, "not_modified", unchanged=True)
    with second.engine.connect() as connection, connection.begin() as undone:
        second.frontier.finish(connection, [done])
        undone.rollback()
    second.frontier.forget()
    second.do(second.frontier.finish, done)
    with engine.connect() as connection:
        columns = (frontier.c.url, frontier.c.rank, frontier.c.parent_id)
        added = connection.execute(select(*columns).where(frontier.c.run_id == second.run, frontier.c.rank > 0)).all()
    assert [tuple(row) for row in added] == [("https://a.example/y/3", 1, again)]
    engine.dispose()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("", None),
        ("now", NOW),
        ("7d", NOW - timedelta(days=7)),
        ("12h", NOW - timedelta(hours=12)),
        ("2026-05-01", datetime(2026, 5, 1, tzinfo=UTC)),
        ("2026-05-01T10:00+02:00", datetime(2026, 5, 1, 8, tzinfo=UTC)),
    ],
)
def test_since(text: str, moment: datetime | None) -> None:
    assert read_since(text, NOW) == moment


@pytest.mark.parametrize("text", ["yesterday", "d", "-7d", "1.5d", "9999999d", "2026-13-01", "٧d"])
def test_since_is_refused(text: str) -> None:
    with pytest.raises(ArgumentError, match=r"since .*give 7d"):
        read_since(text, NOW)
