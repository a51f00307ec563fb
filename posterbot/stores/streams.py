"""Millions of objects, a few at a time: what several places have under one path, and work on it in threads."""

from __future__ import annotations

import heapq
import re
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import groupby
from typing import Any, Protocol, TypeVar

from posterbot.stores.store import DROPPED, LOST_AND_FOUND, Stat

_SHA256 = re.compile(r"([0-9a-f]{64})\.[^/]*")

Argument = TypeVar("Argument")
Answer = TypeVar("Answer")


class HasPath(Protocol):
    """Something in a store, or said to be there."""

    @property
    def path(self) -> str:
        """Relative to the store."""


def order(thing: HasPath) -> bytes:
    """What stores list by."""
    return thing.path.encode("utf-8", "surrogateescape")


def side_by_side(*streams: Iterable[HasPath]) -> Iterator[tuple[list[Any], ...]]:
    """What several streams in the order of paths have of one path: for each path a list for each stream."""

    def tagged(number: int, stream: Iterable[HasPath]) -> Iterator[tuple[bytes, int, HasPath]]:
        return ((order(thing), number, thing) for thing in stream)

    merged = heapq.merge(*(tagged(*pair) for pair in enumerate(streams)), key=lambda entry: entry[:2])
    for _, entries in groupby(merged, key=lambda entry: entry[0]):
        together: tuple[list[Any], ...] = tuple([] for _ in streams)
        for _, number, thing in entries:
            together[number].append(thing)
        yield together


def in_parallel(
    call: Callable[[Argument], Answer], arguments: Iterable[Argument], threads: int, hurry: Callable[[], None]
) -> Generator[Answer, None, None]:
    """``call`` of each argument in turn, a few at once; no more than three times ``threads`` are under way.

    Where it ends early, by an error or because nobody wants the next answer, what has begun is finished first;
    ``hurry`` is called to say that somebody waits for it. To be closed by who does not read it to its end.
    """
    under_way: deque[Future[Answer]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="store") as pool:
        try:
            for argument in arguments:
                under_way.append(pool.submit(call, argument))
                if len(under_way) > 2 * threads:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        except BaseException:
            hurry()
            for future in under_way:
                future.cancel()
            raise


def sha256_of_name(path: str) -> str | None:
    """What the bytes under ``path`` must hash to; None where the name does not say."""
    match = _SHA256.fullmatch(path.rpartition("/")[2])
    # What is kept of rejected images has their names, and may be a small picture of them.
    return match[1] if match and not path.startswith(DROPPED + "/") else None


def of_images(found: Iterable[Stat]) -> Iterator[Stat]:
    """Without what ``posterbot fsck --repair`` has put out of the way."""
    return (one for one in found if not one.path.startswith(LOST_AND_FOUND + "/"))
