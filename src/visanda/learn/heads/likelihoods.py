"""Likelihoods of many linear models at once: their losses, and the gradients in scores and intercepts.

Each takes the truth (n, ...), the scores without intercepts (n, p, q) of p models, their intercepts (p, e) and what
each row counts in each (p, n); it gives the losses (p,), and the gradients (n, p, q) and (p, e). Beside the rows,
every class counts as seen ``PRIOR`` times at the centre, so that no class is impossible for want of rows and
thresholds stay in order.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

PRIOR = 0.01  # rows of each class

Evaluated = tuple[np.ndarray, np.ndarray, np.ndarray]


def multinomial(truth: np.ndarray, scores: np.ndarray, intercepts: np.ndarray, weights: np.ndarray) -> Evaluated:
    """Of k classes, a score each; truth (n,) class numbers."""
    counts = weights.T
    raised = scores + intercepts
    chosen = raised[np.arange(len(truth)), :, truth]
    top = raised.max(axis=2, keepdims=True)
    shares = np.exp(np.subtract(raised, top, out=raised), out=raised)
    whole = shares.sum(axis=2)
    losses = np.einsum("np,np->p", counts, np.log(whole) + top[:, :, 0] - chosen)
    shares *= (counts / whole)[:, :, None]
    shares[np.arange(len(truth)), :, truth] -= counts
    k = intercepts.shape[1]
    top = intercepts.max(axis=1, keepdims=True)
    log_shares = intercepts - top - np.log(np.exp(intercepts - top).sum(axis=1, keepdims=True))
    losses = losses - PRIOR * log_shares.sum(axis=1)
    return losses, shares, shares.sum(axis=0) + PRIOR * (k * np.exp(log_shares) - 1)


def binary(truth: np.ndarray, scores: np.ndarray, intercepts: np.ndarray, weights: np.ndarray) -> Evaluated:
    """Of q labels that are there or not, a score each; truth (n, q) 0/1, or NaN, which counts for nothing."""
    counts, known = weights.T[:, :, None], ~np.isnan(truth)
    if not known.all():
        counts, truth = counts * known[:, None, :], np.where(known, truth, 0.0)
    raised = scores + intercepts
    y = truth[:, None, :]
    losses = (counts * (np.logaddexp(0, raised) - y * raised)).sum(axis=(0, 2))
    errors = counts * (expit(raised) - y)
    losses = losses + PRIOR * (2 * np.logaddexp(0, intercepts) - intercepts).sum(axis=1)
    return losses, errors, errors.sum(axis=0) + PRIOR * (2 * expit(intercepts) - 1)


def cumulative(truth: np.ndarray, scores: np.ndarray, intercepts: np.ndarray, weights: np.ndarray) -> Evaluated:
    """Of k classes in order, one score: logit P(Y ≤ j) = intercept j − score; truth (n,) class numbers.

    Infinite where intercepts are not in order.
    """
    counts = weights.T
    ends = np.pad(intercepts, ((0, 0), (1, 1)), constant_values=((0, 0), (-np.inf, np.inf)))
    losses, up, down = _between(ends.T[truth + 1] - scores[:, :, 0], ends.T[truth] - scores[:, :, 0])
    up, down = counts * up, counts * down
    own, own_up, own_down = _between(ends[:, 1:], ends[:, :-1])
    k = intercepts.shape[1] + 1
    lifted = PRIOR * (own_up[:, :-1] + own_down[:, 1:])
    for number in range(k):
        members = truth == number
        if number < k - 1:
            lifted[:, number] += up[members].sum(axis=0)
        if number:
            lifted[:, number - 1] += down[members].sum(axis=0)
    with np.errstate(invalid="ignore"):
        values = np.where(counts > 0, counts * losses, 0.0).sum(axis=0) + PRIOR * own.sum(axis=1)
    return values, -(up + down)[:, :, None], lifted


def _between(upper: np.ndarray, lower: np.ndarray) -> Evaluated:
    """−log(Λ(upper) − Λ(lower)), and its gradients in both."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        losses = np.logaddexp(0, -upper) + np.logaddexp(0, lower) - np.log(-np.expm1(lower - upper))
        narrow = 1 / np.expm1(upper - lower)
        losses = np.where(upper > lower, losses, np.inf)
    return losses, -expit(-upper) - narrow, expit(lower) + narrow
