"""Merged: a head and the network inside visanda as one ONNX model, from pixels to scores."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper

from visanda.learn.onnx_graphs import IR_VERSION, ML_OPSET, OPSET
from visanda.models.cards import model as card_of
from visanda.models.sessions import verified

SIDE = 224  # pixels of the square that the network takes
NETWORK = "efficientnet_lite0"
LEAST = 1e-12  # a vector of less than this length has no direction


def merged(head: bytes) -> bytes:
    """ONNX from ``pixels`` (n, 224, 224, 3) uint8 RGB to ``scores`` (n, k).

    The pixels are what the measure ``embed`` sees of a picture: the middle 224 of 256 × 256. They are put into the
    network as there, and its features, of length 1, into the head.

    Args:
        head: ONNX that takes ``features`` (n, 1280), as the column embedding of the table embed.
    """
    network = onnx.load_model_from_string(verified(card_of(NETWORK)))
    for name in [made.name for made in network.graph.output if made.name != "feat"]:
        network.graph.output.remove(next(made for made in network.graph.output if made.name == name))
    network = _pruned(_at(network))
    before = _before()
    whole = compose.merge_models(before, compose.add_prefix(network, "network/"), [("scaled", "network/x")])
    between = compose.add_prefix(_length_one(), "length/")
    whole = compose.merge_models(whole, between, [("network/feat", "length/feat")])
    last = compose.add_prefix(_at(onnx.load_model_from_string(head)), "head/")
    whole = compose.merge_models(whole, last, [("length/features", "head/features")])
    whole.graph.node.append(helper.make_node("Identity", ["head/scores"], ["scores"]))
    outputs = whole.graph.output[0].type.tensor_type.shape.dim[1].dim_value
    del whole.graph.output[:]
    whole.graph.output.append(helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", outputs]))
    whole.producer_name = "visanda"
    onnx.checker.check_model(whole)
    return bytes(whole.SerializeToString(deterministic=True))


def _at(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with the same versions of operations as all parts."""
    if model.opset_import[0].version != OPSET:
        raise ValueError(f"a part has operations of version {model.opset_import[0].version}, not {OPSET}")
    del model.opset_import[:]
    model.opset_import.extend([helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)])
    model.ir_version = IR_VERSION
    return model


def _pruned(model: onnx.ModelProto) -> onnx.ModelProto:
    """Without what only made the outputs that were taken away."""
    needed = {made.name for made in model.graph.output}
    kept = []
    for node in reversed(model.graph.node):
        if needed & set(node.output):
            needed |= set(node.input)
            kept.append(node)
    weights = [tensor for tensor in model.graph.initializer if tensor.name in needed]
    del model.graph.node[:], model.graph.initializer[:], model.graph.value_info[:]
    model.graph.node.extend(reversed(kept))
    model.graph.initializer.extend(weights)
    return model


def _before() -> onnx.ModelProto:
    """Pixels → (x − 127) / 128, channels first."""
    nodes = [
        helper.make_node("Cast", ["pixels"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["numbers", "middle"], ["centred"]),
        helper.make_node("Div", ["centred", "range"], ["ranged"]),
        helper.make_node("Transpose", ["ranged"], ["scaled"], perm=[0, 3, 1, 2]),
    ]
    constants = {"middle": np.array(127, np.float32), "range": np.array(128, np.float32)}
    given = helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["n", SIDE, SIDE, 3])
    made = helper.make_tensor_value_info("scaled", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])
    return _part("before", nodes, given, made, constants)


def _length_one() -> onnx.ModelProto:
    """Features of length 1, as precise as the table embed keeps them: a head says the same of both."""
    nodes = [
        helper.make_node("ReduceL2", ["feat"], ["length"], axes=[1], keepdims=1),
        helper.make_node("Max", ["length", "least"], ["safe"]),
        helper.make_node("Div", ["feat", "safe"], ["exact"]),
        helper.make_node("Cast", ["exact"], ["kept"], to=TensorProto.FLOAT16),
        helper.make_node("Cast", ["kept"], ["features"], to=TensorProto.FLOAT),
    ]
    given = helper.make_tensor_value_info("feat", TensorProto.FLOAT, ["n", 1280])
    made = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", 1280])
    return _part("length", nodes, given, made, {"least": np.array(LEAST, np.float32)})


def _part(
    name: str,
    nodes: list[onnx.NodeProto],
    given: onnx.ValueInfoProto,
    made: onnx.ValueInfoProto,
    constants: dict[str, np.ndarray],
) -> onnx.ModelProto:
    weights = [numpy_helper.from_array(value, key) for key, value in constants.items()]
    return _at(
        helper.make_model(
            helper.make_graph(nodes, name, [given], [made], weights),
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
        )
    )
