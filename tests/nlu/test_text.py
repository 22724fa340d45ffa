"""How a child's text becomes words, and how words are put right and grouped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.concepts import concept_tokens
from nlu.featurise import NOTHING, child_tokens, whitespace_tokens
from nlu.spelling import Speller
from nlu.text import has_words, sound, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mn papa slaad mij!!", ["mijn", "papa", "slaad", "mij", "."]),
        ("m'n vader z’n mes", ["mijn", "vader", "zijn", "mes"]),
        ("HEEEELP stopppp", ["heelp", "stop"]),
        ("kwil dood", ["ik", "wil", "dood"]),
        ("h e l p", ["help"]),
        ("s.t.o.p nu", ["stop", "nu"]),
        ("z3lfm00rd", ["zelfmoord"]),
        ("ik ben 8", ["ik", "ben", "8"]),
        ("pàpà ｓｌａａｔ", ["papa", "slaat"]),
        ("mes😭mes", ["mes", "😭", "mes"]),
        ("می‌ترسم", ["میترسم"]),
        ("a.\n\n!b", ["a", ".", "b"]),
        ("", []),
        ("...", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("slaat", "slaad"),
        ("schoppen", "sgoppe"),
        ("pijn", "pein"),
        ("vader", "fader"),
        ("mishandelt", "mishandeld"),
        ("vrouw", "vrau"),
        ("zusje", "susje"),
        ("moeten", "moete"),
        ("doodt", "dood"),
    ],
)
def test_words_that_sound_alike(one: str, other: str) -> None:
    assert sound(one) == sound(other)


@pytest.mark.parametrize(("one", "other"), [("slaat", "slaan"), ("moeder", "vader"), ("mes", "les"), ("bang", "lang")])
def test_words_that_do_not(one: str, other: str) -> None:
    assert sound(one) != sound(other)


@given(st.text(st.characters(codec=None), max_size=300))
def test_any_text_has_words_or_none(text: str) -> None:
    found = words(text)
    assert all(found)
    assert words(text) == found
    assert child_tokens(text)
    assert whitespace_tokens(text)
    assert has_words(text) or child_tokens(text) == [NOTHING]


def test_only_the_first_part_of_a_huge_text_is_read() -> None:
    assert len(words("mes " * 10_000)) == 1000


def test_an_unknown_word_becomes_the_known_one_it_most_likely_is() -> None:
    speller = Speller(["slaat", "staat", "vader", "moeder", "mij", "burgemeester"])
    assert speller.fix(["vadr", "slaad", "mji", "burgermeester", "omeder"]) == ["vader", "slaat", "mij", "burgemeester", "moeder"]


def test_a_short_word_becomes_only_a_frequent_one() -> None:
    rare = [f"woord{letter}{other}" for letter in "abcdefghijklmno" for other in "abcdefghij"]
    assert Speller([*rare, "mij"]).fix(["mji"]) == ["mji"]


def test_the_likelier_slip_wins() -> None:
    assert Speller(["kast", "last"]).fix(["kasst", "lasr"]) == ["kast", "last"]
    assert Speller(["zo", "ze"]).fix(["zp"]) == ["zo"], "the key beside it"
    assert Speller(["men", "ben"]).fix(["benn"]) == ["ben"], "a letter twice, and the first one is seldom wrong"


def test_of_two_likely_words_the_more_frequent_one() -> None:
    assert Speller(["slaat", "staat"]).fix(["sxaat"]) == ["slaat"]
    assert Speller(["staat", "slaat"]).fix(["sxaat"]) == ["staat"]


def test_a_known_word_stays_and_an_unlikely_one_too() -> None:
    assert Speller(["slaat", "staat"]).fix(["staat", "xylofoon"]) == ["staat", "xylofoon"]


def test_a_page_of_nonsense_is_put_right_only_so_far() -> None:
    assert Speller(["slaat"]).fix(["slaxt"] * 100) == ["slaat"] * 40 + ["slaxt"] * 60


def test_concepts_make_different_families_alike() -> None:
    assert concept_tokens("opa mept mij".split()) == ["FAMILIE", "SLAAN", "MIJ", "FAMILIE_SLAAN", "FAMILIE_MIJ", "SLAAN_MIJ"]
    assert concept_tokens("papa slaat me".split())[:3] == ["OUDER", "SLAAN", "MIJ"]
    assert concept_tokens(["xylofoon"]) == ["xylofoon"]


@pytest.mark.parametrize(
    ("text", "read"), [("🆘", ["🆘"]), ("🆘🆘 help", ["🆘", "🆘", "help"]), ("ⓗⓔⓛⓟ", ["help"]), ("⏰", ["⏰"])]
)
def test_signs_and_dressed_up_letters_are_read(text: str, read: list[str]) -> None:
    assert words(text) == read
    assert has_words(text)


@pytest.mark.parametrize("text", ["", " ", "...", "?!", "\u0301", "\u200b"])
def test_nothing_to_read(text: str) -> None:
    assert not has_words(text)
