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
    raw: Any = connection.connection.driver_connection
    line = socket.socket(fileno=os.dup(raw.fileno()))  # of our own: the driver's number may belong to another by then
    timer = threading.Timer(seconds, _cut, (line,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        line.close()


def _cut(line: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it ended by itself
        line.shutdown(socket.SHUT_RDWR)
