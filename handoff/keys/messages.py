"""Sealing what is written (public keys only), and opening it for the team or the child.

Every message is bound to its conversation, number, role and key, and its row carries a mac over all of that: whoever writes in
the database can neither read, change, move nor forge one unseen, nor take one from the middle (the newest can be cut off). Not
bound, because they may change or vanish: `person_id`, `urgency` and `created_at`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff import crypto
from handoff.accounts.sessions import Unlocked
from handoff.crypto import ChildKey, Vault
from handoff.database.prepared import Prepared
from handoff.errors import Denied
from handoff.keys.conversation import SCOPE, ConversationKey, KeyScope, open_keys, scope_of, sealing_key
from handoff.models import conversation, conversation_key, message


class SealedWords(NamedTuple):
    """The columns of a message row that hold what somebody wrote."""

    key_no: int
    sealed: bytes
    sealed_reading: bytes | None
    mac: bytes


@dataclass(frozen=True, slots=True)
class OpenedMessage:
    """One message in clear: words of a child or confidant, or the reference that a bot's message is.

    `lost` are words under a key that the whole team lost (`replace_lost_key`): they were there, nobody of the team can open them.
    Its repr shows no words.
    """

    seq: int
    role: str
    text: str | None = field(repr=False)
    reading: str | None = field(repr=False)
    utterance: str | None
    variant: int | None
    script_version: str | None
    person_id: str | None
    urgency: int
    created_at: datetime
    lost: bool = False
    external_id: str | None = None


def key_in_force(tx: Connection, vault: Vault, conversation_id: str) -> ConversationKey:
    """Return what seals new words of a conversation. Raises `Denied` when that key was swapped, or is not the newest one."""
    newer = conversation_key.alias("newer")
    is_newest = ~sa.exists().where(newer.c.conversation_id == conversation.c.id, newer.c.no > conversation.c.key_no)
    row = tx.execute(
        sa.select(*SCOPE, conversation_key.c.no, conversation_key.c.public_key, conversation_key.c.teams, conversation_key.c.mac)
        .join(conversation_key, conversation_key.c.conversation_id == conversation.c.id)
        .where(conversation.c.id == conversation_id, conversation_key.c.no == conversation.c.key_no, is_newest)
    ).first()
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
    bound = (key.conversation_id, seq, key.no, role)
    if reading is None:
        sealed, sealed_reading = crypto.seal(key.public_key, crypto.pad(_bytes(text)), "words", *bound), None
    else:
        parts = [crypto.pad(_bytes(text)), crypto.pad(_bytes(reading))]
        if key.private_key is None:
            sealed, sealed_reading = crypto.seal_together(key.public_key, parts, "words", *bound)
        else:
            sealed, sealed_reading = crypto.lock_together(key.private_key, parts, "words", *bound)
    return SealedWords(key.no, sealed, sealed_reading, _words_mac(vault, *bound, sealed, sealed_reading))


def reference_mac(vault: Vault, *, conversation_id: str, seq: int, utterance: str, variant: int, script_version: str) -> bytes:
    """The mac of a bot's message: nobody can make the bot say another line by writing in the database."""
    return vault.row_mac("reference", conversation_id, seq, utterance, variant, script_version)


@dataclass(frozen=True, slots=True)
class Head:
    """What opening a conversation needs of its row."""

    scope: KeyScope
    team_id: str
    """In whose queue it is."""
    key_no: int
    """The number of the key in force."""
    last_seq: int


def open_conversation(
    tx: Connection, vault: Vault, conversation_id: str, opener: Unlocked | ChildKey, *, after: int = 0
) -> list[OpenedMessage]:
    """Return every message with a sequence number above `after`, oldest first; only reads.

    What was understood opens for the team alone. Raises `Denied` for a key that does not fit, an erased expiry day, and any
    tampering: a missing, moved, swapped or changed row.
    """
    columns = (*SCOPE, conversation.c.key_no, conversation.c.last_seq)
    row = tx.execute(sa.select(*columns).where(conversation.c.id == conversation_id)).first()
    if row is None:
        raise Denied
    return open_messages(tx, vault, Head(scope_of(row), row.team_id, row.key_no, row.last_seq), opener, after=after)


_AFTER = Prepared(
    sa.select(message)
    .where(
        message.c.conversation_id == sa.bindparam("conversation"), message.c.seq > sa.bindparam("above"),
        message.c.seq <= sa.bindparam("up_to"),
    )
    .order_by(message.c.seq)
)  # fmt: skip


def open_messages(tx: Connection, vault: Vault, head: Head, opener: Unlocked | ChildKey, *, after: int = 0) -> list[OpenedMessage]:
    """Do as `open_conversation` does, for a conversation whose row was just read."""
    keys = open_keys(tx, vault, head.scope, head.team_id, opener)
    rows = _AFTER.all(tx, conversation=head.scope.conversation_id, above=after, up_to=head.last_seq)
    if head.key_no not in keys or [row.seq for row in rows] != list(range(max(after, 0) + 1, head.last_seq + 1)):
        raise Denied
    opened = [_open_message(vault, keys, row, for_team=isinstance(opener, Unlocked)) for row in rows]
    used = [row.key_no for row in rows if row.role != "bot"]
    if used != sorted(used):  # an older key was in force again for a while: who left may hold it
        raise Denied
    return opened


def _open_message(vault: Vault, keys: dict[int, bytes], row: Any, *, for_team: bool) -> OpenedMessage:
    text = reading = None
    lost = False
    if row.role == "bot":
        reference = {"utterance": row.utterance, "variant": row.variant, "script_version": row.script_version}
        crypto.demand_same(row.mac, reference_mac(vault, conversation_id=row.conversation_id, seq=row.seq, **reference))
    else:
        place = (row.conversation_id, row.seq, row.key_no, row.role)
        crypto.demand_same(row.mac, _words_mac(vault, *place, row.sealed, row.sealed_reading))
        lost = for_team and row.key_no < min(keys)  # never one in the middle: that would be tampering
        if not lost:
            text, reading = _open_words(keys, row, place, for_team=for_team)
    rest = (row.utterance, row.variant, row.script_version, row.person_id, row.urgency, row.created_at, lost, row.external_id)
    return OpenedMessage(row.seq, row.role, text, reading, *rest)


def _open_words(keys: dict[int, bytes], row: Any, place: tuple[str, int, int, str], *, for_team: bool) -> tuple[str, str | None]:
    if row.key_no not in keys:
        raise Denied
    return open_words(keys[row.key_no], row.sealed, row.sealed_reading if for_team else None, *place)


def open_words(
    private: bytes, sealed: bytes, sealed_reading: bytes | None, conversation_id: str, seq: int, key_no: int, role: str
) -> tuple[str, str | None]:
    """Open words and, when it is given, what was understood of them: with one key together, or each by itself (before 0005)."""
    bound = (conversation_id, seq, key_no, role)
    if crypto.is_together(sealed):
        blobs = [sealed] if sealed_reading is None else [sealed, sealed_reading]
        text, *reading = crypto.unseal_together(private, blobs, "words", *bound)
        return _text(text), _text(reading[0]) if reading else None
    text = crypto.unseal(private, sealed, "words", *bound)
    return _text(text), None if sealed_reading is None else _text(crypto.unseal(private, sealed_reading, "reading", *bound))


def _words_mac(
    vault: Vault, conversation_id: str, seq: int, key_no: int, role: str, sealed: bytes, sealed_reading: bytes | None
) -> bytes:
    return vault.row_mac("words", conversation_id, seq, key_no, role, sealed, b"" if sealed_reading is None else sealed_reading)


def _bytes(text: str) -> bytes:
    """Exactly what was written, also half of a surrogate pair."""
    return text.encode("utf-8", "surrogatepass")


def _text(padded: bytes) -> str:
    return crypto.unpad(padded).decode("utf-8", "surrogatepass")
