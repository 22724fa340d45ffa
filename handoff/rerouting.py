"""A chat that began with the wrong team moves to the right one, as long as nothing was told in it (decision 0020).

A server can seal and never open: what a child told one team cannot be sealed again for another. So only a chat that holds
nothing but the press of "Start" moves; the text of that is known. Every other chat stays with the people who can read it.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff import keys, queue
from handoff.conversation import Chat
from handoff.events import announce, chat_topic, team_topic
from handoff.models import conversation, conversation_key, handoff, key_wrap, message
from handoff.vault import Vault

START = "/start"
"""The text that stands for the press of Telegram's own button. It is no word of a child, and every server knows it."""

START_ID = "start"
"""How the sender's own id of such a press begins."""

READING = "greet"
"""What is understood of it."""


def move(tx: Connection, vault: Vault, chat: Chat, *, municipality_id: str, team_id: str, place: str | None) -> bool:
    """Give this chat to another team, with new keys, at its old place in time. The caller holds the chat's row.

    False, and nothing changed, when a human has it, when it was closed, or when the child told anything. Raises `Denied` when
    the other team has no key.
    """
    item = queue.open_of(tx, chat.id)
    mine = (message.c.conversation_id == chat.id, message.c.role != "bot")
    rows = tx.execute(sa.select(message.c.seq, message.c.role, message.c.external_id).where(*mine)).all()
    only_begun = all(row.role == "child" and str(row.external_id).startswith(START_ID) for row in rows)
    if item is None or item.state != "waiting" or not only_begun:
        return False
    room = {"municipality_id": municipality_id, "team_id": team_id}
    tx.execute(conversation.update().where(conversation.c.id == chat.id).values(**room, place=place, key_no=1))
    tx.execute(handoff.update().where(handoff.c.conversation_id == chat.id).values(**room))
    _new_keys(tx, vault, chat.id, team_id)
    for row in rows:
        _seal_again(tx, vault, chat.id, row.seq)
    for topic in (team_topic(chat.team_id), team_topic(team_id), chat_topic(chat.id)):
        announce(tx, topic, "moved")
    return True


def _new_keys(tx: Connection, vault: Vault, conversation_id: str, team_id: str) -> None:
    expires_on = tx.execute(sa.select(conversation.c.expires_on).where(conversation.c.id == conversation_id)).scalar_one()
    for table in (key_wrap, conversation_key):
        tx.execute(table.delete().where(table.c.conversation_id == conversation_id))
    keys.begin(tx, vault, conversation_id=conversation_id, team_id=team_id, child_public_key=None, expires_on=expires_on)


def _seal_again(tx: Connection, vault: Vault, conversation_id: str, seq: int) -> None:
    fresh = keys.seal_words(tx, vault, conversation_id=conversation_id, seq=seq, role="child", text=START, reading=READING)
    where = (message.c.conversation_id == conversation_id, message.c.seq == seq)
    tx.execute(message.update().where(*where).values(**fresh._asdict()))
