"""A chat as people read it: opened words and rendered utterances, in order. Used for the child's page and for the console."""

from __future__ import annotations

from collections.abc import Sequence
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
from handoff.keys import KeyScope, OpenedMessage
from handoff.models import person
from handoff.queue import rerouting
from handoff.runtime import Runtime
from handoff.wording import Sentence, Wording, render, sentence_of


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


@dataclass(frozen=True, slots=True)
class Transcript:
    """Messages of a chat, opened."""

    lines: list[Line]
    own_ids: dict[int, str]
    """The child's own id of each of its messages, by sequence number."""


def lines(tx: Connection, runtime: Runtime, chat: Chat, opener: Unlocked | ChildKey, *, after: int = 0) -> list[Line]:
    """Return every message after sequence number `after`. Raises `Denied` when the key does not fit or a row was tampered with."""
    return _read(tx, runtime, chat, keys.open_conversation(tx, runtime.vault, chat.id, opener, after=after)).lines


def read(
    tx: Connection, runtime: Runtime, chat: Chat, scope: KeyScope, key_no: int, opener: Unlocked | ChildKey, *, after: int = 0
) -> Transcript:
    """Do as `lines` does, for a chat whose row was just read: the scope of its keys, and the number of the one in force."""
    head = keys.Head(scope, chat.team_id, key_no, chat.last_seq)
    return _read(tx, runtime, chat, keys.open_messages(tx, runtime.vault, head, opener, after=after))


def of_turn(chat: Chat, text: str, urgency: int, sentences: Sequence[Sentence], wording: Wording) -> list[Line]:
    """Return the last turn of a chat as its child reads it, from what was just written: nothing has to be opened."""
    first, at = chat.last_seq - len(sentences), chat.last_child_at
    mine = Line(first, "child", text, chat.language, at, None, urgency, None, ())
    said = (_bot_line(first + n, one, wording.text(one), at) for n, one in enumerate(sentences, start=1))
    return [mine, *said]


def _read(tx: Connection, runtime: Runtime, chat: Chat, opened: list[OpenedMessage]) -> Transcript:
    names = _first_names(tx, {m.person_id for m in opened if m.person_id})
    read = [_line(tx, runtime, chat, m, names.get(m.person_id or "")) for m in opened]
    return Transcript(read, {m.seq: m.external_id for m in opened if m.role == "child" and m.external_id is not None})


def _first_names(tx: Connection, ids: set[str]) -> dict[str, str]:
    if not ids:
        return {}
    rows = tx.execute(sa.select(person.c.id, person.c.first_name).where(person.c.id.in_(ids)))
    return {row.id: row.first_name for row in rows}


def _line(tx: Connection, runtime: Runtime, chat: Chat, m: OpenedMessage, name: str | None) -> Line:
    if m.pointer is None:
        return Line(m.seq, m.role, m.text or "", chat.language, m.created_at, name, m.urgency, m.reading, (), m.lost)
    sentence = sentence_of(tx, runtime, m.script_version or "", m.pointer)
    page = partial(rerouting.page_of, runtime, chat)
    text = render(runtime, chat.municipality_id, sentence, confidant=name, page=page)
    return _bot_line(m.seq, sentence, text, m.created_at, name)


def _bot_line(seq: int, sentence: Sentence, text: str, at: datetime, confidant: str | None = None) -> Line:
    return Line(seq, "bot", text, sentence.utterance.language, at, confidant, 0, None, sentence.buttons)
