"""posterbot, filter on, beside Scrapy's own pipelines and the plain way to put a network into one, interleaved.

    python benchmarks/crawl_vs_stock.py [IMAGES] [--images 1000] [--rounds 5] [--sizes small posters]
        [--json FILE] [--short]

The four crawl one site: posterbot; ``ImagesPipeline`` (no filter); ``FilesPipeline`` (no filter, and no look at the
images: the ceiling); and an ``ImagesPipeline`` that calls Keras' ``model.predict`` for each image. nginx serves the
site on loopback, on the same cores, twenty images a page. All have the same concurrency and obey robots.txt.

IMAGES is a folder of <label>/<source>__<id>.<ext>; of it, those of sources that the shipped model never saw
(models.training.dataset.split_by_source, the same split that trained it), half of them posters. Without it the pictures
of the sample site are taken. They are enlarged and grained until they weigh what such files weigh: "small", longer side
720 pixels, about 100 kB; "posters", 1000×1500 pixels or as much in another shape, about 300 kB.

Each round measures each crawl twice: with the images, and of a site without any. What the second takes is start and
end, and is taken off: seconds of the wall from the spider's opening to its end, and seconds of CPU of the crawl with
all its processes. posterbot's contact sheet of at most 300 pictures, which is made once the crawl is over, is in its
CPU and not in its images/s. The table gives ratios first, of one round each: median and range.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from comparison import Comparison, compared, parse, spread, write
from PIL import Image, ImageChops

from models.decode import ImageError, Picture
from models.training.dataset import read_samples, split_by_source
from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.queries import sightings

ROOT = Path(__file__).parents[1]
PER_PAGE = 20
NAIVE_SHARE = 5
"""One in so many images is enough for the naive crawl, which is slow."""

STOCK = """
import scrapy
class Stock(scrapy.Spider):
    name = "stock"
    def __init__(self, start, field): self.start_urls, self.field = [start], field
    def parse(self, response):
        yield {self.field: [response.urljoin(u) for u in response.css("img::attr(src)").getall()]}
        yield from response.follow_all(css="a")
"""
NAIVE = """
import numpy as np
from scrapy.pipelines.images import ImagesPipeline
class Naive(ImagesPipeline):
    def open_spider(self, spider=None):
        super().open_spider()
        from models.training.backbone import build
        self.model = build(24)
        self.model.predict(np.zeros((1, 160, 160, 3), np.uint8), verbose=0)
    def get_images(self, response, request, info, *, item=None):
        for path, image, data in super().get_images(response, request, info, item=item):
            pixels = np.asarray(image.convert("RGB").resize((160, 160)), np.uint8)
            self.model.predict(pixels[np.newaxis], verbose=0)
            yield path, image, data
"""


@dataclass(frozen=True)
class Size:
    """How pictures are enlarged."""

    pixels: int
    """Width × height, about."""
    grain: float
    """Standard deviation of the noise that is laid over them."""
    quality: int
    """Of the JPEG."""


SIZES = {"small": Size(480 * 720, 11.0, 85), "posters": Size(1000 * 1500, 7.0, 80)}


def choose(folder: Path | None, number: int) -> list[Path]:
    """So many pictures, in an order that tells nothing; some more than once where there are too few."""
    if folder is None:
        found = sorted(path for path in (ROOT / "posterbot/sample/site").rglob("*") if _is_picture(path))
    else:
        _, held_out = split_by_source(read_samples(folder))
        random.Random(1).shuffle(held_out)
        posters = [sample.path for sample in held_out if sample.label == "poster"]
        others = [sample.path for sample in held_out if sample.label != "poster"]
        found = [*posters[: number // 2], *others[: number - number // 2]]
    chosen = [found[place % len(found)] for place in range(number)]
    random.Random(2).shuffle(chosen)
    return chosen


def _is_picture(path: Path) -> bool:
    try:
        return path.is_file() and min(Picture(path.read_bytes()).rgb(1000).size) >= 100
    except ImageError:
        return False


def enlarged(path: Path, size: Size, target: Path) -> None:
    """Write the picture at ``path`` as a JPEG of ``size``."""
    data = path.read_bytes()
    header = Picture(data).header
    image = Picture(data).rgb(max(header.width, header.height))
    scale = (size.pixels / (image.width * image.height)) ** 0.5
    image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC)
    grain = Image.effect_noise(image.size, size.grain)
    ImageChops.add(image, Image.merge("RGB", [grain] * 3), offset=-128).save(target, quality=size.quality)


def build_site(pictures: Sequence[Path], size: Size, root: Path) -> dict[str, str]:
    """Pages and images below ``root``; path of each image → the folder it came from. Names tell nothing.

    ``few.html`` leads to some of the pages only, and ``none.html`` to none.
    """
    labels = {}
    (root / "i").mkdir(parents=True)
    links = []
    for start in range(0, len(pictures), PER_PAGE):
        tags = []
        for number, picture in enumerate(pictures[start : start + PER_PAGE], start):
            path = f"/i/{number}.jpg"
            enlarged(picture, size, root / path[1:])
            labels[path] = picture.parent.name
            tags.append(f'<p><img src="{path}">')
        page = f"p{start // PER_PAGE}.html"
        (root / page).write_text(f"<!doctype html><title>{page}</title>" + "".join(tags))
        links.append(f'<a href="{page}">{page}</a> ')
    for name, shown in (("index", links), ("few", links[: max(1, len(links) // NAIVE_SHARE)]), ("none", [])):
        (root / f"{name}.html").write_text(f"<!doctype html><title>{name}</title>" + "".join(shown))
    return labels


@contextmanager
def nginx(root: Path, work: Path) -> Iterator[str]:
    """nginx on a free port of loopback, serving ``root``."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = work / "nginx.conf"
    config.write_text(
        f"daemon off; worker_processes 1; pid {work}/pid; error_log {work}/error.log;"
        + ("user root;" if os.geteuid() == 0 else "")
        + "events {} http { access_log off; sendfile on; types { text/html html; image/jpeg jpg; } server { "
        f"listen 127.0.0.1:{port}; root {root}; keepalive_requests 100000; }} }}"
    )
    server = subprocess.Popen(["nginx", "-c", str(config), "-p", str(work)], stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.terminate()
        server.wait()


@dataclass(frozen=True)
class Measured:
    """One crawl."""

    images: int
    seconds: float
    """From the spider's opening to its end."""
    cpu: float
    """Seconds, of all processes."""
    memory: float
    """Peak of the crawl's own process, MB."""
    blocked: float
    """Milliseconds: the longest time that the event loop was away. Only posterbot measures it."""


def run(command: list[str], cwd: Path, log: Path) -> Measured:
    """Run a crawl; its own figures are from the stats that Scrapy dumps into the log."""
    with log.open("w") as file:
        process = subprocess.Popen(
            command, cwd=cwd, stdout=file, stderr=file, env=os.environ | {"PYTHONPATH": str(ROOT)}
        )
        _, status, used = os.wait4(process.pid, 0)
    text = log.read_text()
    if process.returncode or status:
        sys.exit(f"benchmark: {' '.join(command)}\n{text[-3000:]}")

    def stat(name: str) -> float:
        found = re.search(rf"'{name}': ([\d.]+)", text)
        return float(found[1]) if found else 0.0

    return Measured(
        images=int(stat("posterbot/images") or stat("file_count")),
        seconds=stat("elapsed_time_seconds"),
        cpu=used.ru_utime + used.ru_stime,
        memory=stat("memusage/max") / 1e6,
        blocked=stat("posterbot/loop_blocked_max_ms"),
    )


def commands(work: Path) -> dict[str, list[str]]:
    """Each contender, but for where it starts and what it writes to."""
    shared = ["CONCURRENT_REQUESTS=16", "CONCURRENT_REQUESTS_PER_DOMAIN=16", "ROBOTSTXT_OBEY=True", "LOG_LEVEL=INFO"]
    scrapy = [sys.executable, "-m", "scrapy"]

    def stock(pipeline: str, field: str) -> list[str]:
        settings = [*shared, f'ITEM_PIPELINES={{"{pipeline}": 1}}']
        spider = [*scrapy, "runspider", str(work / "stock.py"), "-a", f"field={field}"]
        return [*spider, *(word for setting in settings for word in ("-s", setting))]

    return {
        "posterbot": [*scrapy, "crawl", "posters", "-a", "labels=poster"],
        "ImagesPipeline": stock("scrapy.pipelines.images.ImagesPipeline", "image_urls"),
        "FilesPipeline": stock("scrapy.pipelines.files.FilesPipeline", "file_urls"),
        "model.predict": stock("naive.Naive", "image_urls"),
    }


def measure(name: str, command: list[str], url: str, work: Path, out: Path) -> Measured:
    """One crawl from ``url`` into ``out``."""
    ours = name == "posterbot"
    stores = {f"{kind}_STORE={out}/store" for kind in ("IMAGES", "FILES")}
    settings = [*stores, *((f"CATALOGUE_URL=sqlite:///{out}/c.db", f"REPORTS={out}/runs") if ours else ())]
    out.mkdir(parents=True)
    whole = [*command, "-a", f"start={url}", *(word for setting in settings for word in ("-s", setting))]
    measured = run(whole, ROOT if ours else work, out / "log")
    shutil.rmtree(out / "store", ignore_errors=True)
    return measured


def compare(url: str, work: Path, rounds: int) -> dict[str, list[Measured]]:
    """All contenders, in turns, the order reversed each round; what start and end take is taken off."""
    (work / "stock.py").write_text(STOCK)
    (work / "naive.py").write_text(NAIVE)
    contenders = commands(work)
    figures: dict[str, list[Measured]] = {name: [] for name in contenders}
    for number in range(rounds):
        for name in list(contenders)[:: 1 if number % 2 == 0 else -1]:
            folder = work / f"{name}{number}"
            page = "few.html" if name == "model.predict" else "index.html"
            idle = measure(name, contenders[name], f"{url}none.html", work, folder / "idle")
            busy = measure(name, contenders[name], url + page, work, folder / "busy")
            shown = Measured(busy.images, busy.seconds - idle.seconds, busy.cpu - idle.cpu, busy.memory, busy.blocked)
            figures[name].append(shown)
            print(
                f"round {number + 1}  {name:14}  {shown.images / shown.seconds:6.1f} images/s"
                f"  {1000 * shown.cpu / shown.images:6.2f} s CPU for 1,000  {shown.images} in {shown.seconds:.1f} s"
                f"  start {idle.cpu:.1f} s CPU  peak {shown.memory:.0f} MB"
                + (f"  loop blocked at most {shown.blocked:.0f} ms" if name == "posterbot" else ""),
                flush=True,
            )
    return figures


def lines(size: str, figures: dict[str, list[Measured]]) -> dict[str, Comparison]:
    """posterbot beside each of the others, round by round."""
    rates = {name: [one.images / one.seconds for one in rounds] for name, rounds in figures.items()}
    cpu = {name: [1000 * one.cpu / one.images for one in rounds] for name, rounds in figures.items()}
    found = {}
    for name in list(figures)[1:]:
        found[f"{size}, beside {name}"] = compared("images/s", rates["posterbot"], rates[name])
        unit = "s of CPU for 1,000 images"
        found[f"{size}, beside {name}, CPU"] = compared(unit, cpu["posterbot"], cpu[name], less=True)
    return found


def table(found: dict[str, Comparison]) -> str:
    """All lines, ratios first: more than 1 is better than the other, of images/s and of CPU."""
    rows = ["| | times better | posterbot | the other | |", "|---|---|---|---|---|"]
    for name, line in found.items():
        cells = [name, *(spread(values) for values in (line.ratio, line.ours, line.peer)), line.unit]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def report(catalogue: str, labels: dict[str, str]) -> None:
    """What posterbot kept, against the folders that the pictures are from, and every reason."""
    engine = open_catalogue(catalogue)
    seen = list(sightings(engine))
    engine.dispose()
    kept = Counter(labels["/" + s.url.split("/", 3)[3]] for s in seen if s.verdict == "kept")
    dropped = Counter(s.reason for s in seen if s.verdict == "dropped")
    posters = sum(label.startswith("poster") for label in labels.values())
    print(f"posterbot looked at {len(seen)}, {posters} of them from folders of posters, and kept {kept.total()}")
    print(f"kept, by folder: {json.dumps(dict(kept.most_common()))}; dropped: {json.dumps(dict(dropped))}", flush=True)


def main() -> None:
    """Build, serve, crawl in turns, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", metavar="IMAGES", type=Path, nargs="?")
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", nargs="+", choices=list(SIZES), default=list(SIZES))
    given = parse(parser, images=100, rounds=1, sizes=["small"])
    if not shutil.which("nginx"):
        sys.exit("benchmark: nginx is not installed; on Debian: apt-get install nginx-light")
    pictures = choose(given.pictures, given.images)
    found: dict[str, Comparison] = {}
    for name in given.sizes:
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder)
            labels = build_site(pictures, SIZES[name], work / "site")
            size = sum(path.stat().st_size for path in (work / "site/i").iterdir()) / len(labels)
            print(f"{name}: {len(labels)} images of {size / 1000:.0f} kB", flush=True)
            with nginx(work / "site", work) as url:
                found |= lines(name, compare(url, work, given.rounds))
            report(f"sqlite:///{work}/posterbot0/busy/c.db", labels)
    print("\n" + table(found))
    write(given.json, found)


if __name__ == "__main__":
    main()
