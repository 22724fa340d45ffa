"""The canary on Telegram, on a real server: words, chat id, token and names stand in no file and no log but sealed.

The confidant claims in the console, as in life; the phone is the Bot API server of these tests.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.channels.channel import DeliveryFailed
from bot.channels.telegram.client import TelegramClient, keep_quiet
from handoff.models import conversation
from tests import canary
from tests.canary import MARKER
from tests.journey.server import Server
from tests.journey.test_nothing_leaks import Confidant
from tests.make import CITY, rows
from tests.telegram.bot_api import TOKEN, BotApi, Fault, bot_api
from tests.telegram.rig import Rig

KID = 4_512_345_678_901
NAMES = ("Kanariepiet", "Zangzaad", "kanariezanger")


def wait_for(true: Callable[[], object], seconds: float = 30) -> None:
    """Wait for another process; the test fails when it takes too long."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


@pytest.fixture
def phone() -> Iterator[tuple[BotApi, str]]:
    """Telegram, and its address."""
    api = BotApi()
    with bot_api(api) as url:
        yield api, url


@pytest.fixture
def server(tmp_path: Path, phone: tuple[BotApi, str]) -> Iterator[Server]:
    """`praat run` with a token."""
    made = Server(tmp_path).start(PRAAT_TELEGRAM_TOKEN=TOKEN, PRAAT_TELEGRAM_BASE_URL=phone[1])
    yield made
    made.kill()


def test_the_whole_journey_leaves_nothing_behind(server: Server, phone: tuple[BotApi, str]) -> None:
    api, _ = phone
    api.writes(KID, f"/start {CITY}")
    wait_for(lambda: len(api.texts(KID)) >= 3)
    api.fail("sendMessage", Fault("500"), Fault("429", retry_after=1), Fault("dropped"))
    api.fail("getUpdates", Fault("502"), Fault("dropped"))
    api.writes(KID, MARKER)
    api.writes(KID, contact={"phone_number": "0612345678", "first_name": "Kanariepiet"}, caption=MARKER)
    wait_for(lambda: len(api.texts(KID)) >= 5)

    sanne = Confidant(server)
    sanne.sign_in("sanne", server.logins["sanne"])
    handoff_id = sanne.claim_first()
    page = sanne.http.get(f"/gesprek/{handoff_id}").text
    assert MARKER in page, "the confidant reads it"
    assert "Telegram" in page, "no difference but a label"
    body = {"tekst": f"{MARKER} terug", "bericht": "bericht-0001"}
    headers = {"Sec-Fetch-Site": "same-origin", "X-Console": "1"}
    assert sanne.http.post(f"/gesprek/{handoff_id}/schrijven", json=body, headers=headers).status_code < 300
    wait_for(lambda: f"{MARKER} terug" in api.texts(KID))
    before = len(api.texts(KID))
    api.writes(KID, f"{MARKER} dankjewel")
    wait_for(lambda: f"{MARKER} dankjewel" in sanne.http.get(f"/gesprek/{handoff_id}").text)
    assert len(api.texts(KID)) == before, "the bot is silent while a human speaks"
    assert sanne.post(f"/gesprek/{handoff_id}/afsluiten", uitkomst="talked").status_code == 303
    wait_for(lambda: "gesprek" in api.texts(KID)[-1])
    assert handoff_id not in sanne.http.get("/").text, "nobody waits"
    sanne.http.close()

    server.kill()
    assert canary.scan([server.folder]) == []
    for secret in (TOKEN, TOKEN.partition(":")[2], str(KID), *NAMES):
        assert canary.scan([server.folder], secret) == [], secret
    assert "Traceback" not in server.log.read_text()
    (server.folder / "planted").write_text(f"POST /bot{TOKEN}/sendMessage {KID}")
    assert canary.scan([server.folder], TOKEN)
    assert canary.scan([server.folder], str(KID)), "the scan finds what is there: the positive control"


def test_a_stolen_row_holds_the_chat_id_only_hashed_and_sealed(bot: Rig) -> None:
    bot.house.confidant("sanne")
    bot.api.writes(KID, "hoi")
    bot.poll()
    (row,) = rows(bot.house, conversation)
    told = row._asdict()
    assert told["child_public_key"] is None
    assert len(told["child_auth"]) == 32
    for value in told.values():
        raw = value if isinstance(value, bytes) else repr(value).encode()
        for spelling in (str(KID).encode(), KID.to_bytes(8, "big"), KID.to_bytes(8, "little")):
            assert spelling not in raw
    run = bot.house.runtime
    assert run.vault.open_for_delivery(told["address"], "address", told["id"]) == str(KID).encode()


async def _fault_of(bot: Rig) -> DeliveryFailed | None:
    try:
        await bot.client.send(KID, MARKER, None)
    except DeliveryFailed as fault:
        return fault
    return None


def test_no_library_writes_a_token_a_chat_or_words(
    bot: Rig, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    keep_quiet()
    bot.api.fail("sendMessage", Fault("500"), Fault("502"), Fault("dropped"))
    bot.api.chats.add(KID)
    for _ in range(4):
        fault = bot.run(_fault_of(bot))
        assert TOKEN not in repr(fault)
        assert fault is None or (fault.__cause__ is None and fault.__context__ is None), "a chain would be printed with it"
    strange = TelegramClient("12345:" + "x" * 30, bot.client._bot.base_url.partition("/bot")[0])
    with pytest.raises(DeliveryFailed, match=r"^telegram: InvalidToken$"):
        bot.run(strange.me())
    bot.run(strange.close())
    logging.getLogger("httpx").warning("HTTP Request: POST %s", f"https://api.telegram.org/bot{TOKEN}/sendMessage")
    logging.getLogger("telegram.ext").error(f"https://api.telegram.org/bot{TOKEN}/sendMessage")  # noqa: G004 - as a library might
    said = caplog.text + "".join(capfd.readouterr())
    for secret in (TOKEN, TOKEN.partition(":")[2], str(KID), *MARKER.split()):
        assert secret not in said
    assert re.search(r"sendMessage", said), "the record is there, without what it must not hold"
