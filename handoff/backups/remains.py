"""`praat erase-check`: does anything that should be gone still stand in the raw files? By place and number, never a word.

What is looked for is the id of each chat that its child erased, or whose time was over in the last month: beside it stood its keys
and its words, sealed. Allowed is the mark that the program keeps of it on purpose. Searching reads and changes nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff.backups import pages
from handoff.crypto import Vault
from handoff.errors import StoreUnavailable
from handoff.models import conversation, ended, erased

KEPT_IN = ("erased", "ended", "event")
"""Tables that name a chat and hold nothing of it: that it was erased, that its time was over, the news of the last minutes."""

_BUCKET = re.compile(r"(\d{4}-\d{2}-\d{2})\.bucket")
_CHUNK = 32 << 20
_TOGETHER = 200
"""Ids that are looked for at once."""


@dataclass(frozen=True, slots=True)
class Remain:
    """So many traces of chats that are gone, in this part of this file."""

    file: str
    where: str
    count: int


@dataclass(frozen=True, slots=True)
class Gone:
    """What should be gone. `keyless`: chats that still have a row and no key, which the next round of retention deletes."""

    ids: tuple[str, ...]
    keyless: int


def gone(tx: Connection, vault: Vault) -> Gone:
    """What this database knows to be erased or ended, and what cannot be opened any more. Raises `StoreUnavailable`."""
    known = sa.union(sa.select(erased.c.conversation_id), sa.select(ended.c.conversation_id))
    ids = tuple(tx.execute(known).scalars())
    days = Counter(tx.execute(sa.select(conversation.c.expires_on)).scalars())
    kept = set(vault.buckets())
    return Gone(ids, sum(count for day, count in days.items() if day not in kept))


def back_again(tx: Connection, vault: Vault) -> int:
    """How many chats are there that have a tombstone: the next start erases them again. Raises `StoreUnavailable`."""
    marks = vault.tombstones.chats()
    return sum(vault.tombstones.mark("chat", one) in marks for one in tx.execute(sa.select(conversation.c.id)).scalars())


def in_sqlite(file: Path, ids: Sequence[str]) -> list[Remain]:
    """What stands in an SQLite file and in its log, by table. Raises `StoreUnavailable` when it cannot be read."""
    try:
        content = file.read_bytes()
        size = pages.page_size(content)
        owners = pages.owners(file, content) if size else {}
        found = Counter((file.name, owners.get(at // size + 1, "vrije ruimte") if size else "") for at in places(content, ids))
        log = file.with_name(f"{file.name}-wal")
        if size and log.exists():
            found += _in_log(log, size, owners, ids)
    except (OSError, ValueError) as error:
        raise StoreUnavailable(f"{file.name} cannot be read: {type(error).__name__}") from None
    return [Remain(name, where, count) for (name, where), count in sorted(found.items()) if where not in KEPT_IN]


def _in_log(log: Path, size: int, owners: dict[int, str], ids: Sequence[str]) -> Counter[tuple[str, str]]:
    content, found = log.read_bytes(), Counter[tuple[str, str]]()
    for at in places(content, ids):
        frame = (at - pages.WAL_HEADER) // (pages.FRAME_HEADER + size)
        start = pages.WAL_HEADER + frame * (pages.FRAME_HEADER + size)
        found[log.name, owners.get(int.from_bytes(content[start : start + 4], "big"), "vrije ruimte")] += 1
    return found


def in_folder(folder: Path, ids: Sequence[str], days: Collection[str]) -> list[Remain]:
    """What stands in a folder of copies: those of SQLite by table, the others by file; and keys of days that are none of `days`."""
    found: list[Remain] = []
    for file in sorted(one for one in folder.rglob("*") if one.is_file()):
        if file.name.endswith(("-wal", "-shm")):
            continue
        with file.open("rb") as stream:
            is_sqlite = bool(pages.page_size(stream.read(100)))
        named = str(file.relative_to(folder))
        day = _BUCKET.match(file.name)
        if day is not None and day[1] not in days:
            found.append(Remain(named, "sleutel van een dag die vernietigd is", 1))
        if is_sqlite:
            found += [Remain(named, one.where, one.count) for one in in_sqlite(file, ids)]
        elif file.stem not in KEPT_IN and (count := sum(_count(part, ids) for part in _parts(file))):
            found.append(Remain(named, "", count))
    return found


def places(content: bytes, ids: Iterable[str]) -> Iterator[int]:
    """Where any of these ids begins."""
    for pattern in _patterns(ids):
        for match in pattern.finditer(content):
            yield match.start()


def _count(content: bytes, ids: Iterable[str]) -> int:
    return sum(1 for _ in places(content, ids))


def _patterns(ids: Iterable[str]) -> Iterator[re.Pattern[bytes]]:
    wanted = [re.escape(one.encode()) for one in ids]
    for start in range(0, len(wanted), _TOGETHER):
        yield re.compile(b"|".join(wanted[start : start + _TOGETHER]))


def _parts(file: Path) -> Iterator[bytes]:
    """A file in pieces; the end of one is the beginning of the next, but for one byte, so that no id is seen twice or not."""
    with file.open("rb") as stream:
        before = b""
        while part := stream.read(_CHUNK):
            yield before + part
            before = part[-21:]
