"""``visanda measure`` and ``frames`` on videos, in a process of its own, to which bad things happen."""

import json
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from video_media import looped, make, numbered

from visanda import Corpus
from visanda.run import videos

PATIENCE = 60  # seconds
MEASURES = ("motion", "shots", "loudness")
MEASURED = """
import re
from pathlib import Path
from visanda.cli import main
try:
    main()
finally:
    # Not getrusage: that of a new process begins with what the test's own had.
    print("peak", int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""
PROGRAM = "from visanda.run import watcher; watcher.KEPT = 4; from visanda.cli import main; main()"


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """A minute and a half, small, without sound."""
    folder = tmp_path_factory.mktemp("film")
    return looped(make(folder / "short.mp4", 225, options={"g": "25", "bf": "2"}), folder / "film.mp4", 10)


@pytest.fixture
def corpus(film, tmp_path):
    corpus = Corpus.init(tmp_path / "study")
    corpus.add(str(film))
    return corpus


def start(corpus, *words, program=PROGRAM, **options):
    command = [sys.executable, "-c", program, "-C", str(corpus.folder), *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def wait_until(true, process):
    end = time.monotonic() + PATIENCE
    while not true():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.005)


def come_so_far(corpus, table="motion"):
    return list((corpus.folder / "tables" / table / "progress").glob("part-*.parquet"))


def table(corpus, name):
    return corpus.frame(f'SELECT * FROM "{name}" ORDER BY start, stop, id')


def undisturbed(film, folder):
    corpus = Corpus.init(folder)
    corpus.add(str(film))
    corpus.measure(*MEASURES)
    return corpus


def test_killed_within_a_video_it_goes_on_there_and_nobody_can_tell(corpus, film, tmp_path):
    process = start(corpus, "measure", *MEASURES)
    wait_until(lambda: len(come_so_far(corpus)) > 2, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    ((until, finished),) = videos.done(corpus, "motion").values()
    assert 4 <= until < 90 and not finished

    process = start(corpus, "measure", *MEASURES)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0 and "Traceback" not in said
    whole = undisturbed(film, tmp_path / "whole")
    for name in MEASURES:
        pd.testing.assert_frame_equal(table(corpus, name), table(whole, name))
    assert len(table(corpus, "motion")) == 2249
    assert [path.name for path in corpus.folder.rglob(".*") if path.name != ".lock"] == []


def test_interrupted_it_keeps_what_is_finished_within_the_video(corpus):
    process = start(corpus, "measure", "motion", "shots")
    wait_until(lambda: len(come_so_far(corpus)) > 1, process)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130 and "Traceback" not in said
    assert "What was finished is kept; the same command goes on from there." in said
    rows = table(corpus, "motion")
    ((until, finished),) = videos.done(corpus, "motion").values()
    assert until == rows["stop"].max() and not finished
    assert (rows["start"][1:].to_numpy() == rows["stop"][:-1].to_numpy()).all() and rows["start"][0] == 0
    run = json.loads(max((corpus.folder / "runs").glob("*-measure.json")).read_text())
    assert run["outcome"] == "interrupted" and run["counts"]["motion"]["measured"] == len(rows)


def test_a_file_that_may_grow_no_further_ends_it_with_a_word(corpus):
    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))

    process = start(corpus, "measure", "motion", "shots", preexec_fn=small_files)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "cannot write" in said and "File too large" in said and "Traceback" not in said
    assert corpus.measure("motion")["failed"].tolist() == [0]
    assert len(table(corpus, "motion")) == 2249


def test_frames_killed_while_they_are_written_are_whole_or_not_there(corpus, tmp_path):
    out = tmp_path / "stills"
    process = start(corpus, "frames", "--nth", "10", "--extract", str(out))
    wait_until(lambda: len(list(out.rglob("*.jpg"))) > 20, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    there = {path: path.stat().st_mtime_ns for path in out.rglob("*.jpg")}
    assert 20 < len(there) < 225
    corpus.frames(nth=10, extract=out)
    found = {path: path.stat().st_mtime_ns for path in out.rglob("*.jpg")}
    assert len(found) == 225 == len(pd.read_csv(out / "frames.csv")) and there.items() <= found.items()
    assert all(path.read_bytes()[-2:] == b"\xff\xd9" for path in found)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak of memory from /proc")
def test_memory_does_not_grow_with_length(tmp_path):
    """Two minutes take no more than twelve seconds do; their frames alone, reduced to grey, are 170 MB."""
    short = make(tmp_path / "s.mp4", [numbered(n, 320, 180) for n in range(150)], options={"g": "25", "bf": "2"})
    peaks = []
    for times in (2, 20):
        looped(short, tmp_path / f"{times}.mp4", times)
        corpus = Corpus.init(tmp_path / f"study{times}")
        corpus.add(str(tmp_path / f"{times}.mp4"))
        corpus.frames(every="2s")
        process = start(corpus, "measure", "motion", "shots", "sharpness", "--on", "frame", program=MEASURED)
        out, said = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, said
        peaks.append(int(out.rsplit("peak", 1)[1]))
    assert peaks[1] - peaks[0] < 40, peaks  # megabytes
    assert peaks[1] < 600
