"""What the bot says to what: a table of cases, pure and quick."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.message import ChannelUtterances
from bot.policy import FIRST_CONTACT, HANDOFF, NUMBERS, STILL_WAITING, State, decide, waiting_utterance
from config.intents import FALLBACK, INTENTS, URGENCY_OF, Urgency
from config.languages import LANGUAGE_CARDS
from handoff.chats.state import NOTHING_SAID, ChatState
from nlu.understanding import Understanding
from tests.make import configuration, understood


def _said(*turns: tuple[str, ...]) -> ChatState:
    """What is remembered after these turns."""
    state = NOTHING_SAID
    for turn in turns:
        state = state.turn().saying(turn)
    return state


FIRST = (FIRST_CONTACT, "utter_greet", HANDOFF)
EARLIER = _said(FIRST)


@pytest.mark.parametrize(
    ("state", "intent", "said"),
    [
        (State(), "greet", (FIRST_CONTACT, "utter_greet", HANDOFF)),
        (State(), "acute_danger", ("utter_acute_danger", FIRST_CONTACT, HANDOFF)),
        (State(empty=True), FALLBACK, (FIRST_CONTACT, "utter_silence", HANDOFF)),
        (State(claimed=True), "acute_danger", ()),
        (State(EARLIER, handed_off=True), "ask_mayor", ("utter_ask_mayor",)),
        (State(EARLIER, handed_off=True), "greet", (STILL_WAITING,)),
        (State(EARLIER, handed_off=True), "acute_danger", ("utter_acute_danger", NUMBERS)),
        (State(_said(FIRST, ("utter_acute_danger",)), handed_off=True), "acute_danger", ("utter_acute_danger", NUMBERS)),
        (State(EARLIER, handed_off=False), "greet", (STILL_WAITING, HANDOFF)),
        (
            State(_said((FIRST_CONTACT,), (), (), ()), handed_off=True),
            "disclose_neglect",
            ("utter_disclose_neglect", NUMBERS, HANDOFF),
        ),
    ],
)
def test_the_table(state: State, intent: str, said: tuple[str, ...]) -> None:
    assert decide(state, understood(intent)) == said


@pytest.mark.parametrize("intent", ["stop_or_delete", "insult_or_prank", "out_of_scope", "thank_or_bye"])
def test_an_answer_that_lets_a_child_go_needs_a_sure_reading(intent: str) -> None:
    """'ik wil niet meer' was once read as wanting to erase the chat."""
    assert decide(State(), understood(intent, confidence=0.79))[1] == "utter_nlu_fallback"
    assert decide(State(), understood(intent, confidence=0.95))[1] == f"utter_{intent}"


ADDED = ChannelUtterances(before=("utter_opener",), after=("utter_choose",))


@pytest.mark.parametrize(
    ("turns", "added", "said"),
    [
        ((), ADDED, (FIRST_CONTACT, "utter_opener", "utter_greet", HANDOFF, "utter_choose")),
        ((("utter_opener", "utter_choose"),), ADDED, ("utter_greet", HANDOFF)),
        ((), replace(ADDED, answer="utter_media"), (FIRST_CONTACT, "utter_opener", "utter_media", HANDOFF, "utter_choose")),
        ((), replace(ADDED, opens_only=True), (FIRST_CONTACT, "utter_opener", HANDOFF, "utter_choose")),
        ((("utter_opener",),), replace(ADDED, opens_only=True), (NUMBERS, HANDOFF, "utter_choose")),
        ((), replace(ADDED, opens_only=True, on_arrival="utter_here").arrived(), (
            FIRST_CONTACT, "utter_opener", "utter_here", HANDOFF, "utter_choose",
        )),
    ],
)  # fmt: skip
def test_what_a_channel_adds_is_told_once_and_an_answer_of_its_own_replaces(
    turns: tuple[tuple[str, ...], ...], added: ChannelUtterances, said: tuple[str, ...]
) -> None:
    assert decide(State(_said(*turns), channel=added), understood()) == said


def test_a_fallback_of_the_channel_is_said_only_where_nothing_was_understood() -> None:
    added = ChannelUtterances(fallback="utter_near")
    assert decide(State(channel=added), understood()) == (FIRST_CONTACT, "utter_greet", HANDOFF)
    assert decide(State(channel=added), understood(FALLBACK)) == (FIRST_CONTACT, HANDOFF, "utter_near")


@pytest.mark.parametrize(
    "added", [ADDED, replace(ADDED, opens_only=True), ChannelUtterances(answer="utter_media", fallback="utter_near")]
)
def test_in_danger_a_channel_adds_nothing(added: ChannelUtterances) -> None:
    acute = understood("acute_danger")
    assert decide(State(channel=added), acute) == decide(State(), acute)


def test_another_language_gets_one_card_in_that_language() -> None:
    assert decide(State(), Understanding("greet", 0.9, Urgency.NORMAL, "tr")) == ("utter_language_tr",)


def test_a_language_without_a_card_is_answered_in_dutch() -> None:
    assert decide(State(), Understanding("greet", 0.9, Urgency.NORMAL, "so"))[0] == FIRST_CONTACT


STATES = st.builds(
    State,
    before=st.lists(st.lists(st.sampled_from([FIRST_CONTACT, HANDOFF, NUMBERS, "utter_greet"]), max_size=3)).map(
        lambda turns: _said(*map(tuple, turns))
    ),
    claimed=st.booleans(),
    handed_off=st.booleans(),
    empty=st.booleans(),
)


@given(STATES, st.sampled_from([*INTENTS, FALLBACK]), st.sampled_from([*LANGUAGE_CARDS, "nl", "so"]))
def test_it_always_says_something_published_and_never_more_than_three(state: State, intent: str, language: str) -> None:
    said = decide(state, Understanding(intent, 0.5, URGENCY_OF[intent], language))
    assert len(said) <= 3
    assert bool(said) is not state.claimed
    assert set(said) <= set(configuration().script.utterances)


@pytest.mark.parametrize(
    ("waited", "told", "due"),
    [(0.9, 0, None), (1.0, 0, 1), (1.5, 1, None), (4, 1, 3), (11, 1, 10), (11, 10, None), (500, 0, 10)],
)
def test_a_waiting_child_is_told_each_step_once_and_only_the_latest(waited: float, told: int, due: int | None) -> None:
    assert waiting_utterance(waited, told) == (None if due is None else (due, f"utter_waiting_{due}"))
