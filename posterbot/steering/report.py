"""The state of a running crawl as plain data, for a console, another process or a page."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from posterbot.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scrapy.crawler import Crawler

    from posterbot.catalogue.records import Policy
    from posterbot.frontier.session import Session
    from posterbot.steering.live import LivePolicy

HOSTS = 100
"""Hosts that are named."""
CRAWLING, PAUSED, ENDING = "crawling", "paused", "ending"


def policy_as_dict(policy: Policy, number: int | None) -> dict[str, Any]:
    """A policy; ``number`` is None where it is just being recorded."""
    return {
        "number": number,
        "labels": list(policy.labels),
        "threshold": policy.threshold,
        "top": policy.top,
        "model": policy.model.name,
        "author": policy.author,
        "origin": policy.origin,
        "at": policy.at.isoformat(),
    }


def status_of(
    crawler: Crawler, session: Session, policy: LivePolicy, number: int | None, loading: Sequence[str]
) -> dict[str, Any]:
    """How the crawl goes, as JSON can hold it. Numbers are of this process since it began, not of the whole run."""
    engine, stats = crawler.engine, session.stats
    slot = getattr(engine, "_slot", None)
    progress = crawler.get_extension(Progress)
    started = getattr(engine, "start_time", None)
    dropped = "posterbot/dropped/"
    counts = stats.get_stats()
    if session.stopping or (slot is not None and slot.closing is not None):
        state = ENDING
    else:
        state = PAUSED if engine is not None and engine.paused else CRAWLING
    return {
        "pid": os.getpid(),
        "run": session.recorder.run_id,
        "spider": crawler.spider.name if crawler.spider else "",
        "state": state,
        "seconds": 0.0 if started is None else round(time.time() - started, 1),
        "policy": policy_as_dict(policy.current, number),
        "known_labels": list(policy.current.model.labels),
        "loading": list(loading),
        **{
            name: int(counts.get(f"posterbot/{name}", 0))
            for name in ("pages", "pages_failed", "candidates", "images", "kept", "dropped", "bytes")
        },
        "reasons": {key.removeprefix(dropped): int(n) for key, n in counts.items() if key.startswith(dropped)},
        "rate": 0.0 if progress is None else round(progress.rate, 1),
        "pages_in_hand": len(session.out),
        "queued": 0 if slot is None else len(slot.scheduler),
        "hosts": host_states(session),
    }


def host_states(session: Session) -> list[dict[str, Any]]:
    """The hosts on lease, those asked most first; times are seconds from now."""
    held = sorted(session.hosts.held(), key=lambda host: (-host.requests, host.name))
    return [
        {
            "host": host.name,
            "pages_in_hand": session.out_of.get(host.name, 0),
            "requests": host.requests,
            "bytes": host.bytes,
            "gap": host.gap,
            "crawl_delay": host.crawl_delay,
            "failures": host.failures,
            "closed_for": round(host.closed_for, 1),
            "closed_reason": host.closed_reason,
        }
        for host in held[:HOSTS]
    ]
