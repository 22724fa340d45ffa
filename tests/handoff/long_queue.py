"""A queue as long as no team wants to see it."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from handoff.chats.conversation import new_id
from handoff.models import conversation, handoff
from tests.handoff.desk import new_child, write
from tests.make import House

MANY = 2000


def many_wait(house: House, many: int = MANY) -> None:
    """Rows as the first child's, each a minute later: only the queue is looked at."""
    new_child(house)
    now = house.clock()

    def work(tx: sa.Connection) -> None:
        chat = tx.execute(sa.select(conversation)).one()._asdict()
        item = tx.execute(sa.select(handoff)).one()._asdict()
        chats, items = [], []
        for number in range(1, many):
            at = now + timedelta(seconds=number)
            chats.append({**chat, "id": new_id(), "child_auth": f"child {number}".encode()})
            ids = {"id": new_id(), "conversation_id": chats[-1]["id"]}
            items.append({**item, **ids, "opened_at": at, "waiting_since": at, "told_from": at})
        tx.execute(conversation.insert(), chats)
        tx.execute(handoff.insert(), items)

    write(house, work)
    house.clock.turn(seconds=many + 1)
