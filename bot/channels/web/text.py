"""How words are shown on the child's page. What was written is stored exactly; only what is drawn is made harmless here."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ps", "ur", "ckb"})

MOST_MARKS = 4
"""Combining marks drawn on one letter; real writing needs at most three, a flood of them covers the page."""

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a bot's sentence; `tel` is set when it is a number that can be called."""

    text: str
    tel: str | None = None


def shown(text: str) -> str:
    """`text` fit to be drawn and to be encoded as UTF-8: no control characters, lone surrogates or towers of marks."""
    kept: list[str] = []
    marks = 0
    for letter in _CONTROL.sub("\ufffd", text):
        marks = marks + 1 if unicodedata.category(letter) in ("Mn", "Me") else 0
        if marks <= MOST_MARKS:
            kept.append(letter)
    return "".join(kept)


def direction(role: str, language: str) -> str:
    """The `dir` of a bubble: known for our own words, found by the browser for what people write."""
    if role != "bot":
        return "auto"
    return "rtl" if language in RIGHT_TO_LEFT else "ltr"


def parts(text: str, numbers: Iterable[tuple[str, str]]) -> list[Part]:
    """A bot's sentence cut at every (printed, dialled) number, so that each becomes a link. Never for what people write."""
    tel = dict(numbers)
    if not tel:
        return [Part(text)]
    pattern = "|".join(re.escape(number) for number in sorted(tel, key=len, reverse=True))
    pieces = re.split(rf"(?<![\d-])({pattern})(?![\d-])", text)
    return [Part(piece, tel.get(piece) if i % 2 else None) for i, piece in enumerate(pieces) if piece]
