"""What a push channel must be able to do. A web page is none: it collects its messages itself."""

from __future__ import annotations

from typing import Protocol

from bot.message import Outgoing


class DeliveryFailed(Exception):
    """A message did not go out. `permanent`: it never can (blocked, gone). `retry_after` (seconds): the channel asked to wait.

    Its text names the fault, never the address or the words.
    """

    def __init__(self, fault: str, *, permanent: bool, retry_after: float | None = None) -> None:
        super().__init__(fault)
        self.permanent = permanent
        self.retry_after = retry_after


class Channel(Protocol):
    """A channel that is sent to. `name` is what stands in `conversation.channel`."""

    name: str

    async def send(self, address: bytes, outgoing: Outgoing) -> int | None:
        """Send one message; returns the channel's own number for it, if it has one. Raises `DeliveryFailed`, and nothing else."""
        ...
