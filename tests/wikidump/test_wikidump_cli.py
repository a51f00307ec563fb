"""``python -m wikidump`` as a person or a script meets it."""

from __future__ import annotations

import bz2
import io
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from dumps import RangeServer, film, multistream, other, page, some_pages, xml

from wikidump import dump
from wikidump.__main__ import cli
from wikidump.progress import Lines
from wikidump.read import MAX_PAGE
from wikidump.units import Report

ROOT = Path(__file__).parents[2]


@pytest.fixture
def server() -> Iterator[RangeServer]:
    server = RangeServer()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def nobody_to_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPERATOR_CONTACT", raising=False)


def run(*arguments: object, data: bytes | None = None) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], input=data)


def started(*arguments: object, before: Callable[[], None] | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "wikidump", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=before,
        start_new_session=True,
    )


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def films(tmp_path: Path) -> Path:
    path = tmp_path / "enwiki-20260801-x.xml.bz2"
    path.write_bytes(multistream(some_pages(20))[0])
    return path


def test_what_it_says(tmp_path: Path, films: Path) -> None:
    done = run(films, "--out", tmp_path / "o.jsonl", "--workers", 1)
    assert done.exit_code == 0
    assert done.stdout.splitlines()[:2] == [
        f"60 pages, 20 films → {tmp_path}/o.jsonl",
        "image: ok 20 · repository: unknown 20",
    ]
    assert done.stderr == ""
    assert json.loads((tmp_path / "o.jsonl").read_text().splitlines()[0])["image_name"] == "F 2.jpg"


@pytest.mark.parametrize(
    "packed", [bz2.compress(xml(some_pages(3))), multistream(some_pages(3))[0], xml(some_pages(3))]
)
def test_a_pipe(tmp_path: Path, packed: bytes) -> None:
    done = run("-", "--out", tmp_path / "o.jsonl", data=packed)
    assert done.stdout.startswith("9 pages, 3 films")
    assert done.exit_code == 0


def test_another_name_of_a_box_met_in_a_pipe_is_told(tmp_path: Path) -> None:
    alias = page("Template:Movie box", "", 10, redirect="Template:Infobox film")
    done = run("-", "--out", tmp_path / "o.jsonl", data=xml([film(1, "Movie box"), alias, film(2)]))
    assert done.stdout.startswith("3 pages, 1 film ")
    assert 'run again with --template "Movie box"' in done.stderr
    assert done.exit_code == 0


def test_a_url(tmp_path: Path, films: Path, server: RangeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(dump.UNIT, "bz2", 5000)
    server["/enwiki-20260801-x.xml.bz2"] = films.read_bytes()
    for name, source in (("a", films), ("b", f"{server.url}/enwiki-20260801-x.xml.bz2")):
        assert (
            run(source, "--out", tmp_path / f"{name}.jsonl", "--contact", "me@example.org", "--workers", 1).exit_code
            == 0
        )
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()
    assert all("me@example.org" in agent for agent in server.agents)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "o.jsonl"], "DUMP"),
        (["x"], "--out"),
        (["x", "--out", "o.csv"], "neither in .jsonl nor in .parquet"),
        (["x", "--out", "/none/o.jsonl"], "there is no folder"),
        (["x", "--out", "o.jsonl", "--kinds", "film,song"], "song is none of film, television"),
        (["x", "--out", "o.jsonl", "--kinds", ","], "nothing is none of"),
        (["x", "--out", "o.jsonl", "--workers", "0"], "workers"),
        (["x", "y", "--out", "o.jsonl", "--index", "i"], "2 dumps need 2 times --index"),
        (["-", "--out", "o.jsonl", "--resume"], "only once"),
        (["-", "x", "--out", "o.jsonl"], "only once"),
        (["x", "--out", "o.jsonl", "--imageinfo"], "OPERATOR_CONTACT"),
        (["https://example.org/x.bz2", "--out", "o.jsonl"], "OPERATOR_CONTACT"),
    ],
)
def test_a_wrong_command_line(arguments: list[str], message: str) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert message in done.stderr


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        ("<mediawiki>".encode("utf-16"), "is UTF-16"),
        (b"hello", "is no dump"),
        (None, "cannot read"),
        (film(1).encode(), "add --wiki"),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, data: bytes | None, message: str) -> None:
    path = tmp_path / "x.xml"
    if data is not None:
        path.write_bytes(data)
    done = run(path, "--out", tmp_path / "o.jsonl")
    assert done.exit_code == 1
    assert done.stderr.startswith("wikidump: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == ([path] if data is not None else [])


def test_a_damaged_dump_gives_what_can_be_read_and_exit_1(tmp_path: Path, films: Path) -> None:
    films.write_bytes(films.read_bytes()[:-2000])
    done = run(films, "--out", tmp_path / "o.jsonl")
    assert done.exit_code == 1
    first, last = done.stderr.splitlines()
    assert first.startswith("wikidump: enwiki-20260801-x.xml.bz2, bytes 0 to ")
    assert "the file ends in the middle of a bz2 stream at byte" in first
    assert last.endswith("o.jsonl has what could be read")
    assert len((tmp_path / "o.jsonl").read_text().splitlines()) >= 15
    assert not (tmp_path / "o.jsonl.shards").exists()


def test_a_page_over_the_cap_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.xml").write_bytes(xml([film(1), page("Very long", "x" * MAX_PAGE), film(2)]))
    done = run(tmp_path / "x.xml", "--out", tmp_path / "o.jsonl")
    assert "left out 1 page that is too long or has no title: Very long" in done.stderr
    assert done.stdout.startswith("3 pages, 2 films")
    assert done.exit_code == 0


def test_a_unit_that_fails_costs_only_itself_and_can_be_done_later(tmp_path: Path, server: RangeServer) -> None:
    names = []
    for number in range(4):
        path = f"/enwiki-20260801-{number}.xml"
        server[path] = xml([film(number), *map(other, range(100))])
        names.append(server.url + path)
    out = tmp_path / "o.jsonl"
    server.hang_up = [10**9] * 11 + [70_000] + [0] * 6  # two requests to look at each file, then two to read it
    done = run(*names, "--out", out, "--workers", 1)
    assert done.exit_code == 1
    assert "wikidump: enwiki-20260801-1.xml, bytes 0 to " in done.stderr
    assert "breaks off at byte 70,000" in done.stderr
    assert "1 unit is missing in" in done.stderr
    assert [json.loads(line)["title"] for line in out.read_text().splitlines()] == ["Film 0", "Film 2", "Film 3"]
    assert run(*names, "--out", out, "--workers", 1).exit_code == 1  # not without --resume
    asked = len(server.asked)
    done = run(*names, "--out", out, "--workers", 1, "--resume")
    assert done.exit_code == 0
    assert len(out.read_text().splitlines()) == 4
    assert len(server.asked) - asked == 4 * 2 + 2


def many_files(server: RangeServer, number: int) -> list[str]:
    for n in range(number):
        server[f"/enwiki-20260801-{n}.xml.bz2"] = multistream([film(n), page(f"File:F {n}.jpg", "{{PD-US}}", 6)])[0]
    return [f"{server.url}/enwiki-20260801-{n}.xml.bz2" for n in range(number)]


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_kill_9_and_resume_give_the_same_bytes(tmp_path: Path, server: RangeServer) -> None:
    names = many_files(server, 16)
    assert run(*names, "--out", tmp_path / "whole.jsonl", "--workers", 1).exit_code == 0
    out = tmp_path / "o.jsonl"
    shards = tmp_path / "o.jsonl.shards/1"
    server.delay = 0.05
    running = started(*names, "--out", out, "--workers", 2)
    wait_for(lambda: len(list(shards.glob("*.jsonl"))) >= 4)
    workers = children(running.pid)
    running.kill()
    running.communicate()
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))  # nobody works on without a parent
    done = sorted(path.name for path in shards.glob("*.jsonl"))
    assert 4 <= len(done) < 16
    assert not out.exists()
    kept = {name: (shards / name).stat().st_ino for name in done}
    server.delay = 0
    again = started(*names, "--out", out, "--workers", 2, "--resume")
    while again.poll() is None:
        for name in kept:
            path = shards / name
            assert not path.exists() or path.stat().st_ino == kept[name]
        time.sleep(0.02)
    assert again.returncode == 0, again.communicate()
    again.communicate()
    assert out.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["o.jsonl", "whole.jsonl"]


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c(tmp_path: Path, server: RangeServer, workers: int) -> None:
    names = many_files(server, 12)
    server.delay = 0.05
    running = started(*names, "--out", tmp_path / "o.jsonl", "--workers", workers)
    wait_for(lambda: len(list(tmp_path.glob("o.jsonl.shards/1/*.jsonl"))) >= 2)
    os.killpg(running.pid, signal.SIGINT)  # a terminal sends it to the workers too
    stdout, stderr = running.communicate(timeout=20)
    assert (running.returncode, stdout, stderr) == (130, "", "wikidump: stopped; --resume goes on from here\n")
    server.delay = 0
    assert run(*names, "--out", tmp_path / "o.jsonl", "--workers", 1, "--resume").exit_code == 0
    assert len((tmp_path / "o.jsonl").read_text().splitlines()) == 12


def test_ctrl_c_is_for_the_parent(tmp_path: Path, server: RangeServer) -> None:
    names = many_files(server, 12)
    server.delay = 0.03
    running = started(*names, "--out", tmp_path / "o.jsonl", "--workers", 2)
    wait_for(lambda: len(list(tmp_path.glob("o.jsonl.shards/1/*.jsonl"))) >= 2)
    for worker in children(running.pid):
        os.kill(worker, signal.SIGINT)
    assert running.communicate(timeout=20)[1] == ""
    assert running.returncode == 0
    assert len((tmp_path / "o.jsonl").read_text().splitlines()) == 12


@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk_is_one_line_and_can_be_resumed(tmp_path: Path, workers: int) -> None:
    small, large = tmp_path / "enwiki-20260801-1.xml", tmp_path / "enwiki-20260801-2.xml"
    small.write_bytes(xml(map(film, range(3))))
    large.write_bytes(xml(map(film, range(100))))
    arguments = (small, large, "--out", tmp_path / "o.jsonl", "--workers", workers)
    full = started(*arguments, before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000)))
    _, stderr = full.communicate(timeout=30)
    assert full.returncode == 1
    assert stderr.startswith("wikidump: cannot write to ")
    assert stderr.endswith(": File too large; --resume goes on from here\n")
    assert stderr.count("\n") == 1
    assert [path.name for path in tmp_path.glob("o.jsonl.shards/1/*")] == ["000000.jsonl"]
    assert run(*arguments, "--resume").exit_code == 0
    assert len((tmp_path / "o.jsonl").read_text().splitlines()) == 103


def test_memory_does_not_grow_with_the_dump(tmp_path: Path) -> None:
    """A plain dump of 150 MB, and one bz2 stream with a page of 40 MB."""
    plain, packed = tmp_path / "enwiki-1.xml", tmp_path / "enwiki-2.xml.bz2"
    piece = (film(1) + "".join(map(other, range(500)))).encode()
    with plain.open("wb") as file:
        file.write(xml([])[:300])
        for _ in range(150_000_000 // len(piece)):
            file.write(piece)
    packed.write_bytes(bz2.compress(xml([film(1), page("Long", "x" * 40_000_000), film(2)])))
    program = (
        "import sys\nfrom wikidump.units import Unit, Job, extract\nfrom pathlib import Path\n"
        "for n, (path, kind) in enumerate(zip(sys.argv[2:], ('xml', 'bz2'))):\n"
        "    report = extract(Unit(n, path, kind, 0, Path(path).stat().st_size, 'enwiki', None), Job(sys.argv[1]))\n"
        "print(report.skipped, Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])\n"
    )
    (tmp_path / "shards").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "shards", plain, packed],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    skipped, kilobytes = map(int, done.stdout.split())
    assert skipped == 1
    assert kilobytes <= 100_000


def test_lines_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wikidump.progress.LINE_SECONDS", 0)
    stream = io.StringIO()
    with Lines(stream) as lines:
        lines.start("1", 200, Report(bytes=100, pages=7))
        lines.add(50, 1_000_000, 10, 3, 2)
        lines.say("something [happened]")
    first, second = stream.getvalue().splitlines()
    assert first.startswith("75 % · ")
    assert " MB/s · 17 pages · 3 films · 2 posters · 0:00:00 left" in first
    assert second == "wikidump: something [happened]"


def test_a_bar_on_a_terminal(tmp_path: Path, films: Path) -> None:
    import pty

    main, end = pty.openpty()
    command = [sys.executable, "-m", "wikidump", str(films), "--out", str(tmp_path / "o.jsonl"), "--workers", "1"]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen(command, cwd=ROOT, stderr=end, stdout=subprocess.PIPE, env=environment) as running:
        os.close(end)
        shown = b""
        try:
            while data := os.read(main, 4096):
                shown += data
        except OSError:
            pass  # the other side is closed
        assert running.stdout is not None
        assert b"20 films" in running.stdout.read()
    os.close(main)
    assert running.returncode == 0
    assert "20 posters" in shown.decode()
    assert shown.endswith(b"\x1b[?25h") or b"\x1b[?25h" in shown  # the cursor is there again
