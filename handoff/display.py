"""How a child's exact words are put on a screen: nothing hidden, nothing that reaches outside its own box.

What is stored stays exact; only the display changes. Characters that nobody can see (control, direction, zero width) get a
visible mark, so that nobody is misled by them; floods of accents or empty lines are cut, so that no message covers another.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

MAX_ACCENTS = 4
"""Combining marks shown per letter. Ordinary writing in any language we answer in needs at most three."""

MAX_NEWLINES = 3

_ZWNJ, _ZWJ = "\u200c", "\u200d"
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_SELECTORS = re.compile("[\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]")


class Piece(NamedTuple):
    """A stretch of text as it may be shown; `mark` is true for our own sign in place of something that cannot be seen."""

    text: str
    mark: bool


def pieces(text: str) -> list[Piece]:
    """Cut a text into what is shown as it stands and what is replaced by a mark."""
    shown: list[Piece] = []
    plain: list[str] = []
    for part in _parts(text.replace("\r\n", "\n")):
        if part.mark:
            if plain:
                shown.append(Piece("".join(plain), mark=False))
                plain = []
            shown.append(part)
        else:
            plain.append(part.text)
    if plain:
        shown.append(Piece("".join(plain), mark=False))
    return shown


def _parts(text: str) -> Iterator[Piece]:
    accents = newlines = 0
    for at, char in enumerate(text):
        kind = unicodedata.category(char)
        if kind in ("Mn", "Me") and not _SELECTORS.fullmatch(char):
            accents += 1
            if accents > MAX_ACCENTS:
                continue
        elif accents:
            yield from _cut(accents - MAX_ACCENTS, "accenten")
            accents = 0
        if char == "\n":
            newlines += 1
            if newlines > MAX_NEWLINES:
                continue
        elif newlines:
            yield from _cut(newlines - MAX_NEWLINES, "lege regels")
            newlines = 0
        yield _one(text, at, char, kind)
    yield from _cut(accents - MAX_ACCENTS, "accenten")
    yield from _cut(newlines - MAX_NEWLINES, "lege regels")


def _cut(count: int, what: str) -> Iterator[Piece]:
    if count > 0:
        yield Piece(f"+{count} {what}", mark=True)


def _one(text: str, at: int, char: str, kind: str) -> Piece:
    if char in "\n\t" or kind[0] not in "CZ" or kind == "Zs" or _joins(text, at, char):
        return Piece(char, mark=False)
    return Piece(f"U+{ord(char):04X}", mark=True)


def _joins(text: str, at: int, char: str) -> bool:
    """Zero-width joiners belong to emoji and to Persian writing: between two such characters they stay what they are."""
    if char not in (_ZWJ, _ZWNJ) or not 0 < at < len(text) - 1:
        return False
    before, after = text[at - 1], text[at + 1]
    both = ord(before) > 0x5FF and ord(after) > 0x5FF
    return both and {unicodedata.category(before)[0], unicodedata.category(after)[0]} <= {"L", "S", "M"}


def storable(text: str) -> str:
    """A text that any page can carry: halves of surrogate pairs, which no encoding can, become a replacement mark."""
    return text.encode("utf-8", "replace").decode("utf-8")


def shown(text: str) -> str:
    """`text` fit to be drawn and to be encoded as UTF-8, for its own writer: without control characters, lone surrogates or towers
    of accents, and without a mark where something was."""
    kept: list[str] = []
    accents = 0
    for letter in _CONTROL.sub("\ufffd", text):
        accents = accents + 1 if unicodedata.category(letter) in ("Mn", "Me") else 0
        if accents <= MAX_ACCENTS:
            kept.append(letter)
    return "".join(kept)
