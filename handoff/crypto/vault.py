"""The only module that touches the crypto library.

Pure: bytes in, bytes out, plus the key files of `key_directory`; no database.

A private key is a suite byte and a 32-byte seed; every public key and sealed blob starts with the same suite byte:
    01  HPKE base mode, DHKEM(X25519),  HKDF-SHA256, AES-256-GCM   (RFC 9180)
    02  HPKE base mode, X-Wing (X25519 + ML-KEM-768), the same rest  (draft-ietf-hpke-pq, draft-connolly-cfrg-xwing-kem)
Every seal, lock and mac is bound to its place by length-prefixed, typed context. `Denied` is the one answer to every misfit.
Private keys and seeds are never cached and never shown; public keys are parsed once.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from handoff.crypto.key_directory import KeyDirectory, Unfit
from handoff.crypto.known_answers import KNOWN, SEED, KnownAnswers
from handoff.errors import Denied

X25519 = b"\x01"
XWING = b"\x02"
SECRET_BYTES = 32  # of the configuration secret, at least
TOKEN_BYTES = 32  # of a child's web token and of a session cookie, exactly
_SUITES = {
    X25519: Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM),
    XWING: Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM),
}
_LABEL = b"praat-erover/1"
_BLOCK = 256  # bytes: "ja" and "nee", and most sentences, are the same size at rest
_NONCE = 12
_BUCKET = ".bucket"
_DELIVERY_PRIVATE, _DELIVERY_PUBLIC = "delivery.key", "delivery.pub"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")

_TYPES = {bytes: b"b", str: b"s", int: b"i"}


def bind(*parts: bytes | str | int) -> bytes:
    """Unambiguous bytes for a list of parts: each with its type and length in front, so no two lists give the same
    bytes.
    """
    out = bytearray(_LABEL)
    for part in parts:
        kind = _TYPES.get(type(part))
        if kind is None:
            raise Denied  # a row that someone changed to hold another type
        raw = part if isinstance(part, bytes) else str(part).encode("utf-8", "surrogatepass")
        out += kind + len(raw).to_bytes(4, "big") + raw
    return bytes(out)


def derive(key: bytes, *purpose: bytes | str | int) -> bytes:
    """A 32-byte key for one purpose (HKDF-SHA256)."""
    return HKDF(hashes.SHA256(), 32, None, bind(*purpose)).derive(key)


def mac(key: bytes, *parts: bytes | str | int) -> bytes:
    """HMAC-SHA256 over the bound parts."""
    return hmac.digest(key, bind(*parts), "sha256")


def demand_same(found: object, expected: bytes) -> None:
    """Compare in constant time. Raises `Denied`, also when a row holds no bytes at all: SQLite keeps any type in any column."""
    if not isinstance(found, bytes) or not hmac.compare_digest(found, expected):
        raise Denied


def new_private_key(suite: bytes) -> bytes:
    """A fresh private key: the suite byte and 32 random bytes."""
    return suite + os.urandom(32)


def public_key(private: bytes) -> bytes:
    """The public half (33 bytes for X25519, 1217 for X-Wing). Raises `Denied` on something that is no private key."""
    if len(private) != 33 or private[:1] not in _SUITES:
        raise Denied
    if private[:1] == X25519:
        return X25519 + X25519PrivateKey.from_private_bytes(private[1:]).public_key().public_bytes_raw()
    lattice, curve = _expand(private)
    return XWING + lattice.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()


def _expand(private: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    """X-Wing's own key expansion: SHAKE-256 of the seed to 64 bytes for ML-KEM-768 and 32 for X25519."""
    wide = hashlib.shake_256(private[1:]).digest(96)
    return MLKEM768PrivateKey.from_seed_bytes(wide[:64]), X25519PrivateKey.from_private_bytes(wide[64:])


def _parse_private(private: bytes) -> X25519PrivateKey | MLKEM768X25519PrivateKey:
    if private[:1] == X25519:
        return X25519PrivateKey.from_private_bytes(private[1:])
    return MLKEM768X25519PrivateKey(*_expand(private))


@lru_cache(maxsize=1024)
def _parse_public(public: bytes) -> X25519PublicKey | MLKEM768X25519PublicKey:
    curve = X25519PublicKey.from_public_bytes(public[-32:])
    if public[:1] == X25519:
        if len(public) != 33:
            raise ValueError
        return curve
    return MLKEM768X25519PublicKey(MLKEM768PublicKey.from_public_bytes(public[1:-32]), curve)


def seal(public: bytes, data: bytes, *context: bytes | str | int) -> bytes:
    """Encrypt so that only the private key's holder can open it, in this context.

    Raises `Denied` when `public` is no key.
    """
    try:
        return public[:1] + _SUITES[public[:1]].encrypt(data, _parse_public(public), info=bind(*context))
    except (ValueError, KeyError):
        raise Denied from None


def unseal(private: bytes, blob: bytes, *context: bytes | str | int) -> bytes:
    """Open what `seal` made. Raises `Denied` for a wrong key, context, suite, or a changed byte."""
    if len(private) != 33 or blob[:1] != private[:1] or blob[:1] not in _SUITES:
        raise Denied
    try:
        return _SUITES[blob[:1]].decrypt(blob[1:], _parse_private(private), info=bind(*context))
    except (InvalidTag, ValueError):
        raise Denied from None


def lock(key: bytes, data: bytes, *context: bytes | str | int) -> bytes:
    """Encrypt under a 32-byte key (AES-256-GCM, random nonce in front)."""
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, data, bind(*context))


def unlock(key: bytes, blob: bytes, *context: bytes | str | int) -> bytes:
    """Open what `lock` made. Raises `Denied`."""
    try:
        return AESGCM(key).decrypt(blob[:_NONCE], blob[_NONCE:], bind(*context))
    except (InvalidTag, ValueError, TypeError):
        raise Denied from None


def pad(data: bytes) -> bytes:
    """Fill up to a multiple of 256 bytes, so that sizes at rest say little."""
    return data + b"\x80" + bytes(-(len(data) + 1) % _BLOCK)


def unpad(data: bytes) -> bytes:
    """Undo `pad`. Raises `Denied` when it was not padded so."""
    bare = data.rstrip(b"\0")
    if len(data) % _BLOCK or bare[-1:] != b"\x80":
        raise Denied
    return bare[:-1]


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
    """What a child's web token opens: the wraps that were made to its public key. Made by `Vault.child_key`."""

    _seed: bytes = field(repr=False)

    def private(self, suite: bytes) -> bytes:
        """The child's private key in the suite of the blob at hand: a chat begun before a change of suite stays open."""
        return suite + derive(self._seed, "child-key", suite)


class Vault:
    """The server's configuration secret, the key directory and the chosen suite.

    The secret peppers and authenticates; it opens nothing.
    """

    def __init__(self, secret: bytes, key_dir: Path, *, suite: bytes = XWING, cost: Cost = Cost()) -> None:
        """Raises `Unfit` when the secret is short, the directory is open to others, or the crypto library fails its
        known answers.
        """
        if len(secret) < SECRET_BYTES:
            raise Unfit(f"the configuration secret must be at least {SECRET_BYTES} bytes")
        if suite not in _SUITES:
            raise Unfit("unknown suite")
        check()
        self.suite = suite
        self.cost = cost
        self._mac_key = derive(secret, "row-mac")
        self._pepper = derive(secret, "pepper")
        self._child_key = derive(secret, "child-auth")
        self._session_key = derive(secret, "session")
        self._files = KeyDirectory(key_dir)
        self._kitchen = threading.BoundedSemaphore(2)  # Argon2 at once: two times `memory_kib`, however many log in

    def row_mac(self, *parts: bytes | str | int) -> bytes:
        """Proof that this server wrote a row: someone who can write in the database alone cannot make it."""
        return mac(self._mac_key, *parts)

    def new_private_key(self) -> bytes:
        """A fresh private key of the configured suite."""
        return new_private_key(self.suite)

    def stretch(self, passphrase: str, salt: bytes, cost: Cost) -> bytes:
        """The key behind a passphrase, 32 bytes. Slow on purpose (see `Cost`); never call it inside a transaction."""
        with self._kitchen:
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
        return public_key(self.child_key(token).private(self.suite))

    def seal_for_delivery(self, data: bytes, *context: str | int) -> bytes:
        """Seal for the delivery process, which is the only one that needs `delivery.key`. Raises `StoreUnavailable`."""
        if not self._files.exists(_DELIVERY_PUBLIC):
            self._files.make(_DELIVERY_PRIVATE, self.new_private_key())
            self._files.make(_DELIVERY_PUBLIC, public_key(self._files.read(_DELIVERY_PRIVATE, size=33)))
        return seal(self._files.read(_DELIVERY_PUBLIC), pad(data), "delivery", *context)

    def open_for_delivery(self, blob: bytes, *context: str | int) -> bytes:
        """Open what `seal_for_delivery` made in the same context. Raises `Denied`, `StoreUnavailable`."""
        return unpad(unseal(self._files.read(_DELIVERY_PRIVATE, size=33), blob, "delivery", *context))

    def make_bucket(self, day: str) -> None:
        """Make the key of an expiry day (YYYY-MM-DD) when it is not there yet.

        Raises `ValueError`, `StoreUnavailable`.
        """
        if not self._files.exists(_bucket_name(day)):
            self._files.make(_bucket_name(day), os.urandom(32))

    def bucket(self, day: str) -> bytes:
        """The key of an expiry day. Raises `Denied` when it was destroyed."""
        return self._files.read(_bucket_name(day), size=32)

    def destroy_bucket(self, day: str) -> None:
        """Erase every conversation that expires on this day, in the database, its log, replicas and backups.

        Raises `ValueError`.
        """
        self._files.destroy(_bucket_name(day))

    def buckets(self) -> list[str]:
        """The expiry days whose key still exists, oldest first."""
        return self._files.names(_BUCKET)


def _bucket_name(day: str) -> str:
    """Raises `ValueError` for anything but a real day: the name becomes a path."""
    if not _DAY.fullmatch(day):
        raise ValueError("an expiry day must be YYYY-MM-DD")
    return date.fromisoformat(day).isoformat() + _BUCKET


def check(known: KnownAnswers = KNOWN) -> None:
    """Known answers, at every start (about 3 ms): what was sealed by an earlier version must open, and a changed byte
    must not.

    Raises `Unfit`, also when the crypto library was built without ML-KEM: there is no silent fall-back to a weaker
    suite.
    """
    try:
        faults = [name for name, ok in _answers(known) if not ok]
    except (UnsupportedAlgorithm, Denied, ValueError) as fault:
        raise Unfit(f"the crypto library cannot do what is needed: {type(fault).__name__}") from None
    if faults:
        raise Unfit(f"the crypto library gives wrong answers: {', '.join(faults)}")


def _answers(known: KnownAnswers) -> Iterator[tuple[str, bool]]:
    argon = Argon2id(
        salt=bytes([2]) * 16,
        length=32,
        iterations=3,
        lanes=4,
        memory_cost=32,
        ad=bytes([4]) * 12,
        secret=bytes([3]) * 8,
    )
    yield "Argon2id", argon.derive(bytes([1]) * 32) == known.argon2id_key
    yield "AES-GCM", unlock(SEED, known.locked, "known answer") == known.words
    for suite, sealed in known.sealed.items():
        private, name = suite + SEED, f"suite {suite.hex()}"
        yield f"{name} opening", unseal(private, sealed, "known answer", 1) == known.words
        yield f"{name} public key", hashlib.sha256(public_key(private)).digest() == known.public_digests[suite]
        yield f"{name} sealing", unseal(private, seal(public_key(private), b"now", "now"), "now") == b"now"
        yield f"{name} tampering", _refuses(private, sealed[:-1] + bytes([sealed[-1] ^ 1]))


def _refuses(private: bytes, blob: bytes) -> bool:
    try:
        unseal(private, blob, "known answer", 1)
    except Denied:
        return True
    return False
