"""Everything secret: sealing, locking, macs, key files. Import from here: `from handoff import crypto`."""

from handoff.crypto.epochs import GRACE_S
from handoff.crypto.hpke import X25519, XWING, ExpandedKey, new_private_key, public_key, seal, unseal
from handoff.crypto.key_directory import KeyDirectory, Unfit
from handoff.crypto.recovery import RecoveryKey, open_copy
from handoff.crypto.self_test import check
from handoff.crypto.symmetric import Part, bind, demand_same, derive, lock, mac, pad, unlock, unpad
from handoff.crypto.together import (
    Together,
    is_together,
    lock_together,
    opened_together,
    seal_together,
    together_by,
    together_for,
    unseal_together,
)
from handoff.crypto.tombstones import Tombstone, Tombstones
from handoff.crypto.totp import new_totp_secret, totp_address, totp_code, totp_counter, totp_text
from handoff.crypto.vault import SECRET_BYTES, TOKEN_BYTES, ChildKey, Cost, Vault

__all__ = [
    "GRACE_S", "SECRET_BYTES", "TOKEN_BYTES", "X25519", "XWING", "ChildKey", "Cost", "ExpandedKey", "KeyDirectory",
    "Part", "RecoveryKey", "Together", "Tombstone", "Tombstones", "Unfit", "Vault", "bind", "check", "demand_same",
    "derive", "is_together", "lock", "lock_together", "mac", "new_private_key", "new_totp_secret", "open_copy",
    "opened_together", "pad", "public_key", "seal", "seal_together", "together_by", "together_for", "totp_address",
    "totp_code", "totp_counter", "totp_text", "unlock", "unpad", "unseal", "unseal_together",
]  # fmt: skip
