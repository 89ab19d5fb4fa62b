"""during, around, accepted: units joined to other tables by time."""

import datetime
import doctest
import math
from fractions import Fraction
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from study_times import schedule, units_at

from visanda.errors import InputError
from visanda.study.time import overlap
from visanda.study.time.accepted import accepted
from visanda.study.time.intervals import around, during

# Tenths of seconds have no exact floats, so boundaries that only look equal are found out.
tenths = st.integers(0, 60)
stretches = st.tuples(tenths, tenths).map(sorted)
parents = st.sampled_from(["a.mp4", "b.mp4", "c.mp4"])
timed = st.lists(st.tuples(parents, stretches), max_size=25)
quick = settings(max_examples=60, deadline=None)


@pytest.fixture(autouse=True, scope="module")
def small_blocks():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(overlap, "BLOCK", 4)
        yield


@pytest.mark.parametrize(
    "module", ["visanda.study.time.accepted", "visanda.study.time.clock", "visanda.study.time.intervals"]
)
def test_the_examples_run(module):
    failed, tried = doctest.testmod(import_module(module))
    assert tried > 0 and failed == 0


def table(rows, stop="stop"):
    return pd.DataFrame(
        {
            "parent": pd.Series([parent for parent, _ in rows], dtype=str),
            "start": [start / 10 for _, (start, _) in rows],
            stop: [end / 10 for _, (_, end) in rows],
            "number": np.arange(len(rows)),
        }
    )


def lies_in(how, unit, interval):
    """By the definition, in exact arithmetic on tenths of seconds."""
    (start, stop), (opens, closes) = unit, interval
    if how == "middle":
        return opens <= Fraction(start + stop, 2) < closes
    if start == stop:
        return opens <= start < closes
    if how == "within":
        return opens <= start and stop <= closes
    return max(start, opens) < min(stop, closes)


@quick
@given(timed, timed, st.sampled_from(["middle", "within", "overlap"]), st.booleans(), st.booleans())
def test_during_finds_what_comparing_all_with_all_finds(units, intervals, how, keep, by_parent):
    wanted = []
    for i, (parent, unit) in enumerate(units):
        matches = [
            (interval, j)
            for j, (other, interval) in enumerate(intervals)
            if (parent == other or not by_parent) and interval[0] < interval[1] and lies_in(how, unit, interval)
        ]
        wanted += [(i, j) for _, j in sorted(matches, key=lambda match: (*match[0], match[1]))]
        wanted += [(i, -1)] * (keep and not matches)
    found = during(
        table(units), table(intervals, "end"), how=how, keep=keep, by=["parent"] if by_parent else [], name="show"
    )
    other = found.table["number_show"].fillna(-1).astype(int)
    assert list(zip(found.table["number"], other, strict=True)) == wanted
    held = {j for _, j in wanted}
    assert found.unmatched["number"].tolist() == [j for j in range(len(intervals)) if j not in held]
    if how == "overlap":
        for (i, j), seconds, share in zip(wanted, found.table["overlap"], found.table["share"], strict=True):
            if j < 0:
                assert math.isnan(seconds) and math.isnan(share)
                continue
            (start, stop), (opens, closes) = units[i][1], intervals[j][1]
            shared = min(stop, closes) - max(start, opens)
            assert seconds == pytest.approx(shared / 10)
            assert share == pytest.approx(shared / (stop - start) if stop > start else 1)


@quick
@given(timed, st.lists(st.tuples(parents, tenths), max_size=15), tenths, st.integers(1, 60))
def test_around_finds_what_comparing_all_with_all_finds(units, events, before, length):
    low = -before
    votes = (
        pd.DataFrame(events, columns=["parent", "time"]).astype({"parent": str}).assign(time=lambda t: t["time"] / 10)
    )
    wanted = {
        (i, j + 1): (Fraction(sum(unit), 2) - at) / 10
        for i, (parent, unit) in enumerate(units)
        for j, (other, at) in enumerate(events)
        if parent == other and low <= Fraction(sum(unit), 2) - at < low + length
    }
    found = around(table(units), votes, window=(low / 10, (low + length) / 10))
    assert set(zip(found.table["number"], found.table["event"], strict=True)) == set(wanted)
    assert len(found.table) == len(wanted) and found.table["number"].is_monotonic_increasing
    for row in found.table.itertuples():
        assert row.since == pytest.approx(float(wanted[row.number, row.event]))
    assert set(found.unmatched.index) == set(range(len(events))) - {j - 1 for _, j in wanted}


@quick
@given(timed, timed, st.data())
def test_accepted_keeps_what_lies_in_the_union_of_accepted_stretches(units, windows, data):
    windows = [(parent, (start, max(stop, start + 1))) for parent, (start, stop) in windows]
    good = data.draw(st.lists(st.booleans(), min_size=len(windows), max_size=len(windows)))
    covered = {
        (parent, tenth)
        for (parent, (start, stop)), yes in zip(windows, good, strict=True)
        for tenth in range(start, stop)
        if yes
    }
    wanted = [
        i
        for i, (parent, (start, stop)) in enumerate(units)
        if all((parent, tenth) in covered for tenth in range(start, max(stop, start + 1)))
    ]
    found = accepted(table(units), table(windows).assign(accepted=pd.Series(good, dtype=bool)))
    assert found.table["number"].tolist() == wanted


def test_a_frame_on_the_boundary_belongs_to_what_begins():
    programmes = schedule(("0:00", "20:00", "news"), ("20:00", "30:00", "sports"))
    found = during(units_at(1199.999999, 1200.0, 1800.0, (1199.0, 1201.0)), programmes, name="programme")
    assert found.table["programme"].fillna("-").tolist() == ["news", "sports", "-", "sports"]
    assert found.words == [
        "Of 4 units, 3 lie in one of the 2 programmes, 0 in several and 1 in none; 0 programmes hold no unit."
    ]
    assert found.warnings == []


def test_times_can_be_written_in_any_way():
    ways = ["1:00:00", "01:00:00.000", "60:00", "3600", "60min", 3600, datetime.time(1), datetime.timedelta(hours=1)]
    for way in ways:
        found = during(units_at(3600), schedule((way, 3601, "news")), name="programme")
        assert found.table["programme"].tolist() == ["news"], way


def test_columns_of_the_same_name_get_a_suffix_and_whole_numbers_stay_whole():
    programmes = schedule((0, 10, "news")).assign(id="p1", viewers=1_000_001, live=True)
    found = during(units_at(5, 50), programmes, name="programme").table
    assert list(found) == [
        *["start", "stop", "id", "parent", "start_programme", "end", "programme", "id_programme", "viewers", "live"]
    ]
    assert found["viewers"].dtype == "Int64" and found["viewers"][0] == 1_000_001 and found["viewers"].isna()[1]
    assert found["live"].dtype == "boolean" and found["id"].tolist() == ["u0", "u1"]
    with pytest.raises(InputError, match="id_programme"):
        during(units_at(5).assign(id_programme=1), programmes, name="programme")


def test_overlapping_and_empty_intervals_are_said():
    programmes = schedule((0, 100, "day"), (10, 20, "news"), (20, 30, "sports"), (50, 50, "nothing"))
    found = during(units_at(15, 50, 200), programmes, name="programme")
    assert found.table["programme"].fillna("-").tolist() == ["day", "news", "day", "-"]
    assert "1 lie in one of the 4 programmes, 1 in several and 1 in none" in found.words[0]
    assert found.warnings == [
        "3 of 4 programmes overlap another in time (rows 1, 2, 3).",
        "1 of 4 programmes have no length, and hold nothing (row 4).",
    ]
    assert found.unmatched["programme"].tolist() == ["sports", "nothing"]


def test_units_that_failed_stay_and_are_said():
    units = units_at(5, math.nan).assign(error=[None, "cannot be decoded"])
    found = during(units, schedule((0, 10, "news")))
    assert found.table["programme"].fillna("-").tolist() == ["news", "-"]
    assert found.warnings == ["1 of 2 units have no time, and lie nowhere."]
    assert during(units, schedule((0, 10, "news")), keep=False).table["id"].tolist() == ["u0"]


def test_intervals_and_windows_that_failed_are_left_out_and_said():
    lost = pd.DataFrame({"parent": ["b.mp4"], "start": [math.nan], "end": [math.nan], "error": ["no video stream"]})
    shots = pd.concat([schedule((0, 10, "a"), error=None), lost], ignore_index=True)
    said = ["1 of 2 shots have an error and no time: they are left out."]
    assert during(units_at(5), shots, name="shot").warnings == said
    windows = shots.rename(columns={"end": "stop"})
    assert accepted(units_at((5, 6)), windows).warnings == [said[0].replace("shots", "windows")]
    assert len(around(units_at(5), shots, at="start", by="parent").table) == 1


def test_empty_tables_are_joined_too():
    assert len(during(units_at(), schedule((0, 10, "news"))).table) == 0
    assert during(units_at(1, 2), schedule()).table["programme"].isna().tolist() == [True, True]
    assert len(around(units_at(1), pd.DataFrame({"parent": [], "time": []})).table) == 0


def test_groups_by_several_columns_and_kinds():
    units = units_at(5, 5, 5).assign(station=["ard", "zdf", None], day=pd.Categorical([1, 2, 1]))
    programmes = schedule((0, 9, "a"), (0, 9, "b"), (0, 9, "c")).assign(station=["zdf", "ard", "ard"], day=[2, 1, 2])
    found = during(units, programmes, by=["station", "day"]).table
    assert found["programme"].fillna("-").tolist() == ["b", "a", "-"]
    with pytest.raises(InputError, match="'day' holds text in the intervals, numbers in the units"):
        during(units, programmes.astype({"day": str}), by=["day"])
    with pytest.raises(InputError, match="'station' is empty in row 2 of the intervals"):
        during(units, programmes.assign(station=["zdf", None, "ard"]), by=["station"])


@pytest.mark.parametrize(
    ("programmes", "message"),
    [
        (schedule((0, 10, "a"), (20, 10, "b"), (5, 4, "c")), r"2 of 3 intervals stop before they start \(rows 2, 3\)"),
        (schedule((0, 10, "a"), (None, 20, "b")), r"'start' is empty in 1 of 2 intervals \(row 2\)"),
        (schedule(("0:00", "half past", "a")), r"column 'end' of the intervals has values .* in row 1.*'half past'"),
        (schedule(("0:00", "0:61", "a")), "no times in row 1"),
        (schedule((0, math.inf, "a")), "no times in row 1"),
        (schedule((0, "2021-03-14 20:15", "a")), "seconds in column 'start' and clock times without a time zone"),
        (schedule((0, 10, "a")).drop(columns="parent"), "the intervals' column 'parent' is not in the table"),
        (schedule((0, 10, "a")).drop(columns="end"), "'end' is not in the table"),
        (schedule(("2021-03-14 20:15", "2021-03-14 21:00", "a")), "on_clock"),
    ],
)
def test_tables_that_do_not_fit(programmes, message):
    with pytest.raises(InputError, match=message):
        during(units_at(1), programmes)


def test_units_that_stop_before_they_start():
    with pytest.raises(InputError, match=r"1 of 2 units stop before they start \(row 2\)"):
        during(units_at(1, (5, 4)), schedule((0, 10, "a")))


# events and acceptance


def test_events_keep_their_columns_and_ids_and_say_which_have_no_unit():
    pairs = units_at((9, 10), (10, 11), (39, 41), (40, 41))
    votes = pd.DataFrame({"id": ["v1", "v2"], "time": ["0:10", "5:00"], "party": ["SPD", "CDU"], "parent": "a.mp4"})
    found = around(pairs, votes, name="vote")
    assert found.table[["id", "event", "since", "party"]].to_numpy().tolist() == [["u1", "v1", 0.5, "SPD"]]
    assert found.warnings == ["1 of 2 votes have no unit in their window: v2."]
    assert found.unmatched["id"].tolist() == ["v2"]
    again = around(pairs, votes.assign(time=[10, 12]), window=(-5, 30))
    assert again.table["event"].tolist() == ["v1", "v2", "v1", "v2", "v2", "v2"]
    assert "The windows of 2 of 2 events overlap: 2 units lie in several" in again.warnings[0]


@pytest.mark.parametrize("window", [(30, 0), (0, 0), (0, math.nan), (0, 1, 2)])
def test_windows_that_cannot_be(window):
    with pytest.raises(InputError, match="give two numbers of seconds"):
        around(units_at(0), pd.DataFrame({"parent": ["a.mp4"], "time": [0]}), window=window)


def test_ids_of_events_must_be_their_own():
    with pytest.raises(InputError, match="repeats in row 2: give each event its own"):
        around(units_at(0), pd.DataFrame({"parent": "a.mp4", "id": ["v", "v"], "time": [0, 1]}))


def test_a_sampled_moment_stands_for_the_time_until_the_next():
    frames = units_at(0, 1, 2, 3).assign(accepted=[True, True, False, None])
    pairs = units_at((0, 0.04), (0.98, 1.02), (1.98, 2.0), (1.98, 2.02), (2.5, 2.6), (3.1, 3.2), (-0.1, 0))
    found = accepted(pairs, frames)
    assert found.table["id"].tolist() == ["u0", "u1", "u2"]
    assert found.words == [
        "3 of 7 units lie in the 1 accepted stretches (2.0 seconds); 1 reach across a border and are left out."
    ]
    assert found.warnings == ["1 of 4 windows have no verdict: they count as not accepted."]


def test_the_last_moment_stands_for_as_long_as_the_others():
    frames = pd.concat([units_at(0, 2, 4), units_at(0, parent="b.mp4")]).assign(accepted=True)
    pairs = pd.concat([units_at((5, 6), (5.5, 6.5)), units_at((1, 2), (1, 2.1), parent="b.mp4")])
    assert accepted(pairs, frames).table[["parent", "start"]].to_numpy().tolist() == [["a.mp4", 5.0], ["b.mp4", 1.0]]
    alone = accepted(pairs, frames[frames["parent"] == "b.mp4"])
    assert alone.table.empty
    assert alone.warnings == [
        "1 accepted windows have no length, or no other moment to tell it: they hold nothing.",
        "2 units have no window of the same parent: they are left out.",
    ]


def test_one_accepted_face_accepts_its_frame():
    faces = units_at(0, 0, 1).assign(accepted=[False, True, False])
    assert accepted(units_at((0.5, 1.0), (0.5, 1.1)), faces).table["start"].tolist() == [0.5]


def test_stretches_without_verdict_are_all_accepted():
    assert accepted(units_at((1, 2), (2, 4)), units_at((0, 3))).table["start"].tolist() == [1.0]


@pytest.mark.parametrize(
    ("windows", "message"),
    [
        (units_at(0, 1), "the windows are moments: their verdict 'accepted' is not in the table"),
        (units_at(0, (1, 2)).assign(accepted=True), "moments in row 1, and stretches elsewhere"),
        (units_at(0, 1).assign(accepted=[0.2, 1]), "must hold true and false; it has others in row 1"),
        (units_at(0, math.nan).assign(accepted=True), "'start' is empty in 1 of 2 windows"),
    ],
)
def test_windows_that_do_not_fit(windows, message):
    with pytest.raises(InputError, match=message):
        accepted(units_at((0, 1)), windows)
