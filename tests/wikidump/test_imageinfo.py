"""Asking an API that behaves like Wikimedia's: busy, strict, and with opinions on titles."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from click.testing import CliRunner
from dumps import film, page, xml

from wikidump import convert, imageinfo, web
from wikidump.__main__ import cli
from wikidump.imageinfo import Api, ImageInfo, complete, is_asked, wiki_asked
from wikidump.rows import Row
from wikidump.web import ContactError, WebError

UPLOAD = "https://upload.wikimedia.org/wikipedia"


class Wiki:
    """api.php on loopback. ``files`` is what it has; ``busy`` are the (status, headers, error) of its next answers."""

    def __init__(self) -> None:
        self.files: dict[str, dict[str, Any]] = {}
        self.moved: dict[str, str] = {}
        self.busy: list[tuple[int, dict[str, str], dict[str, str] | None]] = []
        self.asked: list[list[str]] = []
        self.times: list[float] = []
        self.parameters: dict[str, str] = {}
        self.headers: dict[str, str] = {}
        self.most_at_once = self._now = 0
        self.split = False
        self.delay = 0.0
        lock = threading.Lock()
        wiki = self

        class Handler(BaseHTTPRequestHandler):
            wbufsize = 1 << 16

            def do_POST(self) -> None:
                with lock:
                    wiki.times.append(time.monotonic())
                    wiki._now += 1
                    wiki.most_at_once = max(wiki.most_at_once, wiki._now)
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                time.sleep(wiki.delay)
                with lock:
                    wiki._now -= 1
                    wiki.headers = dict(self.headers)
                    wiki.parameters = {key: values[0] for key, values in parse_qs(body).items()}
                    status, headers, reply = 200, {}, None
                    if wiki.busy:
                        status, headers, error = wiki.busy.pop(0)
                        reply = {"error": error}
                    else:
                        reply = wiki.answer(wiki.parameters["titles"].split("|"), "iistart" in wiki.parameters)
                data = json.dumps(reply).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/w/api.php"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def answer(self, titles: list[str], second: bool) -> dict[str, Any]:
        """Normalised, redirected, and in an order of its own."""
        self.asked.append(titles)
        normalized, redirects, pages = [], [], {}
        for title in titles:
            name = title.removeprefix("File:")
            to = f"Datei:{name[0].upper()}{name[1:]}"
            normalized.append({"from": title, "to": to})
            if (name := to.removeprefix("Datei:")) in self.moved:
                redirects.append({"from": to, "to": f"Datei:{self.moved[name]}"})
                name = self.moved[name]
            to = f"Datei:{name}"
            if name in self.files:
                known = self.files[name]
                pages[to] = {"ns": 6, "title": to, "imagerepository": known["repository"]}
                if known["repository"] == "shared":
                    pages[to] |= {"missing": True, "known": True}
                if second or not self.split:
                    facts = {key: {"value": value} for key, value in known.get("facts", {}).items()}
                    pages[to]["imageinfo"] = [{"url": known["url"], "extmetadata": facts}]
            else:
                pages[to] = {"ns": 6, "title": to, "missing": True, "imagerepository": ""}
        reply: dict[str, Any] = {"query": {"normalized": normalized, "pages": list(pages.values())[::-1]}}
        if redirects:
            reply["query"]["redirects"] = redirects
        if self.split and not second:
            reply["continue"] = {"iistart": "2026", "continue": "||"}
        return reply

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def wiki(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wiki]:
    for module in (web, imageinfo):
        monkeypatch.setattr(module, "FIRST_WAIT", 0.01)
    wiki = Wiki()
    wiki.files = {
        "A b.jpg": {"repository": "local", "url": f"{UPLOAD}/de/1/12/A_b.jpg?utm=x",
                    "facts": {"LicenseShortName": "Fair use", "NonFree": "true"}},
        "C.png": {"repository": "shared", "url": f"{UPLOAD}/commons/thumb/0/0d/C.png/250px-C.png",
                  "facts": {"LicenseShortName": "CC <b>BY</b> 4.0"}},
        "New.jpg": {"repository": "shared", "url": f"{UPLOAD}/commons/0/0d/New.jpg"},
    }  # fmt: skip
    wiki.moved = {"Old.jpg": "New.jpg"}
    yield wiki
    wiki.close()


def api(wiki: Wiki, per_minute: float = 1e9) -> Api:
    return Api("dewiki", wiki.url, "me@example.org", per_minute)


ROW = Row(
    "dewiki", 1, "F", 2, "Infobox Film", "film", "A b.jpg", "ok", "guess", None, None, None, (), (), (), (), None, None
)


@pytest.mark.parametrize("split", [False, True])
def test_each_name_gets_its_answer(wiki: Wiki, split: bool) -> None:
    wiki.split = split
    assert list(api(wiki).ask(["c.png", "Old.jpg", "None.jpg", "A b.jpg", "New.jpg"])) == [
        ImageInfo("c.png", "commons", "C.png", "CC BY 4.0", f"{UPLOAD}/commons/e/ee/C.png"),
        ImageInfo("Old.jpg", "commons", "New.jpg", None, f"{UPLOAD}/commons/0/0d/New.jpg"),
        ImageInfo("None.jpg", None, "None.jpg", None, None),
        ImageInfo("A b.jpg", "local", "A b.jpg", "non-free", f"{UPLOAD}/de/1/12/A_b.jpg"),
        ImageInfo("New.jpg", "commons", "New.jpg", None, f"{UPLOAD}/commons/0/0d/New.jpg"),
    ]
    assert len(wiki.asked) == 1 + split


def test_fifty_a_request_three_at_once_as_asked_for(wiki: Wiki) -> None:
    wiki.delay = 0.05
    names = [f"N{n}.jpg" for n in range(330)]
    assert [info.name for info in api(wiki).ask(names)] == names
    assert sorted(len(titles) for titles in wiki.asked) == [30, *[50] * 6]
    assert wiki.most_at_once == 3
    assert {key: wiki.parameters[key] for key in ("action", "prop", "maxlag", "formatversion", "redirects")} == {
        "action": "query", "prop": "imageinfo", "maxlag": "5", "formatversion": "2", "redirects": "1"
    }  # fmt: skip
    assert "(+me@example.org)" in wiki.headers["User-Agent"]
    assert "iiurlwidth" not in wiki.parameters


def test_requests_are_kept_apart(wiki: Wiki) -> None:
    list(api(wiki, per_minute=240).ask([f"N{n}.jpg" for n in range(250)]))
    gaps = [b - a for a, b in zip(wiki.times, wiki.times[1:], strict=False)]
    assert min(gaps) > 0.1  # they are sent a quarter of a second apart, and may come later than that


@pytest.mark.parametrize(
    "busy",
    [
        (429, {"Retry-After": "0.5"}, None),
        (503, {"Retry-After": "0.5"}, None),
        (200, {"Retry-After": "0.5"}, {"code": "maxlag", "info": "Waiting for a database server"}),
        (200, {"Retry-After": "0.5"}, {"code": "ratelimited", "info": "too fast"}),
    ],
)
def test_who_is_asked_to_wait_waits(wiki: Wiki, busy: tuple[int, dict[str, str], dict[str, str] | None]) -> None:
    wiki.busy = [busy]
    names = [f"N{n}.jpg" for n in range(200)]
    began = time.monotonic()
    assert len(list(api(wiki, per_minute=6000).ask(names))) == 200
    assert time.monotonic() - began >= 0.5
    # Three may have been under way; all others wait too.
    assert sum(at < wiki.times[0] + 0.45 for at in wiki.times) <= 3


@pytest.mark.parametrize(
    ("busy", "message"),
    [
        ((200, {}, {"code": "maxlag", "info": "Waiting for 10.0.0.1: 9 seconds lagged"}), "9 seconds lagged"),
        ((200, {}, {"code": "badtoken", "info": "Not you"}), "Not you"),
        ((403, {}, None), "403"),
        ((502, {}, None), "502"),
        ((429, {"Retry-After": "100000"}, None), "come back in 100000 s"),
    ],
)
def test_what_does_not_get_better_is_one_line(
    wiki: Wiki, busy: tuple[int, dict[str, str], dict[str, str] | None], message: str
) -> None:
    wiki.busy = [busy] * 40
    with pytest.raises(WebError, match=message):
        list(api(wiki).ask(["A b.jpg"]))
    assert len(wiki.times) <= web.TRIES


def test_without_a_contact_nothing_is_asked() -> None:
    with pytest.raises(ContactError):
        Api("dewiki", imageinfo.api_url("dewiki"), " ")


def test_where_the_api_is() -> None:
    assert imageinfo.api_url("zh_yuewiki") == "https://zh-yue.wikipedia.org/w/api.php"


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        ({}, True),
        ({"repository": "local"}, True),
        ({"repository": "commons", "licence": "CC0"}, False),
        ({"image_status": "empty", "image_name": None}, False),
    ],
)
def test_only_what_is_unknown_is_asked(change: dict[str, Any], asked: bool) -> None:
    assert is_asked(replace(ROW, **change)) is asked


def test_rows_are_completed() -> None:
    info = ImageInfo("A b.jpg", "commons", "B.jpg", "CC0", "u")
    row = complete(ROW, info)
    assert (row.image_name, row.repository, row.licence, row.url) == ("B.jpg", "commons", "CC0", "u")
    assert complete(ROW, None) == ROW
    assert complete(ROW, ImageInfo("A b.jpg", None, "A b.jpg", None, None)) == replace(ROW, url=None)


def test_a_poster_on_another_wiki_is_asked_for_there() -> None:
    row = replace(ROW, repository="enwiki")
    assert (wiki_asked(row), wiki_asked(ROW)) == ("enwiki", "dewiki")
    assert complete(row, ImageInfo("A b.jpg", "local", "A b.jpg", "non-free", "u")).repository == "enwiki"
    assert complete(row, ImageInfo("A b.jpg", "commons", "A b.jpg", "CC0", "u")).repository == "commons"


def test_from_the_command_line_and_nothing_twice(tmp_path: Path, wiki: Wiki, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convert, "api_url", lambda name: wiki.url)
    wiki.files |= {f"F {n}.jpg": {"repository": "local", "url": f"{UPLOAD}/en/1/12/F_{n}.jpg"} for n in (1, 3)}
    (tmp_path / "enwiki-1.xml").write_bytes(xml([film(1), film(2), film(3), page("File:F 3.jpg", "{{PD-US}}", 6)]))
    command = [
        str(tmp_path / "enwiki-1.xml"),
        "--out",
        str(tmp_path / "o.jsonl"),
        "--imageinfo",
        "--contact",
        "me@x.org",
    ]
    done = CliRunner().invoke(cli, command)
    assert done.exit_code == 0, done.stderr
    assert done.stderr == "wikidump: asking enwiki about 2 files\n"
    rows = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text().splitlines()]
    assert [(row["repository"], row["licence"]) for row in rows] == [
        ("local", None),
        ("commons", None),
        ("local", "Public domain"),
    ]
    wiki.busy = [(403, {}, None)]
    done = CliRunner().invoke(cli, command)
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (1, f"wikidump: {wiki.url}: 403 Forbidden")
    kept = tmp_path / "o.jsonl.shards/imageinfo.jsonl"
    kept.write_text('["enwiki", "F 1.jpg", "local", "F 1.jpg", "CC0", "u"]\n["enwiki", "F 2')
    done = CliRunner().invoke(cli, [*command, "--resume"])
    assert done.exit_code == 0
    assert wiki.asked[-1] == ["File:F 2.jpg"]
    assert json.loads((tmp_path / "o.jsonl").read_text().splitlines()[0])["licence"] == "CC0"
