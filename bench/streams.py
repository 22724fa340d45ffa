"""Open streams beside a bare Starlette stream, in one run: memory, idle CPU, and how soon a human's words reach one page.

    python -m bench.streams [--small]

Both servers run as processes of their own (uvicorn, httptools, uvloop) and hold the same number of open streams. Ours is the
child's app on SQLite with `synchronous=FULL`; the peer keeps a dictionary of `asyncio.Event` and beats as often as we do. The
words go through the whole product: sealed, committed, looked up, opened for the page. Exit code 1 when a bar is broken; with
`--small` only what is sent is judged, not how fast.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import json
import multiprocessing
import os
import resource
import secrets
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from bot import child
from bot.channels.registry import SPECS
from bot.channels.web.app import child_app
from bot.channels.web.stream import HEARTBEAT_S
from bot.hardening import raise_file_limit
from handoff import confidant
from handoff.accounts.sessions import Unlocked
from handoff.chats.conversation import Door
from handoff.crypto.vault import Vault
from handoff.database import open_store
from handoff.models import handoff
from handoff.runtime import Runtime, utc_now
from tests import make

TALKED = 8
"""Chats that are spoken to, in turn; all others stay idle."""

MEMORY_RATIO, IDLE_CPU_S, P99_S = 1.5, 0.020, 0.020


@dataclass(frozen=True, slots=True)
class Size:
    """How large a run is: open streams, words that are timed, and seconds of silence."""

    streams: int
    words: int
    idle_s: float


WHOLE, SMALL = Size(2000, 400, 2 * HEARTBEAT_S), Size(60, 20, 1.0)


def token(number: int) -> bytes:
    """The secret of chat `number`."""
    return hashlib.sha256(f"bench {number}".encode()).digest()


@dataclass(frozen=True, slots=True)
class Prepared:
    """A database full of chats, and the confidant who holds the first of them."""

    folder: Path
    secret: bytes
    sanne: Unlocked
    held: list[str]


def prepare(folder: Path, chats: int) -> Prepared:
    """Fill a database: `chats` children wait, and Sanne takes the first `TALKED`."""
    with make.house(folder) as house:
        sanne, run, now = house.confidant("sanne"), house.runtime, utc_now()
        house.clock.now = now
        for start in range(0, chats, 20):
            run.store.write(lambda tx, start=start: [  # type: ignore[misc]
                child.send(tx, run, make.incoming(token=token(n)), make.understood(), now) for n in range(start, min(start + 20, chats))
            ]).result()  # fmt: skip
        rows = {row.conversation_id: row.id for row in make.rows(house, handoff)}
        held = []
        for n in range(min(TALKED, chats)):
            door = Door("webchat", token(n))
            found = run.store.read(lambda tx, door=door: child.look(tx, run, door, now).conversation_id).result()  # type: ignore[misc]
            held.append(rows[found])
            run.store.write(lambda tx, n=n: confidant.claim(tx, run, sanne, held[n], now)).result()  # type: ignore[misc]
        return Prepared(folder, house.secret, sanne, held)


def _serve(app: Starlette, port: int, pipe: Connection, speak: Callable[[int, str], Coroutine[Any, Any, None]]) -> None:
    """Serve until killed. The pipe asks for words to chat `number`, and hears the moment at which they were committed."""
    raise_file_limit()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    config = uvicorn.Config(app, port=port, http="httptools", log_level="warning", access_log=False, lifespan="off", ws="none")

    async def whole() -> None:
        loop, server = asyncio.get_running_loop(), uvicorn.Server(config)
        tasks = set()

        def asked() -> None:
            number, text = pipe.recv()

            async def answer() -> None:
                await speak(number, text)
                pipe.send(time.monotonic())  # one clock for all processes of a machine

            task = asyncio.ensure_future(answer())
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        loop.add_reader(pipe.fileno(), asked)
        await server.serve()

    uvicorn_loop().run(whole())


def uvicorn_loop() -> asyncio.Runner:
    """A runner on uvloop, as the product serves."""
    import uvloop  # noqa: PLC0415 - only in the servers

    return asyncio.Runner(loop_factory=uvloop.new_event_loop)


def serve_ours(prepared: Prepared, port: int, pipe: Connection) -> None:
    """The child's app."""
    store = open_store(f"sqlite:///{prepared.folder}/praat.db")
    vault = Vault.founded(prepared.secret, prepared.folder / "keys", cost=make.TOY)
    run = Runtime(store, vault, make.configuration(), {spec.name: spec for spec in SPECS})

    async def speak(number: int, text: str) -> None:
        work = store.write(
            lambda tx: confidant.write(
                tx, run, prepared.sanne, prepared.held[number], external_id=secrets.token_urlsafe(9), text=text, now=utc_now()
            )
        )
        await asyncio.wrap_future(work)

    _serve(child_app(run, lambda _text: make.understood()), port, pipe, speak)


def serve_bare(port: int, pipe: Connection) -> None:
    """The plainest stream of events that Starlette allows."""
    wake: dict[str, asyncio.Event] = {}
    says: dict[str, str] = {}

    async def stream(request: Request) -> Response:
        name = request.headers["authorization"]
        wake[name] = asyncio.Event()

        async def events() -> Any:
            yield 'event: state\ndata: {"state":"waiting"}\n\n'
            while True:
                try:
                    async with asyncio.timeout(HEARTBEAT_S):
                        await wake[name].wait()
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                wake[name].clear()
                yield f'event: message\ndata: {{"text":"{says[name]}"}}\n\n'

        return StreamingResponse(events(), media_type="text/event-stream")

    async def speak(number: int, text: str) -> None:
        name = bearer(number)
        says[name] = text
        wake[name].set()

    _serve(Starlette(routes=[Route("/api/{slug}/stream", stream)]), port, pipe, speak)


def bearer(number: int) -> str:
    """The header's value of chat `number`."""
    return "Bearer " + base64.urlsafe_b64encode(token(number)).decode().rstrip("=")


class Page:
    """A child's page that has a stream open and notes when words arrive."""

    def __init__(self) -> None:
        self.text = b""
        self.began = asyncio.Event()
        self.words: asyncio.Queue[float] = asyncio.Queue()

    async def open(self, port: int, number: int) -> None:
        """Connect and read on in the background."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = f"GET /api/{make.CITY}/stream HTTP/1.1\r\nHost: x\r\nAuthorization: {bearer(number)}\r\nLast-Event-ID: 1\r\n\r\n"
        writer.write(head.encode())
        self._task = asyncio.create_task(self._read(reader))
        self._writer = writer
        await asyncio.wait_for(self.began.wait(), 30)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while piece := await reader.read(65536):
            at = time.monotonic()
            if b"event: state" in piece:
                self.began.set()
            if b"woord-" in piece:
                self.words.put_nowait(at)

    def close(self) -> None:
        """Leave."""
        self._task.cancel()
        self._writer.close()


@dataclass(frozen=True, slots=True)
class Figures:
    """What one server cost."""

    kib: float
    """Memory for each stream."""
    idle_cpu: float
    """Seconds of CPU a second in silence."""
    word_cpu: float
    """Seconds of CPU for each message of a human, all in."""
    waits: list[float]
    """Seconds from the press of the button until the words were on the page, for each message."""
    events: list[float]
    """The same from the commit on: what the event and the stream take."""


def percentile(seconds: list[float], share: float) -> float:
    """Within how many seconds this share arrived."""
    return sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * share))]


def _memory_kib(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() // 1024


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(pid: int, port: int, pipe: Connection, size: Size) -> Figures:
    """Open the streams, listen to the silence, then say words to one page after the other."""
    await _listening(port)
    warm = [Page() for _ in range(min(20, size.streams))]
    for page in warm:  # what a first request loads is not a stream's cost
        await page.open(port, size.streams - 1 - warm.index(page))
    before = _memory_kib(pid)
    pages = [Page() for _ in range(size.streams)]
    for start in range(0, size.streams, 20):
        await asyncio.gather(*(pages[n].open(port, n) for n in range(start, min(start + 20, size.streams))))
    kib = (_memory_kib(pid) - before) / size.streams
    await asyncio.sleep(1)
    cpu, began = _cpu_s(pid), time.monotonic()
    await asyncio.sleep(size.idle_s)
    idle = (_cpu_s(pid) - cpu) / (time.monotonic() - began)
    waits, events, cpu = [], [], _cpu_s(pid)
    for number in range(size.words):
        page = pages[number % min(TALKED, size.streams)]
        page.words = asyncio.Queue()
        asked = time.monotonic()
        pipe.send((number % min(TALKED, size.streams), f"woord-{number}"))
        arrived = await asyncio.wait_for(page.words.get(), 30)
        waits.append(arrived - asked)
        events.append(max(0.0, arrived - await asyncio.to_thread(pipe.recv)))
        await asyncio.sleep(0.01)
    for page in [*warm, *pages]:
        page.close()
    return Figures(kib, idle, (_cpu_s(pid) - cpu) / size.words, waits, events)


async def _listening(port: int) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:  # it is still starting
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


def measured(target: Callable[..., None], arguments: tuple[Any, ...], port: int, size: Size) -> Figures:
    """Run one server in a process of its own and measure it."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=target, args=(*arguments, port, there), daemon=True)
    process.start()
    try:
        return asyncio.run(measure(process.pid or 0, port, here, size))
    finally:
        process.kill()
        process.join()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def run(size: Size) -> tuple[Figures, Figures]:
    """(ours, bare)."""
    raise_file_limit()
    with tempfile.TemporaryDirectory(prefix="praat-streams-") as folder:
        prepared = prepare(Path(folder), size.streams)
        bare = measured(serve_bare, (), free_port(), size)
        ours = measured(serve_ours, (prepared,), free_port(), size)
    return ours, bare


def main() -> int:
    """Print the figures and whether the bars held."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--small", action="store_true", help="a quick run that judges no speed")
    options = parser.parse_args()
    size = SMALL if options.small else WHOLE
    ours, bare = run(size)
    print(f"{size.streams} open streams, {size.words} messages of a human")
    print(f"{'':28}{'ours':>10}{'bare':>10}{'ratio':>8}")
    for name, mine, theirs in (
        ("memory each, KiB", ours.kib, bare.kib),
        ("idle CPU, ms a second", ours.idle_cpu * 1000, bare.idle_cpu * 1000),
        ("event to page p50, ms", percentile(ours.events, 0.5) * 1000, percentile(bare.events, 0.5) * 1000),
        ("event to page p99, ms", percentile(ours.events, 0.99) * 1000, percentile(bare.events, 0.99) * 1000),
        ("press to page p50, ms", percentile(ours.waits, 0.5) * 1000, percentile(bare.waits, 0.5) * 1000),
        ("press to page p99, ms", percentile(ours.waits, 0.99) * 1000, percentile(bare.waits, 0.99) * 1000),
        ("CPU of one message, ms", ours.word_cpu * 1000, bare.word_cpu * 1000),
    ):
        print(f"{name:28}{mine:10.1f}{theirs:10.1f}{mine / theirs if theirs else 0:8.2f}")
    bars = {
        f"memory at most {MEMORY_RATIO} times the bare stream's": ours.kib <= MEMORY_RATIO * bare.kib,
        f"idle CPU at most {IDLE_CPU_S * 1000:.0f} ms a second": ours.idle_cpu <= IDLE_CPU_S,
        f"a child's event on its page within {P99_S * 1000:.0f} ms (p99)": percentile(ours.events, 0.99) <= P99_S,
    }
    for bar, held in ({} if options.small else bars).items():
        print(f"{'held  ' if held else 'BROKEN'} {bar}")
    print(json.dumps({"streams": size.streams, "ours": [ours.kib, ours.idle_cpu], "bare": [bare.kib, bare.idle_cpu]}))
    return 0 if options.small or all(bars.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
