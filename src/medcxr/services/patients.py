"""Whose radiographs belong together, without keeping who that is."""

from medcxr.core.language import text
from medcxr.security.patient_key import KEY_BYTES, patient_key
from medcxr.services.secret_keys import secret_key
from medcxr.services.workspace import Workspace

__all__ = ["key_of_patient"]

_WITHOUT_KEY = text(
    "radiographs that are remembered already no longer find those of the same patient"
)


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
    return secret_key(workspace, "patients", KEY_BYTES, without_it=_WITHOUT_KEY)
