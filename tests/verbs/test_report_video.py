"""The report of a corpus of videos."""

from __future__ import annotations

from pathlib import Path

import visanda
from visanda import Corpus

SAMPLE = Path(visanda.__file__).parent / "sample" / "videos"


def test_videos_are_shown_and_counted_as_such(tmp_path: Path):
    corpus = Corpus.init(tmp_path / "study")
    corpus.add(str(SAMPLE / "trailer.mp4"))
    corpus.measure("shots")
    corpus.frames(every="10s")
    corpus.measure("hash", on="frame")
    corpus.timeline("trailer.mp4")
    page = Path(corpus.report()).read_text("utf-8")
    assert "<span>videos</span>" in page and "0.9 minutes" in page
    assert "no picture" not in page
    assert "6 frames, 0 failed" in page
    shots = corpus.query("SELECT id FROM shots").num_rows
    assert f"{shots} moments and stretches of 1 videos, 0 failed" in page
    assert "The corpus holds 1 videos (0.9 minutes)" in page
    assert "Frames were chosen from the videos (every = 10.0)" in page
    assert 'alt="timeline-trailer.mp4' in page
