"""What the environment may set. No other module reads the environment.

| variable           | meaning                                                   | default |
|--------------------|-----------------------------------------------------------|---------|
| MEDCXR_WORKSPACE   | folder of models, runs and secrets                        | the user's data folder for medcxr |
| MEDCXR_CASES       | table of radiographs that the dashboard compares with     | none    |
| MEDCXR_DATA        | folder of labeled tables that the dashboard may train on  | none    |
| MEDCXR_BACKUPS     | folder of backups                                         | "backups" in the workspace |
| MEDCXR_BACKUP_PASSPHRASE_FILE | file with the passphrase that backups are encrypted under | none |
| MEDCXR_DATABASE    | address of a PostgreSQL database, in the place of a file in the workspace | none |
| MEDCXR_DATABASE_FILE | file that holds that address, e.g. a container's secret | none    |
| MEDCXR_DATABASE_SCHEMA | schema of the workspace's tables there                | medcxr  |
| MEDCXR_TLS_CERTIFICATE | PEM file by which dashboard and API encrypt               | none: plain HTTP |
| MEDCXR_TLS_KEY     | PEM file with the key of that certificate                 | none    |
| MEDCXR_RUNTIME     | what computes the models: onnxruntime or openvino         | onnxruntime |
| MEDCXR_TEST_DATA   | tests only: folder of real radiographs                    | ../shared/data beside the repository |
| MEDCXR_CHROMIUM    | tests only: the Chromium program that drives the dashboard | found on the PATH |
| MEDCXR_POSTGRES    | tests only: the folder of PostgreSQL's programs           | found where Debian puts them |
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from platformdirs import user_data_path

from medcxr.core.errors import DataError
from medcxr.core.runtime import RUNTIME_VARIABLE, Runtime
from medcxr.core.server_address import ServerAddress, server_address

__all__ = [
    "BACKUPS_VARIABLE",
    "CASES_VARIABLE",
    "CERTIFICATE_VARIABLE",
    "DATABASE_VARIABLE",
    "DATA_VARIABLE",
    "KEY_VARIABLE",
    "PASSPHRASE_VARIABLE",
    "WORKSPACE_VARIABLE",
    "Settings",
    "environment_without_secrets",
]

WORKSPACE_VARIABLE = "MEDCXR_WORKSPACE"
CASES_VARIABLE = "MEDCXR_CASES"
DATA_VARIABLE = "MEDCXR_DATA"
BACKUPS_VARIABLE = "MEDCXR_BACKUPS"
PASSPHRASE_VARIABLE = "MEDCXR_BACKUP_PASSPHRASE_FILE"  # noqa: S105 - a name  # nosec B105
DATABASE_VARIABLE = "MEDCXR_DATABASE"
CERTIFICATE_VARIABLE = "MEDCXR_TLS_CERTIFICATE"
KEY_VARIABLE = "MEDCXR_TLS_KEY"
_DATABASE_FILE_VARIABLE = "MEDCXR_DATABASE_FILE"
_SCHEMA_VARIABLE = "MEDCXR_DATABASE_SCHEMA"
_FORMER_RUNTIME_VARIABLE = "MEDCXR_ENGINE"  # some environments still hold it


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The resolved settings.

    Attributes:
        workspace: folder of models, runs and secrets; it may not exist yet.
        cases: table of radiographs that the dashboard compares with; None if nobody chose one.
        data: folder of labeled tables that the dashboard may train on; None if nobody named one.
        backups: folder of backups; None for the workspace's own.
        passphrase_file: whose first line encrypts backups; None if nobody named one.
        database_words: the address of a PostgreSQL database with its password; None for the file in
            the workspace.
        database_file: holds that address; None if there is none.
        database_schema: of the tables there, where the address names none.
        certificate: by which dashboard and API encrypt; None if nobody named one.
        certificate_key: that belongs to it.
        runtime_name: of what computes the models; `runtime` checks it.
    """

    workspace: Path
    cases: Path | None = None
    data: Path | None = None
    backups: Path | None = None
    passphrase_file: Path | None = None
    database_words: str | None = field(default=None, repr=False)
    database_file: Path | None = None
    database_schema: str | None = None
    certificate: Path | None = None
    certificate_key: Path | None = None
    runtime_name: str | None = None

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
        database_file = variables.get(_DATABASE_FILE_VARIABLE, "").strip()
        certificate = variables.get(CERTIFICATE_VARIABLE, "").strip()
        key = variables.get(KEY_VARIABLE, "").strip()
        return cls(
            workspace=folder,
            cases=Path(table).expanduser() if table else None,
            data=Path(data).expanduser() if data else None,
            backups=Path(backups).expanduser() if backups else None,
            passphrase_file=Path(passphrase).expanduser() if passphrase else None,
            database_words=variables.get(DATABASE_VARIABLE, "").strip() or None,
            database_file=Path(database_file).expanduser() if database_file else None,
            database_schema=variables.get(_SCHEMA_VARIABLE, "").strip() or None,
            certificate=Path(certificate).expanduser() if certificate else None,
            certificate_key=Path(key).expanduser() if key else None,
            runtime_name=variables.get(RUNTIME_VARIABLE, "").strip()
            or variables.get(_FORMER_RUNTIME_VARIABLE, "").strip()
            or None,
        )

    @property
    def runtime(self) -> Runtime:
        """Return what computes the models.

        Raises:
            DataError: there is no runtime of the name that was given.
        """
        try:
            return Runtime(self.runtime_name or Runtime.ONNX_RUNTIME)
        except ValueError as error:
            raise DataError(
                "{setting} is {name!r}, and there is no such runtime; set it to one of {names}.",
                setting=RUNTIME_VARIABLE,
                name=self.runtime_name,
                names=", ".join(Runtime),
            ) from error

    def database_server(self) -> ServerAddress | None:
        """Return where the database is if a server has it; None for the file in the workspace.

        Raises:
            DataError: it is no address, the file with it cannot be read, or both are given.
        """
        words, named = self.database_words, DATABASE_VARIABLE
        if self.database_file is not None:
            if words is not None:
                raise DataError(
                    "{one} and {other} are both set; keep one of them.",
                    one=DATABASE_VARIABLE,
                    other=_DATABASE_FILE_VARIABLE,
                )
            words, named = _content(self.database_file), _DATABASE_FILE_VARIABLE
        if words is None:
            return None
        return server_address(words, named=named, schema=self.database_schema)

    def child_environment(self) -> dict[str, str]:
        """Return the environment in which a child process finds the same settings."""
        named = {CASES_VARIABLE: self.cases, DATA_VARIABLE: self.data}
        chosen = {name: str(path) for name, path in named.items() if path is not None}
        return {**os.environ, WORKSPACE_VARIABLE: str(self.workspace), **chosen}


def environment_without_secrets() -> dict[str, str]:
    """Return the environment for a child process that needs no database."""
    hidden = (DATABASE_VARIABLE, _DATABASE_FILE_VARIABLE, PASSPHRASE_VARIABLE)
    return {name: value for name, value in os.environ.items() if name not in hidden}


def _content(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            "{setting} names {file}, which cannot be read ({kind}); name a text file that this "
            "user may read.",
            setting=_DATABASE_FILE_VARIABLE,
            file=file,
            kind=type(error).__name__,
        ) from error
