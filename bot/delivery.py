"""The one door to the child for channels that are pushed to: sends what waits in the outbox, in order, until it has arrived.

Different chats are sent to side by side, so that none waits for another; in a chat one message goes after the other. Just
before each send it is looked up whether the message is still there (a child may have erased everything) and what is true now
(promise 5). A process that dies while sending sends again rather than never.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

import structlog
from sqlalchemy import Connection

from bot.channels.channel import Channel, DeliveryFailed, own_faults
from bot.message import Outgoing
from bot.pieces import pieces
from config.channels import ChannelSpec
from config.schema import Condition, Utterance
from handoff.chats import conversation, deletions, messages, outbox, parcels
from handoff.chats.outbox import Parcel
from handoff.database import awaited
from handoff.errors import HandoffError, StoreUnavailable
from handoff.places import municipalities
from handoff.queue import handoffs, rerouting
from handoff.queue.handoffs import Handoff
from handoff.runtime import Runtime
from handoff.wording import render, sentence_of, wording_for

log = structlog.get_logger()

MOST_CHOICES = 8
"""Gemeenten that a child can look through on a phone. Of more, none is shown: then the name is typed."""

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
    return [outbox.lease(tx, parcel, now) for parcel in outbox.due(tx, channel.spec.name, now, limit=limit)]


@dataclass(frozen=True, slots=True)
class _Ready:
    """What goes out: a parcel, where to, and the words as they are true now."""

    parcel: Parcel
    address: bytes = field(repr=False)
    outgoing: Outgoing


@dataclass(slots=True)
class _Sent:
    """How a send ended: the channel's numbers of the pieces that went out now, and what went wrong."""

    numbers: list[int] = field(default_factory=list)
    fault: DeliveryFailed | None = None


async def _deliver(runtime: Runtime, channel: Channel, leased: Parcel) -> int:
    ready = await awaited(runtime.store.write(partial(_prepare, runtime=runtime, channel=channel.spec, leased=leased)))
    if ready is None:
        return 0
    sent = await _send(channel, ready)
    await awaited(runtime.store.write(lambda tx: _note(tx, runtime, ready, sent, channel.spec)))
    return int(sent.fault is None)


async def _send(channel: Channel, ready: _Ready) -> _Sent:
    """Send what has not gone out before, piece by piece. Buttons come under the last piece."""
    sent, outgoing = _Sent(), ready.outgoing
    texts = pieces(outgoing.text, channel.spec.capabilities.longest)
    try:
        for number, text in enumerate(texts[len(ready.parcel.sent) :], start=len(ready.parcel.sent) + 1):
            piece = replace(outgoing, text=text) if number == len(texts) else replace(outgoing, text=text, buttons=(), choices=())
            with own_faults(channel):
                sent.numbers.append(await channel.send(ready.address, piece))
    except DeliveryFailed as fault:
        sent.fault = fault
    return sent


def _prepare(tx: Connection, runtime: Runtime, channel: ChannelSpec, leased: Parcel) -> _Ready | None:
    """What to send, as it is true now; None when there is nothing to send (any more)."""
    now = runtime.clock()
    conversation.hold(tx, leased.conversation_id)
    parcel = outbox.renew(tx, leased, now)
    if parcel is None:
        return None
    try:
        outgoing = _outgoing(tx, runtime, channel, parcel)
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
    return _Ready(parcel, address, outgoing)


def _outgoing(tx: Connection, runtime: Runtime, channel: ChannelSpec, parcel: Parcel) -> Outgoing | None:
    """The words; None when they are not true any more and no other variant is."""
    vault = runtime.vault
    if parcel.script_version is None:
        return Outgoing(parcels.open_words(vault, parcel.conversation_id, parcel.seq, parcel.sealed), from_human=True)
    pointer, choices = parcels.open_reference(vault, parcel.conversation_id, parcel.seq, parcel.sealed)
    chat = conversation.get(tx, parcel.conversation_id)
    item = handoffs.open_of(tx, chat.id)
    chosen = sentence_of(tx, runtime, parcel.script_version, pointer)
    if _is_past(item, parcel, chosen.utterance, channel):
        return None
    claimed = item is not None and item.state == "claimed"
    sentence = wording_for(tx, runtime, chat, runtime.clock(), claimed=claimed).revise(chosen)
    if sentence is None:
        return None
    if sentence != chosen:
        messages.reword(tx, vault, chat, parcel.seq, sentence.pointer)  # the transcript shows what was said
        handoffs.note_duty(tx, chat.id, sentence.says_on_duty)
    name, page = conversation.first_name(tx, parcel.person_id), partial(rerouting.page_of, runtime, chat)
    text = render(runtime, chat.municipality_id, sentence, confidant=name, page=page)
    if not channel.capabilities.buttons:
        return Outgoing(text, sentence.utterance.language)
    names = _choices(tx, runtime, choices, asked=sentence.utterance.id == channel.needs.asks)
    return Outgoing(text, sentence.utterance.language, sentence.buttons, names)


def _is_past(item: Handoff | None, parcel: Parcel, utterance: Utterance, channel: ChannelSpec) -> bool:
    """Whether it names a human who does not read (any more), or tells how the waiting stands of a child that does not wait:
    from the claim on the bot is silent (promise 4). Numbers and answers still go."""
    if parcel.person_id is not None:
        return item is None or item.claimed_by != parcel.person_id
    waits = item is not None and item.state == "waiting"
    about = utterance.id in channel.needs.waiting_only or any(Condition.ON_DUTY in variant.when for variant in utterance.variants)
    return about and not waits


def _choices(tx: Connection, runtime: Runtime, near: tuple[str, ...], *, asked: bool) -> tuple[str, ...]:
    """Names of the gemeenten to press, of those whose team can receive: the ones that wait with the parcel, the nearest first;
    or all of them under the channel's question for the gemeente, when they are few."""
    if not asked and not near:
        return ()
    receiving = municipalities.receiving(tx)
    names = {m.id: m.name for m in runtime.configuration.listed if m.id in receiving}
    if near:
        return tuple(names[found] for found in near if found in names)
    return tuple(names.values()) if 1 < len(names) <= MOST_CHOICES else ()


def _note(tx: Connection, runtime: Runtime, ready: _Ready, sent: _Sent, channel: ChannelSpec) -> None:
    """Note how it ended. What went out to a chat that was erased meanwhile is deleted there too."""
    now, parcel, fault, numbers = runtime.clock(), ready.parcel, sent.fault, sent.numbers
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
            tx, runtime.vault, channel=channel, auth=parcel.child_auth, address=ready.address, numbers=numbers, wish=None, now=now
        )
