"""A list of image URLs: posterbot with one and two workers beside img2dataset, which scores nothing.

    python -m venv build/img2dataset; build/img2dataset/bin/pip install img2dataset==1.47.0
    python benchmarks/urls_vs_img2dataset.py [IMAGES] [--images 1000] [--rounds 5] [--sizes small posters]
        [--img2dataset-python build/img2dataset/bin/python] [--json FILE]

nginx serves the pictures on eight addresses of loopback, on the same cores; all fetch the same list, in turns. IMAGES
and the sizes are those of crawl_vs_stock.py: about 100 kB, and 1000×1500 pixels.

posterbot keeps every image (all labels, the likeliest wins), so that both have the same to write. *originals*: its
crawl, filter on, into a store and a catalogue; img2dataset with ``disable_all_reencoding``. *256*: the same crawl and
``posterbot export --size 256 --format webdataset`` after it; img2dataset resizes while it downloads. Two workers are
two commands at the same time on one SQLite catalogue, each with half of the hosts as its list: the pieces of one list
are on lease to one worker, as a host's pages are. img2dataset gets two processes, and the number of threads that was
fastest here; no EXIF, no robots' headers, and ``keep_ratio_largest``. posterbot reads robots.txt.

Seconds: img2dataset's are its own statistics', from the begin of its first shard to the end of its last, without start
and end of the command; posterbot's go from the first worker's opening to the last one's end, and the export's from
start to end, less what each of them takes for eight images. CPU is that of whole commands with all their processes,
less that of the same for eight images. Ratios are of one round each: median and range.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from comparison import Comparison, compared, parse, spread, write
from crawl_vs_stock import SIZES, choose, enlarged

from models.decode import ImageError
from models.registry import load_model
from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.queries import sightings
from posterbot.export.pictures import QUALITY

ROOT = Path(__file__).parents[1]
PYTHON = os.environ.get("IMG2DATASET_PYTHON", str(ROOT / "build/img2dataset/bin/python"))
HOSTS = [f"127.0.0.{number}" for number in range(1, 9)]
SIZE, SHARDS, FEW = 256, 8, 8
SLOT = json.dumps({"127.0.0.0/8": {"concurrency": 16, "delay": 0, "failures": 0}})

THEIRS = """
import sys
from img2dataset import download
addresses, out, size, shard, quality, threads = sys.argv[1:]
how = dict(disable_all_reencoding=True) if size == "0" else dict(
    image_size=int(size), resize_mode="keep_ratio_largest", resize_only_if_bigger=True, encode_quality=int(quality))
download(url_list=addresses, input_format="txt", output_folder=out, output_format="webdataset", processes_count=2,
    thread_count=int(threads), number_sample_per_shard=int(shard), extract_exif=False, compute_hash="sha256",
    disallowed_header_directives=[], enable_wandb=False, **how)
"""


@dataclass(frozen=True)
class Taken:
    """What a command took, or several in a row."""

    seconds: float
    cpu: float

    def __add__(self, other: Taken) -> Taken:
        return Taken(self.seconds + other.seconds, self.cpu + other.cpu)

    def less(self, start: Taken) -> Taken:
        """Without what start and end take; never less than a tenth, which only chance brings about, in short lists."""
        pairs = (self.seconds, start.seconds), (self.cpu, start.cpu)
        return Taken(*(max(whole - part, whole / 10) for whole, part in pairs))

    def least(self, other: Taken) -> Taken:
        """Of two measurements of the same."""
        return Taken(min(self.seconds, other.seconds), min(self.cpu, other.cpu))


@contextmanager
def nginx(root: Path, work: Path) -> Iterator[int]:
    """nginx on a free port of all HOSTS, serving ``root``; its port."""
    with socket.socket() as probe:
        probe.bind((HOSTS[0], 0))
        port: int = probe.getsockname()[1]
    listen = " ".join(f"listen {host}:{port};" for host in HOSTS)
    (work / "nginx.conf").write_text(
        f"daemon off; worker_processes 1; pid {work}/pid; error_log {work}/error.log;"
        + ("user root;" if os.geteuid() == 0 else "")
        + "events {} http { access_log off; sendfile on; types { image/jpeg jpg; } "
        + f"server {{ {listen} root {root}; keepalive_requests 100000; }} }}"
    )
    server = subprocess.Popen(["nginx", "-c", f"{work}/nginx.conf", "-p", str(work)], stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    try:
        yield port
    finally:
        server.terminate()
        server.wait()


def run(commands: Sequence[Sequence[str]], logs: Path) -> Taken:
    """At the same time, until all have ended; their output is in ``logs``."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "NO_ALBUMENTATIONS_UPDATE": "1"}
    began, cpu = time.perf_counter(), 0.0
    running = []
    for number, words in enumerate(commands):
        with (logs / f"log{number}").open("w") as log:
            running.append(subprocess.Popen(words, cwd=ROOT, stdout=log, stderr=log, env=environment))
    for number, process in enumerate(running):
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        cpu += used.ru_utime + used.ru_stime
        if process.returncode:
            sys.exit(f"{' '.join(commands[number])[:300]}\n{(logs / f'log{number}').read_text()[-3000:]}")
    return Taken(time.perf_counter() - began, cpu)


def crawl(lists: Sequence[Path], out: Path) -> Taken:
    """posterbot, everything kept; a worker for each list."""
    settings = {
        "IMAGES_STORE": out / "images",
        "CATALOGUE_URL": f"sqlite:///{out}/c.db",
        "SPOOL": out / "spool",
        "REPORTS": out / "runs",
        "TELNETCONSOLE_PORT": 0,
        "ALLOWED_PRIVATE_HOSTS": "127.0.0.0/8",
        "DOWNLOAD_SLOTS": SLOT,
        "CONCURRENT_REQUESTS": 16,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 16,
        "QUALITY_GATES": False,
        "IMAGES_MAX_ASPECT": 1000,
        "LOG_LEVEL": "INFO",
    }
    words = [sys.executable, "-m", "scrapy", "crawl", "posters", "-a", "top=1"]
    words += ["-a", f"labels={','.join(load_model().labels)}"]
    words += [word for name, value in settings.items() for word in ("-s", f"{name}={value}")]
    taken = run([[*words, "-a", f"urls={file}"] for file in lists], out)
    told = [(out / f"log{number}").read_text() for number in range(len(lists))]
    opened, ended = (min(_moments(told, "start_time")), max(_moments(told, "finish_time")))
    return Taken((ended - opened).total_seconds(), taken.cpu)


def _moments(logs: Sequence[str], name: str) -> list[datetime]:
    """From the statistics at the end of Scrapy's logs."""
    found = []
    for log in logs:
        match = re.search(rf"'{name}': datetime\.datetime(\([\d, ]+)", log)
        if match is None:
            sys.exit(f"no {name} in the log:\n{log[-3000:]}")
        found.append(datetime(*ast.literal_eval(match[1].rstrip(", ") + ")")))
    return found


def export(out: Path, shard: int) -> Taken:
    """Of what a crawl left."""
    where = ["--catalogue", f"sqlite:///{out}/c.db", "--store", str(out / "images"), "--out", str(out / "dataset")]
    how = ["--format", "webdataset", "--size", str(SIZE), "--shard-images", str(shard), "--workers", "2"]
    return run([[sys.executable, "-m", "posterbot.cli", "export", *where, *how]], out)


def img2dataset(addresses: Path, out: Path, size: int, shard: int, python: str, threads: int) -> Taken:
    """``size`` 0: originals."""
    given = [str(addresses), str(out / "dataset"), str(size), str(shard), str(QUALITY), str(threads)]
    taken = run([[python, "-c", THEIRS, *given]], out)
    told = [json.loads(file.read_text()) for file in (out / "dataset").glob("*_stats.json")]
    wanted, got = len(addresses.read_text().split()), sum(each["successes"] for each in told)
    if got != wanted:
        sys.exit(f"img2dataset got {got} of {wanted} images: {(out / 'log0').read_text()[-1000:]}")
    seconds = max(each["end_time"] for each in told) - min(each["start_time"] for each in told)
    return Taken(seconds, taken.cpu)


class Turns:
    """All contenders on one list."""

    def __init__(self, addresses: Path, work: Path, python: str, threads: int) -> None:
        self.addresses, self.work, self.python, self.threads = addresses, work, python, threads
        urls = addresses.read_text().splitlines(keepends=True)
        self.number = len(urls)
        self.halves = [addresses.with_suffix(f".{half}.txt") for half in range(2)]
        for half, file in enumerate(self.halves):  # of hosts, which the list has in turns
            file.write_text("".join(url for n, url in enumerate(urls) if n % len(HOSTS) // (len(HOSTS) // 2) == half))
        self.shard = -(-self.number // SHARDS)

    def take(self, name: str) -> dict[str, Taken]:
        """One turn: what it took, by what was made."""
        out = self.work / "out"
        out.mkdir()
        try:
            if name == "img2dataset":
                found = {}
                for what, size in (("originals", 0), (str(SIZE), SIZE)):
                    found[what] = img2dataset(self.addresses, out, size, self.shard, self.python, self.threads)
                    shutil.rmtree(out / "dataset")
                return found
            crawled = crawl([self.addresses] if name == "posterbot 1" else self.halves, out)
            self._check(out)
            return {"originals": crawled, str(SIZE): crawled + export(out, self.shard)}
        finally:
            shutil.rmtree(out)

    def _check(self, out: Path) -> None:
        engine = open_catalogue(f"sqlite:///{out}/c.db", must_exist=True)
        seen = list(sightings(engine))
        engine.dispose()
        kept = [one.path for one in seen if one.verdict == "kept"]
        there = sum((out / "images" / path).exists() for path in set(kept) if path)
        if (len(kept), there) != (self.number, self.number):
            reasons = dict(Counter(one.reason for one in seen))
            sys.exit(f"posterbot kept {len(kept)} of {self.number} images, {there} files: {reasons}")


NAMES = ("posterbot 1", "posterbot 2", "img2dataset")


def build(pictures: Sequence[Path], size: str, root: Path) -> int:
    """The pictures that can be decoded, as JPEGs with numbers for names; how many."""
    root.mkdir()
    number = 0
    for picture in pictures:
        with suppress(ImageError):
            enlarged(picture, SIZES[size], root / f"{number}.jpg")
            number += 1
    return number


def compare(pictures: Sequence[Path], size: str, rounds: int, python: str, threads: int) -> dict[str, Comparison]:
    """All in turns, the order reversed each round."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        number_of = build(pictures, size, work / "site")
        weight = sum(path.stat().st_size for path in (work / "site").iterdir()) / number_of / 1000
        print(f"{size}: {number_of:,} images of {weight:.0f} kB", flush=True)
        with nginx(work / "site", work) as port:
            urls = [f"http://{HOSTS[n % len(HOSTS)]}:{port}/{n}.jpg\n" for n in range(number_of)]
            for name, some in (("all", urls), ("few", urls[:FEW])):
                (work / f"{name}.txt").write_text("".join(some))
            few, all_ = (Turns(work / f"{name}.txt", work, python, threads) for name in ("few", "all"))
            starts = {name: few.take(name) for name in NAMES}
            for name in NAMES:  # the first time files come from the disk
                starts[name] = {what: one.least(starts[name][what]) for what, one in few.take(name).items()}
            took: dict[tuple[str, str], list[Taken]] = {}
            for number in range(rounds):
                for name in NAMES if number % 2 else NAMES[::-1]:
                    for what, one in all_.take(name).items():
                        start = starts[name][what]
                        # What img2dataset says of its seconds is without start and end.
                        net = Taken(one.seconds, one.less(start).cpu) if name == "img2dataset" else one.less(start)
                        took.setdefault((name, what), []).append(net)
                        rate = number_of / net.seconds
                        print(
                            f"round {number + 1}  {name:12} {what:10}{rate:7.1f} images/s, CPU {net.cpu:.1f} s",
                            flush=True,
                        )
    return lines(size, number_of, took)


def lines(size: str, number: int, took: dict[tuple[str, str], list[Taken]]) -> dict[str, Comparison]:
    """Images/s, and CPU seconds for 1,000, of each number of workers, beside img2dataset."""
    found = {}
    for what in ("originals", str(SIZE)):
        rates = {name: [number / one.seconds for one in took[name, what]] for name in NAMES}
        cpu = {name: [1000 * one.cpu / number for one in took[name, what]] for name in NAMES}
        for workers in (1, 2):
            name = f"{size}, {what}, {workers} worker" + "s" * (workers > 1)
            found[f"{name}, images/s"] = compared("images/s", rates[f"posterbot {workers}"], rates["img2dataset"])
            found[f"{name}, CPU"] = compared(
                "CPU s / 1,000", cpu[f"posterbot {workers}"], cpu["img2dataset"], less=True
            )
    return found


def main() -> None:
    """Serve, fetch in turns, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", metavar="IMAGES", type=Path, nargs="?")
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", nargs="+", choices=list(SIZES), default=list(SIZES))
    parser.add_argument("--threads", type=int, default=4, help="of img2dataset, in each of its two processes")
    parser.add_argument("--img2dataset-python", default=PYTHON, metavar="PYTHON", help="that has img2dataset")
    given = parse(parser, images=60, rounds=1, sizes=["small"])
    if not shutil.which("nginx"):
        sys.exit("nginx is not installed; on Debian: apt-get install nginx-light")
    if not shutil.which(given.img2dataset_python):
        sys.exit(f"no img2dataset at {given.img2dataset_python}: make that environment as the docstring says")
    found: dict[str, Comparison] = {}
    for size in given.sizes:
        pictures = choose(given.pictures, given.images)
        found |= compare(pictures, size, given.rounds, given.img2dataset_python, given.threads)
    print("| | posterbot | img2dataset | × |\n|---|---|---|---|")
    for name, line in found.items():
        print(f"| {name} | {spread(line.ours)} | {spread(line.peer)} | {spread(line.ratio)} |")
    write(given.json, found)


if __name__ == "__main__":
    main()
