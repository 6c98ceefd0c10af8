"""What is known of a model's maps: a file beside its bundle, bound to its graph."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from cattrs import BaseValidationError, transform_error
from cattrs.preconf.json import make_converter

from medcxr.core.errors import ModelError
from medcxr.explain.report import ExplanationReport
from medcxr.registry.bundle import GRAPH_FILE, ModelBundle
from medcxr.storage.atomic import write_json_atomically

__all__ = [
    "EXPLANATIONS_FORMAT",
    "explanations_from_plain",
    "explanations_path",
    "find_explanations",
    "keep_explanations",
]

EXPLANATIONS_FORMAT = 1
_SUFFIX = ".explanations.json"
_MAX_BYTES = 2**20  # a report on a hundred findings is smaller


def explanations_path(folder: Path, bundle: ModelBundle) -> Path:
    """Return where a folder of models keeps what is known of a model's maps."""
    return folder / f"{bundle.manifest.name}-{bundle.manifest.version}{_SUFFIX}"


def keep_explanations(folder: Path, bundle: ModelBundle, report: ExplanationReport) -> Path:
    """Keep what a test of a model's maps found, in the place of an earlier test.

    Args:
        folder: of the workspace's models.
        bundle: the model.
        report: of this model.

    Returns:
        The file.

    Raises:
        ModelError: the report is of another model.
        StorageError: the folder cannot be written.
    """
    if report.graph != bundle.manifest.files[GRAPH_FILE]:
        raise ModelError(
            f"The maps of {report.model} were tested, not those of {bundle.manifest.identity}; "
            "test again."
        )
    path = explanations_path(folder, bundle)
    write_json_atomically(path, {"format": EXPLANATIONS_FORMAT, **asdict(report)})
    return path


def find_explanations(folder: Path, bundle: ModelBundle) -> ExplanationReport | None:
    """Return the last test of a model's maps: the workspace's, else the one shipped with the model.

    A test of another graph under the same name and version says nothing of this one.

    Args:
        folder: of the workspace's models.
        bundle: the model.

    Raises:
        ModelError: a file is damaged.
    """
    for place in (folder, bundle.folder.parent):
        path = explanations_path(place, bundle)
        report = _read(path) if path.is_file() else None
        if report is not None and report.graph == bundle.manifest.files[GRAPH_FILE]:
            return report
    return None


def explanations_from_plain(plain: Mapping[str, object]) -> ExplanationReport:
    """Read a report from the values of its JSON object, as `medcxr explain-check --json` prints it.

    Raises:
        BaseValidationError: a value is missing, unknown or of a wrong kind.
    """
    report: ExplanationReport = _converter().structure(plain, ExplanationReport)
    return report


def _read(path: Path) -> ExplanationReport:
    remedy = f"delete {path.name} or test the maps again with `medcxr explain-check --keep`."
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        plain = json.loads(data, parse_constant=_refuse) if len(data) <= _MAX_BYTES else None
        if not isinstance(plain, Mapping) or plain.get("format") != EXPLANATIONS_FORMAT:
            raise ModelError(f"{path.name} is no test of maps that this version reads; {remedy}")
        rest = {key: value for key, value in plain.items() if key != "format"}
        report = explanations_from_plain(rest)
    except BaseValidationError as error:
        reasons = "; ".join(transform_error(error))
        raise ModelError(f"{path.name} is damaged: {reasons}; {remedy}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path.name} is damaged; {remedy}") from error
    return report


def _refuse(constant: str) -> object:
    """Refuse NaN and infinities, which are no figures."""
    raise ValueError(constant)


@cache
def _converter() -> Any:  # noqa: ANN401 - cattrs gives its converters no useful type
    return make_converter(forbid_extra_keys=True)
