"""What waits to go out to a child, in order, until it has arrived or can never arrive.

A web page collects its messages itself and confirms the last sequence number that it showed. A push channel is
sent to by `bot.delivery`; a human's words wait here sealed to the delivery key and are wiped the moment they have gone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff.events import announce, chat_topic
from handoff.models import conversation, message, outbox

BACKOFF_S = (1, 2, 5, 15, 30)
"""Seconds to wait after the first, second, ... failure; the last one repeats. Short: after an outage the first word of a bot
that a child has been waiting for must come within half a minute."""

LOAN = timedelta(seconds=60)
"""How long a process may take over one parcel, counted from just before it sends; a send gives up before (bot.channels). After
it another process takes over from one that died."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message to push. `utterance` is None for a human's words, which are in `sealed`. `attempts` counts failures."""

    id: int
    conversation_id: str
    seq: int
    attempts: int
    due_at: datetime
    sealed: bytes | None
    provider_ids: str | None
    address: bytes
    child_auth: bytes
    gone_at: datetime | None
    utterance: str | None
    variant: int | None
    script_version: str | None
    person_id: str | None

    @property
    def sent(self) -> tuple[int, ...]:
        """The channel's numbers of the pieces that went out before."""
        return numbers_of(self.provider_ids)


def numbers_of(text: str | None) -> tuple[int, ...]:
    """ "101,102" as numbers."""
    return tuple(int(number) for number in text.split(",")) if text else ()


def text_of(numbers: Iterable[int]) -> str:
    """The reverse of `numbers_of`."""
    return ",".join(str(number) for number in numbers)


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
    """For every outgoing message: `waiting`, `delivered`, `failed`, or `unsaid` when it was not true any more."""
    mine = sa.and_(outbox.c.conversation_id == message.c.conversation_id, outbox.c.seq == message.c.seq)
    columns = (message.c.seq, outbox.c.id, outbox.c.delivered_at, outbox.c.failed_at)
    query = sa.select(*columns).select_from(message.outerjoin(outbox, mine)).order_by(message.c.seq)
    rows = tx.execute(query.where(message.c.conversation_id == conversation_id, message.c.role != "child"))
    return {r.seq: _state(r) for r in rows}


def _state(row: sa.Row[int, int, datetime, datetime]) -> str:
    if row.id is None:
        return "unsaid"
    return "delivered" if row.delivered_at else "failed" if row.failed_at else "waiting"


def due(tx: Connection, channel: str, now: datetime, limit: int = 50) -> list[Parcel]:
    """The oldest waiting message of each chat of a push channel, when its time has come: order within a chat is kept."""
    waiting = sa.and_(outbox.c.channel == channel, outbox.c.delivered_at.is_(None), outbox.c.failed_at.is_(None))
    first = sa.select(sa.func.min(outbox.c.id)).where(waiting).group_by(outbox.c.conversation_id)
    query = (
        sa.select(
            outbox.c.id, outbox.c.conversation_id, outbox.c.seq, outbox.c.attempts, outbox.c.due_at, outbox.c.sealed,
            outbox.c.provider_ids, conversation.c.address, conversation.c.child_auth, conversation.c.gone_at,
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


def lend(tx: Connection, parcel: Parcel, now: datetime) -> Parcel:
    """Keep other processes off it for `LOAN`. Returns it with the end of the loan, by which `renew` knows it again."""
    tx.execute(outbox.update().where(*_this(parcel)).values(due_at=now + LOAN))
    return replace(parcel, due_at=now + LOAN)


def renew(tx: Connection, parcel: Parcel, now: datetime) -> Parcel | None:
    """Just before it is sent: a whole loan from now. None when it was erased meanwhile, or another process has it."""
    mine = (
        *_this(parcel),
        outbox.c.due_at == parcel.due_at,
        outbox.c.delivered_at.is_(None),
        outbox.c.failed_at.is_(None),
    )
    if tx.execute(outbox.update().where(*mine).values(due_at=now + LOAN)).rowcount != 1:
        return None
    return replace(parcel, due_at=now + LOAN)


def delivered(tx: Connection, parcel: Parcel, now: datetime, *, numbers: Iterable[int] = ()) -> bool:
    """It has gone out: its words are wiped. `numbers` are the channel's own of the pieces that went out now, to delete them
    there one day. False when the chat was erased while it was under way: then they must be deleted there now."""
    if parcel.gone_at is not None:
        _mark(tx, parcel, None)
    return _end(tx, parcel, delivered_at=now, provider_ids=_all(parcel, numbers))


def failed(tx: Connection, parcel: Parcel, now: datetime, *, numbers: Iterable[int] = (), gone: bool = False) -> bool:
    """It can never arrive: its words are wiped and the confidant sees it. `gone`: nothing can, to this chat."""
    if gone:
        _mark(tx, parcel, now)
    return _end(tx, parcel, failed_at=now, provider_ids=_all(parcel, numbers))


def unsaid(tx: Connection, parcel: Parcel) -> None:
    """It is not true any more and stays unsaid: nothing waits, and the confidant sees that it was not said."""
    tx.execute(outbox.delete().where(*_this(parcel)))
    announce(tx, chat_topic(parcel.conversation_id), "delivered")


def retry(tx: Connection, parcel: Parcel, now: datetime, *, numbers: Iterable[int] = ()) -> bool:
    """It did not go out this time: once more after a wait that grows with the failures. False: see `delivered`."""
    until = now + timedelta(seconds=BACKOFF_S[min(parcel.attempts, len(BACKOFF_S) - 1)])
    return _wait(tx, parcel, due_at=until, provider_ids=_all(parcel, numbers), attempts=parcel.attempts + 1)


def postpone(tx: Connection, parcel: Parcel, until: datetime, *, numbers: Iterable[int] = ()) -> bool:
    """The channel asked us to wait, which is no failure. False: see `delivered`."""
    return _wait(tx, parcel, due_at=until, provider_ids=_all(parcel, numbers))


def provider_ids(tx: Connection, conversation_id: str, since: datetime) -> list[int]:
    """The channel's own numbers of what went out in this chat since then. Locks the rows: what is under way at this moment is
    either among them, or its sender finds the chat gone."""
    columns = (outbox.c.provider_ids, outbox.c.delivered_at, outbox.c.failed_at)
    rows = tx.execute(sa.select(*columns).where(outbox.c.conversation_id == conversation_id).with_for_update()).all()
    return [n for row in rows if (row.delivered_at or row.failed_at or since) >= since for n in numbers_of(row.provider_ids)]


def _all(parcel: Parcel, numbers: Iterable[int]) -> str | None:
    return text_of((*parcel.sent, *numbers)) or None


def _mark(tx: Connection, parcel: Parcel, gone_at: datetime | None) -> None:
    """Before the outbox row: an erasure takes the chat's row first too (decision 0008)."""
    tx.execute(conversation.update().where(conversation.c.id == parcel.conversation_id).values(gone_at=gone_at))


def _this(parcel: Parcel) -> tuple[sa.ColumnElement[bool], ...]:
    """This very parcel. Its row's number alone is not enough: SQLite gives the numbers of erased rows out again, and another
    child's message would be noted as this one. A chat's id is random and never comes back."""
    return outbox.c.id == parcel.id, outbox.c.conversation_id == parcel.conversation_id, outbox.c.seq == parcel.seq


def _wait(tx: Connection, parcel: Parcel, **values: datetime | int | str | None) -> bool:
    return tx.execute(outbox.update().where(*_this(parcel)).values(**values)).rowcount == 1


def _end(tx: Connection, parcel: Parcel, **values: datetime | int | str | None) -> bool:
    there = _wait(tx, parcel, sealed=None, **values)
    announce(tx, chat_topic(parcel.conversation_id), "delivered")
    return there
