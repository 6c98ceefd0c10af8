"""What the page says about the model that answers."""

from dataclasses import dataclass

from medcxr.core.results import Estimate
from medcxr.evaluation.report import FindingFigures

__all__ = ["ModelFacts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """The model's name and how well it was measured.

    Attributes:
        name: of the model.
        version: of the model.
        figures: cross-validated, one per finding; empty if the manifest holds none.
        operating_points: names of those that every finding has.
        operating_point: the one that decides unless the user says otherwise.
        tables: that it was measured on.
        n_images: radiographs that it was measured on.
        n_patients: of whom they are.
        confidence: share of resamples inside each interval, e.g. 0.95.
        run: that trained it; None if unknown.
        has_quick_look: whether maps by occlusion ask some of its networks, and thorough ones all.
    """

    name: str
    version: str
    figures: tuple[FindingFigures, ...]
    operating_points: tuple[str, ...] = ()
    operating_point: str = ""
    tables: tuple[str, ...] = ()
    n_images: int = 0
    n_patients: int = 0
    confidence: float = 0.95
    run: str | None = None
    has_quick_look: bool = False

    @property
    def identity(self) -> str:
        """Return name and version."""
        return f"{self.name} {self.version}"

    @property
    def aucs(self) -> dict[str, Estimate]:
        """Return finding -> cross-validated AUC, where it could be measured."""
        return {f.finding: f.auc for f in self.figures if f.auc is not None}
