"""Is this an upright frontal chest radiograph that is fit to read?"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import medcxr.gates
from medcxr.core.arrays import FloatArray, Pixels
from medcxr.core.errors import ImageError, ModelError
from medcxr.core.gate import ImageKind, ImageVerdict
from medcxr.core.images import CxrImage
from medcxr.core.language import Sentence, text
from medcxr.imaging.exposure import exposure_warnings
from medcxr.imaging.preprocessing import Preprocessing
from medcxr.inference.session import OnnxSession

__all__ = [
    "GATE_FORMAT",
    "GATE_OUTPUT",
    "SHIPPED_GATE",
    "Gate",
    "GateFigure",
    "gate_input",
    "require_fit",
    "shipped_gate",
]

GATE_FORMAT = 2  # 2: grey levels are normalized by a table, as in manifests of format 2
GATE_OUTPUT = "logits"

SHIPPED_GATE = Path(medcxr.gates.__path__[0])
"""Folder of the gate that comes with the package."""

_GRAPH, _FACTS = "gate.onnx", "gate.json"
_CHILD_YEARS = 18.0  # the models learn from adults
_REASONS: Mapping[ImageKind, str] = {
    ImageKind.TURNED_LEFT: text(
        "This is not an upright frontal chest radiograph: it seems to be turned to the left; turn it by 90 degrees to the right."
    ),
    ImageKind.TURNED_RIGHT: text(
        "This is not an upright frontal chest radiograph: it seems to be turned to the right; turn it by 90 degrees to the left."
    ),
    ImageKind.UPSIDE_DOWN: text(
        "This is not an upright frontal chest radiograph: it seems to be upside down; turn it by 180 degrees."
    ),
    ImageKind.INVERTED: text(
        "This is not an upright frontal chest radiograph: its grays seem to be inverted; export it with air dark and bone bright."
    ),
    ImageKind.CUT: text(
        "This is not an upright frontal chest radiograph: large parts of the chest seem to be cut off; send the whole radiograph."
    ),
    ImageKind.OTHER: text(
        "This is not an upright frontal chest radiograph: it seems to be something else; send a frontal chest radiograph."
    ),
}
_MIRRORED_WARNING = text(
    "The image seems to be mirrored: make sure that the patient's left is on the right side."
)
_CHILD_WARNING = text(
    "The file says that the patient is {age:.0f} years old. The models learn from adults, and a "
    "child's chest looks different: do not rely on the result."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GateFigure:
    """How many images of one sort a gate refused that had not learned from them.

    Attributes:
        what: the sort, in words.
        n_images: of this sort.
        n_refused: by the gate, or by the reader before it.
        share: n_refused of n_images.
        low: bound of the exact binomial 95% interval.
        high: bound of the exact binomial 95% interval.
    """

    what: str
    n_images: int
    n_refused: int
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What the gate's file says of itself."""

    kinds: tuple[ImageKind, ...]
    preprocessing: Preprocessing
    accepted_from: float
    graph_sha256: str
    measured: tuple[GateFigure, ...]


class Gate:
    """A loaded gate; several threads may use it at once.

    Args:
        folder: with gate.onnx and the gate.json that vouches for it.

    Raises:
        ModelError: a file is missing, damaged or of another version.
    """

    def __init__(self, folder: Path) -> None:
        self._facts = _read_facts(folder)
        graph = folder / _GRAPH
        if not graph.is_file() or _sha256(graph) != self._facts.graph_sha256:
            raise ModelError(
                "{graph} is not the file that {facts} lists; reinstall medcxr.",
                graph=graph,
                facts=_FACTS,
            )
        self._session = OnnxSession(graph, outputs=[GATE_OUTPUT], threads=1)

    @property
    def figures(self) -> tuple[GateFigure, ...]:
        """How the recipe of this gate was measured."""
        return self._facts.measured

    def check(self, image: CxrImage) -> ImageVerdict:
        """Judge one image by its pixels and by what its file says of the patient's age."""
        shares = self._shares(image.pixels)
        kind = self._facts.kinds[int(np.argmax(shares))]
        frontal = (ImageKind.FRONTAL, ImageKind.MIRRORED)
        probability = sum(float(shares[self._facts.kinds.index(one)]) for one in frontal)
        if probability < self._facts.accepted_from:
            if kind in frontal:  # neither of the two alone, but no other kind is likelier
                kind = ImageKind.OTHER
            return ImageVerdict(
                kind=kind, probability=probability, accepted=False, reason=_REASONS[kind]
            )
        warnings = exposure_warnings(image.pixels)
        if kind is ImageKind.MIRRORED:
            warnings += (_MIRRORED_WARNING,)
        age = image.acquisition.age_years
        if age is not None and age < _CHILD_YEARS:
            warnings += (Sentence(_CHILD_WARNING, age=age),)
        return ImageVerdict(kind=kind, probability=probability, accepted=True, warnings=warnings)

    def _shares(self, pixels: Pixels) -> np.ndarray:
        square, _ = self._facts.preprocessing.fit(pixels)
        (logits,) = self._session.run(gate_input(square, self._facts.preprocessing)[np.newaxis])
        shares = np.exp(logits[0].astype(np.float64) - logits[0].max())
        return np.asarray(shares / shares.sum())


def gate_input(square: FloatArray, preprocessing: Preprocessing) -> FloatArray:
    """Standardize a fitted square over its whole area, padding included: (1, size, size)."""
    side = preprocessing.size
    return preprocessing.normalize(square, (0, 0, side, side))


def require_fit(gate: Gate, image: CxrImage) -> ImageVerdict:
    """Return the verdict on an image that may be analyzed.

    Raises:
        ImageError: it may not; the message says why and what to do.
    """
    verdict = gate.check(image)
    if not verdict.accepted:
        raise ImageError(verdict.reason)
    return verdict


@cache
def shipped_gate() -> Gate:
    """Return the gate that comes with the package; errors as for `Gate`."""
    return Gate(SHIPPED_GATE)


def _read_facts(folder: Path) -> _Facts:
    path = folder / _FACTS
    try:
        plain: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if plain["format"] != GATE_FORMAT:
            raise ValueError
        return _Facts(
            kinds=tuple(ImageKind(kind) for kind in plain["kinds"]),
            preprocessing=Preprocessing(**plain["preprocessing"]),
            accepted_from=float(plain["accepted_from"]),
            graph_sha256=str(plain["graph_sha256"]),
            measured=tuple(GateFigure(**row) for row in plain["measured"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            "{path} is missing, damaged or of another version; reinstall medcxr.", path=path
        ) from error


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
