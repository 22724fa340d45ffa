"""How a sentence is drawn on the child's page: which way it runs, and which of its numbers can be called."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ps", "ur", "ckb"})


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a bot's sentence; `tel` is set when it is a number that can be called."""

    text: str
    tel: str | None = None


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
