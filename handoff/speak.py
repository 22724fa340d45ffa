"""The bot's voice: adds a published utterance to a chat, in the variant that is true at this moment."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from handoff.chats import messages
from handoff.chats.conversation import Chat
from handoff.chats.messages import Reference
from handoff.queue import handoffs
from handoff.runtime import Runtime
from handoff.wording import Sentence, Wording, wording_for


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
    sentence = wording.choose(utterance_id, messages.times_said(tx, chat.id, utterance_id))
    if sentence is None:
        return None
    handoffs.note_duty(tx, chat.id, sentence.says_on_duty)
    reference = Reference(utterance_id, sentence.variant, sentence.script_version, person_id, choices)
    return messages.add_utterance(tx, runtime.vault, chat, reference, now)


def say_in(tx: Connection, runtime: Runtime, wording: Wording, chat: Chat, utterance_id: str) -> Sentence | None:
    """Add one bot message to a chat whose row the caller holds. Returns what was said; None when no variant is true now.

    The caller notes what it says of people (`Sentence.says_on_duty`) in the handoff's row, which it changes anyway.
    """
    sentence = wording.choose(utterance_id, messages.times_said(tx, chat.id, utterance_id))
    if sentence is not None:
        reference = Reference(utterance_id, sentence.variant, sentence.script_version)
        messages.add_to_held(tx, runtime.vault, chat, reference, wording.moment.now)
    return sentence
