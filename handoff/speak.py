"""The bot's voice: adds a published utterance to a chat, in the variant that is true at this moment."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from handoff.chats import messages
from handoff.chats.conversation import Chat
from handoff.chats.messages import Reference
from handoff.queue import handoffs
from handoff.runtime import Runtime
from handoff.wording import wording_for


def say(
    tx: Connection,
    runtime: Runtime,
    chat: Chat,
    utterance_id: str,
    *,
    now: datetime,
    claimed: bool = False,
    person_id: str | None = None,
    choices: tuple[str, ...] = (),
) -> int | None:
    """Add one bot message. Returns its sequence number, or None when no variant is true now: then nothing is said."""
    wording = wording_for(tx, runtime, chat, now, claimed=claimed)
    sentence = wording.choose(utterance_id, _times_said(tx, chat, utterance_id))
    if sentence is None:
        return None
    handoffs.note_duty(tx, chat.id, sentence.says_on_duty)
    reference = Reference(utterance_id, sentence.variant, sentence.script_version, person_id, choices)
    return messages.add_utterance(tx, runtime.vault, chat, reference, now)


def _times_said(tx: Connection, chat: Chat, utterance_id: str) -> int:
    """So that a child does not read the same line twice while another wording is left."""
    return sum(1 for one in messages.said(tx, chat.id) if one.utterance == utterance_id)
