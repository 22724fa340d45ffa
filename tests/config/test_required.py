"""The list of what the policy needs."""

from __future__ import annotations

from bot.channels.registry import SPECS
from config.intents import FALLBACK, INTENTS
from config.load import load
from config.required import WITH_CONFIDANT, requirements
from config.schema import Condition
from tests.config.corpus import CONFIG

REQUIRED = requirements(SPECS)
NEEDS = REQUIRED.union


def test_every_intent_has_an_utterance() -> None:
    assert {f"utter_{intent}" for intent in (*INTENTS, FALLBACK)} <= set(NEEDS.utterances)


def test_every_set_names_only_required_utterances() -> None:
    assert len(set(NEEDS.utterances)) == len(NEEDS.utterances)
    assert set(NEEDS.utterances) >= NEEDS.names_both_lines | NEEDS.says_computer | NEEDS.blind | NEEDS.with_page | WITH_CONFIDANT
    for spec in SPECS:
        told = [spec.needs.asks or spec.needs.utterances[0], *spec.needs.farewell, *spec.needs.waiting_only]
        assert set(NEEDS.utterances) >= set(told)


def test_only_hours_that_exist_are_asked_for() -> None:
    lines = load(CONFIG, SPECS).helplines
    found = list(REQUIRED.reachable("utter_handoff", lines))
    assert {(f[Condition.ON_DUTY], f[Condition.KINDERTELEFOON_OPEN], f[Condition.NIGHT]) for f in found} == {
        (duty, line, night) for duty in (False, True) for line, night in ((True, False), (False, False), (False, True))
    }
    assert not any(f[Condition.CLAIMED] for f in found)
    assert all(f[Condition.CLAIMED] for f in REQUIRED.reachable("utter_taken_over", lines))
    assert not any(f[Condition.ON_DUTY] for f in REQUIRED.reachable("utter_nobody_on_duty", lines))


def test_every_required_utterance_has_words_at_every_hour() -> None:
    configuration = load(CONFIG, SPECS)
    for name in NEEDS.utterances:
        for facts in REQUIRED.reachable(name, configuration.helplines):
            for turn in range(4):
                chosen = configuration.script.utterances[name].choose(facts, turn)
                assert chosen is not None
                assert configuration.script.utterances[name].variants[chosen].holds(facts)
