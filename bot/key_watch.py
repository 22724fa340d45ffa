"""Looks now and then whether the key folder is there and is the one of the database, and says so when it is not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from bot.preflight import why_not
from handoff import installation
from handoff.installation import KeysAway, OthersKeys
from handoff.runtime import Runtime

log = structlog.get_logger()

LOOK_S = 10.0
"""Seconds between two looks. Every use of a key looks at the marker by itself: this one asks the database too."""


class KeyWatch:
    """What was told last to who keeps the program running; the same is not told twice."""

    def __init__(self, runtime: Runtime, tell: Callable[[str], None]) -> None:
        self._runtime, self._tell, self._told = runtime, tell, ""

    def told(self, text: str) -> None:
        """Tell it, unless it is what was told last."""
        if text and text != self._told:
            self._tell(f"LET OP: {text}")
        self._told = text

    async def step(self) -> None:
        """Look once. Raises what the database itself does wrong."""
        try:
            await asyncio.to_thread(installation.see, self._runtime.store, self._runtime.vault)
        except (KeysAway, OthersKeys) as fault:
            if not self._told:
                log.error("keys_not_usable", reason=str(fault))
            self.told(why_not(fault))
        else:
            if self._told:
                log.info("keys_usable_again")
            self.told("")
