"""What is past its day goes: first the key that opens it, then the rows. After the key is gone no backup brings it back.

A clock can be wrong, and what was destroyed by it is gone for good. So the last moment at which the clock was believed is kept in
the database; a clock that leapt ahead ends nothing until somebody says that it is right, and a day of the calendar takes the time
of a day. How, and why so: docs/decisions/0032-a-wrong-clock.md.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff import audit
from handoff.clock import AHEAD
from handoff.crypto import Vault
from handoff.events import announce, chat_topic, team_topic
from handoff.models import conversation, ended, handoff, installation, message

GRACE = timedelta(days=7)
"""How long after its last word a chat whose day is past may stay because a child waits or a human talks with it."""

LEAP = timedelta(days=2)
"""A clock that is further on than this since it was last believed has leapt: it is wrong, or nothing ran for so long."""

DAYS_AT_ONCE = 3
"""Expiry days that are ended in 24 hours, at most."""

WARNED = timedelta(days=7)
"""How long before an open chat goes its team is warned."""

ENDING_KEPT = timedelta(days=30)
"""How long whoever still looks for a chat is told that its time was over."""

_DAY = timedelta(days=1)


def leap(tx: Connection, now: datetime) -> timedelta | None:
    """Return by how much the clock has leapt since it was believed; None when it is believed now as well."""
    seen = tx.execute(sa.select(installation.c.last_seen_at)).scalar_one_or_none()
    return None if seen is None or now - seen <= LEAP else now - seen


def believe(tx: Connection, now: datetime) -> timedelta | None:
    """Do as `leap`, and keep `now` as the last moment at which the clock was believed, when it is. It never goes back by itself."""
    ahead = leap(tx, now)
    if ahead is None:
        later = sa.or_(installation.c.last_seen_at.is_(None), installation.c.last_seen_at < now)
        tx.execute(installation.update().where(later).values(last_seen_at=now))
    return ahead


def accept_clock(tx: Connection, now: datetime) -> None:
    """Somebody looked: the clock is right. Expiry goes on, at its own pace."""
    tx.execute(installation.update().values(last_seen_at=now))


def end_days(tx: Connection, now: datetime, buckets: Collection[str]) -> str:
    """Return the last expiry day whose time has come: of what is past, `DAYS_AT_ONCE` more in 24 hours, oldest first.

    `buckets` are the days whose key exists. Empty when no day's time has come yet.
    """
    row = tx.execute(sa.select(installation).with_for_update()).first()
    if row is None:
        return ""
    today, ended = _day(now), row.ended_up_to or ""
    past = conversation.c.expires_on < today
    days = {*buckets, *tx.execute(sa.select(conversation.c.expires_on).where(past).distinct()).scalars()}
    pending = sorted(day for day in days if ended < day < today)
    began, count = row.ending_since or now, row.days_ended
    if now - began >= _DAY:
        began, count = now, 0
    elif began > now + AHEAD:  # the clock was put back: what was ended before that counts
        began = now
    taken = pending[: max(0, DAYS_AT_ONCE - count)]
    if taken:
        count += len(taken)
        tx.execute(installation.update().values(ended_up_to=taken[-1], ending_since=began, days_ended=count))
    return taken[-1] if taken else ended


def days_in_use(tx: Connection, now: datetime) -> set[str]:
    """Return the past expiry days of chats that stay: nobody's words vanish under a conversation."""
    query = sa.select(conversation.c.expires_on).where(conversation.c.expires_on < _day(now), _stays(now))
    return set(tx.execute(query.distinct()).scalars())


def destroy_expired_keys(tx: Connection, vault: Vault, now: datetime, up_to: str) -> list[str]:
    """Destroy the expiry-bucket keys of every day before today (UTC) and up to `up_to` that is not in use. Returns them.

    Holds the rows of those days' chats: a message that comes at this moment is either seen and keeps its key, or finds it gone.
    """
    past = [day for day in vault.buckets() if day < _day(now) and day <= up_to]
    held = sa.select(conversation.c.id).where(conversation.c.expires_on.in_(past)).order_by(conversation.c.id)
    tx.execute(held.with_for_update(key_share=True)).all()
    in_use = days_in_use(tx, now) if past else set()
    gone = [day for day in past if day not in in_use]
    for day in gone:
        vault.destroy_bucket(day)
    return gone


def end_at_once(tx: Connection, vault: Vault, conversation_id: str, now: datetime) -> None:
    """Delete one chat whose key is gone, before `delete_expired` comes to it: its child writes again, and begins anew.

    The caller holds the chat's row.
    """
    _end_all(tx, vault, sa.select(*_OF_ENDING).where(conversation.c.id == conversation_id), now)


def delete_expired(tx: Connection, vault: Vault, now: datetime, up_to: str, limit: int = 50) -> int:
    """Delete at most `limit` chats whose day is ended, so that no child waits for a long clean-up. Returns how many."""
    past = (conversation.c.expires_on < _day(now), conversation.c.expires_on <= up_to, ~_stays(now))
    return _end_all(tx, vault, sa.select(*_OF_ENDING).where(*past).limit(limit), now)


_OF_ENDING = tuple(conversation.c[name] for name in ("id", "team_id", "municipality_id", "channel", "child_auth", "created_at"))


def _end_all(tx: Connection, vault: Vault, query: sa.Select[Any], now: datetime) -> int:
    rows = tx.execute(query).all()
    cut_short = [(row.municipality_id, handoff_id) for row in rows for handoff_id in _end(tx, row, now)]
    for gemeente, handoff_id in cut_short:  # last: whoever writes such a line makes others wait
        audit.note(
            tx, vault, now=now, municipality_id=gemeente, person_id=None, action=audit.ENDED, object_id=handoff_id, origin="loops"
        )
    return len(rows)


def _end(tx: Connection, row: Any, now: datetime) -> list[str]:
    """Delete one chat; who looks for it afterwards is told that its time was over. Returns its handoff, when that was open."""
    mine = (handoff.c.conversation_id == row.id, handoff.c.state != "closed")
    was_open = list(tx.execute(sa.select(handoff.c.id).where(*mine)).scalars())
    values = {"channel": row.channel, "child_auth": row.child_auth, "conversation_id": row.id, "ended_at": now}
    tx.execute(ended.insert().values(**values, municipality_id=row.municipality_id, days=max(0, (now - row.created_at).days)))
    tx.execute(conversation.delete().where(conversation.c.id == row.id))
    announce(tx, chat_topic(row.id), "erased")
    announce(tx, team_topic(row.team_id), "erased")
    return was_open


def forget_endings(tx: Connection, now: datetime) -> int:
    """Forget after `ENDING_KEPT` that there was a chat at all."""
    return tx.execute(ended.delete().where(ended.c.ended_at < now - ENDING_KEPT)).rowcount


def endings(tx: Connection, team_id: str, now: datetime) -> dict[str, datetime]:
    """Return when the open chats of a team go if nobody writes in them, by their handoff: those that go within `WARNED`."""
    words = sa.select(sa.func.max(message.c.created_at)).where(
        message.c.conversation_id == conversation.c.id, message.c.role != "bot"
    )
    query = (
        sa.select(handoff.c.id, conversation.c.expires_on, words.scalar_subquery().label("last"))
        .join(conversation, conversation.c.id == handoff.c.conversation_id)
        .where(conversation.c.expires_on <= _day(now + WARNED), handoff.c.team_id == team_id, handoff.c.state != "closed")
    )
    found = {row.id: max(_end_of(row.expires_on), (row.last or now) + GRACE) for row in tx.execute(query)}
    return {handoff_id: at for handoff_id, at in found.items() if at <= now + WARNED}


def _end_of(day: str) -> datetime:
    """The first moment after an expiry day."""
    return datetime.fromisoformat(day).replace(tzinfo=UTC) + _DAY


def _stays(now: datetime) -> sa.ColumnElement[bool]:
    """Somebody waits or talks there, and the last word is not older than the grace."""
    is_open = sa.exists().where(handoff.c.conversation_id == conversation.c.id, handoff.c.state != "closed")
    recent = (message.c.role != "bot", message.c.created_at > now - GRACE)
    return sa.and_(is_open, sa.exists().where(message.c.conversation_id == conversation.c.id, *recent))


def _day(at: datetime) -> str:
    return at.astimezone(UTC).date().isoformat()
