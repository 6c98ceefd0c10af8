"""What is known of a model's maps: a file beside its bundle, bound to its graph."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from medcxr.core.errors import ModelError
from medcxr.core.language import text
from medcxr.explain.report import ExplanationReport
from medcxr.registry.beside import find_beside, from_plain, read_beside
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
            "The maps of {model} were tested, not those of {current}; test again.",
            model=report.model,
            current=bundle.manifest.identity,
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
    return find_beside(folder, bundle, explanations_path, _read)


def explanations_from_plain(plain: Mapping[str, object]) -> ExplanationReport:
    """Read a report from the values of its JSON object, as `medcxr explain-check --json` prints it.

    Raises:
        BaseValidationError: a value is missing, unknown or of a wrong kind.
    """
    return from_plain(plain, ExplanationReport)


def _read(path: Path) -> ExplanationReport:
    return read_beside(
        path,
        ExplanationReport,
        version=EXPLANATIONS_FORMAT,
        unknown=text(
            "{path} is no test of maps that this version reads; delete {path} or test the maps again "
            "with `medcxr explain-check --keep`."
        ),
        damaged=text(
            "{path} is damaged{reasons}; delete {path} or test the maps again with "
            "`medcxr explain-check --keep`."
        ),
    )
