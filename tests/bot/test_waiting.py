"""What a waiting child hears, when, and that one child's fault keeps no other child waiting."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace

import pytest
from sqlalchemy import Connection

from bot import child, waiting
from bot.channels.web.spec import WEBCHAT
from bot.upkeep import Upkeep
from bot.waiting import BATCH, tell_waiting
from config.schema import RouteStep
from handoff import confidant
from handoff.accounts.sessions import Unlocked
from handoff.chats.conversation import Door
from handoff.database import open_store
from handoff.models import conversation, conversation_key, handoff
from handoff.publishing import store_published
from handoff.queue import due, handoffs
from handoff.queue.handoffs import Handoff, all_waiting
from handoff.team import people
from tests import make
from tests.make import CITY, House, first_child, names_said, rows, team_id_of


def _tell(house: House) -> int:
    return asyncio.run(tell_waiting(house.runtime))


def test_after_one_three_and_ten_minutes_and_then_no_more(house: House) -> None:
    house.confidant("sanne")
    chat = first_child(house).conversation_id
    before = len(names_said(house, chat))
    for _ in range(30):
        house.clock.turn(seconds=30)
        _tell(house)
    assert names_said(house, chat)[before:] == ["utter_waiting_1", "utter_waiting_3", "utter_waiting_10"]


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
    assert names_said(house, chat)[-2:] == ["utter_given_back", "utter_waiting_1"]


def test_a_transfer_tells_the_child_that_it_waits_and_then_who_reads(house: House) -> None:
    sanne, noor, token = house.confidant("sanne"), house.confidant("noor"), secrets.token_bytes(32)
    run, write = house.runtime, house.runtime.store.write
    chat = first_child(house, token=token).conversation_id
    item = write(lambda tx: all_waiting(tx)[0].id).result()
    write(lambda tx: confidant.claim(tx, run, sanne, item, house.clock())).result()
    write(lambda tx: confidant.transfer(tx, run, sanne, item, noor.person_id, house.clock())).result()
    assert names_said(house, chat)[-1] == "utter_given_back"
    write(lambda tx: confidant.claim(tx, run, noor, item, house.clock())).result()
    assert names_said(house, chat)[-1] == "utter_transferred"
    write(lambda tx: confidant.release(tx, run, noor, item, house.clock())).result()
    write(lambda tx: confidant.claim(tx, run, noor, item, house.clock())).result()
    assert names_said(house, chat)[-1] == "utter_taken_over", "the same human is not another human"
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
    broken = conversation_key.update().where(conversation_key.c.conversation_id == first).values(mac=bytes(32))
    house.runtime.store.write(lambda tx: tx.execute(broken).close()).result()
    house.clock.turn(seconds=61)
    _tell(house)
    assert names_said(house, second)[-1] == "utter_waiting_1"


def test_words_of_an_older_script_are_judged_by_that_script(house: House) -> None:
    """A child that heard 'a human is there' from an older version hears it when the last human leaves."""
    sanne, run = house.confidant("sanne"), house.runtime
    team = team_id_of(CITY)
    run.store.write(lambda tx: confidant.set_duty(tx, run, sanne, team, house.clock(), present=True)).result()
    chat = first_child(house).conversation_id
    old = run.configuration
    turned = {name: u.model_copy(update={"variants": u.variants[::-1]}) for name, u in old.script.utterances.items()}
    run.configuration = old.model_copy(update={"script": old.script.model_copy(update={"version": "f" * 16, "utterances": turned})})
    run.store.write(lambda tx: confidant.set_duty(tx, run, sanne, team, house.clock(), present=False)).result()
    run.store.write(lambda tx: store_published(tx, run)).result()
    assert _tell(house) == 1
    assert names_said(house, chat)[-1] == "utter_nobody_on_duty"


def _duty(house: House, who: Unlocked, *, present: bool) -> None:
    house.runtime.store.write(
        lambda tx: confidant.set_duty(tx, house.runtime, who, team_id_of(who.municipality_id), house.clock(), present=present)
    ).result()


def _item(house: House, conversation_id: str) -> Handoff:
    return house.runtime.store.read(lambda tx: handoffs.last_of(tx, conversation_id)).result()


def test_a_child_that_cannot_be_told_stands_back_and_is_told_when_it_can(house: House) -> None:
    """Its number was lowered behind our back, so that every next message collides with one that is there."""
    house.confidant("sanne")
    chats = [first_child(house).conversation_id for _ in range(3)]
    numbers = {row._mapping["id"]: row._mapping["last_seq"] for row in rows(house, conversation)}

    def number(seq: int) -> None:
        wrong = conversation.update().where(conversation.c.id == chats[0]).values(last_seq=seq)
        house.runtime.store.write(lambda tx: tx.execute(wrong).close()).result()

    number(0)
    house.clock.turn(seconds=61)
    assert _tell(house) == 2
    assert _tell(house) == 0, "not again and again"
    assert _item(house, chats[0]).told_minutes == 0, "noted as told, though it was not said"
    number(numbers[chats[0]])
    house.clock.turn(seconds=31)
    assert _tell(house) == 1
    assert {names_said(house, chat)[-1] for chat in chats} == {"utter_waiting_1"}


def test_a_child_that_cannot_be_told_is_given_back_all_the_same(house: House) -> None:
    """Its confidant vanished, and its next message collides: it waits for another human, though nothing could be said."""
    sanne = house.confidant("sanne")
    chat = first_child(house).conversation_id
    item = _item(house, chat)
    house.runtime.store.write(lambda tx: confidant.claim(tx, house.runtime, sanne, item.id, house.clock())).result()
    wrong = conversation.update().where(conversation.c.id == chat).values(last_seq=0)
    house.runtime.store.write(lambda tx: tx.execute(wrong).close()).result()
    house.clock.turn(minutes=4)
    assert _tell(house) == 0
    assert _item(house, chat).state == "waiting"


def test_several_processes_say_it_once(house: House) -> None:
    house.confidant("sanne")
    chats = [first_child(house).conversation_id for _ in range(2 * BATCH + 5)]
    house.clock.turn(seconds=61)
    stores = [open_store(house.url) for _ in range(3)]

    async def together() -> list[int]:
        return await asyncio.gather(*(tell_waiting(replace(house.runtime, store=store)) for store in stores))

    try:
        told = [*asyncio.run(together()), _tell(house)]
    finally:
        for store in stores:
            store.close()
    assert sum(told) == len(chats)
    assert all(names_said(house, chat).count("utter_waiting_1") == 1 for chat in chats)


def test_a_process_that_dies_before_the_commit_has_said_nothing_and_nothing_is_lost(house: House) -> None:
    house.confidant("sanne")
    chat = first_child(house).conversation_id
    before = names_said(house, chat)
    house.clock.turn(seconds=61)

    def die(tx: Connection) -> None:
        assert waiting._one_batch(tx, house.runtime, due.take_waiting, waiting._look, house.clock()).told == 1
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        house.runtime.store.write(die).result()
    assert names_said(house, chat) == before
    assert _tell(house) == 1
    assert _tell(house) == 0


def test_a_change_of_duty_looks_only_at_those_who_were_told_that_somebody_is_there(house: House) -> None:
    sanne, olga = house.confidant("sanne"), house.confidant("olga", "elders")
    unlucky = first_child(house).conversation_id
    _duty(house, sanne, present=True)
    _duty(house, olga, present=True)
    hopeful = first_child(house).conversation_id
    _duty(house, sanne, present=False)
    planned = _item(house, unlucky)
    assert house.runtime.store.write(lambda tx: due.hope_ended(tx, planned.team_id, house.clock())).result() == 1
    assert house.runtime.store.read(lambda tx: due.take_waiting(tx, house.clock(), 9)).result() == [_item(house, hopeful).id]
    assert _tell(house) == 1
    assert _item(house, unlucky) == planned
    assert names_said(house, hopeful)[-1] == "utter_nobody_on_duty"


@pytest.mark.parametrize("how", ["ends", "falls silent", "is disabled"])
def test_a_running_loop_hears_of_every_way_in_which_the_last_human_leaves(house: House, how: str) -> None:
    sanne = house.confidant("sanne")
    _duty(house, sanne, present=True)
    chat, upkeep = first_child(house).conversation_id, Upkeep(house.runtime, lambda: house.clock().timestamp())
    assert asyncio.run(upkeep.tell_waiting()) == 0
    house.clock.turn(seconds=1)
    if how == "ends":
        _duty(house, sanne, present=False)
    elif how == "is disabled":
        house.runtime.store.write(lambda tx: people.disable(tx, house.runtime.vault, login="sanne", now=house.clock())).result()
    for _ in range(20):
        asyncio.run(upkeep.tell_waiting())
        house.clock.turn(seconds=4)
    assert names_said(house, chat).count("utter_nobody_on_duty") == 1
    assert all(row._mapping["told_on_duty"] is False for row in rows(house, handoff))


def test_a_turn_that_commits_after_the_last_human_left_raises_no_hope_that_stays(house: House) -> None:
    """It read that somebody is there, wrote so, and its commit came a second after the shift had ended."""
    sanne, upkeep = house.confidant("sanne"), Upkeep(house.runtime, lambda: house.clock().timestamp())
    _duty(house, sanne, present=True)
    asyncio.run(upkeep.tell_waiting())
    _duty(house, sanne, present=False)
    for _ in range(3):
        house.clock.turn(seconds=1)
        asyncio.run(upkeep.tell_waiting())
    chat = first_child(house).conversation_id
    late = handoff.update().where(handoff.c.conversation_id == chat).values(told_on_duty=True)
    house.runtime.store.write(lambda tx: tx.execute(late).close()).result()
    house.clock.turn(seconds=1)
    assert asyncio.run(upkeep.tell_waiting()) == 1
    assert names_said(house, chat)[-1] == "utter_nobody_on_duty"


def test_what_happened_while_no_loop_ran_is_made_up_for_at_the_start(house: House) -> None:
    sanne = house.confidant("sanne")
    _duty(house, sanne, present=True)
    chat = first_child(house).conversation_id
    _duty(house, sanne, present=False)
    told = handoff.update().values(told_minutes=10, due_at=None)
    house.runtime.store.write(lambda tx: tx.execute(told).close()).result()
    house.clock.turn(hours=2)
    assert asyncio.run(Upkeep(house.runtime).tell_waiting()) == 1
    assert names_said(house, chat)[-1] == "utter_nobody_on_duty"


def test_a_route_that_became_quicker_counts_for_those_who_wait_already(house: House) -> None:
    house.confidant("sanne")
    chat, upkeep = first_child(house).conversation_id, Upkeep(house.runtime, lambda: house.clock().timestamp())
    asyncio.run(upkeep.tell_waiting())
    old = house.runtime.configuration
    steps = (RouteStep(to="team", after_minutes=0), RouteStep(to="fallback", after_minutes=2))
    routes = {name: route.model_copy(update={"steps": steps}) for name, route in old.routes.items()}
    house.runtime.configuration = old.model_copy(update={"routes": routes})
    asyncio.run(upkeep.tell_waiting())
    for step, minutes in (("team", 1.9), ("fallback", 0.2)):
        house.clock.turn(minutes=minutes)
        asyncio.run(upkeep.tell_waiting())
        assert _item(house, chat).step == step


def test_when_all_is_said_nothing_is_planned_any_more(house: House) -> None:
    house.confidant("sanne")
    chat = first_child(house).conversation_id
    looks = []
    while (at := _item(house, chat).due_at) is not None:
        looks.append((at - make.NOON).total_seconds() / 60)
        house.clock.now = at
        _tell(house)
    assert looks == [1, 3, 10]
    assert _item(house, chat).step == "fallback"
