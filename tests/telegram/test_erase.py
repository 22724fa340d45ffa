"""/wis: gone here at once, deleted at Telegram as far as Telegram allows, the rest said honestly; and a new start is possible."""

from __future__ import annotations

import pytest

from handoff.models import conversation, erased, handoff, key_wrap, message, outbox
from tests.make import CITY, rows
from tests.telegram.bot_api import Fault
from tests.telegram.rig import Rig

KID = 4_512_345_678


@pytest.mark.parametrize(
    "asked", ["/wis", "wis", "Wis alles", "/wis@praat_test_bot", "wis.", "/wis.", "Wis alles.", "WIS!", "/wis alles"]
)
def test_nothing_is_left_here_and_what_can_be_deleted_there_is(bot_on_both: Rig, asked: str) -> None:
    bot = bot_on_both
    bot.house.confidant("sanne")
    told = bot.api.writes(KID, "/start")["message"]["message_id"], bot.api.writes(KID, "hoi")["message"]["message_id"]
    bot.poll()
    bot.house.clock.turn(seconds=9)
    bot.deliver()
    sent = [m.message_id for m in bot.api.sent]
    assert sent
    wish = bot.api.writes(KID, asked)["message"]["message_id"]
    bot.poll()
    for table in (conversation, message, outbox, handoff, key_wrap):
        assert rows(bot.house, table) == [], table.name
    assert sorted(bot.api.deleted) == sorted((KID, i) for i in (*told, *sent, wish))
    stopped, leftover = bot.api.texts(KID)[-2:]
    assert "Bij ons is alles nu weg" in stopped
    assert "0800-0432" in stopped
    assert "Telegram kan zelf nog iets bewaren" in leftover
    (mark,) = rows(bot.house, erased)
    assert str(KID).encode() not in repr(mark).encode()


def test_only_what_telegram_still_deletes_is_asked(bot: Rig) -> None:
    bot.house.confidant("sanne")
    bot.api.writes(KID, "oud")
    bot.poll()
    bot.deliver()
    bot.house.clock.turn(hours=49)
    new = bot.api.writes(KID, "nieuw")["message"]["message_id"]
    bot.poll()
    wish = bot.api.writes(KID, "/wis")["message"]["message_id"]
    bot.poll()
    assert sorted(bot.api.deleted) == [(KID, new), (KID, wish)]


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
    bot.api.writes(KID, f"/start {CITY}")
    bot.api.writes(KID, "nog iets")
    bot.poll()
    bot.run(bot.updates.take(wish))
    who, _ = bot.house.sign_in("sanne")
    assert bot.words(KID, who) == ["/start", "nog iets"], "the old wish does not erase what came after it"
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
    bot.api.writes(KID, "/wis")
    assert bot.poll() == 2
    assert rows(bot.house, message) == []


def test_erasing_what_was_never_there_is_answered_too(bot: Rig) -> None:
    bot.api.writes(KID, "/wis")
    bot.poll()
    assert "weg" in bot.api.texts(KID)[0]


def test_an_edit_to_the_wish_erases_too(bot: Rig) -> None:
    bot.house.confidant("sanne")
    first = bot.api.writes(KID, "hoi")["message"]
    bot.poll()
    bot.api.put(edited_message={**first, "text": "/wis", "edit_date": first["date"] + 2})
    bot.poll()
    assert rows(bot.house, message) == []
    assert any("Bij ons is alles nu weg" in text for text in bot.api.texts(KID))


@pytest.mark.parametrize("text", ["wis mijn zusje niet uit", "/wis hij komt eraan", "wissen?"])
def test_other_words_erase_nothing(bot: Rig, text: str) -> None:
    bot.house.confidant("sanne")
    bot.api.writes(KID, text)
    bot.poll()
    who, _ = bot.house.sign_in("sanne")
    assert bot.words(KID, who) == [text]
