"""The messages of a chat: what was said, and adding to it. Every sequence number is used once and none is left out.

What is added together costs three statements, however much it is: the messages, what waits to go out, and the conversation's row,
which takes all numbers at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff import keys
from handoff.chats.conversation import Chat
from handoff.crypto import Vault
from handoff.database.prepared import Prepared, PreparedInsert
from handoff.errors import NotFound
from handoff.events import announce, chat_topic
from handoff.keys import ConversationKey
from handoff.models import conversation, message, outbox


class Said(NamedTuple):
    """One message, as far as the policy may know of it: no words."""

    seq: int
    role: str
    utterance: str | None
    """What the bot said; None for a human's words."""
    external_id: str | None
    """The sender's own id; None for the bot."""


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
    """A bot's message: it points at published words and holds none."""

    utterance: str
    variant: int
    script_version: str
    person_id: str | None = None
    """Whose first name it mentions."""
    choices: tuple[str, ...] = ()
    """Ids of gemeenten to press, on a push channel; they wait sealed until it has gone out."""


_ADD = PreparedInsert(
    message, "conversation_id", "seq", "role", "external_id", "key_no", "sealed", "sealed_reading", "mac", "utterance", "variant",
    "script_version", "person_id", "urgency", "created_at",
)  # fmt: skip
_EMPTY = dict.fromkeys(("external_id", "key_no", "sealed", "sealed_reading", "utterance", "variant", "script_version", "person_id"))
_PUT = PreparedInsert(outbox, "conversation_id", "seq", "channel", "sealed", "due_at")
_SAID = Prepared(
    sa.select(message.c.seq, message.c.role, message.c.utterance, message.c.external_id)
    .where(message.c.conversation_id == sa.bindparam("conversation"))
    .order_by(message.c.seq)
)
_TIMES = Prepared(
    sa.select(sa.func.count().label("times")).where(
        message.c.conversation_id == sa.bindparam("conversation"), message.c.utterance == sa.bindparam("what")
    )
)
_KNOWN = Prepared(
    sa.select(message.c.seq).where(
        message.c.conversation_id == sa.bindparam("conversation"), message.c.role == sa.bindparam("by"),
        message.c.external_id == sa.bindparam("own_id"),
    )
)  # fmt: skip
_HERE = (conversation.c.id == sa.bindparam("chat"), conversation.c.last_seq == sa.bindparam("before"))
_ADVANCE = Prepared(conversation.update().where(*_HERE).values(last_seq=sa.bindparam("after")))
_ADVANCE_BY_CHILD = Prepared(
    conversation.update()
    .where(*_HERE)
    .values(
        last_seq=sa.bindparam("after"), last_child_at=sa.bindparam("now"), language=sa.bindparam("spoken"),
        seen_at=sa.bindparam("now"), gone_at=None,
    )
)  # fmt: skip


def said(tx: Connection, conversation_id: str) -> list[Said]:
    """Return every message, oldest first."""
    return [Said(*row) for row in _SAID.all(tx, conversation=conversation_id)]


def times_said(tx: Connection, conversation_id: str, utterance: str) -> int:
    """Return how often this utterance was said: a child does not read the same line twice while another wording is left."""
    found = _TIMES.first(tx, conversation=conversation_id, what=utterance)
    return 0 if found is None else int(found.times)


def known(tx: Connection, chat: Chat, role: str, external_id: str) -> bool:
    """Return whether this sender's own message id was stored before: the same message twice is one message."""
    return _KNOWN.first(tx, conversation=chat.id, by=role, own_id=external_id) is not None


def add_turn(
    tx: Connection, vault: Vault, chat: Chat, key: ConversationKey, words: ChildWords, answers: Sequence[Reference], now: datetime
) -> None:
    """Store what a child wrote, sealed with what was understood of it, and the bot's answers behind it.

    The caller holds the chat's row, and `chat.last_seq` is what stands in it. Raises `NotFound` when it does not.
    """
    _take(_ADVANCE_BY_CHILD.run(tx, chat=chat.id, before=chat.last_seq, after=chat.last_seq + 1 + len(answers), now=now,
                                spoken=words.language))  # fmt: skip
    store_turn(tx, vault, chat, key, words, answers, now)


def store_turn(
    tx: Connection, vault: Vault, chat: Chat, key: ConversationKey, words: ChildWords, answers: Sequence[Reference], now: datetime
) -> None:
    """Do as `add_turn` does, for a chat whose row has its new `last_seq` already."""
    first = chat.last_seq + 1
    sealed = keys.seal_with(vault, key, seq=first, role="child", text=words.text, reading=words.intent)
    row = _row(chat, first, "child", now) | sealed._asdict() | {"external_id": words.external_id, "urgency": words.urgency}
    _store(tx, vault, chat, [row], list(enumerate(answers, start=first + 1)), now)


def add_utterance(tx: Connection, vault: Vault, chat: Chat, reference: Reference, now: datetime) -> int:
    """Add one message of the bot; returns its sequence number. Raises `NotFound` for a chat that was erased."""
    seq = _next(tx, chat)
    _store(tx, vault, chat, [], [(seq, reference)], now)
    return seq


def add_to_held(tx: Connection, vault: Vault, chat: Chat, reference: Reference, now: datetime) -> int:
    """Do as `add_utterance` does, in a chat whose row the caller holds: `chat.last_seq` is what stands in it."""
    _take(_ADVANCE.run(tx, chat=chat.id, before=chat.last_seq, after=chat.last_seq + 1))
    _store(tx, vault, chat, [], [(chat.last_seq + 1, reference)], now)
    return chat.last_seq + 1


def add_confidant_words(
    tx: Connection, vault: Vault, chat: Chat, *, external_id: str, text: str, person_id: str, now: datetime
) -> int:
    """Store what a confidant wrote, sealed; for a push channel also sealed to the delivery process until it has gone out."""
    seq = _next(tx, chat)
    sealed = keys.seal_words(tx, vault, conversation_id=chat.id, seq=seq, role="confidant", text=text)
    row = _row(chat, seq, "confidant", now) | sealed._asdict() | {"external_id": external_id, "person_id": person_id}
    _ADD.run(tx, row)
    words = vault.seal_for_delivery(text.encode("utf-8", "surrogatepass"), "words", chat.id, seq) if chat.pushed else None
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


def _store(
    tx: Connection, vault: Vault, chat: Chat, rows: list[dict[str, Any]], answers: list[tuple[int, Reference]], now: datetime
) -> None:
    waiting = []
    for seq, reference in answers:
        points = {"utterance": reference.utterance, "variant": reference.variant, "script_version": reference.script_version}
        mac = keys.reference_mac(
            vault, conversation_id=chat.id, seq=seq, utterance=reference.utterance, variant=reference.variant,
            script_version=reference.script_version,
        )  # fmt: skip
        rows.append(_row(chat, seq, "bot", now) | points | {"mac": mac, "person_id": reference.person_id})
        choices = "\n".join(reference.choices).encode()
        shown = vault.seal_for_delivery(choices, "choices", chat.id, seq) if choices else None
        waiting.append({"conversation_id": chat.id, "seq": seq, "channel": chat.channel, "sealed": shown, "due_at": now})
    _ADD.run(tx, *rows)
    _PUT.run(tx, *waiting)
    announce(tx, chat_topic(chat.id), "message")
