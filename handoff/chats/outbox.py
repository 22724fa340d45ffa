"""What waits to go out to a child, in order, until it has arrived or can never arrive.

A web page collects its messages itself and confirms the last sequence number that it showed. A push channel is
sent to by `bot.delivery`; what it has to send waits here sealed to the delivery key and is wiped the moment it has gone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff.clock import AHEAD
from handoff.events import announce, chat_topic
from handoff.models import conversation, message, outbox

BACKOFF_S = (1, 2, 5, 15, 30)
"""Seconds to wait after the first, second, ... failure; the last one repeats. Short: after an outage the first word of a bot
that a child has been waiting for must come within half a minute."""

LEASE = timedelta(seconds=60)
"""How long a process may take over one parcel, counted from just before it sends; a send gives up before (bot.channels). After
it another process takes over from one that died."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message to push to one child."""

    id: int
    """The row's number; with chat and `seq` it is this very parcel (see `_this`)."""
    conversation_id: str
    """The chat."""
    seq: int
    """The message's number in the chat: parcels of a chat go out in this order."""
    attempts: int
    """How often sending it failed."""
    due_at: datetime
    """When it may go out; while a process has it, the end of that process's lease."""
    sealed: bytes | None
    """What is to be sent, sealed to the delivery key: a human's words, or what the bot says (`handoff.chats.parcels`)."""
    provider_ids: str | None
    """The channel's numbers of the pieces that went out before, "101,102"."""
    address: bytes
    """Where to send, sealed to the delivery key."""
    child_auth: bytes
    """The keyed hash by which the channel's chat is known."""
    gone_at: datetime | None
    """Since when nothing arrives in this chat any more."""
    script_version: str | None
    """The script in which the bot's words stand; None for a human's words."""
    person_id: str | None
    """Whose first name it mentions."""

    @property
    def sent(self) -> tuple[int, ...]:
        """The channel's numbers of the pieces that went out before."""
        return numbers_of(self.provider_ids)


def numbers_of(text: str | None) -> tuple[int, ...]:
    """ "101,102" as numbers."""
    return tuple(int(number) for number in text.split(",")) if text else ()


def text_of(numbers: Iterable[int]) -> str:
    """Write numbers as `numbers_of` reads them."""
    return ",".join(str(number) for number in numbers)


def put(tx: Connection, conversation_id: str, seq: int, channel: str, *, sealed: bytes | None, now: datetime) -> None:
    """Let message `seq` wait for delivery."""
    tx.execute(outbox.insert().values(conversation_id=conversation_id, seq=seq, channel=channel, sealed=sealed, due_at=now))


def confirm(tx: Connection, conversation_id: str, up_to: int, now: datetime) -> None:
    """Note that everything up to sequence number `up_to` is on the child's screen.

    Repeating it, or confirming less, changes nothing.
    """
    where = (outbox.c.conversation_id == conversation_id, outbox.c.seq <= up_to, outbox.c.delivered_at.is_(None))
    done = tx.execute(outbox.update().where(*where, outbox.c.failed_at.is_(None)).values(delivered_at=now, sealed=None))
    if done.rowcount:
        announce(tx, chat_topic(conversation_id), "delivered")


def states(tx: Connection, conversation_id: str) -> dict[int, str]:
    """Tell of every outgoing message: `waiting`, `delivered`, `failed`, or `unsaid` when it was not true any more."""
    mine = sa.and_(outbox.c.conversation_id == message.c.conversation_id, outbox.c.seq == message.c.seq)
    columns = (message.c.seq, outbox.c.id, outbox.c.delivered_at, outbox.c.failed_at)
    query = sa.select(*columns).select_from(message.outerjoin(outbox, mine)).order_by(message.c.seq)
    rows = tx.execute(query.where(message.c.conversation_id == conversation_id, message.c.role != "child"))
    return {r.seq: _state(r) for r in rows}


def _state(row: sa.Row[int, int, datetime, datetime]) -> str:
    if row.id is None:
        return "unsaid"
    return "delivered" if row.delivered_at else "failed" if row.failed_at else "waiting"


_WAITS = sa.and_(outbox.c.delivered_at.is_(None), outbox.c.failed_at.is_(None))
_EARLIER = outbox.alias("earlier")
_IS_FIRST = ~sa.exists().where(
    _EARLIER.c.conversation_id == outbox.c.conversation_id,
    _EARLIER.c.seq < outbox.c.seq,
    _EARLIER.c.delivered_at.is_(None),
    _EARLIER.c.failed_at.is_(None),
)
_COLUMNS = (
    outbox.c.id, outbox.c.conversation_id, outbox.c.seq, outbox.c.attempts, outbox.c.due_at, outbox.c.sealed,
    outbox.c.provider_ids, conversation.c.address, conversation.c.child_auth, conversation.c.gone_at,
    message.c.script_version, message.c.person_id,
)  # fmt: skip
_DUE = (
    sa.select(*_COLUMNS)
    .join(conversation, conversation.c.id == outbox.c.conversation_id)
    .join(message, sa.and_(message.c.conversation_id == outbox.c.conversation_id, message.c.seq == outbox.c.seq))
    .where(outbox.c.channel == sa.bindparam("channel"), _WAITS, outbox.c.due_at <= sa.bindparam("now"), _IS_FIRST)
    .order_by(outbox.c.due_at, outbox.c.id)
    .limit(sa.bindparam("limit"))
)


def due(tx: Connection, channel: str, now: datetime, limit: int = 50) -> list[Parcel]:
    """Return the oldest waiting message of each chat of a push channel, when its time has come: order within a chat is kept."""
    query = _DUE.with_for_update(of=outbox, skip_locked=True) if tx.dialect.name == "postgresql" else _DUE
    return [Parcel(**row._asdict()) for row in tx.execute(query, {"channel": channel, "now": now, "limit": limit})]


def lease(tx: Connection, parcel: Parcel, now: datetime) -> Parcel:
    """Keep other processes off this chat for `LEASE`. Returns the parcel with the end of the lease, by which it is known again.

    All that waits in the chat waits with its first message: who asks what is due need not step over the others.
    """
    mine = (outbox.c.conversation_id == parcel.conversation_id, _WAITS)
    tx.execute(outbox.update().where(*mine).values(due_at=now + LEASE))
    return replace(parcel, due_at=now + LEASE)


def renew(tx: Connection, parcel: Parcel, now: datetime) -> Parcel | None:
    """Take a whole lease from now, just before it is sent.

    None when it was erased or ended meanwhile, or another process has it.
    """
    mine = (*_this(parcel), outbox.c.due_at == parcel.due_at, _WAITS)
    if tx.execute(outbox.update().where(*mine).values(due_at=now + LEASE)).rowcount != 1:
        _release(tx, parcel, now)
        return None
    _release(tx, parcel, now + LEASE)
    return replace(parcel, due_at=now + LEASE)


def delivered(tx: Connection, parcel: Parcel, now: datetime, *, numbers: Iterable[int] = ()) -> bool:
    """Note that it has gone out: its words are wiped.

    `numbers` are the channel's own of the pieces that went out now, to delete them there one day. False when the chat was erased
    while it was under way: then they must be deleted there now.
    """
    if parcel.gone_at is not None:
        _mark(tx, parcel, None)
    return _end(tx, parcel, now, delivered_at=now, provider_ids=_all(parcel, numbers))


def failed(tx: Connection, parcel: Parcel, now: datetime, *, numbers: Iterable[int] = (), gone: bool = False) -> bool:
    """Note that it can never arrive: its words are wiped and the confidant sees it. `gone`: nothing can, to this chat."""
    if gone:
        _mark(tx, parcel, now)
    return _end(tx, parcel, now, failed_at=now, provider_ids=_all(parcel, numbers))


def unsaid(tx: Connection, parcel: Parcel, now: datetime) -> None:
    """Take it back: it is not true any more and stays unsaid. Nothing waits, and the confidant sees that it was not said."""
    tx.execute(outbox.delete().where(*_this(parcel)))
    _release(tx, parcel, now)
    announce(tx, chat_topic(parcel.conversation_id), "delivered")


def retry(tx: Connection, parcel: Parcel, now: datetime, *, numbers: Iterable[int] = ()) -> bool:
    """Try once more, as it did not go out this time, after a wait that grows with the failures. False: see `delivered`."""
    until = now + timedelta(seconds=BACKOFF_S[min(parcel.attempts, len(BACKOFF_S) - 1)])
    _release(tx, parcel, until)
    return _change(tx, parcel, due_at=until, provider_ids=_all(parcel, numbers), attempts=parcel.attempts + 1)


def postpone(tx: Connection, parcel: Parcel, until: datetime, *, numbers: Iterable[int] = ()) -> bool:
    """Wait as the channel asked, which is no failure. False: see `delivered`."""
    _release(tx, parcel, until)
    return _change(tx, parcel, due_at=until, provider_ids=_all(parcel, numbers))


def set_right(tx: Connection, channels: Iterable[str], now: datetime) -> int:
    """Let what waits longer than a lease wait one from now: a clock was put back. Returns how many messages.

    So does what a channel asked us to hold longer; it asks again. For a start and a jump, not for each second.
    """
    ahead = (outbox.c.channel.in_(list(channels)), _WAITS, outbox.c.due_at > now + LEASE + AHEAD)
    return tx.execute(outbox.update().where(*ahead).values(due_at=now + LEASE)).rowcount


def provider_ids(tx: Connection, conversation_id: str, since: datetime) -> list[int]:
    """Return the channel's own numbers of what went out in this chat since then.

    Locks the rows: what is under way at this moment is either among them, or its sender finds the chat gone.
    """
    columns = (outbox.c.provider_ids, outbox.c.delivered_at, outbox.c.failed_at)
    rows = tx.execute(sa.select(*columns).where(outbox.c.conversation_id == conversation_id).with_for_update()).all()
    return [n for row in rows if (row.delivered_at or row.failed_at or since) >= since for n in numbers_of(row.provider_ids)]


def _all(parcel: Parcel, numbers: Iterable[int]) -> str | None:
    return text_of((*parcel.sent, *numbers)) or None


def _mark(tx: Connection, parcel: Parcel, gone_at: datetime | None) -> None:
    """Note whether anything can arrive in the chat; before the outbox row, as an erasure takes the chat's row first."""
    tx.execute(conversation.update().where(conversation.c.id == parcel.conversation_id).values(gone_at=gone_at))


def _this(parcel: Parcel) -> tuple[sa.ColumnElement[bool], ...]:
    """Return the conditions for this very parcel.

    Its row's number alone is not enough: SQLite gives the numbers of erased rows out again, and another child's message would
    be noted as this one. A chat's id is random and never comes back.
    """
    return outbox.c.id == parcel.id, outbox.c.conversation_id == parcel.conversation_id, outbox.c.seq == parcel.seq


def _release(tx: Connection, parcel: Parcel, due_at: datetime) -> None:
    """Let what waited with this parcel be due then; not what another process has leased since."""
    held = (outbox.c.conversation_id == parcel.conversation_id, outbox.c.due_at == parcel.due_at, _WAITS)
    tx.execute(outbox.update().where(*held).values(due_at=due_at))


def _change(tx: Connection, parcel: Parcel, **values: datetime | int | str | None) -> bool:
    return tx.execute(outbox.update().where(*_this(parcel)).values(**values)).rowcount == 1


def _end(tx: Connection, parcel: Parcel, now: datetime, **values: datetime | int | str | None) -> bool:
    there = _change(tx, parcel, sealed=None, **values)
    _release(tx, parcel, now)
    announce(tx, chat_topic(parcel.conversation_id), "delivered")
    return there
