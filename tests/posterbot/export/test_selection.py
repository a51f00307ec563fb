from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from export_world import AT, HOSTS, ExportWorld, sha256_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from posterbot.catalogue.recorder import Recorder
from posterbot.catalogue.schema import images, sources, verdicts
from posterbot.catalogue.schema_films import clusters, image_films
from posterbot.catalogue.terms import effective_terms
from posterbot.export.example import Example
from posterbot.export.leaks import find_leaks
from posterbot.export.lockfile import Lockfile, Source
from posterbot.export.options import Options
from posterbot.export.plan import write_plan
from posterbot.export.selection import EmptyError
from posterbot.export.terms import AgreementError, AllTerms


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExportWorld]:
    """Not to be changed."""
    world = ExportWorld(tmp_path_factory.mktemp("world"))
    yield world
    world.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ExportWorld]:
    world = ExportWorld(tmp_path / "world")
    yield world
    world.close()


def planned(world: ExportWorld, today: Any = AT, **more: Any) -> Lockfile:
    file = world.folder / "plan"
    write_plan(world.engine, Options("csv", **more), file, today)
    return Lockfile(file)


def by_number(world: ExportWorld, lock: Lockfile) -> dict[int, Example]:
    numbers = {sha256_of(number): number for number in range(world.count + 2)}
    return {numbers[example.sha256]: example for example in lock}


def test_what_is_told_of_each(catalogue_url: str, tmp_path: Path) -> None:
    world = ExportWorld(tmp_path / "world", 40, catalogue_url)
    found = by_number(world, planned(world))
    assert sorted(found) == list(range(40))
    plain, second, none = found[16], found[22], found[7]
    assert (plain.url, plain.page_url) == ("https://open.example/16.jpg", "https://pages.example/5")
    assert (plain.source, plain.alt, plain.fetched_at) == ("open.example", "A poster, 16", AT)
    assert (plain.policy, plain.model, plain.model_hash) == (1, "web-images", "a" * 64)
    assert (plain.path, plain.format, plain.width) == (world.path_of(16), "JPEG", 62)
    assert (plain.film, plain.films, plain.confidence) == ("tt0000005", ("tt0000005",), 0.9)
    assert (plain.title, plain.year, plain.licence) == ("-30-", 1925, "CC BY-SA 4.0")
    assert (plain.ml_allowed, plain.redistributable, plain.terms_url) == (True, True, "https://open.example/terms")
    assert (second.policy, second.model, second.label) == (2, "other", "poster")
    assert (second.film, second.films) == ("tt0000007", ("tt0000006", "tt0000007"))
    assert (found[21].film, found[21].title) == (None, None)
    assert (none.film, none.films, none.genres, none.confidence) == (None, (), (), None)
    assert found[4].variants == found[19].variants != found[4].copies[:15]
    assert {found[number].film for number in (1, 3, 6, 9)} == {"tt0000000", "tmdb:1", "Q2", "film:4"}
    assert found[1].ml_allowed is False
    assert found[2].ml_allowed is found[3].ml_allowed is None
    world.close()


def test_the_newest_verdict_counts(world: ExportWorld) -> None:
    again = {"policy_id": 2, "reason": "", "label": "photo", "score": 1.0}
    world.write(insert(verdicts), [again | {"image_id": world.id_of(3), "keep": False}])
    world.write(insert(verdicts), [again | {"image_id": world.id_of(5), "keep": True}])
    found = by_number(world, planned(world))
    assert 3 not in found
    assert (found[5].policy, found[5].label) == (2, "photo")


def test_what_is_not_stored_is_left_out_and_counted(world: ExportWorld) -> None:
    world.write(update(images).where(images.c.sha256 == sha256_of(2)).values(path=None))
    lock = planned(world, where="label = album_cover")
    assert lock.header.left_out == {"its bytes are not stored": 1, "not chosen by --where": 39 - lock.images}
    assert lock.header.labels == ("album_cover",)
    assert [rule.number for rule in lock.header.rules] == [2]
    assert (lock.header.rules[0].labels, lock.header.rules[0].top) == (("poster", "album_cover"), 2)


def test_the_first_kept_sighting_counts(world: ExportWorld) -> None:
    recorder = Recorder(world.engine, spider="posters", arguments={}, version="1", job="other")
    again = world._outcome(6)
    values = {field: getattr(again, field) for field in again.__dataclass_fields__}
    again = type(again)(**values | {"url": "https://later.example/6.jpg", "policy": world._outcome(39).policy})
    assert recorder.outcome(again).result() is None
    recorder.close("finished")
    found = by_number(world, planned(world))
    assert found[6].url == "https://plain.example/6.jpg"
    assert len(found) == 40


def test_ties_of_films_go_to_the_first(world: ExportWorld) -> None:
    image = world.id_of(16)
    link = {"image_id": image, "film_id": 2, "evidence": "url", "confidence": 0.9, "detail": ""}
    world.write(insert(image_films), [link])
    assert by_number(world, planned(world))[16].film == "tmdb:1"


def test_purpose_training(shared: ExportWorld) -> None:
    lock = planned(shared, purpose="training")
    assert lock.header.left_out == {"training is not allowed: closed.example": 10}
    assert {example.source for example in lock} == set(HOSTS) - {"closed.example"}
    assert {example.ml_allowed for example in lock} == {True, None}
    assert lock.header.sources[0] == Source("old.example", 10, None, None, None, 30, None)


def test_an_agreement_lifts_terms(shared: ExportWorld) -> None:
    late = AT + timedelta(days=31)
    lock = planned(shared, late, purpose="training", agreements=("closed.example",))
    assert lock.header.left_out == {"older than allowed: old.example": 10}
    assert {example.ml_allowed for example in lock if example.source == "closed.example"} == {False}
    assert planned(shared, late, purpose="redistribution", agreements=("closed.example", "old.example")).images == 40
    with pytest.raises(AgreementError, match=r"^--agreement nobody\.example: there is no such source"):
        planned(shared, purpose="training", agreements=("nobody.example",))


@pytest.mark.parametrize(("days", "images"), [(30, 30), (31, 20)])
def test_age_is_counted_from_the_fetch(shared: ExportWorld, days: int, images: int) -> None:
    assert planned(shared, AT + timedelta(days=days), purpose="redistribution").images == images


def test_the_terms_of_the_page_count_too(world: ExportWorld) -> None:
    world.write(update(sources).where(sources.c.name == "pages.example").values(ml_allowed=False))
    with pytest.raises(EmptyError) as raised:
        planned(world, purpose="training")
    assert str(raised.value) == (
        "--purpose training leaves none of 40 images: 10 training is not allowed: closed.example, "
        "30 training is not allowed: pages.example"
    )
    assert planned(world, where="ml_allowed = no").images == 40
    assert planned(world).images == 40


def test_stricter_of_two_terms(shared: ExportWorld) -> None:
    terms = AllTerms({1: "open.example", 2: "plain.example", 3: "closed.example"}, effective_terms(shared.engine))
    assert terms.together(1, 1).ml_allowed is True
    assert terms.together(1, 2).ml_allowed is terms.together(2, 1).ml_allowed is None
    assert terms.together(3, 2).ml_allowed is terms.together(1, 3).ml_allowed is False


def test_says_why_there_is_nothing(world: ExportWorld) -> None:
    with pytest.raises(EmptyError) as raised:
        planned(world, where="label = poster and (year = 1 or year = 2)")
    assert str(raised.value) == (
        "--where leaves none of 40 kept images: label = poster is true of 33; (year = 1 or year = 2) is true of 0"
    )
    world.write(update(images).values(path=None))
    with pytest.raises(EmptyError, match="no kept images in this catalogue; of 40 kept images the bytes"):
        planned(world)


def test_says_what_is_not_clustered(world: ExportWorld) -> None:
    def remarks(*split: float) -> list[str]:
        return write_plan(world.engine, Options("csv", split=split or (0.5, 0.5, 0.0)), world.folder / "plan", AT)

    assert remarks() == []
    world.write(delete(clusters))
    assert remarks() == [
        "of 40 of 40 images it is not known what they are copies of: run posterbot duplicates first, or near copies "
        "may be in two splits"
    ]
    assert remarks(1.0, 0.0, 0.0) == []


def test_order_is_of_chance_and_the_same_each_time(shared: ExportWorld) -> None:
    def order(seed: int) -> list[str]:
        return [example.sha256 for example in planned(shared, seed=seed, shard_images=7)]

    assert order(1) == order(1) != order(2)
    assert [shard.images for shard in planned(shared, shard_images=7).shards] == [7, 7, 7, 7, 7, 5]


def test_by_source(shared: ExportWorld) -> None:
    lock = planned(shared, by="source", split=(0.5, 0.25, 0.25))
    assert find_leaks(lock.file, by_source=True) == []
    assert planned(shared, split=(0.5, 0.25, 0.25)).images == 40


@given(data=st.data())
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_twenty_random_exports_do_not_leak(world: ExportWorld, data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    with world.engine.connect() as connection:
        ids = list(connection.scalars(select(images.c.id).where(images.c.path.is_not(None)).order_by(images.c.id)))
    world.write(delete(image_films))
    world.write(delete(clusters))
    films = data.draw(st.integers(1, 14))
    pairs = {(int(image), int(rng.integers(1, films + 1))) for image in rng.choice(ids, data.draw(st.integers(1, 60)))}
    link = {"evidence": "url", "confidence": 0.5, "detail": ""}
    world.write(insert(image_films), [link | {"image_id": image, "film_id": film} for image, film in sorted(pairs)])
    copies = rng.integers(0, data.draw(st.integers(1, 60)), len(ids))
    variants = copies % data.draw(st.integers(1, 60))
    world.write(
        insert(clusters),
        [
            {"image_id": image, "copies": f"c{one}", "variants": f"v{other}", "representative": True}
            for image, one, other in zip(ids, copies, variants, strict=True)
        ],
    )
    split = data.draw(st.sampled_from([(0.8, 0.1, 0.1), (0.5, 0.5, 0.0), (0.4, 0.3, 0.3)]))
    lock = planned(world, split=split, seed=int(rng.integers(100)))
    assert find_leaks(lock.file) == []
