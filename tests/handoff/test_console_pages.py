"""The console over HTTP: the queue, a claimed chat, and handing it on."""

from __future__ import annotations

import pytest

from bot import child as child_side
from bot.channels.web.spec import WEBCHAT
from handoff import audit
from handoff.accounts import sessions
from handoff.chats import conversation
from handoff.chats.conversation import Door
from handoff.queue import handoffs, roster
from tests.handoff.desk import OURS, Child, desk, hidden, new_child, read, write
from tests.make import CITY, House, team_id_of

SECRET_WORDS = "oompje kwelt me avondlijk"


def test_queue_shows_who_waits_urgent_first_and_not_a_word_or_label(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    first = new_child(house, SECRET_WORDS, "ask_mayor")
    calm = first.handoff_id
    house.clock.turn(minutes=4)
    acute = new_child(house, SECRET_WORDS, "acute_danger").handoff_id
    with desk(house, "sanne") as sanne:
        page = sanne.get("/").text
        assert page.index(acute) < page.index(calm)
        assert "acuut" in page
        assert "4 min 01 s" in page
        assert "Staat bij het team" in page
        for word in ("oompje", "kwelt", "avondlijk", "burgemeester", "gevaar", "ask_mayor", "acute_danger"):
            assert word not in page
        assert sanne.get("/wachtrij-deel").text.count("data-waiting") == 2


def test_on_duty_is_a_switch_that_colleagues_see(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    house.confidant("noor")
    team = team_id_of(CITY)
    with desk(house, "sanne") as sanne, desk(house, "noor") as noor:
        assert "Niemand heeft nu dienst" in noor.get("/").text
        assert sanne.post("/dienst", team=team, dienst="aan").status_code == 303
        assert "U hebt dienst" in sanne.get("/").text
        assert "Nu aanwezig: Sanne" in noor.get("/").text
        house.clock.turn(seconds=80)
        assert "Nu aanwezig: niemand" in noor.get("/").text, "a silent console is not present"
        sanne.post("/dienst", team=team, dienst="uit")
        assert not read(house, lambda tx: roster.has_shift(tx, team_id=team, person_id=_id(house, "sanne")))


def _id(house: House, login: str) -> str:
    return next(w.person_id for w in house._signed_in if w.first_name == login.title())


def test_claim_read_write_and_delivery_state(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    child = new_child(house, "mn vader slaat me", "disclose_physical_abuse")
    handoff_id = child.handoff_id
    with desk(house, "sanne") as sanne:
        answer = sanne.post(f"/wachtrij/{handoff_id}/overnemen")
        assert answer.headers["location"] == f"/gesprek/{handoff_id}"
        page = sanne.get(f"/gesprek/{handoff_id}").text
        assert "mn vader slaat me" in page
        assert "lichamelijk geweld" in page
        assert "De computer raadt" in page
        assert "0800-0432" in page, "what the bot said is there too"
        assert sanne.send(handoff_id, "Hoi, ik ben Sanne.").json() == {"stored": True}
        assert sanne.send(handoff_id, "Hoi, ik ben Sanne.").json() == {"stored": True}
        page = sanne.get(f"/gesprek/{handoff_id}").text
        assert page.count("Hoi, ik ben Sanne.") == 1, "the same message twice is one message"
        assert "onderweg" in page
        _confirm_all(house, child)
        part = sanne.get(f"/gesprek/{handoff_id}/deel?na=1").text
        assert "aangekomen" in part
        assert "mn vader" not in part, "only what is new is sent again"


def _confirm_all(house: House, child: Child) -> None:
    door = Door(WEBCHAT, child.token)
    write(house, lambda tx: child_side.confirm(tx, house.runtime, door, 99, house.clock()))


def test_form_without_a_script_sends_once_and_keeps_a_refused_text(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    handoff_id = new_child(house).handoff_id
    with desk(house, "sanne") as sanne:
        sanne.post(f"/wachtrij/{handoff_id}/overnemen")
        number = hidden(sanne.get(f"/gesprek/{handoff_id}").text, "bericht")
        path = f"/gesprek/{handoff_id}/schrijven"
        for _ in range(2):
            assert sanne.post(path, tekst="Dag\r\ndaar", bericht=number).status_code == 303
        assert sanne.get(f"/gesprek/{handoff_id}").text.count("Dag\ndaar") == 1
        long = "x" * 4001
        refused = sanne.post(path, tekst=long, bericht=number + "2")
        assert refused.status_code == 422
        assert long in refused.text
        assert "te lang" in refused.text
        assert sanne.post(path, tekst=" \n ", bericht=number + "3").status_code == 422
        for no_id in ("", "kort", "x" * 65, "met spatie erin"):
            unsent = sanne.post(path, tekst="zonder naam", bericht=no_id)
            assert unsent.status_code == 422
            assert "niet verstuurd" in unsent.text
            assert ">zonder naam</textarea>" in unsent.text


@pytest.mark.parametrize("character", ["é", "字", "😀"])
def test_four_thousand_characters_of_any_script_fit(sqlite_house: House, character: str) -> None:
    house = sqlite_house
    house.confidant("sanne")
    handoff_id = new_child(house).handoff_id
    with desk(house, "sanne") as sanne:
        sanne.post(f"/wachtrij/{handoff_id}/overnemen")
        body = f'{{"tekst": "{character * 4000}", "bericht": "bericht-0001"}}'.encode()
        headers = {"Origin": "http://localhost:8001", "Content-Type": "application/json", "X-Console": "1"}
        answer = sanne.request("POST", f"/gesprek/{handoff_id}/schrijven", content=body, headers=headers)
        assert answer.status_code == 200
        assert character * 4000 in sanne.get(f"/gesprek/{handoff_id}").text
        number = hidden(sanne.get(f"/gesprek/{handoff_id}").text, "bericht")
        assert sanne.post(f"/gesprek/{handoff_id}/schrijven", tekst=character * 4000, bericht=number).status_code == 303


def test_what_fits_in_the_box_without_a_script_is_never_too_large_to_come_back(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    handoff_id = new_child(house).handoff_id
    with desk(house, "sanne") as sanne:
        sanne.post(f"/wachtrij/{handoff_id}/overnemen")
        page = sanne.get(f"/gesprek/{handoff_id}").text
        most = int(page.split('maxlength="', 1)[1].split('"', 1)[0])
        fields = {"bericht": hidden(page, "bericht"), "tekst": "字" * most}
        path = f"/gesprek/{handoff_id}/schrijven"
        refused = sanne.request("POST", path, files={k: (None, v) for k, v in fields.items()}, headers=OURS)
        assert refused.status_code == 422
        assert f">{'字' * most}</textarea>" in refused.text


def test_give_back_transfer_and_close(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    house.confidant("noor")
    handoff_id = new_child(house).handoff_id
    with desk(house, "sanne") as sanne, desk(house, "noor") as noor:
        sanne.post(f"/wachtrij/{handoff_id}/overnemen")
        assert "Sanne" in noor.get("/").text.split("Bij collega")[1]
        back = sanne.post(f"/gesprek/{handoff_id}/teruggeven").headers["location"]
        assert "op zijn oude plaats" in sanne.get(back).text
        noor.post(f"/wachtrij/{handoff_id}/overnemen")
        assert noor.post(f"/gesprek/{handoff_id}/overdragen", collega=_id(house, "sanne")).status_code == 303
        assert "Gevraagd: u" in sanne.get("/").text
        assert "Gevraagd: Sanne" in noor.get("/").text
        sanne.post(f"/wachtrij/{handoff_id}/overnemen")
        assert sanne.post(f"/gesprek/{handoff_id}/afsluiten", uitkomst="geheim").status_code == 400
        assert sanne.post(f"/gesprek/{handoff_id}/afsluiten", uitkomst="talked").status_code == 303
        assert read(house, lambda tx: handoffs.get(tx, handoff_id)).outcome == "talked"
        assert "afgesloten" in sanne.get(f"/gesprek/{handoff_id}").text


def test_transfer_to_somebody_of_another_gemeente_changes_nothing(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    stranger = house.confidant("vreemd", "elders")
    handoff_id = new_child(house).handoff_id
    with desk(house, "sanne") as sanne:
        sanne.post(f"/wachtrij/{handoff_id}/overnemen")
        assert sanne.post(f"/gesprek/{handoff_id}/overdragen", collega=stranger.person_id).status_code == 404
        assert read(house, lambda tx: handoffs.get(tx, handoff_id)).state == "claimed"


def test_second_to_claim_gets_the_queue_with_that_fact(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    house.confidant("noor")
    handoff_id = new_child(house).handoff_id
    with desk(house, "sanne") as sanne, desk(house, "noor") as noor:
        assert sanne.post(f"/wachtrij/{handoff_id}/overnemen").status_code == 303
        late = noor.post(f"/wachtrij/{handoff_id}/overnemen")
        assert late.status_code == 409
        assert "Een collega was u net voor" in late.text


def test_a_lost_claim_says_so_and_keeps_the_unsent_text(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    house.confidant("noor")
    handoff_id = new_child(house, SECRET_WORDS).handoff_id
    with desk(house, "sanne") as sanne, desk(house, "noor") as noor:
        sanne.post(f"/wachtrij/{handoff_id}/overnemen")
        lapsed = house.clock.turn(minutes=4)
        assert write(house, lambda tx: handoffs.lapse(tx, handoff_id=handoff_id, now=lapsed))
        page = sanne.post(f"/gesprek/{handoff_id}/schrijven", tekst="Ik <b>typte</b> dit net", bericht="bericht-0009")
        assert page.status_code == 409
        assert "Ik &lt;b&gt;typte&lt;/b&gt; dit net" in page.text
        assert "in de wachtrij" in page.text
        assert sanne.send(handoff_id, "nog iets").status_code == 409
        noor.post(f"/wachtrij/{handoff_id}/overnemen")
        lost = sanne.get(f"/gesprek/{handoff_id}")
        assert lost.status_code == 409
        assert "Noor heeft dit gesprek overgenomen" in lost.text
        assert SECRET_WORDS not in lost.text
        for deed in ("teruggeven", "afsluiten", "overdragen"):
            fields = {"uitkomst": "talked", "collega": _id(house, "noor")}
            assert sanne.post(f"/gesprek/{handoff_id}/{deed}", **fields).status_code == 409
        assert "Noor" in sanne.get(f"/gesprek/{handoff_id}/deel?na=1").text
        assert read(house, lambda tx: handoffs.get(tx, handoff_id)).claimed_by == _id(house, "noor")


def test_whether_the_childs_page_is_open_is_said_as_it_is(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    child = new_child(house)
    handoff_id = child.handoff_id
    with desk(house, "sanne") as sanne:
        sanne.post(f"/wachtrij/{handoff_id}/overnemen")
        assert "heeft de pagina nu open" in sanne.get(f"/gesprek/{handoff_id}").text
        house.clock.turn(seconds=61)
        assert "pagina van het kind is nu dicht" in sanne.get(f"/gesprek/{handoff_id}/deel?na=1").text
        chat_id = read(house, lambda tx: handoffs.get(tx, handoff_id)).conversation_id
        write(house, lambda tx: conversation.seen(tx, conversation.get(tx, chat_id), house.clock()))
        assert "heeft de pagina nu open" in sanne.get(f"/gesprek/{handoff_id}/deel?na=1").text


def test_opening_a_chat_is_audited_and_looking_at_the_queue_is_not(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    handoff_id = new_child(house).handoff_id
    with desk(house, "sanne") as sanne:
        sanne.get("/")
        sanne.post(f"/wachtrij/{handoff_id}/overnemen")
        sanne.get(f"/gesprek/{handoff_id}")
        lines = [(row.action, row.object) for row in read(house, lambda tx: audit.entries(tx, CITY))]
    assert lines[-3:] == [("login", None), ("claim", handoff_id), ("open", handoff_id)]


def test_a_page_without_a_script_keeps_shift_and_claim_by_being_loaded(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    handoff_id = new_child(house).handoff_id
    with desk(house, "sanne") as sanne:
        sanne.post("/dienst", team=team_id_of(CITY), dienst="aan")
        sanne.post(f"/wachtrij/{handoff_id}/overnemen")
        for _ in range(4):
            house.clock.turn(minutes=2)
            sanne.get("/")
        assert not write(house, lambda tx: handoffs.lapse(tx, handoff_id=handoff_id, now=house.clock()))
        assert read(house, lambda tx: roster.on_duty(tx, team_id_of(CITY), house.clock()))


def test_a_chat_that_does_not_open_says_so_and_can_be_given_back(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    handoff_id = new_child(house).handoff_id
    with desk(house, "sanne") as sanne:
        sanne.post(f"/wachtrij/{handoff_id}/overnemen")
        for day in house.runtime.vault.buckets():
            house.runtime.vault.destroy_bucket(day)
        assert "gaat niet open" in sanne.get(f"/gesprek/{handoff_id}").text
        assert sanne.get(f"/gesprek/{handoff_id}/deel?na=1").status_code == 404
        last = read(house, lambda tx: audit.entries(tx, CITY))[-1]
        assert (last.action, last.result) == ("open", "denied")
        assert sanne.post(f"/gesprek/{handoff_id}/teruggeven").status_code == 303


def test_signing_out_gives_the_children_back_and_ends_the_shift_at_once(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    with desk(house, "sanne") as sanne:
        elsewhere = house._signed_in[0].session_id
        write(house, lambda tx: sessions.end_session(tx, elsewhere))
        handoff_id = new_child(house).handoff_id
        sanne.post("/dienst", team=team_id_of(CITY), dienst="aan")
        sanne.post(f"/wachtrij/{handoff_id}/overnemen")
        sanne.post("/uitloggen")
    assert read(house, lambda tx: handoffs.get(tx, handoff_id)).state == "waiting"
    assert read(house, lambda tx: roster.on_duty(tx, team_id_of(CITY), house.clock())) == []
