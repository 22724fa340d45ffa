"""Passphrases and key codes: enough words, none alike, and the same however they are typed."""

from __future__ import annotations

import hashlib
import re
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from handoff.accounts import passphrases
from handoff.accounts.credentials import SHORTEST_PASSPHRASE


def test_the_list_holds_13_bits_of_plain_words_each() -> None:
    words = passphrases.word_list()
    assert len(words) == len(set(words)) == 8192
    assert list(words) == sorted(words)
    assert all(re.fullmatch(r"[a-z]{4,9}", word) for word in words)


def test_no_two_words_are_told_apart_by_spelling_alone() -> None:
    """Over the telephone `ei` and `ij`, `au` and `ou`, a final `d` and `t` are the same."""

    def heard(word: str) -> str:
        for written, sound in (("ij", "ei"), ("ou", "au"), ("ch", "g"), ("ph", "f"), ("c", "k"), ("dt", "t")):
            word = word.replace(written, sound)
        return re.sub(r"(.)\1+", r"\1", re.sub(r"d$", "t", word))

    alike = [sound for sound, count in Counter(heard(word) for word in passphrases.word_list()).items() if count > 1]
    assert alike == []


def test_a_passphrase_is_six_words_chosen_from_the_whole_list() -> None:
    asked: list[int] = []

    def choose(below: int) -> int:
        asked.append(below)
        return below - len(asked)

    words = passphrases.word_list()
    assert passphrases.passphrase(choose).split() == [words[-n] for n in range(1, 7)]
    assert asked == [8192] * 6
    assert len({passphrases.passphrase() for _ in range(50)}) == 50
    assert len(" ".join(sorted(words, key=len)[:6])) >= SHORTEST_PASSPHRASE


def test_a_code_stands_for_the_first_78_bits() -> None:
    """Frozen: these codes were compared by people. SHA-256 of b"praat" cut in pieces of 13 bits."""
    bits = f"{int(hashlib.sha256(b'praat').hexdigest(), 16):0256b}"
    words = passphrases.word_list()
    assert passphrases.code_of(b"praat").split() == [words[int(bits[at : at + 13], 2)] for at in range(0, 78, 13)]
    assert passphrases.code_of(b"praat") == "nieuwtjes weglaten vermeden tombe schrik schattig"


@given(st.binary(), st.integers(0, 7))
def test_every_word_of_a_code_depends_on_the_data(data: bytes, bit: int) -> None:
    changed = bytes([1 << bit]) + data
    assert passphrases.code_of(data) != passphrases.code_of(changed)


@given(st.text())
def test_plain_is_stable(text: str) -> None:
    once = passphrases.plain(text)
    assert passphrases.plain(once.upper() if once.isascii() else once) == passphrases.plain(once)


def test_case_spaces_and_hyphens_do_not_matter() -> None:
    assert passphrases.plain(" Boom-fiets\tMAAN  ") == passphrases.plain("boom fiets maan")
