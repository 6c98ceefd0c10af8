"""Train the gate, and measure it on images that it has not learned from."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from medcxr.core.arrays import FloatArray, Statistics
from medcxr.core.errors import DataError, ImageError
from medcxr.core.gate import ImageKind
from medcxr.datasets.study_table import check_image_path, read_rows, unnamed_patient
from medcxr.imaging.preprocessing import Preprocessing
from medcxr.imaging.reading import read_image
from medcxr.learning.gate_network import GateNetwork
from medcxr.learning.gate_scenes import Scenery, show
from medcxr.learning.schedule import warm_cosine
from medcxr.synthetic.radiograph import simulate
from medcxr.synthetic.sampling import sample_parameters

__all__ = ["GateImages", "GateSettings", "fit_gate", "frontal_probability", "load_gate_images",
           "split_in_folds"]  # fmt: skip

KINDS = tuple(ImageKind)
_SHARES = {  # of each batch
    ImageKind.FRONTAL: 0.3,
    ImageKind.MIRRORED: 0.1,
    ImageKind.TURNED_LEFT: 0.08,
    ImageKind.UPSIDE_DOWN: 0.08,
    ImageKind.TURNED_RIGHT: 0.08,
    ImageKind.INVERTED: 0.08,
    ImageKind.CUT: 0.1,
    ImageKind.OTHER: 0.18,
}
_STORED = Preprocessing(size=192)  # fine enough for a cut of a third


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSettings:
    """How the gate is trained.

    Attributes:
        frontal_tables: manifests of upright frontal chest radiographs.
        other_tables: manifests of images that are none, with a column "kind".
        n_simulated: simulated radiographs among the frontal ones.
        steps: of the optimization.
        batch_size: images a step.
        learning_rate: the peak.
        folds: of the cross-validation.
        seed: of everything.
    """

    frontal_tables: tuple[str, ...] = (
        "nih/manifest.csv",
        "effusion512/manifest.csv",
        "jsrt/manifest.csv",
        "wingspan/manifest.csv",
        "lungs/manifest.csv",
        "nih64/manifest.csv",
    )
    other_tables: tuple[str, ...] = ("not_frontal_cxr/manifest.csv",)
    n_simulated: int = 150
    steps: int = 450
    batch_size: int = 96
    learning_rate: float = 3e-3
    folds: int = 3
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GateImages:
    """All images of a run.

    Attributes:
        squares: (n, 192, 192), uint8.
        contents: where each image lies in its square.
        is_frontal: (n,).
        owners: patient of each image, so that no patient is in two folds.
        groups: table of a frontal image, kind of another one.
        unread: group -> how many of its images the reader refused, so that no gate saw them.
        digest: SHA-256 over the images.
    """

    squares: np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]
    contents: tuple[tuple[int, int, int, int], ...]
    is_frontal: np.ndarray[tuple[int], np.dtype[np.bool_]]
    owners: tuple[str, ...]
    groups: tuple[str, ...]
    unread: Mapping[str, int]
    digest: str

    def __len__(self) -> int:
        return len(self.contents)

    def show(self, index: int, scenery: Scenery, *, seed: int = 0) -> FloatArray:
        """Return (1, 96, 96), one image in a scenery."""
        square = self.squares[index].astype(np.float32) / 255
        return show(square, self.contents[index], scenery, seed=seed)


def load_gate_images(
    settings: GateSettings,
    folder: Path,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> GateImages:
    """Read the tables' images and simulate further ones.

    Raises:
        DataError: a table is wrong, or an image cannot be read.
    """
    entries = [
        (path, row, frontal)
        for tables, frontal in ((settings.frontal_tables, True), (settings.other_tables, False))
        for path in tables
        for row in read_rows(check_image_path(folder, path), required=("image_path",))
    ]
    total = len(entries) + settings.n_simulated
    squares, contents, owners, groups, frontal_flags = [], [], [], [], []
    unread: dict[str, int] = {}
    for number, (path, row, frontal) in enumerate(entries):
        if progress is not None:
            progress(number, total)
        group = path if frontal else row.get("kind") or path
        try:
            pixels = _pixels(folder, path, row)
        except ImageError as error:
            if frontal:
                raise DataError(
                    f"{row['image_path']} of {path}: {error} Correct or remove the row."
                ) from error
            unread[group] = unread.get(group, 0) + 1  # refused before the gate is asked
            continue
        name = row.get("patient_id") or unnamed_patient(row["image_path"])
        # one hospital's two tables number the same patients
        owners.append(f"{path.replace('nih64/', 'nih/')}:{name}")
        groups.append(group)
        frontal_flags.append(frontal)
        square, content = _stored(pixels)
        squares.append(square)
        contents.append(content)
    random = np.random.default_rng(settings.seed)
    for number in range(settings.n_simulated):
        radiograph = simulate(sample_parameters(random), size=_STORED.size, seed=number)
        square, content = _stored(radiograph.pixels)
        squares.append(square)
        contents.append(content)
        owners.append(f"simulated:{number}")
        groups.append("simulated")
        frontal_flags.append(True)
    stacked = np.stack(squares)
    return GateImages(
        squares=stacked,
        contents=tuple(contents),
        is_frontal=np.array(frontal_flags),
        owners=tuple(owners),
        groups=tuple(groups),
        unread=unread,
        digest=hashlib.sha256(stacked.tobytes()).hexdigest(),
    )


def split_in_folds(images: GateImages, n_folds: int, seed: int) -> list[np.ndarray]:
    """Divide image numbers into folds: no owner in two of them, every group in all."""
    fold_of: dict[str, int] = {}
    random = np.random.default_rng(seed)
    for group in sorted(set(images.groups)):
        members = [o for o, g in zip(images.owners, images.groups, strict=True) if g == group]
        fresh = [owner for owner in dict.fromkeys(members) if owner not in fold_of]
        order = random.permutation(len(fresh))
        fold_of |= {fresh[j]: int(i) % n_folds for i, j in enumerate(order)}
    folds = np.array([fold_of[owner] for owner in images.owners])
    return [np.flatnonzero(folds == fold) for fold in range(n_folds)]


def fit_gate(
    images: GateImages,
    rows: Sequence[int],
    settings: GateSettings,
    *,
    progress: Callable[[int, float], None] | None = None,
) -> GateNetwork:
    """Train on these rows and return the network in evaluation mode.

    Raises:
        DataError: the rows lack frontal or other images.
    """
    chosen = np.asarray(rows)
    frontal = chosen[images.is_frontal[chosen]]
    other = chosen[~images.is_frontal[chosen]]
    if not (len(frontal) and len(other)):
        raise DataError("The gate needs frontal radiographs and other images; give tables of both.")
    torch.manual_seed(settings.seed)
    network = GateNetwork().train()
    optimizer = torch.optim.AdamW(network.parameters(), settings.learning_rate, weight_decay=0.02)
    random = np.random.default_rng(settings.seed)
    for step in range(settings.steps):
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * warm_cosine(step, settings.steps)
        inputs, kinds = _batch(images, frontal, other, settings.batch_size, random)
        loss = F.cross_entropy(
            network(torch.from_numpy(inputs)), torch.from_numpy(kinds), label_smoothing=0.02
        )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if progress is not None:
            progress(step + 1, float(loss.detach()))
    return network.eval()


@torch.inference_mode()
def frontal_probability(
    network: GateNetwork, inputs: Iterable[FloatArray]
) -> tuple[Statistics, np.ndarray]:
    """Return the probability of an upright frontal radiograph and the likeliest kind of each."""
    stacked = torch.from_numpy(np.stack(list(inputs)))
    shares = torch.cat([network(part).softmax(1) for part in stacked.split(64)]).double().numpy()
    upright = shares[:, KINDS.index(ImageKind.FRONTAL)]
    mirrored = shares[:, KINDS.index(ImageKind.MIRRORED)]
    return upright + mirrored, shares.argmax(axis=1)


def _pixels(folder: Path, path: str, row: Mapping[str, str]) -> FloatArray:
    table = check_image_path(folder, path)
    return read_image(check_image_path(table.parent, row["image_path"])).pixels


def _stored(pixels: FloatArray) -> tuple[np.ndarray, tuple[int, int, int, int]]:
    square, geometry = _STORED.fit(pixels)
    return np.rint(square * 255).astype(np.uint8), geometry.content


def _batch(
    images: GateImages,
    frontal: np.ndarray,
    other: np.ndarray,
    size: int,
    random: np.random.Generator,
) -> tuple[FloatArray, np.ndarray]:
    kinds = random.choice(len(KINDS), size=size, p=[_SHARES[kind] for kind in KINDS])
    inputs = np.empty((size, 1, 96, 96), dtype=np.float32)
    for place, number in enumerate(kinds):
        kind, seed = KINDS[number], int(random.integers(2**31))
        if kind is ImageKind.OTHER and random.random() < 0.15:
            square = _nothing(random)
            content = (0, 0, _STORED.size, _STORED.size)
            inputs[place] = show(square, content, Scenery.draw(kind, random), seed=seed)
            continue
        index = int(random.choice(other if kind is ImageKind.OTHER else frontal))
        inputs[place] = images.show(index, Scenery.draw(kind, random), seed=seed)
    return inputs, kinds


def _nothing(random: np.random.Generator) -> FloatArray:
    """Return a picture of nothing: a level, a ramp, noise or boxes."""
    side = _STORED.size
    ramp = np.linspace(0, 1, side, dtype=np.float32)
    match int(random.integers(4)):
        case 0:
            return np.full((side, side), random.random(), dtype=np.float32)
        case 1:
            sloped = np.add.outer(ramp * random.uniform(-1, 1), ramp)
            return np.asarray(sloped / 2 + 0.25, dtype=np.float32)
        case 2:
            coarse = random.random([int(random.integers(4, side))] * 2, dtype=np.float32)
            index = np.arange(side) * len(coarse) // side
            return np.asarray(coarse[index][:, index], dtype=np.float32)
        case _:
            square = np.full((side, side), random.random(), dtype=np.float32)
            for top, left, height, width in random.integers(
                0, side, (int(random.integers(1, 12)), 4)
            ):
                square[top : top + height, left : left + width] = random.random()
            return square
