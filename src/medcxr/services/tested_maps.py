"""The maps of one radiograph that are tested against each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from medcxr.core.arrays import FloatArray
from medcxr.explain.faithfulness import centered_ellipse, random_map
from medcxr.explain.joint import joint_map
from medcxr.explain.report import (
    EVIDENCE_MAP,
    GRADIENT_MAPS,
    JOINT_MAP,
    OCCLUSION_MAP,
    RIVALS,
    TESTED,
    THOROUGH_MAP,
)
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
        methods: the kinds of map, the rivals not among them.
        gradients: what draws those of `GRADIENT_MAPS`; None where there are none.
        shuffled: whether its weights are, so that it knows nothing.
    """

    predictor: Predictor
    methods: tuple[str, ...] = TESTED
    gradients: "GradientMaps | None" = None
    shuffled: bool = False

    @classmethod
    def of(
        cls,
        bundle: ModelBundle,
        methods: Sequence[str],
        *,
        predictor: Predictor | None = None,
        shuffled: int | None = None,
    ) -> "ExplainedModel":
        """Return a model with these kinds of map.

        Args:
            bundle: the model.
            methods: of `TESTED` and of `FURTHER_WORDS`.
            predictor: the model where it is loaded already.
            shuffled: seed by which it forgets all that it learned; None for the model as it is.

        Raises:
            ModelError, MissingExtra: as for `gradient_maps`, if such are asked for.
        """
        by_gradients = any(method in GRADIENT_MAPS for method in methods)
        return cls(
            predictor=predictor or Predictor(bundle, shuffled=shuffled),
            methods=tuple(methods),
            gradients=gradient_maps(bundle, shuffled=shuffled) if by_gradients else None,
            shuffled=shuffled is not None,
        )

    def maps(self, prepared: Prepared, column: int) -> Mapping[str, FloatArray]:
        """Return what readers may be shown: method -> (grid, grid), signed; the own map always.

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
        drawn = {EVIDENCE_MAP: own}
        if {OCCLUSION_MAP, JOINT_MAP} & set(self.methods):
            falls = falls_of(predictor, prepared, grid=grid)[column]
            drawn |= {OCCLUSION_MAP: falls, JOINT_MAP: joint_map(own, falls)}
        if THOROUGH_MAP in self.methods:
            falls = falls_of(predictor, prepared, grid=grid, thoroughly=True)[column]
            drawn[THOROUGH_MAP] = falls
        if self.gradients is not None:
            if not self.shuffled:  # which graph and weights are each in their own way
                require_agreement(predictor, self.gradients, prepared)
            for method in self.methods:
                if method in GRADIENT_MAPS:
                    drawn[method] = self.gradients.map_of(method, prepared.pixels, column)
        return drawn


def rival_maps(grid: int, seed: int) -> Mapping[str, FloatArray]:
    """Return what knows nothing of the radiograph: rival -> (grid, grid)."""
    return dict(zip(RIVALS, (centered_ellipse(grid), random_map(grid, seed)), strict=True))
