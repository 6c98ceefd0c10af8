"""The home of ONNX Runtime: run a bundle on images."""
