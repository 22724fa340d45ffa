"""The canary scan: do a child's words stand anywhere in these files, in any way that a program writes them down?"""

from __future__ import annotations

import base64
import json
import urllib.parse
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

MARKER = "Kanarievink druppelblauw äö: zinkwortels fluisterpad"
"""The words that a test sends through the whole journey. It has a letter that every encoding writes differently."""


def spellings(words: str, *, apart: bool = True) -> dict[str, bytes]:
    """The words, and with `apart` the longer of them alone, in every encoding that a log, a dump or a database may use."""
    found: dict[str, bytes] = {}
    for part in {words, *(word for word in words.split() if apart and len(word) >= 7)}:
        raw = part.encode()
        found |= {
            f"utf-8 {part}": raw,
            f"utf-16-le {part}": part.encode("utf-16-le"),
            f"utf-16-be {part}": part.encode("utf-16-be"),
            f"utf-32-le {part}": part.encode("utf-32-le"),
            f"latin-1 {part}": part.encode("latin-1"),
            f"hex {part}": raw.hex().encode(),
            f"HEX {part}": raw.hex().upper().encode(),
            f"url {part}": urllib.parse.quote(part).encode(),
            f"form {part}": urllib.parse.quote_plus(part).encode(),
            f"json {part}": json.dumps(part)[1:-1].encode(),
            f"repr {part}": repr(raw)[2:-1].encode(),
            f"upper {part}": part.upper().encode(),
            f"lower {part}": part.lower().encode(),
            f"reversed {part}": part[::-1].encode(),
        }
        found |= {f"base64+{shift} {part}": _base64(raw, shift) for shift in range(3)}
    return {name: needle for name, needle in found.items() if len(needle) >= 7}


def _base64(raw: bytes, shift: int) -> bytes:
    """What stays the same of a text's base64, whatever stands before and after it."""
    whole = base64.b64encode(bytes(shift) + raw)
    return whole[(shift * 8 + 5) // 6 : (len(raw) * 8 + shift * 8) // 6 - 1]


def _contents(file: Path) -> Iterator[bytes]:
    content = file.read_bytes()
    yield content
    for start in (b"\x1f\x8b", b"\x78\x9c"):  # gzip and zlib, as far as they stand at the start of a file
        if content.startswith(start):
            yield zlib.decompressobj(wbits=47).decompress(content)


def scan(places: Iterable[Path], words: str = MARKER, *, apart: bool = True) -> list[tuple[str, str]]:
    """(file, spelling) of every find. A file that cannot be read is a find: nobody knows what is in it."""
    needles = spellings(words, apart=apart)
    hits: list[tuple[str, str]] = []
    for place in places:
        for file in [place] if place.is_file() else [f for f in place.rglob("*") if f.is_file()]:
            try:
                hits += [(file.name, name) for text in _contents(file) for name, needle in needles.items() if needle in text]
            except OSError:
                hits.append((file.name, "unreadable"))
    return hits
