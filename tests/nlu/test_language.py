"""Which language a short message is in; unsure means Dutch."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.languages import LANGUAGES
from nlu.language import detect
from nlu.training.dataset import training_examples

CASES = [
    tuple(line.split("\t"))
    for line in (Path(__file__).parent / "languages.tsv").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


@pytest.mark.parametrize(("language", "text"), CASES)
def test_language_of_a_sentence(language: str, text: str) -> None:
    assert detect(text) == language


def test_every_language_has_cases() -> None:
    assert {language for language, _ in CASES} == set(LANGUAGES)


@pytest.mark.parametrize("text", ["", " ", "123", "?!", "😭😭", "xyzzy", "aaaa"])
def test_nothing_to_go_by_is_dutch(text: str) -> None:
    assert detect(text) == "nl"


def test_a_dutch_child_is_not_answered_in_another_language() -> None:
    """Training sentences are Dutch as children spell it, but for about one in a hundred that is truly in another language."""
    texts = [text for text, _ in training_examples()]
    foreign = [text for text in texts if detect(text) != "nl"]
    assert len(foreign) / len(texts) < 0.011, foreign[:40]


@given(st.text(max_size=300))
def test_any_text_has_an_answer(text: str) -> None:
    assert detect(text) in LANGUAGES
