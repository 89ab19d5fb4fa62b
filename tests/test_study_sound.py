"""Stretches of silence."""

from __future__ import annotations

import pandas as pd
import pytest

from visanda.errors import InputError
from visanda.study.time.sound import silences


def rows(**videos: str) -> pd.DataFrame:
    """A letter a second: s for silent, l for loud, ? for one that could not be measured."""
    values = {"s": True, "l": False, "?": None}
    return pd.DataFrame(
        [(name, float(k), k + 1.0, values[letter]) for name, text in videos.items() for k, letter in enumerate(text)],
        columns=["parent", "start", "stop", "silent"],
    )


def test_silent_seconds_are_joined_within_a_video():
    found = silences(rows(a="ssllsss", b="sslsl"), at_least=2)
    assert found.to_numpy().tolist() == [["a", 0, 2, 2], ["a", 4, 7, 3], ["b", 0, 2, 2]]


def test_the_order_of_rows_does_not_matter():
    given = rows(a="sslssssls", b="sls")
    pd.testing.assert_frame_equal(silences(given.sample(frac=1, random_state=1)), silences(given))


@pytest.mark.parametrize(("at_least", "expected"), [(0.5, 3), (1, 3), (1.5, 2), (4, 1), (5, 0)])
def test_short_ones_are_left_out(at_least, expected):
    assert len(silences(rows(a="slsslssss"), at_least)) == expected


def test_what_could_not_be_measured_is_no_silence():
    assert silences(rows(a="ss?ss"))["stop"].tolist() == [2, 5]


def test_without_rows_there_is_none():
    assert silences(rows(a="lll")).columns.tolist() == ["parent", "start", "stop", "duration"]


def test_a_table_that_is_not_of_loudness():
    with pytest.raises(InputError, match="'silent' is not in the table"):
        silences(rows(a="s").drop(columns="silent"))
