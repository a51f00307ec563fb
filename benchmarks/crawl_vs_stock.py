"""posterbot beside Scrapy's stock ImagesPipeline, on one site of real images, interleaved in one run.

    python benchmarks/crawl_vs_stock.py IMAGES [--rounds 3] [--limit N]

IMAGES is a folder of <label>/<source>__<id>.<ext>; only images of sources that the shipped model never saw are used
(models.training.dataset.split_by_source, the same split that trained it). nginx serves them on loopback, twenty a
page. Both crawls have the same concurrency, obey robots.txt, and share the same cores with the web server. Printed for
each round: images/s, peak memory, the longest time the event loop was blocked; then precision and recall of what
posterbot kept against the folder labels, the count of each drop reason, and the median ratio.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.training.dataset import Sample, read_samples, split_by_source
from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.queries import sightings

ROOT = Path(__file__).parents[1]
PER_PAGE = 20

STOCK = """
import scrapy
class Stock(scrapy.Spider):
    name = "stock"
    def __init__(self, start): self.start_urls = [start]
    def parse(self, response):
        yield {"image_urls": [response.urljoin(u) for u in response.css("img::attr(src)").getall()]}
        yield from response.follow_all(css="a")
"""


def build_site(samples: list[Sample], root: Path) -> dict[str, str]:
    """Pages and images below ``root``; path of each image → its label. Names tell nothing."""
    labels = {}
    (root / "i").mkdir(parents=True)
    pages = []
    for start in range(0, len(samples), PER_PAGE):
        tags = []
        for number, sample in enumerate(samples[start : start + PER_PAGE], start):
            path = f"/i/{number}{sample.path.suffix}"
            shutil.copy(sample.path, root / path[1:])
            labels[path] = sample.label
            tags.append(f'<p><img src="{path}">')
        page = f"p{start // PER_PAGE}.html"
        (root / page).write_text(f"<!doctype html><title>{page}</title>" + "".join(tags))
        pages.append(page)
    (root / "index.html").write_text("<!doctype html>" + "".join(f'<a href="{page}">{page}</a> ' for page in pages))
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
        + "events {} http { access_log off; types { text/html html; image/jpeg jpg; image/png png; image/gif gif; "
        f"image/webp webp; }} server {{ listen 127.0.0.1:{port}; root {root}; keepalive_requests 100000; }} }}"
    )
    server = subprocess.Popen(["nginx", "-c", str(config), "-p", str(work)], stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.terminate()
        server.wait()


def run(command: list[str], cwd: Path) -> dict[str, float]:
    """Run a crawl; its own figures, from the stats that Scrapy dumps into the log."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True)

    def stat(name: str) -> float:
        found = re.search(rf"'{name}': ([\d.]+)", done.stderr)
        return float(found[1]) if found else 0.0

    return {
        "seconds": stat("elapsed_time_seconds"),
        "memory_mb": stat("memusage/max") / 1e6,
        "blocked_ms": stat("posterbot/loop_blocked_max_ms"),
        "images": stat("posterbot/images") or stat("file_count"),
    }


def main() -> None:
    """Build, serve, crawl in turns, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=int)
    given = parser.parse_args()
    if not shutil.which("nginx"):
        sys.exit("benchmark: nginx is not installed; on Debian: apt-get install nginx-light")
    _, held_out = split_by_source(read_samples(given.images))
    random.Random(1).shuffle(held_out)
    held_out = held_out[: given.limit]
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        labels = build_site(held_out, work / "site")
        (work / "stock.py").write_text(STOCK)
        figures: dict[str, list[dict[str, float]]] = {"posterbot": [], "stock": []}
        with nginx(work / "site", work) as url:
            for number in range(given.rounds):
                out = work / f"round{number}"
                ours = [sys.executable, "-m", "scrapy", "crawl", "posters", "-a", "labels=poster", "-a", f"start={url}"]
                ours += ["-s", f"IMAGES_STORE={out}/ours", "-s", f"CATALOGUE_URL=sqlite:///{out}/c.db"]
                ours += ["-s", f"REPORTS={out}/runs"]
                theirs = [sys.executable, "-m", "scrapy", "runspider", str(work / "stock.py"), "-a", f"start={url}"]
                for setting in (
                    "ITEM_PIPELINES={\"scrapy.pipelines.images.ImagesPipeline\": 1}",
                    f"IMAGES_STORE={out}/stock", "CONCURRENT_REQUESTS=16", "CONCURRENT_REQUESTS_PER_DOMAIN=16",
                    "ROBOTSTXT_OBEY=True", "LOG_LEVEL=INFO",
                ):  # fmt: skip
                    theirs += ["-s", setting]
                turns = [("posterbot", ours, ROOT), ("stock", theirs, work)]
                for name, command, cwd in turns if number % 2 == 0 else turns[::-1]:
                    figures[name].append(run(command, cwd))
                    shown = figures[name][-1]
                    print(
                        f"round {number + 1}  {name:9}  {shown['images'] / shown['seconds']:6.1f} images/s"
                        f"  {shown['images']:.0f} images in {shown['seconds']:.1f} s  peak {shown['memory_mb']:.0f} MB"
                        + (f"  loop blocked at most {shown['blocked_ms']:.0f} ms" if name == "posterbot" else ""),
                        flush=True,
                    )
        ratios = [theirs["seconds"] / ours["seconds"] for ours, theirs in zip(*figures.values(), strict=True)]
        print(f"posterbot ÷ stock: {statistics.median(ratios):.2f} (rounds: {', '.join(f'{r:.2f}' for r in ratios)})")
        report(f"sqlite:///{work}/round0/c.db", labels)


def report(catalogue: str, labels: dict[str, str]) -> None:
    """Precision and recall of ``kept`` against the folders, and every reason."""
    engine = open_catalogue(catalogue)
    seen = list(sightings(engine))
    engine.dispose()
    right = Counter((labels["/" + s.url.split("/", 3)[3]], s.verdict) for s in seen)
    posters, kept = right["poster", "kept"] + right["poster", "dropped"], sum(s.verdict == "kept" for s in seen)
    print(f"\n{len(seen)} images of {len(labels)} served; {posters} posters, {kept} kept")
    print(f"precision {right['poster', 'kept'] / kept:.3f}  recall {right['poster', 'kept'] / posters:.3f}")
    print("dropped:", json.dumps(dict(Counter(s.reason for s in seen if s.verdict == "dropped").most_common())))
    wrong = {label: n for (label, verdict), n in right.items() if verdict == "kept" and label != "poster"}
    print("kept and not in the folder poster:", json.dumps(dict(sorted(wrong.items(), key=lambda item: -item[1]))))


if __name__ == "__main__":
    main()
