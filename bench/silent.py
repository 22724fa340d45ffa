"""Thousands of connections that say nothing, beside a child that opens the page, writes, and keeps a stream open.

    python -m bench.silent [--small] [--descriptors 1024]

`praat run` as a process of its own, with as many descriptors as given (hard; without, as many as this machine allows). The
silent ones are of five kinds: they never send, send half a header and then a letter at a time, half a body, ask once and keep
the connection, or ask for pages and never read one. What is dropped comes back at once, as it would. Exit code 1 when a bar is
broken; with `--small` only the bars that do not depend on speed count.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import resource
import secrets
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import cast

from bench.place import ROOT, end, environment, memory_mib
from bench.streams import free_port, percentile, uvicorn_loop
from bot.hardening import raise_file_limit

CITY = "voorbeeldstad"
ANSWER_S, LOG_BYTES, MEMORY_MIB = 1.0, 100_000, 150
"""The bars: the slowest answer, what a log may grow by, and how much memory may be added."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large a run is: silent connections, seconds of it, and descriptors that the server may have at most."""

    silent: int
    seconds: float
    descriptors: int | None = None


WHOLE, SMALL = Size(5000, 30.0), Size(300, 4.0, 256)

RETURN_A_SECOND = 400
"""How many of those that were dropped come back at most: a bench on one machine must not become a flood of connecting."""

_HEAD = b"GET /%s HTTP/1.1\r\nHost: x\r\n" % CITY.encode()
_POST = b"POST /api/%s/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n{" % CITY.encode()
KINDS = {
    "never sends": b"",
    "half a header": _HEAD + b"X-A: ",
    "half a body": _POST,
    "asks once": b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n",
    "never reads": (_HEAD + b"\r\n") * 3,
}
NEVER_READ = 40
"""Connections of the last kind, in all: to make pages for them is work, and this measures silence."""

_DRIPS = ("half a header", "half a body")


class Silent(asyncio.Protocol):
    """One connection that holds a place and gives nothing for it. Counted in `crowd` while it is open."""

    def __init__(self, crowd: set[Silent], kind: str) -> None:
        self._crowd = crowd
        self.kind = kind

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say the little that this kind says."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's own are not of this class
        self._crowd.add(self)
        self.transport.write(KINDS[self.kind])
        if self.kind == "never reads":
            self.transport.pause_reading()

    def connection_lost(self, _exc: Exception | None) -> None:
        """Make room for the next."""
        self._crowd.discard(self)


def kind_of(number: int) -> str:
    """What the connection with this number does."""
    return list(KINDS)[4 if number <= NEVER_READ else number % 4]


async def crowd_in(port: int, size: Size, pipe: Connection) -> None:
    """Keep as many silent connections open as asked, whatever the server drops; tells how many are, four times a second."""
    loop, made, crowd = asyncio.get_running_loop(), 0, set[Silent]()
    while True:
        missing = min(RETURN_A_SECOND if made < size.silent else RETURN_A_SECOND // 4, size.silent - len(crowd))
        for _ in range(missing):
            made += 1
            with contextlib.suppress(OSError):
                await loop.create_connection(lambda n=made: Silent(crowd, kind_of(n)), "127.0.0.1", port)  # type: ignore[misc]
        for one in [one for one in crowd if one.kind in _DRIPS]:
            one.transport.write(b"a")
        pipe.send(len(crowd))
        await asyncio.sleep(0.25)


def crowding(port: int, size: Size, pipe: Connection) -> None:
    """The process of the silent ones: they must not slow down the child that is measured."""
    os.nice(10)
    raise_file_limit()
    uvicorn_loop().run(crowd_in(port, size, pipe))


async def ask(port: int, request: bytes) -> bytes:
    """The whole answer to one request on a connection of its own, as a child's browser makes it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        return await reader.read()
    finally:
        writer.close()


async def timed(port: int, request: bytes, wanted: bytes) -> float:
    """Seconds until the answer was there; endless when it was not the wanted one, or none."""
    began = time.monotonic()
    try:
        answer = await asyncio.wait_for(ask(port, request), 20)
    except (OSError, TimeoutError):
        return float("inf")
    return time.monotonic() - began if wanted in answer else float("inf")


def _message(token: str) -> bytes:
    body = json.dumps({"id": secrets.token_urlsafe(9), "text": "hoi", "after": 0}).encode()
    head = f"POST /api/{CITY}/messages HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


class Stream(asyncio.Protocol):
    """A child's page that keeps its stream open: it must stay, whatever the others do."""

    def __init__(self) -> None:
        self.heard = b""
        self.open = True

    def data_received(self, data: bytes) -> None:
        """Read on, as a page does."""
        self.heard += data

    def connection_lost(self, _exc: Exception | None) -> None:
        """It should not."""
        self.open = False


@dataclass(slots=True)
class Figures:
    """What was seen while the silent ones were there."""

    page: list[float] = field(default_factory=list)
    turn: list[float] = field(default_factory=list)
    broken: list[float] = field(default_factory=list)
    """Answers to a request that is none: they show the numbers too."""
    open: list[int] = field(default_factory=list)
    """Silent connections that were open, at each look."""
    stream: bool = False
    log_bytes: int = 0
    memory_mib: float = 0.0

    def bars(self, *, speed: bool) -> dict[str, bool]:
        """Each bar, and whether it held."""
        slowest = ANSWER_S if speed else 20.0
        held = {
            "the page with its numbers": max(self.page) <= slowest,
            "a first message": max(self.turn) <= slowest,
            "the numbers for a request that is none": max(self.broken) <= slowest,
        }
        return {
            **{f"{what} within {slowest:.0f} s, every time": good for what, good in held.items()},
            "an open stream stayed open": self.stream,
            f"the log grew by less than {LOG_BYTES // 1000} KB": self.log_bytes < LOG_BYTES,
            f"memory grew by less than {MEMORY_MIB} MiB": self.memory_mib < MEMORY_MIB,
        }


async def measure(pid: int, port: int, log: Path, size: Size) -> Figures:
    """Open them, and be a child meanwhile."""
    figures, token = Figures(), secrets.token_urlsafe(32)
    await _ready(port)
    await ask(port, _message(token))
    head = f"GET /api/{CITY}/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    transport, stream = await asyncio.get_running_loop().create_connection(Stream, "127.0.0.1", port)
    transport.write(head)
    before, logged = memory_mib(pid), _bytes(log)
    here, there = multiprocessing.Pipe()
    crowd = multiprocessing.get_context("spawn").Process(target=crowding, args=(port, size, there), daemon=True)
    crowd.start()
    page = b"GET /%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % CITY.encode()
    until = time.monotonic() + size.seconds
    try:
        while time.monotonic() < until:
            figures.page.append(await timed(port, page, b"tel:112"))
            figures.turn.append(await timed(port, _message(secrets.token_urlsafe(32)), b'"state":"waiting"'))
            figures.broken.append(await timed(port, b"HELP\x00 ME\r\n\r\n", b"tel:112"))
            while here.poll():
                figures.open.append(here.recv())
            await asyncio.sleep(0.1)
        figures.memory_mib, figures.log_bytes = memory_mib(pid) - before, _bytes(log) - logged
        figures.stream = stream.open and b"event: state" in stream.heard
    finally:
        crowd.kill()
        crowd.join()
        transport.close()
    return figures


async def _ready(port: int) -> None:
    ready = b"GET /ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    for _ in range(300):
        if await timed(port, ready, b'"ready":true') < float("inf"):
            return
        await asyncio.sleep(0.2)
    raise AssertionError("the server did not start")


def _bytes(file: Path) -> int:
    return file.stat().st_size


def run(size: Size) -> Figures:
    """Start a server, crowd it, and stop it again."""
    raise_file_limit()
    with tempfile.TemporaryDirectory(prefix="praat-silent-") as name:
        folder, port, console = Path(name), free_port(), free_port()
        own = environment(folder / "var", CHILD_PORT=port, CONSOLE_PORT=console)
        log = folder / "log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "bot", "run"], env=own, stdout=out, stderr=out,
                cwd=ROOT, preexec_fn=lambda: _limit(size.descriptors),  # noqa: PLW1509 - nothing runs in this process but us
            )  # fmt: skip
        try:
            return uvicorn_loop().run(measure(process.pid, port, log, size))
        finally:
            end(process)


def _limit(descriptors: int | None) -> None:
    if descriptors is not None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))


def main() -> int:
    """Print the figures and whether the bars held."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--small", action="store_true", help="a quick run that judges no speed")
    parser.add_argument("--descriptors", type=int, help="what the server may have at most, as `ulimit -Hn` sets it")
    options = parser.parse_args()
    size = SMALL if options.small else Size(WHOLE.silent, WHOLE.seconds, options.descriptors)
    figures = run(size)
    print(
        f"{size.silent} silent connections for {size.seconds:.0f} s; descriptors at most: {size.descriptors or 'what this machine gives'}"
    )
    print(f"open at once, median and most {percentile([float(n) for n in figures.open], 0.5):8.0f}{max(figures.open):8d}")
    print(f"{'ms':28}{'p50':>9}{'p95':>9}{'most':>9}")
    for name, seconds in (("page", figures.page), ("first message", figures.turn), ("400 with numbers", figures.broken)):
        print(
            f"{name:28}"
            + "".join(f"{value * 1000:9.1f}" for value in (percentile(seconds, 0.5), percentile(seconds, 0.95), max(seconds)))
        )
    print(f"log {figures.log_bytes} bytes, memory {figures.memory_mib:+.0f} MiB")
    bars = figures.bars(speed=not options.small)
    for bar, held in bars.items():
        print(f"{'held  ' if held else 'BROKEN'} {bar}")
    return 0 if all(bars.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
