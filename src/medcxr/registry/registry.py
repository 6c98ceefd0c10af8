"""Which models this computer has, which one answers, and which one did before."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from medcxr.core.errors import ModelError, StorageError
from medcxr.core.language import text
from medcxr.core.results import Estimate
from medcxr.registry.bundle import ModelBundle, read_manifest, write_bundle
from medcxr.registry.manifest import Manifest
from medcxr.registry.shipped import SHIPPED_MODELS, default_model, model_folders
from medcxr.storage.atomic import write_json_atomically
from medcxr.storage.locks import exclusive

__all__ = ["ModelChoice", "ModelEntry", "ModelRegistry"]

_HISTORY = "history.json"
_USE, _ROLL_BACK = text("use"), text("roll back")
_ACTIONS = (_USE, _ROLL_BACK)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEntry:
    """One line of the list of models.

    Attributes:
        identity: name and version; the folder's name if the model cannot be read.
        created: date of the training, empty if the model cannot be read.
        is_shipped: whether it came with the package.
        is_current: whether it answers now.
        mean_auc: over its findings, from its first measurement; None if not measured.
        problem: why it cannot be used, empty if it can.
        aucs: finding -> AUC, from its first measurement, as far as measured.
        n_bytes: size of the files in its folder.
    """

    identity: str
    created: str
    is_shipped: bool
    is_current: bool
    mean_auc: Estimate | None
    problem: str
    aucs: Mapping[str, Estimate]
    n_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """One line of the history of choices.

    Attributes:
        action: "use" or "roll back".
        model: name and version of the model that answered from then on.
        time: ISO 8601; empty if the history does not say.
    """

    action: str
    model: str
    time: str


class ModelRegistry:
    """The models of a workspace and those shipped.

    Args:
        folder: of the workspace's models; it must exist.
        shipped: folder of the models that came with the package, None for none.
    """

    def __init__(self, folder: Path, shipped: Path | None = SHIPPED_MODELS) -> None:
        self._folder = folder
        self._shipped = shipped
        self._history = folder / _HISTORY

    def register(self, model: Path | ModelBundle) -> ModelBundle:
        """Copy a model into the workspace; which one answers stays as it is.

        Raises:
            ModelError: the model is damaged, or another one has its name and version.
            StorageError: the workspace cannot be written.
        """
        bundle = ModelBundle.open(model.folder if isinstance(model, ModelBundle) else model)
        manifest = bundle.manifest
        for folder in self._folders():
            if folder.parent == self._shipped and _identity(folder) == manifest.identity:
                return self._same(ModelBundle.open(folder), manifest)
        files = {name: bundle.path(name) for name in manifest.files}
        return write_bundle(self._folder / _folder_name(manifest), manifest, files)

    def list(self) -> Sequence[ModelEntry]:
        """Return all models, those of the workspace first, the newest first within each."""
        try:
            current = self.current_folder()
        except ModelError:
            current = None
        entries = [self._entry(folder, current) for folder in self._folders()]
        entries.sort(key=lambda entry: entry.created, reverse=True)
        return sorted(entries, key=lambda entry: entry.is_shipped)

    def history(self) -> Sequence[ModelChoice]:
        """Return the choices made in this workspace, the last one first.

        Raises:
            StorageError: the history is damaged.
        """
        choices = [
            ModelChoice(
                action=event["action"], model=event["model"], time=str(event.get("time", ""))
            )
            for event in self._events()
        ]
        return choices[::-1]

    def current(self) -> ModelBundle:
        """Return the model that answers: the one chosen last, or the package's own choice.

        Raises:
            ModelError: there is none, or it is missing or damaged.
        """
        return ModelBundle.open(self.current_folder())

    def current_folder(self) -> Path:
        """Return where the current model lies, without verifying its files.

        Raises:
            ModelError: there is none.
        """
        used = self._used()
        if used:
            return self._find(used[-1])
        shipped = self._default()
        if shipped is None:
            raise ModelError(
                "No model is in use; choose one that `medcxr models list` names, or train one with `medcxr train`."
            )
        return shipped

    def folder(self, name: str) -> Path:
        """Return where a model lies, without verifying its files.

        Args:
            name: name and version, or a name that has one version.

        Raises:
            ModelError: there is no such model, or the name fits several.
        """
        return self._find(name)

    def get(self, name: str, version: str | None = None) -> ModelBundle:
        """Open a model by name and version, by identity, or by name if it has one version.

        Raises:
            ModelError: there is no such model, the name fits several, or it is damaged.
        """
        return ModelBundle.open(self._find(name if version is None else f"{name} {version}"))

    def use(self, name: str, version: str | None = None) -> ModelBundle:
        """Let a model answer from now on; arguments and errors as for `get`."""
        bundle = self.get(name, version)
        with exclusive(self._history):
            if self._used()[-1:] != [bundle.manifest.identity]:
                self._append(_USE, bundle.manifest.identity)
        return bundle

    def roll_back(self) -> ModelBundle:
        """Let the model answer again that answered before the current one was chosen.

        Before the first choice that was the model which the package names.

        Raises:
            ModelError: no choice is left to take back, or the earlier model cannot be used.
        """
        with exclusive(self._history):
            used = self._used()
            if not used:
                raise ModelError(
                    "There is no earlier model to return to; choose one that `medcxr models list` names, or train one with `medcxr train`."
                )
            earlier = self._find(used[-2]) if len(used) > 1 else self._default()
            if earlier is None:
                raise ModelError(
                    "No model was in use before {used}; choose one that `medcxr models list` names, or train one with `medcxr train`.",
                    used=used[-1],
                )
            bundle = ModelBundle.open(earlier)
            self._append(_ROLL_BACK, bundle.manifest.identity)
        return bundle

    def _same(self, existing: ModelBundle, manifest: Manifest) -> ModelBundle:
        if existing.manifest != manifest:
            raise ModelError(
                "A different model {model} came with the package; give yours another "
                "name or version.",
                model=manifest.identity,
            )
        return existing

    def _entry(self, folder: Path, current: Path | None) -> ModelEntry:
        identity, created, mean_auc, problem = folder.name, "", None, ""
        aucs: dict[str, Estimate] = {}
        try:
            manifest = read_manifest(folder)
            identity, created = manifest.identity, manifest.created
            if manifest.measurements:
                report = manifest.measurements[0].report
                mean_auc = report.mean_auc
                aucs = {one.finding: one.auc for one in report.findings if one.auc is not None}
            ModelBundle.open(folder)
        except ModelError as error:
            problem = error.sentence
        return ModelEntry(
            identity=identity,
            created=created,
            is_shipped=folder.parent == self._shipped,
            is_current=folder == current,
            mean_auc=mean_auc,
            problem=problem,
            aucs=aucs,
            n_bytes=_size(folder),
        )

    def _folders(self) -> Sequence[Path]:
        """Return the folders of all models, those of the workspace first."""
        return [
            folder
            for place in (self._folder, self._shipped)
            if place is not None
            for folder in model_folders(place)
        ]

    def _find(self, wanted: str) -> Path:
        """Return the folder of an identity, or of a name with one version."""
        known = {folder: _identity(folder) for folder in reversed(self._folders())}
        fitting = {i: f for f, i in known.items() if wanted in (i, i.partition(" ")[0])}
        if wanted in fitting:
            return fitting[wanted]
        if len(fitting) > 1:
            raise ModelError(
                "There are several versions of {wanted!r}: {names}; say which one.",
                wanted=wanted,
                names=", ".join(sorted(fitting)),
            )
        if not fitting:
            raise ModelError(
                "There is no model {wanted!r}; choose one that `medcxr models list` names, or train one with `medcxr train`.",
                wanted=wanted,
            )
        return next(iter(fitting.values()))

    def _default(self) -> Path | None:
        return None if self._shipped is None else default_model(self._shipped)

    def _used(self) -> Sequence[str]:
        """Return the identities chosen and not taken back, the last one first in force."""
        used: list[str] = []
        for event in self._events():
            if event["action"] == _ROLL_BACK:
                used = used[:-1]
            else:
                used.append(event["model"])
        return used

    def _events(self) -> Sequence[dict[str, Any]]:
        if not self._history.is_file():
            return []
        try:
            events = json.loads(self._history.read_text(encoding="utf-8"))["events"]
            if not all(e["action"] in _ACTIONS and isinstance(e["model"], str) for e in events):
                raise ValueError
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise StorageError(
                "{history} is damaged; delete it to return to the shipped model, then "
                "choose again with `medcxr models use`.",
                history=self._history,
            ) from error
        return [dict(event) for event in events]

    def _append(self, action: str, identity: str) -> None:
        event = {
            "action": action,
            "model": identity,
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        write_json_atomically(self._history, {"events": [*self._events(), event]})


def _identity(folder: Path) -> str:
    """Return the identity that a folder's manifest states, its name if that cannot be read."""
    try:
        return read_manifest(folder).identity
    except ModelError:
        return folder.name


def _size(folder: Path) -> int:
    """Return how many bytes the files of a folder take; those that cannot be asked count 0."""
    total = 0
    for path in folder.iterdir():
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:
            continue
    return total


def _folder_name(manifest: Manifest) -> str:
    return f"{manifest.name}-{manifest.version}"
