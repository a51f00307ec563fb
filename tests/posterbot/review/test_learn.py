"""A hundred answers teach what they say, and no more; what is worse is refused, and too little said to be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from reviewed_images import LABELS, fake_model, fill, sha256_of, world
from sqlalchemy import insert, select

from models.ranking import average_precision
from models.taught import Head
from posterbot.catalogue.database import open_catalogue
from posterbot.catalogue.model_folders import curve_of, find_folder, identity
from posterbot.catalogue.records import Policy
from posterbot.catalogue.schema import scores
from posterbot.catalogue.schema_films import clusters
from posterbot.rejudge.rejudge import rejudge
from posterbot.review.answers import record
from posterbot.review.compared import compare
from posterbot.review.examples import Answer, read_examples
from posterbot.review.head import Pool, distil, fit
from posterbot.review.learn import learn
from posterbot.review.learned import card, check_name, free_name, gains, save, table
from posterbot.review.picking import next_images
from posterbot.review.rescore import learned_in, rescore
from posterbot.review.targets import LearnError
from posterbot.steering.labels import PolicyError

NUMBER = 600


@pytest.fixture
def crawled(tmp_path: Path) -> Iterator[Any]:
    """A catalogue of images, whose model takes stamps for posters; nothing is reviewed yet."""
    engine = open_catalogue(f"sqlite:///{tmp_path}/catalogue.db")
    features, shares, truth = world(NUMBER)
    model = fake_model(tmp_path / "base")
    fill(engine, shares, policy=Policy(("poster",), 0.5, model, "anna", "arguments"), features=features)
    yield SimpleNamespace(engine=engine, features=features, scores=shares, truth=truth, model=model, folder=tmp_path)
    engine.dispose()


def review(crawled: Any, number: int = 100, *, word: str | None = "stamp", wrong: bool = False) -> None:
    """Answer what is shown; ``word`` is what stamps are called, None: just no."""
    numbers = {sha256_of(n): n for n in range(1, NUMBER + 1)}
    for start in range(0, number, 10):
        for pick in next_images(crawled.engine, 10, seed=start):
            said = str(crawled.truth[numbers[pick.sha256] - 1])
            if wrong:
                said = str(np.random.default_rng(numbers[pick.sha256]).choice(crawled.truth))
            label = word if said == "stamp" else None
            answer = "label" if label else "yes" if said == "poster" else "no"
            record(
                crawled.engine, pick.sha256, answer, label=label, picked=pick.picked, stratum=pick.stratum, reviewer="x"
            )


def test_a_label_that_the_model_mistakes_is_learned_and_a_new_one_too(crawled: Any) -> None:
    review(crawled)
    learned = learn(crawled.engine)
    assert learned.refused is None
    assert learned.labels == (*LABELS, "stamp")
    assert (learned.reviewed, learned.folds, learned.base, learned.base_hash) == (
        100,
        5,
        str(crawled.folder / "base"),
        crawled.model.hash,
    )
    features, old, truth = world(400, seed=9)  # images that nobody has seen
    new = learned.head.probabilities(features)
    for name, before in (("poster", old[:, 0]), ("stamp", old[:, 0])):
        right = truth == name
        after = new[:, learned.labels.index(name)]
        assert average_precision(after, right) > average_precision(before, right) + 0.1, name
    for name in ("photo", "logo"):  # nobody spoke of these
        right, column = truth == name, LABELS.index(name)
        assert average_precision(new[:, column], right) > average_precision(old[:, column], right) - 0.02
    kept = new[:, 0] >= 0.5
    assert (truth[kept] == "poster").mean() > (truth[old[:, 0] >= 0.5] == "poster").mean() + 0.15
    by_labels = {figures.labels: figures for _, figures in learned.compared}
    assert by_labels["poster",].gain.interval[0] > 0
    assert by_labels["stamp",].stand_in == "poster"
    assert by_labels["poster",].wanted + by_labels["poster",].others == 100


def test_the_same_reviews_give_the_same_head(crawled: Any) -> None:
    review(crawled, word=None)
    one, other = learn(crawled.engine, label="poster"), learn(crawled.engine, label="poster")
    assert one.head.to_bytes() == other.head.to_bytes()
    assert card("x", one) == card("x", other)


def test_answers_at_random_teach_nothing_and_are_refused(crawled: Any) -> None:
    review(crawled, word=None, wrong=True)
    learned = learn(crawled.engine)
    assert learned.refused is not None
    assert "poster: average precision on held-out reviews goes from" in learned.refused
    assert "**refused**" in card("x", learned)


def test_what_else_is_looked_for_may_not_suffer(crawled: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    review(crawled)
    monkeypatch.setattr("posterbot.review.learn.TOLERANCE", -1.0)  # whatever it gains is too little
    learned = learn(crawled.engine, label="stamp")
    assert [target.learned for target, _ in learned.compared] == [True, False]
    assert learned.refused is not None
    assert "poster, which is looked for, would suffer" in learned.refused


def test_too_few_reviews_say_how_many_are_needed(crawled: Any) -> None:
    with pytest.raises(LearnError, match=r"nothing was reviewed yet.*10 reviews of what is looked for and 10"):
        learn(crawled.engine)
    review(crawled, 20)
    with pytest.raises(LearnError, match=r"\d reviewed images are stamp, \d+ more are needed"):
        learn(crawled.engine, label="stamp")
    with pytest.raises(LearnError, match=r"label 'gnome' is none of .*, and nobody has given it"):
        learn(crawled.engine, label="gnome")


def test_copies_of_one_picture_are_one_and_never_on_both_sides(crawled: Any) -> None:
    review(crawled)
    with crawled.engine.begin() as connection:
        posters = [n for n in range(1, NUMBER + 1) if crawled.truth[n - 1] == "poster"]
        rows = [{"image_id": n, "copies": f"c{n}", "variants": "all", "representative": False} for n in posters]
        connection.execute(insert(clusters), rows)
    with pytest.raises(LearnError, match="that are poster show 1 different films or pictures, 5 are needed"):
        learn(crawled.engine, label="poster")
    examples = read_examples(crawled.engine, 1, [1])
    groups = {int(g) for g, one in zip(examples.groups, examples.answers, strict=True) if one.image in posters}
    assert len(groups) == 1


def test_a_model_that_is_not_here_is_said_to_be(crawled: Any) -> None:
    review(crawled, 20)
    (crawled.folder / "base" / "net.tflite").write_bytes(b"others")
    with pytest.raises(LearnError, match="is not to be found on this machine"):
        learn(crawled.engine)


def test_what_was_learned_is_a_model_and_judges_the_past(crawled: Any) -> None:
    review(crawled)
    learned = learn(crawled.engine)
    folder = crawled.folder / "models" / "stamps-1"
    assert free_name(crawled.folder / "models", "stamps") == "stamps-1"
    save(folder, "stamps-1", learned)
    assert free_name(crawled.folder / "models", "stamps") == "stamps-2"
    assert Head.from_bytes((folder / "head.npz").read_bytes()).to_bytes() == learned.head.to_bytes()
    told = identity(folder)
    assert told is not None
    assert told[1] == crawled.model.hash
    assert learned_in(str(folder)) == folder
    assert learned_in(str(crawled.folder / "base")) is None
    text = (folder / "card.md").read_text()
    assert len(table(learned)) == 2 * len(gains(learned)) == 4
    assert all(gain in text for gain in gains(learned))

    hash_ = rescore(crawled.engine, folder)
    assert hash_ == told[0]
    with crawled.engine.connect() as connection:
        rows = connection.execute(select(scores.c.vector).where(scores.c.model_id == 2).order_by(scores.c.image_id))
        found = np.stack([row.vector for row in rows])
    # As float16 they are kept, and read.
    assert np.abs(found - learned.head.probabilities(crawled.features)).max() < 0.02
    done = rejudge(crawled.engine, model=hash_[:12], author="bob")
    assert (done.judged, done.without_scores) == (NUMBER, 0)
    assert done.newly_dropped > 50, "the stamps"
    (folder / "model.toml").write_text((folder / "model.toml").read_text().replace(crawled.model.hash, "0" * 64))
    with pytest.raises(PolicyError, match="reads features that no image here has"):
        rescore(crawled.engine, folder)


@pytest.mark.parametrize("name", ["", "../x", "a b", "web-images", "x" * 80])
def test_names_that_no_model_can_have(name: str) -> None:
    with pytest.raises(LearnError, match="name"):
        check_name(name)


def test_a_shipped_model_and_its_curve_are_found_by_their_hash() -> None:
    from models.registry import load_model

    model = load_model("web-images")
    folder = find_folder("web-images", model.hash)
    assert folder is not None
    assert curve_of("web-images", model.hash) == folder / "curve.json"
    assert curve_of("web-images", "0" * 64) is None


# --- Parts ----------------------------------------------------------------------------------------------------------


def test_the_old_head_is_read_off_its_scores() -> None:
    features, old, _ = world(500)
    head = distil(Pool(features, old), 5).head()
    assert np.abs(head.probabilities(features)[:, :3] - old).max() < 0.1
    assert head.probabilities(features)[:, 3:].mean() < 0.05


def test_an_answer_allows_what_it_says() -> None:
    labels = ("poster", "photo", "stamp")
    asked = ("poster",)
    assert Answer(1, "yes", None, asked).allows(labels).tolist() == [True, False, False]
    assert Answer(1, "no", None, asked).allows(labels).tolist() == [False, True, True]
    assert Answer(1, "label", "stamp", asked).allows(labels).tolist() == [False, False, True]
    assert Answer(1, "label", "gnome", asked).allows(labels).tolist() == [False, True, True]


def test_a_tight_prior_changes_nothing() -> None:
    features, old, truth = world(300)
    start = distil(Pool(features, old), 3)
    allowed = np.array([[one == label for label in LABELS] for one in truth[:60]])
    allowed[~allowed.any(1)] = [False, True, True]
    tight, loose = (fit(start, features[:60], allowed, Pool(features, old), strength) for strength in (1e-9, 1e-1))
    before = start.head().probabilities(features)
    assert np.abs(tight.probabilities(features) - before).mean() < 0.05
    right = np.where(allowed, loose.probabilities(features[:60]), 0).sum(1)
    assert right.mean() > np.where(allowed, before[:60], 0).sum(1).mean() + 0.05


def test_compared_on_the_same_images_in_the_same_rounds() -> None:
    chance = np.random.default_rng(0)
    wanted = np.arange(200) < 80
    old = np.clip(wanted * 0.2 + chance.random(200) * 0.8, 0, 1)
    groups = np.arange(200) // 2
    same = compare(("a",), None, wanted, old, old, groups, 0.5)
    assert (same.gain.value, same.gain.interval, same.better) == (0.0, (0.0, 0.0), 0.0)
    assert same.old.average_precision.value == pytest.approx(average_precision(old, wanted))
    better = compare(("a",), None, wanted, old, np.clip(old + wanted * 0.5, 0, 1), groups, 0.5)
    assert better.better == 1.0
    assert better.gain.interval[0] > 0
    assert better.new.recall.value > better.old.recall.value
