"""Server-sent events for one child's page: each message once, how the chat stands whenever that changes, and `gone` at the end.

A wake-up only says that something changed; what is sent is looked up, so a lost wake-up costs seconds and never a message.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from starlette.responses import StreamingResponse

from bot.channels.web.chats import Chats, View
from bot.channels.web.middleware import note_trouble
from bot.channels.web.pages import Pages
from bot.channels.web.payloads import dump, line_json, state_json
from handoff.errors import HandoffError, NotFound
from handoff.events import Subscription, chat_topic, team_topic

HEARTBEAT_S = 15.0
SLICE_S = 1.0
"""How long a stream sleeps at most before it looks whether the server is closing."""

MOST_PER_CHAT = 3
"""Open streams of one chat; one more ends the oldest."""


@dataclass(eq=False, slots=True)
class Slot:
    """One open stream."""

    ended: bool = False


@dataclass(slots=True)
class Streams:
    """All open streams of this process. Once `stopping()` is true they end within a second, and their pages come back later."""

    chats: Chats
    pages: Pages
    heartbeat_s: float = HEARTBEAT_S
    stopping: Callable[[], bool] = lambda: False
    _slots: dict[str, list[Slot]] = field(default_factory=lambda: defaultdict(list))

    def count(self) -> int:
        """Streams that are open now."""
        return sum(len(slots) for slots in self._slots.values())

    async def open(self, slug: str, token: bytes, last_event_id: str) -> StreamingResponse:
        """The stream behind a token. Raises `NotFound`, `StoreUnavailable`."""
        listening = await self.chats.find(slug, token)
        plain = last_event_id.isascii() and last_event_id.isdecimal() and len(last_event_id) < 10
        after = int(last_event_id) if plain else 0
        events = self._events(slug, token, after, listening.conversation_id, listening.team_id)
        headers = {"X-Accel-Buffering": "no"}  # a proxy must pass every event on at once
        return StreamingResponse(events, media_type="text/event-stream", headers=headers)

    async def _events(self, slug: str, token: bytes, after: int, conversation_id: str, team_id: str) -> AsyncIterator[str]:
        slot = self._take(conversation_id)
        try:
            with self.chats.runtime.store.hub.subscribe(chat_topic(conversation_id), team_topic(team_id)) as heard:
                async for event in self._follow(slug, token, after, slot, heard):
                    yield event
        except NotFound:
            yield "event: gone\ndata: {}\n\n"
        except HandoffError as error:  # the page comes back, and hears from the answer how it stands
            note_trouble(error)
        finally:
            self._drop(conversation_id, slot)

    async def _follow(self, slug: str, token: bytes, after: int, slot: Slot, heard: Subscription) -> AsyncIterator[str]:
        told = ""
        while not slot.ended and not self.stopping():
            view = await self.chats.look(slug, token, after=after)
            for line in view.chat.lines:
                after = line.seq
                yield f"id: {line.seq}\nevent: message\ndata: {dump(line_json(line, view.own_ids))}\n\n"
            state = self._state(slug, view)
            yield f"event: state\ndata: {state}\n\n" if state != told else ": still here\n\n"
            told = state
            await self._sleep(slot, heard)

    def _state(self, slug: str, view: View) -> str:
        words = self.pages.words(self.chats.runtime.municipality(slug), view.chat.on_duty)
        return dump(state_json(view, words))

    async def _sleep(self, slot: Slot, heard: Subscription) -> None:
        """Until something changed, the heartbeat is due, or this stream must end."""
        waited = 0.0
        while waited < self.heartbeat_s and not slot.ended and not self.stopping():
            if await heard.wait(min(SLICE_S, self.heartbeat_s - waited)):
                return
            waited += SLICE_S

    def _take(self, conversation_id: str) -> Slot:
        slots = self._slots[conversation_id]
        if len(slots) >= MOST_PER_CHAT:
            slots[0].ended = True
        slot = Slot()
        slots.append(slot)
        return slot

    def _drop(self, conversation_id: str, slot: Slot) -> None:
        slots = self._slots[conversation_id]
        slots.remove(slot)
        if not slots:
            del self._slots[conversation_id]
