"""The database is not there when the program starts: a child on Telegram is told the numbers, and its words are kept for later."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from handoff.models import message
from tests.journey.server import Server
from tests.telegram.bot_api import TOKEN, BotApi, bot_api
from tests.telegram.test_nothing_leaks import wait_for

KID = 4_512_345_678


def test_numbers_at_once_and_the_words_when_the_database_is_there(tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.start()
    server.stop()
    database, away = tmp_path / "var" / "praat.db", tmp_path / "praat.db"
    database.rename(away)
    database.mkdir()  # nothing that SQLite could open or make
    api = BotApi()
    api.writes(KID, "ik ben bang")
    api.writes(KID, "hallo?")
    with bot_api(api) as url:
        server.launch(PRAAT_TELEGRAM_TOKEN=TOKEN, PRAAT_TELEGRAM_BASE_URL=url)
        try:
            wait_for(lambda: bool(api.texts(KID)))
            (told,) = api.texts(KID)
            assert "112" in told
            assert "0800-0432" in told
            assert api.confirmed == 0, "Telegram keeps the words"
            database.rmdir()
            away.rename(database)
            wait_for(lambda: len(api.texts(KID)) > 2, seconds=60)
        finally:
            server.kill()
    engine = sa.create_engine(f"sqlite:///{database}")
    with engine.connect() as tx:
        ours = sa.select(message.c.external_id).where(message.c.role == "child").order_by(message.c.seq)
        assert len(tx.execute(ours).scalars().all()) == 2
    engine.dispose()
