"""uvicorn's HTTP connection, with deadlines: it stands in a register of all, and answers what it refuses with a page."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from bot.edge.answers import Page, answer
from bot.edge.connections import Connections, Phase

HEAD_BYTES = 32 * 1024
"""A request line with its headers that is longer is none of ours; the parser itself would take in any length."""

SENT_AHEAD = 64
"""Requests that may wait for the answer to an earlier one on the same connection. Browsers send none ahead."""


@dataclass(slots=True)
class Edge:
    """What the connections of one server share."""

    connections: Connections
    page: Page

    def protocol(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: asyncio.AbstractEventLoop | None = None
    ) -> EdgeProtocol:
        """Make the protocol of a new connection: what uvicorn calls."""
        return EdgeProtocol(self, config, server_state, app_state, _loop)


class EdgeProtocol(HttpToolsProtocol):
    """One connection. What it waits for follows from what arrived; it keeps no timer."""

    phase = Phase.HEAD

    def __init__(
        self,
        edge: Edge,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._edge = edge
        self._unheard = 0  # bytes that no app was told of: of a header, or of what stands around a body

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a place."""
        super().connection_made(transport)
        self._edge.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave it."""
        self._edge.connections.remove(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, and see what this connection waits for now."""
        if self.phase is Phase.CROWDED:
            self._refuse(503)
            return
        self._unheard += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # we speak nothing else: it is answered like any other request
        except httptools.HttpParserError:
            self._edge.connections.count("malformed")
            self._refuse(400)
            return
        if self._unheard > HEAD_BYTES:
            self._edge.connections.count("too_long")
            self._refuse(431)
        elif len(self.pipeline) > SENT_AHEAD:
            self._edge.connections.count("sent_ahead")
            self.cut()
        else:
            self._edge.connections.move(self, self._waits_for())

    def _waits_for(self) -> Phase:
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            return Phase.HEAD
        return Phase.BODY if cycle.more_body else Phase.WORKING

    def on_headers_complete(self) -> None:
        """A request begins."""
        self._unheard = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """What an app reads, it counts itself."""
        self._unheard -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is whole."""
        self._unheard = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Go on with the next request, or wait for it. uvicorn would start a timer here; the register has one clock for all."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        else:
            self._edge.connections.move(self, Phase.IDLE)

    def pause_writing(self) -> None:
        """What is sent is not read."""
        self._edge.connections.unread(self, unread=True)
        super().pause_writing()

    def resume_writing(self) -> None:
        """It is read again."""
        self._edge.connections.unread(self, unread=False)
        super().resume_writing()

    def late(self) -> None:
        """Whoever began a request hears what to do instead; for the others the connection just ends."""
        if self._unheard > 0 and self.phase is Phase.HEAD:
            self._refuse(408)
        else:
            self.transport.close()

    def cut(self) -> None:
        """Let go now: another needs the place."""
        self.transport.abort()

    def _refuse(self, status: int) -> None:
        if self.transport.is_closing():
            return
        if self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete:
            self.cut()  # nothing can be said in the middle of another answer
        else:
            self.transport.write(answer(status, self._edge.page))
            self.transport.close()
