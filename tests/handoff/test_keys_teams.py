"""One conversation, several teams: each opens it with its own key, renews that key by itself, and no other can be slipped in."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from handoff import keys
from handoff.accounts.sessions import Unlocked
from handoff.crypto import X25519
from handoff.models import conversation, conversation_key, key_wrap, membership, team
from tests.handoff.rig import DAY, NOW, Rig, Talk, denied, sqlite_rig

FIRST, SECOND = "u", "night"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """A gemeente `u` with two teams, and one of another gemeente."""
    made = sqlite_rig(tmp_path, suite=X25519)
    with made.engine.begin() as tx:
        tx.execute(team.insert().values(id=SECOND, municipality_id="u", name="Piket", epoch=0, position=1))
    yield made
    made.engine.dispose()


def _member(rig: Rig, team_id: str, *, printed: bool = False) -> str:
    """The first member of a team of `u`."""
    person_id = rig.person("u", invited=False, printed=printed)
    with rig.engine.begin() as tx:
        keys.found_team(tx, rig.vault, team_id=team_id, person_ids=[person_id], now=NOW)
    return person_id


def _talk(rig: Rig, *team_ids: str) -> Talk:
    made = Talk(secrets.token_urlsafe(16), secrets.token_bytes(32))
    child = rig.vault.child_public_key(made.token)
    with rig.engine.begin() as tx:
        tx.execute(
            conversation.insert().values(
                id=made.id, municipality_id="u", team_id=team_ids[0], channel="webchat",
                child_auth=rig.vault.child_auth("webchat", made.token), child_public_key=child, key_no=1, last_seq=0,
                language="nl", expires_on=DAY, created_at=NOW, last_child_at=NOW,
            )
        )  # fmt: skip
        keys.begin(tx, rig.vault, keys.KeyScope(made.id, child, DAY), team_ids)
    return made


def _two(rig: Rig) -> tuple[Unlocked, Unlocked, Talk]:
    one, other = rig.signed_in(_member(rig, FIRST)), rig.signed_in(_member(rig, SECOND))
    talk = _talk(rig, FIRST, SECOND)
    rig.say(talk.id, "hoi", reading="greet")
    return one, other, talk


def test_every_team_of_a_conversation_opens_it_and_nobody_else(rig: Rig) -> None:
    one, other, talk = _two(rig)
    stranger = rig.signed_in(rig.founder("e"))
    for opener in (one, other, rig.vault.child_key(talk.token)):
        assert rig.texts(opener, talk.id) == ["hoi"]
    assert denied(rig.read, stranger, talk.id)
    only_first = _talk(rig, FIRST)
    rig.say(only_first.id, "alleen voor jullie")
    assert denied(rig.read, other, only_first.id)


def test_a_renewal_of_one_team_brings_a_fresh_key_for_all(rig: Rig) -> None:
    one, other, talk = _two(rig)
    leaver = rig.person("u", invited=False)
    with rig.engine.begin() as tx:
        tx.execute(membership.insert().values(team_id=SECOND, person_id=leaver))
    rig.grant(other, leaver)
    gone = rig.signed_in(leaver)
    assert rig.texts(gone, talk.id) == ["hoi"]
    rig.rotate(other, SECOND, remove=leaver)
    rig.say(talk.id, "na")
    for opener in (one, other, rig.vault.child_key(talk.token)):
        assert rig.texts(opener, talk.id) == ["hoi", "na"]
    assert denied(rig.read, gone, talk.id)
    with rig.engine.begin() as tx:
        wraps = tx.execute(sa.select(key_wrap.c.no, key_wrap.c.team_id, key_wrap.c.epoch)).all()
        assert {tuple(row) for row in wraps} == {(1, FIRST, 1), (1, SECOND, 2), (2, FIRST, 1), (2, SECOND, 2)}
        assert keys.to_rewrap(tx, FIRST) == keys.to_rewrap(tx, SECOND) == []


def test_a_team_that_lost_its_key_loses_only_its_own_way_in(rig: Rig) -> None:
    one, other, talk = _two(rig)
    rig.forget(one.person_id)
    rig.say(talk.id, "ben je er nog")
    fresh = rig.signed_in(one.person_id)
    assert [m.text for m in rig.read(fresh, talk.id)] == [None, "ben je er nog"]
    for opener in (other, rig.vault.child_key(talk.token)):
        assert rig.texts(opener, talk.id) == ["hoi", "ben je er nog"]


def test_a_first_sign_in_renews_the_key_of_each_team_and_no_other(rig: Rig) -> None:
    other = rig.signed_in(_member(rig, SECOND))
    cookie = rig.sign_in(_member(rig, FIRST, printed=True))
    talk = _talk(rig, FIRST, SECOND)
    rig.say(talk.id, "hoi")
    me = rig.take_own_key(cookie)
    rig.say(talk.id, "na")
    assert rig.texts(me, talk.id) == rig.texts(other, talk.id) == ["hoi", "na"]
    with rig.engine.begin() as tx:
        epochs = tx.execute(sa.select(team.c.id, team.c.epoch).where(team.c.municipality_id == "u")).all()
        assert {row.id: row.epoch for row in epochs} == {FIRST: 2, SECOND: 1}


def test_in_the_queue_of_its_other_team_a_conversation_stays_open_to_both(rig: Rig) -> None:
    one, other, talk = _two(rig)
    with rig.engine.begin() as tx:
        tx.execute(conversation.update().values(team_id=SECOND))
    rig.say(talk.id, "verder")
    assert rig.texts(one, talk.id) == rig.texts(other, talk.id) == ["hoi", "verder"]


def test_nobody_slips_another_team_into_a_conversation(rig: Rig) -> None:
    """By writing in the database: the next fresh key would be sealed to it."""
    one, _, talk = _two(rig)
    rig.founder("e")
    with rig.engine.begin() as tx:
        keys.rotate(tx, rig.vault, by=one, team_id=FIRST)
    with rig.undone() as tx:
        tx.execute(conversation_key.update().values(teams=f"e,{SECOND},{FIRST}"))
        assert denied(lambda: keys.rewrap(tx, rig.vault, by=one, conversation_id=talk.id))
        assert denied(lambda: keys.seal_words(tx, rig.vault, conversation_id=talk.id, seq=9, role="child", text="x"))
    with rig.engine.begin() as tx:
        tx.execute(key_wrap.insert().values(conversation_id=talk.id, no=1, team_id="e", epoch=1, sealed=b"", first_form=False))
        keys.rewrap(tx, rig.vault, by=one, conversation_id=talk.id)
        teams = tx.execute(sa.select(key_wrap.c.team_id).where(key_wrap.c.no == 2)).scalars()
        assert set(teams) == {FIRST, SECOND}


def test_who_is_in_none_of_its_teams_cannot_renew_a_conversation(rig: Rig) -> None:
    _, other, _ = _two(rig)
    only_first = _talk(rig, FIRST)
    with rig.engine.begin() as tx:
        assert denied(lambda: keys.rewrap(tx, rig.vault, by=other, conversation_id=only_first.id))
