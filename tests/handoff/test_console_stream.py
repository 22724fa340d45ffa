"""The live stream: who hears what, who is let in, and that it ends when it must. Driven as ASGI, on a house's own clock."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.types import ASGIApp, Message

from handoff import confidant
from handoff.accounts import sessions
from handoff.accounts.sessions import Unlocked
from handoff.console.app import console_app
from handoff.console.pages import stream
from handoff.queue import handoffs, roster
from tests.handoff.desk import ORIGIN, desk, new_child, read, write
from tests.make import CITY, House, team_id_of

TEAM = team_id_of(CITY)
PATIENCE_S = 10.0


@dataclass
class Listener:
    """A browser's open stream."""

    app: ASGIApp
    cookie: str
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 0
    text: str = ""
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Until the server or the browser ends it."""
        raw = [(b"cookie", f"sessie={self.cookie}".encode()), (b"host", b"localhost:8001")]
        raw += [(name.lower().encode(), value.encode()) for name, value in self.headers.items()]
        scope = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET",
            "scheme": "http", "path": "/stroom", "raw_path": b"/stroom", "query_string": b"", "headers": raw,
            "server": ("localhost", 8001),
        }  # fmt: skip
        await self.app(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.begun.set()
        self.text += message.get("body", b"").decode()
        self.heard.set()

    async def hears(self, name: str) -> None:
        """Wait for this event, and forget what came before it."""
        async with asyncio.timeout(PATIENCE_S):
            while f"event: {name}\n" not in self.text:
                self.heard.clear()
                await self.heard.wait()
        self.text = self.text.split(f"event: {name}\n", 1)[1]


Play = Callable[[Listener, asyncio.Task[None]], Awaitable[Any]]


def _cookie(house: House, login: str) -> str:
    with desk(house, login) as browser:
        return str(browser.http.cookies["sessie"])


def play(house: House, cookie: str, scene: Play, **options: Any) -> Listener:
    """Open a stream, let the scene happen, then close the browser."""

    async def whole() -> Listener:
        listener = Listener(console_app(house.runtime, origin=ORIGIN, **{"check_s": 0.02, **options}), cookie)
        task = asyncio.create_task(listener.run())
        await scene(listener, task)
        listener.gone.set()
        async with asyncio.timeout(PATIENCE_S):
            await task
        return listener

    return asyncio.run(whole())


async def _done(house: House, work: Callable[[Any], Any]) -> None:
    await asyncio.wrap_future(house.runtime.store.write(work))


def test_a_new_child_is_heard_at_once_and_nothing_is_told_about_it(house: House) -> None:
    house.confidant("sanne")
    cookie = _cookie(house, "sanne")

    async def scene(listener: Listener, _task: asyncio.Task[None]) -> None:
        await listener.hears("klop")
        child = await asyncio.to_thread(new_child, house, "geheime woorden", "acute_danger")
        await listener.hears("wachtrij")
        assert child.handoff_id not in listener.text
        assert "geheime" not in listener.text

    assert play(house, cookie, scene).status == 200


def test_what_a_child_writes_is_heard_by_who_holds_it_alone(house: House) -> None:
    sanne, _noor = house.confidant("sanne"), house.confidant("noor")
    child = new_child(house)
    cookie, other = _cookie(house, "sanne"), _cookie(house, "noor")
    run, now = house.runtime, house.clock

    async def scene(listener: Listener, _task: asyncio.Task[None]) -> None:
        bystander = Listener(listener.app, other)
        task = asyncio.create_task(bystander.run())
        await listener.hears("klop")
        await bystander.hears("klop")
        await _done(house, lambda tx: confidant.claim(tx, run, sanne, child.handoff_id, now()))
        await listener.hears("wachtrij")
        await bystander.hears("wachtrij")
        await asyncio.to_thread(child.say, "en nog iets", "vague_distress")
        await listener.hears("gesprek")
        assert "gesprek" not in bystander.text
        bystander.gone.set()
        await task

    play(house, cookie, scene)


def test_another_gemeente_hears_nothing(house: House) -> None:
    house.confidant("sanne")
    house.confidant("vreemd", "elders")
    cookie = _cookie(house, "vreemd")

    async def scene(listener: Listener, _task: asyncio.Task[None]) -> None:
        await listener.hears("klop")
        await asyncio.to_thread(new_child, house)
        house.clock.turn(seconds=26)
        await listener.hears("klop")
        assert "wachtrij" not in listener.text

    play(house, cookie, scene)


def test_the_stream_is_the_heartbeat_of_shift_claim_and_session(sqlite_house: House) -> None:
    house = sqlite_house
    sanne = house.confidant("sanne")
    child = new_child(house)
    cookie, run, now = _cookie(house, "sanne"), house.runtime, house.clock
    write(house, lambda tx: confidant.set_duty(tx, house.runtime, sanne, TEAM, now(), present=True))
    write(house, lambda tx: confidant.claim(tx, run, sanne, child.handoff_id, now()))

    async def scene(listener: Listener, _task: asyncio.Task[None]) -> None:
        await listener.hears("klop")
        for _ in range(17):  # longer than a lease, a shift's freshness and an idle session
            house.clock.turn(seconds=60)
            await listener.hears("klop")

    play(house, cookie, scene)
    assert read(house, lambda tx: roster.on_duty(tx, TEAM, now()))
    assert not write(house, lambda tx: handoffs.lapse(tx, handoff_id=child.handoff_id, now=now()))


def test_an_open_page_alone_keeps_nobody_signed_in(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    cookie = _cookie(house, "sanne")

    async def scene(listener: Listener, task: asyncio.Task[None]) -> None:
        await listener.hears("klop")
        for _ in range(14):
            house.clock.turn(minutes=1)
            await listener.hears("klop")
        house.clock.turn(minutes=1)
        await listener.hears("uit")
        await task

    play(house, cookie, scene)


@pytest.mark.parametrize("way", ["button", "elsewhere", "all sessions"])
def test_a_stream_ends_within_five_seconds_of_the_sign_out(house: House, way: str) -> None:
    sanne = house.confidant("sanne")
    with desk(house, "sanne") as browser:
        cookie = str(browser.http.cookies["sessie"])

        async def scene(listener: Listener, task: asyncio.Task[None]) -> None:
            await listener.hears("klop")
            began = asyncio.get_running_loop().time()
            if way == "button":
                await asyncio.to_thread(browser.post, "/uitloggen")
            elif way == "elsewhere":
                await _done(house, lambda tx: sessions.end_session(tx, _session_id(house, cookie)))
            else:
                await _done(house, lambda tx: sessions.end_all_sessions(tx, sanne.person_id))
            await listener.hears("uit")
            await task
            assert asyncio.get_running_loop().time() - began < 5

        play(house, cookie, scene)


def _session_id(house: House, cookie: str) -> bytes:
    return _who(house, cookie).session_id


def _who(house: House, cookie: str) -> Unlocked:
    raw = base64.urlsafe_b64decode(cookie + "=")
    return read(house, lambda tx: sessions.resume(tx, house.runtime.vault, raw, now=house.clock(), touch=False))


@pytest.mark.parametrize("cookie", ["", "AAAA", "A" * 43])
def test_without_a_session_there_is_no_stream(sqlite_house: House, cookie: str) -> None:
    async def scene(_listener: Listener, task: asyncio.Task[None]) -> None:
        await task

    assert play(sqlite_house, cookie, scene).status == 401


def test_one_session_has_a_few_streams_and_no_more(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    cookie = _cookie(house, "sanne")

    async def scene(first: Listener, _task: asyncio.Task[None]) -> None:
        await first.hears("klop")
        more = [Listener(first.app, cookie) for _ in range(stream.MAX_STREAMS)]
        tasks = [asyncio.create_task(one.run()) for one in more]
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*(one.begun.wait() for one in more))
        assert sorted(one.status for one in more) == [200] * (stream.MAX_STREAMS - 1) + [429]
        leaving = next(at for at, one in enumerate(more) if one.status == 200)
        more[leaving].gone.set()
        await tasks[leaving]
        again = Listener(first.app, cookie)
        tasks.append(asyncio.create_task(again.run()))
        await again.hears("klop")
        for one in (*more, again):
            one.gone.set()
        await asyncio.gather(*tasks)

    play(house, cookie, scene)


def test_a_server_that_stops_does_not_wait_for_its_streams(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")

    async def scene(listener: Listener, task: asyncio.Task[None]) -> None:
        await listener.hears("klop")
        house.runtime.store.hub.close()
        async with asyncio.timeout(2):
            await task

    play(house, _cookie(house, "sanne"), scene, check_s=60.0)


def test_no_listener_is_left_behind(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")

    async def scene(listener: Listener, _task: asyncio.Task[None]) -> None:
        await listener.hears("klop")

    play(house, _cookie(house, "sanne"), scene)
    assert house.runtime.store.hub._by_topic == {}


def test_a_page_without_a_stream_can_beat_by_itself(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    with desk(house, "sanne") as browser:
        browser.post("/dienst", team=TEAM, dienst="aan")
        for _ in range(20):
            house.clock.turn(minutes=1)
            assert browser.post("/klop").status_code == 204
        assert read(house, lambda tx: roster.on_duty(tx, TEAM, house.clock()))
