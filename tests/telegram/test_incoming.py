"""What comes in: every kind has its own answer, the same thing twice is one, and trouble of ours is told with numbers."""

from __future__ import annotations

from typing import Any

import pytest

from bot.channels.telegram.parse import NOTES, parse_update
from bot.channels.telegram.updates import Updates
from handoff.models import message
from handoff.queue import handoffs
from nlu.understanding import Understanding
from tests.make import CITY, rows, understood
from tests.telegram.bot_api import BotApi, Fault
from tests.telegram.rig import Rig, rig

KID = 4_512_345_678
GROUP = -1_001_234_567_890


def _only(bot: Rig, **content: Any) -> None:
    """One child, one update that is no text, after it pressed start."""
    bot.house.confidant("sanne")
    bot.api.writes(KID, f"/start {CITY}")
    bot.api.writes(KID, **content)
    bot.poll()
    bot.house.clock.turn(seconds=20)
    bot.deliver()
    bot.house.clock.turn(seconds=20)
    bot.deliver()


@pytest.mark.parametrize("kind", [*NOTES, "hologram"])
def test_what_is_no_text_gets_a_kind_sentence_and_is_not_kept(bot: Rig, kind: str) -> None:
    _only(bot, **{kind: {"file_id": "geheim-bestand", "phone_number": "0612345678", "latitude": 52.1}})
    who, _ = bot.house.sign_in("sanne")
    note = bot.words(KID, who)[1]
    assert note == f"[{NOTES.get(kind, ('', 'iets anders dan woorden'))[1]}: niet bewaard]"
    assert "Typen mag wel." in bot.api.texts(KID)[3]


def test_the_words_under_a_picture_are_words(bot: Rig) -> None:
    _only(bot, photo=[{"file_id": "x"}], caption="dit deed hij")
    who, _ = bot.house.sign_in("sanne")
    assert bot.words(KID, who)[1] == "dit deed hij\n[foto: niet bewaard]"


def test_a_picture_as_the_first_thing_opens_a_handoff_too(bot: Rig) -> None:
    bot.house.confidant("sanne")
    bot.api.writes(KID, photo=[{"file_id": "x"}])
    bot.poll()
    assert len(bot.house.runtime.store.read(handoffs.all_waiting).result()) == 1


def test_an_edited_message_is_said_anew_and_an_edit_of_anything_else_is_nothing(bot: Rig) -> None:
    bot.house.confidant("sanne")
    first = bot.api.writes(KID, "hoi")["message"]
    changed = {**first, "text": "ik ben bang", "edit_date": first["date"] + 5}
    bot.api.put(edited_message=changed)
    bot.api.put(edited_message=changed)
    bot.api.put(edited_message={**first, "text": None, "location": {"latitude": 1.0}, "edit_date": first["date"] + 9})
    bot.poll()
    who, _ = bot.house.sign_in("sanne")
    assert bot.words(KID, who) == ["hoi", "[aangepast] ik ben bang"]


def test_the_same_update_twice_and_out_of_order_is_one_message(bot: Rig) -> None:
    bot.house.confidant("sanne")
    updates = [bot.api.writes(KID, f"bericht {i}") for i in range(3)]
    for update in (updates[1], updates[0], updates[1], updates[2], updates[0], updates[2]):
        bot.run(bot.updates.take(update))
    who, _ = bot.house.sign_in("sanne")
    assert bot.words(KID, who) == ["bericht 1", "bericht 0", "bericht 2"]
    assert bot.poll() == 3
    assert len(bot.words(KID, who)) == 3


@pytest.mark.parametrize(
    "content",
    [
        {"channel_post": {"message_id": 1, "chat": {"id": GROUP, "type": "channel"}, "text": "nieuws"}},
        {"message": {"message_id": 1, "chat": {"id": GROUP, "type": "supergroup"}, "text": "/start"}},
        {"my_chat_member": {"chat": {"id": GROUP, "type": "group"}, "new_chat_member": {"status": "member"}}},
    ],
)
def test_a_group_is_left_politely_and_nothing_of_it_is_kept(bot: Rig, content: dict[str, Any]) -> None:
    bot.api.groups.add(GROUP)
    bot.api.put(**content)
    bot.poll()
    assert bot.api.left == [GROUP]
    assert "0800-0432" in bot.api.texts(GROUP)[0]
    assert bot.chat(GROUP) is None


def test_a_group_that_could_not_be_left_is_left_at_its_next_message(bot: Rig) -> None:
    bot.api.groups.add(GROUP)
    bot.api.fail("leaveChat", Fault("500"))
    for i in range(1, 4):
        bot.api.put(message={"message_id": i, "chat": {"id": GROUP, "type": "group"}, "text": "hoi"})
    bot.poll()
    assert bot.api.left == [GROUP], "and once is enough"


def test_a_group_that_refuses_us_does_not_stop_anything(bot: Rig) -> None:
    bot.house.confidant("sanne")
    bot.api.put(my_chat_member={"chat": {"id": GROUP, "type": "group"}, "new_chat_member": {"status": "administrator"}})
    bot.api.put(my_chat_member={"chat": {"id": GROUP, "type": "group"}, "new_chat_member": {"status": "kicked"}})
    bot.api.put(message={"message_id": 1, "chat": {"id": GROUP, "type": "group"}, "left_chat_member": {"id": 7}})
    bot.api.writes(KID, "hoi")
    assert bot.poll() == 4
    assert bot.chat(KID) is not None


def test_a_pressed_button_ends_its_waiting_sign_and_is_nothing_else(bot: Rig) -> None:
    bot.api.put(callback_query={"id": "4382bfdwdsb323b2d9", "from": {"id": KID}, "data": "x"})
    bot.api.put(callback_query={"id": "too-old", "from": {"id": KID}, "data": "x"})
    assert bot.poll() == 2
    assert bot.api.answered == ["4382bfdwdsb323b2d9"]
    assert bot.chat(KID) is None


@pytest.mark.parametrize(
    "update",
    [
        None, [], "x", 7, {}, {"update_id": True}, {"update_id": 1, "message": []}, {"update_id": 1, "message": {"chat": 5}},
        {"update_id": 1, "message": {"chat": {"id": "5", "type": "private"}, "message_id": 4, "text": "hoi"}},
        {"update_id": 1, "message": {"chat": {"id": 5, "type": "private"}, "message_id": 2**60, "text": "hoi"}},
        {"update_id": 1, "message": {"chat": {"id": 5, "type": "private"}, "message_id": 4, "from": {"is_bot": True}, "text": "x"}},
        {"update_id": 1, "message": {"chat": {"id": 5, "type": "private"}, "message_id": 4, "pinned_message": {}}},
        {"update_id": 1, "message_reaction": {"chat": {"id": 5, "type": "private"}}},
        {"update_id": 1, "poll_answer": {}}, {"update_id": 1, "something_of_2031": {"chat": {"id": 5}}},
        {"update_id": 1, "my_chat_member": {"chat": {"id": 5, "type": "private"}, "new_chat_member": {"status": "kicked"}}},
    ],
)  # fmt: skip
def test_what_means_nothing_is_nothing(bot: Rig, update: object) -> None:
    assert parse_update(update) is None
    bot.run(bot.updates.take(update))
    assert bot.api.calls == []


def test_commands_and_their_plain_words(bot: Rig) -> None:
    bot.house.confidant("sanne")
    for text in (f"/start {CITY}", "/help", "/stop", "stop", "/start", "/onbekend", "help"):
        bot.api.writes(KID, text)
    bot.poll()
    for _ in range(20):
        bot.house.clock.turn(seconds=5)
        bot.deliver()
    said = bot.api.texts(KID)
    assert any("/wis" in text and "/stop" in text for text in said)
    assert sum("Wil je alles weg hebben, typ dan /wis." in text or "Met /wis gaat" in text for text in said) >= 1
    assert not any("Wis alles" in text or "Snel weg" in text for text in said), "our page's buttons are not here"
    who, _ = bot.house.sign_in("sanne")
    assert bot.words(KID, who) == ["/start", "/help", "/stop", "stop", "/start", "/onbekend", "help"]


def test_half_an_emoji_is_kept_exactly(bot: Rig) -> None:
    bot.house.confidant("sanne")
    bot.run(bot.updates.take({"update_id": 1, "message": {**bot.api.message(KID), "text": "au \ud83d"}}))
    who, _ = bot.house.sign_in("sanne")
    assert bot.words(KID, who) == ["au \ud83d"]


def test_with_the_store_down_nothing_is_confirmed_and_the_numbers_are_told_once(bot: Rig) -> None:
    bot.house.confidant("sanne")
    bot.api.writes(KID, "hoi")
    bot.api.writes(KID, "ben je er")
    path = bot.house.folder / "praat.db"
    path.rename(path.with_suffix(".away"))
    for _ in range(3):
        with pytest.raises(Exception, match="the store is unavailable"):
            bot.poll()
    assert bot.api.confirmed == 0
    (told,) = bot.api.texts(KID)
    assert "112" in told
    assert "0800-0432" in told
    path.with_suffix(".away").rename(path)
    bot.poll()
    who, _ = bot.house.sign_in("sanne")
    assert bot.words(KID, who) == ["hoi", "ben je er"], "Telegram kept it for us"


def test_a_reader_that_breaks_does_not_stop_the_handoff(sqlite_house: Any) -> None:
    def broken(_: str) -> Understanding:
        raise RuntimeError("model")

    with rig(sqlite_house, understand=broken) as bot:
        bot.house.confidant("sanne")
        bot.api.writes(KID, "hoi")
        bot.poll()
        assert len(bot.house.runtime.store.read(handoffs.all_waiting).result()) == 1


def test_danger_is_raised_from_words_also_here(sqlite_house: Any) -> None:
    with rig(sqlite_house, understand=lambda _: understood("acute_danger")) as bot:
        bot.house.confidant("sanne")
        bot.api.writes(KID, "hij heeft een mes")
        bot.poll()
        (item,) = bot.house.runtime.store.read(handoffs.all_waiting).result()
        assert item.urgency == 2
        bot.deliver()
        assert "112" in bot.api.texts(KID)[0]


def test_the_server_of_these_tests_refuses_what_telegram_refuses() -> None:
    """The positive control: a server that takes everything proves nothing."""
    api = BotApi()
    api.chats.add(KID)
    for given in ({"chat_id": KID, "text": ""}, {"chat_id": KID, "text": "x" * 4097}, {"chat_id": 5, "text": "x"}, {"text": "x"}):
        with pytest.raises(Exception, match="Bad Request"):
            api._sendmessage(given)


@pytest.mark.parametrize(
    ("text", "kept"),
    [("/start doodsbang", "doodsbang"), ("/start hij slaat me!", "hij slaat me!"), ("/help mij", "/help mij"), ("begin", "/start")],
)
def test_words_behind_a_command_are_the_childs_own(sqlite_house: Any, text: str, kept: str) -> None:
    read_for_danger: list[str] = []

    def listening(words: str) -> Understanding:
        read_for_danger.append(words)
        return understood("vague_distress")

    with rig(sqlite_house, understand=listening) as bot:
        bot.house.confidant("sanne")
        bot.api.writes(KID, text)
        bot.poll()
        who, _ = bot.house.sign_in("sanne")
        assert bot.words(KID, who) == [kept]
        assert read_for_danger == ([] if kept == "/start" else [kept])


def test_the_code_of_a_sticker_that_still_hangs_is_no_word(bot: Rig) -> None:
    known = dict(bot.house.runtime.configuration.municipalities)
    known["elders"] = known["elders"].model_copy(update={"retired_on": bot.house.clock().date()})
    bot.house.runtime.configuration = bot.house.runtime.configuration.model_copy(update={"municipalities": known})
    bot.house.confidant("sanne")
    bot.api.writes(KID, "/start elders")
    bot.poll()
    who, _ = bot.house.sign_in("sanne")
    assert bot.words(KID, who) == ["/start"]


@pytest.mark.parametrize("kind", ["photo", "voice", "document"])
@pytest.mark.parametrize("before", [(), ("hoi",)])
def test_danger_under_a_picture_is_answered_as_danger(sqlite_house: Any, kind: str, before: tuple[str, ...]) -> None:
    def reading(text: str) -> Understanding:
        return understood("acute_danger" if "mes" in text else "greet")

    with rig(sqlite_house, understand=reading) as bot:
        bot.house.confidant("sanne")
        for text in before:
            bot.api.writes(KID, text)
        bot.poll()
        bot.settle()
        content: dict[str, Any] = {kind: {"file_id": "x"}, "caption": "hij heeft een mes"}
        bot.api.writes(KID, **content)
        bot.poll()
        seen = len(bot.api.texts(KID))
        bot.settle()
        said = bot.api.texts(KID)[seen:]
        assert "112" in said[0]
        assert not any("Typen mag wel" in text for text in said)


def test_danger_in_a_command_is_answered_as_danger(sqlite_house: Any) -> None:
    with rig(sqlite_house, understand=lambda _: understood("acute_danger")) as bot:
        bot.house.confidant("sanne")
        bot.api.writes(KID, "/help")
        bot.poll()
        bot.settle()
        assert "/wis" not in bot.api.texts(KID)[0]
        assert "112" in bot.api.texts(KID)[0]


def test_two_edits_in_one_second_are_two_and_the_same_one_twice_is_one(bot: Rig) -> None:
    bot.house.confidant("sanne")
    first = bot.api.writes(KID, "hoi")["message"]
    edits = [bot.api.put(edited_message={**first, "text": text, "edit_date": first["date"] + 1}) for text in ("a", "b")]
    bot.poll()
    for edit in edits:
        bot.run(bot.updates.take(edit))
    who, _ = bot.house.sign_in("sanne")
    assert bot.words(KID, who) == ["hoi", "[aangepast] a", "[aangepast] b"]


def test_an_edit_that_changed_no_word_is_nothing(bot: Rig) -> None:
    bot.house.confidant("sanne")
    first = bot.api.writes(KID, "kijk https://voorbeeld.nl")["message"]
    bot.poll()
    bot.settle()
    before = len(bot.api.texts(KID))
    bot.api.put(edited_message={**first, "link_preview_options": {}, "edit_date": first["date"] + 1})
    bot.poll()
    bot.settle()
    who, _ = bot.house.sign_in("sanne")
    assert bot.words(KID, who) == ["kijk https://voorbeeld.nl"]
    assert len(bot.api.texts(KID)) == before


def test_no_text_is_kept_in_the_clear_to_know_an_edit_by(bot: Rig) -> None:
    bot.house.confidant("sanne")
    first = bot.api.writes(KID, "hoi")["message"]
    bot.api.put(edited_message={**first, "text": "kanariezang", "edit_date": first["date"] + 1})
    bot.poll()
    assert [row.external_id for row in rows(bot.house, message) if row.role == "child"] == [
        f"m{first['message_id']}", f"e{first['message_id']}.500002",
    ]  # fmt: skip
    assert "kanariezang" not in repr(bot.updates._recent.__dict__)


def test_another_bot_on_the_same_database_loses_no_words(sqlite_house: Any) -> None:
    sqlite_house.confidant("sanne")
    with rig(sqlite_house) as bot:
        for text in ("oud", "/wis", "een"):
            bot.api.writes(KID, text)
        bot.poll()
        updates = Updates(sqlite_house.runtime, lambda _: understood(), bot.channel, CITY, bot="8899")
        bot.api._message_id = 100  # another bot counts anew
        for text in ("help", "help mij", "hoor je mij"):
            bot.run(updates.take(bot.api.writes(KID, text)))
        who, _ = sqlite_house.sign_in("sanne")
        assert bot.words(KID, who) == ["een"]
        assert bot.words(KID, who, bot="8899") == ["help", "help mij", "hoor je mij"]
        before = len(bot.api.texts(KID))
        bot.settle()
        assert len(bot.api.texts(KID)) > before, "the address is still the chat's own"
