"""The server's own keys: what its configuration secret and the key directory give, and the suite that it seals with.

Bytes in, bytes out, plus the key files of `key_directory`; no database.
"""

from __future__ import annotations

import os
import re
import threading
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from handoff.crypto.epochs import EpochMarks
from handoff.crypto.hpke import SUITES, XWING, new_private_key, public_key, seal, unseal
from handoff.crypto.key_directory import KeyDirectory, Unfit
from handoff.crypto.self_test import check
from handoff.crypto.symmetric import Part, derive, lock, mac, pad, unlock, unpad
from handoff.crypto.tombstones import Tombstones
from handoff.errors import Denied

SECRET_BYTES = 32  # of the configuration secret, at least
TOKEN_BYTES = 32  # of a child's web token and of a session cookie, exactly
_BUCKET = ".bucket"
_DELIVERY_PRIVATE, _DELIVERY_PUBLIC = "delivery.key", "delivery.pub"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_AT_ONCE = 2
_FOR_CHILD = b"\x00"  # in the place of a suite: locked under the child's own key


@dataclass(frozen=True)
class Cost:
    """What one guess at a passphrase costs (Argon2id). 128 MiB and 3 rounds take about 0.4 s on one core."""

    memory_kib: int = 131072
    iterations: int = 3
    lanes: int = 1

    def __str__(self) -> str:
        """As it stands in the database."""
        return f"{self.memory_kib},{self.iterations},{self.lanes}"

    @classmethod
    def parse(cls, text: str) -> Cost:
        """Read `str(cost)` back. Raises `Denied` for anything else, also for costs that would exhaust the machine."""
        if not re.fullmatch(r"[0-9]{1,7},[0-9]{1,2},[0-9]", text):
            raise Denied
        cost = cls(*map(int, text.split(",")))
        if not (8 * cost.lanes <= cost.memory_kib <= 1 << 20 and cost.iterations >= 1 and cost.lanes >= 1):
            raise Denied
        return cost


@dataclass(frozen=True)
class ChildKey:
    """What a child's web token opens: what was locked with it, and what was sealed to its public key. Made by `Vault.child_key`."""

    _seed: bytes = field(repr=False)

    def public(self, suite: bytes) -> bytes:
        """Return the public half, which the server keeps to seal later keys to, without the token."""
        return public_key(self.private(suite))

    def lock(self, data: bytes, *context: Part) -> bytes:
        """Encrypt for this child while its token is at hand: a hundredth of the work of sealing to its public key."""
        return _FOR_CHILD + lock(derive(self._seed, "child-lock"), data, *context)

    def open(self, blob: bytes, *context: Part) -> bytes:
        """Open what was locked with this key, or sealed to its public half in any suite. Raises `Denied`."""
        if blob[:1] == _FOR_CHILD:
            return unlock(derive(self._seed, "child-lock"), blob[1:], *context)
        return unseal(self.private(blob[:1]), blob, *context)

    def private(self, suite: bytes) -> bytes:
        """Return the private key in one suite: a chat begun before a change of suite stays open."""
        return suite + derive(self._seed, "child-key", suite)


class Vault:
    """The server's configuration secret, the key directory and the chosen suite.

    The secret peppers and authenticates; it opens nothing.
    """

    def __init__(self, secret: bytes, key_dir: Path, *, suite: bytes = XWING, cost: Cost = Cost()) -> None:
        """Raises `Unfit` when the secret is short, the directory is open to others, or the crypto library fails its
        known answers. Nothing is read or made in the directory before it is known to be the one: see `KeyDirectory.belong_to`.
        """
        if len(secret) < SECRET_BYTES:
            raise Unfit(f"the configuration secret must be at least {SECRET_BYTES} bytes")
        if suite not in SUITES:
            raise Unfit("unknown suite")
        check()
        self.suite = suite
        self.cost = cost
        self._mac_key = derive(secret, "row-mac")
        self._pepper = derive(secret, "pepper")
        self._child_key = derive(secret, "child-auth")
        self._session_key = derive(secret, "session")
        self.key_files = KeyDirectory(key_dir)
        self.epochs = EpochMarks(self.key_files, self.row_mac)
        self.tombstones = Tombstones(self.key_files, derive(secret, "tombstone"))
        self._argon2_slots = threading.BoundedSemaphore(_AT_ONCE)  # two times `memory_kib`, however many sign in

    @classmethod
    def founded(cls, secret: bytes, key_dir: Path, *, suite: bytes = XWING, cost: Cost = Cost()) -> Vault:
        """Return a vault with a key directory that needs no database to know whose it is: it is made where it is not there."""
        made = cls(secret, key_dir, suite=suite, cost=cost)
        made.key_files.belong_to(made.key_files.found())
        return made

    def row_mac(self, *parts: Part) -> bytes:
        """Proof that this server wrote a row: someone who can write in the database alone cannot make it."""
        return mac(self._mac_key, *parts)

    def new_private_key(self) -> bytes:
        """A fresh private key of the configured suite."""
        return new_private_key(self.suite)

    def stretch(self, passphrase: str, salt: bytes, cost: Cost) -> bytes:
        """The key behind a passphrase, 32 bytes. Slow on purpose (see `Cost`); never call it inside a transaction."""
        with self._argon2_slots:
            slow = Argon2id(
                salt=salt,
                length=32,
                iterations=cost.iterations,
                lanes=cost.lanes,
                memory_cost=cost.memory_kib,
                secret=self._pepper,
            )
            return derive(slow.derive(passphrase.encode("utf-8", "surrogatepass")), "member-lock")

    def session_keys(self, cookie: bytes) -> tuple[bytes, bytes]:
        """A session's row id and the key that locks its row: a stolen cookie and database need the configuration too."""
        return mac(self._session_key, "id", cookie), mac(self._session_key, "lock", cookie)

    def child_auth(self, channel: str, token: bytes) -> bytes:
        """Finds a child's conversation by token or chat id; made with the configuration secret, so a stolen row cannot
        be guessed.
        """
        return mac(self._child_key, channel, token)

    def child_key(self, token: bytes) -> ChildKey:
        """The opener behind a child's web token. Raises `Denied` unless the token is 32 bytes."""
        if len(token) != TOKEN_BYTES:
            raise Denied
        return ChildKey(derive(token, "child-seed"))

    def child_public_key(self, token: bytes) -> bytes:
        """What the server keeps of a child's web token: the key to seal to.

        Raises `Denied` unless the token is 32 bytes.
        """
        return self.child_key(token).public(self.suite)

    def seal_for_delivery(self, data: bytes, *context: str | int) -> bytes:
        """Seal for the delivery process, which is the only one that needs `delivery.key`. Raises `StoreUnavailable`."""
        return seal(self._delivery_public(), pad(data), "delivery", *context)

    def _delivery_public(self) -> bytes:
        try:
            return self.key_files.read(_DELIVERY_PUBLIC)
        except Denied:  # the first use makes it
            self.key_files.make(_DELIVERY_PRIVATE, self.new_private_key())
            self.key_files.make(_DELIVERY_PUBLIC, public_key(self.key_files.read(_DELIVERY_PRIVATE, size=33)))
            return self.key_files.read(_DELIVERY_PUBLIC)

    def can_deliver(self) -> bool:
        """Whether there is a delivery key already; sealing for it makes one. Raises `StoreUnavailable`."""
        try:
            return bool(self.key_files.read(_DELIVERY_PUBLIC))
        except Denied:
            return False

    def open_for_delivery(self, blob: bytes, *context: str | int) -> bytes:
        """Open what `seal_for_delivery` made in the same context. Raises `Denied`, `StoreUnavailable`."""
        return unpad(unseal(self.key_files.read(_DELIVERY_PRIVATE, size=33), blob, "delivery", *context))

    def make_bucket(self, day: str) -> bytes:
        """Return the key of an expiry day (YYYY-MM-DD), made when it is not there. Raises `ValueError`, `StoreUnavailable`."""
        try:
            return self.bucket(day)
        except Denied:
            self.key_files.make(_bucket_name(day), os.urandom(32))
            return self.bucket(day)

    def bucket(self, day: str) -> bytes:
        """The key of an expiry day. Raises `Denied` when it was destroyed."""
        return self.key_files.read(_bucket_name(day), size=32)

    def destroy_bucket(self, day: str) -> None:
        """Erase every conversation that expires on this day, in the database, its log, replicas and backups.

        Raises `ValueError`.
        """
        self.key_files.destroy(_bucket_name(day))

    def buckets(self) -> list[str]:
        """The expiry days whose key still exists, oldest first."""
        return self.key_files.names(_BUCKET)

    def unmarked_keys(self) -> set[str]:
        """The expiry days, and the other keys by name, that stand in the directory, whatever its marker says.

        Raises `StoreUnavailable` when the directory is away.
        """
        days = self.key_files.unmarked_names(_BUCKET)
        return {*days, *(name for name in self.key_files.unmarked_names() if name in (_DELIVERY_PRIVATE, _DELIVERY_PUBLIC))}


def _bucket_name(day: str) -> str:
    """Raises `ValueError` for anything but a real day: the name becomes a path."""
    if not _DAY.fullmatch(day):
        raise ValueError("an expiry day must be YYYY-MM-DD")
    return date.fromisoformat(day).isoformat() + _BUCKET
