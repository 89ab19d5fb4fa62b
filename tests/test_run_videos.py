"""The runner of videos: each is decoded once, and every measure gets what it would get alone, whatever happens."""

import threading
import time

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from video_media import damaged, make, number_of, numbered, truncated

import visanda as vi
from visanda import Corpus, measure
from visanda.errors import CorpusError, InputError, MediaError, MissingExtra
from visanda.media import Video
from visanda.parts import Parts
from visanda.run import album, pictures, videos, watcher

GOP = {"g": "10", "bf": "2"}
PATIENCE = 30  # seconds


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Files of four seconds and more, made once."""
    folder = tmp_path_factory.mktemp("made") / "clips"
    folder.mkdir()
    make(folder / "a.mp4", 100, options=GOP)
    make(folder / "b.mkv", 60, options=GOP, sound=(0.0, 2.4))
    return folder


@pytest.fixture
def corpus(clips, tmp_path):
    """Two videos, ``clips/a.mp4`` of 100 frames and ``clips/b.mkv`` of 60, with sound."""
    corpus = Corpus.init(tmp_path / "study")
    corpus.add(str(clips))
    return corpus


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    """Measures for the tests of this file alone; and rows are written every half second of video."""
    monkeypatch.setattr(watcher, "KEPT", 0.5)
    before = dict(measure.registry._registry)

    @measure.stream(columns={"number": int}, source="here")
    def every(stream):
        for frame in stream:
            yield {"start": frame.time, "stop": frame.time, "number": number_of(frame.pixels)}

    @measure.stream(columns={"change": int}, before=0.2, source="here")
    def change(stream):
        earlier = None
        for frame in stream:
            if earlier is not None:
                now = number_of(frame.pixels)
                yield {"start": earlier[0], "stop": frame.time, "change": now - earlier[1]}
            earlier = frame.time, number_of(frame.pixels)

    @measure.stream(columns={"frames": int}, before=0.8, behind=0.8, of="rgb", size=36, source="here")
    def sevens(stream):
        """Sparse and late: stretches that end at each seventh frame, known 20 frames later."""
        begun = stream.last["stop"] if stream.last else 0.0
        found = []
        for frame in stream:
            number = number_of(frame.pixels)
            if number % 7 == 6 and frame.time > begun:
                found.append((begun, frame.time, round((frame.time - begun) * 25)))
                begun = frame.time
            while found and frame.time >= found[0][1] + 0.8:
                yield dict(zip(("start", "stop", "frames"), found.pop(0), strict=True))
        for one in found:
            yield dict(zip(("start", "stop", "frames"), one, strict=True))

    @measure.stream(columns={"volume": float}, of="sound", source="here")
    def volume(stream):
        for sound in stream:
            stop = sound.time + len(sound.samples) / sound.rate
            yield {"start": sound.time, "stop": stop, "volume": float(np.abs(sound.samples).mean())}

    @measure.measure(columns={"shown": int}, source="here")
    def shown(images):
        return {"shown": [number_of(image.pixels) for image in images]}

    yield measure.stream
    measure.registry._registry.clear()
    measure.registry._registry.update(before)


@pytest.fixture(autouse=True)
def patience():
    """No run hangs: after a while it is stopped with an error that fails the test."""
    started = threading.active_count()
    yield
    end = time.monotonic() + PATIENCE
    while threading.active_count() > started and time.monotonic() < end:
        time.sleep(0.01)
    assert threading.active_count() <= started, "threads are left over"


def table(corpus, name, where="true"):
    inside = "parent" in corpus.column_names(name)
    return corpus.frame(f'SELECT * FROM "{name}" WHERE {where} ORDER BY {"parent, start, stop, " if inside else ""}id')


def row(frame):
    return frame[["measured", "failed", "already there"]].iloc[0].tolist()


STREAMED = ("every", "change", "sevens", "volume")


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


# going on where a run was stopped


class Killed(BaseException):
    pass


@pytest.mark.parametrize("parts", [2, 5, 11])
def test_stopped_anywhere_it_goes_on_and_nobody_can_tell(corpus, clips, monkeypatch, parts):
    """The whole run ends without a word after so many parts, whether of rows or of progress."""
    corpus.measure(*STREAMED, workers=1)
    whole = {name: table(corpus, name) for name in STREAMED}
    other = Corpus.init(corpus.folder.parent / "other")
    other.add(str(clips))
    killed(monkeypatch, other, parts)
    counted = sum(len(other.parts(name)) for name in STREAMED)
    assert counted < sum(map(len, whole.values()))
    done = other.measure(*STREAMED, workers=1)
    for name in STREAMED:
        pd.testing.assert_frame_equal(table(other, name), whole[name])
    assert done["failed"].sum() == 1  # a.mp4 is without sound
    assert other.measure(*STREAMED)["measured"].sum() == 0


def killed(monkeypatch, corpus, parts, names=STREAMED):
    """Run until so many parts are written, and write nothing more."""
    left, lock = [parts], threading.Lock()
    real = Parts.append

    def append(self, rows, stem):
        with lock:
            left[0] -= 1
            if left[0] < 0:
                raise CorpusError("killed")
        real(self, rows, stem)

    with monkeypatch.context() as patch:
        patch.setattr(Parts, "append", append)
        with pytest.raises(CorpusError, match="killed"):
            corpus.measure(*names, workers=1)


def test_rows_beyond_what_was_said_to_be_done_are_taken_out(corpus, monkeypatch):
    killed(monkeypatch, corpus, 5, ["every"])  # rows, progress, rows, progress, rows
    until = videos.done(corpus, "every")["clips/a.mp4"][0]
    assert max(table(corpus, "every")["stop"]) > until > 1
    assert row(corpus.measure("every")) == [160 - round(25 * until) - 1, 0, 0]
    assert table(corpus, "every")["number"].tolist() == [*range(100), *range(60)]


def test_measures_at_different_places_of_one_video_go_on_each_from_its_own(corpus, monkeypatch):
    killed(monkeypatch, corpus, 3, ["every"])
    killed(monkeypatch, corpus, 6, ["change"])
    corpus.measure("every", "change", "sevens")
    assert table(corpus, "every")["number"].tolist() == [*range(100), *range(60)]
    assert table(corpus, "change")["change"].tolist() == [1] * 158


def test_little_is_decoded_again(corpus, monkeypatch):
    killed(monkeypatch, corpus, 10, ["every"])
    until = videos.done(corpus, "every")["clips/a.mp4"][0]
    assert until > 2
    fed = []
    real = watcher.Watcher.put
    monkeypatch.setattr(watcher.Watcher, "put", lambda self, item: (fed.append(item), real(self, item))[1])
    corpus.measure("every", where="id = 'clips/a.mp4'")
    times = [frame.time for frame in fed if hasattr(frame, "time")]
    assert times == [n / 25 for n in range(round(25 * until), 100)]


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


def test_a_full_disk_stops_the_run_also_while_the_decoder_waits(corpus, registered, monkeypatch):
    """One measure cannot write while another is so slow that its queue is full."""

    @registered(columns={"number": int}, source="here")
    def slow(stream):
        for frame in stream:
            time.sleep(0.004)
            yield {"start": frame.time, "stop": frame.time, "number": 1}

    def append(self, rows, stem):
        if "every" in str(self.folder):
            raise CorpusError(f"cannot write {self.folder}: No space left on device")
        real(self, rows, stem)

    real = Parts.append
    with monkeypatch.context() as patch:
        patch.setattr(watcher, "QUEUE", 2)
        patch.setattr(Parts, "append", append)
        with pytest.raises(CorpusError, match="No space left"):
            corpus.measure("slow", "every")
    assert len(table(corpus, "slow")) < 100
    corpus.measure("slow", "every")
    assert len(table(corpus, "slow")) == len(table(corpus, "every")) == 160


def test_a_full_disk_stops_measures_of_frames_too(corpus, monkeypatch):
    corpus.frames(nth=2)
    monkeypatch.setattr(album, "SHARD", 16)
    with monkeypatch.context() as patch:
        killed(patch, corpus, 1, ["every"])
        real = Parts.append
        left = [1]

        def append(self, rows, stem):
            left[0] -= 1
            if left[0] < 0:
                raise CorpusError("No space left")
            real(self, rows, stem)

        patch.setattr(Parts, "append", append)
        with pytest.raises(CorpusError, match="No space left"):
            corpus.measure("shown", on="frame", workers=1)
    assert len(table(corpus, "shown")) == 16
    assert row(corpus.measure("shown", on="frame")) == [64, 0, 16]
    assert table(corpus, "shown")["id"].is_unique


# videos that break


@pytest.fixture
def broken(tmp_path, clips):
    """Beside two whole videos: what is none, one cut off, one with a hole, and one that vanishes after it was added."""
    folder = tmp_path / "v"
    folder.mkdir()
    (folder / "text.mp4").write_text("no video" * 100)
    (folder / "empty.mp4").touch()
    whole = make(tmp_path / "whole.mp4", noisy(100), options=GOP, muxer={"movflags": "faststart"})
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


def noisy(count):
    random = np.random.default_rng(1)
    for number in range(count):
        pixels = numbered(number, 128, 96)
        pixels[84:] = random.integers(0, 256, pixels[84:].shape)
        yield pixels


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
