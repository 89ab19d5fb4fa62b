"""Models that a user trained: ONNX in, numbers out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime

from visanda.errors import InputError


class Own:
    """A model of ONNX with one input and one output, on one thread: the runner's workers are the parallelism.

    Args:
        model: the file, or what is in it.

    Attributes:
        input: the input's name: ``features`` (n, d) float32, or ``pixels`` (n, side, side, 3) uint8 RGB.
        width: d, or the side in pixels.

    Raises:
        InputError: it is no such model.
    """

    def __init__(self, model: bytes | Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            data = model if isinstance(model, bytes) else model.read_bytes()
            self._session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
            (given,), (made,) = self._session.get_inputs(), self._session.get_outputs()
        except Exception as error:  # onnxruntime's own kinds of errors have no common base
            raise InputError(f"not a model that visanda made: {error}") from error
        self.input, self.width = str(given.name), int(given.shape[1])
        self._output = made.name

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Scores (n, k) float32 of rows, which the input's name says what they are."""
        found = self._session.run([self._output], {self.input: rows})[0]
        return np.asarray(found, np.float32)
