"""What a waiting child hears, when, and that one child's fault keeps no other child waiting."""

from __future__ import annotations

import asyncio
import secrets

from bot import child
from bot.channels.web.spec import WEBCHAT
from bot.waiting import tell_waiting
from handoff import confidant
from handoff.chats.conversation import Door
from handoff.models import handoff, message
from handoff.publishing import store_published
from handoff.queue.handoffs import all_waiting
from tests.make import CITY, House, first_child, rows, team_id_of


def _utterances(house: House, conversation_id: str) -> list[object]:
    found = [row for row in rows(house, message) if row._mapping["conversation_id"] == conversation_id]
    return [row._mapping["utterance"] for row in sorted(found, key=lambda row: row._mapping["seq"]) if row._mapping["utterance"]]


def _tell(house: House) -> int:
    return asyncio.run(tell_waiting(house.runtime))


def test_after_one_three_and_ten_minutes_and_then_no_more(house: House) -> None:
    house.confidant("sanne")
    chat = first_child(house).conversation_id
    before = len(_utterances(house, chat))
    for _ in range(30):
        house.clock.turn(seconds=30)
        _tell(house)
    assert _utterances(house, chat)[before:] == ["utter_waiting_1", "utter_waiting_3", "utter_waiting_10"]


def test_after_ten_minutes_the_route_turns_to_the_fallback(house: House) -> None:
    house.confidant("sanne")
    first_child(house)
    house.clock.turn(minutes=11)
    _tell(house)
    assert rows(house, handoff)[0]._mapping["step"] == "fallback"


def test_a_child_that_is_given_back_hears_that_and_then_waits_anew(house: House) -> None:
    sanne, run, write = house.confidant("sanne"), house.runtime, house.runtime.store.write
    chat = first_child(house).conversation_id
    item = write(lambda tx: all_waiting(tx)[0].id).result()
    write(lambda tx: confidant.claim(tx, run, sanne, item, house.clock())).result()
    for _ in range(15):
        write(lambda tx: confidant.alive(tx, sanne, house.clock.turn(minutes=2))).result()
    write(lambda tx: confidant.release(tx, run, sanne, item, house.clock())).result()
    assert _tell(house) == 0, "half an hour with a human is not half an hour of waiting"
    house.clock.turn(seconds=70)
    assert _tell(house) == 1
    assert _utterances(house, chat)[-2:] == ["utter_given_back", "utter_waiting_1"]


def test_a_transfer_tells_the_child_that_it_waits_and_then_who_reads(house: House) -> None:
    sanne, noor, token = house.confidant("sanne"), house.confidant("noor"), secrets.token_bytes(32)
    run, write = house.runtime, house.runtime.store.write
    chat = first_child(house, token=token).conversation_id
    item = write(lambda tx: all_waiting(tx)[0].id).result()
    write(lambda tx: confidant.claim(tx, run, sanne, item, house.clock())).result()
    write(lambda tx: confidant.transfer(tx, run, sanne, item, noor.person_id, house.clock())).result()
    assert _utterances(house, chat)[-1] == "utter_given_back"
    write(lambda tx: confidant.claim(tx, run, noor, item, house.clock())).result()
    assert _utterances(house, chat)[-1] == "utter_transferred"
    write(lambda tx: confidant.release(tx, run, noor, item, house.clock())).result()
    write(lambda tx: confidant.claim(tx, run, noor, item, house.clock())).result()
    assert _utterances(house, chat)[-1] == "utter_taken_over", "the same human is not another human"
    seen = write(lambda tx: child.look(tx, run, Door(WEBCHAT, token), house.clock())).result()
    assert seen.confidant == "Noor"


def test_a_route_that_is_gone_silences_nobody(house: House) -> None:
    house.confidant("sanne")
    chats = [first_child(house).conversation_id for _ in range(2)]
    lost = handoff.update().where(handoff.c.conversation_id == chats[0]).values(route="gone")
    house.runtime.store.write(lambda tx: tx.execute(lost).close()).result()
    house.clock.turn(seconds=61)
    assert _tell(house) == 2


def test_one_chat_that_cannot_be_told_keeps_no_other_waiting(house: House) -> None:
    house.confidant("sanne")
    first, second = (first_child(house).conversation_id for _ in range(2))
    broken = message.update().where(message.c.conversation_id == first, message.c.role == "bot").values(variant=99)
    house.runtime.store.write(lambda tx: tx.execute(broken).close()).result()
    house.clock.turn(seconds=61)
    _tell(house)
    assert _utterances(house, second)[-1] == "utter_waiting_1"


def test_words_of_an_older_script_are_judged_by_that_script(house: House) -> None:
    """A child that heard 'a human is there' from an older version hears it when the last human leaves."""
    sanne, run = house.confidant("sanne"), house.runtime
    team = team_id_of(CITY)
    run.store.write(lambda tx: confidant.set_duty(tx, sanne, team, house.clock(), present=True)).result()
    chat = first_child(house).conversation_id
    old = run.configuration
    turned = {name: u.model_copy(update={"variants": u.variants[::-1]}) for name, u in old.script.utterances.items()}
    run.configuration = old.model_copy(update={"script": old.script.model_copy(update={"version": "f" * 16, "utterances": turned})})
    run.store.write(lambda tx: confidant.set_duty(tx, sanne, team, house.clock(), present=False)).result()
    run.store.write(lambda tx: store_published(tx, run)).result()
    assert _tell(house) == 1
    assert _utterances(house, chat)[-1] == "utter_nobody_on_duty"
