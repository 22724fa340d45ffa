"""A small house of keys for tests: a real database, a real vault at toy cost, and short ways to do what the product does."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from handoff import keys
from handoff.accounts import credentials, sessions
from handoff.accounts.sessions import Unlocked
from handoff.crypto import XWING, ChildKey, Cost, Vault
from handoff.database import sqlite_engine
from handoff.errors import Denied
from handoff.keys import first_sign_in
from handoff.keys.opening import OpenedMessage
from handoff.models import conversation, membership, message, metadata, municipality, script_version, team
from handoff.pointers import Pointer
from handoff.team import people
from tests.make import key_code

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TOY = Cost(64, 1, 1)
SECRET = b"a configuration secret of a test" * 2
DAY = "2026-12-22"


@dataclass(frozen=True)
class Talk:
    """A conversation and the child's token."""

    id: str
    token: bytes


@dataclass
class Rig:
    """Two gemeenten, `u` and `e`, each with one team of the same name."""

    engine: Engine
    vault: Vault
    phrases: dict[str, str] = field(default_factory=dict)

    def found(self) -> Rig:
        """Make the tables and both gemeenten, without anybody in them."""
        metadata.create_all(self.engine)
        with self.engine.begin() as tx:
            tx.execute(script_version.insert().values(version="1", body="{}", published_at=NOW))
            for name in "ue":
                tx.execute(municipality.insert().values(id=name, name=name))
                tx.execute(team.insert().values(id=name, municipality_id=name, name=name, epoch=1))
        return self

    def person(self, where: str, *, role: str = "confidant", invited: bool = True, printed: bool = False) -> str:
        """A new person of a gemeente, invited to its team; returns the id. With `printed`, an operator knows the passphrase."""
        phrase = "zin van " + secrets.token_hex(12)
        login = f"p{len(self.phrases)}"
        with self.engine.begin() as tx:
            made = credentials.lock_key(self.vault, secrets.token_urlsafe(16), self.vault.new_private_key(), phrase)
            key = credentials.new_key(self.vault, phrase) if printed else made
            person_id = credentials.insert_person(tx, key, municipality_id=where, login=login, first_name=login, role=role, now=NOW)
            if invited:
                tx.execute(membership.insert().values(team_id=where, person_id=person_id))
        self.phrases[person_id] = phrase
        return person_id

    def founder(self, where: str, *, printed: bool = False, beside: Sequence[str] = ()) -> str:
        """The first member of a team; others may found it with them."""
        person_id = self.person(where, invited=False, printed=printed)
        with self.engine.begin() as tx:
            keys.found_team(tx, self.vault, team_id=where, person_ids=[person_id, *beside], now=NOW)
        return person_id

    def take_own_key(self, cookie: bytes, phrase: str = "zes woorden van haar zelf") -> Unlocked:
        """The first sign-in: a passphrase and a key of one's own, in the place of what an operator printed."""
        who = self.who(cookie)
        private = self.vault.new_private_key()
        key = credentials.lock_key(self.vault, who.person_id, private, phrase)
        with self.engine.begin() as tx:
            here = sessions.resume(tx, self.vault, cookie, now=NOW)
            first_sign_in.take_own_key(tx, self.vault, who=here, cookie=cookie, private_key=private, key=key, now=NOW)
        self.phrases[who.person_id] = phrase
        return self.who(cookie)

    def forget(self, person_id: str) -> None:
        """A forgotten passphrase: the operator prints another one."""
        self.phrases[person_id] = phrase = "gedrukte zin " + secrets.token_hex(12)
        key = credentials.new_key(self.vault, phrase, person_id=person_id)
        with self.engine.begin() as tx:
            people.renew(tx, self.vault, key, lose_words=True, now=NOW)

    def login_of(self, person_id: str) -> str:
        """Logins count up in the order in which people were added."""
        return f"p{list(self.phrases).index(person_id)}"

    def sign_in(self, person_id: str, phrase: str | None = None, *, now: datetime = NOW) -> bytes:
        """All three steps; returns the cookie."""
        with self.engine.begin() as tx:
            row = credentials.look_up(tx, self.login_of(person_id))
        private = credentials.unlock(self.vault, row, phrase or self.phrases[person_id])
        with self.engine.begin() as tx:
            return sessions.open_session(tx, self.vault, row, private, now=now)

    def who(self, cookie: bytes, *, now: datetime = NOW) -> Unlocked:
        """The person behind a cookie."""
        with self.engine.begin() as tx:
            return sessions.resume(tx, self.vault, cookie, now=now)

    def signed_in(self, person_id: str) -> Unlocked:
        """Sign in and resume."""
        return self.who(self.sign_in(person_id))

    def signed_in_within(self, tx: Connection, person_id: str) -> Unlocked:
        """Sign in and resume inside a transaction that will be undone."""
        row = credentials.look_up(tx, self.login_of(person_id))
        private = credentials.unlock(self.vault, row, self.phrases[person_id])
        cookie = sessions.open_session(tx, self.vault, row, private, now=NOW)
        return sessions.resume(tx, self.vault, cookie, now=NOW)

    def talk(self, where: str, *, web: bool = True, expires_on: str = DAY) -> Talk:
        """A new conversation with a team."""
        made = Talk(secrets.token_urlsafe(16), secrets.token_bytes(32))
        child = self.vault.child_public_key(made.token) if web else None
        with self.engine.begin() as tx:
            tx.execute(
                conversation.insert().values(
                    id=made.id, municipality_id=where, team_id=where, channel="webchat" if web else "telegram",
                    child_auth=self.vault.child_auth("webchat", made.token), child_public_key=child, key_no=1, last_seq=0,
                    language="nl", expires_on=expires_on, created_at=NOW, last_child_at=NOW,
                )
            )  # fmt: skip
            keys.begin(tx, self.vault, keys.KeyScope(made.id, child, expires_on), [where])
        return made

    def say(self, talk_id: str, text: str, *, role: str = "child", reading: str | None = None) -> int:
        """Add sealed words; returns the number."""
        with self.engine.begin() as tx:
            seq = _next(tx, talk_id)
            sealed = keys.seal_words(tx, self.vault, conversation_id=talk_id, seq=seq, role=role, text=text, reading=reading)
            row = dict(conversation_id=talk_id, seq=seq, role=role, created_at=NOW, **sealed._asdict())
            tx.execute(message.insert().values(**row))
            return seq

    def refer(self, talk_id: str, pointer: Pointer) -> int:
        """Add a bot's message beside the turns; returns the number."""
        with self.engine.begin() as tx:
            seq = _next(tx, talk_id)
            key = keys.key_in_force(tx, self.vault, talk_id)
            sealed = keys.seal_reference(self.vault, key, seq=seq, pointer=pointer, script_version="1")
            row = dict(conversation_id=talk_id, seq=seq, role="bot", created_at=NOW, **sealed._asdict())
            tx.execute(message.insert().values(**row))
            return seq

    def turn(self, talk_id: str, text: str, reading: str, *pointers: Pointer) -> int:
        """Add a child's words and what the bot answers, under one encapsulation; returns the number of the words."""
        with self.engine.begin() as tx:
            first = _next(tx, talk_id, 1 + len(pointers))
            key = keys.key_in_force(tx, self.vault, talk_id)
            answers = [(pointer, "1") for pointer in pointers]
            words, said = keys.seal_turn(self.vault, key, seq=first, text=text, reading=reading, answers=answers)
            place = {"conversation_id": talk_id, "created_at": NOW}
            tx.execute(message.insert().values(**place, seq=first, role="child", **words._asdict()))
            for seq, one in enumerate(said, start=first + 1):
                tx.execute(message.insert().values(**place, seq=seq, role="bot", **one._asdict()))
            return first

    def read(self, opener: Unlocked | ChildKey, talk_id: str, *, after: int = 0) -> list[OpenedMessage]:
        """Open a conversation."""
        with self.engine.begin() as tx:
            return keys.open_conversation(tx, self.vault, talk_id, opener, after=after)

    def texts(self, opener: Unlocked | ChildKey, talk_id: str) -> list[str | None]:
        """The words only."""
        return [m.text for m in self.read(opener, talk_id)]

    def grant(self, by: Unlocked, person_id: str) -> None:
        """A colleague compares the code and grants."""
        with self.engine.begin() as tx:
            code = key_code(tx, person_id)
            keys.grant(tx, self.vault, by=by, person_id=person_id, code=code, now=NOW)

    def rotate(self, by: Unlocked, where: str, *, remove: str | None = None) -> None:
        """A whole rotation, each step in its own transaction as in the product."""
        with self.engine.begin() as tx:
            keys.rotate(tx, self.vault, by=by, team_id=where, remove=remove)
        with self.engine.begin() as tx:
            behind = keys.to_rewrap(tx, where)
        for talk_id in behind:
            with self.engine.begin() as tx:
                keys.rewrap(tx, self.vault, by=by, conversation_id=talk_id)
        with self.engine.begin() as tx:
            assert keys.finish_rotation(tx, where)

    @contextmanager
    def undone(self) -> Iterator[Connection]:
        """A transaction in which a test may do harm: it is rolled back."""
        with self.engine.connect() as tx:
            attempt = tx.begin()
            yield tx
            attempt.rollback()

    def attacked(self, harm: Callable[[Connection], object], opener: Unlocked | ChildKey, talk_id: str) -> bool:
        """Whether opening is refused after this harm was done to the database, which is then undone."""
        with self.undone() as tx:
            harm(tx)
            return denied(lambda: keys.open_conversation(tx, self.vault, talk_id, opener))


def _next(tx: Connection, talk_id: str, count: int = 1) -> int:
    here = conversation.c.id == talk_id
    tx.execute(conversation.update().where(here).values(last_seq=conversation.c.last_seq + count))
    return int(tx.execute(sa.select(conversation.c.last_seq).where(here)).scalar_one()) - count + 1


def denied(attempt: Callable[..., object], *arguments: object) -> bool:
    """Whether this call raises `Denied`."""
    try:
        attempt(*arguments)
    except Denied:
        return True
    return False


def sqlite_rig(where: Path, *, suite: bytes = XWING) -> Rig:
    """A rig on a SQLite file `house.db` with the product's own pragmas; key files in `keys/`."""
    vault = Vault.founded(SECRET, where / "keys", suite=suite, cost=TOY)
    return Rig(sqlite_engine(f"sqlite:///{where}/house.db"), vault).found()


def later(**parts: float) -> datetime:
    """A moment after `NOW`."""
    return NOW + timedelta(**parts)
