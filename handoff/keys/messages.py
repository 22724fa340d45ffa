"""Sealing what is written: needs public keys only. Opening it: `handoff.keys.opening`.

Every message is bound to its conversation, number, role and key, and its row carries a mac over all of that: whoever writes in
the database can neither read, change, move nor forge one unseen, nor take one from the middle (the newest can be cut off). Not
bound, because they may change or vanish: `person_id`, `urgency` and `created_at`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff import crypto
from handoff.crypto import Together, Vault
from handoff.database.prepared import Prepared
from handoff.errors import Denied
from handoff.keys.conversation import SCOPE, ConversationKey, scope_of, sealing_key
from handoff.keys.references import SealedReference, seal_in_turn
from handoff.models import conversation, conversation_key
from handoff.pointers import Pointer


class SealedWords(NamedTuple):
    """The columns of a message row that hold what somebody wrote."""

    key_no: int
    sealed: bytes
    sealed_reading: bytes | None
    mac: bytes


_newer = conversation_key.alias("newer")
_IN_FORCE = Prepared(
    sa.select(*SCOPE, conversation_key.c.no, conversation_key.c.public_key, conversation_key.c.teams, conversation_key.c.mac)
    .join(conversation_key, conversation_key.c.conversation_id == conversation.c.id)
    .where(
        conversation.c.id == sa.bindparam("conversation"), conversation_key.c.no == conversation.c.key_no,
        ~sa.exists().where(_newer.c.conversation_id == conversation.c.id, _newer.c.no > conversation.c.key_no),
    )
)  # fmt: skip


def key_in_force(tx: Connection, vault: Vault, conversation_id: str) -> ConversationKey:
    """Return what seals new words of a conversation. Raises `Denied` when that key was swapped, or is not the newest one."""
    row = _IN_FORCE.first(tx, conversation=conversation_id)
    if row is None:
        raise Denied
    return sealing_key(vault, scope_of(row), row.team_id, row)


def key_numbered(tx: Connection, vault: Vault, conversation_id: str, no: int) -> ConversationKey:
    """Return one of a conversation's keys, to seal again what stands under it. Raises `Denied` when it was swapped."""
    columns = (conversation_key.c.no, conversation_key.c.public_key, conversation_key.c.teams, conversation_key.c.mac)
    query = sa.select(*SCOPE, *columns).join(conversation_key, conversation_key.c.conversation_id == conversation.c.id)
    row = tx.execute(query.where(conversation.c.id == conversation_id, conversation_key.c.no == no)).first()
    if row is None:
        raise Denied
    return sealing_key(vault, scope_of(row), row.team_id, row)


def seal_words(
    tx: Connection, vault: Vault, *, conversation_id: str, seq: int, role: str, text: str, reading: str | None = None
) -> SealedWords:
    """Seal what somebody wrote, exactly as it is, to the conversation's key in force. Raises `Denied` when that key was swapped."""
    return seal_with(vault, key_in_force(tx, vault, conversation_id), seq=seq, role=role, text=text, reading=reading)


def seal_with(vault: Vault, key: ConversationKey, *, seq: int, role: str, text: str, reading: str | None = None) -> SealedWords:
    """Seal words, and what was understood of them under the same encapsulation, to a key that was read before."""
    if reading is not None:
        return _seal_together(vault, key, _together(key, seq, role), (seq, role), text, reading)
    bound = (key.conversation_id, seq, key.no, role)
    sealed = crypto.seal(key.public_key, crypto.pad(_bytes(text)), "words", *bound)
    return SealedWords(key.no, sealed, None, words_mac(vault, *bound, sealed, None))


def seal_turn(
    vault: Vault, key: ConversationKey, *, seq: int, text: str, reading: str, answers: Sequence[tuple[Pointer, str]]
) -> tuple[SealedWords, list[SealedReference]]:
    """Seal a whole turn under one encapsulation: a child's words, what was understood, and what the bot answers.

    An answer is what it points at, and the script version; they get the numbers after `seq`, in order.
    """
    together = _together(key, seq, "child")
    words = _seal_together(vault, key, together, (seq, "child"), text, reading)
    return words, [
        seal_in_turn(vault, key, together, seq, seq=at, pointer=pointer, script_version=version)
        for at, (pointer, version) in enumerate(answers, start=seq + 1)
    ]


def _together(key: ConversationKey, seq: int, role: str) -> Together:
    bound = ("words", key.conversation_id, seq, key.no, role)
    if key.private_key is None:
        return crypto.together_for(key.public_key, *bound)
    return crypto.together_by(key.private_key, *bound)


def _seal_together(
    vault: Vault, key: ConversationKey, together: Together, place: tuple[int, str], text: str, reading: str
) -> SealedWords:
    bound = (key.conversation_id, place[0], key.no, place[1])
    parts = (crypto.pad(_bytes(text)), crypto.pad(_bytes(reading)))
    sealed, sealed_reading = (together.seal(number, part, "words", *bound) for number, part in enumerate(parts))
    return SealedWords(key.no, sealed, sealed_reading, words_mac(vault, *bound, sealed, sealed_reading))


def words_mac(
    vault: Vault, conversation_id: str, seq: int, key_no: int, role: str, sealed: bytes, sealed_reading: bytes | None
) -> bytes:
    """Return the mac of a human's row: words, and what was understood of them, in their place."""
    return vault.row_mac("words", conversation_id, seq, key_no, role, sealed, b"" if sealed_reading is None else sealed_reading)


def _bytes(text: str) -> bytes:
    """Exactly what was written, also half of a surrogate pair."""
    return text.encode("utf-8", "surrogatepass")


def text_of(padded: bytes) -> str:
    """Read back what was padded."""
    return crypto.unpad(padded).decode("utf-8", "surrogatepass")
