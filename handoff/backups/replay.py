"""What was erased after a copy of the database was made is erased from the copy again, before anything serves.

The tombstones lie in the key directory (`handoff.crypto.tombstones`). `keep` brings them up to date with the database after every
erasure, `replay` brings a database that was put back up to date with them. Both may run at any time, and twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from config.limits import LONGEST_RETENTION
from handoff.chats.retention import GRACE, leap
from handoff.crypto import Tombstone, Vault
from handoff.events import ERASURES, announce, chat_topic, team_topic
from handoff.models import conversation, erased, event, handoff, person, session, shift, team

RECENT = timedelta(days=2)
"""How far back `keep` looks after an erasure; a start looks at everything."""

KEPT = timedelta(days=LONGEST_RETENTION) + GRACE
"""How long a tombstone is kept: then the key of the chat's day is gone from everywhere."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a database that was put back still had."""

    chats: int
    people: int
    teams: tuple[str, ...] = ()
    """Teams whose key was renewed since: theirs is refused until somebody accepts the older one (decision 0031)."""
    leapt: bool = False
    """It is so old that nothing ends until somebody says that the clock is right (decision 0032)."""

    def __bool__(self) -> bool:
        return bool(self.chats or self.people)


def keep(tx: Connection, vault: Vault, now: datetime, since: datetime | None = None) -> int:
    """Note what this database knows to be erased (with `since`: from then on) and not yet noted. Reads only; returns how many.

    Raises `StoreUnavailable` when the key directory cannot be written.
    """
    query = sa.select(erased.c.conversation_id, erased.c.up_to, erased.c.erased_at)
    by_day: dict[date, list[Tombstone]] = {}
    for row in tx.execute(query.where(erased.c.erased_at >= max(since or now - KEPT, now - KEPT))):
        day = row.erased_at.astimezone(UTC).date()
        by_day.setdefault(day, []).append(Tombstone(row.conversation_id, row.up_to))
    gone = tx.execute(sa.select(person.c.id).where(person.c.disabled_at.is_not(None))).scalars().all()
    books = vault.tombstones
    return sum(books.note_chats(day, chats) for day, chats in by_day.items()) + books.note_people(gone)


def replay(tx: Connection, vault: Vault, now: datetime) -> Replayed:
    """Erase what has a tombstone, and close the door again for who left. Raises `StoreUnavailable`."""
    return Replayed(_chats(tx, vault, now), _people(tx, vault, now), _behind(tx, vault), leap(tx, now) is not None)


def _chats(tx: Connection, vault: Vault, now: datetime) -> int:
    marks = vault.tombstones.chats()
    if not marks:
        return 0
    c = conversation.c
    there = [
        (row, vault.tombstones.mark("chat", row.id)) for row in tx.execute(sa.select(c.id, c.channel, c.child_auth, c.team_id))
    ]
    again = [(row, marks[mark]) for row, mark in there if mark in marks]
    for row, up_to in again:
        _erase(tx, row, up_to, now)
    return len(again)


def _erase(tx: Connection, row: sa.Row[str, str, bytes, str], up_to: int | None, now: datetime) -> None:
    """As the child's own erasure did: with a mark against late retries, and told to whoever has it open."""
    mine = (erased.c.channel == row.channel, erased.c.child_auth == row.child_auth, erased.c.conversation_id == row.id)
    if tx.execute(sa.select(erased.c.channel).where(*mine)).first() is None:
        values = {"channel": row.channel, "child_auth": row.child_auth, "conversation_id": row.id, "up_to": up_to}
        tx.execute(erased.insert().values(**values, erased_at=now))
    teams = set(tx.execute(sa.select(handoff.c.team_id).where(handoff.c.conversation_id == row.id)).scalars())
    tx.execute(conversation.delete().where(conversation.c.id == row.id))
    for topic in (chat_topic(row.id), ERASURES, *(team_topic(team_id) for team_id in {*teams, row.team_id})):
        announce(tx, topic, "erased")


def _people(tx: Connection, vault: Vault, now: datetime) -> int:
    marks = vault.tombstones.people()
    if not marks:
        return 0
    active = tx.execute(sa.select(person.c.id).where(person.c.disabled_at.is_(None))).scalars().all()
    back = [one for one in active if vault.tombstones.mark("person", one) in marks]
    for one in back:
        tx.execute(person.update().where(person.c.id == one).values(disabled_at=now))
        tx.execute(session.delete().where(session.c.person_id == one))
        tx.execute(shift.update().where(shift.c.person_id == one, shift.c.ends_at.is_(None)).values(ends_at=now))
    return len(back)


def _behind(tx: Connection, vault: Vault) -> tuple[str, ...]:
    found = tx.execute(sa.select(team.c.id, team.c.epoch).where(team.c.epoch > 0).order_by(team.c.id)).all()
    return tuple(row.id for row in found if vault.epochs.newest(row.id, row.epoch) > row.epoch)


def settle_tables(tx: Connection) -> None:
    """Take out of a copy what was true at that moment only: who was signed in and on duty, and what had to be told then."""
    tx.execute(session.delete())
    tx.execute(event.delete())
    tx.execute(shift.update().where(shift.c.ends_at.is_(None)).values(ends_at=shift.c.seen_at))
