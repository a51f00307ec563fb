"""The start page: numbers that are true, and changes that are made whole or not at all."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from serve_http import Client
from serve_world import LABELS, MODEL, POLICY, World
from sqlalchemy import Engine, insert, select

from posterbot.catalogue import live
from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.records import Policy
from posterbot.catalogue.schema import images, models, policies, scores, verdicts
from posterbot.rejudge.trial import Trial, Tried


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, 12)
    yield world
    world.close()


def preview(client: Client, asked: str) -> dict[str, Any]:
    said = client.get(f"/crawl/preview?{asked}", Accept="application/json")
    answer: dict[str, Any] = json.loads(said.text)
    assert (said.status == 200) == ("text" in answer), said
    return answer


def last_policy(engine: Engine) -> Any:
    with engine.connect() as connection:
        return connection.execute(select(policies).order_by(policies.c.id.desc()).limit(1)).one()


def many(engine: Engine, number: int) -> int:
    """So many more images with scores; number of their model."""
    with engine.begin() as connection:
        model = connection.scalar(select(models.c.id)) or 0
        first = (connection.scalar(select(images.c.id).order_by(images.c.id.desc()).limit(1)) or 0) + 1
        chance = np.random.default_rng(0).random((number, len(LABELS)), np.float32)
        now = datetime.now(UTC)
        connection.execute(
            insert(images),
            [
                {"id": first + n, "sha256": f"{n:064x}", "format": "JPEG", "first_seen_at": now}
                | dict.fromkeys(("bytes", "width", "height"), 1)
                for n in range(number)
            ],
        )
        connection.execute(
            insert(scores), [{"image_id": first + n, "model_id": model, "vector": chance[n]} for n in range(number)]
        )
        return model


def test_the_page_says_what_the_catalogue_says(world: World) -> None:
    with world.served() as address:
        client = Client(address)
        for path in ("/", "/crawl/live", f"/?run={world.run}"):
            text = " ".join(client.get(path).text.split())
            assert "finished" in text
            assert "<dt>Kept</dt><dd>8</dd>" in text
            assert "not relevant" in text
            assert "in force" in text
        assert client.get("/?run=77").status == 404
        assert [client.get(f"/?run={run}").status for run in ("-1", "x", "1%2B1", "9" * 30)] == [400] * 4


def test_hostile_texts_stay_texts(world: World) -> None:
    evil = Policy(("poster",), 0.5, MODEL, "<script>alert(1)</script>\x1b[2J", "arguments")
    world.crawl(range(12, 13), evil, reason=None)
    with world.served() as address:
        text = Client(address).get("/").text
    assert "<script>alert" not in text
    assert "\x1b" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_paces_count_the_last_minutes(world: World) -> None:
    pages, found = live.paces(world.engine, world.run, datetime.now(UTC))
    assert pages.rate == pytest.approx(12 / 60)
    assert found.rate == pytest.approx(12 / 60)
    assert sum(found.bins) == 12
    later = live.paces(world.engine, world.run, datetime.now(UTC) + timedelta(minutes=2))[0]
    assert later.rate == 0
    assert sum(later.bins) == 12
    assert live.paces(world.engine, 99, datetime.now(UTC))[0].rate == 0


def test_live_questions_on_both_databases(catalogue_url: str, tmp_path: Path) -> None:
    world = World(tmp_path, 0)
    world.engine.dispose()
    world.url, world.engine = catalogue_url, open_catalogue(catalogue_url)
    run = world.crawl(range(12))
    force = live.in_force(world.engine, run)
    assert force is not None
    assert force.policy.labels == ("poster",)
    assert live.paces(world.engine, run, datetime.now(UTC))[1].rate == pytest.approx(12 / 60)
    assert live.waiting(world.engine, run) == 0
    assert [one.number for one in live.run_names(world.engine)] == [run]
    tried = Trial(world.engine).of(force.model_id, Policy(("photo",), 0.5, MODEL, "", ""), force.policy)
    assert tried == Tried(12, 4, 8, None)
    world.close()


def test_a_preview_says_what_rejudging_then_does(world: World) -> None:
    with world.served() as address:
        client = Client(address)
        assert preview(client, "label=poster&threshold=0.6")["text"] == (
            "Of 12 images scored so far 7 instead of 8 would be kept."
        )
        assert preview(client, "label=poster&label=photo&threshold=0.3")["text"].endswith(
            "12 instead of 8 would be kept."
        )
        assert preview(client, "labels=poster&threshold=0.5")["text"].endswith("8 would be kept, as many as now.")
        said = client.post("/crawl/policy", {"label": "poster", "threshold": "0.6", "past": "yes"})
        assert json.loads(said.text)["said"] == "Judged 12 images again: 0 are newly kept, 1 newly dropped."
        new = last_policy(world.engine)
        assert (new.labels, new.threshold, new.origin) == (["poster"], 0.6, "rejudge")
        with world.engine.connect() as connection:
            kept = connection.scalars(select(verdicts.c.keep).where(verdicts.c.policy_id == new.id)).all()
        assert sum(kept) == 7


def test_a_preview_sees_what_has_come_since(world: World) -> None:
    with world.served() as address:
        client = Client(address)
        assert "Of 12 images" in preview(client, "label=poster&threshold=0.6")["text"]
        world.crawl(range(12, 18))
        assert "Of 18 images scored so far 10 " in preview(client, "label=poster&threshold=0.6")["text"]
        image = world.outcome(18).image
        assert image is not None
        world.crawl(range(18, 19), image=replace(image, quality=(1.0, 1.0, 0.1)))
        assert "Of 19 images scored so far 10 " in preview(client, "label=poster&threshold=0.6")["text"], "it is flat"


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"label": "posters", "threshold": "0.5"}, "Unknown label 'posters'"),
        ({"threshold": "0.5"}, "No label given"),
        ({"label": "poster", "threshold": "0"}, "Threshold"),
        ({"label": "poster", "threshold": "1"}, "Threshold"),
        ({"label": "poster", "threshold": "NaN"}, "Threshold"),
        ({"label": "poster", "threshold": "1e999"}, "Threshold"),
        ({"label": "poster", "threshold": "-0.5"}, "Threshold"),
        ({"label": "poster", "threshold": "half"}, "Threshold"),
        ({"label": "poster"}, "Threshold"),
        ({"label": "poster\x00", "threshold": "0.5"}, "Unknown label"),
        ({"labels": "poster, nonsense", "threshold": "0.5"}, "Unknown label 'nonsense'"),
    ],
)
def test_a_wrong_value_is_one_sentence_and_changes_nothing(world: World, fields: dict[str, str], wrong: str) -> None:
    before = last_policy(world.engine)
    with world.served() as address:
        client = Client(address)
        assert preview(client, urlencode(fields))["error"].startswith(wrong)
        said = client.post("/crawl/policy", {**fields, "past": "yes"})
    assert said.status == 400
    assert json.loads(said.text)["error"].startswith(wrong)
    assert "Nothing was changed." in said.text
    assert last_policy(world.engine) == before


def test_a_crawl_that_has_ended_is_not_changed(world: World) -> None:
    before = last_policy(world.engine)
    with world.served() as address:
        client = Client(address)
        said = client.post("/crawl/policy", {"label": "poster", "threshold": "0.6"})
        paused = client.post("/crawl/state", {"do": "pause"})
        nonsense = client.post("/crawl/state", {"do": "explode"})
        unknown = client.post("/crawl/policy?run=99", {"label": "poster", "threshold": "0.6", "past": "yes"})
    assert said.status == 409
    assert "has ended" in said.text
    assert paused.status == 409
    assert nonsense.status == 400
    assert unknown.status == 404
    assert last_policy(world.engine) == before


def test_a_sample_stands_for_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("posterbot.rejudge.trial.SAMPLE", 2000)
    world = World(tmp_path, 1)
    model = many(world.engine, 8000)
    tried = Trial(world.engine).of(model, Policy(("poster",), 0.25, MODEL, "", ""), POLICY)
    world.close()
    assert tried.sampled == 2000
    assert tried.scored == 8001
    assert tried.would == pytest.approx(6000, rel=0.05)
    assert tried.does == pytest.approx(4000, rel=0.07)


def test_a_preview_of_many_is_fast(tmp_path: Path) -> None:
    world = World(tmp_path, 1)
    model = many(world.engine, 20_000)
    trial = Trial(world.engine)
    policy = Policy(("poster", "photo"), 0.25, MODEL, "", "")
    trial.of(model, policy, POLICY)
    started = time.perf_counter()
    for _ in range(5):
        trial.of(model, policy, POLICY)
    assert (time.perf_counter() - started) / 5 < 3
    world.close()
