"""What a child's message finds, read at once: its chat and the key that seals, the open handoff, who is on duty.

Two statements on PostgreSQL, where the chat's row is locked first (what is read after it is what holds until the commit), and one
on SQLite, which has one writer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff import keys
from handoff.chats import conversation as chats
from handoff.chats.conversation import Chat, Door
from handoff.crypto import Vault
from handoff.database.prepared import Prepared, sent_together
from handoff.errors import Denied, NotFound
from handoff.keys import ConversationKey, KeyScope, TeamKey
from handoff.models import conversation, conversation_key, erased, handoff, person, team, team_key
from handoff.queue.handoffs import Handoff
from handoff.queue.roster import is_manned, since_and_until


@dataclass(frozen=True, slots=True)
class Arrival:
    """A chat as a message finds it."""

    chat: Chat
    handoff: Handoff | None
    """The one that is not closed."""
    confidant: str | None
    """The first name of who has it claimed."""
    on_duty: bool
    """Whether a human of the chat's team is there now."""
    scope: KeyScope
    """What its keys are bound to."""
    key: ConversationKey
    """What seals new words."""


@dataclass(frozen=True, slots=True)
class Welcome:
    """What a child finds that nobody knows yet."""

    team: TeamKey
    """The team that receives it."""
    on_duty: bool
    """Whether a human of that team is there now."""


_CHAT_FIELDS = tuple(Chat.__dataclass_fields__)
_HANDOFF_FIELDS = tuple(Handoff.__dataclass_fields__)
_KEY_FIELDS = ("no", "public_key", "teams", "mac")


_reader = person.alias("reader")
_MINE = (conversation.c.channel == sa.bindparam("through"), conversation.c.child_auth == sa.bindparam("auth"))
_LOCK = Prepared(sa.select(conversation.c.id).where(*_MINE).with_for_update())
_newer = conversation_key.alias("newer")
_FIND = Prepared(
    sa.select(
        *chats.COLUMNS,
        *(handoff.c[name].label(f"handoff_{name}") for name in _HANDOFF_FIELDS),
        _reader.c.first_name,
        is_manned(conversation.c.team_id).correlate(conversation).label("on_duty"),
        conversation.c.child_public_key,
        sa.exists()
        .where(_newer.c.conversation_id == conversation.c.id, _newer.c.no > conversation.c.key_no)
        .correlate(conversation)
        .label("is_put_back"),
        *(conversation_key.c[name].label(f"key_{name}") for name in _KEY_FIELDS),
    )
    .outerjoin(
        conversation_key,
        sa.and_(conversation_key.c.conversation_id == conversation.c.id, conversation_key.c.no == conversation.c.key_no),
    )
    .outerjoin(handoff, sa.and_(handoff.c.conversation_id == conversation.c.id, handoff.c.state != sa.literal_column("'closed'")))
    .outerjoin(_reader, _reader.c.id == handoff.c.claimed_by)
    .where(*_MINE)
)
_order = sa.bindparam("order", type_=erased.c.up_to.type)
_WELCOME = Prepared(
    sa.select(
        team.c.id, team.c.epoch, team_key.c.public_key, team_key.c.mac, is_manned(team.c.id).correlate(team).label("on_duty"),
        sa.exists().where(
            erased.c.channel == sa.bindparam("through"), erased.c.child_auth == sa.bindparam("auth"),
            sa.or_(erased.c.up_to.is_(None), _order.is_(None), _order <= erased.c.up_to),
        ).label("was_erased"),
    )
    .join(team_key, sa.and_(team_key.c.team_id == team.c.id, team_key.c.epoch == team.c.epoch))
    .where(team.c.id == sa.bindparam("team"))
    .with_for_update(read=True, key_share=True, of=team)
)  # fmt: skip


def find(tx: Connection, vault: Vault, door: Door, now: datetime, *, lock: bool = False) -> Arrival | None:
    """Return what is behind this door, or None. With `lock` two messages of one child wait for each other.

    Raises `Denied` when the key was swapped.
    """
    mine = {"through": door.channel, "auth": vault.child_auth(door.channel, door.token)}
    if lock and tx.dialect.name != "sqlite":
        with sent_together(tx):  # with the BEGIN that the driver sends before it
            locked = _LOCK.first(tx, **mine)
        if locked is None:
            return None
    row = _FIND.first(tx, **mine, **since_and_until(now))
    if row is None:
        return None
    after_chat = len(_CHAT_FIELDS)
    after_handoff = after_chat + len(_HANDOFF_FIELDS)
    if row.key_mac is None or row.is_put_back:  # somebody took the key away, or put an older one in force that a leaver may hold
        raise Denied
    chat = Chat(*row[:after_chat])
    item = Handoff(*row[after_chat:after_handoff]) if row.handoff_id is not None else None
    scope = KeyScope(chat.id, row.child_public_key, chat.expires_on)
    key = keys.sealing_key(vault, scope, chat.team_id, _Key(*row[-len(_KEY_FIELDS) :]))
    return Arrival(chat, item, row.first_name, bool(row.on_duty), scope, key)


@dataclass(frozen=True, slots=True)
class _Key:
    """The columns of a conversation's key that are checked before it seals."""

    no: int
    public_key: bytes
    teams: str
    mac: bytes


def welcome(tx: Connection, vault: Vault, door: Door, team_id: str, now: datetime, order: int | None) -> Welcome:
    """Return what a new chat needs of the team that receives it; holds off a rotation of its key until the commit.

    Raises `NotFound` when the child erased the chat that this message belongs to, `Denied` when the team has no key.
    """
    given = {
        "team": team_id, "through": door.channel, "auth": vault.child_auth(door.channel, door.token), "order": order,
        **since_and_until(now),
    }  # fmt: skip
    row = _WELCOME.first(tx, **given) or _WELCOME.first(tx, **given)  # once more: a rotation that was waited for changed the epoch
    if row is None:
        raise Denied
    if row.was_erased:
        raise NotFound("this chat was erased")
    return Welcome(keys.checked(tx, vault, row), bool(row.on_duty))
