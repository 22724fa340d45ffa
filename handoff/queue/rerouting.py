"""A chat that began with the wrong team moves to the right one, as long as nothing was told in it (decision 0020).

A server can seal and never open: what a child told one team cannot be sealed again for another. So only a chat moves of which
the server still knows every text. Every other chat stays with the people who can read it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from config.schema import Route
from handoff import keys
from handoff.chats import conversation as conversation_of
from handoff.chats.conversation import Chat
from handoff.crypto import Vault
from handoff.events import announce, chat_topic, team_topic
from handoff.keys import ConversationKey, KeyScope
from handoff.models import conversation, conversation_key, handoff, key_wrap, message
from handoff.pointers import Pointer
from handoff.queue import handoffs
from handoff.runtime import Runtime

OPENING_INTENT = "greet"
"""What is understood of a message that only opens a chat, and of a gemeente's name once the chat moved."""


def page_of(runtime: Runtime, chat: Chat) -> str:
    """The page that the bot names: of the child's own gemeente, or the front page where it had to be asked which that is."""
    asks = runtime.channel(chat.channel).needs.asks
    asked = asks is not None and conversation_of.key_of_turns(runtime.vault, chat).open(chat.state).said(asks)
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
    columns = (message.c.seq, message.c.role, message.c.external_id, message.c.script_version)
    rows = tx.execute(sa.select(*columns).where(message.c.conversation_id == chat.id).order_by(message.c.seq)).all()
    said = conversation_of.key_of_turns(vault, chat).open(chat.state).references
    begun = _begun(rows, texts, said)
    if item is None or item.state != "waiting" or begun is None:
        return False
    room = {"municipality_id": municipality_id, "team_id": team_id}
    step = route.step_at(max(0.0, (now - item.waiting_since).total_seconds() / 60)).to
    tx.execute(conversation.update().where(conversation.c.id == chat.id).values(**room, place=place, key_no=1))
    tx.execute(handoff.update().where(handoff.c.conversation_id == chat.id).values(**room))
    tx.execute(handoff.update().where(handoff.c.id == item.id).values(route=route.id, step=step, due_at=now))
    key = _new_keys(tx, vault, chat.id, chat.expires_on, team_id)
    for turn in begun:
        _seal_again(tx, vault, key, turn)
    for topic in (team_topic(chat.team_id), team_topic(team_id), chat_topic(chat.id)):
        announce(tx, topic, "moved")
    return True


@dataclass(frozen=True, slots=True)
class _Turn:
    """A message of the child, and all that the bot said until the next one."""

    seq: int
    text: str = field(repr=False)
    answers: list[tuple[Pointer, str]] = field(default_factory=list, repr=False)


def _begun(rows: Sequence[Any], texts: Mapping[str, str], said: tuple[Pointer, ...] | None) -> list[_Turn] | None:
    """All that stands in a chat, as far as the server still knows it; None when that is not all of it."""
    turns: list[_Turn] = []
    known = iter(said or ())
    for row in rows:
        if row.role == "child" and row.external_id in texts:
            turns.append(_Turn(row.seq, texts[row.external_id]))
            continue
        pointer = next(known, None) if row.role == "bot" and turns else None
        if pointer is None:
            return None
        turns[-1].answers.append((pointer, row.script_version))
    return turns if next(known, None) is None else None


def _new_keys(tx: Connection, vault: Vault, conversation_id: str, expires_on: str, team_id: str) -> ConversationKey:
    for table in (key_wrap, conversation_key):
        tx.execute(table.delete().where(table.c.conversation_id == conversation_id))
    return keys.begin(tx, vault, KeyScope(conversation_id, None, expires_on), [team_id])


def _seal_again(tx: Connection, vault: Vault, key: ConversationKey, turn: _Turn) -> None:
    words, references = keys.seal_turn(vault, key, seq=turn.seq, text=turn.text, reading=OPENING_INTENT, answers=turn.answers)
    fresh = [words._asdict(), *(one._asdict() for one in references)]
    for seq, columns in enumerate(fresh, start=turn.seq):
        where = (message.c.conversation_id == key.conversation_id, message.c.seq == seq)
        tx.execute(message.update().where(*where).values(**columns))
