"""Units on processes and on a cluster: a bad one costs nothing but itself."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dumps import RangeServer, multistream, some_pages

from wikidump import run
from wikidump.run import Outcome, run_here, run_in_processes, run_on_ray
from wikidump.units import Job, Report, ShardError, Unit

DATA, _ = multistream(some_pages(12))
CUTS = [len(DATA) * n // 6 for n in range(7)]


@pytest.fixture
def server() -> Iterator[RangeServer]:
    server = RangeServer()
    server["/bad"] = DATA
    yield server
    server.close()


@pytest.fixture
def units(tmp_path: Path) -> list[Unit]:
    (tmp_path / "dump").write_bytes(DATA)
    (tmp_path / "shards").mkdir()
    return [Unit(n, str(tmp_path / "dump"), "bz2", CUTS[n], CUTS[n + 1], "enwiki", None) for n in range(6)]


class Seen(dict[int, Outcome]):
    """Outcomes by number, and the sums of the progress."""

    def __init__(self) -> None:
        super().__init__()
        self.sums = [0] * 5

    def add(self, *numbers: int) -> None:
        self.sums = [a + b for a, b in zip(self.sums, numbers, strict=True)]

    def done(self, unit: Unit, outcome: Outcome) -> None:
        assert unit.number not in self
        self[unit.number] = outcome


def shards(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob("*.jsonl"))]


def test_two_processes_do_what_one_does(tmp_path: Path, units: list[Unit]) -> None:
    (tmp_path / "here").mkdir()
    here, there = Seen(), Seen()
    run_here(units, Job(str(tmp_path / "here")), here.add, here.done)
    run_in_processes(units, Job(str(tmp_path / "shards")), 2, there.add, there.done)
    assert here == there
    assert here.sums == there.sums
    assert here.sums[0] == len(DATA)
    assert shards(tmp_path / "here") == shards(tmp_path / "shards")
    assert len(shards(tmp_path / "here")) == 6


@pytest.mark.parametrize("workers", [1, 2])
def test_a_unit_that_fails_is_told_and_the_others_are_done(tmp_path: Path, units: list[Unit], workers: int) -> None:
    units[2] = Unit(2, str(tmp_path / "gone"), "bz2", 100, 200, "enwiki", None)
    seen = Seen()
    job = Job(str(tmp_path / "shards"))
    if workers == 1:
        run_here(units, job, seen.add, seen.done)
    else:
        run_in_processes(units, job, workers, seen.add, seen.done)
    assert str(seen.pop(2)).startswith("cannot read ")
    assert len(seen) == 5
    assert all(isinstance(outcome, Report) for outcome in seen.values())


def test_a_process_that_dies_costs_the_unit_it_worked_on(
    tmp_path: Path, units: list[Unit], server: RangeServer
) -> None:
    server.stall = "/bad"
    units[1] = Unit(1, f"{server.url}/bad", "bz2", CUTS[1], CUTS[2], "enwiki", None)
    seen, stop = Seen(), threading.Event()

    def kill() -> None:
        """What the kernel does when memory runs out: it kills the process that has come to the bad unit, each time."""
        asked = 0
        while not stop.wait(0.05):
            if len(server.asked) > asked:
                asked = len(server.asked)
                for child in multiprocessing.active_children():
                    child.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        run_in_processes(units, Job(str(tmp_path / "shards")), 2, seen.add, seen.done)
    finally:
        stop.set()
        killer.join()
    assert "process died" in str(seen.pop(1))
    assert sorted(seen) == [0, 2, 3, 4, 5]
    assert all(isinstance(outcome, Report) for outcome in seen.values())


def test_a_folder_that_cannot_be_written_ends_the_run(tmp_path: Path, units: list[Unit]) -> None:
    seen = Seen()
    began = time.monotonic()
    with pytest.raises(ShardError, match=r"cannot write to .*nowhere: No such file"):
        run_in_processes(units, Job(str(tmp_path / "nowhere")), 2, seen.add, seen.done)
    assert time.monotonic() - began < 20
    assert multiprocessing.active_children() == []


def test_on_a_ray_cluster_of_two_nodes(tmp_path: Path, units: list[Unit]) -> None:
    ray = pytest.importorskip("ray")
    cluster_utils = pytest.importorskip("ray.cluster_utils")
    (tmp_path / "here").mkdir()
    here, there = Seen(), Seen()
    units[3] = Unit(3, str(tmp_path / "gone"), "bz2", 100, 200, "enwiki", None)
    run_here(units, Job(str(tmp_path / "here")), here.add, here.done)
    small = {"num_cpus": 1, "object_store_memory": 80_000_000}
    cluster = cluster_utils.Cluster(initialize_head=True, head_node_args={**small, "include_dashboard": False})
    try:
        cluster.add_node(**small)
        ray.init(address=cluster.address, log_to_driver=False)
        assert len(ray.nodes()) == 2
        run_on_ray(units, Job(str(tmp_path / "shards")), there.add, there.done)
    finally:
        ray.shutdown()
        cluster.shutdown()
    assert here == there
    assert there.sums[0] == here.sums[0]
    assert shards(tmp_path / "here") == shards(tmp_path / "shards")


def test_without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(run.RayError, match=r"pip install 'posterbot\[ray\]'"):
        run_on_ray([], Job("x"), lambda *added: None, lambda unit, outcome: None)
