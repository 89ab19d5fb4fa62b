"""tracks and appearances: who goes on from frame to frame, and for how long."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visanda.errors import InputError
from visanda.learn.face_tracks import appearances, tracks

ADA, BOB = np.eye(8)[0] * 0.6, np.eye(8)[1] * 0.6  # 0.85 from each other


def box(x, y=0, side=100):
    return [x, y, side, side]


def test_two_people_who_walk_are_two_tracks():
    times = np.repeat(np.arange(10) * 0.2, 2)
    boxes = np.array([box(x) for step in range(10) for x in (10 * step, 500 - 10 * step)])
    assert tracks(times, boxes, None, [], 0.2).tolist() == [1, 2] * 10


def test_people_who_change_places_are_known_by_their_faces():
    times = np.repeat([0.0, 1.0], 2)
    boxes = np.array([box(0), box(500), box(0), box(500)])
    faces = np.array([ADA, BOB, BOB, ADA])
    assert tracks(times, boxes, None, [], 1.0).tolist() == [1, 2, 1, 2]
    assert tracks(times, boxes, faces, [], 1.0).tolist() == [1, 2, 2, 1]


def test_a_face_that_moves_far_is_known_and_somebody_else_in_its_place_is_not():
    boxes = np.array([box(0), box(400)])
    assert tracks(np.array([0.0, 1.0]), boxes, None, [], 1.0).tolist() == [1, 2]
    assert tracks(np.array([0.0, 1.0]), boxes, np.array([ADA, ADA + 0.05]), [], 1.0).tolist() == [1, 1]
    here = np.array([box(0), box(0)])
    assert tracks(np.array([0.0, 1.0]), here, np.array([ADA, BOB]), [], 1.0).tolist() == [1, 2]


def test_a_face_turned_away_goes_on_by_its_box():
    turned = ADA + np.eye(8)[2] * 0.6  # 0.6 from ADA: beyond the threshold, not yet somebody else
    faces = np.array([ADA, turned, ADA])
    boxes = np.array([box(0), box(10), box(400)])
    assert tracks(np.arange(3) * 0.2, boxes, faces, [], 0.2).tolist() == [1, 1, 1]


def test_a_face_without_an_embedding_goes_by_its_box():
    faces = np.array([ADA, np.full(8, np.nan), ADA])
    assert tracks(np.arange(3) * 0.2, np.array([box(0), box(5), box(10)]), faces, [], 0.2).tolist() == [1, 1, 1]


def test_a_cut_ends_every_track():
    boxes, faces = np.array([box(0)] * 4), np.array([ADA] * 4)
    assert tracks(np.array([0.0, 0.2, 0.4, 0.6]), boxes, faces, [0.4], 0.2).tolist() == [1, 1, 2, 2]
    assert tracks(np.array([0.0, 0.2, 0.4, 0.6]), boxes, faces, [0.0, 0.3, 0.31], 0.2).tolist() == [1, 1, 2, 2]


@pytest.mark.parametrize(("missed", "gap", "same"), [(0, 0.0, True), (1, 0.0, False), (1, 1.0, True), (2, 1.0, False)])
def test_a_face_may_be_missed_for_the_gap(missed, gap, same):
    found = tracks(np.array([0.0, 1.0 + missed]), np.array([box(0)] * 2), None, [], 1.0, gap_seconds=gap)
    assert (found[0] == found[1]) == same


@st.composite
def scenes(draw):
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    count = draw(st.integers(1, 40))
    times = np.round(random.integers(0, 12, count) * 0.2, 6)
    boxes = np.column_stack([random.uniform(0, 300, (count, 2)), random.uniform(50, 150, (count, 2))])
    faces = np.stack([ADA, BOB])[random.integers(0, 2, count)] + random.normal(size=(count, 8)) * 0.1
    return times, boxes, faces, np.sort(random.uniform(0, 2.4, draw(st.integers(0, 3))))


@settings(max_examples=60)
@given(scenes(), st.floats(0, 1), st.booleans(), st.randoms())
def test_what_always_holds(scene, gap, with_faces, shuffled):
    times, boxes, faces, cuts = scene
    looks = faces if with_faces else None
    found = tracks(times, boxes, looks, cuts, 0.2, gap_seconds=gap)
    assert set(found) == set(range(1, found.max() + 1))
    for number in set(found):
        mine = np.sort(times[found == number])
        assert len(set(mine)) == len(mine)  # once in a frame
        assert (np.diff(mine) <= 0.2 + gap + 1e-6).all()
        assert len(set(np.searchsorted(cuts, mine, side="right"))) == 1
    firsts = [times[found == number].min() for number in range(1, found.max() + 1)]
    assert firsts == sorted(firsts)
    order = list(range(len(times)))
    shuffled.shuffle(order)
    again = tracks(times[order], boxes[order], None if looks is None else looks[order], cuts, 0.2, gap_seconds=gap)
    assert again.tolist() == found[order].tolist()


def test_no_faces_are_no_tracks():
    found = tracks(np.array([]), np.empty((0, 4)), None, [], 1.0)
    assert found.tolist() == []
    assert len(appearances(np.array([]), found, 1.0)) == 0


def test_a_face_seen_once_is_there_for_one_interval():
    found = appearances(np.array([5.0]), np.array([1]), 2.0)
    assert found[["start", "stop", "seconds", "faces"]].to_numpy().tolist() == [[4.0, 6.0, 2.0, 1.0]]


def test_start_and_stop_stay_in_the_shot_and_the_video():
    times = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    found = appearances(times, np.array([1, 1, 2, 2, 3]), 1.0, cuts=[1.7, 3.9], duration=4.2)
    assert found["start"].tolist() == [0.0, 1.7, 3.9]
    assert found["stop"].tolist() == [1.5, 3.5, 4.2]
    assert found["seconds"].tolist() == [2.0, 2.0, 1.0]


def test_nothing_is_on_screen_after_the_end_that_a_file_states():
    """Some containers state less than the time of their last frame."""
    found = appearances(np.array([3.0, 4.0, 4.1]), np.array([1, 1, 2]), 1.0, duration=3.98)
    assert found["stop"].tolist() == [3.98, 3.98]
    assert (found["start"] <= found["stop"]).all()


@pytest.mark.parametrize(("begins", "lasts"), [(3.0, 0.3), (3.2, 1.0), (2.9, 4.7)])
def test_seconds_are_right_on_average_over_where_frames_begin(begins, lasts):
    """Over 100 even phases of frames a second apart, what is seen adds up to what was there; clipped, it is less."""
    seconds, clipped = 0.0, 0.0
    for phase in (np.arange(100) + 0.5) / 100:
        times = phase + np.arange(20)
        times = times[(times >= begins) & (times < begins + lasts)]
        found = appearances(times, np.ones(len(times), dtype=int), 1.0, cuts=[begins, begins + lasts])
        seconds += found["seconds"].sum() / 100
        clipped += (found["stop"] - found["start"]).sum() / 100
    assert seconds == pytest.approx(lasts)
    assert clipped < lasts


def test_a_track_across_a_cut_is_refused():
    with pytest.raises(InputError, match="both sides"):
        appearances(np.array([0.0, 1.0]), np.array([1, 1]), 1.0, cuts=[0.5])


@pytest.mark.parametrize(
    ("times", "boxes", "faces", "arguments"),
    [
        ([0.0, 1.0], [box(0)], None, {}),
        ([np.nan], [box(0)], None, {}),
        ([0.0], [box(0, side=0)], None, {}),
        ([0.0], [box(np.nan)], None, {}),
        ([0.0], [box(0)], np.zeros((2, 8)), {}),
        ([0.0], [box(0)], None, {"frame_interval": 0}),
        ([0.0], [box(0)], None, {"gap_seconds": -1}),
        ([0.0], [box(0)], None, {"overlap": 0}),
        ([0.0], [box(0)], None, {"threshold": 0}),
        ([0.0], [box(0)], None, {"cuts": [np.nan]}),
    ],
)
def test_what_cannot_be_tracked_is_refused(times, boxes, faces, arguments):
    with pytest.raises(InputError):
        tracks(np.array(times), np.array(boxes), faces, **({"cuts": [], "frame_interval": 1.0} | arguments))
