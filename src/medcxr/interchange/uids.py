"""Identifiers of results: the same for the same, so that a result sent twice is one instance."""

import hashlib
import uuid

__all__ = ["uid_of", "uuid_of"]


def uuid_of(*parts: str) -> uuid.UUID:
    """Return a UUID made from texts; other texts, or the same ones parted otherwise, give others."""
    told = b"".join(
        f"{len(part.encode())}:".encode() + part.encode() for part in ("medcxr", *parts)
    )
    return uuid.UUID(bytes=hashlib.sha256(told).digest()[:16], version=5)


def uid_of(*parts: str) -> str:
    """Return a DICOM UID made from texts.

    Source: DICOM PS3.5 section B.2 (a UUID as a decimal number under 2.25).
    """
    return f"2.25.{uuid_of(*parts).int}"
