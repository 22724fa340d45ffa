"""What has still to be deleted at a push channel, the numbers of every piece, chats that are gone, and edits that erased.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them; the one number that was kept becomes the list of one."""
    op.create_table(
        "deletion",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("child_auth", sa.LargeBinary(), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("numbers", sa.Text(), nullable=False),
        sa.Column("wish", sa.BigInteger(), nullable=True),
        sa.Column("to_say", sa.SmallInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deletion")),
        sa.UniqueConstraint("channel", "child_auth", name=op.f("uq_deletion_channel_child_auth")),
    )
    op.add_column("conversation", sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("erased", sa.Column("by_edit", sa.BigInteger(), nullable=True))
    op.add_column("outbox", sa.Column("provider_ids", sa.Text(), nullable=True))
    op.execute("UPDATE outbox SET provider_ids = CAST(provider_id AS VARCHAR(20)) WHERE provider_id IS NOT NULL")
    op.drop_column("outbox", "provider_id")


def downgrade() -> None:
    """Take them back; of several numbers none can be kept."""
    op.add_column("outbox", sa.Column("provider_id", sa.BigInteger(), nullable=True))
    op.execute("UPDATE outbox SET provider_id = CAST(provider_ids AS BIGINT) WHERE provider_ids NOT LIKE '%,%'")
    op.drop_column("outbox", "provider_ids")
    op.drop_column("erased", "by_edit")
    op.drop_column("conversation", "gone_at")
    op.drop_table("deletion")
