"""A child at Telegram does not stand behind a loud chat: chats are served in turn, and each in its own order."""

from __future__ import annotations

import asyncio

import pytest

from bot.channels.telegram.polling import Polling
from bot.channels.telegram.turns import Turns, in_turn
from bot.channels.telegram.updates import NotTaken
from tests.telegram.rig import Rig

LOUD, CHILD = 111, 222


def test_a_child_is_not_behind_a_loud_chat(bot: Rig) -> None:
    bot.house.confidant("sanne")
    for number in range(30):
        bot.api.writes(LOUD, f"lawaai {number}")
    bot.api.writes(CHILD, "hoi")
    bot.api.writes(CHILD, "ben je daar")
    taken: list[str] = []
    take = bot.updates.take

    class Noted:
        async def take(self, update: dict[str, dict[str, str]]) -> None:
            taken.append(update["message"]["text"])
            await take(update)

        async def warn(self, update: object) -> None: ...

    polling = Polling(bot.client, Noted(), seconds=0)  # type: ignore[arg-type]
    assert bot.run(polling.once()) == 32
    assert taken[:4] == ["lawaai 0", "hoi", "lawaai 1", "ben je daar"]
    who, _ = bot.house.sign_in("sanne")
    assert bot.words(CHILD, who) == ["hoi", "ben je daar"]
    assert bot.words(LOUD, who) == [f"lawaai {number}" for number in range(30)]
    assert bot.run(polling.once()) == 0


def test_what_was_taken_out_of_turn_is_not_taken_again_when_one_before_it_failed(bot: Rig) -> None:
    bot.house.confidant("sanne")
    for text in ("een", "twee", "drie"):
        bot.api.writes(LOUD, text)
    bot.api.writes(CHILD, "hoi")
    taken: list[str] = []
    broken = {"twee"}
    take = bot.updates.take

    class Fragile:
        async def take(self, update: dict[str, dict[str, str]]) -> None:
            text = update["message"]["text"]
            if text in broken:
                raise NotTaken(text)
            taken.append(text)
            await take(update)

        async def warn(self, update: object) -> None: ...

    polling = Polling(bot.client, Fragile(), seconds=0)  # type: ignore[arg-type]
    with pytest.raises(NotTaken):
        bot.run(polling.once())
    assert taken == ["een", "hoi"]
    broken.clear()
    bot.run(polling.once())
    assert taken == ["een", "hoi", "twee", "drie"]
    assert bot.run(polling.once()) == 0
    who, _ = bot.house.sign_in("sanne")
    assert bot.words(LOUD, who) == ["een", "twee", "drie"]


def test_updates_of_no_chat_stand_alone_and_none_gets_lost() -> None:
    updates: list[object] = [{"update_id": 1}, "geen", {"update_id": 2}, None]
    assert sorted(map(str, in_turn(updates))) == sorted(map(str, updates))


def test_those_that_the_webhook_brings_at_once_are_let_in_by_chat_in_turn() -> None:
    async def play() -> None:
        turns, order, first = Turns(), [], asyncio.Event()

        async def one(chat: str, number: int) -> None:
            async with turns.of(chat):
                if (chat, number) == ("loud", 0):
                    await first.wait()
                order.append(f"{chat} {number}")

        tasks = [asyncio.create_task(one("loud", number)) for number in range(5)]
        tasks += [asyncio.create_task(one("child", number)) for number in range(2)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        tasks[2].cancel()
        await asyncio.sleep(0)
        first.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert order == ["loud 0", "loud 1", "child 0", "loud 3", "child 1", "loud 4"]
        async with turns.of("later"):
            pass

    asyncio.run(asyncio.wait_for(play(), 5))
