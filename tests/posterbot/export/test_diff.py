"""``posterbot diff``: why an image is only in one of two datasets, and what has changed of the others."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from export.export_world import ExportWorld, sha256_of
from export.locks import AT, RULE, example, examples, header, write_lock
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from posterbot.catalogue.database import IMMEDIATE
from posterbot.catalogue.schema import images, verdicts
from posterbot.catalogue.tombstones import lay_tombstones
from posterbot.cli_rebuild import diff
from posterbot.export import diff as module
from posterbot.export.diff import Change, differences, options_changed
from posterbot.export.diff_reasons import holds
from posterbot.export.example import Example
from posterbot.export.lockfile import COLUMNS, NAME, Lockfile, Rule
from posterbot.export.options import Options
from posterbot.export.terms import NOT_ALLOWED, TOO_OLD
from posterbot.export.where import parse
from posterbot.frontier.tombstones import image_tombstone

PLAIN = Options("csv")


def reasons(found: list[Change], status: str) -> dict[str, tuple[str, str]]:
    return {change.sha256: (change.reason, change.detail) for change in found if change.status == status}


def compare(folder: Path, a: list[Example], b: list[Example], **facts: Any) -> list[Change]:
    """``facts`` of B's header; ``options`` are B's, ``before`` A's."""
    one = write_lock(folder / "a.parquet", a, facts.pop("before", PLAIN), rules=facts.pop("rules_before", (RULE,)))
    other = write_lock(folder / "b.parquet", b, facts.pop("options", PLAIN), **facts)
    return list(differences(one, other))


def test_nothing_is_otherwise(tmp_path: Path) -> None:
    """In another order and other shards, too."""
    rows = examples(20)
    one = write_lock(tmp_path / "a.parquet", rows, shard=3)
    other = write_lock(tmp_path / "b.parquet", reversed(rows), shard=7)
    assert list(differences(one, other)) == []
    assert options_changed(one.header, other.header) == []


def test_why_images_were_removed(tmp_path: Path) -> None:
    """Each image has a reason of its own, which B's header tells."""
    rows = [
        example(0, score=0.62),
        example(1, label="photo"),
        example(2, source="closed.example", ml_allowed=True),
        example(3, source="agreed.example", ml_allowed=False),
        example(4, year=1949),
        example(5, genres=("Horror",)),
        example(6, source="old.example"),
        example(7),
        example(8, page_url="https://closed.example/page"),
    ]
    stays = [example(number, policy=5) for number in (10, 11)]
    options = Options(
        "csv", where="year >= 1950 and (not genre = Horror or score > 0.99)", purpose="training", agreements=()
    )
    at = {row.sha256: number for number, row in enumerate(rows)}
    found = compare(
        tmp_path,
        [*(row if row is rows[4] else replace(row, year=1960) for row in rows), *stays],
        stays,
        options=options,
        before=Options("csv", agreements=("agreed.example",)),
        rules=(replace(RULE, number=5, threshold=0.8),),
        left_out={f"{NOT_ALLOWED['training']}: closed.example": 1, f"{TOO_OLD}: old.example": 1},
    )
    told = {at[sha256]: said for sha256, said in reasons(found, "removed").items()}
    assert told == {
        0: ("threshold", "score 0.62 < threshold 0.8 of policy 5"),
        1: ("threshold", "score 0.75 < threshold 0.8 of policy 5"),
        2: ("terms", "closed.example does not allow training; it was allowed"),
        3: ("terms", "agreed.example does not allow training, and there is no agreement any more"),
        4: ("where", "not: year >= 1950"),
        5: ("where", "not: (not genre = Horror or score > 0.99)"),
        6: ("age", "older than old.example allows, it seems: fetched 2026-03-01"),
        7: ("threshold", "score 0.75 < threshold 0.8 of policy 5"),
        8: ("terms", "closed.example does not allow training; it was allowed"),
    }
    assert reasons(found, "added") == {}


def test_why_images_were_added(tmp_path: Path) -> None:
    later = example(0, fetched_at=AT + timedelta(seconds=1))
    lower = example(1, policy=2, score=0.4)
    other_label = example(2, policy=3, label="photo")
    other_model = example(3, policy=4, model_hash="c" * 64)
    before = example(4, year=1900)
    nobody_knows = example(5, year=1960)
    stays = example(6, year=1960)
    added = [later, *(replace(row, year=1960) for row in (lower, other_label, other_model)), before, nobody_knows]
    found = compare(
        tmp_path,
        [stays],
        [stays, *added],
        before=Options("csv", where="year > 1950"),
        rules=(
            RULE,
            replace(RULE, number=2, threshold=0.3),
            replace(RULE, number=3, labels=("photo",)),
            replace(RULE, number=4, model_hash="c" * 64),
        ),
    )
    told = reasons(found, "added")
    assert told[later.sha256] == ("fetched later", "fetched 2026-03-01 12:00 UTC, after all of the other")
    assert told[lower.sha256] == ("threshold", "score 0.4 < threshold 0.5 of policy 1")
    assert told[other_label.sha256] == ("labels", "'photo' is not wanted by policy 1: poster")
    assert told[other_model.sha256] == ("another model", "policy 1 judges by web-images aaaaaaaaaaaa")
    assert told[before.sha256] == ("where", "not: year > 1950")
    assert told[nobody_knows.sha256][0] == "not told"
    assert len(found) == 6


def test_what_has_changed_of_those_that_stay(tmp_path: Path) -> None:
    a = examples(8)
    changed = {
        "split": replace(a[0], split="test"),
        "film": replace(a[1], film="tt9", films=("tt9",)),
        "facts of the film": replace(a[2], genres=("Western",), year=None),
        "terms": replace(a[3], ml_allowed=None),
        "licence": replace(a[4], licence="CC0"),
        "copies": replace(a[5], copies="0" * 16),
    }
    both = replace(a[7], split="validation", label="photo")
    found = compare(tmp_path, a, [*changed.values(), a[6], both])
    assert {change.status for change in found} == {"changed"}
    for reason, row in changed.items():
        assert [change.reason for change in found if change.sha256 == row.sha256] == [reason]
    told = {change.reason: change.detail for change in found}
    assert told["facts of the film"] == "year 1921 → none, genres Comedy → Western"
    assert told["terms"] == "ml_allowed yes → none"
    assert told["film"] == "film tt0000000 → tt9"
    of_both = [change for change in found if change.sha256 == both.sha256]
    assert [(change.reason, change.first) for change in of_both] == [("split", True), ("label", False)]


def test_options_and_policies_that_changed() -> None:
    rows = examples(2)
    a = header(rows, Options("csv", split=(0.8, 0.1, 0.1)))
    b = header(
        rows, Options("csv", size=64, split=(1.0, 0.0, 0.0)), rules=(RULE, Rule(5, ("poster",), 0.8, 2, "m", "d" * 64))
    )
    assert options_changed(a, b) == [
        "size: none → 64",
        "split: 0.8/0.1/0.1 → 1/0/0",
        "policy 5: none → poster from 0.8, top 2, m dddddddddddd",
    ]


@settings(max_examples=20)
@given(st.lists(st.integers(0, 30), max_size=12), st.lists(st.integers(0, 30), max_size=12), st.integers(1, 5))
def test_sets_and_their_difference(
    tmp_path_factory: pytest.TempPathFactory, a: list[int], b: list[int], chunk: int
) -> None:
    """Whatever is in the two, in whatever pieces it is read."""
    a, b = sorted(set(a)) or [31], sorted(set(b)) or [31]
    folder = tmp_path_factory.mktemp("sets")
    one = write_lock(folder / "a.parquet", [example(number) for number in a], shard=2)
    other = write_lock(folder / "b.parquet", [example(number, split="train") for number in b], shard=3)
    before = module.CHUNK
    module.CHUNK = chunk
    try:
        found = list(differences(one, other))
    finally:
        module.CHUNK = before
    of = {example(number).sha256: number for number in {*a, *b}}
    for status, wanted in (
        ("removed", set(a) - set(b)),
        ("added", set(b) - set(a)),
        ("changed", {number for number in set(a) & set(b) if example(number).split != "train"}),
    ):
        assert sorted(of[change.sha256] for change in found if change.status == status) == sorted(wanted)


@pytest.mark.parametrize(
    "where",
    [
        "score > 0.8",
        "label = poster",
        "year != 1923",
        "not year > 1925",
        "year = unknown",
        "film",
        "genre",
        "genre = Horror or genre contains Com",
        "not genre in (Drama, Horror)",
        "genre = unknown",
        "title contains Metro",
        "title != Metropolis and alt contains poster",
        "ml_allowed",
        "ml_allowed = unknown",
        "not redistributable = no",
        "licence = 'CC BY-SA 4.0'",
        "confidence >= 0.5 and policy = 2",
        "source in (open.example, closed.example) or format = PNG",
        "url contains '/1'",
        "model != other and width <= 63 and bytes > 10",
    ],
)
def test_an_expression_means_the_same_here_as_in_the_database(where: str, world: Lockfile, folder: Path) -> None:
    from posterbot.catalogue.database import open_catalogue
    from posterbot.export.plan import write_plan

    engine = open_catalogue(f"sqlite:///{folder}/catalogue.db", must_exist=True)
    out = folder / "some.parquet"
    write_plan(engine, Options("csv", where=where), out, AT)
    engine.dispose()
    rows = [{name: getattr(row, name) for name in COLUMNS.names} for row in world]
    here = {row["sha256"] for row in rows if all(holds(part.node, row) for part in parse(where))}
    assert here == {row.sha256 for row in Lockfile(out)}
    assert 0 < len(here) < len(rows), "an expression that tells nothing tests nothing"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("world")


@pytest.fixture(scope="module")
def world(folder: Path) -> Lockfile:
    """All images of a catalogue."""
    from posterbot.export.plan import write_plan

    made = ExportWorld(folder)
    write_plan(made.engine, PLAIN, folder / "all.parquet", AT)
    made.close()
    return Lockfile(folder / "all.parquet")


def test_representative_is_in_no_lockfile() -> None:
    row = {"year": 1950}
    for where, wanted in (
        ("representative", None),
        ("representative or year = 1950", True),
        ("(representative and year = 1951)", False),
        ("not representative", None),
    ):
        assert [holds(part.node, row) for part in parse(where)] == [wanted]


def test_the_catalogue_tells_the_rest(catalogue_url: str, tmp_path: Path) -> None:
    from posterbot.export.plan import write_plan

    made = ExportWorld(tmp_path / "world", 12, catalogue_url)
    write_plan(made.engine, PLAIN, tmp_path / "a.parquet", AT)
    a = Lockfile(tmp_path / "a.parquet")
    with made.engine.execution_options(**IMMEDIATE).begin() as connection:
        lay_tombstones(connection, "image", [image_tombstone(sha256_of(0))])
        connection.execute(update(images).where(images.c.sha256 == sha256_of(1)).values(path=None))
        rejected = select(images.c.id).where(images.c.sha256.in_([sha256_of(2), sha256_of(3)]))
        no = {"keep": False, "reason": "not_relevant", "score": 0.3}
        connection.execute(update(verdicts).where(verdicts.c.image_id.in_(rejected)).values(no))
        blurred = select(images.c.id).where(images.c.sha256 == sha256_of(3))
        connection.execute(update(verdicts).where(verdicts.c.image_id.in_(blurred)).values(reason="blurred"))
        gone = select(images.c.id).where(images.c.sha256 == sha256_of(4))
        numbers = list(connection.scalars(gone))
    rows = list(a)
    b = write_lock(tmp_path / "b.parquet", [row for row in rows if row.sha256 not in {sha256_of(n) for n in range(6)}])
    stranger = replace(example(1), policy=rows[0].policy, model_hash=rows[0].model_hash)
    both = [*rows, stranger]
    one = write_lock(tmp_path / "one.parquet", both, rules=a.header.rules)
    other = write_lock(tmp_path / "b.parquet", list(b), rules=a.header.rules)
    found = reasons(list(differences(one, other, made.engine)), "removed")
    made.close()
    assert numbers
    assert found[sha256_of(0)][0] == "forgotten"
    assert found[sha256_of(1)] == ("bytes gone", "its original is not kept any more")
    assert found[sha256_of(2)] == ("verdict", "score 0.3 < threshold 0.5 of policy 1")
    assert found[sha256_of(3)] == ("verdict", "blurred, by policy 1")
    assert found[sha256_of(5)][0] == "not told"
    assert found[stranger.sha256][0] == "not in the catalogue"


def test_the_command(tmp_path: Path) -> None:
    rows = examples(10)
    (tmp_path / "a").mkdir()
    write_lock(tmp_path / "a" / NAME, rows)
    write_lock(tmp_path / "b.parquet", [replace(rows[0], split="test"), *rows[2:]], Options("csv", size=9))
    run = CliRunner()
    same = run.invoke(diff, [str(tmp_path / "a"), str(tmp_path / "a" / NAME)])
    assert (same.exit_code, same.stdout) == (0, "10 images in A, 10 in B: 0 removed, 0 added, 0 changed\n")
    done = run.invoke(diff, [str(tmp_path / "a"), str(tmp_path / "b.parquet"), "--limit", "1"])
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert lines[0].startswith("option   format: imagefolder → csv")
    assert f"removed  {rows[1].sha256[:12]}  not told: " in done.stdout
    assert "and 1 more: --limit 2" in lines
    assert "10 images in A, 9 in B: 1 removed, 0 added, 1 changed" in lines
    assert lines[-1].split() == ["changed", "1", "split"]
    told = run.invoke(diff, [str(tmp_path / "a"), str(tmp_path / "b.parquet"), "--json"])
    *changes, summary = map(json.loads, told.stdout.splitlines())
    assert [change["status"] for change in changes] == ["removed", "changed"]
    assert (summary["a"], summary["b"], summary["removed"], summary["changed"]) == (10, 9, 1, 1)
    for words in ([str(tmp_path / "none"), str(tmp_path / "a")], [str(tmp_path), str(tmp_path / "a")]):
        failed = run.invoke(diff, words)
        assert failed.exit_code == 1
        assert "cannot read lockfile" in failed.output
    missing = ["--catalogue", f"sqlite:///{tmp_path}/none.db"]
    failed = run.invoke(diff, [str(tmp_path / "a"), str(tmp_path / "b.parquet"), *missing])
    assert "no catalogue at" in failed.output


def test_texts_from_the_web_do_not_command_a_terminal(tmp_path: Path) -> None:
    rows = [example(0, url="https://a.example/\x1b[31m", label="\x1b]0;x\x07")]
    write_lock(tmp_path / "a.parquet", rows)
    write_lock(tmp_path / "b.parquet", [example(1)])
    done = CliRunner().invoke(diff, [str(tmp_path / "a.parquet"), str(tmp_path / "b.parquet")])
    assert "\x1b" not in done.output
