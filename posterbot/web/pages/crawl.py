"""The start page: how a run goes, and what it keeps from now on."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from posterbot.catalogue import live
from posterbot.catalogue.answers import Funnel
from posterbot.catalogue.database import CatalogueError
from posterbot.catalogue.policies import PolicyUse, policy_uses
from posterbot.catalogue.queries import funnel
from posterbot.catalogue.records import Policy
from posterbot.catalogue.runs import FINISHED
from posterbot.frontier.host_rows import HostRow, host_rows
from posterbot.frontier.operate import INTERRUPTED, MAYBE_RUNNING, RUNNING, STOPPED, AtWork, at_work
from posterbot.rejudge.trial import Trial
from posterbot.steering.labels import PolicyError, read_labels
from posterbot.stores.store import StoreError, UnavailableError
from posterbot.web.remembered import Remembered
from posterbot.web.site import PageError, Site, form, run_in, text_of
from posterbot.web.words import in_words, past_in_words, sentence

if TYPE_CHECKING:
    from posterbot.rejudge.rejudge import Rejudged
    from posterbot.steering.client import Crawl

HOSTS, REASONS, POLICIES = 12, 8, 12
"""Rows of the tables."""
MOST_BOXES = 60
"""Labels that are shown as boxes; of a model with more, they are typed."""
ORIGIN = "page"


@dataclass(frozen=True, slots=True)
class View:
    """What the part of the page shows that changes."""

    run: live.RunName
    state: str
    workers: tuple[AtWork, ...]
    pages: live.Pace
    images: live.Pace
    waiting: int
    funnel: Funnel
    reasons: list[tuple[str, int]]
    hosts: list[HostRow]
    host_count: int
    force: live.InForce | None
    uses: list[PolicyUse]

    @property
    def running(self) -> bool:
        """Does somebody work on it, as far as can be told?"""
        return self.state in (RUNNING, MAYBE_RUNNING)


class Pages:
    """The handlers, and what they remember."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._engine = site.engine
        self._trial = Trial(site.engine)
        self._funnels: Remembered[Funnel] = Remembered(lambda run: funnel(site.engine, run))
        self._uses: Remembered[list[PolicyUse]] = Remembered(lambda run: policy_uses(site.engine, run))

    def page(self, request: Request) -> Response:
        """``/?run=N``: the newest run, or that one."""
        return self._page(request)

    def fragment(self, request: Request) -> Response:
        """``/crawl/live?run=N``: the part that changes."""
        view = self._view(self._run(request))
        if view is None:
            raise PageError(404, "There is no run yet.")
        return self._site.page(request, "crawl_live.html", view=view)

    def preview(self, request: Request) -> Response:
        """``/crawl/preview?label=…&threshold=…&run=N``: what a policy would keep, as JSON."""
        run, old = self._old(request)
        asked = request.query_params
        started = time.perf_counter()
        policy = _read(old.policy, asked.getlist("label"), asked.get("labels"), asked.get("threshold"))
        tried = self._trial.of(old.model_id, policy, old.policy)
        took = 1000 * (time.perf_counter() - started)
        return JSONResponse({"run": run, "text": in_words(tried, old.policy), "ms": round(took, 1)})

    def change(self, request: Request) -> Response:
        """The form: change a running crawl, judge the past, or both. An error stands where the form is."""
        fields = form(request)
        run, old = self._old(request)
        policy = _read(
            old.policy, [str(value) for value in fields.getlist("label")], text_of(fields, "labels"),
            text_of(fields, "threshold"),
        )  # fmt: skip
        crawl = self._crawl(run)
        if crawl is None and text_of(fields, "past") is None:
            raise PageError(
                409,
                f"Run {run} has ended, or cannot be steered from here; nothing was changed. Load the page again.",
            )
        said, number = [], None
        if crawl is not None:
            number = self._steer(crawl, policy)
            said.append(f"Policy {number} is in force.")
        if text_of(fields, "past") is not None:
            try:
                said.append(past_in_words(self._judge_past(policy, number)))
            except PageError as error:
                raise PageError(error.status, " ".join([*said, error.message])) from None
        self._forget()
        return self._said(request, run, " ".join(said))

    def pause(self, request: Request) -> Response:
        """The buttons ``pause`` and ``resume``."""
        from posterbot.steering import client

        run = self._run(request)
        wanted = text_of(form(request), "do")
        if run is None or wanted not in ("pause", "resume"):
            raise PageError(400, "Pause or resume? Nothing was changed.")
        crawls = [crawl for crawl in self._crawls() if crawl.run == run]
        if not crawls:
            raise PageError(409, f"Run {run} has ended meanwhile, or cannot be steered from here.")
        try:
            for crawl in crawls:
                (client.pause if wanted == "pause" else client.resume)(crawl)
        except client.SteerError as error:
            raise PageError(409, sentence(error)) from None
        pausing = "takes no new pages; what is in hand comes to its end" if wanted == "pause" else "goes on"
        return self._said(request, run, f"Run {run} {pausing}.")

    def _page(self, request: Request) -> Response:
        run = self._run(request)
        view = self._view(run)
        old = None if view is None else view.force
        if old is None and view is not None:
            old = self._newest()
        labels = () if old is None else old.policy.model.labels
        steerable = view is not None and view.running and self._crawl(view.run.number) is not None
        return self._site.page(
            request,
            "crawl.html",
            view=view,
            old=old,
            labels=labels if len(labels) <= MOST_BOXES else (),
            steerable=steerable,
            runs=live.run_names(self._engine),
            said=request.query_params.get("said", "")[:300] if view is not None else "",
        )

    def _run(self, request: Request) -> int | None:
        run = run_in(request)
        if run is None:
            newest = live.run_names(self._engine, 1)
            return newest[0].number if newest else None
        return run

    def _view(self, run: int | None) -> View | None:
        if run is None:
            return None
        named = self._named(run)
        workers = at_work(self._engine, run)
        pages, images = live.paces(self._engine, run, self._site.clock())
        counted = self._funnels.of(run)
        hosts, host_count = host_rows(self._engine, run, HOSTS)
        return View(
            run=named,
            state=_state(named, workers),
            workers=workers,
            pages=pages,
            images=images,
            waiting=live.waiting(self._engine, run),
            funnel=counted,
            reasons=list(counted.reasons.items())[:REASONS],
            hosts=hosts,
            host_count=host_count,
            force=live.in_force(self._engine, run),
            uses=self._uses.of(run)[::-1][:POLICIES],
        )

    def _named(self, run: int) -> live.RunName:
        try:
            return live.run_name(self._engine, run)
        except LookupError as error:
            raise PageError(404, sentence(error)) from None

    def _old(self, request: Request) -> tuple[int, live.InForce]:
        """The run that is shown, and the policy that a new one would take the place of."""
        run = self._run(request)
        if run is not None:
            self._named(run)
            force = live.in_force(self._engine, run) or self._newest()
            if force is not None:
                return run, force
        raise PageError(409, "There is no policy yet: run a crawl first.")

    def _newest(self) -> live.InForce | None:
        from posterbot.steering.asked_policy import newest_policy

        try:
            return live.InForce(*newest_policy(self._engine))
        except LookupError:
            return None

    def _crawls(self) -> list[Crawl]:
        from posterbot.steering.client import running

        try:
            return running(self._site.catalogue_url)
        except CatalogueError as error:
            raise PageError(503, sentence(error)) from None

    def _crawl(self, run: int) -> Crawl | None:
        return next((crawl for crawl in self._crawls() if crawl.run == run), None)

    def _steer(self, crawl: Crawl, policy: Policy) -> int:
        from posterbot.steering.client import SteerError, change

        try:
            new = change(
                crawl, labels=list(policy.labels), threshold=policy.threshold, author=self._site.reviewer, origin=ORIGIN
            )
        except (SteerError, CatalogueError) as error:
            raise PageError(409, sentence(error)) from None
        return int(new["number"])

    def _judge_past(self, policy: Policy, number: int | None) -> Rejudged:
        from posterbot.rejudge.rejudge import rejudge, rejudge_with

        try:
            if number is not None:
                return rejudge_with(self._engine, number, store=self._site.store)
            return rejudge(
                self._engine,
                labels=", ".join(policy.labels),
                threshold=policy.threshold,
                top=policy.top,
                model=policy.model.hash,
                author=self._site.reviewer,
                store=self._site.store,
            )
        except (PolicyError, LookupError, UnavailableError, StoreError) as error:
            raise PageError(409, f"The past was not judged again: {error}") from None

    def _said(self, request: Request, run: int, said: str) -> Response:
        if "application/json" in request.headers.get("accept", ""):
            return JSONResponse({"said": said})
        from urllib.parse import urlencode

        return RedirectResponse(f"/?{urlencode({'run': run, 'said': said})}", 303)

    def _forget(self) -> None:
        self._funnels.forget()
        self._uses.forget()


def routes(site: Site) -> list[Route]:
    """Of this page."""
    pages = Pages(site)
    return [
        Route("/", pages.page),
        Route("/crawl/live", pages.fragment),
        Route("/crawl/preview", pages.preview),
        Route("/crawl/policy", pages.change, methods=["POST"]),
        Route("/crawl/state", pages.pause, methods=["POST"]),
    ]


def _read(old: Policy, boxes: list[str], typed: str | None, threshold: str | None) -> Policy:
    """A policy as asked for, all else as in ``old``. Raises PageError."""
    from posterbot.steering.live import read_threshold

    try:
        wanted = read_labels(typed if typed is not None else boxes, old.model)
        value = read_threshold(threshold or "", wanted, old.top)
    except PolicyError as error:
        raise PageError(400, f"{sentence(error)} Nothing was changed.") from None
    return Policy(wanted, value, old.model, old.author, ORIGIN, top=old.top)


def _state(run: live.RunName, workers: tuple[AtWork, ...]) -> str:
    if workers:
        return RUNNING if any(worker.sure for worker in workers) else MAYBE_RUNNING
    if run.finish_reason is None:
        return INTERRUPTED
    return FINISHED if run.finish_reason == FINISHED else STOPPED
