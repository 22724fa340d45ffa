"""Phrases in the words of a message: spelling, gaps, negation, and time that cannot run away."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.phrases import MAX_CELLS, PhraseError, PhraseSet, read_phrase
from nlu.text import words

GROUPS = {"who": ["papa", "hij"], "weapon": ["mes", "pistool"]}


def found(text: str, *written: str, **options: list[str]) -> list[int]:
    phrases = PhraseSet([read_phrase(one, GROUPS) for one in written], **options)
    return sorted({match.phrase for match in phrases.search(words(text))})


@pytest.mark.parametrize(
    ("text", "phrase", "speaks"),
    [
        ("papa heeft een mes", "{who} heeft .. {weapon}", True),
        ("papa heeft een heel erg groot mes", "{who} heeft .. {weapon}", False),
        ("papa heeft een heel erg groot mes", "{who} heeft ... {weapon}", True),
        ("papa mes", "{who} heeft? {weapon}", True),
        ("papa heeft mes", "{who} heeft? {weapon}", True),
        ("papa had mes", "{who} heeft? {weapon}", False),
        ("vermoorden", "vermoord*", True),
        ("moorden", "vermoord*", False),
        ("hij slaad", "hij slaat|schopt", True),
        ("hij sgopt", "hij slaat|schopt", True),
        ("help", "^ help $", True),
        ("help mij", "^ help $", False),
        ("oke help", "^ help", False),
        ("hij is weg. mes ligt daar", "{who} .. {weapon}", False),
        ("papa heeft een pistooll", "{who} .. {weapon}", True),
        ("ik bloet", "bloedt", True),
        ("ik bloei", "bloedt", False),
    ],
)
def test_how_a_phrase_is_found(text: str, phrase: str, *, speaks: bool) -> None:
    assert bool(found(text, phrase)) is speaks


def test_no_gap_runs_over_a_negation() -> None:
    assert found("hij heeft geen mes", "hij heeft .. mes") == [0]
    assert found("hij heeft geen mes", "hij heeft .. mes", negations=["geen"]) == []
    assert found("hij heeft geen mes", "hij heeft geen mes", negations=["geen"]) == [0]


def test_fillers_may_stand_anywhere_inside() -> None:
    assert found("hij slaat echt mij", "hij slaat mij") == []
    assert found("hij slaat echt gewoon mij", "hij slaat mij", fillers=["echt", "gewoon"]) == [0]


def test_a_real_word_is_not_taken_for_one_that_sounds_alike() -> None:
    assert found("de boot", "bood") == [0]
    assert found("de boot", "bood", real_words=["boot"]) == []


def test_every_place_where_a_phrase_ends_is_reported() -> None:
    phrases = PhraseSet([read_phrase("mes", {})])
    assert [match.end for match in phrases.search(words("mes en mes"))] == [0, 2]


@pytest.mark.parametrize(
    "written", ["", "..", ".. mes", "mes ..", "{nobody}", "mes?", "? mes", "abc*", "a.b", " ".join(["mes"] * (MAX_CELLS + 1))]
)
def test_a_phrase_that_cannot_work_is_refused(written: str) -> None:
    with pytest.raises(PhraseError):
        read_phrase(written, GROUPS)


@given(st.lists(st.sampled_from(["papa", "heeft", "een", "mes", "niet", "."]), max_size=40))
def test_search_agrees_with_a_plain_definition(said: list[str]) -> None:
    """`papa .. mes`: at most three words between, none of them a negation or the end of a sentence."""

    def plainly() -> bool:
        for place, word in enumerate(said):
            for after in range(place + 1, min(place + 5, len(said))):
                between = said[place + 1 : after]
                if word == "papa" and said[after] == "mes" and not {"niet", "."} & set(between):
                    return True
        return False

    phrases = PhraseSet([read_phrase("papa .. mes", {})], negations=["niet"])
    assert bool(phrases.search(said)) is plainly()


def test_time_grows_with_the_message_and_not_with_what_an_admin_writes() -> None:
    hostile = [read_phrase("mes ... mes ... mes ... mes", {}) for _ in range(200)]
    phrases = PhraseSet(hostile)
    begun = time.process_time()
    phrases.search(["mes"] * 800)
    assert time.process_time() - begun < 2.0
