"""The frozen word list and the syllable rule."""

from __future__ import annotations

import pyphen
import pytest

from config.gates.words import FILE, common, is_common, syllables
from config.gates.words.freeze import frozen


def test_the_frozen_list_is_what_its_maker_makes() -> None:
    assert FILE.read_text(encoding="utf-8") == frozen()


def test_the_list_names_its_licence() -> None:
    assert "CC BY-SA 4.0" in FILE.read_text(encoding="utf-8").splitlines()[2]
    assert not any(word.startswith("#") for word in common())


@pytest.mark.parametrize(
    "word",
    ["mens", "Mens", "gemeente", "typt", "typte", "bewaar", "foto's", "foto’s", "appje", "stukjes", "belt", "sms-bericht"],
)
def test_words_of_a_child_and_their_plain_forms_are_common(word: str) -> None:
    assert is_common(word)


@pytest.mark.parametrize("word", ["meldpunt", "persoonsgegevens", "hulpverlener", "noodsituatie", "xqzt", "toelichting"])
def test_words_of_the_office_are_not(word: str) -> None:
    assert not is_common(word)


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("ja", 1), ("mens", 1), ("hoi", 1), ("eeuw", 1), ("nieuw", 1), ("idee", 2), ("ideeën", 3), ("avond", 2), ("uren", 2),
        ("computer", 3), ("gemeente", 3), ("burgemeester", 4), ("kindertelefoon", 5), ("vertrouwenspersoon", 5), ("oké", 2),
        ("groeien", 2), ("beantwoorden", 4), ("reëel", 2), ("team", 1), ("'s", 1), ("typen", 2), ("politie", 3),
    ],
)  # fmt: skip
def test_syllables_as_read_aloud(word: str, count: int) -> None:
    assert syllables(word) == count


def test_the_rule_agrees_with_a_hyphenation_table_on_nearly_every_common_word() -> None:
    """Where they differ by one it is mostly the table: it may not break off one letter (`avond`)."""
    table = pyphen.Pyphen(lang="nl_NL", left=1, right=1)
    words = [word for word in common() if word.isalpha()]
    apart = [abs(syllables(word) - table.inserted(word).count("-") - 1) for word in words]
    assert sum(1 for difference in apart if difference == 0) / len(words) > 0.92
    assert sum(1 for difference in apart if difference > 1) < 20
