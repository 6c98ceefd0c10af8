"""A model as a folder: graph, weights, card and the manifest that vouches for them."""

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from medcxr.core.errors import ModelError, StorageError
from medcxr.registry.manifest import Manifest, manifest_from_json, manifest_to_json
from medcxr.registry.model_card import model_card
from medcxr.registry.sealed_text import is_intact, sealed, without_seal
from medcxr.storage.atomic import write_folder_atomically

__all__ = [
    "CARD_FILE",
    "GRAPH_FILE",
    "MANIFEST_FILE",
    "WEIGHTS_FILE",
    "ModelBundle",
    "read_manifest",
    "write_bundle",
]

GRAPH_FILE = "model.onnx"
WEIGHTS_FILE = "model.safetensors"
CARD_FILE = "model_card.md"
MANIFEST_FILE = "manifest.json"

_FILES = (GRAPH_FILE, WEIGHTS_FILE, CARD_FILE)  # a bundle holds no other names, so no paths either
_MAX_MANIFEST_BYTES = 8 * 2**20  # a manifest with curves of hundreds of groups stays below 1 MiB


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelBundle:
    """A model whose files were found to be those that its manifest lists.

    Attributes:
        folder: where the files lie.
        manifest: what the model says of itself.
    """

    folder: Path
    manifest: Manifest

    @classmethod
    def open(cls, folder: Path) -> "ModelBundle":
        """Open a bundle and verify every file of it.

        Raises:
            ModelError: the folder is no bundle, or a file is missing, changed or not listed.
        """
        manifest = read_manifest(folder)
        _verify_names(folder, manifest)
        for name, expected in manifest.files.items():
            if _sha256(folder / name) != expected:
                raise ModelError(
                    "{name} of model {model} is not the file that its manifest lists: "
                    "it was changed or damaged; reinstall the model.",
                    name=name,
                    model=manifest.identity,
                )
        return cls(folder=folder, manifest=manifest)

    def path(self, name: str) -> Path:
        """Return where a file of the bundle lies.

        Raises:
            ModelError: the bundle has no such file.
        """
        if name not in self.manifest.files:
            raise ModelError(
                "Model {model} has no file {name!r}; it has {names}.",
                model=self.manifest.identity,
                name=name,
                names=", ".join(self.manifest.files),
            )
        return self.folder / name


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a bundle without looking at its other files.

    Raises:
        ModelError: there is none, or it is not one.
    """
    path = folder / MANIFEST_FILE
    if not path.is_file():  # nor a pipe, which would block for ever
        raise ModelError(
            "{folder} holds no {manifest_file}, so it is no model; name the folder of a model.",
            folder=folder,
            manifest_file=MANIFEST_FILE,
        )
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_MANIFEST_BYTES + 1)
        if len(data) > _MAX_MANIFEST_BYTES:
            raise ModelError(
                "{path} is larger than {max_manifest_bytes} MiB, which no manifest is; "
                "reinstall the model.",
                path=path,
                max_manifest_bytes=_MAX_MANIFEST_BYTES // 2**20,
            )
        words = data.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(
            "{path} cannot be read as UTF-8 text ({kind}); reinstall the model.",
            path=path,
            kind=type(error).__name__,
        ) from error
    manifest = manifest_from_json(without_seal(words))
    if not is_intact(words):
        raise ModelError(
            "{path} is not what was written: a part of it was changed or damaged; reinstall the "
            "model.",
            path=path,
        )
    return manifest


def write_bundle(folder: Path, manifest: Manifest, files: Mapping[str, Path]) -> ModelBundle:
    """Write a model so that the folder appears complete or not at all.

    A bundle that is there already and equal is left as it is.

    Args:
        folder: of the bundle; it must not exist, be empty or hold the same model.
        manifest: its `files` are filled in here.
        files: name in the bundle -> file to copy; "model.onnx" must be among them. The model card
            is generated from the manifest unless it is given.

    Raises:
        ModelError: a name is not one of a bundle's, a file cannot be read, or another model is
            there already.
        StorageError: the folder cannot be written.
    """
    _check_file_names(files)
    card = model_card(manifest).encode()
    digests = {CARD_FILE: hashlib.sha256(card).hexdigest()}
    digests |= {name: _sha256(path) for name, path in files.items()}
    manifest = replace(manifest, files={n: digests[n] for n in _FILES if n in digests})
    if (folder / MANIFEST_FILE).exists():
        return _existing(folder, manifest)
    try:
        with write_folder_atomically(folder) as part:
            (part / CARD_FILE).write_bytes(card)
            for name, path in files.items():
                shutil.copyfile(path, part / name)
            (part / MANIFEST_FILE).write_bytes(_manifest_text(manifest).encode())
            ModelBundle.open(part)  # what was written is complete and readable
    except StorageError:
        if (folder / MANIFEST_FILE).exists():  # another process was quicker
            return _existing(folder, manifest)
        raise
    return ModelBundle(folder=folder, manifest=manifest)


def _existing(folder: Path, manifest: Manifest) -> ModelBundle:
    existing = ModelBundle.open(folder)
    if _manifest_text(existing.manifest) != _manifest_text(manifest):
        raise ModelError(
            "{folder} already holds another model, {model}; give the new one "
            "another name or version.",
            folder=folder,
            model=existing.manifest.identity,
        )
    return existing


def _manifest_text(manifest: Manifest) -> str:
    try:
        return sealed(manifest_to_json(manifest))
    except ValueError as error:
        raise ModelError(
            "The manifest of {model} holds a value that JSON cannot: {error}; measure "
            "or train again.",
            model=manifest.identity,
            error=error,
        ) from error


def _verify_names(folder: Path, manifest: Manifest) -> None:
    """Raise ModelError unless the folder holds what the manifest lists and nothing else."""
    listed = set(manifest.files)
    if not {GRAPH_FILE} <= listed <= set(_FILES):
        raise ModelError(
            "The manifest of {model} lists the files {listed}; a model has "
            "{graph_file} and may have {names}. Reinstall it.",
            model=manifest.identity,
            listed=sorted(listed),
            graph_file=GRAPH_FILE,
            names=", ".join(_FILES[1:]),
        )
    present = {entry.name for entry in folder.iterdir() if not entry.name.startswith(".")}
    missing = sorted(name for name in listed if not (folder / name).is_file())
    if missing:
        raise ModelError(
            "Model {model} lacks {missing}; reinstall the model.",
            model=manifest.identity,
            missing=missing[0],
        )
    unlisted = sorted(present - listed - {MANIFEST_FILE})
    if unlisted:
        raise ModelError(
            "The folder of model {model} holds {unlisted!r}, which its manifest "
            "does not list; move it out of the folder or reinstall the model.",
            model=manifest.identity,
            unlisted=unlisted[0],
        )


def _check_file_names(files: Mapping[str, Path]) -> None:
    unknown = sorted(set(files) - set(_FILES))
    if unknown or GRAPH_FILE not in files:
        raise ModelError(
            "A model is written from {graph_file} and maybe {names}, not from "
            "{files}; correct the names.",
            graph_file=GRAPH_FILE,
            names=", ".join(_FILES[1:]),
            files=sorted(files),
        )


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(
            "{path} cannot be read: {reason}; check that it exists and may be read.",
            path=path,
            reason=error.strerror,
        ) from error
