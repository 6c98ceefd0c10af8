"""Two looks in one ONNX graph: an input chooses which of them is taken."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from medcxr.inference.session import WHOLE_INPUT

__all__ = ["choose_look"]


def choose_look(
    model: Any,  # noqa: ANN401 - protobuf's classes have no useful types
    outputs: Sequence[str],
    *,
    n_quick: int,
) -> None:
    """Let an input choose between two groups of a graph's outputs, and compute no more than that.

    What both groups need stays in the graph. What one alone needs, nodes and constants, moves into
    a branch of an `If`, so that every constant lies in the file once and is constant where it is
    used. The input `whole` is true by default: who does not know it gets the whole look.

    Args:
        model: a graph whose outputs are those of the whole look and then those of the quick one,
            under names other than `outputs`; changed in place.
        outputs: names of what the new graph gives.
        n_quick: the first outputs, which a quick look gives too; it gives the others empty.
    """
    graph = model.graph
    given = [value.name for value in graph.output]
    whole, quick = given[: len(outputs)], given[len(outputs) :]
    for_whole, for_quick = _needed(graph, whole), _needed(graph, quick)
    nodes, constants = list(graph.node), list(graph.initializer)
    shared = [one for one in nodes if {*one.output} & for_whole & for_quick]
    users: dict[str, set[int]] = {}
    branches = [
        [one for one in nodes if {*one.output} & needed - other]
        for needed, other in ((for_whole, for_quick), (for_quick, for_whole))
    ]
    for index, (part, ends) in enumerate(
        ((shared, []), (branches[0], whole), (branches[1], quick))
    ):
        for name in [*(name for node in part for name in node.input), *ends]:
            users.setdefault(name, set()).add(index)
    results = [
        _named_alike(value, name) for value, name in zip(graph.output, outputs, strict=False)
    ]
    then_branch, else_branch = (
        _branch(part, [one for one in constants if users.get(one.name) == {index}], found, kind)
        for index, part, found, kind in (
            (1, branches[0], whole, "whole"),
            (2, branches[1], quick, "quick"),
        )
    )
    _add_empty(else_branch, results[n_quick:])
    for part in (graph.node, graph.initializer, graph.output, graph.value_info):
        del part[:]
    choice = helper.make_node(
        "If", [WHOLE_INPUT], list(outputs), then_branch=then_branch, else_branch=else_branch
    )
    graph.node.extend([*shared, choice])
    graph.initializer.extend(one for one in constants if users.get(one.name) not in ({1}, {2}))
    graph.initializer.append(numpy_helper.from_array(np.ones((), dtype=np.bool_), WHOLE_INPUT))
    graph.input.append(helper.make_tensor_value_info(WHOLE_INPUT, TensorProto.BOOL, []))
    graph.output.extend(results)


def _needed(graph: Any, outputs: Iterable[str]) -> set[str]:  # noqa: ANN401 - as above
    """Return the names of all values that outputs depend on, and their own."""
    needed = set(outputs)
    for node in reversed(graph.node):  # a node comes after those that it takes from
        if needed.intersection(node.output):
            needed.update([*node.input, *node.output])
    return needed


def _branch(nodes: list[Any], constants: list[Any], found: Sequence[str], kind: str) -> Any:  # noqa: ANN401
    """Return a subgraph that gives what was found, in it or before it."""
    outputs = [f"{kind} {index}" for index in range(len(found))]
    ends = [helper.make_node("Identity", [a], [b]) for a, b in zip(found, outputs, strict=True)]
    given = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    return helper.make_graph([*nodes, *ends], kind, [], given, constants)


def _add_empty(branch: Any, results: Iterable[Any]) -> None:  # noqa: ANN401
    """Give nothing where the other branch gives something: of no image, without rows."""
    for value in results:
        name = f"no {value.name}"
        dims = value.type.tensor_type.shape.dim
        channels = dims[1].dim_value
        empty = numpy_helper.from_array(np.zeros((0, channels, 0, 0), dtype=np.float32))
        branch.node.append(helper.make_node("Constant", [], [name], value=empty))
        branch.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
        for dim, word in ((dims[0], "outlined"), (dims[2], "rows"), (dims[3], "columns")):
            dim.dim_param = word  # in place of its number


def _named_alike(value: Any, name: str) -> Any:  # noqa: ANN401
    copy = type(value)()
    copy.CopyFrom(value)
    copy.name = name
    return copy
