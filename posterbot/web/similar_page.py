"""A picture and what looks like it: one HTML page, complete in itself, as the contact sheet is.

Nothing in it runs, and it asks for nothing. Whatever came from the web is text here, and only http and https addresses
become links.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from html import escape
from pathlib import Path

from models.decode import ImageError
from posterbot.similarity.similar import Answer, Answers, Known
from posterbot.stores.store import Store
from posterbot.thumbnail import thumbnail
from posterbot.web.style import STYLE
from posterbot.web.tile import embedded, link, missing, picture_of

LONGEST = 200
"""Signs of a name that are shown."""
_STYLE = """
header { display: flex; flex-wrap: wrap; align-items: flex-end; gap: 20px clamp(16px, 2.5vw, 32px);
  border-bottom: 1px solid var(--line); padding-bottom: 24px; margin-bottom: 24px; }
header .picture { width: clamp(140px, 22vw, 230px); flex: none; }
header > div:last-child { flex: 1 1 260px; min-width: 0; }
header h1 { overflow-wrap: anywhere; }
header p { margin-top: 6px; }
.rank { color: var(--quiet); }
.dropped img { opacity: .55; }
.hash { font: 11px/1.5 ui-monospace, monospace; overflow: hidden; text-overflow: ellipsis; display: block; }
"""


def write_similar_page(answers: Answers, store: Store | None, out: Path) -> None:
    """Write the picture asked for and its neighbours, best first.

    Args:
        answers: from :func:`posterbot.similarity.similar.similar`.
        store: where the pictures are; None: they are not to be asked for. One that cannot be read from it gets a tile
            with a text.
        out: the page; replaced only when the new one is complete.

    Raises:
        OSError: ``out`` cannot be written.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        with unfinished.open("w", encoding="utf-8", errors="replace") as page:
            page.writelines(_page(answers, store))
        unfinished.replace(out)
    finally:
        unfinished.unlink(missing_ok=True)


def _page(answers: Answers, store: Store | None) -> Iterator[str]:
    title = f"Similar to {_name(answers.known) if answers.known else 'a picture'}"
    yield (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        "style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>{STYLE}{_STYLE}</style>\n</head>\n<body>\n<header>\n"
    )
    yield f"<div>{_asked(answers, store)}</div><div><h1>{escape(title)}</h1>{_facts(answers)}</div>\n"
    yield "</header>\n<main>\n"
    for answer in answers.nearest:
        yield _tile(answer, store)
    several = "image" if answers.images == 1 else "images"
    note = f"The nearest of {answers.images:,} {several}, by cosine of the embeddings of {answers.model}."
    if not answers.nearest:
        note = "No other image of the catalogue has an embedding."
    yield f"</main>\n<footer class=quiet>{escape(note)}</footer>\n</body>\n</html>\n"


def _asked(answers: Answers, store: Store | None) -> str:
    alt = _name(answers.known) if answers.known else "the picture asked for"
    if answers.data is None:
        assert answers.known is not None
        return picture_of(store, answers.known.path, _name(answers.known))
    try:
        return embedded(thumbnail(answers.data), alt)
    except ImageError:
        return missing("not readable")


def _facts(answers: Answers) -> str:
    known = answers.known
    if known is None:
        told = "<p class=quiet>These bytes are not in the catalogue.</p>"
    else:
        host = link(known.url, escape(known.host or ""))
        told = f"<p>{escape(known.verdict or 'not judged')}, {known.width}×{known.height}, {host}</p>"
    return f"{told}<p class='quiet hash'>{escape(answers.sha256)}</p>"


def _tile(answer: Answer, store: Store | None) -> str:
    known = answer.image
    name = _name(known)
    return (
        f'<figure id="{escape(known.sha256)}"{" class=dropped" if known.verdict == "dropped" else ""}>'
        f"{link(known.url, picture_of(store, known.path, _name(known)))}<figcaption>"
        f'<strong title="{escape(name)}">{escape(name)}</strong>'
        f"<span class=row><span><span class=rank>{answer.rank}</span>&ensp;"
        f"<span class=score>{answer.similarity:.3f}</span></span>"
        f"<span>{escape(known.verdict or 'not judged')}</span></span>"
        f"<span class=host>{link(known.url, escape(known.host or ''))}</span>"
        f"<span class=hash title={known.sha256}>{escape(known.sha256[:16])}</span></figcaption></figure>\n"
    )


def _name(known: Known) -> str:
    if known.title:
        name = f"{known.title[:LONGEST]}{f' ({known.year})' if known.year else ''}"
    else:
        url = known.url or ""
        name = known.alt or url.rpartition("/")[2] or url or known.sha256[:16]
    return name if len(name) <= LONGEST + 10 else f"{name[:LONGEST]}…"
