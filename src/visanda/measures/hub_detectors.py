"""Detectors of the Hugging Face Hub, loaded by name or from a folder and run through the package transformers."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from warnings import warn

from visanda.errors import InputError, VisandaWarning
from visanda.extras import need
from visanda.media import Image
from visanda.models import Model
from visanda.models.hub import EXTRA, card_of, folder_of
from visanda.models.nanodet import Objects

TAKE_WORDS = ("owlvit", "owlv2")  # transformers' names of the kinds of model that look for words
USUAL, USUAL_FOR_WORDS = 0.5, 0.1  # scores, as transformers has them
OVERLAP = 0.5  # two boxes of OWL-ViT for one word that overlap more are one thing; the others give a box a thing

_lock = threading.Lock()


@dataclass(frozen=True, eq=False)
class Detector:
    """A loaded model that finds things.

    Attributes:
        card: what exactly was loaded.
        labels: that it knows; empty where it looks for words.
        network: transformers' model.
        processor: puts pictures into the network, and boxes out of it.
        tokenizer: puts words into the network; ``None`` where it takes none.
    """

    card: Model
    labels: tuple[str, ...]
    network: Any
    processor: Any
    tokenizer: Any

    def known(self, words: Sequence[str]) -> tuple[str, ...]:
        """The labels that things can get.

        Raises:
            InputError: words for a model that takes none, or none for one that needs them.
        """
        if self.tokenizer and not words:
            raise InputError(f"objects: {self.card.name} looks for words: give them, as words='a flag,a banner'")
        if words and not self.tokenizer:
            raise InputError(
                f"objects: {self.card.name} takes no words: choose among its labels with labels, or give a model for "
                "words, as model=google/owlv2-base-patch16-ensemble"
            )
        return tuple(words) or self.labels

    def find(self, image: Image, words: Sequence[str], score: float) -> Objects:
        """Find things in a picture.

        Args:
            image: the picture.
            words: to look for, where the model takes words.
            score: from which a thing counts, 0 to 1; 0: the usual one.

        Returns:
            Things with boxes in pixels of the original picture.

        Raises:
            InputError: words that do not fit the model.
        """
        torch = need("torch", EXTRA)
        names = self.known(words)
        # Pictures of three pixels in height would pass for three channels.
        given = self.processor(images=image.pixels, input_data_format="channels_last", return_tensors="pt")
        texts = self._tokens(words) if self.tokenizer else {}
        device = self.network.device
        with torch.inference_mode():
            outputs = self.network(pixel_values=given["pixel_values"].to(device), **texts)
            found = self.processor.post_process_object_detection(
                outputs,
                threshold=score or (USUAL_FOR_WORDS if self.tokenizer else USUAL),
                target_sizes=torch.tensor([[image.height, image.width]], device=device),
            )[0]
        corners, numbers, scores = (found[name].cpu().numpy() for name in ("boxes", "labels", "scores"))
        things = Objects.inside(corners, [names[number] for number in numbers], scores, image.width, image.height)
        return things.distinct(OVERLAP if self.tokenizer else 1.0)

    def _tokens(self, words: Sequence[str]) -> dict[str, Any]:
        longest = self.network.config.text_config.max_position_embeddings
        for word in words:
            if len(self.tokenizer(word)["input_ids"]) > longest:
                raise InputError(f"objects: {word!r} is too long for {self.card.name}: say it in fewer words")
        tokens = self.tokenizer(list(words), padding="max_length", max_length=longest, return_tensors="pt")
        return {name: tokens[name].to(self.network.device) for name in ("input_ids", "attention_mask")}


def detector(model: str) -> Detector:
    """A detector, loaded once a process: on a graphics card where torch has one, else on one thread a worker.

    Args:
        model: a name on the hub, perhaps with ``@revision``; or a folder with a model in transformers' format.

    Raises:
        MissingExtra: transformers or torch is not installed.
        InputError: it cannot be had, or is no detector.
    """
    with _lock:
        return _loaded(model)


@lru_cache(maxsize=2)
def _loaded(model: str) -> Detector:
    torch, transformers = need("torch", EXTRA), need("transformers", EXTRA)
    folder, source = folder_of(model, "detector")
    try:
        kind = transformers.AutoConfig.from_pretrained(folder).model_type
        takes_words = kind in TAKE_WORDS
        network, loading = (
            transformers.AutoModelForZeroShotObjectDetection
            if takes_words
            else transformers.AutoModelForObjectDetection
        ).from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
        # Pillow's way of resizing is there with and without torchvision: a number must not depend on that.
        processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder) if takes_words else None
    except Exception as error:  # a missing file, another format, a network of another kind: each has its own
        raise InputError(
            f"the detector {model!r} cannot be loaded: {error}. It must be an object detector in transformers' format "
            "(such as RT-DETR, DETR, YOLOS, OWL-ViT, OWLv2); Ultralytics' YOLO is not supported"
        ) from error
    if missing := sorted(loading["missing_keys"]):
        warn(
            f"{len(missing)} parts of {model} are not in its file and were filled with random numbers "
            f"({missing[0]}, ...): its boxes mean nothing unless you know better",
            VisandaWarning,
            stacklevel=2,
        )
    if torch.cuda.is_available():
        network = network.to("cuda")
    else:
        torch.set_num_threads(1)  # the runner's workers are the parallelism
    ran = f"transformers {transformers.__version__}, torch {torch.__version__} on {network.device.type}"
    labels = () if takes_words else tuple(network.config.id2label[number] for number in sorted(network.config.id2label))
    task = f"boxes of things ({kind}), " + ("of which you give the words" if takes_words else "of its own classes")
    card = card_of(model, folder, task, f"{source}; run by {ran}", "check a sample of boxes by eye")
    return Detector(card, labels, network.eval(), processor, tokenizer)
