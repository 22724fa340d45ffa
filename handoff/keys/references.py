"""Sealing what the bot says: two small numbers that point at published words, in a blob that is always as long.

What stands inside is the utterance's number in its script version and the variant, four bytes: no room for a word (promise 3), and
no difference in length between one sentence and another (promise 6). Said in a turn, it stands under the encapsulation of the
child's message before it; said beside a turn, under one of its own. The row's mac covers the sealed bytes and never the numbers: of
some eighty sentences, a mac over them would tell which it is to whoever has the configuration.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from handoff import crypto
from handoff.crypto import Together, Vault
from handoff.errors import Denied
from handoff.keys.conversation import ConversationKey
from handoff.pointers import Pointer, pack, unpack

ROLE = "bot"


class SealedReference(NamedTuple):
    """The columns of a message row that hold what the bot said."""

    key_no: int
    sealed: bytes
    mac: bytes
    script_version: str


def seal_reference(vault: Vault, key: ConversationKey, *, seq: int, pointer: Pointer, script_version: str) -> SealedReference:
    """Seal what the bot says beside a turn: an encapsulation of its own."""
    bound = (key.conversation_id, seq, key.no, ROLE)
    return _with_mac(vault, bound, crypto.seal(key.public_key, pack(pointer), "reference", *bound), script_version)


def seal_in_turn(
    vault: Vault, key: ConversationKey, turn: Together, first: int, *, seq: int, pointer: Pointer, script_version: str
) -> SealedReference:
    """Seal what the bot says in the turn that the child's message `first` began, under the key that its words stand under."""
    bound = (key.conversation_id, seq, key.no, ROLE)
    sealed = turn.seal(_number(first, seq), pack(pointer), "reference", *bound)
    return _with_mac(vault, bound, sealed, script_version)


def check_reference(vault: Vault, row: Any) -> None:
    """Raise `Denied` for a bot's row that was changed."""
    bound = (row.conversation_id, row.seq, row.key_no, ROLE)
    crypto.demand_same(row.mac, _mac(vault, bound, row.sealed, row.script_version))


def open_reference(private: bytes, turn: Together | None, first: int, row: Any) -> Pointer:
    """Return what a bot's row points at. `turn` is the key of the child's message `first` before it. Raises `Denied`."""
    bound = ("reference", row.conversation_id, row.seq, row.key_no, ROLE)
    if not crypto.is_together(row.sealed):
        return unpack(crypto.unseal(private, row.sealed, *bound))
    if turn is None:
        raise Denied
    return unpack(turn.open(_number(first, row.seq), row.sealed, *bound))


def _number(first: int, seq: int) -> int:
    """Parts 0 and 1 are the child's words and what was understood of them."""
    return 1 + seq - first


def _with_mac(vault: Vault, bound: tuple[str, int, int, str], sealed: bytes, script_version: str) -> SealedReference:
    return SealedReference(bound[2], sealed, _mac(vault, bound, sealed, script_version), script_version)


def _mac(vault: Vault, bound: tuple[str, int, int, str], sealed: bytes, script_version: str) -> bytes:
    return vault.row_mac("reference", *bound, sealed, script_version)
