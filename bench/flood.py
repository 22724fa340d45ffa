"""A flood of fake chats, beside children who talk and children who come now.

    python -m bench.flood [--small] [--rate 1000] [--seconds 60]

`praat run` as a process of its own. A process of its own begins so many fake chats a second, on connections that it keeps open;
another is the children: twenty whose chats exist write in turn, new ones come, and the page is opened. Exit code 1 when a bar is
broken; with `--small` only the bars that do not depend on speed count.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from bench.place import ROOT, end, environment, memory_mib
from bench.streams import free_port, percentile, uvicorn_loop
from bot.hardening import raise_file_limit

CITY = "voorbeeldstad"
KNOWN_S, NEW_S, PAGE_S, MEMORY_MIB = 1.0, 3.0, 1.0, 150
TALKING = 20
CONNECTIONS = 500
"""On which the fake chats come."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large a run is: fake chats a second, and seconds."""

    rate: int
    seconds: float


WHOLE, SMALL = Size(1000, 60.0), Size(50, 3.0)
NEVER = float("inf")


def message(token: str, *, after: int = 0) -> bytes:
    """The request that sends one message."""
    body = json.dumps({"id": secrets.token_urlsafe(9), "text": "hoi, ik wil praten", "after": after}).encode()
    head = f"POST /api/{CITY}/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


PAGE = b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n" % CITY.encode()


class Caller:
    """One connection that is kept, and opened again when the server closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """(status, body) of one answer; status 0 when there was none."""
        try:
            if self._writer is None:
                self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
            assert self._reader is not None
            self._writer.write(request)
            head = await self._reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            return int(head.split(b" ", 2)[1]), await self._reader.readexactly(int(length.split(b":")[1]))
        except (OSError, EOFError, StopIteration):
            await self.close()
            return 0, b""

    async def close(self) -> None:
        """Leave."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def flood(port: int, size: Size, pipe: Connection) -> None:
    """Begin fake chats at the rate, as far as the connections allow; tells at the end how they were answered."""
    answers: Counter[int] = Counter()
    began = time.monotonic()
    offered = 0

    async def one() -> None:
        nonlocal offered
        caller = Caller(port)
        while (now := time.monotonic()) < began + size.seconds:
            ahead = offered / size.rate - (now - began)
            if ahead > 0:
                await asyncio.sleep(min(ahead, 0.1))
                continue
            offered += 1
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(20):
                    answers[(await caller.ask(message(secrets.token_urlsafe(32))))[0]] += 1
        await caller.close()

    await asyncio.gather(*(one() for _ in range(min(CONNECTIONS, size.rate))))
    pipe.send((offered, dict(answers)))


def flooding(port: int, size: Size, pipe: Connection) -> None:
    """The process of the fake chats."""
    os.nice(5)
    raise_file_limit()
    uvicorn_loop().run(flood(port, size, pipe))


@dataclass(slots=True)
class Figures:
    """What the children saw. Each list holds seconds until the acknowledgement."""

    known: list[float] = field(default_factory=list)
    new: list[float] = field(default_factory=list)
    page: list[float] = field(default_factory=list)
    offered: int = 0
    answers: dict[int, int] = field(default_factory=dict)
    memory_mib: float = 0.0

    def bars(self, *, speed: bool) -> dict[str, bool]:
        """Each bar, and whether it held."""
        in_time = {
            f"a child in a chat that exists is acknowledged within {KNOWN_S:.0f} s (p95)": percentile(self.known, 0.95) <= KNOWN_S,
            f"a new child within {NEW_S:.0f} s (p95)": percentile(self.new, 0.95) <= NEW_S,
            f"the page with the numbers within {PAGE_S:.0f} s (p95)": percentile(self.page, 0.95) <= PAGE_S,
        }
        return {
            **(in_time if speed else {}),
            "every child was acknowledged in the end": NEVER not in [*self.known, *self.new, *self.page],
            f"memory grew by less than {MEMORY_MIB} MiB": self.memory_mib < MEMORY_MIB,
        }


async def acknowledged(caller: Caller, request: bytes) -> tuple[float, bytes]:
    """(seconds until 200, body), coming again as the page does; endless after half a minute."""
    began = time.monotonic()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(30):
            for tries in range(100):
                status, body = await caller.ask(request)
                if status == 200:
                    return time.monotonic() - began, body
                await asyncio.sleep(min(30.0, 2.0**tries) * (0.5 + secrets.randbelow(1000) / 1000))
    return NEVER, b""


async def measure(pid: int, port: int, size: Size) -> Figures:
    """Let twenty children talk, then begin the flood and be a child meanwhile."""
    figures, talking = Figures(), [secrets.token_urlsafe(32) for _ in range(TALKING)]
    caller = Caller(port)
    for _ in range(600):
        if (await caller.ask(b"GET /ready HTTP/1.1\r\nHost: x\r\n\r\n"))[0] == 200:
            break
        await asyncio.sleep(0.2)
    for token in talking:
        await acknowledged(caller, message(token))
    await caller.close()
    before = memory_mib(pid)
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=flooding, args=(port, size, there), daemon=True)
    process.start()
    until = time.monotonic() + size.seconds

    try:
        await asyncio.gather(
            _often(port, until, 0.2, figures.known, lambda n: message(talking[n % TALKING], after=1)),
            _often(port, until, 0.5, figures.new, lambda _: message(secrets.token_urlsafe(32))),
            _often(port, until, 0.5, figures.page, lambda _: PAGE),
        )
        figures.memory_mib = memory_mib(pid) - before
        if await asyncio.to_thread(here.poll, 60):
            figures.offered, figures.answers = here.recv()
    finally:
        process.kill()
        process.join()
    return figures


async def _often(port: int, until: float, pause_s: float, into: list[float], request: Callable[[int], bytes]) -> None:
    caller, number = Caller(port), 0
    while time.monotonic() < until:
        seconds, _ = await acknowledged(caller, request(number))
        into.append(seconds)
        number += 1
        await asyncio.sleep(pause_s)
    await caller.close()


def run(size: Size) -> Figures:
    """Start a server, flood it, and stop it again."""
    raise_file_limit()
    with tempfile.TemporaryDirectory(prefix="praat-flood-") as name:
        folder, port = Path(name), free_port()
        own = environment(folder / "var", CHILD_PORT=port, CONSOLE_PORT=free_port())
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([sys.executable, "-m", "bot", "run"], env=own, stdout=log, stderr=log, cwd=ROOT)
        try:
            return uvicorn_loop().run(measure(process.pid, port, size))
        finally:
            end(process)


def main() -> int:
    """Print the figures and whether the bars held."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--small", action="store_true", help="a quick run that judges no speed")
    parser.add_argument("--rate", type=int, default=WHOLE.rate, help="fake chats a second")
    parser.add_argument("--seconds", type=float, default=WHOLE.seconds)
    options = parser.parse_args()
    size = SMALL if options.small else Size(options.rate, options.seconds)
    figures = run(size)
    told = ", ".join(f"{count} with {status}" for status, count in sorted(figures.answers.items()))
    print(f"{size.rate} fake chats a second asked for, {figures.offered / size.seconds:.0f} offered; answered: {told}")
    print(f"{'ms':28}{'count':>7}{'p50':>9}{'p95':>9}{'most':>9}")
    for name, seconds in (("a chat that exists", figures.known), ("a new child", figures.new), ("the page", figures.page)):
        shown = "".join(f"{value * 1000:9.0f}" for value in (percentile(seconds, 0.5), percentile(seconds, 0.95), max(seconds)))
        print(f"{name:28}{len(seconds):7d}{shown}")
    print(f"memory {figures.memory_mib:+.0f} MiB")
    bars = figures.bars(speed=not options.small)
    for bar, held in bars.items():
        print(f"{'held  ' if held else 'BROKEN'} {bar}")
    return 0 if all(bars.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
