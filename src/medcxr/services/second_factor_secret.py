"""Secrets of second factors, kept so that the database alone does not tell them."""

import base64

from medcxr.core.language import text
from medcxr.security.boxed import BOX_KEY_BYTES, boxed, unboxed
from medcxr.services.secret_keys import secret_keys
from medcxr.services.workspace import Workspace
from medcxr.storage.database import Transaction

__all__ = ["SECOND_FACTORS", "boxed_anew", "kept_secret", "secret_of"]

SECOND_FACTORS = "second-factors"
"""Name of the key."""

_WITHOUT_KEY = text("every second factor has to be added anew")


def kept_secret(workspace: Workspace, transaction: Transaction, secret: str, user_id: int) -> str:
    """Return what is kept of a user's secret (Base32) in a transaction.

    Raises:
        StorageError: the key cannot be read or written.
    """
    return boxed(_key(workspace, transaction), base64.b32decode(secret), _owner(user_id))


def secret_of(workspace: Workspace, transaction: Transaction, kept: str, user_id: int) -> str:
    """Return the secret (Base32) of what a transaction has found kept.

    Raises:
        AccessError: it was changed, or the key is another one.
        StorageError: the key cannot be read.
    """
    return base64.b32encode(unboxed(_key(workspace, transaction), kept, _owner(user_id))).decode()


def boxed_anew(
    workspace: Workspace, transaction: Transaction, kept: str, user_id: int, key: bytes
) -> str:
    """Return what is to be kept of the same secret under another key; errors as `secret_of`."""
    owner = _owner(user_id)
    return boxed(key, unboxed(_key(workspace, transaction), kept, owner), owner)


def _owner(user_id: int) -> str:
    return f"second factor of user {user_id}"


def _key(workspace: Workspace, transaction: Transaction) -> bytes:
    return secret_keys(
        workspace, transaction, SECOND_FACTORS, BOX_KEY_BYTES, without_it=_WITHOUT_KEY
    )[-1]
