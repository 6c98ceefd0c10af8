"""From radiographs to calibrated probabilities and maps of evidence."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medcxr.core.arrays import FloatArray, Statistics
from medcxr.core.errors import DataError, ModelError
from medcxr.core.geometry import Geometry
from medcxr.core.images import CxrImage
from medcxr.core.runtime import Runtime
from medcxr.inference.session import MODEL_OUTPUTS, OUTLINES_OUTPUT, OnnxSession
from medcxr.inference.shuffled_weights import shuffle_weights
from medcxr.registry.bundle import GRAPH_FILE, ModelBundle

__all__ = ["Predictions", "Predictor", "Prepared"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """A radiograph as the model sees it.

    Attributes:
        pixels: (channels, size, size), standardized.
        geometry: where the original lies in it.
    """

    pixels: FloatArray
    geometry: Geometry


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Predictions:
    """What a model says of a batch of radiographs; findings in the order of its manifest.

    Attributes:
        logits: (n_images, n_findings), before calibration.
        probabilities: (n_images, n_findings), calibrated, 0…1.
        maps: (n_images, n_findings, grid, grid), signed evidence; a map's sum is its logit.
        geometries: where each original lies in the model's input.
        outlines: (n_images, organs, size, size), 0…1, of the organs in the manifest; None of a
            model that outlines none.
    """

    logits: FloatArray
    probabilities: Statistics
    maps: FloatArray
    geometries: tuple[Geometry, ...]
    outlines: FloatArray | None = None


class Predictor:
    """A loaded model; several threads may use it at once.

    Args:
        bundle: the model.
        threads: cores to use; None uses those that this process may use.
        shuffled: seed by which the weights are shuffled, for tests of maps alone: such a model
            knows nothing. None leaves them as they were learned.
        runtime: what computes the graph.

    Raises:
        ModelError: the bundle's graph cannot be loaded.
        MissingExtra: the runtime is not installed.
    """

    def __init__(
        self,
        bundle: ModelBundle,
        threads: int | None = None,
        *,
        shuffled: int | None = None,
        runtime: Runtime = Runtime.ONNX_RUNTIME,
    ) -> None:
        self.manifest, self.runtime = bundle.manifest, runtime
        outputs = (*MODEL_OUTPUTS, OUTLINES_OUTPUT) if self.manifest.outlines else MODEL_OUTPUTS
        path = bundle.path(GRAPH_FILE)
        graph = None if shuffled is None else shuffle_weights(path.read_bytes(), shuffled)
        self._session = OnnxSession(
            path, graph=graph, outputs=outputs, threads=threads, runtime=runtime
        )
        if self.manifest.quick_look is not None and not self._session.has_quick_look:
            raise self._disagreement("a quick look")

    def predict(self, images: Sequence[CxrImage]) -> Predictions:
        """Run radiographs of any sizes as one batch.

        Raises:
            DataError: there is no image.
            ModelError: graph and manifest disagree, or a result is not a number.
        """
        return self.predict_prepared([self.prepare(image) for image in images])

    def prepare(self, image: CxrImage) -> Prepared:
        """Make the model's input, which is small however large the radiograph is."""
        pixels, geometry = self.manifest.preprocessing.apply(image.pixels)
        return Prepared(pixels=pixels, geometry=geometry)

    def predict_prepared(self, inputs: Sequence[Prepared]) -> Predictions:
        """Run prepared radiographs as one batch; errors as for `predict`."""
        if not inputs:
            raise DataError("There is no radiograph to predict; send at least one.")
        logits, maps, *further = self._session.run(np.stack([one.pixels for one in inputs]))
        self._verify_shapes(len(inputs), logits, maps)
        outlines = further[0] if further else None
        if outlines is not None:
            self._verify_outlines(len(inputs), outlines)
        columns = [
            calibration.predict_proba(logits[:, index])
            for index, calibration in enumerate(self.manifest.calibrations)
        ]
        return Predictions(
            logits=logits,
            probabilities=np.column_stack(columns),
            maps=maps,
            geometries=tuple(prepared.geometry for prepared in inputs),
            outlines=outlines,
        )

    def quick_logits(self, inputs: Sequence[Prepared]) -> FloatArray:
        """Ask some of the networks alone, for maps that take many looks at one radiograph.

        A quick look gives no probabilities: the calibration is that of the whole model.

        Returns:
            (n_images, n_findings); those of a whole look of a model without a quick one.

        Raises:
            DataError: there is no image.
            ModelError: as for `predict_prepared`.
        """
        if not inputs:
            raise DataError("There is no radiograph to look at; send at least one.")
        look = self._session.run_quickly if self.manifest.quick_look else self._session.run
        logits, maps, *_ = look(np.stack([one.pixels for one in inputs]))
        self._verify_shapes(len(inputs), logits, maps)
        return logits

    def beside_ordinary(self, maps: FloatArray) -> FloatArray:
        """Return what maps hold beyond those of ordinary radiographs: what a reader is shown.

        A rare finding is unlikely before anyone looks, and the network spreads that over the whole
        image, as evidence against it everywhere. Only what differs from the mean map of
        radiographs without findings says something of this one.

        Args:
            maps: (n_images, n_findings, grid, grid), as predicted.

        Returns:
            The same shape; a map's sum is its logit less that of an ordinary radiograph.

        Raises:
            ModelError: the manifest's ordinary maps have another shape.
        """
        ordinary = self.manifest.ordinary_maps
        if not ordinary:
            return maps
        try:
            mean = np.array([ordinary[name] for name in self.manifest.findings], dtype=np.float32)
        except (KeyError, ValueError) as error:
            raise self._disagreement(f"ordinary maps of {', '.join(ordinary)}") from error
        if mean.shape != maps.shape[1:]:
            raise self._disagreement(f"ordinary maps of shape {mean.shape}")
        return maps - mean

    def _disagreement(self, what: str) -> ModelError:
        return ModelError(
            "Model {model} has {what}, which its graph does not give; its "
            "manifest and its graph disagree. Reinstall the model.",
            model=self.manifest.identity,
            what=what,
        )

    def _verify_outlines(self, n_images: int, outlines: FloatArray) -> None:
        size = self.manifest.preprocessing.size
        if outlines.shape != (n_images, len(self.manifest.outlines), size, size):
            raise ModelError(
                "Model {model} gave outlines of shape {shape} for "
                "{n_images} image(s) and {n_outlines} organs; its manifest and "
                "its graph disagree. Reinstall the model.",
                model=self.manifest.identity,
                shape=outlines.shape,
                n_images=n_images,
                n_outlines=len(self.manifest.outlines),
            )

    def _verify_shapes(self, n_images: int, logits: FloatArray, maps: FloatArray) -> None:
        expected = (n_images, len(self.manifest.findings))
        if logits.shape != expected or maps.ndim != 4 or maps.shape[:2] != expected:
            raise ModelError(
                "Model {model} gave logits of shape {shape} and maps of "
                "shape {shape_of_maps} for {n_images} image(s) and {n_findings} findings; its "
                "manifest and its graph disagree. Reinstall the model.",
                model=self.manifest.identity,
                shape=logits.shape,
                shape_of_maps=maps.shape,
                n_images=n_images,
                n_findings=expected[1],
            )
