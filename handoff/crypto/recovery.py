"""The recovery key: words on paper in a safe, that open the copies of the keys. The server keeps the public half alone.

From the words Argon2id makes the seed of an X-Wing key pair; salt and cost stand beside the public half and in every copy, so that
the words alone are enough on another machine. Eight words are 104 bits, at 128 MiB a guess.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from handoff.crypto.hpke import XWING, public_key, seal, unseal
from handoff.crypto.symmetric import derive
from handoff.crypto.vault import Cost
from handoff.errors import Denied


@dataclass(frozen=True, slots=True)
class RecoveryKey:
    """The public half: seals, and opens nothing."""

    public: bytes
    salt: bytes
    cost: Cost

    @classmethod
    def of(cls, words: str, cost: Cost) -> RecoveryKey:
        """Make the pair that belongs to these words and a fresh salt. Slow on purpose."""
        salt = os.urandom(16)
        return cls(public_key(_private(words, salt, cost)), salt, cost)

    @classmethod
    def parse(cls, text: str) -> RecoveryKey:
        """Read `str(key)` back. Raises `Denied` for anything else."""
        try:
            found = json.loads(text)
            return cls(bytes.fromhex(found["public"]), bytes.fromhex(found["salt"]), Cost.parse(found["cost"]))
        except (ValueError, KeyError, TypeError):
            raise Denied from None

    def __str__(self) -> str:
        """As it stands in a file."""
        return json.dumps({"public": self.public.hex(), "salt": self.salt.hex(), "cost": str(self.cost)})

    def seal(self, data: bytes, name: str) -> bytes:
        """Seal a file of this name for whoever has the words."""
        return seal(self.public, data, "key-copy", name)

    def private(self, words: str) -> bytes:
        """What opens the copies. Slow on purpose. Raises `Denied` for other words."""
        made = _private(words, self.salt, self.cost)
        if public_key(made) != self.public:
            raise Denied
        return made


def open_copy(private: bytes, blob: bytes, name: str) -> bytes:
    """Open what `RecoveryKey.seal` made. Raises `Denied`."""
    return unseal(private, blob, "key-copy", name)


def _private(words: str, salt: bytes, cost: Cost) -> bytes:
    slow = Argon2id(salt=salt, length=32, iterations=cost.iterations, lanes=cost.lanes, memory_cost=cost.memory_kib)
    return XWING + derive(slow.derive(words.encode()), "recovery")
