"""The speech-act gate on what the bot may say and on what it may never say, rule by rule."""

from __future__ import annotations

from typing import Any

import pytest

from config.guard import judge_utterance, judge_variant
from config.guard_rules import RULES
from config.schema import Utterance
from tests.config.corpus import whole

GOOD: list[dict[str, Any]] = whole("guard_good.yml")
BAD: list[tuple[str, Any]] = [(rule, one) for rule, examples in whole("guard_bad.yml").items() for one in examples]


def utterance(example: Any) -> Utterance:
    given = example if isinstance(example, dict) else {"text": example, "act": ["control"]}
    variant = {"text": given["text"], "acts": given["act"], "when": given.get("when", {})}
    name, language = given.get("id", "utter_any"), given.get("language", "nl")
    return Utterance.model_validate({"id": name, "language": language, "variants": [variant]})


def rules(example: Any) -> set[str]:
    return {finding.rule for _, finding in judge_utterance(utterance(example))}


@pytest.mark.parametrize("example", GOOD, ids=lambda e: e["text"])
def test_what_the_bot_may_say_is_let_through(example: dict[str, Any]) -> None:
    told = utterance(example)
    assert judge_variant(told, told.variants[0]) == []


@pytest.mark.parametrize(("rule", "example"), BAD)
def test_what_the_bot_may_not_say_is_refused_by_its_rule(rule: str, example: Any) -> None:
    assert rule in rules(example)


def test_the_corpus_is_as_large_as_promised() -> None:
    assert len(GOOD) >= 40
    assert len(BAD) >= 60


def test_every_rule_about_words_has_a_bad_example() -> None:
    assert {rule.id for rule in RULES} <= {rule for rule, _ in BAD}


def test_every_finding_names_a_rule_of_the_corpus() -> None:
    seen = {rule for _, example in BAD for rule in rules(example)}
    assert seen == {rule for rule, _ in BAD}


def test_every_rule_says_why_and_what_to_do_instead() -> None:
    for rule in RULES:
        assert len(rule.why) > 15, rule.id
        assert len(rule.instead) > 10, rule.id


@pytest.mark.parametrize("text", ["DIT BLIJFT GEHEIM.", "Dit  blijft\tgeheim.", "Dit blijft ｇｅｈｅｉｍ.", "Dit blijft ge\u200bheim."])
def test_a_rule_is_not_passed_by_another_way_of_writing(text: str) -> None:
    assert "secrecy" in rules(text)


def test_each_variant_is_judged_by_itself() -> None:
    good = {"text": "Er is nu een mens.", "acts": ["next_step"], "when": {"on_duty": True}}
    bad = {"text": "Er is nu een mens.", "acts": ["next_step"], "when": {}}
    both = Utterance.model_validate({"id": "utter_any", "variants": [good, bad]})
    assert [(i, f.rule) for i, f in judge_utterance(both)] == [(1, "presence")]
