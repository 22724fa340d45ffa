"""Events between the processes of one PostgreSQL: NOTIFY after the commit, and a log that brings what was lost (decision 0024).

In the transaction each event is written to the table `event`, beside what it tells of. After the commit it goes straight to
this process's own listeners, and one thread sends it to the others, gathered, on a connection of its own: a NOTIFY inside the
committing transaction would hold a lock of the whole cluster until the disk has answered. Every `LOOK_S` seconds each process
looks once at what was logged since its last look: what a crash between commit and NOTIFY or a lost connection swallowed.
"""

from __future__ import annotations

import contextlib
import json
import queue
import threading
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from handoff.database.prepared import execute, execute_at_once
from handoff.database.silence import cut, within
from handoff.events import MISSED, Event, Hub

CHANNEL = "praat"
LOOK_S = 2.0
"""Seconds between two looks at the log: no page is further behind, whatever happens to NOTIFY."""

ANSWER_S = 2.0
"""Seconds that a look or a NOTIFY may take. With the one before: about 5 until a page knows what a lost connection held back."""

KEEP_S = 600.0
"""Seconds after which an event leaves the log. A process that could not look for so long tells its pages to look themselves."""

FORGET_S = 60.0
"""Seconds for which a process remembers at least which events it has passed on."""

MAX_BODY = 7_000
"""Characters of one event row; PostgreSQL carries 8,000 bytes in a notification."""

_OPTIONS = "-c statement_timeout=5000 -c lock_timeout=2000 -c synchronous_commit=off"  # losing one is mended by the log
_CONNECT = {"connect_timeout": 2, "tcp_user_timeout": 5000, "keepalives_idle": 5, "keepalives_interval": 2, "options": _OPTIONS}

# these two for each turn: as text on the driver's cursor (see `prepared`)
_RECORD = (
    "INSERT INTO event (xact, body) SELECT pg_current_xact_id()::text::bigint, b FROM unnest(%(bodies)s::text[]) AS b "
    "RETURNING no, body"
)
_NOTIFY = "SELECT pg_notify(%(channel)s, %(payload)s)"
# one snapshot: whatever was not visible in it has a transaction number of `unseen` or higher
_LOOK = sa.text(
    "WITH now AS (SELECT pg_current_snapshot() AS s), "
    "edge AS (SELECT pg_snapshot_xmin(s)::text::bigint AS low, pg_snapshot_xmax(s)::text::bigint AS high FROM now) "
    "SELECT edge.low AS unseen, event.no, event.body FROM edge "
    "LEFT JOIN event ON event.xact >= :since AND event.xact < edge.high ORDER BY event.no"
)
_EDGE = sa.text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS low, (SELECT max(no) FROM event) AS newest")
_PRUNE = sa.text("DELETE FROM event WHERE no <= :no")


@dataclass(frozen=True, slots=True)
class Record:
    """A row of the log: its number, and its events as JSON pairs of topic and kind."""

    no: int
    body: str

    def events(self) -> list[Event]:
        """The events in it. Raises `ValueError` for what is none of ours."""
        return [Event(topic, kind) for topic, kind in json.loads(self.body)]


def _bodies(events: Iterable[Event]) -> list[str]:
    """The events as JSON texts that each fit in one notification."""
    bodies: list[list[str]] = [[]]
    size = 0
    for event in events:
        pair = json.dumps([event.topic, event.kind], separators=(",", ":"))
        if size + len(pair) > MAX_BODY:
            bodies.append([])
            size = 0
        bodies[-1].append(pair)
        size += len(pair) + 1
    return [f"[{','.join(pairs)}]" for pairs in bodies if pairs]


class Notifications:
    """Carries the events of one process to the others and back. Two threads, each with one connection."""

    def __init__(self, url: str, hub: Hub, *, look_s: float = LOOK_S, answer_s: float = ANSWER_S) -> None:
        self._hub = hub
        self._look_s = look_s
        self._answer_s = answer_s
        self._engine = sa.create_engine(url, hide_parameters=True, poolclass=sa.NullPool, connect_args=_CONNECT)
        self._engine = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._outgoing: queue.SimpleQueue[Record | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._passed_on: dict[int, float] = {}
        self._since: int | None = None
        self._marks: deque[tuple[float, int]] = deque()
        self._sending: tuple[float, Connection] | None = None
        self._looked = time.monotonic()
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._send, name="store-notify", daemon=True),
            threading.Thread(target=self._listen, name="store-listen", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def record(self, tx: Connection, events: list[Event]) -> list[Record]:
        """Log these events in the transaction that they tell of; one statement."""
        if not events:
            return []
        cursor = execute(tx, _RECORD, {"bodies": _bodies(events)})
        records = [Record(no, body) for no, body in cursor.fetchall()]
        cursor.close()
        for record in records:
            self._first_time(record)  # now: from the commit on, a look could find it
        return records

    def undone(self, records: list[Record]) -> None:
        """The commit failed, or its answer was lost: should it be found in the log, it is passed on."""
        with self._lock:
            for record in records:
                self._passed_on.pop(record.no, None)

    def committed(self, events: list[Event], records: list[Record]) -> None:
        """Pass on what has been committed: to this process's listeners now, to the other processes in a moment."""
        self._hub.publish(events)
        for record in records:
            self._outgoing.put(record)

    def close(self) -> None:
        """Send what waits, then let go."""
        self._stop.set()
        self._outgoing.put(None)
        self._threads[0].join(2 * self._answer_s)
        self._watch_sender()
        for thread in self._threads:
            thread.join()
        self._engine.dispose()

    def _first_time(self, record: Record) -> bool:
        with self._lock:
            if record.no in self._passed_on:
                return False
            self._passed_on[record.no] = time.monotonic()
            return True

    def _send(self) -> None:
        """Send what waits in one NOTIFY, as long as there is anything; what cannot be sent now is found in the log."""
        connection: Connection | None = None
        while (first := self._outgoing.get()) is not None:
            payload = json.dumps(self._gathered(first), separators=(",", ":"))
            for _ in range(2):  # a connection that stood idle may be gone without anybody's fault
                try:
                    connection = connection or self._engine.connect()
                    self._sending = (time.monotonic(), connection)
                    execute_at_once(connection, _NOTIFY, {"channel": CHANNEL, "payload": payload}).close()
                    break
                except (SQLAlchemyError, OSError):
                    _let_go(connection)
                    connection = None
                finally:
                    self._sending = None
        if connection is not None:
            with (
                contextlib.suppress(SQLAlchemyError, OSError),
                within(connection, self._answer_s),
            ):  # our own listener wakes up, and ends
                connection.execute(sa.select(sa.func.pg_notify(CHANNEL, "[]")))
        _let_go(connection)

    def _gathered(self, first: Record) -> list[tuple[int, str]]:
        found = [(first.no, first.body)]
        size = len(first.body)
        while not self._outgoing.empty() and size < MAX_BODY // 2:
            record = self._outgoing.get()
            if record is None:
                self._outgoing.put(None)
                break
            if size + len(record.body) > MAX_BODY:
                self._outgoing.put(record)
                break
            found.append((record.no, record.body))
            size += len(record.body) + 24
        return found

    def _listen(self) -> None:
        while not self._stop.is_set():
            try:
                with self._engine.connect() as connection:
                    with within(connection, self._answer_s):
                        connection.exec_driver_sql(f"LISTEN {CHANNEL}")
                    while not self._stop.is_set():
                        with within(connection, self._answer_s):
                            self._look(connection)
                        self._hear(connection, time.monotonic() + self._look_s)
            except Exception:  # noqa: BLE001 - also the driver's own errors; a thread that ends leaves every page behind
                self._stop.wait(0.5)

    def _watch_sender(self) -> None:
        """Give up a NOTIFY that is not answered; a watch of its own would cost each one a thread."""
        sending = self._sending
        if sending is not None and time.monotonic() - sending[0] > self._answer_s:
            cut(sending[1])

    def _hear(self, connection: Connection, until: float) -> None:
        """Pass on notifications until it is time to look again."""
        raw: Any = connection.connection.driver_connection
        while not self._stop.is_set() and (left := until - time.monotonic()) > 0:
            self._watch_sender()
            for note in raw.notifies(timeout=min(0.5, left)):
                if self._stop.is_set():
                    break
                with contextlib.suppress(ValueError, TypeError):  # somebody else's NOTIFY on our channel
                    self._pass_on([Record(no, body) for no, body in json.loads(note.payload)])

    def _look(self, connection: Connection) -> None:
        """Pass on what was logged since the last look and did not come by itself; forget what is old."""
        now = time.monotonic()
        if self._since is None:  # the first look: no page is older than this process
            edge = connection.execute(_EDGE).one()
            self._since, newest = edge.low, edge.newest or 0
        else:
            rows = connection.execute(_LOOK, {"since": self._since}).all()
            self._since, newest = rows[0].unseen, rows[-1].no or 0
            found = [Record(row.no, row.body) for row in rows if row.no is not None]
            self._pass_on(found)
            self._forget({record.no for record in found}, now)
            if now - self._looked > KEEP_S / 2:
                self._hub.publish_to_all(MISSED)
        self._looked = now
        self._prune(connection, now, newest)

    def _forget(self, seen: set[int], now: float) -> None:
        """Forget what no later look can find: not found in this one, and passed on a while ago."""
        with self._lock:
            self._passed_on = {no: at for no, at in self._passed_on.items() if no in seen or now - at < FORGET_S}

    def _prune(self, connection: Connection, now: float, newest: int) -> None:
        """Delete what is older than `KEEP_S`, at most once a minute."""
        if not self._marks or now - self._marks[-1][0] >= FORGET_S:
            self._marks.append((now, newest))
            old = [self._marks.popleft()[1] for at, _ in list(self._marks) if now - at >= KEEP_S]
            if old:
                connection.execute(_PRUNE, {"no": max(old)})

    def _pass_on(self, records: list[Record]) -> None:
        events: list[Event] = []
        for record in records:
            with contextlib.suppress(ValueError, TypeError):  # not ours: it must not stand for the record that has its number
                told = record.events()
                events += told if self._first_time(record) else []
        self._hub.publish(dict.fromkeys(events))


def _let_go(connection: Connection | None) -> None:
    if connection is not None:
        with contextlib.suppress(SQLAlchemyError, OSError):
            connection.close()
