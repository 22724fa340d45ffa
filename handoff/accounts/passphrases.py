"""Words that people type and read aloud: passphrases of six words, and key codes to compare by voice.

The list has 8192 (2 to the 13th) common Dutch words of four to nine plain letters, none of which sounds like another.
Six of them are 78 bits: as a passphrase out of reach of guessing at 128 MiB a try, as a key code out of reach of
grinding a look-alike key.
"""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

WORDS = 6
_BITS = 13
_LIST = Path(__file__).with_name("words_nl.txt")


@lru_cache(maxsize=1)
def word_list() -> tuple[str, ...]:
    """The 8192 words, in order. Changing the list changes every key code, never a passphrase that is in use."""
    lines = _LIST.read_text(encoding="ascii").splitlines()
    words = tuple(line for line in lines if line and not line.startswith("#"))
    if len(set(words)) != 1 << _BITS:
        raise ValueError(f"{_LIST.name} must hold {1 << _BITS} different words")
    return words


def passphrase(randbelow: Callable[[int], int] = secrets.randbelow) -> str:
    """Six random words with spaces between."""
    words = word_list()
    return " ".join(words[randbelow(len(words))] for _ in range(WORDS))


def code_of(data: bytes) -> str:
    """The six words that stand for `data` (the first 78 bits of its SHA-256): two people compare them by voice."""
    number = int.from_bytes(hashlib.sha256(data).digest(), "big") >> (256 - WORDS * _BITS)
    places = [(number >> (_BITS * place)) & ((1 << _BITS) - 1) for place in reversed(range(WORDS))]
    return " ".join(word_list()[place] for place in places)


def plain(text: str) -> str:
    """What someone meant to type: any case, spaces or hyphens give the same passphrase or code."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("-", " ")
    return " ".join(folded.split())
