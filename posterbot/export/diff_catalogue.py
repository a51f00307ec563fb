"""Why an image is not in a dataset, as far as the catalogue knows today."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine, func, select

from posterbot.catalogue.schema import images, policies, sources, verdicts
from posterbot.catalogue.tombstones import laid
from posterbot.export.diff_reasons import Row, Side, Why
from posterbot.frontier.tombstones import image_tombstone, tombstones_of

AT_ONCE = 500
"""Images that are asked about at once."""


def from_catalogue(engine: Engine, rows: Sequence[Row], missing_in: Side) -> dict[str, Why]:
    """sha256 → the reason, for those of at most AT_ONCE rows of which the catalogue has one."""
    found: dict[str, Why] = {}
    hashes = [row["sha256"] for row in rows]
    tombstones = {row["sha256"]: {image_tombstone(row["sha256"]), *tombstones_of(row["url"])} for row in rows}
    newest = (
        select(verdicts.c.image_id, func.max(verdicts.c.policy_id).label("policy_id"))
        .join_from(verdicts, images, images.c.id == verdicts.c.image_id)
        .where(images.c.sha256.in_(hashes))
        .group_by(verdicts.c.image_id)
        .subquery()
    )
    judged = (
        select(images.c.sha256, images.c.path, verdicts.c.keep, verdicts.c.reason, verdicts.c.score)
        .add_columns(policies.c.threshold, newest.c.policy_id)
        .join_from(images, newest, newest.c.image_id == images.c.id, isouter=True)
        .outerjoin(verdicts, (verdicts.c.image_id == images.c.id) & (verdicts.c.policy_id == newest.c.policy_id))
        .outerjoin(policies, policies.c.id == newest.c.policy_id)
        .where(images.c.sha256.in_(hashes))
    )
    with engine.connect() as connection:
        forgotten = laid(connection, {hash_ for hashes_ in tombstones.values() for hash_ in hashes_})
        known = {row.sha256: row for row in connection.execute(judged)}
        of = select(sources.c.name, sources.c.ml_allowed, sources.c.redistributable)
        terms = {row.name: row for row in connection.execute(of.where(sources.c.name.in_({r["source"] for r in rows})))}
    options = missing_in.header.options
    for row in rows:
        sha256 = row["sha256"]
        image, source = known.get(sha256), terms.get(row["source"])
        if not forgotten.isdisjoint(tombstones[sha256]):
            found[sha256] = Why("forgotten", "somebody asked for it to be forgotten")
        elif image is None:
            found[sha256] = Why("not in the catalogue", "the catalogue does not know it: is it the right one?")
        elif image.keep is False:
            found[sha256] = Why("verdict", _verdict(image))
        elif image.path is None:
            found[sha256] = Why("bytes gone", "its original is not kept any more")
        elif (
            source is not None
            and options.purpose is not None
            and row["source"] not in options.agreements
            and (source.ml_allowed if options.purpose == "training" else source.redistributable) is False
        ):
            found[sha256] = Why("terms", f"{row['source']} does not allow {options.purpose}, says the catalogue")
    return found


def _verdict(image: object) -> str:
    reason, score = image.reason, image.score  # type: ignore[attr-defined]
    policy, threshold = image.policy_id, image.threshold  # type: ignore[attr-defined]
    if reason == "not_relevant" and score is not None and threshold is not None and score < threshold:
        return f"score {score:.3g} < threshold {threshold:.3g} of policy {policy}"
    return f"{reason}, by policy {policy}"
