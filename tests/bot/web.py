"""The child's server for tests: on a real database, spoken to over ASGI, with a confidant at hand."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
from starlette.applications import Starlette

from bot.channels.web.app import child_app
from handoff import confidant
from handoff.accounts.sessions import Unlocked
from nlu.understanding import Understanding
from tests.make import CITY, House, understood

T = TypeVar("T")

HEARTBEAT_S = 0.2
"""Streams beat fast in tests."""


def new_token() -> str:
    """A token as a page makes it."""
    return secrets.token_urlsafe(32)


def read_as(intent: str = "greet") -> Callable[[str], Understanding]:
    """A reader that always gives the same answer."""
    return lambda _text: understood(intent)


@dataclass
class Site:
    """The child's app on a house, and one confidant, Sanne."""

    house: House
    understand: Callable[[str], Understanding] = field(default_factory=read_as)
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sanne: Unlocked = self.house.confidant("sanne")
        self.app: Starlette = child_app(self.house.runtime, self.understand, heartbeat_s=HEARTBEAT_S, **self.options)

    def run(self, work: Callable[[httpx.AsyncClient], Coroutine[Any, Any, T]]) -> T:
        """Talk to the app in a loop of its own."""

        async def talk() -> T:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://child.test") as client:
                return await work(client)

        return asyncio.run(talk())

    def ask(self, method: str, path: str, token: str | None = None, **more: Any) -> httpx.Response:
        """One request."""
        headers = {**({"Authorization": f"Bearer {token}"} if token else {}), **more.pop("headers", {})}
        return self.run(lambda client: client.request(method, path, headers=headers, **more))

    def send(self, token: str, text: str, *, message_id: str = "m1", after: int = 0, city: str = CITY) -> httpx.Response:
        """Send one message as the page does."""
        body = json.dumps({"id": message_id, "text": text, "after": after})
        return self.ask("POST", f"/api/{city}/messages", token, content=body)

    def look(self, token: str, after: int = 0) -> httpx.Response:
        """Ask for what is new."""
        return self.ask("GET", f"/api/{CITY}/messages?after={after}", token)

    def form(self, path: str = f"/{CITY}", **fields: str) -> httpx.Response:
        """Press a button of the page without JavaScript."""
        return self.ask("POST", path, files={name: (None, value) for name, value in fields.items()})

    def stop(self) -> None:
        """The server is asked to stop."""
        self.house.runtime.store.hub.close()

    def on_duty(self, *, present: bool = True) -> None:
        """Sanne says that she is there, or that she goes."""
        now, team = self.house.clock(), f"team-{CITY}"
        write = self.house.runtime.store.write
        write(lambda tx: confidant.set_duty(tx, self.house.runtime, self.sanne, team, now, present=present)).result()

    def claim(self) -> str:
        """Sanne takes who waits first; the id of the handoff."""
        runtime, now = self.house.runtime, self.house.clock()
        (board,) = runtime.store.read(lambda tx: confidant.boards(tx, self.sanne, now)).result()
        handoff_id = board.waiting[0].id
        runtime.store.write(lambda tx: confidant.claim(tx, runtime, self.sanne, handoff_id, now)).result()
        return handoff_id

    def write(self, handoff_id: str, text: str, external_id: str = "c1") -> None:
        """Sanne writes to the child."""
        runtime, now = self.house.runtime, self.house.clock()
        runtime.store.write(
            lambda tx: confidant.write(tx, runtime, self.sanne, handoff_id, external_id=external_id, text=text, now=now)
        ).result()


@dataclass
class Stream:
    """An open stream of events. `next` waits for the next event of a kind."""

    status: int
    headers: dict[str, str]
    _queue: asyncio.Queue[bytes | None]
    _text: str = ""

    async def events(self) -> AsyncIterator[dict[str, str]]:
        """Every event as its fields, comments under ''."""
        while True:
            while "\n\n" in self._text:  # several may have come in one piece; what is not asked for now waits
                event, self._text = self._text.split("\n\n", 1)
                yield dict(line.split(": ", 1) for line in event.split("\n"))
            chunk = await asyncio.wait_for(self._queue.get(), 5)
            if chunk is None:
                return
            self._text += chunk.decode()

    async def next(self, kind: str) -> dict[str, Any]:
        """The data of the next event of this kind; fails when the stream ends first."""
        async for event in self.events():
            if event.get("event") == kind:
                return {"event": event.get("id"), **json.loads(event["data"])}
        raise AssertionError(f"the stream ended without {kind}")

    async def ended(self) -> bool:
        """Whether it ends by itself."""
        async for _ in self.events():
            pass
        return True


@asynccontextmanager
async def stream(app: Starlette, path: str, headers: dict[str, str]) -> AsyncIterator[Stream]:
    """Open a stream over ASGI; leaving closes it as a phone that went away does."""
    gone, parts, start = asyncio.Event(), asyncio.Queue[bytes | None](), asyncio.get_running_loop().create_future()
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET",
        "path": path, "raw_path": path.encode(), "query_string": b"", "headers": raw, "scheme": "http",
        "server": ("child.test", 80),
    }  # fmt: skip
    asked = False

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if not asked:
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            start.set_result(message)
        else:
            parts.put_nowait(message["body"] or None)

    async def run(call: Awaitable[None]) -> None:
        await call
        parts.put_nowait(None)

    task = asyncio.ensure_future(run(app(scope, receive, send)))
    first = await asyncio.wait_for(start, 5)
    found = {name.decode(): value.decode() for name, value in first["headers"]}
    yield Stream(first["status"], found, parts)
    gone.set()
    await asyncio.wait_for(task, 5)
