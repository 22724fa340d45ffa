"""A deadline for what the driver itself waits for without end: an answer from a database that vanished without a word."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection


@contextlib.contextmanager
def within(connection: Connection, seconds: float) -> Iterator[None]:
    """Cut the connection when what is done with it takes longer; the driver then raises as for any connection that is lost.

    TCP's own deadlines see only a machine that is gone: a proxy or a firewall can take everything in and pass nothing on.
    """
    line = _line(connection)
    timer = threading.Timer(seconds, _cut, (line,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        line.close()


def cut(connection: Connection) -> None:
    """Cut a connection that another thread uses: what that thread waits for raises. One that has ended is left alone."""
    with contextlib.suppress(Exception), contextlib.closing(_line(connection)) as line:
        _cut(line)


def _line(connection: Connection) -> socket.socket:
    raw: Any = connection.connection.driver_connection
    return socket.socket(fileno=os.dup(raw.fileno()))  # of our own: the driver's number may belong to another by then


def _cut(line: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it ended by itself
        line.shutdown(socket.SHUT_RDWR)
