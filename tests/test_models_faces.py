"""Faces: where they are, their meshes and where heads are turned, in portraits and groups of known make."""

from __future__ import annotations

import itertools
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import visanda
from visanda.media import load
from visanda.models.facemesh import ANCHORS, mesh
from visanda.models.headpose import canonical_face, head_pose
from visanda.models.yunet import Faces, detect

SAMPLE = Path(visanda.__file__).parent / "sample"
PORTRAITS = ["astronaut", "admiral"]
each_portrait = pytest.mark.parametrize("name", PORTRAITS)


@cache
def portrait(name: str) -> np.ndarray:
    return load(SAMPLE / f"faces/{name}.jpg").pixels


def photo(name: str) -> np.ndarray:
    return load(SAMPLE / f"photos/{name}.webp").pixels


def scaled(pixels: np.ndarray, factor: float) -> np.ndarray:
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=how)


def turned(pixels: np.ndarray, degrees: float) -> np.ndarray:
    """Turned clockwise about its centre, in a square where nothing is cut off."""
    height, width = pixels.shape[:2]
    side = int(np.hypot(height, width)) + 1
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1)  # OpenCV's is counter-clockwise
    matrix[:, 2] += [(side - width) / 2, (side - height) / 2]
    return cv2.warpAffine(pixels, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)


def one(faces: Faces) -> np.ndarray:
    """The box of the only face."""
    assert len(faces) == 1
    return faces.boxes[0]


def pose(pixels: np.ndarray, score: float = 0.7) -> np.ndarray:
    faces = detect(pixels, score=score)
    found, sure = mesh(pixels, faces.boxes[0], faces.points[0])
    assert sure > 0.9
    return np.array(head_pose(found))


def shared(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes."""
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[:2] + a[2:], b[:2] + b[2:])
    common = np.prod(np.maximum(high - low, 0))
    return float(common / (a[2] * a[3] + b[2] * b[3] - common))


def group(width: int, height: int, sizes: list[int], gap: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """A picture with faces of these heights in rows, the two people by turns; and the boxes of the faces."""
    picture, boxes = np.full((height, width, 3), 128, np.uint8), []
    left, top, row = gap, gap, 0
    for size, name in zip(sizes, itertools.cycle(PORTRAITS)):
        x, y, w, h = one(detect(portrait(name)))
        cut = portrait(name)[int(y - 0.35 * h) : int(y + 1.25 * h), int(x - 0.35 * w) : int(x + 1.35 * w)]
        cut = scaled(cut, size / h)
        if left + cut.shape[1] > width:
            left, top, row = gap, top + row + gap, 0
        assert top + cut.shape[0] <= height, "the group does not fit"
        picture[top : top + cut.shape[0], left : left + cut.shape[1]] = cut
        boxes.append([left + 0.35 * w * size / h, top + 0.35 * size, w * size / h, size])
        left, row = left + cut.shape[1] + gap, max(row, cut.shape[0])
    return picture, np.array(boxes)


def found_of(faces: Faces, boxes: np.ndarray) -> int:
    """How many of the known boxes are found, and nothing else is."""
    hits = [any(shared(box, face) > 0.4 for face in faces.boxes) for box in boxes]
    assert all(any(shared(box, face) > 0.4 for box in boxes) for face in faces.boxes), "a face where there is none"
    return sum(hits)


# Finding


def test_a_face_is_found_with_its_points_where_they_are():
    faces = detect(portrait("astronaut"))
    assert shared(one(faces), np.array([150, 63, 88, 113])) > 0.8
    assert faces.scores[0] > 0.9
    # The eyes, the tip of the nose and the corners of the mouth, read off the picture by eye:
    np.testing.assert_allclose(faces.points[0], [[171, 101], [214, 103], [191, 123], [172, 143], [212, 143]], atol=6)


def test_what_is_found_has_the_documented_shapes():
    for pixels in (portrait("astronaut"), photo("expl_music__mexico"), np.zeros((50, 50, 3), np.uint8)):
        faces = detect(pixels)
        n = len(faces.scores)
        assert (faces.boxes.shape, faces.points.shape, faces.scores.shape) == ((n, 4), (n, 5, 2), (n,))
        assert {faces.boxes.dtype, faces.points.dtype, faces.scores.dtype} == {np.dtype(np.float32)}
        assert (np.diff(faces.scores) <= 0).all() and (faces.scores <= 1).all()


@each_portrait
@pytest.mark.parametrize("height", [16, 24, 60, 150, 300, 600, 900, 1500])
def test_a_face_of_any_size_is_found_once(name, height):
    """Up to a face that fills a picture of 3000 pixels, of which the network alone finds only parts."""
    box = one(detect(portrait(name)))
    factor = height / box[3]
    found = one(detect(scaled(portrait(name), factor))) / factor
    assert shared(box, found) > (0.7 if height > 20 else 0.5)


@each_portrait
def test_a_face_that_fills_a_large_picture_is_one_face(name):
    x, y, w, h = one(detect(portrait(name))).astype(int)
    face = portrait(name)[y : y + h, x : x + w]
    large = scaled(face, 3000 / h)
    assert shared(one(detect(large)), np.array([0, 0, large.shape[1], large.shape[0]])) > 0.75


def test_a_face_of_12_pixels_is_found_by_whoever_lowers_the_score():
    picture, boxes = group(200, 100, [12] * 20)
    assert found_of(detect(picture, score=0.5), boxes) >= 5  # the admiral's are lost more often
    assert found_of(detect(scaled(picture, 2)), boxes * 2) == 20


def test_three_hundred_faces_in_one_picture():
    picture, boxes = group(1270, 1270, [40] * 300)
    assert found_of(detect(picture), boxes) >= 297


def test_tiles_find_the_small_faces_of_a_large_picture():
    sizes = [900, 30, 30, 400, 30, 120] + [30] * 300
    picture, boxes = group(4000, 3000, sizes, gap=20)
    reduced, tiled = detect(picture), detect(picture, tiles=True)
    assert found_of(reduced, boxes) < 100  # 30 pixels are 10 as it is looked at
    assert found_of(tiled, boxes) >= 304
    assert len(tiled.scores) == found_of(tiled, boxes)  # each face once, also those on the seams


def test_tiles_change_nothing_in_a_picture_of_one_tile():
    plain, tiled = detect(portrait("admiral")), detect(portrait("admiral"), tiles=True)
    np.testing.assert_array_equal(plain.boxes, tiled.boxes)


def test_the_box_of_a_cut_face_is_at_the_border():
    x, y, w, h = one(detect(portrait("admiral"))).astype(int)
    cut = portrait("admiral")[:, x + w // 3 :]
    box = one(detect(cut))
    assert box[0] < 10 and shared(box, np.array([-w // 3, y, w, h])) > 0.4


def test_a_grey_picture_serves_as_well():
    grey = np.repeat(cv2.cvtColor(portrait("admiral"), cv2.COLOR_RGB2GRAY)[:, :, None], 3, axis=2)
    assert shared(one(detect(grey)), one(detect(portrait("admiral")))) > 0.8


def test_a_face_with_one_eye_covered_is_found():
    pixels = portrait("astronaut").copy()
    x, y = detect(pixels).points[0][0].astype(int)
    pixels[y - 14 : y + 14, x - 20 : x + 18] = 20
    assert shared(one(detect(pixels)), one(detect(portrait("astronaut")))) > 0.7


def test_groups_on_real_photographs():
    """Counted by eye: eight musicians, of whom two look away; an orchestra of dozens."""
    assert 6 <= len(detect(photo("expl_music__mexico"))) <= 8
    assert 10 <= len(detect(photo("expl_music__orchestra"))) <= 40


@pytest.mark.parametrize("name", ["expl_farm__cat", "expl_farm__owl", "cat_mon__parthenon", "erase__red_panda"])
def test_animals_and_façades_are_no_faces(name):
    assert len(detect(photo(name))) == 0


@pytest.mark.parametrize("shape", [(1, 1), (3, 2000), (2000, 3), (31, 33), (1, 100_000)])
def test_pictures_of_every_shape_are_looked_at(shape):
    noise = np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8)
    assert len(detect(noise, tiles=True)) == 0


@pytest.mark.parametrize("level", [0, 128, 255])
def test_there_is_no_face_in_nothing(level):
    assert len(detect(np.full((480, 640, 3), level, np.uint8), score=0.3)) == 0


@settings(max_examples=20)
@given(st.integers(0, 300), st.integers(0, 300))
def test_a_face_is_found_wherever_it_is(left, top):
    """As far as the grid of the network lets it: its boxes jitter by a few pixels."""
    face = portrait("astronaut")[20:220, 90:290]
    picture = np.full((500, 500, 3), 90, np.uint8)
    picture[top : top + 200, left : left + 200] = face
    assert shared(one(detect(picture)), np.array([60 + left, 43 + top, 88, 113])) > 0.7


def test_a_stricter_score_finds_a_part_of_what_a_laxer_one_does():
    pixels = photo("expl_music__orchestra")
    lax, strict = detect(pixels, score=0.5), detect(pixels, score=0.8)
    assert 0 < len(strict) < len(lax)
    assert {tuple(box) for box in strict.boxes} <= {tuple(box) for box in lax.boxes}


def test_a_view_of_an_array_serves_as_well_as_a_copy():
    view = portrait("admiral")[:, ::-1]
    np.testing.assert_array_equal(detect(view).boxes, detect(view.copy()).boxes)


# Mesh


@each_portrait
def test_a_mesh_lies_on_the_eyes_and_the_nose(name):
    faces = detect(portrait(name))
    found, sure = mesh(portrait(name), faces.boxes[0], faces.points[0])
    assert found.shape == (468, 3) and found.dtype == np.float32 and sure > 0.99
    outer_left, inner_left, inner_right, base = found[[263, 362, 133, 2], :2]
    outer_right = found[33, :2]
    across = np.linalg.norm(faces.points[0][1] - faces.points[0][0])
    for corners, eye in (((outer_left, inner_left), 1), ((outer_right, inner_right), 0)):
        assert np.linalg.norm(np.mean(corners, axis=0) - faces.points[0][eye]) < 0.15 * across
    assert outer_right[0] < inner_right[0] < base[0] < inner_left[0] < outer_left[0]
    assert found[1, 2] < found[[33, 263], 2].min(), "the tip of the nose is nearer than the eyes"
    assert set(ANCHORS) == {263, 362, 33, 133, 2}


def test_a_mesh_does_not_depend_on_how_well_the_box_sits():
    faces = detect(portrait("admiral"))
    box, size = faces.boxes[0], faces.boxes[0][3]
    first, _ = mesh(portrait("admiral"), box, faces.points[0])
    for move in (np.array([0.1, 0, 0, 0]), np.array([0, -0.1, 0.1, 0.1])):
        other, _ = mesh(portrait("admiral"), box + move * size, faces.points[0])
        assert np.abs(first[:, :2] - other[:, :2]).mean() < 0.02 * size


@pytest.mark.parametrize("factor", [0.4, 3, 6])
def test_a_mesh_grows_with_the_picture(factor):
    faces = detect(portrait("admiral"))
    first, _ = mesh(portrait("admiral"), faces.boxes[0], faces.points[0])
    large = scaled(portrait("admiral"), factor)
    other, sure = mesh(large, faces.boxes[0] * factor, faces.points[0] * factor)
    assert sure > 0.99
    assert np.abs(first - other / factor).mean() < 0.02 * faces.boxes[0][3]


def test_what_is_no_face_is_told():
    points = np.array([[300, 300], [400, 300], [350, 350], [310, 400], [390, 400]], np.float32)
    for name in ("expl_farm__owl", "cat_oth__plate", "cat_mon__colosseum"):
        pixels = cv2.resize(photo(name), (700, 700))
        assert mesh(pixels, np.array([250, 200, 200, 260], np.float32), points)[1] < 0.5


@pytest.mark.parametrize(
    "box", [(0, 0, 0, 0), (-500, -500, 100, 100), (5000, 10, 20, 20), (-1e4, -1e4, 3e4, 3e4)], ids=str
)
def test_a_box_in_which_nothing_is_gives_no_face_and_no_error(box):
    x, y, w, _ = box
    points = np.array([[x, y], [x + w, y], [x, y], [x, y], [x, y]], np.float32)
    found, sure = mesh(portrait("astronaut"), np.array(box, np.float32), points)
    assert np.isfinite(found).all() and sure < 0.5


# Where a head is turned


@each_portrait
def test_portraits_look_into_the_camera(name):
    assert (np.abs(pose(portrait(name))) < 10).all()


@each_portrait
def test_a_mirrored_picture_mirrors_the_pose(name):
    for pixels in (portrait(name), turned(portrait(name), 15)):
        yaw, pitch, roll = pose(pixels)
        np.testing.assert_allclose(pose(np.ascontiguousarray(pixels[:, ::-1])), [-yaw, pitch, -roll], atol=4)


@each_portrait
@pytest.mark.parametrize("degrees", [-45, -20, 20, 45])
def test_a_turned_picture_adds_to_the_roll_alone(name, degrees):
    yaw, pitch, roll = pose(portrait(name))
    np.testing.assert_allclose(pose(turned(portrait(name), degrees)), [yaw, pitch, roll + degrees], atol=3.5)


@each_portrait
def test_a_head_that_hangs_has_a_roll_of_half_a_turn(name):
    """Given where its eyes are: YuNet finds such a face less surely, and often takes its mouth for its eyes."""
    faces, (height, width) = detect(portrait(name)), portrait(name).shape[:2]
    hanging = np.ascontiguousarray(portrait(name)[::-1, ::-1])
    x, y, w, h = faces.boxes[0]
    found, sure = mesh(hanging, np.array([width - x - w, height - y - h, w, h]), [width, height] - faces.points[0])
    yaw, pitch, roll = pose(portrait(name))
    np.testing.assert_allclose(head_pose(found)[:2], [yaw, pitch], atol=2)
    assert sure > 0.99 and abs((head_pose(found)[2] - roll) % 360 - 180) < 2


def test_a_mesh_finds_its_way_from_the_wrong_side():
    """A head that lies on its side, with the points that the detector gives it: those of an upright one."""
    lying = np.ascontiguousarray(np.rot90(portrait("astronaut"), -1))
    _, _, roll = pose(portrait("astronaut"))
    assert abs(pose(lying, score=0.5)[2] - roll - 90) < 5


@each_portrait
@pytest.mark.parametrize("factor", [0.5, 2, 5])
def test_size_changes_no_pose(name, factor):
    np.testing.assert_allclose(pose(scaled(portrait(name), factor)), pose(portrait(name)), atol=5)


@given(st.floats(-80, 80), st.floats(-80, 80), st.floats(-179, 179), st.floats(0.01, 1000), st.floats(-1e4, 1e4))
def test_a_turned_canonical_face_has_the_angles_it_was_turned_by(yaw, pitch, roll, scale, shift):
    face, _ = canonical_face()
    angles = np.radians([yaw, pitch, roll])
    (cy, cp, cr), (sy, sp, sr) = np.cos(angles), np.sin(angles)
    up = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])  # x to the right, y down, z away
    right = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    clockwise = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    turned_face = face @ (clockwise @ right @ up).T
    np.testing.assert_allclose(head_pose(turned_face * scale + shift), [yaw, pitch, roll], atol=1e-3)


def test_the_sides_of_a_pose_are_those_of_the_picture():
    """The nose points where the face looks: read off photographs in which that is plain to see."""
    right, left = ([818, 259, 156, 195], -51), ([338, 228, 42, 53], 48)
    for (box, _), name, sign in ((right, "expl_music__mexico", -1), (left, "expl_music__italy", 1)):
        faces = detect(photo(name))
        which = int(np.argmax([shared(np.array(box, float), face) for face in faces.boxes]))
        found, _ = mesh(photo(name), faces.boxes[which], faces.points[which])
        assert sign * head_pose(found)[0] > 20
