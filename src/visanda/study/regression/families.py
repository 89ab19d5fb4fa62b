"""Families: what a regression expects of an outcome, and how steeply that changes.

A model is known by two functions of the linear predictors ``eta``: the mean of the outcome, and the derivative of that
mean. Estimating functions X (y - mean), their derivative and marginal effects are all made of these (McCullagh & Nelder
1989); so a new model is a new line here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

Array = NDArray[np.float64]
LARGEST = 700.0  # of a linear predictor, beyond which e to its power is no number


@dataclass(frozen=True)
class Family:
    """A model of an outcome of j columns: 1, but for the categories of a multinomial.

    Attributes:
        name: as users write it.
        mean: (m, j) linear predictors to (m, j) expected outcomes.
        curve: (m, j) expected outcomes to (m, j, j) derivatives of the expected by the linear predictors.
        bend: (m, j) expected outcomes, and (m, j) steps of the linear predictors; to the (m, j) second derivatives of
            the expected along these steps. None: it has none.
        takes: whether values (m, j) can be outcomes of it.
        outcome: what it needs, for a message.
    """

    name: str
    mean: Callable[[Array], Array]
    curve: Callable[[Array], Array]
    bend: Callable[[Array, Array], Array] | None
    takes: Callable[[Array], bool]
    outcome: str


def _one(curve: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """The derivative where the outcome's columns do not depend on each other."""

    def by_column(mean: Array) -> Array:
        return np.asarray(curve(mean)[:, :, None] * np.eye(mean.shape[1]))

    return by_column


def _multinomial(eta: Array) -> Array:
    """(m, j) probabilities of all categories but the reference, whose linear predictor is 0."""
    return np.asarray(softmax(np.hstack([np.zeros((len(eta), 1)), eta]), axis=1)[:, 1:])


def _multinomial_curve(p: Array) -> Array:
    return np.asarray(p[:, :, None] * (np.eye(p.shape[1]) - p[:, None, :]))


def _multinomial_bend(p: Array, step: Array) -> Array:
    """Each probability times by how much its step's distance from the mean step is larger than usual, squared."""
    mean = (p * step).sum(axis=1, keepdims=True)
    spread = (p * step**2).sum(axis=1, keepdims=True) - mean**2
    return np.asarray(p * ((step - mean) ** 2 - spread))


LM = Family("lm", lambda eta: eta, _one(np.ones_like), None, lambda y: True, "a number")
LOGIT = Family(
    "logit",
    expit,
    _one(lambda p: p * (1 - p)),
    lambda p, step: p * (1 - p) * (1 - 2 * p) * step**2,
    lambda y: set(np.unique(y)) <= {0.0, 1.0},
    "an outcome of 0 and 1",
)
POISSON = Family(
    "poisson",
    lambda eta: np.exp(np.minimum(eta, LARGEST)),
    _one(lambda mean: mean),
    lambda mean, step: mean * step**2,
    lambda y: bool((y >= 0).all()),
    "an outcome of 0 or more",
)
MULTINOMIAL = Family("multinomial", _multinomial, _multinomial_curve, _multinomial_bend, lambda y: True, "categories")
FAMILIES = {family.name: family for family in (LM, LOGIT, POISSON, MULTINOMIAL)}
