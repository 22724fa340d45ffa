"""The demo gemeente's people, and the one-time passphrases that `make run` prints.

A one-time passphrase is kept in a file of its own (mode 0600, outside the database) until it has been used once; after that
it opens nothing and the file goes. Real confidants are added with `praat person add`, which keeps nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection

from config.private_files import write_private
from handoff.accounts import credentials
from handoff.accounts.passphrases import passphrase as new_passphrase
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
    unused = runtime.store.read(lambda tx: _unused(tx, runtime)).result()
    kept = {login: phrase for login, phrase in _read(file).items() if login in unused}
    _write(file, kept)
    working = runtime.store.read(_logins).result()
    return [Login(login, kept.get(login)) for login, _ in _PEOPLE if login in working]


def _add(tx: Connection, runtime: Runtime, phrases: dict[str, str]) -> None:
    """Both found the team: a colleague can let nobody in who has no key of their own yet."""
    both = [people.Newcomer(credentials.new_key(runtime.vault, phrases[login]), login, name) for login, name in _PEOPLE]
    people.add_confidants(tx, runtime.vault, both, municipality_id=MUNICIPALITY, now=runtime.clock())


def _logins(tx: Connection) -> list[str]:
    query = sa.select(person.c.login).where(person.c.municipality_id == MUNICIPALITY, person.c.disabled_at.is_(None))
    return list(tx.execute(query).scalars())


def _unused(tx: Connection, runtime: Runtime) -> set[str]:
    return {member.login for member in people.of_municipality(tx, runtime.vault, MUNICIPALITY) if member.must_renew}


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
