"""What a child can do, whatever the channel: send, look, confirm what it saw, erase everything.

Each function is one use case; the caller owns the transaction. All but `send` raise `NotFound` for a token that opens nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from bot.message import Incoming
from bot.turn import take_turn
from handoff import transcript
from handoff.chats import conversation, outbox
from handoff.chats.conversation import Chat, Door
from handoff.errors import NotFound, StoreUnavailable
from handoff.events import announce, team_topic
from handoff.places import municipalities
from handoff.queue import handoffs, roster
from handoff.runtime import Runtime
from handoff.transcript import Line
from nlu.understanding import Understanding


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A chat as its child sees it. `state` is `waiting`, `claimed` or `closed`; `confidant` the first name of who reads now."""

    conversation_id: str
    lines: list[Line]
    state: str
    confidant: str | None
    on_duty: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """How a chat stands, without its words."""

    state: str
    """`waiting`, `claimed` or `closed`."""
    confidant: str | None
    """The first name of who reads now."""


def send(
    tx: Connection, runtime: Runtime, incoming: Incoming, understanding: Understanding, now: datetime, *, after: int = 0
) -> Snapshot:
    """Take a turn and show what came after sequence number `after`."""
    take_turn(tx, runtime, incoming, understanding, now)
    return look(tx, runtime, Door(incoming.channel, incoming.token), now, after=after)


def look(tx: Connection, runtime: Runtime, door: Door, now: datetime, *, after: int = 0) -> Snapshot:
    """What stands in the chat after sequence number `after`, opened with the child's own token."""
    chat = _chat(tx, runtime, door)
    lines = transcript.lines(tx, runtime, chat, runtime.vault.child_key(door.token), after=after)
    item = handoffs.last_of(tx, chat.id)
    there = bool(roster.on_duty(tx, chat.team_id, now))
    return Snapshot(chat.id, lines, item.state, conversation.first_name(tx, item.claimed_by), there)


def standing(tx: Connection, conversation_id: str) -> Standing:
    """How this chat stands; opens nothing. Raises `NotFound` when it was erased."""
    item = handoffs.last_of(tx, conversation_id)
    return Standing(item.state, conversation.first_name(tx, item.claimed_by))


def confirm(tx: Connection, runtime: Runtime, door: Door, seq: int, now: datetime) -> None:
    """The page shows everything up to `seq`; also a sign of life, which the confidant sees."""
    chat = _chat(tx, runtime, door)
    conversation.seen(tx, chat, now)
    outbox.confirm(tx, chat.id, seq, now)


def erase(
    tx: Connection, runtime: Runtime, door: Door, now: datetime, *, up_to: int | None = None, by_edit: int | None = None
) -> None:
    """'Wis alles': keys, words and handoff are gone when this commits; a confidant who had it open sees that it is gone."""
    for team_id in conversation.erase(tx, runtime.vault, door, now=now, up_to=up_to, by_edit=by_edit):
        announce(tx, team_topic(team_id), "erased")


def find(tx: Connection, runtime: Runtime, door: Door) -> tuple[str, str]:
    """(conversation id, team id) behind a token, to listen to."""
    chat = _chat(tx, runtime, door)
    return chat.id, chat.team_id


def somebody_there(tx: Connection, runtime: Runtime, municipality_id: str, now: datetime) -> bool:
    """Whether a confidant of this gemeente is on duty at this moment.

    Raises `StoreUnavailable` when its team has no key yet: nothing can be sealed for it, so no words may be taken (promise 1).
    """
    if not municipalities.can_seal(tx, municipality_id):
        raise StoreUnavailable("this gemeente has no confidant yet")
    return bool(roster.on_duty(tx, runtime.municipality(municipality_id).receiving_team.id, now))


def _chat(tx: Connection, runtime: Runtime, door: Door) -> Chat:
    chat = conversation.find(tx, runtime.vault, door)
    if chat is None:
        raise NotFound("no such conversation")
    return chat
