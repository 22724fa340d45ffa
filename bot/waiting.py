"""The loop that keeps a waiting child told: after 1, 3 and 10 minutes, when the last human leaves, when a confidant vanished.

Each child is a transaction of its own, and each sentence is noted before it counts, so that two loops never say it twice.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

import structlog
from sqlalchemy import Connection

from bot.policy import waiting_utterance
from config.schema import Condition
from handoff.chats import conversation
from handoff.chats.conversation import Chat
from handoff.database import awaited
from handoff.errors import NotFound, StoreUnavailable
from handoff.queue import handoffs, roster
from handoff.queue.handoffs import Handoff
from handoff.runtime import Runtime
from handoff.speak import say

log = structlog.get_logger()

NOBODY = "utter_nobody_on_duty"


async def tell_waiting(runtime: Runtime) -> int:
    """Go once through everybody who waits and every claim whose confidant vanished. Returns how many messages were added."""
    now = runtime.clock()
    expired = await awaited(runtime.store.read(lambda tx: handoffs.expired(tx, now)))
    waiting = await awaited(runtime.store.read(handoffs.all_waiting))
    told = 0
    for item in expired:
        told += await _each(runtime, partial(_lapse, runtime=runtime, item=item, now=now))
    for item in waiting:
        told += await _each(
            runtime,
            partial(_tell, runtime=runtime, item=item, now=now),
            only_if=partial(_something_due, runtime=runtime, item=item, now=now),
        )
    return told


async def _each(runtime: Runtime, deed: Callable[[Connection], int], only_if: Callable[[Connection], bool] | None = None) -> int:
    """One child's turn; what goes wrong with one is noted by its class and keeps no other child waiting."""
    try:
        if only_if is None or await awaited(runtime.store.read(only_if)):
            return await awaited(runtime.store.write(deed))
    except StoreUnavailable:
        raise
    except Exception as error:  # noqa: BLE001
        log.error("telling_failed", error=type(error).__name__)
    return 0


def _lapse(tx: Connection, runtime: Runtime, item: Handoff, now: datetime) -> int:
    chat = _locked(tx, item)
    if chat is None or not handoffs.lapse(tx, handoff_id=item.id, now=now):
        return 0
    return int(say(tx, runtime, chat, "utter_given_back", now=now) is not None)


def _step(runtime: Runtime, item: Handoff, now: datetime) -> str:
    """Whom the route turns to by now; a route that is no longer there falls back to the gemeente's own."""
    waited = max(0.0, (now - item.waiting_since).total_seconds() / 60)
    return runtime.route(item.municipality_id, item.route).step_at(waited).to


def _due(item: Handoff, now: datetime) -> tuple[int, str] | None:
    return waiting_utterance((now - item.told_from).total_seconds() / 60, item.told_minutes)


def _something_due(tx: Connection, runtime: Runtime, item: Handoff, now: datetime) -> bool:
    if _due(item, now) or _step(runtime, item, now) != item.step:
        return True
    return _hope_ended(tx, runtime, item, now)


def _tell(tx: Connection, runtime: Runtime, item: Handoff, now: datetime) -> int:
    chat = _locked(tx, item)
    current = handoffs.open_of(tx, item.conversation_id) if chat else None
    if chat is None or current is None or current.id != item.id or current.state != "waiting":
        return 0
    handoffs.note_step(tx, handoff_id=item.id, step=_step(runtime, current, now))
    due = _due(current, now)
    if due and handoffs.note_told(tx, handoff_id=item.id, minutes=due[0]):
        return int(say(tx, runtime, chat, due[1], now=now) is not None)
    if _hope_ended(tx, runtime, item, now):
        return int(say(tx, runtime, chat, NOBODY, now=now) is not None)
    return 0


def _hope_ended(tx: Connection, runtime: Runtime, item: Handoff, now: datetime) -> bool:
    """The last thing this child heard about people was that somebody is there, and that is no longer so."""
    if roster.on_duty(tx, item.team_id, now):
        return False
    for utterance, variant, version in conversation.last_references(tx, item.conversation_id):
        claim = runtime.script_of(tx, version).utterances[utterance].variants[variant].when.get(Condition.ON_DUTY)
        if claim is not None:
            return claim
    return False


def _locked(tx: Connection, item: Handoff) -> Chat | None:
    try:
        return conversation.get(tx, item.conversation_id, lock=True)
    except NotFound:  # erased meanwhile
        return None
