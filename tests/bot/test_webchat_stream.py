"""Server-sent events: what comes when, where a stream goes on after a break, and when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.channels.web.stream import MOST_PER_CHAT
from handoff.models import conversation
from tests.bot.web import Site, Stream, new_token, stream
from tests.make import CITY

PATH = f"/api/{CITY}/stream"


def listen(site: Site, token: str, play: Callable[[Stream], Awaitable[None]], last: str = "") -> None:
    """Open a stream and play along with it."""

    async def run() -> None:
        headers = {"Authorization": f"Bearer {token}"} | ({"Last-Event-ID": last} if last else {})
        async with stream(site.app, PATH, headers) as opened:
            assert opened.status == 200
            assert opened.headers["content-type"].startswith("text/event-stream")
            assert opened.headers["cache-control"] == "no-store, no-transform"
            await play(opened)

    asyncio.run(run())


def test_everything_from_the_beginning_then_the_state(site: Site) -> None:
    token = new_token()
    site.send(token, "hoi")

    async def play(heard: Stream) -> None:
        seen = [await heard.next("message") for _ in range(4)]
        assert [event["event"] for event in seen] == ["1", "2", "3", "4"]
        assert seen[0]["text"] == "hoi"
        state = await heard.next("state")
        assert (state["state"], state["on_duty"]) == ("waiting", False)

    listen(site, token, play)


def test_it_goes_on_where_it_stopped(site: Site) -> None:
    token = new_token()
    site.send(token, "hoi")

    async def play(heard: Stream) -> None:
        assert (await heard.next("message"))["event"] == "4"

    listen(site, token, play, last="3")


@pytest.mark.parametrize("last", ["x", "-1", "1e3", "9" * 30])
def test_a_last_event_that_is_none_means_from_the_beginning(site: Site, last: str) -> None:
    token = new_token()
    site.send(token, "hoi")

    async def play(heard: Stream) -> None:
        assert (await heard.next("message"))["event"] == "1"

    listen(site, token, play, last)


def test_a_human_who_takes_over_and_writes_is_heard_at_once(site: Site) -> None:
    token = new_token()
    site.send(token, "hoi")

    async def play(heard: Stream) -> None:
        await heard.next("state")
        handoff_id = await asyncio.to_thread(site.claim)
        assert "Sanne" in (await heard.next("message"))["text"]
        state = await heard.next("state")
        assert (state["state"], state["confidant"]) == ("claimed", "Sanne")
        await asyncio.to_thread(site.write, handoff_id, "Hoi, met Sanne.")
        line = await heard.next("message")
        assert (line["role"], line["text"], line["name"]) == ("confidant", "Hoi, met Sanne.", "Sanne")

    listen(site, token, play)


def test_who_is_on_duty_is_told_when_it_changes(site: Site) -> None:
    token = new_token()
    site.send(token, "hoi")

    async def play(heard: Stream) -> None:
        assert (await heard.next("state"))["on_duty"] is False
        await asyncio.to_thread(site.on_duty)
        assert (await heard.next("state"))["on_duty"] is True
        site.house.clock.turn(minutes=5)  # the console went silent; nobody announces that
        assert (await heard.next("state"))["on_duty"] is False

    listen(site, token, play)


def test_a_quiet_stream_beats(site: Site) -> None:
    token = new_token()
    site.send(token, "hoi")

    async def play(heard: Stream) -> None:
        await heard.next("state")
        async for event in heard.events():
            assert event == {"": "still here"}
            break

    listen(site, token, play)


def test_after_erasing_it_says_so_and_ends(site: Site) -> None:
    token = new_token()
    site.send(token, "hoi")

    async def play(heard: Stream) -> None:
        await heard.next("state")
        await asyncio.to_thread(site.ask, "POST", f"/api/{CITY}/erase", token, json={})
        await heard.next("gone")
        assert await heard.ended()

    listen(site, token, play)
    assert site.house.runtime.store.read(lambda tx: tx.execute(conversation.select()).all()).result() == []


def test_a_database_that_goes_away_ends_it_without_a_word(site: Site) -> None:
    token = new_token()
    site.send(token, "hoi")

    async def play(heard: Stream) -> None:
        await heard.next("state")
        (site.house.folder / "praat.db").unlink()
        assert await heard.ended()

    listen(site, token, play)


def test_a_server_that_stops_ends_every_stream(site: Site) -> None:
    token = new_token()
    site.send(token, "hoi")

    async def play(heard: Stream) -> None:
        await heard.next("state")
        site.stop()
        assert await heard.ended()

    listen(site, token, play)
    assert site.app.state.streams.count() == 0


def test_a_phone_that_left_is_forgotten(site: Site) -> None:
    token = new_token()
    site.send(token, "hoi")

    async def play(heard: Stream) -> None:
        await heard.next("state")
        assert site.app.state.streams.count() == 1

    listen(site, token, play)
    assert site.app.state.streams.count() == 0


def test_one_chat_has_few_streams_and_the_newest_stay(site: Site) -> None:
    token = new_token()
    site.send(token, "hoi")

    async def more(left: int, first: Stream | None = None) -> None:
        if left == 0:
            assert first
            assert await first.ended()
            assert site.app.state.streams.count() == MOST_PER_CHAT
            return
        async with stream(site.app, PATH, {"Authorization": f"Bearer {token}"}) as opened:
            await opened.next("state")
            await more(left - 1, first or opened)

    asyncio.run(more(MOST_PER_CHAT + 1))
