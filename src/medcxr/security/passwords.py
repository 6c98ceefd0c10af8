"""How passwords are judged, hashed and verified."""

import unicodedata

import argon2

from medcxr.core.errors import AccessError

__all__ = [
    "INITIAL_PASSWORD",
    "MINIMUM_LENGTH",
    "hash_password",
    "needs_rehash",
    "require_good_password",
    "verify_password",
]

INITIAL_PASSWORD = "medAI2024"  # noqa: S105 - public by design; must be changed before others can connect  # nosec B105
"""What opens a new workspace; good on this computer only, until it is changed."""

MINIMUM_LENGTH = 10
_MAXIMUM_LENGTH = 1024  # characters; hashing time must not grow at a stranger's will

# RFC 9106, section 4, second recommended option (argon2id, 64 MiB, 3 passes, 4 lanes).
_HASHER = argon2.PasswordHasher.from_parameters(argon2.profiles.RFC_9106_LOW_MEMORY)


def hash_password(password: str) -> str:
    """Hash a password by argon2id; the text holds salt and parameters."""
    return _HASHER.hash(_normalized(password))


def verify_password(stored_hash: str, password: str) -> None:
    """Return if the password belongs to the hash.

    Raises:
        AccessError: it does not, or the stored hash is damaged.
    """
    try:
        _HASHER.verify(stored_hash, _normalized(password))
    except argon2.exceptions.VerifyMismatchError:
        raise AccessError("The password is wrong; check it and try again.") from None
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError) as error:
        raise AccessError(
            "The stored password hash is damaged; restore secrets/credentials.json from a backup."
        ) from error


def needs_rehash(stored_hash: str) -> bool:
    """Tell whether the hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(stored_hash)


def require_good_password(password: str) -> None:
    """Return if the password may protect a workspace.

    Raises:
        AccessError: it is too short, too long, the initial one or one repeated character.
    """
    normalized = _normalized(password)
    if normalized == INITIAL_PASSWORD:
        raise AccessError("The initial password is public; choose another one.")
    if len(normalized) < MINIMUM_LENGTH:
        raise AccessError(
            "The password has {n} characters; use at least {minimum_length}.",
            n=len(normalized),
            minimum_length=MINIMUM_LENGTH,
        )
    if len(set(normalized)) == 1:
        raise AccessError("The password repeats one character; mix different ones.")


def _normalized(password: str) -> str:
    """Spell composed characters one way, so that every keyboard gives the same hash.

    Source: RFC 8265, section 4.2.2 (OpaqueString: NFC).
    """
    if len(password) > _MAXIMUM_LENGTH:
        raise AccessError(
            "The password is longer than {maximum_length} characters; shorten it.",
            maximum_length=_MAXIMUM_LENGTH,
        )
    return unicodedata.normalize("NFC", password)
