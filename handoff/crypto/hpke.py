"""Key pairs: sealing to a public key, and opening with the private one (RFC 9180, base mode).

A private key is a suite byte and a 32-byte seed; every public key starts with the same byte, and every sealed blob says with its
first byte what it is:
    01  X25519   DHKEM(X25519), HKDF-SHA256, AES-256-GCM
    02  X-Wing   X25519 + ML-KEM-768 (draft-ietf-hpke-pq, draft-connolly-cfrg-xwing-kem), the same rest
What stands under one encapsulation together begins with other bytes: `handoff.crypto.together`.
Private keys and seeds are never shown, and kept no longer than one opening (`ExpandedKey`); public keys are parsed once.
`Denied` is the one answer to every misfit.
"""

from __future__ import annotations

import hashlib
import os
from functools import cached_property, lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from handoff.crypto.symmetric import Part, bind
from handoff.errors import Denied

X25519 = b"\x01"
XWING = b"\x02"
SUITES = {
    X25519: Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM),
    XWING: Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM),
}
_SEED = 32


def new_private_key(suite: bytes) -> bytes:
    """Return a fresh private key: the suite byte and 32 random bytes."""
    return suite + os.urandom(_SEED)


class ExpandedKey(bytes):
    """A private key that is expanded at its first use and then kept so: for who opens many blobs with it, in one opening.

    Expanding costs more than opening. It goes when the opening is over; nothing else may keep it.
    """

    @cached_property
    def parsed(self) -> X25519PrivateKey | MLKEM768X25519PrivateKey:
        """The key as the library wants it. Raises `ValueError` when it is none."""
        return _parse_private(bytes(self))


def public_key(private: bytes) -> bytes:
    """Return the public half (33 bytes for X25519, 1217 for X-Wing). Raises `Denied` on something that is no private key."""
    if len(private) != 1 + _SEED or private[:1] not in SUITES:
        raise Denied
    if private[:1] == X25519:
        return X25519 + X25519PrivateKey.from_private_bytes(private[1:]).public_key().public_bytes_raw()
    lattice, curve = _expand(private)
    return XWING + lattice.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()


def seal(public: bytes, data: bytes, *context: Part) -> bytes:
    """Encrypt so that only the private key's holder can open it, in this context. Raises `Denied` when `public` is no key."""
    try:
        return public[:1] + SUITES[public[:1]].encrypt(data, _parse_public(public), info=bind(*context))
    except (ValueError, KeyError):
        raise Denied from None


def unseal(private: bytes, blob: bytes, *context: Part) -> bytes:
    """Open what `seal` made. Raises `Denied` for a wrong key, context, suite, or a changed byte."""
    if blob[:1] not in SUITES:
        raise Denied
    return _decrypt(private, blob[:1], blob[1:], bind(*context))


def _decrypt(private: bytes, suite: bytes, ciphertext: bytes, info: bytes) -> bytes:
    if len(private) != 1 + _SEED or private[:1] != suite:
        raise Denied
    try:
        key = private.parsed if isinstance(private, ExpandedKey) else _parse_private(private)
        return SUITES[suite].decrypt(ciphertext, key, info=info)
    except (InvalidTag, ValueError):
        raise Denied from None


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
