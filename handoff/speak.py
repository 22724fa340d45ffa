"""The bot's voice: adds a published utterance to a chat, in the variant that is true at this moment."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from config.schema import Condition
from handoff.chats import conversation
from handoff.chats.conversation import Chat
from handoff.queue import handoffs
from handoff.runtime import Runtime


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
    script = runtime.script_for(chat.municipality_id)  # once: a newer one may come between choosing and noting what was chosen
    utterance = script.utterances[utterance_id]
    variant = utterance.choose(
        runtime.facts(tx, chat.team_id, now, claimed=claimed, webchat=chat.channel == conversation.WEBCHAT),
        turn=_times_said(tx, chat, utterance_id),
    )
    if variant is None:
        return None
    handoffs.note_duty(tx, chat.id, utterance.variants[variant].when.get(Condition.ON_DUTY))
    return conversation.add_utterance(
        tx, runtime.vault, chat, utterance=utterance_id, variant=variant, script_version=script.version, now=now,
        person_id=person_id, choices=choices,
    )  # fmt: skip


def _times_said(tx: Connection, chat: Chat, utterance_id: str) -> int:
    """So that a child does not read the same line twice while another wording is left."""
    return sum(1 for _, _, said, _ in conversation.said(tx, chat.id) if said == utterance_id)
