"""What the audit trail tells of somebody who asked for what the role does not allow."""

from medcxr.core.access import Permission
from medcxr.core.audit import AuditAction
from medcxr.services.audit import note_alone
from medcxr.services.workspace import Workspace

__all__ = ["note_permission_refused"]


def note_permission_refused(workspace: Workspace, permission: Permission) -> None:
    """Tell it.

    Raises:
        StorageError: the database cannot be used.
    """
    note_alone(workspace, AuditAction.PERMISSION_REFUSED, permission.value)
