"""A chat as people read it: opened words and rendered utterances, in order. Used for the child's page and for the console."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial

import sqlalchemy as sa
from sqlalchemy import Connection

from config.schema import QuickReply
from handoff import keys
from handoff.accounts.sessions import Unlocked
from handoff.chats.conversation import Chat
from handoff.crypto import ChildKey
from handoff.keys.messages import OpenedMessage
from handoff.models import person
from handoff.queue import rerouting
from handoff.runtime import Runtime
from handoff.wording import render, sentence_of


@dataclass(frozen=True, slots=True)
class Line:
    """One message, readable. `role` is `child`, `bot` or `confidant`; `name` the confidant's first name.

    `lost` words can be opened by nobody of the team any more; `text` is then empty. Its repr has no words.
    """

    seq: int
    role: str
    text: str
    language: str
    at: datetime
    name: str | None
    urgency: int
    intent: str | None
    buttons: tuple[QuickReply, ...]
    lost: bool = False

    def __repr__(self) -> str:
        return f"Line(seq={self.seq}, role={self.role!r})"


def lines(tx: Connection, runtime: Runtime, chat: Chat, opener: Unlocked | ChildKey, *, after: int = 0) -> list[Line]:
    """Every message after sequence number `after`. Raises `Denied` when the key does not fit or a row was tampered with."""
    opened = keys.open_conversation(tx, runtime.vault, chat.id, opener, after=after)
    names = _first_names(tx, {m.person_id for m in opened if m.person_id})
    return [_line(tx, runtime, chat, m, names.get(m.person_id or "")) for m in opened]


def _first_names(tx: Connection, ids: set[str]) -> dict[str, str]:
    if not ids:
        return {}
    rows = tx.execute(sa.select(person.c.id, person.c.first_name).where(person.c.id.in_(ids)))
    return {row.id: row.first_name for row in rows}


def _line(tx: Connection, runtime: Runtime, chat: Chat, m: OpenedMessage, name: str | None) -> Line:
    if m.role != "bot":
        return Line(m.seq, m.role, m.text or "", chat.language, m.created_at, name, m.urgency, m.reading, (), m.lost)
    sentence = sentence_of(tx, runtime, m.script_version or "", m.utterance or "", m.variant or 0)
    text = render(runtime, chat.municipality_id, sentence, confidant=name, page=partial(rerouting.page_of, tx, runtime, chat))
    return Line(m.seq, "bot", text, sentence.utterance.language, m.created_at, name, 0, None, sentence.buttons)
