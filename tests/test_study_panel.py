"""aggregate, bins, panel: timed units to means by group and time."""

import doctest
import math
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visanda.errors import InputError
from visanda.study.time.clock import on_clock
from visanda.study.time.intervals import during
from visanda.study.time.panel import aggregate, bins, panel

tenths = st.integers(-30, 60)
quick = settings(max_examples=60, deadline=None)
rows = st.lists(
    st.tuples(
        st.sampled_from(["a.mp4", "b.mp4"]),
        st.tuples(tenths, st.integers(1, 40)).map(lambda pair: (pair[0], sum(pair))),
        st.one_of(st.none(), st.integers(-9, 9)),
        st.booleans(),
    ),
    max_size=20,
)


def test_the_examples_run():
    failed, tried = doctest.testmod(import_module("visanda.study.time.panel"))
    assert tried > 0 and failed == 0


def units(*spans, parent="a.mp4", **columns):
    pairs = [span if isinstance(span, tuple) else (span, span) for span in spans]
    return pd.DataFrame(pairs, columns=["start", "stop"]).astype(float).assign(parent=parent, **columns)


def table(found):
    return pd.DataFrame(
        {
            "parent": pd.Series([parent for parent, *_ in found], dtype=str),
            "start": [start / 10 for _, (start, _), *_ in found],
            "stop": [stop / 10 for _, (_, stop), *_ in found],
            "value": pd.Series([value for _, _, value, _ in found], dtype=float),
            "error": pd.Series(["damaged" if failed else None for *_, failed in found], dtype=object),
        }
    )


def integrals(found, parent, opens, closes):
    """Value and known time, integrated from ``opens`` to ``closes`` by the midpoint rule, in steps of a tenth."""
    value = known = covered = 0.0
    for middle in np.arange(opens, closes) + 0.5:
        for of, (start, stop), x, failed in found:
            if of == parent and start < middle < stop and not failed:
                covered += 0.1
                value += 0.1 * (x or 0)
                known += 0.1 * (x is not None)
    return value, known, covered


@quick
@given(rows, st.integers(1, 30), st.integers(-20, 20))
def test_bins_are_means_over_time_by_numerical_integration(found, width, origin):
    result = bins(table(found), width / 10, origin=origin / 10, values=["value"])
    for parent, group in result.groupby("parent"):
        spans = [span for of, span, *_ in found if of == parent]
        first, last = min(start for start, _ in spans), max(stop for _, stop in spans)
        opens = (group["start"] * 10).round().astype(int).tolist()
        assert opens == list(range(opens[0], opens[0] + width * len(opens), width))
        assert (opens[0] - origin) % width == 0 and opens[0] <= first < opens[0] + width
        assert opens[-1] < last <= opens[-1] + width
    assert set(result["parent"]) == {of for of, *_ in found}
    for row in result.itertuples():
        opens, closes = round(row.start * 10), round(row.stop * 10)
        assert closes - opens == width
        value, known, covered = integrals(found, row.parent, opens, closes)
        assert row.seconds == pytest.approx(covered)
        assert row.value == pytest.approx(value / known if known > 0.05 else math.nan, nan_ok=True)
        inside = [
            failed for of, (start, stop), _, failed in found if of == row.parent and start < closes and stop > opens
        ]
        assert (row.units, row.failed) == (inside.count(False), inside.count(True))


@quick
@given(rows)
def test_aggregate_is_the_mean_over_all_time(found):
    result = aggregate(table(found), ["parent"], values=["value"])
    for row in result.itertuples():
        value, known, covered = integrals(found, row.parent, -40, 110)
        assert row.seconds == pytest.approx(covered)
        assert row.value == pytest.approx(value / known if known > 0.05 else math.nan, nan_ok=True)


@quick
@given(rows, st.integers(1, 30), st.booleans())
def test_sums_of_a_panel_add_up_to_those_of_the_units(found, width, balanced):
    frame = table(found)
    result = panel(frame, ["parent"], width / 10, values=["value"], balanced=balanced)
    assert result["value_sum"].sum() == pytest.approx(frame.loc[frame["error"].isna(), "value"].sum())
    assert result["seconds"].sum() == pytest.approx((frame["stop"] - frame["start"])[frame["error"].isna()].sum())
    if balanced and found:
        grid = result.pivot(index="start", columns="parent", values="units")
        assert grid.notna().all(axis=None) and np.allclose(np.diff(grid.index), width / 10)
    else:
        assert (result["units"] + result["failed"] > 0).all()


def test_a_unit_that_spans_many_bins_counts_in_each():
    found = bins(units((5, 35), motion=0.5), 10)
    assert found[["start", "stop", "units", "seconds", "motion"]].to_numpy().tolist() == [
        [0, 10, 1, 5, 0.5],
        [10, 20, 1, 10, 0.5],
        [20, 30, 1, 10, 0.5],
        [30, 40, 1, 5, 0.5],
    ]


def test_moments_weigh_one_and_belong_to_the_bin_that_begins():
    found = bins(units(0, 9.999999, 10, 31, faces=[1, 2, 4, 5], live=[True, False, True, False]), 10)
    assert found["faces"].fillna(-1).tolist() == [1.5, 4, -1, 5]
    assert found["live"].fillna(-1).tolist() == [0.5, 1, -1, 0]
    assert found["units"].tolist() == [2, 1, 0, 1] and found["seconds"].tolist() == [0, 0, 0, 0]


def test_bins_of_a_video_rate_do_not_drift_by_floats():
    frame = units(*[(i / 10, (i + 1) / 10) for i in range(100_000)], number=np.arange(100_000))
    found = bins(frame, 0.1)
    assert len(found) == 100_000 and (found["units"] == 1).all() and np.allclose(found["number"], np.arange(100_000))


def test_failures_are_counted_and_never_averaged():
    frame = units((0, 5), (5, 10), (10, 20), motion=[0.2, 9.0, None], error=[None, "damaged", "damaged"])
    lost = pd.DataFrame({"parent": ["b.mp4"], "start": [None], "stop": [None], "error": ["no video stream"]})
    found = bins(pd.concat([frame, lost], ignore_index=True), 10)
    assert found["parent"].tolist() == ["a.mp4", "a.mp4", "b.mp4"]
    assert found["failed"].tolist() == [1, 1, 1] and found["units"].tolist() == [1, 0, 0]
    assert found["motion"].fillna(-1).tolist() == [0.2, -1, -1]
    assert found["start"].isna().tolist() == [False, False, True]
    whole = aggregate(pd.concat([frame, lost], ignore_index=True), ["parent"])
    assert whole["failed"].tolist() == [2, 1] and whole["motion"].fillna(-1).tolist() == [0.2, -1]


def test_text_is_averaged_only_when_asked_for():
    frame = units((0, 1), (1, 2), (2, 9), (9, 10), (10, 11), kind=["wide", "wide", "close", None, None])
    assert list(bins(frame, 10)) == ["parent", "start", "stop", "units", "failed", "seconds"]
    assert bins(frame, 10, values=["kind"])["kind"].tolist()[0] == "close"
    assert bins(frame, 10, values=["kind"])["kind"].isna().tolist() == [False, True]
    assert bins(frame, 10, values=["kind"], weights="equal")["kind"].tolist()[0] == "wide"
    tie = units((0, 1), (1, 2), kind=pd.Categorical(["wide", "close"]))
    assert aggregate(tie, [], values=["kind"])["kind"].tolist() == ["close"]
    with pytest.raises(InputError, match="'kind' holds neither numbers nor text"):
        bins(units(0, kind=[[1, 2]]), 10, values=["kind"])


def test_weights():
    frame = units((0, 1), (1, 4), motion=[0.0, 1.0], area=[3, None])
    assert aggregate(frame, [], values=["motion"])["motion"].tolist() == [0.75]
    assert aggregate(frame, [], values=["motion"], weights="equal")["motion"].tolist() == [0.5]
    by_area = aggregate(frame, [], weights="area")
    assert by_area[["motion", "area"]].to_numpy().tolist() == [[0.0, 3.0]]
    with pytest.raises(InputError, match="'area' is below 0 in rows 1, 2"):
        aggregate(frame.assign(area=-1.0), [], weights="area")


def test_overlaps_are_weights_for_units_on_a_border():
    shots = units((0, 10), (10, 30), motion=[0.0, 0.6])
    programmes = pd.DataFrame({"parent": "a.mp4", "start": [0, 15], "end": [15, 30], "programme": ["news", "film"]})
    joined = during(shots, programmes, how="overlap", name="programme")
    found = aggregate(joined.table, ["programme"], values=["motion"], weights="overlap")
    assert found["programme"].tolist() == ["film", "news"] and found["overlap"].tolist() == [15, 15]
    assert found["motion"].tolist() == pytest.approx([0.6, 0.2])


def test_units_of_no_group_are_a_group():
    frame = units((0, 1), (1, 2), (2, 3), programme=["news", None, "news"], day=[1, 1, 2], motion=[1, 2, 3])
    found = aggregate(frame, ["programme", "day"])
    assert found[["programme", "day", "units"]].fillna("-").to_numpy().tolist() == [
        *[["news", 1, 1], ["news", 2, 1]],
        ["-", 1, 1],
    ]
    assert found["motion"].tolist() == [1, 3, 2]


def clocked(*times, **columns):
    frame = pd.concat([units(0, 1800) for _ in times], ignore_index=True)
    return on_clock(frame.assign(began=np.repeat(times, 2), **columns), "began", timezone="Europe/Berlin")


def test_days_follow_the_local_calendar_when_clocks_are_changed():
    frame = units((0, 3 * 86400), station="ard", rate=1.0)
    frame = on_clock(frame, {"a.mp4": "2021-03-27 00:00"}, timezone="Europe/Berlin")
    found = panel(frame, ["station"], "day")
    assert found["start"].dt.strftime("%m-%d %H:%M").tolist() == [
        "03-27 00:00",
        "03-28 00:00",
        "03-29 00:00",
        "03-30 00:00",
    ]
    assert (found["seconds"] / 3600).tolist() == [24, 23, 24, 1]
    assert found["rate_sum"].tolist() == pytest.approx([24 / 72, 23 / 72, 24 / 72, 1 / 72])
    hours = panel(frame, ["station"], "hour")
    assert len(hours) == 72 and (hours["seconds"] == 3600).all()
    assert str(hours["start"].dt.tz) == "Europe/Berlin"


def test_months_and_weeks_on_the_clock():
    frame = clocked("2021-01-31 23:45", "2021-12-31 12:00", faces=[1, 2, 3, 4])
    months = panel(frame, [], "month")
    assert months["start"].dt.strftime("%Y-%m-%d").tolist() == ["2021-01-01", "2021-02-01", "2021-12-01"]
    assert months["faces"].tolist() == [1, 2, 3.5] and months["faces_sum"].tolist() == [1, 2, 7]
    assert len(panel(frame, [], "month", balanced=True)) == 12
    assert panel(frame, [], "week")["start"].dt.strftime("%a %m-%d").tolist() == ["Mon 01-25", "Mon 02-01", "Mon 12-27"]
    assert panel(frame, [], "year")["units"].tolist() == [4]
    assert panel(frame, [], "quarter-hour")["start"].dt.minute.tolist() == [45, 15, 0, 30]


def test_where_clocks_change_at_midnight_the_day_begins_an_hour_later():
    frame = on_clock(units(0, 86400), {"a.mp4": "2018-11-03 12:00"}, timezone="America/Sao_Paulo")
    found = panel(frame, ["parent"], "day")
    assert found["start"].dt.strftime("%m-%d %H:%M").tolist() == ["11-03 00:00", "11-04 01:00"]


def test_empty_tables_have_the_columns():
    empty = units(motion=[])
    for found in (bins(empty, 10), panel(empty, ["parent"], 10), aggregate(empty, ["parent"])):
        assert len(found) == 0 and {"parent", "units", "motion"} <= set(found)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: bins(t, 0), "give a width above 0"),
        (lambda t: bins(t, math.nan), "give a width above 0"),
        (lambda t: bins(t, 1e-6), "120,000,000 bins, more than 100,000,000"),
        (lambda t: bins(t, 10, by=["station"]), "column 'station' is not in the table"),
        (lambda t: bins(t, 10, values=["motoin"]), "did you mean motion"),
        (lambda t: bins(t.assign(units=1), 10, values=["units"]), "units cannot be averaged under that name"),
        (lambda t: bins(t.assign(stop=-1), 10), r"1 of 1 units stop before they start \(row 1\)"),
        (lambda t: bins(t.assign(start=pd.Timestamp(0), stop=pd.Timestamp(0)), 10), 'use panel\\(time="hour"\\)'),
        (lambda t: panel(t, [], "hour"), "put the units on the clock first"),
        (lambda t: panel(t.assign(start_clock=1.0, stop_clock=2.0), [], "hour"), "put the units on the clock first"),
        (lambda t: panel(t.assign(start_clock=pd.NaT, stop_clock=pd.NaT), [], "hours"), "one of minute, quarter-hour"),
        (lambda t: aggregate(t, ["parent"], weights="area"), "the weight 'area' is not in the table"),
    ],
)
def test_input_that_does_not_fit(call, message):
    with pytest.raises(InputError, match=message):
        call(units((0, 120), motion=0.5))
