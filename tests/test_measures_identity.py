"""Identity, and how faces are aligned, on portraits in the public domain."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import visanda as vi
from visanda.errors import MediaError
from visanda.measures.identity import identity
from visanda.media import Detail, Image
from visanda.models.chips import MEAN_FACE, chip, square
from visanda.models.facemesh import ANCHORS, mesh
from visanda.models.yunet import detect

SAMPLE = Path(vi.__file__).parent / "sample" / "faces"
ASTRONAUT, ADMIRAL = SAMPLE / "astronaut.jpg", SAMPLE / "admiral.jpg"


def face_in(pixels: np.ndarray) -> Detail:
    """The surest face of a picture, with its landmarks."""
    found = detect(pixels)
    points, _ = mesh(pixels, found.boxes[0], found.points[0])
    x, y, width, height = (round(float(number)) for number in found.boxes[0])
    return Detail(Image.of(pixels), (x, y, width, height), points[list(ANCHORS), :2].ravel().tolist())


def pixels_of(path: Path) -> np.ndarray:
    return Image.of(path).pixels


def distance(one: Detail, other: Detail) -> float:
    a, b = identity()([one, other])["identity"]
    return float(np.linalg.norm(a - b))


def resized(pixels: np.ndarray, scale: float) -> np.ndarray:
    return cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


@pytest.mark.parametrize(
    "changed",
    [
        lambda pixels: np.ascontiguousarray(pixels[:, ::-1]),
        lambda pixels: np.clip(pixels * 1.2, 0, 255).astype(np.uint8),
        lambda pixels: (pixels * 0.6).astype(np.uint8),
        lambda pixels: resized(pixels, 0.5),
        lambda pixels: resized(pixels, 3),
        lambda pixels: np.ascontiguousarray(pixels[::-1, ::-1])[::-1, ::-1][:-3, 5:],
        lambda pixels: np.repeat(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[:, :, None], 3, axis=2),
    ],
    ids=["mirrored", "brighter", "darker", "half", "enlarged", "cropped", "grey"],
)
@pytest.mark.parametrize("path", [ASTRONAUT, ADMIRAL], ids=lambda path: path.stem)
def test_a_person_is_the_same_in_a_changed_picture(path, changed):
    assert distance(face_in(pixels_of(path)), face_in(np.ascontiguousarray(changed(pixels_of(path))))) < 0.5


def test_two_people_are_far_apart():
    assert distance(face_in(pixels_of(ASTRONAUT)), face_in(pixels_of(ADMIRAL))) > 0.6


def test_a_tilted_head_is_put_upright():
    pixels = pixels_of(ASTRONAUT)
    face = face_in(pixels)
    height, width = pixels.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 30, 1)
    points = np.reshape(face.points, (5, 2)) @ turn[:, :2].T + turn[:, 2]
    tilted = Detail(Image.of(cv2.warpAffine(pixels, turn, (width, height))), face.box, points.ravel().tolist())
    assert distance(face, tilted) < 0.2


def test_a_faces_numbers_do_not_depend_on_its_neighbours():
    faces = [face_in(pixels_of(path)) for path in (ASTRONAUT, ADMIRAL)]
    together = identity()(faces)["identity"]
    assert np.array_equal(together, np.concatenate([identity()([face])["identity"] for face in faces]))
    assert np.array_equal(together[::-1], identity()(faces[::-1])["identity"])


def test_a_face_without_landmarks_says_so():
    with pytest.raises(MediaError, match="landmarks"):
        identity()([Detail(ASTRONAUT, (200, 60, 90, 110))])


def test_landmarks_in_one_place_are_refused():
    for number in (7.0, np.nan):
        with pytest.raises(MediaError, match="aligned"):
            identity()([Detail(ASTRONAUT, (200, 60, 90, 110), [number] * 10)])


def test_points_and_box_are_those_of_the_original_where_pixels_are_reduced():
    pixels = pixels_of(ASTRONAUT)
    face = face_in(pixels)
    height, width = pixels.shape[:2]
    small = Image(cv2.resize(pixels, (width * 3 // 4, height * 3 // 4), interpolation=cv2.INTER_AREA), width, height)
    assert distance(face, Detail(small, face.box, face.points)) < 0.2


# --- chips -----------------------------------------------------------------------------------------------------------


def dots(anchors: np.ndarray, side: int, radius: int = 4) -> np.ndarray:
    """A black picture with a soft white dot at each anchor, positions from the outer corner of the first pixel."""
    y, x = np.mgrid[:side, :side] + 0.5
    squared = np.min([np.square(x - a) + np.square(y - b) for a, b in anchors], axis=0)
    return np.repeat((255 * np.exp(-squared / radius**2)).astype(np.uint8)[:, :, None], 3, axis=2)


def centres(picture: np.ndarray, near: np.ndarray, reach: int) -> np.ndarray:
    """Where the light around each position has its centre, in the same positions."""
    found = []
    for x, y in near:
        left, top = max(0, round(x) - reach), max(0, round(y) - reach)
        weight = picture[top : top + 2 * reach + 1, left : left + 2 * reach + 1, 0].astype(float)
        rows, columns = np.mgrid[: weight.shape[0], : weight.shape[1]]
        found.append(
            [left + (weight * columns).sum() / weight.sum() + 0.5, top + (weight * rows).sum() / weight.sum() + 0.5]
        )
    return np.array(found)


@settings(max_examples=30, deadline=None)
@given(scale=st.floats(40, 600), angle=st.floats(-3.1, 3.1), x=st.floats(330, 470), y=st.floats(330, 470))
def test_any_similarity_of_the_mean_face_is_undone(scale, angle, x, y):
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    anchors = (MEAN_FACE - 0.5) @ turn.T + [x, y]
    size, padding = 150, 0.25
    # Dots of three pixels of the chip, so that their light does not run together.
    picture = dots(anchors, 800, radius=max(2, round(3 * scale / 100)))
    wanted = (MEAN_FACE + padding) / (1 + 2 * padding) * size + 0.5
    assert np.abs(centres(chip(picture, anchors, size, padding), wanted, 7) - wanted).max() < 0.4


def test_what_lies_beyond_the_picture_is_black():
    white = np.full((60, 60, 3), 255, np.uint8)
    crop = square(white, (30, 0, 60, 60), 50, margin=1.0)
    assert (crop[:, :24] == 255).all() and (crop[:, 26:] == 0).all()


def test_a_square_holds_the_middle_of_its_box():
    picture = dots(np.array([[300.0, 200.0]]), 500, radius=10)
    for size in (31, 112, 400):
        crop = square(picture, (250, 170, 100, 60), size, margin=1.2)
        middle = centres(crop, np.array([[size / 2, size / 2]]), size // 3)
        assert np.abs(middle - size / 2).max() < 0.3


def test_fine_stripes_are_averaged_and_make_no_pattern():
    stripes = np.zeros((2000, 2000, 3), np.uint8)
    stripes[:, ::2] = 255
    anchors = MEAN_FACE * 1400 + 300
    reduced = chip(stripes, anchors, 64, 0.2)
    assert np.abs(reduced.astype(int) - 127).max() < 12


def test_a_chip_does_not_depend_on_what_is_far_from_the_face():
    noise = np.random.default_rng(3).integers(0, 256, (900, 900, 3), dtype=np.uint8)
    anchors = MEAN_FACE * 100 + 400
    changed = noise.copy()
    changed[:250] = 0
    changed[:, 700:] = 255
    assert np.array_equal(chip(noise, anchors, 150, 0.25), chip(changed, anchors, 150, 0.25))


def test_a_face_outside_of_the_picture_is_all_black():
    white = np.full((50, 50, 3), 255, np.uint8)
    assert not square(white, (500, 500, 20, 20), 32).any()
