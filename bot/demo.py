"""The demo gemeente's people, and the one-time passphrases that `make run` prints.

A one-time passphrase is kept in a file of its own (mode 0600, outside the database) until it has been used once; after that
it opens nothing and the file goes. Real confidants are added with `praat person add`, which keeps nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection

from config.private_files import write_private
from handoff import keys
from handoff.accounts import credentials, sessions
from handoff.accounts.passphrases import passphrase as new_passphrase
from handoff.accounts.sessions import Unlocked
from handoff.models import person
from handoff.places import municipalities
from handoff.runtime import Runtime
from handoff.team import people

MUNICIPALITY = "voorbeeldstad"
_PEOPLE = (("sanne", "Sanne"), ("mehmet", "Mehmet"))


@dataclass(frozen=True, slots=True)
class Login:
    """What a demo confidant types once; `passphrase` is None when it has been used and replaced by their own."""

    login: str
    passphrase: str | None


def prepare(runtime: Runtime, file: Path) -> list[Login]:
    """Make the demo's two colleagues at the first start. Returns the logins that can still be used, for printing."""
    there = runtime.store.read(lambda tx: municipalities.has_people(tx, MUNICIPALITY)).result()
    if not there:
        phrases = {login: new_passphrase() for login, _ in _PEOPLE}
        _write(file, phrases)  # before the people exist: a passphrase that nobody saw would lock the demo for good
        runtime.store.write(lambda tx: _add(tx, runtime, phrases)).result()
    unused = runtime.store.read(_unused).result()
    kept = {login: phrase for login, phrase in _read(file).items() if login in unused}
    _write(file, kept)
    working = runtime.store.read(_logins).result()
    return [Login(login, kept.get(login)) for login, _ in _PEOPLE if login in working]


def _add(tx: Connection, runtime: Runtime, phrases: dict[str, str]) -> None:
    now = runtime.clock()
    founder: Unlocked | None = None
    for login, first_name in _PEOPLE:
        key = credentials.new_key(runtime.vault, phrases[login])
        added = people.add_confidant(
            tx, runtime.vault, key, municipality_id=MUNICIPALITY, login=login, first_name=first_name, now=now
        )
        if founder is None:
            founder = _as_unlocked(tx, runtime, login, phrases[login])
        else:
            keys.grant(tx, runtime.vault, by=founder, person_id=added.id, code=keys.key_code(tx, added.id), now=now)


def _as_unlocked(tx: Connection, runtime: Runtime, login: str, phrase: str) -> Unlocked:
    """The founder signs in once, here, to grant the team key to the colleague; the session ends with it."""
    row = credentials.look_up(tx, login)
    now: datetime = runtime.clock()
    cookie = sessions.open_session(tx, runtime.vault, row, credentials.unlock(runtime.vault, row, phrase), now=now)
    who = sessions.resume(tx, runtime.vault, cookie, now=now)
    sessions.end_session(tx, who.session_id)
    return who


def _logins(tx: Connection) -> list[str]:
    query = sa.select(person.c.login).where(person.c.municipality_id == MUNICIPALITY, person.c.disabled_at.is_(None))
    return list(tx.execute(query).scalars())


def _unused(tx: Connection) -> set[str]:
    return set(tx.execute(sa.select(person.c.login).where(person.c.must_renew.is_(True))).scalars())


def _read(file: Path) -> dict[str, str]:
    try:
        return {str(k): str(v) for k, v in json.loads(file.read_bytes()).items()}
    except (OSError, ValueError):
        return {}


def _write(file: Path, phrases: dict[str, str]) -> None:
    if not phrases:
        file.unlink(missing_ok=True)
        return
    write_private(file, json.dumps(phrases).encode())
