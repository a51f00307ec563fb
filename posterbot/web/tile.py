"""What pages that stand alone share: an embedded picture, or why there is none; links that are safe to follow."""

from __future__ import annotations

import base64
from html import escape

from models.decode import ImageError
from posterbot.stores.store import Store, UnavailableError
from posterbot.thumbnail import thumbnail


def picture_of(store: Store | None, path: str | None, alt: str) -> str:
    """HTML of a small picture of the original under ``path``, or a tile that says why it is not to be had."""
    if path is None:
        return missing("bytes not kept")
    if store is None:
        return missing("stored elsewhere")
    try:
        return embedded(thumbnail(store.get(path)), alt)
    except (LookupError, ValueError, UnavailableError, ImageError):
        return missing("file not found or not readable")


def embedded(jpeg: bytes, alt: str) -> str:
    """HTML of a picture that is in the page itself."""
    source = base64.b64encode(jpeg).decode()
    return f'<img class=picture src="data:image/jpeg;base64,{source}" alt="{escape(alt)}">'


def missing(why: str) -> str:
    """HTML of a tile without a picture."""
    return f"<div class='picture missing'>{escape(why)}</div>"


def link(url: str | None, content: str, title: str = "") -> str:
    """``content`` (HTML) as a link, where ``url`` is one that is safe to follow."""
    if url is None or not url.lower().startswith(("http://", "https://")):
        return content
    hint = f' title="{escape(title)}"' if title else ""
    return f'<a href="{escape(url)}" rel="noreferrer nofollow"{hint}>{content}</a>'
