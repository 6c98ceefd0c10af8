"""Whose radiographs belong together, without keeping who that is."""

import secrets

from medcxr.core.errors import StorageError
from medcxr.security.patient_key import KEY_BYTES, patient_key
from medcxr.services.workspace import Workspace
from medcxr.storage.atomic import write_bytes_atomically
from medcxr.storage.locks import exclusive
from medcxr.storage.reading import read_bytes

__all__ = ["key_of_patient"]


def key_of_patient(workspace: Workspace, patient_id: str, issuer: str = "") -> str | None:
    """Return what is kept in a patient's place; None where the identifier names nobody.

    Args:
        workspace: whose secret makes the key; another workspace's keys differ.
        patient_id: as the file says, or as a reader typed it.
        issuer: who gave it.

    Raises:
        StorageError: the secret cannot be read or written.
    """
    return patient_key(_secret(workspace), patient_id, issuer)


def _secret(workspace: Workspace) -> bytes:
    """Return the workspace's secret; make it where there is none."""
    path = workspace.secrets / "patients.key"
    with exclusive(path):
        secret = read_bytes(path)
        if secret is None:
            secret = secrets.token_bytes(KEY_BYTES)
            write_bytes_atomically(path, secret)
    if len(secret) != KEY_BYTES:
        raise StorageError(
            "{path} is damaged; put a backup in its place, or delete it: then radiographs that are "
            "remembered already no longer find those of the same patient.",
            path=path,
        )
    return secret
