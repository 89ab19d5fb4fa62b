"""Links: from raw scores to calibrated predictions, the same in numbers and as an ONNX graph."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_softmax

from visanda.learn.onnx_graphs import Graph
from visanda.learn.target import Target

Link = Literal["softmax", "cumulative", "sigmoid", "identity"]
LEAST = 1e-12  # probability that a loss is computed with
COLDEST, HOTTEST = -3.0, 3.0  # log temperatures
SHRINK = 1.0  # by how much, in rows, a label's calibration is drawn to none


def link_of(target: Target, cumulative: bool = False) -> Link:
    """How a scale's raw scores are read; ``cumulative`` if those of an ordinal one are cumulative logits."""
    if target.scale == "interval":
        return "identity"
    if target.scale == "multilabel":
        return "sigmoid"
    return "cumulative" if cumulative and target.scale == "ordinal" else "softmax"


def calibrated(link: Link, raw: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """What makes raw scores mean what they say, from rows that were held out.

    For classes a temperature (1,), by which scores are divided (Guo et al. 2017); for labels a slope and an offset
    each, (2, k) (Platt 1999); for numbers nothing (0,). Rows are held to be right as if one more had been wrong
    (Platt 1999): of fifty that are all right one does not learn that no picture will ever be wrong.
    """
    if link == "identity" or not len(raw):
        return uncalibrated(link, raw.shape[1])
    if link == "sigmoid":
        return _platt(raw, truth, weights)
    share = 1 / (np.count_nonzero(weights) + 2)

    def loss(log: float) -> float:
        logs = -np.log(np.maximum(predicted(link, raw, np.array([np.exp(log)])), LEAST))
        right = logs[np.arange(len(truth)), truth]
        wrong = (logs.sum(axis=1) - right) / (logs.shape[1] - 1)
        return float(weights @ ((1 - share) * right + share * wrong))

    found = minimize_scalar(loss, bounds=(COLDEST, HOTTEST), method="bounded")
    return np.array([np.exp(found.x)])


def uncalibrated(link: Link, columns: int) -> np.ndarray:
    """What changes no score."""
    if link == "sigmoid":
        return np.stack([np.ones(columns), np.zeros(columns)])
    return np.ones(0 if link == "identity" else 1)


def predicted(link: Link, raw: np.ndarray, calibration: np.ndarray) -> np.ndarray:
    """Probabilities (n, k), or numbers (n, 1), of raw scores (n, q)."""
    if link == "identity":
        return raw
    if link == "sigmoid":
        return np.asarray(expit(raw * calibration[0] + calibration[1]))
    if link == "softmax":
        return np.asarray(np.exp(log_softmax(raw / calibration[0], axis=1)))
    below = expit(raw / calibration[0])
    return np.diff(below, axis=1, prepend=0.0, append=1.0)


def row_losses(link: Link, given: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(n,) log loss of each row (of several labels the mean of those known), or squared error."""
    if link == "identity":
        return np.asarray((given[:, 0] - truth) ** 2)
    if link == "sigmoid":
        right = np.where(truth > 0.5, given, 1 - given)
        return np.nanmean(np.where(np.isnan(truth), np.nan, -np.log(np.maximum(right, LEAST))), axis=1)
    return np.asarray(-np.log(np.maximum(given[np.arange(len(truth)), truth], LEAST)))


def finish(graph: Graph, link: Link, raw: str, calibration: np.ndarray, target: Target) -> str:
    """The same as ``predicted`` in a graph; numbers are kept within the scale's ends."""
    if link == "identity":
        low = -np.inf if target.low is None else target.low
        high = np.inf if target.high is None else target.high
        ends = [graph.constant(np.array(end, np.float32)) for end in (low, high)]
        return graph.add("Clip", raw, *ends)
    if link == "sigmoid":
        scaled = graph.add("Mul", raw, graph.constant(calibration[:1]))
        return graph.add("Sigmoid", graph.add("Add", scaled, graph.constant(calibration[1:])))
    cooled = graph.add("Div", raw, graph.constant(calibration))
    if link == "softmax":
        return graph.add("Softmax", cooled, axis=1)
    below = graph.add("Sigmoid", cooled)
    last = len(target.classes) - 1
    # p_1 = F_1, p_j = F_j - F_(j-1), p_k = 1 - F_(k-1), as one matrix
    step = np.zeros((last, last + 1))
    step[np.arange(last), np.arange(last)] = 1
    step[np.arange(last), np.arange(1, last + 1)] = -1
    shares = graph.affine(below, step, np.eye(last + 1)[last])
    return graph.add("Relu", shares)  # in float32 a difference of nearly equal numbers may fall below 0


def _platt(raw: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Slope and offset a label by Newton's method, drawn to 1 and 0 as by ``SHRINK`` rows."""
    slope, offset = uncalibrated("sigmoid", raw.shape[1])
    raw = np.clip(raw, -30, 30)
    known = ~np.isnan(truth)
    weights = weights[:, None] * known
    there = np.nansum(truth, axis=0)
    truth = np.where(truth > 0.5, (there + 1) / (there + 2), 1 / (known.sum(axis=0) - there + 2))
    for _ in range(50):
        p = expit(raw * slope + offset)
        error, curve = weights * (p - truth), weights * p * (1 - p)
        down = np.stack([(error * raw).sum(0) + SHRINK * (slope - 1), error.sum(0) + SHRINK * offset])
        aa, ab, bb = (curve * raw**2).sum(0) + SHRINK, (curve * raw).sum(0), curve.sum(0) + SHRINK
        step = np.stack([bb * down[0] - ab * down[1], aa * down[1] - ab * down[0]]) / (aa * bb - ab**2)
        step = np.clip(step, -1, 1)
        slope, offset = slope - step[0], offset - step[1]
        if np.abs(step).max() < 1e-8:
            break
    return np.stack([np.maximum(slope, np.exp(COLDEST)), offset])
