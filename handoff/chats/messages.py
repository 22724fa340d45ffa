"""The messages of a chat: what was said, and adding to it. Every sequence number is used once and none is left out.

What is added together costs three statements, however much it is: the messages, what waits to go out, and the conversation's row,
which takes all numbers at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff import keys
from handoff.chats import conversation as conversation_of
from handoff.chats import parcels
from handoff.chats.conversation import Chat
from handoff.crypto import Vault
from handoff.database.prepared import Prepared, PreparedInsert
from handoff.errors import NotFound
from handoff.events import announce, chat_topic
from handoff.keys import ConversationKey, SealedReference
from handoff.models import conversation, message, outbox
from handoff.pointers import Pointer


@dataclass(frozen=True, slots=True)
class ChildWords:
    """What a child wrote, and what was understood of it. Its repr shows neither."""

    external_id: str
    """The sender's own id for it."""
    text: str = field(repr=False)
    intent: str = field(repr=False)
    urgency: int
    language: str
    """ISO 639 code."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A bot's message: it points at published words and holds none. Its repr does not show at which."""

    utterance: str = field(repr=False)
    pointer: Pointer = field(repr=False)
    """The same by number in the script version, and the variant: this is all that is stored."""
    script_version: str
    person_id: str | None = None
    """Whose first name it mentions."""
    choices: tuple[str, ...] = field(default=(), repr=False)
    """Ids of gemeenten to press, on a push channel; they wait sealed until it has gone out."""


_ADD = PreparedInsert(
    message, "conversation_id", "seq", "role", "external_id", "key_no", "sealed", "sealed_reading", "mac", "script_version",
    "person_id", "urgency", "created_at",
)  # fmt: skip
_EMPTY = dict.fromkeys(("external_id", "sealed_reading", "script_version", "person_id"))
_PUT = PreparedInsert(outbox, "conversation_id", "seq", "channel", "sealed", "due_at")
_KNOWN = Prepared(
    sa.select(message.c.seq).where(
        message.c.conversation_id == sa.bindparam("conversation"), message.c.role == sa.bindparam("by"),
        message.c.external_id == sa.bindparam("own_id"),
    )
)  # fmt: skip
_HERE = (conversation.c.id == sa.bindparam("chat"), conversation.c.last_seq == sa.bindparam("before"))
_ADVANCE = Prepared(
    conversation.update()
    .where(*_HERE)
    .values(last_seq=sa.bindparam("after"), state=sa.bindparam("turns"), news_state=sa.bindparam("news"))
)
_ADVANCE_BY_CHILD = Prepared(
    conversation.update()
    .where(*_HERE)
    .values(
        last_seq=sa.bindparam("after"), last_child_at=sa.bindparam("now"), language=sa.bindparam("spoken"),
        seen_at=sa.bindparam("now"), gone_at=None, state=sa.bindparam("turns"),
    )
)  # fmt: skip


def known(tx: Connection, chat: Chat, role: str, external_id: str) -> bool:
    """Return whether this sender's own message id was stored before: the same message twice is one message."""
    return _KNOWN.first(tx, conversation=chat.id, by=role, own_id=external_id) is not None


def add_turn(
    tx: Connection,
    vault: Vault,
    chat: Chat,
    key: ConversationKey,
    words: ChildWords,
    answers: Sequence[Reference],
    now: datetime,
    *,
    state: bytes | None,
) -> None:
    """Store what a child wrote, sealed with what was understood of it, and the bot's answers behind it.

    The caller holds the chat's row, and `chat.last_seq` is what stands in it; `state` is what will, locked. Raises `NotFound` when
    it does not.
    """
    _take(_ADVANCE_BY_CHILD.run(tx, chat=chat.id, before=chat.last_seq, after=chat.last_seq + 1 + len(answers), now=now,
                                spoken=words.language, turns=state))  # fmt: skip
    store_turn(tx, vault, chat, key, words, answers, now)


def store_turn(
    tx: Connection, vault: Vault, chat: Chat, key: ConversationKey, words: ChildWords, answers: Sequence[Reference], now: datetime
) -> None:
    """Do as `add_turn` does, for a chat whose row has its new `last_seq` and state already."""
    first = chat.last_seq + 1
    sealed, references = keys.seal_turn(
        vault, key, seq=first, text=words.text, reading=words.intent, answers=[(one.pointer, one.script_version) for one in answers]
    )
    row = _row(chat, first, "child", now) | sealed._asdict() | {"external_id": words.external_id, "urgency": words.urgency}
    said = list(zip(range(first + 1, first + 1 + len(answers)), answers, references, strict=True))
    _ADD.run(tx, row, *(_bot_row(chat, *one, now) for one in said))
    _PUT.run(tx, *(_parcel(vault, chat, seq, reference, now) for seq, reference, _ in said))
    announce(tx, chat_topic(chat.id), "message")


def add_utterance(tx: Connection, vault: Vault, chat: Chat, reference: Reference, now: datetime) -> int:
    """Add one message of the bot beside the turns; returns its sequence number.

    The caller holds the chat's row, and `chat` is what stands in it. Raises `NotFound` when it does not, `Denied` when the chat's
    key was swapped.
    """
    seq, key = chat.last_seq + 1, keys.key_in_force(tx, vault, chat.id)
    sealed = keys.seal_reference(vault, key, seq=seq, pointer=reference.pointer, script_version=reference.script_version)
    _take(_ADVANCE.run(tx, chat=chat.id, before=chat.last_seq, after=seq, **_news(vault, chat, reference)))
    _ADD.run(tx, _bot_row(chat, seq, reference, sealed, now))
    _PUT.run(tx, _parcel(vault, chat, seq, reference, now))
    announce(tx, chat_topic(chat.id), "message")
    return seq


def _news(vault: Vault, chat: Chat, reference: Reference) -> dict[str, bytes | None]:
    """Both states of a chat after one more message beside the turns."""
    state = conversation_of.news_of(vault, chat).saying([reference.utterance])
    lock = conversation_of.key_of_turns(vault, chat).lock
    if chat.pushed:
        return {"turns": lock(state.referring([reference.pointer]), chat.state), "news": None}
    return {"turns": chat.state, "news": lock(state, chat.news_state)}


def reword(tx: Connection, vault: Vault, chat: Chat, seq: int, pointer: Pointer) -> None:
    """Note that another variant went out, because the first one was no longer true. The caller holds the chat's row.

    It is sealed under the key that the message stands under, and by itself.
    """
    mine = (message.c.conversation_id == chat.id, message.c.role == "bot")
    row = tx.execute(sa.select(message.c.key_no, message.c.script_version).where(*mine, message.c.seq == seq)).one()
    key = keys.key_numbered(tx, vault, chat.id, row.key_no)
    sealed = keys.seal_reference(vault, key, seq=seq, pointer=pointer, script_version=row.script_version)
    tx.execute(message.update().where(*mine, message.c.seq == seq).values(**sealed._asdict()))
    place = tx.execute(sa.select(sa.func.count()).select_from(message).where(*mine, message.c.seq < seq)).scalar_one()
    lock = conversation_of.key_of_turns(vault, chat)
    state = lock.lock(lock.open(chat.state).reworded(place, pointer[1]), chat.state)
    tx.execute(conversation.update().where(conversation.c.id == chat.id).values(state=state))
    announce(tx, chat_topic(chat.id), "message")


def add_confidant_words(
    tx: Connection, vault: Vault, chat: Chat, *, external_id: str, text: str, person_id: str, now: datetime
) -> int:
    """Store what a confidant wrote, sealed; for a push channel also sealed to the delivery process until it has gone out."""
    seq = _next(tx, chat)
    sealed = keys.seal_words(tx, vault, conversation_id=chat.id, seq=seq, role="confidant", text=text)
    row = _row(chat, seq, "confidant", now) | sealed._asdict() | {"external_id": external_id, "person_id": person_id}
    _ADD.run(tx, row)
    words = parcels.seal_words(vault, chat.id, seq, text) if chat.pushed else None
    _PUT.run(tx, {"conversation_id": chat.id, "seq": seq, "channel": chat.channel, "sealed": words, "due_at": now})
    announce(tx, chat_topic(chat.id), "message")
    return seq


def _next(tx: Connection, chat: Chat) -> int:
    """Take the next number; the update also holds the row until the commit."""
    bump = conversation.update().where(conversation.c.id == chat.id).values(last_seq=conversation.c.last_seq + 1)
    seq = tx.execute(bump.returning(conversation.c.last_seq)).scalar_one_or_none()
    if seq is None:
        raise NotFound("this chat was erased")
    return int(seq)


def _take(touched: int) -> None:
    if touched != 1:
        raise NotFound("this chat was erased")


def _row(chat: Chat, seq: int, role: str, now: datetime) -> dict[str, Any]:
    return _EMPTY | {"conversation_id": chat.id, "seq": seq, "role": role, "urgency": 0, "created_at": now}


def _bot_row(chat: Chat, seq: int, reference: Reference, sealed: SealedReference, now: datetime) -> dict[str, Any]:
    return _row(chat, seq, "bot", now) | sealed._asdict() | {"person_id": reference.person_id}


def _parcel(vault: Vault, chat: Chat, seq: int, reference: Reference, now: datetime) -> dict[str, Any]:
    """What waits to go out. A page opens the message itself; for a push channel it stands here, sealed to the delivery process."""
    sealed = parcels.seal_reference(vault, chat.id, seq, reference.pointer, reference.choices) if chat.pushed else None
    return {"conversation_id": chat.id, "seq": seq, "channel": chat.channel, "sealed": sealed, "due_at": now}
