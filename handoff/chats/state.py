"""What the bot said in a chat, how often and how many turns ago: all that is remembered of it without its words.

Pure. It is always as long, whatever stands in it; `handoff.chats.state_key` locks it.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from handoff.errors import Denied
from handoff.pointers import POINTER_BYTES, Pointer, pack, unpack

SIZE = 512
"""Bytes, before they are locked."""

_FORM = 1
_HEAD = struct.Struct(">BBBB12x")  # form, turns, entries, references; the rest is room for what is to come
_ENTRY = struct.Struct(">4sBB")  # a name, how often, how many turns ago
_REFERENCES = 24
_ENTRIES = (SIZE - _HEAD.size - _REFERENCES * POINTER_BYTES) // _ENTRY.size
_MANY = 255
_ROUND = 240
"""So much is taken off a count above `_MANY`: the numbers of variants that take turns divide it, so their order stays."""


@lru_cache(maxsize=1024)
def _name(utterance: str) -> bytes:
    return hashlib.sha256(utterance.encode()).digest()[:4]


@dataclass(frozen=True, slots=True)
class ChatState:
    """What was said in a chat. Nothing at first. Its repr does not show it."""

    turns: int = 0
    """Messages of the child, counted up to 255."""
    entries: Mapping[bytes, tuple[int, int]] = field(default_factory=dict, repr=False)
    """How often each utterance was said, and how many turns ago the last time: 0 since the child's last message."""
    references: tuple[Pointer, ...] | None = field(default=(), repr=False)
    """Everything that the bot said on a push channel, in order, while it is little: a chat that only began may move. Else None."""

    def times(self, utterance: str) -> int:
        """Return how often it was said: a child does not read the same line twice while another wording is left."""
        return self.entries.get(_name(utterance), (0, 0))[0]

    def said(self, *utterances: str, turns: int | None = None) -> bool:
        """Whether one of these was said; with `turns`, in the last so many turns."""
        found = (self.entries.get(_name(one)) for one in utterances)
        return any(entry is not None and (turns is None or entry[1] < turns) for entry in found)

    def turn(self) -> ChatState:
        """Return it after one more message of the child."""
        older = {name: (times, min(ago + 1, _MANY)) for name, (times, ago) in self.entries.items()}
        return replace(self, turns=min(self.turns + 1, _MANY), entries=older)

    def saying(self, utterances: Sequence[str]) -> ChatState:
        """Return it after these were said. Of more than there is room for, what was said longest ago is forgotten."""
        entries = dict(self.entries)
        for name in map(_name, utterances):
            times = entries.pop(name, (0, 0))[0] + 1
            if len(entries) >= _ENTRIES:
                del entries[max(entries, key=lambda old: entries[old][1])]
            entries[name] = (times - _ROUND if times > _MANY else times, 0)
        return replace(self, entries=entries)

    def referring(self, pointers: Sequence[Pointer]) -> ChatState:
        """Return it with these references behind the others."""
        if self.references is None:
            return self
        longer = (*self.references, *pointers)
        return replace(self, references=longer if len(longer) <= _REFERENCES else None)

    def reworded(self, place: int, variant: int) -> ChatState:
        """Return it with another variant of the bot's message number `place`, counted from 0."""
        known = self.references or ()
        if place >= len(known):
            return self
        return replace(self, references=(*known[:place], (known[place][0], variant), *known[place + 1 :]))

    def pack(self) -> bytes:
        """Write it, always in `SIZE` bytes."""
        known = () if self.references is None else self.references
        head = _HEAD.pack(_FORM, self.turns, len(self.entries), _MANY if self.references is None else len(known))
        entries = b"".join(_ENTRY.pack(name, *entry) for name, entry in self.entries.items())
        return (head + b"".join(map(pack, known)).ljust(_REFERENCES * POINTER_BYTES, b"\0") + entries).ljust(SIZE, b"\0")

    @classmethod
    def unpack(cls, packed: bytes) -> ChatState:
        """Read it back. Raises `Denied` for anything else."""
        if len(packed) != SIZE or packed[0] != _FORM:
            raise Denied
        _, turns, count, known = _HEAD.unpack_from(packed)
        start = _HEAD.size + _REFERENCES * POINTER_BYTES
        entries = {name: (times, ago) for name, times, ago in _ENTRY.iter_unpack(packed[start : start + count * _ENTRY.size])}
        at = range(_HEAD.size, _HEAD.size + known * POINTER_BYTES, POINTER_BYTES)
        return cls(turns, entries, None if known == _MANY else tuple(unpack(packed[n : n + POINTER_BYTES]) for n in at))


NOTHING_SAID = ChatState()
