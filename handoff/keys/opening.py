"""Opening a conversation for the team or the child: each row is checked first, and any misfit closes all of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff import crypto
from handoff.accounts.sessions import Unlocked
from handoff.crypto import ChildKey, Together, Vault
from handoff.database.prepared import Prepared
from handoff.errors import Denied
from handoff.keys.conversation import SCOPE, KeyScope, open_keys, scope_of
from handoff.keys.messages import text_of, words_mac
from handoff.keys.references import check_reference, open_reference
from handoff.models import conversation, message
from handoff.pointers import Pointer


@dataclass(frozen=True, slots=True)
class OpenedMessage:
    """One message in clear: words of a child or confidant, or what a bot's message points at in `script_version`.

    `lost` is what stands under a key that the whole team lost (`replace_lost_key`): it was there, nobody of the team can open it.
    Its repr shows no words, and not what was said.
    """

    seq: int
    role: str
    text: str | None = field(repr=False)
    reading: str | None = field(repr=False)
    pointer: Pointer | None = field(repr=False)
    script_version: str | None
    person_id: str | None
    urgency: int
    created_at: datetime
    lost: bool = False
    external_id: str | None = None


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


_turn = message.alias("turn")
_ABOVE = message.c.seq > sa.bindparam("above")
_BEGAN = message.c.seq == (
    sa.select(sa.func.max(_turn.c.seq))
    .where(
        _turn.c.conversation_id == sa.bindparam("conversation"), _turn.c.role == sa.literal_column("'child'"),
        _turn.c.seq <= sa.bindparam("above"),
    )
    .scalar_subquery()
)  # fmt: skip
_AFTER = Prepared(
    sa.select(message)
    .where(
        message.c.conversation_id == sa.bindparam("conversation"), message.c.seq <= sa.bindparam("up_to"), sa.or_(_ABOVE, _BEGAN)
    )
    .order_by(message.c.seq)
)
"""What comes after a number, and the child's message before it: answers to that one stand under its key."""


def open_messages(tx: Connection, vault: Vault, head: Head, opener: Unlocked | ChildKey, *, after: int = 0) -> list[OpenedMessage]:
    """Do as `open_conversation` does, for a conversation whose row was just read."""
    keys = open_keys(tx, vault, head.scope, head.team_id, opener)
    rows = _AFTER.all(tx, conversation=head.scope.conversation_id, above=after, up_to=head.last_seq)
    wanted = [row for row in rows if row.seq > after]
    if head.key_no not in keys or [row.seq for row in wanted] != list(range(max(after, 0) + 1, head.last_seq + 1)):
        raise Denied
    used = [row.key_no for row in rows]
    if None in used or used != sorted(used):  # an older key was in force again for a while: who left may hold it
        raise Denied
    expanded: dict[int, bytes] = {no: crypto.ExpandedKey(key) for no, key in keys.items()}  # once for all messages of this opening
    reader = _Reader(vault, expanded, for_team=isinstance(opener, Unlocked))
    return [opened for row in rows if (opened := reader.read(row, after)) is not None]


class _Reader:
    """Opens rows in order: the bot's answers stand under the key of the child's message before them."""

    def __init__(self, vault: Vault, keys: dict[int, bytes], *, for_team: bool) -> None:
        self._vault, self._keys, self._for_team = vault, keys, for_team
        self._began: Any = None
        self._turn: Together | None = None

    def read(self, row: Any, after: int) -> OpenedMessage | None:
        """Open one; None for the message that is only needed for what follows it. Raises `Denied` for a changed row."""
        if row.role == "bot":
            check_reference(self._vault, row)
        else:
            place = (row.conversation_id, row.seq, row.key_no, row.role)
            crypto.demand_same(row.mac, words_mac(self._vault, *place, row.sealed, row.sealed_reading))
        if row.role == "child":
            self._began, self._turn = row, None
        if row.seq <= after:
            return None
        lost = self._for_team and row.key_no < min(self._keys)  # never one in the middle: that would be tampering
        text, reading, pointer = (None, None, None) if lost else self._open(row)
        rest = (row.person_id, row.urgency, row.created_at, lost, row.external_id)
        return OpenedMessage(row.seq, row.role, text, reading, pointer, row.script_version, *rest)

    def _open(self, row: Any) -> tuple[str | None, str | None, Pointer | None]:
        if row.key_no not in self._keys:
            raise Denied
        private = self._keys[row.key_no]
        if row.role == "bot":
            turn = self._key_of_turn(row) if crypto.is_together(row.sealed) else None
            return None, None, open_reference(private, turn, self._began.seq if turn else 0, row)
        if row.role == "child" and crypto.is_together(row.sealed):
            return *self._words_of_turn(row), None
        sealed_reading = row.sealed_reading if self._for_team else None
        return *open_words(private, row.sealed, sealed_reading, row.conversation_id, row.seq, row.key_no, row.role), None

    def _words_of_turn(self, row: Any) -> tuple[str, str | None]:
        """Open a child's message, and keep its key at hand for the answers."""
        bound, turn = ("words", row.conversation_id, row.seq, row.key_no, row.role), self._key_of_turn(row)
        text = text_of(turn.open(0, row.sealed, *bound))
        seen = self._for_team and row.sealed_reading is not None
        return text, text_of(turn.open(1, row.sealed_reading, *bound)) if seen else None

    def _key_of_turn(self, row: Any) -> Together:
        """Return the key that this turn stands under. Raises `Denied` when no message of a child began it, under the same key."""
        began = self._began
        if began is None or began.key_no != row.key_no:
            raise Denied
        if self._turn is None:
            place = ("words", began.conversation_id, began.seq, began.key_no, began.role)
            self._turn = crypto.opened_together(self._keys[began.key_no], began.sealed, *place)
        return self._turn


def open_words(
    private: bytes, sealed: bytes, sealed_reading: bytes | None, conversation_id: str, seq: int, key_no: int, role: str
) -> tuple[str, str | None]:
    """Open words and, when it is given, what was understood of them: with one key together, or each by itself (before 0005)."""
    bound = (conversation_id, seq, key_no, role)
    if crypto.is_together(sealed):
        blobs = [sealed] if sealed_reading is None else [sealed, sealed_reading]
        text, *reading = crypto.unseal_together(private, blobs, "words", *bound)
        return text_of(text), text_of(reading[0]) if reading else None
    text = crypto.unseal(private, sealed, "words", *bound)
    return text_of(text), None if sealed_reading is None else text_of(crypto.unseal(private, sealed_reading, "reading", *bound))
