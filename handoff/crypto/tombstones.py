"""What must never come back, remembered outside the database: keyed hashes in the key directory, of ids and of nothing else.

A copy of the database of before an erasure holds the chat again, and no mark of it. This does. One book a day, and one for people;
a book only grows, a line is whole or is none, and adding what is there already changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from handoff.crypto.key_directory import KeyDirectory
from handoff.crypto.symmetric import mac
from handoff.errors import Denied

_ERASED = ".erased"
_PEOPLE = "people.gone"
_LINE = re.compile(rb"([0-9a-f]{64}) (-|[0-9]{1,19})")


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A chat that was erased. `up_to` is the channel's number of the last message that went with it, where a channel has such."""

    conversation_id: str
    up_to: int | None = None


class Tombstones:
    """The books. `key` is derived from the configuration secret: without it a line fits no id."""

    def __init__(self, files: KeyDirectory, key: bytes) -> None:
        self._files, self._key = files, key

    def mark(self, kind: str, id_: str) -> bytes:
        """Return the hash that stands for a `chat` or a `person`."""
        return mac(self._key, kind, id_)

    def note_chats(self, day: date, chats: Iterable[Tombstone]) -> int:
        """Remember chats that were erased on this day (UTC). Returns how many are new. Raises `StoreUnavailable`."""
        return self._note(day.isoformat() + _ERASED, {self.mark("chat", one.conversation_id): one.up_to for one in chats})

    def note_people(self, ids: Iterable[str]) -> int:
        """Remember people whose door was closed. Returns how many are new. Raises `StoreUnavailable`."""
        return self._note(_PEOPLE, {self.mark("person", one): None for one in ids})

    def chats(self) -> dict[bytes, int | None]:
        """Every chat that was erased, by its mark; the value is the last message's number. Raises `StoreUnavailable`."""
        found: dict[bytes, int | None] = {}
        for name in self._files.names(_ERASED):
            found |= self._read(name + _ERASED)
        return found

    def people(self) -> frozenset[bytes]:
        """Everybody whose door was closed, by mark. Raises `StoreUnavailable`."""
        return frozenset(self._read(_PEOPLE))

    def forget(self, before: date) -> None:
        """Drop the books of days before this one: no chat of then can be in a copy whose keys still exist."""
        for day in self._files.names(_ERASED):
            if day < before.isoformat():
                self._files.destroy(day + _ERASED)

    def _note(self, name: str, marks: Mapping[bytes, int | None]) -> int:
        there = self._read(name)
        new = {mark: up_to for mark, up_to in marks.items() if mark not in there}
        # each line has a line's end in front as well: one that was cut off by a power cut spoils none that comes after it
        lines = [b"\n%s %s\n" % (mark.hex().encode(), b"-" if up_to is None else b"%d" % up_to) for mark, up_to in new.items()]
        if lines:
            self._files.append(name, b"".join(lines))
        return len(new)

    def _read(self, name: str) -> dict[bytes, int | None]:
        try:
            lines = self._files.read(name).splitlines()
        except Denied:
            return {}
        matched = (_LINE.fullmatch(line) for line in lines)
        return {bytes.fromhex(m[1].decode()): None if m[2] == b"-" else int(m[2]) for m in matched if m}
