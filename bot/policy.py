"""What the bot says to a message: a pure function from what is known to the ids of published utterances.

It never decides *whether* a human comes (everybody is handed off, before this is asked) and never asks first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.message import NO_UTTERANCES, ChannelUtterances
from config.intents import Urgency
from config.languages import LANGUAGE_CARDS
from config.schema import Route
from handoff.chats.state import NOTHING_SAID, ChatState
from nlu.understanding import Understanding

FIRST_CONTACT = "utter_first_contact"
HANDOFF = "utter_handoff"
NUMBERS = "utter_numbers"
STILL_WAITING = "utter_still_waiting"
SILENCE = "utter_silence"
NOT_UNDERSTOOD = "utter_nlu_fallback"

WAITING_MINUTES = (1, 3, 10)
"""After so many minutes of waiting the child hears how it stands."""

_DISMISSIVE = frozenset({"stop_or_delete", "insult_or_prank", "out_of_scope", "thank_or_bye"})
_SURE = 0.85
"""An answer that lets a child go is given only when the reading is this sure (0..1): "ik wil niet meer" may be a cry."""

_REPEAT_AFTER = 3
"""Turns after which the handoff, or the numbers in a worrying chat, are told again."""


@dataclass(frozen=True, slots=True)
class State:
    """What the policy may know of a chat: no words."""

    before: ChatState = NOTHING_SAID
    """What the bot said in earlier turns, as it stood before this message."""
    claimed: bool = False
    """A human has the chat."""
    handed_off: bool = False
    """The handoff was open before. False at first, and again after a human closed it or it moved to another gemeente."""
    moved: bool = False
    """The chat moved to another gemeente with this very message."""
    empty: bool = False
    """The child sent nothing that can be read."""
    channel: ChannelUtterances = NO_UTTERANCES
    """What the channel adds; never said in danger."""


def decide(state: State, understanding: Understanding) -> tuple[str, ...]:
    """The ids of the utterances to send, in order; none while a human speaks (promise 4).

    At most three bubbles, and what the channel must tell once besides; never that in danger.
    """
    if state.claimed:
        return ()
    if understanding.language in LANGUAGE_CARDS:
        return (f"utter_language_{understanding.language}",)
    acute = understanding.urgency is Urgency.ACUTE
    channel = NO_UTTERANCES if acute else state.channel
    before = tuple(utterance for utterance in channel.before if not state.before.said(utterance))
    after = tuple(utterance for utterance in channel.after if not state.before.said(utterance))
    if channel.opens_only:
        return (*((NUMBERS,) if state.before.turns else (FIRST_CONTACT,)), *before, HANDOFF, *after)
    answer = channel.answer or (SILENCE if state.empty else _answer(understanding))
    words = _later(state, understanding, answer, before) if state.before.turns else _first(answer, before, acute=acute)
    if answer == NOT_UNDERSTOOD and channel.fallback:
        return (*(word for word in words if word not in (NOT_UNDERSTOOD, STILL_WAITING)), *after, channel.fallback)
    return (*words, *after)


def _answer(understanding: Understanding) -> str:
    unsure = understanding.intent in _DISMISSIVE and understanding.confidence < _SURE
    return NOT_UNDERSTOOD if unsure else f"utter_{understanding.intent}"


def _first(answer: str, before: tuple[str, ...], *, acute: bool) -> tuple[str, ...]:
    return (answer, FIRST_CONTACT, HANDOFF) if acute else (FIRST_CONTACT, *before, answer, HANDOFF)


def _later(state: State, understanding: Understanding, answer: str, before: tuple[str, ...]) -> tuple[str, ...]:
    acute = understanding.urgency is Urgency.ACUTE
    repeated = state.before.said(answer, turns=1)
    words = [answer if acute or state.moved or not repeated else STILL_WAITING, *before]
    if acute or (_worrying(understanding) and not _recent(state, NUMBERS, FIRST_CONTACT)):
        words.append(NUMBERS)
    if not state.handed_off or not _recent(state, HANDOFF):
        words.append(HANDOFF)
    return tuple(words)


def _worrying(understanding: Understanding) -> bool:
    """Whether the numbers help now. Not for a child that is being watched: a full screen is the last thing it needs."""
    return understanding.urgency is Urgency.HIGH and understanding.intent != "unsafe_to_chat"


def _recent(state: State, *utterances: str) -> bool:
    """Whether one of these was said in the last few turns."""
    return state.before.said(*utterances, turns=_REPEAT_AFTER)


def waiting_utterance(waited_minutes: float, told_minutes: int) -> tuple[int, str] | None:
    """(minutes, utterance) that a waiting child has to hear now: the latest that is due and was not told; None if none is."""
    due = [m for m in WAITING_MINUTES if told_minutes < m <= waited_minutes]
    return (due[-1], f"utter_waiting_{due[-1]}") if due else None


def next_due(route: Route, *, waiting_since: datetime, told_from: datetime, told_minutes: int, now: datetime) -> datetime | None:
    """The first moment after `now` at which something is due for a waiting child: a waiting message or the next step of its
    route. None when all has been said and done."""
    messages = (told_from + timedelta(minutes=m) for m in WAITING_MINUTES if m > told_minutes)
    steps = (waiting_since + timedelta(minutes=step.after_minutes) for step in route.steps)
    return min((moment for moment in (*messages, *steps) if moment > now), default=None)
