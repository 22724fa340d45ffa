"""Which installation this is: the id that the key directory must have too. The next start fills it in.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it."""
    op.create_table(
        "installation",
        sa.Column("no", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.CheckConstraint("no = 1", name=op.f("ck_installation_one")),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_installation")),
    )


def downgrade() -> None:
    """Take it away."""
    op.drop_table("installation")
