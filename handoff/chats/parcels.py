"""What waits in the outbox of a push channel, sealed to the delivery process: a human's words, or what the bot says.

What the bot says is always as long, with or without gemeenten to press under it.
"""

from __future__ import annotations

from handoff.crypto import Vault
from handoff.pointers import POINTER_BYTES, Pointer, pack, unpack

_MOST = 320
"""Bytes for the ids of gemeenten: more than the few that are shown can take."""


def seal_words(vault: Vault, chat_id: str, seq: int, text: str) -> bytes:
    """Seal what a human wrote. Raises `StoreUnavailable` without the delivery key."""
    return vault.seal_for_delivery(text.encode("utf-8", "surrogatepass"), "words", chat_id, seq)


def open_words(vault: Vault, chat_id: str, seq: int, sealed: bytes | None) -> str:
    """Return what a human wrote. Raises `Denied`, `StoreUnavailable`."""
    return vault.open_for_delivery(sealed or b"", "words", chat_id, seq).decode("utf-8", "replace")


def seal_reference(vault: Vault, chat_id: str, seq: int, pointer: Pointer, choices: tuple[str, ...]) -> bytes:
    """Seal what the bot says, with the ids of the gemeenten to press under it. Raises `StoreUnavailable`."""
    ids = "\n".join(choices).encode()
    if len(ids) > _MOST:
        raise ValueError("too many choices")
    return vault.seal_for_delivery(pack(pointer) + ids.ljust(_MOST, b"\n"), "reference", chat_id, seq)


def open_reference(vault: Vault, chat_id: str, seq: int, sealed: bytes | None) -> tuple[Pointer, tuple[str, ...]]:
    """Return what the bot says, and the ids under it. Raises `Denied`, `StoreUnavailable`."""
    opened = vault.open_for_delivery(sealed or b"", "reference", chat_id, seq)
    return unpack(opened[:POINTER_BYTES]), tuple(opened[POINTER_BYTES:].decode().split())
