"""Heads: small models on embeddings, trained on people's codes and written as ONNX."""

from visanda.learn.heads.fitting import Fitted, fit
from visanda.learn.heads.search import KINDS

__all__ = ["KINDS", "Fitted", "fit"]
