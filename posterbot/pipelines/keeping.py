"""Bytes of images that were judged: where they go, and what is known of them there."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from posterbot.catalogue.originals import dropped_bytes, store_of_run, stored_paths
from posterbot.stores.local import LocalStore
from posterbot.stores.opening import open_store
from posterbot.stores.spool import Spool
from posterbot.stores.store import DROPPED, StoreError, UnavailableError, object_path
from posterbot.stores.uploads import Uploads
from posterbot.thumbnail import thumbnail

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Future

    from scrapy.settings import BaseSettings

    from models.analysis import Analysis
    from models.decode import Header
    from posterbot.catalogue.recorder import Recorder
    from posterbot.catalogue.records import Policy
    from posterbot.filters.relevance import Verdict

logger = logging.getLogger(__name__)

REMEMBERED = 10_000
"""Images whose place is remembered, so that one which many pages show is not asked for each time."""
LOOK_EVERY = 200
"""Rejected images between two looks at what all workers have kept of them."""


class KeepDropped(StrEnum):
    """What is kept of rejected images, beside what the catalogue knows."""

    NO = "no"
    REVIEW = "review"
    ALL = "all"


def keep_dropped(settings: BaseSettings) -> KeepDropped:
    """The setting ``KEEP_DROPPED``.

    Raises:
        StoreError: it is none of them.
    """
    given = str(settings["KEEP_DROPPED"]).strip().lower()
    try:
        return KeepDropped(given)
    except ValueError:
        raise StoreError(f"KEEP_DROPPED: {given!r} is none of {', '.join(KeepDropped)}") from None


def check_store(settings: BaseSettings) -> None:
    """Try the store, and the spool where one is needed.

    Raises:
        StoreError: what cannot be used.
    """
    keep_dropped(settings)
    store = open_store(settings["IMAGES_STORE"], settings)
    try:
        store.check()
    except UnavailableError as error:
        raise StoreError(f"IMAGES_STORE: {store.name} does not answer ({error}); is the address right?") from None
    finally:
        store.close()
    if not isinstance(store, LocalStore):
        LocalStore(settings["SPOOL"], "SPOOL").check()


class Keeping:
    """Sees to the bytes of one crawl's images. Belongs to the event loop.

    Args:
        settings: ``IMAGES_STORE``, ``SPOOL``, ``KEEP_DROPPED``, …
        recorder: of the catalogue that knows what is stored.
    """

    def __init__(self, settings: BaseSettings, recorder: Recorder) -> None:
        store = open_store(settings["IMAGES_STORE"], settings)
        local = isinstance(store, LocalStore)
        spool = None if local else Spool(Path(settings["SPOOL"]), store.name, settings.getint("SPOOL_MAX_BYTES"))
        self.uploads = Uploads(store, spool)
        self._recorder = recorder
        others = recorder.call(store_of_run, (recorder.run_id, store.name), urgent=True).result()
        # What the catalogue says is stored may then be elsewhere: so each image is offered to this one. A disk is asked
        # faster than the catalogue.
        self._trusted = not others and not local
        if others:
            logger.warning(
                "IMAGES_STORE: earlier images of this catalogue are in %s; to have them here: posterbot sync %s %s",
                " and ".join(others),
                others[0],
                store.name,
            )
        self._paths: OrderedDict[str, str] = OrderedDict()
        self._policies: dict[Policy, Future[int]] = {}
        self._mode = keep_dropped(settings)
        self._budget, self._used, self._looks = settings.getint("KEEP_DROPPED_MAX_BYTES"), 0, 0

    def judged_by(self, policy: Policy, number: Future[int]) -> None:
        """From now on images may be judged by this policy, which is getting its number."""
        self._policies[policy] = number

    def number_of(self, policy: Policy) -> Future[int]:
        """The number that a policy is getting by which images may be judged."""
        return self._policies[policy]

    async def keep(
        self,
        data: bytes,
        analysis: Analysis,
        header: Header,
        verdict: Verdict,
        policy: Policy,
        facts: Mapping[str, str],
    ) -> str:
        """Have the original stored, once; returns its path when it is in the store or the spool.

        Raises:
            StoreError, UnavailableError, SpoolFullError: it is in neither.
        """
        sha256 = analysis.sha256
        path = self._paths.get(sha256)
        if path is None and self._trusted:
            path = await asyncio.wrap_future(self._recorder.call(stored_paths, sha256))
        if path is None:
            path = object_path(sha256, header.extension)
            await self.uploads.save(path, data, header.media_type, self._described(facts, verdict, policy))
        self._paths[sha256] = path
        if len(self._paths) > REMEMBERED:
            self._paths.popitem(last=False)
        return path

    async def drop(
        self,
        data: bytes,
        analysis: Analysis,
        header: Header,
        verdict: Verdict,
        policy: Policy,
        facts: Mapping[str, str],
    ) -> tuple[str, int] | None:
        """Keep what ``KEEP_DROPPED`` wants of a rejected image, if the store takes it: path and size in bytes."""
        if self._mode is KeepDropped.NO or analysis.scores is None or not await self._within_budget():
            return None
        media_type, extension = header.media_type, header.extension
        if self._mode is KeepDropped.REVIEW:
            data = await self.uploads.run(thumbnail, data)
            media_type, extension = "image/jpeg", "jpg"
        path = f"{DROPPED}/{object_path(analysis.sha256, extension)}"
        if not await self.uploads.offer(path, data, media_type, self._described(facts, verdict, policy)):
            return None
        self._used += len(data)
        return path, len(data)

    async def _within_budget(self) -> bool:
        if self._looks % LOOK_EVERY == 0:
            self._used = await asyncio.wrap_future(self._recorder.call(dropped_bytes, None))
        self._looks += 1
        return self._used < self._budget

    def _described(self, facts: Mapping[str, str], verdict: Verdict, policy: Policy) -> dict[str, str]:
        said = {**facts, "label": verdict.label or "", "labels": ",".join(policy.labels)}
        if verdict.score is not None:
            said["score"] = f"{verdict.score:.4f}"
        number = self._policies.get(policy)
        if number is not None and number.done() and number.exception() is None:
            said["policy"] = str(number.result())
        return {name: value for name, value in said.items() if value}
