"""The eight promises of the house, one by one, on both databases. Each of these tests was seen to fail with its promise broken."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime
from functools import partial

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from bot import child
from bot.channels.channel import DeliveryFailed
from bot.channels.web.spec import WEBCHAT
from bot.delivery import deliver_due
from bot.message import Incoming
from bot.turn import pressed, take_turn
from bot.waiting import tell_waiting
from config.intents import FALLBACK, INTENTS, URGENCY_OF, Urgency
from handoff import confidant, keys
from handoff.accounts.sessions import Unlocked
from handoff.chats.conversation import Door
from handoff.crypto import ChildKey
from handoff.errors import Denied, NotFound
from handoff.models import handoff, message, outbox
from handoff.queue import handoffs
from nlu.understanding import Understanding
from tests.fakes import FakeChannel
from tests.make import CITY, House, incoming, look, names_said, rows, said, team_id_of, understood

NIGHT = datetime(2026, 11, 26, 2, 0, tzinfo=UTC)


def _first(house: House, understanding: Understanding, text: str = "hoi") -> child.Snapshot:
    token = secrets.token_bytes(32)
    return _say(house, token, understanding, text, "m1")


def _say(house: House, token: bytes, understanding: Understanding, text: str, external_id: str) -> child.Snapshot:
    message_in = incoming(text, token=token, external_id=external_id)
    return house.runtime.store.write(lambda tx: child.send(tx, house.runtime, message_in, understanding, house.clock())).result()


def _duty(house: House, who: Unlocked, *, present: bool) -> None:
    team_id, now = team_id_of(CITY), house.clock()
    house.runtime.store.write(lambda tx: confidant.set_duty(tx, house.runtime, who, team_id, now, present=present)).result()


ALL = [understood(intent) for intent in (*INTENTS, FALLBACK)]
STRANGE = [Understanding("greet", 0.9, Urgency.NORMAL, language) for language in ("en", "tr", "ar", "pl", "uk", "fa", "ti")]


def test_1_every_first_reply_names_both_numbers_by_day_and_night(sqlite_house: House) -> None:
    sqlite_house.confidant("sanne")
    for at in (sqlite_house.clock.now, NIGHT):
        sqlite_house.clock.now = at
        for understanding in ALL + STRANGE:
            for text in ("hoi", ""):
                words = " ".join(line.text for line in _first(sqlite_house, understanding, text).lines)
                assert "112" in words, understanding
                assert "0800-0432" in words, understanding


def test_2_the_first_message_opens_a_handoff_whatever_it_is(house: House) -> None:
    house.confidant("sanne")
    for understanding in ALL + STRANGE:
        assert _first(house, understanding).state == "waiting"
    assert len(rows(house, handoff)) == len(ALL + STRANGE)


def test_2_the_handoff_and_the_words_are_one_transaction(house: House) -> None:
    """When the handoff cannot be stored, neither are the words: nobody thinks that somebody is coming."""
    house.confidant("sanne")
    house.runtime.store.write(lambda tx: tx.exec_driver_sql("ALTER TABLE handoff RENAME TO handoff_gone").close()).result()
    with pytest.raises(Exception):  # noqa: B017, PT011 - each database has its own; that it fails is the point
        _first(house, understood("disclose_neglect"))
    house.runtime.store.write(lambda tx: tx.exec_driver_sql("ALTER TABLE handoff_gone RENAME TO handoff").close()).result()
    assert rows(house, message) == []


def test_3_the_database_refuses_free_text_from_the_bot(house: House) -> None:
    house.confidant("sanne")
    _first(house, understood())
    where = rows(house, message)[0]._mapping["conversation_id"]
    values = {"conversation_id": where, "seq": 99, "role": "bot", "mac": b"x", "created_at": house.clock()}
    version = {"script_version": house.runtime.configuration.script.version}
    whole = {"sealed": bytes(21), "key_no": 1, **version}
    faults: tuple[dict[str, object], ...] = (
        {"sealed": b"Het komt goed.", "key_no": 1},
        {"sealed": b"Het komt helemaal goed met je, beloofd.", "key_no": 1, **version},
        *({**whole, "sealed": bytes(length)} for length in (0, 20, 22, 256, 1140, 1142)),
        {**whole, "sealed_reading": b"x"},
        {**whole, "external_id": "Het komt goed."},
        {**version, "key_no": 1},
        {},
    )
    for extra in faults:
        statement = message.insert().values(**values, **extra)
        with pytest.raises(IntegrityError):
            house.runtime.store.write(partial(sa.Connection.execute, statement=statement)).result()


def test_3_a_bot_message_that_somebody_changed_in_the_database_is_not_shown(house: House) -> None:
    house.confidant("sanne")
    token = secrets.token_bytes(32)
    _say(house, token, understood(), "hoi", "m1")
    other = sa.select(message.c.sealed).where(message.c.seq == 2).scalar_subquery()
    swap = message.update().where(message.c.seq == 3).values(sealed=other)
    house.runtime.store.write(lambda tx: tx.execute(swap)).result()
    with pytest.raises(Denied):
        house.runtime.store.write(lambda tx: child.look(tx, house.runtime, Door(WEBCHAT, token), house.clock())).result()


def test_4_the_bot_says_nothing_while_a_human_has_the_chat(house: House) -> None:
    sanne, token = house.confidant("sanne"), secrets.token_bytes(32)
    run, write = house.runtime, house.runtime.store.write
    _say(house, token, understood(), "hoi", "m0")
    item = write(lambda tx: handoffs.all_waiting(tx)[0].id).result()
    write(lambda tx: confidant.claim(tx, run, sanne, item, house.clock())).result()
    before = sum(row._mapping["role"] == "bot" for row in rows(house, message))
    for number, understanding in enumerate(ALL + STRANGE, start=1):
        _say(house, token, understanding, "nog iets", f"m{number}")
        write(lambda tx: confidant.alive(tx, sanne, house.clock.turn(minutes=1))).result()
        asyncio.run(tell_waiting(run))
    assert sum(row._mapping["role"] == "bot" for row in rows(house, message)) == before
    write(lambda tx: confidant.release(tx, run, sanne, item, house.clock())).result()
    assert [line.role for line in _say(house, token, understood(), "hallo?", "m99").lines][-1] == "bot"


def test_5_nothing_is_said_about_people_that_is_not_so(house: House) -> None:
    """Every sentence that was sent carried conditions that were true at that moment, with and without somebody on duty."""
    sanne = house.confidant("sanne")
    for there in (False, True, False):
        _duty(house, sanne, present=there)
        known = {row._mapping["conversation_id"] for row in rows(house, message)}
        for understanding in ALL:
            _first(house, understanding)
        for chat in {row._mapping["conversation_id"] for row in rows(house, message)} - known:
            assert all(sentence.says_on_duty in (there, None) for sentence in said(house, chat))


def test_5_a_console_that_went_silent_is_nobody(house: House) -> None:
    _duty(house, house.confidant("sanne"), present=True)
    assert _first(house, understood()).on_duty is True
    house.clock.turn(seconds=80)
    assert _first(house, understood()).on_duty is False


def test_5_a_waiting_child_hears_when_the_last_human_left(house: House) -> None:
    sanne, token = house.confidant("sanne"), secrets.token_bytes(32)
    _duty(house, sanne, present=True)
    chat = _say(house, token, understood(), "hoi", "m1").conversation_id
    _duty(house, sanne, present=False)
    assert asyncio.run(tell_waiting(house.runtime)) == 1
    assert asyncio.run(tell_waiting(house.runtime)) == 0, "said twice"
    assert names_said(house, chat)[-1] == "utter_nobody_on_duty"


def test_6_only_the_team_opens_the_words(house: House) -> None:
    sanne, olga, token = house.confidant("sanne"), house.confidant("olga", "elders"), secrets.token_bytes(32)
    chat = _say(house, token, understood(), "hoi", "m1").conversation_id

    def read(who: Unlocked | ChildKey) -> list[keys.OpenedMessage]:
        return house.runtime.store.read(lambda tx: keys.open_conversation(tx, house.runtime.vault, chat, who)).result()

    assert read(sanne)[0].text == "hoi"
    with pytest.raises(Denied):
        read(olga)
    with pytest.raises(Denied):
        read(house.runtime.vault.child_key(secrets.token_bytes(32)))


def test_7_a_vanished_confidant_loses_the_child_to_the_queue(house: House) -> None:
    sanne, token = house.confidant("sanne"), secrets.token_bytes(32)
    run, write = house.runtime, house.runtime.store.write
    chat = _say(house, token, understood(), "hoi", "m1").conversation_id
    item = write(lambda tx: handoffs.all_waiting(tx)[0].id).result()
    write(lambda tx: confidant.claim(tx, run, sanne, item, house.clock())).result()
    house.clock.turn(minutes=2)
    asyncio.run(tell_waiting(run))
    assert write(lambda tx: handoffs.get(tx, item).state).result() == "claimed"
    house.clock.turn(minutes=2)
    asyncio.run(tell_waiting(run))
    assert write(lambda tx: handoffs.get(tx, item).state).result() == "waiting"
    assert names_said(house, chat)[-1] in {"utter_given_back", "utter_waiting_3"}
    with pytest.raises(NotFound):
        write(lambda tx: look(tx, run, sanne, item, house.clock())).result()


def test_7_delivery_keeps_order_repeats_what_failed_and_wipes_what_arrived(house: House) -> None:
    sanne, address = house.confidant("sanne"), b"chat 17"
    run, write = house.runtime, house.runtime.store.write
    first = Incoming("telegram", CITY, address, "u1", "hoi", address=address)
    write(lambda tx: take_turn(tx, run, first, understood(), house.clock())).result()
    item = write(lambda tx: handoffs.all_waiting(tx)[0].id).result()
    write(lambda tx: confidant.claim(tx, run, sanne, item, house.clock())).result()
    for n in range(3):
        now = house.clock()
        write(
            partial(confidant.write, runtime=run, who=sanne, handoff_id=item, external_id=f"c{n}", text=f"woord {n}", now=now)
        ).result()
    channel = FakeChannel(
        faults=[DeliveryFailed("network", permanent=False), DeliveryFailed("slow", permanent=False, retry_after=90)]
    )
    for _ in range(40):
        asyncio.run(deliver_due(run, {"telegram": channel}))
        house.clock.turn(seconds=20)
    texts = channel.texts(address)
    assert texts[-3:] == ["woord 0", "woord 1", "woord 2"]
    assert len(texts) == len(set(texts)) == 6, (
        "the bot's two, the takeover, the human's three: each once; what it said of waiting is past"
    )
    assert all(row._mapping["sealed"] is None and row._mapping["delivered_at"] for row in rows(house, outbox))


def test_7_a_channel_that_is_gone_for_good_is_shown_to_the_confidant(house: House) -> None:
    sanne, run, write = house.confidant("sanne"), house.runtime, house.runtime.store.write
    first = Incoming("telegram", CITY, b"chat 18", "u1", "hoi", address=b"chat 18")
    write(lambda tx: take_turn(tx, run, first, understood(), house.clock())).result()
    blocked = FakeChannel(faults=[DeliveryFailed("blocked", permanent=True)] * 9)
    for _ in range(9):
        asyncio.run(deliver_due(run, {"telegram": blocked}))
    item = write(lambda tx: handoffs.all_waiting(tx)[0].id).result()
    write(lambda tx: confidant.claim(tx, run, sanne, item, house.clock())).result()
    opened = write(lambda tx: look(tx, run, sanne, item, house.clock())).result()
    assert "failed" in set(opened.states.values())
    assert all(row._mapping["sealed"] is None for row in rows(house, outbox) if row._mapping["failed_at"])


def test_8_a_quick_reply_lowers_nothing(house: House) -> None:
    alarmed = Understanding("acute_danger", 0.9, Urgency.ACUTE, "nl")
    heard = pressed(alarmed, house.runtime.configuration.script, "Ik wil een mens")
    assert (heard.intent, heard.urgency) == ("ask_human", Urgency.ACUTE)


def test_8_an_alarm_is_raised_by_any_message_and_lowered_by_none(house: House) -> None:
    house.confidant("sanne")
    token, loudest = secrets.token_bytes(32), Urgency.NORMAL
    for number, intent in enumerate(("greet", "disclose_neglect", "greet", "acute_danger", "deny", "insult_or_prank", "greet")):
        _say(house, token, understood(intent), "iets", f"m{number}")
        loudest = max(loudest, URGENCY_OF[intent])
        (item,) = rows(house, handoff)
        assert item._mapping["urgency"] == loudest
