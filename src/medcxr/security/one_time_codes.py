"""Codes of a second factor: by time, and for whoever has lost what makes them.

Source: RFC 6238 (TOTP) with HMAC-SHA-1, six digits and steps of 30 seconds, which every app knows;
RFC 4226 for the digits.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from urllib.parse import quote, urlencode

from medcxr.core.errors import AccessError

__all__ = [
    "N_RECOVERY_CODES",
    "STEP_S",
    "code_at",
    "enrolment_address",
    "fitting_step",
    "in_groups",
    "new_recovery_codes",
    "new_secret",
    "recovery_key",
]

STEP_S = 30
_DIGITS = 6
_WINDOW = 1  # steps before and after: clocks differ, and typing takes time
_SECRET_BYTES = 20  # as long as SHA-1 is; RFC 4226, section 4, R6
N_RECOVERY_CODES = 10
_RECOVERY_BYTES = 15  # 120 bits: below 112, OWASP ASVS 5.0, 6.5.2 asks for a slow hash
_ISSUER = "medcxr"


def new_secret() -> str:
    """Return a random secret to share with an app, Base32."""
    return base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def code_at(secret: str, step: int) -> str:
    """Return the code of a step of time.

    Raises:
        AccessError: the secret is damaged.
    """
    try:
        key = base64.b32decode(secret)
    except binascii.Error:
        raise AccessError(
            "The second factor is damaged; take it away with `medcxr users remove-second-factor`."
        ) from None
    digest = hmac.new(key, step.to_bytes(8, "big"), hashlib.sha1).digest()
    place = digest[-1] & 15
    number = int.from_bytes(digest[place : place + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**_DIGITS:0{_DIGITS}}"


def fitting_step(secret: str, code: str, now_s: float, *, after: int | None = None) -> int | None:
    """Return the step of time whose code was given, None if none fits.

    Args:
        secret: shared with the app.
        code: as it was typed, with or without spaces.
        now_s: seconds since 1970.
        after: the last step whose code was used; it and earlier ones fit no more.
    """
    typed = "".join(code.split()).encode()
    now = int(now_s // STEP_S)
    steps = range(max(0, now - _WINDOW), now + _WINDOW + 1)
    # All are compared, so that the time tells nothing.
    fitting = [one for one in steps if hmac.compare_digest(code_at(secret, one).encode(), typed)]
    return next((one for one in fitting if after is None or one > after), None)


def enrolment_address(secret: str, name: str) -> str:
    """Return the address that an app reads from a QR code (the "Key Uri Format")."""
    known = {"secret": secret, "issuer": _ISSUER, "digits": _DIGITS, "period": STEP_S}
    return f"otpauth://totp/{_ISSUER}:{quote(name, safe='')}?{urlencode(known)}"


def in_groups(secret: str) -> str:
    """Return a secret in groups of four, to be typed."""
    return " ".join(secret[i : i + 4] for i in range(0, len(secret), 4))


def new_recovery_codes() -> tuple[str, ...]:
    """Return codes to be noted down, each good once in the place of a code by time."""
    return tuple(_recovery_code() for _ in range(N_RECOVERY_CODES))


def recovery_key(code: str) -> str:
    """Return what is kept of a recovery code, hexadecimal; spaces, dashes and case do not matter."""
    letters = "".join(c for c in code.upper() if c.isalnum())
    return hashlib.sha256(letters.encode()).hexdigest()


def _recovery_code() -> str:
    letters = base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode().lower()
    return "-".join(letters[i : i + 4] for i in range(0, len(letters), 4))
