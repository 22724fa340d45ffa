"""The second step at the door: nothing is shown before it, a code counts once, and guesses come to an end."""

from __future__ import annotations

import base64
import re
from types import MappingProxyType

import httpx
import pytest

from handoff import crypto
from handoff.accounts import credentials
from handoff.accounts.second_step import FAILURES, HELD, RECOVERY_CODES
from handoff.errors import Denied
from handoff.models import audit_entry, recovery_code, second_step, session
from handoff.team import people
from tests.handoff.desk import OURS, Desk, desk, hidden, invite, new_child
from tests.make import CITY, House, rows, team_id_of

MOMENT = "/tweede-stap"


class Phone:
    """An authenticator app."""

    def __init__(self, house: House, secret: bytes) -> None:
        self._house, self._secret = house, secret

    def code(self) -> str:
        """What it shows now."""
        return crypto.totp_code(self._secret, self._house.clock().timestamp())

    def next_code(self) -> str:
        """What it shows half a minute later."""
        self._house.clock.turn(seconds=30)
        return self.code()


def set_up(sanne: Desk, **more: str) -> tuple[Phone, list[str], httpx.Response]:
    """Scan the code, type what the phone shows, note the recovery codes."""
    page = sanne.get(f"{MOMENT}/instellen").text
    secret = hidden(page, "geheim")
    phone = Phone(sanne.house, base64.b32decode(secret))
    done = sanne.post(f"{MOMENT}/instellen", geheim=secret, merk=hidden(page, "merk"), code=phone.code(), **more)
    return phone, re.findall(r"<code>(\w{5}-\w{5})</code>", done.text), done


@pytest.fixture
def sanne_with_phone(house: House) -> tuple[House, Phone, list[str]]:
    """A confidant with a second step, signed out again."""
    house.confidant("sanne")
    with desk(house, "sanne") as sanne:
        phone, codes, _ = set_up(sanne)
    house.clock.turn(seconds=30)
    return house, phone, codes


def test_nothing_is_shown_before_the_second_step(sanne_with_phone: tuple[House, Phone, list[str]]) -> None:
    house, phone, _ = sanne_with_phone
    handoff_id = new_child(house).handoff_id
    with desk(house, "sanne") as sanne:
        for path in ("/", "/team", f"/gesprek/{handoff_id}", "/wachtrij-deel", "/nieuwe-wachtzin"):
            answer = sanne.get(path)
            assert answer.status_code in (303, 404), path
            assert answer.headers.get("location") in (MOMENT, None), path
        assert sanne.get("/stroom").status_code == 401
        assert sanne.request("POST", "/klop", headers=OURS).headers.get("location") == MOMENT
        assert sanne.post(f"/wachtrij/{handoff_id}/overnemen").headers["location"] == MOMENT
        assert sanne.get(f"{MOMENT}/instellen").headers["location"] == MOMENT, "who has only the passphrase sets up no other phone"
        assert sanne.post("/nieuwe-wachtzin", wachtzin="x", nieuw="x", merk="x").headers["location"] == MOMENT
        assert "Wachtrij" not in sanne.get(MOMENT).text
        assert sanne.post(MOMENT, code=phone.code()).headers["location"] == "/"
        assert sanne.get("/").status_code == 200
        assert sanne.get(MOMENT).headers["location"] == "/"


def test_a_code_counts_once_and_only_in_its_time(sanne_with_phone: tuple[House, Phone, list[str]]) -> None:
    house, phone, _ = sanne_with_phone
    code = phone.code()
    with desk(house, "sanne") as sanne, desk(house, "sanne") as thief:
        assert sanne.post(MOMENT, code=f"{code[:3]} {code[3:]}").status_code == 303
        assert thief.post(MOMENT, code=code).status_code == 422
        house.clock.turn(seconds=61)
        late = phone.code()
        house.clock.turn(seconds=90)
        assert thief.post(MOMENT, code=late).status_code == 422
        assert thief.get("/").headers["location"] == MOMENT


def test_guesses_come_to_an_end_in_every_session(sanne_with_phone: tuple[House, Phone, list[str]]) -> None:
    house, phone, codes = sanne_with_phone
    for number in range(FAILURES):
        with desk(house, "sanne") as thief:  # a new session each time: the passphrase is known
            answer = thief.post(MOMENT, code="000000")
            assert ("te veel" in answer.text) == (number == FAILURES - 1)
    with desk(house, "sanne") as sanne:
        assert "te veel" in sanne.post(MOMENT, code=phone.code()).text
        assert "te veel" in sanne.post(MOMENT, code=codes[0]).text
    house.clock.turn(seconds=HELD.total_seconds() + 1)
    with desk(house, "sanne") as sanne:
        assert sanne.post(MOMENT, code=phone.code()).status_code == 303
    assert [row.result for row in rows(house, audit_entry) if row.action == "second_step"] == ["denied"] * (FAILURES + 2) + ["ok"]


def test_each_recovery_code_opens_once(sanne_with_phone: tuple[House, Phone, list[str]]) -> None:
    house, _, codes = sanne_with_phone
    assert len(set(codes)) == RECOVERY_CODES
    for typed in (codes[0], codes[1].lower().replace("-", " "), codes[2].replace("0", "O").replace("1", "l")):
        with desk(house, "sanne") as sanne:
            assert sanne.post(MOMENT, code=typed).status_code == 303
            assert sanne.get("/").status_code == 200
        with desk(house, "sanne") as thief:
            assert thief.post(MOMENT, code=typed).status_code == 422
    with desk(house, "sanne") as sanne:
        sanne.post(MOMENT, code=codes[3])
        assert "nog 4 herstelcodes" in sanne.get("/team").text


def test_another_phone_is_set_up_with_the_old_one(sanne_with_phone: tuple[House, Phone, list[str]]) -> None:
    house, phone, codes = sanne_with_phone
    with desk(house, "sanne") as sanne:
        sanne.post(MOMENT, code=phone.code())
        _, none, refused = set_up(sanne, oud="123456")
        assert (refused.status_code, none) == (422, [])
        new_phone, fresh, _ = set_up(sanne, oud=codes[5])
        assert len(fresh) == RECOVERY_CODES
    house.clock.turn(seconds=30)
    with desk(house, "sanne") as sanne:
        assert sanne.post(MOMENT, code=phone.code()).status_code == 422
        assert sanne.post(MOMENT, code=codes[6]).status_code == 422, "the old recovery codes went with the old phone"
        assert sanne.post(MOMENT, code=new_phone.code()).status_code == 303


@pytest.mark.parametrize("change", ["code", "merk", "geheim"])
def test_a_phone_that_does_not_have_the_secret_is_not_set_up(sqlite_house: House, change: str) -> None:
    sqlite_house.confidant("sanne")
    with desk(sqlite_house, "sanne") as sanne:
        page = sanne.get(f"{MOMENT}/instellen").text
        fields = {name: hidden(page, name) for name in ("geheim", "merk")}
        fields["code"] = Phone(sqlite_house, base64.b32decode(fields["geheim"])).code()
        fields[change] = {"code": "000000", "merk": "x", "geheim": "A" * 32}[change]
        answer = sanne.post(f"{MOMENT}/instellen", **fields)
        assert answer.status_code == (422 if change == "code" else 400)
        assert rows(sqlite_house, second_step) == []
        if change == "code":
            assert fields["geheim"] in answer.text, "the phone has scanned it: the same one is asked again"


def test_letting_in_and_a_new_team_key_ask_for_a_code_again(sanne_with_phone: tuple[House, Phone, list[str]]) -> None:
    house, phone, _ = sanne_with_phone
    invited = invite(house, "mehmet")
    with desk(house, "sanne") as sanne, desk(house) as mehmet:
        mehmet.first_sign_in("mehmet")
        code = " ".join(re.findall(r"<li>(\w+)</li>", mehmet.get("/team").text)[-6:])
        sanne.post(MOMENT, code=phone.code())
        assert sanne.post("/team/toelaten", persoon=invited, code=code).status_code == 422
        key = {"team": team_id_of(CITY), "sleutel": hidden(sanne.get("/team").text, "sleutel")}
        assert sanne.post("/team/sleutel", **key, stap="000000").status_code == 422
        assert sanne.post("/team/toelaten", persoon=invited, code=code, stap=phone.next_code()).status_code == 303
        assert sanne.post("/team/sleutel", **key, stap=phone.next_code()).status_code == 303


def test_a_gemeente_that_requires_it_lets_nobody_in_without(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    strict = house.runtime.configuration.municipalities[CITY].model_copy(update={"second_step": "required"})
    known = {**house.runtime.configuration.municipalities, CITY: strict}
    house.runtime.configuration = house.runtime.configuration.model_copy(update={"municipalities": MappingProxyType(known)})
    invite(house, "mehmet")
    with desk(house, "sanne") as sanne, desk(house) as mehmet:
        assert sanne.get("/").headers["location"] == MOMENT
        assert sanne.get(MOMENT).headers["location"] == f"{MOMENT}/instellen"
        set_up(sanne)
        assert sanne.get("/").status_code == 200
        mehmet.sign_in("mehmet")
        assert mehmet.get(MOMENT).headers["location"] == "/nieuwe-wachtzin", (
            "first a key of one's own: the phone is locked under it"
        )
        assert mehmet.get(f"{MOMENT}/instellen").headers["location"] == "/nieuwe-wachtzin"


def test_the_phones_secret_opens_with_the_member_key_alone(sanne_with_phone: tuple[House, Phone, list[str]]) -> None:
    house, phone, codes = sanne_with_phone
    (row,) = rows(house, second_step)
    secret = phone._secret
    written = repr([tuple(r) for table in (second_step, recovery_code, session, audit_entry) for r in rows(house, table)]).encode()
    for plain in (
        secret,
        base64.b32encode(secret),
        *(code.encode() for code in codes),
        *(c.replace("-", "").encode() for c in codes),
    ):
        assert plain not in written
        assert repr(plain)[2:-1].encode() not in written
    other = house.confidant("noor")
    assert len(row.sealed) == 12 + crypto.totp.SECRET_BYTES + 16
    with pytest.raises(Denied):
        crypto.unlock(crypto.derive(other.private_key, "second-step"), row.sealed, "second-step", row.person_id)


def test_a_new_passphrase_of_an_operator_takes_the_phone_away(sanne_with_phone: tuple[House, Phone, list[str]]) -> None:
    house, _, _ = sanne_with_phone
    phrase = "zes woorden die een beheerder afdrukt"
    person_id = rows(house, second_step)[0].person_id
    key = credentials.new_key(house.runtime.vault, phrase, person_id=person_id)
    now = house.clock()
    house.runtime.store.write(lambda tx: people.renew(tx, house.runtime.vault, key, lose_words=True, now=now)).result()
    assert (rows(house, second_step), rows(house, recovery_code)) == ([], [])
    house.phrases["sanne"] = phrase
    with desk(house) as sanne:
        assert sanne.sign_in("sanne").headers["location"] == "/nieuwe-wachtzin"
