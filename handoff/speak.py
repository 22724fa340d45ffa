"""The bot's voice beside the turns: adds a published utterance to a chat, in the variant that is true at this moment."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from handoff.chats import conversation, messages
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
) -> Sentence | None:
    """Add one bot message to a chat whose row the caller holds. Returns what was said; None when no variant is true now."""
    sentence = say_in(tx, runtime, wording_for(tx, runtime, chat, now, claimed=claimed), chat, utterance_id, person_id=person_id)
    if sentence is not None:
        handoffs.note_duty(tx, chat.id, sentence.says_on_duty)
    return sentence


def say_in(
    tx: Connection, runtime: Runtime, wording: Wording, chat: Chat, utterance_id: str, *, person_id: str | None = None
) -> Sentence | None:
    """Do as `say` does, by a wording that is there already.

    The caller notes what it says of people (`Sentence.says_on_duty`) in the handoff's row, which it changes anyway.
    """
    sentence = wording.choose(utterance_id, conversation.news_of(runtime.vault, chat).times(utterance_id))
    if sentence is not None:
        reference = Reference(utterance_id, sentence.pointer, sentence.script_version, person_id)
        messages.add_utterance(tx, runtime.vault, chat, reference, wording.moment.now)
    return sentence
