"""What a push channel must be able to do. A web page is none: it collects its messages itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bot.message import Outgoing


class DeliveryFailed(Exception):
    """Something did not happen at the channel.

    `permanent`: trying it again cannot help. `gone`: nothing at all can arrive at this address (blocked, gone). `retry_after`
    (seconds): the channel asked to wait. `sent` are the channel's numbers of the pieces that did go out. Its text names the
    fault, never the address or the words.
    """

    def __init__(self, fault: str, *, permanent: bool, retry_after: float | None = None, gone: bool = False) -> None:
        super().__init__(fault)
        self.permanent = permanent
        self.retry_after = retry_after
        self.gone = gone
        self.sent: tuple[int, ...] = ()


class Channel(Protocol):
    """A channel that is sent to. `name` is what stands in `conversation.channel`."""

    name: str

    async def send(self, address: bytes, outgoing: Outgoing) -> Sequence[int] | None:
        """Send one message; returns the channel's own number of each piece that went out now, if it has them.

        Raises `DeliveryFailed`, and nothing else. Must end well within `handoff.chats.outbox.LEASE`.
        """
        ...

    async def delete(self, address: bytes, numbers: Sequence[int]) -> None:
        """Delete at most 100 messages by the channel's own numbers, all or none. Raises `DeliveryFailed`, and nothing else."""
        ...
