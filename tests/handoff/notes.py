"""A table of notes, for tests of the store that need no child."""

from __future__ import annotations

import sqlalchemy as sa

from handoff.database import Store

metadata = sa.MetaData()
note = sa.Table("note", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("text", sa.String(40)))


def ids(store: Store) -> list[int]:
    """The notes that are there."""
    return list(store.read(lambda tx: tx.execute(sa.select(note.c.id).order_by(note.c.id)).scalars().all()).result())
