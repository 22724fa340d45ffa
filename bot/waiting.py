"""The loop that keeps a waiting child told: after 1, 3 and 10 minutes, when the last human leaves, when a confidant vanished.

It asks for what is due and scans nothing (decision 0023). Several children share a transaction, and one that fails fails alone;
sentence and note commit together, so that two loops never say it twice and one that dies in between has said nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import Connection

from bot.policy import next_due, waiting_utterance
from config.schema import RouteStep
from handoff.chats import conversation
from handoff.database import awaited
from handoff.database.savepoint import savepoint
from handoff.errors import StoreUnavailable
from handoff.queue import due, handoffs, roster
from handoff.queue.due import Due
from handoff.queue.handoffs import Handoff
from handoff.runtime import Runtime
from handoff.speak import say, say_in
from handoff.wording import Moment, Sentence, Wording

log = structlog.get_logger()

NOBODY = "utter_nobody_on_duty"

BATCH = 20
"""Children in one transaction: few enough that a turn on SQLite's one writer does not wait long behind them."""

PLANS = 200
"""Plans that are changed in one transaction."""

OVERLAP = timedelta(minutes=1)
"""A change of duty is looked at again for so long: a turn that began before it may commit "somebody is there" after it."""

Take = Callable[[Connection, datetime, int], list[str]]
Deed = Callable[[Connection, Runtime, str, datetime], int]


@dataclass(frozen=True, slots=True)
class _Found:
    """The teams whose last confidant may have gone away, and whether anything else is due."""

    teams: Sequence[str]
    anything: bool


@dataclass(frozen=True, slots=True)
class _Batch:
    """How many handoffs were taken, and how many messages were added for them."""

    taken: int
    told: int


async def tell_waiting(runtime: Runtime, since: datetime | None = None) -> int:
    """Say what is due to those who wait and to those whose confidant vanished. Returns how many messages were added.

    `since` is when this process did so last; None looks at the duty of every team, as at a start.
    """
    now = runtime.clock()
    found = await awaited(runtime.store.read(partial(_find, since=since, now=now)))
    for team_id in found.teams:
        await awaited(runtime.store.write(partial(_end_hope, team_id=team_id, now=now)))
    if not found.teams and not found.anything:
        return 0
    return await _all(runtime, due.take_lapsed, _lapse, now) + await _all(runtime, due.take_waiting, _look, now)


def _find(tx: Connection, since: datetime | None, now: datetime) -> _Found:
    """Find all that an idle second asks for, in one look."""
    teams = due.told_teams(tx) if since is None else roster.left(tx, since=since - OVERLAP, now=now)
    return _Found(teams, due.anything(tx, now))


def _end_hope(tx: Connection, team_id: str, now: datetime) -> None:
    if not roster.on_duty(tx, team_id, now):
        due.hope_ended(tx, team_id, now)


async def _all(runtime: Runtime, take: Take, deed: Deed, now: datetime) -> int:
    told = 0
    while True:
        batch = await awaited(runtime.store.write(partial(_one_batch, runtime=runtime, take=take, deed=deed, now=now)))
        told += batch.told
        if batch.taken < BATCH:
            return told


def _one_batch(tx: Connection, runtime: Runtime, take: Take, deed: Deed, now: datetime) -> _Batch:
    """Do what is due for a batch: together, and where that fails for one of them, each in a savepoint of its own."""
    taken = take(tx, now, BATCH)
    try:
        with savepoint(tx):
            told = sum(deed(tx, runtime, handoff_id, now) for handoff_id in taken)
    except StoreUnavailable:  # the database's fault, not a child's
        raise
    except Exception:  # noqa: BLE001 - named below, where it is known whose it is
        told = sum(_one(tx, runtime, handoff_id, deed, now) for handoff_id in taken)
    return _Batch(len(taken), told)


def _one(tx: Connection, runtime: Runtime, handoff_id: str, deed: Deed, now: datetime) -> int:
    """Do what is due for one child; what goes wrong is noted by its class, undone, and keeps no other child waiting."""
    try:
        with savepoint(tx):
            return deed(tx, runtime, handoff_id, now)
    except StoreUnavailable:  # the database's fault, not the child's
        raise
    except Exception as error:  # noqa: BLE001
        log.error("telling_failed", error=type(error).__name__)
    due.put_off(tx, handoff_id, now + due.PUT_OFF)
    handoffs.lapse(tx, handoff_id=handoff_id, now=now)  # also unsaid: no child stays with a confidant who vanished
    return 0


def _lapse(tx: Connection, runtime: Runtime, handoff_id: str, now: datetime) -> int:
    if not handoffs.lapse(tx, handoff_id=handoff_id, now=now):
        return 0
    chat = conversation.get(tx, handoffs.get(tx, handoff_id).conversation_id)
    return int(say(tx, runtime, chat, "utter_given_back", now=now) is not None)


def _look(tx: Connection, runtime: Runtime, handoff_id: str, now: datetime) -> int:
    found = due.waiting(tx, handoff_id, now)
    if found is None:
        return 0
    item, message = found.handoff, _message_due(found.handoff, now)
    utterance = message[1] if message else NOBODY if item.told_on_duty and not found.on_duty else None
    sentence = _say(tx, runtime, found, utterance, now) if utterance else None
    claim = None if sentence is None else sentence.says_on_duty
    told_on_duty = item.told_on_duty if claim is None else claim
    told_minutes = message[0] if message else item.told_minutes
    # at once again, when the message that came first does not say that nobody is there any more
    again = message is not None and told_on_duty and not found.on_duty
    due_at = now if again else _next(runtime, item, now, told_minutes)
    step = _step(runtime, item, now).to
    due.plan(tx, item, step=step, told_minutes=told_minutes, told_on_duty=told_on_duty, due_at=due_at)
    return int(sentence is not None)


def _say(tx: Connection, runtime: Runtime, found: Due, utterance: str, now: datetime) -> Sentence | None:
    capabilities = runtime.channel(found.chat.channel).capabilities
    moment = Moment(now, capabilities, found.chat.municipality_id, found.on_duty)
    return say_in(tx, runtime, Wording(runtime, moment), found.chat, utterance)


def _step(runtime: Runtime, item: Handoff, now: datetime) -> RouteStep:
    """Return whom the route turns to by now; a route that is no longer there falls back to the gemeente's own."""
    waited = max(0.0, (now - item.waiting_since).total_seconds() / 60)
    return runtime.route(item.municipality_id, item.route).step_at(waited)


def _next(runtime: Runtime, item: Handoff, now: datetime, told_minutes: int) -> datetime | None:
    route = runtime.route(item.municipality_id, item.route)
    since, told_from = item.waiting_since, item.told_from
    return next_due(route, waiting_since=since, told_from=told_from, told_minutes=told_minutes, now=now)


def _message_due(item: Handoff, now: datetime) -> tuple[int, str] | None:
    return waiting_utterance((now - item.told_from).total_seconds() / 60, item.told_minutes)


async def plan_again(runtime: Runtime, now: datetime) -> None:
    """Look earlier where something is due earlier than was planned: routes may have been published anew."""
    earlier = await awaited(runtime.store.read(partial(_earlier, runtime=runtime, now=now)))
    for start in range(0, len(earlier), PLANS):
        some = dict(earlier[start : start + PLANS])
        await awaited(runtime.store.write(partial(due.bring_forward, moments=some)))


def _earlier(tx: Connection, runtime: Runtime, now: datetime) -> list[tuple[str, datetime]]:
    planned = ((item, _planned(runtime, item, now)) for item in handoffs.all_waiting(tx))
    return [(item.id, at) for item, at in planned if at is not None and (item.due_at is None or at < item.due_at)]


def _planned(runtime: Runtime, item: Handoff, now: datetime) -> datetime | None:
    if _message_due(item, now) or _step(runtime, item, now).to != item.step:
        return now
    return _next(runtime, item, now, item.told_minutes)
