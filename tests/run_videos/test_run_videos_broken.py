"""Measures of video that break, and videos that do: a row says so, and the others go on."""

import time

import pandas as pd
import pytest
from video_media import FRONT, damaged, make, noisy, number_of, truncated
from video_runs import GOP, killed, row, table

from visanda import Corpus, measure
from visanda.errors import InputError, MediaError, MissingExtra
from visanda.media import Video
from visanda.run import pictures, videos, watcher

# measures that break


def test_a_measure_that_raises_says_from_when_on_and_the_others_go_on(corpus, registered):
    @registered(columns={"number": int}, source="here")
    def fragile(stream):
        for frame in stream:
            number = number_of(frame.pixels)
            if number == 70:
                raise ZeroDivisionError("seventy")
            yield {"start": frame.time, "stop": frame.time, "number": number}

    done = corpus.measure("fragile", "every").set_index("table")
    assert done.loc["every", "measured"] == 160 and done.loc["fragile", ["measured", "failed"]].tolist() == [130, 1]
    assert "ZeroDivisionError: seventy" in done.loc["fragile", "first failure"]
    (failure,) = table(corpus, "fragile", "error IS NOT NULL").to_dict("records")
    assert (failure["start"], failure["stop"], failure["error"]) == (2.8, 4.0, "fragile: ZeroDivisionError: seventy")
    assert table(corpus, "fragile", "error IS NULL")["number"].tolist() == [*range(70), *range(60)]
    assert corpus.measure("fragile")["already there"].tolist() == [2]
    assert corpus.measure("fragile", retry=True)[["measured", "failed", "already there"]].iloc[0].tolist() == [70, 1, 1]
    assert len(table(corpus, "fragile")) == 131


def test_a_measure_may_end_early_and_keeps_nobody_waiting(corpus, registered):
    @registered(columns={"number": int}, source="here")
    def brief(stream):
        for frame in stream:
            yield {"start": frame.time, "stop": frame.time, "number": number_of(frame.pixels)}
            if frame.time >= 0.2:
                return

    @registered(columns={"number": int}, source="here")
    def never(stream):
        yield {"start": 0.0, "stop": 1.0, "number": 1}

    done = corpus.measure("brief", "never", "every")
    assert done["measured"].tolist() == [12, 2, 160]
    assert corpus.measure("brief")["already there"].tolist() == [2]


@pytest.mark.parametrize(
    ("yields", "says"),
    [
        ({"start": 0.0, "stop": 0.0}, r"declared \['number', 'start', 'stop'\] and yielded \['start', 'stop'\]"),
        ({"start": 0.0, "number": 1}, r"yielded \['number', 'start'\]"),
        ({"start": 0.0, "stop": 0.0, "number": 1, "more": 2}, "yielded .*more"),
        ((0.0, 0.0, 1), "yielded tuple"),
        ({"start": 0.0, "stop": 0.0, "number": "one"}, "the values of number are not"),
        ({"start": 2.0, "stop": 1.0, "number": 1}, "start no later than stop"),
        ({"start": None, "stop": 1.0, "number": 1}, "from None to 1.0: these must be seconds"),
        ({"start": 0.0, "stop": float("nan"), "number": 1}, "these must be seconds"),
        (InputError("no such mask"), "no such mask"),
        (MissingExtra("torch", "shots"), "torch is not installed"),
    ],
)
def test_what_concerns_the_measure_stops_the_run_with_a_clear_word(corpus, registered, yields, says):
    @registered(columns={"number": int}, source="here")
    def wrong(stream):
        for _ in stream:
            if isinstance(yields, Exception):
                raise yields
            yield yields

    with pytest.raises((InputError, MissingExtra), match=says):
        corpus.measure("wrong", "every")
    assert "wrong" not in corpus.tables()


def test_rows_that_come_later_than_promised_are_not_lost_in_silence(corpus, registered):
    @registered(columns={"number": int}, behind=0.1, source="here")
    def late(stream):
        for frame in stream:
            if frame.time >= 2.0:
                yield {"start": 0.0, "stop": 0.2, "number": 1}

    with pytest.raises(InputError, match=r"ends at 0\.2 s when it had seen 2 s.*behind=0\.1"):
        corpus.measure("late")


def test_a_measure_that_catches_every_error_does_not_catch_the_end(corpus, registered, monkeypatch):
    @registered(columns={"number": int}, source="here")
    def greedy(stream):
        try:
            for frame in stream:
                yield {"start": frame.time, "stop": frame.time, "number": number_of(frame.pixels)}
        except Exception:
            yield {"start": 0.0, "stop": 99.0, "number": -1}

    killed(monkeypatch, corpus, 2, ["greedy"])
    corpus.measure("greedy")
    assert table(corpus, "greedy")["number"].tolist() == [*range(100), *range(60)]


def test_queues_are_bounded_where_a_measure_is_slow(corpus, registered, monkeypatch):
    waiting = []

    @registered(columns={"number": int}, source="here")
    def slow(stream):
        for frame in stream:
            time.sleep(0.002)
            yield {"start": frame.time, "stop": frame.time, "number": number_of(frame.pixels)}

    real = watcher.Watcher.put
    monkeypatch.setattr(watcher, "QUEUE", 4)
    monkeypatch.setattr(
        watcher.Watcher, "put", lambda self, item: (waiting.append(self.queue.qsize()), real(self, item))[1]
    )
    corpus.measure("slow", "every")
    assert max(waiting) == 4
    assert table(corpus, "slow")["number"].tolist() == [*range(100), *range(60)]


# videos that break


@pytest.fixture
def broken(tmp_path, clips):
    """Beside two whole videos: what is none, one cut off, one with a hole, and one that vanishes after it was added."""
    folder = tmp_path / "v"
    folder.mkdir()
    (folder / "text.mp4").write_text("no video" * 100)
    (folder / "empty.mp4").touch()
    whole = make(tmp_path / "whole.mp4", noisy(100), options=GOP, muxer=FRONT)
    truncated(whole, folder / "cut.mp4", 0.6)
    damaged(whole, folder / "hole.mp4", 0.5, 3000)
    (folder / "gone.mp4").write_bytes((clips / "a.mp4").read_bytes())
    (folder / "whole.mp4").write_bytes((clips / "a.mp4").read_bytes())
    corpus = Corpus.init(tmp_path / "broken")
    said = corpus.add(str(folder))
    assert said.table.set_index("what")["count"].to_dict() == {
        "videos found": 6, "new": 6, "of these with an error": 2, "already there": 0, "other files": 0
    }  # fmt: skip
    (folder / "gone.mp4").unlink()
    return corpus


def test_what_is_broken_is_rows_and_stops_nobody(broken):
    done = broken.measure("every", "change").set_index("table")
    found = table(broken, "every")
    errors = found[found["error"].notna()].set_index("parent")
    assert done.loc["every", "failed"] == len(errors) == 5 and set(errors.index) == {
        "v/text.mp4", "v/empty.mp4", "v/gone.mp4", "v/cut.mp4", "v/hole.mp4"
    }  # fmt: skip
    assert errors.loc["v/empty.mp4", "error"] == "the file is empty"
    assert "not a video" in errors.loc["v/text.mp4", "error"] and pd.isna(errors.loc["v/text.mp4", "start"])
    assert "there is no file" in errors.loc["v/gone.mp4", "error"]
    cut = errors.loc["v/cut.mp4"]
    assert "ends early" in cut["error"] and 2 < cut["start"] < 3 and cut["stop"] == 4.0
    hole = errors.loc["v/hole.mp4"]
    assert "damaged" in hole["error"] and 1.5 < hole["start"] < hole["stop"] < 3
    good = found[found["error"].isna()]
    sure = good[~((good["parent"] == "v/hole.mp4") & good["start"].between(hole["start"], hole["stop"], "left"))]
    assert (sure["number"] == (sure["start"] * 25).round()).all()
    assert (good["parent"] == "v/whole.mp4").sum() == 100
    assert broken.measure("every")["already there"].tolist() == [6]


@pytest.mark.parametrize("parts", [3, 8])
def test_damage_is_told_once_although_the_run_was_stopped(broken, monkeypatch, parts):
    broken.measure("every", name="whole", workers=1)
    killed(monkeypatch, broken, parts, ["every"])
    broken.measure("every", workers=1)
    pd.testing.assert_frame_equal(table(broken, "every"), table(broken, "whole"))


def test_frames_inside_damage_are_rows_with_the_reason(broken):
    broken.frames(nth=5)
    listed = table(broken, "frames")
    assert listed[listed["error"].notna()]["parent"].nunique() == 4  # no decoding: the hole is not seen
    done = row(broken.measure("shown", on="frame"))
    found = broken.frame("SELECT shown.*, parent, start FROM shown JOIN frames USING (id) ORDER BY parent, start")
    lost = found[found["error"].notna()]
    assert 0 < len(lost) == done[1] < 15 and set(lost["parent"]) <= {"v/hole.mp4", "v/cut.mp4"}
    assert lost["error"].str.contains("no frame can be decoded at this time: ").all()
    kept = found[found["error"].isna()]
    assert (kept["shown"] == (kept["start"] * 25).round()).all() and len(kept) == done[0]
    alone = table(broken, "shown")
    broken.measure("shown", name="shown2", on="frame")
    broken.measure("every", "shown", name=None, on="frame")
    pd.testing.assert_frame_equal(alone, table(broken, "shown2"))


def test_damage_ends_pictures_and_streams_alike(broken):
    """In a run with a measure that watches, frames are taken on the way; the rows are the same."""
    broken.frames(nth=5)
    broken.measure("shown", on="frame")
    alone = table(broken, "shown")
    broken.measure(measure.find("shown")(), name="again", on="frame")
    broken.measure("every", measure.find("shown")(), on="frame")
    pd.testing.assert_frame_equal(alone, table(broken, "again"))


def test_a_decoder_that_breaks_off_is_damage_from_then_on(corpus, monkeypatch):
    real = Video.frames

    def frames(self, *given, **how):
        for frame in real(self, *given, **how):
            if frame.time >= 1.0:
                raise RuntimeError("out of luck")
            yield frame

    monkeypatch.setattr(Video, "frames", frames)
    assert row(corpus.measure("every")) == [50, 2, 0]
    errors = table(corpus, "every", "error IS NOT NULL")
    assert errors["error"].unique().tolist() == ["cannot be decoded: RuntimeError: out of luck"]
    assert errors["start"].tolist() == [0.96, 0.96] and errors["stop"].tolist() == [4.0, 2.4]


def test_a_video_that_no_decoder_opens_is_a_row(corpus, monkeypatch):
    def opened(path, **how):
        if path.endswith("a.mp4"):
            raise MemoryError
        return Video(path, **how)

    monkeypatch.setattr(videos, "Video", opened)
    assert row(corpus.measure("every")) == [60, 1, 0]


def test_a_picture_that_cannot_be_made_is_a_row(corpus, monkeypatch):
    corpus.frames(nth=20)
    real = pictures.at_sizes

    def at_sizes(image, sizes):
        if number_of(image.pixels) == 40:
            raise MediaError("too strange")
        return real(image, sizes)

    monkeypatch.setattr(pictures, "at_sizes", at_sizes)
    assert row(corpus.measure("shown", on="frame")) == [6, 2, 0]
    assert corpus.measure("shown", on="frame", retry=True)["failed"].tolist() == [2]


def test_a_video_without_sound_is_a_row_of_measures_of_sound(corpus):
    assert corpus.measure("volume", "every")[["measured", "failed"]].to_numpy().tolist() == [[3, 1], [160, 0]]
    found = table(corpus, "volume")
    assert "no sound" in found["error"][0] and found["start"].tolist()[1:] == [0, 1, 2]
    assert found["volume"][1] > 0.05
