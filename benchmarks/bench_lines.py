"""Lines of the table of all benchmarks, and how their figures are found in what the benchmarks write."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from comparison import Comparison, compared


@dataclass(frozen=True)
class Line:
    """One line of the table; ``least`` and ``most`` are of the ratio, or of ours where there is no peer."""

    what: str
    found: str | Callable[[Any], Comparison]
    """Its name in the JSON, or how it is read there."""
    peer: str = ""
    least: float | None = None
    most: float | None = None

    def read(self, content: Any) -> Comparison:
        """Raises KeyError and the like where it is not there."""
        return self.found(content) if callable(self.found) else Comparison(**content["lines"][self.found])


def crawl(size: str, peer: str, least: float | None = None) -> tuple[Line, Line]:
    """Two lines of crawl_vs_stock.py."""
    beside = f"{size}, beside {peer}"
    return Line(f"crawl, {size}", beside, peer, least), Line(f"crawl, {size}, CPU", f"{beside}, CPU", peer)


def learning(figure: str, gather: Callable[[dict[str, list[float]]], float]) -> Callable[[Any], Comparison]:
    """Of learning_crawl.py: one number of ours, from all values of each site, one for each seed."""

    def found(content: Any) -> Comparison:
        of: dict[str, list[float]] = {}
        for result in content:
            if result["strategy"] == "frontier yield" and not result["bad"]:
                of.setdefault(result["site"], []).append(result["figures"][figure])
        return Comparison("", [gather(of)])

    return found


def mean(of: dict[str, list[float]]) -> float:
    """Of the sites' medians."""
    return statistics.mean(statistics.median(values) for values in of.values())


def worst(of: dict[str, list[float]]) -> float:
    """Of all sites and seeds."""
    return max(max(values) for values in of.values())


def film_database(of: dict[str, list[float]]) -> float:
    """Its median."""
    return statistics.median(of["film database"])


def by_http(content: Any) -> Comparison:
    """Of learning_http.py: posters found when the budget of pages was used up."""
    ours, theirs = (
        [float(one["posters"][-1]) for one in content["crawls"] if one["strategy"] == strategy]
        for strategy in ("yield", "breadth_first")
    )
    return compared("posters", ours, theirs)


def value(name: str, unit: str) -> Callable[[Any], Comparison]:
    """Of frontier_scale.py: one of its figures."""
    return lambda content: Comparison(unit, [content[name]])


def urls(size: str, made: str, workers: str, least: float | None = None) -> tuple[Line, Line]:
    """Two lines of urls_vs_img2dataset.py."""
    what = f"{size}, {made}, {workers}"
    return (
        Line(f"URL list, {what}", f"{what}, images/s", "img2dataset", least),
        Line(f"URL list, {what}, CPU", f"{what}, CPU", "img2dataset"),
    )
