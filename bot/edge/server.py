"""A uvicorn server that watches its connections. Its process handles the signals: there can be several of them in one loop."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any, cast

import uvicorn

from bot.edge.answers import Page
from bot.edge.connections import Clock, Connections
from bot.edge.protocol import Edge

GRACE_S = 3
"""How long an open stream may take to end when the server stops; a child's page then polls until it is back."""

TICKS_A_SECOND = 10
"""How often uvicorn calls `on_tick`."""


class EdgeServer(uvicorn.Server):
    """Serves `app` to at most `most` connections at once; `page` makes what is said where no app is asked."""

    def __init__(self, app: Any, host: str, port: int, *, page: Page, most: int, clock: Clock = time.monotonic) -> None:
        self.edge = Edge(Connections(most, clock), page)
        super().__init__(
            uvicorn.Config(
                app, interface="asgi3", host=host, port=port, http=cast("Any", self.edge.protocol), loop="none",
                log_level="warning", access_log=False, server_header=False, date_header=True, ws="none",
                timeout_graceful_shutdown=GRACE_S, lifespan="off", proxy_headers=False,
            )
        )  # fmt: skip

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to whoever runs the loop."""
        yield

    async def on_tick(self, counter: int) -> bool:
        """Beside uvicorn's own: look at the deadlines, once a second."""
        if counter % TICKS_A_SECOND == 0:
            self.edge.connections.sweep()
        return await super().on_tick(counter)
