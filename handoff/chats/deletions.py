"""What has still to be deleted at a push channel after a chat was erased here: a small job that survives a restart.

It is stored in the transaction that erases, so that no crash can lose it: the address sealed to the delivery key, the
channel's own numbers of the messages, how much of the farewell has still to be said. `bot.erasing` does it. The row goes when
all is done, or when the channel deletes nothing of it any more (`Capabilities.deletes_for`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from config.channels import ChannelSpec
from handoff.chats.outbox import LEASE, numbers_of, text_of
from handoff.clock import AHEAD
from handoff.crypto import Vault
from handoff.models import conversation, deletion

LONGEST = timedelta(hours=48)
"""A job is kept no longer than this, whatever the channel would still delete: an address is in it."""

FAREWELL_FOR = timedelta(hours=1)
"""How long a farewell is tried on a channel that deletes nothing."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """One job. `address` is sealed; `to_say` counts the lines of the farewell that wait; `attempts` counts failures."""

    id: int
    channel: str
    child_auth: bytes
    address: bytes
    numbers: str
    wish: int | None
    to_say: int
    attempts: int

    @property
    def left(self) -> tuple[int, ...]:
        """The channel's numbers of the messages that have still to go."""
        return numbers_of(self.numbers)


_ROW = tuple(deletion.c[name] for name in Deletion.__dataclass_fields__)


def put(
    tx: Connection,
    vault: Vault,
    *,
    channel: ChannelSpec,
    auth: bytes,
    address: bytes,
    numbers: Iterable[int],
    wish: int | None,
    now: datetime,
) -> None:
    """Let these messages be deleted. `auth` is the chat's `child_auth`: one job for a chat, which a second one joins. `wish` is
    the number of the message that asked, which is answered with the channel's farewell; None for a message that was under way
    during an erasure. The same wish again brings no second farewell."""
    mine = (deletion.c.channel == channel.name, deletion.c.child_auth == auth)
    expires_at = now + min(channel.capabilities.deletes_for or FAREWELL_FOR, LONGEST)
    found = tx.execute(sa.select(deletion).where(*mine).with_for_update()).first()
    there = numbers if channel.capabilities.deletes_for else ()
    old = numbers_of(found.numbers) if found else ()
    values = {"numbers": text_of(sorted({*old, *there})), "due_at": now, "attempts": 0, "expires_at": expires_at}
    new = wish is not None and (found is None or wish > (found.wish or 0))
    asked = {"wish": wish, "to_say": len(channel.needs.farewell)} if new else {}
    if found is not None:
        tx.execute(deletion.update().where(deletion.c.id == found.id).values(**values, **asked))
        return
    sealed = vault.seal_for_delivery(address, "deletion", auth.hex())
    begun = {"channel": channel.name, "child_auth": auth, "address": sealed, "to_say": 0}
    tx.execute(deletion.insert().values(**{**begun, **values, **asked}))


def address_of(vault: Vault, job: Deletion) -> bytes:
    """Where to delete. Raises `Denied`, `StoreUnavailable`."""
    return vault.open_for_delivery(job.address, "deletion", job.child_auth.hex())


def due(tx: Connection, channel: str, now: datetime, limit: int = 8) -> list[Deletion]:
    """The jobs whose time has come, leased to the caller for `outbox.LEASE`. What has expired is dropped."""
    tx.execute(deletion.delete().where(deletion.c.expires_at <= now))
    query = sa.select(*_ROW).where(deletion.c.channel == channel, deletion.c.due_at <= now).order_by(deletion.c.due_at).limit(limit)
    if tx.dialect.name == "postgresql":
        query = query.with_for_update(skip_locked=True)
    jobs = [Deletion(**row._asdict()) for row in tx.execute(query)]
    for job in jobs:
        tx.execute(deletion.update().where(deletion.c.id == job.id).values(due_at=now + LEASE))
    return jobs


def settle(tx: Connection, job: Deletion, *, deleted: Collection[int], said: int, until: datetime, failed: bool) -> None:
    """Note what was done of a job; the rest waits until `until`. What joined it meanwhile stays, and is due at once."""
    found = tx.execute(sa.select(deletion).where(*_this(job)).with_for_update()).first()
    if found is None:
        return
    left = [number for number in numbers_of(found.numbers) if number not in deleted]
    joined = (found.wish, found.numbers) != (job.wish, job.numbers)
    to_say = found.to_say if found.wish != job.wish else found.to_say - said
    if not left and not to_say:
        drop(tx, job)
        return
    values = {"numbers": text_of(left), "to_say": to_say, "attempts": job.attempts + failed}
    values |= {} if joined else {"due_at": until}
    tx.execute(deletion.update().where(*_this(job)).values(**values))


def set_right(tx: Connection, now: datetime) -> int:
    """After a clock was put back: what was to wait longer is tried now, and nothing stays longer than `LONGEST`. Returns how many.

    For a start and a jump, not for each second.
    """
    late = deletion.c.due_at > now + LEASE + AHEAD
    long = deletion.c.expires_at > now + LONGEST + AHEAD
    tx.execute(deletion.update().where(long).values(expires_at=now + LONGEST))
    return tx.execute(deletion.update().where(late).values(due_at=now)).rowcount


def drop(tx: Connection, job: Deletion) -> None:
    """Nothing of it can be done any more."""
    tx.execute(deletion.delete().where(*_this(job)))


def begun_anew(tx: Connection, job: Deletion) -> bool:
    """Whether the child has written again since: then nothing is said of the chat that is gone."""
    mine = (conversation.c.channel == job.channel, conversation.c.child_auth == job.child_auth)
    return tx.execute(sa.select(conversation.c.id).where(*mine)).first() is not None


def _this(job: Deletion) -> tuple[sa.ColumnElement[bool], ...]:
    """This very job: SQLite gives the number of a row that went out again, to another child's."""
    return deletion.c.id == job.id, deletion.c.child_auth == job.child_auth
