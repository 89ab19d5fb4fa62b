"""The models inside: their cards, and how a picture is put into each."""

from visanda.models.cards import MODELS, WEIGHTS, Model, model
from visanda.models.efficientnet import imagenet, imagenet_input, imagenet_labels
from visanda.models.sessions import session
from visanda.models.words import embed_texts

__all__ = [
    "MODELS",
    "WEIGHTS",
    "Model",
    "embed_texts",
    "imagenet",
    "imagenet_input",
    "imagenet_labels",
    "model",
    "session",
]
