"""The gate that comes with the package: gate.onnx, and gate.json with its facts and figures."""
