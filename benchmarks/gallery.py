"""The gallery at many images: how long until the first tiles are painted, and whether any are blank while one scrolls.

    python benchmarks/gallery.py [--images 100000] [--rounds 5] [--json FILE]

Rows are made up by SQL and share 24 real pictures; the pages are those of ``posterbot serve``, in Chromium without a
window. *Blank* is a tile on the screen without its facts and its picture (or the words that stand for one), looked at
in every frame. *Wheel* scrolls 100 pixels a frame, some 6,000 a second; *jumps* are to places all over the list, and
measured is how long it takes until everything on the screen is filled.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/posterbot/web"), str(ROOT)]

from comparison import Comparison, parse, write  # noqa: E402
from many_images import add_images  # noqa: E402
from page_waits import until  # noqa: E402
from serve_world import TOKEN, World, chromium  # noqa: E402

from posterbot.catalogue.gallery import Filter, chosen, first  # noqa: E402

FILLED = """() => [...document.querySelectorAll("#grid li")].filter((li) => {
  const box = li.getBoundingClientRect();
  return box.bottom > 60 && box.top < innerHeight;
}).map((li) => Boolean(li.filled && (li.querySelector("img.there") || li.querySelector(".words").textContent)))"""
SCROLL = f"""(frames) => new Promise((done) => {{
  const blank = [], times = [];
  let last = performance.now();
  const step = () => {{
    const filled = ({FILLED})();
    blank.push(filled.filter((each) => !each).length / Math.max(1, filled.length));
    const now = performance.now(); times.push(now - last); last = now;
    if (blank.length >= frames) return done({{ blank, times }});
    scrollBy(0, 100);
    requestAnimationFrame(step);
  }};
  requestAnimationFrame(step);
}})"""
JUMP = f"""(y) => new Promise((done) => {{
  const begun = performance.now();
  scrollTo(0, y);
  const look = () => {{
    const filled = ({FILLED})();
    if (filled.length > 7 && filled.every(Boolean)) return done(performance.now() - begun);
    requestAnimationFrame(look);
  }};
  requestAnimationFrame(look);
}})"""
PAINT = """() => ({ paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime,
  answer: performance.getEntriesByType("navigation")[0].responseEnd })"""
WATCH = f"""window.moved = 0;
new PerformanceObserver((list) => {{ for (const each of list.getEntries()) window.moved += each.value; }})
  .observe({{ type: "layout-shift", buffered: true }});
const look = () => {{
  if (document.getElementById("grid") && document.querySelector("#grid li")) {{
    window.tiled ??= performance.now();
    const filled = ({FILLED})();
    if (filled.length > 7 && filled.every(Boolean)) {{ window.complete = performance.now(); return; }}
  }}
  requestAnimationFrame(look);
}};
requestAnimationFrame(look);"""


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parse(parser, images=2_000, rounds=1)
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), images=24)
        begun = time.perf_counter()
        add_images(world, options.images)
        print(f"{options.images:,} rows made in {time.perf_counter() - begun:.1f} s")
        _queries(world, options.rounds)
        with world.served() as site, chromium() as browser:
            lines = _browser(site, browser, options.rounds)
        world.close()
    write(options.json, lines)


def _queries(world: World, rounds: int) -> None:
    for name, asked in (
        ("all, newest first", Filter()),
        ("highest score first", Filter(order="highest")),
        ("one label", Filter(label="photo")),
        ("one host", Filter(host="shop.example")),
        ("a word", Filter(film="Picture 99")),
        ("one reason", Filter(reason="not_relevant")),
    ):
        times = _times(lambda asked=asked: chosen(world.engine, asked), rounds)
        at_first = _times(lambda asked=asked: first(world.engine, asked, 60), rounds)
        print(f"{name:<20} whole list {median(times):6.0f} ms, first 60 {median(at_first):6.0f} ms")
    print(f"unsure, first 60: {median(_times(lambda: first(world.engine, Filter('unsure'), 60), rounds)):.0f} ms")


def _browser(site: str, browser: Any, rounds: int) -> dict[str, Comparison]:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.add_init_script(WATCH)
    page.goto(f"{site}/gallery?token={TOKEN}")
    until(page, "window.complete")
    seen: list[tuple[float, ...]] = []
    for _ in range(rounds):
        page.goto(f"{site}/gallery")
        until(page, "window.complete")
        until(page, "document.getElementById('total').textContent !== 'Counting…'")
        until(page, "performance.getEntriesByName('first-contentful-paint').length > 0")
        told = page.evaluate(PAINT)
        seen.append((told["answer"], told["paint"], *page.evaluate("[window.tiled, window.complete, window.moved]")))
    answer, paint, tiled, complete, moved = (median(column) for column in zip(*seen, strict=True))
    print(
        f"page there {answer:.0f} ms, first paint {paint:.0f} ms, tiles {tiled:.0f} ms, all pictures on the screen "
        f"{complete:.0f} ms, layout shift {moved:.4f}"
    )
    wheel = page.evaluate(SCROLL, 600)
    times = sorted(wheel["times"][1:])
    print(
        f"wheel: {100 * sum(wheel['blank']) / len(wheel['blank']):.2f} % of tiles blank, "
        f"{sum(each > 0 for each in wheel['blank'])} of {len(wheel['blank'])} frames with a blank one; "
        f"frame {median(times):.1f} ms, 99th percentile {times[int(0.99 * len(times))]:.1f} ms"
    )
    height = page.evaluate("document.documentElement.scrollHeight")
    jumps = sorted(page.evaluate(JUMP, height * (0.37 * number % 1)) for number in range(1, 21))
    print(f"jumps: filled after {median(jumps):.0f} ms, at most {jumps[-1]:.0f} ms")
    print(f"layout shift at the end {page.evaluate('window.moved'):.4f}; {page.locator('#grid li').count()} tiles held")
    page.close()
    blank = sum(wheel["blank"]) / len(wheel["blank"])
    return {"first paint": Comparison("ms", [one[1] for one in seen]), "blank": Comparison("", [blank])}


def _times(call: Any, rounds: int) -> list[float]:
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - begun))
    return times


if __name__ == "__main__":
    main()
