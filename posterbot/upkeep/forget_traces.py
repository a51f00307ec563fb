"""What else names the forgotten: rows of the frontier, and what other rows say of it."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice
from secrets import token_hex
from typing import Any

from sqlalchemy import Connection, Engine, String, cast, delete, exists, func, select, tuple_, update

from posterbot.catalogue.schema import (
    arm_links,
    arms,
    candidates,
    film_statements,
    frontier,
    hosts,
    image_patterns,
    pages,
    patterns,
    queues,
    runs,
    sources,
)
from posterbot.frontier.adding import in_pieces
from posterbot.frontier.again import AGAIN
from posterbot.frontier.records import State
from posterbot.frontier.store import add_waiting
from posterbot.frontier.tombstones import host_of, url_tombstone
from posterbot.reasons import Reason
from posterbot.upkeep.forget_erase import erase, nameless, written
from posterbot.upkeep.forget_rows import HIDDEN, Found

ROWS = "posterbot_rows"
"""Key in ``Request.meta`` of a piece of a list; see ``spiders/pieces.py``, which imports Scrapy."""
URLS_AT_ONCE = 100
"""URLs of the frontier in one transaction: what was found on them is changed, too."""
ROWS_AT_ONCE = 500
_TERMS = ("ml_allowed", "redistributable", "attribution", "max_age_days", "terms_url")
_COMPARED = 5000
"""URLs that one look at the whole frontier is compared with."""
_OF_PAGE = re.compile(r"posterbot://again\?page=(\d+)")


def erase_traces(engine: Engine, found: Found) -> None:
    """Delete the URLs from the frontiers of all runs, and whatever names them in rows that stay.

    To be called before the rows that were found are deleted: it may be interrupted, and repeated.
    """
    _frontier(engine, found)
    _waiting_images(engine, found)
    for changes, column in (
        (_alternatives(engine, found), candidates.c.alternatives),
        (_referrers(engine, found), pages.c.referrer),
    ):
        while batch := list(islice(changes, ROWS_AT_ONCE)):
            written(engine, _set, column, batch)
    for piece in in_pieces(sorted(found.films)):
        written(engine, _empty_films, piece)
    written(engine, _arguments, found)


def erase_hosts(engine: Engine, found: Found) -> None:
    """Delete the rows of forgotten hosts themselves, when all else of them is gone; not those met again since."""
    for name, port in found.wanted.hosts:
        if port is None:
            written(engine, _host, name)


# --- The frontier ---------------------------------------------------------------------------------------------------


def _frontier(engine: Engine, found: Found) -> None:
    wanted = found.wanted
    hashes = {url_tombstone(url) for url in wanted.urls}
    names = {host[0] for host in (*wanted.hosts, *map(host_of, wanted.urls)) if host is not None}
    gone: set[int] = set()
    if names:
        columns = select(frontier.c.id, frontier.c.url).join(hosts, hosts.c.id == frontier.c.host_id)
        for number, url in _stream(engine, columns.where(hosts.c.name.in_(names))):
            if wanted.on_host(url) or url_tombstone(url) in hashes:
                gone.add(number)
    urls = sorted(found.urls)
    for start in range(0, len(urls), _COMPARED):
        same = frontier.c.url.in_(urls[start : start + _COMPARED])
        gone.update(row.id for row in _stream(engine, select(frontier.c.id).where(same)))
    numbers = sorted(gone)
    for start in range(0, len(numbers), URLS_AT_ONCE):
        written(engine, _delete_urls, found, numbers[start : start + URLS_AT_ONCE])


def _delete_urls(connection: Connection, found: Found, numbers: list[int]) -> None:
    """A worker that has one on lease does not miss it: it is refused, and to say so changes no row."""
    of_these = frontier.c.id.in_(numbers)
    pairs = [tuple(row) for row in connection.execute(select(frontier.c.run_id, frontier.c.host_id).where(of_these))]
    if not pairs:
        return
    # The queues first, and in this order: who leases URLs locks so, too.
    of_queues = tuple_(queues.c.run_id, queues.c.host_id).in_(sorted(set(pairs)))
    locked = select(queues.c.waiting).where(of_queues).order_by(queues.c.run_id, queues.c.host_id).with_for_update()
    connection.execute(locked).all()
    columns = (frontier.c[name] for name in ("id", "run_id", "host_id", "state"))
    rows = connection.execute(select(*columns).where(of_these).order_by(frontier.c.id).with_for_update()).all()
    waiting: defaultdict[int, Counter[int]] = defaultdict(Counter)
    for row in rows:
        waiting[row.run_id][row.host_id] -= row.state == State.PENDING
    for run in sorted(waiting):
        add_waiting(connection, run, dict(waiting[run]))
    on_them = frontier.c.parent_id.in_(numbers)
    children = connection.execute(select(frontier.c.id, frontier.c.request).where(on_them)).all()
    changed = [(row.id, text) for row in children if (text := _without_names(row.request, found)) != row.request]
    _set(connection, frontier.c.request, changed)
    connection.execute(update(frontier).where(on_them).values(parent_id=None))

    def emptied() -> dict[str, Any]:
        return {
            "host_id": nameless(connection, hosts),
            "pattern_id": None,
            "arm_id": 0,
            "features": None,
            "parent_id": None,
            "url": "",
            "request": "{}",
            "state": int(State.DONE),
            "worker_id": None,
            "retry_at": None,
            "reason": Reason.FORGOTTEN.value,
        }

    erase(connection, frontier, [row.id for row in rows], emptied)


def _without_names(request: str, found: Found) -> str:
    """A request as the frontier stores it, without the pages that led to it."""
    try:
        whole = json.loads(request)
        before = json.dumps(whole)
        headers, meta = whole.get("headers", {}), whole.get("meta", {})
        if any(map(found.names, headers.get("Referer", ()))):
            del headers["Referer"]
        if "redirect_urls" in meta:
            meta["redirect_urls"] = [url for url in meta["redirect_urls"] if not found.names(url)]
    except (ValueError, AttributeError, TypeError):
        return request  # a damaged row
    return request if json.dumps(whole) == before else _json(whole)


def _waiting_images(engine: Engine, found: Found) -> None:
    """Pieces of lists, and images to be fetched again, wait as URLs with all that is known of them."""
    of_nobody = (
        select(frontier.c.id, frontier.c.url, frontier.c.request)
        .join(hosts, hosts.c.id == frontier.c.host_id)
        .where(hosts.c.name == "", frontier.c.url != "")
    )
    gone: list[int] = []
    changed: list[tuple[int, str]] = []
    for number, url, request in _stream(engine, of_nobody):
        page = _OF_PAGE.fullmatch(url)
        left = None if page and int(page[1]) in found.pages else _without_images(request, found)
        if left is None:
            gone.append(number)
        elif left != request:
            changed.append((number, left))
    for piece in in_pieces(gone):
        written(engine, _delete_urls, found, list(piece))
    for piece in in_pieces(changed):
        written(engine, _set, frontier.c.request, list(piece))


def _without_images(request: str, found: Found) -> str | None:
    """The request without the images that are to be forgotten; None where no others wait in it."""
    try:
        whole = json.loads(request)
        meta = whole.get("meta", {})
        if ROWS in meta:
            number, rows = meta[ROWS]
            left = [None if row is None or _is_meant(row[0], row[2], found) else row for row in rows]
            if left == rows:
                return request
            meta[ROWS] = [number, left]
        elif AGAIN in meta:
            again = meta[AGAIN]
            kept = [one for one in again["images"] if not _is_meant(one["candidate"]["url"], one["claim"], found)]
            if len(kept) == len(again["images"]):
                return request
            if not kept:
                return None
            again["images"] = kept
    except (ValueError, AttributeError, TypeError, KeyError, IndexError):
        return request
    return _json(whole)


def _is_meant(url: str, claim: dict[str, Any] | None, found: Found) -> bool:
    said = claim or {}
    return found.names(url) or found.wanted.is_film(said.get("title"), said.get("imdb_id"))


# --- What other rows say --------------------------------------------------------------------------------------------


def _alternatives(engine: Engine, found: Found) -> Iterator[tuple[int, Any]]:
    some = func.length(cast(candidates.c.alternatives, String)) > 2
    for number, others in _stream(engine, select(candidates.c.id, candidates.c.alternatives).where(some)):
        left = [url for url in others if not found.names(url)]
        if len(left) < len(others):
            yield number, left


def _referrers(engine: Engine, found: Found) -> Iterator[tuple[int, Any]]:
    for number, referrer in _stream(engine, select(pages.c.id, pages.c.referrer).where(pages.c.referrer != "")):
        if found.names(referrer):
            yield number, ""


def _empty_films(connection: Connection, numbers: Sequence[int]) -> None:
    """They stay, without a name: of a page that states two films nobody knows which of them its pictures show."""
    nothing: dict[str, Any] = {"name": "", "year": None, "genres": [], "directors": [], "same_as": []}
    connection.execute(update(film_statements).where(film_statements.c.id.in_(numbers)).values(nothing))


def _set(connection: Connection, column: Any, values: list[tuple[int, Any]]) -> None:
    # One by one: who writes the same rows at once waits for each of them in the order of their numbers.
    for number, value in sorted(values, key=lambda pair: pair[0]):
        connection.execute(update(column.table).where(column.table.c.id == number).values({column.name: value}))


def _arguments(connection: Connection, found: Found) -> None:
    """What runs were asked to begin with. Such a run cannot be resumed: it would begin there again."""
    for row in connection.execute(select(runs.c.id, runs.c.arguments, runs.c.job)).all():
        kept = {
            name: _without(value, found) if name in {"start", "domains"} else value
            for name, value in row.arguments.items()
        }
        job = row.job
        if job is not None and any(_without(value, found) != value for value in _texts(job)):
            job = None
        if kept != row.arguments or job != row.job:
            connection.execute(update(runs).where(runs.c.id == row.id).values(arguments=kept, job=job))


def _texts(job: str) -> Iterator[str]:
    try:
        said = json.loads(job)
        yield from (text for value in said.values() for text in (value if isinstance(value, list) else [value]) if text)
    except (ValueError, AttributeError):
        return


def _without(text: str, found: Found) -> str:
    """A comma-separated list of URLs and hosts."""
    hashes = {url_tombstone(url) for url in found.wanted.urls}
    parts = [part.strip() for part in text.split(",")]
    left = [
        part
        for part in parts
        if not (
            found.names(part)
            or url_tombstone(part) in hashes
            or any(part.lower() == name for name, port in found.wanted.hosts if port is None)
        )
    ]
    return text if len(left) == len(parts) else ",".join(left)


def _host(connection: Connection, name: str) -> None:
    number = connection.scalar(select(hosts.c.id).where(hosts.c.name == name).with_for_update())
    if number is not None and not connection.scalar(select(exists().where(frontier.c.host_id == number))):
        of_host = select(arms.c.id).where(arms.c.host_id == number)
        connection.execute(delete(arm_links).where(arm_links.c.arm_id.in_(of_host) | arm_links.c.child_id.in_(of_host)))
        for table in (arms, patterns, queues):
            connection.execute(delete(table).where(table.c.host_id == number))
        connection.execute(delete(hosts).where(hosts.c.id == number))
    source = connection.scalar(select(sources.c.id).where(sources.c.name == name).with_for_update())
    seen = [exists().where(table.c.source_id == source) for table in (pages, candidates)]
    if source is not None and not any(connection.scalar(select(one)) for one in seen):
        connection.execute(delete(image_patterns).where(image_patterns.c.source_id == source))
        erase(connection, sources, [source], lambda: {"name": f"{HIDDEN}{token_hex(16)}", **dict.fromkeys(_TERMS)})


def _json(whole: Any) -> str:
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":"))


def _stream(engine: Engine, statement: Any) -> Iterator[Any]:
    """Rows from one look at the tables, while others write."""
    with engine.connect() as connection:
        yield from connection.execution_options(yield_per=ROWS_AT_ONCE).execute(statement)
