"""Everything secret: sealing, locking, macs, key files. Import from here: `from handoff import crypto`."""

from handoff.crypto.epochs import GRACE_S
from handoff.crypto.hpke import (
    X25519,
    XWING,
    is_together,
    lock_together,
    new_private_key,
    public_key,
    seal,
    seal_together,
    unseal,
    unseal_together,
)  # fmt: skip
from handoff.crypto.key_directory import KeyDirectory, Unfit
from handoff.crypto.self_test import check
from handoff.crypto.symmetric import Part, bind, demand_same, derive, lock, mac, pad, unlock, unpad
from handoff.crypto.tombstones import Tombstone, Tombstones
from handoff.crypto.vault import SECRET_BYTES, TOKEN_BYTES, ChildKey, Cost, Vault

__all__ = [
    "GRACE_S", "SECRET_BYTES", "TOKEN_BYTES", "X25519", "XWING", "ChildKey", "Cost", "KeyDirectory", "Part", "Tombstone",
    "Tombstones", "Unfit", "Vault",
    "bind", "check", "demand_same", "derive", "is_together", "lock", "lock_together", "mac", "new_private_key", "pad", "public_key",
    "seal", "seal_together", "unlock", "unpad", "unseal", "unseal_together",
]  # fmt: skip
