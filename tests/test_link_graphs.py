"""The sites and crawls of ``benchmarks/learning_crawl.py``, small."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))

from link_graphs.bad import behind_one_link, other_layout, with_spam, without_posters
from link_graphs.baselines import BreadthFirst
from link_graphs.by_yield import ByYield
from link_graphs.measure import Yardstick, area, requests_to
from link_graphs.oracle import horn
from link_graphs.replay import Noise, World, replay
from link_graphs.site import FOOT, NAV, Builder, Site
from link_graphs.sites import SITES, make
from link_graphs.strategies import STRATEGIES, WITHOUT

ROOT = Path(__file__).parents[1]
SMALL = 0.02


@pytest.fixture(scope="module", params=SITES)
def site(request: pytest.FixtureRequest) -> Site:
    return make(request.param, 1, SMALL)


@pytest.fixture(scope="module")
def shop() -> Site:
    return make("shop", 1, SMALL)


def test_a_site_is_whole(site: Site) -> None:
    assert (site.depths() >= 0).all(), "there are pages to which nothing leads"
    assert len(set(site.urls)) == len(site)
    assert site.posters > 0
    assert len(site.targets) == len(site.paths) == len(site.texts) == site.starts[-1]
    assert site.texts.max() < len(site.words)
    assert site.paths.max() < len(site.path_names)
    assert all(name.startswith("html/body") and name.rsplit("/", 1)[1].startswith("a") for name in site.path_names)


def test_a_seed_gives_the_same_site_again(site: Site) -> None:
    again, other = make(site.name, 1, SMALL), make(site.name, 2, SMALL)
    assert again.urls == site.urls
    assert (again.targets == site.targets).all()
    assert other.urls != site.urls


def test_links_stand_where_they_stand_on_a_page() -> None:
    builder = Builder("tiny", np.random.default_rng(1))
    pages = builder.pages("page", [f"http://t.example/{n}" for n in range(4)], ["A", "B", "C", "D"])
    builder.link(pages[:1], pages[3:], "footer/a", "last", FOOT)
    builder.link(pages[:1], pages[1:2], "main/a")
    builder.link(pages[:1], pages[2:3], "nav/a", place=NAV)
    found = World(builder.site()).new_links(0)
    assert [(one.page, one.path, one.text, one.position) for one in found] == [
        (2, "html/body/nav/a", "C", 0),
        (1, "html/body/main/a", "B", 1),
        (3, "html/body/footer/a", "last", 2),
    ]


@pytest.mark.parametrize("name", [name for name in STRATEGIES if name not in WITHOUT])
def test_every_strategy_finds_all_posters_and_no_page_twice(shop: Site, name: str) -> None:
    brought = replay(World(shop), STRATEGIES[name](shop, 1))
    assert brought.sum() == shop.posters
    assert len(brought) <= len(shop)


def test_breadth_first_goes_by_depth(shop: Site) -> None:
    fetched: list[int] = []

    class Noting(BreadthFirst):
        def next(self) -> int | None:
            if (page := super().next()) is not None:
                fetched.append(page)
            return page

    replay(World(without_posters(shop)), Noting())
    assert sorted(fetched) == list(range(len(shop)))
    depths = shop.depths()[fetched]
    # Pages in flight may be overtaken by the first of the next depth.
    assert (np.diff(depths) >= -1).all()
    assert (np.sort(depths) == depths).mean() > 0.99


def test_horns_rule() -> None:
    # 0 → 1 → 3 (9 posters), 0 → 2 (4 posters)
    worth = horn(np.array([-1, 0, 0, 1]), np.array([0, 0, 4, 9]))
    assert worth.tolist() == [pytest.approx(13 / 4), 4.5, 4.0, 9.0]


def test_figures() -> None:
    brought = np.array([0, 5, 0, 4, 1], np.int32)
    assert requests_to(brought, 10) == 4
    assert requests_to(brought[:3], 10) == float("inf")
    assert area(brought, 10, 5) == pytest.approx((0 + 5 + 5 + 9 + 10) / 50)
    assert area(brought[:2], 10, 4) == pytest.approx((0 + 5 + 5 + 5) / 40)


def test_the_oracle_is_best() -> None:
    site = make("film database", 1, SMALL)
    yardstick = Yardstick(lambda: World(site))
    strategy = ByYield()
    ours = yardstick.figures(replay(World(site), strategy))
    assert 0.5 < ours.area < 1.0
    assert ours.ratio < 1.0, "learning is of no use"
    assert yardstick.figures(yardstick.breadth_first).ratio == 1.0
    worth = dict(zip(strategy.names, strategy.worth, strict=False))
    films = [value for (_, pattern), value in worth.items() if pattern == "/film/{text}"]
    users = [value for (_, pattern), value in worth.items() if pattern == "/user/{text}"]
    assert min(films) > 1.5 * max(users)


def test_lists_are_worth_what_they_lead_to() -> None:
    strategy = ByYield()
    replay(World(make("film database", 1, SMALL)), strategy, 150)
    worth = {pattern: strategy.worth[arm] for arm, (path, pattern) in enumerate(strategy.names) if "filters" in path}
    (helps,) = (strategy.worth[arm] for arm, (_, pattern) in enumerate(strategy.names) if pattern == "/help/{text}")
    assert worth["/films/{text}"] > 1.5 * helps


def test_the_scheduler_goes_through_a_site_as_in_memory() -> None:
    code = (
        "from link_graphs.real import crawl; from link_graphs.replay import World; from link_graphs.sites import make\n"
        f"brought, cost = crawl(World(make('film database', 1, {SMALL})), 'breadth_first', 80)\n"
        "assert cost.links > 1_000 and cost.leasing > 0 and cost.recording > 0\n"
        "print(*brought)"
    )
    # In a process of its own: Scrapy's loop is installed once.
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT}/benchmarks"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    in_memory = replay(World(make("film database", 1, SMALL)), BreadthFirst(), 80)
    assert done.stdout.split() == [str(posters) for posters in in_memory]


def test_a_poster_is_new_once() -> None:
    builder = Builder("two", np.random.default_rng(1))
    pages = builder.pages("page", ["http://t.example/a", "http://t.example/b"], ["A", "B"])
    builder.link(pages[:1], pages[1:], "a")
    builder.show(pages, builder.new_posters(pages[:1]).repeat(2))
    world = World(builder.site())
    first, second = world.fetch(0), world.fetch(1)
    assert (first.posters, first.requests) == (1, 2)
    assert (second.posters, second.requests) == (0, 1)


def test_the_classifier_errs_in_what_is_told_and_not_in_what_is_true(shop: Site) -> None:
    world = World(shop, noise=Noise(), seed=1)
    answers = [world.fetch(page) for page in range(len(shop))]
    assert sum(answer.posters for answer in answers) == shop.posters
    missed = sum(answer.posters > answer.told for answer in answers)
    invented = sum(answer.told > answer.posters for answer in answers)
    assert missed > 0
    assert invented > 0


def test_all_posters_behind_one_link(shop: Site) -> None:
    site = behind_one_link(shop)
    shows = np.flatnonzero(np.diff(site.poster_starts))
    assert site.posters == shop.posters
    assert shows.min() == len(shop)
    assert np.isin(site.targets, shows[0]).sum() == 1
    assert (site.depths() >= 0).all()


def test_spam_looks_like_what_has_posters(shop: Site) -> None:
    site = with_spam(shop, 500)
    assert (site.depths() >= 0).all()
    assert site.posters == shop.posters
    assert len(set(site.urls)) == len(site)
    assert set(site.patterns[len(shop) :]) <= set(shop.patterns)
    assert set(site.paths[site.starts[len(shop)] :].tolist()) <= set(shop.paths.tolist())


def test_a_layout_changes_midway(shop: Site) -> None:
    later = other_layout(shop)
    world = World(shop, later=later, change_at=1)
    world.fetch(0)
    before = world.new_links(0)[0]
    assert before.url == shop.urls[before.page]
    assert before.path in shop.path_names
    world.fetch(before.page)
    after = world.new_links(before.page)[0]
    assert after.url == later.urls[after.page] != shop.urls[after.page]
    assert after.path not in shop.path_names
    assert after.pattern not in set(shop.patterns)
