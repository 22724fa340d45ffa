"""One chat with one child: find it, begin it, erase it. What is said in it: `handoff.chats.messages`."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff import keys
from handoff.chats.state import NOTHING_SAID, ChatState
from handoff.chats.state_key import StateKey, state_key
from handoff.crypto import Tombstone, Vault
from handoff.database.after_commit import after_commit
from handoff.database.prepared import PreparedInsert
from handoff.errors import NotFound
from handoff.events import ERASURES, announce, chat_topic
from handoff.keys import ConversationKey, KeyScope, TeamKey
from handoff.models import conversation, ended, erased, handoff, message, person


@dataclass(frozen=True, slots=True)
class Chat:
    """A conversation's row, without keys and without words. `language` is an ISO 639 code."""

    id: str
    municipality_id: str
    team_id: str
    channel: str
    last_seq: int
    language: str
    last_child_at: datetime
    seen_at: datetime | None
    place: str | None = None
    gone_at: datetime | None = None
    """Since when nothing arrives there any more: blocked, or gone."""
    pushed: bool = False
    """Messages are sent to an address; else the child's own page collects them with its token."""
    expires_on: str = ""
    """The expiry day, YYYY-MM-DD."""
    state: bytes | None = field(default=None, repr=False)
    """What the bot said in the turns, locked; on a push channel all that it said."""
    news_state: bytes | None = field(default=None, repr=False)
    """What the bot said beside the turns, locked; where the child's own page collects."""


@dataclass(frozen=True, slots=True)
class Erased:
    """A chat that is gone, for those who had to do with it."""

    municipality_id: str
    teams: tuple[str, ...]
    handoffs: tuple[str, ...]
    was_read: bool
    """Whether a human was announced to the child as reading: then something of it may live on in a memory."""


class Ended(NotFound):
    """This chat's time was over, and it was deleted when it was so many `days` old."""

    def __init__(self, days: int) -> None:
        super().__init__("the time of this conversation was over")
        self.days = days


@dataclass(frozen=True, slots=True)
class Door:
    """Where a child came in: the channel and the secret that only this child holds (a browser's token, a chat id)."""

    channel: str
    token: bytes = field(repr=False)
    address: bytes | None = field(default=None, repr=False)
    """Where messages are sent to. None: the child's own page collects them, and the token opens the chat."""


_PUSHED = conversation.c.address.is_not(None).label("pushed")
COLUMNS = tuple(_PUSHED if name == "pushed" else conversation.c[name] for name in Chat.__dataclass_fields__)
"""What `Chat` is read from, in the order of its fields."""


def new_id() -> str:
    """A random public id of 128 bits."""
    return secrets.token_urlsafe(16)


def find(tx: Connection, vault: Vault, door: Door, *, lock: bool = False) -> Chat | None:
    """The chat behind this door, or None. With `lock` two messages of one child wait for each other."""
    query = sa.select(*COLUMNS).where(
        conversation.c.channel == door.channel, conversation.c.child_auth == vault.child_auth(door.channel, door.token)
    )
    row = tx.execute(query.with_for_update() if lock else query).first()
    return Chat(**row._asdict()) if row else None


def demand_not_ended(tx: Connection, vault: Vault, door: Door, municipality_id: str | None) -> None:
    """Raise `Ended` when there was a chat behind this door whose time is over."""
    mine = (ended.c.channel == door.channel, ended.c.child_auth == vault.child_auth(door.channel, door.token))
    row = tx.execute(sa.select(ended.c.days, ended.c.municipality_id).where(*mine).order_by(ended.c.ended_at.desc())).first()
    if row is not None and municipality_id in (None, row.municipality_id):
        raise Ended(row.days)


def get(tx: Connection, conversation_id: str, *, lock: bool = False) -> Chat:
    """The chat with this id. Raises `NotFound`."""
    query = sa.select(*COLUMNS).where(conversation.c.id == conversation_id)
    row = tx.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise NotFound("no such conversation")
    return Chat(**row._asdict())


def hold(tx: Connection, conversation_id: str) -> None:
    """Hold the chat's row, if it is still there, before any row that hangs on it: an erasure takes them in the same order."""
    tx.execute(sa.select(conversation.c.id).where(conversation.c.id == conversation_id).with_for_update()).first()


def begin(
    tx: Connection,
    vault: Vault,
    door: Door,
    *,
    municipality_id: str,
    team_id: str,
    retention_days: int,
    now: datetime,
    place: str | None = None,
    order: int | None = None,
) -> Chat:
    """Open an empty chat with keys of its own. Raises `NotFound` when the child erased it: a late retry must not bring it back.

    On a channel whose door stays the same (a chat id), `order` is the channel's growing number of the message: what is newer
    than the message that erased begins anew.
    """
    if was_erased(tx, vault, door, order):
        raise NotFound("this chat was erased")
    chat = new_chat(door, municipality_id, team_id, now, place)
    expires_on = expiry_day(now, retention_days)
    insert(tx, vault, door, chat, keys.current_public_keys(tx, vault, [team_id]), last_seq=0, expires_on=expires_on, now=now)
    return chat


def new_chat(door: Door, municipality_id: str, team_id: str, now: datetime, place: str | None) -> Chat:
    """Return an empty chat that no row holds yet."""
    return Chat(new_id(), municipality_id, team_id, door.channel, 0, "nl", now, None, place, pushed=door.address is not None)


def key_of_turns(vault: Vault, chat: Chat, token: bytes | None = None) -> StateKey:
    """Return what locks `chat.state`; that of a page's chat opens with the child's token alone."""
    return state_key(vault, chat.id, chat.expires_on, None if chat.pushed or token is None else vault.child_key(token))


def news_of(vault: Vault, chat: Chat) -> ChatState:
    """Return what the bot said beside the turns: waiting messages, who reads now."""
    return key_of_turns(vault, chat).open(chat.state if chat.pushed else chat.news_state)


def expiry_day(now: datetime, retention_days: int) -> str:
    """Return the day whose key locks a chat that begins now (UTC, YYYY-MM-DD)."""
    return (now.astimezone(UTC) + timedelta(days=retention_days)).date().isoformat()


_INSERT = PreparedInsert(
    conversation, "id", "municipality_id", "team_id", "channel", "child_auth", "child_public_key", "address", "key_no", "last_seq",
    "language", "place", "expires_on", "created_at", "last_child_at", "seen_at", "state",
)  # fmt: skip


def insert(
    tx: Connection,
    vault: Vault,
    door: Door,
    chat: Chat,
    teams: Sequence[TeamKey],
    *,
    last_seq: int,
    expires_on: str,
    now: datetime,
    language: str = "nl",
    seen_at: datetime | None = None,
    said: ChatState = NOTHING_SAID,
) -> ConversationKey:
    """Add a chat's row, with a key wrapped for these teams and the child.

    `last_seq` counts what is stored with it at once, and `said` is what the bot says in that.
    """
    child = vault.child_key(door.token) if door.address is None else None
    public = None if child is None else child.public(vault.suite)
    state = StateKey(chat.id, vault.make_bucket(expires_on), child).lock(said)
    _INSERT.run(tx, {
        "id": chat.id, "municipality_id": chat.municipality_id, "team_id": chat.team_id, "channel": chat.channel,
        "child_auth": vault.child_auth(door.channel, door.token), "child_public_key": public,
        "address": None if door.address is None else vault.seal_for_delivery(door.address, "address", chat.id),
        "key_no": 1, "last_seq": last_seq, "language": language, "place": chat.place, "expires_on": expires_on,
        "created_at": now, "last_child_at": now, "seen_at": seen_at, "state": state,
    })  # fmt: skip
    return keys.add_key(tx, vault, KeyScope(chat.id, public, expires_on), 1, teams, child)


def seen(tx: Connection, chat: Chat, now: datetime) -> None:
    """The child's page gave a sign of life."""
    tx.execute(conversation.update().where(conversation.c.id == chat.id).values(seen_at=now))


def was_erased(tx: Connection, vault: Vault, door: Door, order: int | None) -> bool:
    """Whether a message with this number comes from before an erasure (or, without numbers, whether there was one)."""
    mine = (erased.c.channel == door.channel, erased.c.child_auth == vault.child_auth(door.channel, door.token))
    limits = tx.execute(sa.select(erased.c.up_to).where(*mine)).scalars().all()
    return any(limit is None or order is None or order <= limit for limit in limits)


def own_ids(tx: Connection, conversation_id: str, since: datetime | None = None) -> list[str]:
    """The sender's own ids of what the child sent since then."""
    mine = [message.c.conversation_id == conversation_id, message.c.role == "child"]
    mine += [] if since is None else [message.c.created_at >= since]
    return [str(found) for found in tx.execute(sa.select(message.c.external_id).where(*mine)).scalars()]


def erased_by_edit(tx: Connection, vault: Vault, door: Door, update: int) -> bool:
    """Whether this very update, which edited an older message into the wish, erased a chat here before."""
    mine = (erased.c.channel == door.channel, erased.c.child_auth == vault.child_auth(door.channel, door.token))
    return tx.execute(sa.select(erased.c.by_edit).where(*mine, erased.c.by_edit == update)).first() is not None


def note_erasure(
    tx: Connection, vault: Vault, door: Door, conversation_id: str, *, now: datetime, up_to: int | None, by_edit: int | None = None
) -> None:
    """What came up to here stays away, whatever is repeated, and whatever older copy is put back. See `erased` in `handoff.models`.

    Remembered outside the database after the commit, before anybody hears of it; what fails then, `handoff.backups` does later.
    """
    auth = vault.child_auth(door.channel, door.token)
    values = {"channel": door.channel, "child_auth": auth, "up_to": up_to, "by_edit": by_edit}
    tx.execute(erased.insert().values(**values, conversation_id=conversation_id, erased_at=now))
    announce(tx, ERASURES, "erased")
    tombstone = Tombstone(conversation_id, up_to)
    after_commit(tx, partial(vault.tombstones.note_chats, now.astimezone(UTC).date(), [tombstone]))


def erase(
    tx: Connection, vault: Vault, door: Door, *, now: datetime, up_to: int | None = None, by_edit: int | None = None
) -> Erased:
    """Forget this chat wholly: keys, words, handoff. Returns what others must know of it. Raises `NotFound` when there is none.

    `up_to` is the channel's number of the message that asked for it; asked twice, what came later stays. `by_edit` is the
    number of the update when an older message was edited into the wish.
    """
    chat = find(tx, vault, door, lock=True)
    if chat is None or (up_to is not None and was_erased(tx, vault, door, up_to)):
        raise NotFound("no such conversation")
    note_erasure(tx, vault, door, chat.id, now=now, up_to=up_to, by_edit=by_edit)
    was_read = last_named(tx, chat.id) is not None
    handoffs = tx.execute(sa.select(handoff.c.id, handoff.c.team_id).where(handoff.c.conversation_id == chat.id)).all()
    tx.execute(conversation.delete().where(conversation.c.id == chat.id))
    announce(tx, chat_topic(chat.id), "erased")
    teams = sorted({*(row.team_id for row in handoffs), chat.team_id})
    return Erased(chat.municipality_id, tuple(teams), tuple(row.id for row in handoffs), was_read)


def first_name(tx: Connection, person_id: str | None) -> str | None:
    """The first name of a confidant: the only thing of them that a child is told."""
    if person_id is None:
        return None
    name: str | None = tx.execute(sa.select(person.c.first_name).where(person.c.id == person_id)).scalar_one_or_none()
    return name


def last_named(tx: Connection, conversation_id: str) -> str | None:
    """The person whom the bot last announced to this child as reading along."""
    mine = (message.c.conversation_id == conversation_id, message.c.role == "bot", message.c.person_id.is_not(None))
    found: str | None = tx.execute(
        sa.select(message.c.person_id).where(*mine).order_by(message.c.seq.desc()).limit(1)
    ).scalar_one_or_none()
    return found
