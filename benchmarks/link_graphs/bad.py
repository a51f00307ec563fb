"""What goes wrong with sites: each function gives another site, or how it answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from .replay import Noise, World
from .site import Site

SPAM_PAGES = 20_000
SPAM_LINKS = 20
CHANGE_AT = 0.03
"""Of the pages of a site: after so many fetches the layout changes."""


def without_posters(site: Site) -> Site:
    """The same site, but every picture is something else."""
    none = np.zeros(0, np.int32)
    return replace(
        site, name=f"{site.name}, no posters", poster_ids=none, poster_starts=np.zeros_like(site.poster_starts)
    )


def behind_one_link(site: Site) -> Site:
    """No page shows a poster but a gallery of 60 pages, to which one link leads, on a page in the middle of the site.

    All posters of the site are there, in order; the pages lead on from one to the next.
    """
    depth = site.depths()
    host = "/".join(site.urls[0].split("/")[:3])
    pages = 60
    middle = int(np.flatnonzero(depth == np.median(depth))[0])
    first = len(site)
    urls = [f"{host}/archive/cabinet/{n}" for n in range(pages)]
    posters = np.array_split(np.unique(site.poster_ids), pages)
    grown = _with_pages(
        site,
        urls,
        ["The cabinet"] * pages,
        np.concatenate(([middle], np.arange(first, first + pages - 1))),
        np.arange(first, first + pages),
        f"{site.path_names[0].split('/', 2)[0]}/body/main/p.note/a.cabinet",
    )
    shown = np.concatenate((np.zeros(first, np.int64), [len(some) for some in posters]))
    return replace(
        grown,
        name=f"{site.name}, behind one link",
        poster_ids=np.concatenate(posters).astype(np.int32),
        poster_starts=np.concatenate(([0], np.cumsum(shown))),
        images=np.concatenate((site.images, [len(some) for some in posters])).astype(np.int16),
    )


def other_layout(site: Site) -> Site:
    """The same pages after a relaunch: other tags, classes and URLs for all."""

    def path(name: str) -> str:
        steps = [re.sub(r"[.#][\w-]+", lambda found: f".v2-{found[0][1:][::-1]}", step) for step in name.split("/")]
        return "/".join([*steps[:2], "div.app-root", *steps[2:]])

    def url(text: str) -> str:
        scheme, _, host, rest = text.split("/", 3)
        return f"{scheme}//{host}/new/{rest}" if rest else text

    return replace(
        site,
        name=f"{site.name}, new layout",
        urls=[url(text) for text in site.urls],
        path_names=[path(name) for name in site.path_names],
    )


def with_spam(site: Site, pages: int = SPAM_PAGES) -> Site:
    """And pages that link only to each other, with the tag path and URL pattern of what has most posters; none has one.

    One page in 50 of the site links to one of them, as if it were of the site.
    """
    rng = np.random.default_rng(7)
    has = np.diff(site.poster_starts) > 0
    of_target = np.bincount(site.paths[has[site.targets]], minlength=len(site.path_names))
    like_path = int(of_target.argmax())
    best = site.targets[(site.paths == like_path) & has[site.targets]]
    urls = [f"{_stem(site.urls[int(page)])}-offer-{n}" for n, page in enumerate(rng.choice(best, pages))]
    titles = [site.words[int(page)] for page in rng.choice(best, pages)]
    first = len(site)
    spam = np.arange(first, first + pages)
    from_site = rng.choice(first, first // 50, replace=False)
    sources = np.concatenate((from_site, np.repeat(spam, SPAM_LINKS)))
    targets = np.concatenate((rng.choice(spam, len(from_site)), rng.choice(spam, pages * SPAM_LINKS)))
    # Each from one before it, so that all can be reached.
    sources = np.concatenate((sources, from_site[:1], spam[:-1]))
    targets = np.concatenate((targets, spam))
    grown = _with_pages(site, urls, titles, sources, targets, site.path_names[like_path])
    return replace(grown, name=f"{site.name}, spam")


def _stem(url: str) -> str:
    return url.partition("?")[0].rstrip("/")


def _with_pages(
    site: Site, urls: list[str], titles: list[str], sources: np.ndarray, targets: np.ndarray, path: str
) -> Site:
    """``site`` and pages without posters, all with links of one tag path, which are the first on their page."""
    more, pages = len(urls), len(site)
    number = site.path_names.index(path) if path in site.path_names else len(site.path_names)
    names = site.path_names if number < len(site.path_names) else [*site.path_names, path]
    order = np.argsort(sources, kind="stable")
    sources, targets = sources[order], targets[order]
    old = np.repeat(np.arange(pages), np.diff(site.starts))
    all_sources = np.concatenate((sources, old))
    place = np.argsort(all_sources, kind="stable")
    # Titles of pages come first among the texts.
    texts = np.where(site.texts < pages, site.texts, site.texts + more)
    nothing = np.zeros(more, np.int64)
    return replace(
        site,
        urls=site.urls + urls,
        words=site.words[:pages] + titles + site.words[pages:],
        kinds=[*site.kinds, "added"],
        kind=np.concatenate((site.kind, np.full(more, len(site.kinds), np.uint8))),
        starts=np.concatenate(([0], np.cumsum(np.bincount(all_sources, minlength=pages + more)))),
        targets=np.concatenate((targets, site.targets))[place].astype(np.int32),
        paths=np.concatenate((np.full(len(sources), number, np.int32), site.paths))[place],
        texts=np.concatenate((targets, texts))[place].astype(np.int32),
        path_names=names,
        poster_starts=np.concatenate((site.poster_starts, nothing + site.poster_starts[-1])),
        images=np.concatenate((site.images, nothing + 1)).astype(np.int16),
        covers=np.concatenate((site.covers, nothing)).astype(np.int16),
        size=np.concatenate((site.size, nothing + 80_000)),
    )


BAD: dict[str, Callable[[Site, int], World]] = {
    "no posters": lambda site, seed: World(without_posters(site)),
    "behind one link": lambda site, seed: World(behind_one_link(site)),
    "new layout midway": lambda site, seed: World(
        site, later=other_layout(site), change_at=int(CHANGE_AT * len(site)), seed=seed
    ),
    "mislabelled": lambda site, seed: World(site, noise=Noise(), seed=seed),
    "spam": lambda site, seed: World(with_spam(site)),
}
"""Name → how a site answers then."""
