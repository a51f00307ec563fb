"""The pages of quality, duplicates and export, and the command that serves them."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote
from urllib.request import HTTPCookieProcessor, build_opener

import pytest
from click.testing import CliRunner
from serve_http import Client
from serve_world import World

from posterbot.catalogue.recorder import Recorder
from posterbot.cli_serve import serve
from posterbot.duplicates.update import update
from posterbot.export.where import parse
from posterbot.review.answers import record
from posterbot.web.pages.quality import chart


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("world"), 12)
    yield world
    world.close()


@pytest.fixture(scope="module")
def client(world: World) -> Iterator[Client]:
    with world.served() as address:
        yield Client(address)


@pytest.mark.parametrize("path", ["/", "/quality", "/duplicates", "/duplicates?kind=variant", "/export"])
def test_an_empty_catalogue_has_pages(tmp_path: Path, path: str) -> None:
    world = World(tmp_path, 0)
    with world.served() as address:
        said = Client(address).get(path)
    world.close()
    assert said.status == 200
    assert "<h1>" in said.text


def test_quality_says_how_many_audits_are_missing_then_what_they_tell(world: World, client: Client) -> None:
    assert "8 kept and 4 dropped images" in " ".join(client.get("/quality").text.split())
    for sha256 in world.kept:
        record(
            world.engine,
            sha256,
            "no" if sha256 == world.kept[0] else "yes",
            picked="audit",
            stratum="kept",
            reviewer="a",
        )
    for sha256 in world.dropped:
        record(world.engine, sha256, "no", picked="audit", stratum="dropped", reviewer="a")
    text = client.get("/quality").text
    assert re.findall(r'class="huge">([^<]+)<', text) == ["88 %", "100 %"]
    assert "cinema.example" in text


def test_a_chart_tells_its_shares_and_escapes(world: World) -> None:
    svg = chart("Precision", [("2026-01-01", 0.5, (0.4, 0.6)), ("<b>", None, (0, 1)), ("2026-01-03", 1.0, (0.9, 1.0))])
    assert svg.count("<circle") == 2
    assert "2026-01-01: 50 %" in svg
    assert "<b>" not in svg
    assert "<svg" in chart("Recall", [])


def test_duplicates_shows_the_copies(tmp_path: Path) -> None:
    world = World(tmp_path, 4)
    outcome = world.outcome(0)
    assert outcome.image is not None
    recorder = Recorder(world.engine, spider="posters", arguments={}, version="1")
    image = replace(outcome.image, sha256="f" * 64, path=None)
    recorder.outcome(replace(outcome, image=image, url="https://evil.example/<script>.jpg")).result()
    recorder.close("finished")
    with world.served() as address:
        client = Client(address)
        assert "posterbot duplicates" in client.get("/duplicates").text
        update(world.engine, wait=True)
        text = client.get("/duplicates").text
        assert client.get("/duplicates?kind=nonsense").status == 400
    world.close()
    assert "2 copies" in text
    assert f"/thumbnails/{outcome.image.sha256}.jpg" in text
    assert "bytes not kept" in text
    assert "<script>." not in text


def test_the_export_command_is_the_one_that_makes_it(client: Client, world: World) -> None:
    where = "label = 'poster' and score > 0.8"
    asked = f"format=parquet&out=data%2Fmy%20set&size=256&fit=crop&split=0.7/0.2/0.1&where={quote(where)}"
    said = json.loads(client.get(f"/export/preview?{asked}", Accept="application/json").text)
    words = shlex.split(said["command"].replace("\\\n", " "))
    assert words[:4] == ["posterbot", "export", "--format", "parquet"]
    assert dict(zip(words[2::2], words[3::2], strict=True)) == {
        "--format": "parquet", "--out": "data/my set", "--size": "256", "--fit": "crop", "--where": where,
        "--split": "0.7/0.2/0.1", "--catalogue": world.url, "--store": world.store.name,
    }  # fmt: skip
    assert parse(words[words.index("--where") + 1])
    assert said["text"] == "7 images of 8 that are kept."


@pytest.mark.parametrize(
    ("asked", "wrong"),
    [
        ("format=zip&out=x", "Formats are"),
        ("format=csv&out=", "Give an empty folder"),
        ("format=csv&out=-x", "Give an empty folder"),
        ("format=csv&out=x%0Ay", "Give an empty folder"),
        ("format=csv&out=x&size=7", "from 8"),
        ("format=csv&out=x&size=NaN", "from 8"),
        ("format=csv&out=x&size=64&fit=no", "one of"),
        ("format=csv&out=x&split=1/1/1", "sum to 1"),
        ("format=csv&out=x&split=nan/0/1", "sum to 1"),
        ("format=csv&out=x&where=colour%20=%201", "colour"),
        ("format=csv&out=x&where=" + "(" * 2000, "column"),
    ],
)
def test_what_cannot_be_exported_is_one_sentence(client: Client, asked: str, wrong: str) -> None:
    said = client.get(f"/export/preview?{asked}", Accept="application/json")
    assert said.status == 400
    assert wrong in json.loads(said.text)["error"]
    assert client.get(f"/export?{asked}").status == 200, "the page shows it in its place"


def test_a_password_of_the_catalogue_is_never_shown(world: World) -> None:
    world.url, url = "postgresql://anna:secret@db.example/posters", world.url
    try:
        with world.served() as address:
            text = Client(address).get("/export").text
    finally:
        world.url = url
    assert "secret" not in text
    assert "$CATALOGUE_URL" in text


def test_serve_prints_an_address_that_opens_and_ends_with_ctrl_c(world: World, tmp_path: Path) -> None:
    code = "from posterbot.cli_serve import serve; serve()"
    words = [sys.executable, "-c", code, "--port", "0", "--store", world.store.name, "--catalogue", world.url]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        address = process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{32}", address)
        with build_opener(HTTPCookieProcessor()).open(address, timeout=20) as answer:
            assert "Run 1" in answer.read().decode()
            assert "token" not in answer.url
        process.send_signal(signal.SIGINT)
        assert process.wait(20) in (0, 130)
        assert "Traceback" not in process.stderr.read()


def test_serve_says_what_is_missing(tmp_path: Path, world: World) -> None:
    runner = CliRunner()
    said = runner.invoke(serve, ["--catalogue", f"sqlite:///{tmp_path}/none.db"])
    assert said.exit_code == 1
    assert said.output.startswith("posterbot: no catalogue at")
    said = runner.invoke(serve, ["--catalogue", world.url, "--host", "203.0.113.7"])
    assert said.exit_code == 1
    assert "cannot listen on 203.0.113.7" in said.output


def test_an_export_is_made_from_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    world = World(tmp_path, 6)
    with world.served() as address:
        client = Client(address)
        fields = {"format": "csv", "out": "sets/first", "split": "1/0/0", "size": "64"}
        for out in ("/etc/posters", "../up", "gs://bucket/set", ""):
            assert client.post("/export/start", fields | {"out": out}).status == 400
        assert client.post("/export/start", fields | {"where": "1; drop"}).status == 400
        assert client.post("/export/start", fields, csrf="wrong").status == 403
        assert not (tmp_path / "sets").exists()
        assert json.loads(client.get("/export/state").text) == {"state": "none", "text": ""}
        assert json.loads(client.post("/export/start", fields).text)["state"] == "running"
        assert client.post("/export/start", fields).status == 409
        said = {"state": "running"}
        while said["state"] == "running":
            time.sleep(0.1)
            said = json.loads(client.get("/export/state").text)
        assert said["state"] == "done", said
        assert said["text"].startswith("Made: sets/first. ")
        assert (tmp_path / "sets/first/posterbot.lock.parquet").exists()
        assert json.loads(client.post("/export/start", fields).text)["state"] == "running"  # where there is one already
        while (said := json.loads(client.get("/export/state").text))["state"] == "running":
            time.sleep(0.1)
        assert said["state"] == "failed"
        assert "is not empty" in said["text"]
    world.close()
