"""The Bot API server of these tests refuses what Telegram refuses: else the other tests prove less than they say."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest

from bot.channels.channel import DeliveryFailed
from tests.telegram.bot_api import Fault
from tests.telegram.rig import Rig

KID = 4_512_345_678


async def _fault(work: Awaitable[object]) -> DeliveryFailed | None:
    try:
        await work
    except DeliveryFailed as fault:
        return fault
    return None


def test_of_two_that_poll_the_older_is_turned_away(bot: Rig) -> None:
    async def play() -> None:
        older = asyncio.create_task(_fault(bot.client.updates(None, seconds=30)))
        while not bot.api.calls:  # noqa: ASYNC110 - another thread's server
            await asyncio.sleep(0.01)
        newer = asyncio.create_task(_fault(bot.client.updates(None, seconds=30)))
        fault = await older
        assert str(fault) == "telegram: Conflict"
        bot.api.writes(KID, "hoi")
        assert await newer is None

    bot.run(play())


def test_a_kind_that_was_not_asked_for_does_not_come(bot: Rig) -> None:
    bot.api.put(message_reaction={"chat": {"id": KID}})
    assert len(bot.run(bot.client.updates(None, seconds=0))) == 1, "what waited already stays"
    bot.api.put(message_reaction={"chat": {"id": KID}})
    bot.api.writes(KID, "hoi")
    assert len(bot.run(bot.client.updates(None, seconds=0))) == 2


def test_a_late_message_comes_after_the_one_behind_it(bot: Rig) -> None:
    bot.api.late(message=bot.api.message(KID, text="eerst"))
    bot.api.writes(KID, "daarna")
    found = bot.run(bot.client.updates(None, seconds=0))
    texts = [update["message"]["text"] for update in found]  # type: ignore[index]
    assert texts == ["daarna", "eerst"]


@pytest.mark.parametrize(
    ("url", "secret", "taken"),
    [
        ("https://praat.example/telegram", "a-b_C9", True),
        ("https://praat.example:8443/telegram", "a-b_C9", True),
        ("http://praat.example/telegram", "a-b_C9", False),
        ("https://praat.example:8080/telegram", "a-b_C9", False),
        ("https://praat.example/telegram", "met spatie", False),
        ("https://praat.example/telegram", "a" * 257, False),
    ],
)
def test_a_webhook_has_telegrams_rules(bot: Rig, url: str, secret: str, *, taken: bool) -> None:
    fault = bot.run(_fault(bot.client.set_webhook(url, secret)))
    assert (fault is None) is taken


def test_an_answer_that_hangs_ends_when_the_other_side_gives_up(bot: Rig) -> None:
    bot.api.chats.add(KID)
    bot.api.fail("sendMessage", Fault("hang"))

    async def play() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await bot.client.send(KID, "hoi", None)

    bot.run(play())
    assert bot.api.texts(KID) == []
