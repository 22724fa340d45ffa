"""What a child can do, whatever the channel: send, look, confirm what it saw, erase everything.

Each function is one use case; the caller owns the transaction. All but `send` raise `NotFound` for a token that opens nothing
(`Ended` when its time was over).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from bot.message import Incoming
from bot.turn import take_turn
from handoff import audit, transcript
from handoff.chats import conversation, outbox
from handoff.chats.conversation import Chat, Door, Erased
from handoff.errors import NotFound, StoreUnavailable
from handoff.events import announce, team_topic
from handoff.places import municipalities
from handoff.queue import arrival, handoffs, roster
from handoff.queue.arrival import Arrival
from handoff.runtime import Runtime
from handoff.transcript import Line
from nlu.understanding import Understanding


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A chat as its child sees it."""

    conversation_id: str
    lines: list[Line]
    state: str
    """`waiting`, `claimed` or `closed`."""
    confidant: str | None
    """The first name of who reads now."""
    on_duty: bool
    own_ids: dict[int, str]
    """The child's own id of each of its messages among the lines, by sequence number."""
    whole: bool = True
    """Whether the lines are all that came; False: none were read, only that the message was stored is known."""


@dataclass(frozen=True, slots=True)
class Listening:
    """What tells of changes in a chat."""

    conversation_id: str
    team_id: str


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
    known = take(tx, runtime, incoming, understanding, now, after=after)
    return known if known.whole else look(tx, runtime, Door(incoming.channel, incoming.token), now, after=after)


def take(
    tx: Connection, runtime: Runtime, incoming: Incoming, understanding: Understanding, now: datetime, *, after: int = 0
) -> Snapshot:
    """Take a turn. What came after sequence number `after` is known when that is exactly this turn: nothing is read again.

    Without lines, and not `whole`, when it is not: then `look`, after the commit and where nobody waits for it. A long chat takes
    long to open.

    Raises `NotFound` for a page that shows more than there is: it would not show what is said in a chat that began anew, or is an
    older one.
    """
    done = take_turn(tx, runtime, incoming, understanding, now)
    if after > done.before:
        raise NotFound("the page shows another conversation")
    if done.repeated or after != done.before:
        return Snapshot(done.chat.id, [], done.handoff.state, done.confidant, done.on_duty, {}, whole=False)
    lines = transcript.of_turn(done.chat, incoming.text, int(understanding.urgency), done.sentences, done.wording)
    own_ids = {lines[0].seq: incoming.external_id}
    return Snapshot(done.chat.id, lines, done.handoff.state, done.confidant, done.on_duty, own_ids)


def look(
    tx: Connection, runtime: Runtime, door: Door, now: datetime, *, after: int = 0, municipality_id: str | None = None
) -> Snapshot:
    """Show what stands in the chat after sequence number `after`, opened with the child's own token.

    With `municipality_id`, a chat of another gemeente is not found. Raises `NotFound` for a page that shows more than there is.
    """
    found = _arrival(tx, runtime, door, now, municipality_id)
    chat = found.chat
    if after > chat.last_seq:
        raise NotFound("the page shows another conversation")
    item = found.handoff or handoffs.last_of(tx, chat.id)
    read = transcript.read(tx, runtime, chat, found.scope, found.key.no, runtime.vault.child_key(door.token), after=after)
    return Snapshot(chat.id, read.lines, item.state, found.confidant, found.on_duty, read.own_ids)


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
) -> Erased:
    """'Wis alles': keys, words and handoff are gone when this commits; a confidant who had it open is told that the child did it.

    Where a human had read, the log keeps that the child erased it: without a word, and only for who asks for that handoff.
    """
    gone = conversation.erase(tx, runtime.vault, door, now=now, up_to=up_to, by_edit=by_edit)
    for team_id in gone.teams:
        announce(tx, team_topic(team_id), "erased")
    for handoff_id in gone.handoffs if gone.was_read else ():
        audit.note(
            tx,
            runtime.vault,
            now=now,
            municipality_id=gone.municipality_id,
            person_id=None,
            action=audit.ERASED,
            object_id=handoff_id,
            origin="child",
        )
    return gone


def find(tx: Connection, runtime: Runtime, door: Door, *, municipality_id: str | None = None) -> Listening:
    """Return what to listen to behind a token."""
    chat = _chat(tx, runtime, door, municipality_id)
    return Listening(chat.id, chat.team_id)


def somebody_there(tx: Connection, runtime: Runtime, municipality_id: str, now: datetime) -> bool:
    """Whether a confidant of this gemeente is on duty at this moment.

    Raises `StoreUnavailable` when its team has no key yet or the key folder is away: nothing can be sealed, so no words may be
    taken, and no page may invite to type (promise 1).
    """
    runtime.vault.key_files.see()
    if not municipalities.can_seal(tx, municipality_id):
        raise StoreUnavailable("this gemeente has no confidant yet")
    return bool(roster.on_duty(tx, runtime.municipality(municipality_id).receiving_team.id, now))


def _arrival(tx: Connection, runtime: Runtime, door: Door, now: datetime, municipality_id: str | None) -> Arrival:
    found = arrival.find(tx, runtime.vault, door, now)
    if found is None:
        conversation.demand_not_ended(tx, runtime.vault, door, municipality_id)
    if found is None or municipality_id not in (None, found.chat.municipality_id):
        raise NotFound("no such conversation")
    return found


def _chat(tx: Connection, runtime: Runtime, door: Door, municipality_id: str | None = None) -> Chat:
    chat = conversation.find(tx, runtime.vault, door)
    if chat is None:
        conversation.demand_not_ended(tx, runtime.vault, door, municipality_id)
    if chat is None or municipality_id not in (None, chat.municipality_id):
        raise NotFound("no such conversation")
    return chat
