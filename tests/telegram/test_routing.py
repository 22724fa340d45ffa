"""Which gemeente a chat belongs to: by the sticker's code, by its name typed alone, and meanwhile with people who can read."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from bot.channels.registry import CHANNELS
from bot.channels.telegram.service import fallback_of
from bot.channels.telegram.settings import TelegramSettings
from bot.serve import Running, open_channels
from config.schema import Municipality, Team
from config.settings import SettingsFaults
from handoff import confidant
from handoff.places import municipalities
from handoff.queue import handoffs
from tests.make import CITY, House, look, understood
from tests.telegram.bot_api import TOKEN
from tests.telegram.rig import Rig, rig

KID = 4_512_345_678


@pytest.fixture
def bot(house: House) -> Iterator[Rig]:
    """A bot whose unrouted children go to `elders`, with people in both gemeenten and a sticker at a school."""
    known = dict(house.runtime.configuration.municipalities)
    known[CITY] = Municipality.model_validate({**known[CITY].model_dump(), "places": {"vb_school-1": "De Zwaluw"}})
    house.runtime.configuration = house.runtime.configuration.model_copy(update={"municipalities": known})
    with rig(house, fallback="elders") as made:
        house.confidant("sanne")
        house.confidant("olga", "elders")
        yield made


def _with(bot: Rig, known: dict[str, Municipality]) -> None:
    """Other gemeenten, with their teams."""
    run = bot.house.runtime
    run.configuration = run.configuration.model_copy(update={"municipalities": known})
    run.store.write(lambda tx: municipalities.sync(tx, known.values())).result()


def _team_of(bot: Rig) -> str:
    (item,) = bot.house.runtime.store.read(handoffs.all_waiting).result()
    return item.municipality_id


def _read(bot: Rig, login: str) -> list[str]:
    who, _ = bot.house.sign_in(login)
    return bot.words(KID, who)


def test_the_code_of_a_sticker_ties_the_chat_to_gemeente_and_place(bot: Rig) -> None:
    bot.api.writes(KID, "/start vb_school-1")
    bot.poll()
    chat = bot.chat(KID)
    assert chat
    assert (chat.municipality_id, chat.place) == (CITY, "vb_school-1")
    bot.deliver()
    assert not any("gemeente typen" in text for text in bot.api.texts(KID)), "no question that is answered already"


def test_the_confidant_sees_where_the_sticker_hangs(bot: Rig) -> None:
    bot.api.writes(KID, "/start vb_school-1")
    bot.poll()
    sanne, _ = bot.house.sign_in("sanne")
    run, write, now = bot.house.runtime, bot.house.runtime.store.write, bot.house.clock
    (item,) = write(handoffs.all_waiting).result()
    write(lambda tx: confidant.claim(tx, run, sanne, item.id, now())).result()
    assert write(lambda tx: look(tx, run, sanne, item.id, now())).result().place == "De Zwaluw"


def test_a_short_list_of_gemeenten_can_be_pressed(bot: Rig) -> None:
    bot.api.writes(KID, "/start")
    bot.poll()
    for _ in range(3):
        bot.house.clock.turn(seconds=5)
        bot.deliver()
    shown = bot.api.keyboards(KID)[-1]
    assert shown[-2:] == ["Elders", "Voorbeeldstad"]
    assert "Ik ben nu in gevaar" in shown, "the choice must not take that button away"
    bot.house.clock.turn(seconds=20)
    bot.api.writes(KID, "Voorbeeldstad")
    bot.poll()
    assert _team_of(bot) == CITY


def _team(number: int) -> tuple[Team]:
    return (Team(id=f"team-g{number}", name=f"Team G{number}"),)


def test_a_long_list_of_gemeenten_is_not_shown(bot: Rig) -> None:
    known = dict(bot.house.runtime.configuration.municipalities)
    known |= {f"g{i}": known["elders"].model_copy(update={"id": f"g{i}", "name": f"G{i}", "teams": _team(i)}) for i in range(7)}
    _with(bot, known)
    for i in range(7):
        bot.house.confidant(f"gerda{i}", f"g{i}")
    bot.api.writes(KID, "/start")
    bot.poll()
    bot.deliver()
    assert not any("Elders" in keyboard for keyboard in bot.api.keyboards(KID))
    assert any("gemeente typen" in text for text in bot.api.texts(KID))


@pytest.mark.parametrize("wish", ["Voorbeeldstad", f"/start {CITY}", "/start vb_school-1"])
def test_a_gemeente_whose_file_is_gone_gets_no_new_children(bot: Rig, wish: str) -> None:
    known = dict(bot.house.runtime.configuration.municipalities)
    known[CITY] = known[CITY].model_copy(update={"retired_on": bot.house.clock().date()})
    bot.house.runtime.configuration = bot.house.runtime.configuration.model_copy(update={"municipalities": known})
    bot.api.writes(KID, wish)
    bot.poll()
    assert _team_of(bot) == "elders"


def test_without_a_code_a_child_never_waits_for_routing(bot: Rig) -> None:
    bot.api.writes(KID, "/start")
    bot.poll()
    assert _team_of(bot) == "elders"
    bot.deliver()
    first, opener, handoff_words, choice = bot.api.texts(KID)
    assert "0800-0432" in first
    assert "http://localhost:8080/. " in opener, "nobody knows yet which page is its own"
    assert "gemeente" in choice
    assert "mens" in handoff_words


@pytest.mark.parametrize("answer", ["Voorbeeldstad", "gemeente voorbeeldstad", "/start vb_school-1", f"/start {CITY}"])
def test_a_gemeente_named_after_start_gets_the_chat_at_its_old_place(bot: Rig, answer: str) -> None:
    bot.api.writes(KID, "/start")
    bot.poll()
    (before,) = bot.house.runtime.store.read(handoffs.all_waiting).result()
    bot.house.clock.turn(minutes=2)
    bot.api.writes(KID, answer)
    bot.poll()
    (after,) = bot.house.runtime.store.read(handoffs.all_waiting).result()
    assert (after.id, after.municipality_id, after.waiting_since) == (before.id, CITY, before.waiting_since)
    assert _read(bot, "sanne")[0] == "/start"
    with pytest.raises(Exception, match=r"^$"):
        _read(bot, "olga")
    for _ in range(8):
        bot.house.clock.turn(seconds=5)
        bot.deliver()
    said = bot.api.texts(KID)
    assert sum("voor jou alleen" in text for text in said) == 1
    if not answer.startswith("/"):
        assert any("mens van Voorbeeldstad leest het zodra" in text for text in said)


def test_what_was_told_stays_with_the_people_who_can_read_it(bot: Rig) -> None:
    for text in ("/start", "mn vader slaat me", "Voorbeeldstad"):
        bot.api.writes(KID, text)
    bot.poll()
    assert _team_of(bot) == "elders"
    assert _read(bot, "olga") == ["/start", "mn vader slaat me", "Voorbeeldstad"], "the human there reads which gemeente it is"
    bot.deliver()
    assert not any("mens van Voorbeeldstad" in text for text in bot.api.texts(KID)), "nothing is said that is not so"


def test_a_child_that_a_human_holds_is_not_moved(bot: Rig) -> None:
    bot.api.writes(KID, "/start")
    bot.poll()
    olga, _ = bot.house.sign_in("olga")
    run, write, now = bot.house.runtime, bot.house.runtime.store.write, bot.house.clock
    (item,) = write(handoffs.all_waiting).result()
    write(lambda tx: confidant.claim(tx, run, olga, item.id, now())).result()
    bot.api.writes(KID, "Voorbeeldstad")
    bot.poll()
    opened = write(lambda tx: look(tx, run, olga, item.id, now())).result()
    assert opened.lines[-1].text == "Voorbeeldstad"


def test_a_gemeente_named_at_first_needs_no_start(bot: Rig) -> None:
    bot.api.writes(KID, "Voorbeeldstad")
    bot.poll()
    assert _team_of(bot) == CITY


def test_a_code_that_nobody_knows_is_no_code(bot: Rig) -> None:
    bot.api.writes(KID, "/start onbekend-1")
    bot.poll()
    assert _team_of(bot) == "elders"


@pytest.mark.parametrize("wrong", [{}, {"PRAAT_TELEGRAM_FALLBACK": "nergens"}, {"PRAAT_TELEGRAM_TOKEN_FILE": "/is/er/niet"}])
def test_a_fault_in_telegrams_settings_is_told_and_takes_nothing_else_down(
    house: House, wrong: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PRAAT_TELEGRAM_TOKEN": TOKEN, **wrong}.items():
        monkeypatch.setenv(name, value)
    parts: Any = SimpleNamespace(channels=CHANNELS, runtime=house.runtime, understand=lambda _: understood())
    told: list[str] = []
    assert open_channels(Running(parts), told.append) == []
    (text,) = told
    assert "Telegram staat UIT. De webpagina werkt wel." in text
    assert "PRAAT_TELEGRAM_" in text
    assert TOKEN not in text


def test_the_fallback_must_be_a_gemeente_unless_there_is_only_one(house: House) -> None:
    run = house.runtime
    with pytest.raises(SettingsFaults, match="PRAAT_TELEGRAM_FALLBACK"):
        fallback_of(TelegramSettings.read({}), run)
    with pytest.raises(SettingsFaults, match="PRAAT_TELEGRAM_FALLBACK"):
        fallback_of(TelegramSettings.read({"PRAAT_TELEGRAM_FALLBACK": "nergens"}), run)
    assert fallback_of(TelegramSettings.read({"PRAAT_TELEGRAM_FALLBACK": "elders"}), run) == "elders"
    only = {CITY: run.configuration.municipalities[CITY]}
    run.configuration = run.configuration.model_copy(update={"municipalities": only})
    assert fallback_of(TelegramSettings.read({}), run) == CITY
