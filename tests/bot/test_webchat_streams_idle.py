"""Many open streams: each is woken for its own chat alone, and what they share is looked up once for all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime

import sqlalchemy as sa

from bench.streams import SMALL, run
from bot.channels.web.stream import MOST_PER_CHAT
from handoff.database import SqliteStore
from handoff.events import team_topic
from tests.bot.web import Site, Stream, new_token, stream
from tests.make import CITY, team_id_of

PATH = f"/api/{CITY}/stream"
MANY = 12


@contextmanager
def _reads(site: Site) -> Iterator[list[str]]:
    """Every statement that is read with, in order."""
    store = site.house.runtime.store
    assert isinstance(store, SqliteStore)
    seen: list[str] = []

    def note(_c: object, _k: object, statement: str, *_: object) -> None:
        if statement != "BEGIN":
            seen.append(statement)

    sa.event.listen(store._reader, "before_cursor_execute", note)
    yield seen
    sa.event.remove(store._reader, "before_cursor_execute", note)


def _with_streams(site: Site, tokens: list[str], play: Callable[[list[Stream]], Awaitable[None]]) -> None:
    """Open a stream for each of these children, and play along once each knows how it stands."""

    async def whole() -> None:
        async with AsyncExitStack() as stack:
            opened = [await stack.enter_async_context(stream(site.app, PATH, {"Authorization": f"Bearer {t}"})) for t in tokens]
            for one in opened:
                await one.next("state")
            await play(opened)

    asyncio.run(whole())


def _children(site: Site, many: int) -> list[str]:
    tokens = [new_token() for _ in range(many)]
    for token in tokens:
        site.send(token, "hoi")
        site.house.clock.turn(seconds=1)
    return tokens


async def _beats(opened: Stream) -> None:
    """Wait for a heartbeat; nothing else may come before it."""
    async for event in opened.events():
        assert event == {"": "still here"}
        return


def test_another_childs_words_wake_nobody(site: Site) -> None:
    tokens = _children(site, MANY)

    async def play(opened: list[Stream]) -> None:
        with _reads(site) as reads:
            await asyncio.to_thread(site.send, new_token(), "ik ben een ander kind")
            for one in opened:
                await _beats(one)
        assert not [statement for statement in reads if "shift" not in statement], "only who is on duty was looked at"

    _with_streams(site, tokens, play)


def test_words_for_one_child_are_opened_for_that_one_alone(site: Site) -> None:
    tokens = _children(site, MANY)
    handoff_id = site.claim()

    async def play(opened: list[Stream]) -> None:
        with _reads(site) as reads:
            await asyncio.to_thread(site.write, handoff_id, "Hoi, met Sanne.")
            assert (await opened[0].next("message"))["text"] == "Hoi, met Sanne."
            for one in opened[1:]:
                await _beats(one)
        assert sum("FROM conversation_key" in statement for statement in reads) == 1

    _with_streams(site, tokens, play)


def test_a_change_of_duty_is_looked_up_once_and_reaches_every_page(site: Site) -> None:
    tokens = _children(site, MANY)

    async def play(opened: list[Stream]) -> None:
        with _reads(site) as reads:
            await asyncio.to_thread(site.on_duty)
            for one in opened:
                assert (await one.next("state"))["on_duty"] is True
        assert not [statement for statement in reads if "shift" not in statement]
        assert len(reads) < MANY, "not a look for each page"

    _with_streams(site, tokens, play)


def test_what_changes_with_the_hour_reaches_an_open_page(site: Site) -> None:
    (token,) = _children(site, 1)
    site.house.clock.now = datetime(2026, 11, 25, 19, 30, tzinfo=UTC)

    async def play(opened: list[Stream]) -> None:
        site.house.clock.turn(hours=5)  # the Kindertelefoon has closed
        assert (await opened[0].next("state"))["extra"] is True

    _with_streams(site, [token], play)


def test_new_words_of_the_gemeente_reach_an_open_page(site: Site) -> None:
    (token,) = _children(site, 1)
    runtime = site.house.runtime

    async def play(opened: list[Stream]) -> None:
        script = runtime.configuration.script
        old = script.utterances["utter_stopped"]
        fresh = old.model_copy(update={"variants": tuple(v.model_copy(update={"text": "Alles is weg."}) for v in old.variants)})
        utterances = {**script.utterances, "utter_stopped": fresh}
        new_script = script.model_copy(update={"utterances": utterances})
        runtime.configuration = runtime.configuration.model_copy(update={"script": new_script})
        assert (await opened[0].next("state"))["stopped"] == "Alles is weg."

    _with_streams(site, [token], play)


def test_nothing_is_left_when_the_last_page_has_gone(site: Site) -> None:
    tokens = _children(site, 3)

    async def play(opened: list[Stream]) -> None:
        assert site.app.state.streams.count() == len(opened)
        assert team_topic(team_id_of(CITY)) in site.house.runtime.store.hub._by_topic

    _with_streams(site, tokens, play)
    assert site.house.runtime.store.hub._by_topic == {}
    assert site.app.state.streams.count() == 0


def test_the_proof_of_many_streams_runs_small() -> None:
    ours, bare = run(SMALL)
    assert len(ours.waits) == len(bare.waits) == SMALL.words


def test_a_stream_that_opens_after_the_database_was_away_stays_open(site: Site) -> None:
    tokens, file = _children(site, 2), site.house.folder / "praat.db"

    async def away(opened: list[Stream]) -> None:
        file.rename(file.with_suffix(".away"))
        for one in opened:
            assert await one.ended()
        file.with_suffix(".away").rename(file)

    async def back(opened: list[Stream]) -> None:
        for one in opened:
            for _ in range(4):
                await _beats(one)

    _with_streams(site, tokens, away)
    _with_streams(site, tokens, back)


def test_a_page_that_comes_hours_after_the_last_one_gets_the_texts_of_its_own_hour(site: Site) -> None:
    first, second = _children(site, 2)
    site.house.clock.now = datetime(2026, 11, 25, 19, 30, tzinfo=UTC)

    async def play(_opened: list[Stream]) -> None:
        return

    async def late() -> dict[str, object]:
        async with stream(site.app, PATH, {"Authorization": f"Bearer {second}"}) as opened:
            return await opened.next("state")

    _with_streams(site, [first], play)
    site.house.clock.turn(hours=5)  # the Kindertelefoon has closed
    assert asyncio.run(late())["extra"] is True


def test_texts_that_cannot_be_made_do_not_stop_the_beats(site: Site) -> None:
    (token,) = _children(site, 1)
    runtime = site.house.runtime

    async def play(opened: list[Stream]) -> None:
        script = runtime.configuration.script
        fewer = {name: one for name, one in script.utterances.items() if name != "utter_page_duty"}
        broken = script.model_copy(update={"utterances": fewer})
        runtime.configuration = runtime.configuration.model_copy(update={"script": broken})
        for _ in range(4):
            await _beats(opened[0])

    _with_streams(site, [token], play)


def test_one_chat_keeps_few_streams_also_when_many_open_at_once(site: Site) -> None:
    (token,) = _children(site, 1)

    async def whole() -> None:
        async with AsyncExitStack() as stack:
            many = (stream(site.app, PATH, {"Authorization": f"Bearer {token}"}) for _ in range(MANY))
            await asyncio.gather(*(stack.enter_async_context(one) for one in many))
            for _ in range(100):
                if site.app.state.streams.count() <= MOST_PER_CHAT:
                    return
                await asyncio.sleep(0.01)
            raise AssertionError(f"{site.app.state.streams.count()} streams of one chat are open")

    asyncio.run(whole())
