"""on_clock: units at their time of day, also where clocks are changed, and joined by it."""

import math

import pandas as pd
import pytest
from study_times import schedule, units_at

from visanda.errors import InputError
from visanda.study.time.clock import on_clock
from visanda.study.time.intervals import around, during


def stamps(*times, zone="Europe/Berlin"):
    return [pd.Timestamp(time, tz=zone) for time in times]


def test_clock_times_run_on_when_clocks_are_changed():
    began = {"a.mp4": "2021-03-28 01:30", "b.mp4": "2021-10-31 01:30"}
    units = pd.concat([units_at(0, 3600), units_at(0, 3600, 7200, parent="b.mp4")], ignore_index=True)
    found = on_clock(units, began, timezone="Europe/Berlin")["start_clock"]
    assert [time.isoformat() for time in found] == [
        "2021-03-28T01:30:00+01:00",
        "2021-03-28T03:30:00+02:00",
        "2021-10-31T01:30:00+02:00",
        "2021-10-31T02:30:00+02:00",
        "2021-10-31T02:30:00+01:00",
    ]


@pytest.mark.parametrize(
    ("began", "message"),
    [
        ("2021-03-28 02:30", "began: in Europe/Berlin, the times in row 1 .* do not exist"),
        ("2021-10-31 02:30", "came twice.*2021-10-31T02:30"),
        ("20:15", "with their date"),
        ("2021-02-30 20:15", "no times in row 1"),
        (None, r"no value for 1 recordings \(a.mp4\)"),
    ],
)
def test_beginnings_that_cannot_be(began, message):
    with pytest.raises(InputError, match=message):
        on_clock(units_at(0), {"a.mp4": began}, timezone="Europe/Berlin")


def test_an_offset_from_utc_settles_an_hour_that_came_twice():
    began = {"a.mp4": "2021-10-31T02:30+01:00", "b.mp4": "2021-10-31 12:00"}
    units = pd.concat([units_at(0), units_at(0, parent="b.mp4")])
    found = on_clock(units, began, timezone="Europe/Berlin")["start_clock"]
    assert found.tolist() == stamps("2021-10-31T02:30+01:00") + stamps("2021-10-31 12:00")
    with pytest.raises(InputError, match="without a time zone in row 2"):
        on_clock(units, began)


def test_an_offset_is_added_to_the_clock_of_the_recording():
    units = pd.concat([units_at((1, 2)), units_at((1, 2), parent="b.mp4")], ignore_index=True)
    began = pd.Series(pd.to_datetime(["2021-06-01 20:14:58"] * 2), index=["a.mp4", "b.mp4"])
    found = on_clock(units, began, timezone="Europe/Berlin", offset=2)
    assert found["start_clock"].tolist() == stamps("2021-06-01 20:15:01") * 2
    assert found["stop_clock"].tolist() == stamps("2021-06-01 20:15:02") * 2
    each = on_clock(units, began, timezone="Europe/Berlin", offset={"a.mp4": 0, "b.mp4": -0.5})
    assert each["start_clock"].tolist() == stamps("2021-06-01 20:14:59", "2021-06-01 20:14:58.5")
    with pytest.raises(InputError, match=r"offset has no value for 1 recordings \(b.mp4\)"):
        on_clock(units, began, timezone="Europe/Berlin", offset={"a.mp4": 0})


def test_beginnings_from_a_column_and_units_without_times():
    units = units_at(1, math.nan).assign(began=pd.Timestamp("2021-06-01 20:00", tz="UTC"))
    found = on_clock(units, "began")
    assert found["start_clock"][0] == pd.Timestamp("2021-06-01 20:00:01", tz="UTC")
    assert found["start_clock"].isna().tolist() == [False, True]
    with pytest.raises(InputError, match="has no time zone"):
        on_clock(units.assign(began=pd.Timestamp("2021-06-01 20:00")), "began")
    with pytest.raises(InputError, match=r"began has no value for 1 recordings \(b.mp4\)"):
        on_clock(units_at(1, parent="b.mp4"), {"a.mp4": "2021-06-01 20:00"}, timezone="UTC")
    with pytest.raises(InputError, match="no time zone 'Berlin'"):
        on_clock(units, "began", timezone="Berlin")


def test_joins_work_on_clock_times_in_any_zone():
    units = on_clock(units_at(0, 899, 900), {"a.mp4": "2021-06-01 20:00"}, timezone="Europe/Berlin")
    programmes = schedule(
        ("2021-06-01 20:00", "2021-06-01 20:15", "news"), ("2021-06-01T18:15Z", "2021-06-01T21:00+02:00", "film")
    )
    found = during(units, programmes, by=[], timezone="Europe/Berlin")
    assert found.table["programme"].tolist() == ["news", "news", "film"]
    votes = pd.DataFrame({"id": ["v1"], "time": stamps("2021-06-01 20:14:50")})
    assert around(units, votes, by=[]).table["since"].tolist() == [9.0, 10.0]
    with pytest.raises(InputError, match='such as timezone="Europe/Berlin"'):
        during(units, programmes.head(1), by=[])
    naive = units.assign(start=pd.Timestamp("2021-06-01 20:00"), stop=pd.Timestamp("2021-06-01 20:00"))
    with pytest.raises(InputError, match="tz_localize"):
        during(naive.drop(columns=["start_clock", "stop_clock"]), programmes, by=[], timezone="Europe/Berlin")
    with pytest.raises(InputError, match="the intervals have seconds, the units clock times without"):
        during(naive, schedule((0, 5, "a")), by=[])
