"""Facts of an image as metadata of S3, which is ASCII in headers, at most 2 kB for an object."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

METADATA_BYTES = 2048
"""What S3 keeps of one object: names and values together."""
CUT = "…"
"""Ends a value that was cut."""

# As in RFC 8187. What looks plain arrives as it was; a header keeps neither spaces at its ends nor two in a row.
_ENCODED = "UTF-8''"
_PLAIN = re.compile(r"[!-~]+( [!-~]+)*")
_SAFE = "!#$&'()*+,/:;=?@[]"


def to_metadata(facts: Mapping[str, str]) -> dict[str, str]:
    """``facts`` as S3 takes them: not plain ASCII is percent-encoded, what is too long ends with CUT."""
    metadata = {}
    left = METADATA_BYTES - sum(len(name) for name in facts)
    encoded = sorted((len(_encode(value)), name) for name, value in facts.items())
    for number, (_, name) in enumerate(encoded):  # the short ones first: they leave more to the long
        metadata[name] = _within(facts[name], left // (len(facts) - number))
        left -= len(metadata[name])
    return metadata


def from_metadata(answer: Mapping[str, Any]) -> dict[str, str]:
    """The facts in an answer of botocore."""
    metadata: Mapping[str, str] = answer.get("Metadata", {})
    return {name: _decode(value) for name, value in metadata.items()}


def _within(value: str, size: int) -> str:
    whole = _encode(value)
    if len(whole) <= size:
        return whole
    fitting = bisect_right(range(len(value)), size, key=lambda end: len(_encode(value[:end] + CUT))) - 1
    return _encode(value[: max(fitting, 0)] + CUT)


def _encode(value: str) -> str:
    if _PLAIN.fullmatch(value) and not value.startswith(_ENCODED):
        return value
    return _ENCODED + quote(value, _SAFE, errors="surrogatepass")


def _decode(value: str) -> str:
    return unquote(value.removeprefix(_ENCODED), errors="replace") if value.startswith(_ENCODED) else value
