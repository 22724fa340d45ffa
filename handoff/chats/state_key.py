"""What locks the state of a chat, for turns and loops that can open no message.

Always under the key of the chat's expiry day. What was said in the turns of a chat with a token is locked under that token too, so
that not even database, configuration and key directory together tell what such a chat is about. What cannot be opened is as if
nothing had been said: at worst the bot repeats itself (decision 0037). A key directory that is away is another thing: then nothing
is taken, because what was taken could be shown to nobody, and the child is told whom to call.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from handoff import crypto
from handoff.chats.state import NOTHING_SAID, ChatState
from handoff.crypto import ChildKey, Vault
from handoff.errors import Denied


@dataclass(frozen=True, slots=True)
class StateKey:
    """What locks the state of one chat. Without the day's key, which was destroyed, nothing can be read or written."""

    _chat_id: str
    _day: bytes | None = field(repr=False)
    _child: ChildKey | None = field(repr=False)

    @property
    def is_destroyed(self) -> bool:
        """Whether the day's key is gone for good: nobody could ever read what is written in this chat now."""
        return self._day is None

    def open(self, blob: bytes | None) -> ChatState:
        """Return what was said; nothing, when nothing is kept or it cannot be opened."""
        if blob is None or self._day is None:
            return NOTHING_SAID
        bound = ("state", self._chat_id)
        try:
            inner = crypto.unlock(self._day, blob, *bound)
            return ChatState.unpack(inner if self._child is None else self._child.open(inner, *bound))
        except Denied:
            return NOTHING_SAID

    def lock(self, state: ChatState, before: bytes | None = None) -> bytes | None:
        """Return it locked, with which it stays as it was when it cannot be locked now."""
        if self._day is None:
            return before
        bound, packed = ("state", self._chat_id), state.pack()
        inner = packed if self._child is None else self._child.lock(packed, *bound)
        return crypto.lock(self._day, inner, *bound)


def state_key(vault: Vault, chat_id: str, expires_on: str, child: ChildKey | None = None) -> StateKey:
    """Return what locks a chat's state: the day's key, and the child's own for the turns of a chat that has one.

    Raises `StoreUnavailable` while the key directory is away.
    """
    try:
        return StateKey(chat_id, vault.bucket(expires_on), child)
    except Denied:
        return StateKey(chat_id, None, child)
