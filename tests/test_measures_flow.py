"""Optical flow, on views of photographs whose movement is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

import visanda
from visanda.errors import InputError
from visanda.measure import Row, Stream
from visanda.measures.flow import flow
from visanda.media import Facts, Frame, load

FACTS = Facts("mp4", "h264", 320, 180)
PHOTOS = Path(visanda.__file__).parent / "sample" / "photos"
SCENES = [
    "expl_mon_germany__neuschwansteinCastle",
    "expl_mon_france__rocamadour",
    "expl_mon_usa__mountRushmore",
    "cat_fish__fish1",
    "cat_mon__colosseum",
]
WIDTH, HEIGHT = 320, 180
SECONDS = 0.1  # between the frames
ASIDE = {"camera", "pan", "tilt", "zoom", "roll", "object_motion", "moving"}


@cache
def photo(name: str, width: int = 960, height: int = 720) -> np.ndarray:
    grey = cv2.cvtColor(load(PHOTOS / f"{name}.webp").pixels, cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, (width, height), interpolation=cv2.INTER_CUBIC)


def view(scene: np.ndarray, right: float = 0, down: float = 0, scale: float = 1, turn: float = 0) -> np.ndarray:
    """What a camera sees that has gone so many pixels from the middle, zoomed in, and what it films turned left."""
    angle = np.radians(turn)
    matrix = 2 * scale * np.array([[np.cos(angle), np.sin(angle), 0], [-np.sin(angle), np.cos(angle), 0]])
    middle = np.array([scene.shape[1] / 2 + right, scene.shape[0] / 2 + down])
    matrix[:, 2] = np.array([WIDTH - 0.5, HEIGHT - 0.5]) - matrix[:, :2] @ middle
    twice = cv2.warpAffine(scene, matrix, (2 * WIDTH, 2 * HEIGHT), borderMode=cv2.BORDER_REFLECT)
    return cv2.resize(twice, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)


def watched(pictures: Sequence[np.ndarray], seconds: float = SECONDS, **arguments) -> list[Row]:
    """The rows for pictures so many seconds apart, with the noise of a camera, neighbour by neighbour."""
    random = np.random.default_rng(1)
    noisy = [np.clip(one + random.normal(0, 0.7, one.shape), 0, 255).astype(np.uint8) for one in pictures]
    frames = [Frame(round(i * seconds, 6), seconds, False, one) for i, one in enumerate(noisy)]
    made = flow(**{"every": 0, **arguments})
    return list(made.registered.implementation(Stream(iter(frames), FACTS), **made.arguments))


def relative_errors(column: str, true: float, at: Callable[[np.ndarray, float], np.ndarray], seconds: float) -> float:
    """The median over all scenes, a null being all wrong."""
    errors = []
    for scene in map(photo, SCENES):
        for row in watched([at(scene, true * seconds * i) for i in (-1, 0, 1)], seconds):
            errors.append(1.0 if row[column] is None else abs(row[column] / true - 1))
    return float(np.median(errors))


def panned(scene: np.ndarray, widths: float) -> np.ndarray:
    return view(scene, right=widths * WIDTH)


def tilted(scene: np.ndarray, heights: float) -> np.ndarray:
    return view(scene, down=-heights * HEIGHT)


def zoomed(scene: np.ndarray, rate: float) -> np.ndarray:
    return view(scene, scale=np.exp(rate))


def rolled(scene: np.ndarray, degrees: float) -> np.ndarray:
    return view(scene, turn=degrees)


@pytest.mark.parametrize("true", [0.05, 0.3, -0.6, 0.8])
def test_pans(true):
    """In picture widths a second; the view goes to the right, what is filmed to the left."""
    assert relative_errors("pan", true, panned, 0.1) < 0.02


@pytest.mark.parametrize("true", [0.1, -0.5])
def test_tilts(true):
    assert relative_errors("tilt", true, tilted, 0.1) < 0.02


@pytest.mark.parametrize("true", [0.1, -0.3, 0.7])
def test_zooms(true):
    assert relative_errors("zoom", true, zoomed, 0.1) < 0.05


@pytest.mark.parametrize("true", [5, -20, 40])
def test_rolls(true):
    assert relative_errors("roll", true, rolled, 0.1) < 0.05


@pytest.mark.parametrize("seconds", [0.04, 0.2])
def test_speeds_do_not_depend_on_the_time_between_frames(seconds):
    assert relative_errors("pan", 0.3, panned, seconds) < 0.02


def test_everything_in_one_direction():
    """A camera that pans to the right and tilts up: all goes to the left and down."""
    scene = photo(SCENES[0])
    (row,) = watched([view(scene), view(scene, right=6, down=-6)])
    assert row["magnitude"] == pytest.approx(np.hypot(6, 6) / HEIGHT / SECONDS, rel=0.05)
    assert row["camera"] == pytest.approx(np.hypot(6, 6) / HEIGHT / SECONDS, rel=0.02)
    assert row["direction"] == pytest.approx(225, abs=2)
    assert row["coherence"] > 0.98 and row["fit"] > 0.95
    assert row["object_motion"] < 0.02 * row["camera"] and row["moving"] < 0.01


@pytest.mark.parametrize(("right", "down", "direction"), [(-6, 0, 0), (0, 6, 90), (6, 0, 180), (0, -6, 270)])
def test_directions(right, down, direction):
    """0 is to the right, 90 up, of what is filmed: the camera goes the other way."""
    scene = photo(SCENES[1])
    (row,) = watched([view(scene), view(scene, right, down)])
    assert (row["direction"] - direction + 180) % 360 - 180 == pytest.approx(0, abs=2)


def with_object(picture: np.ndarray, left: float, size: int, name: str = SCENES[2]) -> np.ndarray:
    made = picture.copy()
    made[(HEIGHT - size) // 2 :, :][:size, int(left) : int(left) + size] = photo(name, size, size)
    return made


@pytest.mark.parametrize("size", [50, 80, 100])
@pytest.mark.parametrize("pan", [0.0, 0.2])
def test_an_object_before_a_camera(size, pan):
    """It goes to the right by 6 pixels in the picture, before a background that stands still or goes to the left."""
    share, own = size**2 / (WIDTH * HEIGHT), (6 + pan * WIDTH * SECONDS) / HEIGHT / SECONDS
    rows = [
        watched([with_object(panned(photo(name), pan * SECONDS * i), 80 + 6 * i, size) for i in (0, 1)])[0]
        for name in SCENES[:2] + SCENES[3:]
    ]
    assert [row["pan"] for row in rows] == pytest.approx([pan] * len(rows), abs=0.01)
    assert np.median([row["object_motion"] for row in rows]) == pytest.approx(share * own, rel=0.5)
    assert np.median([row["moving"] for row in rows]) == pytest.approx(share, rel=0.5)


def test_two_objects_that_go_apart():
    """More goes up than goes to the right: the dominant direction is none between them."""
    scene = view(photo(SCENES[0]))
    pictures = []
    for i in (0, 1):
        picture = with_object(scene, 20 + 5 * i, 60)
        picture[80 - 5 * i : 160 - 5 * i, 180:280] = photo(SCENES[1], 100, 80)
        pictures.append(picture)
    (row,) = watched(pictures)
    assert row["direction"] == pytest.approx(90, abs=10)
    assert 0.5 < row["coherence"] < 0.9
    assert row["camera"] < 0.01


def test_a_region_measures_what_moves_inside():
    scene = view(photo(SCENES[0]))
    pictures = [with_object(scene, 40 + 6 * i, 80) for i in (0, 1)]
    (left,) = watched(pictures, region="0,0,0.5,1")
    (right,) = watched(pictures, region="0.6,0,0.4,1")
    assert left["moving"] > 0.15 and left["object_motion"] > 20 * right["object_motion"]
    assert right["moving"] < 0.01 and right["magnitude"] < 0.2 * left["magnitude"]
    assert left["direction"] == pytest.approx(0, abs=5) or left["direction"] == pytest.approx(360, abs=5)
    assert (left["camera"], left["fit"]) == (right["camera"], right["fit"])


def test_the_threshold_of_what_moves():
    scene = view(photo(SCENES[0]))
    pictures = [with_object(scene, 40 + 6 * i, 80) for i in (0, 1)]
    own = 6 / HEIGHT / SECONDS
    assert watched(pictures, threshold=0.5 * own)[0]["moving"] > 0.05
    assert watched(pictures, threshold=3 * own)[0]["moving"] == 0


def test_nothing_moves():
    (row,) = watched([view(photo(SCENES[0]))] * 2)
    assert row["camera"] < 0.005 and row["magnitude"] < 0.02 and row["moving"] < 0.001 and row["fit"] > 0.99


def test_without_any_movement_there_is_no_direction():
    picture = view(photo(SCENES[0]))
    frames = [Frame(time, 0.1, False, picture) for time in (0.0, 0.1)]
    (row,) = flow.implementation(Stream(iter(frames), FACTS), every=0)
    assert row["magnitude"] == 0 and row["direction"] is None and row["coherence"] is None


def test_without_texture_nothing_is_said_of_the_camera():
    rows = watched([np.full((HEIGHT, WIDTH), level, np.uint8) for level in (0, 128, 130)])
    assert all(row[name] is None for row in rows for name in {*ASIDE, "fit"})
    assert all(row["magnitude"] is not None for row in rows)


def test_across_a_cut_camera_and_objects_are_not_told_apart():
    for one, other in zip(SCENES, SCENES[1:] + SCENES[:1], strict=True):
        (row,) = watched([view(photo(one)), view(photo(other))])
        assert row["fit"] < 0.5
        assert all(row[name] is None for name in ASIDE)


@pytest.mark.parametrize("place", ["left", "middle"])
def test_an_object_before_a_plain_wall_is_not_taken_for_the_camera(place):
    wall = np.full((HEIGHT, WIDTH), 120, np.uint8)
    left = {"left": 10, "middle": 110}[place]
    (row,) = watched([with_object(wall, left + 6 * i, 100) for i in (0, 1)])
    assert row["pan"] is None and row["object_motion"] is None
    assert row["direction"] == pytest.approx(0, abs=10) or row["direction"] == pytest.approx(360, abs=10)


def test_farneback_follows_slower_movements():
    """As DIS does in the test above, at a third of the speed."""
    scene = photo(SCENES[0])
    (row,) = watched([view(scene), view(scene, right=6)], method="farneback")
    assert row["pan"] == pytest.approx(6 / WIDTH / SECONDS, rel=0.05)


def test_another_method():
    with pytest.raises(InputError, match="dis or farneback, not 'lucas'"):
        watched([view(photo(SCENES[0]))] * 2, method="lucas")


def test_rows_lie_end_to_end():
    scene = photo(SCENES[0])
    rows = watched([view(scene, right=i) for i in range(26)], 0.04, every=0.1)
    assert [row["start"] for row in rows] == [0.0, 0.12, 0.2, 0.32, 0.4, 0.52, 0.6, 0.72, 0.8, 0.92]
    assert [row["stop"] for row in rows] == [*(row["start"] for row in rows[1:]), 1.0]
    assert [row["pan"] for row in rows] == pytest.approx([1 / WIDTH / 0.04] * len(rows), rel=0.05)


@pytest.mark.parametrize("every", [0.0, 0.25])
def test_resumed_anywhere_the_rows_are_the_same(every):
    """Watched again from `before` seconds before the last kept row, keeping what ends after it."""
    random = np.random.default_rng(3)
    scene = photo(SCENES[0])
    places = np.cumsum(random.normal(0, 3, 90))
    pictures = [cv2.resize(view(scene, right=place), (128, 72), interpolation=cv2.INTER_AREA) for place in places]
    times = np.round(np.cumsum(random.uniform(0.1, 0.5, 90)), 6).tolist()

    def rows(since: int) -> list[Row]:
        frames = [Frame(time, 0.1, False, one) for time, one in zip(times[since:], pictures[since:], strict=True)]
        return list(flow.implementation(Stream(iter(frames), FACTS), every=every))

    whole = rows(0)
    assert flow.feed is not None
    for kept in range(len(whole) // 2, len(whole), 8):
        until = whole[kept - 1]["stop"]
        since = next(i for i, time in enumerate(times) if time >= until - flow.feed.before)
        assert since > 0
        assert [row for row in rows(since) if row["stop"] > until] == whole[kept:]


@pytest.mark.parametrize("shape", [(1, 1), (12, 40), (40, 12), (47, 900)])
@pytest.mark.parametrize("method", ["dis", "farneback"])
def test_tiny_pictures_have_rows_of_nulls(shape, method):
    noise = np.random.default_rng(1).integers(0, 256, (2, *shape), np.uint8)
    (row,) = watched(list(noise), method=method)
    assert set(row) == {"start", "stop", *flow().columns}
    assert all(row[name] is None for name in flow().columns)


@pytest.mark.parametrize("shape", [(48, 48), (48, 1500), (900, 50), (180, 321)])
def test_strange_pictures_give_finite_values_or_null(shape):
    noise = np.random.default_rng(1).integers(0, 256, (2, *shape), np.uint8)
    (row,) = watched(list(noise))
    assert all(row[name] is None or np.isfinite(row[name]) for name in flow().columns)
    assert row["magnitude"] is not None


def test_a_region_between_the_points_has_nothing_to_measure():
    scene = view(photo(SCENES[0]))
    (row,) = watched([scene, scene], region="0,0,0.001,0.001")
    assert row["magnitude"] is None and row["object_motion"] is None and row["camera"] is not None


def test_pictures_of_another_size_begin_anew():
    scene = view(photo(SCENES[0]))
    half = cv2.resize(scene, (160, 90), interpolation=cv2.INTER_AREA)
    assert [(row["start"], row["stop"]) for row in watched([scene, scene, half, half])] == [(0.0, 0.1), (0.2, 0.3)]
