"""Several teams: their order in a gemeente, and a conversation key that is wrapped for a team by its id and epoch.

Every team keeps its id, every wrap its sealed bytes: what was written before opens as before.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A gemeente's one team receives. The child's own wrap stands with the key, and the wraps name their team."""
    op.add_column("team", sa.Column("position", sa.SmallInteger(), nullable=True))
    op.execute("UPDATE team SET position = 0")
    op.add_column("conversation_key", sa.Column("child_wrap", sa.LargeBinary(), nullable=True))
    with op.batch_alter_table("conversation_key") as batch:
        batch.add_column(sa.Column("teams", sa.Text(), nullable=False, server_default=""))
    op.execute("UPDATE conversation_key SET teams = (SELECT team_id FROM conversation WHERE conversation.id = conversation_id)")
    with op.batch_alter_table("conversation_key") as batch:
        batch.alter_column("teams", server_default=None, existing_type=sa.Text(), existing_nullable=False)
    op.execute(
        "UPDATE conversation_key SET child_wrap = (SELECT sealed FROM key_wrap WHERE key_wrap.recipient = 'child' "
        "AND key_wrap.conversation_id = conversation_key.conversation_id AND key_wrap.no = conversation_key.no)"
    )
    op.execute("CREATE TABLE key_wrap_before AS SELECT * FROM key_wrap")
    op.drop_table("key_wrap")
    op.create_table(
        "key_wrap",
        *_key(),
        sa.Column("team_id", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("first_form", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_key_wrap_team_id_team"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("conversation_id", "no", "team_id", name=op.f("pk_key_wrap")),
    )
    op.execute(
        "INSERT INTO key_wrap (conversation_id, no, team_id, epoch, sealed, first_form) "
        "SELECT w.conversation_id, w.no, c.team_id, CAST(substr(w.recipient, 6) AS INTEGER), w.sealed, true "
        "FROM key_wrap_before w JOIN conversation c ON c.id = w.conversation_id WHERE w.recipient LIKE 'team:%'"
    )
    op.drop_table("key_wrap_before")


def downgrade() -> None:
    """Back to one team for each conversation; what was wrapped after the upgrade is bound to another name, and lost."""
    op.execute("CREATE TABLE key_wrap_after AS SELECT * FROM key_wrap")
    op.drop_table("key_wrap")
    op.create_table(
        "key_wrap",
        *_key(),
        sa.Column("recipient", sa.String(length=16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", "no", "recipient", name=op.f("pk_key_wrap")),
    )
    op.execute(
        "INSERT INTO key_wrap (conversation_id, no, recipient, sealed) SELECT w.conversation_id, w.no, "
        "'team:' || CAST(w.epoch AS VARCHAR(10)), w.sealed FROM key_wrap_after w JOIN conversation c ON c.id = w.conversation_id "
        "WHERE w.first_form AND w.team_id = c.team_id"
    )
    op.execute(
        "INSERT INTO key_wrap (conversation_id, no, recipient, sealed) "
        "SELECT conversation_id, no, 'child', child_wrap FROM conversation_key WHERE child_wrap IS NOT NULL"
    )
    op.drop_table("key_wrap_after")
    with op.batch_alter_table("conversation_key") as batch:
        batch.drop_column("teams")
        batch.drop_column("child_wrap")
    op.drop_column("team", "position")


def _key() -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.Column("conversation_id", sa.String(length=64), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name=op.f("fk_key_wrap_conversation_id_conversation"), ondelete="CASCADE"
        ),
    )
