"""Which pictures a catalogue did not have before: what a page is rewarded for (``Recorder.call``)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from sqlalchemy import Connection, select

from posterbot.catalogue.schema import images

AT_ONCE = 500
"""Values in one statement: databases have limits."""

Picture = tuple[str, str | None]
"""sha256, and perceptual hash where there is one."""


def new_pictures(connection: Connection, calls: Sequence[Sequence[Picture]]) -> list[list[Picture]]:
    """For each list of pictures: those that are neither kept already nor copies of what is kept.

    A copy has the same perceptual hash. Of two copies in one list the first counts. A picture that was seen, and
    dropped, is new when it is kept.
    """
    wanted = {picture for pictures in calls for picture in pictures}
    known = _kept(connection, "sha256", {sha256 for sha256, _ in wanted})
    hashes = _kept(connection, "phash", {phash for _, phash in wanted if phash is not None})
    found = []
    for pictures in calls:
        first: dict[str, Picture] = {}
        for sha256, phash in pictures:
            first.setdefault(phash or sha256, (sha256, phash))
        found.append([each for each in first.values() if each[0] not in known and each[1] not in hashes])
    return found


def _kept(connection: Connection, name: str, values: set[str]) -> set[str]:
    """Those of ``values`` that are in a column of images whose bytes were kept."""
    column, kept = images.c[name], images.c.path.is_not(None)
    rest, found = iter(sorted(values)), set[str]()
    while some := list(islice(rest, AT_ONCE)):
        found.update(connection.execute(select(column).where(column.in_(some), kept)).scalars())
    return found
