from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from catalogue_records import LABELS, POLICY, judged, page
from sqlalchemy import Connection, Engine, MetaData, create_engine, insert, inspect, select, text

from posterbot.catalogue import migrations
from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.queries import funnel, sightings
from posterbot.catalogue.recorder import Recorder
from posterbot.catalogue.records import Claim
from posterbot.catalogue.schema_films import metadata

DAY = datetime(2024, 1, 1, 12, 30, tzinfo=UTC)

Rows = dict[str, list[dict[str, Any]]]

# What the programs of before wrote, table by table.
OF_0001: Rows = {
    "runs": [
        {"spider": "posters", "arguments": {"labels": "poster"}, "version": "0", "started_at": DAY},
        {
            "spider": "posters",
            "arguments": {},
            "version": "0",
            "started_at": DAY,
            "finished_at": DAY,
            "finish_reason": "finished",
        },
    ],
    "sources": [{"name": "site.example"}, {"name": "images.example", "ml_allowed": True, "attribution": "Anna"}],
    "pages": [
        {
            "run_id": 1,
            "source_id": 1,
            "url": page(number).url,
            "status": 200,
            "title": "A film",
            "referrer": "",
            "depth": 0,
            "data_uris": 2,
            "fetched_at": DAY,
        }
        for number in range(3)
    ],
    "films": [
        {
            "page_id": 1,
            "kind": "Movie",
            "name": "Night Train",
            "year": 1959,
            "genres": ["Drama"],
            "directors": [],
            "same_as": [],
        }
    ],
    "images": [
        {
            "sha256": letter * 64,
            "bytes": 1000,
            "format": "JPEG",
            "width": 600,
            "height": 900,
            "phash": "0123456789abcdef",
            "path": f"{letter}.jpg",
            "first_seen_at": DAY,
        }
        for letter in "ab"
    ],
    "candidates": [
        {
            "page_id": number + 1,
            "image_id": number + 1 if number < 2 else None,
            "source_id": 2,
            "url": f"https://images.example/{number}.jpg",
            "found_by": "img",
            "alt": "A film",
            "title": "",
            "caption": "",
            "declared_width": 300,
            "alternatives": ["https://images.example/small.jpg"],
            "final_url": "",
            "http_status": 200 if number < 2 else 404,
            "content_type": "",
            "etag": '"x"',
            "last_modified": "",
            "reason": None if number < 2 else "http_404",
            "fetched_at": DAY,
        }
        for number in range(3)
    ],
    "models": [{"name": "web-images", "hash": "c" * 64, "labels": list(LABELS)}],
    "scores": [
        {"image_id": number, "model_id": 1, "vector": np.array([0.9, 0.06, 0.04], "<f4").tobytes()} for number in (1, 2)
    ],
    "policies": [
        {
            "run_id": 1,
            "model_id": 1,
            "labels": ["poster"],
            "threshold": 0.4,
            "author": "anna",
            "origin": "arguments",
            "at": DAY,
        }
    ],
    "verdicts": [
        {
            "image_id": number,
            "policy_id": 1,
            "keep": number == 1,
            "reason": "relevant" if number == 1 else "not_relevant",
            "label": "poster",
            "score": 0.9,
        }
        for number in (1, 2)
    ],
}
OF_0003: Rows = OF_0001 | {
    "policies": [row | {"top": 5} for row in OF_0001["policies"]],
    "claims": [
        {
            "candidate_id": 3,
            "list": "films.jsonl",
            "wiki": "enwiki",
            "title": "Night Train",
            "wiki_page_id": 12,
            "rev_id": 3_456_789_012,
            "year": 1959,
            "directors": [],
            "countries": ["Poland"],
            "languages": [],
            "genres": ["Drama"],
        }
    ],
}
OF_0007: Rows = {"film_statements" if name == "films" else name: rows for name, rows in OF_0003.items()}
OF_0008: Rows = OF_0007 | {
    "hosts": [{"name": "site.example"}],
    "queues": [{"run_id": 1, "host_id": 1, "waiting": 1, "added": 1}],
    "frontier": [
        {
            "run_id": 1,
            "host_id": 1,
            "fingerprint": bytes(range(20)),
            "url": "https://site.example/1",
            "request": "{}",
            "state": 0,
            "rank": 2,
        }
    ],
    "reviews": [{"image_id": 1, "answer": "yes", "picked": "audit", "reviewer": "anna", "at": DAY}],
}
OLD = {
    "0001_catalogue": OF_0001,
    "0002_policies_top": OF_0001,
    "0003_claims": OF_0003,
    "0004_frontier": OF_0003,
    "0005_stores": OF_0003,
    "0006_gates": OF_0003,
    "0007_films": OF_0007,
    "0008_reviews": OF_0008,
}


@pytest.fixture
def engine(catalogue_url: str) -> Iterator[Engine]:
    """A database with nothing in it."""
    Path(catalogue_url.removeprefix("sqlite:///")).unlink(missing_ok=True)
    engine = create_engine(catalogue_url)
    yield engine
    engine.dispose()


def migrate(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def write(connection: Connection, rows: Rows) -> None:
    """Into the tables as they are there, with the numbers that the database gives."""
    there = MetaData()
    there.reflect(connection)
    for name, rows_of_table in rows.items():
        for row in rows_of_table:
            connection.execute(insert(there.tables[name]), row)


def read(connection: Connection, like: Rows) -> Rows:
    """The columns of ``like``, in the order written."""
    there = MetaData()
    there.reflect(connection)
    found: Rows = {}
    for name, (first, *_) in like.items():
        table = there.tables[name]
        order = table.primary_key.columns
        columns = sorted({column for row in like[name] for column in row} | set(first))
        found[name] = [
            {column: comparable(row[column]) for column in columns}
            for row in connection.execute(select(table).order_by(*order)).mappings()
        ]
    return found


def comparable(value: Any) -> Any:
    """SQLite forgets the zone."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return bytes(value) if isinstance(value, memoryview) else value


def described(connection: Connection) -> dict[str, Any]:
    """All that can be told of all tables, whatever its order."""
    inspector = inspect(connection)
    found: dict[str, Any] = {}
    for table in inspector.get_table_names():
        columns = {
            column["name"]: (str(column["type"]), column["nullable"], column["default"])
            for column in inspector.get_columns(table)
        }
        rules: list[Any] = [inspector.get_pk_constraint(table)]
        for several in ("get_foreign_keys", "get_unique_constraints", "get_indexes", "get_check_constraints"):
            rules += getattr(inspector, several)(table)
        found[table] = columns, sorted(json.dumps(rule, default=str, sort_keys=True) for rule in rules)
    return found


def test_migrations_lead_to_what_is_created(engine: Engine, catalogue_url: str) -> None:
    with engine.begin() as connection:
        migrate(connection, "head")
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        migrated = described(connection)
        rows = connection.execute(text("SELECT version_num FROM alembic_version")).all()
        metadata.drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))
    opened = open_catalogue(catalogue_url)
    with opened.connect() as connection:
        assert described(connection) == migrated
        assert connection.execute(text("SELECT version_num FROM alembic_version")).all() == rows
    opened.dispose()


def test_a_changed_schema_would_be_noticed(catalogue_url: str) -> None:
    engine = open_catalogue(catalogue_url)
    with engine.begin() as connection:
        connection.execute(text("DROP INDEX ix_images_phash"))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()


def test_newest_is_the_last_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_current_head() == migrations.NEWEST


def test_every_revision_but_the_newest_is_tried() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    revisions = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert sorted(OLD) == sorted(revisions)[:-1]


@pytest.mark.parametrize("revision", OLD)
def test_an_older_catalogue_keeps_all_its_rows(engine: Engine, catalogue_url: str, revision: str) -> None:
    rows = OLD[revision]
    with engine.begin() as connection:
        migrate(connection, revision)
        write(connection, rows)
        before = read(connection, rows)
    assert json.dumps(before["runs"][0]["arguments"]) == '{"labels": "poster"}'
    opened = open_catalogue(catalogue_url)
    with opened.connect() as connection:
        rows = {"film_statements" if name == "films" else name: of_table for name, of_table in rows.items()}
        before = {"film_statements" if name == "films" else name: of_table for name, of_table in before.items()}
        assert read(connection, rows) == before
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    opened.dispose()


@pytest.mark.parametrize("revision", OLD)
def test_an_older_catalogue_answers_and_takes_more(engine: Engine, catalogue_url: str, revision: str) -> None:
    with engine.begin() as connection:
        migrate(connection, revision)
        write(connection, OLD[revision])
    opened = open_catalogue(catalogue_url, must_exist=True)
    counts = funnel(opened)
    assert (counts.pages, counts.candidates, counts.kept, counts.reasons) == (
        3,
        3,
        1,
        {"http_404": 1, "not_relevant": 1},
    )
    claimed = revision >= "0003"
    (policy,) = counts.policies
    assert (policy.labels, policy.threshold, policy.at) == (("poster",), 0.4, DAY)
    assert policy.top == (5 if claimed else None)
    found = list(sightings(opened))
    assert [sighting.film for sighting in found] == ["Night Train", None, "Night Train" if claimed else None]
    assert [sighting.scores.get("poster") for sighting in found] == [0.9, 0.9, None]
    assert found[2].claim == (
        Claim(
            "films.jsonl",
            "enwiki",
            "Night Train",
            12,
            3_456_789_012,
            year=1959,
            countries=("Poland",),
            genres=("Drama",),
        )
        if claimed
        else None
    )

    recorder = Recorder(opened, spider="posters", arguments={}, version="1", job="again")
    assert recorder.run_id == 3
    recorder.outcome(judged("new", page(0))).result(20)
    recorder.close("finished")
    assert [(s.run, s.verdict) for s in sightings(opened)][-1] == (3, "kept")
    assert funnel(opened).kept == 2
    assert funnel(opened, 3).policies[0].labels == POLICY.labels
    opened.dispose()
