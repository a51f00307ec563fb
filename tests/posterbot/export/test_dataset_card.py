"""The dataset card: right numbers, and nothing from the web that becomes markup."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from export.locks import HOSTILE, RULE, bytes_of, example, examples, write_lock
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from PIL import Image

from posterbot.export import card_numbers, card_sheet, markup
from posterbot.export.card import CARD, words_of, write_card
from posterbot.export.card_sheet import PICTURE, sheet_examples, write_contact_sheet_picture
from posterbot.export.lockfile import Lockfile, Rule
from posterbot.export.measured import _curves, measured
from posterbot.export.options import Options

MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def read(folder: Path) -> tuple[dict[str, Any], str]:
    """Front matter and body."""
    start, front, body = (folder / CARD).read_text(encoding="utf-8").split("---\n", 2)
    assert start == ""
    found: dict[str, Any] = yaml.safe_load(front)
    return found, body


def tokens(text: str) -> Iterator[Token]:
    for token in MARKDOWN.parse(text):
        yield token
        yield from token.children or ()


def cells(text: str) -> list[list[str]]:
    """The rows of all tables, as a reader sees them."""
    rows: list[list[str]] = []
    inside = False
    for token in MARKDOWN.parse(text):
        if token.type == "tr_open":
            rows.append([])
        inside = token.type in {"td_open", "th_open"} or (inside and token.type == "inline")
        if token.type == "inline" and inside:
            rows[-1].append("".join(child.content for child in token.children or ()))
    return rows


def write(folder: Path, rows: Any, options: Options | None = None, missing: int = 0, **facts: Any) -> Lockfile:
    folder.mkdir(exist_ok=True)
    lock = write_lock(folder / "posterbot.lock.parquet", rows, options, **facts)
    write_card(folder, lock, missing=missing)
    return lock


def test_its_numbers_are_those_of_the_rows(tmp_path: Path) -> None:
    rows = [
        replace(row, licence="CC BY 4.0" if number % 3 else None, genres=row.genres or ("Horror",))
        for number, row in enumerate(examples(20))
    ]
    options = Options("parquet", size=64, fit="pad", purpose="training", agreements=("open.example",))
    write(tmp_path, rows, options, missing=2, left_out={"not chosen by --where": 1234})
    front, body = read(tmp_path)
    found = cells(body)
    assert front["size_categories"] == ["n<1K"]
    assert front["license"] == "other"
    assert front["configs"][0]["data_files"][0] == {"split": "train", "path": "data/train-*.parquet"}
    for split in ("train", "validation", "test"):
        number = sum(row.split == split for row in rows)
        films = len({row.film for row in rows if row.split == split} - {None})
        assert [split, str(number), f"{number / 20:.1%}", str(films)] in found
    for genre in ("Comedy", "Drama", "Horror"):
        assert [genre, str(sum(genre in row.genres for row in rows))] in found
    for decade in (1920, 1930, None):
        number = sum((row.year and row.year // 10 * 10) == decade for row in rows)
        assert ["not known" if decade is None else f"{decade}s", str(number)] in found or not number
    assert ["CC BY 4.0", str(sum(row.licence is not None for row in rows))] in found
    assert ["open.example", "20", "allowed (agreement)", "not known", "terms", "© Open"] in found
    assert ["not chosen by --where", "1,234"] in found
    assert ["their bytes could not be had when this was written", "2"] in found
    assert "squares of 64 pixels, with white" in body
    assert "0 clusters of copies, 0 films, 0 clusters of variants" in body
    widths = sorted(row.width for row in rows)
    assert ["width, pixels", str(widths[0]), str(widths[1]), str(widths[9]), str(widths[17]), str(widths[-1])] in found


def test_one_licence_is_that_of_the_dataset(tmp_path: Path) -> None:
    write(tmp_path, examples(3, licence="CC BY-SA 4.0"))
    assert read(tmp_path)[0]["license"] == "cc-by-sa-4.0"


def test_leaks_and_duplicates_are_counted(tmp_path: Path) -> None:
    """Of rows that no export would write: the card tells what is there."""
    rows = examples(6, copies="c" * 16, variants="v" * 16, films=("tt1", "tt2"))
    _, body = read((write(tmp_path, rows), tmp_path)[1])
    assert "1 clusters of copies, 2 films, 1 clusters of variants" in body
    assert "6 images in 1 cluster are the same picture" in body


def test_precision_and_recall_of_a_shipped_model(tmp_path: Path) -> None:
    (model_hash,) = _curves()
    rule = Rule(2, ("poster",), 0.7, None, "web-images", model_hash)
    known = measured(rule)
    assert known is not None
    assert (known.threshold, known.precision, known.recall) == (0.7, 0.8727, 0.7637)  # as its card says
    assert measured(replace(rule, threshold=0.70000001)) == known
    for other in (RULE, replace(rule, labels=("poster", "photo")), replace(rule, top=2), replace(rule, threshold=0)):
        assert measured(other) is None
    write(tmp_path, examples(4), rules=(RULE, rule))
    found = cells(read(tmp_path)[1])
    assert ["1", "poster", "0.5", "web-images aaaaaaaaaaaa", "not measured", "not measured", "4"] in found
    assert ["2", "poster", "0.7", f"web-images {model_hash[:12]}", "0.873", "0.764", "0"] in found


def test_what_comes_from_the_web_is_text(tmp_path: Path) -> None:
    hostile = examples(
        8,
        source=HOSTILE,
        attribution=HOSTILE,
        licence=HOSTILE,
        terms_url="javascript:alert(1)",
        genres=(HOSTILE,),
        label=HOSTILE,
        title=HOSTILE,
    )
    options = Options("csv", where=f"title = '{HOSTILE}'\n```\n# x", agreements=(HOSTILE,))
    rule = replace(RULE, labels=(HOSTILE,), model=HOSTILE)
    write(tmp_path, hostile, options, rules=(rule,), left_out={HOSTILE: 1})
    front, body = read(tmp_path)
    assert front["license"] == "other"
    plain = write(tmp_path / "plain", examples(8), Options("csv", where="title", agreements=("x",)), left_out={"x": 1})
    plain_body = read(tmp_path / "plain")[1]
    assert plain.images == 8
    kinds = {token.type for token in tokens(plain_body)}
    assert {token.type for token in tokens(body)} <= kinds
    assert not {"html_inline", "html_block", "image"} & {token.type for token in tokens(body)}
    assert {token.attrGet("href") for token in tokens(body) if token.type == "link_open"} == set()
    assert body.count("\n## ") == plain_body.count("\n## ")
    assert len(cells(body)) == len(cells(plain_body)) - 1  # one genre instead of two
    assert [row[1] for row in cells(body) if row[0] == " ".join(HOSTILE.replace("\x07", " ").split())] == [
        "8",  # of the label, the genre, the source, the licence
        "8",
        "8",
        "8",
        "1",
    ]
    assert {len(row) for row in cells(body)} == {len(row) for row in cells(plain_body)}


@given(st.text(max_size=400))
def test_markdown_is_text_whatever_it_holds(text: str) -> None:
    shown = MARKDOWN.parse(f"| x |\n|---|\n| {markup.markdown(text)} |\n")
    inline = [token for token in shown if token.type == "inline"]
    assert len(inline) == 2
    assert {child.type for token in inline for child in token.children or ()} <= {"text", "text_special"}
    seen = "".join(child.content for child in inline[1].children or ())
    expected = re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", text).strip()
    expected = "".join(sign if sign.isprintable() else "\ufffd" for sign in expected)
    assert seen == (expected if len(expected) <= markup.LONGEST else expected[: markup.LONGEST - 1] + "…")


@given(
    st.recursive(
        st.text() | st.integers() | st.booleans() | st.none(),
        lambda inner: (
            st.lists(inner, min_size=1, max_size=3)
            | st.dictionaries(st.sampled_from(["a", "key", "other_key"]), inner, min_size=1)
        ),
    ).filter(lambda value: isinstance(value, dict))
)
def test_yaml_is_read_as_it_was(value: Any) -> None:
    assert yaml.safe_load("\n".join(markup.yaml(_flat(value)))) == _flat(value)


def _flat(value: Any) -> Any:
    """Without lists in lists, which no card has, and surrogates, which no YAML has."""
    if isinstance(value, dict):
        return {key: _flat(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_flat(each) for each in value if not isinstance(each, list)] or None
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def test_nothing_depends_on_the_place_or_the_moment(tmp_path: Path) -> None:
    one = (write(tmp_path / "one", examples(20)), (tmp_path / "one" / CARD).read_bytes())
    other = (write(tmp_path / "other", examples(20)), (tmp_path / "other" / CARD).read_bytes())
    assert one[1] == other[1]
    assert str(tmp_path).encode() not in one[1]


def test_the_export_command_in_it_is_that_of_the_options() -> None:
    from posterbot.cli_export import export

    options = Options(
        "tfrecord",
        size=96,
        fit="crop",
        where="label = 'poster'",
        split=(0.8, 0.1, 0.1),
        by="source",
        seed=7,
        purpose="training",
        agreements=("a.example", "b.example"),
        rich=True,
        pairs=True,
        shard_images=9,
    )
    given = export.make_context("export", [*words_of(options), "--out", "x"]).params
    assert (given["format_"], given["side"], given["fit"], given["where"]) == ("tfrecord", 96, "crop", options.where)
    assert (given["split"], given["by"], given["seed"], given["purpose"]) == (options.split, "source", 7, "training")
    assert (given["agreements"], given["rich"], given["pairs"]) == (options.agreements, True, True)
    assert given["shard_images"] == 9
    assert words_of(Options("csv")) == ["--format", "csv", "--by", "film", "--seed", "0"]


def test_the_contact_sheet(tmp_path: Path) -> None:
    rows = [replace(example(number), variants="same" if number < 10 else str(number)) for number in range(60)]
    lock = write_lock(tmp_path / "lock.parquet", rows, shard=7)
    shown = sheet_examples(lock)
    assert len(shown) == 32
    assert [row.sha256 for row in shown] == sorted(row.sha256 for row in shown)
    assert sum(row.variants == "same" for row in shown) <= 1
    numbers = {row.sha256: number for number, row in enumerate(rows)}

    def get(row: Any) -> bytes | None:
        return {shown[0].sha256: None, shown[1].sha256: b"no image"}.get(row.sha256, bytes_of(numbers[row.sha256]))

    write_contact_sheet_picture(tmp_path, shown, get)
    with Image.open(tmp_path / PICTURE) as sheet:
        assert sheet.size == (8 * 160 + 10, 4 * 235 + 10)
        assert sheet.getpixel((80, 120)) == pytest.approx(sheet.getpixel((240, 120)), abs=3)  # two empty tiles
        assert not sheet.info.get("exif")
    write_card(tmp_path, lock)
    assert f"]({PICTURE})" in read(tmp_path)[1]
    write_contact_sheet_picture(tmp_path, shown[:3], get)
    assert Image.open(io.BytesIO((tmp_path / PICTURE).read_bytes())).width == 3 * 160 + 10


def test_many_rows_are_read_a_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = examples(40)
    lock = write_lock(tmp_path / "lock.parquet", rows)
    whole = card_numbers.add_up(lock.file)
    monkeypatch.setattr(card_numbers, "AT_ONCE", 3)
    assert card_numbers.add_up(lock.file) == whole
    assert card_sheet.COLUMNS * card_sheet.ROWS == 32
