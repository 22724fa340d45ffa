"""Which page of an SQLite file is whose: the table that it (or its index) belongs to, read from the raw bytes alone.

So it works on any copy, also one that no SQLite may open any more, and without an optional part of the library.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

_INTERIOR = {5: 12, 2: 12}
"""Kinds of page that point at others, with the length of their header."""

WAL_HEADER, FRAME_HEADER = 32, 24


def page_size(content: bytes) -> int:
    """Bytes of a page; 0 for something that is no SQLite file."""
    if content[:16] != b"SQLite format 3\x00":
        return 0
    size = int.from_bytes(content[16:18], "big")
    return 65536 if size == 1 else size


def owners(file: Path, content: bytes) -> dict[int, str]:
    """The table of every page that holds its rows, its indexes, or points at such pages. Raises `sqlite3.Error`."""
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as there:
        roots = there.execute("SELECT tbl_name, rootpage FROM sqlite_schema WHERE rootpage > 0").fetchall()
    size, found = page_size(content), {1: "sqlite_schema"}
    for name, root in roots:
        found |= dict.fromkeys(_tree(content, size, root), name)
    return found


def _tree(content: bytes, size: int, root: int) -> Iterator[int]:
    seen: set[int] = set()
    todo = [root]
    while todo:
        number = todo.pop()
        start = (number - 1) * size
        if number in seen or number < 1 or start + size > len(content):
            continue
        seen.add(number)
        yield number
        head = start + (100 if number == 1 else 0)
        header = _INTERIOR.get(content[head])
        if header is not None:
            todo += _children(content, start, head, header)


def _children(content: bytes, start: int, head: int, header: int) -> list[int]:
    cells = int.from_bytes(content[head + 3 : head + 5], "big")
    places = (head + header + 2 * i for i in range(cells))
    found = [start + int.from_bytes(content[place : place + 2], "big") for place in places]
    last = int.from_bytes(content[head + 8 : head + 12], "big")
    return [*(int.from_bytes(content[cell : cell + 4], "big") for cell in found), last]
