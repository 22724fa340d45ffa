"""Twelve bits of a mac over the passphrase, by which a guess is turned away before the slow work.

A passphrase of before has none: it is asked the slow way until its owner makes a new one.

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nobody has one yet."""
    op.add_column("person", sa.Column("door_tag", sa.SmallInteger(), nullable=True))


def downgrade() -> None:
    """Every guess costs the slow work again."""
    op.drop_column("person", "door_tag")
