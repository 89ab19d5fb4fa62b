"""Two videos, a corpus of them, and measures that tell which frames they were fed with."""

import threading
import time

import numpy as np
import pytest
from video_media import make, number_of
from video_runs import GOP

from visanda import Corpus, measure
from visanda.run import watcher

PATIENCE = 30  # seconds


@pytest.fixture(scope="session")
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
    """Measures for these tests alone; and rows are written every half second of video."""
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
