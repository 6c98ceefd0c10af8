"""What a graph's inputs and outputs are called."""

__all__ = ["IMAGE_INPUT", "MODEL_OUTPUTS", "OUTLINES_OUTPUT", "WHOLE_INPUT"]

IMAGE_INPUT = "image"
WHOLE_INPUT = "whole"  # true by default; false asks for a quick look
MODEL_OUTPUTS = ("logits", "maps")
OUTLINES_OUTPUT = "outlines"
