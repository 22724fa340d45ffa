"""Several parts under one encapsulation: what is sealed is a random key, and under that key stand the parts.

The first blob holds the sealed key and part 0, the others a part each. A part has its number among them as nonce, and is bound to
its own place; a blob says with its first byte how its key came there:
    11  12       the suites of `hpke`: the random key is sealed to a public key
    21  22       the same by who holds the private key at this moment: in the place of the sealed key stands a random salt, which
                 with the private key gives the parts' key. No encapsulation at all: for the first words under a new key
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from handoff.crypto.hpke import X25519, XWING, seal, unseal
from handoff.crypto.symmetric import Part, bind, derive
from handoff.errors import Denied

_KEY = 32
_TAG = 16
_FORM = {X25519: b"\x11", XWING: b"\x12"}
_BY_OWNER = {X25519: b"\x21", XWING: b"\x22"}
_SUITE_OF = {form: suite for suite, form in (*_FORM.items(), *_BY_OWNER.items())}
_HEAD = {
    **{_FORM[suite]: 1 + encapsulation + _KEY + _TAG for suite, encapsulation in ((X25519, 32), (XWING, 1120))},
    **dict.fromkeys(_BY_OWNER.values(), 1 + _KEY),
}
"""Bytes before part 0 in the first blob: the form, and the sealed key or the salt."""


class Together:
    """The key of several parts, while it is at hand: it stands nowhere in clear and is not kept."""

    __slots__ = ("_cipher", "_head")

    def __init__(self, head: bytes, key: bytes) -> None:
        self._head, self._cipher = head, AESGCM(key)

    def seal(self, number: int, part: bytes, *context: Part) -> bytes:
        """Encrypt part `number`, each number once. Part 0 brings the sealed key along."""
        return self._before(number) + self._cipher.encrypt(_nonce(number), part, bind(*context))

    def open(self, number: int, blob: bytes, *context: Part) -> bytes:
        """Open what `seal` made of this part. Raises `Denied` for another number, context or key, and for a changed byte."""
        before = self._before(number)
        if not isinstance(blob, bytes) or not blob.startswith(before):
            raise Denied
        try:
            return self._cipher.decrypt(_nonce(number), blob[len(before) :], bind(*context))
        except (InvalidTag, ValueError, OverflowError):
            raise Denied from None

    def _before(self, number: int) -> bytes:
        return self._head if number == 0 else self._head[:1]


def together_for(public: bytes, *context: Part) -> Together:
    """Begin parts that only the private key's holder can open: one encapsulation. Raises `Denied` when `public` is no key."""
    key = os.urandom(_KEY)
    return Together(_FORM[public[:1]] + seal(public, key, *context)[1:], key)


def together_by(private: bytes, *context: Part) -> Together:
    """Do as `together_for` does while the private key itself is at hand, at a hundredth of the work."""
    salt = os.urandom(_KEY)
    return Together(_BY_OWNER[private[:1]] + salt, derive(private, "together", salt, bind(*context)))


def opened_together(private: bytes, first: bytes, *context: Part) -> Together:
    """Return the key of the parts whose first blob this is. Raises `Denied` for a wrong key, context or form."""
    form = first[:1]
    if form not in _SUITE_OF:
        raise Denied
    suite, head = _SUITE_OF[form], first[: _HEAD[form]]
    if form not in _BY_OWNER.values():
        return Together(head, unseal(private, suite + head[1:], *context))
    if len(private) != 1 + _KEY or private[:1] != suite:
        raise Denied
    return Together(head, derive(private, "together", head[1:], bind(*context)))


def seal_together(public: bytes, parts: Sequence[bytes], *context: Part) -> list[bytes]:
    """Encrypt several parts that stand in one place with one key encapsulation. Raises `Denied` when `public` is no key."""
    return _all(together_for(public, *context), parts, context)


def lock_together(private: bytes, parts: Sequence[bytes], *context: Part) -> list[bytes]:
    """Do as `seal_together` does while the private key itself is at hand."""
    return _all(together_by(private, *context), parts, context)


def _all(key: Together, parts: Sequence[bytes], context: Sequence[Part]) -> list[bytes]:
    return [key.seal(number, part, *context) for number, part in enumerate(parts)]


def unseal_together(private: bytes, blobs: Sequence[bytes], *context: Part) -> list[bytes]:
    """Open what `seal_together` or `lock_together` made: all parts, or as many as are given from the first on. Raises `Denied`."""
    key = opened_together(private, blobs[0], *context)
    return [key.open(number, blob, *context) for number, blob in enumerate(blobs)]


def is_together(blob: bytes) -> bool:
    """Return whether a blob stands under a key that several parts share."""
    return blob[:1] in _SUITE_OF


def _nonce(number: int) -> bytes:
    """The key is fresh and random, so a part's number among those under it is enough."""
    return number.to_bytes(12, "big")
