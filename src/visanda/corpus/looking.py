"""Looking for what is to be hidden: at full care, and sooner once too often than once too seldom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np

from visanda.measures.text import read_lines
from visanda.media import Image
from visanda.models import nanodet, yunet

How = Literal["blur", "pixelate", "fill"]
PEOPLE = 0.3  # confidence from which on a thing is hidden as a person; 0.4 where people are counted
LETTERS = 4000  # pixels of the longer side in which text is looked for
SMALL = 2000  # pixels up to which a picture is also looked at in twice its size, where letters of 5 pixels are found
READ = 0.5  # certainty from which on what is read is text, as where it is measured
SIGN, LARGE = 2, 0.1  # a line of at most so many letters over so much of a picture is a thing taken for a letter
SAME = 0.4  # intersection over union from which on boxes of two looks are of one thing
QUARTERS = (0, 1, 2, 3)  # turns by which a picture is looked at: upright, it finds a quarter of faces on their side
SURER = 0.1  # by which a face must be surer in a picture that is turned: there are few, and patterns look like some


@dataclass(frozen=True)
class Search:
    """What is to be hidden in pictures, and how.

    Attributes:
        faces: how they are hidden; ``None``: not at all.
        people: whether whole people are hidden.
        text: whether lines of text are hidden.
        score: confidence from which on a face is hidden.
    """

    faces: How | None
    people: bool
    text: bool
    score: float

    @property
    def how(self) -> How:
        """How all is hidden: as faces are, or filled."""
        return self.faces or "fill"

    @property
    def kinds(self) -> list[str]:
        """Of boxes that are hidden."""
        wanted = {"face": self.faces is not None, "person": self.people, "text": self.text}
        return [kind for kind, asked in wanted.items() if asked]

    def described(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {"faces": self.faces, "people": self.people, "text": self.text, "score": self.score}

    def in_picture(self, pixels: np.ndarray) -> dict[str, np.ndarray]:
        """Boxes by kind, (n, 4) x, y, width and height, in (H, W, 3) uint8 RGB: also small ones, and faces that lie."""
        return self._boxes(pixels, _faces_any_way_up, _small_text)

    def in_frame(self, pixels: np.ndarray) -> dict[str, np.ndarray]:
        """The same in a frame of a video, of which others show the same: upright faces of more than a few pixels."""
        return self._boxes(pixels, lambda pixels, score: yunet.detect(pixels, score=score).boxes, _text)

    def _boxes(self, pixels: np.ndarray, faces: Any, text: Any) -> dict[str, np.ndarray]:
        found = {}
        if self.faces is not None:
            found["face"] = faces(pixels, self.score)
        if self.people:
            things = nanodet.detect(pixels, score=PEOPLE)
            found["person"] = things.boxes[[label == "person" for label in things.labels]]
        if self.text:
            found["text"] = text(pixels)
        return found


def distinct(boxes: np.ndarray) -> np.ndarray:
    """Boxes of several looks, (n, 4), as one a thing: those that overlap much become the box round both."""
    kept: list[np.ndarray] = []
    for left, top, right, bottom in np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]]):
        new = np.array([left, top, right, bottom])
        for number, old in enumerate(kept):
            shared = np.prod(np.clip(np.minimum(new[2:], old[2:]) - np.maximum(new[:2], old[:2]), 0, None))
            if shared > SAME * (np.prod(new[2:] - new[:2]) + np.prod(old[2:] - old[:2]) - shared):
                kept[number] = np.concatenate([np.minimum(new[:2], old[:2]), np.maximum(new[2:], old[2:])])
                break
        else:
            kept.append(new)
    corners = np.array(kept).reshape(-1, 4)
    return np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]])


def _text(pixels: np.ndarray) -> np.ndarray:
    """Boxes of lines of text."""
    height, width = pixels.shape[:2]
    boxes = []
    for line in read_lines(Image(pixels, width, height), LETTERS):
        left, top = line.polygon.min(axis=0)
        across, down = np.ptp(line.polygon, axis=0)
        if line.score >= READ and (len(line.text) > SIGN or across * down < LARGE * width * height):
            boxes.append([left, top, across, down])
    return np.array(boxes, float).reshape(-1, 4)


def _small_text(pixels: np.ndarray) -> np.ndarray:
    """Boxes of lines of text, small ones included."""
    height, width = pixels.shape[:2]
    looks = [_text(pixels)]
    if max(height, width) <= SMALL:
        looks.append(_text(cv2.resize(pixels, (2 * width, 2 * height), interpolation=cv2.INTER_CUBIC)) / 2)
    return distinct(np.concatenate(looks))


def _faces_any_way_up(pixels: np.ndarray, score: float) -> np.ndarray:
    """Boxes of faces, small ones and those that lie on their side or stand on their head included."""
    height, width = pixels.shape[:2]
    looks = []
    for quarter in QUARTERS:
        turned = np.ascontiguousarray(np.rot90(pixels, quarter))
        boxes = yunet.detect(turned, score=score + SURER * (quarter > 0), tiles=quarter == 0).boxes
        x, y, across, down = boxes.T.astype(float)
        if quarter == 1:  # turned to the left: what was right is above
            x, y, across, down = width - y - down, x, down, across
        elif quarter == 2:
            x, y = width - x - across, height - y - down
        elif quarter == 3:
            x, y, across, down = y, height - x - across, down, across
        looks.append(np.stack([x, y, across, down], axis=1))
    return distinct(np.concatenate(looks))
