"""The contact sheet: one HTML page with a thumbnail of every kept image, complete in itself.

Pictures are embedded, so the page can be mailed and moved. Nothing in it runs: no script, no font, no request.
Whatever came from the web is text here, and only http and https addresses become links.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Engine

from posterbot.catalogue.answers import Funnel, PolicyRow, Sighting
from posterbot.catalogue.display import size
from posterbot.catalogue.queries import funnel, kept_images
from posterbot.stores.store import Store
from posterbot.web.style import STYLE
from posterbot.web.tile import link, picture_of

_TOP_REASONS = 8


def write_contact_sheet(
    engine: Engine, store: Store | None, out: Path, run: int | None = None, limit: int = 300
) -> int:
    """Write the kept images of ``run`` (None: of all runs), latest first, as one HTML page.

    Args:
        engine: from ``open_catalogue``.
        store: where the originals are; None: they are not to be asked for. An image that cannot be read from it gets a
            tile without a picture.
        out: the page; replaced only when the new one is complete.
        run: a run's number.
        limit: at most so many images.

    Returns:
        The number of images on the page.

    Raises:
        LookupError: there is no such run.
        OSError: ``out`` cannot be written.
    """
    counts = funnel(engine, run)
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = out.with_name(f".{out.name}.{os.getpid()}")
    number = 0
    try:
        with unfinished.open("w", encoding="utf-8") as page:
            page.write(_head(counts))
            for number, sighting in enumerate(kept_images(engine, run, limit), 1):  # noqa: B007
                page.write(_tile(sighting, store))
            page.write(_foot(number, counts))
        unfinished.replace(out)
    finally:
        unfinished.unlink(missing_ok=True)
    return number


def _head(counts: Funnel) -> str:
    title = "Contact sheet, " + ("all runs" if counts.run is None else f"run {counts.run}")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        "style-src 'unsafe-inline'\">\n"
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<header>\n"
        f"<h1>{title}</h1>\n<p class=quiet>{_when(counts)}</p>\n"
        f"<dl class=funnel>{''.join(_stages(counts))}</dl>\n"
        f"<div class=facts>{_policy(counts)}{_reasons(counts)}</div>\n</header>\n<main>\n"
    )


def _foot(number: int, counts: Funnel) -> str:
    if not number:
        note = "No image was kept."
    elif number < counts.kept_images:
        note = f"{number:,} of {counts.kept_images:,} kept images, the latest first."
    else:
        note = f"All {number:,} kept images, the latest first."
    return f"</main>\n<footer class=quiet>{note}</footer>\n</body>\n</html>\n"


def _when(counts: Funnel) -> str:
    if not counts.runs:
        return "No run yet."
    first, last = counts.runs[0], counts.runs[-1]
    begun = f"{first.started_at:%Y-%m-%d %H:%M}"
    if counts.run is None:
        return escape(f"{len(counts.runs):,} runs since {begun} UTC")
    end = "not finished" if last.finished_at is None else f"{last.finished_at:%Y-%m-%d %H:%M}, {last.finish_reason}"
    return escape(f"{first.spider}, {begun} UTC to {end}, posterbot {first.version}")


def _stages(counts: Funnel) -> Iterator[str]:
    for name, value in (
        ("pages", counts.pages),
        ("candidates", counts.candidates),
        ("fetched", counts.fetched),
        ("scored", counts.scored),
        ("kept", counts.kept),
    ):
        yield f"<div><dt>{name}</dt><dd>{value:,}</dd></div>"
    yield (
        f"<div><dt>images kept</dt><dd>{counts.kept_images:,} <small>of {counts.images:,}</small></dd></div>"
        f"<div><dt>size kept</dt><dd>{size(counts.kept_bytes)}</dd></div>"
    )


def _policy(counts: Funnel) -> str:
    if not counts.policies:
        return ""
    policy = counts.policies[-1]
    labels = " ".join(f"<b class=label>{escape(label)}</b>" for label in policy.labels)
    earlier = f", after {len(counts.policies) - 1:,} earlier" if len(counts.policies) > 1 else ""
    return (
        f"<section><h2>Policy {policy.number}{earlier}</h2><p>Keep {labels}: {' and '.join(_asked(policy))}.</p>"
        f"<p class=quiet>Model {escape(policy.model)}. Set by {escape(policy.author)} ({escape(policy.origin)}), "
        f"{policy.at:%Y-%m-%d %H:%M} UTC.</p></section>"
    )


def _asked(policy: PolicyRow) -> Iterator[str]:
    """What is asked of the labels, for each part of the policy's rule."""
    several = len(policy.labels) > 1
    for part in policy.rule.split(", "):
        if part.startswith("top "):
            yield f"{'one ' if several else ''}in the <b>{part}</b>"
        else:
            yield f"at least <b>{part}</b>{' in sum' if several else ''}"


def _reasons(counts: Funnel) -> str:
    if not counts.reasons:
        return ""
    top = list(counts.reasons.items())[:_TOP_REASONS]
    rows = "".join(
        f"<li><span>{escape(reason)}</span><i><u style='width:{100 * number / top[0][1]:.1f}%'></u></i>"
        f"<span class=number>{number:,}</span></li>"
        for reason, number in top
    )
    return f"<section><h2>Dropped: {counts.dropped:,}</h2><ul class=bars>{rows}</ul></section>"


def _tile(sighting: Sighting, store: Store | None) -> str:
    name = sighting.film or sighting.alt or sighting.title or sighting.url.rpartition("/")[2] or sighting.url
    told = (
        f"{escape(sighting.label or '')} <span class=score>{'' if sighting.score is None else f'{sighting.score:.2f}'}"
    )
    image = picture_of(store, sighting.path, sighting.alt or name)
    host = _host(sighting.page_url)
    return (
        f'<figure id="{escape(sighting.sha256 or "")}">{link(sighting.url, image)}<figcaption>'
        f'<strong title="{escape(name)}">{escape(name)}</strong>'
        f"<span class=row><span>{told}</span></span><span>{sighting.width}×{sighting.height}</span></span>"
        f"<span class=host>{link(sighting.page_url, escape(host), sighting.page_url)}</span></figcaption></figure>\n"
    )


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or url
    except ValueError:
        return url
