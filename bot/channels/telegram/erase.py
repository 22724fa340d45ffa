"""'Wis alles' on Telegram: gone here when this commits; what has to go at Telegram is stored in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot import child
from bot.channels.telegram.parse import Post
from bot.channels.telegram.spec import DELETES_FOR, SPEC
from bot.channels.telegram.turn import address_of, door_of, message_id_of
from handoff.chats import conversation, deletions, outbox
from handoff.chats.conversation import Chat, Door
from handoff.runtime import Runtime

MARGIN = timedelta(minutes=5)
"""What Telegram would refuse before our request is there is not asked: one refusal sinks its whole batch (`bot.erasing`)."""


def erase(tx: Connection, runtime: Runtime, post: Post, said: Iterable[int], now: datetime, bot: str) -> None:
    """Erase the chat. `said` are the numbers of what was said outside it. A repeat changes nothing and is answered with
    nothing: it was answered, or its job still waits; and a newer chat stays."""
    vault, door = runtime.vault, door_of(post.chat_id, bot)
    chat = conversation.find(tx, vault, door, lock=True)
    if _repeated(tx, runtime, door, post, chat):
        return
    there, up_to = [post.message_id, *said], post.message_id
    if chat is None:
        conversation.note_erasure(tx, vault, door, conversation.new_id(), now=now, up_to=up_to, by_edit=post.edit)
    else:
        since = now - DELETES_FOR + MARGIN
        own = [message_id_of(found) for found in conversation.own_ids(tx, chat.id)]
        young = [message_id_of(found) for found in conversation.own_ids(tx, chat.id, since)]
        there, up_to = [*there, *outbox.provider_ids(tx, chat.id, since), *young], max([up_to, *own])
        child.erase(tx, runtime, door, now, up_to=up_to, by_edit=post.edit)
    auth, address = vault.child_auth(door.channel, door.token), address_of(post.chat_id)
    deletions.put(tx, vault, channel=SPEC, auth=auth, address=address, numbers=there, wish=up_to, now=now)


def _repeated(tx: Connection, runtime: Runtime, door: Door, post: Post, chat: Chat | None) -> bool:
    """Whether this wish was granted before. One that was edited into an older message may have that message's old number."""
    if post.edit is None or chat is None:
        return conversation.was_erased(tx, runtime.vault, door, post.message_id)
    return conversation.erased_by_edit(tx, runtime.vault, door, post.edit)
