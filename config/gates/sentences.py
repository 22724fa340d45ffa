"""A bubble as plain sentences, in the one form that both gates read."""

from __future__ import annotations

import re
import unicodedata

_END = re.compile(r"(?<=[.!?…؟፧።])[\"'”’)]*\s+")
_QUOTES = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'", "“": '"', "”": '"', "\u00a0": " "})

_JOINERS = "\u200c\u200d\n"  # Persian is written with the first two

QUESTION_MARKS = "?؟፧"


def split(text: str) -> list[str]:
    """The sentences of a text; an end mark must be followed by space, so `113.nl` and `9.30` stay whole."""
    return [part for part in _END.split(text.strip()) if part]


def folded(text: str) -> str:
    """Small letters, plain quotes, single spaces, nothing hidden: no rule is passed by another way of writing."""
    plain = unicodedata.normalize("NFKC", text).translate(_QUOTES).casefold()
    return " ".join("".join(c for c in plain if unicodedata.category(c) != "Cf").split())


def hidden(text: str) -> list[str]:
    """Names of characters that nobody sees: they turn text round or hide words from a rule."""
    unseen = {c for c in text if unicodedata.category(c) in {"Cf", "Cc"} and c not in _JOINERS}
    return sorted(unicodedata.name(c, "a control character") for c in unseen)
