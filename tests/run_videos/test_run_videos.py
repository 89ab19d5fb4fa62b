"""The runner of videos: each is decoded once, and every measure gets what it would get alone."""

import pandas as pd
import pyarrow as pa
import pytest
from video_media import number_of
from video_runs import STREAMED, row, table

import visanda as vi
from visanda import Corpus, measure
from visanda.errors import InputError
from visanda.media import Video
from visanda.run import videos


def test_every_frame_of_every_video_is_watched_once_and_a_second_run_does_nothing(corpus):
    assert row(corpus.measure("every")) == [160, 0, 0]
    found = table(corpus, "every")
    assert found["number"].tolist() == [*range(100), *range(60)]
    assert found["start"].tolist() == found["stop"].tolist() == [n / 25 for n in [*range(100), *range(60)]]
    assert found["id"][26] == "clips/a.mp4#t=1.04" and found["parent"][26] == "clips/a.mp4"
    before = [path.read_bytes() for path in corpus.parts("every").files()]
    assert row(corpus.measure("every")) == [0, 0, 2]
    assert [path.read_bytes() for path in corpus.parts("every").files()] == before
    assert len(before) == len(corpus.progress("every").files()) == 1


def test_together_they_give_what_each_gives_alone_and_decode_once(corpus, monkeypatch):
    opened = []
    monkeypatch.setattr(videos, "Video", lambda path, **how: opened.append(path) or Video(path, **how))
    corpus.frames(nth=9)
    corpus.measure(*STREAMED, "shown", "colour", on="frame")
    assert len(opened) == 2
    for name in ("every", "sevens", "volume", "shown", "colour"):
        corpus.measure(measure.find(name)(), name=f"{name}_alone", on="frame", workers=1)
        pd.testing.assert_frame_equal(table(corpus, name), table(corpus, f"{name}_alone"))
    assert table(corpus, "sevens", "parent = 'clips/b.mkv'")["frames"].tolist() == [6, 7, 7, 7, 7, 7, 7, 7]


def test_frames_are_measured_as_their_pictures_would_be(corpus, clips):
    corpus.frames(nth=20)
    corpus.measure("colour", "shown", on="frame")
    found = corpus.frame("SELECT * FROM colour JOIN frames USING (id) ORDER BY parent, start")
    assert len(found) == 8
    for name, group in found.groupby("parent"):
        with Video(clips.parent / name) as video:
            images = [frame.image() for _, frame in video.pictures(group["start"].tolist())]
        wanted = vi.colour()(images)
        for column in ("brightness", "colourfulness", "saturation"):
            assert group[column].tolist() == list(wanted[column])
    shown = corpus.frame("SELECT shown FROM shown JOIN frames USING (id) ORDER BY parent, start")
    assert shown["shown"].tolist() == [0, 20, 40, 60, 80, 0, 20, 40]


def test_shots_are_measured_by_their_middle(corpus):
    shots = pd.DataFrame({"parent": ["clips/a.mp4"] * 2, "start": [0.0, 1.0], "stop": [1.0, 4.0]})
    write_shots(corpus, shots)
    corpus.measure("shown", on="shot")
    found = table(corpus, "shown").set_index("id")["shown"].to_dict()
    assert found == {"clips/a.mp4#t=0,1": 12, "clips/a.mp4#t=1,4": 62}


def write_shots(corpus, shots):
    """A table as ``measure shots`` makes it."""
    ids = [measure.timed_id(*one) for one in zip(shots["parent"], shots["start"], shots["stop"], strict=True)]
    rows = pa.Table.from_pandas(shots.assign(id=ids, error=pd.Series([None] * len(ids), dtype=str)))
    with corpus.parts("shots").writing():
        corpus.parts("shots").append(rows, "1")


def test_columns_of_the_users_table_may_be_called_like_ours(clips, tmp_path):
    corpus = Corpus.init(tmp_path / "named")
    known = pd.DataFrame(
        {"filename": ["a.mp4", "b.mkv"], "start": ["noon", "night"], "key": [1, 2], "shot": "x", "of_path": "y"}
    )
    corpus.add(str(clips), metadata=known)
    corpus.frames(nth=50)
    corpus.measure("shown", on="frame", where="of_path = 'y' AND start > 1")
    assert table(corpus, "shown")["shown"].tolist() == [50, 50]


# some of it


def test_limits_and_conditions_choose_videos(corpus):
    assert row(corpus.measure("every", limit=1)) == [100, 0, 0]
    assert row(corpus.measure("every", "change", limit=1)) == [0, 0, 1]  # the one video that a table lacks
    assert table(corpus, "change")["parent"].unique().tolist() == ["clips/a.mp4"]
    assert row(corpus.measure("every", where="duration < 3")) == [60, 0, 0]
    assert row(corpus.measure("change")) == [59, 0, 1]


def test_a_measure_added_later_is_the_only_one_to_watch(corpus):
    corpus.measure("every", "sevens")
    assert corpus.measure("every", "change")["measured"].tolist() == [0, 158]
    assert len(table(corpus, "every")) == 160


def test_units_that_a_table_lacks_are_filled_up(corpus):
    corpus.frames(nth=10)
    assert row(corpus.measure("shown", on="frame", limit=4)) == [4, 0, 0]
    assert row(corpus.measure("shown", on="frame")) == [12, 0, 4]
    assert table(corpus, "shown")["id"].is_unique


def test_other_arguments_need_replace_and_begin_anew(corpus, registered):
    @registered(columns={"number": int}, source="here")
    def plus(stream, *, more: int = 0):
        for frame in stream:
            yield {"start": frame.time, "stop": frame.time, "number": number_of(frame.pixels) + more}

    corpus.measure("plus")
    with pytest.raises(InputError, match=r"made by plus\(more=0\), not by plus\(more=5\)"):
        corpus.measure("plus", more=5)
    assert row(corpus.measure("plus", more=5, replace=True, limit=1)) == [100, 0, 0]
    assert table(corpus, "plus")["number"].tolist() == list(range(5, 105))
    assert row(corpus.measure("plus", more=5, replace=True)) == [60, 0, 1]


def test_without_videos_it_says_so(sample, tmp_path):
    corpus = Corpus.init(tmp_path / "study")
    corpus.add(str(sample / "photos" / "cat_f*"))
    with pytest.raises(InputError, match="no videos here"):
        corpus.measure("every")
    with pytest.raises(InputError, match=r"no table 'frames' yet.*visanda frames"):
        corpus.measure("colour", on="frame")
    corpus.measure("sharpness")
    with pytest.raises(InputError, match="no units inside files"):
        corpus.measure("colour", on="sharpness")
