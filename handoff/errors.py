"""Everything that can go wrong here, as a small tree. Texts carry ids and places, never a child's words.

HandoffError
├── StoreUnavailable      the database or the key folder is locked, full or gone
├── NotFound              not there, not yours, or erased: one answer for all three
├── Denied                a key, passphrase or seal does not fit: one answer for every reason
│   └── PutBack           a team's key in the database is older than one that was in force
└── Conflict              somebody else was first, or the state does not allow it
"""

from __future__ import annotations


class HandoffError(Exception):
    """Base of all. `permanent` is true when trying the same again cannot help."""

    permanent = True


class StoreUnavailable(HandoffError):
    """The database or the key folder cannot be used now. Nothing of the transaction was kept, unless the database was lost while it
    committed: then it may have been. Doing it again is safe, because every input has an id of its own."""

    permanent = False


class NotFound(HandoffError):
    """Not there, of another gemeente, erased, or a wrong token: the caller cannot tell which."""


class Denied(HandoffError):
    """A key, passphrase or seal does not fit."""


class PutBack(Denied):
    """Somebody put an older team key back: who left may hold it. Nothing is sealed to it, and nothing opened."""


class Conflict(HandoffError):
    """Somebody else was first, or the state does not allow this."""
