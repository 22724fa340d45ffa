"""One line per action (BIO2 8.15.01): who, what, on what, with what result, when, from which part. Ids only, no word, no name.

A line is chained to the one before it by a mac of the server, and the database refuses to change or delete it. Writing one makes
every other writer of lines wait until the commit: it comes last in a use case. A child's turn writes none.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff.audit import chain, head
from handoff.clock import AHEAD
from handoff.crypto import Vault
from handoff.models import audit_entry

ERASED = "erased_by_child"
"""The action of a child that erased a chat which a human had read."""

ENDED = "ended_by_time"
"""The action of the loops that end a chat in which a child still waited or a human still talked."""


class Entry(NamedTuple):
    """A line: the columns that its mac covers."""

    no: int
    at: datetime
    municipality_id: str
    person_id: str | None
    action: str
    object: str | None
    result: str
    origin: str


def note(
    tx: Connection,
    vault: Vault,
    *,
    now: datetime,
    municipality_id: str,
    person_id: str | None,
    action: str,
    object_id: str | None = None,
    result: str = "ok",
    origin: str = "console",
) -> None:
    """Append one line. It commits or vanishes together with the action itself."""
    before = chain.last(tx, vault)
    line = Entry(before.no + 1, now, municipality_id, person_id, action, object_id, result, origin)
    mac = chain.mac_of(vault, before.mac, line)
    tx.execute(audit_entry.insert().values(**line._asdict(), mac=mac))
    head.advance(tx, vault, before, head.Head(before.no + 1, mac))


def has_line(tx: Connection, *, person_id: str, action: str, object_id: str, now: datetime, within: timedelta) -> bool:
    """Whether this person did this, and it went well, in the time before now. A line from a clock that ran ahead does not count."""
    c = audit_entry.c
    mine = (c.object == object_id, c.person_id == person_id, c.action == action, c.result == "ok")
    return tx.execute(sa.select(c.id).where(*mine, c.at > now - within, c.at <= now + AHEAD).limit(1)).first() is not None


def was_erased_by_child(tx: Connection, municipality_id: str, handoff_id: str) -> bool:
    """Return whether the child erased the chat of this handoff after a human had read it."""
    return _is_noted(tx, municipality_id, handoff_id, ERASED)


def was_ended_by_time(tx: Connection, municipality_id: str, handoff_id: str) -> bool:
    """Return whether the chat of this handoff was deleted, although it was open, because its time was over."""
    return _is_noted(tx, municipality_id, handoff_id, ENDED)


def _is_noted(tx: Connection, municipality_id: str, handoff_id: str, action: str) -> bool:
    c = audit_entry.c
    mine = (c.municipality_id == municipality_id, c.action == action, c.object == handoff_id)
    return tx.execute(sa.select(c.id).where(*mine).limit(1)).first() is not None


def entries(tx: Connection, municipality_id: str) -> list[sa.Row[tuple[datetime, str | None, str, str | None, str]]]:
    """(at, person id, action, object, result) of one gemeente, oldest first."""
    c = audit_entry.c
    query = sa.select(c.at, c.person_id, c.action, c.object, c.result).where(c.municipality_id == municipality_id)
    return list(tx.execute(query.order_by(c.id)))


def search(
    tx: Connection, *, municipality_id: str | None = None, person_id: str | None = None, object_id: str | None = None, newest: int
) -> list[Entry]:
    """Return at most `newest` lines, the newest last, that fit everything that was asked."""
    c = audit_entry.c
    asked = ((c.municipality_id, municipality_id), (c.person_id, person_id), (c.object, object_id))
    query = sa.select(*(c[name] for name in Entry._fields)).where(
        *(column == wanted for column, wanted in asked if wanted is not None)
    )
    found = tx.execute(query.order_by(c.id.desc()).limit(newest)).all()
    return [Entry(*row) for row in reversed(found)]
