"""One chat with one child: find it, begin it, add to it, erase it. Every sequence number is used once and none is left out."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff import keys
from handoff.chats import outbox
from handoff.crypto import Vault
from handoff.errors import NotFound
from handoff.events import announce, chat_topic
from handoff.keys import KeyScope
from handoff.models import conversation, erased, handoff, message, person


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


@dataclass(frozen=True, slots=True)
class Door:
    """Where a child came in: the channel and the secret that only this child holds (a browser's token, a chat id)."""

    channel: str
    token: bytes = field(repr=False)
    address: bytes | None = field(default=None, repr=False)
    """Where messages are sent to. None: the child's own page collects them, and the token opens the chat."""


_PUSHED = conversation.c.address.is_not(None).label("pushed")
_CHAT = tuple(_PUSHED if name == "pushed" else conversation.c[name] for name in Chat.__dataclass_fields__)


def new_id() -> str:
    """A random public id of 128 bits."""
    return secrets.token_urlsafe(16)


def find(tx: Connection, vault: Vault, door: Door, *, lock: bool = False) -> Chat | None:
    """The chat behind this door, or None. With `lock` two messages of one child wait for each other."""
    query = sa.select(*_CHAT).where(
        conversation.c.channel == door.channel, conversation.c.child_auth == vault.child_auth(door.channel, door.token)
    )
    row = tx.execute(query.with_for_update() if lock else query).first()
    return Chat(**row._asdict()) if row else None


def get(tx: Connection, conversation_id: str, *, lock: bool = False) -> Chat:
    """The chat with this id. Raises `NotFound`."""
    query = sa.select(*_CHAT).where(conversation.c.id == conversation_id)
    row = tx.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise NotFound("no such conversation")
    return Chat(**row._asdict())


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
    """Open a chat with keys of its own. Raises `NotFound` when the child erased it: a late retry must not bring it back.

    On a channel whose door stays the same (a chat id), `order` is the channel's growing number of the message: what is newer
    than the message that erased begins anew.
    """
    auth = vault.child_auth(door.channel, door.token)
    if was_erased(tx, vault, door, order):
        raise NotFound("this chat was erased")
    child_key = vault.child_public_key(door.token) if door.address is None else None
    chat = Chat(new_id(), municipality_id, team_id, door.channel, 0, "nl", now, None, place, pushed=door.address is not None)
    address = None if door.address is None else vault.seal_for_delivery(door.address, "address", chat.id)
    expires_on = (now.astimezone(UTC) + timedelta(days=retention_days)).date().isoformat()
    tx.execute(
        conversation.insert().values(
            id=chat.id, municipality_id=municipality_id, team_id=team_id, channel=door.channel, child_auth=auth,
            child_public_key=child_key, address=address, key_no=1,
            last_seq=0, language="nl", place=place, expires_on=expires_on, created_at=now, last_child_at=now,
        )
    )  # fmt: skip
    keys.begin(tx, vault, KeyScope(chat.id, child_key, expires_on), [team_id])
    return chat


def known(tx: Connection, chat: Chat, role: str, external_id: str) -> bool:
    """Whether this sender's own message id was stored before: the same message twice is one message."""
    where = (message.c.conversation_id == chat.id, message.c.role == role, message.c.external_id == external_id)
    return tx.execute(sa.select(message.c.seq).where(*where)).first() is not None


def _next_seq(tx: Connection, chat: Chat) -> int:
    """Take the next number; the update also holds the row until the commit."""
    bump = conversation.update().where(conversation.c.id == chat.id).values(last_seq=conversation.c.last_seq + 1)
    seq = tx.execute(bump.returning(conversation.c.last_seq)).scalar_one_or_none()
    if seq is None:
        raise NotFound("this chat was erased")
    return int(seq)


def add_child_words(
    tx: Connection,
    vault: Vault,
    chat: Chat,
    *,
    external_id: str,
    text: str,
    reading: str,
    urgency: int,
    language: str,
    now: datetime,
) -> int:
    """Store what a child wrote, sealed, with what was understood of it (sealed too). Returns its sequence number."""
    seq = _next_seq(tx, chat)
    sealed = keys.seal_words(tx, vault, conversation_id=chat.id, seq=seq, role="child", text=text, reading=reading)
    tx.execute(
        message.insert().values(
            conversation_id=chat.id, seq=seq, role="child", external_id=external_id, key_no=sealed.key_no, sealed=sealed.sealed,
            sealed_reading=sealed.sealed_reading, mac=sealed.mac, urgency=urgency, created_at=now,
        )
    )  # fmt: skip
    values = {"last_child_at": now, "language": language, "seen_at": now, "gone_at": None}  # who writes is there
    tx.execute(conversation.update().where(conversation.c.id == chat.id).values(**values))
    announce(tx, chat_topic(chat.id), "message")
    return seq


def add_utterance(
    tx: Connection,
    vault: Vault,
    chat: Chat,
    *,
    utterance: str,
    variant: int,
    script_version: str,
    now: datetime,
    person_id: str | None = None,
    choices: tuple[str, ...] = (),
) -> int:
    """Add a bot's message: a reference to published words, never words. `person_id` is whose first name it mentions.

    `choices` are ids of gemeenten to press, on a push channel; they wait sealed until it has gone out.
    """
    seq = _next_seq(tx, chat)
    mac = keys.reference_mac(
        vault, conversation_id=chat.id, seq=seq, utterance=utterance, variant=variant, script_version=script_version
    )
    tx.execute(
        message.insert().values(
            conversation_id=chat.id, seq=seq, role="bot", mac=mac, utterance=utterance, variant=variant,
            script_version=script_version, person_id=person_id, created_at=now,
        )
    )  # fmt: skip
    shown = vault.seal_for_delivery("\n".join(choices).encode(), "choices", chat.id, seq) if choices else None
    outbox.put(tx, chat.id, seq, chat.channel, sealed=shown, now=now)
    announce(tx, chat_topic(chat.id), "message")
    return seq


def add_confidant_words(
    tx: Connection, vault: Vault, chat: Chat, *, external_id: str, text: str, person_id: str, now: datetime
) -> int:
    """Store what a confidant wrote, sealed; for a push channel also sealed to the delivery process until it has gone out."""
    seq = _next_seq(tx, chat)
    sealed = keys.seal_words(tx, vault, conversation_id=chat.id, seq=seq, role="confidant", text=text)
    tx.execute(
        message.insert().values(
            conversation_id=chat.id, seq=seq, role="confidant", external_id=external_id, key_no=sealed.key_no,
            sealed=sealed.sealed, mac=sealed.mac, person_id=person_id, created_at=now,
        )
    )  # fmt: skip
    words = None
    if chat.pushed:
        words = vault.seal_for_delivery(text.encode("utf-8", "surrogatepass"), "words", chat.id, seq)
    outbox.put(tx, chat.id, seq, chat.channel, sealed=words, now=now)
    announce(tx, chat_topic(chat.id), "message")
    return seq


def seen(tx: Connection, chat: Chat, now: datetime) -> None:
    """The child's page gave a sign of life."""
    tx.execute(conversation.update().where(conversation.c.id == chat.id).values(seen_at=now))


def said(tx: Connection, conversation_id: str) -> list[tuple[int, str, str | None, int | None]]:
    """(seq, role, utterance, variant) of every message, oldest first: what the policy may know of a chat. No words."""
    columns = (message.c.seq, message.c.role, message.c.utterance, message.c.variant)
    rows = tx.execute(sa.select(*columns).where(message.c.conversation_id == conversation_id).order_by(message.c.seq))
    return [tuple(row) for row in rows]


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
    """What came up to here stays away, whatever is repeated. See `erased` in `handoff.models`."""
    auth = vault.child_auth(door.channel, door.token)
    values = {"channel": door.channel, "child_auth": auth, "up_to": up_to, "by_edit": by_edit}
    tx.execute(erased.insert().values(**values, conversation_id=conversation_id, erased_at=now))


def erase(
    tx: Connection, vault: Vault, door: Door, *, now: datetime, up_to: int | None = None, by_edit: int | None = None
) -> list[str]:
    """Forget this chat wholly: keys, words, handoff. Returns the teams to tell. Raises `NotFound` when there is none.

    `up_to` is the channel's number of the message that asked for it; asked twice, what came later stays. `by_edit` is the
    number of the update when an older message was edited into the wish.
    """
    chat = find(tx, vault, door, lock=True)
    if chat is None or (up_to is not None and was_erased(tx, vault, door, up_to)):
        raise NotFound("no such conversation")
    note_erasure(tx, vault, door, chat.id, now=now, up_to=up_to, by_edit=by_edit)
    teams = list(tx.execute(sa.select(handoff.c.team_id).where(handoff.c.conversation_id == chat.id)).scalars())
    tx.execute(conversation.delete().where(conversation.c.id == chat.id))
    announce(tx, chat_topic(chat.id), "erased")
    return sorted({*teams, chat.team_id})


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


def last_references(tx: Connection, conversation_id: str, limit: int = 20) -> list[tuple[str, int, str]]:
    """(utterance, variant, script version) of the bot's last messages, newest first."""
    columns = (message.c.utterance, message.c.variant, message.c.script_version)
    mine = (message.c.conversation_id == conversation_id, message.c.role == "bot")
    rows = tx.execute(sa.select(*columns).where(*mine).order_by(message.c.seq.desc()).limit(limit))
    return [tuple(row) for row in rows]


def reword(tx: Connection, vault: Vault, chat: Chat, seq: int, *, variant: int) -> None:
    """Another variant of the same utterance went out, because the first one was no longer true."""
    mine = (message.c.conversation_id == chat.id, message.c.seq == seq, message.c.role == "bot")
    row = tx.execute(sa.select(message.c.utterance, message.c.script_version).where(*mine)).one()
    mac = keys.reference_mac(
        vault, conversation_id=chat.id, seq=seq, utterance=row.utterance, variant=variant, script_version=row.script_version
    )
    tx.execute(message.update().where(*mine).values(variant=variant, mac=mac))
    announce(tx, chat_topic(chat.id), "message")
