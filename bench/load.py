"""A load client that costs little: raw sockets in one thread, in a process of its own, since server and client share the cores."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of the clients saw: its length in seconds, and the seconds that each answer took."""

    seconds: float
    taken: list[float]

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.taken) / self.seconds


@dataclass(slots=True)
class _Client:
    """One connection with one request under way."""

    port: int
    connection: socket.socket
    sent_at: float = 0.0
    answer: bytearray = field(default_factory=bytearray)

    def is_whole(self) -> bool:
        """Whether the answer has come in whole. Raises `AssertionError` for any answer but 200."""
        head, found, body = bytes(self.answer).partition(b"\r\n\r\n")
        if not found:
            return False
        assert head.startswith(b"HTTP/1.1 200"), bytes(self.answer[:400])
        lines = head.lower().split(b"\r\n")
        if b"transfer-encoding: chunked" in lines:
            return body.endswith(b"0\r\n\r\n")
        (length,) = (int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length:"))
        return len(body) >= length


def post(path: str, body: bytes, *headers: str) -> bytes:
    """One request, as it goes over the wire."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def run(ports: Sequence[int], requests: Sequence[bytes], clients: int) -> Load:
    """Send every request once, with so many clients spread over the ports, in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_run, tuple(ports), list(requests), clients).result()


def _run(ports: Sequence[int], requests: Sequence[bytes], clients: int) -> Load:
    waiting = iter(requests)
    taken: list[float] = []
    with selectors.DefaultSelector() as selector:
        begun = time.perf_counter()
        for number in range(clients):
            port = ports[number % len(ports)]
            client = _Client(port, socket.create_connection(("127.0.0.1", port)))
            client.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(client.connection, selectors.EVENT_READ, client)
            _next(client, waiting, selector)
        while selector.get_map():
            for key, _ in selector.select():
                client = key.data
                piece = client.connection.recv(65536)
                assert piece, "the server closed the connection"
                client.answer += piece
                if client.is_whole():
                    taken.append(time.perf_counter() - client.sent_at)
                    _next(client, waiting, selector)
        return Load(time.perf_counter() - begun, taken)


def _next(client: _Client, waiting: Iterator[bytes], selector: selectors.BaseSelector) -> None:
    request = next(waiting, None)
    if request is None:
        selector.unregister(client.connection)
        client.connection.close()
        return
    client.answer.clear()
    client.sent_at = time.perf_counter()
    client.connection.sendall(request)
