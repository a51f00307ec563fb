"""A running crawl as people steer it: at the telnet console, by ``posterbot steer``, from the review page.

All three come here. A change is checked, in force at once for every image whose scores have not come yet, recorded as
the next policy of the run, and followed by the other workers of the run, which look at the catalogue twice a second.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from types import EllipsisType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from scrapy.extensions.telnet import update_telnet_vars

from posterbot.catalogue.database import CatalogueError
from posterbot.catalogue.policies import Recorded, policy_uses
from posterbot.catalogue.rows import clean
from posterbot.steering.console import HELP, Answer, console, names, refused
from posterbot.steering.display import hosts_text, in_words, policies_text, policy_text, status_text
from posterbot.steering.following import Following
from posterbot.steering.labels import PolicyError
from posterbot.steering.live import CONSOLE
from posterbot.steering.loading import aside, load
from posterbot.steering.report import host_states, policy_as_dict, status_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from models.classifier import Classifier
    from posterbot.catalogue.records import Policy
    from posterbot.frontier.session import Session
    from posterbot.steering.live import LivePolicy

logger = logging.getLogger(__name__)

ORIGINS = ("steer", "page", "learn")
"""Where a change from outside may come from."""
LONGEST_NAME = 100
"""Characters of an author."""


class Control:
    """Steers one crawl. Belongs to the event loop.

    Args:
        crawler: whose engine is paused.
        session: of the crawl.
        policy: the one in force; its listeners record it.
        number_of: the number that a policy is getting.
        model: by what name or path the model was asked for.
        known: number of the newest policy of the run that was seen to.
    """

    def __init__(
        self,
        crawler: Crawler,
        session: Session,
        policy: LivePolicy,
        number_of: Callable[[Policy], Future[int]],
        model: str,
        known: int = 0,
    ) -> None:
        self._crawler, self._session, self._policy, self._number_of = crawler, session, policy, number_of
        self._loading: list[str] = []
        self._following = Following(session.recorder, policy, number_of, model, known)
        self._closed = False
        self._tasks = {asyncio.ensure_future(self._following.run())}
        _controls[crawler] = self
        crawler.signals.connect(self._telnet, update_telnet_vars)

    # --- what people type -----------------------------------------------------------------------------------------

    def labels(self, labels: str | Iterable[str] | EllipsisType = ...) -> Answer:
        """The labels kept; or keep these. Raises PolicyError."""
        if isinstance(labels, EllipsisType):
            return Answer(", ".join(self._policy.current.labels))
        return self._now(labels=labels)

    def threshold(self, threshold: float | str | EllipsisType = ...) -> Answer:
        """The probability from which an image is kept; or keep from this one on. Raises PolicyError."""
        if isinstance(threshold, EllipsisType):
            return Answer(f"{self._policy.current.threshold:g}")
        return self._now(threshold=threshold)

    def top(self, top: int | str | EllipsisType | None = ...) -> Answer:
        """Among so many likeliest labels must be a wanted one; None takes that away. Raises PolicyError."""
        if isinstance(top, EllipsisType):
            return Answer(self._policy.current.top or "not asked")
        return self._now(top=top)

    def model(self, name: str | EllipsisType = ..., labels: str | Iterable[str] | None = None) -> Answer:
        """The name of the model; or take another, which is loaded first. What became of that is said when it is done.

        Raises PolicyError.
        """
        if isinstance(name, EllipsisType):
            return Answer(self._policy.current.model.name)
        if not isinstance(name, str):
            raise PolicyError(f"model {name!r}: give the name of a model, or its path")
        self._check_open()
        self._later(self._swapped(name, labels))
        return Answer(f"loading {name}; until it is there, {in_words(self._policy.current)}")

    def status(self) -> Answer:
        """How the crawl goes."""
        return Answer(status_text(self.report()))

    def hosts(self) -> Answer:
        """The hosts that this process has on lease."""
        return Answer(hosts_text(host_states(self._session)))

    def policies(self) -> Answer:
        """All policies of the run, when they have been counted."""
        self._later(self._counted())
        return Answer("")

    def pause(self) -> Answer:
        """Take no new pages; what is in hand comes to its end."""
        self._check_open()
        engine = self._crawler.engine
        assert engine is not None
        engine.pause()
        return Answer("paused: no new pages until resume()")

    def resume(self) -> Answer:
        """Take pages again."""
        self._check_open()
        engine = self._crawler.engine
        assert engine is not None
        engine.unpause()
        slot = getattr(engine, "_slot", None)
        if slot is not None:
            slot.nextcall.schedule()
        return Answer("goes on")

    # --- what programs ask ----------------------------------------------------------------------------------------

    async def change(
        self,
        *,
        labels: str | Iterable[str] | None = None,
        threshold: float | str | None = None,
        top: int | str | EllipsisType | None = ...,
        model: str | None = None,
        author: str | None = None,
        origin: str,
    ) -> Recorded:
        """Change the policy; what is not given stays as it is. Returns when it is recorded.

        Models are loaded one after the other, so that the one asked for last is the one that stays.

        Raises:
            PolicyError: wrong labels, threshold or top, or a model that cannot be used; nothing has changed.
            CatalogueError: it could not be recorded; the crawl ends.
        """
        self._check_open()
        wanted: dict[str, Any] = {"labels": labels, "threshold": threshold, "top": top}
        if model is None:
            policy = self._policy.change(**wanted, author=author, origin=origin)
        else:
            classifier = await self._load(model)
            self._check_open()
            policy = self._policy.change(**wanted, model=classifier, author=author, origin=origin)
        return Recorded(await asyncio.wrap_future(self._number_of(policy)), policy)

    def remember(self, model: str) -> None:
        """Where a model lies that another worker of this run is about to take."""
        self._following.remember(model)

    def report(self) -> dict[str, Any]:
        """How it goes, as plain data."""
        number = self._number_of(self._policy.current)
        done = number.done() and number.exception() is None
        return status_of(self._crawler, self._session, self._policy, number.result() if done else None, self._loading)

    def close(self) -> None:
        """The crawl is at its end: nothing can be changed any more."""
        self._closed = True
        for task in self._tasks:
            task.cancel()

    # --- how it is done -------------------------------------------------------------------------------------------

    def _check_open(self) -> None:
        if self._closed:
            raise PolicyError("the crawl is at its end")

    def _now(self, **wanted: Any) -> Answer:
        self._check_open()
        return Answer(in_words(self._policy.change(**wanted, origin=CONSOLE)))

    def _telnet(self, telnet_vars: dict[str, Any]) -> None:
        telnet_vars |= names(self)
        telnet_vars["help"] = Answer(f"{HELP}\n{telnet_vars['help']}")

    def _later(self, work: Any) -> None:
        """Do it, and show at the console that asked, if any, what comes of it."""
        show = console() or logger.info

        async def done() -> None:
            try:
                show(await work)
            except PolicyError as error:
                show(refused(error))
            except CatalogueError as error:
                show(str(error))

        task = asyncio.ensure_future(done())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _swapped(self, name: str, labels: str | Iterable[str] | None) -> str:
        changed = await self.change(model=name, labels=labels, origin=CONSOLE)
        return policy_text(policy_as_dict(changed.policy, changed.number))

    async def _counted(self) -> str:
        uses = await aside(policy_uses, self._session.engine, self._session.recorder.run_id)
        return policies_text(uses)

    async def _load(self, name: str) -> Classifier:
        self._loading.append(name)
        try:
            async with self._following.turn:
                classifier = await aside(load, name)
        finally:
            self._loading.remove(name)
        self.remember(name)
        return classifier


_controls: WeakKeyDictionary[Crawler, Control] = WeakKeyDictionary()


def control_of(crawler: Crawler) -> Control:
    """Raises PolicyError where ``crawler`` has not begun."""
    control = _controls.get(crawler)
    if control is None:
        raise PolicyError("the crawl has not begun")
    return control


async def remote(crawler: Crawler, text: str) -> str:
    """Answer one question of :mod:`posterbot.steering.client`, JSON for JSON: ``{"ok": …}`` or ``{"error": line}``."""
    try:
        return json.dumps({"ok": await _answer(crawler, json.loads(text))})
    except (PolicyError, CatalogueError) as error:
        return json.dumps({"error": str(error)})


async def _answer(crawler: Crawler, asked: dict[str, Any]) -> Any:
    control, what = control_of(crawler), asked.pop("do")
    if what == "change":
        changed = await control.change(**_checked(asked))
        return policy_as_dict(changed.policy, changed.number)
    if what == "remember":
        control.remember(str(asked["model"]))
    elif what == "pause":
        control.pause()
    elif what == "resume":
        control.resume()
    elif what != "status":
        raise PolicyError(f"this crawl does not understand {what!r}: is it of another version?")
    return control.report()


def _checked(asked: dict[str, Any]) -> dict[str, Any]:
    """Arguments for ``change``. Raises PolicyError where one is of a type that nobody can have meant."""
    wanted = {name: asked[name] for name in ("labels", "threshold", "top", "model") if name in asked}
    labels, model = wanted.get("labels"), wanted.get("model")
    if labels is not None and not isinstance(labels, (str, list)):
        raise PolicyError(f"labels {labels!r}: give their names, with commas between")
    if model is not None and not isinstance(model, str):
        raise PolicyError(f"model {model!r}: give the name of a model, or its path")
    author, origin = clean(str(asked.get("author", ""))).strip()[:LONGEST_NAME], asked.get("origin")
    if not author or origin not in ORIGINS:
        raise PolicyError(f"who changes it, and from where ({' or '.join(ORIGINS)}), has to be said")
    return wanted | {"author": author, "origin": origin}
