"""Secrets of second factors, kept so that the database alone does not tell them."""

import base64

from medcxr.core.language import text
from medcxr.security.boxed import BOX_KEY_BYTES, boxed, unboxed
from medcxr.services.secret_keys import secret_key
from medcxr.services.workspace import Workspace

__all__ = ["kept_secret", "secret_of"]

_WITHOUT_KEY = text("every second factor has to be added anew")


def kept_secret(workspace: Workspace, secret: str, user_id: int) -> str:
    """Return what is kept of a user's secret (Base32).

    Raises:
        StorageError: the key cannot be read or written.
    """
    return boxed(_key(workspace), base64.b32decode(secret), _owner(user_id))


def secret_of(workspace: Workspace, kept: str, user_id: int) -> str:
    """Return the secret (Base32) of what was kept.

    Raises:
        AccessError: it was changed, or the key is another one.
        StorageError: the key cannot be read.
    """
    return base64.b32encode(unboxed(_key(workspace), kept, _owner(user_id))).decode()


def _owner(user_id: int) -> str:
    return f"second factor of user {user_id}"


def _key(workspace: Workspace) -> bytes:
    return secret_key(workspace, "second-factors", BOX_KEY_BYTES, without_it=_WITHOUT_KEY)
