"""Joint models of the hub, CLIP and SigLIP: pictures and words in one space that was learnt from both."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from visanda.errors import InputError
from visanda.extras import need
from visanda.measure import Columns, Vector, measure
from visanda.media import Image
from visanda.models import Model
from visanda.models.hub import EXTRA, card_of, folder_of

SIZE = 512  # pixels of the shorter side: as much as the largest of these models takes
LEVEL = 0.23  # the cosine from which words rather fit a picture than not, in CLIP, which states none itself
LIMITS = "compare what it says with codes of your own: it repeats what its makers' web pages say of people and things"

_lock = threading.Lock()


@dataclass(frozen=True, eq=False)
class Joint:
    """A loaded model of pictures and words.

    Attributes:
        card: what exactly was loaded.
        network: transformers' model.
        processor: puts pictures into the network.
        tokenizer: puts words into it.
        width: of the space.
    """

    card: Model
    network: Any
    processor: Any
    tokenizer: Any
    width: int

    def of_picture(self, image: Image) -> np.ndarray:
        """(d,) of length 1."""
        # Pictures of three pixels in height would pass for three channels.
        given = self.processor(images=image.pixels, input_data_format="channels_last", return_tensors="pt")
        return self._vectors(self.network.get_image_features, given)[0]

    def of_words(self, words: Sequence[str]) -> np.ndarray:
        """(n, d) of length 1."""
        return self._vectors(self.network.get_text_features, tokens(self.tokenizer, self.network, words))

    def _vectors(self, features: Any, given: Any) -> np.ndarray:
        torch = need("torch", EXTRA)
        with torch.inference_mode():
            found = features(**{name: value.to(self.network.device) for name, value in given.items()})
        pooled = getattr(found, "pooler_output", found)  # transformers 4 gave the tensor itself
        vectors = pooled.float().cpu().numpy()
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _columns(model: str) -> Columns:
    return {"embedding": Vector(joint(model).width)}


def _models(model: str) -> Sequence[Model]:
    return [joint(model).card]


@measure(
    columns=_columns,
    size=SIZE,
    models=_models,
    source="Radford et al. (2021), CLIP; Zhai et al. (2023), SigLIP",
)
def clip(images: Sequence[Image], *, model: str) -> dict[str, np.ndarray]:
    """Places pictures in the space of a CLIP or SigLIP of the hub, where words have places too.

    Args:
        images: n pictures.
        model: a name on the hub, such as ``openai/clip-vit-base-patch32`` or ``google/siglip2-base-patch16-224``,
            perhaps with ``@revision``; or a folder with such a model in transformers' format.

    Returns:
        ``embedding`` the picture's vector, scaled to length 1; its cosine similarity to the vector of a phrase says how
        well the phrase fits. What such a model learnt from the web, it gives back: validate against your own codes.

    Raises:
        MissingExtra: transformers or torch is not installed.
        InputError: the model cannot be had, or knows no words.
    """
    loaded = joint(model)
    # One at a time, so that a picture's numbers do not depend on its neighbours.
    return {"embedding": np.array([loaded.of_picture(image) for image in images]).reshape(len(images), loaded.width)}


def clip_texts(model: str, phrases: Sequence[str]) -> np.ndarray:
    """Where phrases lie in a model's space: (n, d), of length 1.

    Raises:
        MissingExtra: transformers or torch is not installed.
        InputError: the model cannot be had or knows no words, or a phrase is too long for it.
    """
    return joint(model).of_words(phrases)


def clip_space(model: str) -> tuple[float, float]:
    """By what a model multiplies cosines to make logits of them, and the cosine from which words fit a picture."""
    network = joint(model).network
    scale = float(network.logit_scale.detach().exp())
    bias = getattr(network, "logit_bias", None)  # SigLIP's, which learnt to say of each pair whether it fits
    return scale, LEVEL if bias is None else -float(bias.detach()) / scale


def joint(model: str) -> Joint:
    """A model of pictures and words, loaded once a process.

    Raises:
        MissingExtra: transformers or torch is not installed.
        InputError: it cannot be had, or knows no words.
    """
    with _lock:
        return _loaded(model)


@lru_cache(maxsize=2)
def _loaded(model: str) -> Joint:
    torch, transformers = need("torch", EXTRA), need("transformers", EXTRA)
    folder, source = folder_of(model, "model of pictures and words")
    try:
        network = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
        if not hasattr(network, "get_text_features"):
            raise ValueError(f"a {network.config.model_type} knows pictures or words, not both")
        processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    except Exception as error:  # a missing file, another format, a network of another kind: each has its own
        raise InputError(
            f"{model!r} cannot be loaded: {error}. It must be a model of pictures and words in transformers' format, "
            "such as CLIP or SigLIP"
        ) from error
    if torch.cuda.is_available():
        network = network.to("cuda")
    else:
        torch.set_num_threads(1)  # the runner's workers are the parallelism
    ran = f"transformers {transformers.__version__}, torch {torch.__version__} on {network.device.type}"
    task = f"places pictures and words in one space ({network.config.model_type})"
    card = card_of(model, folder, task, f"{source}; run by {ran}", LIMITS)
    made = Joint(card, network, processor, tokenizer, 0)
    return Joint(card, network, processor, tokenizer, made.of_words(["a photo"]).shape[1])


def tokens(tokenizer: Any, network: Any, words: Sequence[str]) -> Any:
    """Words as a network takes them, filled up to its length, as they were when it learnt.

    Raises:
        InputError: a phrase is too long.
    """
    longest = network.config.text_config.max_position_embeddings
    for phrase in words:
        if len(tokenizer(phrase)["input_ids"]) > longest:
            raise InputError(f"{phrase!r} is too long for the model's {longest} tokens: say it in fewer words")
    return tokenizer(list(words), padding="max_length", max_length=longest, return_tensors="pt")
