"""What the catalogue knows of an image counts only with scores of the model that is in force."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from catalogue.catalogue_records import judged, page
from scrapy.settings import Settings
from steered import second_model

from models.registry import load_model
from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.recorder import Recorder
from posterbot.catalogue.records import Outcome, Policy
from posterbot.pipelines.looking import Looking
from posterbot.steering.live import LivePolicy


class Session:
    """As much of one as looking at what is known needs."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder


def outcome(policy: Policy) -> Outcome:
    """An image that was dropped, with scores of the policy's model."""
    scores = np.full(len(policy.model.labels), 0.01, np.float32)
    return judged("a", page(), keep=False, scores=scores, policy=policy)


def test_scores_of_another_model_are_asked_for_anew(tmp_path: Path) -> None:
    engine = open_catalogue(f"sqlite:///{tmp_path}/catalogue.db")
    recorder = Recorder(engine, spider="posters", arguments={}, version="1")
    live = LivePolicy(load_model(), "poster")
    settings = Settings()
    settings.setmodule("posterbot.settings")
    crawler: Any = SimpleNamespace(settings=settings, stats=object())
    session, parts = Session(recorder), SimpleNamespace(policy=live, opt_outs=None)
    looking = Looking(crawler, session, None, None, parts)  # type: ignore[arg-type]
    recorder.outcome(outcome(live.current)).result()
    ours, mine = load_model(), load_model(str(second_model(tmp_path / "my-head")))
    url = outcome(live.current).url

    async def known() -> tuple[int, Policy | None]:
        run, seen = await looking._known(url)
        assert seen is None or (seen.scores is not None and seen.policy is not None)
        assert seen is None or len(seen.scores) == len(seen.policy.model.labels)  # type: ignore[arg-type, union-attr]
        return run, None if seen is None else seen.policy

    async def swap() -> None:
        await looking.look_up([url])
        assert await known() == (1, live.current)
        live.change(model=mine, origin="console")
        assert await known() == (0, None)  # its bytes are needed: that model has not seen it
        live.change(model=ours, origin="console")
        await looking.look_up([url])
        recorder.outcome(outcome(live.change(model=mine, origin="console"))).result()
        live.change(threshold=0.9, origin="console")
        assert await known() == (1, live.current)
        live.change(model=ours, threshold=0.8, origin="console")
        assert await known() == (1, live.current)

    asyncio.run(swap())
    recorder.close(None)
    engine.dispose()
