"""Kill -9 in a burst of 500 updates with faults: after the restarts nothing is lost, nothing doubled, and the order is kept."""

from __future__ import annotations

import random
import time
from pathlib import Path

import sqlalchemy as sa

from bot.channels.telegram_turn import door_of
from handoff import conversation
from handoff.models import handoff, message, outbox
from handoff.vault import Cost, Vault
from tests.journey.server import Server
from tests.telegram.bot_api import BOT, TOKEN, BotApi, bot_api
from tests.telegram.test_nothing_leaks import wait_for

CHATS = [4_512_345_678_900 + i for i in range(10)]
EACH = 50
KILLS = 4


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


def _check(folder: Path, sent: dict[int, list[str]]) -> None:
    vault = Vault((folder / "var" / "secret").read_bytes(), folder / "var" / "keys", cost=Cost(memory_kib=64, iterations=1))
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
