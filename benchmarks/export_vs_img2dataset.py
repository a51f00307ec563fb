"""``posterbot export`` beside img2dataset's writer: the same images to WebDataset, 256 pixels, two processes each.

    python -m venv build/img2dataset; build/img2dataset/bin/pip install img2dataset==1.47.0
    python benchmarks/export_vs_img2dataset.py [--img2dataset-python build/img2dataset/bin/python] [--images 1000]
        [--rounds 5] [--only drawn|thumbnails|originals] [--json FILE]

Three sets: posters drawn by the sample site at 1000 × 1500 (about 200 kB), real posters of about 192 × 280 (about 15
kB), and real originals of all kinds, small and large, JPEG, PNG and WebP (about 70 kB). The real ones are looked for in
$POSTERBOT_REAL_DATA, and left out where there are none. A set with too few images repeats them, with a few bytes
behind the end that no decoder reads, so that all are different files.

img2dataset gets ``file://`` addresses, which its own downloader opens, one thread for each process (with more it is
slower: they have nothing to wait for), no EXIF, no robots' headers, ``keep_ratio_largest``, and the same number for the
JPEG quality. Images a second are counted without the start of either: by img2dataset's own statistics, from the begin
of its first shard, and from when posterbot tells of its first image. Whole commands are compared as well, of which
img2dataset's waits seconds for its logger. CPU is that of the whole command with all its processes, less that of one
that writes only one image a shard: on a machine that has other work it is what can be trusted.

What each does besides: both hash with SHA-256, decode every image whole, and write JSON for each. posterbot compares
the hash with the catalogue's, reads originals through its store, plans splits, checks them for leaks, turns pictures
upright, writes colours at full resolution (4:4:4, where OpenCV writes 4:2:0), class numbers, a lockfile, and flushes
markers; img2dataset writes a Parquet file of metadata beside each shard.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import itertools
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from comparison import Comparison, compared, parse, write
from PIL import Image as PillowImage

from models.decode import ImageError, Picture
from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.recorder import Recorder
from posterbot.catalogue.records import Image, Model, Outcome, Page, Policy
from posterbot.export.pictures import QUALITY
from posterbot.sample.films import BY_SLUG
from posterbot.sample.pictures import poster
from posterbot.stores.local import LocalStore
from posterbot.stores.store import object_path

SIZE, SHARDS = 256, 8
PYTHON = os.environ.get("IMG2DATASET_PYTHON", str(Path(__file__).parents[1] / "build/img2dataset/bin/python"))
REAL_DATA = Path(os.environ.get("POSTERBOT_REAL_DATA", Path(__file__).parents[1] / "../shared"))
POLICY = Policy(("poster",), 0.5, Model("web-images", "a" * 64, ("poster", "photo")), "anna", "arguments")

OURS = """
import json, sys, time
from posterbot.catalogue.database import open_catalogue
from posterbot.export.export import export
from posterbot.export.options import Options
catalogue, store, out, size, shard = sys.argv[1:]
moments = []
def told(verb, done, of, read):
    if done and verb in ("exported", "finishing"):
        moments.append((done, time.time()))
options = Options("webdataset", size=int(size), shard_images=int(shard))
export(open_catalogue(catalogue, must_exist=True), store, options, out, workers=2, told=told)
print(json.dumps([moments[0], moments[-1]]))
"""
THEIRS = """
import sys
from img2dataset import download
addresses, out, size, shard, quality = sys.argv[1:]
download(url_list=addresses, input_format="txt", output_folder=out, output_format="webdataset", processes_count=2,
    thread_count=1, image_size=int(size), resize_mode="keep_ratio_largest", resize_only_if_bigger=True,
    encode_quality=int(quality), number_sample_per_shard=int(shard), extract_exif=False, compute_hash="sha256",
    disallowed_header_directives=[], enable_wandb=False)
"""


@dataclass
class Side:
    """One of the two, and what was measured of it."""

    name: str
    command: Callable[[Path], list[str]]
    rate: Callable[[Path, str], float]
    """Images a second while writing, from where it wrote and what it printed."""
    rates: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    start: float = 0.0
    """CPU seconds of a command that has next to nothing to write."""

    def run(self, out: Path, images: int, counts: bool) -> None:
        """Write the dataset once; what does not count is the start."""
        before, begun = _cpu(), time.perf_counter()
        done = subprocess.run(self.command(out), capture_output=True, text=True, env=_environment())
        if done.returncode:
            sys.exit(f"{self.name}: {done.stdout}{done.stderr}")
        if not counts:
            self.start = _cpu() - before
            return
        self.whole.append(time.perf_counter() - begun)
        self.cpu.append(1000 * (_cpu() - before - self.start) / images)
        self.rates.append(self.rate(out, done.stdout))


def _environment() -> dict[str, str]:
    root = str(Path(__file__).parents[1])
    return os.environ | {"PYTHONPATH": root, "NO_ALBUMENTATIONS_UPDATE": "1"}


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def drawn() -> Iterator[bytes]:
    """A dozen of the sample's posters, in print size."""
    for slug in itertools.islice(BY_SLUG, 12):
        out = io.BytesIO()
        poster(slug, 1000).save(out, "JPEG", quality=85)
        yield out.getvalue()


def real(pattern: str) -> Iterator[bytes]:
    """Those that both can read."""
    for file in sorted(REAL_DATA.glob(pattern)):
        data = file.read_bytes()
        try:
            Picture(data).rgb(1)
        except ImageError:
            continue
        yield data


SETS: dict[str, Callable[[], Iterator[bytes]]] = {
    "drawn": drawn,
    "thumbnails": lambda: real("images/poster/*.jpg"),
    "originals": lambda: real("originals/*/*.[jpw]*[gp]"),
}


def fill(folder: Path, images: list[bytes], count: int) -> None:
    """A store, a catalogue that knows what is in it, and a list of the same files' addresses."""
    folder.mkdir()
    store, addresses = LocalStore(str(folder / "images")), []
    engine = open_catalogue(f"sqlite:///{folder}/catalogue.db")
    recorder = Recorder(engine, spider="posters", arguments={}, version="1", job="job")
    for number in range(count):
        turn, place = divmod(number, len(images))
        data = images[place] + (str(turn).encode() if turn else b"")
        sha256, header = hashlib.sha256(data).hexdigest(), Picture(data).header
        path = object_path(sha256, header.extension)
        store.put_if_absent(path, data)
        addresses.append(f"file://{store.folder.resolve() / path}\n")
        there = Image(sha256, len(data), header.format, header.width, header.height, None, path)
        outcome = Outcome(
            Page(f"https://films.example/{number}", 200, "A film"),
            f"https://films.example/{number}.jpg",
            "img",
            alt=f"A poster, {number}",
            image=there,
            scores=np.array([0.9, 0.1], "<f4"),
            policy=POLICY,
            keep=True,
            verdict_reason="relevant",
            label="poster",
            score=0.9,
        )
        if number % 100 == 99 or number == count - 1:
            recorder.outcome(outcome).result()
        else:
            recorder.outcome(outcome)
    recorder.close("finished")
    engine.dispose()
    (folder / "addresses.txt").write_text("".join(addresses))


def sides(folder: Path, shard: int, python: str) -> list[Side]:
    """posterbot first."""

    def ours(out: Path) -> list[str]:
        code = [sys.executable, "-c", OURS, f"sqlite:///{folder}/catalogue.db"]
        return [*code, str(folder / "images"), str(out), str(SIZE), str(shard)]

    def theirs(out: Path) -> list[str]:
        code = [python, "-c", THEIRS, str(folder / "addresses.txt"), str(out)]
        return [*code, str(SIZE), str(shard), str(QUALITY)]

    def our_rate(out: Path, said: str) -> float:
        (before, begun), (after, ended) = json.loads(said.splitlines()[-1])
        return float((after - before) / max(ended - begun, 1e-9))

    def their_rate(out: Path, said: str) -> float:
        told = [json.loads(file.read_text()) for file in out.glob("*_stats.json")]
        seconds = max(each["end_time"] for each in told) - min(each["start_time"] for each in told)
        return float(sum(each["successes"] for each in told) / seconds)

    return [Side("posterbot", ours, our_rate), Side("img2dataset", theirs, their_rate)]


def pictures(out: Path) -> dict[str, tuple[tuple[int, int], int]]:
    """SHA-256 of the original → size in pixels and in bytes of what was written of it."""
    found = {}
    for file in out.rglob("*.tar"):
        with tarfile.open(file) as tar:
            members = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
        for name, data in members.items():
            if name.endswith(".jpg"):
                about = json.loads(members[f"{name[:-4]}.json"])
                with PillowImage.open(io.BytesIO(data)) as image:
                    found[about["sha256"]] = (image.size, len(data))
    return found


def compare(name: str, images: list[bytes], count: int, rounds: int, python: str) -> dict[str, Comparison]:
    """In turns, and the order of the turns in turns."""
    with tempfile.TemporaryDirectory() as place:
        start, folder = Path(place) / "start", Path(place) / "all"
        fill(start, images[:SHARDS], SHARDS)
        fill(folder, images, count)
        both = sides(folder, -(-count // SHARDS), python)
        for side, small in zip(both, sides(start, 1, python), strict=True):
            for number in range(2):  # the first time files come from the disk
                small.run(start / f"{side.name}-{number}", SHARDS, counts=False)
            side.start = small.start
        written = {}
        for number in range(rounds):
            for side in both if number % 2 else both[::-1]:
                out = folder / side.name
                side.run(out, count, counts=True)
                if number == 0:
                    written[side.name] = pictures(out)
                shutil.rmtree(out)
        ours, theirs = (written[side.name] for side in both)
    equal = sum(size == theirs.get(key, ((0, 0), 0))[0] for key, (size, _) in ours.items())
    mean = sum(map(len, images)) / len(images) / 1000
    print(f"\n{name}: {count:,} images of {mean:.0f} kB; {equal:,} have the same size in both")
    for side in both:
        kilobytes = statistics.mean(length for _, length in written[side.name].values()) / 1000
        line = (
            f"  {side.name:12} {statistics.median(side.rates):5.0f} images/s, {statistics.median(side.cpu):5.2f} CPU s"
        )
        line += f" / 1,000, whole command {statistics.median(side.whole):5.1f} s, "
        print(f"{line}{len(written[side.name]):,} written of {kilobytes:.1f} kB")
    ours_, theirs_ = both
    lines = {
        "images/s": compared("images/s", ours_.rates, theirs_.rates),
        "whole command": compared("s", ours_.whole, theirs_.whole, less=True),
        "CPU": compared("CPU s / 1,000", ours_.cpu, theirs_.cpu, less=True),
    }
    for what, line in lines.items():
        ratios = line.ratio
        print(f"  posterbot x {statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f}) {what}", flush=True)
    return {f"{name}, {what}": line for what, line in lines.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--img2dataset-python", default=PYTHON, metavar="PYTHON", help="that has img2dataset")
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=sorted(SETS))
    given = parse(parser, images=40, rounds=1)
    if not shutil.which(given.img2dataset_python):
        sys.exit(f"no img2dataset at {given.img2dataset_python}: make that environment as the docstring says")
    lines: dict[str, Comparison] = {}
    for name, of in SETS.items():
        if given.only in {None, name}:
            images = list(itertools.islice(of(), given.images))
            if images:
                lines |= compare(name, images, given.images, given.rounds, given.img2dataset_python)
            else:
                print(f"\n{name}: none at {REAL_DATA}")
    write(given.json, lines)


if __name__ == "__main__":
    main()
