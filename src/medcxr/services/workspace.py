"""The folder in which everything that medcxr keeps on this computer lies."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from medcxr.core.access import OPERATOR, Actor, Permission
from medcxr.core.errors import StorageError
from medcxr.core.settings import Settings

__all__ = ["Workspace"]

_OWNER_ONLY = 0o700  # patient data and secrets: nobody else on this computer may look in


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """An opened workspace: its folders exist and belong to the user alone.

    Attributes:
        folder: the absolute path of the workspace.
        actor: who uses it. Services ask it for permission and name it in the audit trail; a
            workspace used by another one is the same workspace.
    """

    folder: Path
    actor: Actor = field(default=OPERATOR, compare=False)

    @classmethod
    def open(cls, folder: Path) -> "Workspace":
        """Open a workspace, creating what is missing.

        Raises:
            StorageError: a file stands in the folder's place, or it cannot be created.
        """
        workspace = cls(folder=folder.expanduser().absolute())
        workspace._finish_restore()
        for part in (
            workspace.folder,
            workspace.models,
            workspace.runs,
            workspace.trainings,
            workspace.secrets,
        ):
            _ensure_folder(part)
        return workspace

    def _finish_restore(self) -> None:
        """Put a backup in place whose restore was cut off."""
        if self.restoring.is_dir():
            # Loaded only then; it needs this module itself.
            from medcxr.services.unfinished_restore import finish_restore  # noqa: PLC0415

            finish_restore(self)

    @classmethod
    def open_default(cls) -> "Workspace":
        """Open the workspace that the settings name."""
        return cls.open(Settings.from_environment().workspace)

    def used_by(self, actor: Actor) -> "Workspace":
        """Return the same workspace in the hands of somebody else."""
        return replace(self, actor=actor)

    def require(self, permission: Permission) -> None:
        """Return if whoever uses the workspace may do something.

        Raises:
            AccessError: the role, or what the token is for, does not allow it.
        """
        self.actor.require(permission)

    @property
    def models(self) -> Path:
        """Model bundles, one folder per version."""
        return self.folder / "models"

    @property
    def runs(self) -> Path:
        """Trainings and validations, one folder per run."""
        return self.folder / "runs"

    @property
    def trainings(self) -> Path:
        """Trainings that the dashboard started, one folder per process: recipe, record, log."""
        return self.folder / "trainings"

    @property
    def restoring(self) -> Path:
        """A state that a restore puts in place; there only until that is done."""
        return self.folder / "restoring"

    @property
    def database(self) -> Path:
        """What is remembered of analyzed radiographs, and settings."""
        return self.folder / "medcxr.db"

    @property
    def backups(self) -> Path:
        """Backups, unless the settings name another folder; made with the first one."""
        return self.folder / "backups"

    @property
    def node(self) -> Path:
        """What the DICOM node keeps: what waits to be read."""
        return self.folder / "node"

    @property
    def node_alive(self) -> Path:
        """What a running DICOM node holds."""
        return self.node / "alive.lock"

    @property
    def node_at_work(self) -> Path:
        """What whoever reads received instances and delivers results holds."""
        return self.node / ".work.lock"

    @property
    def node_settings(self) -> Path:
        """How the DICOM node is set; a person writes it."""
        return self.folder / "node.toml"

    @property
    def received(self) -> Path:
        """Received instances as files, each only until it was read."""
        return self.node / "received"

    @property
    def results(self) -> Path:
        """Results for other systems as files, each only until every destination has it."""
        return self.node / "results"

    @property
    def secrets(self) -> Path:
        """Password hashes and keys; never part of a report or a backup for others."""
        return self.folder / "secrets"


def _ensure_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    try:
        folder.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
        folder.chmod(_OWNER_ONLY)  # whatever the process's umask is
    except (FileExistsError, NotADirectoryError) as error:
        raise StorageError(
            "{folder} cannot be a workspace folder because a file stands in its place; "
            "move the file away or choose another workspace.",
            folder=folder,
        ) from error
    except OSError as error:
        raise StorageError(
            "{folder} cannot be created: {reason}; choose a workspace in a folder that "
            "this user may write to.",
            folder=folder,
            reason=error.strerror,
        ) from error
