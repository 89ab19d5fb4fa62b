"""Tables in time: joins to what happened, averages by bins and columns, a row a video."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from video_clips import Join, drifting, joined, panned, write_video

import visanda as vi
from visanda import Corpus
from visanda.errors import InputError
from visanda.media import Image

PHOTOS = sorted((Path(vi.__file__).parent / "sample" / "photos").glob("*.webp"))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Two videos of ten seconds, each with a cut at five, watched; frames listed and measured."""
    folder = tmp_path_factory.mktemp("timing")
    photos = [Image.of(path).pixels for path in PHOTOS[:120:40]]
    still = [panned(photo, 50, size=(160, 90), end=(0.5, 0.5, 1.0)) for photo in photos]
    (folder / "v").mkdir()
    write_video(folder / "v" / "a.mp4", joined([still[0], still[1]], [Join()]), 10)
    write_video(folder / "v" / "b.mp4", joined([drifting(50, size=(160, 90)), still[2]], [Join()]), 10)
    corpus = Corpus.init(folder / "study")
    about = pd.DataFrame(
        {
            "filename": ["a.mp4", "b.mp4"],
            "station": ["one", "two"],
            "began": pd.to_datetime(["2021-03-27 23:59:55", "2021-06-01 20:00:00"]),
        }
    )
    corpus.add(str(folder / "v"), metadata=about)
    corpus.measure("shots", "motion")
    corpus.frames(every="1s")
    corpus.measure("colour", on="frame")
    return corpus


def test_by_default_a_row_is_what_the_first_table_is_about(corpus: Corpus):
    assert len(corpus.table("motion")) == 2 * 99
    assert len(corpus.table("colour")) == 20  # there are no pictures: frames
    assert list(corpus.table("shots")["transition"]) == ["start", "cut"] * 2
    assert set(corpus.table("motion")["station"]) == {"one", "two"}


def test_motion_in_bins_by_a_column_of_the_videos(corpus: Corpus):
    """Static pictures do not move; clouds do; means are weighted by time."""
    table = corpus.table("motion", bin="5s", by=["station"]).set_index(["station", "start"])
    assert table["seconds"].sum() == pytest.approx(19.8)
    assert table.loc[("two", 0.0), "changed"] > table.loc[("one", 0.0), "changed"]  # which has a cut at its end
    motion = corpus.table("motion")
    first = motion[(motion["station"] == "two") & (motion["stop"] <= 5.0)]
    straddling = motion[(motion["station"] == "two") & (motion["start"] < 5.0) & (motion["stop"] > 5.0)]
    assert straddling.empty
    assert table.loc[("two", 0.0), "changed"] == pytest.approx(first["changed"].mean(), rel=1e-6)


def test_by_shot_leaves_pairs_across_a_cut_out(corpus: Corpus):
    table = corpus.table("motion", by=["shot"])
    assert len(table) == 4
    assert table["units"].sum() == 2 * 98  # without the two pairs across a cut
    still, clouds = table["changed"].iloc[0], table["changed"].iloc[2]
    assert still < 0.001 and clouds > 0.01


def test_units_get_the_columns_of_what_was_on(corpus: Corpus, tmp_path: Path):
    pd.DataFrame(
        {
            "filename": ["a.mp4", "a.mp4", "b.mp4"],
            "start": ["0:00", "0:03", "0:02"],
            "end": ["0:03", "0:10", "0:04"],
            "programme": ["news", "film", "news"],
        }
    ).to_csv(tmp_path / "programmes.csv", index=False)
    table = corpus.table("colour", on="frame", during=tmp_path / "programmes.csv")
    assert len(table) == 20
    assert table["programme"].value_counts().to_dict() == {"film": 7, "news": 5}
    assert any("20" in text for text in table.attrs["words"])
    means = corpus.table("colour", on="frame", during=tmp_path / "programmes.csv", by=["programme"])
    assert len(means) == 3 and means["units"].sum() == 20


def test_times_of_day_and_a_change_of_date(corpus: Corpus):
    """The first recording runs over midnight; what is on belongs to a station."""
    programmes = pd.DataFrame(
        {
            "station": ["one", "one", "two"],
            "start": ["2021-03-27 23:00:00", "2021-03-28 00:00:00", "2021-06-01 20:00:03"],
            "end": ["2021-03-28 00:00:00", "2021-03-28 01:00:00", "2021-06-01 20:00:05"],
            "programme": ["late", "night", "short"],
        }
    )
    table = corpus.table(
        "colour", on="frame", during=programmes, match=["station"], clock="began", timezone="Europe/Berlin"
    )
    assert table["programme"].value_counts().to_dict() == {"late": 5, "night": 5, "short": 2}
    by_day = corpus.table("motion", bin="day", by=["station"], clock="began", timezone="Europe/Berlin")
    assert by_day["station"].tolist() == ["one", "one", "two"]


def test_windows_around_events(corpus: Corpus):
    votes = pd.DataFrame({"filename": ["b.mp4", "b.mp4"], "time": ["0:01", "0:06"], "bill": ["x", "y"]})
    pairs = corpus.table("motion", around=votes, window="0,2s")
    assert pairs["since"].between(0, 2).all() and len(pairs) == 40
    means = corpus.table("motion", around=votes, window="0,2s", by=["event", "bill"]).set_index("bill")
    assert means.loc["x", "changed"] > 0.01 > means.loc["y", "changed"]


def test_several_tables_side_by_side_in_bins(corpus: Corpus):
    both = corpus.table("motion", "shots", bin="5s")
    assert len(both) == 4 and {"motion_units", "shots_units", "changed"} <= set(both)
    with pytest.raises(InputError, match="different moments"):
        corpus.table("motion", "shots")


def test_rows_about_unknown_videos_are_left_out_and_said(corpus: Corpus):
    votes = pd.DataFrame({"filename": ["b.mp4", "c.mp4"], "time": [1, 2]})
    table = corpus.table("motion", around=votes, window=(-1, 1))
    assert table["since"].between(-1, 1).all() and len(table) == 20
    assert any("c.mp4" in text for text in table.attrs["warnings"])


def test_only_within_accepted_stretches(corpus: Corpus):
    """Whole shots, or frames with a verdict; pairs across the border are left out."""
    first = corpus.table("motion", within="select parent, start, stop from shots where start = 0")
    assert len(first) == 2 * 49 and first["stop"].max() < 5.0
    frames = corpus.table("motion", within="select parent, start, stop, start < 3 as accepted from frames")
    assert len(frames) == 2 * 29 and frames["stop"].max() < 3.0  # the frame at 3 is not accepted


def test_a_row_a_video(corpus: Corpus):
    table = corpus.table("shots", "motion", "colour", on="video")
    assert len(table) == 2 and table["shots"].tolist() == [2, 2]
    frames = corpus.table("colour", on="frame")
    wanted = frames.groupby("parent")["brightness"].mean()
    assert table.set_index("id")["colour_brightness" if "colour_brightness" in table else "brightness"].tolist() == (
        pytest.approx(wanted.tolist())
    )


def test_what_cannot_be_done_is_said(corpus: Corpus, tmp_path: Path):
    nameless = pd.DataFrame({"start": [0], "end": [5], "programme": ["news"]})
    with pytest.raises(InputError, match="does not say which video"):
        corpus.table("motion", during=nameless)
    with pytest.raises(InputError, match="when a row ends"):
        corpus.table("motion", during=nameless.drop(columns="end").assign(filename="a.mp4"))
    with pytest.raises(InputError, match="no column 'genre' to group by"):
        corpus.table("motion", by=["genre"])
    with pytest.raises(InputError, match="no column 'recorded'"):
        corpus.table("motion", bin="day", clock="recorded")
    with pytest.raises(InputError, match="--window is two times"):
        corpus.table("motion", around=nameless.assign(filename="a.mp4", time=1), window="30s")
    with pytest.raises(InputError, match="--bin day needs --clock"):
        corpus.table("motion", bin="day")
    with pytest.raises(InputError, match="no row names a video"):
        corpus.table("motion", during=nameless.assign(filename="c.mp4"))
    with pytest.raises(InputError, match="no time"):
        corpus.table("media", bin="10s")
