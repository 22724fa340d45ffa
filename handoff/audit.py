"""Who did what, when, from where: one line per action (BIO2 8.15.01), ids only, never a word or a name."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff.models import audit_entry

ERASED = "erased_by_child"
"""The action of a child that erased a chat which a human had read."""

ENDED = "ended_by_time"
"""The action of the loops that end a chat in which a child still waited or a human still talked."""


def note(
    tx: Connection,
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
    tx.execute(
        audit_entry.insert().values(
            at=now, municipality_id=municipality_id, person_id=person_id, action=action, object=object_id, result=result,
            origin=origin,
        )
    )  # fmt: skip


def entries(tx: Connection, municipality_id: str) -> list[sa.Row[tuple[datetime, str | None, str, str | None, str]]]:
    """(at, person id, action, object, result) of one gemeente, oldest first."""
    c = audit_entry.c
    query = sa.select(c.at, c.person_id, c.action, c.object, c.result).where(c.municipality_id == municipality_id)
    return list(tx.execute(query.order_by(c.id)))


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
