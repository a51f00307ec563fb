"""Format and size of an image from the first bytes of its transfer, before the rest has come.

Only the bytes speak, as in :mod:`models.decode`, whose answers these are: what is read here at any point of a transfer
is what that would say of the whole file. No decoder runs and nothing is unpacked: it is for the event loop.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import unpack_from

from models.decode import Header, ImageError, ImageProblem
from models.decode import read_header as header_of_file
from posterbot.filters.boxes import avif_size

MOST = 64 * 1024
"""Bytes of a file that are looked at. Where they do not tell its size, it is not told before its end."""
SNIFFED = 1024
"""Bytes after which what begins as no image is none: so many are searched for the marks of HTML and SVG."""
STEPS = 500
"""Segments, blocks and padding that are walked over before the size; honest files have some dozens."""

_NEVER = MOST + 1
_SIGNATURE = 12
_JPEG_BARE = frozenset({0x00, 0x01, 0xC8, *range(0xD0, 0xDA), *range(0xF0, 0xFE)})
"""Markers without a length: stuffing, TEM, JPG, RSTn, SOI, EOI, JPGn."""
_JPEG_SIZE = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Start of frame, whatever the coding (ITU T.81, table B.1)."""

_TIFF = (b"II*\0", b"MM\0*", b"II\0*", b"MM*\0", b"II+\0", b"MM\0+")
"""Either order of bytes, as it should be and as it is, and BigTIFF."""

_Size = tuple[int, int]
"""Width and height in pixels."""


def read_header(data: bytes | bytearray) -> Header | None:
    """Format and size of the file that begins with ``data``; None: more bytes are needed, or none would help.

    What is said of a beginning is said of all that begins so. ``MPO`` is told from ``JPEG`` only by the whole file, so
    it counts as that. TIFF may keep its size anywhere, and is never told.

    Raises:
        ImageError: ``html``, ``unsupported_format`` or ``not_an_image``: whatever comes, it is no picture.
    """
    answer = _look(data)
    return answer if isinstance(answer, Header) else None


class FirstBytes:
    """The beginning of one transfer, at most :data:`MOST` bytes of it, until its header is read."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._needed = 1

    @property
    def over(self) -> bool:
        """Will nothing more be told?"""
        return self._needed > MOST

    def feed(self, data: bytes) -> Header | None:
        """The header, as soon as it is there; what was kept is let go with it. Raises as :func:`read_header`."""
        if self.over:
            return None
        self._data += data[: MOST - len(self._data)]
        if len(self._data) < self._needed:
            return None
        needed = self._needed
        self._needed = _NEVER
        answer = _look(self._data)
        if isinstance(answer, Header):
            self._data.clear()
            return answer
        # Some more than the next step needs: a file that comes in crumbs is not walked over for each of them.
        self._needed = max(answer, min(MOST, needed + needed // 4))
        if self.over:
            self._data.clear()
        return None


def _look(data: bytes | bytearray) -> Header | int:
    """The header, or how many bytes are needed before it is worth another look."""
    if len(data) < _SIGNATURE:
        return _SIGNATURE
    for name, signed, size in _KINDS:
        if signed(data):
            found = size(data)
            if isinstance(found, int):
                return found if len(data) < found <= MOST else _NEVER
            if min(found) < 1:
                raise ImageError(ImageProblem.NOT_AN_IMAGE, "the header gives a side of 0 pixels")
            return Header(name, *found)
    if len(data) < SNIFFED:
        return SNIFFED
    try:
        header_of_file(bytes(data[:SNIFFED]))  # no decoder knows its signature; it says what it is instead
    except ImageError as error:
        if error.problem is not ImageProblem.TRUNCATED:
            raise
    return _NEVER


def _png(data: bytes | bytearray, at: int = 0) -> _Size | int:
    start = at + 8
    if len(data) < start + 8:
        return start + 8
    if data[start + 4 : start + 8] == b"CgBI":  # Apple's own, before the header
        start += 12 + unpack_from(">I", data, start)[0]
    if len(data) < start + 16:
        return start + 16
    width, height = unpack_from(">II", data, start + 8)
    return (width, height) if data[start + 4 : start + 8] == b"IHDR" else _NEVER


def _jpeg(data: bytes | bytearray) -> _Size | int:
    at = 2
    for _ in range(STEPS):
        at = data.find(b"\xff", at)
        if at < 0:
            return len(data) + 1
        if data[at + 1 : at + 2] == b"\xff":  # padding; the last of it begins the marker
            tail = data[at:]
            at += len(tail) - len(tail.lstrip(b"\xff")) - 1
        if len(data) < at + 9:
            return at + 9
        marker = data[at + 1]
        if marker in _JPEG_SIZE:
            height, width = unpack_from(">HH", data, at + 5)
            return width, height
        if marker in _JPEG_BARE:
            at += 2
        elif marker < 0xC0 or marker == 0xDA:
            return _NEVER
        else:
            at += 2 + max(2, unpack_from(">H", data, at + 2)[0])
    return _NEVER


def _gif(data: bytes | bytearray) -> _Size | int:
    """The screen, or what the first frame needs where that is larger: many screens are 0×0 or wrong."""
    if len(data) < 13:
        return 13
    at = 13 + (3 << (data[10] & 7) + 1 if data[10] & 128 else 0)
    for _ in range(STEPS):
        kind = data[at : at + 1]
        if kind == b"!":
            if (after := _gif_extension(data, at + 1)) > len(data):
                return after
            at = after
        elif kind == b",":
            if len(data) < at + 9:
                return at + 9
            width, height = unpack_from("<HH", data, 6)
            left, top, right, bottom = unpack_from("<4H", data, at + 1)
            return max(width, left + right), max(height, top + bottom)
        elif kind == b";":
            return _NEVER
        elif not kind:
            return at + 1
        else:
            at += 1
    return _NEVER


def _gif_extension(data: bytes | bytearray, at: int) -> int:
    """Place behind the extension whose label is at ``at``; beyond the data where that ends before."""
    if len(data) < at + 14:
        return at + 14
    label, block = data[at], at + 1
    if label != 254:  # its own block may be empty, and then blocks follow all the same
        loops = label == 255 and data[block] > 10 and data[block + 1 : block + 12] == b"NETSCAPE2.0"
        for _ in range(2 if loops else 1):
            block += 1 + data[block] if block < len(data) else 1
    for _ in range(STEPS):
        if block >= len(data):
            return block + 1
        if data[block] == 0:
            return block + 1
        block += 1 + data[block]
    return _NEVER


def _webp(data: bytes | bytearray) -> _Size | int:
    if len(data) < 30:
        return 30
    kind = data[12:16]
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and data[20] == 0x2F:
        (packed,) = unpack_from("<I", data, 21)
        return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    return _NEVER


def _bmp(data: bytes | bytearray, at: int = 14) -> _Size | int:
    if len(data) < at + 12:
        return at + 12
    (length,) = unpack_from("<I", data, at)
    width, height = unpack_from("<HH" if length == 12 else "<II", data, at + 4)
    if height >> 24 == 0xFF:  # negative: the first row is the topmost
        height = 2**32 - height
    return (width, height) if length in {12, 40, 52, 56, 64, 108, 124} else _NEVER


def _ico(data: bytes | bytearray) -> _Size | int:
    """The largest picture in it, by what that says itself: the directory can say no more than 256."""
    (count,) = unpack_from("<H", data, 4)
    if count == 0:
        raise ImageError(ImageProblem.NOT_AN_IMAGE, "an icon without a picture")
    behind = 6 + 16 * int(count)
    if len(data) < behind:
        return behind
    entries = [(data[at] or 256, data[at + 1] or 256, at) for at in range(6, behind, 16)]
    area = max(width * height for width, height, _ in entries)
    sizes: set[_Size] = set()
    for width, height, entry in entries:
        if width * height == area:
            at = int.from_bytes(data[entry + 12 : entry + 16], "little")
            if len(data) < at + 8:
                return at + 8
            is_png = data[at : at + 8] == b"\x89PNG\r\n\x1a\n"
            size = _png(data, at) if is_png else _bmp(data, at)
            if isinstance(size, int):
                return size
            # A bitmap is followed by its mask, and both are counted.
            sizes.add(size if is_png else (size[0], size[1] // 2))
    return sizes.pop() if len(sizes) == 1 else _NEVER  # which of several it is depends on their colours


_KINDS: tuple[tuple[str, Callable[[bytes | bytearray], bool], Callable[[bytes | bytearray], _Size | int]], ...] = (
    ("JPEG", lambda data: data.startswith(b"\xff\xd8\xff"), _jpeg),
    ("PNG", lambda data: data.startswith(b"\x89PNG\r\n\x1a\n"), _png),
    ("GIF", lambda data: data.startswith((b"GIF87a", b"GIF89a")), _gif),
    ("WEBP", lambda data: data.startswith(b"RIFF") and data[8:12] == b"WEBP", _webp),
    ("AVIF", lambda data: data[4:8] == b"ftyp", avif_size),
    ("BMP", lambda data: data.startswith(b"BM"), _bmp),
    ("ICO", lambda data: data.startswith(b"\0\0\1\0"), _ico),
    (
        "TIFF",
        lambda data: data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"II\0*", b"MM*\0")),
        lambda _: _NEVER,
    ),
)
"""Format, what it begins with, and where its size is: (width, height), or how many bytes are needed to see it."""
