"""Which library computes the models' graphs."""

from enum import StrEnum

__all__ = ["ENGINE_VARIABLE", "Engine"]

ENGINE_VARIABLE = "MEDCXR_ENGINE"
"""Names one of these in the environment."""


class Engine(StrEnum):
    """What computes a graph; all compute the same scores but for rounding."""

    ONNX_RUNTIME = "onnxruntime"
    OPENVINO = "openvino"  # [extra: openvino]

    @property
    def full_name(self) -> str:
        """Return what the library calls itself."""
        return "OpenVINO" if self is Engine.OPENVINO else "ONNX Runtime"
