"""``tf.train.Example`` in records of a TFRecord file, written without TensorFlow.

TensorFlow does it as well, but its import takes 4 seconds and 690 MB in each process that writes. Both forms are
documented and have not changed since 2015: tensorflow/core/example/example.proto and feature.proto, whose wire format
is that of Protocol Buffers, and https://www.tensorflow.org/tutorials/load_data/tfrecord for the records. Features are
in the order of their names, so that the same ones are the same bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import IO

import google_crc32c

Values = Sequence[bytes] | Sequence[int] | Sequence[float]
"""The values of a feature, all of one kind; none is a feature that is there and empty."""


def write_record(file: IO[bytes], data: bytes) -> None:
    """Append a record to a TFRecord file: length, its checksum, ``data``, its checksum."""
    length = struct.pack("<Q", len(data))
    file.write(b"".join((length, _checksum(length), data, _checksum(data))))


def example(features: Mapping[str, Values]) -> bytes:
    """The bytes of an Example.

    Args:
        features: name → values. Integers take 64 bits with a sign; floats are kept with 32.
    """
    entries = []
    for name in sorted(features, key=str.encode):
        entries.append(_field(1, _field(1, name.encode()) + _field(2, _feature(features[name]))))
    return _field(1, b"".join(entries))


def _feature(values: Values) -> bytes:
    """BytesList is field 1, FloatList 2, Int64List 3; of numbers all are in one piece."""
    if not values:
        return b""
    if isinstance(values[0], bytes):
        return _field(1, b"".join(_field(1, value) for value in values if isinstance(value, bytes)))
    if isinstance(values[0], float):
        return _field(2, _field(1, struct.pack(f"<{len(values)}f", *values)))
    return _field(3, _field(1, b"".join(_varint(int(value) & (2**64 - 1)) for value in values)))


def _field(number: int, content: bytes) -> bytes:
    """A field of a message whose content has a length."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _checksum(data: bytes) -> bytes:
    """CRC-32C, turned and shifted, so that a record may hold records."""
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
