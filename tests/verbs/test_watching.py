"""frames and timeline: on videos whose every frame shows its number."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image
from video_media import make, number_of, numbered, truncated

from visanda import Corpus, measure
from visanda.errors import CorpusError, InputError
from visanda.parts import Parts

GOP = {"g": "10", "bf": "2"}


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """``clips/a.mp4`` of 75 frames, a key frame every 10; ``clips/b.mkv`` of 50; and no video at all."""
    folder = tmp_path_factory.mktemp("made") / "clips"
    folder.mkdir()
    make(folder / "a.mp4", 75, options=GOP)
    make(folder / "b.mkv", 50, options=GOP)
    (folder / "c.mp4").write_text("no video " * 50)
    return folder


@pytest.fixture
def corpus(clips, tmp_path):
    corpus = Corpus.init(tmp_path / "study")
    corpus.add(str(clips))
    return corpus


@pytest.fixture
def shots(corpus):
    """Shots of 1.2 and 1.8 seconds in the one video, of 2 seconds in the other."""
    found = pd.DataFrame(
        {
            "parent": ["clips/a.mp4", "clips/a.mp4", "clips/b.mkv"],
            "start": [0.0, 1.2, 0.0],
            "stop": [1.2, 3.0, 2.0],
            "transition": ["start", "cut", "start"],
            "error": pd.Series([None] * 3, dtype=str),
        }
    )
    found["id"] = [measure.timed_id(*one) for one in zip(found["parent"], found["start"], found["stop"], strict=True)]
    with corpus.parts("shots").writing():
        corpus.parts("shots").append(pa.Table.from_pandas(found), "1")
    return corpus


def listed(corpus, video="clips/a.mp4", name="frames"):
    rows = corpus.frame(f"SELECT * FROM {name} WHERE parent = ? AND error IS NULL ORDER BY start", [video])
    return [round(25 * start) for start in rows["start"]]


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ({"every": "1s"}, [0, 25, 50]), ({"every": 0.5}, [0, 12, 25, 37, 50, 62]), ({"every": "1500ms"}, [0, 37]),
        ({"every": "1min"}, [0]), ({"nth": 30}, [0, 30, 60]), ({"nth": 1}, list(range(75))),
    ],
)  # fmt: skip
def test_frames_at_even_steps(corpus, asked, wanted):
    result = corpus.frames(**asked)
    assert listed(corpus) == wanted
    assert result.table.set_index("video").loc["clips/a.mp4", "frames"] == len(wanted)
    assert "no video" in result.table.set_index("video").loc["clips/c.mp4", "error"] or result.table["error"].any()
    rows = corpus.frame("SELECT * FROM frames WHERE parent = 'clips/a.mp4' ORDER BY start")
    assert rows["id"][0] == "clips/a.mp4#t=0" and (rows["start"] == rows["stop"]).all() and rows["key"][0]


def test_key_frames(corpus):
    corpus.frames(keyframes=True)
    assert listed(corpus)[:2] == [0, 10] and corpus.frame("SELECT bool_and(key) AS k FROM frames")["k"][0]


@pytest.mark.parametrize(
    ("place", "count", "wanted"),
    [
        ("first", 1, [0, 30]), ("middle", 1, [15, 52]), ("last", 1, [29, 74]), ("middle", 3, [5, 15, 25, 37, 52, 67]),
    ],
)  # fmt: skip
def test_frames_of_shots(shots, place, count, wanted):
    shots.frames(per_shot=place, count=count)
    assert listed(shots) == wanted
    rows = shots.frame("SELECT DISTINCT shot FROM frames WHERE error IS NULL ORDER BY shot")
    assert rows["shot"].tolist() == ["clips/a.mp4#t=0,1.2", "clips/a.mp4#t=1.2,3", "clips/b.mkv#t=0,2"]


@pytest.mark.parametrize("look", ["sharpest", "representative"])
def test_frames_of_shots_by_their_looks(shots, look):
    shots.frames(per_shot=look, count=2)
    found = listed(shots)
    assert [sum(low <= n < high for n in found) for low, high in ((0, 15), (15, 30), (30, 53), (53, 75))] == [1] * 4


def test_shots_are_needed_first(corpus):
    with pytest.raises(InputError, match=r"no table 'shots' yet.*visanda measure shots"):
        corpus.frames(per_shot="middle")


def test_frames_that_look_alike_are_left_out(tmp_path):
    still = [numbered(5)] * 20 + [numbered(250)] * 20
    (tmp_path / "v").mkdir()
    make(tmp_path / "v" / "a.mp4", still, options=GOP)
    corpus = Corpus.init(tmp_path / "study")
    corpus.add(str(tmp_path / "v"))
    corpus.frames(nth=5, distinct=0.02)
    assert listed(corpus, "v/a.mp4") == [0, 20]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, "in one way"), ({"every": 1, "nth": 2}, "in one way"), ({"every": "soon"}, "is no time"),
        ({"every": 0}, "at least a millisecond"), ({"every": "-1s"}, "at least a millisecond"),
        ({"nth": 0}, "at least 1"),
        ({"every": 1, "count": 2}, "--count goes with"), ({"per_shot": "first", "count": 2}, "--count goes with"),
        ({"every": 1, "distinct": 2}, "between 0 and 1"), ({"every": 1, "name": "media"}, "another --name"),
        ({"every": 1, "name": "my frames"}, "cannot name a table"), ({"every": 1, "where": "colour = 1"}, "SQL"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(corpus, asked, says):
    with pytest.raises(InputError, match=says):
        corpus.frames(**asked)
    assert corpus.tables() == ["media"]


def test_without_videos_it_says_so(tmp_path, sample):
    corpus = Corpus.init(tmp_path / "study")
    with pytest.raises(InputError, match="add videos first"):
        corpus.frames(every=1)
    corpus.add(str(sample / "photos" / "cat_f*"))
    with pytest.raises(InputError, match="no videos here"):
        corpus.frames(every=1)


def test_another_choice_needs_replace_or_another_name(corpus):
    corpus.frames(every=1)
    assert corpus.frames(every="1000ms").words[1] == "3 videos were listed before."
    with pytest.raises(InputError, match=r"chosen by every=1.0. Replace them with --replace, or .* --name frames2"):
        corpus.frames(nth=10)
    corpus.frames(nth=10, name="tenth")
    assert listed(corpus, name="tenth") == list(range(0, 75, 10)) and listed(corpus) == [0, 25, 50]
    corpus.frames(nth=20, replace=True)
    assert listed(corpus) == [0, 20, 40, 60]
    corpus.measure("sharpness", on="tenth")
    assert len(corpus.frame("SELECT * FROM sharpness WHERE error IS NULL")) == 8 + 5


def test_a_condition_chooses_videos_and_the_others_come_later(corpus):
    corpus.frames(every=1, where="duration < 2.5")
    assert listed(corpus) == [] and listed(corpus, "clips/b.mkv") == [0, 25]
    corpus.frames(every=1)
    assert listed(corpus) == [0, 25, 50] and listed(corpus, "clips/b.mkv") == [0, 25]


def test_a_broken_video_is_a_row(corpus, clips, tmp_path):
    (tmp_path / "cut").mkdir()
    whole = make(tmp_path / "whole.mp4", 75, options=GOP, muxer={"movflags": "faststart"})
    truncated(whole, tmp_path / "cut" / "d.mp4", 0.75)
    corpus.add(str(tmp_path / "cut"))
    corpus.frames(every="200ms")
    errors = corpus.frame("SELECT * FROM frames WHERE error IS NOT NULL ORDER BY parent").set_index("parent")
    assert list(errors.index) == ["clips/c.mp4", "cut/d.mp4"]
    assert "not a video" in errors.loc["clips/c.mp4", "error"]
    assert "ends early" in errors.loc["cut/d.mp4", "error"] and 0 < errors.loc["cut/d.mp4", "start"] < 3
    assert 2 <= len(listed(corpus, "cut/d.mp4")) < 15


def test_stopped_it_goes_on(corpus, monkeypatch):
    left = [3]
    real = Parts.append

    def append(self, rows, stem):
        left[0] -= 1
        if left[0] < 0:
            raise CorpusError("killed")
        real(self, rows, stem)

    with monkeypatch.context() as patch:
        patch.setattr(Parts, "append", append)
        with pytest.raises(CorpusError, match="killed"):
            corpus.frames(every=1)
    corpus.frames(every=1)
    found = corpus.frame("SELECT * FROM frames")
    assert found["id"].is_unique and len(found) == 3 + 2 + 1


def test_extracted_frames_are_files_named_by_time(corpus, tmp_path):
    out = tmp_path / "stills"
    said = corpus.frames(every=1, extract=out)
    assert any("5 files are in" in word for word in said.words)
    files = sorted(str(path.relative_to(out)) for path in out.rglob("*.jpg"))
    assert files == [
        *(f"clips/a.mp4/00-00-0{n}.000.jpg" for n in range(3)), *(f"clips/b.mkv/00-00-0{n}.000.jpg" for n in range(2))
    ]  # fmt: skip
    index = pd.read_csv(out / "frames.csv")
    assert index["file"].tolist() == files and index["timecode"][1] == "00:00:01.000"
    assert index["id"][1] == "clips/a.mp4#t=1" and index["start"].tolist() == [0, 1, 2, 0, 1]
    for file, start in zip(index["file"], index["start"], strict=True):
        assert number_of(np.asarray(Image.open(out / file))) == 25 * start


def test_extraction_goes_on_and_keeps_what_is_there(corpus, tmp_path):
    out = tmp_path / "stills"
    corpus.frames(every=1, extract=out, where="id = 'clips/a.mp4'")
    kept, lost = out / "clips/a.mp4/00-00-01.000.jpg", out / "clips/a.mp4/00-00-02.000.jpg"
    kept.write_bytes(b"mine")
    lost.unlink()
    corpus.frames(every=1, extract=out, where="id != 'clips/a.mp4'")
    assert not lost.exists()
    assert len(pd.read_csv(out / "frames.csv")) == 4  # all that is there, of whatever run
    corpus.frames(every=1, extract=out)
    assert kept.read_bytes() == b"mine" and lost.exists() and len(pd.read_csv(out / "frames.csv")) == 5


def test_extraction_passes_over_a_video_that_is_gone(clips, tmp_path):
    (tmp_path / "v").mkdir()
    for name in ("a.mp4", "b.mkv"):
        (tmp_path / "v" / name).write_bytes((clips / name).read_bytes())
    corpus = Corpus.init(tmp_path / "study")
    corpus.add(str(tmp_path / "v"))
    corpus.frames(every=1)
    (tmp_path / "v" / "a.mp4").unlink()
    said = corpus.frames(every=1, extract=tmp_path / "stills")
    assert any(word.startswith("v/a.mp4: there is no file") for word in said.words)
    assert any("2 files are in" in word for word in said.words)


def test_what_was_done_is_recorded(corpus):
    corpus.frames(every="1s", where="duration > 0")
    run = json.loads(max((corpus.folder / "runs").glob("*-frames.json")).read_text())
    assert run["arguments"] == {"every": 1.0, "where": "duration > 0", "name": "frames"}
    assert run["counts"] == {"frames": 5, "failed": 0}
    assert corpus.describe("frames")["arguments"] == {"every": 1.0}


# timeline


def test_a_timeline_is_a_figure_and_a_filmstrip(shots, tmp_path):
    result = shots.timeline("a.mp4", out=tmp_path / "figures" / "a.png")
    assert Image.open(tmp_path / "figures" / "a.png").width > 500
    assert Image.open(tmp_path / "figures" / "a-shots.jpg").width > 200
    assert result.table[["start", "stop"]].to_numpy().tolist() == [
        ["00:00:00.000", "00:00:01.200"], ["00:00:01.200", "00:00:03.000"]
    ]  # fmt: skip
    assert "2 shots, 1.50 s long on average" in result.words[0]


def test_a_timeline_of_a_stretch_without_shots_but_with_marks(corpus):
    corpus.measure("motion")
    marks = corpus.folder / "votes.csv"
    pd.DataFrame({"filename": ["a.mp4", "b.mkv"], "time": ["0:01.5", "1"], "label": ["vote", "other"]}).to_csv(marks)
    result = corpus.timeline("clips/a.mp4", since="0:01", until=2, marks=marks)
    assert (corpus.results / "timeline-a.mp4.png").exists()
    assert any("visanda measure shots" in word for word in result.words)


@pytest.mark.parametrize(
    ("video", "asked", "says"),
    [
        ("nothing.mp4", {}, r"there is no video 'nothing.mp4': clips/a.mp4, clips/b.mkv, clips/c.mp4"),
        ("c.mp4", {}, "clips/c.mp4 cannot be read"), ("a.mp4", {"since": 2, "until": 1}, "there is nothing between"),
        ("a.mp4", {"since": "now"}, "is no time"),
    ],
)  # fmt: skip
def test_a_timeline_that_cannot_be_is_refused(corpus, video, asked, says):
    with pytest.raises(InputError, match=says):
        corpus.timeline(video, **asked)


def test_a_timeline_of_a_video_whose_length_nobody_says(tmp_path):
    (tmp_path / "v").mkdir()
    make(tmp_path / "v" / "a.ts", 30, container="h264")
    corpus = Corpus.init(tmp_path / "study")
    corpus.add(str(tmp_path / "v"))
    assert corpus.frame("SELECT duration FROM media")["duration"].isna().all()
    assert "00:00:01.160" in corpus.timeline("a.ts").title
