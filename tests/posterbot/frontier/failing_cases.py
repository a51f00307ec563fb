"""A crawl in which something has failed, on whatever database."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from frontier_cases import Part
from sqlalchemy import Engine, func

from posterbot.catalogue.recorder import Recorder
from posterbot.catalogue.records import Image, Model, Outcome, Page, Policy
from posterbot.catalogue.runs import end_run
from posterbot.catalogue.schema import frontier, queues
from posterbot.frontier.again import AGAIN
from posterbot.frontier.records import Failed, State

POLICY = Policy(("poster",), 0.5, Model("web-images", "a" * 64, ("poster", "photo")), "anna", "arguments")


def fail(part: Part, reasons: dict[str, str], retry_in: float | None = None) -> None:
    """URL → why it failed."""
    part.add(*reasons)
    leased = part.lease(len(reasons))
    part.do(part.frontier.fail, *(Failed(leased[url], reason, retry_in) for url, reason in reasons.items()))


def leave(part: Part, reason: str = "finished") -> None:
    assert part.do(part.worker.leave, reason)
    with part.begin() as connection:
        end_run(connection, part.run, reason)  # also where it has left something over


def record(engine: Engine, *outcomes: Outcome) -> None:
    recorder = Recorder(engine, spider="posters", arguments={}, version="1", job="job")
    written = [recorder.outcome(outcome) for outcome in outcomes]
    recorder.close(None)
    assert [future.result() for future in written] == [None] * len(outcomes)


def lost(page: Page, name: str, reason: str = "timeout", **more: Any) -> Outcome:
    return Outcome(page, f"https://images.example/{name}.jpg", "img", reason=reason, **more)


def refused(page: Page, name: str, path: str | None = None) -> Outcome:
    """A picture that is wanted, and that the store has taken or not."""
    return Outcome(
        page,
        f"https://images.example/{name}.jpg",
        "img",
        image=Image(name[0] * 64, 1, "JPEG", 600, 900, "0" * 16, path),
        scores=np.array([0.75, 0.25], "<f4"),
        policy=POLICY,
        keep=path is not None,
        verdict_reason="relevant" if path else "store_failed",
    )


def waiting(part: Part) -> list[int]:
    """As counted, and as there is."""
    counted = part.value(func.sum(queues.c.waiting), queues.c.run_id == part.run)
    return [int(counted), part.count(frontier, frontier.c.run_id == part.run, frontier.c.state == State.PENDING)]


def images_again(part: Part, page: int) -> list[str]:
    """Names of the images of a page that wait to be fetched again."""
    url = f"posterbot://again?page={page}"
    stored = part.value(frontier.c.request, frontier.c.run_id == part.run, frontier.c.url == url)
    images = json.loads(stored)["meta"][AGAIN]["images"]
    return sorted(image["candidate"]["url"].rpartition("/")[2] for image in images)
