"""The maps of one radiograph that are tested against each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from medcxr.core.arrays import FloatArray
from medcxr.explain.faithfulness import centered_ellipse, random_map
from medcxr.explain.joint import joint_map
from medcxr.explain.report import EVIDENCE_MAP, JOINT_MAP, OCCLUSION_MAP, RIVALS, TESTED
from medcxr.inference.predictor import Predictor, Prepared
from medcxr.registry.bundle import ModelBundle
from medcxr.services.gradient_maps import gradient_maps, require_agreement
from medcxr.services.occlusion import falls_of

if TYPE_CHECKING:
    from medcxr.learning.gradient_maps import GradientMaps

__all__ = ["ExplainedModel", "rival_maps"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExplainedModel:
    """A model with the kinds of map that are tested.

    Attributes:
        predictor: the model.
        by_gradients: the kinds among `GRADIENT_MAPS` that were asked for.
        gradients: what draws them; None where none were.
        shuffled: whether its weights are, so that it knows nothing.
    """

    predictor: Predictor
    by_gradients: tuple[str, ...] = ()
    gradients: "GradientMaps | None" = None
    shuffled: bool = False

    @classmethod
    def shuffle(
        cls, bundle: ModelBundle, by_gradients: tuple[str, ...], seed: int
    ) -> "ExplainedModel":
        """Return a model that has forgotten all it learned; errors as for `gradient_maps`."""
        return cls(
            predictor=Predictor(bundle, shuffled=seed),
            by_gradients=by_gradients,
            gradients=gradient_maps(bundle, shuffled=seed) if by_gradients else None,
            shuffled=True,
        )

    @property
    def methods(self) -> tuple[str, ...]:
        """Return the kinds of map, the rivals not among them."""
        return (*TESTED, *self.by_gradients)

    def maps(self, prepared: Prepared, column: int) -> Mapping[str, FloatArray]:
        """Return what readers may be shown: method -> (grid, grid), signed.

        Args:
            prepared: the radiograph.
            column: of the finding.

        Raises:
            ModelError: graph and weights answer differently, or a map is not a number.
        """
        predictor = self.predictor
        maps = predictor.predict_prepared([prepared]).maps
        # shuffled weights have other ordinary maps than the manifest holds
        own = (maps if self.shuffled else predictor.beside_ordinary(maps))[0, column]
        grid = own.shape[0]
        falls = falls_of(predictor, prepared, grid=grid)
        drawn = {
            EVIDENCE_MAP: own,
            OCCLUSION_MAP: falls[column],
            JOINT_MAP: joint_map(own, falls[column]),
        }
        if self.gradients is not None:
            if not self.shuffled:  # which graph and weights are each in their own way
                require_agreement(predictor, self.gradients, prepared)
            for method in self.by_gradients:
                drawn[method] = self.gradients.map_of(method, prepared.pixels, column)
        return drawn


def rival_maps(grid: int, seed: int) -> Mapping[str, FloatArray]:
    """Return what knows nothing of the radiograph: rival -> (grid, grid)."""
    return dict(zip(RIVALS, (centered_ellipse(grid), random_map(grid, seed)), strict=True))
