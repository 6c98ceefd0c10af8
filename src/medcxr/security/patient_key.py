"""A name for a patient from which nobody can tell who it is, but that is the same every time."""

import hashlib
import hmac
import json

__all__ = ["KEY_BYTES", "patient_key", "renewed_key"]

KEY_BYTES = 32  # as many as SHA-256 gives; RFC 2104, section 3, advises no fewer


def patient_key(secret: bytes, patient_id: str, issuer: str = "") -> str | None:
    """Return HMAC-SHA-256 of whose image it is, hexadecimal; None where that names nobody.

    Without the secret, guessing identifiers and comparing tells nothing.

    Args:
        secret: KEY_BYTES random bytes that stay on this computer.
        patient_id: (0010,0020) Patient ID, or what a reader typed.
        issuer: (0010,0021) Issuer of Patient ID; different places may give the same number.
    """
    if not _names_somebody(patient_id):
        return None
    message = json.dumps([patient_id.strip(), issuer.strip()]).encode()
    return hmac.new(secret, message, hashlib.sha256).hexdigest()


def renewed_key(secret: bytes, key: str) -> str:
    """Return the key under a further secret, hexadecimal.

    Nobody keeps the identifiers, so a later secret is put on top of the earlier ones: whoever has
    learned those cannot guess identifiers without it.
    """
    return hmac.new(secret, bytes.fromhex(key), hashlib.sha256).hexdigest()


def _names_somebody(patient_id: str) -> bool:
    """Say no to what programs write for nobody: strangers would become one patient."""
    letters = "".join(c for c in patient_id.casefold() if c.isalnum())
    return letters.strip("0x") != "" and letters not in _NOBODY


_NOBODY = frozenset(
    {
        "anon",
        "anonym",
        "anonymised",
        "anonymized",
        "anonymous",
        "deidentified",
        "empty",
        "na",
        "nan",
        "nil",
        "noid",
        "none",
        "null",
        "patient",
        "patientid",
        "removed",
        "unknown",
    }
)
