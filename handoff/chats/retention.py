"""What is past its day goes: first the key that opens it, then the rows. After the key is gone no backup brings it back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff.crypto import Vault
from handoff.events import announce, chat_topic
from handoff.models import conversation, handoff

GRACE = timedelta(days=7)
"""How long a chat whose day is past may stay because a child still waits or a human still talks with it."""


def days_in_use(tx: Connection) -> set[str]:
    """Return the expiry days of chats with an open handoff: nobody's words vanish under a conversation."""
    query = sa.select(conversation.c.expires_on).join(handoff, handoff.c.conversation_id == conversation.c.id)
    return set(tx.execute(query.where(handoff.c.state != "closed").distinct()).scalars())


def destroy_expired_keys(vault: Vault, now: datetime, in_use: set[str]) -> list[str]:
    """Destroy the expiry-bucket keys of every day before today (UTC), a day that is `in_use` after its grace. Returns them."""
    today, last = _day(now), _day(now - GRACE)
    gone = [day for day in vault.buckets() if day < (last if day in in_use else today)]
    for day in gone:
        vault.destroy_bucket(day)
    return gone


def delete_expired(tx: Connection, now: datetime, limit: int = 50) -> int:
    """Delete at most `limit` chats whose day is past, so that no child waits for a long clean-up. Returns how many."""
    busy = sa.exists().where(handoff.c.conversation_id == conversation.c.id, handoff.c.state != "closed")
    past = (conversation.c.expires_on < _day(now), sa.or_(conversation.c.expires_on < _day(now - GRACE), ~busy))
    ids = tx.execute(sa.select(conversation.c.id).where(*past).limit(limit)).scalars().all()
    for conversation_id in ids:
        tx.execute(conversation.delete().where(conversation.c.id == conversation_id))
        announce(tx, chat_topic(conversation_id), "erased")
    return len(ids)


def _day(at: datetime) -> str:
    return at.astimezone(UTC).date().isoformat()
