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


def erase(tx: Connection, runtime: Runtime, post: Post, said: Iterable[int], now: datetime) -> None:
    """Erase the chat. `said` are the numbers of what was said outside it. A repeat changes nothing and is answered with
    nothing: it was answered, or its job still waits; and a newer chat stays."""
    door = door_of(post.chat_id)
    chat = conversation.find(tx, runtime.vault, door, lock=True)
    if conversation.was_erased(tx, runtime.vault, door, post.message_id):
        return
    there = [post.message_id, *said]
    if chat is not None:
        since = now - EXPIRES + MARGIN
        there += outbox.provider_ids(tx, chat.id, since)
        there += [message_id_of(found) for found in conversation.own_ids(tx, chat.id, since)]
        child.erase(tx, runtime, door, now, up_to=post.message_id)
    deletions.put(tx, runtime.vault, door, there, wish=post.message_id, now=now)
