"""All benchmarks, one after the other, and one table of what they found.

    python benchmarks/bench.py [--only NAME,…] [--short] [--json FILE] [--resume] [--list]

Each runs in a process of its own and writes its figures as JSON; what it prints is kept beside them in FILE
(build/bench.json), which is written anew after each. A benchmark that fails, or lacks what it needs, is a line that
says so. Ctrl-C ends the one that runs, and prints what there is; ``--resume`` goes on with FILE: what went well there
is not run again, and each outcome says of which commit it is. ``--short`` shows that all of them work, in some
minutes; its figures mean nothing. Exit code 1 where a benchmark failed; a goal that is missed is only said.

``ratio`` says how many times better ours was than the peer in the same round: median, and least and most.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import platform
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bench_lines import Line
from bench_list import BENCHMARKS, Benchmark
from bench_needs import NEEDS
from comparison import Comparison, number, spread

HERE = Path(__file__).parent
ROOT = HERE.parent
PACKAGES = ("posterbot", "scrapy", "twisted", "sqlalchemy", "pillow", "numpy", "lxml", "ai-edge-litert", "tensorflow")
END_SECONDS = 20


@dataclass
class Outcome:
    """What became of one benchmark."""

    name: str
    command: str
    load: float
    """Average over the minute before it."""
    commit: str = ""
    seconds: float = 0.0
    problem: str = ""
    """One line; empty where all went well."""
    failed: bool = False
    lines: list[dict[str, Any]] = field(default_factory=list)
    content: Any = None
    """Its JSON."""
    output: str = ""


def machine() -> dict[str, Any]:
    """What the figures are of."""
    versions = {}
    for name in PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            versions[name] = version(name)
    cpu = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    return {
        "cpu": cpu[1] if cpu else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": versions,
        "commit": _git("rev-parse", "HEAD"),
        "dirty": bool(_git("status", "--porcelain")),
        "begun": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip()


def run(benchmark: Benchmark, short: bool, folder: Path) -> Outcome:
    """One benchmark, to its end. Raises KeyboardInterrupt after it was ended."""
    words = [*benchmark.command, *(benchmark.short if short else ())]
    outcome = Outcome(benchmark.name, f"python benchmarks/{' '.join(words)}", os.getloadavg()[0])
    if not (HERE / words[0]).exists():
        outcome.problem = f"there is no benchmarks/{words[0]}"
        return outcome
    for need in benchmark.needs:
        there, line = NEEDS[need]
        if not there():
            outcome.problem = f"needs {line}"
            return outcome
    file, log = folder / "figures.json", folder / "log"
    file.unlink(missing_ok=True)
    began = time.monotonic()
    with log.open("w") as out:
        command = [sys.executable, str(HERE / words[0]), *words[1:], "--json", str(file)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out, start_new_session=True)
        try:
            process.wait()
        except KeyboardInterrupt:
            _end(process)
            raise
    outcome.seconds = time.monotonic() - began
    outcome.output = log.read_text(errors="replace").replace("\r", "\n")
    said = [line for line in outcome.output.splitlines() if line.strip()]
    if process.returncode:
        outcome.failed, outcome.problem = True, f"exit code {process.returncode}: {said[-1] if said else 'no word'}"
    if file.exists():
        outcome.content = json.loads(file.read_text(encoding="utf-8"))
        read(benchmark, outcome, short)
    elif not outcome.problem:
        outcome.failed, outcome.problem = True, "wrote no figures"
    return outcome


def _end(process: subprocess.Popen[bytes]) -> None:
    """With all that it has started, in good order if it can."""
    for sign, seconds in ((signal.SIGINT, END_SECONDS), (signal.SIGKILL, END_SECONDS)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
            return


def read(benchmark: Benchmark, outcome: Outcome, short: bool) -> None:
    """The lines of the table out of the benchmark's JSON; one that is not there (a set left out) is passed over."""
    for line in benchmark.lines:
        with contextlib.suppress(KeyError, IndexError, TypeError, statistics.StatisticsError):
            outcome.lines.append(_line(line, line.read(outcome.content), short))
    if benchmark.lines and not outcome.lines and not outcome.problem:
        outcome.failed, outcome.problem = True, "its figures are none that the table knows"


def _line(line: Line, found: Comparison, short: bool) -> dict[str, Any]:
    values = found.ratio if line.peer else found.ours
    met = None
    if values and not short and (line.least, line.most) != (None, None):
        middle = statistics.median(values)
        met = (line.least is None or middle >= line.least) and (line.most is None or middle <= line.most)
    goal = {"least": line.least, "most": line.most}
    return {"what": line.what, "peer_name": line.peer, **asdict(found), "goal": goal, "met": met}


def table(outcomes: list[Outcome]) -> str:
    """As Markdown, ratios first; ranges of what was measured beside a peer are in the JSON."""
    rows = ["| what | × (range) | ours | the peer | goal | |", "|---|---|---|---|---|---|"]
    for outcome in outcomes:
        for line in outcome.lines:
            beside = line["peer_name"] and line["ratio"]
            ours, peer = (statistics.median(line[name]) if line[name] else math.nan for name in ("ours", "peer"))
            bounds = ((line["goal"][name], sign) for name, sign in (("least", "≥"), ("most", "≤")))
            cells = (
                line["what"],
                spread(line["ratio"]) if beside else "",
                f"{number(ours) if beside else spread(line['ours'])} {line['unit']}".rstrip(),
                f"{number(peer)}, {line['peer_name']}" if beside else "",
                " ".join(f"{sign} {number(bound)}" for bound, sign in bounds if bound is not None),
                {True: "met", False: "**missed**", None: ""}[line["met"]],
            )
            rows.append("| " + " | ".join(cells) + " |")
        if outcome.problem:
            rows.append(f"| {outcome.name} | {outcome.problem[:200]} | | | | |")
    return "\n".join(rows)


def shown(about: dict[str, Any]) -> str:
    """The lines above the table."""
    versions = ", ".join(f"{name} {one}" for name, one in about["versions"].items())
    dirty = " and what is not committed" if about["dirty"] else ""
    return (
        f"{about['cpu']}, {about['cores']} cores, {about['memory_gb']} GB; {about['system']}; "
        f"Python {about['python']}, {versions}; commit {about['commit'][:12]}{dirty}; {about['begun']}"
    )


def earlier(file: Path, short: bool) -> dict[str, Outcome]:
    """By name, what went well in ``file``; exits where that is of another machine, or of the other form."""
    if not file.exists():
        return {}
    whole = json.loads(file.read_text(encoding="utf-8"))
    here = machine()
    for name in ("cpu", "cores"):
        if whole[name] != here[name]:
            sys.exit(f"{file} is of a machine with {name} {whole[name]}, not {here[name]}: give another --json")
    if whole["short"] != short:
        sys.exit(f"{file} is {'' if whole['short'] else 'not '}of the short form: give another --json")
    outcomes = (Outcome(**outcome) for outcome in whole["benchmarks"])
    return {outcome.name: outcome for outcome in outcomes if not outcome.problem}


def left(chosen: list[Benchmark], outcomes: list[Outcome], short: bool) -> float:
    """Minutes, about: as measured so far, beside what was expected of them."""
    names = {outcome.name for outcome in outcomes}
    expected = sum(one.minutes for one in chosen if one.name in {one.name for one in outcomes if one.seconds})
    pace = sum(one.seconds for one in outcomes) / 60 / expected if expected else (0.1 if short else 1.0)
    return pace * sum(one.minutes for one in chosen if one.name not in names)


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="NAME,…", help="these benchmarks; --list has the names")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--json", type=Path, default=ROOT / "build/bench.json", metavar="FILE")
    parser.add_argument("--resume", action="store_true", help="go on with FILE")
    parser.add_argument("--list", action="store_true", help="print the names, and what each needs")
    given = parser.parse_args()
    if given.list:
        for one in BENCHMARKS:
            needs = f"; needs {', '.join(one.needs)}" if one.needs else ""
            print(f"{one.name:24} {one.command[0]}, {number(one.minutes)} min{needs}")
        return
    names = [name.strip() for name in given.only.split(",") if name.strip()]
    for name in names:
        if name not in {one.name for one in BENCHMARKS}:
            parser.error(f"no benchmark {name!r}: there are {', '.join(one.name for one in BENCHMARKS)}")
    chosen = [one for one in BENCHMARKS if not names or one.name in names]
    given.json.parent.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    known = earlier(given.json, given.short) if given.resume else {}
    sys.exit(run_all(chosen, given.short, given.json, known))


def run_all(chosen: list[Benchmark], short: bool, file: Path, known: Mapping[str, Outcome] | None = None) -> int:
    """The exit code. What is ``known`` is not run."""
    about, code = machine(), 0
    found = dict(known or {})

    def outcomes() -> list[Outcome]:
        return [found[one.name] for one in chosen if one.name in found]

    print(shown(about), flush=True)
    try:
        with tempfile.TemporaryDirectory() as folder:
            for place, one in enumerate(chosen, 1):
                if one.name in found:
                    print(f"{place} of {len(chosen)}  {one.name}: known", flush=True)
                    continue
                minutes = left(chosen, outcomes(), short)
                now = f"load {os.getloadavg()[0]:.1f}, about {minutes:.0f} min left"
                print(f"{place} of {len(chosen)}  {one.name} … ({now})", flush=True)
                outcome = found[one.name] = run(one, short, Path(folder))
                outcome.commit = about["commit"]
                print(f"    {outcome.problem or 'done'}, {outcome.seconds:.0f} s", flush=True)
                write(file, about, short, outcomes())
    except KeyboardInterrupt:
        print("\ninterrupted; so far:", flush=True)
        code = 130
    write(file, about, short, outcomes())
    print(f"\n{'the short form: no figures to quote' if short else ''}\n{table(outcomes())}\n\n{file}")
    return code or int(any(outcome.failed for outcome in outcomes()))


def write(file: Path, about: dict[str, Any], short: bool, outcomes: list[Outcome]) -> None:
    """All of it, whole or as it was before."""
    whole = {**about, "short": short, "benchmarks": [asdict(outcome) for outcome in outcomes]}
    beside = file.with_name(f"{file.name}.part")
    beside.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    beside.replace(file)


if __name__ == "__main__":
    main()
