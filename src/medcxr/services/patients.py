"""Whose radiographs belong together, without keeping who that is."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from medcxr.core.language import text
from medcxr.security.patient_key import KEY_BYTES, patient_key, renewed_key
from medcxr.services.secret_keys import secret_keys
from medcxr.services.workspace import Workspace
from medcxr.storage.database import Transaction

__all__ = ["PATIENTS", "PatientKey", "current_key", "key_of_patient", "patient_secrets"]

PATIENTS = "patients"
"""Name of the secrets."""

_WITHOUT_KEY = text(
    "radiographs that are remembered already no longer find those of the same patient"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientKey:
    """What stands for a patient.

    Attributes:
        words: hexadecimal.
        n_secrets: how many it was made with, the first ones of the workspace.
    """

    words: str = field(repr=False)
    n_secrets: int


def key_of_patient(workspace: Workspace, patient_id: str, issuer: str = "") -> PatientKey | None:
    """Return what stands for a patient; None where the identifier names nobody.

    Args:
        workspace: whose secrets make the key; another workspace's keys differ.
        patient_id: as the file says, or as a reader typed it.
        issuer: who gave it.

    Raises:
        StorageError: a secret cannot be read or written.
    """
    known = patient_secrets(workspace, None)
    first = patient_key(known[0], patient_id, issuer)
    if first is None:
        return None
    return PatientKey(words=_renewed(first, known[1:]), n_secrets=len(known))


def current_key(
    workspace: Workspace, transaction: Transaction, key: PatientKey | None
) -> str | None:
    """Return what a transaction keeps of a key, also where secrets were rotated since it was made.

    Raises:
        StorageError: a secret cannot be read.
    """
    if key is None:
        return None
    return _renewed(key.words, patient_secrets(workspace, transaction)[key.n_secrets :])


def patient_secrets(workspace: Workspace, transaction: Transaction | None) -> tuple[bytes, ...]:
    """Return the secrets that make keys of patients, one on top of the other; as `secret_keys`."""
    return secret_keys(workspace, transaction, PATIENTS, KEY_BYTES, without_it=_WITHOUT_KEY)


def _renewed(key: str, further: Sequence[bytes]) -> str:
    for secret in further:
        key = renewed_key(secret, key)
    return key
