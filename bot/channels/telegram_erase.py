"""'Wis alles' on Telegram: gone here when this commits; what has to go at Telegram is stored in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot import child
from bot.channels.telegram_turn import door_of, message_id_of
from bot.channels.telegram_update import Post
from handoff import conversation, deletions, outbox
from handoff.deletions import EXPIRES
from handoff.runtime import Runtime

MARGIN = timedelta(minutes=5)
"""What Telegram would refuse before our request is there is not asked: one refusal sinks its whole batch (`bot.erasing`)."""


def erase(tx: Connection, runtime: Runtime, post: Post, said: Iterable[int], now: datetime, bot: str) -> None:
    """Erase the chat. `said` are the numbers of what was said outside it. A repeat changes nothing and is answered with
    nothing: it was answered, or its job still waits; and a newer chat stays."""
    door = door_of(post.chat_id, bot)
    chat = conversation.find(tx, runtime.vault, door, lock=True)
    edited = post.edit is not None and chat is not None  # an old message may become the wish to erase what came after it
    if conversation.was_erased(tx, runtime.vault, door, post.message_id) and not edited:
        return
    there = [post.message_id, *said]
    if chat is not None:
        since = now - EXPIRES + MARGIN
        own = [message_id_of(found) for found in conversation.own_ids(tx, chat.id, since)]
        there += [*outbox.provider_ids(tx, chat.id, since), *own]
        child.erase(tx, runtime, door, now, up_to=max([post.message_id, *own]))
    deletions.put(tx, runtime.vault, door, there, wish=post.message_id, now=now)
