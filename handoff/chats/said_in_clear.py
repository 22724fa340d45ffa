"""What the bot said before migration 0011 stood in clear: it is sealed once, inside that migration, with public keys alone.

A row whose mac does not fit, or whose chat's key was swapped, is as unreadable afterwards as it was before. Of a page's chat the
state of the turns cannot be locked without the child's token: there the bot says once more who it is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff import keys
from handoff.chats import parcels
from handoff.chats.state import NOTHING_SAID, ChatState
from handoff.chats.state_key import state_key
from handoff.crypto import Vault
from handoff.errors import Denied, StoreUnavailable
from handoff.models import REFERENCE_BYTES, conversation, outbox, script_version
from handoff.pointers import Pointer

_COLUMNS = ("seq", "role", "key_no", "utterance", "variant", "script_version", "mac", "created_at")
_before = sa.table("message", sa.column("conversation_id"), sa.column("sealed"), *map(sa.column, _COLUMNS))


class _Said(NamedTuple):
    """A message of the bot as it stood in clear, and what it is by number; None when it was changed or never published."""

    seq: int
    utterance: str
    beside_a_turn: bool
    pointer: Pointer | None


def seal_what_was_said(tx: Connection, vault: Vault) -> None:
    """Seal every reference that stands in clear, and make the states of its chats.

    Without the key directory there are no states, and what waited to be sent on a push channel ends as not delivered.
    """

    @cache
    def numbers(version: str) -> dict[str, int]:
        body = tx.execute(sa.select(script_version.c.body).where(script_version.c.version == version)).scalar_one()
        return {name: number for number, name in enumerate(sorted(json.loads(body).get("utterances", ())))}

    columns = (conversation.c.id, conversation.c.expires_on, conversation.c.address.is_not(None).label("pushed"))
    for chat in tx.execute(sa.select(*columns)).all():
        rows = tx.execute(sa.select(_before).where(_before.c.conversation_id == chat.id).order_by(_before.c.seq)).all()
        said = _seal_chat(tx, vault, rows, numbers)
        _keep_state(tx, vault, chat, rows, said)
        if chat.pushed and _can_deliver(vault):
            _seal_parcels(tx, vault, chat.id, said)


def _can_deliver(vault: Vault) -> bool:
    try:
        return vault.can_deliver()
    except StoreUnavailable:  # an older copy is put back for which the keys are lost for good
        return False


def _seal_chat(tx: Connection, vault: Vault, rows: Sequence[Any], numbers: Any) -> list[_Said]:
    said: list[_Said] = []
    key_no, turn_at = 1, None
    for row in rows:
        if row.role == "bot":
            pointer = _seal(tx, vault, row, key_no, numbers)
            said.append(_Said(row.seq, row.utterance, row.created_at != turn_at, pointer))
        else:
            key_no = row.key_no
        turn_at = row.created_at if row.role == "child" else turn_at
    return said


def _seal(tx: Connection, vault: Vault, row: Any, key_no: int, numbers: Any) -> Pointer | None:
    """Seal one under the key of the words before it, so that the order of keys stays."""
    mine = (_before.c.conversation_id == row.conversation_id, _before.c.seq == row.seq)
    right = vault.row_mac("reference", row.conversation_id, row.seq, row.utterance, row.variant, row.script_version) == row.mac
    number = numbers(row.script_version).get(row.utterance)
    pointer = (number, row.variant) if right and number is not None else None
    unreadable: dict[str, Any] = {"key_no": key_no, "sealed": bytes(REFERENCE_BYTES[0])}
    try:
        key = keys.key_numbered(tx, vault, row.conversation_id, key_no)
        fresh = unreadable if pointer is None else keys.seal_reference(
            vault, key, seq=row.seq, pointer=pointer, script_version=row.script_version
        )._asdict()  # fmt: skip
    except Denied:
        fresh = unreadable
    tx.execute(_before.update().where(*mine).values(**fresh))
    return pointer


def _keep_state(tx: Connection, vault: Vault, chat: Any, rows: Sequence[Any], said: Sequence[_Said]) -> None:
    try:
        lock = state_key(vault, chat.id, chat.expires_on)
    except StoreUnavailable:  # as in `_can_deliver`
        return
    by_seq = {one.seq: one for one in said}
    turns, news = NOTHING_SAID, NOTHING_SAID
    for row in rows:
        one = by_seq.get(row.seq)
        if row.role == "child":
            turns = turns.turn()
        elif one is not None:
            turns = _with(turns, one)
            news = news.saying([one.utterance]) if one.beside_a_turn else news
    states = {"state": lock.lock(turns)} if chat.pushed else {"news_state": lock.lock(news)}
    tx.execute(conversation.update().where(conversation.c.id == chat.id).values(**states))


def _with(state: ChatState, one: _Said) -> ChatState:
    return state.saying([one.utterance]).referring([one.pointer or (0, 0)])


def _seal_parcels(tx: Connection, vault: Vault, chat_id: str, said: Sequence[_Said]) -> None:
    """What still waits to go out of what the bot said."""
    for one in said:
        mine = (outbox.c.conversation_id == chat_id, outbox.c.seq == one.seq)
        waits = (*mine, outbox.c.delivered_at.is_(None), outbox.c.failed_at.is_(None))
        row = tx.execute(sa.select(outbox.c.sealed).where(*waits)).first()
        if row is not None and one.pointer is not None:
            sealed = parcels.seal_reference(vault, chat_id, one.seq, one.pointer, _choices(vault, chat_id, one.seq, row.sealed))
            tx.execute(outbox.update().where(*mine).values(sealed=sealed))


def _choices(vault: Vault, chat_id: str, seq: int, sealed: bytes | None) -> tuple[str, ...]:
    try:
        return tuple(vault.open_for_delivery(sealed, "choices", chat_id, seq).decode().split()) if sealed else ()
    except Denied:
        return ()
