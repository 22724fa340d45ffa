"""The live stream of a signed-in page: says that something changed, never what. It is also the console's heartbeat.

One stream serves all tabs of a browser (`browser/live.js`), so it listens to the person's teams, to the chats that they hold,
and to their own sign-out. The session is looked up again on every event and every `CHECK_S` seconds; when it is gone the
stream says `uit` and ends.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from handoff import confidant
from handoff.accounts import sessions
from handoff.accounts.sessions import Unlocked
from handoff.console.auth import MustRenew, SignedOut, cookie_of, refuse_unfinished
from handoff.console.context import Context, context_of
from handoff.console.pages.sign_in import person_topic
from handoff.database import awaited
from handoff.errors import Denied, StoreUnavailable
from handoff.events import MISSED, Subscription, chat_topic, team_topic
from handoff.team import access

BEAT = timedelta(seconds=25)
"""Between two heartbeats; see `roster.FRESH`."""

MAX_STREAMS = 6
"""Open streams of one session."""

CHAT_KINDS = frozenset({"message", "state", "delivered", "erased"})


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Whose stream it is, and what this person listens to at this moment."""

    session_id: bytes
    """The session whose end ends the stream."""
    topics: tuple[str, ...]
    """The person, their teams, the chats that they hold."""


async def stream(request: Request) -> Response:
    """Server-sent events `wachtrij`, `gesprek`, `klop` and `uit`; 401 without a session, 429 beyond `MAX_STREAMS`."""
    context = context_of(request)
    try:
        cookie = cookie_of(request)
        subscriber = await _look_up(context, cookie)
    except (SignedOut, MustRenew):
        return Response(status_code=401)
    if context.streams[subscriber.session_id] >= MAX_STREAMS:
        return Response(status_code=429)
    return _Counted(context, subscriber.session_id, _Stream(context, cookie, subscriber).lines())


class _Counted(StreamingResponse):
    """Counts from the moment it is promised until it has ended, however it ends."""

    def __init__(self, context: Context, session_id: bytes, lines: AsyncIterator[str]) -> None:
        super().__init__(lines, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
        self._streams = context.streams
        self._session_id = session_id
        self._streams[session_id] += 1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the end."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._streams[self._session_id] -= 1
            if not self._streams[self._session_id]:
                del self._streams[self._session_id]


class _Stream:
    """The loop of one stream."""

    def __init__(self, context: Context, cookie: bytes, subscriber: Subscriber) -> None:
        self._context = context
        self._cookie = cookie
        self._subscriber = subscriber
        self._subscription: Subscription | None = None

    async def lines(self) -> AsyncIterator[str]:
        """What to send, until the session ends, the browser leaves or the server stops."""
        clock, hub = self._context.runtime.clock, self._context.runtime.store.hub
        beat_at = clock()
        with contextlib.closing(self):
            yield "retry: 2000\n\n"
            try:
                while not hub.closed:
                    if clock() >= beat_at:
                        await heartbeat(self._context, self._cookie)
                        beat_at = clock() + BEAT
                        yield _event("klop")
                        continue
                    heard = await self._listen().wait(self._context.check_s)
                    for name in [] if hub.closed else await self._changes(heard):
                        yield _event(name)
            except (SignedOut, MustRenew):
                yield _event("uit")
            except StoreUnavailable:
                return  # the browser comes back by itself, and tells its user meanwhile

    async def _changes(self, heard: set[str]) -> list[str]:
        """The events for what was heard. Raises `SignedOut`. New topics are listened to before the page looks again."""
        subscriber = await _look_up(self._context, self._cookie)
        names = {"gesprek" if kind in CHAT_KINDS else "wachtrij" for kind in heard}
        if subscriber.topics != self._subscriber.topics or MISSED in heard:
            self.close()
            self._subscriber = subscriber
            self._listen()
            names |= {"gesprek", "wachtrij"}
        return sorted(names)

    def _listen(self) -> Subscription:
        """The subscription, made when the stream has really begun: a browser that left before leaves nothing behind."""
        if self._subscription is None:
            self._subscription = self._context.runtime.store.hub.subscribe(*self._subscriber.topics)
        return self._subscription

    def close(self) -> None:
        """Stop listening."""
        if self._subscription is not None:
            self._subscription.close()
            self._subscription = None


def _event(name: str) -> str:
    return f"event: {name}\ndata: \n\n"


async def _look_up(context: Context, cookie: bytes) -> Subscriber:
    """Raises `SignedOut`, `MustRenew`. Reads only: a stream by itself keeps nobody signed in."""

    def look(tx: Connection) -> Subscriber:
        who = _resume(tx, context, cookie, touch=False)
        teams = [team_topic(team.id) for team in access.teams_of(tx, who)]
        chats = sorted(chat_topic(item.conversation_id) for item in confidant.mine(tx, who))
        return Subscriber(who.session_id, (person_topic(who.person_id), *teams, *chats))

    return await awaited(context.runtime.store.read(look))


def _resume(tx: Connection, context: Context, cookie: bytes, *, touch: bool) -> Unlocked:
    try:
        who = sessions.resume(tx, context.runtime.vault, cookie, now=context.runtime.clock(), touch=touch)
    except Denied:
        raise SignedOut from None
    refuse_unfinished(who)
    return who


async def heartbeat(context: Context, cookie: bytes) -> None:
    """Keep shift and claims. Who has neither is not kept signed in by an open page alone. Raises `SignedOut`, `MustRenew`."""
    now = context.runtime.clock()

    def beat(tx: Connection) -> None:
        who = _resume(tx, context, cookie, touch=False)
        if confidant.engaged(tx, who):
            _resume(tx, context, cookie, touch=True)
        confidant.alive(tx, who, now)

    await awaited(context.runtime.store.write(beat))


async def alive(request: Request) -> Response:
    """A heartbeat from a page whose stream does not come through: some proxies hold streams back."""
    await heartbeat(context_of(request), cookie_of(request))
    return Response(status_code=204)
