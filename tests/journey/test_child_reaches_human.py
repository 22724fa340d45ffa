"""The main job on both databases: a child writes, the bot answers, a human takes over, words go both ways, it ends."""

from __future__ import annotations

import secrets
from datetime import datetime

import pytest
from sqlalchemy import Connection

from bot import child
from bot.channels.web.spec import WEBCHAT
from bot.child import Snapshot
from handoff import confidant
from handoff.accounts.sessions import Unlocked
from handoff.chats.conversation import Door
from handoff.errors import Conflict, NotFound
from handoff.queue import handoffs
from handoff.queue.handoffs import Outcome
from nlu.understanding import Understanding
from tests.make import House, incoming, look, understood


def _send(house: House, token: bytes, text: str, as_: Understanding, external_id: str) -> Snapshot:
    message = incoming(text, token=token, external_id=external_id)
    return house.runtime.store.write(lambda tx: child.send(tx, house.runtime, message, as_, house.clock())).result()


def _only_waiting(house: House, who: Unlocked) -> str:
    def look(tx: Connection) -> str:
        (board,) = confidant.boards(tx, who, house.clock())
        return board.waiting[0].id

    return house.runtime.store.read(look).result()


def test_words_go_both_ways_and_the_bot_is_silent_meanwhile(house: House) -> None:
    sanne, token = house.confidant("sanne"), secrets.token_bytes(32)
    run, write, now = house.runtime, house.runtime.store.write, house.clock
    first = _send(house, token, "hoi", understood("greet"), "m1")
    assert [line.role for line in first.lines] == ["child", "bot", "bot", "bot"]
    assert "0800-0432" in first.lines[1].text
    assert "112" in first.lines[1].text
    assert first.state == "waiting"

    handoff_id = _only_waiting(house, sanne)
    write(lambda tx: confidant.claim(tx, run, sanne, handoff_id, now())).result()
    opened = write(lambda tx: look(tx, run, sanne, handoff_id, now())).result()
    assert opened.lines[0].text == "hoi"
    assert opened.lines[0].intent == "greet"

    write(lambda tx: confidant.write(tx, run, sanne, handoff_id, external_id="c1", text="Hoi, ik ben er.", now=now())).result()
    write(lambda tx: confidant.write(tx, run, sanne, handoff_id, external_id="c1", text="Hoi, ik ben er.", now=now())).result()
    after = _send(house, token, "mn vader slaat me", understood("disclose_physical_abuse"), "m2")
    assert after.state == "claimed"
    assert after.confidant == "Sanne"
    assert [line.role for line in after.lines][-3:] == ["bot", "confidant", "child"], "the bot spoke while a human was there"
    assert sum(line.text == "Hoi, ik ben er." for line in after.lines) == 1

    door = Door(WEBCHAT, token)
    last = after.lines[-1].seq
    write(lambda tx: child.confirm(tx, run, door, last, now())).result()
    seen = write(lambda tx: look(tx, run, sanne, handoff_id, now())).result()
    assert set(seen.states.values()) == {"delivered"}
    assert seen.handoff.urgency == 1, "what a child writes to a human still raises the alarm"

    write(lambda tx: confidant.close(tx, run, sanne, handoff_id, Outcome.TALKED, now())).result()
    assert write(lambda tx: child.look(tx, run, door, now())).result().state == "closed"
    again = _send(house, token, "mag ik nog iets zeggen", understood("ask_human"), "m3")
    assert again.state == "waiting", "a closed chat opens a new handoff when the child writes again"


def test_the_same_message_twice_is_one_message_and_one_answer(house: House) -> None:
    house.confidant("sanne")
    token = secrets.token_bytes(32)
    once = _send(house, token, "hoi", understood("greet"), "m1")
    twice = _send(house, token, "hoi", understood("greet"), "m1")
    assert [line.seq for line in once.lines] == [line.seq for line in twice.lines]


def test_giving_back_and_transfer_keep_the_childs_place(house: House) -> None:
    sanne, noor = house.confidant("sanne"), house.confidant("noor")
    run, write, now = house.runtime, house.runtime.store.write, house.clock
    token = secrets.token_bytes(32)
    _send(house, token, "hoi", understood("greet"), "m1")
    waiting_since: datetime = write(lambda tx: handoffs.all_waiting(tx)[0].waiting_since).result()
    handoff_id = _only_waiting(house, sanne)
    house.clock.turn(minutes=4)
    write(lambda tx: confidant.claim(tx, run, sanne, handoff_id, now())).result()
    with pytest.raises(Conflict):
        write(lambda tx: confidant.claim(tx, run, noor, handoff_id, now())).result()
    with pytest.raises(NotFound):
        write(lambda tx: look(tx, run, noor, handoff_id, now())).result()
    write(lambda tx: confidant.transfer(tx, run, sanne, handoff_id, noor.person_id, now())).result()
    item = write(lambda tx: handoffs.get(tx, handoff_id)).result()
    assert (item.state, item.asked_for, item.waiting_since) == ("waiting", noor.person_id, waiting_since)
    write(lambda tx: confidant.claim(tx, run, noor, handoff_id, now())).result()
    write(lambda tx: confidant.release(tx, run, noor, handoff_id, now())).result()
    item = write(lambda tx: handoffs.get(tx, handoff_id)).result()
    assert (item.state, item.asked_for, item.waiting_since) == ("waiting", None, waiting_since)
    texts = [line.text for line in write(lambda tx: child.look(tx, run, Door(WEBCHAT, token), now())).result().lines]
    assert any("Sanne" in text for text in texts)
    assert any("Noor" in text for text in texts)


def test_erasing_forgets_everything_and_a_late_retry_does_not_bring_it_back(house: House) -> None:
    sanne, token = house.confidant("sanne"), secrets.token_bytes(32)
    run, write, now = house.runtime, house.runtime.store.write, house.clock
    _send(house, token, "hoi", understood("greet"), "m1")
    handoff_id = _only_waiting(house, sanne)
    write(lambda tx: confidant.claim(tx, run, sanne, handoff_id, now())).result()
    write(lambda tx: child.erase(tx, run, Door(WEBCHAT, token), now())).result()
    with pytest.raises(NotFound):
        write(lambda tx: child.look(tx, run, Door(WEBCHAT, token), now())).result()
    with pytest.raises(NotFound):
        write(lambda tx: look(tx, run, sanne, handoff_id, now())).result()
    with pytest.raises(NotFound):
        _send(house, token, "hoi", understood("greet"), "m1")


def test_another_gemeente_sees_nothing(house: House) -> None:
    sanne, other = house.confidant("sanne"), house.confidant("olga", "elders")
    run, write, now = house.runtime, house.runtime.store.write, house.clock
    _send(house, secrets.token_bytes(32), "hoi", understood("greet"), "m1")
    handoff_id = _only_waiting(house, sanne)
    assert write(lambda tx: confidant.boards(tx, other, now())).result()[0].waiting == []
    for attempt in (confidant.claim, confidant.read, confidant.release):
        with pytest.raises(NotFound):
            write(lambda tx, a=attempt: a(tx, run, other, handoff_id, now())).result()  # type: ignore[misc]
