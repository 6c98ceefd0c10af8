"""Random keys that stay in a workspace's folder of secrets."""

import secrets

from medcxr.core.errors import StorageError
from medcxr.core.language import Sentence
from medcxr.services.workspace import Workspace
from medcxr.storage.atomic import write_bytes_atomically
from medcxr.storage.locks import exclusive
from medcxr.storage.reading import read_bytes

__all__ = ["secret_key"]


def secret_key(workspace: Workspace, name: str, length: int, *, without_it: str) -> bytes:
    """Return a key of a workspace; make it where there is none.

    Args:
        workspace: whose key; another workspace's differs.
        name: of the key.
        length: in bytes.
        without_it: a clause for the reader of an error: what happens if the damaged key is deleted.

    Raises:
        StorageError: it cannot be read or written, or is damaged.
    """
    path = workspace.secrets / f"{name}.key"
    with exclusive(path):
        secret = read_bytes(path)
        if secret is None:
            secret = secrets.token_bytes(length)
            write_bytes_atomically(path, secret)
    if len(secret) != length:
        raise StorageError(
            "{path} is damaged; put a backup in its place, or delete it: then {loss}.",
            path=path,
            loss=Sentence(without_it),
        )
    return secret
