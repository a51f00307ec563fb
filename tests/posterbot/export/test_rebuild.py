"""``posterbot rebuild``: the same dataset from a lockfile alone, over a real server, and what has rotted there."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import Answer, Site, encode, picture
from export.locks import bytes_of, example, examples, write_lock

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.tombstones import lay_tombstones
from posterbot.cli_rebuild import rebuild
from posterbot.export.example import Example
from posterbot.export.lockfile import NAME, Lockfile, LockfileError
from posterbot.export.options import Options
from posterbot.export.rebuild import check_lockfile, write_again
from posterbot.frontier.tombstones import image_tombstone
from posterbot.stores.local import LocalStore

ROBOTS = b"User-agent: *\nDisallow: /private/\n"
IMAGES = 12


def put(store: LocalStore, rows: list[Example], numbers: range) -> None:
    for number in numbers:
        store.put_if_absent(rows[number].path, bytes_of(number))


def files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def run(lockfile: Path, out: Path, *words: object, **settings: object) -> Result:
    given = {"DOWNLOAD_TIMEOUT": 5, "RETRY_BACKOFF": 0.05, "LOG_LEVEL": "WARNING", "TELNETCONSOLE_ENABLED": False}
    given |= {"ALLOWED_PRIVATE_HOSTS": "127.0.0.1", "HOST_BACKOFF": 0.1} | settings
    more = [word for name, value in given.items() for word in ("-s", f"{name}={value}")]
    command = [lockfile, "--out", out, "--workers", 1, *words, "--", *more]
    return CliRunner().invoke(rebuild, list(map(str, command)))


def rotten(out: Path) -> dict[str, tuple[str, str]]:
    with out.with_name(f"{out.name}.link-rot.csv").open(newline="") as file:
        return {row["url"].rsplit("/", 1)[-1]: (row["status"], row["why"]) for row in csv.DictReader(file)}


@dataclass
class World:
    """A dataset that was made once, and the site that has its images."""

    folder: Path
    site: Site
    rows: list[Example]
    original: Path


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder, site = tmp_path_factory.mktemp("rebuild"), Site()
    site["/robots.txt"] = Answer(ROBOTS, "text/plain")
    rows = []
    for number in range(IMAGES):
        path = f"/private/{number}.jpg" if number == 3 else f"/{number}.jpg"
        site.image(path, bytes_of(number))
        rows.append(example(number, url=site.url + path, source="127.0.0.1"))
    store = LocalStore(str(folder / "images"))
    put(store, rows, range(IMAGES))
    lock = write_lock(folder / "plan.parquet", rows, Options("imagefolder", size=64, split=(0.4, 0.3, 0.3)))
    write_again(lock, store.name, str(folder / "original"), workers=1, told=lambda *so_far: None)
    yield World(folder, site, rows, folder / "original")
    site.close()


def test_all_is_there_and_it_is_the_same_to_the_byte(world: World, tmp_path: Path) -> None:
    """Half is in the store, half is fetched; what robots.txt forbids is in the store."""
    store = LocalStore(str(tmp_path / "images"))
    put(store, world.rows, range(6))
    out = tmp_path / "again"
    done = run(world.original, out, "--store", tmp_path / "images")
    assert done.exit_code == 0, done.output
    assert files(out) == files(world.original)
    assert set(rotten(out).values()) == {("same", "")}
    assert "of 12 images: 6 from the store, 6 same" in done.stdout
    assert not out.with_name("again.rebuild").exists()
    assert all(store.get(row.path) for row in world.rows)


def test_link_rot(world: World, tmp_path: Path) -> None:
    """A world where much has changed since; only the rest is written, and each loss is told."""
    site = Site()
    site["/robots.txt"] = Answer(ROBOTS, "text/plain")
    named = site.url.replace("127.0.0.1", "localhost")  # which is allowed; its address is not
    rows = [replace(row, url=named + row.url[len(world.site.url) :]) for row in world.rows]
    for number, row in enumerate(rows):
        site.image(row.url[len(named) :], bytes_of(number))
    site.image("/0.jpg", encode(picture(120, 180, seed=99)))
    site.image("/1.jpg", bytes_of(1) + bytes(200_000))
    site["/2.jpg"] = Answer(status=410)
    site.image("/4.jpg", bytes_of(4), headers={"X-Robots-Tag": "noai"})
    site["/5.jpg"] = Answer(status=503)
    site["/6.jpg"] = Answer(status=301, headers={"Location": "/moved.jpg"})
    site.image("/moved.jpg", bytes_of(6))
    rows[7] = replace(rows[7], url=f"{site.url}/7.jpg")
    catalogue = f"sqlite:///{tmp_path}/catalogue.db"
    engine = open_catalogue(catalogue)
    with engine.begin() as connection:
        lay_tombstones(connection, "image", [image_tombstone(rows[8].sha256)])
    engine.dispose()
    lock = write_lock(tmp_path / "lock.parquet", rows, Options("csv", split=(0.4, 0.3, 0.3)))
    out = tmp_path / "again"
    done = run(lock.file, out, "--catalogue", catalogue, ALLOWED_PRIVATE_HOSTS="localhost")
    site.close()
    assert done.exit_code == 1, done.output
    told = {name: (status, why.split(":")[0]) for name, (status, why) in rotten(out).items()}
    assert told == {
        "0.jpg": ("changed", told["0.jpg"][1]),
        "1.jpg": ("changed", "more bytes than it had"),
        "2.jpg": ("gone", "HTTP status 410"),
        "3.jpg": ("refused", "robots_txt"),
        "4.jpg": ("refused", "opted_out"),
        "5.jpg": ("failed", "HTTP status 503"),
        "6.jpg": ("same", ""),
        "7.jpg": ("refused", "private_address"),
        "8.jpg": ("refused", "forgotten"),
        **{f"{number}.jpg": ("same", "") for number in range(9, IMAGES)},
    }
    assert not {"/private/3.jpg", "/7.jpg", "/8.jpg"} & set(site.asked)
    assert site.asked.count("/5.jpg") == 3, "what may pass is asked for again"
    written = {row.sha256 for row in Lockfile(out / NAME)}
    assert written == {rows[number].sha256 for number in (6, 9, 10, 11)}
    assert "4 images in" in done.stdout
    assert "2 changed" in done.stdout


def test_goes_on_where_it_was_interrupted(world: World, tmp_path: Path) -> None:
    """First we cannot be reached, so nothing is asked of that host; what is settled is not asked for again."""
    rows = [replace(world.rows[0], url="https://images.example/0.jpg"), *world.rows[1:3]]
    lock = write_lock(tmp_path / "lock.parquet", rows)
    out = tmp_path / "again"
    first = run(lock.file, out, OPERATOR_CONTACT="")
    assert first.exit_code == 1
    assert "OPERATOR_CONTACT is not set" in first.output
    again = run(lock.file, out)
    assert again.exit_code == 2
    assert "--resume goes on with it" in again.output
    other = run(lock.file, out, "--resume", "--format", "csv")
    assert other.exit_code == 2
    assert "was begun with another" in other.output
    originals = LocalStore(str(tmp_path / "again.originals"))
    there = {f"/{number}.jpg" for number in (1, 2) if originals.stat(world.rows[number].path)}
    put(originals, world.rows, range(1))
    before = len(world.site.asked)
    done = run(lock.file, out, "--resume")
    assert done.exit_code == 0, done.output
    assert {row.sha256 for row in Lockfile(out / NAME)} == {row.sha256 for row in rows}
    assert {"/1.jpg", "/2.jpg"} - there == {path for path in world.site.asked[before:] if path.endswith(".jpg")}


@pytest.mark.parametrize("format", ["webdataset", "parquet", "tfrecord", "json"])
def test_in_another_format(format: str, world: World, tmp_path: Path) -> None:
    done = run(world.original, tmp_path / "again", "--store", world.folder / "images", "--format", format)
    assert done.exit_code == 0, done.output
    assert Lockfile(tmp_path / "again" / NAME).header.options.format == format
    assert not (tmp_path / "again.link-rot.csv").exists()


def test_damaged_bytes_are_not_taken(world: World, tmp_path: Path) -> None:
    """They have the right name and size: whoever writes compares the hash."""
    shutil.copytree(world.folder / "images", tmp_path / "images")
    file = tmp_path / "images" / world.rows[0].path
    file.write_bytes(bytes(len(file.read_bytes())))
    done = run(world.original, tmp_path / "again", "--store", tmp_path / "images")
    assert done.exit_code == 1
    assert "1 image damaged" in done.output
    assert Lockfile(tmp_path / "again" / NAME).images == IMAGES - 1


def test_bad_input(world: World, tmp_path: Path) -> None:
    (tmp_path / "text.parquet").write_text("no")
    (tmp_path / "short.parquet").write_bytes((world.original / NAME).read_bytes()[:-100])
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "something").touch()
    for place, out, code, said in (
        (tmp_path / "text.parquet", tmp_path / "a", 1, "no lockfile of posterbot"),
        (tmp_path / "short.parquet", tmp_path / "a", 1, "no lockfile of posterbot"),
        (tmp_path / "none", tmp_path / "a", 1, "cannot read lockfile"),
        (tmp_path / "full", tmp_path / "a", 1, "cannot read lockfile"),
        (world.original, tmp_path / "full", 2, "there is something in"),
        (world.original, tmp_path / "full" / "something" / "b", 1, "Not a directory"),
    ):
        done = run(place, out)
        assert (done.exit_code, said in done.output) == (code, True), done.output
        assert len([text for text in done.output.splitlines() if text.startswith(("posterbot:", "Error:"))]) == 1
        assert isinstance(done.exception, SystemExit)
    assert run(world.original, tmp_path / "new", "--resume").exit_code == 2
    assert not (tmp_path / "new.rebuild").exists()


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"split": "../../out"}, "no split"),
        ({"path": "../../etc/passwd"}, "its path"),
        ({"path": f"00/00/{'0' * 64}.jpg"}, "its path"),
        ({"sha256": "0" * 64}, "its path"),
        ({"shard": -1}, "no split"),
    ],
)
def test_a_lockfile_of_a_stranger_leads_nowhere(facts: dict[str, object], said: str, tmp_path: Path) -> None:
    from export.locks import header

    from posterbot.export.lockfile import LockWriter

    rows = examples(2)
    with LockWriter(tmp_path / "lock.parquet", header(rows)) as writer:
        writer.write([rows[0]])
        writer.write([replace(rows[1], **facts)])
    with pytest.raises(LockfileError, match=said):
        check_lockfile(Lockfile(tmp_path / "lock.parquet"))


def test_the_options_of_a_stranger(tmp_path: Path) -> None:
    for options in (Options("exe"), Options("csv", size=10**9), Options("csv", size=-1), Options("csv", fit="../x")):
        lock = write_lock(tmp_path / "lock.parquet", examples(1), options)
        with pytest.raises(LockfileError):
            check_lockfile(lock)
