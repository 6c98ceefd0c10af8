"""Everything that decides what a synthetic chest looks like, except its fine random texture."""

from dataclasses import dataclass, field
from enum import StrEnum

from medcxr.core.errors import DataError
from medcxr.core.findings import Finding
from medcxr.core.images import View

__all__ = [
    "CARDIOMEGALY_FLOOR",
    "NORMAL_HEART_CEILING",
    "Consolidation",
    "Effusion",
    "Exposure",
    "Markings",
    "Position",
    "Side",
    "ThoraxParameters",
]

NORMAL_HEART_CEILING = 0.465
CARDIOMEGALY_FLOOR = 0.54
# A cardiothoracic ratio above 0.5 on a PA view is cardiomegaly; no heart is made between the
# two, so that tilt and pixel size never carry a measured ratio across 0.5.


class Side(StrEnum):
    """The patient's side; the patient's right is on the left of the image."""

    RIGHT = "right"
    LEFT = "left"

    @property
    def sign(self) -> int:
        """Direction of the side along x: the patient's left is positive."""
        return 1 if self is Side.LEFT else -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Effusion:
    """Free pleural fluid at one base."""

    side: Side
    volume: float  # 0 blunts the costophrenic angle, 1 fills half of the hemithorax
    softness_mm: float = 8.0  # height over which the upper border fades


@dataclass(frozen=True, slots=True, kw_only=True)
class Consolidation:
    """Airspace opacity of pneumonia, one focus."""

    side: Side
    lateral: float  # 0 at the mediastinum, 1 at the chest wall
    height: float  # 0 at the apex, 1 at the costophrenic angle
    radius_mm: float
    density: float  # share of the air that is replaced in the middle of the focus
    air_bronchograms: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How the patient stands before the detector."""

    field_mm: float = 400.0  # side of the square detector area
    roll_deg: float = 0.0  # tilt in the image plane
    yaw_deg: float = 0.0  # turn about the body's long axis
    shift_mm: tuple[float, float] = (0.0, 0.0)  # (down, to the patient's left)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """How the radiograph is exposed and shown."""

    kvp: float = 115.0
    photons: float = 60_000.0  # per pixel of a 512 x 512 image in the open beam
    scatter_ratio: float = 0.35  # scattered to primary signal at the detector, after the grid
    blur_mm: float = 0.25  # standard deviation of focus and detector blur
    flattening: float = 0.3  # share of the coarse signal removed before display
    sharpening: float = 0.7  # unsharp masking
    gamma: float = 1.0  # of the display curve; above 1 darkens the lungs
    black: float = 0.02  # gray of the open beam
    white: float = 0.92  # gray of the densest part


@dataclass(frozen=True, slots=True, kw_only=True)
class Markings:
    """What is not the patient: side marker, collimation, leads."""

    marker: str = "L"  # "L", "R" or "" for none
    caption: str = ""  # text beside the marker, e.g. a technician's initials
    framed: bool = False  # whether a ring stands around the marker
    marker_at: tuple[float, float] = (0.09, 0.9)  # (row, column), 0...1
    collimation: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    # shares of the field closed at the (top, left, bottom, right)
    n_leads: int = 0  # monitoring leads on the skin


@dataclass(frozen=True, slots=True, kw_only=True)
class ThoraxParameters:
    """A synthetic patient in front of a detector.

    Lengths are in the patient; the cone beam magnifies them.

    Raises:
        DataError: a heart between normal and enlarged, two effusions of one side, or a view
            that is not frontal.
    """

    view: View = View.PA
    age_years: int = 50
    sex: str = "M"  # "F" or "M"
    heart_ratio: float = 0.43  # cardiothoracic ratio of this patient on an upright PA view
    half_width_mm: float = 138.0  # of the inner thorax at its widest
    lung_height_mm: float = 255.0  # apex to costophrenic angle
    half_depth_mm: float = 105.0  # of the trunk, front to back
    chest_wall_mm: float = 28.0  # ribs, muscle and fat at the side
    breast_mm: float = 0.0  # projected thickness; 0 for none
    right_dome_mm: float = 60.0  # height of the diaphragm above the costophrenic angle
    left_dome_mm: float = 50.0
    heart_tilt_deg: float = 0.0  # positive lowers the apex
    aortic_knob_mm: float = 15.0  # radius
    mediastinum_mm: float = 24.0  # half-width
    scoliosis_mm: float = 0.0  # sideways bow of the spine
    rib_tilt_mm: float = 80.0  # drop from the back end to the front end of a rib
    bone_density: float = 1.0
    vessel_size: float = 1.0
    stomach_gas_mm: float = 26.0  # half-width of the gas bubble; 0 for none
    bowel_gas: float = 0.5  # 0...1
    arm_angle_deg: float = 14.0  # abduction of the upper arms
    scapula_mm: float = 6.0  # inner border beyond the lung's edge; negative overlaps the lung
    position: Position = field(default_factory=Position)
    exposure: Exposure = field(default_factory=Exposure)
    markings: Markings = field(default_factory=Markings)
    effusions: tuple[Effusion, ...] = ()
    consolidations: tuple[Consolidation, ...] = ()

    def __post_init__(self) -> None:
        if NORMAL_HEART_CEILING < self.heart_ratio < CARDIOMEGALY_FLOOR:
            raise DataError(
                f"heart_ratio {self.heart_ratio:.3f} is neither normal nor enlarged; choose at most"
                f" {NORMAL_HEART_CEILING} or at least {CARDIOMEGALY_FLOOR}."
            )
        if self.view not in (View.PA, View.AP):
            raise DataError(f"View {self.view} cannot be simulated; choose PA or AP.")
        if len({effusion.side for effusion in self.effusions}) < len(self.effusions):
            raise DataError("One side has two effusions; give each side one at most.")

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings of this patient; "No Finding" alone where there is none."""
        present = [
            finding
            for finding, is_present in (
                (Finding.PNEUMONIA, bool(self.consolidations)),
                (Finding.EFFUSION, bool(self.effusions)),
                (Finding.CARDIOMEGALY, self.heart_ratio >= CARDIOMEGALY_FLOOR),
            )
            if is_present
        ]
        return tuple(present) or (Finding.NO_FINDING,)

    def dome_mm(self, side: Side) -> float:
        """Height of one side's diaphragm above its costophrenic angle."""
        return self.right_dome_mm if side is Side.RIGHT else self.left_dome_mm
