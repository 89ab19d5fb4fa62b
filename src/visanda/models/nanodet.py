"""NanoDet-g: boxes of things of COCO's 80 classes (RangiLyu 2021; classes of Lin et al. 2014)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from visanda.models.sessions import session

_NAMES = (
    "person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,stop sign,parking meter,"
    "bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,umbrella,handbag,tie,suitcase,frisbee,"
    "skis,snowboard,sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,wine glass,"
    "cup,fork,knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,chair,couch,"
    "potted plant,bed,dining table,toilet,tv,laptop,mouse,remote,keyboard,cell phone,microwave,oven,toaster,sink,"
    "refrigerator,book,clock,vase,scissors,teddy bear,hair drier,toothbrush"
)
COCO = tuple(_NAMES.split(","))
"""The names of COCO's 80 classes, in the order of the network's outputs."""

SIDE = 416  # pixels of the square that the network sees
STRIDES = (8, 16, 32)  # pixels from one place that it judges to the next, on each of its three levels
STEPS = 11  # an edge's distance from its place is a distribution over 0 to 10 strides (Li et al. 2020)
MEAN = np.array([103.53, 116.28, 123.675], np.float32)  # blue, green, red, 0–255
STANDARD_DEVIATION = np.array([57.375, 57.12, 58.395], np.float32)
USUAL = 0.4
"""The score from which a thing counts, by eye on 62 photographs and frames with 177 things of COCO's classes: .85 of
the boxes were right and .67 of the things found; at .35 it was .73 and .70, at .45 .90 and .60. Of the boxes of people
at .4, .93 were right."""
SECOND_GUESS = 0.8  # overlap (intersection over union) from which two labels are guesses at one thing


@dataclass(frozen=True, eq=False)
class Objects:
    """The things found in one picture, the surest first.

    Attributes:
        boxes: (n, 4) float32: x and y of the upper left corner, width and height, in pixels of the picture;
            inside of it, and not empty.
        labels: n names of classes.
        scores: (n,) float32, confidence, 0 to 1.
    """

    boxes: np.ndarray
    labels: list[str]
    scores: np.ndarray

    @classmethod
    def inside(cls, corners: np.ndarray, labels: Sequence[str], scores: np.ndarray, width: int, height: int) -> Objects:
        """Boxes that may reach out of the picture, clipped to it and sorted; what lies outside is left out.

        Args:
            corners: (n, 4): left, top, right and bottom, in pixels.
            labels: n names of classes.
            scores: (n,) confidence, 0 to 1.
            width: of the picture, in pixels.
            height: of the picture, in pixels.
        """
        corners = corners.reshape(-1, 4).clip(0, [width, height, width, height])
        boxes = np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]]).astype(np.float32)
        order = np.argsort(-scores, kind="stable")
        return cls(boxes, list(labels), scores.astype(np.float32))._at(order[(boxes[order, 2:] > 0).all(axis=1)])

    def distinct(self, overlap: float, between: float = SECOND_GUESS) -> Objects:
        """One box a thing: of boxes that overlap, the surest.

        Args:
            overlap: share (intersection over union) from which two boxes of one label are one thing, 0 to 1.
            between: the same for two boxes of different labels: a second guess at what the thing is.
        """
        numbers = [self.labels.index(label) for label in self.labels]
        boxes, scores = self.boxes.tolist(), self.scores.tolist()
        alike = self._at(_sorted(cv2.dnn.NMSBoxesBatched(boxes, scores, numbers, 0.0, overlap)))
        return alike._at(_sorted(cv2.dnn.NMSBoxes(alike.boxes.tolist(), alike.scores.tolist(), 0.0, between)))

    def _at(self, places: np.ndarray) -> Objects:
        return Objects(self.boxes[places], [self.labels[place] for place in places], self.scores[places])


def _sorted(places: Sequence[int]) -> np.ndarray:
    """Places in a sorted list, which OpenCV gives in another order, and as a tuple where there are none."""
    return np.sort(np.asarray(places, np.intp).reshape(-1))


def detect(pixels: np.ndarray, *, score: float = USUAL, overlap: float = 0.5) -> Objects:
    """Find things of COCO's 80 classes in a picture.

    Args:
        pixels: (height, width, 3) uint8 RGB, of any size.
        score: confidence from which a thing counts, 0 to 1.
        overlap: share (intersection over union) from which two boxes of one class are one thing, 0 to 1.
    """
    square, left, top, across, down = _letterbox(pixels)
    # The outputs are told apart by their shapes: their names are those of the graph that they were converted from.
    outputs = {found.shape[1:]: found[0] for found in session("nanodet_g").run(None, {"input_1": square})}
    corners, confidence = _decoded(outputs)
    corners = (corners - [left, top, left, top]) / [across, down, across, down]
    classes, scores = confidence.argmax(axis=1), confidence.max(axis=1)
    sure = scores >= score
    labels = [COCO[number] for number in classes[sure]]
    height, width = pixels.shape[:2]
    return Objects.inside(corners[sure], labels, scores[sure], width, height).distinct(overlap)


def _letterbox(pixels: np.ndarray) -> tuple[np.ndarray, int, int, float, float]:
    """The picture in the middle of a black square, as in training, and where it lies there.

    Returns:
        (1, 3, 416, 416) float32, normalised; pixels left of the picture, above it; scale across, scale down.
    """
    height, width = pixels.shape[:2]
    scale = SIDE / max(height, width)
    wide, high = max(1, round(width * scale)), max(1, round(height * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    left, top = (SIDE - wide) // 2, (SIDE - high) // 2
    square = np.zeros((SIDE, SIDE, 3), np.uint8)
    square[top : top + high, left : left + wide] = cv2.resize(pixels, (wide, high), interpolation=how)
    normal = (square[:, :, ::-1] - MEAN) / STANDARD_DEVIATION
    return np.ascontiguousarray(normal.transpose(2, 0, 1)[None]), left, top, wide / width, high / height


def _decoded(outputs: dict[tuple[int, ...], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Left, top, right and bottom in the square, (3549, 4), and confidences, (3549, 80), of all places."""
    corners, confidences = [], []
    for stride in STRIDES:
        cells = SIDE // stride
        logits = outputs[cells**2, 4 * STEPS].reshape(-1, 4, STEPS)
        weights = np.exp(logits - logits.max(axis=2, keepdims=True))
        away = (weights / weights.sum(axis=2, keepdims=True)) @ np.arange(STEPS, dtype=np.float32) * stride
        row, column = np.divmod(np.arange(cells**2), cells)
        middle = (np.stack([column, row], axis=1) + 0.5) * stride
        corners.append(np.hstack([middle - away[:, :2], middle + away[:, 2:]]))
        confidences.append(outputs[cells**2, len(COCO)])
    return np.concatenate(corners), np.concatenate(confidences)
