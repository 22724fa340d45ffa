"""When something is due for a waiting child, whether it was told that somebody is there, and the indexes by which loops ask.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_WAITS = "state = 'waiting'"
_ON_ITS_WAY = "delivered_at IS NULL AND failed_at IS NULL"
_PARTIAL = (
    ("ix_handoff_due", "handoff", ["due_at"], _WAITS, _WAITS),
    ("ix_handoff_told_on_duty", "handoff", ["team_id"], f"{_WAITS} AND told_on_duty IS 1", f"{_WAITS} AND told_on_duty IS true"),
    ("ix_handoff_lease", "handoff", ["lease_until"], "state = 'claimed'", "state = 'claimed'"),
    ("ix_shift_seen", "shift", ["seen_at"], "ends_at IS NULL", "ends_at IS NULL"),
    ("ix_outbox_due", "outbox", ["channel", "due_at"], _ON_ITS_WAY, _ON_ITS_WAY),
    ("ix_outbox_first", "outbox", ["conversation_id", "seq"], _ON_ITS_WAY, _ON_ITS_WAY),
)
_WHOLE = (
    ("ix_shift_ends_at", "shift", ["ends_at"]),
    ("ix_deletion_due", "deletion", ["channel", "due_at"]),
    ("ix_deletion_expires_at", "deletion", ["expires_at"]),
    ("ix_conversation_expires_on", "conversation", ["expires_on"]),
)


def upgrade() -> None:
    """Add them. Who waits now is looked at at once, as if told that somebody is there: what is true is said once more."""
    op.add_column("handoff", sa.Column("told_on_duty", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("handoff", sa.Column("due_at", sa.DateTime(timezone=True), nullable=True))
    for name, table, columns, sqlite, postgres in _PARTIAL:
        op.create_index(name, table, columns, sqlite_where=sa.text(sqlite), postgresql_where=sa.text(postgres))
    for name, table, columns in _WHOLE:
        op.create_index(name, table, columns)
    waits = sa.table("handoff", *map(sa.column, ("state", "due_at", "told_on_duty", "waiting_since")))
    told = waits.update().where(waits.c.state == "waiting").values(due_at=waits.c.waiting_since, told_on_duty=sa.true())
    op.execute(told)


def downgrade() -> None:
    """Take them back."""
    for name, table, *_ in (*_PARTIAL, *_WHOLE):
        op.drop_index(name, table)
    op.drop_column("handoff", "due_at")
    op.drop_column("handoff", "told_on_duty")
