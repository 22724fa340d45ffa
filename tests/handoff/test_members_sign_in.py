"""Signing in: only the right passphrase; the same work and answer for everyone else; a hold after five failures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from handoff.accounts import credentials, sessions
from handoff.accounts.credentials import LoginRow
from handoff.crypto import Cost, Vault
from handoff.errors import Conflict, Denied
from handoff.models import person
from tests.handoff.rig import NOW, SECRET, TOY, Rig, denied, later, sqlite_rig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """A house of keys on SQLite."""
    made = sqlite_rig(tmp_path)
    yield made
    made.engine.dispose()


class Counting(Vault):
    """A vault that notes what every passphrase costs."""

    def __init__(self, where: Path) -> None:
        super().__init__(SECRET, where, cost=TOY)
        self.work: list[tuple[Cost, int]] = []

    def stretch(self, passphrase: str, salt: bytes, cost: Cost) -> bytes:
        """Note it, then do it."""
        self.work.append((cost, len(salt)))
        return super().stretch(passphrase, salt, cost)


def test_the_right_passphrase_opens_however_it_is_typed(rig: Rig) -> None:
    anna = rig.person("u")
    typed = "  " + rig.phrases[anna].upper().replace(" ", "-") + "\n"
    assert rig.who(rig.sign_in(anna, typed)).person_id == anna


def test_login_is_found_in_any_case_and_a_taken_one_is_refused(rig: Rig) -> None:
    anna = rig.person("u")
    with rig.engine.begin() as tx:
        assert credentials.look_up(tx, " P0 ").person_id == anna
        key = credentials.new_key(rig.vault, "lang genoeg om te mogen")
        with pytest.raises(Conflict):
            credentials.insert_person(tx, key, municipality_id="u", login="P0", first_name="x", role="confidant", now=NOW)


@pytest.mark.parametrize("login", ["", "\ud83d", "a\0b", "x" * 65, "p0 or 1=1", "Ⅷ", "%"])
def test_what_cannot_be_a_login_fits_nobody_and_breaks_nothing(rig: Rig, login: str) -> None:
    rig.person("u")
    with rig.engine.begin() as tx:
        assert credentials.look_up(tx, login).person_id == ""
        key = credentials.new_key(rig.vault, "lang genoeg om te mogen")
        with pytest.raises(Conflict):
            credentials.insert_person(tx, key, municipality_id="u", login=login, first_name="x", role="clerk", now=NOW)


@pytest.mark.parametrize("phrase", ["", "verkeerd", "\ud83d\0", "x" * 100_000])
def test_any_other_passphrase_is_denied(rig: Rig, phrase: str) -> None:
    anna = rig.person("u")
    assert phrase != rig.phrases[anna]
    with rig.engine.begin() as tx:
        row = credentials.look_up(tx, rig.login_of(anna))
    assert denied(credentials.unlock, rig.vault, row, phrase)


def test_a_short_passphrase_of_ones_own_is_refused(rig: Rig) -> None:
    with pytest.raises(Conflict) as refused:
        credentials.new_key(rig.vault, "veertien teken")
    assert "veertien" not in str(refused.value)


def _work_of(rig: Rig, counting: Counting, login: str) -> tuple[list[tuple[Cost, int]], list[str]]:
    """What one failing attempt costs: passphrase work and statements."""
    statements: list[str] = []

    def note(*event: object) -> None:
        statements.append(str(event[2]))

    sa.event.listen(rig.engine, "before_cursor_execute", note)
    counting.work.clear()
    with rig.engine.begin() as tx:
        row = credentials.look_up(tx, login)
    assert denied(credentials.unlock, counting, row, "verkeerd")
    with rig.engine.begin() as tx:
        credentials.note_failure(tx, row, NOW)
    sa.event.remove(rig.engine, "before_cursor_execute", note)
    return list(counting.work), [text.split()[0] + " " + ("person" if "person" in text else "") for text in statements]


def test_unknown_disabled_and_known_logins_do_the_same_work(rig: Rig, tmp_path: Path) -> None:
    anna, gone = rig.person("u"), rig.person("u")
    with rig.engine.begin() as tx:
        tx.execute(person.update().where(person.c.id == gone).values(disabled_at=NOW))
    counting = Counting(tmp_path / "keys")
    known = _work_of(rig, counting, rig.login_of(anna))
    assert known[0] == [(TOY, 16)]
    assert known[1].count("UPDATE person") == 1
    assert _work_of(rig, counting, rig.login_of(gone)) == known
    assert _work_of(rig, counting, "niemand") == known
    assert _work_of(rig, counting, "\ud83d") == known


def test_the_stand_in_for_nobody_looks_like_a_row_and_fits_no_passphrase(rig: Rig) -> None:
    anna = rig.person("u")
    with rig.engine.begin() as tx:
        real, nobody = credentials.look_up(tx, rig.login_of(anna)), credentials.look_up(tx, "niemand")
    assert (len(nobody.salt), len(nobody.locked_key)) == (len(real.salt), len(real.locked_key))
    assert denied(credentials.unlock, rig.vault, nobody, rig.phrases[anna])


def _row(rig: Rig, person_id: str) -> LoginRow:
    with rig.engine.begin() as tx:
        return credentials.look_up(tx, rig.login_of(person_id))


def _fail(rig: Rig, person_id: str, times: int, **after: float) -> None:
    row = _row(rig, person_id)
    for _ in range(times):
        with rig.engine.begin() as tx:
            credentials.note_failure(tx, row, later(**after))


def test_the_fifth_failure_holds_the_account_for_a_quarter_of_an_hour(rig: Rig) -> None:
    anna, bram = rig.person("u"), rig.person("u")
    _fail(rig, anna, 4)
    rig.sign_in(anna)
    _fail(rig, anna, 4)
    rig.sign_in(anna)  # a success in between starts the count anew
    _fail(rig, anna, 5)
    assert denied(rig.sign_in, anna)
    rig.sign_in(bram)
    with pytest.raises(Denied):
        rig.sign_in(anna, now=later(minutes=14, seconds=59))
    rig.sign_in(anna, now=later(minutes=15))


def test_guessing_on_does_not_prolong_a_hold_and_afterwards_counts_from_one(rig: Rig) -> None:
    anna = rig.person("u")
    _fail(rig, anna, 5)
    _fail(rig, anna, 53, minutes=14)
    _fail(rig, anna, 4, minutes=16)
    rig.sign_in(anna, now=later(minutes=16))
    _fail(rig, anna, 5, minutes=20)
    with pytest.raises(Denied):
        rig.sign_in(anna, now=later(minutes=34))


def test_a_disabled_person_is_nobody_to_the_login_page(rig: Rig) -> None:
    anna = rig.person("u")
    with rig.engine.begin() as tx:
        tx.execute(person.update().where(person.c.id == anna).values(disabled_at=NOW))
        assert credentials.look_up(tx, rig.login_of(anna)) == credentials.look_up(tx, "niemand")


def test_a_disabled_person_cannot_finish_signing_in(rig: Rig) -> None:
    anna = rig.person("u")
    row = _row(rig, anna)
    private = credentials.unlock(rig.vault, row, rig.phrases[anna])
    with rig.engine.begin() as tx:
        tx.execute(person.update().where(person.c.id == anna).values(disabled_at=NOW))
        with pytest.raises(Denied):
            sessions.open_session(tx, rig.vault, row, private, now=NOW)


def test_a_passphrase_renewed_meanwhile_ends_the_attempt(rig: Rig) -> None:
    anna = rig.person("u")
    row, who = _row(rig, anna), rig.signed_in(anna)
    private = credentials.unlock(rig.vault, row, rig.phrases[anna])
    fresh = credentials.lock_key(rig.vault, anna, who.private_key, "een heel nieuwe zin")
    with rig.engine.begin() as tx:
        sessions.renew_passphrase(tx, who, fresh)
        with pytest.raises(Denied):
            sessions.open_session(tx, rig.vault, row, private, now=NOW)


@pytest.mark.parametrize("column", ["kdf", "salt", "locked_key", "public_key"])
def test_a_changed_row_does_not_open(rig: Rig, column: str) -> None:
    anna, bram = rig.person("u"), rig.person("u")
    with rig.undone() as tx:
        other = tx.execute(sa.select(person).where(person.c.id == bram)).one()._asdict()
        value = {**other, "kdf": "128,1,1"}[column]
        tx.execute(person.update().where(person.c.id == anna).values({column: value}))
        row = credentials.look_up(tx, rig.login_of(anna))
        assert denied(credentials.unlock, rig.vault, row, rig.phrases[anna])


def test_a_stolen_database_without_the_configuration_cannot_be_guessed_at_all(rig: Rig, tmp_path: Path) -> None:
    anna = rig.person("u")
    thief = Vault.founded(b"another configuration secret....", tmp_path / "keys", cost=TOY)
    assert denied(credentials.unlock, thief, _row(rig, anna), rig.phrases[anna])


def test_each_members_cost_is_its_own(rig: Rig, tmp_path: Path) -> None:
    anna = rig.person("u")
    dearer = Vault.founded(SECRET, tmp_path / "keys", cost=Cost(128, 2, 1))
    assert credentials.unlock(dearer, _row(rig, anna), rig.phrases[anna])
    assert credentials.new_key(dearer, "lang genoeg om te mogen").kdf == "128,2,1"
    assert timedelta(minutes=15) == credentials.LOCKED
