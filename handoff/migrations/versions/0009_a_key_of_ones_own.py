"""A key of one's own is proven by a mac, not said by a column that anybody with write access can change.

Nothing in a row of before proves whose key it is: everybody makes a passphrase of their own once more, at the next page they open.

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nobody has the proof yet."""
    op.add_column("person", sa.Column("own_proof", sa.LargeBinary(), nullable=True))
    op.drop_column("person", "must_renew")


def downgrade() -> None:
    """Whoever has no proof must renew, as before."""
    op.add_column("person", sa.Column("must_renew", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.execute(sa.text("UPDATE person SET must_renew = (own_proof IS NULL)"))
    op.drop_column("person", "own_proof")
