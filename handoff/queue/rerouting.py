"""A chat that began with the wrong team moves to the right one, as long as nothing was told in it (decision 0020).

A server can seal and never open: what a child told one team cannot be sealed again for another. So only a chat moves of which
the server still knows every text. Every other chat stays with the people who can read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from config.schema import Route
from handoff import keys
from handoff.chats import messages
from handoff.chats.conversation import Chat
from handoff.crypto import Vault
from handoff.events import announce, chat_topic, team_topic
from handoff.keys import KeyScope
from handoff.models import conversation, conversation_key, handoff, key_wrap, message
from handoff.queue import handoffs
from handoff.runtime import Runtime

OPENING_INTENT = "greet"
"""What is understood of a message that only opens a chat, and of a gemeente's name once the chat moved."""


def page_of(tx: Connection, runtime: Runtime, chat: Chat) -> str:
    """The page that the bot names: of the child's own gemeente, or the front page where it had to be asked which that is."""
    asks = runtime.channel(chat.channel).needs.asks
    asked = asks is not None and any(one.utterance == asks for one in messages.said(tx, chat.id))
    return runtime.page_of("" if asked else chat.municipality_id)


def move(
    tx: Connection,
    vault: Vault,
    chat: Chat,
    *,
    municipality_id: str,
    team_id: str,
    place: str | None,
    route: Route,
    texts: Mapping[str, str],
    now: datetime,
) -> bool:
    """Give this chat to another team and its route, with new keys, at its old place in time. The caller holds the chat's row.

    `texts` holds, by the sender's own id, what the child said. False, and nothing changed, when the child told anything else,
    when a human has it, or when it was closed. Raises `Denied` when the other team has no key.
    """
    item = handoffs.open_of(tx, chat.id)
    mine = (message.c.conversation_id == chat.id, message.c.role != "bot")
    rows = tx.execute(sa.select(message.c.seq, message.c.role, message.c.external_id).where(*mine)).all()
    only_begun = all(row.role == "child" and row.external_id in texts for row in rows)
    if item is None or item.state != "waiting" or not only_begun:
        return False
    room = {"municipality_id": municipality_id, "team_id": team_id}
    step = route.step_at(max(0.0, (now - item.waiting_since).total_seconds() / 60)).to
    tx.execute(conversation.update().where(conversation.c.id == chat.id).values(**room, place=place, key_no=1))
    tx.execute(handoff.update().where(handoff.c.conversation_id == chat.id).values(**room))
    tx.execute(handoff.update().where(handoff.c.id == item.id).values(route=route.id, step=step, due_at=now))
    _new_keys(tx, vault, chat.id, team_id)
    for row in rows:
        _seal_again(tx, vault, chat.id, row.seq, texts[row.external_id])
    for topic in (team_topic(chat.team_id), team_topic(team_id), chat_topic(chat.id)):
        announce(tx, topic, "moved")
    return True


def _new_keys(tx: Connection, vault: Vault, conversation_id: str, team_id: str) -> None:
    expires_on = tx.execute(sa.select(conversation.c.expires_on).where(conversation.c.id == conversation_id)).scalar_one()
    for table in (key_wrap, conversation_key):
        tx.execute(table.delete().where(table.c.conversation_id == conversation_id))
    keys.begin(tx, vault, KeyScope(conversation_id, None, expires_on), [team_id])


def _seal_again(tx: Connection, vault: Vault, conversation_id: str, seq: int, text: str) -> None:
    fresh = keys.seal_words(tx, vault, conversation_id=conversation_id, seq=seq, role="child", text=text, reading=OPENING_INTENT)
    where = (message.c.conversation_id == conversation_id, message.c.seq == seq)
    tx.execute(message.update().where(*where).values(**fresh._asdict()))
