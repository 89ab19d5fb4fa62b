"""ONNX graphs, written operation by operation: the form in which a trained model exists from the very first."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET, ML_OPSET, IR_VERSION = 17, 3, 8  # old enough for every onnxruntime that visanda runs with


class Graph:
    """A graph in the making: each operation gives back the name of what it makes.

    >>> graph = Graph()
    >>> doubled = graph.add("Mul", "features", graph.constant(np.array([2.0], np.float32)))
    >>> len(graph.model("features", 3, doubled, 3)) > 0
    True
    """

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._ml = False

    def add(self, operation: str, *inputs: str, **attributes: Any) -> str:
        """An operation on things made before (or on the model's input), with its attributes."""
        name = f"n{len(self._nodes)}"
        self._nodes.append(helper.make_node(operation, list(inputs), [name], **attributes))
        return name

    def outputs(self, operation: str, *inputs: str, count: int, **attributes: Any) -> list[str]:
        """An operation that makes several things."""
        names = [f"n{len(self._nodes)}_{number}" for number in range(count)]
        self._nodes.append(helper.make_node(operation, list(inputs), names, **attributes))
        return names

    def learnt(self, operation: str, *inputs: str, **attributes: Any) -> str:
        """An operation of ONNX's part for machine learning, such as an ensemble of trees."""
        self._ml = True
        return self.add(operation, *inputs, domain="ai.onnx.ml", **attributes)

    def constant(self, array: np.ndarray) -> str:
        """Numbers that belong to the model; floats become float32."""
        name = f"c{len(self._constants)}"
        numbers = np.ascontiguousarray(array, np.float32 if array.dtype.kind == "f" else array.dtype)
        self._constants.append(numpy_helper.from_array(numbers, name))
        return name

    def affine(self, rows: str, weights: np.ndarray, offsets: np.ndarray) -> str:
        """Rows (n, d) times weights (d, q) plus offsets (q,)."""
        return self.add("Gemm", rows, self.constant(weights), self.constant(offsets))

    def model(self, given: str, width: int, made: str, outputs: int) -> bytes:
        """The whole model: from float32 rows (n, width), named ``given``, to ``scores`` (n, outputs).

        The same graph gives the same bytes.
        """
        nodes = [*self._nodes, helper.make_node("Identity", [made], ["scores"])]
        graph = helper.make_graph(
            nodes,
            "visanda",
            [helper.make_tensor_value_info(given, TensorProto.FLOAT, ["n", width])],
            [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", outputs])],
            self._constants,
        )
        opsets = [helper.make_opsetid("", OPSET), *([helper.make_opsetid("ai.onnx.ml", ML_OPSET)] if self._ml else [])]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="visanda")
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString(deterministic=True))
