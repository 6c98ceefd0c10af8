"""Codes of a second factor: by time, and for whoever has lost what makes them.

At any moment exactly one code counts, and each for 30 seconds. When these begin is learned of each
device: its clock may differ, and typing takes time.

Source: RFC 6238 (TOTP) with HMAC-SHA-1, six digits and steps of 30 seconds, which every app knows;
section 6 for clocks that differ; RFC 4226 for the digits.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from medcxr.core.errors import AccessError

__all__ = [
    "MOST_LAG_S",
    "N_RECOVERY_CODES",
    "STEP_S",
    "FoundCode",
    "code_at",
    "enrolment_address",
    "find_code",
    "in_groups",
    "new_recovery_codes",
    "new_secret",
    "recovery_key",
]

STEP_S = 30
_DIGITS = 6
MOST_LAG_S = 300
"""By as much at most a device's codes may come late or early: clocks that differ more are set right."""

_SPARE_S = 5  # how far a code that came a little late or early is from the end of its time then
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


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundCode:
    """A code that belongs to the secret.

    Attributes:
        step: of time, whose code it is.
        counts: whether it counts now.
        lag_s: as it was, or, where the code does not count, with which the device's next one will.
    """

    step: int
    counts: bool
    lag_s: int


def find_code(
    secret: str, code: str, now_s: float, *, lag_s: int = 0, after: int | None = None
) -> FoundCode | None:
    """Return which code was given, None where it is none of the minutes around now.

    The code of a step counts from `lag_s` seconds after the step's beginning on, for STEP_S.

    Args:
        secret: shared with the app.
        code: as it was typed, with or without spaces.
        now_s: seconds since 1970.
        lag_s: by which the device's codes come late here, negative if early; within MOST_LAG_S.
        after: the last step whose code was used or refused; it and earlier ones are no more found.
    """
    typed = "".join(code.split()).encode()
    now = int(now_s)
    first = max(0, (now - MOST_LAG_S) // STEP_S - 1)
    steps = range(first, (now + MOST_LAG_S) // STEP_S + 2)
    # All are compared, so that the time tells nothing.
    fitting = [one for one in steps if hmac.compare_digest(code_at(secret, one).encode(), typed)]
    found = [_found(one, now, lag_s) for one in fitting if after is None or one > after]
    known = [one for one in found if abs(one.lag_s) <= MOST_LAG_S]
    return next((one for one in known if one.counts), next(iter(known), None))


def _found(step: int, now: int, lag_s: int) -> FoundCode:
    came_s = now - step * STEP_S
    late, early = came_s - (lag_s + STEP_S) + 1, lag_s - came_s
    if late <= 0 and early <= 0:
        return FoundCode(step=step, counts=True, lag_s=lag_s)
    if max(late, early) > STEP_S // 2:  # another clock: nothing tells when the code was shown
        learned = came_s - STEP_S // 2
    else:  # slow or quick fingers: no further than needed
        learned = came_s - STEP_S + _SPARE_S if late > 0 else came_s - _SPARE_S
    return FoundCode(step=step, counts=False, lag_s=learned)


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
