"""Who may stay connected: a deadline for each thing a connection can wait for, and the oldest silent one makes room for a new one.

A register of plain dictionaries in order of age: moving a connection costs under a microsecond, and one clock (`sweep`, called
once a second) serves all of them. A connection itself has no timer and no task. For one event loop.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from enum import IntEnum
from itertools import islice, takewhile
from typing import Protocol

import structlog

log = structlog.get_logger()


Clock = Callable[[], float]
"""Gives seconds, and never goes back."""


class Phase(IntEnum):
    """What a connection is waiting for. All but `WORKING` wait for the other side: they are silent."""

    HEAD = 0
    """For a whole request line and headers."""
    BODY = 1
    """For the rest of a body. The apps have a shorter deadline, and answer it (`handoff.asgi.bodies`)."""
    IDLE = 2
    """For the next request."""
    WORKING = 3
    """For us: a request is being answered, or a stream is open."""
    CROWDED = 4
    """For a request that will be answered with the numbers alone: there is no place for more."""


LIMIT_S = {Phase.HEAD: 15.0, Phase.BODY: 40.0, Phase.IDLE: 65.0, Phase.CROWDED: 15.0}
"""Seconds after which a connection is given up. A webserver in front keeps its own open for 60; a body may take 30."""

UNREAD_S = 60.0
"""Seconds for which the other side may leave unread what was sent, when no more fits in between."""

STREAM_S = 60.0
"""Nothing but a stream is worked on for so long. Its page comes back by itself."""

SPARE = 32
"""Places beyond the others, for those that can only be told the numbers."""

TELL_EVERY_S = 60.0


class Connection(Protocol):
    """What the register needs of a connection."""

    phase: Phase

    def late(self) -> None:
        """Its deadline has passed: say so if that is of use, and close."""

    def cut(self) -> None:
        """Let go of the descriptor now."""


class Connections:
    """The connections of one server, at most `most` (and `SPARE`)."""

    def __init__(self, most: int, clock: Clock) -> None:
        self.most = most
        self._clock = clock
        self._since: dict[Phase, OrderedDict[Connection, float]] = {phase: OrderedDict() for phase in Phase}
        self._unread: OrderedDict[Connection, float] = OrderedDict()
        self._counts: dict[str, int] = {}
        self._told_at = float("-inf")

    def __len__(self) -> int:
        return sum(map(len, self._since.values()))

    def add(self, connection: Connection) -> None:
        """Take a new one in. When there is no place, the oldest silent one makes room, else it is `CROWDED`."""
        connection.phase = Phase.HEAD
        if len(self) >= self.most and not self._make_room():
            crowded = self._since[Phase.CROWDED]
            if len(crowded) >= SPARE:
                self._cut(next(iter(crowded)), "no_place")
            connection.phase = Phase.CROWDED
            self.count("crowded")
        self._since[connection.phase][connection] = self._clock()

    def move(self, connection: Connection, phase: Phase) -> None:
        """It waits for something else from now on. One that was cut stays away."""
        if phase is not connection.phase and self._since[connection.phase].pop(connection, None) is not None:
            connection.phase = phase
            self._since[phase][connection] = self._clock()

    def unread(self, connection: Connection, *, unread: bool) -> None:
        """The other side does not read what is sent to it, or does again."""
        if unread:
            self._unread.setdefault(connection, self._clock())
        else:
            self._unread.pop(connection, None)

    def remove(self, connection: Connection) -> None:
        """It is closed. Calling it twice is fine."""
        self._since[connection.phase].pop(connection, None)
        self._unread.pop(connection, None)

    def count(self, what: str) -> None:
        """Something happened that whoever runs this should hear of, once a minute and in one line."""
        self._counts[what] = self._counts.get(what, 0) + 1

    def sweep(self) -> None:
        """Give up whatever is past its deadline, and tell what was counted. To be called about once a second."""
        now = self._clock()
        for phase, limit in LIMIT_S.items():
            for connection in _older(self._since[phase], now - limit):
                self.remove(connection)
                connection.late()
        for connection in _older(self._unread, now - UNREAD_S):
            self._cut(connection, "unread")
        if self._counts and now - self._told_at >= TELL_EVERY_S:
            log.warning("connections", open=len(self), most=self.most, **self._counts)
            self._counts, self._told_at = {}, now

    def _make_room(self) -> bool:
        """Cut one: the oldest that is silent; else the oldest stream. False when all are being answered."""
        silent = [next(iter(self._since[phase].items())) for phase in (Phase.HEAD, Phase.BODY, Phase.IDLE) if self._since[phase]]
        if silent:
            self._cut(min(silent, key=lambda phase: phase[1])[0], "dropped")
            return True
        streams = _older(self._since[Phase.WORKING], self._clock() - STREAM_S, most=1)
        if streams:
            self._cut(streams[0], "streams_dropped")
        return bool(streams)

    def _cut(self, connection: Connection, why: str) -> None:
        self.remove(connection)
        self.count(why)
        connection.cut()


def _older(connections: OrderedDict[Connection, float], than: float, *, most: int | None = None) -> list[Connection]:
    return [one for one, _ in takewhile(lambda item: item[1] <= than, islice(connections.items(), most))]
