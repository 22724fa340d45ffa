"""Live fan-out: who is looking at a chat or at the queue hears at once that something changed.

An event holds ids and small state, never words; whoever hears it fetches what it may see. `announce` is called inside a
transaction and heard only after its commit. Events of this process go straight to its hub; between processes they travel as
`handoff.database.notifications` says.
"""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

_KEY = "praat.announcements"

STOPPING = "stopping"
"""The kind that every listener hears once, when the server stops."""

MISSED = "missed"
"""The kind that every listener hears when events may have been lost: look at everything again."""


@dataclass(frozen=True, slots=True)
class Event:
    """Says that something changed."""

    topic: str
    """Whom it concerns: `chat:<conversation id>`, `team:<team id>`, `person:<person id>`, or `ERASURES`."""
    kind: str
    """What changed, one word."""


def chat_topic(conversation_id: str) -> str:
    """What the child's page and an open chat in the console listen to."""
    return f"chat:{conversation_id}"


def team_topic(team_id: str) -> str:
    """What the queue page listens to; also every change of who is on duty."""
    return f"team:{team_id}"


REPLACED = "replaced"
"""The kind that says that another database file stands in the place of the one before."""

ERASURES = "erasures"
"""What is listened to by whoever remembers outside the database what was erased (`handoff.backups.replay`)."""


def announce(tx: Connection, topic: str, kind: str) -> None:
    """Tell listeners of `topic` after this transaction has committed; nobody hears of a rollback."""
    tx.info.setdefault(_KEY, []).append(Event(topic, kind))


def take_announcements(tx: Connection) -> list[Event]:
    """Remove and return what was announced on this connection (for `handoff.database` alone)."""
    events: list[Event] = tx.info.pop(_KEY, [])
    return list(dict.fromkeys(events))


class Listener:
    """Calls a function in the loop in which it began to listen, with the kind of each event of its topics."""

    __slots__ = ("_hub", "heard", "loop", "topics")

    def __init__(self, hub: Hub, topics: Sequence[str], heard: Callable[[str], None]) -> None:
        self._hub = hub
        self.topics = topics
        self.heard = heard
        self.loop = asyncio.get_running_loop()

    def close(self) -> None:
        """Stop listening; calling it twice is fine."""
        self._hub.drop(self)

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


class Subscription:
    """A listener that is waited for. Holds at most one pending wake-up per kind: a slow browser costs no memory."""

    def __init__(self, hub: Hub, topics: Sequence[str]) -> None:
        self._pending: set[str] = set()
        self._wake = asyncio.Event()
        self._listener = hub.listen(topics, self._hear)

    @property
    def topics(self) -> Sequence[str]:
        """What it listens to."""
        return self._listener.topics

    async def wait(self, timeout_s: float) -> set[str]:
        """The kinds heard since the last call; empty after `timeout_s` seconds of silence."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._wake.wait()
        except TimeoutError:
            return set()
        self._wake.clear()
        heard, self._pending = self._pending, set()
        return heard

    def _hear(self, kind: str) -> None:
        self._pending.add(kind)
        self._wake.set()

    def close(self) -> None:
        """Stop listening; calling it twice is fine."""
        self._listener.close()

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


class Hub:
    """The listeners of this process, by topic. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_topic: dict[str, set[Listener]] = defaultdict(set)
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether the server stops: streams end, and none begins."""
        return self._closed

    def listen(self, topics: Sequence[str], heard: Callable[[str], None]) -> Listener:
        """Have `heard` called in the running loop with the kind of each event of these topics."""
        listener = Listener(self, topics, heard)
        with self._lock:
            for topic in topics:
                self._by_topic[topic].add(listener)
            closed = self._closed
        if closed:
            listener.loop.call_soon(heard, STOPPING)
        return listener

    def subscribe(self, *topics: str) -> Subscription:
        """Wait for events of these topics; needs a running event loop."""
        return Subscription(self, topics)

    def drop(self, listener: Listener) -> None:
        """Forget a listener."""
        with self._lock:
            for topic in listener.topics:
                self._by_topic[topic].discard(listener)
                if not self._by_topic[topic]:
                    del self._by_topic[topic]

    def publish(self, events: Iterable[Event]) -> None:
        """Wake every listener of these events' topics: one call into each loop, however many there are."""
        calls: list[tuple[Listener, str]] = []
        with self._lock:
            for event in events:
                calls += [(listener, event.kind) for listener in self._by_topic.get(event.topic, ())]
        self._call(calls)

    def publish_to_all(self, kind: str) -> None:
        """Wake every listener there is, once."""
        with self._lock:
            everybody = {listener for listeners in self._by_topic.values() for listener in listeners}
        self._call([(listener, kind) for listener in everybody])

    def close(self) -> None:
        """Tell every listener, of now and of later, that the server stops. The one signal for all streams."""
        with self._lock:
            self._closed = True
        self.publish_to_all(STOPPING)

    def _call(self, calls: list[tuple[Listener, str]]) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[Listener, str]]] = {}
        for call in calls:
            by_loop.setdefault(call[0].loop, []).append(call)
        for loop, theirs in by_loop.items():
            try:
                loop.call_soon_threadsafe(_hear_all, theirs)
            except RuntimeError:  # the loop has ended: nobody is there any more
                for listener, _ in theirs:
                    listener.close()


def _hear_all(calls: list[tuple[Listener, str]]) -> None:
    for listener, kind in calls:
        listener.heard(kind)
