"""The home of ONNX Runtime: run a bundle on images."""

import os

# Since 1.29 the published builds of ONNX Runtime keep an identifier of the computer and send their
# maker what they run, names of models included, unless this stands there before the library is
# loaded; asked later, it has begun. Nothing of this project may be sent anywhere.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
