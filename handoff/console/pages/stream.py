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
from handoff.console.door import MustRenew, SignedOut, cookie_of
from handoff.console.pages.queue import engaged, team_views
from handoff.console.pages.sign_in import person_topic
from handoff.console.parts import Parts, parts_of
from handoff.database import awaited
from handoff.errors import Denied, StoreUnavailable
from handoff.events import Subscription, chat_topic, team_topic
from handoff.queue import handoffs
from handoff.team import access

BEAT = timedelta(seconds=25)
"""Between two heartbeats; see `roster.FRESH`."""

CHECK_S = 3.0
"""Seconds after which a session is looked up again though nothing happened: whatever ended it, the stream ends within five."""

MAX_STREAMS = 6
"""Open streams of one session."""

CHAT_KINDS = frozenset({"message", "state", "delivered", "erased"})


@dataclass(frozen=True, slots=True)
class Ears:
    """Whose stream it is, and the topics that this person listens to at this moment."""

    session_id: bytes
    topics: tuple[str, ...]


async def stream(request: Request) -> Response:
    """Server-sent events `wachtrij`, `gesprek`, `klop` and `uit`; 401 without a session, 429 beyond `MAX_STREAMS`."""
    parts = parts_of(request)
    try:
        cookie = cookie_of(request)
        ears = await _listen_to(parts, cookie)
    except (SignedOut, MustRenew):
        return Response(status_code=401)
    if parts.streams[ears.session_id] >= MAX_STREAMS:
        return Response(status_code=429)
    return _Counted(parts, ears.session_id, _Stream(parts, cookie, ears).lines())


class _Counted(StreamingResponse):
    """Counts from the moment it is promised until it has ended, however it ends."""

    def __init__(self, parts: Parts, session_id: bytes, lines: AsyncIterator[str]) -> None:
        super().__init__(lines, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
        self._streams = parts.streams
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

    def __init__(self, parts: Parts, cookie: bytes, ears: Ears) -> None:
        self._parts = parts
        self._cookie = cookie
        self._ears = ears
        self._subscription: Subscription | None = None

    async def lines(self) -> AsyncIterator[str]:
        """What to send, until the session ends, the browser leaves or the server stops."""
        clock, pace_s = self._parts.runtime.clock, self._parts.pace_s
        beat_at, quiet_s = clock(), 0.0
        with contextlib.closing(self):
            yield "retry: 2000\n\n"
            try:
                while not self._parts.stopping():
                    heard: set[str] = set()
                    if clock() >= beat_at:
                        await heartbeat(self._parts, self._cookie)
                        beat_at = clock() + BEAT
                        yield _event("klop")
                    else:
                        heard = await self._ear().wait(pace_s)
                    quiet_s = 0.0 if heard else quiet_s + pace_s
                    if heard or quiet_s >= CHECK_S:
                        quiet_s = 0.0
                        for name in await self._changes(heard):
                            yield _event(name)
            except (SignedOut, MustRenew):
                yield _event("uit")
            except StoreUnavailable:
                return  # the browser comes back by itself, and tells its user meanwhile

    async def _changes(self, heard: set[str]) -> list[str]:
        """The events for what was heard. Raises `SignedOut`. New topics are listened to before the page looks again."""
        ears = await _listen_to(self._parts, self._cookie)
        names = {"gesprek" if kind in CHAT_KINDS else "wachtrij" for kind in heard}
        if ears.topics != self._ears.topics:
            self.close()
            self._ears = ears
            self._ear()
            names |= {"gesprek", "wachtrij"}
        return sorted(names)

    def _ear(self) -> Subscription:
        """The subscription, made when the stream has really begun: a browser that left before leaves nothing behind."""
        if self._subscription is None:
            self._subscription = self._parts.runtime.store.hub.subscribe(*self._ears.topics)
        return self._subscription

    def close(self) -> None:
        """Stop listening."""
        if self._subscription is not None:
            self._subscription.close()
            self._subscription = None


def _event(name: str) -> str:
    return f"event: {name}\ndata: \n\n"


async def _listen_to(parts: Parts, cookie: bytes) -> Ears:
    """Raises `SignedOut`, `MustRenew`. Reads only: a stream by itself keeps nobody signed in."""

    def look(tx: Connection) -> Ears:
        who = _resume(tx, parts, cookie, touch=False)
        teams = [team.id for team in access.teams_of(tx, who)]
        mine = [h.conversation_id for team in teams for h in handoffs.held(tx, team) if h.claimed_by == who.person_id]
        chats = sorted(chat_topic(conversation_id) for conversation_id in mine)
        return Ears(who.session_id, (person_topic(who.person_id), *map(team_topic, teams), *chats))

    return await awaited(parts.runtime.store.read(look))


def _resume(tx: Connection, parts: Parts, cookie: bytes, *, touch: bool) -> Unlocked:
    try:
        who = sessions.resume(tx, parts.runtime.vault, cookie, now=parts.runtime.clock(), touch=touch)
    except Denied:
        raise SignedOut from None
    if who.must_renew:
        raise MustRenew
    return who


async def heartbeat(parts: Parts, cookie: bytes) -> None:
    """Keep shift and claims. Who has neither is not kept signed in by an open page alone. Raises `SignedOut`, `MustRenew`."""
    now = parts.runtime.clock()

    def beat(tx: Connection) -> None:
        who = _resume(tx, parts, cookie, touch=False)
        if engaged(team_views(tx, who, now)):
            _resume(tx, parts, cookie, touch=True)
        confidant.alive(tx, who, now)

    await awaited(parts.runtime.store.write(beat))


async def alive(request: Request) -> Response:
    """A heartbeat from a page whose stream does not come through: some proxies hold streams back."""
    await heartbeat(parts_of(request), cookie_of(request))
    return Response(status_code=204)
