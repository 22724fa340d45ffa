"""Who opens what: the team, the child, nobody else; by grant and code; through rotation; until the expiry day is destroyed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handoff import keys
from handoff.accounts import credentials
from handoff.crypto import X25519, XWING, Vault
from handoff.database import sqlite_engine
from handoff.errors import Conflict, Denied
from handoff.keys import team as team_keys
from handoff.keys.messages import key_in_force
from handoff.models import conversation, key_wrap, membership, message, person, team, team_key, team_wrap
from handoff.queue import roster
from tests.handoff.rig import DAY, NOW, SECRET, TOY, Rig, denied, sqlite_rig
from tests.make import key_code


@pytest.fixture(params=["sqlite", "postgresql"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    """A house of keys on each database."""
    if request.param == "sqlite":
        made = sqlite_rig(tmp_path)
    else:
        url = request.getfixturevalue("postgres_database")
        made = Rig(sa.create_engine(url, hide_parameters=True), Vault.founded(SECRET, tmp_path / "keys", cost=TOY)).found()
    yield made
    made.engine.dispose()


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Rig]:
    """A house of keys on SQLite only, for what does not touch the database's ways."""
    made = sqlite_rig(tmp_path)
    yield made
    made.engine.dispose()


def test_team_and_child_read_what_was_written_and_others_do_not(rig: Rig) -> None:
    anna, stranger = rig.signed_in(rig.founder("u")), rig.signed_in(rig.founder("e"))
    invited = rig.signed_in(rig.person("u"))
    admin = rig.signed_in(rig.person("u", role="admin"))
    talk, other = rig.talk("u"), rig.talk("u")
    rig.turn(talk.id, "hoi", "greet", (7, 0), (300, 2))
    rig.refer(talk.id, (7, 1))
    rig.say(talk.id, "ik lees mee", role="confidant")
    child = rig.vault.child_key(talk.token)
    assert rig.texts(anna, talk.id) == rig.texts(child, talk.id) == ["hoi", None, None, None, "ik lees mee"]
    assert [m.reading for m in rig.read(anna, talk.id)] == ["greet", None, None, None, None]
    assert {m.reading for m in rig.read(child, talk.id)} == {None}
    for reader in (anna, child):
        assert [m.pointer for m in rig.read(reader, talk.id)] == [None, (7, 0), (300, 2), (7, 1), None]
        for after in range(6):
            assert rig.read(reader, talk.id, after=after) == rig.read(reader, talk.id)[after:]
    assert rig.read(anna, talk.id, after=99) == []
    for opener in (stranger, invited, admin, rig.vault.child_key(other.token), rig.vault.child_key(bytes(32))):
        assert denied(rig.read, opener, talk.id)
    assert denied(rig.read, anna, "no such conversation")


def test_a_chat_without_a_browser_has_no_child_wrap(rig: Rig) -> None:
    anna = rig.signed_in(rig.founder("u"))
    talk = rig.talk("u", web=False)
    rig.say(talk.id, "hoi")
    assert rig.texts(anna, talk.id) == ["hoi"]
    assert denied(rig.read, rig.vault.child_key(talk.token), talk.id)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(text=st.text(st.characters(), max_size=600), reading=st.none() | st.text(max_size=20))
def test_any_text_comes_back_exactly(one: Rig, text: str, reading: str | None) -> None:
    with one.engine.begin() as tx:
        founded = tx.execute(sa.select(team_key.c.epoch)).first()
    anna = one.signed_in(next(iter(one.phrases)) if founded else one.founder("u"))
    talk = one.talk("u")
    one.say(talk.id, text, reading=reading)
    got = one.read(anna, talk.id)[0]
    assert (got.text, got.reading) == (text, reading)


@pytest.mark.parametrize("text", ["\ud83d", "\ude00\ud83d", "a\0b", "\u202ehoi", "e" + "\u0301" * 500, "", "\U0010ffff"])
def test_odd_text_comes_back_exactly(rig: Rig, text: str) -> None:
    anna, talk = rig.signed_in(rig.founder("u")), rig.talk("u")
    rig.say(talk.id, text)
    assert rig.texts(anna, talk.id) == [text]


def test_no_words_are_in_the_database(one: Rig, tmp_path: Path) -> None:
    one.founder("u")
    talk = one.talk("u")
    one.say(talk.id, "mijn oom slaat mij", reading="disclose_physical_abuse")
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert b"slaat" not in file.read_bytes()
            assert b"disclose" not in file.read_bytes()


def test_a_team_has_one_first_key_and_only_a_confidant_of_its_gemeente_founds_it(rig: Rig) -> None:
    admin, clerk, stranger = rig.person("u", role="admin"), rig.person("u", role="clerk"), rig.person("e")
    for person_id in (admin, clerk, stranger, "nobody"):
        with rig.engine.connect() as tx:
            assert denied(lambda: keys.found_team(tx, rig.vault, team_id="u", person_ids=[person_id], now=NOW))  # noqa: B023
    first, second = rig.founder("u"), rig.person("u")
    for person_id in (first, second):
        with rig.engine.begin() as tx, pytest.raises(Conflict):
            keys.found_team(tx, rig.vault, team_id="u", person_ids=[person_id], now=NOW)


def test_a_conversation_needs_a_team_key(rig: Rig) -> None:
    with pytest.raises(Denied):
        rig.talk("u")


def test_a_colleague_grants_by_code_however_it_is_typed(rig: Rig) -> None:
    anna, bram = rig.signed_in(rig.founder("u")), rig.person("u")
    talk = rig.talk("u")
    rig.say(talk.id, "hoi")
    with rig.engine.begin() as tx:
        code = key_code(tx, bram)
        assert len(code.split()) == 6
        keys.grant(tx, rig.vault, by=anna, person_id=bram, code=" " + code.upper().replace(" ", "-"), now=NOW)
        row = tx.execute(sa.select(membership).where(membership.c.person_id == bram)).one()
    assert (row.granted_by, row.granted_at) == (anna.person_id, NOW)
    assert rig.texts(rig.signed_in(bram), talk.id) == ["hoi"]


def test_grants_that_must_not_be(rig: Rig) -> None:
    anna, eva = rig.signed_in(rig.founder("u")), rig.signed_in(rig.founder("e"))
    bram, uninvited = rig.person("u"), rig.person("u", invited=False)
    admin, stranger = rig.person("u", role="admin"), rig.person("e")
    gone = rig.person("u")
    with rig.engine.begin() as tx:
        tx.execute(person.update().where(person.c.id == gone).values(disabled_at=NOW))
        tx.execute(membership.insert().values(team_id="u", person_id=stranger))
        code = {p: key_code(tx, p) for p in (bram, uninvited, admin, stranger, gone, anna.person_id)}
    self_service, boss = rig.signed_in(bram), rig.signed_in(admin)
    attempts = [
        (anna, bram, code[admin]), (anna, bram, ""), (anna, bram, code[bram].rsplit(" ", 1)[0]), (eva, bram, code[bram]),
        (self_service, bram, code[bram]), (boss, bram, code[bram]), (anna, uninvited, code[uninvited]),
        (anna, admin, code[admin]), (anna, stranger, code[stranger]), (anna, gone, code[gone]),
        (anna, anna.person_id, code[anna.person_id]), (anna, "nobody", ""),
    ]  # fmt: skip
    for by, person_id, said in attempts:
        with rig.undone() as tx:
            assert denied(lambda: keys.grant(tx, rig.vault, by=by, person_id=person_id, code=said, now=NOW)), person_id  # noqa: B023
    rig.grant(anna, bram)


def test_a_member_key_swapped_before_the_grant_reads_as_another_code(rig: Rig) -> None:
    anna, bram = rig.signed_in(rig.founder("u")), rig.person("u")
    with rig.undone() as tx:
        spoken = key_code(tx, bram)
        forged = credentials.new_key(rig.vault, "een heel andere zin").public_key
        tx.execute(person.update().where(person.c.id == bram).values(public_key=forged))
        assert key_code(tx, bram) != spoken
        assert denied(lambda: keys.grant(tx, rig.vault, by=anna, person_id=bram, code=spoken, now=NOW))


def test_rotation_keeps_history_and_shuts_out_who_left(rig: Rig) -> None:
    anna, bram = rig.signed_in(rig.founder("u")), rig.person("u")
    rig.grant(anna, bram)
    leaving = rig.sign_in(bram)
    before = rig.who(leaving)
    talk, silent = rig.talk("u"), rig.talk("u", web=False)
    rig.say(talk.id, "voor")
    rig.say(silent.id, "stil")
    with rig.engine.begin() as tx:
        roster.start(tx, team_id="u", person_id=bram, now=NOW)
    rig.rotate(anna, "u", remove=bram)
    with rig.engine.begin() as tx:
        assert not roster.on_duty(tx, "u", NOW), "a child was told of somebody who may not read it any more"
    rig.say(talk.id, "na")
    child = rig.vault.child_key(talk.token)
    assert rig.texts(anna, talk.id) == rig.texts(child, talk.id) == ["voor", "na"]
    assert rig.texts(anna, silent.id) == ["stil"]
    assert denied(rig.read, before, talk.id)
    assert denied(rig.who, leaving)
    assert denied(rig.read, rig.signed_in(bram), talk.id)
    with rig.engine.begin() as tx:
        assert tx.execute(sa.select(membership).where(membership.c.person_id == bram)).first() is None
        assert [tuple(r) for r in tx.execute(sa.select(team_key.c.team_id, team_key.c.epoch))] == [("u", 2)]
        assert {tuple(r) for r in tx.execute(sa.select(key_wrap.c.team_id, key_wrap.c.epoch))} == {("u", 2)}
        assert tx.execute(sa.select(conversation.c.key_no)).scalars().all() == [2, 2]


def test_who_left_cannot_read_new_words_even_with_an_old_copy_of_every_wrap(rig: Rig) -> None:
    """The leaver kept the wraps they had, and puts them back into the database."""
    anna, bram = rig.signed_in(rig.founder("u")), rig.person("u")
    rig.grant(anna, bram)
    before = rig.signed_in(bram)
    talk = rig.talk("u")
    rig.say(talk.id, "voor")
    with rig.engine.begin() as tx:
        copies = {t: [r._asdict() for r in tx.execute(sa.select(t))] for t in (team_key, team_wrap, key_wrap)}
    rig.rotate(anna, "u", remove=bram)
    rig.say(talk.id, "na")
    with rig.undone() as tx:
        for table, rows in copies.items():
            for row in rows:
                if table is key_wrap:
                    tx.execute(table.delete().where(table.c.conversation_id == row["conversation_id"], table.c.no == row["no"]))
                tx.execute(table.insert().values(**row))
        assert denied(lambda: keys.open_conversation(tx, rig.vault, talk.id, before))
        tx.execute(team.update().where(team.c.id == "u").values(epoch=1))
        tx.execute(conversation.update().values(key_no=1))
        assert denied(lambda: keys.open_conversation(tx, rig.vault, talk.id, before))


def _say_under(rig: Rig, key: keys.ConversationKey, text: str) -> None:
    """Write as a server that still goes by an older key."""
    with rig.engine.begin() as tx:
        bump = conversation.update().where(conversation.c.id == key.conversation_id).values(last_seq=conversation.c.last_seq + 1)
        seq: int = tx.execute(bump.returning(conversation.c.last_seq)).scalar_one()
        sealed = keys.seal_with(rig.vault, key, seq=seq, role="child", text=text)
        row = {"conversation_id": key.conversation_id, "seq": seq, "role": "child", "created_at": NOW, **sealed._asdict()}
        tx.execute(message.insert().values(**row))


@pytest.mark.parametrize("put_back", ["before anything was written", "after something was written", "and taken away again"])
def test_an_older_key_that_was_put_in_force_again_is_noticed(rig: Rig, put_back: str) -> None:
    """Who left may hold the older one, and would read what comes next."""
    anna, talk = rig.signed_in(rig.founder("u")), rig.talk("u")
    child = rig.vault.child_key(talk.token)
    rig.say(talk.id, "voor de vernieuwing")
    with rig.engine.begin() as tx:
        older = key_in_force(tx, rig.vault, talk.id)
    rig.rotate(anna, "u")
    if put_back != "before anything was written":
        rig.say(talk.id, "na de vernieuwing")
    assert rig.texts(anna, talk.id) == rig.texts(child, talk.id)
    with rig.engine.begin() as tx:
        tx.execute(conversation.update().values(key_no=1))
    assert denied(rig.say, talk.id, "hieronder wordt niets meer verzegeld")
    _say_under(rig, older, "onder de oude sleutel")
    with rig.engine.begin() as tx:
        tx.execute(conversation.update().values(key_no=2 if put_back == "and taken away again" else 1))
    assert denied(rig.texts, anna, talk.id)
    assert denied(rig.texts, child, talk.id)


def test_half_a_rotation_leaves_everything_readable_and_is_taken_up_again(rig: Rig) -> None:
    anna, bram, cato = rig.signed_in(rig.founder("u")), rig.person("u"), rig.person("u")
    rig.grant(anna, bram)
    talks = [rig.talk("u") for _ in range(3)]
    for talk in talks:
        rig.say(talk.id, "hoi")
    with rig.engine.begin() as tx:
        keys.rotate(tx, rig.vault, by=anna, team_id="u")
        keys.rewrap(tx, rig.vault, by=anna, conversation_id=talks[0].id)
        assert not keys.finish_rotation(tx, "u")
        assert set(keys.to_rewrap(tx, "u")) == {talks[1].id, talks[2].id}
    late = rig.talk("u")
    rig.say(late.id, "hoi")
    rig.grant(anna, cato)
    for who in (anna, rig.signed_in(bram), rig.signed_in(cato)):
        for talk in [*talks, late]:
            assert rig.texts(who, talk.id) == ["hoi"]
    rig.rotate(rig.signed_in(cato), "u")  # another colleague, another rotation on top
    with rig.engine.begin() as tx:
        assert keys.to_rewrap(tx, "u") == []
        assert set(tx.execute(sa.select(team_wrap.c.epoch)).scalars()) == {3}
    for talk in [*talks, late]:
        assert rig.texts(rig.signed_in(bram), talk.id) == ["hoi"]


def test_rewrapping_twice_changes_nothing_more(rig: Rig) -> None:
    anna, talk = rig.signed_in(rig.founder("u")), rig.talk("u")
    rig.rotate(anna, "u")
    with rig.engine.begin() as tx:
        keys.rewrap(tx, rig.vault, by=anna, conversation_id=talk.id)
        assert tx.execute(sa.select(conversation.c.key_no)).scalar_one() == 2


def test_rotations_that_must_not_be(rig: Rig) -> None:
    anna, eva = rig.signed_in(rig.founder("u")), rig.signed_in(rig.founder("e"))
    invited, admin = rig.signed_in(rig.person("u")), rig.signed_in(rig.person("u", role="admin"))
    talk = rig.talk("u")
    attempts = [(eva, None), (invited, None), (admin, None), (anna, anna.person_id), (anna, eva.person_id), (anna, "nobody")]
    for by, remove in attempts:
        with rig.undone() as tx:
            assert denied(lambda: keys.rotate(tx, rig.vault, by=by, team_id="u", remove=remove)), remove  # noqa: B023
    with rig.undone() as tx:
        keys.rotate(tx, rig.vault, by=anna, team_id="u")
        assert denied(lambda: keys.rewrap(tx, rig.vault, by=eva, conversation_id=talk.id))
        assert denied(lambda: keys.rewrap(tx, rig.vault, by=anna, conversation_id="nothing"))
    with rig.undone() as tx:
        assert denied(lambda: keys.rotate(tx, rig.vault, by=anna, team_id="nothing"))
        assert denied(lambda: keys.to_rewrap(tx, "nothing"))


def test_an_invited_person_is_taken_away_without_ever_having_had_a_key(rig: Rig) -> None:
    anna, invited = rig.signed_in(rig.founder("u")), rig.person("u")
    rig.rotate(anna, "u", remove=invited)
    with rig.engine.begin() as tx:
        assert tx.execute(sa.select(membership).where(membership.c.person_id == invited)).first() is None


def test_a_disabled_or_demoted_member_gets_no_new_epoch(rig: Rig) -> None:
    anna, bram, cato = rig.signed_in(rig.founder("u")), rig.person("u"), rig.person("u")
    rig.grant(anna, bram)
    rig.grant(anna, cato)
    with rig.engine.begin() as tx:
        tx.execute(person.update().where(person.c.id == bram).values(disabled_at=NOW))
        tx.execute(person.update().where(person.c.id == cato).values(role="admin"))
    rig.rotate(anna, "u")
    with rig.engine.begin() as tx:
        assert tx.execute(sa.select(team_wrap.c.person_id)).scalars().all() == [anna.person_id]


def test_a_rotation_waits_for_a_chat_that_is_just_beginning(postgres_database: str, tmp_path: Path) -> None:
    """Else it could finish, and drop the old epoch, before the new chat's wrap under that epoch is there to be seen."""
    engine = sa.create_engine(postgres_database, hide_parameters=True)
    rig = Rig(engine, Vault.founded(SECRET, tmp_path / "keys", suite=X25519, cost=TOY)).found()
    anna = rig.signed_in(rig.founder("u"))
    with engine.begin() as beginning:
        assert [key.epoch for key in team_keys.current_public_keys(beginning, rig.vault, ["u"])] == [1]
        with engine.begin() as alongside:
            (key,) = team_keys.current_public_keys(alongside, rig.vault, ["u"])
            assert key.epoch == 1, "chats do not wait for each other"
        with engine.connect() as rotating:
            rotating.exec_driver_sql("SET LOCAL lock_timeout = '100ms'")
            with pytest.raises(sa.exc.OperationalError, match="lock timeout"):
                keys.rotate(rotating, rig.vault, by=anna, team_id="u")
    with engine.begin() as rotating:
        keys.rotate(rotating, rig.vault, by=anna, team_id="u")
    engine.dispose()


def test_a_destroyed_expiry_day_is_unreadable_everywhere_also_from_a_backup(one: Rig, tmp_path: Path) -> None:
    anna = one.founder("u")
    doomed, kept = one.talk("u"), one.talk("u", expires_on="2026-12-23")
    one.say(doomed.id, "weg")
    one.say(kept.id, "blijft")
    with one.engine.connect() as tx:
        tx.exec_driver_sql("SELECT 1")
    (tmp_path / "backup").mkdir()
    for file in tmp_path.glob("house.db*"):
        shutil.copy(file, tmp_path / "backup" / file.name)
    backup = Rig(sqlite_engine(f"sqlite:///{tmp_path}/backup/house.db"), one.vault, one.phrases)
    assert backup.texts(backup.signed_in(anna), doomed.id) == ["weg"]
    one.vault.destroy_bucket(DAY)
    for rig in (one, backup):
        who = rig.signed_in(anna)
        assert denied(rig.read, who, doomed.id)
        assert denied(rig.read, rig.vault.child_key(doomed.token), doomed.id)
        assert rig.texts(who, kept.id) == ["blijft"]
    one.vault.make_bucket(DAY)  # a new key under the same day opens nothing old
    assert denied(backup.read, backup.signed_in(anna), doomed.id)
    backup.engine.dispose()


def test_an_erased_day_does_not_stop_a_rotation(rig: Rig) -> None:
    anna = rig.signed_in(rig.founder("u"))
    doomed, kept = rig.talk("u"), rig.talk("u", expires_on="2026-12-23")
    rig.say(kept.id, "blijft")
    rig.vault.destroy_bucket(DAY)
    with rig.engine.begin() as tx:
        keys.rotate(tx, rig.vault, by=anna, team_id="u")
    with rig.undone() as tx:
        assert denied(lambda: keys.rewrap(tx, rig.vault, by=anna, conversation_id=doomed.id))
    with rig.engine.begin() as tx:
        keys.rewrap(tx, rig.vault, by=anna, conversation_id=kept.id)
        assert not keys.finish_rotation(tx, "u")
        tx.execute(conversation.delete().where(conversation.c.id == doomed.id))
        assert keys.finish_rotation(tx, "u")
    assert rig.texts(anna, kept.id) == ["blijft"]


def test_a_change_of_suite_leaves_old_chats_open(one: Rig, tmp_path: Path) -> None:
    anna = one.founder("u")
    talk = one.talk("u")
    one.say(talk.id, "voor")
    assert one.vault.suite == XWING
    changed = Rig(one.engine, Vault.founded(SECRET, tmp_path / "keys", suite=X25519, cost=TOY), one.phrases)
    changed.say(talk.id, "na")
    assert changed.texts(changed.signed_in(anna), talk.id) == ["voor", "na"]
    assert changed.texts(changed.vault.child_key(talk.token), talk.id) == ["voor", "na"]
    changed.rotate(changed.signed_in(anna), "u")
    changed.say(talk.id, "verder")
    assert changed.texts(changed.vault.child_key(talk.token), talk.id) == ["voor", "na", "verder"]


def test_sealing_needs_no_private_key_and_no_expiry_key(one: Rig, tmp_path: Path) -> None:
    one.founder("u")
    talk = one.talk("u")
    (tmp_path / "keys" / f"{DAY}.bucket").rename(tmp_path / "away")
    assert one.say(talk.id, "hoi") == 1


def test_words_that_say_yes_and_no_are_rows_of_the_same_size(one: Rig) -> None:
    one.founder("u")
    talk = one.talk("u")
    one.say(talk.id, "ja", reading="affirm")
    one.say(talk.id, "nee, dat wil ik echt niet", reading="deny and more")
    with one.engine.begin() as tx:
        rows = tx.execute(sa.select(message.c.sealed, message.c.sealed_reading)).all()
    assert len({len(row.sealed) for row in rows}) == len({len(row.sealed_reading) for row in rows}) == 1
