"""What is past its day goes, key first; but nobody's words vanish while a child waits or a human talks with it."""

from __future__ import annotations

import secrets
from datetime import timedelta

import pytest

from bot import child
from bot.channels.web.spec import WEBCHAT
from handoff import confidant
from handoff.chats import retention
from handoff.chats.conversation import Door
from handoff.errors import Denied, NotFound
from handoff.models import conversation, message
from handoff.queue.handoffs import Outcome, all_waiting
from tests.make import House, first_child, rows


def _retain(house: House) -> None:
    now, store = house.clock(), house.runtime.store
    in_use = store.read(retention.days_in_use).result()
    retention.destroy_expired_keys(house.runtime.vault, now, in_use)
    while store.write(lambda tx: retention.delete_expired(tx, now)).result():
        pass


def test_a_closed_chat_goes_after_its_day_and_no_sooner(house: House) -> None:
    sanne, token = house.confidant("sanne"), secrets.token_bytes(32)
    run, write = house.runtime, house.runtime.store.write
    first_child(house, token=token)
    item = write(lambda tx: all_waiting(tx)[0].id).result()
    write(lambda tx: confidant.claim(tx, run, sanne, item, house.clock())).result()
    write(lambda tx: confidant.close(tx, run, sanne, item, Outcome.TALKED, house.clock())).result()
    house.clock.turn(days=30)
    _retain(house)
    assert write(lambda tx: child.look(tx, run, Door(WEBCHAT, token), house.clock())).result().state == "closed"
    house.clock.turn(days=1)
    _retain(house)
    assert rows(house, conversation) == rows(house, message) == []
    assert run.vault.buckets() == []


def test_a_chat_with_a_waiting_child_stays_until_its_grace_is_over(house: House) -> None:
    house.confidant("sanne")
    token, run = secrets.token_bytes(32), house.runtime
    first_child(house, token=token)
    house.clock.turn(days=33)
    _retain(house)
    look = run.store.write(lambda tx: child.look(tx, run, Door(WEBCHAT, token), house.clock()))
    assert look.result().state == "waiting"
    house.clock.now += retention.GRACE
    _retain(house)
    with pytest.raises(NotFound):
        run.store.write(lambda tx: child.look(tx, run, Door(WEBCHAT, token), house.clock())).result()


def test_after_the_key_is_gone_the_rows_alone_open_nothing(house: House) -> None:
    house.confidant("sanne")
    token, run = secrets.token_bytes(32), house.runtime
    first_child(house, token=token)
    later = house.clock() + timedelta(days=31)
    retention.destroy_expired_keys(run.vault, later, in_use=set())
    with pytest.raises(Denied):
        run.store.write(lambda tx: child.look(tx, run, Door(WEBCHAT, token), house.clock())).result()
