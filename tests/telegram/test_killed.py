"""Kill -9 in a burst of 500 updates with faults: after the restarts nothing is lost, the order is kept, and nothing is doubled
but what nobody can know to have arrived: an answer that was lost, or that came to a dead process."""

from __future__ import annotations

import json
import random
import re
import time
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from bot.channels.registry import SPECS
from bot.channels.telegram.turn import door_of
from config.load import load
from config.render import render
from config.schema import Municipality
from handoff import keys
from handoff.accounts import credentials, sessions
from handoff.accounts.sessions import Unlocked
from handoff.chats import conversation
from handoff.chats import outbox as outbox_of
from handoff.chats.conversation import Chat
from handoff.crypto import Cost, Vault
from handoff.models import handoff, message, outbox
from tests.journey.server import Server
from tests.make import CONFIG
from tests.proof import proof, size
from tests.telegram.bot_api import BOT, TOKEN, BotApi, bot_api
from tests.telegram.test_nothing_leaks import wait_for

CHATS = [4_512_345_678_900 + i for i in range(10)]
EACH = size(50, 150)
KILLS = size(4, 12)
CONFIGURATION = load(CONFIG, SPECS)


@proof
def test_a_burst_survives_every_death(tmp_path: Path) -> None:
    chance = random.Random(20261122)  # noqa: S311 - moments of death, no secret
    api = BotApi(chance=chance, fault_rate=0.1, repeat_rate=0.5)
    sent: dict[int, list[str]] = {chat_id: [] for chat_id in CHATS}
    for _ in range(EACH):
        for chat_id in CHATS:
            update = api.writes(chat_id, f"bericht {len(sent[chat_id])}")
            sent[chat_id].append(f"m{update['message']['message_id']}")
    with bot_api(api) as url:
        server = Server(tmp_path)
        environment = {"PRAAT_TELEGRAM_TOKEN": TOKEN, "PRAAT_TELEGRAM_BASE_URL": url}
        seen: list[int] = []
        for _ in range(KILLS):
            server.start(**environment)
            wait_for(lambda: api.confirmed > (seen[-1] if seen else 0))
            time.sleep(chance.uniform(0.0, 0.6))  # the moment of death is the point
            server.kill()
            seen.append(api.confirmed)
        server.start(**environment)
        wait_for(lambda: api.confirmed >= 500_000 + EACH * len(CHATS), seconds=120)
        api.fault_rate = 0.0
        wait_for(lambda: all(any("112" in text for text in api.texts(chat_id)) for chat_id in CHATS), seconds=60)
        server.kill()
    assert seen[0] < 500_000 + EACH * len(CHATS), "it died in the middle of the burst"
    _check(tmp_path, sent)
    _check_phones(tmp_path, api)


def _check_phones(folder: Path, api: BotApi) -> None:
    """What arrived on each phone is what is stored, in the stored order."""
    vault = Vault.founded((folder / "var" / "secret").read_bytes(), folder / "var" / "keys", cost=Cost(memory_kib=64, iterations=1))
    engine = sa.create_engine(f"sqlite:///{folder}/var/praat.db")
    with engine.connect() as tx:
        who = _member(tx, vault, folder)
        for chat_id in CHATS:
            chat = conversation.find(tx, vault, door_of(chat_id, BOT))
            assert chat
            said, ended = _said(tx, vault, chat, who)
            arrived, doubles = _followed(api.texts(chat_id), said)
            lost = sum(1 for to, _ in api.lost if to == chat_id)
            assert ended <= arrived <= ended + 1, "what is noted did arrive; the last one may have died before it was noted"
            assert doubles <= lost + KILLS, "one for each answer that was lost, and at most one under way at each death"
    engine.dispose()


def _member(tx: sa.Connection, vault: Vault, folder: Path) -> Unlocked:
    """Somebody of the demo's team, who can open what was sealed."""
    login, phrase = next(iter(json.loads((folder / "var" / "demo-logins.json").read_text("utf-8")).items()))
    row, now = credentials.look_up(tx, login), datetime.now(UTC)
    cookie = sessions.open_session(tx, vault, row, credentials.unlock(vault, row, phrase), now=now)
    return sessions.resume(tx, vault, cookie, now=now)


def _said(tx: sa.Connection, vault: Vault, chat: Chat, who: Unlocked) -> tuple[list[str], int]:
    """The bot's messages to this child as it should read them, in order, and how many of them are noted as delivered."""
    script, municipality = CONFIGURATION.script, CONFIGURATION.municipalities[chat.municipality_id]
    states = outbox_of.states(tx, chat.id)
    said = [(m.seq, m.pointer) for m in keys.open_conversation(tx, vault, chat.id, who) if m.pointer and states[m.seq] != "unsaid"]
    texts = [_text(script.by_number(number).variants[variant].text, municipality) for _, (number, variant) in said]
    return texts, sum(1 for seq, _ in said if states[seq] == "delivered")


def _text(text: str, municipality: Municipality) -> str:
    """As the bot renders it; the origin of the page is the server's own, so what stands before the gemeente's id is left out."""
    return _plain(render(text, CONFIGURATION.helplines, municipality=municipality.name, page=f"/{municipality.id}"))


def _plain(text: str) -> str:
    return re.sub(r"http://[^/ ]+/", "/", text)


def _followed(texts: list[str], said: list[str]) -> tuple[int, int]:
    """(how far `texts` follow `said`, how many are repeats of the one before). Anything else is a fault."""
    at = doubles = 0
    for text in map(_plain, texts):
        if at < len(said) and text == said[at]:
            at += 1
        else:
            assert at, "begins with something that was not said"
            assert text == said[at - 1], "out of order"
            doubles += 1
    return at, doubles


def _check(folder: Path, sent: dict[int, list[str]]) -> None:
    vault = Vault.founded((folder / "var" / "secret").read_bytes(), folder / "var" / "keys", cost=Cost(memory_kib=64, iterations=1))
    engine = sa.create_engine(f"sqlite:///{folder}/var/praat.db")
    with engine.connect() as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(handoff)).scalar_one() == len(sent)
        for chat_id, ids in sent.items():
            chat = conversation.find(tx, vault, door_of(chat_id, BOT))
            assert chat
            mine = message.c.conversation_id == chat.id
            rows = tx.execute(
                sa.select(message.c.seq, message.c.role, message.c.external_id).where(mine).order_by(message.c.seq)
            ).all()
            assert [row.external_id for row in rows if row.role == "child"] == ids
            assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
            arrived = sa.select(outbox.c.seq).where(outbox.c.conversation_id == chat.id, outbox.c.delivered_at.is_not(None))
            gone = sorted(tx.execute(arrived).scalars())
            waiting = sorted({row.seq for row in rows if row.role == "bot"} - set(gone))
            assert not waiting or not gone or max(gone) < min(waiting), "what went out went out in order"
    engine.dispose()
