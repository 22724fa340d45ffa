"""Does what `handoff.chats.deletions` holds: says the farewell, and deletes at the channel what can be deleted there.

The farewell first, so that a child who asked hears at once; a fault in one does not hold up the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import structlog
from sqlalchemy import Connection

from bot.channels.channel import Channel, DeliveryFailed, own_faults
from bot.message import Outgoing
from bot.pieces import pieces
from handoff.chats import deletions
from handoff.chats.deletions import Deletion
from handoff.chats.outbox import BACKOFF_S, LEASE
from handoff.database import awaited
from handoff.errors import HandoffError, StoreUnavailable
from handoff.runtime import Runtime
from handoff.wording import Moment, Wording

log = structlog.get_logger()

LATER = timedelta(hours=24)
"""After so long what was refused is asked once more: there are messages that a channel deletes only when they are a day old."""


@dataclass(slots=True)
class _Done:
    """What became of a job. `fault` is the last one that may pass; `gone`: nothing can be done there any more."""

    said: int = 0
    deleted: set[int] = field(default_factory=set)
    fault: DeliveryFailed | None = None
    gone: bool = False

    def failed(self, fault: DeliveryFailed) -> None:
        """Keep it; one with a wait that the channel asked for counts most."""
        self.gone = self.gone or fault.gone
        if self.fault is None or fault.retry_after is not None:
            self.fault = fault


async def erase_due(runtime: Runtime, channels: Mapping[str, Channel], *, stop: asyncio.Event | None = None) -> int:
    """Do every job that is due, those of different chats side by side. Returns how many were looked at."""
    looked = 0
    for channel in channels.values():
        while not (stop and stop.is_set()):
            jobs = await awaited(runtime.store.write(partial(deletions.due, channel=channel.spec.name, now=runtime.clock())))
            await asyncio.gather(*(_one(runtime, channel, job) for job in jobs))
            looked += len(jobs)
            if not jobs:
                break
    return looked


async def _one(runtime: Runtime, channel: Channel, job: Deletion) -> None:
    try:
        address = await asyncio.to_thread(deletions.address_of, runtime.vault, job)
    except StoreUnavailable:
        raise
    except (HandoffError, ValueError) as error:
        log.error("deletion_unreadable", job=job.id, error=type(error).__name__)
        await awaited(runtime.store.write(lambda tx: deletions.drop(tx, job)))
        return
    done = _Done()
    if job.to_say and await awaited(runtime.store.read(lambda tx: deletions.begun_anew(tx, job))):
        done.said = job.to_say  # "alles weg" is not true any more, and its buttons belong to the new chat
    else:
        await _say(runtime, channel, address, job, done)
    if done.said:  # noted before the deleting, which may take long: it is not said twice
        said, until = done.said, runtime.clock() + LEASE
        await awaited(runtime.store.write(lambda tx: deletions.settle(tx, job, deleted=(), said=said, until=until, failed=False)))
        done.said = 0
    await _delete(channel, address, job.left, done)
    await awaited(runtime.store.write(partial(_settle, runtime=runtime, job=job, done=done)))


async def _say(runtime: Runtime, channel: Channel, address: bytes, job: Deletion, done: _Done) -> None:
    farewell = channel.spec.needs.farewell
    for utterance in farewell[max(0, len(farewell) - job.to_say) :]:
        text = Wording(runtime, Moment(runtime.clock(), channel.spec.capabilities, None, None)).say(utterance)
        try:
            for piece in pieces(text, channel.spec.capabilities.longest):
                with own_faults(channel):
                    await channel.send(address, Outgoing(piece, last=True))
        except DeliveryFailed as fault:
            log.warning("farewell_not_said", job=job.id, utterance=utterance, error=str(fault))
            if not fault.permanent or fault.gone:
                done.failed(fault)
                return
        done.said += 1
    done.said = job.to_say  # also when the farewell became shorter meanwhile


async def _delete(channel: Channel, address: bytes, numbers: Sequence[int], done: _Done) -> None:
    """Delete in batches. One message that is too old sinks its whole batch, so a refused batch is halved, down to single ones."""
    most = channel.spec.capabilities.deletes_at_once
    todo = [numbers[start : start + most] for start in range(0, len(numbers), most)]
    while todo and not done.gone:
        batch = todo.pop()
        try:
            with own_faults(channel):
                await channel.delete(address, batch)
        except DeliveryFailed as fault:
            if fault.permanent and not fault.gone:
                half = len(batch) // 2
                todo += [batch[:half], batch[half:]] if half else []
                continue
            done.failed(fault)
            return
        done.deleted.update(batch)


def _settle(tx: Connection, runtime: Runtime, job: Deletion, done: _Done) -> None:
    now = runtime.clock()
    if done.gone:
        log.warning("deletion_given_up", job=job.id)
        deletions.drop(tx, job)
        return
    wait = LATER
    if done.fault is not None:
        log.warning("not_deleted_yet", job=job.id, error=str(done.fault))
        wait = timedelta(seconds=done.fault.retry_after or BACKOFF_S[min(job.attempts, len(BACKOFF_S) - 1)])
    failed = done.fault is not None and done.fault.retry_after is None
    deletions.settle(tx, job, deleted=done.deleted, said=done.said, until=now + wait, failed=failed)
