"""Croissant metadata (https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html): what is in a dataset, for
machines.

The lockfile is in every dataset and has a row for each image, so its columns are described whatever the format; the
pictures are as far as Croissant can say where they are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from posterbot.export.card import licence_id
from posterbot.export.card_numbers import Numbers, add_up
from posterbot.export.example import SPLITS
from posterbot.export.lockfile import COLUMNS, NAME, Lockfile

FILE = "croissant.json"
PARQUET, CSV, JSON, TAR, TEXT = (
    "application/x-parquet",
    "text/csv",
    "application/json",
    "application/x-tar",
    "text/plain",
)

_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""That of the specification."""

_MEANING = {
    "sha256": "of the original bytes",
    "path": "of the original in a store of posterbot",
    "bytes": "size of the original",
    "format": "of the original",
    "width": "of the original, in pixels",
    "height": "of the original, in pixels",
    "phash": "64-bit perceptual hash of the original, in hexadecimal",
    "split": "train, validation or test",
    "shard": "within the split, from 0",
    "url": "of the original, when it was found",
    "page_url": "of the page that showed it",
    "source": "host of the image, or name of a list",
    "alt": "alternative text on the page",
    "fetched_at": "when the original was fetched, UTC",
    "label": "what a model takes it for",
    "score": "summed probability of the labels wanted, 0 to 1",
    "policy": "number of the rule that kept it",
    "model": "that scored it",
    "model_hash": "of the model that scored it",
    "film": "id of the film: of IMDb, else of TMDB, else of Wikidata, else a number of the catalogue",
    "films": "all films that some evidence links it with",
    "title": "of the film",
    "year": "of the film",
    "genres": "of the film",
    "confidence": "of the link with the film, 0 to 1",
    "copies": "name of its cluster of copies",
    "variants": "name of its cluster of variants",
    "licence": "of the image, as a list states it",
    "ml_allowed": "do the terms of the source allow machine learning?",
    "redistributable": "do the terms of the source allow to pass it on?",
    "attribution": "as the source wants it",
    "terms_url": "of the source's terms",
}
_TYPES = {"string": "sc:Text", "double": "sc:Float", "bool": "sc:Boolean", "int32": "sc:Integer", "int64": "sc:Integer"}
_PROPERTIES = {"sha256": "sc:sha256", "url": "sc:contentUrl", "licence": "sc:license", "terms_url": "sc:usageInfo"}
_SHARDS = {
    "webdataset": ("*/posters-*.tar", TAR),
    "tfrecord": ("posters_*.tfrecords", "application/octet-stream"),
    "parquet": ("data/*.parquet", PARQUET),
    "imagefolder": ("{split}/*/*.*", "image/jpeg"),
    "csv": ("images/*/*.*", "image/jpeg"),
    "json": ("images/*/*.*", "image/jpeg"),
}
"""Format → the files with the pictures."""
_TABLES = (
    *((f"{split}/metadata.csv", CSV) for split in SPLITS),
    ("posters.csv", CSV),
    *((f"{split}.csv", CSV) for split in SPLITS),
    *((f"annotations/{split}.json", JSON) for split in SPLITS),
    ("classes.txt", TEXT),
    ("labels.txt", TEXT),
)
"""What else a format writes, in a file of its own."""


def write_croissant(folder: Path, lock: Lockfile) -> None:
    """Write ``croissant.json`` into a dataset's folder, whose other files are there; shards need not be.

    Args:
        folder: of the dataset.
        lock: what was really written; under the name ``NAME`` it belongs to the dataset.
    """
    numbers = add_up(lock.file)
    digest = _sha256(lock.file)
    about = _about(lock, numbers, digest)
    about["distribution"] = [
        _file("lockfile", NAME, PARQUET, digest),
        *(_file(name, name, kind, _sha256(folder / name)) for name, kind in _TABLES if (folder / name).is_file()),
        *_file_sets(lock),
    ]
    about["recordSet"] = list(_record_sets(lock))
    text = json.dumps(about, indent=1, ensure_ascii=False).encode("utf-8", "replace").decode()
    (folder / FILE).write_text(text + "\n", encoding="utf-8")


def _about(lock: Lockfile, numbers: Numbers, digest: str) -> dict[str, Any]:
    header = lock.header
    labels = ", ".join(header.labels)
    count = f"{numbers.images:,} images from {len(header.sources):,} sources of the web"
    one = licence_id(numbers)
    about: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"],
        "name": f"posterbot-{digest[:12]}",
        "description": f"{count}, which a classifier takes for: {labels}. Made with posterbot {header.version}, to "
        "train models of image similarity. README.md says how they were found, filtered and split.",
        "license": f"https://spdx.org/licenses/{one.upper()}.html" if one else "That of each image: field licence.",
        "citeAs": f"@misc{{posterbot-{digest[:12]}, title = {{{count}}}, "
        f"howpublished = {{posterbot {header.version}}}, note = {{lockfile sha256 {digest}}}}}",
        "version": "1.0.0",
        "keywords": ["posterbot", "posters", "films", "image similarity"],
        "isLiveDataset": False,
        "rai:dataCollection": "Crawled from web pages and lists; each row names the address of image and page.",
        "rai:dataLimitations": "Labels are a model's, films and genres are what pages say; see README.md.",
        "rai:personalSensitiveInformation": "Posters show people.",
    }
    if numbers.last_fetched is not None:
        about["datePublished"] = numbers.last_fetched
    return about


def _file(name: str, path: str, kind: str, digest: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": path,
        "encodingFormat": kind,
        "sha256": digest,
    }


def _file_sets(lock: Lockfile) -> Iterator[dict[str, Any]]:
    found = _SHARDS.get(lock.header.options.format)
    if found is None:
        return
    pattern, kind = found
    splits = dict.fromkeys(shard.split for shard in lock.shards)
    yield {
        "@type": "cr:FileSet",
        "@id": "pictures",
        "name": "pictures",
        "encodingFormat": kind,
        "includes": list(dict.fromkeys(pattern.format(split=split) for split in splits)),
    }


def _record_sets(lock: Lockfile) -> Iterator[dict[str, Any]]:
    yield {
        "@type": "cr:RecordSet",
        "@id": "rows",
        "name": "rows",
        "description": "All that is known of each image.",
        "key": {"@id": "rows/sha256"},
        "field": [_column("rows", field, {"fileObject": {"@id": "lockfile"}}) for field in COLUMNS],
    }
    kind = lock.header.options.format
    files = {"fileSet": {"@id": "pictures"}}
    if kind == "parquet":
        fields = [_column("images", field, files) for field in COLUMNS if field.name != "label"]
        number = {"extract": {"column": "label"}, **files}
        picture = {"extract": {"column": "image"}, "transform": {"jsonPath": "bytes"}, **files}
        fields.append(_field("images", "label", "sc:Integer", "number of the label, in the order of names", number))
    elif kind in {"imagefolder", "csv", "json"}:
        stem = {"extract": {"fileProperty": "filename"}, "transform": {"regex": r"^([0-9a-f]+)\..*$"}, **files}
        picture = {"extract": {"fileProperty": "content"}, **files}
        fields = [_field("images", "sha256", "sc:Text", "of the original bytes: the key of rows", stem)]
    else:
        return
    yield {
        "@type": "cr:RecordSet",
        "@id": "images",
        "name": "images",
        "description": "The pictures.",
        "key": {"@id": "images/sha256"},
        "field": [_field("images", "image", "sc:ImageObject", "the picture", picture), *fields],
    }


def _column(of: str, column: Any, where: dict[str, Any]) -> dict[str, Any]:
    many = pa.types.is_list(column.type)
    kind = column.type.value_type if many else column.type
    data_type = "sc:DateTime" if pa.types.is_timestamp(kind) else _TYPES[str(kind)]
    if column.name.endswith("url"):
        data_type = "sc:URL"
    field = _field(of, column.name, data_type, _MEANING[column.name], {"extract": {"column": column.name}, **where})
    if many:
        field |= {"isArray": True, "arrayShape": "-1"}
    if column.name in _PROPERTIES:
        field["equivalentProperty"] = _PROPERTIES[column.name]
    return field


def _field(of: str, name: str, data_type: str, meaning: str, source: dict[str, Any]) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{of}/{name}",
        "name": name,
        "description": meaning,
        "dataType": data_type,
        "source": source,
    }


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
