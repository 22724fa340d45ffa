"""A stranger's guesses hold an account, but not in the browser that its owner uses; and every refusal is the same work."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from handoff.accounts import credentials
from handoff.console.device import KEPT
from handoff.database import Store
from handoff.models import person
from tests.handoff.desk import Desk, desk, print_again, wrong_phrases
from tests.make import House, rows

T = TypeVar("T")


def _guess(stranger: Desk, login: str, times: int = credentials.FAILURES) -> None:
    for phrase in islice(wrong_phrases(stranger.house, login), times):
        assert stranger.post("/inloggen", naam=login, wachtzin=phrase).status_code == 403


def _house(sqlite_house: House) -> House:
    for login in ("sanne", "noor"):
        sqlite_house.confidant(login)
    return sqlite_house


def test_a_strangers_guesses_do_not_keep_the_owner_out_of_their_own_browser(sqlite_house: House) -> None:
    house = _house(sqlite_house)
    with desk(house) as mine, desk(house) as stranger:
        mine.sign_in("sanne")
        mine.post("/uitloggen")
        _guess(stranger, "sanne")
        assert mine.sign_in("sanne").headers["location"] == "/"
        assert mine.get("/").status_code == 200


def test_who_signed_out_in_a_known_browser_is_not_told_that_a_session_ended(sqlite_house: House) -> None:
    house = _house(sqlite_house)
    with desk(house) as mine:
        mine.sign_in("sanne")
        mine.post("/uitloggen")
        assert mine.get("/").headers["location"] == "/inloggen"


def test_elsewhere_the_hold_stays_for_a_quarter_of_an_hour(sqlite_house: House) -> None:
    house = _house(sqlite_house)
    with desk(house) as mine, desk(house) as stranger, desk(house) as new_computer:
        mine.sign_in("sanne")
        _guess(stranger, "sanne")
        assert stranger.sign_in("sanne").status_code == 403
        assert new_computer.sign_in("sanne").status_code == 403
        house.clock.turn(minutes=14, seconds=59)
        assert new_computer.sign_in("sanne").status_code == 403
        house.clock.turn(seconds=1)
        assert new_computer.sign_in("sanne").status_code == 303


def test_a_known_browser_still_asks_for_the_passphrase(sqlite_house: House) -> None:
    house = _house(sqlite_house)
    with desk(house) as mine:
        mine.sign_in("sanne")
        mine.post("/uitloggen")
        _guess(mine, "sanne", 6)
        assert mine.get("/").status_code == 303


def test_it_is_known_for_one_person_only(sqlite_house: House) -> None:
    house = _house(sqlite_house)
    with desk(house) as mine, desk(house) as stranger:
        mine.sign_in("noor")
        mine.post("/uitloggen")
        _guess(stranger, "sanne")
        assert mine.sign_in("sanne").status_code == 403


def test_a_new_key_makes_older_browsers_strange_and_this_one_known(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    print_again(house, "sanne")
    with desk(house) as mine, desk(house) as stolen, desk(house) as stranger:
        stolen.sign_in("sanne")
        mine.first_sign_in("sanne")
        mine.post("/uitloggen")
        _guess(stranger, "sanne")
        assert stolen.sign_in("sanne").status_code == 403
        assert mine.sign_in("sanne").status_code == 303


@pytest.mark.parametrize("value", ["", "x", "é", "AAAA", "A" * 64, "A" * 6000, "=" * 64, "%00" * 9])
def test_a_cookie_that_we_did_not_make_is_nothing(sqlite_house: House, value: str) -> None:
    house = _house(sqlite_house)
    with desk(house) as stranger:
        _guess(stranger, "sanne")
        fields = {"naam": "sanne", "wachtzin": house.phrases["sanne"]}
        headers: Any = {"Origin": "http://localhost:8001", "Cookie": f"toestel={value}".encode()}
        assert stranger.request("POST", "/inloggen", data=fields, headers=headers).status_code == 403


@pytest.mark.parametrize(("origin", "name"), [("https://team.example.nl", "__Host-toestel"), ("http://localhost:8001", "toestel")])
def test_the_cookie_is_locked_down_and_names_nobody(sqlite_house: House, origin: str, name: str) -> None:
    house = _house(sqlite_house)
    with desk(house, origin=origin) as browser:
        fields = {"naam": "sanne", "wachtzin": house.phrases["sanne"]}
        answer = browser.request("POST", "/inloggen", data=fields, headers={"Origin": origin})
    (cookie,) = [line for line in answer.headers.get_list("set-cookie") if line.startswith(name + "=")]
    assert {"HttpOnly", "Path=/", "SameSite=strict", f"Max-Age={int(KEPT.total_seconds())}"} <= set(cookie.split("; "))
    assert ("Secure" in cookie) == origin.startswith("https")
    assert "sanne" not in cookie


def test_guessing_does_not_give_a_known_browser(sqlite_house: House) -> None:
    house = _house(sqlite_house)
    with desk(house) as stranger:
        refused = stranger.post("/inloggen", naam="sanne", wachtzin="een heel andere zin hoor")
        assert "set-cookie" not in refused.headers


# every refusal is the same work


@dataclass
class CountingStore:
    """A store that notes what is asked of it; the work itself is done by the real one."""

    real: Store
    seen: list[str] = field(default_factory=list)

    def write(self, work: Callable[[Connection], T]) -> Future[T]:
        """Note the commit and every statement that writes."""
        self.seen.append("commit")

        def noted(tx: Connection) -> T:
            def note(*event: Any) -> None:
                if not event[2].startswith("SELECT"):
                    self.seen.append(" ".join(event[2].split()[:3]))

            sa.event.listen(tx, "before_cursor_execute", note)
            try:
                return work(tx)
            finally:
                sa.event.remove(tx, "before_cursor_execute", note)

        return self.real.write(noted)

    def read(self, work: Callable[[Connection], T]) -> Future[T]:
        """Note the reading."""
        self.seen.append("read")
        return self.real.read(work)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


def test_every_refusal_writes_the_same(sqlite_house: House) -> None:
    house = _house(sqlite_house)
    counting = CountingStore(house.runtime.store)
    house.runtime.store = counting
    with desk(house) as stranger:

        def refused(login: str, phrase: str) -> list[str]:
            counting.seen.clear()
            assert stranger.post("/inloggen", naam=login, wachtzin=phrase).status_code == 403
            return list(counting.seen)

        found = wrong_phrases(house, "sanne")
        wrong = refused("sanne", next(found))
        _guess(stranger, "sanne")
        held_right, held_wrong = refused("sanne", house.phrases["sanne"]), refused("sanne", next(found))
        nobody = refused("bestaat-niet", next(wrong_phrases(house, "bestaat-niet")))
    assert wrong == held_right == held_wrong == nobody
    assert wrong[:2] == ["read", "commit"]
    assert [text.split()[0] for text in wrong[2:]] == ["UPDATE", "INSERT"]


def test_the_right_passphrase_on_a_held_account_does_not_prolong_the_hold(sqlite_house: House) -> None:
    house = _house(sqlite_house)
    with desk(house) as browser:
        _guess(browser, "sanne")
        before = next(row.locked_until for row in rows(house, person) if row.login == "sanne")
        house.clock.turn(minutes=10)
        assert browser.sign_in("sanne").status_code == 403
        (now,) = [row for row in rows(house, person) if row.login == "sanne"]
        assert (now.locked_until, now.failures) == (before, 0)
        house.clock.turn(minutes=5)
        assert browser.sign_in("sanne").status_code == 303
