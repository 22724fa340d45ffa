"""What one process remembers of the last messages, in memory alone: whether an edit changed the words, and a name that was
typed wrongly while a child chose its gemeente. After a restart it is gone: then an edit counts as new, and a chat stays put."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping

from cachetools import LRUCache

from bot.channels.telegram.parse import Post

MESSAGES, CHATS, TEXTS = 10_000, 1_000, 10
"""Messages whose marks are kept, chats whose typed names are kept, and how many of each chat."""


class RecentMessages:
    """Not for the disk: a mark of each text under a key of this process, and names that a child typed, until it tells more."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._marks: LRUCache[tuple[int, int], bytes] = LRUCache(MESSAGES)
        self._texts: LRUCache[int, LRUCache[str, str]] = LRUCache(CHATS)

    def __repr__(self) -> str:
        return "RecentMessages()"

    def unchanged(self, post: Post) -> bool:
        """Whether this edit says what the message said already (Telegram edits by itself, to show a link)."""
        return post.edit is not None and self._marks.get((post.chat_id, post.message_id)) == self._mark(post)

    def note(self, post: Post) -> None:
        """This was taken."""
        self._marks[post.chat_id, post.message_id] = self._mark(post)

    def keep(self, chat_id: int, external_id: str, text: str) -> None:
        """A name, or what looks like one, as it was typed."""
        of_chat = self._texts.setdefault(chat_id, LRUCache(TEXTS))
        of_chat[external_id] = text

    def texts(self, chat_id: int) -> Mapping[str, str]:
        """What was kept of this chat, by the sender's own id."""
        return self._texts.get(chat_id, {})

    def forget(self, chat_id: int) -> None:
        """Nothing is chosen here any more, or the child erased it."""
        self._texts.pop(chat_id, None)

    def _mark(self, post: Post) -> bytes:
        words = post.text.encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, f"{post.chat_id}:{post.message_id}:".encode() + words, "sha256")
