"""Which library computes the models' graphs."""

from enum import StrEnum

__all__ = ["RUNTIME_VARIABLE", "Runtime"]

RUNTIME_VARIABLE = "MEDCXR_RUNTIME"
"""Names one of these in the environment."""


class Runtime(StrEnum):
    """What computes a graph; all compute the same scores but for rounding."""

    ONNX_RUNTIME = "onnxruntime"
    OPENVINO = "openvino"  # [extra: openvino]

    @property
    def full_name(self) -> str:
        """Return what the library calls itself."""
        return "OpenVINO" if self is Runtime.OPENVINO else "ONNX Runtime"
