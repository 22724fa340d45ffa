"""Fakes at the seams: what stands in for the world outside, never for our own code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bot.channels.channel import DeliveryFailed
from bot.channels.telegram.spec import SPEC
from bot.message import Outgoing
from config.channels import ChannelSpec


@dataclass
class FakeChannel:
    """A push channel that keeps what it was given, or fails as the next entry of `faults` says."""

    spec: ChannelSpec = SPEC
    sent: list[tuple[bytes, Outgoing]] = field(default_factory=list)
    faults: list[DeliveryFailed] = field(default_factory=list)
    on_send: Callable[[], None] = lambda: None

    async def send(self, address: bytes, outgoing: Outgoing) -> int:
        """Keep it, or fail."""
        self.on_send()
        if self.faults:
            raise self.faults.pop(0)
        self.sent.append((address, outgoing))
        return len(self.sent)

    async def delete(self, address: bytes, numbers: Sequence[int]) -> None:
        """Keep what arrived."""

    def texts(self, address: bytes) -> list[str]:
        """What one child received, in order."""
        return [outgoing.text for to, outgoing in self.sent if to == address]
