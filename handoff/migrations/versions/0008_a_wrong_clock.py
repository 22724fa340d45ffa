"""The last moment at which the clock was believed, and how many expiry days were ended since when.

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from handoff.models import Utc

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    op.add_column("installation", sa.Column("last_seen_at", Utc(timezone=True), nullable=True))
    op.add_column("installation", sa.Column("ended_up_to", sa.String(length=10), nullable=True))
    op.add_column("installation", sa.Column("ending_since", Utc(timezone=True), nullable=True))
    op.add_column("installation", sa.Column("days_ended", sa.SmallInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    """Take them away."""
    with op.batch_alter_table("installation") as table:
        for column in ("days_ended", "ending_since", "ended_up_to", "last_seen_at"):
            table.drop_column(column)
