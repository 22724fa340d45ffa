"""What is due in the queue: the loops ask for it by index, lock it, and look at it once (decision 0023).

Lock order as everywhere: the conversation's row first. The row lock is the lease: another process steps over what is locked,
and what a process that died had locked is free again with nothing of it done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff.chats import conversation as chats
from handoff.chats.conversation import Chat
from handoff.clock import AHEAD
from handoff.database.prepared import Prepared
from handoff.models import HANDOFF_IS_CLAIMED, HANDOFF_WAITS, conversation, handoff
from handoff.queue import roster
from handoff.queue.handoffs import LEASE, Handoff

PUT_OFF = timedelta(seconds=30)
"""How long a child that could not be told stands back, so that it keeps nobody else waiting."""

_NOW = sa.bindparam("now", type_=handoff.c.due_at.type)
_DUE = sa.and_(HANDOFF_WAITS, handoff.c.due_at <= _NOW)
_LAPSED = sa.and_(HANDOFF_IS_CLAIMED, handoff.c.lease_until <= _NOW)
_ANYTHING = sa.select(sa.or_(sa.exists().where(_DUE), sa.exists().where(_LAPSED)))


def anything(tx: Connection, now: datetime) -> bool:
    """Return whether somebody waits for whom something is due, or a claim has lapsed. What an idle second asks."""
    return bool(tx.execute(_ANYTHING, {"now": now}).scalar_one())


def take_waiting(tx: Connection, now: datetime, limit: int) -> list[str]:
    """Return the ids of at most `limit` waiting handoffs for which something is due, longest due first.

    Locks their chats until the transaction ends, and leaves out those that another transaction holds.
    """
    return _take(tx, _DUE, handoff.c.due_at, now, limit)


def take_lapsed(tx: Connection, now: datetime, limit: int) -> list[str]:
    """Do the same for claims whose confidant gave no sign of life for a whole lease."""
    return _take(tx, _LAPSED, handoff.c.lease_until, now, limit)


def _take(tx: Connection, where: Any, order: sa.ColumnElement[datetime], now: datetime, limit: int) -> list[str]:
    query = (
        sa.select(handoff.c.id)
        .join(conversation, conversation.c.id == handoff.c.conversation_id)
        .where(where)
        .order_by(order)
        .limit(limit)
    )
    if tx.dialect.name == "postgresql":
        query = query.with_for_update(of=conversation, skip_locked=True)
    return list(tx.execute(query, {"now": now}).scalars())


@dataclass(frozen=True, slots=True)
class Due:
    """Somebody for whom something is due, as it stands under the lock."""

    handoff: Handoff
    chat: Chat
    on_duty: bool
    """Whether a human of the team is there now."""


_HANDOFF_FIELDS, _CHAT_FIELDS = tuple(Handoff.__dataclass_fields__), tuple(Chat.__dataclass_fields__)
_WAITING = Prepared(
    sa.select(
        *(handoff.c[name].label(f"handoff_{name}") for name in _HANDOFF_FIELDS), *chats.COLUMNS,
        roster.is_manned(handoff.c.team_id).correlate(handoff).label("on_duty"),
    )
    .join(conversation, conversation.c.id == handoff.c.conversation_id)
    .where(handoff.c.id == sa.bindparam("this"), _DUE)
)  # fmt: skip
_PLAN = Prepared(
    handoff.update()
    .where(handoff.c.id == sa.bindparam("this"), HANDOFF_WAITS)
    .values(
        step=sa.bindparam("reached"), told_minutes=sa.bindparam("minutes"), told_on_duty=sa.bindparam("there"),
        due_at=sa.bindparam("next"),
    )
)  # fmt: skip


def waiting(tx: Connection, handoff_id: str, now: datetime) -> Due | None:
    """Return a handoff that was taken, read anew; None when another process was first and nothing is due any more."""
    row = _WAITING.first(tx, this=handoff_id, now=now, **roster.since_and_until(now))
    if row is None:
        return None
    edge = len(_HANDOFF_FIELDS)
    return Due(Handoff(*row[:edge]), Chat(*row[edge : edge + len(_CHAT_FIELDS)]), bool(row.on_duty))


def plan(tx: Connection, item: Handoff, *, step: str, told_minutes: int, told_on_duty: bool, due_at: datetime | None) -> None:
    """Note how far route and waiting messages have come, what the child was told of people, and when to look again."""
    _PLAN.run(tx, this=item.id, reached=step, minutes=told_minutes, there=told_on_duty, next=due_at)


def put_off(tx: Connection, handoff_id: str, until: datetime) -> None:
    """Let a waiting one rest until `until`: it could not be done."""
    tx.execute(handoff.update().where(handoff.c.id == handoff_id, HANDOFF_WAITS).values(due_at=until))


_TOLD = sa.and_(HANDOFF_WAITS, handoff.c.told_on_duty.is_(True))


def told_teams(tx: Connection) -> Sequence[str]:
    """Return the teams of children who wait and were told that somebody is there.

    Reads all of those: for a start, not for each second.
    """
    return tx.execute(sa.select(handoff.c.team_id).where(_TOLD).distinct()).scalars().all()


def hope_ended(tx: Connection, team_id: str, now: datetime) -> int:
    """Have every child looked at now that was told that somebody is there, because the last confidant of the team went away.

    Returns how many.
    """
    later = sa.or_(handoff.c.due_at.is_(None), handoff.c.due_at > now)
    return tx.execute(handoff.update().where(_TOLD, handoff.c.team_id == team_id, later).values(due_at=now)).rowcount


def bring_forward(tx: Connection, moments: Mapping[str, datetime]) -> None:
    """Look at these handoffs, by id, no later than at these moments."""
    moment = sa.bindparam("moment", type_=handoff.c.due_at.type)
    later = sa.or_(handoff.c.due_at.is_(None), handoff.c.due_at > moment)
    this = handoff.update().where(handoff.c.id == sa.bindparam("this"), HANDOFF_WAITS, later).values(due_at=moment)
    if moments:
        tx.execute(this, [{"this": found, "moment": at} for found, at in moments.items()])


def set_right(tx: Connection, now: datetime) -> int:
    """Let what lies further ahead than it can count from now: a clock was put back. Returns how many rows.

    A lease longer than a lease is a whole one from now. Who seems to wait since the future waits since now; those who wrote
    before them keep their distance. Reads all open handoffs: for a start and a jump, not for each second.
    """
    ahead = handoff.c.lease_until > now + LEASE + AHEAD
    void = tx.execute(handoff.update().where(HANDOFF_IS_CLAIMED, ahead).values(lease_until=now + LEASE)).rowcount
    waiting_since, told_from = handoff.c.waiting_since, handoff.c.told_from
    back = _bring_back(tx, HANDOFF_WAITS, waiting_since, now) + _bring_back(tx, HANDOFF_IS_CLAIMED, waiting_since, now)
    return void + back + _bring_back(tx, HANDOFF_WAITS, told_from, now)


def _bring_back(tx: Connection, state: sa.ColumnElement[bool], column: sa.Column[datetime], now: datetime) -> int:
    rows = tx.execute(sa.select(handoff.c.id, column).where(state, column > now + AHEAD)).all()
    if not rows:
        return 0
    by = max(moment for _, moment in rows) - now + timedelta.resolution  # before who comes now
    planned = sa.case((HANDOFF_WAITS, sa.literal(now, handoff.c.due_at.type)), else_=handoff.c.due_at)
    change = handoff.update().where(handoff.c.id == sa.bindparam("this"))
    moved = change.values({column: sa.bindparam("moment"), handoff.c.due_at: planned})
    tx.execute(moved, [{"this": row_id, "moment": moment - by} for row_id, moment in rows])
    return len(rows)
