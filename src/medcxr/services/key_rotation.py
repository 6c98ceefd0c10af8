"""Another key in the place of one that somebody may have learned, without losing what it is for.

Rows change in one transaction, the file of keys after it (`secret_keys`). Whatever ends the program
in between, rows and keys fit when the workspace is used again.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum

from medcxr.core.access import Permission
from medcxr.core.audit import AuditAction
from medcxr.core.errors import MedcxrError, StorageError
from medcxr.security.audit_chain import KEY_BYTES as SEAL_BYTES
from medcxr.security.audit_chain import START, head_seal, is_same_seal
from medcxr.security.boxed import BOX_KEY_BYTES
from medcxr.security.patient_key import KEY_BYTES, renewed_key
from medcxr.services.audit import AUDIT, note, trail_keys
from medcxr.services.database import has_database, workspace_database
from medcxr.services.patients import PATIENTS, patient_secrets
from medcxr.services.second_factor_secret import SECOND_FACTORS, boxed_anew
from medcxr.services.secret_keys import NEXT, begin_rotation, decide_rotation, settle
from medcxr.services.trail_walk import ROTATED_KEY
from medcxr.services.workspace import Workspace
from medcxr.storage import audit_table
from medcxr.storage.case_table import renew_patient_keys
from medcxr.storage.database import Transaction
from medcxr.storage.locks import exclusive
from medcxr.storage.user_table import change_user, list_users

__all__ = ["RotatedKey", "Rotation", "keys_at_rest", "rotate_key"]


class RotatedKey(StrEnum):
    """A key that can be rotated."""

    AUDIT = AUDIT
    PATIENTS = PATIENTS
    SECOND_FACTORS = SECOND_FACTORS


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """What a rotation has done.

    Attributes:
        key: which one.
        n_renewed: as many rows of the database are under the new key now; of the audit trail none,
            as what it told stays under the key of its time.
    """

    key: RotatedKey
    n_renewed: int


def rotate_key(workspace: Workspace, key: RotatedKey) -> Rotation:
    """Make another key, and use it from now on.

    Of the audit trail earlier keys are kept to verify what they sealed; of patients as well, as the
    new secret goes on top of them; of second factors none.

    Args:
        workspace: whose key; everybody may go on working.
        key: which one.

    Raises:
        AccessError: whoever asks may not, or a second factor cannot be read.
        StorageError: keys or database cannot be used, or the trail's head is not what was sealed;
            then everything is as it was.
    """
    workspace.require(Permission.CHANGE_SETTINGS)
    with keys_at_rest(workspace):
        try:
            with workspace_database(workspace).writing() as transaction:
                n_renewed = _ROTATIONS[key](workspace, transaction)
        except BaseException:
            _forget_undecided(workspace, key.value)
            raise
        _settle_all(workspace)
    return Rotation(key=key, n_renewed=n_renewed)


@contextmanager
def keys_at_rest(workspace: Workspace) -> Iterator[None]:
    """Hold off rotations, after one that was cut off is finished: files and rows fit meanwhile.

    Raises:
        StorageError: keys or database cannot be used.
    """
    with exclusive(workspace.folder / "keys"):
        _settle_all(workspace)
        yield


def _settle_all(workspace: Workspace) -> None:
    left = list(workspace.secrets.glob(f"*{NEXT}"))
    if not left or not has_database(workspace):
        return
    with workspace_database(workspace).reading() as transaction:
        for path in left:
            settle(workspace, transaction, path.name.removesuffix(NEXT))


def _forget_undecided(workspace: Workspace, name: str) -> None:
    """Remove what was laid ready in vain; not where the database may have kept it after all."""
    with suppress(MedcxrError):
        _settle_all(workspace)
        (workspace.secrets / f"{name}{NEXT}").unlink(missing_ok=True)


def _rotate_audit(workspace: Workspace, transaction: Transaction) -> int:
    """Tell the trail of the new key under the old one, and seal its head under the new one."""
    keys = trail_keys(workspace, transaction)
    head = audit_table.head(transaction)
    if head is not None and not is_same_seal(
        head_seal(keys[-1], head.number, head.seal), head.head_seal
    ):
        raise StorageError(
            "The head of the audit trail is not what was sealed, and another key would hide that; "
            "look into it with `medcxr audit verify`."
        )
    subject, number = ROTATED_KEY, len(keys) + 1
    note(workspace, transaction, AuditAction.KEY_ROTATED, subject, number=number)
    new = secrets.token_bytes(SEAL_BYTES)
    last = audit_table.head(transaction)
    count, seal = (0, START) if last is None else (last.number, last.seal)
    audit_table.seal_head(transaction, head_seal(new, count, seal))
    _decide(workspace, transaction, AUDIT, b"".join((*keys, new)))
    return 0


def _rotate_patients(workspace: Workspace, transaction: Transaction) -> int:
    known = patient_secrets(workspace, transaction)
    new = secrets.token_bytes(KEY_BYTES)
    n = renew_patient_keys(transaction, lambda key: renewed_key(new, key))
    _tell(workspace, transaction, RotatedKey.PATIENTS, n)
    _decide(workspace, transaction, PATIENTS, b"".join((*known, new)))
    return n


def _rotate_second_factors(workspace: Workspace, transaction: Transaction) -> int:
    new, n = secrets.token_bytes(BOX_KEY_BYTES), 0
    for user in list_users(transaction, to_change=True):
        if user.second_factor is None:
            continue
        box = boxed_anew(workspace, transaction, user.second_factor, user.id, new)
        change_user(transaction, user.id, second_factor=box)
        n += 1
    _tell(workspace, transaction, RotatedKey.SECOND_FACTORS, n)
    _decide(workspace, transaction, SECOND_FACTORS, new)
    return n


_ROTATIONS: Mapping[RotatedKey, Callable[[Workspace, Transaction], int]] = {
    RotatedKey.AUDIT: _rotate_audit,
    RotatedKey.PATIENTS: _rotate_patients,
    RotatedKey.SECOND_FACTORS: _rotate_second_factors,
}


def _tell(workspace: Workspace, transaction: Transaction, key: RotatedKey, n: int) -> None:
    note(workspace, transaction, AuditAction.KEY_ROTATED, f"key {key.value}", n_renewed=n)


def _decide(workspace: Workspace, transaction: Transaction, name: str, content: bytes) -> None:
    begin_rotation(workspace, name, content)
    decide_rotation(transaction, name, content)
