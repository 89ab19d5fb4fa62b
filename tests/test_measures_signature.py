"""Signatures: on one grid of time whatever the frame rate, near for copies, far for other videos."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image as Pillow
from video_clips import panned, write_video

import visanda as vi
from visanda.errors import InputError
from visanda.measure import Stream
from visanda.measures.signature import signature
from visanda.media import Facts, Frame, Video

PHOTOS = sorted((Path(vi.__file__).parent / "sample" / "photos").iterdir())
FACTS = Facts("mp4", "h264", 160, 90)
RATE = 24


def photo(number: int) -> np.ndarray:
    return np.asarray(Pillow.open(PHOTOS[number]).convert("RGB"))


@pytest.fixture(scope="module")
def take() -> list[np.ndarray]:
    """Eight seconds: four photos, each passed by the camera in two."""
    views = [((0.2, 0.3, 1.1), (0.8, 0.6, 1.5)), ((0.7, 0.5, 1.6), (0.3, 0.5, 1.1))] * 2
    shots = [panned(photo(40 * k), 2 * RATE, begin=a, end=b) for k, (a, b) in enumerate(views)]
    return [frame for shot in shots for frame in shot]


def frames(pictures: list[np.ndarray], rate: float = RATE) -> list[Frame]:
    return [Frame(round(k / rate, 6), round(1 / rate, 6), k == 0, p) for k, p in enumerate(pictures)]


def rows(shown: list[Frame] | Iterator[Frame], every: float = 0.5) -> pd.DataFrame:
    watched = signature(every=every)
    return pd.DataFrame(watched.registered.implementation(Stream(iter(shown), FACTS), **watched.arguments))


def of_file(path: Path) -> pd.DataFrame:
    with Video(path) as video:
        return rows(Frame(f.time, f.duration, f.key, f.grey(90)) for f in video.frames())


def bits_apart(one: pd.DataFrame, other: pd.DataFrame) -> np.ndarray:
    """For each row of one, the bits to the nearest in time of the other."""
    nearest = np.abs(other["start"].to_numpy() - one["start"].to_numpy()[:, None]).argmin(axis=1)
    pairs = zip(one["hash"], other["hash"].iloc[nearest], strict=True)
    return np.array([(int(a, 16) ^ int(b, 16)).bit_count() for a, b in pairs])


def grey(seed: int = 0, shape: tuple[int, int] = (90, 160)) -> np.ndarray:
    """Blurred noise: structure everywhere, no black."""
    noise = np.random.default_rng(seed).integers(60, 256, (6, 10)).astype(np.uint8)
    return cv2.resize(noise, shape[::-1], interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize("rate", [2, 10, 23.976, 25, 60])
def test_a_row_for_every_half_second_at_its_first_frame(rate):
    shown = frames([grey()] * int(3 * rate), rate)
    found = rows(shown)
    assert (found["start"] == found["stop"]).all()
    assert np.floor(found["start"] / 0.5 + 1e-6).tolist() == [0, 1, 2, 3, 4, 5]
    assert set(found["start"]) <= {frame.time for frame in shown}
    assert (found["start"] % 0.5 < 1 / rate).all()
    assert found["hash"].str.fullmatch("[0-9a-f]{16}").all()


def test_a_picture_shown_for_a_minute_is_one_row_and_delays_nothing():
    def slides() -> Iterator[Frame]:
        yield Frame(0.0, 60.0, True, grey(0))
        raise AssertionError("asked for the next picture before the first was given")

    given = signature.implementation(Stream(slides(), FACTS), every=0.5)
    assert next(given)["start"] == 0
    found = rows([Frame(0.0, 60.0, True, grey(0)), Frame(60.0, 60.0, True, grey(1))])
    assert found["start"].tolist() == [0, 60]


def test_a_frame_said_to_last_too_long_does_not_bring_a_step_twice():
    shown = [Frame(t, 0.9, True, grey(k)) for k, t in enumerate([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])]
    assert rows(shown)["start"].tolist() == [0.0, 0.6, 1.0]


@pytest.mark.parametrize("every", [0.1, 0.3, 0.5, 2.0])
@pytest.mark.parametrize("resumed", [2.0, 3.21, 5.5])
def test_resumed_within_a_video_the_rows_are_the_same(every, resumed):
    shown = frames([grey(k) for k in range(160)], 20)
    whole = rows(shown, every)
    again = rows([frame for frame in shown if frame.time >= resumed - signature.feed.before], every)
    pd.testing.assert_frame_equal(
        again[again["stop"] > resumed].reset_index(drop=True), whole[whole["stop"] > resumed].reset_index(drop=True)
    )


def test_rows_come_no_later_than_declared():
    for every in (0.1, 2.0):
        seen = 0.0

        def watched() -> Iterator[Frame]:
            nonlocal seen
            for frame in frames([grey()] * 100, 10):
                seen = frame.time
                yield frame

        for row in signature.implementation(Stream(watched(), FACTS), every=every):
            assert seen - row["stop"] <= signature.feed.behind


@pytest.mark.parametrize("bars", [(12, 12, 0, 0), (0, 0, 25, 25), (10, 11, 20, 21)])
def test_black_bars_change_almost_nothing(bars):
    plain, barred = rows([Frame(0, 0.5, True, grey())]), cv2.copyMakeBorder(grey(), *bars, cv2.BORDER_CONSTANT, value=5)
    found = rows([Frame(0, 0.5, True, barred)])
    assert bits_apart(plain, found)[0] <= 2
    assert found["detail"][0] == pytest.approx(plain["detail"][0], abs=0.01)


@pytest.mark.parametrize("level", [0, 16, 128, 255])
def test_flat_pictures_have_no_detail(level):
    noise = np.random.default_rng(0).integers(-2, 3, (90, 160))
    assert rows([Frame(0, 0.5, True, np.clip(level + noise, 0, 255).astype(np.uint8))])["detail"][0] < 0.04


def test_half_black_half_white_has_all_detail():
    halves = np.repeat(np.array([[0, 255]], np.uint8), 80, axis=1).repeat(90, axis=0)
    assert rows([Frame(0, 0.5, True, halves)])["detail"][0] == pytest.approx(1)
    assert rows([Frame(0, 0.5, True, grey())])["detail"][0] > 0.1


def test_a_video_whose_pictures_change_size():
    shown = frames([grey()] * 12 + [grey(0, (90, 120))] * 12, 24)
    assert len(rows(shown)) == 2
    assert len(rows(shown[6:18])) == 2


@pytest.mark.parametrize("every", [0.05, 5])
def test_steps_must_be_of_a_useful_length(every):
    with pytest.raises(InputError, match="every must be from"):
        signature(every=every)


def resampled(take: list[np.ndarray], rate: int, since: float) -> list[np.ndarray]:
    times = np.arange(since, len(take) / RATE, 1 / rate)
    return [take[int(time * RATE + 1e-6)] for time in times]


def with_logo(frame: np.ndarray) -> np.ndarray:
    return cv2.rectangle(frame.copy(), (270, 8), (308, 26), (250, 220, 20), -1)


SURVIVED = {
    "smaller, 25 fps, coarse": (25, lambda f: cv2.resize(f, (176, 100), interpolation=cv2.INTER_AREA)),
    "15 fps, brighter": (15, lambda f: cv2.add(f, np.array((25, 25, 25, 0), np.float64))),
    "bars, squeezed": (24, lambda f: cv2.resize(cv2.copyMakeBorder(f, 30, 30, 0, 0, cv2.BORDER_CONSTANT), (256, 192))),
    "logo": (30, with_logo),
}


@pytest.mark.parametrize("how", SURVIVED)
def test_copies_differ_in_few_bits(how, take, tmp_path):
    """They also begin a fifth of a second later, so that no half-second holds the same frames."""
    original = of_file(write_video(tmp_path / "a.mp4", take, RATE))
    rate, change = SURVIVED[how]
    changed = [change(frame) for frame in resampled(take, rate, 0.2)]
    copy = of_file(write_video(tmp_path / "b.mp4", changed, rate, options={"crf": "34", "preset": "ultrafast"}))
    copy["start"] += 0.2
    apart = bits_apart(copy, original)
    assert np.median(apart) <= 10
    assert (apart <= 12).mean() >= 0.75


def test_mirrored_copies_and_other_videos_differ_in_many_bits(take):
    original = rows(frames([cv2.cvtColor(f, cv2.COLOR_RGB2GRAY) for f in take]))
    mirrored = rows(frames([cv2.cvtColor(f, cv2.COLOR_RGB2GRAY)[:, ::-1] for f in take]))
    other = rows(frames([cv2.cvtColor(f, cv2.COLOR_RGB2GRAY) for f in panned(photo(7), len(take))]))
    assert np.median(bits_apart(mirrored, original)) > 16
    assert (bits_apart(other, original) > 12).all()
