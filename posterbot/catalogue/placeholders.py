"""Pictures that stand in for a poster that is missing: found by their own frequency (``Recorder.call``)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, and_, func, literal, or_, select, update

from posterbot.catalogue.records import Claim, Page
from posterbot.catalogue.schema import candidates, claims, film_statements, images, verdicts
from posterbot.page.candidates import FoundBy
from posterbot.reasons import Reason

FILMS = 5
"""So many films with one and the same poster have none. Seasons and versions of one may well share theirs."""

# Where the markup itself says that a picture is the film's. Elsewhere a page may show the posters of other films.
_ITS_OWN = [found_by.value for found_by in (FoundBy.OPEN_GRAPH, FoundBy.TWITTER, FoundBy.JSON_LD, FoundBy.MICRODATA)]


def is_own(found_by: str, alt: str, page: Page, claim: Claim | None) -> bool:
    """Is a picture given as the poster of the page's own film, as :func:`placeholders` understands it?"""
    named = any(film.name.lower() in alt.lower() for film in page.films)
    return claim is not None or found_by in _ITS_OWN or named


def placeholders(connection: Connection, calls: Sequence[tuple[str, bool]]) -> list[bool]:
    """For each sha256: is it given as the poster of FILMS different films? Verdicts that keep it are turned.

    All its sightings are looked at only where the second of the pair says that one more may tell: a picture in the
    margin of each page has as many sightings as there are pages.

    A picture is a page's own where its markup says so, or its alt text has the name of the page's film in it; a list
    names its own.
    """
    own = {sha256 for sha256, tells in calls if tells}
    known = select(images.c.sha256, images.c.id).where(images.c.sha256.in_({sha256 for sha256, _ in calls}))
    found = {
        sha256: _stands_in(connection, number, sha256 in own) for sha256, number in connection.execute(known).all()
    }
    return [found.get(sha256, False) for sha256, _ in calls]


def _stands_in(connection: Connection, image: int, look: bool) -> bool:
    judged = select(verdicts.c.image_id).where(
        verdicts.c.image_id == image, verdicts.c.reason == Reason.PLACEHOLDER.value
    )
    if connection.execute(judged.limit(1)).first() is not None:
        return True
    if not look:
        return False
    name = func.lower(func.coalesce(claims.c.title, film_statements.c.name))
    own = or_(
        claims.c.candidate_id.is_not(None),
        candidates.c.found_by.in_(_ITS_OWN),
        func.lower(candidates.c.alt).contains(name, autoescape=False),
    )
    tables = candidates.outerjoin(claims, claims.c.candidate_id == candidates.c.id).outerjoin(
        film_statements, film_statements.c.page_id == candidates.c.page_id
    )
    names = select(name).select_from(tables).where(candidates.c.image_id == image, name.is_not(None), own).distinct()
    if len(connection.execute(names.limit(FILMS)).all()) < FILMS:
        return False
    kept = and_(verdicts.c.image_id == image, verdicts.c.keep)
    connection.execute(update(verdicts).where(kept).values(keep=literal(False), reason=Reason.PLACEHOLDER.value))
    return True
