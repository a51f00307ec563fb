"""At the telnet console of a running crawl: a change holds for what is judged afterwards, and is recorded."""

from __future__ import annotations

import re
import socket
import subprocess
import time
from pathlib import Path

from conftest import Site, encode, picture
from crawling import ROOT, Crawl, command, environment
from sqlalchemy import select

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.schema import policies

IMAGES = 150
# RFC 854: WILL, WONT, DO and DONT behind IAC, each of which wants an answer.
AGREED = {b"\xfb": b"\xfd", b"\xfc": b"\xfe", b"\xfd": b"\xfb", b"\xfe": b"\xfc"}
OFFER = re.compile(rb"\xff([\xfb-\xfe])(.)", re.DOTALL)


class Telnet:
    """As much of a telnet client as the console needs."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.expect("Username:")
        self.send("scrapy")
        self.expect("Password:")
        self.send("secret")
        self.expect(">>>")

    def send(self, line: str) -> None:
        self.socket.sendall(line.encode() + b"\r\n")

    def expect(self, text: str) -> str:
        heard = ""
        while text not in heard:
            part = self.socket.recv(4096)
            assert part, f"the console hung up; heard {heard!r}"
            heard += OFFER.sub(self._agree, part).decode("latin-1")
        return heard

    def _agree(self, offer: re.Match[bytes]) -> bytes:
        self.socket.sendall(b"\xff" + AGREED[offer[1]] + offer[2])
        return b""

    def say(self, line: str) -> str:
        """Type a line and return what is printed until the next prompt."""
        self.send(line)
        # The console echoes what is typed, with terminal codes, and then answers.
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.expect(">>> "))


def test_labels_and_threshold_from_the_console(site: Site, tmp_path: Path) -> None:
    for n in range(IMAGES):
        site.image(f"/{n}.jpg", encode(picture(200, 300, seed=n)), delay=0.5)
    site.page("/", "".join(f'<img src="/{n}.jpg">' for n in range(IMAGES)))
    log = tmp_path / "log.txt"
    crawling = subprocess.Popen(
        command(
            tmp_path, "-a", f"start={site.url}/", LOG_FILE=log,
            TELNETCONSOLE_USERNAME="scrapy", TELNETCONSOLE_PASSWORD="secret",
        ),
        cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        while len(site.asked) < 30:
            time.sleep(0.05)
            assert crawling.poll() is None
        port = re.search(r"Telnet console listening on 127\.0\.0\.1:(\d+)", log.read_text())
        assert port
        console = Telnet(int(port[1]))
        assert "PolicyError: unknown label 'bookcover'" in console.say('spider.labels = "bookcover"')
        assert "'poster'" in console.say("spider.labels")
        console.say('spider.labels = "book_cover"')
        assert "PolicyError: threshold 7" in console.say("spider.threshold = 7")
        assert "PolicyError: top 0" in console.say("spider.top = 0")
        console.say("spider.threshold = 0.7")
        assert "0.7" in console.say("spider.threshold")
        output, _ = crawling.communicate(timeout=60)
    finally:
        crawling.kill()
    done = Crawl(crawling.returncode, output, tmp_path)
    assert done.code == 0, output
    seen = done.sightings()
    assert len(seen) == IMAGES
    assert {s.policy for s in seen} == {1, 3} or {s.policy for s in seen} == {1, 2, 3}
    for s in seen:
        wanted, threshold = ("poster", 0.5) if s.policy == 1 else ("book_cover", 0.5 if s.policy == 2 else 0.7)
        assert s.score is not None
        assert abs(s.score - s.scores[wanted]) < 1e-6
        assert (s.verdict == "kept") == (s.score >= threshold)
    engine = open_catalogue(done.catalogue)
    with engine.connect() as connection:
        rows = connection.execute(select(policies.c.labels, policies.c.threshold, policies.c.origin)).all()
    engine.dispose()
    assert [tuple(row) for row in rows] == [
        (["poster"], 0.5, "arguments"),
        (["book_cover"], 0.5, "console"),
        (["book_cover"], 0.7, "console"),
    ]
