"""Thousands of generated updates: none raises, none stops the bot, and every private text is stored exactly once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings

from bot.channels.telegram.turn import door_of
from handoff.chats import conversation
from handoff.models import message
from tests import make
from tests.proof import proof, size
from tests.telegram.bot_api import BOT
from tests.telegram.rig import Rig, rig
from tests.telegram.shapes import CHATS, GROUPS, updates

EXAMPLES = size(2_000, 20_000)
ERASING = {"wis", "wis alles", "/wis"}


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """One bot for all of them: what one leaves behind, the next one meets."""
    with make.house(tmp_path_factory.mktemp("fuzz")) as house, rig(house, fallback="elders") as made:
        house.confidant("sanne")
        house.confidant("olga", "elders")
        made.api.chats |= set(CHATS)
        made.api.groups |= set(GROUPS)
        yield made


def _told(update: Any) -> tuple[int, int, str] | None:
    """(chat, message, text) when this is a private text of a person, read straight from the documented fields."""
    said = update.get("message") if isinstance(update, dict) else None
    if not isinstance(said, dict) or not isinstance(said.get("text"), str):
        return None
    if not isinstance(said.get("chat"), dict) or said["chat"].get("type") != "private":
        return None
    return None if said.get("from", {}).get("is_bot") else (said["chat"]["id"], said["message_id"], said["text"])


def _number(update: Any) -> tuple[object, object] | None:
    """(chat, number) of any message in a private chat, whatever is in it."""
    said = update.get("message") if isinstance(update, dict) else None
    if not isinstance(said, dict) or not isinstance(said.get("chat"), dict):
        return None
    return (said["chat"].get("id"), said["message_id"]) if "message_id" in said else None


def _stored(bot: Rig, chat_id: int, message_id: int) -> int:
    run = bot.house.runtime

    def count(tx: sa.Connection) -> int:
        chat = conversation.find(tx, run.vault, door_of(chat_id, BOT))
        wanted = (message.c.conversation_id == (chat.id if chat else ""), message.c.role == "child")
        ids = [str(found) for found in tx.execute(sa.select(message.c.external_id).where(*wanted)).scalars()]
        return sum(found.partition(".")[0] in (f"m{message_id}", f"start{message_id}", f"name{message_id}") for found in ids)

    return run.store.read(count).result()


def _erased(bot: Rig, chat_id: int, message_id: int) -> bool:
    run = bot.house.runtime
    return run.store.read(lambda tx: conversation.was_erased(tx, run.vault, door_of(chat_id, BOT), message_id)).result()


@proof
def test_no_update_stops_the_bot_and_each_text_is_stored_once(bot: Rig) -> None:
    seen: dict[tuple[object, object], str] = {}
    count = {"all": 0, "texts": 0, "kept": 0}

    @settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(update=updates)
    def one(update: Any) -> None:
        count["all"] += 1
        bot.house.clock.turn(seconds=1)
        told, number = _told(update), _number(update)
        new = number is None or seen.setdefault(number, repr(update["message"])) == repr(update["message"])
        gone = told is not None and _erased(bot, told[0], told[1])
        bot.run(bot.updates.take(update))
        if told is None or not new:
            return  # no text; or a number that was used for another message, which Telegram never does
        erasing = " ".join(told[2].casefold().split()) in ERASING
        count["texts"] += 1
        count["kept"] += not (erasing or gone)
        assert _stored(bot, told[0], told[1]) == (0 if erasing or gone else 1)

    one()
    assert count["all"] >= EXAMPLES
    assert count["texts"] > EXAMPLES / 10
    assert count["kept"] > EXAMPLES / 20
    bot.api.writes(991, "en nu gewoon")
    bot.poll()
    assert bot.chat(991) is not None
