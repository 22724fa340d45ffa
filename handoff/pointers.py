"""Where published words stand: two small numbers, which no word fits into."""

from __future__ import annotations

import struct

from handoff.errors import Denied

Pointer = tuple[int, int]
"""An utterance's number in its script version (`Script.number_of`), and the variant."""

_NUMBERS = struct.Struct(">HH")
POINTER_BYTES = _NUMBERS.size


def pack(pointer: Pointer) -> bytes:
    """Write it, always in `POINTER_BYTES`."""
    return _NUMBERS.pack(*pointer)


def unpack(packed: bytes) -> Pointer:
    """Read it back. Raises `Denied` for anything else."""
    if len(packed) != POINTER_BYTES:
        raise Denied
    number, variant = _NUMBERS.unpack(packed)
    return number, variant
