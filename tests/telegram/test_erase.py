"""/wis: gone here at once, deleted at Telegram as far as Telegram allows, the rest said honestly; and a new start is possible."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import pytest

from bot import delivery
from bot.channels.telegram.spec import SPEC
from bot.channels.telegram.updates import Updates
from bot.delivery import deliver_due
from bot.erasing import erase_due
from bot.message import Outgoing
from config.channels import ChannelSpec
from handoff import confidant
from handoff.accounts.sessions import Unlocked
from handoff.chats import outbox
from handoff.models import conversation, deletion, erased, handoff, key_wrap, message
from handoff.models import outbox as outbox_table
from handoff.queue import handoffs
from tests.make import CITY, rows, understood
from tests.telegram.bot_api import BOT, Fault
from tests.telegram.rig import Rig, arrived, settled

KID = 4_512_345_678
OTHER = 4_512_345_679


def _told(bot: Rig, *texts: str) -> list[int]:
    """A child that wrote this and was answered. Returns the numbers of everything on its phone."""
    bot.house.confidant("sanne")
    mine = [bot.api.writes(KID, text)["message"]["message_id"] for text in texts]
    bot.poll()
    settled(bot)
    return [*mine, *(m.message_id for m in bot.api.sent)]


def _wish(bot: Rig) -> int:
    wish: int = bot.api.writes(KID, "/wis")["message"]["message_id"]
    bot.poll()
    return wish


def _farewells(bot: Rig) -> list[str]:
    return [text for text in bot.api.texts(KID) if "alles nu weg" in text]


def _gone(bot: Rig) -> list[int]:
    return sorted(number for chat_id, number in bot.api.deleted if chat_id == KID)


@pytest.mark.parametrize(
    "asked", ["/wis", "wis", "Wis alles", "/wis@praat_test_bot", "wis.", "/wis.", "Wis alles.", "WIS!", "/wis alles"]
)
def test_nothing_is_left_here_and_what_can_be_deleted_there_is(bot_on_both: Rig, asked: str) -> None:
    bot = bot_on_both
    there = _told(bot, "/start", "hoi")
    wish = bot.api.writes(KID, asked)["message"]["message_id"]
    bot.poll()
    for table in (conversation, message, outbox_table, handoff, key_wrap):
        assert rows(bot.house, table) == [], table.name
    bot.erase()
    assert _gone(bot) == sorted([*there, wish])
    assert rows(bot.house, deletion) == [], "what was done is kept nowhere"
    stopped, leftover = bot.api.texts(KID)[-2:]
    assert "Bij ons is alles nu weg" in stopped
    assert "0800-0432" in stopped
    assert "Bij Telegram haal ik ook weg wat kan" in leftover
    assert "wie het las" in leftover, "what a human read, that human still knows"
    (mark,) = rows(bot.house, erased)
    assert str(KID).encode() not in repr(mark).encode()


@pytest.mark.parametrize("kind", ["500", "502", "429", "dropped", "lost_answer"])
def test_a_fault_at_telegram_is_tried_again_until_all_is_gone(bot_on_both: Rig, kind: str) -> None:
    bot = bot_on_both
    there = _told(bot, "hoi")
    bot.api.fail("deleteMessages", Fault(kind), Fault(kind))  # type: ignore[arg-type]
    wish = _wish(bot)
    for _ in range(4):
        bot.erase()
        bot.house.clock.turn(seconds=3)
    assert sorted(set(_gone(bot))) == sorted([*there, wish])
    assert rows(bot.house, deletion) == []
    assert len(_farewells(bot)) == 1


def test_the_wait_that_telegram_asks_for_is_kept(bot: Rig) -> None:
    _told(bot, "hoi")
    bot.api.fail("deleteMessages", Fault("429", retry_after=20))
    _wish(bot)
    bot.erase()
    bot.house.clock.turn(seconds=19)
    bot.erase()
    assert _gone(bot) == []
    bot.house.clock.turn(seconds=2)
    bot.erase()
    assert _gone(bot)


def test_a_death_after_the_commit_loses_nothing_and_says_nothing_twice(bot_on_both: Rig) -> None:
    bot = bot_on_both
    there = _told(bot, "hoi")
    wish = bot.api.writes(KID, "/wis")
    bot.poll()
    assert len(rows(bot.house, deletion)) == 1, "stored with the erasure: whoever runs the loops next does it"
    bot.run(bot.updates.take(wish))
    bot.erase()
    bot.run(bot.updates.take(wish))
    bot.erase()
    assert _gone(bot) == sorted([*there, wish["message"]["message_id"]])
    assert len(_farewells(bot)) == 1


def test_a_farewell_that_could_not_be_said_is_said_later_and_holds_nothing_up(bot: Rig) -> None:
    _told(bot, "hoi")
    bot.api.fail("sendMessage", Fault("dropped"))
    _wish(bot)
    bot.erase()
    assert _farewells(bot) == []
    assert _gone(bot), "a watched child cannot wait for words"
    bot.house.clock.turn(seconds=2)
    bot.erase()
    assert len(_farewells(bot)) == 1
    assert rows(bot.house, deletion) == []


def test_the_job_holds_the_chat_id_only_sealed_and_goes_after_two_days(bot: Rig) -> None:
    _told(bot, "hoi")
    _wish(bot)
    (job,) = rows(bot.house, deletion)
    for value in job._asdict().values():
        raw = value if isinstance(value, bytes) else repr(value).encode()
        for spelling in (str(KID).encode(), KID.to_bytes(8, "big"), KID.to_bytes(8, "little")):
            assert spelling not in raw
    bot.api.down = True
    for _ in range(49):
        bot.erase()
        bot.house.clock.turn(hours=1)
    bot.erase()
    assert rows(bot.house, deletion) == []


def test_a_bot_that_was_blocked_ends_the_job(bot: Rig) -> None:
    _told(bot, "hoi")
    _wish(bot)
    bot.api.blocked.add(KID)
    bot.erase()
    assert rows(bot.house, deletion) == []


def test_only_what_telegram_still_deletes_is_asked(bot: Rig) -> None:
    _told(bot, "oud")
    bot.house.clock.turn(hours=47, minutes=57)
    new = bot.api.writes(KID, "nieuw")["message"]["message_id"]
    bot.poll()
    wish = _wish(bot)
    bot.erase()
    assert _gone(bot) == [new, wish]
    assert bot.api.calls.count("deletemessages") == 1, "what is about to be too old sinks nothing"


def test_one_message_that_telegram_refuses_keeps_no_other_on_the_phone(bot: Rig) -> None:
    there = _told(bot, *(f"bericht {n}" for n in range(80)))
    die = bot.api.writes(KID, dice={"emoji": "⚽", "value": 3})["message"]["message_id"]
    bot.poll()
    settled(bot, 3)
    bot.house.clock.turn(seconds=10)
    there = sorted({*there, *(m.message_id for m in bot.api.sent)})
    wish = _wish(bot)
    bot.erase()
    assert _gone(bot) == sorted([*there, wish])
    assert len(there) > 100
    assert bot.api.calls.count("deletemessages") < 30
    bot.house.clock.turn(hours=23)
    bot.erase()
    assert die not in _gone(bot)
    bot.house.clock.turn(hours=1, minutes=1)
    bot.erase()
    assert die in _gone(bot), "a die can be deleted when it is a day old"
    assert rows(bot.house, deletion) == []
    assert len(_farewells(bot)) == 1


def test_a_message_that_came_late_to_us_is_too_old_there_and_sinks_nothing(bot: Rig) -> None:
    late = bot.api.writes(KID, "van gisteren")["message"]["message_id"]
    bot.house.clock.turn(hours=24)
    there = [n for n in _told(bot, "hoi") if n != late]
    bot.house.clock.turn(hours=25)
    wish = _wish(bot)
    bot.erase()
    assert _gone(bot) == sorted([*there, wish])


@dataclass
class Meanwhile:
    """A channel during whose sending something happens."""

    bot: Rig
    deed: Callable[[], Awaitable[None]]
    spec: ChannelSpec = SPEC

    async def send(self, address: bytes, outgoing: Outgoing) -> int:
        """It arrives, and before we note so the deed is done."""
        number = await self.bot.channel.send(address, outgoing)
        await self.deed()
        return number

    async def delete(self, address: bytes, numbers: Sequence[int]) -> None:
        """Pass it on."""
        await self.bot.channel.delete(address, numbers)


def test_what_is_under_way_during_the_wipe_is_deleted_when_it_lands(bot_on_both: Rig) -> None:
    bot = bot_on_both
    _told(bot, "hoi")
    sanne, item = _claimed(bot)
    run, now = bot.house.runtime, bot.house.clock()
    run.store.write(lambda tx: confidant.write(tx, run, sanne, item, external_id="c1", text="Wat deed je vader?", now=now)).result()
    wish = bot.api.writes(KID, "/wis")

    async def wipe() -> None:
        await bot.updates.take(wish)

    bot.run(deliver_due(run, {"telegram": Meanwhile(bot, wipe)}))
    late = bot.api.sent[-1]
    assert late.text == "Wat deed je vader?"
    assert len(rows(bot.house, deletion)) == 1, "one job for a chat"
    bot.erase()
    assert late.message_id in _gone(bot)
    assert rows(bot.house, deletion) == []


def test_what_was_wiped_before_it_was_sent_is_not_sent(bot_on_both: Rig) -> None:
    bot = bot_on_both
    bot.house.confidant("sanne")
    bot.api.writes(KID, "hoi")
    bot.poll()
    write, now = bot.house.runtime.store.write, bot.house.clock()
    (parcel,) = write(lambda tx: [outbox.lease(tx, p, now) for p in outbox.due(tx, "telegram", now)]).result()
    assert write(lambda tx: outbox.renew(tx, parcel, now)).result() == parcel
    _wish(bot)
    assert write(lambda tx: outbox.renew(tx, parcel, now)).result() is None


def test_every_piece_of_a_long_message_is_deleted(bot: Rig) -> None:
    _told(bot, "hoi")
    sanne, item = _claimed(bot)
    run, now, before = bot.house.runtime, bot.house.clock(), len(bot.api.sent)
    text = "🙂" * 3000
    run.store.write(lambda tx: confidant.write(tx, run, sanne, item, external_id="c1", text=text, now=now)).result()
    bot.api.fail("sendMessage", Fault("500"))
    settled(bot)
    long = [m.message_id for m in bot.api.sent[before:]]
    assert len(long) == 2
    _wish(bot)
    bot.erase()
    assert set(long) <= set(_gone(bot))


def test_a_piece_whose_rest_never_went_out_is_deleted_too(bot: Rig) -> None:
    _told(bot, "hoi")
    sanne, item = _claimed(bot)
    run, now, before = bot.house.runtime, bot.house.clock(), len(bot.api.sent)
    run.store.write(lambda tx: confidant.write(tx, run, sanne, item, external_id="c1", text="🙂" * 3000, now=now)).result()

    async def only_one() -> None:
        going = asyncio.ensure_future(deliver_due(run, {"telegram": bot.channel}))
        await arrived(bot.api, before + 1)
        bot.api.down = True
        await going

    bot.run(only_one())
    bot.api.down = False
    first = [m.message_id for m in bot.api.sent[before:]]
    _wish(bot)
    bot.erase()
    assert set(first) <= set(_gone(bot))


def test_numbers_that_were_said_in_trouble_are_deleted_too(bot: Rig) -> None:
    bot.house.confidant("sanne")
    bot.api.writes(KID, "hoi")
    file = bot.house.folder / "praat.db"
    away = file.rename(file.with_suffix(".away"))
    with pytest.raises(Exception, match="store"):
        bot.poll()
    away.rename(file)
    (trouble,) = [m.message_id for m in bot.api.sent]
    bot.poll()
    settled(bot)
    _wish(bot)
    bot.erase()
    assert trouble in _gone(bot)


def test_a_late_repeat_brings_nothing_back_and_a_new_word_begins_anew(bot_on_both: Rig) -> None:
    bot = bot_on_both
    bot.house.confidant("sanne")
    old = bot.api.writes(KID, "hoi")
    bot.poll()
    wish = bot.api.writes(KID, "/wis")
    bot.poll()
    bot.run(bot.updates.take(old))
    bot.run(bot.updates.take({**old, "edited_message": {**old["message"], "edit_date": 1, "text": "hoi!"}, "message": None}))
    assert bot.chat(KID) is None
    bot.erase()
    bot.api.writes(KID, f"/start {CITY}")
    bot.api.writes(KID, "nog iets")
    bot.poll()
    bot.run(bot.updates.take(wish))
    bot.erase()
    who, _ = bot.house.sign_in("sanne")
    assert bot.words(KID, who) == ["/start", "nog iets"], "the old wish does not erase what came after it"
    assert len(_farewells(bot)) == 1, "and says nothing of it, because it would not be true"
    bot.api.writes(KID, "/wis")
    bot.poll()
    assert bot.chat(KID) is None
    assert len(rows(bot.house, erased)) == 2, "each chat that was erased stays erased in a restored backup"


def test_faults_at_telegram_do_not_bring_anything_back(bot: Rig) -> None:
    bot.house.confidant("sanne")
    bot.api.writes(KID, "hoi")
    bot.poll()
    bot.api.fail("deleteMessages", Fault("500"))
    bot.api.fail("sendMessage", Fault("dropped"), Fault("429"))
    _wish(bot)
    bot.erase()
    assert rows(bot.house, message) == []


def test_erasing_what_was_never_there_is_answered_too(bot: Rig) -> None:
    _wish(bot)
    bot.erase()
    assert "weg" in bot.api.texts(KID)[0]


def test_thirty_wishes_from_one_phone_hold_up_nobody(bot: Rig) -> None:
    for _ in range(30):
        bot.api.writes(KID, "/wis")
    bot.poll()
    bot.erase()
    assert bot.slept == []
    assert len(_farewells(bot)) == 1
    assert len(_gone(bot)) == 30


def _claimed(bot: Rig) -> tuple[Unlocked, str]:
    run, now = bot.house.runtime, bot.house.clock()
    sanne, _ = bot.house.sign_in("sanne")
    (item,) = run.store.write(handoffs.all_waiting).result()
    run.store.write(lambda tx: confidant.claim(tx, run, sanne, item.id, now)).result()
    settled(bot, 3)
    return sanne, item.id


def test_the_loop_does_it_and_stops_when_told(bot: Rig) -> None:
    _told(bot, "hoi")
    _wish(bot)
    stop = asyncio.Event()
    stop.set()
    bot.run(erase_due(bot.house.runtime, {"telegram": bot.channel}, stop=stop))
    assert _gone(bot) == []


def test_an_edit_to_the_wish_erases_too(bot: Rig) -> None:
    bot.house.confidant("sanne")
    first = bot.api.writes(KID, "hoi")["message"]
    bot.poll()
    bot.api.put(edited_message={**first, "text": "/wis", "edit_date": first["date"] + 2})
    bot.poll()
    bot.erase()
    assert rows(bot.house, message) == []
    assert any("Bij ons is alles nu weg" in text for text in bot.api.texts(KID))


@pytest.mark.parametrize("text", ["wis mijn zusje niet uit", "/wis hij komt eraan", "wissen?"])
def test_other_words_erase_nothing(bot: Rig, text: str) -> None:
    bot.house.confidant("sanne")
    bot.api.writes(KID, text)
    bot.poll()
    who, _ = bot.house.sign_in("sanne")
    assert bot.words(KID, who) == [text]


def test_an_edit_to_the_wish_that_comes_again_leaves_a_newer_chat(bot: Rig) -> None:
    bot.house.confidant("sanne")
    first = bot.api.writes(KID, "hoi")["message"]
    bot.poll()
    update = bot.api.put(edited_message={**first, "text": "/wis", "edit_date": first["date"] + 2})
    bot.poll()
    bot.erase()
    bot.api.writes(KID, "nieuw")
    bot.poll()
    bot.run(bot.updates.take(update))
    restarted = Updates(bot.house.runtime, lambda _: understood(), bot.channel, CITY, bot=BOT)
    bot.run(restarted.take(update))
    who, _ = bot.house.sign_in("sanne")
    assert bot.words(KID, who) == ["nieuw"]


def test_an_edit_to_the_wish_while_an_older_one_waits_deletes_and_answers_too(bot: Rig) -> None:
    bot.house.confidant("sanne")
    first = bot.api.writes(KID, "hoi")["message"]
    bot.poll()
    settled(bot)
    bot.api.fail("deleteMessages", Fault("429", retry_after=600))
    _wish(bot)
    bot.erase()
    new = bot.api.writes(KID, "nieuw")["message"]["message_id"]
    bot.poll()
    settled(bot)
    bot.api.put(edited_message={**first, "text": "/wis", "edit_date": first["date"] + 2})
    bot.poll()
    assert rows(bot.house, message) == []
    bot.house.clock.turn(seconds=700)
    bot.erase()
    bot.house.clock.turn(seconds=10)
    bot.erase()
    assert new in _gone(bot)
    assert len(_farewells(bot)) == 2


def test_a_farewell_that_was_late_is_not_said_into_a_new_chat(bot: Rig) -> None:
    _told(bot, "hoi")
    bot.api.fail("sendMessage", Fault("dropped"))
    _wish(bot)
    bot.erase()
    bot.api.writes(KID, "ik ben bang")
    bot.poll()
    settled(bot)
    bot.house.clock.turn(minutes=2)
    bot.erase()
    assert _farewells(bot) == []
    assert rows(bot.house, deletion) == []


def test_a_wish_without_a_chat_that_comes_again_is_answered_once(bot: Rig) -> None:
    bot.house.confidant("sanne")
    update = bot.api.writes(KID, "/wis")
    bot.poll()
    bot.erase()
    bot.run(bot.updates.take(update))
    bot.erase()
    assert len(_farewells(bot)) == 1


def test_a_parcel_that_lands_after_the_wipe_is_not_taken_for_another_childs(bot: Rig) -> None:
    """SQLite gives the numbers of erased rows out again."""
    bot.house.confidant("sanne")
    bot.api.writes(KID, "hoi")
    bot.poll()
    run = bot.house.runtime
    while len([row for row in rows(bot.house, outbox_table) if row.delivered_at is None]) > 1:
        bot.house.clock.turn(seconds=6)
        for parcel in run.store.write(lambda tx: delivery._lease(tx, run, bot.channel, 1)).result():
            bot.run(delivery._deliver(run, bot.channel, parcel))
    bot.house.clock.turn(seconds=6)
    wish, other = bot.api.writes(KID, "/wis"), bot.api.writes(OTHER, "help")
    pending = [wish, other]

    async def once() -> None:
        while pending:
            await bot.updates.take(pending.pop(0))

    bot.run(deliver_due(run, {"telegram": Meanwhile(bot, once)}))
    settled(bot)
    bot.erase()
    assert len(bot.api.texts(OTHER)) == len(rows(bot.house, outbox_table)), "everything that was noted as said was said"
    farewells = ("alles nu weg", "Telegram haal ik")
    mine = [m for m in bot.api.sent if m.chat_id == KID and not any(farewell in m.text for farewell in farewells)]
    assert set(_gone(bot)) >= {m.message_id for m in mine}, "what landed late was deleted too"
