"""Builders for tests: a runtime on a real database with toy-cost passphrases, people, and a clock to turn."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection

from bot import child
from bot.channels.registry import SPECS
from bot.channels.web.spec import WEBCHAT
from bot.child import Snapshot
from bot.message import Incoming
from config.intents import URGENCY_OF
from config.load import load
from config.schema import Configuration, Team
from handoff import confidant, installation, keys
from handoff.accounts import credentials, sessions
from handoff.accounts.sessions import Unlocked
from handoff.chats import conversation
from handoff.confidant import OpenChat
from handoff.crypto import Cost, Vault
from handoff.database import open_store
from handoff.models import person
from handoff.publishing import store_published
from handoff.runtime import Runtime
from handoff.team import people
from handoff.wording import Sentence, sentence_of
from nlu.understanding import Understanding
from tests.databases import sqlite_with_tables

CONFIG = Path(__file__).parent.parent / "config"
NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
"""A Wednesday, 13:00 in Amsterdam: the Kindertelefoon is open and it is day."""
TOY = Cost(memory_kib=64, iterations=1)
CITY = "voorbeeldstad"


@dataclass
class Clock:
    """A clock that stands still until a test turns it."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        """What time it is."""
        return self.now

    def turn(self, **ahead: float) -> datetime:
        """Turn it ahead: `clock.turn(minutes=3)`."""
        self.now += timedelta(**ahead)
        return self.now


_LOADED: list[Configuration] = []


def configuration() -> Configuration:
    """The real configuration with a second gemeente, `elders`, whose people may see nothing of the first. Read once a process."""
    if not _LOADED:
        real = load(CONFIG, SPECS)
        other = real.municipalities[CITY].model_copy(
            update={"id": "elders", "name": "Elders", "aliases": (), "teams": (Team(id="team-elders", name="Team Elders"),)}
        )
        _LOADED.append(real.model_copy(update={"municipalities": {**real.municipalities, "elders": other}}))
    return _LOADED[0]


@dataclass
class House:
    """A whole product on one database: `runtime`, and the people in it by login."""

    runtime: Runtime
    clock: Clock
    folder: Path
    secret: bytes
    url: str
    phrases: dict[str, str] = field(default_factory=dict)

    def confidant(self, login: str, municipality_id: str = CITY) -> Unlocked:
        """A confidant with a key of their own who is signed in; the first of a gemeente founds the team and grants the others."""
        vault, now = self.runtime.vault, self.clock()
        self.phrases[login] = phrase = f"{login} zin van zes losse woorden"
        made = credentials.lock_key(vault, secrets.token_urlsafe(16), vault.new_private_key(), phrase)
        newcomer = people.Newcomer(made, login, login.title())
        self.runtime.store.write(
            lambda tx: people.add_confidants(tx, vault, [newcomer], municipality_id=municipality_id, now=now)
        ).result()
        who, _ = self.sign_in(login)
        founders = [w for w in self._signed_in if w.municipality_id == municipality_id]
        if founders:
            self.runtime.store.write(
                lambda tx: keys.grant(tx, vault, by=founders[0], person_id=who.person_id, code=keys.own_code(who), now=now)
            ).result()
        self._signed_in.append(who)
        return who

    def __post_init__(self) -> None:
        self._signed_in: list[Unlocked] = []

    def member(self, municipality_id: str = CITY) -> Unlocked:
        """The first confidant of a gemeente."""
        return next(who for who in self._signed_in if who.municipality_id == municipality_id)

    def sign_in(self, login: str) -> tuple[Unlocked, bytes]:
        """(who, cookie) of a new session."""
        vault, now = self.runtime.vault, self.clock()
        row = self.runtime.store.read(lambda tx: credentials.look_up(tx, login)).result()
        private = credentials.unlock(vault, row, self.phrases[login])
        cookie = self.runtime.store.write(lambda tx: sessions.open_session(tx, vault, row, private, now=now)).result()
        return self.runtime.store.write(lambda tx: sessions.resume(tx, vault, cookie, now=now)).result(), cookie


@contextmanager
def house(folder: Path, url: str | None = None) -> Iterator[House]:
    """A running product on `url`, which has our tables, or on a new SQLite file in `folder`; script published."""
    address = url or sqlite_with_tables(folder / "praat.db")
    store = open_store(address)
    secret = secrets.token_bytes(64)
    clock = Clock()
    runtime = Runtime(
        store, Vault.founded(secret, folder / "keys", cost=TOY), configuration(), {spec.name: spec for spec in SPECS}, clock
    )
    try:
        installation.settle(store, runtime.vault)
        store.write(lambda tx: store_published(tx, runtime)).result()
        yield House(runtime, clock, folder, secret, address)
    finally:
        store.close()


def key_code(tx: Connection, person_id: str) -> str:
    """The six words of the key that stands in the database."""
    return keys.code_of(person_id, tx.execute(sa.select(person.c.public_key).where(person.c.id == person_id)).scalar_one())


def drop_guards(tx: Connection) -> None:
    """Let audit lines be changed and deleted, as whoever owns the database can."""
    if tx.dialect.name == "sqlite":
        for what in ("update", "delete"):
            tx.execute(sa.text(f"DROP TRIGGER IF EXISTS audit_entry_no_{what}"))
    else:
        tx.execute(sa.text("DROP TRIGGER IF EXISTS audit_entry_stays ON audit_entry"))


def look(tx: Connection, runtime: Runtime, who: Unlocked, handoff_id: str, now: datetime) -> OpenChat:
    """Open a chat as the console does, in one transaction: first the line in the audit."""
    confidant.look(tx, runtime, who, handoff_id, now)
    return confidant.read(tx, runtime, who, handoff_id, now)


def team_id_of(municipality_id: str) -> str:
    """The team of a gemeente that receives."""
    return configuration().municipalities[municipality_id].receiving_team.id


def understood(intent: str = "greet", *, language: str = "nl", confidence: float = 0.9) -> Understanding:
    """A reading, as the model would give it."""
    return Understanding(intent, confidence, URGENCY_OF[intent], language)


def incoming(text: str = "hoi", *, token: bytes, external_id: str = "m1", municipality_id: str = CITY) -> Incoming:
    """A message from a web page."""
    return Incoming(WEBCHAT, municipality_id, token, external_id, text)


def said(house: House, conversation_id: str) -> list[Sentence]:
    """What the bot said in a chat, in order, as a confidant of its team reads it."""
    run = house.runtime

    def work(tx: sa.Connection) -> list[Sentence]:
        municipality_id = conversation.get(tx, conversation_id).municipality_id
        opened = keys.open_conversation(tx, run.vault, conversation_id, house.member(municipality_id))
        return [sentence_of(tx, run, one.script_version or "", one.pointer) for one in opened if one.pointer is not None]

    return run.store.read(work).result()


def names_said(house: House, conversation_id: str) -> list[str]:
    """The names of the utterances that the bot said in a chat, in order."""
    return [sentence.utterance.id for sentence in said(house, conversation_id)]


def rows(house: House, table: sa.Table) -> list[sa.Row[tuple[object, ...]]]:
    """Every row of a table."""
    return list(house.runtime.store.read(lambda tx: tx.execute(sa.select(table)).all()).result())


def first_child(house: House, intent: str = "greet", token: bytes | None = None) -> Snapshot:
    """A child that nobody knows yet writes on the web."""
    message = incoming("hoi", token=token or secrets.token_bytes(32))
    return house.runtime.store.write(lambda tx: child.send(tx, house.runtime, message, understood(intent), house.clock())).result()
