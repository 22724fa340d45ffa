"""Indexes by which delivery, deletions and retention find what is due: what went out long ago is not looked at.

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

_ON_ITS_WAY = sa.text("delivered_at IS NULL AND failed_at IS NULL")


def upgrade() -> None:
    """Add them."""
    on_its_way = {"sqlite_where": _ON_ITS_WAY, "postgresql_where": _ON_ITS_WAY}
    op.create_index("ix_outbox_due", "outbox", ["channel", "due_at"], **on_its_way)
    op.create_index("ix_outbox_first", "outbox", ["conversation_id", "seq"], **on_its_way)
    op.create_index("ix_deletion_due", "deletion", ["channel", "due_at"])
    op.create_index("ix_deletion_expires_at", "deletion", ["expires_at"])
    op.create_index("ix_conversation_expires_on", "conversation", ["expires_on"])


def downgrade() -> None:
    """Take them back."""
    op.drop_index("ix_conversation_expires_on", "conversation")
    op.drop_index("ix_deletion_expires_at", "deletion")
    op.drop_index("ix_deletion_due", "deletion")
    op.drop_index("ix_outbox_first", "outbox")
    op.drop_index("ix_outbox_due", "outbox")
