"""The parts that every use case needs, put together once at the edge (`bot.app`) and passed in: nothing here is global."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from config.channels import NO_CAPABILITIES, ChannelSpec
from config.schema import Configuration, Municipality, Route, Script
from handoff.crypto import Vault
from handoff.database import Store
from handoff.errors import NotFound
from handoff.scripts import versions


def utc_now() -> datetime:
    """The clock of a running server; tests pass their own."""
    return datetime.now(UTC)


Simulate = Callable[[Sequence[str], Configuration, str], Iterator[dict[str, Any]]]
"""Plays a child's messages to a gemeente under a configuration, published or not: one dictionary for each, as `praat simulate`."""


@dataclass(slots=True)
class Runtime:
    """`configuration` is replaced as a whole when a new script is published; a half-read one is never seen."""

    store: Store
    vault: Vault
    configuration: Configuration
    channels: Mapping[str, ChannelSpec]
    """The channels of this program, by name."""
    clock: Callable[[], datetime] = utc_now
    child_origin: str = "http://localhost:8080"
    simulate: Simulate | None = None
    """Tries a script out; None in a process that understands no messages."""
    said_now: dict[Any, Any] = field(default_factory=dict, repr=False)
    """What can be said in this second, for `handoff.wording` alone."""
    _scripts: dict[str, Script] = field(default_factory=dict)

    def script_for(self, municipality_id: str | None) -> Script:
        """Return the script in force for a gemeente; for None, where no gemeente is known yet."""
        return self.configuration.script_for(municipality_id)

    def municipality(self, municipality_id: str) -> Municipality:
        """Return the gemeente with this id. Raises `NotFound`."""
        found = self.configuration.municipalities.get(municipality_id)
        if found is None:
            raise NotFound("no such municipality")
        return found

    def route(self, municipality_id: str, route_id: str | None = None) -> Route:
        """The route with this id, else the gemeente's own, else the first there is: a child never waits for a name."""
        routes = self.configuration.routes
        own = self.configuration.municipalities.get(municipality_id)
        return routes.get(route_id or "") or routes.get(own.route if own else "") or next(iter(routes.values()))

    def page_of(self, municipality_id: str) -> str:
        """The address of a gemeente's own page, as the bot names it on another channel."""
        return f"{self.child_origin}/{municipality_id}"

    def channel(self, name: str) -> ChannelSpec:
        """The channel with this name; one that can do nothing when this program has none (any more)."""
        return self.channels.get(name) or ChannelSpec(name, name, NO_CAPABILITIES)

    def script_of(self, tx: Connection, version: str) -> Script:
        """Return the script that a message points at; versions never change, so they are kept in memory."""
        if version == self.configuration.script.version:
            return self.configuration.script
        if version not in self._scripts:
            self._scripts[version] = versions.load(tx, version)
        return self._scripts[version]
