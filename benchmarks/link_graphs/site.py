"""A site as arrays: what a crawl could know of each link, and what each page would bring."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from posterbot.frontier.traps import pattern

POSTER_BYTES, PICTURE_BYTES = 120_000, 60_000
Ints = npt.NDArray[np.int64]
NAV, MAIN, SIDE, FOOT = range(4)
"""Where on a page a block of links stands."""


@dataclass(frozen=True)
class Site:
    """Page 0 is where a crawl starts. Links of page p are those from ``starts[p]`` up to ``starts[p + 1]``."""

    name: str
    urls: list[str]
    words: list[str]
    """Anchor texts; the first of them are the titles of the pages."""
    kinds: list[str]
    kind: npt.NDArray[np.uint8]
    """Of each page, a number in ``kinds``. Known to no strategy."""
    starts: Ints
    targets: npt.NDArray[np.int32]
    paths: npt.NDArray[np.int32]
    """Of each link, a number in ``path_names``."""
    texts: npt.NDArray[np.int32]
    """Of each link, a number in ``words``."""
    path_names: list[str]
    """Tag paths, ``html/body.skin/ul.films/li/a.title``."""
    poster_starts: Ints
    poster_ids: npt.NDArray[np.int32]
    """Posters that a page shows; the same number on several pages is the same picture, or a copy."""
    images: npt.NDArray[np.int16]
    """Pictures of its own that are worth a request, posters included."""
    covers: npt.NDArray[np.int16]
    """Those of them that are no posters but designed like ones: books, games, records."""
    size: npt.NDArray[np.int64]
    """Bytes of the page and of its pictures."""

    def __len__(self) -> int:
        return len(self.urls)

    @cached_property
    def patterns(self) -> list[str]:
        """Of each URL, as the frontier sees it."""
        return [pattern(url) for url in self.urls]

    @cached_property
    def posters(self) -> int:
        """Different ones on the whole site."""
        return len(np.unique(self.poster_ids))

    def links(self, page: int) -> slice:
        """Of one page, for ``targets``, ``paths`` and ``texts``."""
        return slice(int(self.starts[page]), int(self.starts[page + 1]))

    def shown(self, page: int) -> npt.NDArray[np.int32]:
        """Posters of one page."""
        return self.poster_ids[self.poster_starts[page] : self.poster_starts[page + 1]]

    def depths(self) -> Ints:
        """Least number of links from page 0; -1 where no links lead there."""
        depth = np.full(len(self), -1, np.int64)
        depth[0] = 0
        level = np.array([0])
        while len(level):
            reached = np.unique(self.targets[spans(self.starts, level)])
            reached = reached[depth[reached] < 0]
            depth[reached] = depth[level[0]] + 1
            level = reached
        return depth


def spans(starts: Ints, pages: Ints) -> Ints:
    """Numbers of all the links of ``pages``, in order."""
    first, many = starts[pages], starts[pages + 1] - starts[pages]
    shift = np.repeat(first - np.concatenate(([0], np.cumsum(many)[:-1])), many)
    return np.arange(int(many.sum())) + shift


@dataclass
class Builder:
    """Collects pages and blocks of links."""

    name: str
    rng: np.random.Generator
    skin: str = "html/body"
    """What all tag paths begin with."""
    urls: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    extra: dict[str, int] = field(default_factory=dict)
    kinds: list[str] = field(default_factory=list)
    path_ids: dict[str, int] = field(default_factory=dict)
    posters: int = 0

    def __post_init__(self) -> None:
        self._kind: list[npt.NDArray[np.uint8]] = []
        self._images: list[Ints] = []
        self._covers: list[Ints] = []
        self._bytes: list[Ints] = []
        self._links: list[tuple[Ints, Ints, int, Ints, int]] = []
        self._shows: list[tuple[Ints, Ints]] = []

    def pages(
        self,
        kind: str,
        urls: Sequence[str],
        titles: Sequence[str],
        *,
        images: float = 0.0,
        covers: float = 0.0,
        kilobytes: float = 60.0,
    ) -> Ints:
        """Add pages; gives their numbers. Of images and covers there are so many on average (Poisson)."""
        number, first = len(urls), len(self.urls)
        self.urls += urls
        self.titles += titles
        if kind not in self.kinds:
            self.kinds.append(kind)
        self._kind.append(np.full(number, self.kinds.index(kind), np.uint8))
        of_covers = self.rng.poisson(covers, number)
        pictures = self.rng.poisson(images, number) + of_covers
        self._images.append(pictures)
        self._covers.append(of_covers)
        size = 1000 * kilobytes * self.rng.lognormal(0, 0.4, number) + PICTURE_BYTES * pictures
        self._bytes.append(size.astype(np.int64))
        return np.arange(first, first + number)

    def link(
        self, sources: npt.ArrayLike, targets: npt.ArrayLike, path: str, text: str | None = None, place: int = MAIN
    ) -> None:
        """Link each source to the target beside it; ``text`` None: the target's title."""
        sources, targets = np.broadcast_arrays(np.asarray(sources, np.int64), np.asarray(targets, np.int64))
        number = self.path_ids.setdefault(f"{self.skin}/{path}", len(self.path_ids))
        if text is None:
            texts = targets
        else:
            texts = np.full(len(np.atleast_1d(targets)), -1 - self.extra.setdefault(text, len(self.extra)))
        self._links.append((np.atleast_1d(sources), np.atleast_1d(targets), number, np.atleast_1d(texts), place))

    def block(self, sources: Ints, targets: Ints, path: str, place: int = MAIN, text: str | None = None) -> None:
        """Link every source to every target: menus, footers."""
        self.link(np.repeat(sources, len(targets)), np.tile(targets, len(sources)), path, text, place)

    def some(
        self, sources: Ints, pool: Ints, mean: float, path: str, place: int = MAIN, text: str | None = None
    ) -> None:
        """Link each source to some pages of ``pool``, evenly drawn, so many on average."""
        many = self.rng.poisson(mean, len(sources))
        self.link(np.repeat(sources, many), self.rng.choice(pool, int(many.sum())), path, text, place)

    def listing(
        self,
        kind: str,
        url: Callable[[int], str],
        title: str,
        items: Ints,
        each: int,
        path: str,
        *,
        pager: str = "nav.pagination/ul.pages/li/a.page-link",
        images: float = 0.0,
    ) -> Ints:
        """Pages that list ``items``, ``each`` on one, and lead to the next, the one before, the first and the last."""
        number = max(1, -(-len(items) // each))
        pages = self.pages(kind, [url(n) for n in range(number)], [title] * number, images=images)
        self.link(pages[np.arange(len(items)) // each], items, path)
        if number > 1:
            self.link(pages[:-1], pages[1:], f"{pager}.next", "Next ›")
            self.link(pages[1:], pages[:-1], f"{pager}.prev", "‹ Previous")
            self.link(pages, np.full(number, pages[-1]), pager, f"{number}")
            self.link(pages, np.full(number, pages[0]), pager, "1")
        return pages

    def new_posters(self, pages: Ints, many: Ints | int = 1) -> Ints:
        """Posters that no page has yet; gives their numbers, in the order of ``pages``."""
        on = np.repeat(pages, many)
        numbers = np.arange(self.posters, self.posters + len(on))
        self.posters += len(on)
        self.show(on, numbers)
        return numbers

    def show(self, pages: Ints, posters: Ints) -> None:
        """Posters that other pages may have as well."""
        self._shows.append((pages, posters))

    def site(self) -> Site:
        """All of it. The pages must be there before their links, page 0 first."""
        pages = len(self.urls)
        source = np.concatenate([link[0] for link in self._links])
        target = np.concatenate([link[1] for link in self._links])
        path = np.concatenate([np.full(len(link[0]), link[2], np.int32) for link in self._links])
        text = np.concatenate([link[3] for link in self._links])
        place = np.concatenate([np.full(len(link[0]), link[4], np.uint8) for link in self._links])
        order = np.lexsort((place, source))
        order = order[source[order] != target[order]]
        text = np.where(text < 0, pages - 1 - text, text)
        on = np.concatenate([shown[0] for shown in self._shows] or [np.zeros(0, np.int64)])
        poster = np.concatenate([shown[1] for shown in self._shows] or [np.zeros(0, np.int64)])
        by_page = np.argsort(on, kind="stable")
        shown = np.bincount(on, minlength=pages)
        images = np.concatenate(self._images) + shown
        return Site(
            name=self.name,
            urls=self.urls,
            words=self.titles + list(self.extra),
            kinds=self.kinds,
            kind=np.concatenate(self._kind),
            starts=np.concatenate(([0], np.cumsum(np.bincount(source[order], minlength=pages)))),
            targets=target[order].astype(np.int32),
            paths=path[order],
            texts=text[order].astype(np.int32),
            path_names=list(self.path_ids),
            poster_starts=np.concatenate(([0], np.cumsum(shown))),
            poster_ids=poster[by_page].astype(np.int32),
            images=images.astype(np.int16),
            covers=np.concatenate(self._covers).astype(np.int16),
            size=np.concatenate(self._bytes) + POSTER_BYTES * shown,
        )


def paged(url: str, more: str = "?page={}") -> Callable[[int], str]:
    """URLs of the pages of a list: the first is ``url`` itself."""
    return lambda n: url if n == 0 else url + more.format(n + 1)


def scaled(size: float, number: int) -> int:
    """``number`` of a site of full size, on one of ``size``."""
    return max(100, int(number * size))
