"""The tables. Every rule that must never be broken is a named constraint here, not only a line of Python.

Ids that leave the server are random (128 bit, base64url). Times are UTC. Only `handoff.crypto.vault` makes what stands in `sealed`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = sa.MetaData(naming_convention=_NAMES)


class Utc(sa.types.TypeDecorator[datetime]):
    """An aware UTC moment; SQLite, which has no zones, stores it without one. A naive datetime is refused."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive values: a time without a zone is an error waiting for the clock to change."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError("a naive datetime cannot be stored")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give back an aware UTC moment on both databases."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _id(name: str = "id") -> sa.Column[str]:
    return sa.Column(name, sa.String(32), primary_key=True)


def _ref(name: str, target: str, *, nullable: bool = False, key: bool = False) -> sa.Column[str]:
    return sa.Column(
        name, sa.String(64), sa.ForeignKey(target, ondelete="CASCADE"), nullable=nullable, primary_key=key, index=not key
    )


def _bytes(name: str, *, nullable: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=nullable)


def _at(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, Utc, nullable=nullable)


REFERENCE_BYTES = (21, 53, 1141)
"""How long what the bot says is, sealed: under the key of its turn, or by itself (X25519, X-Wing)."""

STATE_BYTES = (540, 569)
"""How long the state of a chat is, locked: under the day's key, and under the child's token too."""

installation = sa.Table(
    "installation",
    metadata,
    sa.Column("no", sa.SmallInteger, sa.CheckConstraint("no = 1", "one"), primary_key=True, autoincrement=False),
    sa.Column("id", sa.String(64), nullable=False),  # the same id stands as a marker in the key directory
    # so that a wrong clock destroys nothing, see `handoff.chats.retention`
    _at("last_seen_at", nullable=True),  # the last moment at which the clock was believed
    sa.Column("ended_up_to", sa.String(10), nullable=True),  # the newest expiry day whose time has come, YYYY-MM-DD
    _at("ending_since", nullable=True),  # since when `days_ended` counts
    sa.Column("days_ended", sa.SmallInteger, nullable=False, server_default="0"),
)

municipality = sa.Table(
    "municipality",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(120), nullable=False),
)

person = sa.Table(
    "person",
    metadata,
    _id(),
    _ref("municipality_id", "municipality.id"),
    sa.Column("login", sa.String(64), nullable=False, unique=True),
    sa.Column("first_name", sa.String(64), nullable=False),
    sa.Column("role", sa.String(16), sa.CheckConstraint("role in ('confidant','clerk','admin')", "role"), nullable=False),
    # the member key: `locked_key` is the private half under the passphrase; `kdf` is "memory_kib,iterations,lanes"
    _bytes("public_key"),
    sa.Column("kdf", sa.String(32), nullable=False),
    _bytes("salt"),
    _bytes("locked_key"),
    _bytes("own_proof", nullable=True),  # a mac over all four: made by the person; without it an operator printed the passphrase
    sa.Column("door_tag", sa.SmallInteger, nullable=True),  # 12 bits of a mac over the passphrase: turns guesses away at once
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    _at("locked_until", nullable=True),
    _at("created_at"),
    _at("disabled_at", nullable=True),
)

team = sa.Table(
    "team",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    _ref("municipality_id", "municipality.id"),
    sa.Column("name", sa.String(120), nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False),  # the current one; old epochs are deleted at rotation
    sa.Column("position", sa.SmallInteger, nullable=True),  # 0 receives new children, null: not named any more
)

team_key = sa.Table(
    "team_key",
    metadata,
    _ref("team_id", "team.id", key=True),
    sa.Column("epoch", sa.Integer, primary_key=True),
    _bytes("public_key"),
    _bytes("mac"),
)

team_wrap = sa.Table(
    "team_wrap",
    metadata,
    _ref("team_id", "team.id", key=True),
    sa.Column("epoch", sa.Integer, primary_key=True),
    _ref("person_id", "person.id", key=True),
    _bytes("sealed"),
    _bytes("vouch"),  # only a holder of the team key can make it: a swapped member key is noticed
)

membership = sa.Table(
    "membership",
    metadata,
    _ref("team_id", "team.id", key=True),
    _ref("person_id", "person.id", key=True),
    sa.Column("granted_by", sa.String(32), nullable=True),
    _at("granted_at", nullable=True),  # null: invited, waits for a colleague who compares the key code
)

session = sa.Table(
    "session",
    metadata,
    sa.Column("id", sa.LargeBinary, primary_key=True),  # HKDF of the cookie; the cookie itself is nowhere
    _ref("person_id", "person.id"),
    _bytes("locked_key"),
    _at("created_at"),
    _at("expires_at"),
    _at("last_seen_at"),
    sa.Column("step_owed", sa.Boolean, nullable=False, server_default=sa.false()),  # signed in, but the second step is to come
)

second_step = sa.Table(
    "second_step",
    metadata,
    _ref("person_id", "person.id", key=True),
    _bytes("sealed"),  # the phone's secret, locked under the member key
    sa.Column("counter", sa.BigInteger, nullable=False),  # of the last code that counted: none counts twice
    sa.Column("failures", sa.Integer, nullable=False),
    _at("held_until", nullable=True),
    _at("created_at"),
)

recovery_code = sa.Table(
    "recovery_code",
    metadata,
    _ref("person_id", "person.id", key=True),
    sa.Column("digest", sa.LargeBinary, primary_key=True),  # a keyed hash; the row goes when the code is used
)

shift = sa.Table(
    "shift",
    metadata,
    _id(),
    _ref("team_id", "team.id"),
    _ref("person_id", "person.id"),
    _at("starts_at"),
    _at("ends_at", nullable=True),
    _at("seen_at"),  # the console's heartbeat: on duty means an open shift and a recent beat
)
sa.Index("uq_shift_open", shift.c.team_id, shift.c.person_id, unique=True, sqlite_where=shift.c.ends_at.is_(None),
         postgresql_where=shift.c.ends_at.is_(None))  # fmt: skip
sa.Index("ix_shift_seen", shift.c.seen_at, sqlite_where=shift.c.ends_at.is_(None), postgresql_where=shift.c.ends_at.is_(None))
sa.Index("ix_shift_ends_at", shift.c.ends_at)

script_version = sa.Table(
    "script_version",
    metadata,
    sa.Column("version", sa.String(16), primary_key=True),
    sa.Column("body", sa.Text, nullable=False),  # canonical JSON of config.schema.Script: what was said stays readable
    _at("published_at"),
)

conversation = sa.Table(
    "conversation",
    metadata,
    _id(),
    _ref("municipality_id", "municipality.id"),
    _ref("team_id", "team.id"),
    sa.Column("channel", sa.String(16), nullable=False),
    _bytes("child_auth"),  # keyed hash of the token or chat id: finds the row, opens nothing
    _bytes("child_public_key", nullable=True),  # web only: derived from the browser's token
    _bytes("address", nullable=True),  # push channels only: where to send, sealed to the delivery key
    sa.Column("key_no", sa.Integer, nullable=False),
    sa.Column("last_seq", sa.Integer, nullable=False),
    sa.Column("language", sa.String(8), nullable=False),
    sa.Column("place", sa.String(64), nullable=True),  # the code of the sticker's spot, when the child came by one
    sa.Column("expires_on", sa.String(10), nullable=False, index=True),  # the expiry bucket: a day, YYYY-MM-DD
    _at("created_at"),
    _at("last_child_at"),
    _at("seen_at", nullable=True),  # the page's last sign of life
    _at("gone_at", nullable=True),  # push channels: blocked or gone, until something arrives or the child writes again
    # what the bot said, for who opens no message: always as long, locked under the expiry day's key (`chats.state`)
    _bytes("state", nullable=True),  # in the turns, of a page's chat under the child's token too; on a push channel all of it
    _bytes("news_state", nullable=True),  # of a page's chat: beside the turns
    sa.UniqueConstraint("channel", "child_auth"),
    sa.CheckConstraint(f"state is null or length(state) in {STATE_BYTES}", "state"),
    sa.CheckConstraint(f"news_state is null or length(news_state) = {STATE_BYTES[0]}", "news_state"),
)

conversation_key = sa.Table(
    "conversation_key",
    metadata,
    _ref("conversation_id", "conversation.id", key=True),
    sa.Column("no", sa.Integer, primary_key=True),
    _bytes("public_key"),
    sa.Column("teams", sa.Text, nullable=False),  # the ids of the teams that it is wrapped for, "a,b"; `mac` proves them
    _bytes("child_wrap", nullable=True),  # web only: the private half, sealed to the child
    _bytes("mac"),
)

key_wrap = sa.Table(
    "key_wrap",
    metadata,
    _ref("conversation_id", "conversation.id", key=True),
    sa.Column("no", sa.Integer, primary_key=True),
    _ref("team_id", "team.id", key=True),  # whose key in this epoch opens it
    sa.Column("epoch", sa.Integer, nullable=False),
    _bytes("sealed"),
    sa.Column("first_form", sa.Boolean, nullable=False),  # sealed before 0005: bound to "team:<epoch>", without the team's id
)

message = sa.Table(
    "message",
    metadata,
    _ref("conversation_id", "conversation.id", key=True),
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("external_id", sa.String(64), nullable=True),  # the sender's own id: the same one twice is one message
    sa.Column("key_no", sa.Integer, nullable=True),
    _bytes("sealed", nullable=True),  # words, or what the bot says: two numbers that point at published words
    _bytes("sealed_reading", nullable=True),  # the intent is content too
    _bytes("mac"),
    sa.Column("script_version", sa.String(16), sa.ForeignKey("script_version.version"), nullable=True),
    sa.Column("person_id", sa.String(32), sa.ForeignKey("person.id", ondelete="SET NULL"), nullable=True),
    sa.Column("urgency", sa.SmallInteger, nullable=False, server_default="0"),
    _at("created_at"),
    sa.UniqueConstraint("conversation_id", "role", "external_id"),
    sa.CheckConstraint("role in ('child','bot','confidant')", "role"),
    # promise 3: a bot's row has room for a reference and no word; promise 6: and nothing stands in clear of what anybody said
    sa.CheckConstraint(
        "sealed is not null and key_no is not null and ("
        f"(role = 'bot' and length(sealed) in {REFERENCE_BYTES} and sealed_reading is null and external_id is null "
        "and script_version is not null) or (role <> 'bot' and script_version is null))",
        "reference_or_sealed",
    ),
    sa.CheckConstraint("seq >= 1", "seq"),
    sa.CheckConstraint("urgency between 0 and 2", "urgency"),
)

handoff = sa.Table(
    "handoff",
    metadata,
    _id(),
    _ref("conversation_id", "conversation.id"),
    _ref("municipality_id", "municipality.id"),
    _ref("team_id", "team.id"),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("urgency", sa.SmallInteger, nullable=False),
    sa.Column("route", sa.String(64), nullable=False),
    sa.Column("step", sa.String(16), nullable=False),
    sa.Column("told_minutes", sa.Integer, nullable=False, server_default="0"),  # the last waiting message that was sent
    sa.Column("told_on_duty", sa.Boolean, nullable=False, server_default=sa.false()),  # the child was told that somebody is there
    _at("due_at", nullable=True),  # waiting: when the loop must look at it next; null: nothing is to come
    _at("opened_at"),
    _at("told_from"),  # from when the waiting messages count: the opening, or when a human let go
    _at("waiting_since"),  # kept when a claim is given back: nobody loses their place
    sa.Column("claimed_by", sa.String(32), sa.ForeignKey("person.id"), nullable=True),
    sa.Column("asked_for", sa.String(32), sa.ForeignKey("person.id"), nullable=True),  # transfer: who should take it
    _at("claimed_at", nullable=True),
    _at("lease_until", nullable=True),
    _at("closed_at", nullable=True),
    sa.Column("outcome", sa.String(32), nullable=True),
    sa.CheckConstraint("state in ('waiting','claimed','closed')", "state"),
    sa.CheckConstraint("urgency between 0 and 2", "urgency"),
    sa.CheckConstraint("(state = 'claimed') = (claimed_by is not null and lease_until is not null)", "claim"),
    sa.CheckConstraint("(state = 'closed') = (closed_at is not null and outcome is not null)", "close"),
    sa.Index("ix_handoff_queue", "team_id", "state", "urgency", "waiting_since"),
)
sa.Index("uq_handoff_open", handoff.c.conversation_id, unique=True, sqlite_where=handoff.c.state != "closed",
         postgresql_where=handoff.c.state != "closed")  # fmt: skip

HANDOFF_WAITS = handoff.c.state == sa.literal_column("'waiting'")
HANDOFF_IS_CLAIMED = handoff.c.state == sa.literal_column("'claimed'")
"""Spelled out, not bound: only then do both databases see that a partial index fits the question."""

for _name, _columns, _where in (
    ("ix_handoff_due", (handoff.c.due_at,), HANDOFF_WAITS),
    ("ix_handoff_told_on_duty", (handoff.c.team_id,), sa.and_(HANDOFF_WAITS, handoff.c.told_on_duty.is_(True))),
    ("ix_handoff_lease", (handoff.c.lease_until,), HANDOFF_IS_CLAIMED),
):
    sa.Index(_name, *_columns, sqlite_where=_where, postgresql_where=_where)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    _ref("conversation_id", "conversation.id"),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("channel", sa.String(16), nullable=False),
    _bytes("sealed", nullable=True),  # push channels: what is to be sent, sealed to the delivery key, wiped on delivery
    _at("due_at"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    _at("delivered_at", nullable=True),
    _at("failed_at", nullable=True),
    sa.Column("provider_ids", sa.Text, nullable=True),  # the channel's own numbers of its pieces, "101,102": to delete them there
    sa.UniqueConstraint("conversation_id", "seq"),
    sa.CheckConstraint("delivered_at is null or failed_at is null", "one_end"),
    sa.CheckConstraint("(delivered_at is null and failed_at is null) or sealed is null", "wiped"),
)
_ON_ITS_WAY = sa.and_(outbox.c.delivered_at.is_(None), outbox.c.failed_at.is_(None))
sa.Index("ix_outbox_due", outbox.c.channel, outbox.c.due_at, sqlite_where=_ON_ITS_WAY, postgresql_where=_ON_ITS_WAY)
sa.Index("ix_outbox_first", outbox.c.conversation_id, outbox.c.seq, sqlite_where=_ON_ITS_WAY, postgresql_where=_ON_ITS_WAY)

erased = sa.Table(
    "erased",
    metadata,
    sa.Column("channel", sa.String(16), primary_key=True),
    sa.Column("child_auth", sa.LargeBinary, primary_key=True),  # a late retry must not bring an erased chat back
    sa.Column("conversation_id", sa.String(32), primary_key=True),  # replayed after a backup is restored
    sa.Column("up_to", sa.BigInteger, nullable=True),  # push channels: messages with a higher number begin a new chat
    sa.Column("by_edit", sa.BigInteger, nullable=True),  # the update that made an older message the wish: it may come again
    _at("erased_at"),
)

ended = sa.Table(
    "ended",
    metadata,
    sa.Column("channel", sa.String(16), primary_key=True),
    sa.Column("child_auth", sa.LargeBinary, primary_key=True),  # whoever still has the token is told what became of the chat
    sa.Column("conversation_id", sa.String(32), primary_key=True),
    sa.Column("municipality_id", sa.String(64), nullable=False),
    sa.Column("days", sa.SmallInteger, nullable=False),  # how old it was when its time was over
    _at("ended_at"),
    sa.Index("ix_ended_ended_at", "ended_at"),
)

deletion = sa.Table(
    "deletion",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("channel", sa.String(16), nullable=False),
    _bytes("child_auth"),  # one job for a door: a second wish joins the first
    _bytes("address"),  # where to delete, sealed to the delivery key
    sa.Column("numbers", sa.Text, nullable=False),  # the channel's own numbers of what has to go, "101,102"
    sa.Column("wish", sa.BigInteger, nullable=True),  # the number of the last message that asked
    sa.Column("to_say", sa.SmallInteger, nullable=False),  # lines of the farewell that have not been said yet
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    _at("due_at"),
    _at("expires_at"),  # after this the channel deletes nothing any more, and the row goes
    sa.UniqueConstraint("channel", "child_auth"),
    sa.Index("ix_deletion_due", "channel", "due_at"),
    sa.Index("ix_deletion_expires_at", "expires_at"),
)

audit_entry = sa.Table(
    "audit_entry",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    _at("at"),
    sa.Column("municipality_id", sa.String(64), nullable=False, index=True),
    sa.Column("person_id", sa.String(32), nullable=True),
    sa.Column("action", sa.String(32), nullable=False),
    sa.Column("object", sa.String(64), nullable=True),  # an id, never a name or a word
    sa.Column("result", sa.String(16), nullable=False),
    sa.Column("origin", sa.String(16), nullable=False),
    sa.Column("no", sa.BigInteger, nullable=True),  # without gaps; null: from before there was a chain
    _bytes("mac", nullable=True),  # of the server, over the line and the mac before it
    sa.Index("uq_audit_entry_no", "no", unique=True),
    sa.Index("ix_audit_entry_object", "object", "at"),
)

APPEND_ONLY = {
    "sqlite": tuple(
        f"CREATE TRIGGER audit_entry_no_{what} BEFORE {what.upper()} ON audit_entry "
        "BEGIN SELECT RAISE(ABORT, 'an audit line stays as it is'); END"
        for what in ("update", "delete")
    ),
    "postgresql": (
        """CREATE OR REPLACE FUNCTION audit_entry_stays() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'an audit line stays as it is'; END $$""",
        """CREATE TRIGGER audit_entry_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
        FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_stays()""",
    ),
}
"""What the database itself refuses. Whoever may change its schema can take this away: the chain then shows what they did."""
for _dialect, _statements in APPEND_ONLY.items():
    for _statement in _statements:
        sa.event.listen(audit_entry, "after_create", sa.DDL(_statement).execute_if(dialect=_dialect))  # type: ignore[no-untyped-call]

event = sa.Table(
    "event",
    metadata,
    sa.Column("no", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("xact", sa.BigInteger, nullable=False, index=True),  # the transaction: only PostgreSQL, see `database.notifications`
    sa.Column("body", sa.Text, nullable=False),  # JSON pairs of topic and kind: ids and small state, never words
)
