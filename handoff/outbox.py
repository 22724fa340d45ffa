"""What waits to go out to a child, in order, until it has arrived or can never arrive.

A web page collects its messages itself and confirms the last sequence number that it showed. A push channel (Telegram) is
sent to by `bot.delivery`; a human's words wait here sealed to the delivery key and are wiped the moment they have gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff.events import announce, chat_topic
from handoff.models import conversation, message, outbox

BACKOFF_S = (1, 2, 5, 15, 60, 300)
"""Seconds to wait after the first, second, ... failed attempt; the last one repeats."""

LOAN = timedelta(minutes=4)
"""How long a process may take over the parcels that it took; a send gives up long before (bot.channels)."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message to push. `utterance` is None for a human's words, which are in `sealed`."""

    id: int
    conversation_id: str
    seq: int
    attempts: int
    sealed: bytes | None
    address: bytes
    utterance: str | None
    variant: int | None
    script_version: str | None
    person_id: str | None


def put(tx: Connection, conversation_id: str, seq: int, channel: str, *, sealed: bytes | None, now: datetime) -> None:
    """Let message `seq` wait for delivery."""
    tx.execute(outbox.insert().values(conversation_id=conversation_id, seq=seq, channel=channel, sealed=sealed, due_at=now))


def confirm(tx: Connection, conversation_id: str, up_to: int, now: datetime) -> None:
    """Everything up to sequence number `up_to` is on the child's screen. Repeating it, or confirming less, changes nothing."""
    where = (outbox.c.conversation_id == conversation_id, outbox.c.seq <= up_to, outbox.c.delivered_at.is_(None))
    done = tx.execute(outbox.update().where(*where, outbox.c.failed_at.is_(None)).values(delivered_at=now, sealed=None))
    if done.rowcount:
        announce(tx, chat_topic(conversation_id), "delivered")


def states(tx: Connection, conversation_id: str) -> dict[int, str]:
    """For every outgoing message: `waiting`, `delivered` or `failed`."""
    columns = (outbox.c.seq, outbox.c.delivered_at, outbox.c.failed_at)
    rows = tx.execute(sa.select(*columns).where(outbox.c.conversation_id == conversation_id))
    return {r.seq: "delivered" if r.delivered_at else "failed" if r.failed_at else "waiting" for r in rows}


def due(tx: Connection, channel: str, now: datetime, limit: int = 50) -> list[Parcel]:
    """The oldest waiting message of each chat of a push channel, when its time has come: order within a chat is kept."""
    waiting = sa.and_(outbox.c.channel == channel, outbox.c.delivered_at.is_(None), outbox.c.failed_at.is_(None))
    first = sa.select(sa.func.min(outbox.c.id)).where(waiting).group_by(outbox.c.conversation_id)
    query = (
        sa.select(
            outbox.c.id, outbox.c.conversation_id, outbox.c.seq, outbox.c.attempts, outbox.c.sealed, conversation.c.address,
            message.c.utterance, message.c.variant, message.c.script_version, message.c.person_id,
        )
        .join(conversation, conversation.c.id == outbox.c.conversation_id)
        .join(message, sa.and_(message.c.conversation_id == outbox.c.conversation_id, message.c.seq == outbox.c.seq))
        .where(outbox.c.id.in_(first), outbox.c.due_at <= now)
        .order_by(outbox.c.id)
        .limit(limit)
    )  # fmt: skip
    if tx.dialect.name == "postgresql":
        query = query.with_for_update(of=outbox, skip_locked=True)
    return [Parcel(**row._asdict()) for row in tx.execute(query)]


def lend(tx: Connection, parcel: Parcel, now: datetime) -> None:
    """Note an attempt before it is made, and keep other processes off it for `LOAN`: longer than any attempt takes.

    A process that dies while sending is followed by another after the loan.
    """
    values = {"attempts": parcel.attempts + 1, "due_at": now + LOAN}
    tx.execute(outbox.update().where(outbox.c.id == parcel.id).values(**values))


def retry(tx: Connection, parcel: Parcel, now: datetime) -> None:
    """It did not go out this time: once more after a wait that grows with the attempts."""
    postpone(tx, parcel, now + timedelta(seconds=BACKOFF_S[min(parcel.attempts, len(BACKOFF_S) - 1)]))


def delivered(tx: Connection, parcel: Parcel, now: datetime, *, provider_id: int | None = None) -> None:
    """It has gone out: its words are wiped. `provider_id` is the channel's own number of it, to delete it there one day."""
    _end(tx, parcel, delivered_at=now, provider_id=provider_id)


def failed(tx: Connection, parcel: Parcel, now: datetime) -> None:
    """It can never arrive (blocked, gone): its words are wiped and the confidant sees it."""
    _end(tx, parcel, failed_at=now)


def postpone(tx: Connection, parcel: Parcel, until: datetime) -> None:
    """The channel asked us to wait."""
    tx.execute(outbox.update().where(outbox.c.id == parcel.id).values(due_at=until))


def provider_ids(tx: Connection, conversation_id: str, since: datetime) -> list[int]:
    """The channel's own numbers of what went out in this chat since then."""
    mine = (outbox.c.conversation_id == conversation_id, outbox.c.delivered_at >= since, outbox.c.provider_id.is_not(None))
    return list(tx.execute(sa.select(outbox.c.provider_id).where(*mine)).scalars())


def _end(tx: Connection, parcel: Parcel, **values: datetime | int | None) -> None:
    tx.execute(outbox.update().where(outbox.c.id == parcel.id).values(sealed=None, **values))
    announce(tx, chat_topic(parcel.conversation_id), "delivered")
