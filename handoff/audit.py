"""Who did what, when, from where: one line per action (BIO2 8.15.01), ids only, never a word or a name."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff.models import audit_entry


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
