"""What gates saved and lost, against numbers reckoned by hand."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from catalogue_records import failed, image, judged, page
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.display import print_funnel
from posterbot.catalogue.gates import ALL, GATES, GateLoss, share_interval
from posterbot.catalogue.queries import funnel
from posterbot.catalogue.recorder import Recorder
from posterbot.catalogue.records import Outcome
from posterbot.filters import gates


@pytest.fixture
def engine(catalogue_url: str) -> Iterator[Engine]:
    engine = open_catalogue(catalogue_url)
    yield engine
    engine.dispose()


def record(engine: Engine, *outcomes: Outcome) -> int:
    recorder = Recorder(engine, spider="posters", arguments={}, version="0")
    for outcome in outcomes:
        recorder.outcome(outcome)
    recorder.close("finished")
    return recorder.run_id


def explored(name: object, gate: str, keep: bool = False, on: int = 0, size: int = 1000, phash: str = "") -> Outcome:
    picture = image(name, bytes=size, phash=phash or image(name).sha256[:16])
    return judged(name, page(on), keep, image=picture, gate=gate)


def dropped(name: object, gate: str, on: int = 0) -> Outcome:
    return failed(name, page(on), gate)


def test_dropped_explored_kept(engine: Engine) -> None:
    run = record(
        engine,
        judged("poster", page()),
        *(dropped(f"n{number}", "name_pattern") for number in range(90)),
        *(explored(f"e{number}", "name_pattern", size=300) for number in range(9)),
        explored("e9", "name_pattern", keep=True, size=1300),
        *(dropped(f"s{number}", "declared_size") for number in range(10)),
        *(failed(f"x{number}", page()) for number in range(5)),
        failed("gone", page(), gate="declared_size"),
    )
    for scope in (run, None):
        size, names, both = funnel(engine, scope).gates
        assert (names.gate, names.dropped, names.explored, names.kept) == ("name_pattern", 90, 10, 1)
        assert names.lost == 9.0
        # Clopper and Pearson's interval for 1 of 10: 0.2529 % to 44.5016 %.
        assert names.lost_low == pytest.approx(90 * 0.002529, rel=1e-3)
        assert names.lost_high == pytest.approx(90 * 0.445016, rel=1e-5)
        assert names.bytes_saved == 90 * (9 * 300 + 1300) / 10
        assert (size.gate, size.dropped, size.explored, size.kept, size.lost) == ("declared_size", 10, 1, 0, 0.0)
        assert size.bytes_saved == 0  # what was explored was gone
        assert size.lost_high == pytest.approx(10 * 0.975)
        assert (both.gate, both.dropped, both.explored, both.kept) == (ALL, 100, 11, 1)
        assert both.lost == pytest.approx(100 / 11)


def test_an_address_is_one_request_however_often_it_is_seen(engine: Engine) -> None:
    record(engine, *(dropped("logo", "name_pattern", on=number) for number in range(20)))
    (gate,) = funnel(engine).gates
    assert gate == GateLoss("name_pattern", 1, 0, 0, None, None, None, None)


def test_what_passed_on_another_page_is_neither_saved_nor_lost(engine: Engine) -> None:
    record(
        engine,
        dropped("poster", "declared_size"),
        judged("poster", page(1)),
        dropped("icon", "declared_size"),
        explored("thumb", "declared_size", keep=True),
        judged("thumb", page(1)),
    )
    (gate,) = funnel(engine).gates
    assert (gate.dropped, gate.explored, gate.kept) == (1, 0, 0)


def test_a_picture_that_came_otherwise_is_not_lost(engine: Engine) -> None:
    twin = image("large", phash="00ff00ff00ff00ff", width=600)
    record(
        engine,
        judged("large", page(), image=twin),
        dropped("x", "barren_pattern"),
        explored("small", "barren_pattern", keep=True, phash="00ff00ff00ff00ff"),
        explored("other", "barren_pattern", keep=True, phash="1111111111111111"),
        explored("other2", "barren_pattern", keep=True, phash="1111111111111111"),
    )
    (gate,) = funnel(engine).gates
    assert (gate.dropped, gate.explored, gate.kept) == (1, 3, 1)


def test_runs_are_apart_and_together(engine: Engine) -> None:
    first = record(engine, dropped("a", "name_pattern"), dropped("b", "name_pattern"))
    second = record(engine, dropped("b", "name_pattern"), explored("c", "name_pattern"))
    assert [(g.dropped, g.explored) for g in funnel(engine, first).gates] == [(2, 0)]
    assert [(g.dropped, g.explored) for g in funnel(engine, second).gates] == [(1, 1)]
    assert [(g.dropped, g.explored) for g in funnel(engine).gates] == [(2, 1)]
    third = record(engine, judged("x", page()))
    assert funnel(engine, third).gates == ()


def test_the_table(engine: Engine) -> None:
    record(engine, judged("k", page()), dropped("a", "name_pattern"), explored("b", "unlikely_words", keep=True))
    out = io.StringIO()
    print_funnel(funnel(engine), out)
    lines = [line.split() for line in out.getvalue().splitlines()]
    assert ["gate", "saved", "bytes", "explored", "kept", "lost", "95", "%", "of", "kept"] in lines
    assert ["name_pattern", "1", "?", "0", "0", "?"] in lines
    assert ["all", "1", "1.0", "kB", "1", "1", "1.0", "0.0–1.0", "33.3%"] in lines


@given(st.integers(0, 500), st.integers(1, 500))
def test_intervals_hold_what_was_seen(part: int, whole: int) -> None:
    part = min(part, whole)
    low, high = share_interval(part, whole)
    assert 0 <= low <= part / whole <= high <= 1
    assert (low == 0) == (part == 0)
    assert (high == 1) == (part == whole)


def test_intervals_of_the_textbooks() -> None:
    assert share_interval(0, 10) == pytest.approx((0, 0.308497), abs=1e-6)
    assert share_interval(5, 10) == pytest.approx((0.187086, 0.812914), abs=1e-6)
    assert share_interval(10, 10) == pytest.approx((0.691503, 1), abs=1e-6)


def test_the_gates_are_those_of_the_filters() -> None:
    assert gates.GATES == GATES
