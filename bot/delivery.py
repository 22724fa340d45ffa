"""The one door to the child for channels that are pushed to: sends what waits in the outbox, in order, until it has arrived.

An attempt is noted before it is made and its end after; a process that dies in between sends again rather than never.
What a bot's message says about people is looked up again at the moment it goes out (promise 5).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial

import structlog
from sqlalchemy import Connection

from bot.channels.channel import Channel, DeliveryFailed
from bot.message import Outgoing
from config.render import render
from handoff import conversation, outbox, queue, rerouting, tenants
from handoff.database import awaited
from handoff.errors import HandoffError
from handoff.outbox import Parcel
from handoff.runtime import Runtime

log = structlog.get_logger()

CHOOSE = rerouting.ASKED
"""Said where a child has not named its gemeente."""

NEAR = "utter_telegram_near"
"""Said to what looks like a name: the gemeenten that were meant perhaps come under it."""

MOST_CHOICES = 8

_AT_A_TIME = 8
"""Parcels taken in one go, sent one after another: together well within the loan (`handoff.outbox.LOAN`)."""


async def deliver_due(runtime: Runtime, channels: Mapping[str, Channel]) -> int:
    """Send everything that is due on every push channel. Returns how many messages went out."""
    sent = 0
    for channel in channels.values():
        for parcel, address, outgoing in await awaited(runtime.store.write(partial(_take, runtime=runtime, channel=channel))):
            sent += await _deliver(runtime, channel, parcel, address, outgoing)
    return sent


def _take(tx: Connection, runtime: Runtime, channel: Channel) -> list[tuple[Parcel, bytes, Outgoing]]:
    now = runtime.clock()
    taken = []
    for parcel in outbox.due(tx, channel.name, now, limit=_AT_A_TIME):
        outbox.lend(tx, parcel, now)
        try:
            outgoing = _outgoing(tx, runtime, parcel)
            address = runtime.vault.open_for_delivery(parcel.address, "address", parcel.conversation_id)
        except (HandoffError, LookupError, ValueError) as error:  # one that cannot be read keeps nobody else's waiting
            log.error("parcel_unreadable", parcel=parcel.id, error=type(error).__name__)
            outgoing = None
        if outgoing is None:  # unreadable, or not true any more and nothing else is: it stays unsaid, and the confidant sees so
            outbox.failed(tx, parcel, now)
            continue
        taken.append((parcel, address, outgoing))
    return taken


def _outgoing(tx: Connection, runtime: Runtime, parcel: Parcel) -> Outgoing | None:
    if parcel.utterance is None:
        words = runtime.vault.open_for_delivery(parcel.sealed or b"", "words", parcel.conversation_id, parcel.seq)
        return Outgoing(words.decode("utf-8", "replace"), from_human=True)
    chat = conversation.get(tx, parcel.conversation_id)
    item = queue.open_of(tx, chat.id)
    claimed = item is not None and item.state == "claimed"
    utterance = runtime.script_of(tx, parcel.script_version or "").utterances[parcel.utterance]
    facts = runtime.facts(tx, chat.team_id, runtime.clock(), claimed=claimed, webchat=False)
    number: int | None = parcel.variant or 0
    if not utterance.variants[parcel.variant or 0].holds(facts):
        number = utterance.choose(facts, turn=0)
        if number is None:
            return None
        conversation.reword(tx, runtime.vault, chat, parcel.seq, variant=number)  # the transcript shows what was really said
    variant = utterance.variants[number or 0]
    municipality = runtime.municipality(chat.municipality_id).name
    name = conversation.first_name(tx, parcel.person_id)
    page = rerouting.page_of(tx, runtime, chat) if "{page}" in variant.text else ""
    text = render(variant.text, runtime.configuration.helplines, municipality=municipality, confidant=name, page=page)
    return Outgoing(text, utterance.language, variant.buttons, _choices(tx, runtime, parcel))


def _choices(tx: Connection, runtime: Runtime, parcel: Parcel) -> tuple[str, ...]:
    """The gemeenten to press, of those whose team can receive: the nearest first, or all of them.

    None when there are too many to look through on a phone: then the name is typed.
    """
    receiving = tenants.receiving(tx) if parcel.utterance in (CHOOSE, NEAR) else frozenset()
    names = {m.id: m.name for m in runtime.configuration.listed if m.id in receiving}
    if parcel.utterance == NEAR and parcel.sealed:
        near = runtime.vault.open_for_delivery(parcel.sealed, "choices", parcel.conversation_id, parcel.seq)
        return tuple(names[found] for found in near.decode().split("\n") if found in names)
    return tuple(names.values()) if parcel.utterance == CHOOSE and 1 < len(names) <= MOST_CHOICES else ()


async def _deliver(runtime: Runtime, channel: Channel, parcel: Parcel, address: bytes, outgoing: Outgoing) -> int:
    try:
        provider_id = await channel.send(address, outgoing)
    except DeliveryFailed as error:
        fault = error
    except Exception as error:  # noqa: BLE001 - a channel's own mistake: the next child's message goes out all the same
        log.error("channel_failed", channel=channel.name, error=type(error).__name__)
        fault = DeliveryFailed("fault in the channel", permanent=False)
    else:
        await awaited(runtime.store.write(lambda tx: outbox.delivered(tx, parcel, runtime.clock(), provider_id=provider_id)))
        return 1
    await awaited(runtime.store.write(lambda tx: _note_failure(tx, runtime, parcel, fault)))
    return 0


def _note_failure(tx: Connection, runtime: Runtime, parcel: Parcel, fault: DeliveryFailed) -> None:
    now = runtime.clock()
    if fault.permanent:
        outbox.failed(tx, parcel, now)
    elif fault.retry_after is not None:
        outbox.postpone(tx, parcel, now + timedelta(seconds=fault.retry_after))
    else:
        outbox.retry(tx, parcel, now)
