"""Who is on duty at this moment. True, not planned: an open shift whose console gave a sign of life just now (promise 5)."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff.chats.conversation import new_id
from handoff.events import announce, team_topic
from handoff.models import person, shift

FRESH = timedelta(seconds=75)
"""A console beats every 25 seconds; after three missed beats nobody is there."""

ABANDONED = timedelta(minutes=15)
"""A shift whose console stayed silent this long has ended; until then a dip in the network does not end it."""


def _open(team_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(shift.c.team_id == team_id, shift.c.ends_at.is_(None))


def start(tx: Connection, *, team_id: str, person_id: str, now: datetime) -> None:
    """Begin a shift, or go on with the one that is open."""
    if not beat(tx, team_id=team_id, person_id=person_id, now=now):
        values = {"id": new_id(), "team_id": team_id, "person_id": person_id, "starts_at": now, "seen_at": now}
        tx.execute(shift.insert().values(**values))
    announce(tx, team_topic(team_id), "duty")


def end(tx: Connection, *, team_id: str, person_id: str, now: datetime) -> None:
    """End the shift, if there is one."""
    tx.execute(shift.update().where(_open(team_id), shift.c.person_id == person_id).values(ends_at=now))
    announce(tx, team_topic(team_id), "duty")


def beat(tx: Connection, *, team_id: str, person_id: str, now: datetime) -> bool:
    """The console of someone with an open shift is alive. False when there is no open shift."""
    done = tx.execute(shift.update().where(_open(team_id), shift.c.person_id == person_id).values(seen_at=now))
    return done.rowcount > 0


def on_duty(tx: Connection, team_id: str, now: datetime) -> list[tuple[str, str]]:
    """(person id, first name) of everyone on duty now, by name."""
    query = (
        sa.select(person.c.id, person.c.first_name)
        .join(shift, shift.c.person_id == person.c.id)
        .where(_open(team_id), shift.c.seen_at > now - FRESH, person.c.disabled_at.is_(None))
        .order_by(person.c.first_name)
    )
    return [(row.id, row.first_name) for row in tx.execute(query)]


def has_shift(tx: Connection, *, team_id: str, person_id: str) -> bool:
    """Whether this person said 'I am on duty' and did not end it."""
    return tx.execute(sa.select(shift.c.id).where(_open(team_id), shift.c.person_id == person_id)).first() is not None


def tell_silent(tx: Connection, *, since: datetime, now: datetime) -> None:
    """Tell the queue of consoles that stopped beating between `since` and `now`, and end shifts that nobody came back to."""
    silent = (shift.c.ends_at.is_(None), shift.c.seen_at > since - FRESH, shift.c.seen_at <= now - FRESH)
    for team_id in tx.execute(sa.select(shift.c.team_id).where(*silent).distinct()).scalars().all():
        announce(tx, team_topic(team_id), "duty")
    tx.execute(shift.update().where(shift.c.ends_at.is_(None), shift.c.seen_at <= now - ABANDONED).values(ends_at=now))
