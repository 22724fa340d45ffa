"""A line between a program and its database that can fall silent: all is taken in, nothing comes through, nothing is closed."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import sqlalchemy as sa


class SilentLine:
    """Passes on what comes, on connections that are made while it is `open`; those that fell silent stay so."""

    def __init__(self, url: str) -> None:
        self._there = sa.engine.make_url(url)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._silence = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """Where the program finds its database by this line."""
        port = self._listener.getsockname()[1]
        here = self._there.set(host="127.0.0.1", port=port, query={"sslmode": "disable", "gssencmode": "disable"})
        return here.render_as_string(hide_password=False)

    def fall_silent(self) -> None:
        """Nothing passes any more on what is connected now."""
        self._silence.set()
        self._silence = threading.Event()

    def close(self) -> None:
        """End everything."""
        for one in [self._listener, *self._sockets]:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                near, _ = self._listener.accept()
                far = self._connect()
                self._sockets += [near, far]
                for source, target in ((near, far), (far, near)):
                    threading.Thread(target=_pass_on, args=(source, target, self._silence), daemon=True).start()

    def _connect(self) -> socket.socket:
        host = str(self._there.query.get("host", self._there.host))
        if not host.startswith("/"):
            return socket.create_connection((host, self._there.port or 5432))
        far = socket.socket(socket.AF_UNIX)
        far.connect(f"{host}/.s.PGSQL.{self._there.query.get('port', self._there.port or 5432)}")
        return far


def _pass_on(source: socket.socket, target: socket.socket, silence: threading.Event) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            if not silence.is_set():
                target.sendall(data)


@contextmanager
def silent_line(url: str) -> Iterator[SilentLine]:
    """A line to this database."""
    line = SilentLine(url)
    try:
        yield line
    finally:
        line.close()
