"""Makes src/visanda/sample/own_model: the smallest model that eats pictures; it says which colour prevails."""

import hashlib
import json
from pathlib import Path

import onnx
from onnx import TensorProto, helper

FOLDER = Path(__file__).parents[1] / "src" / "visanda" / "sample" / "own_model"
SIDE, COLOURS = 8, ["red", "green", "blue"]

nodes = [
    helper.make_node("Cast", ["pixels"], ["numbers"], to=TensorProto.FLOAT),
    helper.make_node("ReduceMean", ["numbers"], ["means"], axes=[1, 2], keepdims=0),
    helper.make_node("Softmax", ["means"], ["scores"], axis=1),
]
graph = helper.make_graph(
    nodes,
    "visanda",
    [helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["n", SIDE, SIDE, 3])],
    [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", len(COLOURS)])],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="visanda")
onnx.checker.check_model(model)
data = model.SerializeToString(deterministic=True)
card = {
    "variable": "colour",
    "name": "example",
    "model": "the mean of each channel: an example without any training",
    "licence": "CC0",
    "target": {"scale": "nominal", "classes": COLOURS, "low": None, "high": None},
    "features": {"pixels": SIDE, "crop": "squash"},
    "folds": 0,
    "files": {"model.onnx": hashlib.sha256(data).hexdigest()},
}
FOLDER.mkdir(parents=True, exist_ok=True)
(FOLDER / "model.onnx").write_bytes(data)
(FOLDER / "card.json").write_text(json.dumps(card, indent=2) + "\n", "utf-8")
