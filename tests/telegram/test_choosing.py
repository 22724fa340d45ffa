"""Choosing a gemeente: only one that can receive, the fallback too, put right while nothing was told, never by accident."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from config.schema import Team
from handoff import confidant
from handoff.models import message, outbox
from handoff.places import municipalities
from handoff.queue import handoffs
from nlu.understanding import Understanding
from tests.make import CITY, House, look, rows, understood
from tests.telegram.rig import Rig, rig

KID = 4_512_345_678
SORRY = ("Ik snap het niet goed", "Dit begrijp ik niet goed")


def _lost(text: str) -> Understanding:
    return understood("acute_danger") if "mes" in text else understood("nlu_fallback", confidence=0.2)


@pytest.fixture
def bot(house: House) -> Iterator[Rig]:
    """A bot that understands nothing but a knife; unrouted children go to `elders`."""
    with rig(house, fallback="elders", understand=_lost) as made:
        house.confidant("olga", "elders")
        yield made


def _more(bot: Rig, *names: str, people: bool = True) -> None:
    run = bot.house.runtime
    known = dict(run.configuration.municipalities)
    for name in names:
        teams = (Team(id=f"team-{name.lower()}", name=f"Team {name}"),)
        known[name.lower()] = known["elders"].model_copy(update={"id": name.lower(), "name": name, "teams": teams})
    run.configuration = run.configuration.model_copy(update={"municipalities": known})
    run.store.write(lambda tx: municipalities.sync(tx, known.values())).result()
    for name in names if people else ():
        bot.house.confidant(f"van-{name.lower()}", name.lower())


def _says(bot: Rig, *texts: str) -> list[str]:
    """What the bot answers to these, one after the other."""
    before = len(bot.api.texts(KID))
    for text in texts:
        bot.api.writes(KID, text)
        bot.poll()
        bot.settle()
    return bot.api.texts(KID)[before:]


def _at(bot: Rig) -> str:
    (item,) = bot.house.runtime.store.read(handoffs.all_waiting).result()
    return item.municipality_id


def _words(bot: Rig, login: str) -> list[str]:
    who, _ = bot.house.sign_in(login)
    return bot.words(KID, who)


# only who can receive --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wish", [f"/start {CITY}", "Voorbeeldstad"])
def test_a_gemeente_without_people_is_not_chosen_and_the_fallback_keeps_the_child(bot: Rig, wish: str) -> None:
    _says(bot, wish, "help")
    assert _at(bot) == "elders"
    assert "help" in _words(bot, "olga")


def test_naming_a_gemeente_without_people_later_is_no_trouble(bot: Rig) -> None:
    _says(bot, "/start")
    said = _says(bot, "Voorbeeldstad")
    assert _at(bot) == "elders"
    assert said
    assert not any(text.startswith(SORRY) or "ik bewaar nu niks" in text for text in said)
    assert _words(bot, "olga") == ["/start", "Voorbeeldstad"]
    bot.house.confidant("sanne")
    _says(bot, "Voorbeeldstad")
    assert _at(bot) == CITY, "as soon as there are people it can be chosen"
    assert _words(bot, "sanne") == ["/start", "Voorbeeldstad", "Voorbeeldstad"]


def test_a_gemeente_without_people_is_not_shown_among_the_choices(bot: Rig) -> None:
    bot.house.confidant("sanne")
    _more(bot, "Nergenshuizen", people=False)
    _says(bot, "/start")
    shown = [title for keyboard in bot.api.keyboards(KID) for title in keyboard]
    assert "Voorbeeldstad" in shown
    assert "Nergenshuizen" not in shown


def test_without_anybody_anywhere_the_numbers_come_at_once(sqlite_house: House) -> None:
    with rig(sqlite_house, fallback="elders") as bot:
        for text in (f"/start {CITY}", "Voorbeeldstad", "hoi"):
            bot.api.writes(KID, text)
        assert bot.poll() == 3
        assert sum("112" in text for text in bot.api.texts(KID)) == 3
        assert rows(sqlite_house, message) == []


def test_where_only_a_named_gemeente_has_people_it_gets_the_child(sqlite_house: House) -> None:
    with rig(sqlite_house, fallback="elders") as bot:
        sqlite_house.confidant("sanne")
        bot.api.writes(KID, "Voorbeeldstad")
        assert bot.poll() == 1
        assert _at(bot) == CITY


# the fallback is a choice too ------------------------------------------------------------------------------------------------


def test_pressing_the_fallbacks_own_button_is_a_choice(bot: Rig) -> None:
    bot.house.confidant("sanne")
    _says(bot, "/start")
    said = _says(bot, "Elders", "hoi")
    assert "Een mens van Elders leest het" in said[0]
    assert not any("gemeente typen" in text for text in said), "not asked again"
    assert _at(bot) == "elders"


def test_the_fallback_named_at_first_is_welcomed_and_never_asked(bot: Rig) -> None:
    bot.house.confidant("sanne")
    said = _says(bot, "Elders", "ik weet niet", "en nu")
    assert any("Een mens van Elders leest het" in text for text in said)
    assert not any("gemeente typen" in text for text in said)
    assert any("http://localhost:8080/elders" in text for text in said), "its own page, now that it is known"


@pytest.mark.parametrize("name", ["Voorbeeldstad", "Elders"])
def test_a_name_after_other_words_is_not_answered_as_nonsense(bot: Rig, name: str) -> None:
    bot.house.confidant("sanne")
    _says(bot, "/start", "ik ben bang")
    said = _says(bot, name)
    assert said
    assert not any(text.startswith(SORRY) for text in said)
    assert not any("mens van Voorbeeldstad" in text for text in said)
    assert _words(bot, "olga")[-1] == name


# to be put right, and not by accident ----------------------------------------------------------------------------------------


def test_a_wrong_choice_can_be_put_right_while_nothing_was_told(bot: Rig) -> None:
    bot.house.confidant("sanne")
    for wish, team in (("Voorbeeldstad", CITY), ("gemeente Elders", "elders"), ("voorbeeld", CITY), ("Elders", "elders")):
        said = _says(bot, wish)
        assert _at(bot) == team
        assert any("leest het zodra er iemand is" in text for text in said)
    assert _words(bot, "olga") == ["Voorbeeldstad", "gemeente Elders", "voorbeeld", "Elders"], "exactly as it was typed"
    with pytest.raises(Exception, match=r"^$"):
        _words(bot, "sanne")
    _says(bot, "hij slaat me", "Voorbeeldstad")
    assert _at(bot) == "elders", "what was told stays with the people who can read it"


def test_after_a_restart_names_are_still_put_right(bot: Rig) -> None:
    bot.house.confidant("sanne")
    _says(bot, "voorbeeld")
    with rig(bot.house, fallback="elders", understand=_lost) as again:
        again.api.chats.add(KID)
        again.api._message_id = 5_000
        again.api.writes(KID, "Elders")
        again.poll()
    assert _at(bot) == "elders"
    assert _words(bot, "olga") == ["Voorbeeldstad", "Elders"], "the name itself is known, its spelling is not"


def test_an_ordinary_word_that_is_a_gemeente_too_moves_nobody(bot: Rig) -> None:
    bot.house.confidant("sanne")
    _more(bot, "Best", "Echt", "Buren")
    _says(bot, "/start", "gaat niet zo goed", "best", "echt", "Buren")
    assert _at(bot) == "elders"
    assert _words(bot, "olga")[-3:] == ["best", "echt", "Buren"]


def test_a_question_is_no_name(bot: Rig) -> None:
    _more(bot, "Echt")
    _says(bot, "/start", "Echt?")
    assert _at(bot) == "elders"


def test_a_late_repeat_does_not_move_a_chat_back(bot: Rig) -> None:
    bot.house.confidant("sanne")
    first = bot.api.writes(KID, "Voorbeeldstad")
    bot.api.writes(KID, "Elders")
    bot.poll()
    bot.run(bot.updates.take(first))
    assert _at(bot) == "elders"


def test_a_sticker_is_stronger_than_a_name(bot: Rig) -> None:
    bot.house.confidant("sanne")
    _says(bot, f"/start {CITY}", "Elders")
    assert _at(bot) == CITY


def test_a_moved_chat_follows_the_route_of_its_new_gemeente(bot: Rig) -> None:
    run = bot.house.runtime
    other = run.configuration.routes["plain"].model_copy(update={"id": "piket"})
    known = dict(run.configuration.municipalities)
    known["elders"] = known["elders"].model_copy(update={"route": "piket"})
    routes = {**run.configuration.routes, "piket": other}
    run.configuration = run.configuration.model_copy(update={"routes": routes, "municipalities": known})
    bot.house.confidant("sanne")
    _says(bot, "/start")
    (before,) = run.store.read(handoffs.all_waiting).result()
    assert before.route == "piket"
    bot.house.clock.turn(minutes=20)
    _says(bot, "Voorbeeldstad")
    (after,) = run.store.read(handoffs.all_waiting).result()
    assert (after.route, after.step) == ("plain", run.configuration.routes["plain"].step_at(20).to)


# nearly a name ---------------------------------------------------------------------------------------------------------------


def test_a_misspelt_name_gets_the_nearest_names_to_press(bot: Rig) -> None:
    _more(bot, "Hengelo", "Hengstdijk", "Almelo", "Urk", "Goes", "Borne", "Wierden", "Losser", "Dinkelland")
    _says(bot, "/start")
    said = _says(bot, "Henglo")
    assert not any(text.startswith(SORRY) for text in said)
    shown = bot.api.keyboards(KID)[-1]
    assert shown[:3] == ["Ik wil een mens", "Ik ben nu in gevaar", "Hengelo"]
    assert "Urk" not in shown
    said = _says(bot, "Hengelo")
    assert any("Een mens van Hengelo leest het" in text for text in said)
    assert _at(bot) == "hengelo"
    assert _words(bot, "van-hengelo") == ["/start", "Henglo", "Hengelo"], "nothing of what was typed is lost"


def test_a_misspelt_name_as_the_first_word_too(bot: Rig) -> None:
    bot.house.confidant("sanne")
    said = _says(bot, "vorbeeldstat")
    assert not any(text.startswith(SORRY) for text in said)
    assert "Voorbeeldstad" in bot.api.keyboards(KID)[-1]
    _says(bot, "Voorbeeldstad")
    assert _at(bot) == CITY


def test_the_nearest_names_wait_sealed_and_are_wiped(bot: Rig) -> None:
    bot.house.confidant("sanne")
    bot.api.writes(KID, "vorbeeldstat")
    bot.poll()
    assert all(b"voorbeeldstad" not in (row.sealed or b"") for row in rows(bot.house, outbox))
    bot.settle()
    assert all(row.sealed is None for row in rows(bot.house, outbox))


def test_danger_is_never_taken_for_a_misspelt_name(bot: Rig) -> None:
    _more(bot, "Nes")
    said = _says(bot, "/start", "mes")
    assert not any("Dit woord ken ik niet" in text for text in said)
    assert any("112" in text for text in said[-3:])


def test_after_other_words_nothing_is_offered(bot: Rig) -> None:
    bot.house.confidant("sanne")
    _says(bot, "/start", "het gaat niet zo")
    assert not any("Dit woord ken ik niet" in text for text in _says(bot, "vorbeeldstat"))


def test_a_chat_with_a_human_is_not_moved_by_a_correction(bot: Rig) -> None:
    bot.house.confidant("sanne")
    _says(bot, "Voorbeeldstad")
    sanne, _ = bot.house.sign_in("sanne")
    run, write, now = bot.house.runtime, bot.house.runtime.store.write, bot.house.clock
    (item,) = write(handoffs.all_waiting).result()
    write(lambda tx: confidant.claim(tx, run, sanne, item.id, now())).result()
    _says(bot, "Elders")
    opened = write(lambda tx: look(tx, run, sanne, item.id, now())).result()
    assert opened.lines[-1].text == "Elders"


def test_the_confidant_reads_the_address_that_was_said(bot: Rig) -> None:
    bot.house.confidant("sanne")
    _says(bot, "/start", "Voorbeeldstad")
    sanne, _ = bot.house.sign_in("sanne")
    run, write, now = bot.house.runtime, bot.house.runtime.store.write, bot.house.clock
    (item,) = write(handoffs.all_waiting).result()
    write(lambda tx: confidant.claim(tx, run, sanne, item.id, now())).result()
    opened = write(lambda tx: look(tx, run, sanne, item.id, now())).result()
    (opener,) = [line.text for line in opened.lines if "voor jou alleen" in line.text]
    assert opener in bot.api.texts(KID)


def test_a_child_knows_its_own_page_by_its_sticker(bot: Rig) -> None:
    bot.house.confidant("sanne")
    assert any(f"http://localhost:8080/{CITY}. " in text for text in _says(bot, f"/start {CITY}"))


def test_names_that_were_offered_to_an_unsure_reading_can_be_pressed_too(sqlite_house: House) -> None:
    with rig(sqlite_house, fallback="elders", understand=lambda _: understood("out_of_scope", confidence=0.4)) as bot:
        sqlite_house.confidant("olga", "elders")
        _more(bot, "Tilburg", "Zundert")
        _says(bot, "Tilburk")
        _says(bot, "Tilburg")
        assert _at(bot) == "tilburg"
