"""Motion, on frames whose changes are known."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from video_clips import write_video

import visanda
from visanda.errors import InputError
from visanda.measure import Row, Stream
from visanda.measures.motion import motion
from visanda.media import Facts, Frame, Video, load, save
from visanda.media.image import Image

FACTS = Facts("mp4", "h264", 320, 180)
PHOTOS = sorted((Path(visanda.__file__).parent / "sample" / "photos").glob("expl_mon_*.webp"))


def watched(pictures: Sequence[np.ndarray], times: Sequence[float] | None = None, **arguments) -> list[Row]:
    """The rows for pictures at these times, 0.04 seconds apart by default."""
    times = times or [round(0.04 * i, 6) for i in range(len(pictures))]
    frames = [Frame(time, 0.04, False, picture) for time, picture in zip(times, pictures, strict=True)]
    made = motion(**arguments)
    return list(made.registered.implementation(Stream(iter(frames), FACTS), **made.arguments))


def flat(level: int, height: int = 180, width: int = 320) -> np.ndarray:
    return np.full((height, width), level, np.uint8)


def with_square(left: int, top: int = 60, side: int = 60) -> np.ndarray:
    picture = flat(50)
    picture[top : top + side, left : left + side] = 200
    return picture


def drifting(n: int, seed: int = 1) -> list[np.ndarray]:
    """Views of a photograph by a camera that moves irregularly, to the right and back."""
    photo = cv2.resize(cv2.cvtColor(load(PHOTOS[seed]).pixels, cv2.COLOR_RGB2GRAY), (640, 360))
    places = np.cumsum(np.random.default_rng(seed).integers(0, 6, n))
    return [photo[40:220, left : left + 320].copy() for left in 320 - abs(320 - places % 640)]


def test_pictures_that_stay_the_same_do_not_change():
    picture = drifting(1)[0]
    for row in watched([picture] * 3):
        assert (row["changed"], row["difference"]) == (0, 0)
        assert row["brightness"] == pytest.approx(picture.mean() / 255)


@pytest.mark.parametrize(("step", "changed"), [(25, 0), (26, 1)])
def test_a_pixel_has_changed_beyond_the_threshold(step, changed):
    (row,) = watched([flat(100), flat(100 + step)])
    assert row["changed"] == changed
    assert row["difference"] == pytest.approx(step / 255)
    assert row["brightness"] == pytest.approx((100 + step) / 255)


def test_the_threshold_is_an_argument():
    pictures = [flat(100), flat(110)]
    assert [watched(pictures, threshold=t)[0]["changed"] for t in (9, 10)] == [1, 0]


def test_the_share_of_what_appears():
    """A square of 60 × 60 pixels, sharp and blurred: a blur hardly moves its border at a middling threshold."""
    true = 60 * 60 / (180 * 320)
    pictures = [flat(50), with_square(100)]
    assert watched(pictures, blur=0)[0]["changed"] == pytest.approx(true)
    assert watched(pictures, threshold=75)[0]["changed"] == pytest.approx(true, rel=0.03)
    assert watched(pictures)[0]["difference"] == pytest.approx(true * 150 / 255)


def test_blur_keeps_noise_from_counting():
    random = np.random.default_rng(1)
    noisy = [np.clip(flat(128) + random.normal(0, 25, (180, 320)), 0, 255).astype(np.uint8) for _ in range(2)]
    assert watched(noisy, blur=0)[0]["changed"] > 0.3
    assert watched(noisy)[0]["changed"] < 0.01


@pytest.mark.parametrize("blur", [9, 11, 13, 21, 35])
def test_the_blur_is_that_of_the_recipe(blur):
    """Against OpenCV's Gaussian kernel of the same width."""
    earlier, later = drifting(40)[::39]
    recipe = [cv2.GaussianBlur(picture, (blur, blur), 0) for picture in (earlier, later)]
    expected = (cv2.absdiff(*recipe) > 25).mean()
    assert expected > 0.05
    assert watched([earlier, later], blur=blur)[0]["changed"] == pytest.approx(expected, rel=0.05)


def test_smaller_pictures_are_blurred_less():
    pictures = drifting(40)[::39]
    half = [cv2.resize(picture, (160, 90), interpolation=cv2.INTER_AREA) for picture in pictures]
    assert watched(half)[0]["changed"] == pytest.approx(watched(pictures)[0]["changed"], rel=0.1)


def test_rows_lie_end_to_end_at_the_times_of_variable_frames():
    times = [0.0, 0.04, 0.5, 0.51, 3.2]
    rows = watched(drifting(5), times)
    assert [(row["start"], row["stop"]) for row in rows] == list(pairwise(times))


def test_times_of_a_file_with_variable_frame_rate(tmp_path):
    pts = [0, 1, 2, 7, 8, 30, 31]
    pictures = [np.repeat(picture[:, :, None], 3, axis=2) for picture in drifting(len(pts))]
    path = write_video(tmp_path / "vfr.mp4", pictures, 10, pts=pts)
    with Video(path) as video:
        frames = (Frame(one.time, one.duration, one.key, one.grey(180)) for one in video.frames())
        rows = list(motion.implementation(Stream(frames, video.facts)))
    assert [row["start"] for row in rows] == [tick / 10 for tick in pts[:-1]]
    assert [row["stop"] for row in rows] == [tick / 10 for tick in pts[1:]]


@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_frames_have_no_rows(n):
    assert watched(drifting(n) if n else []) == []


def test_every_compares_the_first_frames_of_spans():
    rows = watched(drifting(50), every=0.2)
    assert [row["start"] for row in rows] == pytest.approx([0.2 * i for i in range(9)])
    assert [row["stop"] for row in rows] == pytest.approx([0.2 * (i + 1) for i in range(9)])


def test_at_every_the_frame_rate_hardly_matters():
    """The same movement at 50 and at 25 frames a second: pairs of neighbours differ, pairs so far apart do not."""
    fine = drifting(101)
    times = [round(0.02 * i, 6) for i in range(101)]
    neighbours = [np.mean([row["changed"] for row in watched(fine[::n], times[::n])]) for n in (1, 2)]
    apart = [np.mean([row["changed"] for row in watched(fine[::n], times[::n], every=0.2)]) for n in (1, 2)]
    assert neighbours[1] > 1.3 * neighbours[0]
    assert apart[1] == apart[0]


@pytest.mark.parametrize("every", [0.0, 0.1, 0.33, 10.0])
def test_resumed_anywhere_the_rows_are_the_same(every):
    """Watched again from `before` seconds before the last kept row, keeping what ends after it."""
    random = np.random.default_rng(3)
    pictures = [picture[::6, ::6].copy() for picture in drifting(300)]
    times = np.round(np.cumsum(random.uniform(0.01, 0.3, 300)), 6).tolist()
    whole = watched(pictures, times, every=every)
    assert motion.feed is not None
    for kept in range(1, len(whole), max(1, len(whole) // 7)):
        until = whole[kept - 1]["stop"]
        since = next(i for i, time in enumerate(times) if time >= until - motion.feed.before)
        again = watched(pictures[since:], times[since:], every=every)
        assert [row for row in again if row["stop"] > until] == whole[kept:]


def test_a_region_leaves_out_what_moves_elsewhere():
    pictures = [with_square(20), with_square(80)]
    assert watched(pictures, region="0.5,0,0.5,1")[0]["changed"] == 0
    left = watched(pictures, region="0,0,0.5,1")[0]
    everywhere = watched(pictures)[0]
    assert left["changed"] == pytest.approx(2 * everywhere["changed"])
    assert left["difference"] == pytest.approx(2 * everywhere["difference"])
    assert left["brightness"] == pytest.approx(pictures[1][:, :160].mean() / 255)


def test_a_region_of_less_than_a_pixel_is_one_pixel():
    assert watched([flat(0), flat(200)], region="0.999,0.999,0.001,0.001")[0]["changed"] == 1


@pytest.mark.parametrize(
    "region", ["1,2,3", "a,b,c,d", "0.5,0,0.6,1", "0,0,0,1", "-0.1,0,1,1", "0,0,100,50", "nan,0,1,1"]
)
def test_a_region_that_is_none(region):
    with pytest.raises(InputError, match=r"shares of the picture from 0 to 1, as 0\.25,0,0\.5,1"):
        watched([flat(0), flat(9)], region=region)


def mask_file(folder: Path, pixels: np.ndarray) -> str:
    save(Image.of(np.repeat(pixels[:, :, None], 3, axis=2)), folder / "mask.png")
    return str(folder / "mask.png")


def test_a_mask_is_stretched_to_the_frame(tmp_path):
    """The right half of a mask of another size is bright."""
    mask = mask_file(tmp_path, np.where(np.arange(64) < 32, 127, 128)[None].repeat(64, axis=0).astype(np.uint8))
    pictures = [with_square(20), with_square(80), with_square(220)]
    assert watched(pictures[:2], mask=mask)[0]["changed"] == 0
    assert watched(pictures[1:], mask=mask) == watched(pictures[1:], region="0.5,0,0.5,1")


def test_mask_and_region_together(tmp_path):
    top = mask_file(tmp_path, np.where(np.arange(64) < 32, 255, 0)[:, None].repeat(64, axis=1).astype(np.uint8))
    pictures = [flat(0), with_square(0, 0, 90)]
    assert watched(pictures, mask=top, region="0,0,0.28125,1", blur=0)[0]["changed"] == 1  # 90 of 320 pixels


def test_a_mask_that_leaves_nothing(tmp_path):
    with pytest.raises(InputError, match="no pixel is left"):
        watched([flat(0), flat(9)], mask=mask_file(tmp_path, flat(127)))


def test_a_mask_that_cannot_be_read(tmp_path):
    (tmp_path / "mask.png").write_text("no picture")
    for path in (tmp_path / "mask.png", tmp_path / "missing.png"):
        with pytest.raises(InputError, match=rf"mask.*{path.name}"):
            watched([flat(0), flat(9)], mask=str(path))


def test_pictures_of_another_size_begin_anew():
    """As where a broadcast changes its format: nothing is compared across."""
    rows = watched([flat(0), flat(100), flat(200, 90, 160), flat(0, 90, 160)])
    assert [(row["start"], row["stop"]) for row in rows] == [(0.0, 0.04), (0.08, 0.12)]


@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (90, 1)])
def test_strange_pictures(shape):
    noise = np.random.default_rng(1).integers(0, 256, (2, *shape), np.uint8)
    (row,) = watched(list(noise))
    assert all(0 <= row[name] <= 1 for name in ("changed", "difference", "brightness"))
