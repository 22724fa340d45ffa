"""What all open pages of a gemeente share: whether somebody is on duty, and the texts that follow from that and from the hour.

Each is looked up once per change in this process, however many children have a stream open.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from bot.channels.web.pages import Pages, ended_text
from config.schema import Configuration
from handoff.asgi.errors import log_error
from handoff.database import awaited
from handoff.errors import HandoffError, NotFound
from handoff.events import MISSED, Listener, team_topic
from handoff.queue import roster
from handoff.runtime import Runtime

AT_ONCE = 10
"""Pages that hear of a change before the loop may do something else."""

Changed = Callable[[], None]
"""Called in the loop when somebody came on duty or the last one left."""


@dataclass(slots=True)
class _Team:
    """A team of which pages are open."""

    listener: Listener
    on_duty: bool | None = None
    pages: dict[Changed, None] = field(default_factory=dict)


class Duty:
    """Whether somebody is on duty, for each team of which a page is open. Read again on every change and by `check`."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._teams: dict[str, _Team] = {}
        self._reading: asyncio.Task[None] | None = None
        self._again = False
        self._failures = 0

    def join(self, team_id: str, changed: Changed) -> None:
        """Have `changed` called whenever this team's duty changes."""
        if team_id not in self._teams:

            def heard(kind: str) -> None:
                if kind in ("duty", MISSED):
                    self.check()

            self._teams[team_id] = _Team(self._runtime.store.hub.listen((team_topic(team_id),), heard))
        self._teams[team_id].pages[changed] = None

    def leave(self, team_id: str, changed: Changed) -> None:
        """The page is closed; after its last one a team is forgotten."""
        team = self._teams[team_id]
        team.pages.pop(changed, None)
        if not team.pages:
            team.listener.close()
            del self._teams[team_id]
        if not self._teams:
            self._failures = 0  # the next page is not ended for a database that was away
            if self._reading is not None:
                self._reading.cancel()
                self._reading = None

    def learn(self, team_id: str, on_duty: bool) -> None:  # noqa: FBT001 (it is a fact)
        """What was found while something else was read; counts only while nothing is known."""
        team = self._teams.get(team_id)
        if team is not None and team.on_duty is None:
            team.on_duty = on_duty

    def of(self, team_id: str) -> bool:
        """Whether somebody of this team is on duty, as far as is known."""
        team = self._teams.get(team_id)
        return bool(team and team.on_duty)

    @property
    def failures(self) -> int:
        """How many looks in a row found no database."""
        return self._failures

    def check(self) -> None:
        """Look again, in the background; what is asked meanwhile becomes one more look."""
        if self._reading is not None:
            self._again = True
        elif self._teams:
            self._reading = asyncio.create_task(self._read())
            self._reading.add_done_callback(self._done)

    def _done(self, reading: asyncio.Task[None]) -> None:
        if self._reading is reading:
            self._reading = None

    async def _read(self) -> None:
        self._again = True
        while self._again:
            self._again = False
            await self._look()

    async def _look(self) -> None:
        """One statement for all teams, in which nobody is on duty but those whom it names."""
        now = self._runtime.clock()
        try:
            there = await awaited(self._runtime.store.read(lambda tx: roster.teams_on_duty(tx, now)))
        except HandoffError as error:
            self._failures += 1
            log_error(error)
            return
        self._failures = 0
        for team_id, team in list(self._teams.items()):
            before, team.on_duty = team.on_duty, team_id in there
            if before != team.on_duty:
                await _tell(list(team.pages))


async def _tell(pages: list[Changed]) -> None:
    """All of them, a few at a time: a child's own event does not wait until thousands have heard of this."""
    for start in range(0, len(pages), AT_ONCE):
        for changed in pages[start : start + AT_ONCE]:
            changed()
        await asyncio.sleep(0)


class LiveTexts:
    """The texts on an open page that depend on the hour, the people on duty and the script: made once a minute for all pages."""

    def __init__(self, runtime: Runtime, pages: Pages) -> None:
        self._runtime = runtime
        self._pages = pages
        self._made: dict[tuple[str, bool], dict[str, object]] = {}
        self._minute: datetime | None = None
        self._configuration: Configuration | None = None

    def of(self, slug: str, on_duty: bool) -> dict[str, object]:  # noqa: FBT001 (it is a fact)
        """The texts of this gemeente; the same object as long as nothing in them changes."""
        key = (slug, on_duty)
        if key not in self._made:
            self._made[key] = self._make_if_served(*key)
        return self._made[key]

    def ending(self, slug: str, days: int) -> str:
        """What a page says of a chat whose time was over."""
        served = self._runtime.configuration.municipalities.get(slug)
        return ended_text(self._pages.words(served, None), days)

    def refresh(self) -> set[str]:
        """Make them anew when the minute or the script has changed; returns the gemeenten whose texts did."""
        now, configuration = self._runtime.clock().replace(second=0, microsecond=0), self._runtime.configuration
        if self._minute == now and self._configuration is configuration:
            return set()
        self._minute, self._configuration = now, configuration
        changed = set()
        for key, old in list(self._made.items()):
            new = self._make_if_served(*key)
            if new != old:
                self._made[key] = new
                changed.add(key[0])
        return changed

    def _make_if_served(self, slug: str, on_duty: bool) -> dict[str, object]:  # noqa: FBT001
        """Nothing for a gemeente that is no longer served: a page that is open there still shows what was said."""
        try:
            return dict(self._pages.words(self._runtime.municipality(slug), on_duty).live())
        except NotFound:
            return {}
