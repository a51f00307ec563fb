"""What is refused before it counts: values from outside, and models that would fail where they score."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy.crawler import Crawler
from scrapy.spiders import Spider
from steered import LABELS, second_model

from models.registry import load_model
from models.taught import Head
from posterbot.catalogue.policies import decide_alike
from posterbot.catalogue.records import Model, Policy
from posterbot.steering.console import Answer, answering
from posterbot.steering.control import _checked, remote
from posterbot.steering.display import in_words, policy_text
from posterbot.steering.labels import PolicyError
from posterbot.steering.live import LivePolicy
from posterbot.steering.loading import aside, find, load
from posterbot.steering.report import policy_as_dict


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    return second_model(tmp_path / "my-head")


def test_a_model_comes_with_the_policy(mine: Path) -> None:
    live = LivePolicy(load_model(), "poster, card", 0.5, 20)
    model = load_model(str(mine))
    told: list[tuple[Policy, str]] = []
    live.listeners.append(lambda policy: told.append((policy, live.classifier.name)))
    old = live.current
    wrong = (
        ({}, "unknown label 'card': my-head knows poster, album_cover, photo; give labels together with the model"),
        ({"labels": "art"}, "unknown label 'art': my-head knows poster, album_cover, photo"),
        ({"labels": "photo"}, "top 20: give a whole number from 1 to 3, the number of labels of my-head"),
        ({"labels": "photo", "top": 2, "threshold": 7}, "threshold 7: give a number between 0 and 1"),
    )
    for wanted, said in wrong:
        with pytest.raises(PolicyError) as caught:
            live.change(**wanted, model=model, author="ann", origin="page")  # type: ignore[arg-type]
        assert str(caught.value).startswith(said)
    assert (live.current, live.classifier.name, told) == (old, "web-images", [])
    new = live.change(labels="photo, poster", top=None, model=model, author="ann", origin="page")
    assert told == [(new, "my-head")]
    assert (new.labels, new.model.labels, new.author) == (("photo", "poster"), LABELS, "ann")
    assert (new.threshold, new.top) == (0.5, None)
    # Labels that both have stay; and the next who changes something is somebody else.
    back = live.change(labels="poster", model=load_model(), origin="console")
    assert back.model == old.model
    assert back.author != "ann"
    assert not decide_alike(back, old)


def test_where_labels_have_other_names_it_is_said(tmp_path: Path) -> None:
    base = second_model(tmp_path / "base", ("cat", "dog, puppy"))
    live = LivePolicy(load_model(str(base)), "puppy")
    with pytest.raises(PolicyError, match=r"^unknown label 'dog, puppy': .*; give labels together with the model$"):
        live.change(model=load_model(str(second_model(tmp_path / "a", ("dog", "cat")))), origin="console")
    live = LivePolicy(load_model(str(second_model(tmp_path / "b", ("dog", "cat")))), "dog")
    with pytest.raises(PolicyError, match=r"^base has no label 'dog'; give labels together with the model$"):
        live.change(model=load_model(str(base)), origin="console")


def test_a_model_is_tried_before_it_counts(mine: Path, tmp_path: Path) -> None:
    assert load(str(mine)).labels == LABELS
    head = Head.from_bytes((mine / "head.npz").read_bytes())
    huge = np.full_like(head.weights, 3e38)
    (mine / "head.npz").write_bytes(Head(huge, head.bias, head.mean, head.scale, head.temperature).to_bytes())
    assert load_model(str(mine)).labels == LABELS  # it can be read
    with pytest.raises(PolicyError, match=r"^model my-head cannot be used: the network answered NaN$"):
        load(str(mine))
    for name in ("", " ", "a\nb", "a\0b", "x" * 2000, "no-such-model", str(tmp_path)):
        with pytest.raises(PolicyError) as caught:
            load(name)
        assert len(str(caught.value).splitlines()) == 1


def test_a_model_of_another_worker_is_found_by_its_hash(
    mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = load_model(str(mine))
    wanted = Model(given.name, given.hash, given.labels)
    other = second_model(tmp_path / "other" / "my-head", seed=2)
    assert find(wanted, ["my-head", str(other), str(mine)]).hash == given.hash
    with pytest.raises(
        PolicyError, match=rf"^model my-head \({given.hash[:12]}\) is not to be found .* another one here"
    ):
        find(wanted, [str(other)])
    # What ``posterbot learn`` has made is found by its name.
    second_model(tmp_path / "data" / "models" / "learned")
    monkeypatch.chdir(tmp_path)
    assert load("learned").name == "learned"


def test_who_waits_for_a_model_does_not_hold_up_the_rest() -> None:
    leave = threading.Event()

    async def wait() -> float:
        task = asyncio.ensure_future(aside(leave.wait, 10))
        began = time.monotonic()
        await asyncio.sleep(0.05)
        task.cancel()
        leave.set()
        with pytest.raises(PolicyError, match="no"):
            await aside(_refuse)
        assert await aside(int, "3") == 3
        return time.monotonic() - began

    assert asyncio.run(wait()) < 5


def _refuse() -> None:
    raise PolicyError("no")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(["labels", "threshold", "top", "model", "author", "origin", "x"])
WEB_IMAGES = load_model()


@given(st.dictionaries(NAMES, JSON))
def test_whatever_comes_from_outside_is_a_policy_or_one_line(asked: dict[str, object]) -> None:
    live = LivePolicy(WEB_IMAGES, "poster")
    old = live.current
    try:
        wanted = _checked({"author": "ann", "origin": "page"} | asked)
        wanted.pop("model", None)
        live.change(**wanted)
    except PolicyError as error:
        assert len(str(error).splitlines()) == 1
        assert live.current is old
    else:
        assert set(live.current.labels) <= set(WEB_IMAGES.labels)
        assert 0 <= live.current.threshold < 1
        assert live.current.author
        assert live.current.origin in {"steer", "page"}


def test_a_crawl_that_has_not_begun() -> None:
    answer = asyncio.run(remote(Crawler(Spider), '{"do": "status"}'))
    assert json.loads(answer) == {"error": "the crawl has not begun"}


def test_a_wrong_value_raises_where_nobody_sits_at_a_console(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(PolicyError, match="no"), answering():
        _refuse()
    assert capsys.readouterr().out == ""
    assert repr(Answer("two\nlines")) == "two\nlines"


@pytest.mark.parametrize(
    ("threshold", "top", "words"),
    [
        (0.5, None, "poster, card from 0.5 on, by web-images"),
        (0.0, 1, "poster, card where likeliest, by web-images"),
        (0.25, 5, "poster, card from 0.25 on and among the 5 likeliest, by web-images"),
    ],
)
def test_a_policy_in_words(threshold: float, top: int | None, words: str) -> None:
    policy = Policy(("poster", "card"), threshold, Model("web-images", "0", ()), "ann", "page", top=top)
    assert in_words(policy) == words
    assert policy_text(policy_as_dict(policy, 7)) == f"policy 7: {words}"
