"""What a model's answers hang on over a data set: a file beside its bundle, bound to its graph."""

from dataclasses import asdict
from pathlib import Path

from medcxr.core.errors import ModelError
from medcxr.core.language import text
from medcxr.explain.importance import ImportanceReport
from medcxr.registry.beside import find_beside, read_beside
from medcxr.registry.bundle import GRAPH_FILE, ModelBundle
from medcxr.storage.atomic import write_json_atomically

__all__ = ["IMPORTANCE_FORMAT", "find_importance", "importance_path", "keep_importance"]

IMPORTANCE_FORMAT = 1
_SUFFIX = ".importance.json"


def importance_path(folder: Path, bundle: ModelBundle) -> Path:
    """Return where a folder of models keeps what a model's answers hang on."""
    return folder / f"{bundle.manifest.name}-{bundle.manifest.version}{_SUFFIX}"


def keep_importance(folder: Path, bundle: ModelBundle, report: ImportanceReport) -> Path:
    """Keep a report in the place of an earlier one.

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
            "The importance was measured of {model}, not of {current}; measure again.",
            model=report.model,
            current=bundle.manifest.identity,
        )
    path = importance_path(folder, bundle)
    write_json_atomically(path, {"format": IMPORTANCE_FORMAT, **asdict(report)})
    return path


def find_importance(folder: Path, bundle: ModelBundle) -> ImportanceReport | None:
    """Return the last report of a model: the workspace's, else the one shipped with the model.

    A report of another graph under the same name and version says nothing of this one.

    Args:
        folder: of the workspace's models.
        bundle: the model.

    Raises:
        ModelError: a file is damaged.
    """
    return find_beside(folder, bundle, importance_path, _read)


def _read(path: Path) -> ImportanceReport:
    return read_beside(
        path,
        ImportanceReport,
        version=IMPORTANCE_FORMAT,
        unknown=text(
            "{path} is no report of importance that this version reads; delete {path} or measure it "
            "again with `medcxr importance --keep`."
        ),
        damaged=text(
            "{path} is damaged{reasons}; delete {path} or measure it again with "
            "`medcxr importance --keep`."
        ),
    )
