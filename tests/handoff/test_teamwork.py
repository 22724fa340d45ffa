"""What colleagues do for each other: letting in after the first sign-in, and a new team key when somebody left."""

from __future__ import annotations

from concurrent.futures import Future
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from bot import child
from handoff import audit, keys
from handoff.accounts import credentials, sessions
from handoff.accounts.sessions import Unlocked
from handoff.console.pages.team import BATCH
from handoff.errors import Conflict, Denied, NotFound
from handoff.keys import first_sign_in
from handoff.models import conversation, team, team_wrap
from handoff.queue import handoffs
from handoff.team import people, teamwork
from tests.handoff.desk import Desk, desk, hidden, invite, new_child, print_again, read, write
from tests.make import CITY, House, incoming, key_code, team_id_of, understood

TEAM = team_id_of(CITY)


def _epoch_in(tx: sa.Connection) -> int:
    return int(tx.execute(sa.select(team.c.epoch).where(team.c.id == TEAM)).scalar_one())


def _epoch(house: House) -> int:
    return read(house, _epoch_in)


def _waiting(house: House) -> list[str]:
    """The handoffs in the order in which their children came."""
    return [item.id for item in sorted(read(house, lambda tx: handoffs.waiting(tx, TEAM)), key=lambda item: item.opened_at)]


def _epochs_held(house: House, person_id: str) -> set[int]:
    query = sa.select(team_wrap.c.epoch).where(team_wrap.c.person_id == person_id)
    return set(read(house, lambda tx: tx.execute(query).scalars().all()))


def _code(house: House, person_id: str) -> str:
    return read(house, lambda tx: key_code(tx, person_id))


def _audited(house: House) -> list[tuple[str, str | None, str]]:
    return [(row.action, row.object, row.result) for row in read(house, lambda tx: audit.entries(tx, CITY))]


def _let_in(house: House, by: Unlocked, person_id: str, code: str) -> None:
    write(house, lambda tx: teamwork.let_in(tx, house.runtime.vault, by, person_id, code, house.clock()))


def _reads(browser: Desk, handoff_id: str, words: str) -> bool:
    browser.post(f"/wachtrij/{handoff_id}/overnemen")
    seen = words in browser.get(f"/gesprek/{handoff_id}").text
    browser.post(f"/gesprek/{handoff_id}/teruggeven")
    return seen


# letting in


def test_from_invitation_to_reading(house: House) -> None:
    house.confidant("sanne")
    noor_id = invite(house, "noor")
    handoff_id = new_child(house, "mn vader slaat me").handoff_id
    with desk(house) as sanne, desk(house) as noor:
        assert sanne.first_sign_in("sanne") == "/?melding=zin-vernieuwd"
        before = _code(house, noor_id)
        page = sanne.get("/team").text
        assert "Laat Noor eerst inloggen" in page
        assert 'name="code"' not in page
        too_soon = sanne.post("/team/toelaten", persoon=noor_id, code=before)
        assert too_soon.status_code == 422
        assert "moet eerst zelf inloggen" in too_soon.text

        noor.first_sign_in("noor")
        landing, theirs = noor.get("/").text, noor.get("/team").text
        assert "U kunt nog niet meelezen" in landing
        assert "Bel Sanne" in theirs
        code = _code(house, noor_id)
        assert code != before
        assert all(f"<li>{word}</li>" in theirs for word in code.split())
        assert not _reads(noor, handoff_id, "slaat")

        assert sanne.post("/team/toelaten", persoon=noor_id, code=before).status_code == 422
        assert not _reads(noor, handoff_id, "slaat")
        assert sanne.post("/team/toelaten", persoon=noor_id, code=code).headers["location"] == "/team?melding=toegelaten"
        assert _reads(noor, handoff_id, "slaat")
        assert "Sanne" in noor.get("/team").text
        assert sanne.post("/team/toelaten", persoon=noor_id, code=code).status_code == 404, "already in"
    grants = [line for line in _audited(house) if line[0] == "grant"]
    assert grants == [("grant", noor_id, "denied"), ("grant", noor_id, "denied"), ("grant", noor_id, "ok")]


def test_a_printed_passphrase_lets_nobody_in_and_disabled_people_neither(sqlite_house: House) -> None:
    house = sqlite_house
    sanne, noor_id, kim_id = house.confidant("sanne"), invite(house, "noor"), invite(house, "kim")
    with pytest.raises(Conflict):
        _let_in(house, sanne, noor_id, _code(house, noor_id))
    write(house, lambda tx: people.disable(tx, house.runtime.vault, login="kim", now=house.clock()))
    for nobody in (kim_id, "bestaat-niet", sanne.person_id):
        with pytest.raises(NotFound):
            _let_in(house, sanne, nobody, "")
    assert _epochs_held(house, noor_id) == _epochs_held(house, kim_id) == set()


def test_an_invited_person_sees_whom_to_call_and_nobody_of_another_gemeente(sqlite_house: House) -> None:
    house = sqlite_house
    with desk(house) as sanne, desk(house) as noor:
        house.confidant("sanne")
        print_again(house, "sanne")
        house.confidant("vreemd", "elders")
        invite(house, "noor")
        noor.first_sign_in("noor")
        assert "Bel een collega" in noor.get("/team").text, "Sanne has not signed in yet: she cannot let in"
        sanne.first_sign_in("sanne")
        assert "Bel Sanne," in noor.get("/team").text
        assert "Vreemd" not in noor.get("/team").text


def test_who_forgot_is_let_in_again_with_a_new_team_key(house: House) -> None:
    sanne, noor = house.confidant("sanne"), house.confidant("noor")
    writer = new_child(house, "mn vader slaat me")
    with desk(house, "sanne") as colleague, desk(house) as browser:
        house.phrases["noor"] = "gedrukt op het gemeentehuis"
        key = credentials.new_key(house.runtime.vault, house.phrases["noor"], person_id=noor.person_id)
        write(house, lambda tx: people.renew(tx, house.runtime.vault, key, lose_words=False, now=house.clock()))
        browser.first_sign_in("noor")
        assert "nog niet meelezen" in browser.get("/").text
        code = _code(house, noor.person_id)
        assert colleague.post("/team/toelaten", persoon=noor.person_id, code=code).status_code == 303
        assert _epochs_held(house, sanne.person_id) == _epochs_held(house, noor.person_id) == {2}
        writer.say("en weer")
        assert _reads(browser, writer.handoff_id, "slaat me")
        assert _reads(browser, writer.handoff_id, "en weer")
    assert [line for line in _audited(house) if line[0] == "rotate"] == [("rotate", TEAM, "ok")]


# the first sign-in over HTTP


def test_the_first_sign_in_of_a_founder_renews_key_and_team_and_keeps_the_chats(house: House) -> None:
    sanne = house.confidant("sanne")
    writer = new_child(house, "is daar iemand")
    with desk(house) as browser:
        code = _code(house, sanne.person_id)
        browser.first_sign_in("sanne")
        assert _code(house, sanne.person_id) != code
        assert _epochs_held(house, sanne.person_id) == {2}
        writer.say("hallo")
        handoff_id = writer.handoff_id
        browser.post(f"/wachtrij/{handoff_id}/overnemen")
        page = browser.get(f"/gesprek/{handoff_id}").text
        assert "is daar iemand" in page
        assert "hallo" in page


def test_a_form_that_was_sent_twice_does_no_harm_and_tells_the_truth(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    with desk(house) as browser:
        browser.sign_in("sanne")
        one, two = (browser.get("/nieuwe-wachtzin").text for _ in range(2))
        fields = [
            {"nieuw": hidden(page, "nieuw"), "merk": hidden(page, "merk"), "wachtzin": hidden(page, "nieuw")} for page in (one, two)
        ]
        assert browser.post("/nieuwe-wachtzin", **fields[0]).headers["location"] == "/?melding=zin-vernieuwd"
        assert browser.post("/nieuwe-wachtzin", **fields[0]).headers["location"] == "/?melding=zin-vernieuwd"
        assert browser.get("/").status_code == 200
        house.phrases["sanne"] = fields[0]["wachtzin"]
        assert browser.sign_in("sanne").headers["location"] == "/"


def test_with_many_chats_the_rest_follows_in_small_commits(sqlite_house: House) -> None:
    house = sqlite_house
    sanne = house.confidant("sanne")
    for number in range(first_sign_in.FEW + 3):
        new_child(house, f"kind {number}")
    with desk(house) as browser:
        browser.first_sign_in("sanne")
        assert read(house, lambda tx: keys.to_rewrap(tx, TEAM)) == []
        assert _epochs_held(house, sanne.person_id) == {2}
        for number, handoff_id in enumerate(_waiting(house)):
            assert _reads(browser, handoff_id, f"kind {number}")


def test_children_write_on_while_a_founder_signs_in_for_the_first_time(house: House) -> None:
    """On PostgreSQL all of this happens at once: chats that go on, chats that begin, and a new key under all of them."""
    house.confidant("sanne")
    print_again(house, "sanne")
    runtime, tokens = house.runtime, [bytes([n]) * 32 for n in range(1, 9)]
    who, cookie = house.sign_in("sanne")
    private = runtime.vault.new_private_key()
    key = credentials.lock_key(runtime.vault, who.person_id, private, "zes woorden van haar zelf")

    def send(token: bytes, number: int) -> Future[Any]:
        words = incoming(f"bericht {number}", token=token, external_id=f"m{number}")
        return runtime.store.write(lambda tx: child.send(tx, runtime, words, understood(), house.clock()))

    def take(tx: sa.Connection) -> list[str]:
        here = sessions.resume(tx, runtime.vault, cookie, now=house.clock())
        return first_sign_in.take_own_key(
            tx, runtime.vault, who=here, cookie=cookie, private_key=private, key=key, now=house.clock()
        )

    for done in [send(token, 1) for token in tokens[:4]]:
        done.result()
    sent = [send(token, 2) for token in tokens]
    taken = runtime.store.write(take)
    sent += [send(token, number) for number in (3, 4, 5) for token in tokens]
    for done in [*sent, taken]:
        done.result()
    me = write(house, lambda tx: sessions.resume(tx, runtime.vault, cookie, now=house.clock()))
    for chat_id in read(house, lambda tx: teamwork.behind(tx, me, TEAM)):
        write(house, partial(teamwork.rewrap, vault=runtime.vault, who=me, conversation_id=chat_id))
    assert write(house, lambda tx: teamwork.finish(tx, me, TEAM))
    chats = read(house, lambda tx: tx.execute(sa.select(conversation.c.id)).scalars().all())
    opened = [read(house, partial(keys.open_conversation, vault=runtime.vault, conversation_id=chat, opener=me)) for chat in chats]
    said = sorted(sorted(m.text for m in lines if m.text) for lines in opened)
    late = [f"bericht {n}" for n in (2, 3, 4, 5)]
    assert said == sorted([["bericht 1", *late]] * 4 + [late] * 4)


# a new team key


def test_after_somebody_left_a_colleague_renews_and_they_hold_nothing(house: House) -> None:
    sanne, kim = house.confidant("sanne"), house.confidant("kim")
    writer = new_child(house, "mn vader slaat me")
    handoff_id = writer.handoff_id
    write(house, lambda tx: people.disable(tx, house.runtime.vault, login="kim", now=house.clock()))
    with desk(house, "sanne") as browser:
        page = browser.get("/team").text
        assert "Kim is gestopt" in page
        assert "<strong>Kim</strong>" not in page
        done = browser.post("/team/sleutel", team=TEAM, sleutel=hidden(page, "sleutel"))
        assert done.headers["location"] == "/team?melding=vernieuwd"
        after = browser.get(done.headers["location"]).text
        assert "De teamsleutel is vernieuwd" in after
        assert "Kim is gestopt" not in after
        assert (_epochs_held(house, sanne.person_id), _epochs_held(house, kim.person_id)) == ({2}, set())
        writer.say("en nu weer")
        assert _reads(browser, handoff_id, "en nu weer")
        assert _reads(browser, handoff_id, "slaat me")
    assert [line for line in _audited(house) if line[0] == "rotate"] == [("rotate", TEAM, "ok")]


def test_two_who_press_at_once_renew_once(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    with desk(house, "sanne") as browser:
        for _ in range(2):
            assert browser.post("/team/sleutel", team=TEAM, sleutel="1").status_code == 303
    assert _epoch(house) == 2
    assert [line[0] for line in _audited(house)].count("rotate") == 1


def _rotate_only(house: House, by: Unlocked) -> None:
    """A renewal that stopped right after its first commit: a server that was switched off."""
    assert write(house, lambda tx: teamwork.rotate(tx, house.runtime.vault, by, TEAM, _epoch_in(tx), house.clock()))


def test_a_renewal_that_stopped_is_shown_and_taken_up_by_whoever_comes(house: House) -> None:
    sanne = house.confidant("sanne")
    house.confidant("noor")
    children = [new_child(house, f"kind {n}") for n in range(3)]
    _rotate_only(house, sanne)
    first = read(house, lambda tx: teamwork.behind(tx, sanne, TEAM))[0]
    write(house, lambda tx: teamwork.rewrap(tx, house.runtime.vault, sanne, first))
    with desk(house, "noor") as noor:
        page = noor.get("/team").text
        assert "Nog 2 van de 3 gesprekken" in page
        assert 'max="3" value="1"' in page
        assert 'action="/team/sleutel"' not in page, "one after the other"
        assert _epochs_held(house, sanne.person_id) == {1, 2}
        for number, writer in enumerate(children):
            writer.say(f"erbij {number}")
        assert [_reads(noor, handoff_id, f"erbij {n}") for n, handoff_id in enumerate(_waiting(house))] == [True] * 3
        assert noor.post("/team/sleutel/verder", team=TEAM).headers["location"] == "/team?melding=vernieuwd"
        assert _epochs_held(house, sanne.person_id) == {2}
        assert [_reads(noor, handoff_id, f"kind {n}") for n, handoff_id in enumerate(_waiting(house))] == [True] * 3


def test_one_click_does_a_bounded_number_of_chats(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    for _ in range(BATCH + 2):
        new_child(house)
    with desk(house, "sanne") as browser:
        assert browser.post("/team/sleutel", team=TEAM, sleutel="1").headers["location"] == "/team"
        assert f"Nog 2 van de {BATCH + 2} gesprekken" in browser.get("/team").text
        assert browser.post("/team/sleutel/verder", team=TEAM).headers["location"] == "/team?melding=vernieuwd"


def test_a_chat_whose_day_is_gone_stops_nothing_and_the_page_says_what_is_left(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    new_child(house)
    day = read(house, lambda tx: tx.execute(sa.select(conversation.c.expires_on)).scalar_one())
    house.runtime.vault.destroy_bucket(day)
    with desk(house, "sanne") as browser:
        assert browser.post("/team/sleutel", team=TEAM, sleutel="1").headers["location"] == "/team"
        assert "Nog 1 van de 1" in browser.get("/team").text
        write(house, lambda tx: tx.execute(conversation.delete()))
        assert browser.post("/team/sleutel/verder", team=TEAM).headers["location"] == "/team?melding=vernieuwd"


def test_a_swapped_key_of_a_colleague_stops_a_renewal_with_an_alarm(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    noor = house.confidant("noor")
    forged = house.runtime.vault.new_private_key()
    key = credentials.lock_key(house.runtime.vault, noor.person_id, forged, "een zin van iemand anders")
    write(house, lambda tx: credentials.store_key(tx, key))
    with desk(house, "sanne") as browser:
        refused = browser.post("/team/sleutel", team=TEAM, sleutel="1")
        assert refused.status_code == 422
        assert "veranderd zonder dat het mocht" in refused.text
    assert _epoch(house) == 1
    assert ("rotate", TEAM, "denied") in _audited(house)


@pytest.mark.parametrize("epoch", ["", "x", "-1", "¹", "1" * 30])
def test_a_renewal_of_nonsense_is_refused(sqlite_house: House, epoch: str) -> None:
    sqlite_house.confidant("sanne")
    with desk(sqlite_house, "sanne") as browser:
        assert browser.post("/team/sleutel", team=TEAM, sleutel=epoch).status_code == 400
    assert _epoch(sqlite_house) == 1


def test_nobody_renews_another_gemeentes_key_or_before_being_let_in(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    house.confidant("vreemd", "elders")
    invite(house, "noor", own=True)
    with desk(house, "vreemd") as stranger, desk(house, "noor") as noor:
        for browser in (stranger, noor):
            assert browser.post("/team/sleutel", team=TEAM, sleutel="1").status_code == 404
            assert browser.post("/team/sleutel/verder", team=TEAM).status_code == 404
        assert _epoch(house) == 1
        assert "teamsleutel" not in noor.get("/team").text
    who = house.sign_in("vreemd")[0]
    new_child(house)
    chat_id = str(read(house, lambda tx: tx.execute(sa.select(conversation.c.id)).scalar_one()))
    sanne = house.sign_in("sanne")[0]
    _rotate_only(house, sanne)
    with pytest.raises(Denied):
        write(house, lambda tx: teamwork.rewrap(tx, house.runtime.vault, who, chat_id))


def test_letting_in_during_a_renewal_gives_the_older_key_too(sqlite_house: House) -> None:
    house = sqlite_house
    sanne, noor_id = house.confidant("sanne"), invite(house, "noor", own=True)
    writer = new_child(house, "mn vader slaat me")
    _rotate_only(house, sanne)
    with desk(house, "noor") as noor:
        _let_in(house, sanne, noor_id, _code(house, noor_id))
        assert _epochs_held(house, noor_id) == {1, 2}
        assert _reads(noor, writer.handoff_id, "slaat")
