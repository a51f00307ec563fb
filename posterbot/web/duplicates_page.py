"""The page of duplicates: each cluster in a row, the best picture first, complete in itself.

As the contact sheet it runs nothing and asks for nothing, and what came from the web is only text in it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from posterbot.catalogue.display import size
from posterbot.duplicates.overview import Cluster, Member, Totals
from posterbot.stores.store import Store
from posterbot.web.style import STYLE
from posterbot.web.tile import link, picture_of

PICTURES = 13
"""Of one cluster, in two rows on a wide screen; of more, the last place tells how many."""
_LONGEST = 300
"""Characters of an address that are shown when the pointer rests on a host."""
_OWN = """
main { display: block; }
.cluster { background: var(--card); border: 1px solid var(--line); border-radius: 10px; margin-bottom: 18px;
  padding: 14px clamp(12px, 1.6vw, 20px) 18px; }
.cluster > header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 2px 14px; margin-bottom: 12px; }
.cluster h2 { font-size: 15px; margin: 0; font-variant-numeric: tabular-nums; }
.cluster code { font: 12px ui-monospace, SFMono-Regular, Menlo, monospace; color: var(--quiet); }
.members { display: grid; grid-template-columns: repeat(auto-fill, minmax(clamp(96px, 26vw, 132px), 1fr));
  gap: 16px clamp(8px, 1.2vw, 16px); }
.members .best { grid-column: span 2; grid-row: span 2; }
.best .picture { box-shadow: 0 0 0 2px var(--accent); }
.why { display: block; color: var(--accent); font-weight: 600; font-variant-numeric: tabular-nums; }
.variant .why { color: var(--quiet); }
.variant .picture { box-shadow: 0 0 0 1px var(--line), 0 0 0 4px var(--card), 0 0 0 5px var(--line); }
figcaption span { overflow-wrap: anywhere; }
.size { display: block; font-variant-numeric: tabular-nums; }
.more { display: grid; place-content: center; text-align: center; color: var(--quiet); font-size: 13px;
  aspect-ratio: 2 / 3; border: 1px dashed var(--line); border-radius: 5px; }
"""


def write_duplicates_page(
    out: Path, store: Store | None, kind: str, counts: Totals, clusters: Sequence[Cluster]
) -> None:
    """Write the page.

    Args:
        out: the page; replaced only when the new one is complete.
        store: where the originals are; None: they are not to be asked for. What cannot be read from it gets a tile
            without a picture.
        kind: of the clusters: ``copy`` or ``variant``.
        counts: of the catalogue.
        clusters: in the order in which they are shown.

    Raises:
        OSError: ``out`` cannot be written.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        with unfinished.open("w", encoding="utf-8", errors="replace") as page:
            page.write(_head(kind, counts))
            for cluster in clusters:
                page.write(_cluster(cluster, store))
            page.write(_foot(kind, counts, len(clusters)))
        unfinished.replace(out)
    finally:
        unfinished.unlink(missing_ok=True)


def _head(kind: str, counts: Totals) -> str:
    title = "Duplicates: " + ("copies" if kind == "copy" else "variants")
    told = (
        "The same picture, re-encoded, resized, slightly cropped or framed."
        if kind == "copy"
        else "The same picture with other lettering, colours or edges, and the copies of each."
    )
    stages = (
        ("images compared", f"{counts.images:,}"),
        ("with copies", f"{counts.in_copies:,} <small>in {_clusters(counts.copies)}</small>"),
        ("with variants", f"{counts.in_variants:,} <small>in {_clusters(counts.variants)}</small>"),
        ("one of each would save", f"{size(counts.saved_bytes)} <small>in {counts.saved:,} images</small>"),
    )
    numbers = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in stages)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        "style-src 'unsafe-inline'\">\n"
        f"<title>{title}</title>\n<style>{STYLE}{_OWN}</style>\n</head>\n<body>\n<header>\n"
        f"<h1>{title}</h1>\n<p class=quiet>{told}</p>\n<dl class=funnel>{numbers}</dl>\n</header>\n<main>\n"
    )


def _clusters(number: int) -> str:
    return f"{number:,} cluster{'' if number == 1 else 's'}"


def _foot(kind: str, counts: Totals, number: int) -> str:
    all_of_them = counts.copies if kind == "copy" else counts.variants
    if not number:
        note = "No image is like another."
    elif number < all_of_them:
        note = f"{number:,} of {_clusters(all_of_them)}, the largest first."
    else:
        note = f"All {number:,} clusters, the largest first." if number > 1 else "The only cluster."
    legend = (
        " Bits: in how many of 64 the perceptual hash differs from that of the first picture. "
        "Cosine: how alike the network finds the two, 1 at most."
    )
    return f"</main>\n<footer class=quiet>{note}{legend if number else ''}</footer>\n</body>\n</html>\n"


def _cluster(cluster: Cluster, store: Store | None) -> str:
    hosts = ", ".join(escape(_readable(host)) for host in cluster.hosts)
    return (
        f'<section class=cluster id="{escape(cluster.name)}"><header><h2>{cluster.images:,} images</h2>'
        f"<code>{escape(cluster.name)}</code><span class=quiet>{hosts}</span></header>"
        f"<div class=members>{''.join(_figures(cluster, store))}</div></section>\n"
    )


def _figures(cluster: Cluster, store: Store | None) -> Iterator[str]:
    shown = cluster.members[: PICTURES if cluster.images <= PICTURES else PICTURES - 1]
    for place, member in enumerate(shown):
        yield _figure(member, store, best=not place)
    if more := cluster.images - len(shown):
        yield f"<div class=more>and {more:,}<br>more</div>"


def _figure(member: Member, store: Store | None, best: bool) -> str:
    image = picture_of(store, member.path, "")
    host = ", ".join(_readable(host) for host in member.hosts) or "no address"
    classes = "best" if best else member.kind
    kind, why = ("the best", "") if best else (member.kind, f"<span class=size>{_why(member)}</span>")
    return (
        f'<figure class="{classes}">{link(_readable(member.url), image)}<figcaption><span class=why>{kind}</span>{why}'
        f"<span class=size>{member.width}×{member.height} {escape(member.format)}, {size(member.bytes)}</span>"
        f'<span class=host title="{escape(_readable(member.url)[:_LONGEST])}">{escape(host)}</span>'
        "</figcaption></figure>"
    )


def _why(member: Member) -> str:
    bits = "same hash" if not member.distance else f"{member.distance} bit{'' if member.distance == 1 else 's'}"
    return bits if member.similarity is None else f"{bits}, cosine {member.similarity:.2f}"


def _readable(text: str) -> str:
    """Without control signs and halves of signs, which no page may have."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
