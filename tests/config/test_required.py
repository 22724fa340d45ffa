"""The list of what the policy needs."""

from __future__ import annotations

from config.intents import FALLBACK, INTENTS
from config.load import load
from config.required import BLIND, NAMES_BOTH_LINES, REQUIRED_UTTERANCES, SAYS_COMPUTER, WITH_CONFIDANT, reachable
from config.schema import Condition
from tests.config.corpus import CONFIG


def test_every_intent_has_an_utterance() -> None:
    assert {f"utter_{intent}" for intent in (*INTENTS, FALLBACK)} <= set(REQUIRED_UTTERANCES)


def test_every_set_names_only_required_utterances() -> None:
    assert len(set(REQUIRED_UTTERANCES)) == len(REQUIRED_UTTERANCES)
    assert set(REQUIRED_UTTERANCES) >= NAMES_BOTH_LINES | SAYS_COMPUTER | BLIND | WITH_CONFIDANT


def test_only_hours_that_exist_are_asked_for() -> None:
    lines = load(CONFIG).helplines
    found = list(reachable("utter_handoff", lines))
    assert {(f[Condition.ON_DUTY], f[Condition.KINDERTELEFOON_OPEN], f[Condition.NIGHT]) for f in found} == {
        (duty, line, night) for duty in (False, True) for line, night in ((True, False), (False, False), (False, True))
    }
    assert not any(f[Condition.CLAIMED] for f in found)
    assert all(f[Condition.CLAIMED] for f in reachable("utter_taken_over", lines))
    assert not any(f[Condition.ON_DUTY] for f in reachable("utter_nobody_on_duty", lines))


def test_every_required_utterance_has_words_at_every_hour() -> None:
    configuration = load(CONFIG)
    for name in REQUIRED_UTTERANCES:
        for facts in reachable(name, configuration.helplines):
            for turn in range(4):
                chosen = configuration.script.utterances[name].choose(facts, turn)
                assert chosen is not None
                assert configuration.script.utterances[name].variants[chosen].holds(facts)
