"""What an audit trail tells: who did what to which thing, and when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from medcxr.core.access import Door, Role

__all__ = ["AuditAction", "AuditEvent"]


class AuditAction(StrEnum):
    """What was done. A value is kept for ever; a new action gets a new one."""

    SIGNED_IN = "signed in"
    SIGN_IN_REFUSED = "sign-in refused"
    SIGNED_OUT = "signed out"
    PERMISSION_REFUSED = "permission refused"
    PASSWORD_CHANGED = "password changed"  # noqa: S105 - the name of an action  # nosec B105
    PASSWORD_RESET = "password reset"  # noqa: S105  # nosec B105
    SECOND_FACTOR_CHANGED = "second factor changed"
    USER_ADDED = "user added"
    USER_CHANGED = "user changed"
    SESSIONS_ENDED = "sessions ended"
    TOKEN_MADE = "token made"  # noqa: S105  # nosec B105
    TOKEN_REVOKED = "token revoked"  # noqa: S105  # nosec B105
    CASE_ANALYZED = "case analyzed"
    CASE_VIEWED = "case viewed"
    CASES_LISTED = "cases listed"
    CASE_JUDGED = "case judged"
    CASE_ASSIGNED = "case assigned to a patient"
    CASE_EXPORTED = "case exported"
    CASES_EXPORTED = "cases exported"
    CASE_DELETED = "case deleted"
    CASES_FORGOTTEN = "cases forgotten"
    IMAGE_REFUSED = "image refused"
    TABLE_PREDICTED = "table predicted"
    IMAGES_DEIDENTIFIED = "images de-identified"
    IMAGES_RECEIVED = "images received"
    RESULTS_SENT = "results sent"
    RESULTS_RETRIED = "results tried again"
    RESULTS_DISCARDED = "results discarded"
    READINGS_RETRIED = "readings tried again"
    MODEL_ADDED = "model added"
    MODEL_CHOSEN = "model chosen"
    MODEL_ROLLED_BACK = "model rolled back"
    MODEL_MEASURED = "model measured"
    TRAINING_STARTED = "training started"
    TRAINING_STOPPED = "training stopped"
    SETTINGS_CHANGED = "settings changed"
    FILES_REMOVED = "files removed"
    KEY_ROTATED = "key rotated"
    AUDIT_EXPORTED = "audit exported"
    AUDIT_VERIFIED = "audit verified"
    BACKUP_MADE = "backup made"
    BACKUP_TAKEN = "backup handed out"
    BACKUP_DELETED = "backup deleted"
    BACKUP_RESTORED = "backup restored"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One entry of the trail.

    Attributes:
        number: 1 for the first; the next one has the next number.
        at: when (UTC, microseconds).
        actor: the user's name.
        role: as which.
        door: by which way.
        action: what was done. A string where a newer program has written one that this one does
            not know.
        subject: to what, e.g. "case 12" or "model hybrid-1.0"; never the name of a patient or file.
        details: name -> value, the same rule.
        seal: HMAC-SHA-256 of all of this and the seal before it, hexadecimal.
    """

    number: int
    at: datetime
    actor: str
    role: Role
    door: Door
    action: AuditAction | str
    subject: str
    details: Mapping[str, str | int | float | bool | None]
    seal: str
