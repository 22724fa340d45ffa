"""Chats whose time was over, so that whoever looks afterwards is told what became of them. For a month, without a word.

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from handoff.models import Utc

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it."""
    op.create_table(
        "ended",
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("child_auth", sa.LargeBinary(), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("municipality_id", sa.String(length=64), nullable=False),
        sa.Column("days", sa.SmallInteger(), nullable=False),
        sa.Column("ended_at", Utc(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("channel", "child_auth", "conversation_id", name=op.f("pk_ended")),
    )
    op.create_index("ix_ended_ended_at", "ended", ["ended_at"])


def downgrade() -> None:
    """Take it away."""
    op.drop_table("ended")
