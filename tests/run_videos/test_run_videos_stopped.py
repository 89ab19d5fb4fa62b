"""A run of videos that was stopped goes on where it was, and its tables are those of a run that was not."""

import time

import pandas as pd
import pytest
from video_runs import STREAMED, killed, row, table

from visanda import Corpus
from visanda.errors import CorpusError
from visanda.parts import Parts
from visanda.run import album, videos, watcher


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
