"""What is in pictures, and where: real photographs, pictures of any shape, and the arithmetic of boxes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import visanda
from visanda.errors import InputError
from visanda.measure import Found, Measure, find_in
from visanda.measures.objects import covered, objects
from visanda.media import Image
from visanda.models.nanodet import COCO, Objects, detect

PHOTOS = Path(visanda.__file__).parent / "sample" / "photos"


def photo(name: str) -> Image:
    return Image.of(PHOTOS / f"{name}.webp")


def found_in(name: str, **arguments: Any) -> Found:
    return find_in(objects(**arguments), [photo(name)])[0]


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union of two boxes."""
    low = np.maximum(one[:2], other[:2])
    high = np.minimum(one[:2] + one[2:], other[:2] + other[2:])
    both = float(np.prod((high - low).clip(0)))
    return both / (float(np.prod(one[2:])) + float(np.prod(other[2:])) - both)


# photographs


@pytest.mark.parametrize(
    ("name", "label", "number"),
    [
        ("expl_farm__cow", "cow", 3),
        ("expl_farm__dog", "dog", 1),
        ("expl_farm__sheep", "sheep", 1),
        ("expl_wa__giraffe", "giraffe", 2),
        ("expl_wa__panda", "bear", 1),
        ("erase__kingfisher", "bird", 1),
        ("cat_mon__tajMahal", "person", 0),
    ],
)
def test_animals_are_found_and_counted(name: str, label: str, number: int):
    found = found_in(name)
    assert [thing["label"] for thing in found.things] == [label] * number
    assert found.picture["n_objects"] == number
    assert found.picture["n_people"] == 0 and found.picture["people_share"] == 0


@pytest.mark.parametrize(
    "name", ["india__hawaMahal", "india__rangGhar", "india__charminar", "wonders__machuPicchu", "usa__mountRushmore"]
)
def test_nothing_is_found_in_monuments_that_are_none_of_the_classes(name: str):
    """With red and blue the wrong way round, something is, in each of them."""
    assert found_in(f"expl_mon_{name}").things == []


def test_the_dog_fills_the_box_that_it_fills_in_the_photograph():
    picture = photo("expl_farm__dog")
    found = detect(picture.pixels)
    by_hand = np.array([0.015, 0.04, 0.87, 0.93]) * [picture.width, picture.height, picture.width, picture.height]
    assert overlap(found.boxes[0], by_hand) > 0.9


def test_people_are_counted_at_the_brandenburg_gate():
    found = found_in("expl_mon_germany__brandenburgGate")
    shares = [thing["share"] for thing in found.things if thing["label"] == "person"]
    assert found.picture["n_people"] == len(shares) >= 5  # ten or so, half of them far away
    assert max(shares) <= found.picture["people_share"] < sum(shares)  # some stand in front of others
    assert all(thing["box"][1] > 0.5 * photo("expl_mon_germany__brandenburgGate").height for thing in found.things)


def test_a_mirrored_photograph_has_its_things_on_the_other_side():
    pixels = photo("expl_farm__cow").pixels
    found, mirrored = detect(pixels), detect(np.ascontiguousarray(pixels[:, ::-1]))
    assert found.labels == mirrored.labels
    x, y, width, height = mirrored.boxes.T
    back = np.stack([pixels.shape[1] - x - width, y, width, height], axis=1)
    assert all(max(overlap(box, other) for other in back) > 0.8 for box in found.boxes)


@pytest.mark.parametrize("turned", [False, True], ids=["wide", "high"])
def test_boxes_lie_where_the_thing_is_in_pictures_of_any_proportion(turned: bool):
    """A sheep on a long meadow: its box moves with it."""
    pixels = cv2.resize(photo("expl_farm__sheep").pixels, (200, 160), interpolation=cv2.INTER_AREA)
    alone = detect(pixels).boxes[0]
    long = np.full((160, 500, 3) if not turned else (450, 200, 3), pixels[-5:].mean(axis=(0, 1)), np.uint8)
    x, y = (0, 250) if turned else (270, 0)
    long[y : y + 160, x : x + 200] = pixels
    found = detect(long)
    assert found.labels[:1] == ["sheep"]
    assert overlap(found.boxes[0], alone + np.array([x, y, 0, 0], np.float32)) > 0.75


def test_boxes_are_in_pixels_of_the_original():
    whole = photo("expl_farm__cow")
    half = cv2.resize(whole.pixels, (whole.width // 2, whole.height // 2), interpolation=cv2.INTER_AREA)
    found, reduced = find_in(objects(), [whole, Image(half, whole.width, whole.height)])
    for one, other in zip(found.things, reduced.things, strict=True):
        assert one["label"] == other["label"]
        assert overlap(np.array(one["box"]), np.array(other["box"])) > 0.9
        assert one["share"] == pytest.approx(other["share"], rel=0.1)


def test_what_the_border_cuts_is_marked():
    pixels = photo("expl_farm__sheep").pixels
    assert [thing["cut"] for thing in found_in("expl_farm__sheep").things] == [False]
    half = np.ascontiguousarray(pixels[:, : pixels.shape[1] // 2])
    assert [thing["cut"] for thing in find_in(objects(), [Image.of(half)])[0].things] == [True]


def test_one_thing_has_one_row():
    """The macaw is a bird, and at second guess a person."""
    pixels = photo("expl_wa__scarlet_macaw").pixels
    assert detect(pixels, score=0.35).labels == ["bird"]


# arguments


def test_a_higher_score_keeps_some_of_what_a_lower_one_found():
    low, high = (found_in("expl_farm__horse", score=score).things for score in (0.3, 0.6))
    assert 0 < len(high) < len(low)
    assert {thing["box"] for thing in high} <= {thing["box"] for thing in low}
    assert all(thing["score"] >= 0.6 for thing in high)
    scores = [thing["score"] for thing in low]
    assert scores == sorted(scores, reverse=True)


def test_only_wanted_labels_are_kept():
    found = found_in("expl_mon_india__gatewayofIndia", labels=["car"])
    assert {thing["label"] for thing in found.things} == {"car"}
    assert found.picture["n_objects"] == len(found.things)
    assert found.picture["n_people"] is None and found.picture["people_share"] is None


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"labels": ["persons"]}, "did you mean 'person'"),
        ({"labels": ["flag"]}, "knows no 'flag'"),
        ({"words": ["a flag"]}, "takes no words"),
        ({"model": "yolov8n"}, "PekingU/rtdetr_r50vd"),
        ({"score": 2.0}, "from 0 to 1"),
    ],
)
def test_arguments_that_cannot_be_are_refused_before_any_picture(arguments: dict[str, Any], says: str):
    with pytest.raises(InputError, match=says):
        objects(**arguments)


def test_a_list_of_pictures_gives_columns():
    columns = objects()([PHOTOS / "expl_farm__cow.webp", PHOTOS / "cat_mon__tajMahal.webp"])
    assert columns["picture"] == [0, 0, 0]
    assert columns["label"] == ["cow"] * 3


def test_the_measure_is_described_and_made_again():
    measure = objects(labels=["person", "car"], score=0.5)
    assert Measure.from_json(measure.to_json()) == measure
    assert [card.name for card in measure.models] == ["nanodet_g"]


def test_coco_has_80_classes():
    assert len(set(COCO)) == 80
    assert COCO[9] == "traffic light" and COCO[79] == "toothbrush"


# any picture


@given(st.integers(1, 400), st.integers(1, 400), st.integers(0, 2**32 - 1))
def test_boxes_lie_in_pictures_of_any_size(height: int, width: int, seed: int):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    _lies_inside(detect(pixels, score=0.05), width, height)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 9000), (9000, 1), (416, 416), (417, 415)])
def test_strips_and_single_pixels_have_no_things(height: int, width: int):
    flat = np.full((height, width, 3), 128, np.uint8)
    assert detect(flat).labels == []
    _lies_inside(detect(flat, score=0.01), width, height)


def _lies_inside(found: Objects, width: int, height: int) -> None:
    assert len(found.boxes) == len(found.labels) == len(found.scores)
    assert (found.boxes[:, :2] >= 0).all() and (found.boxes[:, 2:] > 0).all()
    assert (found.boxes[:, :2] + found.boxes[:, 2:] <= np.array([width, height]) * (1 + 1e-6)).all()


# boxes

BOXES = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(1, 8), st.integers(1, 8)), max_size=12)


@given(BOXES)
def test_covered_pixels_are_counted_once(boxes: list[tuple[int, int, int, int]]):
    drawn = np.zeros((20, 20), bool)
    for x, y, width, height in boxes:
        drawn[y : y + height, x : x + width] = True
    assert covered(boxes) == drawn.sum()


@given(BOXES, st.randoms(use_true_random=False))
def test_of_boxes_that_overlap_the_surest_stays(boxes: list[tuple[int, int, int, int]], random: Any):
    labels = [random.choice(["person", "car"]) for _ in boxes]
    scores = np.array([random.uniform(0.1, 1) for _ in boxes], np.float32)
    corners = np.array([(x, y, x + width, y + height) for x, y, width, height in boxes], np.float32)
    everything = Objects.inside(corners, labels, scores, 20, 20)
    kept = everything.distinct(0.5, 0.8)
    pairs = [(i, j) for i in range(len(kept.labels)) for j in range(i)]
    for i, j in pairs:
        limit = 0.5 if kept.labels[i] == kept.labels[j] else 0.8
        assert overlap(kept.boxes[i], kept.boxes[j]) <= limit + 1e-3
    assert kept.scores[:1] == pytest.approx(everything.scores[:1])
    assert (np.diff(kept.scores) <= 0).all()
