"""Known answers at every start: what was sealed by an earlier version must open, and a changed byte must not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from handoff.crypto.hpke import public_key, seal, unseal
from handoff.crypto.key_directory import Unfit
from handoff.crypto.known_answers import KNOWN, SEED, KnownAnswers
from handoff.crypto.symmetric import unlock
from handoff.crypto.together import lock_together, seal_together, unseal_together
from handoff.errors import Denied


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
        yield f"{name} opening together", unseal_together(private, known.together[suite], "known answer", 2) == [known.words, b""]
        yield (
            f"{name} opening locked",
            unseal_together(private, known.by_owner[suite], "known answer", 3) == [known.words, b""],
        )
        yield f"{name} locking together", unseal_together(private, lock_together(private, [b"a", b"b"])) == [b"a", b"b"]
        yield f"{name} sealing together", unseal_together(private, seal_together(public_key(private), [b"a", b"b"])) == [b"a", b"b"]
        yield f"{name} tampering", _refuses(private, sealed[:-1] + bytes([sealed[-1] ^ 1]))


def _refuses(private: bytes, blob: bytes) -> bool:
    try:
        unseal(private, blob, "known answer", 1)
    except Denied:
        return True
    return False
