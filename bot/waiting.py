"""The loop that keeps a waiting child told: after 1, 3 and 10 minutes, when the last human leaves, when a confidant vanished.

Each child is a transaction of its own, and each sentence is noted before it counts, so that two loops never say it twice.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from bot.policy import waiting_utterance
from config.schema import Condition
from handoff import conversation, queue
from handoff.conversation import Chat
from handoff.database import awaited
from handoff.errors import NotFound
from handoff.queue import Handoff
from handoff.runtime import Runtime
from handoff.speak import say

NOBODY = "utter_nobody_on_duty"


async def tell_waiting(runtime: Runtime) -> int:
    """Go once through everybody who waits and every claim whose confidant vanished. Returns how many messages were added."""
    now = runtime.clock()
    expired = await awaited(runtime.store.read(lambda tx: queue.expired(tx, now)))
    waiting = await awaited(runtime.store.read(queue.all_waiting))
    told = 0
    for item in expired:
        told += await awaited(runtime.store.write(partial(_lapse, runtime=runtime, item=item, now=now)))
    for item in waiting:
        if await awaited(runtime.store.read(partial(_something_due, runtime=runtime, item=item, now=now))):
            told += await awaited(runtime.store.write(partial(_tell, runtime=runtime, item=item, now=now)))
    return told


def _lapse(tx: Connection, runtime: Runtime, item: Handoff, now: datetime) -> int:
    chat = _locked(tx, item)
    if chat is None or not queue.lapse(tx, handoff_id=item.id, now=now):
        return 0
    return int(say(tx, runtime, chat, "utter_given_back", now=now) is not None)


def _minutes(item: Handoff, now: datetime) -> float:
    return (now - item.waiting_since).total_seconds() / 60


def _something_due(tx: Connection, runtime: Runtime, item: Handoff, now: datetime) -> bool:
    step = runtime.configuration.routes[item.route].step_at(max(0.0, _minutes(item, now)))
    if waiting_utterance(_minutes(item, now), item.told_minutes) or step.to != item.step:
        return True
    return _hope_ended(tx, runtime, item, now)


def _tell(tx: Connection, runtime: Runtime, item: Handoff, now: datetime) -> int:
    chat = _locked(tx, item)
    current = queue.open_of(tx, item.conversation_id) if chat else None
    if chat is None or current is None or current.id != item.id or current.state != "waiting":
        return 0
    minutes = _minutes(current, now)
    queue.note_step(tx, handoff_id=item.id, step=runtime.configuration.routes[item.route].step_at(max(0.0, minutes)).to)
    due = waiting_utterance(minutes, current.told_minutes)
    if due and queue.note_told(tx, handoff_id=item.id, minutes=due[0]):
        return int(say(tx, runtime, chat, due[1], now=now) is not None)
    if _hope_ended(tx, runtime, item, now):
        return int(say(tx, runtime, chat, NOBODY, now=now) is not None)
    return 0


def _hope_ended(tx: Connection, runtime: Runtime, item: Handoff, now: datetime) -> bool:
    """The last thing this child heard about people was that somebody is there, and that is no longer so."""
    if runtime.facts(tx, item.team_id, now)[Condition.ON_DUTY]:
        return False
    for _, role, utterance, variant in reversed(conversation.said(tx, item.conversation_id)):
        known = runtime.script.utterances.get(utterance or "") if role == "bot" else None
        if known is None or (variant or 0) >= len(known.variants):
            continue
        claim = known.variants[variant or 0].when.get(Condition.ON_DUTY)
        if claim is not None:
            return claim
    return False


def _locked(tx: Connection, item: Handoff) -> Chat | None:
    try:
        return conversation.get(tx, item.conversation_id, lock=True)
    except NotFound:  # erased meanwhile
        return None
