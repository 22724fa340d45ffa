"""When nothing can be kept: every child is told the numbers, each time, and no child waits for another one's trouble."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.channels.telegram.polling import Polling
from bot.channels.telegram.updates import TRIES, StoreAway
from handoff.models import message
from nlu.understanding import Understanding
from tests import make
from tests.databases import lose_connections
from tests.make import House, rows, understood
from tests.telegram.bot_api import Fault
from tests.telegram.rig import Rig, rig

KID, OTHER = 4_512_345_678, 4_512_345_679


def _trouble(bot: Rig, chat_id: int) -> list[str]:
    return [text for text in bot.api.texts(chat_id) if "ik bewaar nu niks" in text and "112" in text]


def test_with_the_store_down_every_child_in_the_batch_is_told_the_numbers_once(bot: Rig) -> None:
    bot.house.confidant("sanne")
    for chat_id, text in ((KID, "hoi"), (OTHER, "help mij"), (OTHER, "ben je daar")):
        bot.api.writes(chat_id, text)
    with bot.store_away():
        for _ in range(3):
            with pytest.raises(Exception, match="the store is unavailable"):
                bot.poll()
    assert len(_trouble(bot, KID)) == len(_trouble(bot, OTHER)) == 1
    assert bot.api.confirmed == 0
    bot.poll()
    who, _ = bot.house.sign_in("sanne")
    assert (bot.words(KID, who), bot.words(OTHER, who)) == (["hoi"], ["help mij", "ben je daar"])


def test_a_database_that_is_lost_in_the_middle_passes_over_no_child(postgres_database: str, tmp_path: Path) -> None:
    """More often than an update of our own that fails is tried: it stays at Telegram until it is stored."""
    with make.house(tmp_path, postgres_database) as house, rig(house) as bot:
        house.confidant("sanne")
        lose_connections(postgres_database, TRIES + 2)
        for text in ("hoi", "help mij"):
            bot.api.writes(KID, text)
        for _ in range(TRIES + 2):
            with pytest.raises(StoreAway):
                bot.poll()
            assert bot.api.confirmed == 0
        assert bot.poll() == 2
        who, _ = house.sign_in("sanne")
        assert bot.words(KID, who) == ["hoi", "help mij"]
        assert len(_trouble(bot, KID)) == 1


@pytest.mark.parametrize("kind", ["500", "502", "dropped", "429"])
def test_numbers_that_did_not_go_out_are_told_at_the_next_try(bot: Rig, kind: str) -> None:
    bot.house.confidant("sanne")
    bot.api.writes(KID, "help")
    bot.api.fail("sendMessage", Fault(kind))  # type: ignore[arg-type]
    with bot.store_away():
        for _ in range(3):
            with pytest.raises(Exception, match="the store is unavailable"):
                bot.poll()
    assert len(_trouble(bot, KID)) == 1


def test_a_child_that_blocked_us_is_not_told_over_and_over(bot: Rig) -> None:
    bot.api.writes(KID, "help")
    bot.api.blocked.add(KID)
    with bot.store_away():
        for _ in range(3):
            with pytest.raises(Exception, match="the store is unavailable"):
                bot.poll()
    assert bot.api.calls.count("sendmessage") == 1


def test_a_gemeente_without_people_takes_no_words_and_says_each_time_who_to_call(bot: Rig) -> None:
    for text in ("hoi", "ben je daar", "help"):
        bot.api.writes(KID, text)
    bot.api.writes(OTHER, "ik ook")
    assert bot.poll() == 4, "what can never succeed holds nobody up"
    assert len(_trouble(bot, KID)) == 3
    assert len(_trouble(bot, OTHER)) == 1
    assert rows(bot.house, message) == []


def test_a_passed_over_child_is_told_even_when_telegram_fails_at_first(bot: Rig) -> None:
    bot.api.writes(KID, "hoi")
    bot.api.fail("sendMessage", Fault("502"))
    with pytest.raises(Exception, match="Denied"):
        bot.poll()
    assert bot.poll() == 1
    assert len(_trouble(bot, KID)) == 1


def test_an_update_that_breaks_us_is_told_once_and_passed_over_at_the_third_try(sqlite_house: House) -> None:
    def strange(text: str) -> Understanding:
        return Understanding("greet", 1.0, 9, "nl") if text == "raar" else understood()  # type: ignore[arg-type]

    with rig(sqlite_house, understand=strange) as bot:
        bot.house.confidant("sanne")
        for text in ("raar", "raar", "hoi"):
            bot.api.writes(KID, text)
        poll, failed = Polling(bot.client, bot.updates, seconds=0), 0
        for _ in range(5):
            try:
                bot.run(poll.once())
            except Exception:  # noqa: BLE001 - which one is not the point
                failed += 1
        assert failed == 4, "two times two tries"
        assert len(_trouble(bot, KID)) == 2
        who, _ = bot.house.sign_in("sanne")
        assert bot.words(KID, who) == ["hoi"]


def test_after_a_quiet_week_a_lower_number_is_taken_and_then_forgotten(bot: Rig) -> None:
    bot.house.confidant("sanne")
    poll = Polling(bot.client, bot.updates, seconds=0)
    bot.api.writes(KID, "hoi")
    assert [bot.run(poll.once()) for _ in range(2)] == [1, 0]
    bot.api.count_anew(1000)
    for i in range(101):
        bot.api.writes(KID, f"w{i}")
    bot.api.writes(OTHER, "help")
    assert [bot.run(poll.once()) for _ in range(3)] == [100, 2, 0]
    assert bot.chat(OTHER) is not None
    assert bot.api.confirmed >= 1102


def test_the_server_of_these_tests_answers_a_far_offset_from_the_head_and_forgets_nothing(bot: Rig) -> None:
    """The positive control: without it the reset proves nothing."""
    bot.api.count_anew(1000)
    bot.api.writes(KID, "hoi")
    for _ in range(2):
        assert len(bot.run(bot.client.updates(500_000, seconds=0))) == 1
    assert bot.run(bot.client.updates(1005, seconds=0)) == [], "a little ahead is believed"


def test_the_loop_of_the_poll_survives_a_store_that_is_down(bot: Rig) -> None:
    bot.house.confidant("sanne")
    bot.api.writes(KID, "hoi")
    bot.api.writes(OTHER, "hoi")

    async def play() -> None:
        stop = asyncio.Event()
        going = asyncio.create_task(Polling(bot.client, bot.updates, seconds=0).run(stop))
        while not bot.api.texts(OTHER):  # noqa: ASYNC110 - the server's thread has no event of ours
            await asyncio.sleep(0.02)
        stop.set()
        await asyncio.wait_for(going, 3)

    with bot.store_away():
        bot.run(play())
    assert len(_trouble(bot, OTHER)) == 1
