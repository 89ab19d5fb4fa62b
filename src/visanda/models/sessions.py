"""Loaded models: weights that are those of their card, opened once a process."""

from __future__ import annotations

import hashlib
import threading
from functools import cache

import onnxruntime

from visanda.errors import VisandaError
from visanda.models.cards import Model, model

REINSTALL = "install visanda again, with pip install --force-reinstall visanda"
lock = threading.Lock()


def verified(card: Model) -> bytes:
    """The weights, which are those that the card describes."""
    try:
        data = card.path.read_bytes()
    except OSError as error:
        raise VisandaError(f"the weights of {card.name} cannot be read ({error}): {REINSTALL}") from error
    if hashlib.sha256(data).hexdigest() != card.sha256:
        raise VisandaError(f"{card.path} is not the file that its card describes, or is damaged: {REINSTALL}")
    return data


@cache
def _open_session(name: str) -> onnxruntime.InferenceSession:
    data = verified(model(name))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # the runner's workers are the parallelism
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def session(name: str) -> onnxruntime.InferenceSession:
    """The loaded model ``name``: loaded once a process, safe to run from many threads."""
    with lock:
        return _open_session(name)
