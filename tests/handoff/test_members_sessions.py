"""Sessions: served by any process, ended everywhere at once, and useless to whoever holds only a part of what they need."""

from __future__ import annotations

import json
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from handoff import keys
from handoff.accounts import credentials, sessions
from handoff.crypto import Vault
from handoff.database import sqlite_engine
from handoff.errors import Denied
from handoff.models import membership, person, session, team_wrap
from tests.handoff.rig import SECRET, TOY, Rig, denied, later, sqlite_rig

OTHER_PROCESS = """
import json, sys
from datetime import datetime
from pathlib import Path
from handoff import keys
from handoff.accounts import sessions
from handoff.crypto import Cost, Vault
from handoff.database import sqlite_engine
from handoff.errors import Denied

asked = json.load(sys.stdin)
vault = Vault.founded(bytes.fromhex(asked["secret"]), Path(asked["keys"]), cost=Cost(64, 1, 1))
try:
    with sqlite_engine(asked["url"]).begin() as tx:
        who = sessions.resume(tx, vault, bytes.fromhex(asked["cookie"]), now=datetime.fromisoformat(asked["now"]))
        print(who.first_name, [m.text for m in keys.open_conversation(tx, vault, asked["talk"], who)])
except Denied:
    print("denied")
"""


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """A house of keys on SQLite."""
    made = sqlite_rig(tmp_path)
    yield made
    made.engine.dispose()


def test_another_process_serves_the_session_with_nothing_but_the_cookie(rig: Rig, tmp_path: Path) -> None:
    anna = rig.founder("u")
    talk = rig.talk("u")
    rig.say(talk.id, "hoi")
    cookie = rig.sign_in(anna)
    asked = {"secret": SECRET.hex(), "keys": str(tmp_path / "keys"), "url": f"sqlite:///{tmp_path}/house.db",
             "cookie": cookie.hex(), "now": later(minutes=1).isoformat(), "talk": talk.id}  # fmt: skip

    def ask() -> str:
        told = subprocess.run(
            [sys.executable, "-c", OTHER_PROCESS], input=json.dumps(asked), capture_output=True, text=True, check=True
        )
        return told.stdout.strip()

    assert ask() == "p0 ['hoi']"
    with rig.engine.begin() as tx:
        sessions.end_session(tx, rig_session(rig, tx, cookie))
    assert ask() == "denied"


def test_a_session_ends_after_15_idle_minutes(rig: Rig) -> None:
    anna = rig.person("u")
    cookie = rig.sign_in(anna)
    rig.who(cookie, now=later(minutes=14))
    rig.who(cookie, now=later(minutes=28, seconds=59))
    with pytest.raises(Denied):
        rig.who(cookie, now=later(minutes=43, seconds=59))


def test_a_session_ends_after_8_hours_however_busy(rig: Rig) -> None:
    anna = rig.person("u")
    cookie = rig.sign_in(anna)
    for minute in range(0, 480, 10):
        rig.who(cookie, now=later(minutes=minute))
    rig.who(cookie, now=later(minutes=479))
    with pytest.raises(Denied):
        rig.who(cookie, now=later(hours=8))


def test_a_pages_own_polling_only_reads_and_keeps_nobody_signed_in(rig: Rig) -> None:
    anna = rig.person("u")
    cookie = rig.sign_in(anna)
    reader = sqlite_engine(str(rig.engine.url), readonly=True)
    with reader.connect() as tx:
        assert sessions.resume(tx, rig.vault, cookie, now=later(minutes=14), touch=False).person_id == anna
        with pytest.raises(sa.exc.OperationalError):
            sessions.resume(tx, rig.vault, cookie, now=later(minutes=14))
    reader.dispose()
    with pytest.raises(Denied):
        rig.who(cookie, now=later(minutes=15))


@pytest.mark.parametrize("cookie", [b"", b"short", bytes(32), bytes(33)], ids=len)
def test_any_other_cookie_is_denied(rig: Rig, cookie: bytes) -> None:
    rig.sign_in(rig.person("u"))
    assert denied(rig.who, cookie)


def test_signing_out_ends_this_session_and_everywhere_ends_all(rig: Rig) -> None:
    anna = rig.person("u")
    phone, desk, home = (rig.sign_in(anna) for _ in range(3))
    with rig.engine.begin() as tx:
        sessions.end_session(tx, rig_session(rig, tx, phone))
    assert denied(rig.who, phone)
    rig.who(desk)
    with rig.engine.begin() as tx:
        sessions.end_all_sessions(tx, anna)
    assert denied(rig.who, desk)
    assert denied(rig.who, home)


def rig_session(rig: Rig, tx: sa.Connection, cookie: bytes) -> bytes:
    """The id of the session behind a cookie."""
    return sessions.resume(tx, rig.vault, cookie, now=later(minutes=1)).session_id


def test_a_disabled_person_is_out_at_once(rig: Rig) -> None:
    anna = rig.person("u")
    cookie = rig.sign_in(anna)
    with rig.engine.begin() as tx:
        tx.execute(person.update().values(disabled_at=later()))
    assert denied(rig.who, cookie)


def test_writing_in_the_session_table_gains_nothing(rig: Rig) -> None:
    anna, bram = rig.person("u"), rig.person("u")
    cookie, other = rig.sign_in(anna), rig.sign_in(bram)
    with rig.engine.begin() as tx:
        mine, theirs = rig_session(rig, tx, cookie), rig_session(rig, tx, other)
        locked = tx.execute(sa.select(session.c.locked_key).where(session.c.id == theirs)).scalar_one()
    harms = [
        {"person_id": bram},
        {"locked_key": locked},
        {"expires_at": later(days=9)},
        {"person_id": bram, "locked_key": locked},
    ]
    for harm in harms:
        with rig.undone() as tx:
            tx.execute(session.update().where(session.c.id == mine).values(**harm))
            assert denied(lambda: sessions.resume(tx, rig.vault, cookie, now=later())), harm


def test_a_swapped_member_key_is_noticed_at_the_next_click(rig: Rig) -> None:
    anna, bram = rig.person("u"), rig.person("u")
    cookie = rig.sign_in(anna)
    with rig.undone() as tx:
        theirs = sa.select(person.c.public_key).where(person.c.id == bram).scalar_subquery()
        tx.execute(person.update().where(person.c.id == anna).values(public_key=theirs))
        assert denied(lambda: sessions.resume(tx, rig.vault, cookie, now=later()))


def test_cookie_and_database_without_the_configuration_open_nothing(rig: Rig, tmp_path: Path) -> None:
    cookie = rig.sign_in(rig.person("u"))
    thief = Vault.founded(b"another configuration secret....", tmp_path / "keys", cost=TOY)
    with rig.engine.begin() as tx:
        assert denied(lambda: sessions.resume(tx, thief, cookie, now=later()))


def test_old_sessions_are_forgotten_and_live_ones_stay(rig: Rig) -> None:
    anna = rig.person("u")
    old = rig.sign_in(anna)
    live = rig.sign_in(anna, now=later(minutes=10))
    with rig.engine.begin() as tx:
        assert sessions.forget_old_sessions(tx, now=later(minutes=15)) == 1
        assert tx.execute(sa.select(sa.func.count()).select_from(session)).scalar_one() == 1
    assert denied(rig.who, old)
    rig.who(live, now=later(minutes=15))


def test_a_renewed_passphrase_keeps_history_and_ends_every_other_session(rig: Rig) -> None:
    anna = rig.founder("u")
    talk = rig.talk("u")
    rig.say(talk.id, "hoi")
    here, elsewhere = rig.sign_in(anna), rig.sign_in(anna)
    who = rig.who(here)
    fresh = credentials.lock_key(rig.vault, anna, who.private_key, "een heel nieuwe zin")
    with rig.engine.begin() as tx:
        sessions.renew_passphrase(tx, who, fresh)
    assert denied(rig.who, elsewhere)
    assert not rig.who(here).must_renew
    assert denied(rig.sign_in, anna)
    assert rig.texts(rig.who(rig.sign_in(anna, "een heel nieuwe zin")), talk.id) == ["hoi"]


def test_nobody_renews_with_anothers_key(rig: Rig) -> None:
    anna, bram = rig.person("u"), rig.person("u")
    who = rig.signed_in(anna)
    wrong = [credentials.lock_key(rig.vault, bram, who.private_key, "een heel nieuwe zin"),
             credentials.new_key(rig.vault, "een heel nieuwe zin", person_id=anna)]  # fmt: skip
    for key in wrong:
        with rig.undone() as tx:
            assert denied(sessions.renew_passphrase, tx, who, key)


def test_a_forgotten_passphrase_gives_a_new_key_that_a_colleague_must_grant(rig: Rig) -> None:
    anna, bram = rig.founder("u"), rig.person("u")
    rig.grant(rig.signed_in(anna), bram)
    talk = rig.talk("u")
    rig.say(talk.id, "hoi")
    before = rig.sign_in(bram)
    fresh = credentials.new_key(rig.vault, "een heel nieuwe zin", person_id=bram)
    with rig.engine.begin() as tx:
        sessions.replace_key(tx, fresh)
        assert tx.execute(sa.select(team_wrap).where(team_wrap.c.person_id == bram)).first() is None
        assert tx.execute(sa.select(membership.c.granted_at).where(membership.c.person_id == bram)).scalar_one() is None
    assert denied(rig.who, before)
    assert denied(rig.sign_in, bram)
    cookie = rig.sign_in(bram, "een heel nieuwe zin")
    assert rig.who(cookie).must_renew
    assert denied(rig.grant, rig.signed_in(anna), bram)
    who = rig.take_own_key(cookie)
    assert denied(rig.read, who, talk.id)
    rig.grant(rig.signed_in(anna), bram)
    assert rig.texts(who, talk.id) == ["hoi"]


def test_nothing_secret_is_in_a_repr_or_an_error(rig: Rig) -> None:
    anna = rig.founder("u")
    talk = rig.talk("u")
    rig.say(talk.id, "mijn geheim", reading="disclose")
    cookie = rig.sign_in(anna)
    who = rig.who(cookie)
    with rig.engine.begin() as tx:
        row = credentials.look_up(tx, rig.login_of(anna))
        sealed = keys.seal_words(tx, rig.vault, conversation_id=talk.id, seq=2, role="child", text="mijn geheim")
    shown = [
        repr(x) for x in (who, row, rig.read(who, talk.id), credentials.new_key(rig.vault, "zin van genoeg tekens"), rig.vault)
    ]
    shown += [repr(sealed), *_tracebacks(rig, talk.id, who.private_key)]
    secrets = [cookie, who.private_key, who.session_id, row.locked_key, row.salt, SECRET, rig.vault.bucket("2026-12-22")]
    for text in shown:
        for secret in secrets:
            assert repr(secret)[2:-1] not in text
            assert secret.hex() not in text
        for words in ("mijn geheim", "disclose", "zin van", rig.phrases[anna]):
            assert words not in text


def _tracebacks(rig: Rig, talk_id: str, private_key: bytes) -> list[str]:
    """What a log would hold of attempts that fail."""
    shown = []
    with rig.engine.begin() as tx:
        row = credentials.look_up(tx, "p0")
        attempts: list[Callable[[], object]] = [
            lambda: credentials.unlock(rig.vault, row, "mijn geheim"),
            lambda: credentials.lock_key(rig.vault, "p0", private_key, "mijn geheim"),
            lambda: sessions.resume(tx, rig.vault, bytes(32), now=later()),
            lambda: keys.open_conversation(tx, rig.vault, talk_id, rig.vault.child_key(bytes(32))),
            lambda: keys.seal_words(tx, rig.vault, conversation_id="?", seq=1, role="child", text="mijn geheim"),
        ]
        for attempt in attempts:
            try:
                attempt()
            except Exception as error:  # noqa: BLE001 - every kind of error is looked at
                shown.append("".join(line for line in traceback.format_exception(error) if not line.startswith("  File")))
    assert len(shown) == len(attempts)
    return shown
