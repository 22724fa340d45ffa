"""The speech-act gate on what the bot may say and on what it may never say, rule by rule."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.gates.guard import judge_utterance, judge_variant
from config.gates.rule import Rule
from config.gates.rules import RULES
from config.gates.sentences import folded, split
from config.schema import Utterance
from tests.config.corpus import whole

GOOD: list[dict[str, Any]] = whole("guard_good.yml")
BAD: list[tuple[str, Any]] = [(rule, one) for rule, examples in whole("guard_bad.yml").items() for one in examples]
WORDS = st.sampled_from(sorted({word for e in GOOD for word in e["text"].split()}))


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


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.id}: {rule.pattern.pattern[:30]}")
def test_every_rule_is_needed_by_a_bad_example(rule: Rule) -> None:
    """Two rules may share an id: each must speak by itself, so that dropping any of them is seen."""
    own = [e["text"] if isinstance(e, dict) else e for name, e in BAD if name == rule.id]
    others = [other for other in RULES if other.id == rule.id and other is not rule]
    assert any(_broken(rule, text) and not any(_broken(other, text) for other in others) for text in own)


@pytest.mark.parametrize("rule", [r for r in RULES if r.unless], ids=lambda rule: f"{rule.id}: {rule.pattern.pattern[:30]}")
def test_every_exception_is_needed_by_a_good_example(rule: Rule) -> None:
    plain = dataclasses.replace(rule, unless=None)
    assert any(_broken(plain, example["text"]) for example in GOOD)


def _broken(rule: Rule, text: str) -> bool:
    return any(rule.breaks(sentence) for sentence in split(folded(text)))


@settings(max_examples=200, deadline=500)
@given(text=st.one_of(st.text(min_size=1, max_size=600), st.lists(WORDS, min_size=1, max_size=80).map(" ".join)))
def test_no_text_breaks_or_hangs_the_gate(text: str) -> None:
    for language in ("nl", "en", "ar", "xx"):
        list(judge_utterance(utterance({"text": text[:600], "act": ["control"], "language": language})))


def test_every_finding_names_a_rule_of_the_corpus() -> None:
    seen = {rule for _, example in BAD for rule in rules(example)}
    assert seen == {rule for rule, _ in BAD}


def test_every_rule_says_why_and_what_to_do_instead() -> None:
    for rule in RULES:
        assert len(rule.why) > 15, rule.id
        assert len(rule.instead) > 10, rule.id


@pytest.mark.parametrize(
    "text", ["DIT BLIJFT GEHEIM.", "Dit  blijft\tgeheim.", "Dit blijft ｇｅｈｅｉｍ.", "Dit blijft ge\u200bheim."]
)
def test_a_rule_is_not_passed_by_another_way_of_writing(text: str) -> None:
    assert "secrecy" in rules(text)


def test_each_variant_is_judged_by_itself() -> None:
    good = {"text": "Er is nu een mens.", "acts": ["next_step"], "when": {"on_duty": True}}
    bad = {"text": "Er is nu een mens.", "acts": ["next_step"], "when": {}}
    both = Utterance.model_validate({"id": "utter_any", "variants": [good, bad]})
    assert [(i, f.rule) for i, f in judge_utterance(both)] == [(1, "presence")]
