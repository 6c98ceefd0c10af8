"""What the environment may set. No other module reads the environment.

| variable           | meaning                                                   | default |
|--------------------|-----------------------------------------------------------|---------|
| MEDCXR_WORKSPACE   | folder of models, runs and secrets                        | the user's data folder for medcxr |
| MEDCXR_CASES       | table of radiographs that the dashboard compares with     | none    |
| MEDCXR_DATA        | folder of labeled tables that the dashboard may train on  | none    |
| MEDCXR_BACKUPS     | folder of backups                                         | "backups" in the workspace |
| MEDCXR_BACKUP_PASSPHRASE_FILE | file with the passphrase that backups are encrypted under | none |
| MEDCXR_TEST_DATA   | tests only: folder of real radiographs                    | ../shared/data beside the repository |
| MEDCXR_CHROMIUM    | tests only: the Chromium program that drives the dashboard | found on the PATH |
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_data_path

__all__ = [
    "BACKUPS_VARIABLE",
    "CASES_VARIABLE",
    "DATA_VARIABLE",
    "PASSPHRASE_VARIABLE",
    "WORKSPACE_VARIABLE",
    "Settings",
]

WORKSPACE_VARIABLE = "MEDCXR_WORKSPACE"
CASES_VARIABLE = "MEDCXR_CASES"
DATA_VARIABLE = "MEDCXR_DATA"
BACKUPS_VARIABLE = "MEDCXR_BACKUPS"
PASSPHRASE_VARIABLE = "MEDCXR_BACKUP_PASSPHRASE_FILE"  # noqa: S105 - the name of a variable


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The resolved settings.

    Attributes:
        workspace: folder of models, runs and secrets; it may not exist yet.
        cases: table of radiographs that the dashboard compares with; None if nobody chose one.
        data: folder of labeled tables that the dashboard may train on; None if nobody named one.
        backups: folder of backups; None for the workspace's own.
        passphrase_file: whose first line encrypts backups; None if nobody named one.
    """

    workspace: Path
    cases: Path | None = None
    data: Path | None = None
    backups: Path | None = None
    passphrase_file: Path | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings from the process's environment, or from the one given."""
        variables = os.environ if environment is None else environment
        # An empty variable counts as unset, as in most shells' scripts.
        chosen = variables.get(WORKSPACE_VARIABLE, "").strip()
        folder = Path(chosen).expanduser() if chosen else user_data_path("medcxr", appauthor=False)
        table = variables.get(CASES_VARIABLE, "").strip()
        data = variables.get(DATA_VARIABLE, "").strip()
        backups = variables.get(BACKUPS_VARIABLE, "").strip()
        passphrase = variables.get(PASSPHRASE_VARIABLE, "").strip()
        return cls(
            workspace=folder,
            cases=Path(table).expanduser() if table else None,
            data=Path(data).expanduser() if data else None,
            backups=Path(backups).expanduser() if backups else None,
            passphrase_file=Path(passphrase).expanduser() if passphrase else None,
        )

    def child_environment(self) -> dict[str, str]:
        """Return the environment in which a child process finds the same settings."""
        named = {CASES_VARIABLE: self.cases, DATA_VARIABLE: self.data}
        chosen = {name: str(path) for name, path in named.items() if path is not None}
        return {**os.environ, WORKSPACE_VARIABLE: str(self.workspace), **chosen}
