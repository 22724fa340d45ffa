"""What is past its day goes: first the key that opens it, then the rows. After the key is gone no backup brings it back."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff.events import announce, chat_topic
from handoff.models import conversation
from handoff.vault import Vault


def destroy_expired_keys(vault: Vault, now: datetime) -> list[str]:
    """Destroy the expiry-bucket keys of every day before today (UTC). Returns those days."""
    today = now.astimezone(UTC).date().isoformat()
    gone = [day for day in vault.buckets() if day < today]
    for day in gone:
        vault.destroy_bucket(day)
    return gone


def delete_expired(tx: Connection, now: datetime, limit: int = 200) -> int:
    """Delete at most `limit` chats whose day is past, so that no child waits for a long clean-up. Returns how many."""
    today = now.astimezone(UTC).date().isoformat()
    ids = tx.execute(sa.select(conversation.c.id).where(conversation.c.expires_on < today).limit(limit)).scalars().all()
    for conversation_id in ids:
        tx.execute(conversation.delete().where(conversation.c.id == conversation_id))
        announce(tx, chat_topic(conversation_id), "erased")
    return len(ids)
