"""One rule about words: what it finds, why that may not be said, and what to write instead."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """`pattern` may not stand in one sentence, unless `unless` stands there too. Both read small letters."""

    id: str
    pattern: re.Pattern[str]
    why: str
    instead: str
    unless: re.Pattern[str] | None = None

    def breaks(self, sentence: str) -> str | None:
        """The words that break the rule, or None."""
        found = self.pattern.search(sentence)
        if found is None or (self.unless is not None and self.unless.search(sentence)):
            return None
        return found.group()


def _whole(pattern: str) -> re.Pattern[str]:
    """Whole words only; `{name}` counts as a word."""
    return re.compile(rf"(?<!\w)(?:{pattern})(?!\w)")


def make_rule(id_: str, pattern: str, why: str, instead: str, unless: str | None = None) -> Rule:
    return Rule(id_, _whole(pattern), why, instead, _whole(unless) if unless else None)
