"""Networks of pictures, cut in two before their pooling: what they see where, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass

import onnx
from onnx import TensorProto, helper

SPATIAL = [[2, 3], [-2, -1], [-1, -2]]  # the axes of rows and columns, as exporters write them


@dataclass(frozen=True)
class Opened:
    """A network in two parts.

    Attributes:
        lower: ONNX, from the network's own input to features at each place.
        places: the name of these features, (n, channels, rows, columns).
        nodes: how many operations follow on them.
    """

    lower: bytes
    places: str
    nodes: int


def opened(model: bytes, output: str | None = None) -> Opened | None:
    """Cut a network before the pooling that its output rests on.

    Args:
        model: ONNX.
        output: which of its outputs; the only one by default.

    Returns:
        ``None`` where features are not pooled over places, as in most transformers, or where the output also rests on
        something else.
    """
    whole = onnx.load_model_from_string(model)
    nodes = _needed(whole.graph, [output or whole.graph.output[0].name], ())
    for node in reversed(nodes):
        if _pools(node, whole.graph):
            places = node.input[0]
            after = _needed(whole.graph, [output or whole.graph.output[0].name], (places,))
            if not {name for one in after for name in one.input} & {given.name for given in whole.graph.input}:
                return Opened(_part(whole, [], places), places, len(after))
            return None  # something goes round the pooling
    return None


def upper(model: bytes, cut: Opened, shape: tuple[int, ...]) -> bytes:
    """The other part: ONNX from features at each place, of this shape, to the network's output."""
    whole = onnx.load_model_from_string(model)
    given = helper.make_tensor_value_info(cut.places, TensorProto.FLOAT, ["n", *shape[1:]])
    return _part(whole, [given], whole.graph.output[0].name)


def _pools(node: onnx.NodeProto, graph: onnx.GraphProto) -> bool:
    if node.op_type == "GlobalAveragePool":
        return True
    if node.op_type != "ReduceMean":
        return False
    axes = next((list(one.ints) for one in node.attribute if one.name == "axes"), None)
    if axes is None and len(node.input) > 1:
        axes = next((list(_numbers(one)) for one in graph.initializer if one.name == node.input[1]), None)
        axes = axes or next((_constant(one) for one in graph.node if node.input[1] in one.output), None)
    return axes in SPATIAL


def _numbers(tensor: onnx.TensorProto) -> list[int]:
    return [int(number) for number in onnx.numpy_helper.to_array(tensor).ravel()]


def _constant(node: onnx.NodeProto) -> list[int] | None:
    return next((_numbers(one.t) for one in node.attribute if one.name == "value"), None)


def _needed(graph: onnx.GraphProto, outputs: list[str], given: tuple[str, ...]) -> list[onnx.NodeProto]:
    """The operations that outputs rest on, in order, as far back as what is given."""
    makers = {name: number for number, node in enumerate(graph.node) for name in node.output}
    wanted, found = list(outputs), set()
    while wanted:
        name = wanted.pop()
        number = makers.get(name)
        if name not in given and number is not None and number not in found:
            found.add(number)
            wanted += graph.node[number].input
    return [graph.node[number] for number in sorted(found)]


def _part(whole: onnx.ModelProto, inputs: list[onnx.ValueInfoProto], output: str) -> bytes:
    """A model of a part of the operations; with the network's own inputs where none are given."""
    graph = whole.graph
    nodes = _needed(graph, [output], tuple(given.name for given in inputs))
    used = {name for node in nodes for name in node.input}
    weights = [tensor for tensor in graph.initializer if tensor.name in used]
    stored = {tensor.name for tensor in graph.initializer}
    inputs = inputs or [given for given in graph.input if given.name not in stored]
    made = next((one for one in graph.output if one.name == output), None)
    made = made or helper.make_tensor_value_info(output, TensorProto.FLOAT, None)
    part = helper.make_graph(nodes, graph.name, inputs, [made], weights)
    model = helper.make_model(part, opset_imports=whole.opset_import, ir_version=whole.ir_version)
    model.functions.extend(whole.functions)
    return bytes(model.SerializeToString())
