"""Who is on duty at this moment. True, not planned: an open shift whose console gave a sign of life just now (promise 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff.chats.conversation import new_id
from handoff.clock import AHEAD
from handoff.events import announce, team_topic
from handoff.models import person, shift

FRESH = timedelta(seconds=75)
"""A console beats every 25 seconds; after three missed beats nobody is there."""

ABANDONED = timedelta(minutes=15)
"""A shift whose console stayed silent this long has ended; until then a dip in the network does not end it."""


@dataclass(frozen=True, slots=True)
class OnDuty:
    """A confidant who is there now."""

    person_id: str
    """The person's id."""
    first_name: str
    """What colleagues and children call them."""


_OPEN = shift.c.ends_at.is_(None)


def _moment(name: str) -> sa.BindParameter[datetime]:
    return sa.bindparam(name, type_=shift.c.seen_at.type)


_FELL_SILENT = sa.select(shift.c.team_id).where(
    _OPEN, shift.c.seen_at > _moment("since_fresh"), shift.c.seen_at <= _moment("fresh")
)
_LEFT = sa.union(
    _FELL_SILENT,
    sa.select(shift.c.team_id).where(_OPEN, shift.c.seen_at > _moment("ahead")),
    sa.select(shift.c.team_id).where(shift.c.ends_at > _moment("since")),
)
_THERE = (
    sa.select(shift.c.team_id)
    .join(person, person.c.id == shift.c.person_id)
    .where(_OPEN, shift.c.seen_at > _moment("fresh"), shift.c.seen_at <= _moment("ahead"), person.c.disabled_at.is_(None))
    .distinct()
)
_ABANDONED = sa.select(shift.c.id).where(_OPEN, shift.c.seen_at <= _moment("abandoned"))


def start(tx: Connection, *, team_id: str, person_id: str, now: datetime) -> None:
    """Begin a shift, or go on with the one that is open."""
    if not beat(tx, team_id=team_id, person_id=person_id, now=now):
        values = {"id": new_id(), "team_id": team_id, "person_id": person_id, "starts_at": now, "seen_at": now}
        tx.execute(shift.insert().values(**values))
    announce(tx, team_topic(team_id), "duty")


def end(tx: Connection, *, team_id: str, person_id: str, now: datetime) -> None:
    """End the shift, if there is one."""
    tx.execute(shift.update().where(_of(team_id), shift.c.person_id == person_id).values(ends_at=now))
    announce(tx, team_topic(team_id), "duty")


def beat(tx: Connection, *, team_id: str, person_id: str, now: datetime) -> bool:
    """Note that the console of someone with an open shift is alive. False when there is no open shift."""
    done = tx.execute(shift.update().where(_of(team_id), shift.c.person_id == person_id).values(seen_at=now))
    return done.rowcount > 0


def on_duty(tx: Connection, team_id: str, now: datetime) -> list[OnDuty]:
    """Return everyone who is on duty now, by name. A sign of life from the future is none: the clock that gave it was wrong."""
    query = (
        sa.select(person.c.id, person.c.first_name)
        .join(shift, shift.c.person_id == person.c.id)
        .where(
            _of(team_id), shift.c.seen_at > now - FRESH, shift.c.seen_at <= now + AHEAD, person.c.disabled_at.is_(None)
        )
        .order_by(person.c.first_name)
    )  # fmt: skip
    return [OnDuty(row.id, row.first_name) for row in tx.execute(query)]


def is_manned(team_id: sa.ColumnElement[str]) -> sa.Exists:
    """Return the condition that somebody is on duty for a team of the surrounding statement (see `since_and_until`)."""
    return sa.exists().where(
        shift.c.team_id == team_id, _OPEN, shift.c.seen_at > _moment("fresh"), shift.c.seen_at <= _moment("ahead"),
        shift.c.person_id == person.c.id, person.c.disabled_at.is_(None),
    )  # fmt: skip


def since_and_until(now: datetime) -> dict[str, datetime]:
    """Return the parameters of `is_manned`: between which moments a sign of life counts."""
    return {"fresh": now - FRESH, "ahead": now + AHEAD}


def teams_on_duty(tx: Connection, now: datetime) -> frozenset[str]:
    """Return the teams of which somebody is on duty now, by one look at the open shifts."""
    return frozenset(tx.execute(_THERE, since_and_until(now)).scalars())


def _of(team_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(shift.c.team_id == team_id, _OPEN)


def has_shift(tx: Connection, *, team_id: str, person_id: str) -> bool:
    """Return whether this person said 'I am on duty' and did not end it."""
    return tx.execute(sa.select(shift.c.id).where(_of(team_id), shift.c.person_id == person_id)).first() is not None


def left(tx: Connection, *, since: datetime, now: datetime) -> Sequence[str]:
    """Return the teams where a shift ended or fell silent after `since`, or has a sign of life from the future."""
    moments = {"since": since, "since_fresh": since - FRESH, "fresh": now - FRESH, "ahead": now + AHEAD}
    return tx.execute(_LEFT, moments).scalars().all()


def silent(tx: Connection, *, since: datetime, now: datetime) -> bool:
    """Return whether a console stopped beating after `since`, or a shift is so long silent that it has ended."""
    moments = {"since_fresh": since - FRESH, "fresh": now - FRESH, "abandoned": now - ABANDONED}
    return bool(tx.execute(sa.select(sa.or_(_FELL_SILENT.exists(), _ABANDONED.exists())), moments).scalar_one())


def tell_silent(tx: Connection, *, since: datetime, now: datetime) -> None:
    """Tell the queue of consoles that stopped beating between `since` and `now`, and end shifts that nobody came back to."""
    for team_id in tx.execute(_FELL_SILENT.distinct(), {"since_fresh": since - FRESH, "fresh": now - FRESH}).scalars().all():
        announce(tx, team_topic(team_id), "duty")
    tx.execute(shift.update().where(shift.c.id.in_(_ABANDONED)).values(ends_at=now), {"abandoned": now - ABANDONED})
