"""Candidates a second that the text classifier judges on one core: in batches, and one by one.

python benchmarks/text_speed.py [--json FILE]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

from comparison import Comparison, parse, write

from models.text import TextClassifier
from models.text.generate import Subjects, generate
from models.text.habits import OTHERS, POSTERS
from models.text.words import WORDS

FILMS = [
    ("The Grand Budapest Hotel", 2014, ("Ralph Fiennes", "Saoirse Ronan")),
    ("Playtime", 1967, ("Jacques Tati",)),
    ("Nosferatu", 1922, ("Max Schreck",)),
]
CANDIDATES = 20_000


def main() -> None:
    """Print the two rates, the best of five runs each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=CANDIDATES)
    given = parse(parser, candidates=2_000)
    classifier = TextClassifier()
    candidates = generate((*POSTERS, *OTHERS), Subjects(FILMS), given.candidates, list(WORDS), 1)
    length = sum(len(each.alt + each.title + each.caption + each.url) for each in candidates) / given.candidates
    few = candidates[: given.candidates // 10]
    batch = min(_seconds(lambda: classifier.judge_all(candidates)) for _ in range(5))
    single = min(
        _seconds(lambda: [classifier.judge(each.alt, each.title, each.caption, each.url) for each in few])
        for _ in range(5)
    )
    print(f"{given.candidates:,} candidates of {length:.0f} characters in 29 languages, one core")
    print(f"in batches   {given.candidates / batch:8,.0f} candidates/s")
    print(f"one by one   {len(few) / single:8,.0f} candidates/s")
    rates = {"batches": given.candidates / batch, "one by one": len(few) / single}
    write(given.json, {name: Comparison("candidates/s", [rate]) for name, rate in rates.items()})


def _seconds(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


if __name__ == "__main__":
    main()
