"""Draw synthetic patients: habitus, findings, position, exposure."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from medcxr.core.errors import DataError
from medcxr.core.findings import Finding
from medcxr.core.images import View
from medcxr.synthetic.parameters import (
    CARDIOMEGALY_FLOOR,
    NORMAL_HEART_CEILING,
    Consolidation,
    Effusion,
    Exposure,
    Markings,
    Position,
    Side,
    ThoraxParameters,
)

__all__ = ["sample_parameters", "sample_visit"]

_LARGEST_HEART = 0.66
_DISEASES = (Finding.PNEUMONIA, Finding.EFFUSION, Finding.CARDIOMEGALY)
# (side, lateral range, height range) of foci that are not hidden by heart or diaphragm
_LOBES = (
    (Side.RIGHT, (0.25, 0.75), (0.18, 0.34)),
    (Side.RIGHT, (0.25, 0.80), (0.55, 0.74)),
    (Side.LEFT, (0.30, 0.75), (0.18, 0.40)),
    (Side.LEFT, (0.62, 0.85), (0.56, 0.72)),  # last: an enlarged heart hides it
)


def sample_parameters(
    rng: np.random.Generator,
    *,
    findings: Collection[Finding] | None = None,
    view: View | None = None,
) -> ThoraxParameters:
    """Draw a patient, with the given findings or with findings drawn at random.

    Raises:
        DataError: the findings contradict each other.
    """
    if findings is None:
        findings = [finding for finding in _DISEASES if rng.random() < 0.3]
    wanted = frozenset(findings)
    if Finding.NO_FINDING in wanted and len(wanted) > 1:
        others = sorted(wanted - {Finding.NO_FINDING})
        raise DataError(f'"No Finding" excludes {", ".join(others)}; give it alone.')
    effusions: tuple[Effusion, ...] = ()
    if Finding.EFFUSION in wanted:
        effusions = _effusions(rng, most=0.6 if Finding.PNEUMONIA in wanted else 1.0)
    enlarged = Finding.CARDIOMEGALY in wanted
    foci: tuple[Consolidation, ...] = ()
    if Finding.PNEUMONIA in wanted:
        foci = _consolidations(rng, effusions, enlarged=enlarged)
    patient = replace(
        _habitus(rng, view or (View.PA if rng.random() < 0.7 else View.AP)),
        heart_ratio=_heart_ratio(rng, enlarged=enlarged),
        effusions=effusions,
        consolidations=foci,
    )
    return sample_visit(patient, rng)


def sample_visit(patient: ThoraxParameters, rng: np.random.Generator) -> ThoraxParameters:
    """Return the same patient, positioned and exposed anew."""
    bedside = patient.view is View.AP
    wobble = 1.6 if bedside else 1.0
    # the whole thorax stays on the detector, in front of which a bedside patient lies crooked
    largest = max(2.12 * patient.half_width_mm, patient.lung_height_mm + 62)
    field_mm = float(largest * rng.uniform(1.22, 1.42) * (1.06 if bedside else 1.0))
    slack = 0.04 * field_mm
    return replace(
        patient,
        position=Position(
            field_mm=field_mm,
            roll_deg=_bell(rng, 0, 1.0 * wobble, 2.6),
            yaw_deg=_bell(rng, 0, 1.3 * wobble, 4.0),
            shift_mm=(
                _bell(rng, -0.01 * field_mm, 0.5 * slack, slack),
                _bell(rng, 0, 0.4 * slack, slack),
            ),
        ),
        exposure=_exposure(rng, bedside=bedside),
        markings=_markings(rng, bedside=bedside),
    )


def _habitus(rng: np.random.Generator, view: View) -> ThoraxParameters:
    sex = "F" if rng.random() < 0.48 else "M"
    age = int(np.clip(rng.normal(52, 17), 18, 92))
    stout = float(np.clip(rng.normal(0, 1), -2, 2.4))
    male = 1.0 if sex == "M" else 0.0
    half_width = float(rng.normal(128 + 11 * male, 6) + 2 * stout)
    inspired = float(rng.normal(0 if view is View.PA else -1.2, 0.8))  # depth of the breath
    return ThoraxParameters(
        view=view,
        age_years=age,
        sex=sex,
        half_width_mm=float(np.clip(half_width, 112, 158)),
        lung_height_mm=float(np.clip(238 + 18 * male + 11 * inspired + rng.normal(0, 8), 195, 292)),
        half_depth_mm=float(np.clip(100 + 6 * male + 7 * stout + rng.normal(0, 4), 86, 128)),
        chest_wall_mm=float(np.clip(27 + 8 * stout + rng.normal(0, 3), 14, 52)),
        breast_mm=0.0 if male else float(np.clip(30 + 12 * stout + rng.normal(0, 12), 0, 70)),
        right_dome_mm=float(np.clip(60 - 4 * inspired + rng.normal(0, 6), 44, 80)),
        left_dome_mm=float(np.clip(50 - 4 * inspired + rng.normal(0, 5), 34, 68)),
        heart_tilt_deg=float(np.clip(rng.normal(0, 6), -12, 12)),
        aortic_knob_mm=float(np.clip(12.5 + 0.08 * (age - 40) + rng.normal(0, 1.2), 10, 21)),
        mediastinum_mm=float(np.clip(22 + 1.6 * stout + rng.normal(0, 1.8), 18, 31)),
        scoliosis_mm=float(np.clip(rng.normal(0, 2.5), -8, 8)),
        rib_tilt_mm=float(np.clip(98 + 7 * inspired + rng.normal(0, 9), 70, 130)),
        bone_density=float(np.clip(1.08 - 0.005 * (age - 40) + rng.normal(0, 0.1), 0.65, 1.3)),
        vessel_size=float(np.clip(rng.normal(1.15, 0.13), 0.85, 1.5)),
        stomach_gas_mm=0.0 if rng.random() < 0.3 else float(rng.uniform(12, 36)),
        bowel_gas=float(rng.uniform(0, 1)),
        arm_angle_deg=float(rng.uniform(8, 24)),
        scapula_mm=float(rng.normal(10 if view is View.PA else -10, 6)),
    )


def _heart_ratio(rng: np.random.Generator, *, enlarged: bool) -> float:
    if enlarged:
        return float(
            CARDIOMEGALY_FLOOR + (_LARGEST_HEART - CARDIOMEGALY_FLOOR) * rng.beta(1.3, 2.0)
        )
    return float(np.clip(rng.normal(0.43, 0.03), 0.36, NORMAL_HEART_CEILING))


def _effusions(rng: np.random.Generator, *, most: float) -> tuple[Effusion, ...]:
    sides = (
        tuple(Side) if rng.random() < 0.35 else (Side.RIGHT if rng.random() < 0.55 else Side.LEFT,)
    )
    return tuple(
        Effusion(
            side=side, volume=float(most * rng.beta(1.2, 2.0)), softness_mm=float(rng.uniform(4, 9))
        )
        for side in sides
    )


def _consolidations(
    rng: np.random.Generator, effusions: tuple[Effusion, ...], *, enlarged: bool
) -> tuple[Consolidation, ...]:
    """Draw foci in different lobes, none drowned in fluid or behind an enlarged heart."""
    fluid = {effusion.side: effusion.volume for effusion in effusions}
    free = [
        (side, lateral, height)
        for side, lateral, height in (_LOBES[:-1] if enlarged else _LOBES)
        if side not in fluid or height[1] < 0.75 - 0.5 * fluid[side]
    ]
    wanted = int(rng.choice((1, 2, 3), p=(0.62, 0.28, 0.10)))
    chosen = rng.choice(len(free), size=min(wanted, len(free)), replace=False)
    return tuple(
        Consolidation(
            side=side,
            lateral=float(rng.uniform(*lateral)),
            height=float(rng.uniform(*height)),
            radius_mm=float(rng.uniform(26, 50)),
            density=float(rng.uniform(0.55, 0.92)),
            air_bronchograms=bool(rng.random() < 0.45),
        )
        for side, lateral, height in (free[index] for index in chosen)
    )


def _exposure(rng: np.random.Generator, *, bedside: bool) -> Exposure:
    return Exposure(
        kvp=float(rng.uniform(80, 105) if bedside else rng.uniform(105, 130)),
        photons=float(10 ** rng.uniform(4.3, 5.2)),
        scatter_ratio=float(rng.uniform(0.35, 1.0) if bedside else rng.uniform(0.12, 0.4)),
        blur_mm=float(rng.uniform(0.2, 0.5)),
        flattening=float(rng.uniform(0.1, 0.45)),
        sharpening=float(rng.uniform(0.2, 0.9)),
        gamma=float(np.clip(rng.normal(0.95, 0.16), 0.7, 1.35)),
        black=float(rng.uniform(0.0, 0.08)),
        white=float(rng.uniform(0.84, 0.99)),
    )


def _markings(rng: np.random.Generator, *, bedside: bool) -> Markings:
    marker = str(rng.choice(("L", "R", ""), p=(0.6, 0.2, 0.2)))
    at_side = 0.91 if marker == "L" else 0.09
    closed = np.where(rng.random(4) < 0.22, rng.uniform(0.008, 0.03, 4), 0.0)
    return Markings(
        marker=marker,
        caption=str(rng.choice(("", "", "SIM", "AB", "PORT" if bedside else "UP"))),
        framed=bool(rng.random() < 0.25),
        marker_at=(float(rng.uniform(0.07, 0.2)), float(at_side + rng.uniform(-0.03, 0.03))),
        collimation=(float(closed[0]), float(closed[1]), float(closed[2]), float(closed[3])),
        n_leads=int(rng.integers(1, 5)) if bedside and rng.random() < 0.55 else 0,
    )


def _bell(rng: np.random.Generator, mean: float, spread: float, most: float) -> float:
    return float(np.clip(rng.normal(mean, spread), -most, most))
