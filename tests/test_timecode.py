"""Times as people write and read them."""

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visanda.errors import InputError
from visanda.timecode import Timecode, seconds


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("90", 90), ("1.5", 1.5), (".5", 0.5), ("5.", 5), ("90s", 90), ("90 sec", 90), ("1.5min", 90), ("2m", 120),
        ("250ms", 0.25), ("1h", 3600), ("1:30", 90), ("01:02:03.5", 3723.5), ("1:02:03,25", 3723.25),
        ("100:00:00", 360_000), ("-0:30", -30), ("-10s", -10), ("+5", 5), ("  7 ", 7), ("2 H", 7200),
        (12, 12), (12.25, 12.25),
    ],
)  # fmt: skip
def test_times_are_read_as_people_write_them(text, wanted):
    assert seconds(text) == pytest.approx(wanted)


@pytest.mark.parametrize(
    "text", ["", "-", "abc", "1:2:3:4", "1:75", "1:60:00", "--5", "-+5", "5 days", "1e3", "nan", "1:-2", "٣"]
)
def test_what_is_no_time_is_refused_and_the_ways_to_write_one_named(text):
    with pytest.raises(InputError, match=r"is no time: give seconds .*HH:MM:SS.mmm"):
        seconds(text)


@given(st.integers(-(10**9), 10**9))
def test_a_timecode_reads_back_as_the_same_milliseconds(milliseconds):
    assert seconds(str(Timecode(milliseconds / 1000))) == pytest.approx(milliseconds / 1000, abs=1e-9)


def test_a_timecode_prints_as_one_and_counts_as_seconds():
    time = Timecode("1:02:03.5")
    assert f"{time}" == str(time) == repr(time) == "01:02:03.500"
    assert f"{time:.1f}" == "3723.5" and time + 1 == 3724.5
    assert str(Timecode(59.9996)) == "00:01:00.000"  # rounded up, never 60 seconds
    assert str(Timecode(-0.0001)) == "00:00:00.000" and str(Timecode(-1.5)) == "-00:00:01.500"
    assert str(Timecode(float("nan"))) == "nan"
    assert pickle.loads(pickle.dumps(time)) == copy.copy(time) == time
    assert str(pickle.loads(pickle.dumps(time))) == str(time)
