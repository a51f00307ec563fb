"""The size of an AVIF from the boxes at its beginning (ISO/IEC 14496-12 and 23008-12, AV1 Image File Format)."""

from __future__ import annotations

from collections.abc import Iterator
from struct import unpack_from

from models.decode import ImageError, ImageProblem

_READ = (b"avif", b"avis", b"mif1", b"msf1")
"""Major brands that an AVIF may have; the first two must then be among the compatible ones."""
_TOP = 20
"""Boxes beside the one looked for that may stand before it."""
_NOWHERE = 1 << 63
"""More bytes than there will be."""


def avif_size(data: bytes | bytearray) -> tuple[int, int] | int:
    """Width and height of the primary picture as stored, or how many bytes are needed to see them.

    Raises:
        ImageError: ``unsupported_format``: HEIC, or a video.
    """
    length = int.from_bytes(data[:4])
    if data[8:12] not in _READ:
        raise _other(data)
    if len(data) < length:
        return length
    brands = {bytes(data[at : at + 4]) for at in range(8, length - 3, 4) if at != 12}
    if not brands & {b"avif", b"avis"}:
        raise _other(data)
    at = length
    kind: bytes
    for _ in range(_TOP):
        if len(data) < at + 16:
            return at + 16
        length, kind = unpack_from(">I4s", data, at)
        if kind == b"meta":
            return _primary_size(data[: at + length], at + 12) if len(data) >= at + length else at + length
        if length == 1:
            (length,) = unpack_from(">Q", data, at + 8)
        if length < 8:  # 0: it goes on to the end of the file
            return _NOWHERE
        at += length
    return _NOWHERE


def _other(data: bytes | bytearray) -> ImageError:
    return ImageError(
        ImageProblem.UNSUPPORTED_FORMAT, f"ISO media of brand {bytes(data[8:12])!r} (HEIC, video), not AVIF"
    )


def _boxes(data: bytes | bytearray, at: int) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of the boxes from ``at`` to the end."""
    while at + 8 <= len(data):
        length, kind = unpack_from(">I4s", data, at)
        if length < 8:
            return
        yield kind, bytes(data[at + 8 : at + length])
        at += length


def _primary_size(data: bytes | bytearray, at: int) -> tuple[int, int] | int:
    """The property ``ispe`` of the item that ``pitm`` names."""
    meta = dict(_boxes(data, at))
    primary = int.from_bytes(meta.get(b"pitm", b"")[4:])  # 16 bits, or 32 in version 1
    properties = dict(_boxes(meta.get(b"iprp", b""), 0))
    held = list(_boxes(properties.get(b"ipco", b""), 0))
    for number in _associated(properties.get(b"ipma", b""), primary):
        if 0 < number <= len(held):
            kind, content = held[number - 1]
            if kind == b"ispe" and len(content) >= 12:
                width, height = unpack_from(">II", content, 4)
                return width, height
    return _NOWHERE


def _associated(ipma: bytes, item: int) -> list[int]:
    """Numbers, from 1, of the properties of ``item``."""
    wide, long = ipma[:1] > b"\0", bool(ipma[3:4]) and ipma[3] & 1
    at, size = 8, 2 if long else 1
    while at + 3 <= len(ipma):
        name = int.from_bytes(ipma[at : at + (4 if wide else 2)])
        at += 4 if wide else 2
        count = ipma[at] if at < len(ipma) else 0
        at += 1
        if name == item:
            mask = 0x7FFF if long else 0x7F  # without the bit for "essential"
            return [int.from_bytes(ipma[at + i * size : at + (i + 1) * size]) & mask for i in range(count)]
        at += count * size
    return []
