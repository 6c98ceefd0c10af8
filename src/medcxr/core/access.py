"""Who acts, through which door, and what that role may do."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from medcxr.core.errors import AccessError

__all__ = ["ALLOWED", "NODE", "OPERATOR", "PROGRAM", "Actor", "Door", "Permission", "Role"]


class Role(StrEnum):
    """What a person is to the workspace."""

    ADMINISTRATOR = "administrator"
    CLINICIAN = "clinician"
    RESEARCHER = "researcher"
    VIEWER = "viewer"


class Door(StrEnum):
    """By which way something was asked for."""

    COMMAND_LINE = "command line"
    DASHBOARD = "dashboard"
    API = "api"
    DICOM_NODE = "dicom node"
    PROGRAM = "program"  # what nobody asks for, e.g. what a schedule does


class Permission(StrEnum):
    """What may be asked of the services."""

    ANALYZE = "analyze"
    VIEW_CASES = "view cases"
    JUDGE_CASES = "judge cases"
    EXPORT_CASES = "export cases"
    DELETE_CASES = "delete cases"
    VIEW_MODELS = "view models"
    MEASURE_MODELS = "measure models"
    TRAIN_MODELS = "train models"
    CHOOSE_MODELS = "choose models"
    VIEW_DIAGNOSTICS = "view diagnostics"
    VIEW_AUDIT = "view audit"
    CHANGE_SETTINGS = "change settings"
    MANAGE_USERS = "manage users"
    MANAGE_BACKUPS = "manage backups"


_VIEWER = frozenset({Permission.VIEW_CASES, Permission.VIEW_MODELS})
_CLINICIAN = _VIEWER | {Permission.ANALYZE, Permission.JUDGE_CASES, Permission.EXPORT_CASES}
_RESEARCHER = _CLINICIAN | {Permission.MEASURE_MODELS, Permission.TRAIN_MODELS}

ALLOWED: Mapping[Role, frozenset[Permission]] = {
    Role.ADMINISTRATOR: frozenset(Permission),
    Role.CLINICIAN: _CLINICIAN,
    Role.RESEARCHER: _RESEARCHER,
    Role.VIEWER: _VIEWER,
}
"""The permission table; SECURITY.md shows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Whoever asks for something.

    Attributes:
        name: of the user; "operator" is whoever runs commands on the workspace's files.
        role: decides what is allowed.
        door: by which way.
        narrowed_to: of what the role may do, only this, e.g. what a token is for; None: all of it.
    """

    name: str
    role: Role
    door: Door
    narrowed_to: frozenset[Permission] | None = None

    def may(self, permission: Permission) -> bool:
        """Tell whether something is allowed."""
        narrowed = self.narrowed_to is None or permission in self.narrowed_to
        return narrowed and permission in ALLOWED[self.role]

    def require(self, permission: Permission) -> None:
        """Return if something is allowed.

        Raises:
            AccessError: it is not; the message names the permission and who can give it.
        """
        if not self.may(permission):
            raise AccessError(
                'The role {role} may not "{permission}"; ask an administrator of this workspace '
                "for it.",
                role=str(self.role),
                permission=str(permission),
            )


OPERATOR = Actor(name="operator", role=Role.ADMINISTRATOR, door=Door.COMMAND_LINE)
"""Whoever may read and write the workspace's files anyway; no password stands in between."""

PROGRAM = Actor(name="program", role=Role.ADMINISTRATOR, door=Door.PROGRAM)
"""The program itself, by what an administrator has set, e.g. how long cases are kept."""

NODE = Actor(name="node", role=Role.CLINICIAN, door=Door.DICOM_NODE)
"""The DICOM node: receives, reads and remembers what other systems send."""
