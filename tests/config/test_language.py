"""The simple-Dutch gate on bubbles that are good and on bubbles that are not, rule by rule."""

from __future__ import annotations

import pytest

from config.gates.passive import passive
from config.gates.simple_dutch import MIN_FLESCH_DOUMA, flesch_douma, judge_button, judge_text
from tests.config.corpus import by_rule, explained, texts

GOOD = texts("language_good.yml")
BAD = by_rule("language_bad.yml")


def rules(text: str) -> set[str]:
    return {finding.rule for finding in judge_text(text, explained())}


@pytest.mark.parametrize("text", GOOD)
def test_good_bubble_is_let_through(text: str) -> None:
    assert judge_text(text, explained()) == []


@pytest.mark.parametrize(("rule", "text"), [(r, t) for r, t in BAD if r != "button"])
def test_hard_bubble_is_refused_by_its_rule(rule: str, text: str) -> None:
    assert rule in rules(text)


@pytest.mark.parametrize("title", [t for r, t in BAD if r == "button"])
def test_long_button_is_refused(title: str) -> None:
    assert [finding.rule for finding in judge_button(title, explained())] == ["button"]


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("ja " * 7 + "ja. Ja.", set()),
        ("Ja. " + "ja " * 9 + "ja.", set()),
        ("Ja. " + "ja " * 10 + "ja.", {"sentence"}),
        ("ja " * 7 + "ja.", set()),
        ("ja " * 8 + "ja.", {"mean"}),
        ("Ja. Ja. Ja.", set()),
        ("Ja. Ja. Ja. Ja.", {"sentences"}),
        (("ja " * 7 + "ja. ") * 2 + "ja " * 8 + "ja.", {"mean"}),
        ("Ja, ja.", set()),
        ("Ja, ja, ja.", {"commas"}),
        ("Ja, ja; ja.", {"commas"}),
    ],
)
def test_each_limit_stands_exactly_where_it_is_said_to(text: str, broken: set[str]) -> None:
    assert rules(text) == broken


def test_the_limit_of_words_stands_where_it_is_said_to() -> None:
    """25 words in three sentences have a mean over 8, so the two rules meet there."""
    assert "words" not in rules(("ja " * 7 + "ja. ") * 2 + "ja " * 8 + "ja.")
    assert "words" in rules(("ja " * 8 + "ja. ") * 2 + "ja " * 7 + "ja.")


def test_a_button_may_have_six_words() -> None:
    assert judge_button("ja ja ja ja ja ja", {}) == []


def test_the_corpus_is_as_large_as_promised() -> None:
    assert len(GOOD) >= 40
    assert len(BAD) >= 60


def test_every_rule_of_the_gate_has_a_bad_example() -> None:
    seen = {rule for _, text in BAD for rule in rules(text)} | {"button"}
    assert seen == {rule for rule, _ in BAD}


def test_a_finding_says_what_to_do_and_repeats_at_most_a_word() -> None:
    (finding,) = judge_text("Bel het meldpunt.", {})
    assert "explained.yml" in finding.message
    assert "Bel het" not in finding.message


def test_a_number_a_name_and_a_site_count_as_one_word_each() -> None:
    ten = "Ja. Bel {kindertelefoon} of chat met {confidant} van {municipality} op kindertelefoon.nl."
    assert rules(ten) == set()
    assert rules(ten.replace("Bel", "Bel nu")) == {"sentence"}


def test_a_dot_inside_a_site_or_an_hour_ends_no_sentence() -> None:
    assert "sentences" not in rules("Chat op 113.nl. Dat kan om 9.30 uur. Het is gratis.")


def test_an_explained_word_weighs_nothing_but_counts() -> None:
    text = "De vertrouwenspersoon van de gemeente leest je bericht."
    assert flesch_douma(text, {}) < MIN_FLESCH_DOUMA
    assert judge_text(text, {"vertrouwenspersoon": "Een mens van de gemeente die luistert."}) == []


def test_flesch_douma_is_the_published_formula() -> None:
    """Four words of one syllable in one sentence: 206.84 - 0.77 * 100 - 0.93 * 4."""
    assert flesch_douma("Ik ben een mens.", {}) == pytest.approx(206.84 - 77 - 3.72)


@pytest.mark.parametrize(
    "sentence",
    [
        "Er is een bericht",
        "Is er nu geweld",
        "Je bent gewond",
        "Het is gesloten",
        "Dat is goed gelukt",
        "Word je bang",
        "Ik ben geboren",
    ],
)
def test_no_passive_is_seen_where_none_is(sentence: str) -> None:
    assert not passive(sentence.split())


def test_empty_and_odd_texts_do_not_break_the_gate() -> None:
    for text in ("", "   ", "...", "?!", "{", "{onbekend}", "'s", "🙂", "-", "a" * 600):
        judge_text(text, {})
