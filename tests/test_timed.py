"""Timed tables as text: subtitles, tab-delimited, and back."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visanda.corpus.timed import read_srt, write_srt, write_tsv
from visanda.errors import InputError

SPEECH = pd.DataFrame(
    {
        "id": ["a.mp4#t=61.5,64", "a.mp4#t=3723.0004,3725"],
        "parent": ["a.mp4", "a.mp4"],
        "start": [61.5, 3723.0004],
        "stop": [64.0, 3725.0],
        "text": ["Guten Tag, Frau Präsidentin!", "Und\ndanke."],
    }
)

milliseconds = st.integers(0, 200_000_000)
words = st.text(st.characters(blacklist_categories=("C", "Z")), min_size=1, max_size=12).filter(lambda t: "->" not in t)
texts = st.lists(words, min_size=1, max_size=4).map(" ".join)


@pytest.fixture(scope="module")
def one_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Written again and again, where every example of a property would need a folder of its own."""
    return tmp_path_factory.mktemp("round") / "round.srt"


def test_subtitles(tmp_path):
    path = write_srt(SPEECH[::-1], tmp_path / "a.srt")
    assert path.read_text("utf-8") == (
        "1\n00:01:01,500 --> 00:01:04,000\nGuten Tag, Frau Präsidentin!\n\n"
        "2\n01:02:03,000 --> 01:02:05,000\nUnd\ndanke.\n"
    )


def test_rows_without_text_or_time_are_no_subtitles(tmp_path):
    frame = pd.DataFrame({"start": [0, 1, None, 3], "stop": [1, 2, 3, 4], "text": ["a", None, "c", " \n"]})
    assert read_srt(write_srt(frame, tmp_path / "a.srt"))["text"].tolist() == ["a"]


def test_text_cannot_break_the_file(tmp_path):
    frame = pd.DataFrame(
        {"start": [0, 5], "stop": [1, 6], "text": ["one\n\n2\n00:00:01,000 --> 00:00:02,000\nx", "two"]}
    )
    back = read_srt(write_srt(frame, tmp_path / "a.srt"))
    assert back["start"].tolist() == [0, 5] and back["text"][1] == "two"


@given(st.lists(st.tuples(milliseconds, st.integers(0, 10_000), texts), min_size=1, max_size=6))
def test_subtitles_come_back(one_file, rows):
    frame = pd.DataFrame([(start / 1000, (start + length) / 1000, text) for start, length, text in rows])
    frame.columns = ["start", "stop", "text"]
    expected = frame.sort_values(["start", "stop"], kind="stable", ignore_index=True)
    pd.testing.assert_frame_equal(read_srt(write_srt(frame, one_file)), expected, check_dtype=False)


def test_subtitles_of_other_programs(tmp_path):
    """With a byte order mark, Windows' line ends, no numbers, dots, hours left out, positions, unsorted."""
    (tmp_path / "a.srt").write_bytes(
        b"\xef\xbb\xbf7\r\n00:00:10.5 --> 00:00:12,000 X1:10 Y1:20\r\nb\xc3\xa4r\r\n\r\n"
        b"01:00,250 --> 01:01,000\r\nc\r\n\r\nafter an empty line\r\n\r\n\r\n3\r\n00:00:01,000 --> 00:00:02,000\r\n\r\n"
    )
    assert read_srt(tmp_path / "a.srt").to_numpy().tolist() == [
        [1.0, 2.0, ""],
        [10.5, 12.0, "bär"],
        [60.25, 61.0, "c\nafter an empty line"],
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"Dear diary\n\nno times here", "no subtitles"),
        (b"", "no subtitles"),
        (b"1\n00:99:99,000 --> 00:00:02,000\nx", "is no time"),
        (b"1\n00:00:03,000 --> 00:00:02,000\nx", "mend start and stop"),
        ("1\n00:00:01,000 --> 00:00:02,000\nä".encode("latin-1"), "save it as UTF-8"),
    ],
)
def test_files_that_are_no_subtitles(tmp_path, content, why):
    (tmp_path / "a.srt").write_bytes(content)
    with pytest.raises(InputError, match=why):
        read_srt(tmp_path / "a.srt")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="cannot read"):
        read_srt(tmp_path / "gone.srt")


def test_tab_delimited(tmp_path):
    frame = SPEECH.assign(n=[1.5, None], tags=[["a", "b"], []], good=[True, False])
    path = write_tsv(frame, tmp_path / "new" / "a.tsv")
    assert path.read_text("utf-8").splitlines() == [
        "id\tparent\tstart\tstop\tstart_time\tstop_time\ttext\tn\ttags\tgood",
        "a.mp4#t=61.5,64\ta.mp4\t61.5\t64\t00:01:01.500\t00:01:04.000\tGuten Tag, Frau Präsidentin!\t1.5\ta; b\ttrue",
        "a.mp4#t=3723.0004,3725\ta.mp4\t3723.0004\t3725\t01:02:03.000\t01:02:05.000\tUnd danke.\t\t\tfalse",
    ]
    assert pd.read_csv(path, sep="\t")["start"].tolist() == [61.5, 3723.0004]


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (pd.DataFrame({"text": ["a"]}), "no column start and no column stop"),
        (pd.DataFrame({"start": ["noon"], "stop": [1], "text": ["a"]}), "seconds from the start"),
        (pd.DataFrame({"start": [2.0], "stop": [1.0], "text": ["a"]}), "from 2 to 1 seconds"),
        (pd.DataFrame({"start": [-2.0], "stop": [1.0], "text": ["a"]}), "from -2 to 1 seconds"),
    ],
)
def test_tables_that_are_not_timed(tmp_path, frame, why):
    for write in (write_srt, write_tsv):
        with pytest.raises(InputError, match=why):
            write(frame, tmp_path / "a")
    assert not list(tmp_path.iterdir())


def test_a_column_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="no column 'words' to show as subtitles: the columns are id, parent"):
        write_srt(SPEECH, tmp_path / "a.srt", text="words")


def test_where_nothing_can_be_written(tmp_path):
    (tmp_path / "a.srt").mkdir()
    with pytest.raises(InputError, match="cannot write"):
        write_srt(SPEECH, tmp_path / "a.srt")
    assert [path.name for path in tmp_path.iterdir()] == ["a.srt"]
