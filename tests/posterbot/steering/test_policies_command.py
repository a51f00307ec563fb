"""The policies of a run: which is in force for whom, and the history as people see it. On each kind of database."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import pytest
from catalogue.catalogue_records import MODEL, judged, page, policy
from click.testing import CliRunner

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.policies import REJUDGE, GoingOn, Recorded, going_on, newest_policies, policy_uses
from posterbot.catalogue.recorder import Recorder
from posterbot.catalogue.records import Policy, now
from posterbot.cli_steer import policies

Answer = TypeVar("Answer")
OTHER = replace(MODEL, name="my-head", hash="b" * 64)


@pytest.fixture
def recorder(catalogue_url: str) -> Callable[[], Recorder]:
    engine = open_catalogue(catalogue_url)
    return lambda: Recorder(engine, spider="posters", arguments={}, version="1", job=None)


def later(old: Policy, **changes: object) -> Policy:
    return replace(old, at=now(), **changes)  # type: ignore[arg-type]


def newest(of: Recorder, after: int) -> Recorded | None:
    return of.call(newest_policies, (of.run_id, after)).result()


def found(of: Recorder, wanted: Policy) -> GoingOn:
    return of.call(going_on, (of.run_id, wanted)).result()


def test_the_newest_policy_of_a_run_is_seen_by_its_other_workers(recorder: Callable[[], Recorder]) -> None:
    run, other = recorder(), recorder()
    assert newest(run, 0) is None
    first = policy("poster")
    steered = later(first, labels=("logo",), top=2, model=OTHER, origin="console", author="ann")
    numbers = [run.policy(first).result(), other.policy(policy("photo")).result(), run.policy(steered).result()]
    assert newest(run, 0) == newest(run, numbers[0]) == Recorded(numbers[2], steered)
    assert newest(run, numbers[2]) is None
    # Who follows writes the very same row.
    assert run.policy(newest(run, 0).policy).result() == numbers[2]  # type: ignore[union-attr]
    past = later(steered, labels=("photo",), origin=REJUDGE)
    assert run.policy(past).result() > numbers[2]
    assert newest(run, numbers[2]) is None  # nobody is to judge new images by that
    for each in (run, other):
        each.close(None)


def test_who_repeats_the_arguments_asks_for_nothing_new(recorder: Callable[[], Recorder]) -> None:
    run = recorder()
    poster, logo = policy("poster"), policy("logo")
    assert found(run, poster) == GoingOn(None, None)
    assert found(run, poster).policy(poster) is poster
    run.policy(poster)
    steered = later(poster, labels=("photo",), threshold=0.8, origin="steer")
    run.policy(steered).result()
    assert found(run, later(poster)).policy(later(poster)) == steered
    assert found(run, logo).policy(logo) is logo  # that is new
    assert found(run, later(steered)).policy(later(steered)) == steered  # and that is in force already
    run.policy(logo).result()
    assert found(run, later(poster)).policy(again := later(poster)) is again  # asked for once more, after logo
    run.close(None)


def test_what_each_policy_changed_and_decided(recorder: Callable[[], Recorder], catalogue_url: str) -> None:
    run, other = recorder(), recorder()
    first = policy("poster")
    second = later(first, labels=("poster", "logo"), threshold=0.25, author="ann", origin="page")
    third = later(second, model=OTHER, top=3, origin="steer")
    for recorded in (first, second):
        run.policy(recorded).result()
    other.policy(policy("photo")).result()
    for number in range(5):
        run.outcome(judged(number, page(), keep=number < 2, policy=first if number < 4 else second)).result()
    run.policy(third).result()
    run.close("finished")
    other.close("finished")

    engine = open_catalogue(catalogue_url)
    uses = policy_uses(engine, run.run_id)
    assert [(use.changed, use.judged, use.kept, use.dropped) for use in uses] == [
        ((), 4, 2, 2),
        (("labels", "threshold"), 1, 0, 1),
        (("top", "model"), 0, 0, 0),
    ]
    assert [use.policy.run for use in policy_uses(engine)] == [1, 1, 2, 1]  # by number
    with pytest.raises(LookupError, match="no run 7; the newest is 2"):
        policy_uses(engine, 7)
    engine.dispose()

    shown = CliRunner().invoke(policies, ["--catalogue", catalogue_url, "--run", "1"])
    assert shown.exit_code == 0
    lines = [" ".join(line.split()) for line in shown.output.splitlines()]
    assert lines[0] == "policy run when (UTC) by keeps threshold model changed judged kept"
    assert lines[1].endswith("anna (arguments) poster 0.5 web-images 4 2")
    assert lines[2].endswith("ann (page) poster, logo 0.25 web-images labels, threshold 1 0")
    rows = CliRunner().invoke(policies, ["--catalogue", catalogue_url, "--json"]).output.splitlines()
    last = json.loads(rows[-1])
    assert (last["number"], last["labels"], last["top"], last["origin"]) == (4, ["poster", "logo"], 3, "steer")
    assert last["changed"] == ["top", "model"]


def test_where_there_is_nothing_to_show(catalogue_url: str) -> None:
    refused = CliRunner().invoke(policies, ["--catalogue", catalogue_url])
    assert (refused.exit_code, len(refused.output.splitlines())) == (1, 1)
    open_catalogue(catalogue_url).dispose()
    assert CliRunner().invoke(policies, ["--catalogue", catalogue_url]).output == "no policies yet\n"
    refused = CliRunner().invoke(policies, ["--catalogue", catalogue_url, "--run", "3"])
    assert refused.output == "posterbot: no run 3; there is none yet\n"
