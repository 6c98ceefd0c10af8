"""A report on a model, kept as a JSON file beside its bundle."""

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Protocol, TypeVar

from cattrs import BaseValidationError, transform_error
from cattrs.preconf.json import make_converter

from medcxr.core.errors import ModelError
from medcxr.registry.bundle import GRAPH_FILE, ModelBundle

__all__ = ["find_beside", "from_plain", "read_beside"]

_MAX_BYTES = 2**20  # a report on a hundred findings is smaller

Report = TypeVar("Report")


class _OfGraph(Protocol):
    @property
    def graph(self) -> str:
        """Return SHA-256 of the graph that it is about, hexadecimal."""
        ...


Bound = TypeVar("Bound", bound=_OfGraph)


def find_beside(
    folder: Path,
    bundle: ModelBundle,
    path_in: Callable[[Path, ModelBundle], Path],
    read: Callable[[Path], Bound],
) -> Bound | None:
    """Return the last report on a model: the workspace's, else the one shipped with the model.

    A report on another graph under the same name and version says nothing of this one.

    Args:
        folder: of the workspace's models.
        bundle: the model.
        path_in: tells where a folder of models keeps such a report.
        read: reads it.

    Raises:
        ModelError: a file is damaged.
    """
    for place in (folder, bundle.folder.parent):
        path = path_in(place, bundle)
        report = read(path) if path.is_file() else None
        if report is not None and report.graph == bundle.manifest.files[GRAPH_FILE]:
            return report
    return None


def read_beside(
    path: Path, kind: type[Report], *, version: int, unknown: str, damaged: str
) -> Report:
    """Read a report that lies beside a bundle.

    Args:
        path: an existing file.
        kind: class of the report.
        version: of its format.
        unknown: message for a file of another format, which names `{path}`.
        damaged: message for a damaged file, which names `{path}` and `{reasons}`.

    Raises:
        ModelError: the file is damaged, or of another format.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        plain = json.loads(data, parse_constant=_refuse) if len(data) <= _MAX_BYTES else None
        if not isinstance(plain, Mapping) or plain.get("format") != version:
            raise ModelError(unknown, path=path.name)
        rest = {key: value for key, value in plain.items() if key != "format"}
        return from_plain(rest, kind)
    except BaseValidationError as error:
        reasons = "; ".join(transform_error(error))
        raise ModelError(damaged, path=path.name, reasons=f": {reasons}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(damaged, path=path.name, reasons="") from error


def from_plain(plain: Mapping[str, object], kind: type[Report]) -> Report:
    """Make a report of the values of its JSON object.

    Raises:
        BaseValidationError: a value is missing, unknown or of a wrong kind.
    """
    report: Report = _converter().structure(plain, kind)
    return report


def _refuse(constant: str) -> object:
    """Refuse NaN and infinities, which are no figures."""
    raise ValueError(constant)


@cache
def _converter() -> Any:  # noqa: ANN401 - cattrs gives its converters no useful type
    return make_converter(forbid_extra_keys=True)
