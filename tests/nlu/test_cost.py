"""Whatever 4,000 characters a child (or somebody else) sends: understanding them costs little, in time and in memory."""

from __future__ import annotations

import random
import time
import tracemalloc
import unicodedata
from collections.abc import Callable

import pytest

from nlu import danger_file
from nlu.assemble import open_reader
from nlu.phrases import Heard
from nlu.text import LONGEST, words

SECONDS, BYTES = 0.05, 50_000_000
READER = open_reader().reader
LIST = danger_file.load()
EXAMPLES = [text for phrase in LIST.phrases for text in (*phrase.speaks, *phrase.silent)]
SAID = sorted({word for text in EXAMPLES for word in text.split()})
EVERY = [chr(point) for point in range(0x20, 0x30000) if not 0xD800 <= point < 0xE000]
WIDEST = sorted(EVERY, key=lambda char: -len(unicodedata.normalize("NFKD", char)))[:400]
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _words_of_every_length(rng: random.Random) -> str:
    size = rng.choice([1, 2, 5, 12, 19, 20, 21, 38, 39, 40, 41, 42, 100, 1000, LONGEST])
    return " ".join("".join(rng.choice(LETTERS) for _ in range(size)) for _ in range(1 + LONGEST // size))


HOSTILE: dict[str, Callable[[random.Random], str]] = {
    "one letter that stands for many": lambda rng: rng.choice(WIDEST) * LONGEST,
    "letters that stand for many": lambda rng: "".join(rng.choice(WIDEST) + " " * (rng.random() < 0.2) for _ in range(LONGEST)),
    "letters of any script": lambda rng: "".join(rng.choice(EVERY) for _ in range(LONGEST)),
    "loose accents": lambda rng: "a" + "".join(rng.choice("\u0301\u0316\u0345\U0001d165\U0001d16d") for _ in range(LONGEST)),
    "danger again and again": lambda rng: " ".join(rng.choice(EXAMPLES) for _ in range(LONGEST)),
    "one danger again and again": lambda rng: f"{rng.choice(EXAMPLES)} " * LONGEST,
    "every word misspelled": lambda rng: " ".join(rng.choice(SAID) + rng.choice(LETTERS) for _ in range(LONGEST)),
    "words of every length": _words_of_every_length,
}
"""Messages that are dear, each in one way."""


def hostile(kind: str, seed: int) -> str:
    """A message of 4,000 characters."""
    return HOSTILE[kind](random.Random(f"{kind} {seed}"))[:LONGEST]  # noqa: S311 - chance, no secret


def seconds(text: str) -> float:
    """CPU for one message: the least of a few tries, since the machine may be busy with something else."""
    found = []
    for _ in range(5):
        began = time.process_time()
        READER.understand(text)
        found.append(time.process_time() - began)
        if found[-1] < SECONDS / 2:
            break
    return min(found)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", HOSTILE)
def test_any_message_takes_little_time(kind: str, seed: int) -> None:
    assert seconds(hostile(kind, seed)) < SECONDS


@pytest.mark.parametrize("kind", HOSTILE)
def test_any_message_takes_little_memory(kind: str) -> None:
    text = hostile(kind, 0)
    tracemalloc.start()
    try:
        READER.understand(text)
        assert tracemalloc.get_traced_memory()[1] < BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("char", ["\u3316", "각", "\ufdfa", "ﬃ"])
def test_a_character_that_stands_for_many_is_cut_again(char: str) -> None:
    assert sum(map(len, words(char * LONGEST))) <= LONGEST


def test_accents_on_every_letter_are_no_reason_to_read_less() -> None:
    assert words("ệ" * 10 + " " + "mẽs " * 900)[1:] == ["mes"] * 900


def test_how_a_word_sounds_is_worked_out_once_and_kept_with_the_message() -> None:
    heard = Heard()
    assert (heard["slaad"], dict(heard)) == ("slat", {"slaad": "slat"})
