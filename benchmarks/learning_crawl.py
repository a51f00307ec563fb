"""How fast a crawl finds the posters of a site: ours, others, and an oracle, on sites that are graphs of links.

    python benchmarks/learning_crawl.py [--sites blog,wiki] [--strategies yield,oracle] [--seeds 10] [--bad]
                                        [--without] [--json FILE] [--plot FILE]

Six kinds of site of 50,000 to 60,000 pages each are made up (``link_graphs/``; what they are like stands at the top of
each generator; pages have 15 to 30 links instead of the 50 to 150 of real ones, so that a crawl of all takes seconds).
Each strategy then crawls them in memory, eight pages in flight, until it has all posters. Two of the sites, marked with
*, were left out while the constants of ours were chosen.

Columns: pages asked for until 90 % of the posters were found, as a ratio to breadth-first; and the area under the curve
of posters against pages as a share of the oracle's, up to where breadth-first has 90 % (area) and to the last page of
the site (all). Median over the seeds, and least and most. A site is another one for each seed. "mean" is over the
sites of the medians.

``frontier yield`` and ``frontier breadth_first`` go through the frontier's own scheduler, session and recorder, on
SQLite in a temporary folder, without HTTP; of these are printed the CPU microseconds for each link enqueued and each
page leased and finished, and the resident memory on the way. ``yield`` is a model of ours in memory, to try things out.

``--bad``: where things go wrong, for breadth-first, ours and the oracle. ``--without``: the model without one of its
parts.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from link_graphs.bad import BAD
from link_graphs.measure import Figures, Yardstick
from link_graphs.replay import World, replay
from link_graphs.sites import HELD_OUT, SITES, make
from link_graphs.strategies import OURS, STRATEGIES, WITHOUT

POINTS = 400
"""Of a curve in JSON and plots."""
BREADTH_FIRST, ORACLE = "breadth-first", "oracle"
THROUGH_FRONTIER = "frontier "
"""Before the name of a strategy of ``posterbot.frontier``."""
COMPARED = (*(name for name in STRATEGIES if name not in WITHOUT), f"{THROUGH_FRONTIER}yield")


@dataclass(frozen=True)
class Task:
    """One site, as one seed has it, by all strategies."""

    site: str
    seed: int
    size: float
    strategies: tuple[str, ...]
    bad: str = ""


@dataclass(frozen=True)
class Result:
    """One crawl."""

    site: str
    seed: int
    strategy: str
    bad: str
    figures: Figures
    pages: int
    """Asked for until all posters were found."""
    posters: int
    seconds: float
    curve: list[float]
    """Share of the posters found, at POINTS places from 0 to ``until``."""
    until: int
    """Pages that breadth-first takes to all posters."""
    cost: dict[str, object] | None = None


def run(task: Task) -> list[Result]:
    """All crawls of a task."""
    site = make(task.site, task.seed, task.size)

    def world() -> World:
        return BAD[task.bad](site, task.seed) if task.bad else World(site)

    yardstick = Yardstick(world)
    known = {BREADTH_FIRST: yardstick.breadth_first, ORACLE: yardstick.oracle}
    results = []
    for name in task.strategies:
        began, cost = time.perf_counter(), None
        if name.startswith(THROUGH_FRONTIER):
            from link_graphs.real import crawl

            brought, taken = crawl(world(), name.removeprefix(THROUGH_FRONTIER))
            cost = asdict(taken)
        elif name in known:
            brought = known[name]
        else:
            brought = replay(world(), STRATEGIES[name](world().latest, task.seed))
        until = len(yardstick.breadth_first)
        found = np.cumsum(brought) / max(1, yardstick.posters)
        places = np.minimum(np.linspace(0, until, POINTS).astype(int), len(found) - 1)
        results.append(
            Result(
                task.site,
                task.seed,
                name,
                task.bad,
                yardstick.figures(brought),
                len(brought),
                yardstick.posters,
                time.perf_counter() - began,
                [round(float(share), 4) for share in found[places]],
                until,
                cost,
            )
        )
    return results


def spread(values: list[float]) -> str:
    """Median, and least and most."""
    return f"{np.median(values):5.2f} ({min(values):.2f}–{max(values):.2f})"


def table(results: list[Result]) -> None:
    """Print, kind of badness after kind."""
    by_kind: defaultdict[str, defaultdict[tuple[str, str], list[Result]]] = defaultdict(lambda: defaultdict(list))
    for result in results:
        by_kind[result.bad][result.strategy, result.site].append(result)
    for kind, cells in by_kind.items():
        strategies, sites = (list(dict.fromkeys(key[n] for key in cells)) for n in (0, 1))
        print(f"\n{kind or 'as it should be'}\n{'':24}{'pages to 90 %':>22}{'area':>22}{'all':>22}{'seconds':>9}")
        if not all(cells[strategy, site][0].posters for strategy in strategies for site in sites):
            for strategy in strategies:
                for site in sites:
                    done = cells[strategy, site]
                    seconds = np.median([one.seconds for one in done])
                    print(f"{strategy:24}{site}: {done[0].pages:,} pages, {seconds:.1f} s")
            continue
        for site in sites:
            print(f"{site}{' *' if site in HELD_OUT else ''}")
            for strategy in strategies:
                done = cells[strategy, site]
                columns = [[getattr(one.figures, name) for one in done] for name in ("ratio", "area", "area_all")]
                seconds = np.median([one.seconds for one in done])
                print(f"  {strategy:22}{''.join(f'{spread(column):>22}' for column in columns)}{seconds:9.1f}")
        for title, chosen in (
            ("mean of all sites", sites),
            ("mean of those tuned on", [site for site in sites if site not in HELD_OUT]),
            ("mean of those held out *", [site for site in sites if site in HELD_OUT]),
        ):
            if chosen:
                print(title)
                for strategy in strategies:
                    means = [
                        np.mean([np.median([getattr(one.figures, name) for one in cells[strategy, s]]) for s in chosen])
                        for name in ("ratio", "area", "area_all")
                    ]
                    worst = max(one.figures.ratio for s in chosen for one in cells[strategy, s])
                    print(f"  {strategy:22}{''.join(f'{mean:22.2f}' for mean in means)}   worst ratio {worst:.2f}")


def costs(results: list[Result]) -> None:
    """Print what scheduling took."""
    print(
        "\nCPU µs on the loop: a link enqueued, a page leased and finished; in the recorder a page with its links; MB"
    )
    for result in results:
        if (cost := result.cost) is not None:
            memory = [megabytes for _, megabytes in cost["memory"]]  # type: ignore[attr-defined]
            per_link = 1e6 * cost["enqueueing"] / max(1, cost["links"])  # type: ignore[operator, call-overload]
            per_page = [1e6 * float(cost[name]) / result.pages for name in ("leasing", "recording")]  # type: ignore[arg-type]
            print(
                f"{result.site:16}{result.strategy:20}{per_link:8.0f}{per_page[0]:8.0f}{per_page[1]:8.0f}"
                f"   {memory[0] if memory else 0:.0f} → {memory[-1] if memory else 0:.0f} MB, {result.pages:,} pages"
            )


def plot(results: list[Result], file: Path) -> None:
    """One panel for each site: the median curve of each strategy over the seeds."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    plain = [result for result in results if not result.bad]
    sites = list(dict.fromkeys(result.site for result in plain))
    strategies = list(dict.fromkeys(result.strategy for result in plain))
    columns = min(3, len(sites))
    rows = -(-len(sites) // columns)
    size = (4.6 * columns, 3.4 * rows)
    figure, panels = pyplot.subplots(rows, columns, figsize=size, squeeze=False, sharey=True, layout="constrained")
    colours = dict(zip(strategies, pyplot.get_cmap("tab10").colors, strict=False))
    for panel, site in zip(panels.flat, sites, strict=False):
        for name in strategies:
            done = [result for result in plain if (result.site, result.strategy) == (site, name)]
            until = float(np.median([result.until for result in done])) / 1000
            style = {f"{THROUGH_FRONTIER}yield": ("-", 2.4), ORACLE: ("--", 1.4)}.get(name, ("-", 1.2))
            panel.plot(
                np.linspace(0, until, POINTS),
                np.median([result.curve for result in done], axis=0),
                label={OURS: "by yield, in memory", f"{THROUGH_FRONTIER}yield": "by yield"}.get(name, name),
                color="black" if name == ORACLE else colours[name],
                linestyle=style[0],
                linewidth=style[1],
            )
        panel.axhline(0.9, color="0.8", linewidth=0.8, zorder=0)
        panel.set_title(site + (" *" if site in HELD_OUT else ""), fontsize=10)
        panel.set_ylim(0, 1.02)
        panel.set_xlim(0, None)
        panel.spines[["top", "right"]].set_visible(False)
    for panel in panels.flat[len(sites) :]:
        panel.set_visible(False)
    for panel in panels[-1]:
        panel.set_xlabel("pages asked for, thousands")
    for panel in panels[:, 0]:
        panel.set_ylabel("share of the posters")
    handles, labels = panels.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncol=-(-len(labels) // 2), frameon=False, fontsize=9)
    figure.savefig(file, dpi=110)


def main() -> None:
    """Crawl, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", default=",".join(SITES))
    parser.add_argument("--strategies", default=",".join(COMPARED))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--pages", type=int, default=56_000, help="of a site, about")
    parser.add_argument("--bad", action="store_true")
    parser.add_argument("--without", action="store_true")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", type=Path, help="file for all figures and curves")
    parser.add_argument("--plot", type=Path, help="file for the curves, .png or .svg")
    given = parser.parse_args()
    sites, strategies = given.sites.split(","), tuple(given.strategies.split(","))
    known_strategies = {*STRATEGIES, f"{THROUGH_FRONTIER}yield", f"{THROUGH_FRONTIER}breadth_first"}
    for name, known in [(site, set(SITES)) for site in sites] + [(one, known_strategies) for one in strategies]:
        if name not in known:
            parser.error(f"{name!r} is none of {', '.join(known)}")
    if given.without:
        strategies = (OURS, *WITHOUT)
    elif given.bad:
        strategies = (BREADTH_FIRST, OURS, f"{THROUGH_FRONTIER}yield", ORACLE)
    tasks = [
        Task(site, seed, given.pages / 56_000, strategies, kind)
        for kind in (BAD if given.bad else ("",))
        for site in sites
        for seed in range(1, given.seeds + 1)
    ]
    results: list[Result] = []
    # Each in a process of its own that begins clean, as a process has Scrapy's loop once.
    with ProcessPoolExecutor(given.processes, get_context("spawn"), max_tasks_per_child=1) as pool:
        for number, done in enumerate(pool.map(run, tasks), 1):
            results += done
            print(f"\r{number} of {len(tasks)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    table(results)
    if any(result.cost for result in results):
        costs(results)
    if given.json:
        given.json.write_text(json.dumps([asdict(result) for result in results]) + "\n")
    if given.plot:
        plot(results, given.plot)


if __name__ == "__main__":
    main()
