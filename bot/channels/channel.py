"""What a channel that is pushed to must be able to do. A page that collects its messages itself needs none of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import structlog

from bot.message import Outgoing
from config.channels import ChannelSpec

log = structlog.get_logger()


class DeliveryFailed(Exception):
    """Something did not happen at the channel.

    `permanent`: trying it again cannot help. `gone`: nothing at all can arrive at this address (blocked, gone). `retry_after`
    (seconds): the channel asked to wait. Its text names the fault, never the address or the words.
    """

    def __init__(self, fault: str, *, permanent: bool, retry_after: float | None = None, gone: bool = False) -> None:
        super().__init__(fault)
        self.permanent = permanent
        self.retry_after = retry_after
        self.gone = gone


class Channel(Protocol):
    """A channel that is sent to."""

    @property
    def spec(self) -> ChannelSpec:
        """What the channel can do. The caller keeps to it: see `Capabilities`."""
        ...

    async def send(self, address: bytes, outgoing: Outgoing) -> int:
        """Send one message, no longer than `longest`; returns the channel's own number of it, to delete it by one day.

        Raises `DeliveryFailed`, and nothing else. Must end well within `handoff.chats.outbox.LEASE`.
        """
        ...

    async def delete(self, address: bytes, numbers: Sequence[int]) -> None:
        """Delete at most `deletes_at_once` messages by the channel's own numbers, all or none.

        Raises `DeliveryFailed`, and nothing else. Never called on a channel that deletes nothing.
        """
        ...


@contextmanager
def own_faults(channel: Channel) -> Iterator[None]:
    """Turn whatever a channel does wrong into a `DeliveryFailed` that may pass: its other children are served all the same.

    Only the class of the error is logged: its text could hold an address or words.
    """
    try:
        yield
    except DeliveryFailed:
        raise
    except Exception as error:  # noqa: BLE001 - nobody foresaw it, so nobody knows its class
        log.error("channel_failed", channel=channel.spec.name, error=type(error).__name__)
        fault = DeliveryFailed("fault in the channel", permanent=False)
    else:
        return
    raise fault  # outside the handler: no chain that somebody prints
