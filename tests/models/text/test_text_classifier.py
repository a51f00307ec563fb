"""The shipped text classifier: what it answers, that it never fails, and what it refuses to load."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parsel import Selector

from models.classifier import ModelError
from models.text import Answer, TextClassifier
from models.text.classifier import WEIGHTS
from models.text.features import BUCKETS, is_informative, read_fields
from posterbot.page import read_page

CLASSIFIER = TextClassifier()


@pytest.mark.parametrize(
    "words",
    [
        {"alt": "Company logo", "url": "https://a.org/images/logo-white.png"},
        {"alt": "Facebook", "url": "https://a.org/img/icon-facebook.png"},
        {"alt": "Anna Berg's avatar", "url": "https://a.org/avatars/anna-berg.jpg"},
        {"alt": "Flag of Norway", "url": "https://a.org/flags/norway.png"},
        {"alt": "Screenshot 3", "url": "https://a.org/screenshots/dashboard-screenshot.png"},
        {"alt": "логотип", "url": "https://a.ru/img/logo.png"},
        {"alt": "Werbung", "url": "https://a.de/banner-728x90.gif"},
    ],
)
def test_surely_not(words: dict[str, str]) -> None:
    assert CLASSIFIER.judge(**words).answer is Answer.SURELY_NOT


@pytest.mark.parametrize(
    "words",
    [
        {"alt": "Playtime (1967) movie poster", "url": "https://a.org/posters/playtime-movie-poster.jpg"},
        {"alt": "Affiche du film Playtime", "url": "https://a.fr/affiches/playtime.jpg"},
        {"alt": "Filmplakat Nosferatu", "url": "https://a.de/plakate/nosferatu.jpg"},
        {"alt": "Locandina del film Playtime", "url": "https://a.it/images/playtime-poster.jpg"},
        {"alt": "плакат фильма Сталкер", "url": "https://a.ru/posters/stalker.jpg"},
        {"alt": "东京物语 海报", "url": "https://a.cn/poster/1953.jpg"},
        {"alt": "映画ポスター 東京物語", "url": "https://a.jp/poster.jpg"},
    ],
)
def test_likely(words: dict[str, str]) -> None:
    assert CLASSIFIER.judge(**words).answer is Answer.LIKELY


@pytest.mark.parametrize(
    "words",
    [
        {"alt": "Avatar", "url": "https://a.org/images/posters/avatar.jpg"},
        {"alt": "Flags of Our Fathers", "url": "https://a.org/Flags_of_Our_Fathers.jpg"},
        {"alt": "The Map of Tiny Perfect Things", "url": "https://a.org/p/tiny-perfect-things.jpg"},
        {"alt": "profile", "url": "https://a.org/comp/the-matrix-1999-movie-poster-2K4TMJ5.jpg"},
        {"alt": "Tim Robbins in The Shawshank Redemption (1994)", "url": "https://a.org/images/M/MV5BND._V1_.jpg"},
        {"alt": "谋杀议案", "url": "https://img1.doubanio.com/view/photo/s_ratio_poster/public/p2559578757.jpg"},
        {"caption": "Our sponsors and their logos", "url": "https://a.org/logos/8f3a2b.png"},
    ],
)
def test_a_poster_is_not_dropped_for_one_word(words: dict[str, str]) -> None:
    assert CLASSIFIER.judge(**words).answer is not Answer.SURELY_NOT


TEXT = st.text() | st.text(st.characters(categories=["Cs", "Mn", "Nd", "Lo"])) | st.sampled_from(["logo", "icon %zz"])


@given(TEXT, TEXT, TEXT, TEXT | st.from_regex(r"https?://[^ ]*", fullmatch=True))
def test_any_text_gets_an_answer(alt: str, title: str, caption: str, url: str) -> None:
    judged = CLASSIFIER.judge(alt, title, caption, url)
    assert 0 <= judged.score <= 1
    assert is_informative(read_fields(alt, title, caption, url)) or judged.answer is Answer.UNSURE


def test_a_batch_answers_like_one_by_one() -> None:
    class Words:
        def __init__(self, alt: str, url: str) -> None:
            self.alt, self.title, self.caption, self.url = alt, "", "News", url

    batch = [Words(f"logo {'x' * (i % 7)}" if i % 3 else "", f"https://a.org/film-{i}.jpg") for i in range(1_100)]
    judged = CLASSIFIER.judge_all(batch)
    assert judged == [CLASSIFIER.judge(each.alt, each.title, each.caption, each.url) for each in batch]
    assert CLASSIFIER.judge_all([]) == []


def test_the_sample_site_keeps_its_posters() -> None:
    site = Path(__file__).parents[3] / "posterbot" / "sample" / "site"
    found = {
        candidate.url: candidate
        for page in sorted(site.rglob("*.html"))
        for candidate in read_page(
            Selector(page.read_text(), type="html"), f"http://127.0.0.1/{page.relative_to(site)}"
        ).candidates
    }
    posters = [candidate for url, candidate in found.items() if "/posters/" in url]
    others = [candidate for url, candidate in found.items() if "/logos/" in url or "/ads/" in url]
    assert len(posters) > 10
    assert Answer.SURELY_NOT not in {judged.answer for judged in CLASSIFIER.judge_all(posters)}
    assert Answer.LIKELY not in {judged.answer for judged in CLASSIFIER.judge_all(others)}


def test_what_film_data_bases_call_their_files_is_unsure(real_data: Path) -> None:
    paths = set()

    def walk(node: object) -> None:
        if isinstance(node, dict):
            paths.update(v for k, v in node.items() if k.endswith("_path") and isinstance(v, str))
        for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            walk(child)

    for file in (real_data / "films" / "tmdb-json-adamayoung").rglob("*.json"):
        walk(json.loads(file.read_bytes()))
    opaque = sorted(path for path in paths if len(path) > 25)
    assert len(opaque) > 100
    judged = [CLASSIFIER.judge(url=f"https://image.tmdb.org/t/p/w500{path}") for path in opaque]
    assert {each.answer for each in judged} == {Answer.UNSURE}


def test_real_paths_of_posters(real_data: Path) -> None:
    files = sorted(
        path for label in ("poster", "poster_square") for path in (real_data / "originals" / label).iterdir()
    )
    answers = [CLASSIFIER.judge(url="/" + "/".join(file.name.split("__")[1:])).answer for file in files]
    assert len(answers) > 40
    assert Answer.SURELY_NOT not in answers


def test_the_weights_are_small_and_their_threshold_below_that_of_no_text() -> None:
    assert WEIGHTS.stat().st_size <= 400_000
    assert CLASSIFIER.surely_not < CLASSIFIER.logits([("",) * 5])[0] < CLASSIFIER.likely


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"weights": np.zeros(9, np.int8)}, r"int8 \(9,\), expected int8"),
        ({"weights": np.zeros(BUCKETS, np.float32)}, "float32"),
        ({"surely_not": np.float64("nan")}, "no usable thresholds"),
        ({"surely_not": np.float64(9), "likely": np.float64(2)}, "no usable thresholds"),
        ({"bias": np.array([1.0, 2.0])}, "cannot be read"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(tmp_path: Path, change: dict[str, np.ndarray], said: str) -> None:
    with np.load(WEIGHTS) as stored:
        content = dict(stored)
    np.savez(tmp_path / "w.npz", **content | change)
    with pytest.raises(ModelError, match=said):
        TextClassifier(tmp_path / "w.npz")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a zip", WEIGHTS.read_bytes()[:5_000]])
def test_a_broken_file_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "w.npz").write_bytes(content)
    with pytest.raises(ModelError) as caught:
        TextClassifier(tmp_path / "w.npz")
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        TextClassifier(tmp_path / "none.npz")


def test_judging_loads_neither_scikit_learn_nor_a_network_runtime() -> None:
    heavy = "{'sklearn', 'scipy', 'tensorflow', 'ai_edge_litert', 'scrapy'} & set(sys.modules)"
    program = f"import sys, models.text; models.text.TextClassifier().judge('a'); sys.exit(bool({heavy}))"
    assert subprocess.run([sys.executable, "-c", program], timeout=60).returncode == 0
