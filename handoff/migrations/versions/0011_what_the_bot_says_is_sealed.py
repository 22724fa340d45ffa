"""What the bot says is sealed like words, and what turns and loops must know of it is a locked state.

What was said before is sealed by the program itself (`handoff.migrations.upgrade`), in the same transaction: a database in which
the subject of a chat stands in clear is not left behind half done.

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_STATES = {
    "state": "state is null or length(state) in (540, 569)",
    "news_state": "news_state is null or length(news_state) = 540",
}
_REFERENCE = (
    "sealed is not null and key_no is not null and ((role = 'bot' and length(sealed) in (21, 53, 1141) and sealed_reading is null "
    "and external_id is null and script_version is not null) or (role <> 'bot' and script_version is null))"
)
_IN_CLEAR = (
    "(role = 'bot' and sealed is null and sealed_reading is null and key_no is null and utterance is not null "
    "and variant is not null and script_version is not null) or "
    "(role <> 'bot' and sealed is not null and key_no is not null and utterance is null and variant is null "
    "and script_version is null)"
)


def upgrade() -> None:
    """Add the states, seal what was said, and take away the columns in which it stood."""
    kind = "BLOB" if op.get_bind().dialect.name == "sqlite" else "BYTEA"
    for column, rule in _STATES.items():  # SQLite adds a rule with its column; copying the table would delete what hangs on it
        op.execute(f"ALTER TABLE conversation ADD COLUMN {column} {kind} CONSTRAINT ck_conversation_{column} CHECK ({rule})")
    with op.batch_alter_table("message") as batch:
        batch.drop_constraint(op.f("ck_message_reference_or_sealed"), type_="check")
    _seal(op.get_bind())
    with op.batch_alter_table("message") as batch:
        batch.drop_column("utterance")
        batch.drop_column("variant")
        batch.create_check_constraint(op.f("ck_message_reference_or_sealed"), _REFERENCE)


def _seal(tx: sa.Connection) -> None:
    """Raise `RuntimeError` rather than lose what was said, or leave it in clear."""
    seal = context.config.attributes.get("seal")
    if seal is not None:
        seal(tx)
    elif tx.execute(sa.text("SELECT 1 FROM message WHERE role = 'bot'")).first():
        raise RuntimeError("this database holds chats: only a server with its keys can bring it to the newest form")


def downgrade() -> None:
    """Back to columns in clear. What was said since cannot be opened here: a chat in which the bot spoke is refused afterwards."""
    with op.batch_alter_table("message") as batch:
        batch.drop_constraint(op.f("ck_message_reference_or_sealed"), type_="check")
        batch.add_column(sa.Column("utterance", sa.String(length=64), nullable=True))
        batch.add_column(sa.Column("variant", sa.Integer(), nullable=True))
    op.execute("UPDATE message SET utterance = 'utter_numbers', variant = 0, sealed = NULL, key_no = NULL WHERE role = 'bot'")
    with op.batch_alter_table("message") as batch:
        batch.create_check_constraint(op.f("ck_message_reference_or_sealed"), _IN_CLEAR)
    for column in _STATES:
        op.drop_column("conversation", column)
