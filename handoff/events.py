"""Live fan-out: who is looking at a chat or at the queue hears at once that something changed.

An event holds ids and small state, never words; whoever hears it fetches what it may see. `announce` is called inside a
transaction and heard only after its commit. On SQLite everything is one process; on PostgreSQL the events travel by NOTIFY.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

_KEY = "praat.announcements"


@dataclass(frozen=True, slots=True)
class Event:
    """`topic` is `chat:<conversation id>` or `team:<team id>`; `kind` says what changed."""

    topic: str
    kind: str

    def dump(self) -> str:
        """The payload of a NOTIFY."""
        return json.dumps([self.topic, self.kind])

    @classmethod
    def load(cls, payload: str) -> Event:
        """The reverse of `dump`."""
        topic, kind = json.loads(payload)
        return cls(topic, kind)


def chat_topic(conversation_id: str) -> str:
    """What the child's page and an open chat in the console listen to."""
    return f"chat:{conversation_id}"


def team_topic(team_id: str) -> str:
    """What the queue page listens to; also every change of who is on duty."""
    return f"team:{team_id}"


def announce(tx: Connection, topic: str, kind: str) -> None:
    """Tell listeners of `topic` after this transaction has committed; nobody hears of a rollback."""
    tx.info.setdefault(_KEY, []).append(Event(topic, kind))


def take_announcements(tx: Connection) -> list[Event]:
    """Remove and return what was announced on this connection (for `handoff.database` alone)."""
    events: list[Event] = tx.info.pop(_KEY, [])
    return list(dict.fromkeys(events))


class Subscription:
    """One listener. Holds at most one pending wake-up per kind: a slow phone costs no memory."""

    def __init__(self, hub: Hub, topics: tuple[str, ...]) -> None:
        self._hub = hub
        self.topics = topics
        self._loop = asyncio.get_running_loop()
        self._pending: dict[str, None] = {}
        self._wake = asyncio.Event()

    async def wait(self, timeout_s: float) -> set[str]:
        """The kinds heard since the last call; empty after `timeout_s` seconds of silence."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._wake.wait()
        except TimeoutError:
            return set()
        self._wake.clear()
        heard, self._pending = set(self._pending), {}
        return heard

    def _hear(self, kind: str) -> None:
        self._pending[kind] = None
        self._wake.set()

    def post(self, kind: str) -> None:
        """Called from any thread."""
        try:
            self._loop.call_soon_threadsafe(self._hear, kind)
        except RuntimeError:  # the listener's loop has ended: nobody is there any more
            self.close()

    def close(self) -> None:
        """Stop listening; calling it twice is fine."""
        self._hub.drop(self)

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


class Hub:
    """The listeners of this process, by topic. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_topic: dict[str, set[Subscription]] = defaultdict(set)

    def subscribe(self, *topics: str) -> Subscription:
        """Listen to `topics`; needs a running event loop."""
        subscription = Subscription(self, topics)
        with self._lock:
            for topic in topics:
                self._by_topic[topic].add(subscription)
        return subscription

    def drop(self, subscription: Subscription) -> None:
        """Forget a listener."""
        with self._lock:
            for topic in subscription.topics:
                self._by_topic[topic].discard(subscription)
                if not self._by_topic[topic]:
                    del self._by_topic[topic]

    def publish(self, event: Event) -> None:
        """Wake every listener of the event's topic."""
        with self._lock:
            listeners = list(self._by_topic.get(event.topic, ()))
        for listener in listeners:
            listener.post(event.kind)
