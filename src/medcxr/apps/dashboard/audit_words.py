"""What the audit trail tells, in the reader's language."""

import re
from collections.abc import Mapping

from medcxr.core.access import Door, Role
from medcxr.core.audit import AuditAction, AuditEvent
from medcxr.core.language import Sentence, figure, listing, say, text

__all__ = ["ACTIONS", "DOORS", "ROLES", "told_action", "told_details", "told_subject"]

ACTIONS: Mapping[AuditAction, str] = {
    AuditAction.SIGNED_IN: text("signed in"),
    AuditAction.SIGN_IN_REFUSED: text("sign-in refused"),
    AuditAction.SIGNED_OUT: text("signed out"),
    AuditAction.PERMISSION_REFUSED: text("permission refused"),
    AuditAction.PASSWORD_CHANGED: text("password changed"),
    AuditAction.PASSWORD_RESET: text("password reset"),
    AuditAction.SECOND_FACTOR_CHANGED: text("second factor changed"),
    AuditAction.USER_ADDED: text("user added"),
    AuditAction.USER_CHANGED: text("user changed"),
    AuditAction.SESSIONS_ENDED: text("sessions ended"),
    AuditAction.TOKEN_MADE: text("token made"),
    AuditAction.TOKEN_REVOKED: text("token revoked"),
    AuditAction.CASE_ANALYZED: text("case analyzed"),
    AuditAction.CASE_VIEWED: text("case viewed"),
    AuditAction.CASES_LISTED: text("cases listed"),
    AuditAction.CASE_JUDGED: text("case judged"),
    AuditAction.CASE_ASSIGNED: text("case assigned to a patient"),
    AuditAction.CASE_EXPORTED: text("case exported"),
    AuditAction.CASES_EXPORTED: text("cases exported"),
    AuditAction.CASE_DELETED: text("case deleted"),
    AuditAction.CASES_FORGOTTEN: text("cases forgotten"),
    AuditAction.IMAGE_REFUSED: text("image refused"),
    AuditAction.TABLE_PREDICTED: text("table predicted"),
    AuditAction.IMAGES_DEIDENTIFIED: text("images de-identified"),
    AuditAction.IMAGES_RECEIVED: text("images received"),
    AuditAction.RESULTS_SENT: text("results sent"),
    AuditAction.RESULTS_RETRIED: text("results tried again"),
    AuditAction.RESULTS_DISCARDED: text("results discarded"),
    AuditAction.READINGS_RETRIED: text("readings tried again"),
    AuditAction.MODEL_ADDED: text("model added"),
    AuditAction.MODEL_CHOSEN: text("model chosen"),
    AuditAction.MODEL_ROLLED_BACK: text("model rolled back"),
    AuditAction.MODEL_MEASURED: text("model measured"),
    AuditAction.TRAINING_STARTED: text("training started"),
    AuditAction.TRAINING_STOPPED: text("training stopped"),
    AuditAction.SETTINGS_CHANGED: text("settings changed"),
    AuditAction.FILES_REMOVED: text("files removed"),
    AuditAction.KEY_ROTATED: text("key rotated"),
    AuditAction.AUDIT_EXPORTED: text("audit exported"),
    AuditAction.AUDIT_VERIFIED: text("audit verified"),
    AuditAction.BACKUP_MADE: text("backup made"),
    AuditAction.BACKUP_TAKEN: text("backup handed out"),
    AuditAction.BACKUP_DELETED: text("backup deleted"),
    AuditAction.BACKUP_RESTORED: text("backup restored"),
}

ROLES: Mapping[Role, str] = {
    Role.ADMINISTRATOR: text("administrator"),
    Role.CLINICIAN: text("clinician"),
    Role.RESEARCHER: text("researcher"),
    Role.VIEWER: text("viewer"),
}

DOORS: Mapping[Door, str] = {
    Door.COMMAND_LINE: text("command line"),
    Door.DASHBOARD: text("dashboard"),
    Door.API: text("programming interface"),
    Door.DICOM_NODE: text("DICOM node"),
    Door.PROGRAM: text("the program itself"),
}

_SUBJECTS = (
    text("case {value}"),
    text("{value} cases"),
    text("{value} images"),
    text("{value} files"),
    text("{value} received instances"),
    text("{value} results"),
    text("model {value}"),
    text("training {value}"),
    text("user {value}"),
    text("token {value}"),
    text("backup {value}"),
    text("key {value}"),
    text("state before {value}"),
    text("image"),
    text("audit trail"),
    text("exported audit trail"),
    text("radiograph that is not remembered"),
)
"""As services tell them."""

_DETAILS: Mapping[str, str] = {
    "active": text("active"),
    "after": text("after"),
    "before": text("before"),
    "bytes": text("bytes"),
    "blanked": text("blanked"),
    "days": text("days"),
    "destination": text("destination"),
    "encrypted": text("encrypted"),
    "ended": text("sign-ins ended"),
    "events": text("events"),
    "failed": text("failed"),
    "findings": text("findings"),
    "format": text("format"),
    "in_use": text("in use"),
    "kept_days": text("days kept"),
    "measured": text("measured"),
    "model": text("model"),
    "n_bytes": text("bytes"),
    "n_files": text("number of files"),
    "n_renewed": text("rows renewed"),
    "number": text("number"),
    "operating_point": text("operating point"),
    "origin": text("origin"),
    "parts": text("parts"),
    "patient_known": text("patient known"),
    "problems": text("problems"),
    "reason": text("reason"),
    "results_dropped": text("results not sent any more"),
    "resumed": text("resumed"),
    "role": text("role"),
    "role_before": text("role before"),
    "runs": text("runs and trainings too"),
    "scopes": text("scopes"),
    "state_before": text("state before"),
    "taken_over": text("taken over from the file of an older program"),
    "time_given": text("time given"),
    "trail_before": text("head of the trail before"),
    "user": text("user"),
    "wait_s": text("seconds to wait"),
    "with_comment": text("with comment"),
}


def told_action(action: AuditAction | str) -> str:
    """Return an action; one of a newer program as it stands in the trail."""
    return say(ACTIONS[action]) if isinstance(action, AuditAction) else action


def told_subject(event: AuditEvent) -> str:
    """Return to what something was done."""
    for words in _SUBJECTS:
        before, _, after = words.partition("{value}")
        match = re.fullmatch(f"{re.escape(before)}(.+){re.escape(after)}", event.subject)
        if event.subject == words:
            return say(words)
        if match is not None and before + after != words:
            return say(words, value=match[1])
    return event.subject


def told_details(event: AuditEvent) -> str:
    """Return the details one after the other."""
    return say(
        listing(
            Sentence(
                "{name}: {value}", name=say(_DETAILS.get(name, name)), value=_told_value(value)
            )
            for name, value in sorted(event.details.items())
        )
    )


def _told_value(value: str | float | bool | None) -> str:  # noqa: FBT001 - what a detail may be
    if value is None:
        return say("none")
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    return figure(value, ",") if isinstance(value, int) else say(str(value))
