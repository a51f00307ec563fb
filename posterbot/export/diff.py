"""Two lockfiles compared, image by image: what is only in one of them and why, and what has changed of the others.

Columns are compared one at a time, so that of a million images some 200 bytes each are in memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import Engine

from posterbot.export.diff_catalogue import AT_ONCE, from_catalogue
from posterbot.export.diff_reasons import UNKNOWN, Row, Side, why_not
from posterbot.export.lockfile import Header, Lockfile

CHUNK = 50_000
"""Rows that are read whole at once."""

_CHANGES: dict[str, tuple[str, ...]] = {
    "split": ("split",),
    "label": ("label",),
    "policy": ("policy", "model_hash"),
    "film": ("film",),
    "facts of the film": ("title", "year", "genres"),
    "terms": ("ml_allowed", "redistributable"),
    "licence": ("licence",),
    "copies": ("copies",),
    "variants": ("variants",),
    "address": ("url",),
}
"""What can change of an image that stays, and the columns that say so."""
_LONG = {"url", "title", "genres"}
_WHOLE = [
    *(
        "sha256",
        "url",
        "page_url",
        "source",
        "label",
        "score",
        "model",
        "policy",
        "model_hash",
        "film",
        "title",
        "year",
    ),
    *("genres", "confidence", "alt", "licence", "ml_allowed", "redistributable", "format", "width", "height", "bytes"),
    *("fetched_at", "split", "copies", "variants"),
]


@dataclass(frozen=True, slots=True)
class Change:
    """What is otherwise with one image."""

    status: str
    """``removed`` (only in A), ``added`` (only in B) or ``changed``."""
    sha256: str
    url: str
    reason: str
    """A few words, the same for all images of which it is true."""
    detail: str
    """Of this image."""
    first: bool = True
    """False for all but the first of several changes of one image."""


def options_changed(a: Header, b: Header) -> list[str]:
    """How B was asked for otherwise than A, one line each: options, and the policies by which images were kept."""
    one, other = asdict(a.options), asdict(b.options)
    lines = [f"{name}: {_said(one[name])} → {_said(other[name])}" for name in one if one[name] != other[name]]
    for number in sorted({rule.number for rule in (*a.rules, *b.rules)}):
        before, after = ([rule for rule in header.rules if rule.number == number] for header in (a, b))
        if before != after:
            lines.append(f"policy {number}: {_rules(before)} → {_rules(after)}")
    return lines


def differences(a: Lockfile, b: Lockfile, engine: Engine | None = None) -> Iterator[Change]:
    """All that is otherwise in B: first what was removed, in A's order, then what was added and changed, in B's.

    An image of which several things have changed comes several times.

    Args:
        a: the one before.
        b: the one after.
        engine: of the catalogue, which is asked where the lockfiles do not tell why an image is missing.
    """
    in_a, in_b = _hashes(a), _hashes(b)
    order_a, order_b = np.argsort(in_a, kind="stable"), np.argsort(in_b, kind="stable")
    in_a, in_b = in_a[order_a], in_b[order_b]
    place_of_a = _places(in_a, in_b, order_b)  # for each row of B its place in A's order, or -1
    only_in_a = np.flatnonzero(_places(in_b, in_a, order_a) < 0)
    del in_a, in_b, order_b
    latest_a, latest_b = _latest(a), _latest(b)
    there_a, there_b = Side(a.header, latest_a), Side(b.header, latest_b)
    yield from _only("removed", _rows(a, only_in_a), there_b, there_a, engine)
    yield from _only("added", _rows(b, np.flatnonzero(place_of_a < 0)), there_a, there_b, None)
    common_b = np.flatnonzero(place_of_a >= 0)
    common_a = order_a[place_of_a[common_b]]
    yield from _changed(a, b, common_a, common_b)


def _only(status: str, rows: Iterator[Row], missing_in: Side, there: Side, engine: Engine | None) -> Iterator[Change]:
    while batch := list(islice(rows, AT_ONCE)):
        found = [why_not(row, missing_in, there, new=status == "added") for row in batch]
        if engine is not None and any(why is UNKNOWN for why in found):
            unknown = [row for row, why in zip(batch, found, strict=True) if why is UNKNOWN]
            told = from_catalogue(engine, unknown, missing_in)
            found = [
                told.get(row["sha256"], why) if why is UNKNOWN else why for row, why in zip(batch, found, strict=True)
            ]
        for row, why in zip(batch, found, strict=True):
            yield Change(status, row["sha256"], row["url"], why.reason, why.detail)


def _changed(a: Lockfile, b: Lockfile, rows_a: np.ndarray, rows_b: np.ndarray) -> Iterator[Change]:
    bits = np.zeros(len(rows_a), np.uint16)
    with pq.ParquetFile(a.file, pre_buffer=False) as one, pq.ParquetFile(b.file, pre_buffer=False) as other:
        for bit, columns in enumerate(_CHANGES.values()):
            for name in columns:
                bits[_unequal(one, other, name, rows_a, rows_b)] |= 1 << bit
    changed = np.flatnonzero(bits)
    for start in range(0, len(changed), CHUNK):
        these = changed[start : start + CHUNK]
        before_rows, after_rows = _taken(a, rows_a[these]), _taken(b, rows_b[these])
        for said, before, after in zip(bits[these].tolist(), _listed(before_rows), _listed(after_rows), strict=True):
            first = True
            for bit, (reason, columns) in enumerate(_CHANGES.items()):
                if said >> bit & 1:
                    names = [name for name in columns if before[name] != after[name]]
                    detail = ", ".join(f"{name} {_said(before[name])} → {_said(after[name])}" for name in names)
                    yield Change("changed", after["sha256"], after["url"], reason, detail, first)
                    first = False


def _unequal(
    one: pq.ParquetFile, other: pq.ParquetFile, name: str, rows_a: np.ndarray, rows_b: np.ndarray
) -> np.ndarray:
    """Which of the pairs differ in a column: bool. ``rows_b`` goes up. One whole column is in memory."""
    before = pa.chunked_array([_comparable(batch[name], name) for batch in one.iter_batches(CHUNK, columns=[name])])
    differ = np.zeros(len(rows_b), bool)
    first = 0
    for batch in other.iter_batches(CHUNK, columns=[name]):
        here = slice(*np.searchsorted(rows_b, (first, first + len(batch))))
        after = _comparable(batch[name], name).take(pa.array(rows_b[here] - first))
        was = before.take(pa.array(rows_a[here])).combine_chunks()
        # Equal is what is equal, or unknown on both sides.
        same = pc.fill_null(pc.equal(was, after), False)
        same = pc.or_(same, pc.and_(pc.is_null(was), pc.is_null(after)))
        differ[here] = ~same.to_numpy(zero_copy_only=False)
        first += len(batch)
    return differ


def _comparable(column: pa.Array, name: str) -> pa.Array:
    """The column itself, or 64 bits for each text that may be long."""
    if name not in _LONG:
        return column
    texts = (pc.binary_join(column, "\x1f") if pa.types.is_list(column.type) else column).to_pylist()
    digests = b"".join(bytes(8) if t is None else hashlib.blake2b(t.encode(), digest_size=8).digest() for t in texts)
    return pa.array(np.frombuffer(digests, np.uint64))


def _hashes(lock: Lockfile) -> np.ndarray:
    """Of all rows, 32 bytes each."""
    parts = []
    with pq.ParquetFile(lock.file, pre_buffer=False) as file:
        for batch in file.iter_batches(CHUNK, columns=["sha256"]):
            digests = b"".join(_digest(text) for text in batch["sha256"].to_pylist())
            parts.append(np.frombuffer(digests, "S32"))
    return np.concatenate(parts) if parts else np.zeros(0, "S32")


def _digest(text: str) -> bytes:
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        digest = b""
    return digest if len(digest) == 32 else hashlib.sha256(text.encode()).digest()


def _places(ordered: np.ndarray, wanted: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """For each of ``wanted``, which goes up as well, its place in ``ordered``, or -1: at its number in ``rows``."""
    if not len(ordered):
        return np.full(len(wanted), -1, np.int64)
    places = np.searchsorted(ordered, wanted)
    places[places == len(ordered)] = 0
    places[ordered[places] != wanted] = -1
    found = np.empty_like(places)
    found[rows] = places
    return found


def _latest(lock: Lockfile) -> Any:
    with pq.ParquetFile(lock.file, pre_buffer=False) as file:
        found = [pc.max(batch["fetched_at"]).as_py() for batch in file.iter_batches(CHUNK, columns=["fetched_at"])]
    return max((moment for moment in found if moment is not None), default=None)


def _rows(lock: Lockfile, wanted: np.ndarray) -> Iterator[Row]:
    """Those with these numbers, which go up."""
    for start in range(0, len(wanted), CHUNK):
        yield from _listed(_taken(lock, wanted[start : start + CHUNK]))


def _taken(lock: Lockfile, wanted: np.ndarray) -> pa.Table:
    """Rows by number, in the order of ``wanted``; only the shards that have some are read."""
    order = np.argsort(wanted, kind="stable")
    ascending = wanted[order]
    parts, first = [], 0
    with pq.ParquetFile(lock.file, pre_buffer=False) as file:
        for group in range(file.num_row_groups):
            past = first + file.metadata.row_group(group).num_rows
            here = ascending[np.searchsorted(ascending, first) : np.searchsorted(ascending, past)]
            if len(here):
                parts.append(file.read_row_group(group, columns=_WHOLE).take(pa.array(here - first)))
            first = past
    back = np.empty(len(order), np.int64)
    back[order] = np.arange(len(order))
    return pa.concat_tables(parts).take(pa.array(back))


def _listed(table: pa.Table) -> Iterator[Row]:
    for batch in table.to_batches(1000):
        yield from batch.to_pylist()


def _said(value: object) -> str:
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "/".join(_said(each) for each in value) or "none"
    return str(value)


def _rules(rules: Sequence[Any]) -> str:
    if not rules:
        return "none"
    rule = rules[0]
    top = f", top {rule.top}" if rule.top is not None else ""
    return f"{', '.join(rule.labels)} from {rule.threshold:g}{top}, {rule.model} {rule.model_hash[:12]}"
