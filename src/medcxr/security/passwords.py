"""How passwords are judged, made, hashed and verified."""

import secrets
import string
import unicodedata
from functools import cache, lru_cache
from importlib.resources import files

import argon2

from medcxr.core.errors import AccessError

__all__ = [
    "INITIAL_PASSWORD",
    "MINIMUM_LENGTH",
    "NOBODYS_HASH",
    "hash_password",
    "is_initial_hash",
    "needs_rehash",
    "new_password",
    "require_good_password",
    "verify_password",
]

INITIAL_PASSWORD = "medAI2024"  # noqa: S105 - public by design; must be changed at the first sign-in  # nosec B105
"""What opens a new workspace; good on this computer only, until it is changed."""

MINIMUM_LENGTH = 12
"""In characters. OWASP ASVS 5.0, 6.2.1 asks for 8 and advises 15; older passwords stay."""

_MAXIMUM_LENGTH = 1024  # characters; hashing time must not grow at a stranger's will

# RFC 9106, section 4, second recommended option (argon2id, 64 MiB, 3 passes, 4 lanes).
_HASHER = argon2.PasswordHasher.from_parameters(argon2.profiles.RFC_9106_LOW_MEMORY)

NOBODYS_HASH = "$argon2id$v=19$m=65536,t=3,p=4$XSFfTx3K+ALhIW3GuJslpw$6dk3smWRc/OimIJb0ADO3cpChg73OFoCoeVKJDdc2eg"
"""Of a random text that was thrown away: to verify takes as long as with somebody's hash."""

# Words that this program suggests, and what names of users must be as long as to count.
_OWN_WORDS = ("medcxr", "medai")
_LEAST_WORD = 4  # characters
# What a person writes in the place of a letter, which a guessing program tries first.
_IN_PLACE = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "@": "a", "$": "s"})
# Without what looks alike; 20 of them are 98 bits.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS, _OF_GROUP = 4, 5


def hash_password(password: str) -> str:
    """Hash a password by argon2id; the text holds salt and parameters."""
    return _HASHER.hash(_bytes(password))


def verify_password(stored_hash: str, password: str) -> None:
    """Return if the password belongs to the hash.

    Raises:
        AccessError: it does not, or the stored hash is damaged.
    """
    try:
        _HASHER.verify(stored_hash, _bytes(password))
    except argon2.exceptions.VerifyMismatchError:
        raise AccessError("The password is wrong; check it and try again.") from None
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError) as error:
        raise AccessError(
            "The stored password hash is damaged; set another password with "
            "`medcxr users reset-password`."
        ) from error


@lru_cache(maxsize=64)
def is_initial_hash(stored_hash: str) -> bool:
    """Tell whether a hash is one of the public initial password."""
    try:
        verify_password(stored_hash, INITIAL_PASSWORD)
    except AccessError:
        return False
    return True


def needs_rehash(stored_hash: str) -> bool:
    """Tell whether the hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(stored_hash)


def new_password() -> str:
    """Return a random password to be said or typed once and then changed."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(_OF_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


def require_good_password(password: str, *, name: str = "") -> None:
    """Return if a password may protect an account.

    No mixture of letters, digits and signs is asked for: length and being hard to guess count
    (OWASP ASVS 5.0, 6.2).

    Args:
        password: to be judged.
        name: of the user, which the password must not hold; empty judges the password alone.

    Raises:
        AccessError: it is too short or too long, public, common, or made of words that a stranger
            tries first.
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
    folded = normalized.casefold()
    if len(set(folded)) < 4:
        raise AccessError("The password repeats a few characters; mix different ones.")
    words = (*_OWN_WORDS, *([name.casefold()] if len(name) >= _LEAST_WORD else []))
    if any(word in folded for word in words):
        raise AccessError(
            "The password holds your name or the program's; choose words that nobody expects."
        )
    if _is_common(folded):
        raise AccessError(
            "The password is a common one, or one with something added; choose another one."
        )


def _is_common(folded: str) -> bool:
    """Tell whether a password is on the list, also repeated, or with digits and signs around it."""
    ends = string.digits + string.punctuation + string.whitespace
    inner = folded.strip(ends)
    seen = {folded, inner, folded.translate(_IN_PLACE), inner.translate(_IN_PLACE)}
    return any(_unit(one) in _common() for one in seen if one)


def _unit(word: str) -> str:
    """Return what a word repeats, itself where it repeats nothing."""
    place = (word + word).find(word, 1)
    return word[:place]


@cache
def _common() -> frozenset[str]:
    text = files("medcxr.security").joinpath("common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(text.split())


def _bytes(password: str) -> bytes:
    # A terminal may hand on bytes that are no text: they are a password as others are.
    return _normalized(password).encode("utf-8", "surrogatepass")


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
