"""Audit lines are chained by a mac, and the database refuses to change or delete one. Lines of before stay as they are.

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_SQLITE = "CREATE TRIGGER audit_entry_no_{0} BEFORE {1} ON audit_entry BEGIN SELECT RAISE(ABORT, 'an audit line stays'); END"
_REFUSE = {
    "sqlite": (_SQLITE.format("update", "UPDATE"), _SQLITE.format("delete", "DELETE")),
    "postgresql": (
        """CREATE OR REPLACE FUNCTION audit_entry_stays() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'an audit line stays as it is'; END $$""",
        """CREATE TRIGGER audit_entry_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
        FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_stays()""",
    ),
}
_ALLOW = {
    "sqlite": ("DROP TRIGGER audit_entry_no_update", "DROP TRIGGER audit_entry_no_delete"),
    "postgresql": ("DROP TRIGGER audit_entry_stays ON audit_entry", "DROP FUNCTION audit_entry_stays()"),
}


def upgrade() -> None:
    """The chain begins with the next line; its first mac covers all that stood there before."""
    op.add_column("audit_entry", sa.Column("no", sa.BigInteger(), nullable=True))
    op.add_column("audit_entry", sa.Column("mac", sa.LargeBinary(), nullable=True))
    op.create_index("uq_audit_entry_no", "audit_entry", ["no"], unique=True)
    op.create_index("ix_audit_entry_object", "audit_entry", ["object", "at"])
    for statement in _REFUSE[op.get_bind().dialect.name]:
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Take the chain away."""
    for statement in _ALLOW[op.get_bind().dialect.name]:
        op.execute(sa.text(statement))
    op.drop_index("ix_audit_entry_object", "audit_entry")
    op.drop_index("uq_audit_entry_no", "audit_entry")
    op.drop_column("audit_entry", "mac")
    op.drop_column("audit_entry", "no")
