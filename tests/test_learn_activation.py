"""Activation and occlusion maps: their peak lies on the thing, wherever it was put."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from onnx import TensorProto, helper, numpy_helper
from sklearn.linear_model import LogisticRegression

import visanda
from visanda.learn.activation import activation_map, evidence
from visanda.learn.occlusion import occlusion_map, patches
from visanda.learn.opened import opened, upper
from visanda.learn.target import Target
from visanda.media import load
from visanda.models import imagenet_input, model
from visanda.models.own import Own
from visanda.models.sessions import verified

SAMPLE = Path(visanda.__file__).parent / "sample"
PLACES = [(0, 0), (0, 128), (128, 0), (128, 128), (64, 64)]  # of the thing's upper left corner, in 256 × 256 pixels
KINDS = Target("nominal", ("fish", "monument"))
LOWER = Own(opened(verified(model("efficientnet_lite0")), "feat").lower)


def square(name: str, side: int) -> np.ndarray:
    pixels = load(SAMPLE / "photos" / name, 256).pixels
    short = min(pixels.shape[:2])
    top, left = (pixels.shape[0] - short) // 2, (pixels.shape[1] - short) // 2
    return cv2.resize(pixels[top : top + short, left : left + short], (side, side), interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="module")
def classifier():
    """A logistic head on the mean of the places, fish or monument, and pictures that it did not learn from."""
    known = pd.read_csv(SAMPLE / "photos.csv").query("category in ('fish', 'monument')")
    names, kinds = known["filename"].tolist(), known["category"].to_numpy()
    held = {name for kind in KINDS.classes for name in known.query("category == @kind")["filename"].iloc[::5]}
    learnt = [name not in held for name in names]
    features = np.array(
        [LOWER(imagenet_input(load(SAMPLE / "photos" / name, 256).pixels)).mean((0, 2, 3)) for name in names]
    )
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    head = LogisticRegression(C=100).fit(features[learnt], kinds[learnt] == "monument")

    def scores(places: np.ndarray) -> np.ndarray:
        means = places.mean(axis=(2, 3))
        return head.predict_proba(means / np.linalg.norm(means, axis=1, keepdims=True))

    return scores, sorted(held)


def composed(held: list[str], place: tuple[int, int], number: int) -> np.ndarray:
    """A fish of 128 pixels on a monument of 256."""
    fish = [name for name in held if "fish" in name]
    monuments = [name for name in held if "_mon_" in name or "mon__" in name]
    pixels = square(monuments[number % len(monuments)], 256)
    row, column = place
    pixels[row : row + 128, column : column + 128] = square(fish[number % len(fish)], 128)
    return pixels


def on_it(heat: np.ndarray, place: tuple[int, int], edge: int) -> bool:
    """Whether the peak lies on the thing; ``edge`` pixels of the 256 on each side are not seen."""
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    y, x = (edge + (256 - 2 * edge) * (at + 0.5) / size for at, size in zip((row, column), heat.shape, strict=True))
    return place[0] - 16 <= y <= place[0] + 144 and place[1] - 16 <= x <= place[1] + 144


def test_the_peak_of_an_activation_map_lies_on_the_thing(classifier):
    scores, held = classifier
    hits = [
        on_it(activation_map(LOWER(imagenet_input(composed(held, place, number))), scores, 0, KINDS), place, 16)
        for number in range(6)
        for place in PLACES
    ]
    assert np.mean(hits) >= 0.9, "a quarter of the picture is fish: chance would hit it three times in ten"


def test_the_peak_of_an_occlusion_map_lies_on_the_thing(classifier):
    scores, held = classifier
    hits = []
    for number, place in enumerate(PLACES):
        pixels = composed(held, place, number)
        heat = occlusion_map(pixels, lambda batch: scores(LOWER(imagenet_input(batch[0]))), 0, KINDS)
        hits.append(on_it(heat, place, 0))
    assert np.mean(hits) >= 0.8


def test_what_speaks_for_one_of_two_speaks_against_the_other(classifier):
    scores, held = classifier
    places = LOWER(imagenet_input(composed(held, (0, 0), 0)))
    fish, monument = (activation_map(places, scores, output, KINDS) for output in (0, 1))
    assert fish == pytest.approx(-monument, abs=1e-6)
    assert fish.max() > 0 > fish.min()


def test_for_a_linear_head_the_map_is_that_of_zhou_and_others():
    """Logit = w · mean + b: leaving a place out takes w · place / number of places away."""
    random = np.random.default_rng(1)
    weights, places = random.normal(size=12), random.normal(size=(1, 12, 3, 4))
    target = Target("multilabel", ("flag",))

    def scores(given: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-(given.mean(axis=(2, 3)) @ weights[:, None] + 0.3)))

    by_hand = np.einsum("c,crk->rk", weights, places[0]) / 12
    assert activation_map(places, scores, 0, target) == pytest.approx(by_hand)


def test_evidence_counts_where_probabilities_have_reached_one():
    sure = np.array([[1.0, 1e-12, 1e-13], [1.0, 1e-20, 1e-22]])
    low, high = evidence(sure, 0, Target("nominal", ("a", "b", "c")))
    assert 25 < low < high < 60
    assert evidence(np.array([[7.5]]), 0, Target("interval")) == [7.5]


def test_patches_cover_the_picture():
    masks = patches(50, 90, 5)
    assert masks.shape == (25, 50, 90)
    assert masks.max(axis=0).min() > 0.5
    assert masks.min() >= 0 and masks.max() <= 1 + 1e-6


# cutting networks


def network(pooling: str, round_it: bool = False) -> bytes:
    """pixels (n, 3, 8, 8) → convolution → pooling → scores (n, 2)."""
    random = np.random.default_rng(1)
    weights = {"kernel": random.normal(size=(4, 3, 3, 3)), "matrix": random.normal(size=(4, 2))}
    constants = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()]
    nodes = [helper.make_node("Conv", ["pixels", "kernel"], ["places"], pads=[1, 1, 1, 1])]
    if pooling == "GlobalAveragePool":
        nodes += [helper.make_node(pooling, ["places"], ["pooled"]), helper.make_node("Flatten", ["pooled"], ["mean"])]
    elif pooling == "ReduceMean":
        nodes += [helper.make_node(pooling, ["places"], ["mean"], axes=[2, 3], keepdims=0)]
    else:
        nodes += [helper.make_node("ReduceMax", ["places"], ["mean"], axes=[2, 3], keepdims=0)]
    nodes += [helper.make_node("MatMul", ["mean", "matrix"], ["products"])]
    if round_it:
        nodes += [helper.make_node("ReduceMean", ["pixels"], ["bright"], axes=[1, 2, 3], keepdims=1)]
        nodes += [
            helper.make_node("Flatten", ["bright"], ["flat"]),
            helper.make_node("Add", ["products", "flat"], ["sum"]),
        ]
    nodes += [helper.make_node("Softmax", ["sum" if round_it else "products"], ["scores"])]
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", 3, 8, 8])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 2])],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


@pytest.mark.parametrize("pooling", ["GlobalAveragePool", "ReduceMean"])
def test_the_two_parts_of_a_network_are_the_network(pooling):
    data = network(pooling)
    pixels = np.random.default_rng(2).normal(size=(2, 3, 8, 8)).astype(np.float32)
    cut = opened(data)
    places = Own(cut.lower)(pixels)
    assert places.shape == (2, 4, 8, 8)
    assert Own(upper(data, cut, places.shape))(places) == pytest.approx(Own(data)(pixels), abs=1e-6)


def test_a_network_that_does_not_average_over_places_is_not_cut():
    assert opened(network("ReduceMax")) is None
    assert opened(network("GlobalAveragePool", round_it=True)) is None, "the output also rests on the pixels themselves"
