"""The parts that every use case needs, put together once at the edge (`bot.app`) and passed in: nothing here is global."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Connection

from config.facts import facts
from config.schema import Condition, Configuration, Municipality, Route, Script
from handoff.crypto import Vault
from handoff.database import Store
from handoff.errors import NotFound
from handoff.queue import roster
from handoff.scripts import versions


def utc_now() -> datetime:
    """The clock of a running server; tests pass their own."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Runtime:
    """`configuration` is replaced as a whole when a new script is published; a half-read one is never seen."""

    store: Store
    vault: Vault
    configuration: Configuration
    clock: Callable[[], datetime] = utc_now
    child_origin: str = "http://localhost:8080"
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

    def facts(
        self, tx: Connection, team_id: str, now: datetime, *, claimed: bool = False, webchat: bool = True
    ) -> dict[Condition, bool]:
        """What may be said now about people and lines, looked up in live state (promise 5)."""
        there = bool(roster.on_duty(tx, team_id, now))
        return dict(facts(self.configuration.helplines, now, on_duty=there, claimed=claimed, webchat=webchat))

    def script_of(self, tx: Connection, version: str) -> Script:
        """Return the script that a message points at; versions never change, so they are kept in memory."""
        if version == self.configuration.script.version:
            return self.configuration.script
        if version not in self._scripts:
            self._scripts[version] = versions.load(tx, version)
        return self._scripts[version]
