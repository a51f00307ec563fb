"""The dataset card: README.md as Hugging Face shows it, with all that can be said of a dataset from its lockfile.

Nothing in it depends on when or where it is written.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from posterbot.catalogue.display import size
from posterbot.export.card_history import filtered, left_out, splits_and_copies, where_from
from posterbot.export.card_loading import data_files, loading_code
from posterbot.export.card_numbers import PERCENTILES, Numbers, add_up
from posterbot.export.card_sheet import PICTURE
from posterbot.export.example import SPLITS
from posterbot.export.lockfile import NAME, Header, Lockfile
from posterbot.export.markup import and_more, markdown, number_of, ordered, share_of, table, top, yaml
from posterbot.export.options import Options

CARD = "README.md"
TOP_GENRES = 30
_LICENCES = {
    "cc0": "cc0-1.0",
    "cc0 1.0": "cc0-1.0",
    "cc by 2.0": "cc-by-2.0",
    "cc by 2.5": "cc-by-2.5",
    "cc by 3.0": "cc-by-3.0",
    "cc by 4.0": "cc-by-4.0",
    "cc by-sa 3.0": "cc-by-sa-3.0",
    "cc by-sa 4.0": "cc-by-sa-4.0",
    "cc by-nc 4.0": "cc-by-nc-4.0",
    "cc by-nc-sa 4.0": "cc-by-nc-sa-4.0",
    "cc by-nd 4.0": "cc-by-nd-4.0",
    "cc by-nc-nd 4.0": "cc-by-nc-nd-4.0",
}
"""Short names as lists state them, in lower case → those of Hugging Face."""
_UNKNOWN = "not known"


def write_card(folder: Path, lock: Lockfile, *, missing: int = 0) -> None:
    """Write README.md into a dataset's folder. It shows the contact sheet where one is there already.

    Args:
        folder: of the dataset; its other files are there.
        lock: what was really written.
        missing: images that should be in it and whose bytes could not be had.
    """
    numbers = add_up(lock.file)
    lines = ["---", *yaml(front_matter(lock.header, numbers)), "---", ""]
    lines += _about(lock.header, numbers, sheet=(folder / PICTURE).is_file())
    lines += _what(lock.header, numbers)
    lines += _load(lock)
    lines += where_from(lock.header, numbers)
    lines += filtered(lock.header, numbers)
    lines += left_out(lock.header, missing)
    lines += splits_and_copies(lock.header, numbers)
    lines += _again(lock.header)
    lines += _limits(lock.header)
    (folder / CARD).write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


def front_matter(header: Header, numbers: Numbers) -> dict[str, Any]:
    """What Hugging Face reads, as plain values."""
    labelled = ", ".join(header.labels) or "nothing"
    matter: dict[str, Any] = {
        "pretty_name": f"Images labelled {labelled}, from {len(header.sources):,} sources",
        **_licence(numbers),
        "size_categories": [_category(numbers.images)],
        "task_categories": ["image-feature-extraction", "image-classification"],
        "tags": ["posterbot", "image-similarity", "film", "poster"],
    }
    splits = [split for split in SPLITS if numbers.split[split]]
    files = data_files(header.options, splits)
    if files:
        config: dict[str, Any] = {"config_name": "default", "default": True, "data_files": files}
        if header.options.format == "imagefolder":
            # Its columns get their types from a guess at each split's metadata.csv, and where one has no year or no
            # licence the guesses differ, and nothing is loaded at all.
            config |= {"drop_metadata": True, "drop_labels": False}
        matter["configs"] = [config]
    return matter


def licence_id(numbers: Numbers) -> str | None:
    """Hugging Face's name of the one licence that all images have; None where they have others, or none is stated."""
    if len(numbers.licence) != 1:
        return None
    return _LICENCES.get(str(next(iter(numbers.licence))).lower())


def _licence(numbers: Numbers) -> dict[str, str]:
    one = licence_id(numbers)
    return {"license": one} if one else {"license": "other", "license_name": "that-of-each-image"}


def _category(images: int) -> str:
    steps = [(10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M")]
    return next((name for most, name in steps if images < most), "10M<n<100M")


def _about(header: Header, numbers: Numbers, *, sheet: bool) -> Iterator[str]:
    labelled = " or ".join(f"“{markdown(label)}”" for label in header.labels)
    yield f"# Images labelled {labelled}"
    yield ""
    yield (
        f"{number_of(numbers.images, 'image')} from {number_of(len(header.sources), 'source')} of the web, kept as a "
        f"classifier takes them for {labelled}. {share_of(numbers.linked, numbers.images)} are linked with a film: "
        f"{number_of(numbers.films, 'film')}, {numbers.several:,} of them with more than one image. Made by posterbot "
        f"{markdown(header.version)}, to train models of image similarity."
    )
    yield ""
    if sheet:
        yield f"![Some of the images, drawn by their hashes]({PICTURE})"
        yield ""


def _what(header: Header, numbers: Numbers) -> Iterator[str]:
    yield "## What is in it"
    yield ""
    splits = [split for split in SPLITS if numbers.split[split]]
    yield from table(
        ["split", "images", "share", "films"],
        [
            (split, numbers.split[split], share_of(numbers.split[split], numbers.images), numbers.split_films[split])
            for split in splits
        ],
        [1, 2, 3],
    )
    yield from table(
        ["label", "images", *splits],
        [
            (markdown(label), number, *(numbers.split_label[split, label] for split in splits))
            for label, number in ordered(numbers.label)
        ],
        range(1, 2 + len(splits)),
    )
    sizes = [
        (name, *(_at(name, value) for value in numbers.sizes.get(key, ())))
        for name, key in (("width, pixels", "width"), ("height, pixels", "height"), ("file", "bytes"))
    ]
    yield f"Originals, {size(numbers.bytes)} in all ({_formats(numbers.format)}):"
    yield ""
    names = {0: "smallest", 50: "median", 100: "largest"}
    yield from table(
        ["size", *(names.get(place, f"{place} %") for place in PERCENTILES)], sizes, range(1, 1 + len(PERCENTILES))
    )
    yield _pictures(header.options)
    yield ""
    if numbers.genre:
        shown, rest = top(numbers.genre, TOP_GENRES)
        yield f"Genres of their films; an image counts for each, and {numbers.without_genre:,} have none:"
        yield ""
        yield from table(["genre", "images"], [(markdown(name), number) for name, number in shown], [1])
        yield from and_more(rest, "genre")
    if set(numbers.decade) - {None}:
        yield "Years of their films:"
        yield ""
        rows = sorted(numbers.decade.items(), key=lambda each: (each[0] is None, each[0] or 0))
        yield from table(
            ["decade", "images"],
            [(_UNKNOWN if decade is None else f"{decade}s", number) for decade, number in rows],
            [1],
        )


def _pictures(options: Options) -> str:
    if options.size is None:
        return "In the dataset they are the original bytes, unchanged."
    how = {
        "longer": f"have a longer side of {options.size} pixels, if they had more",
        "shorter": f"have a shorter side of {options.size} pixels, if they had more",
        "crop": f"are squares of {options.size} pixels, cut out of the middle",
        "pad": f"are squares of {options.size} pixels, with white where the picture is not square",
        "stretch": f"are squares of {options.size} pixels, distorted",
    }
    return f"In the dataset they {how.get(options.fit, f'have {options.size} pixels')}."


def _load(lock: Lockfile) -> Iterator[str]:
    yield "## How to load it"
    yield ""
    first = lock.shards[0] if lock.shards else None
    code = loading_code(lock.header.options, *(("train", 0) if first is None else (first.split, first.of)))
    yield from ["```python", *code.splitlines(), "```", ""]
    yield (
        f"`{NAME}` has a row for each image, whatever the format: where it was found, what it shows, who decided so, "
        "and what may be done with it."
    )
    yield ""


def _again(header: Header) -> Iterator[str]:
    yield "## How to make it again"
    yield ""
    yield from [
        "```sh",
        f"pip install posterbot=={header.version}",
        f"posterbot rebuild {NAME} --out again",
        "```",
        "",
    ]
    yield (
        "fetches each image from where it was found, politely, compares it with its sha256, says which are gone or "
        "have changed, and writes the same files. From the same catalogue:"
    )
    yield ""
    words = " ".join(map(shlex.quote, words_of(header.options)))
    yield from ["```sh", f"posterbot export {words} --out again", "```", ""]


def words_of(options: Options) -> list[str]:
    """The options as they are typed."""
    words, default = ["--format", options.format], Options(options.format)
    if options.size is not None:
        words += ["--size", str(options.size), "--fit", options.fit]
    if options.where:
        words += ["--where", " ".join(options.where.split())]
    if options.split != default.split:
        words += ["--split", "/".join(f"{share:g}" for share in options.split)]
    words += ["--by", options.by, "--seed", str(options.seed)]
    if options.purpose is not None:
        words += ["--purpose", options.purpose]
    for name in options.agreements:
        words += ["--agreement", " ".join(name.split())]
    words += ["--rich"] * options.rich + ["--pairs"] * options.pairs
    if options.shard_images != default.shard_images:
        words += ["--shard-images", str(options.shard_images)]
    return words


def _limits(header: Header) -> Iterator[str]:
    yield "## Before you use it"
    yield ""
    yield "- The images belong to others, mostly to those who made the films. Nothing here licenses them."
    unknown = sum(source.images for source in header.sources if source.ml_allowed is None)
    denied = sum(source.images for source in header.sources if source.ml_allowed is False)
    if unknown:
        yield f"- Of {number_of(unknown, 'image')} it is not known whether their source allows machine learning."
    if denied:
        yield f"- **{number_of(denied, 'image')}: their source does not allow machine learning.**"
    yield "- Who wants an image taken out should be able to reach you: `posterbot forget`, then export again."
    yield "- Labels are a model's opinion and have its errors; films and genres are what pages and tables say of them."
    yield "- What was crawled decides what is in it: languages, years and genres are not those of all films."
    yield "- Posters show people. Do not use it to recognise them."


def _formats(counts: Mapping[Any, int]) -> str:
    return ", ".join(f"{markdown(str(name))} {number:,}" for name, number in ordered(counts))


def _at(name: str, value: int) -> str:
    return size(value) if name == "file" else f"{value:,}"
