"""Random keys that stay in a workspace's folder of secrets, alone or in the order of their rotation.

| in `secrets/`   |                                                                              |
|-----------------|------------------------------------------------------------------------------|
| `NAME.key`      | the key; where it was rotated and earlier ones are still needed, all in a row |
| `NAME.next.key` | the same after a rotation that the database may or may not have kept           |

A rotation changes rows and a file. The rows' transaction also keeps the digest of the file that
belongs to them; whoever comes next puts that file in its place, or leaves one that nobody kept.
"""

import hashlib
import secrets
from datetime import UTC, datetime

from medcxr.core.errors import StorageError
from medcxr.core.language import Sentence
from medcxr.services.workspace import Workspace
from medcxr.storage.atomic import write_bytes_atomically
from medcxr.storage.database import Transaction
from medcxr.storage.locks import exclusive
from medcxr.storage.reading import read_bytes
from medcxr.storage.setting_table import keep_settings, kept_settings

__all__ = ["NEXT", "begin_rotation", "decide_rotation", "secret_key", "secret_keys", "settle"]

NEXT = ".next.key"
"""How the file of a rotation ends that is not in its place yet."""


def secret_key(workspace: Workspace, name: str, length: int, *, without_it: str) -> bytes:
    """Return a key of a workspace that is never rotated; make it where there is none.

    Args:
        workspace: whose key; another workspace's differs.
        name: of the key.
        length: in bytes.
        without_it: a clause for the reader of an error: what happens if the damaged key is deleted.

    Raises:
        StorageError: it cannot be read or written, or is damaged.
    """
    keys = secret_keys(workspace, None, name, length, without_it=without_it)
    if len(keys) > 1:
        raise _damaged(workspace, name, without_it)
    return keys[0]


def secret_keys(
    workspace: Workspace,
    transaction: Transaction | None,
    name: str,
    length: int,
    *,
    without_it: str,
) -> tuple[bytes, ...]:
    """Return the keys of a name, the one in use last; make the first where there is none.

    Args:
        workspace: whose keys; another workspace's differ.
        transaction: of the database whose rows they belong to; None leaves a rotation that was cut
            off as it is.
        name: of the keys.
        length: of each, in bytes.
        without_it: as for `secret_key`.

    Raises:
        StorageError: they cannot be read or written, or are damaged.
    """
    if transaction is not None:
        settle(workspace, transaction, name)
    path = workspace.secrets / f"{name}.key"
    with exclusive(path):
        content = read_bytes(path)
        if content is None:
            content = secrets.token_bytes(length)
            write_bytes_atomically(path, content)
    if not content or len(content) % length:
        raise _damaged(workspace, name, without_it)
    return tuple(content[i : i + length] for i in range(0, len(content), length))


def begin_rotation(workspace: Workspace, name: str, content: bytes) -> None:
    """Lay the keys ready that a transaction is about to decide for.

    Raises:
        StorageError: they cannot be written.
    """
    write_bytes_atomically(workspace.secrets / f"{name}{NEXT}", content)


def decide_rotation(transaction: Transaction, name: str, content: bytes) -> None:
    """Keep in a writing transaction which keys its rows belong to; nothing may follow in it."""
    keep_settings(transaction, {_setting(name): _digest(content)}, datetime.now(UTC))


def settle(workspace: Workspace, transaction: Transaction, name: str) -> None:
    """Put the keys of a rotation in their place if the database has kept it.

    Raises:
        StorageError: they cannot be read or moved.
    """
    ready = workspace.secrets / f"{name}{NEXT}"
    if not ready.exists():
        return
    path = workspace.secrets / f"{name}.key"
    with exclusive(path):
        content = read_bytes(ready)
        if content is None or kept_settings(transaction).get(_setting(name)) != _digest(content):
            return
        try:
            ready.replace(path)
        except OSError as error:
            raise StorageError(
                "{path} cannot be written: {reason}; mend the permissions.",
                path=path,
                reason=error.strerror,
            ) from error


def _setting(name: str) -> str:
    return f"{name} key"


def _digest(content: bytes) -> str:
    return hashlib.sha256(b"keys of a workspace" + content).hexdigest()


def _damaged(workspace: Workspace, name: str, without_it: str) -> StorageError:
    return StorageError(
        "{path} is damaged; put a backup in its place, or delete it: then {loss}.",
        path=workspace.secrets / f"{name}.key",
        loss=Sentence(without_it),
    )
