"""New UIDs in the place of old ones: the same for the same, and nobody else can tell which."""

import hashlib
import hmac
import uuid

__all__ = ["KEY_BYTES", "new_uid"]

KEY_BYTES = 32


def new_uid(key: bytes, old: str) -> str:
    """Return a UID made from the old one and a secret key.

    Files that referred to each other still do. Without the key the old one cannot be guessed.

    Source: DICOM PS3.5 section B.2 (a UUID as a decimal number under 2.25).
    """
    message = old.strip(" \0").encode()
    digest = hmac.new(key, message, hashlib.sha256).digest()
    return f"2.25.{uuid.UUID(bytes=digest[:16], version=5).int}"
