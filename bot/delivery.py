"""The one door to the child for channels that are pushed to: sends what waits in the outbox, in order, until it has arrived.

Different chats are sent to side by side, so that none waits for another; in a chat one message goes after the other. Just
before each send it is looked up whether the message is still there (a child may have erased everything) and what is true now
(promise 5). A process that dies while sending sends again rather than never.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from functools import partial

import structlog
from sqlalchemy import Connection

from bot.channels.channel import Channel, DeliveryFailed
from bot.message import Outgoing
from config.render import render
from config.schema import Condition, Utterance
from handoff.chats import conversation, deletions, outbox
from handoff.chats.outbox import Parcel
from handoff.database import awaited
from handoff.errors import HandoffError, StoreUnavailable
from handoff.places import municipalities
from handoff.queue import handoffs, rerouting
from handoff.queue.handoffs import Handoff
from handoff.runtime import Runtime

log = structlog.get_logger()

CHOOSE = rerouting.ASKED
"""Said where a child has not named its gemeente."""

NEAR = "utter_telegram_near"
"""Said to what looks like a name: the gemeenten that were meant perhaps come under it."""

_WAITING_ONLY = frozenset({CHOOSE, NEAR, "utter_telegram_chosen", "utter_telegram_noted"})

MOST_CHOICES = 8

AT_ONCE = 16
"""Chats that are sent to side by side."""

LOOK_S = 0.5
"""Seconds after which a sender looks for new messages, though nothing that is under way has ended."""


async def deliver_due(runtime: Runtime, channels: Mapping[str, Channel], *, stop: asyncio.Event | None = None) -> int:
    """Send everything that is due on every push channel, until nothing is; returns how many messages went out.

    After `stop` nothing new is begun, and what is under way ends.
    """
    busy: set[asyncio.Task[int]] = set()
    sent = 0
    try:
        while True:
            for channel in channels.values() if not (stop and stop.is_set()) else ():
                if (free := AT_ONCE - len(busy)) > 0:
                    leased = await awaited(runtime.store.write(partial(_lease, runtime=runtime, channel=channel, limit=free)))
                    busy |= {asyncio.create_task(_deliver(runtime, channel, parcel)) for parcel in leased}
            if not busy:
                return sent
            done, busy = await asyncio.wait(busy, timeout=LOOK_S, return_when=asyncio.FIRST_COMPLETED)
            sent += sum(await asyncio.gather(*done))
    finally:
        await asyncio.gather(*busy, return_exceptions=True)


def _lease(tx: Connection, runtime: Runtime, channel: Channel, limit: int) -> list[Parcel]:
    now = runtime.clock()
    return [outbox.lease(tx, parcel, now) for parcel in outbox.due(tx, channel.name, now, limit=limit)]


async def _deliver(runtime: Runtime, channel: Channel, leased: Parcel) -> int:
    ready = await awaited(runtime.store.write(partial(_prepare, runtime=runtime, leased=leased)))
    if ready is None:
        return 0
    parcel, address, outgoing = ready
    fault: DeliveryFailed | None = None
    numbers: tuple[int, ...] = ()
    try:
        numbers = tuple(await channel.send(address, outgoing) or ())
    except DeliveryFailed as error:
        fault, numbers = error, error.sent
    except Exception as error:  # noqa: BLE001 - a channel's own mistake: the next child's message goes out all the same
        log.error("channel_failed", channel=channel.name, error=type(error).__name__)
        fault = DeliveryFailed("fault in the channel", permanent=False)
    await awaited(runtime.store.write(lambda tx: _note(tx, runtime, parcel, address, numbers, fault, channel.name)))
    return int(fault is None)


def _prepare(tx: Connection, runtime: Runtime, leased: Parcel) -> tuple[Parcel, bytes, Outgoing] | None:
    """What to send, as it is true now; None when there is nothing to send (any more)."""
    now = runtime.clock()
    parcel = outbox.renew(tx, leased, now)
    if parcel is None:
        return None
    try:
        outgoing = _outgoing(tx, runtime, parcel)
        address = runtime.vault.open_for_delivery(parcel.address, "address", parcel.conversation_id)
    except StoreUnavailable:  # not now: it comes back when its lease ends
        raise
    except (HandoffError, LookupError, ValueError) as error:  # one that cannot be read keeps nobody else's waiting
        log.error("parcel_unreadable", parcel=parcel.id, error=type(error).__name__)
        outbox.failed(tx, parcel, now)
        return None
    if outgoing is None:
        outbox.unsaid(tx, parcel, now)
        return None
    return parcel, address, outgoing


def _outgoing(tx: Connection, runtime: Runtime, parcel: Parcel) -> Outgoing | None:
    """The words; None when they are not true any more and no other variant is."""
    if parcel.utterance is None:
        words = runtime.vault.open_for_delivery(parcel.sealed or b"", "words", parcel.conversation_id, parcel.seq)
        return Outgoing(words.decode("utf-8", "replace"), from_human=True, skip=len(parcel.sent))
    chat = conversation.get(tx, parcel.conversation_id)
    item = handoffs.open_of(tx, chat.id)
    utterance = runtime.script_of(tx, parcel.script_version or "").utterances[parcel.utterance]
    if _is_past(item, parcel, utterance):
        return None
    claimed = item is not None and item.state == "claimed"
    facts = runtime.facts(tx, chat.team_id, runtime.clock(), claimed=claimed, webchat=False)
    number: int | None = parcel.variant or 0
    if not utterance.variants[parcel.variant or 0].holds(facts):
        number = utterance.choose(facts, turn=0)
        if number is None:
            return None
        conversation.reword(tx, runtime.vault, chat, parcel.seq, variant=number)  # the transcript shows what was really said
        handoffs.note_duty(tx, chat.id, utterance.variants[number].when.get(Condition.ON_DUTY))
    variant = utterance.variants[number or 0]
    municipality = runtime.municipality(chat.municipality_id).name
    name = conversation.first_name(tx, parcel.person_id)
    page = rerouting.page_of(tx, runtime, chat) if "{page}" in variant.text else ""
    text = render(variant.text, runtime.configuration.helplines, municipality=municipality, confidant=name, page=page)
    return Outgoing(text, utterance.language, variant.buttons, _choices(tx, runtime, parcel))


def _is_past(item: Handoff | None, parcel: Parcel, utterance: Utterance) -> bool:
    """Whether it names a human who does not read (any more), or tells how the waiting stands of a child that does not wait:
    from the claim on the bot is silent (promise 4). Numbers and answers still go."""
    if parcel.person_id is not None:
        return item is None or item.claimed_by != parcel.person_id
    waits = item is not None and item.state == "waiting"
    about = utterance.id in _WAITING_ONLY or any(Condition.ON_DUTY in variant.when for variant in utterance.variants)
    return about and not waits


def _choices(tx: Connection, runtime: Runtime, parcel: Parcel) -> tuple[str, ...]:
    """The gemeenten to press, of those whose team can receive: the nearest first, or all of them.

    None when there are too many to look through on a phone: then the name is typed.
    """
    receiving = municipalities.receiving(tx) if parcel.utterance in (CHOOSE, NEAR) else frozenset()
    names = {m.id: m.name for m in runtime.configuration.listed if m.id in receiving}
    if parcel.utterance == NEAR and parcel.sealed:
        near = runtime.vault.open_for_delivery(parcel.sealed, "choices", parcel.conversation_id, parcel.seq)
        return tuple(names[found] for found in near.decode().split("\n") if found in names)
    return tuple(names.values()) if parcel.utterance == CHOOSE and 1 < len(names) <= MOST_CHOICES else ()


def _note(
    tx: Connection,
    runtime: Runtime,
    parcel: Parcel,
    address: bytes,
    numbers: tuple[int, ...],
    fault: DeliveryFailed | None,
    channel: str,
) -> None:
    """How it ended. What went out to a chat that was erased meanwhile is deleted there too."""
    now = runtime.clock()
    if fault is None:
        there = outbox.delivered(tx, parcel, now, numbers=numbers)
    elif fault.permanent:
        there = outbox.failed(tx, parcel, now, numbers=numbers, gone=fault.gone)
    elif fault.retry_after is not None:
        there = outbox.postpone(tx, parcel, now + timedelta(seconds=fault.retry_after), numbers=numbers)
    else:
        there = outbox.retry(tx, parcel, now, numbers=numbers)
    if not there and numbers:
        deletions.put(
            tx, runtime.vault, channel=channel, auth=parcel.child_auth, address=address, numbers=numbers, wish=None, now=now
        )
