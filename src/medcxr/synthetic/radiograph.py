"""Make one radiograph of a synthetic patient, with exact truth beside it."""

from dataclasses import dataclass

import numpy as np

from medcxr.core.arrays import BoolArray, FloatArray, Pixels
from medcxr.core.errors import DataError
from medcxr.core.findings import Finding
from medcxr.core.images import View
from medcxr.synthetic.airways import airways_mm, lung_texture, vessels_mm
from medcxr.synthetic.detector import display, expose
from medcxr.synthetic.lesions import (
    Lesion,
    consolidation_share,
    effusion_share,
    outline_lesion,
)
from medcxr.synthetic.markings import add_marker, leads_mm, open_field
from medcxr.synthetic.outlines import Chest, draw_chest
from medcxr.synthetic.parameters import ThoraxParameters
from medcxr.synthetic.projection import (
    LUNG_DENSITY,
    ConeBeam,
    Material,
    attenuation,
    transmission,
)
from medcxr.synthetic.skeleton import bones_mm
from medcxr.synthetic.trunk import body_mm, breasts_mm, gut_gas_mm

__all__ = ["SMALLEST_SIZE", "SyntheticRadiograph", "simulate"]

SMALLEST_SIZE = 96
_AIR_SHARE = np.float32(1 - LUNG_DENSITY)  # of a ray in the lung that meets no tissue


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SyntheticRadiograph:
    """A simulated radiograph and the truth about it.

    Attributes:
        pixels: (size, size), float32, 0...1, bright is dense.
        view: PA or AP.
        findings: present findings, or "No Finding" alone.
        right_lung: the patient's right lung field (left in the image), diseased parts included.
        left_lung: the patient's left lung field.
        heart: silhouette of the heart; the three masks share no pixel.
        cardiothoracic_ratio: width of the heart over the inner width of the thorax, of the masks.
        lesions: where each finding is; for cardiomegaly, the heart.
        spacing_mm: size of a pixel at the detector, (row, column).
        parameters: the patient.
        seed: of the random texture.
    """

    pixels: Pixels
    view: View
    findings: tuple[Finding, ...]
    right_lung: BoolArray
    left_lung: BoolArray
    heart: BoolArray
    cardiothoracic_ratio: float
    lesions: tuple[Lesion, ...]
    spacing_mm: tuple[float, float]
    parameters: ThoraxParameters
    seed: int


def simulate(
    parameters: ThoraxParameters, *, size: int = 512, seed: int = 0
) -> SyntheticRadiograph:
    """Take a radiograph of a synthetic patient; the same arguments give the same image.

    The patient without a lesion and the same seed has the same texture everywhere else.

    Raises:
        DataError: the size is too small to show a chest.
    """
    if size < SMALLEST_SIZE:
        raise DataError(
            f"Size {size} is too small to show a chest; choose {SMALLEST_SIZE} or more."
        )
    beam = ConeBeam(parameters=parameters, size=size)
    chest = draw_chest(beam)
    air, lesions = _aerate(beam, chest, seed)
    thickness = _thicknesses(beam, chest, air, seed)
    field = open_field(beam)
    exposure = parameters.exposure
    primary = transmission(thickness, exposure.kvp)
    signal = expose(primary, exposure, beam.pixel_mm, _stream(seed, "noise"))
    body = (thickness[Material.SOFT_TISSUE] > 15) & field
    pixels = display(signal, exposure, beam.pixel_mm, body)
    pixels = np.where(field, pixels, np.float32(0.5 * exposure.black))
    return SyntheticRadiograph(
        pixels=add_marker(pixels, beam),
        view=parameters.view,
        findings=parameters.findings,
        right_lung=chest.right_lung,
        left_lung=chest.left_lung,
        heart=chest.heart,
        cardiothoracic_ratio=chest.cardiothoracic_ratio,
        lesions=lesions,
        spacing_mm=(beam.pixel_mm, beam.pixel_mm),
        parameters=parameters,
        seed=seed,
    )


def _aerate(beam: ConeBeam, chest: Chest, seed: int) -> tuple[FloatArray, tuple[Lesion, ...]]:
    """Return the aerated length of rays after fluid and consolidation, and the lesions."""
    p = beam.parameters
    per_mm = np.float32(attenuation(Material.SOFT_TISSUE, p.exposure.kvp)) * _AIR_SHARE
    air = chest.lung_mm
    found: list[Lesion | None] = []
    for effusion in p.effusions:
        share = effusion_share(beam, chest, effusion)
        added = per_mm * air * share
        found.append(outline_lesion(Finding.EFFUSION, chest.lung(effusion.side), share, added))
        air = air * (1 - share)
    for index, focus in enumerate(p.consolidations):
        share = consolidation_share(beam, chest, focus, _stream(seed, f"focus {index}"))
        added = per_mm * air * share
        found.append(outline_lesion(Finding.PNEUMONIA, chest.lung(focus.side), share, added))
        air = air * (1 - share)
    if Finding.CARDIOMEGALY in p.findings:
        share = chest.heart.astype(np.float32)
        added = per_mm * chest.heart_mm
        found.append(outline_lesion(Finding.CARDIOMEGALY, chest.heart, share, added))
    return air, tuple(lesion for lesion in found if lesion is not None)


def _thicknesses(
    beam: ConeBeam, chest: Chest, air: FloatArray, seed: int
) -> dict[Material, FloatArray]:
    """Return the length of rays in each material."""
    body = body_mm(beam)
    bone = np.minimum(bones_mm(beam), body)
    healthy = np.maximum(chest.lung_mm, 1e-3)
    vessels = np.minimum(vessels_mm(beam, _stream(seed, "vessels")), 0.6 * chest.lung_mm)
    aerated = (air - vessels * air / healthy) * (1 + lung_texture(beam, _stream(seed, "texture")))
    gas = airways_mm(beam) + gut_gas_mm(beam, _stream(seed, "gut"))
    soft = body + breasts_mm(beam) - _AIR_SHARE * aerated - gas - bone
    metal = leads_mm(beam, _stream(seed, "leads"))
    return {
        Material.SOFT_TISSUE: np.maximum(soft, 0),
        Material.BONE: bone,
        Material.METAL: metal,
    }


def _stream(seed: int, purpose: str) -> np.random.Generator:
    """Return a generator of its own for each purpose, so that none shifts another's draws."""
    return np.random.default_rng([seed, *purpose.encode()])
