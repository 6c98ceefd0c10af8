"""The gate's whole run: cross-validate, leave kinds out, train on everything, export."""

import hashlib
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from scipy.stats import beta

from medcxr import __version__
from medcxr.core.arrays import Statistics
from medcxr.core.gate import ImageKind
from medcxr.inference.gate import GATE_FORMAT, GATE_OUTPUT, GateFigure
from medcxr.learning.export import write_graph
from medcxr.learning.gate_network import GateNetwork
from medcxr.learning.gate_scenes import GATE_PREPROCESSING, Scenery
from medcxr.learning.gate_training import (
    GateImages,
    GateSettings,
    fit_gate,
    frontal_probability,
    load_gate_images,
    split_in_folds,
)
from medcxr.storage.atomic import write_folder_atomically, write_json_atomically

__all__ = ["train_gate"]

ACCEPTED_FROM = 0.5  # chosen beforehand, not by the images measured here
_TILTS = (-15.0, -10.0, 10.0, 15.0)  # degrees
_EVERY = 3  # every third frontal image is also tilted, turned, inverted and cut
_TURNS = (
    ImageKind.TURNED_LEFT,
    ImageKind.UPSIDE_DOWN,
    ImageKind.TURNED_RIGHT,
    ImageKind.INVERTED,
    ImageKind.CUT,
)
_UNSEEN = {  # groups of kinds that are alike, so that none helps to know the others
    "photographs": ("photo",),
    "hands and bones": ("hand", "bone", "bone_hires"),
    "CT": ("headct", "chestct", "abdomenct"),
    "breast MRI": ("breastmri",),
}

Watch = Callable[[str, int, int], None]
"""Takes what is being done, and how much of how much."""


def train_gate(
    settings: GateSettings, data: Path, out: Path, *, watch: Watch | None = None
) -> list[dict[str, object]]:
    """Train and measure a gate, and write its folder.

    Args:
        settings: tables and optimization.
        data: folder of the tables.
        out: a new folder for gate.onnx and gate.json.
        watch: called with the progress.

    Returns:
        The measured figures, as they stand in gate.json.

    Raises:
        DataError: a table or an image is wrong.
        StorageError: the folder exists already or cannot be written.
    """
    show = watch or (lambda _what, _done, _total: None)
    images = load_gate_images(settings, data, progress=lambda d, t: show("Reading images", d, t))

    def fit(name: str, rows: np.ndarray) -> GateNetwork:
        return fit_gate(
            images, rows.tolist(), settings, progress=lambda s, _: show(name, s, settings.steps)
        )

    measured = _cross_validate(images, settings, fit) + _leave_kinds_out(images, fit)
    network = fit("final", np.arange(len(images)))
    with write_folder_atomically(out) as part:
        graph = part / "gate.onnx"
        size = GATE_PREPROCESSING.size
        write_graph(network, graph, torch.zeros(2, 1, size, size), [GATE_OUTPUT])
        rows = [asdict(one) for one in measured]
        facts = {
            "format": GATE_FORMAT,
            "kinds": [kind.value for kind in ImageKind],
            "preprocessing": asdict(GATE_PREPROCESSING),
            "accepted_from": ACCEPTED_FROM,
            "graph_sha256": hashlib.sha256(graph.read_bytes()).hexdigest(),
            "software": __version__,
            "settings": asdict(settings),
            "n_images": len(images),
            "data_sha256": images.digest,
            "command": "medcxr gate train --data DATA --out FOLDER",
            "measured": rows,
        }
        write_json_atomically(part / "gate.json", facts, mode=0o644)
    return rows


_Fit = Callable[[str, np.ndarray], GateNetwork]


def _cross_validate(images: GateImages, settings: GateSettings, fit: _Fit) -> list[GateFigure]:
    folds = split_in_folds(images, settings.folds, settings.seed)
    probabilities: dict[str, list[Statistics]] = {}
    for number, held_out in enumerate(folds, start=1):
        rows = np.setdiff1d(np.arange(len(images)), held_out)
        network = fit(f"fold {number}", rows)
        for what, chosen, sceneries in _questions(images, held_out, settings.seed):
            shown = (images.show(i, s) for i, s in zip(chosen, sceneries, strict=True))
            if len(chosen):
                probabilities.setdefault(what, []).append(frontal_probability(network, shown)[0])
    return [
        _measure(what, np.concatenate(parts), _unread(images, what))
        for what, parts in probabilities.items()
    ]


def _questions(
    images: GateImages, rows: np.ndarray, seed: int
) -> list[tuple[str, np.ndarray, list[Scenery]]]:
    frontal, other = rows[images.is_frontal[rows]], rows[~images.is_frontal[rows]]
    groups = np.asarray(images.groups)
    random = np.random.default_rng(seed)
    upright = Scenery(kind=ImageKind.FRONTAL)
    asked = [("frontal radiographs", frontal, [upright] * len(frontal))]
    for group in sorted(set(groups[frontal])):
        of_group = frontal[groups[frontal] == group]
        asked.append((f"frontal radiographs of {group}", of_group, [upright] * len(of_group)))
    frontal = frontal[::_EVERY]
    for tilt in _TILTS:
        tilted = Scenery(kind=ImageKind.FRONTAL, tilt_degrees=tilt)
        asked.append((f"frontal, tilted {tilt:+g} degrees", frontal, [tilted] * len(frontal)))
    mirrored = Scenery(kind=ImageKind.MIRRORED)
    asked.append(("frontal, mirrored", frontal, [mirrored] * len(frontal)))
    for kind in _TURNS:
        sceneries = [
            Scenery.draw(kind, random) if kind is ImageKind.CUT else Scenery(kind=kind)
            for _ in frontal
        ]
        asked.append((f"frontal, {kind.value}", frontal, sceneries))
    plain = Scenery(kind=ImageKind.OTHER)
    asked.append(("other images", other, [plain] * len(other)))
    for group in sorted(set(groups[other])):
        of_group = other[groups[other] == group]
        asked.append((f"other images: {group}", of_group, [plain] * len(of_group)))
    return asked


def _leave_kinds_out(images: GateImages, fit: _Fit) -> list[GateFigure]:
    """Ask about kinds of images that the network has never seen."""
    groups = np.asarray(images.groups)
    found = []
    for name, kinds in _UNSEEN.items():
        unseen = np.flatnonzero(np.isin(groups, kinds))
        if not len(unseen):
            continue
        network = fit(f"without {name}", np.setdiff1d(np.arange(len(images)), unseen))
        plain = Scenery(kind=ImageKind.OTHER)
        asked, _ = frontal_probability(network, (images.show(i, plain) for i in unseen.tolist()))
        found.append(_measure(f"never seen in training: {name}", asked, 0))
    return found


def _unread(images: GateImages, what: str) -> int:
    if what == "other images":
        return sum(images.unread.values())
    return images.unread.get(what.removeprefix("other images: "), 0)


def _measure(what: str, probabilities: Statistics, n_unread: int) -> GateFigure:
    n = len(probabilities) + n_unread
    refused = int((probabilities < ACCEPTED_FROM).sum()) + n_unread
    low, high = _exact_interval(refused, n)
    return GateFigure(
        what=what, n_images=n, n_refused=refused, share=refused / n, low=low, high=high
    )


def _exact_interval(hits: int, n: int, tail: float = 0.025) -> tuple[float, float]:
    """Source: Clopper and Pearson 1934."""
    low = float(beta.ppf(tail, hits, n - hits + 1)) if hits else 0.0
    high = float(beta.ppf(1 - tail, hits + 1, n - hits)) if hits < n else 1.0
    return low, high
