"""What the environment may set. No other module reads the environment.

| variable           | meaning                                                   | default |
|--------------------|-----------------------------------------------------------|---------|
| MEDCXR_WORKSPACE   | folder of models, runs and secrets                        | the user's data folder for medcxr |
| MEDCXR_TEST_DATA   | tests only: folder of real radiographs                    | ../shared/data beside the repository |
| MEDCXR_CHROMIUM    | tests only: the Chromium program that drives the dashboard | found on the PATH |
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_data_path

__all__ = ["WORKSPACE_VARIABLE", "Settings"]

WORKSPACE_VARIABLE = "MEDCXR_WORKSPACE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The resolved settings.

    Attributes:
        workspace: folder of models, runs and secrets; it may not exist yet.
    """

    workspace: Path

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings from the process's environment, or from the one given."""
        variables = os.environ if environment is None else environment
        # An empty variable counts as unset, as in most shells' scripts.
        chosen = variables.get(WORKSPACE_VARIABLE, "").strip()
        if chosen:
            return cls(workspace=Path(chosen).expanduser())
        return cls(workspace=user_data_path("medcxr", appauthor=False))

    def child_environment(self) -> dict[str, str]:
        """Return the environment in which a child process finds the same settings."""
        return {**os.environ, WORKSPACE_VARIABLE: str(self.workspace)}
