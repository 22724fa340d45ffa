"""Server-sent events for one child's page: each message once, how the chat stands whenever that changes, and `gone` at the end.

A wake-up only says that something changed; what is sent is looked up, so a wake-up that came twice or late repeats nothing.
An open stream is one waiting task: what is to be sent is sent by a short task of its own, and the heartbeats of all streams
come from one (`Streams`), without a look at the database.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import OrderedDict
from enum import IntEnum

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bot.channels.web.chats import Chats
from bot.channels.web.duty import Duty, LiveTexts
from bot.channels.web.pages import Pages
from bot.channels.web.payloads import dump, line_json, state_json
from bot.child import Standing
from handoff.asgi.errors import log_error
from handoff.chats.conversation import Ended
from handoff.errors import HandoffError, NotFound
from handoff.events import STOPPING, chat_topic

HEARTBEAT_S = 15.0
"""Seconds of silence after which a stream says that it is still there; the page gives up after 25."""

CHECK_S = 5.0
"""Seconds between two looks at who is on duty: a console that fell silent tells nobody."""

MOST_PER_CHAT = 3
"""Open streams of one chat; one more ends the oldest."""

AT_ONCE = 20
"""Heartbeats that are sent before the loop may do something else."""

_HEADERS = {
    "Cache-Control": "no-store, no-transform",  # a proxy that compresses holds events back
    "X-Accel-Buffering": "no",
}
_BEAT = b": still here\n\n"


class Due(IntEnum):
    """What a stream has to look at, from little to much."""

    NOTHING = 0
    TEXTS = 1
    """Who is on duty, or the hour: known already."""
    STANDING = 2
    """Who holds the chat."""
    MESSAGES = 3


class Streams:
    """All open streams of this process, their heartbeats, and what they share. They end when the store's hub is closed."""

    def __init__(self, chats: Chats, pages: Pages, *, heartbeat_s: float = HEARTBEAT_S) -> None:
        self.chats = chats
        self.duty = Duty(chats.runtime)
        self.texts = LiveTexts(chats.runtime, pages)
        self._heartbeat_s = heartbeat_s
        self._check_s = min(CHECK_S, heartbeat_s)
        self._open: OrderedDict[ChildStream, float] = OrderedDict()  # longest silent first, with the loop's time of the last byte
        self._by_chat: dict[str, list[ChildStream]] = {}
        self._keeper: asyncio.Task[None] | None = None

    def count(self) -> int:
        """Streams that are open now."""
        return len(self._open)

    async def open(self, slug: str, token: bytes, last_event_id: str) -> ChildStream:
        """The stream behind a token. Raises `NotFound`, `StoreUnavailable`."""
        listening = await self.chats.find(slug, token)
        plain = last_event_id.isascii() and last_event_id.isdecimal() and len(last_event_id) < 10
        return ChildStream(
            self,
            slug=slug,
            token=token,
            conversation_id=listening.conversation_id,
            team_id=listening.team_id,
            after=int(last_event_id) if plain else 0,
        )

    def add(self, stream: ChildStream) -> None:
        """Count a stream that has begun; of one chat the newest stay."""
        mine = self._by_chat.setdefault(stream.conversation_id, [])
        for oldest in mine[: max(0, len(mine) + 1 - MOST_PER_CHAT)]:  # some of them may be ending already
            oldest.end()
        mine.append(stream)
        self._open[stream] = asyncio.get_running_loop().time()
        self.duty.join(stream.team_id, stream.texts_changed)
        if self._keeper is None:
            self.texts.refresh()  # nobody did while no stream was open
            self._keeper = asyncio.create_task(self._keep())

    def drop(self, stream: ChildStream) -> None:
        """Forget a stream that has ended."""
        mine = self._by_chat[stream.conversation_id]
        mine.remove(stream)
        if not mine:
            del self._by_chat[stream.conversation_id]
        del self._open[stream]
        self.duty.leave(stream.team_id, stream.texts_changed)
        if not self._open and self._keeper is not None:
            self._keeper.cancel()
            self._keeper = None

    def spoke(self, stream: ChildStream) -> None:
        """Its next heartbeat is due a full pause from now."""
        if stream in self._open:
            self._open[stream] = asyncio.get_running_loop().time()
            self._open.move_to_end(stream)

    async def _keep(self) -> None:
        """The one clock of all streams."""
        loop = asyncio.get_running_loop()
        pause_s = min(1.0, self._heartbeat_s / 4)
        check_at = loop.time() + self._check_s
        while True:
            await asyncio.sleep(pause_s)
            now = loop.time()
            for sent in itertools.count(1):
                stream, since = next(iter(self._open.items()))
                if since + self._heartbeat_s > now:
                    break
                stream.beat()
                self.spoke(stream)
                if sent % AT_ONCE == 0:  # a child's own event does not wait behind thousands of heartbeats
                    await asyncio.sleep(0)
            if now >= check_at:
                check_at = now + self._check_s
                try:
                    self._check()
                except Exception as error:  # noqa: BLE001 - without the beats that follow, every page gives its stream up
                    log_error(error)

    def _check(self) -> None:
        if self.duty.failures > 1:  # no database: the pages come back, and hear from the answer how it stands
            for stream in list(self._open):
                stream.end()
        self.duty.check()
        if changed := self.texts.refresh():
            for stream in list(self._open):
                if stream.slug in changed:
                    stream.texts_changed()


class ChildStream(Response):
    """One open stream: an ASGI response that lasts until the page leaves, the chat is gone or the server stops."""

    media_type = "text/event-stream"

    def __init__(self, streams: Streams, *, slug: str, token: bytes, conversation_id: str, team_id: str, after: int) -> None:
        self.status_code = 200
        self.background = None
        self.init_headers(_HEADERS)
        self.slug, self.conversation_id, self.team_id = slug, conversation_id, team_id
        self._token = token
        self.texts_changed = self._texts_changed  # one bound method: it is a key elsewhere
        self._streams = streams
        self._after = after
        self._due = Due.NOTHING
        self._standing = Standing("", None)
        self._told: tuple[Standing, bool, dict[str, object]] | None = None
        self._task: asyncio.Task[None] | None = None
        self._send: Send | None = None
        self._until = asyncio.timeout(None)
        self._ended = False

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the end; ASGI."""
        self._send = send
        self._streams.add(self)
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            with self._streams.chats.runtime.store.hub.listen((chat_topic(self.conversation_id),), self._hear):
                self._wake(Due.MESSAGES)
                await self._until_end(receive)
        finally:
            ours, self._ended = self._ended, True
            self._streams.drop(self)
            if self._task is not None:
                self._task.cancel()
        if ours:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _until_end(self, receive: Receive) -> None:
        with contextlib.suppress(TimeoutError):
            async with self._until:
                while not self._ended and (await receive())["type"] != "http.disconnect":
                    continue

    def end(self) -> None:
        """End this stream; its page comes back by itself. Calling it twice is fine."""
        if not self._ended:
            self._ended = True
            with contextlib.suppress(RuntimeError):  # not begun to wait, or ended already
                self._until.reschedule(0)

    def beat(self) -> None:
        """Say that the stream is still there, unless something is being sent anyhow."""
        if self._task is None:
            self._task = asyncio.create_task(self._beat())

    def _texts_changed(self) -> None:
        self._wake(Due.TEXTS)

    def _hear(self, kind: str) -> None:
        if kind == STOPPING:
            self.end()
        elif kind != "delivered":  # the page knows what it shows
            self._wake(Due.STANDING if kind == "state" else Due.MESSAGES)

    def _wake(self, due: Due) -> None:
        self._due = max(self._due, due)
        if self._task is None and not self._ended:
            self._task = asyncio.create_task(self._push())

    async def _beat(self) -> None:
        try:
            await self._write(_BEAT)
        finally:
            self._task = None
        if self._due:
            self._wake(self._due)

    async def _push(self) -> None:
        """Look at what is due and send what the page does not have yet, until nothing is due."""
        try:
            while self._due and not self._ended:
                due, self._due = self._due, Due.NOTHING
                if text := await self._news(due):
                    self._streams.spoke(self)
                    await self._write(text.encode("ascii"))
        except NotFound as gone:
            said = {"text": self._streams.texts.ending(self.slug, gone.days)} if isinstance(gone, Ended) else {}
            await self._write(f"event: gone\ndata: {dump(said)}\n\n".encode("ascii"))
            self.end()
        except HandoffError as error:  # the page comes back, and hears from the answer how it stands
            log_error(error)
            self.end()
        except Exception as error:  # noqa: BLE001 - a task's traceback could hold words
            log_error(error)
            self.end()
        finally:
            self._task = None

    async def _news(self, due: Due) -> str:
        """What has to be sent now; decrypts only when there may be a new message. Raises `NotFound`, `StoreUnavailable`."""
        chats = self._streams.chats
        text = ""
        if due is Due.MESSAGES:
            view = await chats.look(self.slug, self._token, after=self._after)
            for line in view.chat.lines:
                self._after = line.seq
                text += f"id: {line.seq}\nevent: message\ndata: {dump(line_json(line, view.own_ids))}\n\n"
            self._standing = Standing(view.chat.state, view.chat.confidant)
            self._streams.duty.learn(self.team_id, view.chat.on_duty)
        elif due is Due.STANDING:
            self._standing = await chats.standing(self.conversation_id)
        return text + self._state()

    def _state(self) -> str:
        """How the chat stands, when that is not what was said last."""
        on_duty = self._streams.duty.of(self.team_id)
        live = self._streams.texts.of(self.slug, on_duty)
        now = (self._standing, on_duty, live)
        if now == self._told:
            return ""
        self._told = now
        standing = self._standing
        return f"event: state\ndata: {dump(state_json(standing.state, standing.confidant, on_duty=on_duty, live=live))}\n\n"

    async def _write(self, body: bytes) -> None:
        if self._send is not None:
            await self._send({"type": "http.response.body", "body": body, "more_body": True})
