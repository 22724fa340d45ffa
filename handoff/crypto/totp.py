"""One-time codes of a phone (TOTP, RFC 6238): six digits, 30 seconds, SHA-1, which is what every authenticator app can do."""

from __future__ import annotations

import base64
import hmac
import os

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP
from cryptography.hazmat.primitives.twofactor.totp import TOTP

STEP_S = 30
DIGITS = 6
SECRET_BYTES = 20
_AROUND = (0, -1, 1)  # RFC 6238, 5.2: at most one step either way, for clocks that differ and for slow fingers


def new_totp_secret() -> bytes:
    """Return a fresh secret for a phone, 160 bits."""
    return os.urandom(SECRET_BYTES)


def totp_text(secret: bytes) -> str:
    """Return the secret as a person types it over: base32."""
    return base64.b32encode(secret).decode("ascii")


def totp_address(secret: bytes, login: str, issuer: str) -> str:
    """Return what the QR code says to an authenticator app."""
    return TOTP(secret, DIGITS, SHA1(), STEP_S).get_provisioning_uri(login, issuer)  # noqa: S303 - what the apps speak; HMAC-SHA1


def totp_code(secret: bytes, at: float) -> str:
    """Return the code of a moment (seconds since 1970): what a phone shows."""
    return _code(secret, int(at // STEP_S))


def totp_counter(secret: bytes, code: str, at: float) -> int | None:
    """Return the number of the step that this code belongs to, now or one step either way; None when it fits none of them.

    Whoever accepts it must remember the number and accept no number twice, or lower (RFC 6238, 5.2).
    """
    now = int(at // STEP_S)
    fits = [now + shift for shift in _AROUND if hmac.compare_digest(_code(secret, now + shift).encode(), code.encode())]
    return fits[0] if fits else None


def _code(secret: bytes, counter: int) -> str:
    return HOTP(secret, DIGITS, SHA1()).generate(counter).decode("ascii")  # noqa: S303 - see `totp_address`
