"""One turn, one transaction: what the child wrote (sealed), the handoff (opened or raised), the bot's answer, the outbox.

The understanding is made before, outside the transaction, and can only raise: nothing in here depends on it for the handoff.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from bot.message import Incoming
from bot.policy import State, decide, next_due
from config.intents import URGENCY_OF
from config.schema import Script
from handoff.chats import conversation
from handoff.chats.conversation import Chat, Door
from handoff.queue import handoffs, rerouting
from handoff.queue.handoffs import Handoff
from handoff.runtime import Runtime
from handoff.speak import say
from nlu.understanding import Understanding


@dataclass(frozen=True, slots=True)
class TurnResult:
    """`said` holds the sequence numbers of the bot's messages; `repeated` means that this very message was stored before."""

    chat: Chat
    handoff: Handoff
    said: tuple[int, ...]
    repeated: bool
    utterances: tuple[str, ...] = ()
    """What was decided to say."""


def pressed(understanding: Understanding, script: Script, text: str) -> Understanding:
    """A quick reply says exactly what it means; what the words themselves raised stays raised."""
    intent = script.quick_reply_intent(text)
    if intent is None:
        return understanding
    urgency = max(understanding.urgency, URGENCY_OF[intent])
    return Understanding(intent=intent, confidence=1.0, urgency=urgency, language="nl")


def take_turn(tx: Connection, runtime: Runtime, incoming: Incoming, understanding: Understanding, now: datetime) -> TurnResult:
    """Store one message and answer it. Locks the chat's row. Raises `NotFound` for an unknown gemeente or an erased chat."""
    chat, moved = _chat(tx, runtime, incoming, now)
    current = handoffs.open_of(tx, chat.id)
    if conversation.known(tx, chat, "child", incoming.external_id):
        return TurnResult(chat, current or handoffs.last_of(tx, chat.id), (), repeated=True)
    said = _turns(conversation.said(tx, chat.id))
    conversation.add_child_words(
        tx, runtime.vault, chat, external_id=incoming.external_id, text=incoming.text, reading=understanding.intent,
        urgency=understanding.urgency, language=understanding.language, now=now,
    )  # fmt: skip
    route = runtime.route(chat.municipality_id)
    item = handoffs.enqueue(
        tx, chat, urgency=understanding.urgency, route=route.id, step=route.step_at(0).to, now=now,
        due_at=next_due(route, waiting_since=now, told_from=now, told_minutes=0, now=now),
    )  # fmt: skip
    extra = incoming.utterances
    state = State(
        turns=said,
        claimed=item.state == "claimed",
        handed_off=current is not None and not moved,
        moved=moved,
        empty=not incoming.text.strip(),
        channel=extra.arrived() if chat.municipality_id == incoming.municipality_id else extra,
    )
    choices = {extra.fallback: extra.choices}
    decided = decide(state, understanding)
    seqs = [say(tx, runtime, chat, words, now=now, choices=choices.get(words, ())) for words in decided]
    return TurnResult(chat, item, tuple(seq for seq in seqs if seq is not None), repeated=False, utterances=decided)


def _chat(tx: Connection, runtime: Runtime, incoming: Incoming, now: datetime) -> tuple[Chat, bool]:
    """The child's chat, and whether it moved to another gemeente just now."""
    municipality = runtime.municipality(incoming.municipality_id)
    door = Door(incoming.channel, incoming.token, incoming.address)
    found = conversation.find(tx, runtime.vault, door, lock=True)
    if found is None:
        begun = conversation.begin(
            tx, runtime.vault, door, municipality_id=municipality.id, team_id=municipality.receiving_team.id,
            retention_days=municipality.retention_days, now=now, place=incoming.place, order=incoming.order,
        )  # fmt: skip
        return begun, False
    if incoming.known_texts is None or found.municipality_id == municipality.id:
        return found, False
    moved = rerouting.move(
        tx, runtime.vault, found, municipality_id=municipality.id, team_id=municipality.receiving_team.id, place=incoming.place,
        route=runtime.route(municipality.id), texts=incoming.known_texts, now=now,
    )  # fmt: skip
    return (conversation.get(tx, found.id), True) if moved else (found, False)


def _turns(said: list[tuple[int, str, str | None, int | None]]) -> tuple[tuple[str, ...], ...]:
    """The bot's utterances, grouped by the child's message that they followed."""
    turns: list[list[str]] = []
    for _, role, utterance, _ in said:
        if role == "child":
            turns.append([])
        elif role == "bot" and utterance and turns:
            turns[-1].append(utterance)
    return tuple(tuple(turn) for turn in turns)
