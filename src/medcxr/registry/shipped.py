"""Which models come with the package, and which of them answers until another one is chosen."""

import json
from pathlib import Path

import medcxr.models
from medcxr.core.errors import ModelError
from medcxr.registry.bundle import read_manifest
from medcxr.registry.manifest import Manifest, is_plain_name

__all__ = ["DEFAULT_FILE", "SHIPPED_MODELS", "default_model", "model_folders", "shipped_manifests"]

SHIPPED_MODELS = Path(medcxr.models.__path__[0])
"""Folder of the models that come with the package."""

DEFAULT_FILE = "default.json"
"""Beside the models of the package: which of them answers. The newest would be luck."""


def default_model(shipped: Path = SHIPPED_MODELS) -> Path | None:
    """Return the folder of the model that answers until another one is chosen.

    Of several models it is the one that the package names.

    Args:
        shipped: folder of the models that came with the package.

    Returns:
        None where no model came with the package.

    Raises:
        ModelError: there are several, and the package does not name one of them.
    """
    folders = model_folders(shipped)
    if len(folders) <= 1:
        return folders[0] if folders else None
    wanted = _named(shipped / DEFAULT_FILE)
    for folder in folders:
        if folder.name == wanted:
            return folder
    raise ModelError(
        "The package does not say which of its models answers ({file}); choose one with "
        "`medcxr models use`, or reinstall medcxr.",
        file=DEFAULT_FILE,
    )


def shipped_manifests(shipped: Path = SHIPPED_MODELS) -> list[Manifest]:
    """Return what the models of the package say of themselves, that of the default first.

    Args:
        shipped: folder of the models that came with the package.

    Raises:
        ModelError: as for `default_model`, or a manifest is damaged.
    """
    default = default_model(shipped)
    folders = sorted(model_folders(shipped), key=lambda folder: folder != default)
    return [read_manifest(folder) for folder in folders]


def model_folders(place: Path) -> list[Path]:
    """Return the folders of the models in a folder, by name; none where it is not there."""
    if not place.is_dir():
        return []
    return [
        folder
        for folder in sorted(place.iterdir())
        if not folder.name.startswith((".", "__")) and folder.is_dir()
    ]


def _named(path: Path) -> str | None:
    """Return the folder's name that a file states; None where it states none."""
    try:
        name = json.loads(path.read_text(encoding="utf-8"))["model"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return name if isinstance(name, str) and is_plain_name(name) else None
