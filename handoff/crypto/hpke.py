"""Key pairs: sealing to a public key, and opening with the private one (RFC 9180, base mode).

A private key is a suite byte and a 32-byte seed; every public key starts with the same byte, and every sealed blob says with its
first byte what it is:
    01  X25519   DHKEM(X25519), HKDF-SHA256, AES-256-GCM
    02  X-Wing   X25519 + ML-KEM-768 (draft-ietf-hpke-pq, draft-connolly-cfrg-xwing-kem), the same rest
    11  12       the same suites, several parts under one encapsulation: what is sealed is a random key, and under that key stand
                 the parts, each with its number as nonce (AES-256-GCM). The first blob holds the key and part 0, the others a part
    21  22       the same by who holds the private key at this moment: in the place of the sealed key stands a random salt, which
                 with the private key gives the parts' key. No encapsulation at all: for the first words under a new key
Private keys and seeds are never cached and never shown; public keys are parsed once. `Denied` is the one answer to every misfit.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from functools import lru_cache

from cryptography.exceptions import InvalidTag
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

from handoff.crypto.symmetric import Part, bind, derive
from handoff.errors import Denied

X25519 = b"\x01"
XWING = b"\x02"
SUITES = {
    X25519: Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM),
    XWING: Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM),
}
_SEED = 32
_TAG = 16
_TOGETHER = {X25519: b"\x11", XWING: b"\x12"}
_BY_OWNER = {X25519: b"\x21", XWING: b"\x22"}
_SUITE_OF = {form: suite for suite, form in (*_TOGETHER.items(), *_BY_OWNER.items())}
_SEALED_KEY = {X25519: 32 + _SEED + _TAG, XWING: 1120 + _SEED + _TAG}
"""Bytes of a sealed 32-byte key: the encapsulation, the key, the tag."""


def new_private_key(suite: bytes) -> bytes:
    """Return a fresh private key: the suite byte and 32 random bytes."""
    return suite + os.urandom(_SEED)


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


def seal_together(public: bytes, parts: Sequence[bytes], *context: Part) -> list[bytes]:
    """Encrypt several parts with one key encapsulation; they open together only, each in its own place among them.

    Raises `Denied` when `public` is no key.
    """
    key = os.urandom(_SEED)
    sealed_key = seal(public, key, *context)
    form, cipher, bound = _TOGETHER[public[:1]], AESGCM(key), bind(*context)
    blobs = [form + cipher.encrypt(_nonce(number), part, bound) for number, part in enumerate(parts)]
    return [form + sealed_key[1:] + blobs[0][1:], *blobs[1:]]


def lock_together(private: bytes, parts: Sequence[bytes], *context: Part) -> list[bytes]:
    """Do as `seal_together` does while the private key itself is at hand, at a hundredth of the work."""
    salt, form = os.urandom(_SEED), _BY_OWNER[private[:1]]
    bound = bind(*context)
    cipher = AESGCM(derive(private, "together", salt, bound))
    blobs = [form + cipher.encrypt(_nonce(number), part, bound) for number, part in enumerate(parts)]
    return [form + salt + blobs[0][1:], *blobs[1:]]


def unseal_together(private: bytes, blobs: Sequence[bytes], *context: Part) -> list[bytes]:
    """Open what `seal_together` or `lock_together` made: all parts, or as many as are given from the first on. Raises `Denied`."""
    form = blobs[0][:1]
    suite = _SUITE_OF.get(form)
    if suite is None or any(blob[:1] != form for blob in blobs):
        raise Denied
    bound, end = bind(*context), 1 + (_SEED if form in _BY_OWNER.values() else _SEALED_KEY[suite])
    head = blobs[0][1:end]
    by_owner = form in _BY_OWNER.values()
    cipher = AESGCM(_derive_for(private, suite, head, bound) if by_owner else _decrypt(private, suite, head, bound))
    parts = [blobs[0][end:], *(blob[1:] for blob in blobs[1:])]
    try:
        return [cipher.decrypt(_nonce(number), part, bound) for number, part in enumerate(parts)]
    except (InvalidTag, ValueError):
        raise Denied from None


def is_together(blob: bytes) -> bool:
    """Return whether a blob was made by `seal_together` or `lock_together`."""
    return blob[:1] in _SUITE_OF


def _decrypt(private: bytes, suite: bytes, ciphertext: bytes, info: bytes) -> bytes:
    if len(private) != 1 + _SEED or private[:1] != suite:
        raise Denied
    try:
        return SUITES[suite].decrypt(ciphertext, _parse_private(private), info=info)
    except (InvalidTag, ValueError):
        raise Denied from None


def _derive_for(private: bytes, suite: bytes, salt: bytes, bound: bytes) -> bytes:
    if len(private) != 1 + _SEED or private[:1] != suite:
        raise Denied
    return derive(private, "together", salt, bound)


def _nonce(number: int) -> bytes:
    """The key is fresh and random, so a part's number among those under it is enough."""
    return number.to_bytes(12, "big")


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
