"""The floor under the speed of the parts, and the command that runs all benchmarks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "benchmarks"))

from bench import earlier, run_all  # noqa: E402
from bench_lines import Line  # noqa: E402
from bench_list import BENCHMARKS, Benchmark  # noqa: E402
from bench_needs import NEEDS  # noqa: E402
from comparison import compared, spread  # noqa: E402
from floor import FLOORS, PAIRS, measure  # noqa: E402

TRIES, ROUNDS = 3, 3
"""A machine may do something else just when ours has its turn, but hardly thrice."""


@pytest.mark.parametrize("name", PAIRS)
def test_no_part_has_become_slower(name: str) -> None:
    ratios: list[float] = []
    while len(ratios) < TRIES and (not ratios or ratios[-1] < FLOORS[name]):
        ratios += measure(name, ROUNDS).ratio
    assert max(ratios) >= FLOORS[name], f"{name}: × {ratios} beside its peer; benchmarks/floor.py says which"


def test_ratios_say_how_many_times_better() -> None:
    assert compared("images/s", [30.0, 10.0], [10.0, 20.0]).ratio == [3.0, 0.5]
    assert compared("s", [30.0, 10.0], [10.0, 20.0], less=True).ratio == pytest.approx([1 / 3, 2.0])
    assert compared("posters", [3.0, 4.0], [0.0, 2.0]).ratio == [2.0]
    assert spread([1.0, 2.5, 1234.0]) == "2.5 (1–1,234)"
    assert spread([]) == "–"


def test_the_list_is_of_what_there_is() -> None:
    scripts = {one.command[0] for one in BENCHMARKS}
    there = {path.name for path in (ROOT / "benchmarks").glob("*.py")}
    assert scripts <= there
    alone = {"bench.py", "bench_lines.py", "bench_list.py", "bench_needs.py", "comparison.py", "first_scans.py"}
    assert there - scripts == alone
    assert {need for one in BENCHMARKS for need in one.needs} <= set(NEEDS)
    assert len({one.name for one in BENCHMARKS}) == len(BENCHMARKS)


GOOD = """
import json, sys
line = {"unit": "images/s", "ours": [10, 30], "peer": [5, 10], "ratio": [2, 3]}
open(sys.argv[sys.argv.index("--json") + 1], "w").write(json.dumps({"lines": {"rate": line}}))
print("short" if "--short" in sys.argv else "long")
"""


def benchmark(folder: Path, name: str, script: str, *lines: Line, needs: tuple[str, ...] = ()) -> Benchmark:
    (folder / f"{name}.py").write_text(script)
    return Benchmark(name, (str(folder / f"{name}.py"),), 1, lines, needs)


def test_one_that_fails_is_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(NEEDS, "a tape", (lambda: False, "a tape: buy one"))
    chosen = [
        benchmark(tmp_path, "broken", "import sys; sys.exit('the disk is full')"),
        benchmark(tmp_path, "silent", "pass"),
        benchmark(tmp_path, "strange", GOOD, Line("a rate", "another")),
        benchmark(tmp_path, "lacking", GOOD, needs=("a tape",)),
        Benchmark("gone", ("gone.py",), 1, ()),
        benchmark(
            tmp_path,
            "good",
            GOOD,
            Line("a rate", "rate", "the peer", least=2.0),
            Line("a rate, high", "rate", "the peer", least=4.0),
            Line("a rate, alone", "rate", most=50),
        ),
    ]
    assert run_all(chosen, False, tmp_path / "all.json") == 1
    said = capsys.readouterr().out
    for row in (
        "| broken | exit code 1: the disk is full |",
        "| silent | wrote no figures |",
        "| strange | its figures are none that the table knows |",
        "| lacking | needs a tape: buy one |",
        "| gone | there is no benchmarks/gone.py |",
        "| a rate | 2.5 (2–3) | 20 images/s | 7.5, the peer | ≥ 2 | met |",
        "| a rate, high | 2.5 (2–3) | 20 images/s | 7.5, the peer | ≥ 4 | **missed** |",
        "| a rate, alone |  | 20 (10–30) images/s |  | ≤ 50 | met |",
    ):
        assert row in said, said
    whole = json.loads((tmp_path / "all.json").read_text())
    assert whole["cores"] >= 1
    assert whole["commit"] is not None
    assert whole["versions"]["scrapy"]
    assert [one["failed"] for one in whole["benchmarks"]] == [True, True, True, False, False, False]
    assert whole["benchmarks"][-1]["output"] == "long\n"


def test_the_short_form_says_nothing_of_goals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = benchmark(tmp_path, "good", GOOD, Line("a rate", "rate", "the peer", least=4.0))
    assert run_all([one], True, tmp_path / "all.json") == 0
    assert json.loads((tmp_path / "all.json").read_text())["benchmarks"][0]["output"] == "short\n"
    said = capsys.readouterr().out
    assert "| 2.5 (2–3) | 20 images/s | 7.5, the peer | ≥ 4 |  |" in said
    assert "no figures to quote" in said


SLOW = """
import os, pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
pathlib.Path(sys.argv[0]).with_name("pids").write_text(f"{os.getpid()} {child.pid}")
time.sleep(60)
"""
DRIVER = """
import signal, sys
from pathlib import Path
sys.path.append(sys.argv[1])
from bench import run_all
from bench_lines import Line
from bench_list import Benchmark
signal.signal(signal.SIGINT, signal.default_int_handler)
chosen = [
    Benchmark("good", (sys.argv[2] + "/good.py",), 1, (Line("a rate", "rate", "the peer"),)),
    Benchmark("slow", (sys.argv[2] + "/slow.py",), 1, ()),
]
sys.exit(run_all(chosen, False, Path(sys.argv[2]) / "all.json"))
"""


def test_ctrl_c_ends_it_with_what_there_is(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text(GOOD)
    (tmp_path / "slow.py").write_text(SLOW)
    words = [sys.executable, "-c", DRIVER, str(ROOT / "benchmarks"), str(tmp_path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        pids = tmp_path / "pids"
        deadline = time.monotonic() + 60
        while not (pids.exists() and pids.read_text()):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in said
    assert "| a rate | 2.5 (2–3) | 20 images/s" in said
    for pid in pids.read_text().split():
        deadline = time.monotonic() + 10
        while _lives(int(pid)):
            assert time.monotonic() < deadline, f"{pid} still runs"
            time.sleep(0.05)
    assert [one["name"] for one in json.loads((tmp_path / "all.json").read_text())["benchmarks"]] == ["good"]


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return ") Z " not in Path(f"/proc/{pid}/stat").read_text()


def test_a_run_goes_on_where_it_was_ended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "all.json"
    (tmp_path / "good.py").write_text(GOOD)
    (tmp_path / "bad.py").write_text("import sys; sys.exit('no')")
    lines = (Line("rate", "rate", "peer"),)
    good, bad = (Benchmark(name, (str(tmp_path / f"{name}.py"),), 1, lines) for name in ("good", "bad"))
    assert run_all([bad, good], False, file) == 1
    (tmp_path / "bad.py").write_text(GOOD)
    known = earlier(file, short=False)
    assert list(known) == ["good"]
    (tmp_path / "good.py").unlink()
    capsys.readouterr()
    assert run_all([bad, good], False, file, known) == 0
    assert "2 of 2  good: known" in capsys.readouterr().out
    assert list(earlier(file, short=False)) == ["bad", "good"]
    assert all(of.commit for of in earlier(file, short=False).values())


def test_figures_of_another_machine_are_not_mixed_in(tmp_path: Path) -> None:
    file = tmp_path / "all.json"
    assert earlier(file, short=False) == {}
    run_all([], False, file)
    with pytest.raises(SystemExit, match=r"all\.json is not of the short form: give another --json"):
        earlier(file, short=True)
    whole = json.loads(file.read_text())
    file.write_text(json.dumps(whole | {"cores": 99}))
    with pytest.raises(SystemExit, match="a machine with cores 99"):
        earlier(file, short=False)


def test_a_name_that_nobody_knows() -> None:
    words = [sys.executable, str(ROOT / "benchmarks/bench.py"), "--only", "crawl,sparkle"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 2
    assert "no benchmark 'sparkle'" in done.stderr
    assert "Traceback" not in done.stderr
