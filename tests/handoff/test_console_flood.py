"""A flood at the console's door keeps no confidant out: tries that cannot be right cost nothing, others wait in two lanes."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from dataclasses import replace
from itertools import islice

import httpx
import pytest

from handoff.accounts import credentials
from handoff.console.app import console_app
from handoff.console.lanes import MOST, Crowded, Lane
from handoff.crypto import Cost
from handoff.models import audit_entry, person
from tests.handoff.desk import OURS, desk, invite, new_child, read, wrong_phrases
from tests.make import House, rows
from tests.proof import WHOLE, proof, size
from tests.serving import serving

TRIES_A_SECOND = 500


def _row(house: House, login: str) -> credentials.LoginRow:
    return read(house, lambda tx: credentials.look_up(tx, login))


@pytest.mark.parametrize("login", ["sanne", "noor", "bestaat-niet"])
def test_one_wrong_passphrase_in_thousands_needs_the_slow_work_whoever_exists(sqlite_house: House, login: str) -> None:
    house = sqlite_house
    house.confidant("sanne")
    invite(house, "noor")
    row, vault = _row(house, login), house.runtime.vault
    fitting = sum(credentials.may_fit(vault, row, login, f"gok {n}") for n in range(20_000))
    assert 0 < fitting < 30
    if login in house.phrases:
        assert credentials.may_fit(vault, row, login, house.phrases[login].upper().replace(" ", "-"))


def test_two_logins_that_nobody_has_are_as_different_as_two_that_exist(sqlite_house: House) -> None:
    """Else one passphrase tried on both would tell that neither exists."""
    vault = sqlite_house.runtime.vault
    one, other = _row(sqlite_house, "een"), _row(sqlite_house, "twee")
    fits = [n for n in range(20_000) if credentials.may_fit(vault, one, "een", f"gok {n}")]
    assert fits
    assert not all(credentials.may_fit(vault, other, "twee", f"gok {n}") for n in fits)


def test_who_had_a_passphrase_before_there_were_tags_is_asked_the_slow_way(sqlite_house: House) -> None:
    house = sqlite_house
    house.confidant("sanne")
    assert credentials.may_fit(house.runtime.vault, replace(_row(house, "sanne"), door_tag=None), "sanne", "wat dan ook")


def test_guesses_hold_nobody_out_and_do_not_fill_the_audit(sqlite_house: House) -> None:
    """Many wrong tries, known login or not: no hold, and one line for each login in a minute; the next minute says so again."""
    house = sqlite_house
    house.confidant("sanne")
    with desk(house) as stranger:
        for number in range(40):
            for login in ("sanne", f"niemand-{number}"):
                assert stranger.post("/inloggen", naam=login, wachtzin=f"gok {number} gok gok").status_code == 403
        denied = [row.person_id for row in rows(house, audit_entry) if row.result == "denied"]
        assert Counter(who is None for who in denied) == {True: 1, False: 1}
        house.clock.turn(minutes=2)
        stranger.post("/inloggen", naam="sanne", wachtzin="nog een gok")
        assert sum(row.result == "denied" for row in rows(house, audit_entry)) == 3
        assert stranger.sign_in("sanne").status_code == 303
    assert next(row for row in rows(house, person) if row.login == "sanne").locked_until is None


def test_a_try_that_is_repeated_costs_nothing_and_holds_nobody(sqlite_house: House) -> None:
    """Whoever found a wrong passphrase that needs the slow work cannot send it again and again."""
    house = sqlite_house
    house.confidant("sanne")
    phrase = next(wrong_phrases(house, "sanne"))
    with desk(house) as stranger:
        for _ in range(8):
            assert stranger.post("/inloggen", naam="sanne", wachtzin=phrase).status_code == 403
        assert next(row for row in rows(house, person) if row.login == "sanne").failures == 1
        assert stranger.sign_in("sanne").status_code == 303


def test_nobody_is_held_out_who_never_signed_in(sqlite_house: House) -> None:
    """A printed passphrase knows no browser yet: a hold would keep a new confidant out for as long as somebody wishes."""
    house = sqlite_house
    house.confidant("sanne")
    invite(house, "noor")
    with desk(house) as stranger:
        for phrase in islice(wrong_phrases(house, "noor"), 5):
            stranger.post("/inloggen", naam="noor", wachtzin=phrase)
        assert next(row for row in rows(house, person) if row.login == "noor").locked_until is not None
        assert stranger.sign_in("noor").status_code == 303


# the lanes


def test_who_comes_when_a_lane_is_full_takes_the_place_of_one_by_lot() -> None:
    async def play() -> tuple[list[int], list[int]]:
        lane, gate, done, sent_away = Lane(draw=lambda among: among // 2), asyncio.Event(), [], []

        async def one(number: int) -> None:
            try:
                async with lane.turn():
                    await gate.wait()
                    done.append(number)
            except Crowded:
                sent_away.append(number)

        tasks = [asyncio.create_task(one(number)) for number in range(1 + MOST + 3)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        tasks[5].cancel()
        gate.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        async with lane.turn():
            done.append(-1)
        return done, sent_away

    done, sent_away = asyncio.run(play())
    assert len(sent_away) == 3
    assert len(done) == 1 + MOST - 1 + 1
    assert MOST + 3 in done, "the newest was not turned away"
    assert done[-1] == -1


def test_a_lane_lets_one_in_at_a_time() -> None:
    async def play() -> int:
        lane, inside, most = Lane(), 0, 0

        async def one() -> None:
            nonlocal inside, most
            async with lane.turn():
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(0)
                inside -= 1

        await asyncio.gather(*(one() for _ in range(MOST)))
        return most

    assert asyncio.run(play()) == 1


# a real server


@proof
def test_a_confidant_signs_in_under_a_flood(sqlite_house: House) -> None:
    """Tries come in on open connections, five hundred a second. In `make prove` a sign-in takes five seconds at most."""
    house = sqlite_house
    house.runtime.vault.cost = Cost(memory_kib=size(1024, 131072))
    house.confidant("sanne")
    invite(house, "noor")
    new_child(house)
    app = console_app(house.runtime, origin="http://localhost:8001")
    with serving(app, house.runtime.store.hub.close) as address:
        answers, took = asyncio.run(_flooded(house, f"http://{address.netloc}", seconds=size(2, 20)))
    assert answers[403] > 0, answers
    assert answers[503] == answers[500] == 0
    assert len(took) == 4
    if WHOLE:
        assert max(took) < 5, took


async def _flooded(house: House, url: str, seconds: float) -> tuple[Counter[int], list[float]]:
    answers: Counter[int] = Counter()
    took: list[float] = []
    flood, here = (httpx.AsyncClient(base_url=url, headers=OURS, timeout=60) for _ in range(2))
    async with flood, here:
        until = time.monotonic() + seconds

        async def tries() -> None:
            going = True
            while going:
                begun = time.monotonic()
                login = secrets.choice(["sanne", "noor", f"x{secrets.token_hex(3)}"])
                sent = {"naam": login, "wachtzin": secrets.token_hex(12)}
                answers[(await flood.post("/inloggen", data=sent)).status_code] += 1
                await asyncio.sleep(max(0.0, begun + _AT_ONCE / TRIES_A_SECOND - time.monotonic()))
                going = time.monotonic() < until

        running = [asyncio.create_task(tries()) for _ in range(_AT_ONCE)]
        await asyncio.sleep(0.5)
        for login in ("noor", "sanne", "sanne", "sanne"):
            begun = time.monotonic()
            answer = await here.post("/inloggen", data={"naam": login, "wachtzin": house.phrases[login]})
            assert answer.status_code == 303, answer.status_code
            took.append(time.monotonic() - begun)
        await asyncio.gather(*running)
    return answers, took


_AT_ONCE = 50
