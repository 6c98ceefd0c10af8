"""How much each measure of the outlines counts in each logit, asked of the graph itself."""

import numpy as np

from medcxr.core.arrays import FloatArray, Statistics
from medcxr.inference.onnx_tensors import FLOAT, tensors
from medcxr.inference.session import MODEL_OUTPUTS, OUTLINES_OUTPUT, OnnxSession
from medcxr.registry.bundle import GRAPH_FILE, ModelBundle

__all__ = ["measure_weights"]

_CENTER = "network.center"  # the measures of an ordinary radiograph: `learning.anatomy.Fusion`
_STEP = 0.125  # of a measure: exact in binary, and well above what float32 rounds away


def measure_weights(bundle: ModelBundle, x: FloatArray) -> Statistics | None:
    """Return (n_findings, measures): by how much a logit rises with each measure.

    The graph adds weights · (measures - center) to its logits. The weights have no name of their
    own in the file, the center has: moving one number of it moves the logits by that weight.

    Args:
        bundle: the model.
        x: (C, S, S), any radiograph as the model sees it.

    Returns:
        None of a model that measures nothing.
    """
    path = bundle.path(GRAPH_FILE)
    graph = path.read_bytes()
    center = next((t for t in tensors(graph) if (t.name, t.data_type) == (_CENTER, FLOAT)), None)
    if center is None or not bundle.manifest.outlines:
        return None
    outputs = (*MODEL_OUTPUTS, OUTLINES_OUTPUT)

    def logits(changed: bytes) -> Statistics:
        session = OnnxSession(path, graph=changed, outputs=outputs)
        return np.asarray(session.run(x[np.newaxis])[0][0], dtype=np.float64)

    ordinary = np.frombuffer(graph[center.start : center.stop], dtype="<f4")
    before = logits(graph)
    columns = []
    for index in range(len(ordinary)):
        moved = ordinary.copy()
        moved[index] -= _STEP
        step = float(ordinary[index]) - float(moved[index])
        changed = graph[: center.start] + moved.tobytes() + graph[center.stop :]
        columns.append((logits(changed) - before) / step)
    return np.stack(columns, axis=1)
