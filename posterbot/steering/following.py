"""Several workers of one run judge by one policy: each follows what another has put in force."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING

from posterbot.catalogue.database import CatalogueError
from posterbot.catalogue.policies import Recorded, newest_policies
from posterbot.steering.display import in_words
from posterbot.steering.labels import PolicyError
from posterbot.steering.loading import aside, find

if TYPE_CHECKING:
    from posterbot.catalogue.recorder import Recorder
    from posterbot.catalogue.records import Policy
    from posterbot.steering.live import LivePolicy

logger = logging.getLogger(__name__)

FOLLOW_SECONDS = 0.5
"""How often we look whether another worker of the run has changed the policy."""
NAMES = 50
"""Names of models that are remembered."""


class Following:
    """Looks at the newest policy of the run, and puts it in force here. Belongs to the event loop.

    Args:
        recorder: of the run.
        policy: the one in force here.
        number_of: the number that a policy is getting.
        model: by what name or path the model was asked for.
        known: number of the newest policy of the run that was seen to.
    """

    def __init__(
        self,
        recorder: Recorder,
        policy: LivePolicy,
        number_of: Callable[[Policy], Future[int]],
        model: str,
        known: int,
    ) -> None:
        self._recorder, self._policy, self._number_of = recorder, policy, number_of
        self._names = [model]
        self._followed = known
        """Newest number that another worker gave, and that was seen to."""
        self.turn = asyncio.Lock()
        """Held by who loads a model: what was asked for last is what stays."""

    def remember(self, model: str) -> None:
        """A name or path by which a model may be found that another worker has taken."""
        self._names = [*dict.fromkeys([model, *self._names])][:NAMES]

    async def run(self) -> None:
        """Look, until the catalogue cannot be read any more: then the session has said so, and ends the crawl."""
        while True:
            await asyncio.sleep(FOLLOW_SECONDS)
            try:
                asked = (self._recorder.run_id, self._known() or 0)
                newest = await asyncio.wrap_future(self._recorder.call(newest_policies, asked))
            except CatalogueError:
                return
            if newest is not None:
                await self._take_over(newest)

    def _known(self) -> int | None:
        """Number of the newest policy that is known here; None while one of ours is still getting its."""
        number = self._number_of(self._policy.current)
        if not number.done():
            return None
        return self._followed if number.exception() else max(self._followed, number.result())

    async def _take_over(self, newest: Recorded) -> None:
        """Judge by what another worker has put in force; of two changes the one with the later number."""
        model = None
        if newest.policy.model.hash != self._policy.current.model.hash:
            try:
                async with self.turn:
                    model = await aside(find, newest.policy.model, [newest.policy.model.name, *self._names])
            except PolicyError as error:
                logger.error("policy %d is not followed: %s", newest.number, error)
                self._followed = max(self._followed, newest.number)
                return
        known = self._known()
        if known is None or known >= newest.number:
            return
        self._followed = newest.number
        self._policy.follow(newest.policy, model)
        logger.info("policy %d: %s (%s)", newest.number, in_words(newest.policy), newest.policy.author)
