from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import encode, picture
from made_up_images import add, moved, name_of, picture_of, sha256_of, turned
from sqlalchemy import Engine, insert

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.records import now
from posterbot.catalogue.schema import candidates, pages, runs, sources
from posterbot.cli_duplicates import duplicates


@pytest.fixture
def engine(catalogue_url: str) -> Iterator[Engine]:
    engine = open_catalogue(catalogue_url)
    yield engine
    engine.dispose()


def fill(engine: Engine, host: str = "a.example") -> None:
    """Three copies of one picture, a variant of it, and another picture, each seen on a host of its own."""
    phash, vector = picture_of(0)
    add(engine, 1, phash, vector, bytes=40_000)
    add(engine, 2, turned(phash, 3, 4), moved(vector, 0.95, 1), bytes=90_000)
    add(engine, 3, phash, moved(vector, 0.95, 2), path=None)
    add(engine, 4, turned(phash, 1, 2), moved(vector, 0.76, 3))
    add(engine, 5, *picture_of(1))
    with engine.begin() as connection:
        connection.execute(
            insert(runs).values(id=1, spider="posters", arguments={}, version="1", started_at=now(), stopping=False)
        )
        connection.execute(insert(sources).values(id=1, name=host))
        page = {"id": 1, "run_id": 1, "source_id": 1, "url": f"https://{host}/", "title": "", "referrer": ""}
        connection.execute(insert(pages).values(page | {"depth": 0, "data_uris": 0, "fetched_at": now()}))
        texts = dict.fromkeys(("alt", "title", "caption", "final_url", "content_type", "etag", "last_modified"), "")
        for number in range(1, 6):
            seen = {"page_id": 1, "image_id": number, "source_id": 1, "found_by": "img", "alternatives": []}
            url = f"https://{number}.{host}/\x1b[31m{number}.jpg"
            connection.execute(insert(candidates).values(seen | texts | {"url": url, "fetched_at": now()}))


def run(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(duplicates, ["--catalogue", url, *arguments], env={"IMAGES_STORE": None})


def test_the_command_finds_and_tells(engine: Engine, catalogue_url: str) -> None:
    fill(engine)
    result = run(catalogue_url)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "5 images compared",
        "1 cluster of copies, with 3 images",
        "1 cluster of variants, with 4 images",
        "one of each picture would save 1 of 4 stored images, 40 kB",
        f"{name_of(1)}       3      600x900  https://2.a.example/?[31m2.jpg  (1.a.example, 2.a.example, 3.a.example)",
    ]
    assert "\x1b" not in result.output


def test_as_json(engine: Engine, catalogue_url: str) -> None:
    fill(engine)
    answer = json.loads(run(catalogue_url, "--json", "--kind", "variant", "--limit", "1").stdout)
    assert answer["updated"] == {"images": 5, "copies": 2, "variants": 1, "left": 0, "elsewhere": False}
    assert answer["totals"]["saved_bytes"] == 40_000
    (cluster,) = answer["clusters"]
    assert (cluster["name"], cluster["kind"], cluster["images"]) == (name_of(1), "variant", 4)
    told = [(member["image_id"], member["kind"], member["distance"]) for member in cluster["members"]]
    assert told == [(2, "representative", 0), (1, "copy", 2), (3, "copy", 2), (4, "variant", 4)]
    assert cluster["members"][0]["sha256"] == sha256_of(2)
    assert cluster["members"][1]["similarity"] == pytest.approx(0.95, abs=1e-3)
    assert json.loads(run(catalogue_url, "--json").stdout)["updated"]["images"] == 0


def test_the_page_is_written(engine: Engine, catalogue_url: str, tmp_path: Path) -> None:
    fill(engine)
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "2.jpg").write_bytes(encode(picture()))
    out = tmp_path / "pages" / "duplicates.html"
    result = run(catalogue_url, "--html", str(out), "--store", str(tmp_path / "images"))
    assert result.exit_code == 0, result.output
    assert result.stdout.endswith(f"1 cluster in {out}\n")
    assert out.read_text(encoding="utf-8").count("data:image/jpeg") == 1
    failed = run(catalogue_url, "--html", f"{out}/below.html", "--store", str(tmp_path / "images"))
    assert (failed.exit_code, failed.stderr.count("\n")) == (1, 1)
    assert "cannot write" in failed.stderr


def test_an_empty_catalogue(engine: Engine, catalogue_url: str) -> None:
    result = run(catalogue_url)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == "0 images compared"
    assert json.loads(run(catalogue_url, "--json").stdout)["clusters"] == []


def test_wrong_usage_and_no_catalogue(tmp_path: Path) -> None:
    assert run(f"sqlite:///{tmp_path}/none.db").exit_code == 1
    assert run(f"sqlite:///{tmp_path}/none.db", "--kind", "both").exit_code == 2
    assert run(f"sqlite:///{tmp_path}/none.db", "--limit", "0").exit_code == 2


def test_the_command_starts_light() -> None:
    heavy = {"numpy", "scrapy", "tensorflow", "PIL", "twisted"}
    code = f"import posterbot.cli_duplicates, sys; print({heavy!r} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() in {"set()", "{'numpy'}"}
