"""The images of a page that could not be had, as one URL of the frontier with all in it that it takes to fetch them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, Table, and_, func, or_, select, union
from sqlalchemy.dialects import postgresql, sqlite

from posterbot.catalogue.records import Claim
from posterbot.catalogue.schema import candidates, claims, frontier, hosts, images, pages, queues, sources, verdicts
from posterbot.catalogue.stored import kept_without_bytes
from posterbot.frontier.operate import read_through
from posterbot.frontier.records import State
from posterbot.frontier.store import add_waiting
from posterbot.reasons import Reason

AGAIN = "posterbot_again"
"""Key in ``Request.meta`` of a page and those of its images that are to be fetched again."""
_CLAIM = tuple(field.name for field in fields(Claim))
_CANDIDATE = ("url", "found_by", "alt", "title", "caption", "declared_width", "declared_height", "alternatives")
_PAGE = ("url", "title", "status", "referrer", "depth")
_CUT = re.compile("…[0-9a-f]{64}$")
"""How the URLs end of which the catalogue holds only the beginning, and a sha256: those cannot be fetched."""
_NO_IMAGE = func.coalesce(candidates.c.image_id, 0) == 0
"""Written so that no index serves it: SQLite would take that before the one on pages, and look at all there are."""


@dataclass(frozen=True, slots=True)
class Again:
    """What was queued."""

    pages: int = 0
    images: int = 0
    busy: int = 0
    """Pages whose images are being fetched again at this moment: nothing was added to those."""

    def __add__(self, other: Again) -> Again:
        """The sums."""
        return Again(self.pages + other.pages, self.images + other.images, self.busy + other.busy)


def failed_images(reasons: Collection[str] | None = None) -> ColumnElement[bool]:
    """Candidates of which there is no picture, for one of ``reasons``, or for any."""
    why = candidates.c.reason.is_not(None) if reasons is None else candidates.c.reason.in_(sorted(reasons))
    unseen = and_(_NO_IMAGE, why)
    return or_(unseen, images_not_stored()) if reasons is not None and Reason.STORE_FAILED in reasons else unseen


def images_not_stored() -> ColumnElement[bool]:
    """Candidates whose picture is wanted, but was refused by the store, or lost (``posterbot fsck --repair``)."""
    refused = (
        select(verdicts.c.image_id)
        .join(images, images.c.id == verdicts.c.image_id)
        .where(verdicts.c.reason == Reason.STORE_FAILED.value, images.c.path.is_(None))
    )
    return candidates.c.image_id.in_(union(refused, kept_without_bytes()))


def of_run(run: int, host: str | None, condition: ColumnElement[bool], *columns: Any) -> Select[Any]:
    """``columns`` of the candidates of a run; where a host is given, of the images on it."""
    tables = candidates.join(pages, pages.c.id == candidates.c.page_id)
    statement = select(*columns).select_from(tables).where(read_through(pages) == run, condition)
    return statement if host is None else statement.where(_on(host))


def queue_images(
    connection: Connection, run: int, of_pages: Sequence[int], host: str | None, condition: ColumnElement[bool]
) -> Again:
    """Queue those images of some pages that meet ``condition``. ``connection`` is in a transaction."""
    on_server = connection.dialect.name == "postgresql"
    insert = cast("Callable[[Table], sqlite.Insert]", postgresql.insert if on_server else sqlite.insert)
    wanted = _wanted(connection, of_pages, host, condition)
    nowhere = _host_of_none(connection, insert, run)
    urls = {page: f"posterbot://again?page={page}" for page in wanted}
    fingerprints = {page: hashlib.sha1(url.encode()).digest() for page, url in urls.items()}
    known = (
        select(frontier.c.fingerprint, frontier.c.state, frontier.c.request)
        .where(frontier.c.run_id == run, frontier.c.fingerprint.in_(list(fingerprints.values())))
        .with_for_update()
    )
    before = {bytes(row.fingerprint): row for row in connection.execute(known)}

    def state(page: int) -> int | None:
        row = before.get(fingerprints[page])
        return None if row is None else row.state

    # In the order of their fingerprints: two that write the same rows at once must not deadlock.
    free = sorted((page for page in wanted if state(page) != State.LEASED), key=fingerprints.__getitem__)
    busy = len(wanted) - len(free)
    if not free:
        return Again(busy=busy)
    rows = []
    for page in free:
        waits = before[fingerprints[page]].request if state(page) == State.PENDING else None
        rows.append(
            {
                "run_id": run,
                "host_id": nowhere,
                "fingerprint": fingerprints[page],
                "url": urls[page],
                "request": _request(wanted[page], waits),
                "state": int(State.PENDING),
                "rank": 0,
            }
        )
    statement = insert(frontier)
    fresh: dict[str, Any] = {name: statement.excluded[name] for name in ("host_id", "request", "state", "rank")}
    fresh |= {"worker_id": None, "tries": 0, "retry_at": None, "reason": None}
    connection.execute(
        statement.on_conflict_do_update(index_elements=["run_id", "fingerprint"], set_=fresh),
        rows,
    )
    add_waiting(connection, run, {nowhere: sum(state(page) != State.PENDING for page in free)})
    return Again(len(free), sum(len(wanted[page]["images"]) for page in free), busy)


def _on(host: str) -> ColumnElement[bool]:
    return candidates.c.source_id == select(sources.c.id).where(sources.c.name == host).scalar_subquery()


def _host_of_none(connection: Connection, insert: Callable[[Table], sqlite.Insert], run: int) -> int:
    """Number of the host without a name, under which waits what is answered without asking any.

    Its queue is made where there is none, and locked: who leases URLs locks in this order, too.
    """
    connection.execute(insert(hosts).on_conflict_do_nothing(index_elements=["name"]), [{"name": ""}])
    number = cast("int", connection.scalar(select(hosts.c.id).where(hosts.c.name == "")))
    queue = insert(queues).on_conflict_do_nothing(index_elements=["run_id", "host_id"])
    connection.execute(queue, [{"run_id": run, "host_id": number}])
    of_host = and_(queues.c.run_id == run, queues.c.host_id == number)
    connection.execute(select(queues.c.waiting).where(of_host).with_for_update())
    return number


def _wanted(
    connection: Connection, of_pages: Sequence[int], host: str | None, condition: ColumnElement[bool]
) -> dict[int, dict[str, Any]]:
    """Page → it and its images, as data."""
    columns = (
        candidates.c.page_id.label("page"),
        *(pages.c[name].label(f"page.{name}") for name in _PAGE),
        *(candidates.c[name].label(f"candidate.{name}") for name in _CANDIDATE),
        *(claims.c[name].label(f"claim.{name}") for name in _CLAIM),
    )
    tables = candidates.join(pages, pages.c.id == candidates.c.page_id)
    statement = (
        select(*columns)
        .select_from(tables.outerjoin(claims, claims.c.candidate_id == candidates.c.id))
        .where(candidates.c.page_id.in_(of_pages), condition)
        .order_by(candidates.c.page_id, candidates.c.id)
    )
    found: dict[int, dict[str, Any]] = {}
    for row in connection.execute(statement if host is None else statement.where(_on(host))).mappings():
        if _CUT.search(row["candidate.url"]):
            continue

        def part(kind: str, names: Sequence[str], row: RowMapping = row) -> dict[str, Any]:
            return {name: row[f"{kind}.{name}"] for name in names}

        of_page = found.setdefault(row["page"], {"page": part("page", _PAGE), "images": []})
        claim = None if row["claim.list"] is None else part("claim", _CLAIM)
        of_page["images"].append({"candidate": part("candidate", _CANDIDATE), "claim": claim})
    return found


def _request(wanted: Mapping[str, Any], waits: str | None) -> str:
    """The request as the frontier stores it, with the images of the one that waits already."""
    found = {image["candidate"]["url"]: image for image in wanted["images"]}
    for image in [] if waits is None else _images_of(waits):
        found.setdefault(image["candidate"]["url"], image)
    again = {"page": wanted["page"], "images": list(found.values())}
    whole = {"callback": "again", "meta": {AGAIN: again, "allow_offsite": True}}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":"))


def _images_of(request: str) -> list[Any]:
    try:
        found: list[Any] = json.loads(request)["meta"][AGAIN]["images"]
        return [image for image in found if image["candidate"]["url"]]
    except (ValueError, KeyError, TypeError):
        return []  # a damaged row: it is written anew
