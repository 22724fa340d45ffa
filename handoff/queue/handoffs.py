"""The handoff queue: a child waits, one confidant takes over, and nobody ever holds the same child twice.

Every change of hands is one conditional statement whose row count is looked at; nothing is read first and written after.
`waiting_since` survives release, transfer and lapse: a child never loses its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff.chats.conversation import Chat, new_id
from handoff.database.prepared import Prepared, PreparedInsert
from handoff.errors import Conflict, NotFound
from handoff.events import announce, chat_topic, team_topic
from handoff.models import HANDOFF_WAITS, handoff

LEASE = timedelta(minutes=3)
"""A claim lives this long after the console's last sign of life, then the child is back in the queue."""


class Outcome(StrEnum):
    """How a conversation ended, as the confidant says; a closed list, so that no words of the child end up in it."""

    TALKED = "talked"
    APPOINTMENT = "appointment"
    VEILIG_THUIS = "veilig_thuis"
    EMERGENCY = "emergency"
    OTHER_HELP = "other_help"
    NO_REPLY = "no_reply"
    MISUSE = "misuse"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Handoff:
    """The bringing over of one child to a human, as it stands in its row."""

    id: str
    """A random public id."""
    conversation_id: str
    """The chat; at most one handoff of a chat is not closed."""
    municipality_id: str
    """The gemeente that the child came to."""
    team_id: str
    """Whose queue it stands in."""
    state: str
    """`waiting`, `claimed` or `closed`."""
    urgency: int
    """0 normal, 1 high, 2 acute; it only rises."""
    route: str
    """The id of the route by which people are turned to."""
    step: str
    """To whom the route has come: `team` or `fallback`."""
    told_minutes: int
    """After how many minutes the last waiting message was said; 0 when none was."""
    told_from: datetime
    """From when the waiting messages count: the opening, or the moment at which a human let go."""
    told_on_duty: bool
    """The last thing that the child heard of people is that somebody is there."""
    due_at: datetime | None
    """Waiting: when the loop looks at it next; None when nothing is to come, and when it does not wait."""
    opened_at: datetime
    """When the child wrote."""
    waiting_since: datetime
    """Its place in time, kept when a claim is given back."""
    claimed_by: str | None
    """The id of the person who reads it now."""
    asked_for: str | None
    """Transferred: the id of the colleague who should take it."""
    claimed_at: datetime | None
    """When it was taken."""
    lease_until: datetime | None
    """Claimed: when it goes back to the queue unless the console gives a sign of life."""
    closed_at: datetime | None
    """When it ended."""
    outcome: str | None
    """How it ended, one of `Outcome`."""


@dataclass(frozen=True, slots=True)
class QueueCount:
    """How full a team's queue is."""

    waiting: int
    """Children who wait."""
    acute: int
    """Those of them whose urgency is acute."""
    newest: datetime | None
    """When the last of them came into the queue, for the first time or again; None when nobody waits."""
    newest_acute: datetime | None
    """The same of those who are acute."""


_ROW = tuple(handoff.c[name] for name in Handoff.__dataclass_fields__)


def one_of(tx: Connection, *where: sa.ColumnElement[bool]) -> Handoff | None:
    """Return the handoff for which all of this holds, or None."""
    row = tx.execute(sa.select(*_ROW).where(*where)).first()
    return Handoff(**row._asdict()) if row else None


def open_of(tx: Connection, conversation_id: str) -> Handoff | None:
    """Return the one handoff of this chat that is not closed, if there is one."""
    return one_of(tx, handoff.c.conversation_id == conversation_id, handoff.c.state != "closed")


def get(tx: Connection, handoff_id: str) -> Handoff:
    """Return the handoff with this id. Raises `NotFound`. Only for code that has checked access: see `handoff.team.access`."""
    found = one_of(tx, handoff.c.id == handoff_id)
    if found is None:
        raise NotFound("no such handoff")
    return found


def _tell(tx: Connection, team_id: str, conversation_id: str, kind: str) -> None:
    announce(tx, team_topic(team_id), kind)
    announce(tx, chat_topic(conversation_id), "state")


def enqueue(
    tx: Connection,
    chat: Chat,
    current: Handoff | None,
    *,
    urgency: int,
    told_on_duty: bool | None,
    route: str,
    step: str,
    now: datetime,
    due_at: datetime | None,
) -> Handoff:
    """Open a handoff for this chat, or raise `current`, the one that is open; an alarm is never lowered (promise 8).

    `told_on_duty` says what the child was told of people just now: that somebody is there, that nobody is, or nothing (None).
    `due_at` is when something is due first for a child that waits from now. The caller holds the chat's row.
    """
    if current is None:
        return _open(tx, chat, urgency=urgency, told_on_duty=bool(told_on_duty), route=route, step=step, now=now, due_at=due_at)
    told = current.told_on_duty if told_on_duty is None or current.state != "waiting" else told_on_duty
    fresh = replace(current, urgency=max(urgency, current.urgency), told_on_duty=told)
    if fresh != current:
        _RAISE.run(tx, item=current.id, raised=fresh.urgency, told=told)
    if fresh.urgency != current.urgency:
        _tell(tx, chat.team_id, chat.id, "raised")
    return fresh


_RAISE = Prepared(
    handoff.update()
    .where(handoff.c.id == sa.bindparam("item"), handoff.c.urgency <= sa.bindparam("raised"))
    .values(urgency=sa.bindparam("raised"), told_on_duty=sa.bindparam("told"))
)
_OPEN = PreparedInsert(handoff, *Handoff.__dataclass_fields__)


def _open(
    tx: Connection, chat: Chat, *, urgency: int, told_on_duty: bool, route: str, step: str, now: datetime, due_at: datetime | None
) -> Handoff:
    item = Handoff(
        new_id(), chat.id, chat.municipality_id, chat.team_id, "waiting", urgency, route, step, told_minutes=0, told_from=now,
        told_on_duty=told_on_duty, due_at=due_at, opened_at=now, waiting_since=now, claimed_by=None, asked_for=None,
        claimed_at=None, lease_until=None, closed_at=None, outcome=None,
    )  # fmt: skip
    _OPEN.run(tx, {name: getattr(item, name) for name in Handoff.__dataclass_fields__})
    _tell(tx, chat.team_id, chat.id, "opened")
    return item


def claim(tx: Connection, *, handoff_id: str, person_id: str, now: datetime, lease: timedelta = LEASE) -> Handoff:
    """Take a waiting child. Raises `Conflict` when somebody else was first, also in the same millisecond."""
    free = (handoff.c.id == handoff_id, handoff.c.state == "waiting")
    values = {
        "state": "claimed", "claimed_by": person_id, "claimed_at": now, "lease_until": now + lease, "asked_for": None,
        "due_at": None,
    }  # fmt: skip
    if tx.execute(handoff.update().where(*free).values(**values)).rowcount != 1:
        raise Conflict("somebody else has this chat, or it was closed")
    taken = get(tx, handoff_id)
    _tell(tx, taken.team_id, taken.conversation_id, "claimed")
    return taken


def keep(tx: Connection, *, handoff_id: str, person_id: str, now: datetime, lease: timedelta = LEASE) -> bool:
    """Renew the lease: the console that holds the claim is alive. False when the claim is no longer this person's."""
    mine = _held(handoff_id, person_id)
    return tx.execute(handoff.update().where(*mine).values(lease_until=now + lease)).rowcount == 1


def _held(handoff_id: str, person_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (handoff.c.id == handoff_id, handoff.c.state == "claimed", handoff.c.claimed_by == person_id)


def _free(now: datetime) -> dict[str, object]:
    """Return what puts a child back in the queue, at its old place.

    What it hears of waiting starts anew, and is planned by the loop.
    """
    values = {"state": "waiting", "claimed_by": None, "claimed_at": None, "lease_until": None}
    return {**values, "told_minutes": 0, "told_from": now, "due_at": now}


def _let_go(tx: Connection, handoff_id: str, person_id: str, values: Mapping[str, object], kind: str) -> Handoff:
    if tx.execute(handoff.update().where(*_held(handoff_id, person_id)).values(**values)).rowcount != 1:
        raise Conflict("this chat is not yours any more")
    freed = get(tx, handoff_id)
    _tell(tx, freed.team_id, freed.conversation_id, kind)
    return freed


def release(tx: Connection, *, handoff_id: str, person_id: str, now: datetime) -> Handoff:
    """Give the child back to the queue, at its old place. Raises `Conflict` when it was not yours."""
    return _let_go(tx, handoff_id, person_id, {**_free(now), "asked_for": None}, "released")


def transfer(tx: Connection, *, handoff_id: str, person_id: str, to_person_id: str, now: datetime) -> Handoff:
    """Offer the child to a colleague. It waits in the queue, marked for them; anyone may still take it, so that it cannot
    get stuck with somebody who is away. Raises `Conflict` when it was not yours."""
    return _let_go(tx, handoff_id, person_id, {**_free(now), "asked_for": to_person_id}, "transferred")


def close(tx: Connection, *, handoff_id: str, person_id: str, outcome: Outcome, now: datetime) -> Handoff:
    """End it. The child may write again; that opens a new handoff. Raises `Conflict` when it was not yours."""
    values = {**_free(now), "state": "closed", "closed_at": now, "outcome": outcome.value, "due_at": None}
    return _let_go(tx, handoff_id, person_id, values, "closed")


def lapse(tx: Connection, *, handoff_id: str, now: datetime) -> bool:
    """Give back a child whose confidant vanished. False when the confidant came back, or another process did it first."""
    gone = (handoff.c.id == handoff_id, handoff.c.state == "claimed", handoff.c.lease_until <= now)
    if tx.execute(handoff.update().where(*gone).values(**_free(now))).rowcount != 1:
        return False
    item = get(tx, handoff_id)
    _tell(tx, item.team_id, item.conversation_id, "lapsed")
    return True


def waiting(tx: Connection, team_id: str, *, first: int | None = None, skip: int = 0) -> list[Handoff]:
    """Return who waits: urgency first, then longest waiting. At most `first` of them, after the `skip` that stand highest."""
    query = sa.select(*_ROW).where(handoff.c.team_id == team_id, handoff.c.state == "waiting")
    ranked = query.order_by(handoff.c.urgency.desc(), handoff.c.waiting_since, handoff.c.id)
    return [Handoff(**row._asdict()) for row in tx.execute(ranked.limit(first).offset(skip))]


def count_waiting(tx: Connection, team_id: str) -> QueueCount:
    """Return how many wait in this team, without their rows."""
    ours = (handoff.c.team_id == team_id, handoff.c.state == "waiting")
    query = sa.select(handoff.c.urgency, sa.func.count(), sa.func.max(handoff.c.told_from)).where(*ours).group_by(handoff.c.urgency)
    counts = {row[0]: row for row in tx.execute(query)}
    acute = counts.get(2)
    newest = max((row[2] for row in counts.values()), default=None)
    return QueueCount(sum(row[1] for row in counts.values()), acute[1] if acute else 0, newest, acute[2] if acute else None)


def held(tx: Connection, team_id: str) -> list[Handoff]:
    """Return who is with a confidant now, oldest claim first."""
    query = sa.select(*_ROW).where(handoff.c.team_id == team_id, handoff.c.state == "claimed")
    return [Handoff(**row._asdict()) for row in tx.execute(query.order_by(handoff.c.claimed_at))]


def all_waiting(tx: Connection) -> list[Handoff]:
    """Return everybody who waits, longest first. For a start and for changed routes, not for each second."""
    rows = tx.execute(sa.select(*_ROW).where(HANDOFF_WAITS).order_by(handoff.c.waiting_since))
    return [Handoff(**row._asdict()) for row in rows]


def note_duty(tx: Connection, conversation_id: str, claim: bool | None) -> None:  # noqa: FBT001 - it is a fact
    """Remember what the child was told of people just now: that somebody is there (`claim`), that nobody is, or nothing (None)."""
    if claim is not None:
        told = (handoff.c.conversation_id == conversation_id, HANDOFF_WAITS, handoff.c.told_on_duty.is_not(claim))
        tx.execute(handoff.update().where(*told).values(told_on_duty=claim))


def last_of(tx: Connection, conversation_id: str) -> Handoff:
    """Return the handoff of this chat that is open, else the newest. Raises `NotFound` when there never was one."""
    query = sa.select(*_ROW).where(handoff.c.conversation_id == conversation_id)
    row = tx.execute(query.order_by(handoff.c.closed_at.is_not(None), handoff.c.opened_at.desc()).limit(1)).first()
    if row is None:
        raise NotFound("no handoff")
    return Handoff(**row._asdict())
