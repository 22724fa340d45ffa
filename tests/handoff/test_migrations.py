"""A migrated database has exactly the tables of `handoff.models`, on both databases, and can be taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from bot.app import migrate
from handoff import crypto, installation
from handoff.accounts import credentials
from handoff.backups import database as backups
from handoff.chats import conversation, parcels
from handoff.chats.said_in_clear import seal_what_was_said
from handoff.crypto import Vault
from handoff.crypto.key_directory import MARKER
from handoff.database import open_store
from handoff.errors import StoreUnavailable
from handoff.keys.team import vouch
from handoff.migrations import HEAD, engine_for, upgrade
from handoff.models import key_wrap, metadata
from handoff.places import municipalities
from handoff.runtime import Runtime
from tests.handoff.rig import DAY, NOW, SECRET, TOY, Rig, denied
from tests.make import configuration

SCRIPTS = Path(__file__).parents[2] / "handoff" / "migrations"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "postgresql":
        address: str = request.getfixturevalue("postgres_empty")
        return address
    return f"sqlite:///{tmp_path}/m%20.db"


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["url"] = url
    return config


def _differences(url: str) -> list[Any]:
    engine = engine_for(url)
    with engine.connect() as connection:
        found = list(compare_metadata(MigrationContext.configure(connection), metadata))
    engine.dispose()
    return found


def test_a_migrated_database_is_the_one_that_the_program_knows(url: str) -> None:
    upgrade(url)
    upgrade(url)
    assert _differences(url) == []


def test_every_named_constraint_is_there(url: str) -> None:
    upgrade(url)
    engine = engine_for(url)
    inspector = sa.inspect(engine)
    for table in metadata.sorted_tables:
        wanted = {str(c.name) for c in table.constraints if isinstance(c, sa.CheckConstraint)}
        assert wanted <= {str(c["name"]) for c in inspector.get_check_constraints(table.name)}, table.name
    engine.dispose()


def test_the_number_of_a_message_at_telegram_becomes_a_list_of_one_and_back(url: str) -> None:
    command.upgrade(_config(url), "0001")
    engine = engine_for(url)
    _two_parcels(url)
    upgrade(url)
    with engine.connect() as tx:
        assert tx.execute(sa.text("SELECT provider_ids FROM outbox ORDER BY id")).scalars().all() == ["4511", None]
    command.downgrade(_config(url), "0001")
    with engine.connect() as tx:
        assert tx.execute(sa.text("SELECT provider_id FROM outbox ORDER BY id")).scalars().all() == [4511, None]
    engine.dispose()


def _two_parcels(url: str) -> None:
    """One with a number and one without; their conversation is not there, since only the rows themselves are looked at."""
    sqlite = url.startswith("sqlite")
    engine = sa.create_engine(url)
    with engine.begin() as tx:
        if not sqlite:
            tx.execute(sa.text("SET session_replication_role = replica"))
        for number, provider_id in ((1, 4511), (2, None)):
            row = {"id": number, "conversation_id": "c", "seq": number, "channel": "telegram", "attempts": 0}
            table = sa.table("outbox", *map(sa.column, [*row, "due_at", "provider_id"]))
            due = "2026-11-22 10:00:00"
            tx.execute(table.insert().values(**row, due_at=due if sqlite else sa.cast(due, sa.DateTime()), provider_id=provider_id))
    engine.dispose()


def test_it_can_be_taken_back(url: str) -> None:
    upgrade(url)
    command.downgrade(_config(url), "base")
    engine = engine_for(url)
    assert set(sa.inspect(engine).get_table_names()) <= {"alembic_version"}
    engine.dispose()


def test_the_head_is_the_newest_script() -> None:
    assert ScriptDirectory.from_config(_config("")).get_current_head() == HEAD


def test_a_chat_from_before_teams_had_ids_opens_and_goes_on(url: str, tmp_path: Path) -> None:
    """The team keeps its id, its people read what was written, and what comes next is bound to the team's id."""
    command.upgrade(_config(url), "0004")
    old = _before_several_teams(url, tmp_path)
    upgrade(url, partial(seal_what_was_said, vault=old.vault))
    assert _differences(url) == []
    rig = Rig(engine_for(url), old.vault, old.phrases)
    anna, child = rig.signed_in(old.person_id), old.vault.child_key(old.token)
    assert rig.texts(anna, "chat") == rig.texts(child, "chat") == ["voor", None, None]
    rig.say("chat", "na")
    rig.rotate(anna, "team-oud")
    rig.say("chat", "later")
    assert rig.texts(anna, "chat") == rig.texts(child, "chat") == ["voor", None, None, "na", "later"]
    with rig.engine.begin() as tx:
        assert municipalities.receiving(tx) == {"oud"}
        assert {tuple(row) for row in tx.execute(sa.select(key_wrap.c.team_id, key_wrap.c.epoch, key_wrap.c.first_form))} == {
            ("team-oud", 2, False)
        }
    rig.engine.dispose()


def _old(url: str, folder: Path) -> tuple[_Old, sa.Engine]:
    """A database of before, brought to the newest form."""
    command.upgrade(_config(url), "0004")
    old = _before_several_teams(url, folder)
    upgrade(url, partial(seal_what_was_said, vault=old.vault))
    return old, engine_for(url)


def test_what_the_bot_said_before_it_was_sealed_reads_as_before(url: str, tmp_path: Path) -> None:
    old, engine = _old(url, tmp_path)
    rig = Rig(engine, old.vault, old.phrases)
    anna = rig.signed_in(old.person_id)
    for opener, chat in ((anna, "chat"), (old.vault.child_key(old.token), "chat"), (anna, "phone")):
        assert [(m.role, m.pointer) for m in rig.read(opener, chat)] == [("child", None), ("bot", (0, 1)), ("bot", (1, 0))]
    assert rig.attacked(lambda tx: tx.execute(sa.text("DELETE FROM message WHERE seq = 2")), anna, "phone")
    engine.dispose()


def test_what_was_said_before_is_remembered_and_what_waits_goes_out(url: str, tmp_path: Path) -> None:
    old, engine = _old(url, tmp_path)
    with engine.connect() as tx:
        phone, page = (conversation.get(tx, chat) for chat in ("phone", "chat"))
        turns = conversation.key_of_turns(old.vault, phone).open(phone.state)
        assert (turns.turns, turns.times("utter_disclose"), turns.references) == (1, 1, ((0, 1), (1, 0)))
        assert conversation.news_of(old.vault, phone).said("utter_waiting")
        assert conversation.news_of(old.vault, page).said("utter_waiting")
        assert page.state is None, "only the child's own token opens it"
        assert not conversation.news_of(old.vault, page).said("utter_disclose")
        parcels_left = tx.execute(sa.text("SELECT seq, sealed FROM outbox ORDER BY seq")).all()
        opened = [parcels.open_reference(old.vault, "phone", row.seq, bytes(row.sealed)) for row in parcels_left]
        assert opened == [((0, 1), ("oud", "nieuw")), ((1, 0), ())]
    engine.dispose()


def test_a_message_that_was_changed_in_the_database_before_is_refused_as_before(url: str, tmp_path: Path) -> None:
    command.upgrade(_config(url), "0004")
    old, engine = _before_several_teams(url, tmp_path), engine_for(url)
    with engine.begin() as tx:
        tx.execute(sa.text("UPDATE message SET variant = 0 WHERE conversation_id = 'chat' AND seq = 2"))
    upgrade(url, partial(seal_what_was_said, vault=old.vault))
    rig = Rig(engine, old.vault, old.phrases)
    assert denied(rig.read, old.vault.child_key(old.token), "chat")
    assert len(rig.read(rig.signed_in(old.person_id), "phone")) == 3
    engine.dispose()


def test_nothing_in_clear_is_left_in_the_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/praat.db"
    command.upgrade(_config(url), "0004")
    old = _before_several_teams(url, tmp_path)

    def found() -> int:
        return sum(file.read_bytes().count(b"utter_disclose") for file in tmp_path.glob("praat.db*"))

    assert found() > SCRIPT.count("utter_disclose"), "the search does find what stands there"
    upgrade(url, partial(seal_what_was_said, vault=old.vault))
    assert found() == SCRIPT.count("utter_disclose"), "in the published script alone"


def test_a_copy_from_before_is_sealed_when_it_is_put_back(url: str, tmp_path: Path) -> None:
    command.upgrade(_config(url), "0004")
    old = _before_several_teams(url, tmp_path)
    command.upgrade(_config(url), "0006")
    old.vault.key_files.found()
    backups.back_up(url, old.vault, tmp_path / "copies", NOW, lambda _line: None)
    (copy,) = (tmp_path / "copies").glob("praat-*")
    backups.put_back(url, old.vault, copy, NOW, replace=True)
    engine = engine_for(url)
    rig = Rig(engine, old.vault, old.phrases)
    who = rig.take_own_key(rig.sign_in(old.person_id))
    assert [(m.role, m.pointer) for m in rig.read(who, "phone")] == [("child", None), ("bot", (0, 1)), ("bot", (1, 0))]
    engine.dispose()


def test_without_the_keys_a_database_with_chats_is_left_as_it_is(url: str, tmp_path: Path) -> None:
    command.upgrade(_config(url), "0004")
    _before_several_teams(url, tmp_path)
    with pytest.raises(RuntimeError):
        upgrade(url)
    engine = engine_for(url)
    with engine.connect() as tx:
        assert tx.execute(sa.text("SELECT count(*) FROM message WHERE utterance = 'utter_disclose'")).scalar_one() == 2
    engine.dispose()


def test_a_start_finds_the_key_folder_of_an_older_database_before_it_seals(url: str, tmp_path: Path) -> None:
    """A database and a key folder of before there were marks, in one go to the newest form; away, it is left as it was."""
    command.upgrade(_config(url), "0004")
    _before_several_teams(url, tmp_path)
    (tmp_path / "keys" / MARKER).unlink()
    store = open_store(url)
    runtime = Runtime(store, Vault(SECRET, tmp_path / "keys", cost=TOY), configuration(), {})
    (tmp_path / "keys").rename(tmp_path / "away")
    with pytest.raises(StoreUnavailable):
        migrate(runtime, url)
    (tmp_path / "away").rename(tmp_path / "keys")
    migrate(runtime, url)
    installation.settle(store, runtime.vault)
    phone, page = store.read(lambda tx: [conversation.get(tx, chat) for chat in ("phone", "chat")]).result()
    assert conversation.key_of_turns(runtime.vault, phone).open(phone.state).times("utter_disclose") == 1
    assert conversation.news_of(runtime.vault, page).said("utter_waiting")
    waits = store.read(lambda tx: tx.execute(sa.text("SELECT sealed FROM outbox WHERE seq = 2")).scalar_one()).result()
    assert parcels.open_reference(runtime.vault, "phone", 2, bytes(waits)) == ((0, 1), ("oud", "nieuw"))
    store.close()


def test_an_older_copy_comes_to_the_newest_form_also_when_the_keys_are_lost_for_good(url: str, tmp_path: Path) -> None:
    command.upgrade(_config(url), "0004")
    _before_several_teams(url, tmp_path)
    upgrade(url, partial(seal_what_was_said, vault=Vault(SECRET, tmp_path / "lost", cost=TOY)))
    assert _differences(url) == []
    engine = engine_for(url)
    with engine.connect() as tx:
        assert [conversation.get(tx, chat).state for chat in ("phone", "chat")] == [None, None]
    engine.dispose()


SCRIPT = '{"version": "s1", "utterances": {"utter_disclose": {}, "utter_waiting": {}}}'


@dataclass
class _Old:
    vault: Vault
    person_id: str
    phrases: dict[str, str]
    token: bytes


def _said_before(vault: Vault, chat: str, at: datetime) -> list[tuple[str, dict[str, object]]]:
    """An answer in the turn, and a waiting message after it, as they stood in clear."""
    rows = []
    for seq, name, variant, when in ((2, "utter_disclose", 1, at), (3, "utter_waiting", 0, at + timedelta(minutes=1))):
        mac = vault.row_mac("reference", chat, seq, name, variant, "s1")
        row = {"conversation_id": chat, "seq": seq, "role": "bot", "utterance": name, "variant": variant, "script_version": "s1"}
        rows.append(("message", row | {"mac": mac, "created_at": when, "urgency": 0}))
    return rows


def _before_several_teams(url: str, folder: Path) -> _Old:
    """A chat as the program of before wrote it: one team, its wraps called "team:1" and "child"."""
    vault, token, private = (
        Vault.founded(SECRET, folder / "keys", cost=TOY),
        bytes(range(32)),
        crypto.new_private_key(crypto.X25519),
    )
    member, team_private = (crypto.new_private_key(crypto.X25519) for _ in range(2))
    key = credentials.lock_key(vault, "p", member, "zes losse woorden van haar")
    child_public = crypto.public_key(vault.child_key(token).private(crypto.X25519))
    vault.make_bucket(DAY)
    public, team_public = crypto.public_key(private), crypto.public_key(team_private)
    engine = engine_for(url)
    old = sa.MetaData()
    old.reflect(engine)
    t = old.tables

    def wrap(recipient: str, to: bytes, chat: str = "chat") -> dict[str, object]:
        place = (chat, 1, recipient)
        sealed = crypto.lock(vault.bucket(DAY), crypto.seal(to, private, "conversation", *place), "bucket", *place)
        return {"conversation_id": chat, "no": 1, "recipient": recipient, "sealed": sealed}

    words = ("chat", 1, 1, "child")
    sealed = [crypto.seal(public, crypto.pad(text), kind, *words) for kind, text in (("words", b"voor"), ("reading", b"greet"))]
    by_phone = crypto.seal(public, crypto.pad(b"hoi"), "words", "phone", 1, 1, "child")
    at = NOW.replace(tzinfo=None) if url.startswith("sqlite") else NOW
    rows: list[tuple[str, dict[str, object]]] = [
        ("municipality", {"id": "oud", "name": "Oud"}),
        ("team", {"id": "team-oud", "municipality_id": "oud", "name": "Oud", "epoch": 1}),
        ("person", {"id": "p", "municipality_id": "oud", "login": "p0", "first_name": "P", "role": "confidant", "must_renew": False,
                    "failures": 0, "created_at": at, "public_key": key.public_key, "kdf": key.kdf, "salt": key.salt,
                    "locked_key": key.locked_key}),
        ("team_key", {"team_id": "team-oud", "epoch": 1, "public_key": team_public,
                      "mac": vault.row_mac("team-key", "team-oud", 1, team_public)}),
        ("team_wrap", {"team_id": "team-oud", "epoch": 1, "person_id": "p",
                       "sealed": crypto.seal(key.public_key, team_private, "team", "team-oud", 1, "p"),
                       "vouch": vouch(team_private, "team-oud", "p", key.public_key)}),
        ("conversation", {"id": "chat", "municipality_id": "oud", "team_id": "team-oud", "channel": "webchat", "child_auth": b"a",
                          "child_public_key": child_public, "key_no": 1, "last_seq": 3, "language": "nl", "expires_on": DAY,
                          "created_at": at, "last_child_at": at}),
        ("script_version", {"version": "s1", "body": SCRIPT, "published_at": at}),
        ("conversation_key", {"conversation_id": "chat", "no": 1, "public_key": public,
                              "mac": vault.row_mac("conversation-key", "chat", "team-oud", child_public, 1, public)}),
        ("key_wrap", wrap("team:1", team_public)),
        ("key_wrap", wrap("child", child_public)),
        ("message", {"conversation_id": "chat", "seq": 1, "role": "child", "key_no": 1, "sealed": sealed[0], "created_at": at,
                     "sealed_reading": sealed[1], "mac": vault.row_mac("words", *words, *sealed), "urgency": 0}),
        *_said_before(vault, "chat", at),
        ("conversation", {"id": "phone", "municipality_id": "oud", "team_id": "team-oud", "channel": "telegram", "child_auth": b"b",
                          "address": vault.seal_for_delivery(b"17", "address", "phone"), "key_no": 1, "last_seq": 3,
                          "language": "nl", "expires_on": DAY, "created_at": at, "last_child_at": at}),
        ("conversation_key", {"conversation_id": "phone", "no": 1, "public_key": public,
                              "mac": vault.row_mac("conversation-key", "phone", "team-oud", b"", 1, public)}),
        ("key_wrap", wrap("team:1", team_public, "phone")),
        ("message", {"conversation_id": "phone", "seq": 1, "role": "child", "key_no": 1, "created_at": at, "urgency": 0,
                     "sealed": by_phone, "mac": vault.row_mac("words", "phone", 1, 1, "child", by_phone, b"")}),
        *_said_before(vault, "phone", at),
        *(("outbox", {"conversation_id": "phone", "seq": seq, "channel": "telegram", "attempts": 0, "due_at": at,
                       "sealed": choices})
          for seq, choices in ((2, vault.seal_for_delivery(b"oud\nnieuw", "choices", "phone", 2)), (3, None))),
    ]  # fmt: skip
    with engine.begin() as tx:
        for table, row in rows:
            tx.execute(t[table].insert().values(**row))
    engine.dispose()
    return _Old(vault, "p", {"p": "zes losse woorden van haar"}, token)


def test_whoever_had_a_passphrase_from_before_makes_one_more_of_their_own(url: str, tmp_path: Path) -> None:
    """What the column of before said proves nothing. The old passphrase signs in, and reads nothing before there is an own key."""
    old, engine = _old(url, tmp_path)
    rig = Rig(engine, old.vault, old.phrases)
    cookie = rig.sign_in(old.person_id)
    assert rig.who(cookie).must_renew
    who = rig.take_own_key(cookie)
    assert not who.must_renew
    assert rig.texts(who, "chat") == ["voor", None, None]
    rig.engine.dispose()
