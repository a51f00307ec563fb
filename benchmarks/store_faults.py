"""A crawl into a bucket that fails: what is lost, what is doubled, what is damaged, and how much memory it takes.

    python benchmarks/store_faults.py [--images 2000] [--rate 0.2] [--away 60] [--seconds 150] [--json FILE]

A web on loopback, twenty pictures a page, answers so slowly that the crawl takes about so many seconds. It stores to an
emulator of Google Cloud Storage, by Google's client, through a proxy: a share of all requests is answered with 429, 500
or 503, reset, cut in half, answered too late or not to the end; and after a third of the pictures the bucket is gone
for ``--away`` seconds. Then ``posterbot fsck --deep`` compares catalogue, bucket and spool, and each object is
compared with what the web had. Memory is that of the crawl's own process, without its scoring processes. Exit code 1
where anything was wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from comparison import Comparison, parse, write

from models.registry import load_model
from posterbot.stores.opening import open_store
from posterbot.stores.spool import Spool

TESTS = Path(__file__).parents[1] / "tests"
sys.path += [str(TESTS), str(TESTS / "posterbot")]

from conftest import encode, picture  # noqa: E402
from crawling import ROOT, command, environment  # noqa: E402
from faulty_proxy import FaultyProxy  # noqa: E402
from google_emulator import GoogleEmulator  # noqa: E402

PER_PAGE = 20
LABELS = ",".join(load_model("web-images").labels)
"""Whatever is in a picture, it is kept."""
AT_ONCE = 16


class Web:
    """Pages of pictures, on loopback; each picture takes ``delay`` seconds."""

    def __init__(self, images: int, delay: float) -> None:
        self.images = [encode(picture(200 + n % 40, 300 + n % 60, seed=n)) for n in range(images)]
        self.delay = delay
        ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._serve(ready)), daemon=True).start()
        ready.wait()

    async def _serve(self, ready: threading.Event) -> None:
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        ready.set()
        await server.serve_forever()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                path = head.split(b" ", 2)[1].decode()
                status, kind, body = "200 OK", "text/html", b""
                if found := re.fullmatch(r"/(\d+)\.jpg", path):
                    kind, body = "image/jpeg", self.images[int(found[1])]
                    await asyncio.sleep(self.delay)
                elif found := re.fullmatch(r"/(?:page/(\d+))?", path):
                    first = PER_PAGE * int(found[1] or 0)
                    pictures = "".join(f'<img src="/{n}.jpg">' for n in range(first, first + PER_PAGE))
                    more = f'<a href="/page/{first // PER_PAGE + 1}">' if first + PER_PAGE < len(self.images) else ""
                    body = (pictures + more).encode()
                else:
                    status = "404 Not Found"
                writer.write(
                    f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
                )
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


def resident(pid: int) -> float:
    """MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


def main() -> None:
    """Crawl, check, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--rate", type=float, default=0.2)
    parser.add_argument("--away", type=float, default=60.0)
    parser.add_argument("--seconds", type=float, default=150.0)
    given = parse(parser, images=60, away=5.0, seconds=15.0)
    web = Web(given.images, given.seconds * AT_ONCE / given.images)
    with (
        tempfile.TemporaryDirectory() as folder,
        GoogleEmulator() as google,
        FaultyProxy(google.url, preconditions=True, seed=1) as proxy,
    ):
        os.environ |= {"STORAGE_EMULATOR_HOST": proxy.url, "NO_GCE_CHECK": "true"}
        store = f"gs://{google.create_bucket('posters')}/faults"
        crawl = command(
            Path(folder), "-a", f"start={web.url}", "-a", f"labels={LABELS}", "-a", "top=1", IMAGES_STORE=store
        )
        with (Path(folder) / "log").open("wb") as log:
            process = subprocess.Popen(crawl, cwd=ROOT, env=environment(), stdout=log, stderr=log)
            memory: dict[str, list[float]] = {"before": [], "away": [], "after": []}
            waiting = [0]
            time.sleep(3)  # it asks first whether there is a bucket: what that may meet is the unit tests' matter
            proxy.rate = given.rate
            stage, gone = "before", 0.0
            spool = Spool(Path(folder) / "spool", store, 0)
            while process.poll() is None:
                uploads = sum(method == "POST" for method, _ in proxy.requests)
                if stage == "before" and uploads > given.images / 3:
                    stage, gone = "away", time.monotonic()
                    proxy.vanish()
                    print(f"after {uploads:,} uploads the bucket is gone", flush=True)
                elif stage == "away":
                    spool.count()
                    waiting.append(spool.images)
                    if time.monotonic() - gone > given.away:
                        stage = "after"
                        proxy.back()
                        print(f"it is back; {spool.images:,} images wait in the spool", flush=True)
                with_crawl = Path(f"/proc/{process.pid}/status")
                if with_crawl.exists():
                    memory[stage].append(resident(process.pid))
                time.sleep(0.5)
        text = (Path(folder) / "log").read_text()
        proxy.rate = 0.0
        print(f"the crawl ended with code {process.returncode}; faults: {dict(proxy.faults)}")
        for name, values in memory.items():
            if values:
                print(f"memory {name:6} {statistics.median(values):6.1f} MB, at most {max(values):6.1f}")
        environ = environment() | {"CATALOGUE_URL": f"sqlite:///{folder}/catalogue.db", "IMAGES_STORE": store}
        environ["SPOOL"] = f"{folder}/spool"
        fsck = [sys.executable, "-m", "posterbot.cli", "fsck", "--deep"]
        checked = subprocess.run(fsck, env=environ, cwd=ROOT, capture_output=True, text=True)
        print(f"posterbot fsck --deep: code {checked.returncode}\n{checked.stdout}{checked.stderr}".rstrip())
        wanted = Counter(hashlib.sha256(data).hexdigest() for data in web.images)
        opened = open_store(store, os.environ)
        found = Counter(
            Path(stat.path).stem for stat in opened.list() if Path(stat.path).stem == digest(opened.get(stat.path))
        )
        objects = sum(1 for _ in opened.list())
    lost, doubled = sum((wanted - found).values()), sum((found - wanted).values())
    print(f"lost {lost}, doubled {doubled}, damaged {objects - found.total()}, of {len(web.images):,}")
    peak = max(megabytes for values in memory.values() for megabytes in values)
    counted = {"wrong": ("images", lost + doubled + objects - found.total()), "memory": ("MB", peak)}
    write(given.json, {name: Comparison(unit, [value]) for name, (unit, value) in counted.items()})
    wrong = lost or doubled or objects != found.total() or checked.returncode or process.returncode
    if wrong:
        print(text[-3000:])
    raise SystemExit(1 if wrong else 0)


def digest(data: bytes) -> str:
    """sha256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


if __name__ == "__main__":
    main()
