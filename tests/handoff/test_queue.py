"""The queue on both databases: two humans never hold the same child, and who waits longest or is most in danger comes first."""

from __future__ import annotations

import secrets
from concurrent.futures import Future
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from bot.turn import take_turn
from handoff.errors import Conflict, NotFound
from handoff.models import handoff
from handoff.queue import due, handoffs
from handoff.queue.handoffs import Handoff, Outcome
from tests.make import CITY, House, incoming, team_id_of, understood

TEAM = team_id_of(CITY)


def _child(house: House, intent: str = "greet") -> Handoff:
    message = incoming("hoi", token=secrets.token_bytes(32))
    return (
        house.runtime.store.write(lambda tx: take_turn(tx, house.runtime, message, understood(intent), house.clock()))
        .result()
        .handoff
    )


def test_of_many_claims_in_the_same_moment_exactly_one_wins(house: House) -> None:
    people = [house.confidant(f"mens{letter}").person_id for letter in "abcdefgh"]
    for _ in range(15):
        item = _child(house)
        tries: list[Future[Handoff]] = [
            house.runtime.store.write(partial(handoffs.claim, handoff_id=item.id, person_id=person, now=house.clock()))
            for person in people
        ]
        outcomes = [attempt.exception() for attempt in tries]
        assert sum(outcome is None for outcome in outcomes) == 1
        assert all(isinstance(outcome, Conflict) for outcome in outcomes if outcome is not None)


def test_danger_first_and_then_who_waits_longest(house: House) -> None:
    house.confidant("sanne")
    wanted = []
    for intent in ("greet", "disclose_neglect", "acute_danger", "greet", "acute_danger"):
        wanted.append((intent, _child(house, intent).id))
        house.clock.turn(seconds=7)
    order = [item.id for item in house.runtime.store.read(lambda tx: handoffs.waiting(tx, TEAM)).result()]
    by_intent = {n: [i for intent, i in wanted if intent == n] for n in ("acute_danger", "disclose_neglect", "greet")}
    assert order == by_intent["acute_danger"] + by_intent["disclose_neglect"] + by_intent["greet"]


def test_the_database_itself_refuses_a_second_open_handoff(house: House) -> None:
    house.confidant("sanne")
    item = _child(house)

    def again(tx: Connection) -> None:
        row = dict(tx.execute(handoff.select().where(handoff.c.id == item.id)).one()._mapping)
        tx.execute(handoff.insert().values({**row, "id": "another"}))

    with pytest.raises(IntegrityError):
        house.runtime.store.write(again).result()


def test_a_claim_that_is_kept_alive_does_not_lapse_and_one_that_came_back_late_is_lost(house: House) -> None:
    sanne = house.confidant("sanne")
    write = house.runtime.store.write
    item = _child(house)
    write(partial(handoffs.claim, handoff_id=item.id, person_id=sanne.person_id, now=house.clock())).result()
    for _ in range(10):
        now = house.clock.turn(minutes=2)
        assert write(partial(handoffs.keep, handoff_id=item.id, person_id=sanne.person_id, now=now)).result()
        assert write(partial(due.take_lapsed, now=now, limit=9)).result() == []
    late = house.clock.turn(seconds=handoffs.LEASE.total_seconds() + 1)
    assert write(partial(handoffs.lapse, handoff_id=item.id, now=late)).result() is True
    assert write(partial(handoffs.lapse, handoff_id=item.id, now=late)).result() is False
    assert write(partial(handoffs.keep, handoff_id=item.id, person_id=sanne.person_id, now=late)).result() is False


@pytest.mark.parametrize("act", ["release", "close", "transfer"])
def test_only_the_holder_lets_go(house: House, act: str) -> None:
    sanne, noor = house.confidant("sanne"), house.confidant("noor")
    item, now = _child(house), house.clock()
    acts = {
        "release": partial(handoffs.release, handoff_id=item.id, now=now),
        "close": partial(handoffs.close, handoff_id=item.id, outcome=Outcome.TALKED, now=now),
        "transfer": partial(handoffs.transfer, handoff_id=item.id, to_person_id=noor.person_id, now=now),
    }
    write = house.runtime.store.write
    write(partial(handoffs.claim, handoff_id=item.id, person_id=sanne.person_id, now=now)).result()
    with pytest.raises(Conflict):
        write(partial(acts[act], person_id=noor.person_id)).result()
    write(partial(acts[act], person_id=sanne.person_id)).result()
    with pytest.raises(Conflict):
        write(partial(acts[act], person_id=sanne.person_id)).result()


def test_an_id_that_is_not_there(house: House) -> None:
    with pytest.raises(NotFound):
        house.runtime.store.read(lambda tx: handoffs.get(tx, "nothing")).result()
    with pytest.raises(Conflict):
        house.runtime.store.write(
            partial(handoffs.claim, handoff_id="nothing", person_id="nobody", now=house.clock(), lease=timedelta(minutes=1))
        ).result()
