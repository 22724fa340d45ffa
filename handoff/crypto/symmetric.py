"""Keys that both sides hold: context, derivation, macs, locks, padding.

Every lock and mac is bound to its place by length-prefixed, typed context. `Denied` is the one answer to every misfit.
"""

from __future__ import annotations

import hmac
import os
import struct
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from handoff.errors import Denied

Part = bytes | str | int

_LABEL = b"praat-erover/1"
_BLOCK = 256  # bytes: "ja" and "nee", and most sentences, are the same size at rest
_NONCE = 12
_length = struct.Struct(">I").pack


def bind(*parts: Part) -> bytes:
    """Return unambiguous bytes for a list of parts: each has its type and length in front, so no two lists give the same.

    Raises `Denied` for a part of another type: a row that somebody changed.
    """
    out = [_LABEL]
    for part in parts:
        if type(part) is bytes:
            out += (b"b", _length(len(part)), part)
        elif type(part) is str or type(part) is int:
            out.append(_named(part))
        else:
            raise Denied
    return b"".join(out)


@lru_cache(maxsize=4096, typed=True)
def _named(part: str | int) -> bytes:
    """One name or number of a context: the same few stand in every one of a turn. Never what somebody wrote."""
    raw = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else str(part).encode()
    return (b"s" if isinstance(part, str) else b"i") + _length(len(raw)) + raw


def derive(key: bytes, *purpose: Part) -> bytes:
    """Return a 32-byte key for one purpose (HKDF-SHA256)."""
    return HKDF(hashes.SHA256(), 32, None, bind(*purpose)).derive(key)


def mac(key: bytes, *parts: Part) -> bytes:
    """Return HMAC-SHA256 over the bound parts."""
    return hmac.digest(key, bind(*parts), "sha256")


def demand_same(found: object, expected: bytes) -> None:
    """Compare in constant time. Raises `Denied`, also when a row holds no bytes at all: SQLite keeps any type in any column."""
    if not isinstance(found, bytes) or not hmac.compare_digest(found, expected):
        raise Denied


def lock(key: bytes, data: bytes, *context: Part) -> bytes:
    """Encrypt under a 32-byte key (AES-256-GCM, random nonce in front)."""
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, data, bind(*context))


def unlock(key: bytes, blob: bytes, *context: Part) -> bytes:
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
