from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_images import add, groups, moved, name_of, names, picture_of, reasons, representatives, sha256_of, turned
from sqlalchemy import Engine, delete, select
from sqlalchemy import update as change

from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.schema import embeddings, images, models
from posterbot.catalogue.schema_films import clusters, duplicates
from posterbot.duplicates.one_at_a_time import alone
from posterbot.duplicates.rows import waiting
from posterbot.duplicates.update import Updated, _Placing, update


@pytest.fixture
def engine(catalogue_url: str) -> Iterator[Engine]:
    engine = open_catalogue(catalogue_url)
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Engine]:
    engine = open_catalogue(f"sqlite:///{tmp_path}/catalogue.db")
    yield engine
    engine.dispose()


def test_copies_and_variants_are_found_and_why(engine: Engine) -> None:
    phash, vector = picture_of(0)
    add(engine, 1, phash, vector)
    add(engine, 2, *picture_of(1))
    add(engine, 3, turned(phash, 5, 60), moved(vector, 0.96))
    add(engine, 4, turned(phash, 1, 2, 3, 4), moved(vector, 0.77, 1))
    add(engine, 5, None)
    assert update(engine) == Updated(images=4, copies=1, variants=1)
    assert names(engine) == {1: name_of(1), 2: name_of(2), 3: name_of(1), 4: name_of(4)}
    assert names(engine, "variants") == {1: name_of(1), 2: name_of(2), 3: name_of(1), 4: name_of(1)}
    (first, second, *rest) = reasons(engine)
    assert first[:4] == (3, 1, "copy", 2)
    assert first[4] == pytest.approx(0.96, abs=1e-3)
    assert second[:4] == (4, 1, "variant", 4)
    assert second[4] == pytest.approx(0.77, abs=1e-3)
    assert all(row[2] == "variant" for row in rest)
    assert update(engine) == Updated()


def test_the_embedding_has_the_last_word(engine: Engine) -> None:
    phash, vector = picture_of(0)
    add(engine, 1, phash, vector)
    add(engine, 2, phash, moved(vector, 0.3))
    update(engine)
    assert groups(engine, "variants") == {frozenset({1}), frozenset({2})}
    assert reasons(engine) == []


def test_without_an_embedding_the_hash_decides(engine: Engine) -> None:
    phash, vector = picture_of(0)
    add(engine, 1, phash, vector)
    add(engine, 2, turned(phash, 1, 2, 3, 4))
    add(engine, 3, turned(phash, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10))
    update(engine)
    assert groups(engine) == {frozenset({1, 2}), frozenset({3})}
    assert reasons(engine)[0] == (2, 1, "copy", 4, None)


def test_embeddings_of_two_models_are_not_compared(engine: Engine) -> None:
    phash, vector = picture_of(0)
    add(engine, 1, phash, vector)
    add(engine, 2, phash)
    with engine.begin() as connection:
        connection.execute(models.insert().values(id=2, name="another", hash="b" * 64, labels=[]))
        connection.execute(embeddings.insert().values(image_id=2, model_id=2, vector=-vector[:7]))
    update(engine)
    assert reasons(engine) == [(2, 1, "copy", 0, None)]


def test_when_two_clusters_become_one_the_older_name_stays(engine: Engine) -> None:
    phash, vector = picture_of(0)
    far = turned(phash, *range(18))
    add(engine, 1, phash, vector)
    add(engine, 2, far, moved(vector, 0.85, 1))
    update(engine)
    assert names(engine) == {1: name_of(1), 2: name_of(2)}
    add(engine, 3, turned(phash, *range(9)), moved(vector, 0.95, 1))
    assert update(engine) == Updated(images=1, copies=1)
    assert names(engine) == dict.fromkeys((1, 2, 3), name_of(1))
    assert names(engine, "variants") == dict.fromkeys((1, 2, 3), name_of(1))
    assert len(representatives(engine)) == 1


def test_clusters_do_not_drift(sqlite: Engine) -> None:
    phash, vector = picture_of(0)
    for number in range(1, 21):
        add(sqlite, number, phash, vector)
        phash, vector = turned(phash, 3 * number, 3 * number + 1), moved(vector, 0.97, number)
    update(sqlite, batch=7)
    assert len(groups(sqlite)) > 1
    assert max(max(of) - min(of) for of in groups(sqlite)) < 12
    assert all(max(of) - min(of) == len(of) - 1 for of in groups(sqlite))


def test_the_best_represents_its_copies(engine: Engine) -> None:
    phash, vector = picture_of(0)

    def come(number: int, **facts: object) -> set[int]:
        add(engine, number, phash, vector, **facts)
        update(engine)
        return representatives(engine)

    assert come(1, path=None, width=4000, height=6000) == {1}
    assert come(2, width=300, height=450, bytes=30_000) == {2}  # its bytes are there
    assert come(3, width=1000, height=1500, bytes=90_000) == {3}
    assert come(4, width=1040, height=1540, bytes=90_000) == {3}  # as large, but for a frame
    assert come(5, width=1000, height=1500, bytes=60_000) == {3}  # compressed again
    assert come(6, width=1000, height=1500, bytes=90_000, sharpness=1200.0) == {6}
    add(engine, 7, *picture_of(1))
    update(engine)
    assert representatives(engine) == {6, 7}


def test_what_was_forgotten_or_stored_since_is_mended(engine: Engine) -> None:
    phash, vector = picture_of(0)
    for number, path in ((1, None), (2, None), (3, "3.jpg"), (4, None)):
        add(engine, number, phash, vector, path=path, sharpness=1000.0 - number)
    update(engine)
    assert representatives(engine) == {3}
    with engine.begin() as connection:
        connection.execute(delete(duplicates).where((duplicates.c.image_id == 3) | (duplicates.c.other_id == 3)))
        for table, column in ((clusters, clusters.c.image_id), (embeddings, embeddings.c.image_id)):
            connection.execute(delete(table).where(column == 3))
        connection.execute(delete(images).where(images.c.id == 3))
    assert representatives(engine) == set()
    update(engine)
    assert representatives(engine) == {1}
    with engine.begin() as connection:
        connection.execute(change(images).where(images.c.id == 4).values(path="4.jpg"))
    update(engine, mend=False)
    assert representatives(engine) == {1}
    update(engine)
    assert representatives(engine) == {4}


def test_a_cluster_whose_first_image_was_forgotten_keeps_its_name(engine: Engine) -> None:
    phash, vector = picture_of(0)
    add(engine, 1, phash, vector)
    add(engine, 2, phash, vector)
    update(engine)
    with engine.begin() as connection:
        for table, column in ((duplicates, duplicates.c.image_id), (clusters, clusters.c.image_id)):
            connection.execute(delete(table).where(column.in_((1, 2)) if table is duplicates else column == 1))
        connection.execute(delete(embeddings).where(embeddings.c.image_id == 1))
        connection.execute(delete(images).where(images.c.id == 1))
    add(engine, 3, phash, vector)
    update(engine)
    assert names(engine) == {2: name_of(1), 3: name_of(1)}


def test_an_image_that_is_forgotten_meanwhile_does_no_harm(engine: Engine) -> None:
    phash, vector = picture_of(0)
    for number in range(1, 7):
        add(engine, number, phash, vector)
    update(engine, stopped=iter([False, True, True]).__next__, batch=2)
    assert set(names(engine)) == {1, 2}
    placing = _Placing(engine)
    with engine.connect() as connection:
        rows = waiting(connection, 10)
    with engine.begin() as connection:
        connection.execute(delete(duplicates))
        connection.execute(delete(clusters).where(clusters.c.image_id == 1))
        for number in (1, 3):
            connection.execute(delete(embeddings).where(embeddings.c.image_id == number))
            connection.execute(delete(images).where(images.c.id == number))
    placing.place(rows)
    assert names(engine) == dict.fromkeys((2, 4, 5, 6), name_of(1))
    assert not {1, 3} & {row[1] for row in reasons(engine)}
    update(engine)
    assert len(representatives(engine)) == 1


def test_it_stops_and_goes_on(engine: Engine) -> None:
    for number in range(1, 8):
        add(engine, number, *picture_of(number % 3))
    done: list[int] = []
    stopped = update(engine, batch=2, stopped=lambda: len(done) > 2, progress=lambda at, of: done.append(at))
    assert stopped == Updated(images=4, copies=1, left=3)
    assert update(engine) == Updated(images=3, copies=3)
    assert groups(engine) == {frozenset({1, 4, 7}), frozenset({2, 5}), frozenset({3, 6})}


def test_one_does_it_and_the_others_go_on(engine: Engine) -> None:
    add(engine, 1, *picture_of(0))
    with alone(engine, False, lambda: False) as ours:
        assert ours
        assert update(engine) == Updated(elsewhere=True)
        assert update(engine, wait=True, stopped=lambda: True) == Updated(elsewhere=True)
    assert update(engine) == Updated(images=1)


def test_several_at_once(engine: Engine) -> None:
    for number in range(1, 41):
        add(engine, number, *picture_of(number % 8))
    answers: list[Updated] = []
    threads = [threading.Thread(target=lambda: answers.append(update(engine, wait=True, batch=3))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(answer.images for answer in answers) == 40
    assert {len(of) for of in groups(engine)} == {5}
    assert len(representatives(engine)) == 8


def test_thousands_of_empty_pictures(sqlite: Engine) -> None:
    rng = np.random.default_rng(0)
    rows = [
        {
            "id": number,
            "sha256": sha256_of(number),
            "bytes": 100,
            "format": "PNG",
            "width": 200,
            "height": 200,
            "phash": "0" * 16 if number % 2 else "8" + "0" * 15,
            "first_seen_at": datetime(2026, 1, 1, tzinfo=UTC),
        }
        for number in range(1, 4001)
    ]
    with sqlite.begin() as connection:
        connection.execute(images.insert(), rows)
        connection.execute(models.insert().values(id=1, name="made up", hash="a" * 64, labels=[]))
        vectors = rng.standard_normal((4000, 32))
        looks = [{"image_id": n, "model_id": 1, "vector": vectors[n - 1]} for n in range(1, 4001)]
        connection.execute(embeddings.insert(), looks)
    begun = time.process_time()
    assert update(sqlite).images == 4000
    assert time.process_time() - begun < 20
    assert len(groups(sqlite)) > 3900


def test_one_at_a_time_is_all_at_once(sqlite: Engine) -> None:
    @settings(max_examples=12)
    @given(
        st.lists(st.tuples(st.integers(0, 3), st.sets(st.integers(0, 63), max_size=6), st.floats(0.7, 1)), max_size=20),
        st.lists(st.integers(1, 9), min_size=1, max_size=4),
    )
    def check(made: list[tuple[int, set[int], float]], steps: list[int]) -> None:
        found = []
        for at_once in (True, False):
            with sqlite.begin() as connection:
                for table in (duplicates, clusters, embeddings, images):
                    connection.execute(delete(table))
            waiting = list(enumerate(made, 1))
            for turn, size in enumerate([len(waiting)] if at_once else [*steps, len(waiting)]):
                for number, (seed, bits, cosine) in waiting[:size]:
                    phash, vector = picture_of(seed)
                    add(sqlite, number, turned(phash, *bits), moved(vector, cosine, number))
                del waiting[:size]
                update(sqlite, batch=500 if at_once else turn % 3 + 1)
            found.append((names(sqlite), names(sqlite, "variants"), reasons(sqlite), representatives(sqlite)))
        assert found[0] == found[1]

    check()


def test_a_catalogue_that_another_reads_is_not_in_the_way(engine: Engine) -> None:
    add(engine, 1, *picture_of(0))
    with engine.connect() as connection:
        connection.scalar(select(images.c.id))
        assert update(engine).images == 1
