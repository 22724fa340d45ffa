"""One connection: what it waits for, and what is answered when no app is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from bot.edge.connections import LIMIT_S, SPARE, Phase
from bot.edge.protocol import HEAD_BYTES, SENT_AHEAD, EdgeProtocol
from bot.edge.server import EdgeServer
from tests.edge.test_connections import Clock

NUMBERS = b"<a href='tel:112'>112</a>"
GET = b"GET /stad HTTP/1.1\r\nHost: x\r\n\r\n"


class Wire(asyncio.Transport):
    """The network's side of a connection."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.ended = ""
        self.reading = True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent += bytes(data)

    def close(self) -> None:
        self.ended = self.ended or "closed"

    def abort(self) -> None:
        self.ended = "cut"

    def is_closing(self) -> bool:
        return bool(self.ended)

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


class House:
    """A server without a socket, an app that answers when `answer` is set, and a clock."""

    def __init__(self, most: int = 4) -> None:
        self.clock = Clock()
        self.answer = asyncio.Event()
        self.answer.set()
        self.asked: list[str] = []
        self.server = EdgeServer(self.app, "127.0.0.1", 1, page=lambda: NUMBERS, most=most, clock=self.clock)
        self.server.config.load()
        self.state = ServerState()

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.append(scope["path"])
        if scope["path"] == "/stroom":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
            await send({"type": "http.response.body", "body": b": hier", "more_body": True})
            await asyncio.Event().wait()
        await Request(scope, receive).body()
        await self.answer.wait()
        await PlainTextResponse("ja")(scope, receive, send)

    def connect(self) -> tuple[EdgeProtocol, Wire]:
        protocol, wire = self.server.edge.protocol(self.server.config, self.state, {}), Wire()
        protocol.connection_made(wire)
        return protocol, wire

    def later(self, seconds: float) -> None:
        self.clock.now += seconds
        self.server.edge.connections.sweep()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_a_connection_that_never_sends_is_closed_without_a_word() -> None:
    async def main() -> None:
        house = House()
        _, wire = house.connect()
        house.later(LIMIT_S[Phase.HEAD] - 1)
        assert not wire.ended
        house.later(1)
        assert (wire.ended, wire.sent) == ("closed", b"")

    asyncio.run(main())


def test_half_a_header_is_told_the_numbers_in_time_however_it_drips() -> None:
    async def main() -> None:
        house = House()
        protocol, wire = house.connect()
        for letter in GET[:-2][:14]:
            protocol.data_received(bytes([letter]))
            house.later(1)
        house.later(1)
        assert wire.ended == "closed"
        assert wire.sent.startswith(b"HTTP/1.1 408 ")
        assert NUMBERS in wire.sent
        assert house.asked == []

    asyncio.run(main())


def test_after_an_answer_it_may_wait_longer_but_a_next_request_must_be_whole_soon() -> None:
    async def main() -> None:
        house = House()
        protocol, wire = house.connect()
        protocol.data_received(GET)
        await settle()
        assert wire.sent.endswith(b"ja")
        assert protocol.phase is Phase.IDLE
        house.later(LIMIT_S[Phase.IDLE] - 1)
        protocol.data_received(GET[:5])
        house.later(LIMIT_S[Phase.HEAD] - 1)
        protocol.data_received(GET[5:9])
        assert wire.sent.count(b"HTTP/1.1 ") == 1
        house.later(1)
        assert wire.ended == "closed"
        assert b" 408 " in wire.sent

    asyncio.run(main())


def test_half_a_body_keeps_its_place_no_longer_than_a_body_may_take() -> None:
    async def main() -> None:
        house = House()
        protocol, wire = house.connect()
        protocol.data_received(b"POST /stad HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab")
        await settle()
        assert protocol.phase is Phase.BODY
        house.later(LIMIT_S[Phase.BODY])
        assert wire.ended == "closed"

    asyncio.run(main())


def test_a_body_that_is_whole_is_worked_on_and_never_late() -> None:
    async def main() -> None:
        house = House()
        house.answer.clear()
        protocol, wire = house.connect()
        protocol.data_received(b"POST /stad HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab")
        await settle()
        protocol.data_received(b"cde")
        assert protocol.phase is Phase.WORKING
        house.later(3600)
        assert not wire.ended
        house.answer.set()
        await settle()
        assert wire.sent.endswith(b"ja")

    asyncio.run(main())


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"HELP\x00 ME\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # a browser that speaks TLS to a port without it
        b"GET /stad HTTP/9.9\r\n\r\n",
        b"GET /stad HTTP/1.1\r\nHost x\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /stad HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    ],
)
def test_what_is_no_request_is_answered_with_the_numbers(request_bytes: bytes) -> None:
    async def main() -> None:
        house = House()
        _, wire = refused = house.connect()
        refused[0].data_received(request_bytes)
        await settle()
        assert wire.ended == "closed"
        assert wire.sent.startswith(b"HTTP/1.1 400 ")
        assert wire.sent.endswith(NUMBERS)
        assert b"content-type: text/html" in wire.sent
        assert b"default-src 'none'" in wire.sent
        assert b"no-store" in wire.sent

    asyncio.run(main())


def test_another_protocol_on_this_port_is_answered_as_a_request_like_any_other() -> None:
    async def main() -> None:
        house = House()
        protocol, wire = house.connect()
        protocol.data_received(b"GET /stad HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        await settle()
        assert wire.sent.endswith(b"ja")

    asyncio.run(main())


def test_a_header_without_an_end_is_refused_before_it_fills_the_memory() -> None:
    async def main() -> None:
        house = House()
        protocol, wire = house.connect()
        protocol.data_received(GET[:-2])
        for _ in range(HEAD_BYTES // 1024):
            protocol.data_received(b"X-A: " + b"a" * 1017 + b"\r\n")
        assert wire.ended == "closed"
        assert wire.sent.startswith(b"HTTP/1.1 431 ")
        assert NUMBERS in wire.sent

    asyncio.run(main())


@pytest.mark.parametrize(
    ("before", "more"),
    [(GET, GET[:-2]), (b"POST /stad HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n", b"X-B: b\r\n")],
)
def test_nor_does_one_behind_a_request_that_is_being_answered(before: bytes, more: bytes) -> None:
    async def main() -> None:
        house = House()
        house.answer.clear()
        protocol, wire = house.connect()
        protocol.data_received(before)
        await settle()
        protocol.data_received(more)
        for _ in range(1 + HEAD_BYTES // 1024):
            protocol.data_received(b"X-A: " + b"a" * 1017 + b"\r\n")
        assert wire.ended

    asyncio.run(main())


def test_a_refusal_is_not_written_into_the_middle_of_another_answer() -> None:
    async def main() -> None:
        house = House()
        protocol, wire = house.connect()
        protocol.data_received(b"GET /stroom HTTP/1.1\r\nHost: x\r\n\r\n")
        await settle()
        began = wire.sent
        assert b"text/event-stream" in began
        protocol.data_received(b"HELP\x00 ME\r\n\r\n")
        assert (wire.ended, wire.sent) == ("cut", began)

    asyncio.run(main())


def test_many_requests_on_one_connection_are_not_counted_as_one_header() -> None:
    async def main() -> None:
        house = House()
        protocol, wire = house.connect()
        for _ in range(2 * HEAD_BYTES // len(GET)):
            protocol.data_received(GET[:10])
            protocol.data_received(GET[10:])
            await settle()
        assert not wire.ended

    asyncio.run(main())


def test_requests_sent_ahead_are_answered_in_turn() -> None:
    async def main() -> None:
        house = House()
        house.answer.clear()
        protocol, wire = house.connect()
        protocol.data_received(GET * 3)
        await settle()
        assert len(house.asked) == 1
        house.answer.set()
        await settle()
        await settle()
        assert wire.sent.count(b"ja") == 3
        assert protocol.phase is Phase.IDLE

    asyncio.run(main())


def test_requests_sent_ahead_without_end_do_not_fill_the_memory() -> None:
    async def main() -> None:
        house = House()
        house.answer.clear()
        protocol, wire = house.connect()
        protocol.data_received(GET * (SENT_AHEAD + 1))
        assert protocol.phase is Phase.WORKING
        protocol.data_received(GET)
        assert wire.ended == "cut"

    asyncio.run(main())


def test_when_all_places_are_taken_by_children_being_answered_the_numbers_are_there_at_once() -> None:
    async def main() -> None:
        house = House(most=1)
        house.answer.clear()
        first, first_wire = house.connect()
        first.data_received(GET)
        await settle()
        second, wire = house.connect()
        second.data_received(GET)
        await settle()
        assert wire.ended == "closed"
        assert wire.sent.startswith(b"HTTP/1.1 503 ")
        assert NUMBERS in wire.sent
        assert house.asked == ["/stad"]
        house.answer.set()
        await settle()
        assert first_wire.sent.endswith(b"ja")

    asyncio.run(main())


def leave(protocol: EdgeProtocol) -> None:
    protocol.connection_lost(None)


def cut(protocol: EdgeProtocol) -> None:
    protocol.cut()
    protocol.connection_lost(ConnectionAbortedError())


@pytest.mark.parametrize("end", [leave, cut])
def test_who_leaves_gives_the_place_back(end: Callable[[EdgeProtocol], None]) -> None:
    async def main() -> None:
        house = House(most=1)
        for _ in range(3 * SPARE):
            protocol, _ = house.connect()
            end(protocol)
        assert len(house.server.edge.connections) == 0
        assert house.connect()[0].phase is Phase.HEAD

    asyncio.run(main())
