"""Which installation this is: one random id in the database, the same one as a marker in the key directory.

They are compared at every start and again and again while it runs. Keys are used and made only while both say the same: a key
directory that is away, empty or another one would else make every chat unreadable, and new ones lost when it comes back.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from handoff.crypto import Vault
from handoff.database import Store
from handoff.errors import StoreUnavailable
from handoff.models import conversation, installation, person


class KeysAway(StoreUnavailable):
    """The key directory is not there, or has no marker."""


class OthersKeys(StoreUnavailable):
    """The key directory and the database do not belong together."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What the database says of itself."""

    id: str | None
    is_new: bool
    """Nobody was ever added."""
    days: frozenset[str]
    """The expiry days of its chats."""


def settle(store: Store, vault: Vault) -> None:
    """Hold the database against the key directory, and from now on use keys only while they belong together.

    A first start makes the marker and the id; so does the first start of a version that knows them, when keys of the chats
    are there. Raises `KeysAway`, `OthersKeys`, or any other `StoreUnavailable`.
    """
    known = store.read(_known).result()
    if known.id is None:
        store.write(lambda tx: settle_within(tx, vault)).result()
    else:
        _compare(vault, known.id)


def settle_within(tx: Connection, vault: Vault) -> None:
    """Do as `settle` in a transaction: a migration from a form without an id needs the keys before anything else runs."""
    known, marker = _known(tx), _marker(vault)
    if known.id is None:
        _demand_plausible(vault, known, marker)
        if marker is None:
            vault.key_files.mark(secrets.token_hex(16))
        known = _begin(tx, _marker(vault) or "")
    _compare(vault, known.id or "")


def see(store: Store, vault: Vault) -> None:
    """Hold them against each other once more, as `settle` does; no key is used until it is right again."""
    found = store.read(lambda tx: tx.execute(sa.select(installation.c.id)).scalar_one_or_none()).result()
    if found is not None:
        _compare(vault, found)


def _compare(vault: Vault, wanted: str) -> None:
    vault.key_files.belong_to(wanted)
    marker = _marker(vault)
    if marker is None:
        raise KeysAway("the key directory has no marker: it is empty, or not mounted")
    if marker != wanted:
        raise OthersKeys("the key directory belongs to another installation than the database")
    vault.key_files.see()


def adopt(store: Store, vault: Vault) -> bool:
    """Take a key directory without a marker into use with this database: a copy of before there were markers, or an empty one
    because the old one is lost. False when they belonged together already. Raises `OthersKeys`, `KeysAway`."""
    known, marker = store.read(_known).result(), _marker(vault)
    if marker is None:
        chosen = known.id or secrets.token_hex(16)
        vault.key_files.mark(chosen)
        known = store.write(lambda tx: _begin(tx, chosen)).result()
    settle(store, vault)
    return marker is None


def _marker(vault: Vault) -> str | None:
    try:
        return vault.key_files.marker()
    except StoreUnavailable:
        raise KeysAway("the key directory is away") from None


def _demand_plausible(vault: Vault, known: _Known, marker: str | None) -> None:
    """A database without an id: it is new, or of a version that had none. Raises `OthersKeys`, `KeysAway`."""
    keys = vault.unmarked_keys()
    if known.is_new and keys:
        raise OthersKeys("the database is new, and the key directory is not")
    if known.days and not known.days & keys:
        raise (KeysAway if marker is None else OthersKeys)("the key directory has no key of any chat in the database")


def _known(tx: Connection) -> _Known:
    found = tx.execute(sa.select(installation.c.id)).scalar_one_or_none()
    is_new = tx.execute(sa.select(person.c.id).limit(1)).first() is None
    days = tx.execute(sa.select(conversation.c.expires_on).distinct()).scalars() if found is None else ()
    return _Known(found, is_new, frozenset(days))


def _begin(tx: Connection, chosen: str) -> _Known:
    """Add the id, unless another process was first."""
    if tx.execute(sa.select(installation.c.id)).first() is None:
        tx.execute(installation.insert().values(no=1, id=chosen))
    return _known(tx)
