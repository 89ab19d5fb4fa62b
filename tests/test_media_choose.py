"""Choosing frames: at even steps, key frames, and some of each shot."""

import cv2
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from video_media import make, numbered

from visanda.media import Video
from visanda.media.choose import at_steps, by_looks, distinct, every_nth, in_shots, key_frames

TIMES = np.arange(50).astype(float) / 25
KEYS = np.arange(50) % 10 == 0


def times(moments):
    return [moment.time for moment in moments]


def test_a_frame_a_step():
    assert times(at_steps(TIMES, KEYS, 0.5)) == [0.0, 0.48, 1.0, 1.48]  # the one that is shown then
    assert times(at_steps(TIMES, KEYS, 0.04)) == TIMES.tolist()
    assert times(at_steps(TIMES, KEYS, 100)) == [0.0]
    assert [moment.key for moment in at_steps(TIMES, KEYS, 0.4)] == [True] * 5
    assert at_steps(TIMES[:0], KEYS[:0], 1.0) == []


def test_a_step_shorter_than_frames_gives_each_frame_once():
    slides = np.array([0.0, 10.0, 20.0])
    assert times(at_steps(slides, slides == 0, 3.0, 30.0)) == [0.0, 10.0, 20.0]
    assert times(at_steps(slides, slides == 0, 25.0, 30.0)) == [0.0, 20.0]
    assert times(at_steps(slides, slides == 0, 25.0)) == [0.0]  # nobody knows how long the last is shown


def test_a_video_that_begins_late_gives_its_first_frame():
    assert times(at_steps(TIMES + 1.3, KEYS, 1.0)) == [1.3, 1.98, 2.98]


@example([1, 998], 1000)
@given(
    st.lists(st.integers(1, 5_000_000), min_size=1, max_size=60),
    st.integers(1000, 20_000_000),
)
def test_steps_give_what_a_player_shows(gaps, step):
    """Counted in microseconds, as times are."""
    shown = np.cumsum(gaps)
    moments = np.arange(0, shown[-1] + 1, step)
    places = np.searchsorted(shown, moments, side="right") - 1
    wanted = sorted({0, *places[places >= 0].tolist()})
    found = at_steps((shown / 1e6).round(6), np.ones(len(shown), bool), step / 1e6)
    assert times(found) == (shown[wanted] / 1e6).round(6).tolist()


def test_each_nth_frame_and_key_frames():
    assert times(every_nth(TIMES, KEYS, 20)) == [0.0, 0.8, 1.6]
    assert times(key_frames(TIMES, KEYS)) == [0.0, 0.4, 0.8, 1.2, 1.6]


@pytest.mark.parametrize(
    ("place", "count", "wanted"),
    [
        ("first", 1, [(0.0, 0), (1.0, 1)]), ("last", 1, [(0.96, 0), (1.96, 1)]), ("middle", 1, [(0.48, 0), (1.48, 1)]),
        ("middle", 3, [(0.16, 0), (0.48, 0), (0.8, 0), (1.16, 1), (1.48, 1), (1.8, 1)]),
    ],
)  # fmt: skip
def test_places_in_shots(place, count, wanted):
    found = in_shots(TIMES, KEYS, [(0.0, 1.0), (1.0, 2.0)], place, count)
    assert [(moment.time, moment.shot) for moment in found] == wanted


def test_a_shot_gives_no_more_than_it_has_and_an_empty_one_nothing():
    found = in_shots(TIMES, KEYS, [(0.0, 0.08), (0.081, 0.09), (5.0, 6.0)], "middle", 5)
    assert [(moment.time, moment.shot) for moment in found] == [(0.0, 0), (0.04, 0)]


@pytest.fixture(scope="module")
def blurred(tmp_path_factory):
    """Two seconds: frames 5 and 40 are sharp, the others blurred; from 30 on it is red, between 10 and 15 blue."""
    pictures = []
    for number in range(50):
        picture = numbered(99, 128, 96)
        picture[60:] = (200, 30, 30) if number >= 30 else (30, 30, 200) if 10 <= number < 15 else (30, 200, 30)
        pictures.append(picture if number in (5, 40) else cv2.GaussianBlur(picture, (0, 0), 4))
    return make(tmp_path_factory.mktemp("blurred") / "a.mp4", pictures, options={"qp": "10"})


def test_the_sharpest_and_the_most_typical_frame_of_a_shot(blurred):
    with Video(blurred) as video:
        sharpest = by_looks(video, [(0.0, 1.2), (1.2, 2.0)], "sharpest", 1)
        assert [(moment.time, moment.shot) for moment in sharpest] == [(0.2, 0), (1.6, 1)]
        (typical,) = by_looks(video, [(0.0, 1.2)], "representative", 1)
        assert not 0.4 <= typical.time < 0.6
        parts = by_looks(video, [(0.0, 1.2)], "sharpest", 2)
        assert len(parts) == 2 and parts[0].time < 0.6 <= parts[1].time
        assert by_looks(video, [], "sharpest", 1) == by_looks(video, [(9.0, 10.0)], "sharpest", 1) == []


def test_frames_that_look_alike_are_left_out(blurred):
    with Video(blurred) as video:
        moments = at_steps(*video.moments(), 0.08)
        kept = times(distinct(video, moments, 0.05))
        assert kept == [0.0, 0.4, 0.64, 1.2, 1.6, 1.68]  # blue, green, red, sharp
        assert distinct(video, moments, 0.0001)[0] == moments[0]
        assert len(distinct(video, moments, 0.9)) == 1 and distinct(video, [], 0.1) == []
