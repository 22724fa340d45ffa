"""Every attack on the rows of a chat by itself, so that each control is seen to hold alone (the state machine mixes them)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from handoff import crypto, keys
from handoff.crypto import X25519
from handoff.keys import team as team_keys
from handoff.models import conversation, conversation_key, key_wrap, message, script_version, team, team_key, team_wrap
from handoff.pointers import pack
from tests.handoff.rig import NOW, Rig, Talk, denied, sqlite_rig
from tests.make import key_code

Harm = Callable[[Connection, Talk, Talk], object]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Rig, str, Talk, Talk]]:
    """A team of two and two chats: 1 child, 2 child with reading, 3 and 4 the bot's answer to it, 5 the bot beside a turn,
    6 confidant. Attacks on it are undone."""
    rig = sqlite_rig(tmp_path_factory.mktemp("house"), suite=X25519)
    anna = rig.founder("u")
    rig.grant(rig.signed_in(anna), rig.person("u"))
    talks = rig.talk("u"), rig.talk("u")
    with rig.engine.begin() as tx:
        tx.execute(script_version.insert().values(version="2", body="{}", published_at=NOW))
    for talk in talks:
        rig.say(talk.id, "hoi")
        rig.turn(talk.id, "mijn oom slaat mij", "disclose_physical_abuse", (3, 0), (4, 0))
        rig.refer(talk.id, (5, 1))
        rig.say(talk.id, "ik lees mee", role="confidant")
    yield rig, anna, *talks
    rig.engine.dispose()


def _set(seq: int, **values: Any) -> Harm:
    def harm(tx: Connection, talk: Talk, _other: Talk) -> object:
        here = (message.c.conversation_id == talk.id, message.c.seq == seq)
        return tx.execute(message.update().where(*here).values(**values)).rowcount == 1

    return harm


def _copy(seq: int, source: int, *columns: str, other_chat: bool = False) -> Harm:
    """Put columns of one message into another, of this or of the other chat."""

    def harm(tx: Connection, talk: Talk, other: Talk) -> object:
        where = (message.c.conversation_id == (other if other_chat else talk).id, message.c.seq == source)
        row = tx.execute(message.select().where(*where)).one()._asdict()
        return _set(seq, **{name: row[name] for name in columns})(tx, talk, other)

    return harm


def _drop(seq: int) -> Harm:
    return lambda tx, talk, _: tx.execute(message.delete().where(message.c.conversation_id == talk.id, message.c.seq == seq))


def _forge(tx: Connection, talk: Talk, _other: Talk) -> object:
    """New words, sealed as the product seals: the public key is in the database. Only the mac is missing."""
    key = tx.execute(sa.select(conversation_key).where(conversation_key.c.conversation_id == talk.id)).one()
    sealed = crypto.seal(key.public_key, crypto.pad(b"laat maar, het was een grap"), "words", talk.id, 1, key.no, "child")
    return _set(1, sealed=sealed)(tx, talk, _other)


def _append(tx: Connection, talk: Talk, _other: Talk) -> object:
    """The same as a seventh message, with the mac of the first."""
    key = tx.execute(sa.select(conversation_key).where(conversation_key.c.conversation_id == talk.id)).one()
    row = tx.execute(message.select().where(message.c.conversation_id == talk.id, message.c.seq == 1)).one()._asdict()
    sealed = crypto.seal(key.public_key, crypto.pad(b"laat maar"), "words", talk.id, 7, key.no, "child")
    tx.execute(conversation.update().where(conversation.c.id == talk.id).values(last_seq=7))
    return tx.execute(message.insert().values(**{**row, "seq": 7, "sealed": sealed}))


def _forge_news(tx: Connection, talk: Talk, _other: Talk) -> object:
    """Another sentence of the bot, sealed as the product seals. Only the mac is missing."""
    key = tx.execute(sa.select(conversation_key).where(conversation_key.c.conversation_id == talk.id)).one()
    return _set(5, sealed=crypto.seal(key.public_key, pack((9, 0)), "reference", talk.id, 5, key.no, "bot"))(tx, talk, _other)


TEAM_WRAP, CHILD_WRAP = key_wrap.c.sealed, conversation_key.c.child_wrap


def _wrap(source: sa.Column[Any], *targets: sa.Column[Any], other_chat: bool) -> Harm:
    """Put one chat's wrap in the place of others."""

    def harm(tx: Connection, talk: Talk, other: Talk) -> object:
        where = source.table.c.conversation_id == (other if other_chat else talk).id
        found = tx.execute(sa.select(source).where(where)).scalar_one()
        for target in targets:
            tx.execute(sa.update(target.table).where(target.table.c.conversation_id == talk.id).values({target.name: found}))
        return True

    return harm


def _move(**values: Any) -> Harm:
    return lambda tx, talk, _: tx.execute(conversation.update().where(conversation.c.id == talk.id).values(**values))


def _key(**values: Any) -> Harm:
    here = conversation_key.c.conversation_id
    return lambda tx, talk, _: tx.execute(conversation_key.update().where(here == talk.id).values(**values))


def _text_in(table: str, column: str) -> Harm:
    """SQLite keeps any type in any column."""
    change = f"UPDATE {table} SET {column} = 'text of 21 characters' WHERE conversation_id = ? AND {column} IS NOT NULL"  # noqa: S608 - our own names
    return lambda tx, talk, _: tx.exec_driver_sql(change, (talk.id,))


HARMS: dict[str, Harm] = {
    "forged words": _forge,
    "forged last message": _append,
    "words of another number": _copy(1, 2, "sealed"),
    "words and mac of another number": _copy(1, 2, "sealed", "sealed_reading", "mac"),
    "words and mac of another chat": _copy(1, 1, "sealed", "sealed_reading", "mac", "key_no", other_chat=True),
    "another role": _set(6, role="child"),
    "reading taken away": _set(2, sealed_reading=None),
    "reading given": _copy(1, 2, "sealed_reading"),
    "another mac": _copy(1, 2, "mac"),
    "empty mac": _set(1, mac=b""),
    "another key number": _set(1, key_no=2),
    "another answer": _copy(3, 4, "sealed"),
    "another answer and its mac": _copy(3, 4, "sealed", "mac"),
    "another answer of a stranger's making": _set(3, sealed=bytes(21)),
    "news in the place of an answer": _copy(3, 5, "sealed", "mac"),
    "forged news": _forge_news,
    "another script": _set(3, script_version="2"),
    "another script of news": _set(5, script_version="2"),
    "an answer's mac of another chat": _copy(3, 3, "mac", other_chat=True),
    "an answer of another chat": _copy(3, 3, "sealed", "mac", "key_no", other_chat=True),
    "news of another chat": _copy(5, 5, "sealed", "mac", "key_no", other_chat=True),
    "an answer's key number": _set(3, key_no=2),
    "first message gone": _drop(1),
    "middle message gone": _drop(2),
    "last message gone": _drop(6),
    "number counted on": _move(last_seq=7),
    "another gemeente's team": _move(team_id="e"),
    "another child's key": _move(child_public_key=crypto.public_key(crypto.new_private_key(X25519))),
    "no child key": _move(child_public_key=None),
    "another expiry day": _move(expires_on="2026-12-31"),
    "another current key": _move(key_no=2),
    "another public key": _key(public_key=crypto.public_key(crypto.new_private_key(X25519))),
    "another key mac": _key(mac=bytes(32)),
    "the other chat's team wrap": _wrap(TEAM_WRAP, TEAM_WRAP, CHILD_WRAP, other_chat=True),
    "the other chat's child wrap": _wrap(CHILD_WRAP, TEAM_WRAP, CHILD_WRAP, other_chat=True),
    "the team's wrap for the child": _wrap(TEAM_WRAP, CHILD_WRAP, other_chat=False),
    "the child's wrap for the team": _wrap(CHILD_WRAP, TEAM_WRAP, other_chat=False),
    "text in a mac": _text_in("message", "mac"),
    "text in a seal": _text_in("message", "sealed"),
    "text in a wrap": lambda *scene: (_text_in("key_wrap", "sealed")(*scene), _text_in("conversation_key", "child_wrap")(*scene)),
    "text in a public key": _text_in("conversation_key", "public_key"),
}


@pytest.mark.parametrize("name", HARMS)
def test_a_harmed_chat_is_refused_as_a_whole(scene: tuple[Rig, str, Talk, Talk], name: str) -> None:
    rig, anna, talk, other = scene
    who, child = rig.signed_in(anna), rig.vault.child_key(talk.token)
    assert len(rig.read(who, talk.id)) == len(rig.read(child, talk.id)) == 6
    refused = [rig.attacked(lambda tx: HARMS[name](tx, talk, other), opener, talk.id) for opener in (who, child)]
    only_one = {"the team's wrap for the child": [False, True], "the child's wrap for the team": [True, False]}
    assert refused == only_one.get(name, [True, True])


def test_sealing_refuses_a_key_that_was_swapped(scene: tuple[Rig, str, Talk, Talk]) -> None:
    rig, _, talk, other = scene
    for name in ("another public key", "another key mac", "another child's key", "no child key", "another gemeente's team"):
        with rig.undone() as tx:
            HARMS[name](tx, talk, other)
            seal = {"conversation_id": talk.id, "role": "child", "text": "x"}
            assert denied(lambda: keys.seal_words(tx, rig.vault, seq=5, **seal)), name  # noqa: B023


def test_a_forged_team_epoch_stops_grants_and_rotations(scene: tuple[Rig, str, Talk, Talk]) -> None:
    """By somebody with the database and the configuration: the members do not hold that epoch."""
    rig, anna, talk, _ = scene
    who, newcomer = rig.signed_in(anna), rig.person("u")
    public = crypto.public_key(rig.vault.new_private_key())
    with rig.undone() as tx:
        mac = rig.vault.row_mac("team-key", "u", 2, public)
        tx.execute(team_key.insert().values(team_id="u", epoch=2, public_key=public, mac=mac))
        tx.execute(team.update().where(team.c.id == "u").values(epoch=2))
        assert denied(keys.open_conversation, tx, rig.vault, talk.id, who)
        assert denied(lambda: keys.rotate(tx, rig.vault, by=who, team_id="u"))
        code = key_code(tx, newcomer)
        assert denied(lambda: keys.grant(tx, rig.vault, by=who, person_id=newcomer, code=code, now=NOW))


def test_a_vouch_or_wrap_of_a_colleague_fits_nobody_else(scene: tuple[Rig, str, Talk, Talk]) -> None:
    rig, anna, talk, _ = scene
    who = rig.signed_in(anna)
    rows = sa.select(team_wrap).order_by(team_wrap.c.person_id != anna)
    for column in ("sealed", "vouch"):
        with rig.undone() as tx:
            mine, theirs = tx.execute(rows).all()
            value = {column: mine._asdict()[column]}
            tx.execute(team_wrap.update().where(team_wrap.c.person_id == theirs.person_id).values(**value))
            colleague = rig.signed_in_within(tx, theirs.person_id)
            assert denied(keys.open_conversation, tx, rig.vault, talk.id, colleague) == (column == "sealed")
            if column == "vouch":
                assert denied(lambda: keys.rotate(tx, rig.vault, by=who, team_id="u"))


def test_a_team_key_swapped_by_someone_without_the_configuration_takes_no_new_chat(scene: tuple[Rig, str, Talk, Talk]) -> None:
    rig, _, _, _ = scene
    with rig.undone() as tx:
        tx.execute(team_key.update().values(public_key=crypto.public_key(rig.vault.new_private_key())))
        assert denied(team_keys.current_public_keys, tx, rig.vault, ["u"])
