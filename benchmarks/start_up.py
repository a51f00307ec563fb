"""What it takes until each command does something: seconds of CPU and memory, of its help and of a cheap real call.

    python benchmarks/start_up.py [--rounds 5] [--only WORD] [--json FILE]

The real calls are on the catalogue that a crawl of the sample site leaves. ``scrapy crawl posters`` is measured until
its first request reaches a server on loopback, beside the smallest spider that Scrapy runs. CPU is that of the
process with its children, and the least of the rounds, for others use the machine as well; memory is the largest
resident set of one process, and the largest of the rounds. Bare Python stands at the top for comparison.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from comparison import Comparison, compared, parse, write

ROOT = Path(__file__).parents[1]
POSTERBOT = [sys.executable, "-m", "posterbot.cli"]
SCRAPY = [sys.executable, "-m", "scrapy"]
SMALLEST = """
import scrapy
class Smallest(scrapy.Spider):
    name = "smallest"
    def __init__(self, start): self.start_urls = [start]
    def parse(self, response): pass
"""
REAL = {
    "stats": (),
    "ls": ("--limit", "5"),
    "crawls": (),
    "hosts": (),
    "frontier": (),
    "retry": (),
    "policies": (),
    "rejudge": ("--dry-run",),
    "films": ("ls",),
    "duplicates": (),
    "terms": (),
    "fsck": (),
    "sheet": (),
    "export": ("--format", "json", "--out", "{new}"),
    "completion": ("bash",),
}
"""Arguments of real calls; the other commands change something, wait for a person, or need more than a catalogue."""
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Measured:
    """One command."""

    name: str
    cpu: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)


def environment(folder: Path) -> dict[str, str]:
    """Everything lies in ``folder``, and the settings are the shipped ones."""
    outside = {"OPERATOR_CONTACT", "START", "REPORTS", "SPOOL"}
    kept = {name: value for name, value in os.environ.items() if name not in outside}
    places = {"CATALOGUE_URL": f"sqlite:///{folder}/catalogue.db", "IMAGES_STORE": f"{folder}/images"}
    return kept | places | {"PYTHONPATH": str(ROOT), "SCRAPY_SETTINGS_MODULE": "posterbot.settings"}


def run(command: list[str], folder: Path) -> tuple[float, float]:
    """CPU seconds and MB of a command that ends by itself."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment(folder), stdout=log, stderr=log)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command[1:])}: {(folder / 'log').read_text()[-2000:]}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def until_first_request(command: list[str], folder: Path) -> tuple[float, float]:
    """The same of a crawl, which is ended when it asks for something; ``{url}`` in it is where it starts."""
    with socket.create_server(("127.0.0.1", 0)) as server, (folder / "log").open("wb") as log:
        server.settimeout(120)
        words = [word.replace("{url}", f"http://127.0.0.1:{server.getsockname()[1]}/") for word in command]
        process = subprocess.Popen(words, cwd=folder, env=environment(folder), stdout=log, stderr=log)
        try:
            server.accept()[0].close()
            return _used(process.pid)
        except TimeoutError:
            sys.exit(f"{' '.join(words[1:])}: no request in 120 s: {(folder / 'log').read_text()[-2000:]}")
        finally:
            server.close()
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _used(pid: int) -> tuple[float, float]:
    """Of a running process and its children, so far."""
    ticks, peak = 0, 0
    for one in [pid, *_children(pid)]:
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            status = Path(f"/proc/{one}/status").read_text()
        except OSError:
            continue
        ticks += sum(map(int, fields[11:15]))
        peak = max(peak, int(status.split("VmHWM:")[1].split()[0]))
    return ticks / _TICKS, peak / 1024


def _children(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        yield from map(int, task.read_text().split())


def commands(folder: Path) -> dict[str, Callable[[], tuple[float, float]]]:
    """Every one, by what a person would type."""
    from posterbot.cli import SECTIONS

    known = [name for section in SECTIONS.values() for name in section]
    (folder / "smallest.py").write_text(SMALLEST)
    plain = ["env", "-u", "SCRAPY_SETTINGS_MODULE"]  # as Scrapy comes
    smallest = [*plain, *SCRAPY, "runspider", str(folder / "smallest.py"), "-a", "start={url}"]
    crawl = [*SCRAPY, "crawl", "posters", "-a", "labels=poster", "-a", "start={url}"]
    private = ["-s", "ALLOWED_PRIVATE_HOSTS=127.0.0.0/8", "-s", "TELNETCONSOLE_PORT=0"]
    fresh = ["-s", f"CATALOGUE_URL=sqlite:///{folder}/{{new}}.db"]
    ending = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "python -c 'import scrapy'": [sys.executable, "-c", "import scrapy"],
        "posterbot --version": [*POSTERBOT, "--version"],
        "posterbot --help": [*POSTERBOT, "--help"],
        **{f"posterbot {name} --help": [*POSTERBOT, name, "--help"] for name in known},
        **{
            f"posterbot {name}" + (f" {' '.join(words[:2])}" if words else ""): [*POSTERBOT, name, *words]
            for name, words in REAL.items()
            if name in known
        },
        "python -m wikidump --help": [sys.executable, "-m", "wikidump", "--help"],
        "python -m models --help": [sys.executable, "-m", "models", "--help"],
    }
    begun = {
        "a smallest spider until its first request": smallest,
        "scrapy crawl posters until its first request": [*crawl, *private, *fresh],
    }
    return {name: _turn(run, words, folder) for name, words in ending.items()} | {
        name: _turn(until_first_request, words, folder) for name, words in begun.items()
    }


def _turn(
    measure: Callable[[list[str], Path], tuple[float, float]], words: list[str], folder: Path
) -> Callable[[], tuple[float, float]]:
    """``{new}`` is a name that nothing has yet."""
    return lambda: measure([word.replace("{new}", f"new-{time.monotonic_ns()}") for word in words], folder)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", metavar="WORD", help="commands that contain it")
    given = parse(parser, rounds=1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run([*SCRAPY, "crawl", "posters", "-a", "labels=poster", "-s", "TELNETCONSOLE_PORT=0"], folder)
        turns = {name: turn for name, turn in commands(folder).items() if given.only in name}
        if not turns:
            parser.error(f"no command contains {given.only!r}")
        found = [Measured(name) for name in turns]
        for number in range(given.rounds):
            for one in found:
                cpu, megabytes = turns[one.name]()
                one.cpu.append(cpu)
                one.megabytes.append(megabytes)
                print(f"\rround {number + 1} of {given.rounds}: {one.name:60}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    print("| command | CPU s | MB |\n|---|---|---|")
    for one in found:
        print(f"| `{one.name}` | {min(one.cpu):.2f} | {max(one.megabytes):.0f} |")
    write(given.json, lines(found))


def lines(found: list[Measured]) -> dict[str, Comparison]:
    """Every command's, and what is compared."""
    by_name = {one.name: one for one in found}
    lines = {one.name: Comparison("CPU s", one.cpu) for one in found}
    lines |= {f"{one.name}, memory": Comparison("MB", one.megabytes) for one in found}
    helps = [one for one in found if one.name.startswith("posterbot") and one.name.endswith("--help")]
    if helps:
        worst = max(helps, key=lambda one: min(one.cpu))
        lines["the slowest help of posterbot"] = Comparison("CPU s", worst.cpu)
        largest = max(helps, key=lambda one: max(one.megabytes))
        lines["the largest help of posterbot"] = Comparison("MB", largest.megabytes)
    pair = [by_name.get(f"{name} until its first request") for name in ("scrapy crawl posters", "a smallest spider")]
    if pair[0] and pair[1]:
        lines["crawl until the first request"] = compared("CPU s", pair[0].cpu, pair[1].cpu, less=True)
    return lines


if __name__ == "__main__":
    main()
