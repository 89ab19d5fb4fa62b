"""Timed tables for annotation tools and back; sound as files; copies of videos."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest
from sound_clips import tone, write_sound
from video_clips import Join, joined, panned, write_video

import visanda as vi
from visanda import Corpus
from visanda.errors import InputError
from visanda.media import Image

PHOTOS = sorted((Path(vi.__file__).parent / "sample" / "photos").glob("*.webp"))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("exchange")
    photos = [Image.of(path).pixels for path in PHOTOS[:200:20]]
    takes = [panned(photo, 60, size=(320, 180), seed=seed) for seed, photo in enumerate(photos)]
    (folder / "v").mkdir()
    write_video(folder / "v" / "film.mp4", joined(takes[:6], [Join()] * 5), 25)
    small = [Image.of(frame).pixels[::2, ::2] for take in takes[2:4] for frame in take]
    write_video(folder / "v" / "piece.mkv", [frame[:, :, :] for frame in small], 25, codec="mpeg4")
    write_video(folder / "v" / "other.mp4", joined(takes[6:], [Join()] * 3), 25)
    write_sound(folder / "v" / "heard.mkv", tone([0.5, 0.0, 0.2]), pictures=3.0)
    corpus = Corpus.init(folder / "study")
    corpus.add(str(folder / "v"))
    corpus.measure("shots", "loudness")
    return corpus


def test_shots_to_elan_and_back(corpus: Corpus, tmp_path: Path):
    exported = corpus.export("shots", out=tmp_path / "elan")
    assert len(exported.table) == 4
    back = corpus.annotations(*(tmp_path / "elan" / "v").glob("film*.eaf"))
    assert back.table["rows"].max() == 6
    shots = corpus.frame("SELECT start, stop FROM shots WHERE parent = 'v/film.mp4' ORDER BY start")
    brought = corpus.frame(
        "SELECT DISTINCT start, stop FROM annotations WHERE parent = 'v/film.mp4' AND tier LIKE '%transition' "
        "ORDER BY 1"
    )
    assert brought["start"].tolist() == pytest.approx(shots["start"].tolist(), abs=0.001)
    with pytest.raises(InputError, match="already"):
        corpus.annotations(*(tmp_path / "elan" / "v").glob("film*.eaf"))


def test_text_and_what_has_no_times(corpus: Corpus, tmp_path: Path):
    corpus.export("loudness", out=tmp_path, format="tsv")
    lines = (tmp_path / "v" / "heard.mkv.tsv").read_text("utf-8").splitlines()
    assert len(lines) == 4 and "start_time\tstop_time" in lines[0]
    with pytest.raises(InputError, match="has no times"):
        corpus.export("media", out=tmp_path)
    with pytest.raises(InputError, match="one by one"):
        corpus.export("shots", "loudness", out=tmp_path, format="tsv")
    (tmp_path / "unknown.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nhello\n", "utf-8")
    with pytest.raises(InputError, match="names no video here"):
        corpus.annotations(tmp_path / "unknown.srt", name="words")


def test_subtitles_come_in(corpus: Corpus, tmp_path: Path):
    (tmp_path / "heard.srt").write_text("1\n00:00:01,000 --> 00:00:02,500\nhello\n", "utf-8")
    corpus.annotations(tmp_path / "heard.srt", name="words")
    row = corpus.frame("SELECT * FROM words").iloc[0]
    assert (row["id"], row["value"]) == ("v/heard.mkv#t=1,2.5", "hello")


def test_sound_as_files_and_a_video_without_any(corpus: Corpus, tmp_path: Path):
    result = corpus.sound(out=tmp_path / "wav")
    with wave.open(str(tmp_path / "wav" / "v" / "heard.mkv.wav")) as track:
        assert track.getnframes() / track.getframerate() == pytest.approx(3.0, abs=0.1)
    silent = result.table.set_index("video").loc["v/film.mp4"]
    assert silent["file"] is None or silent["file"] != silent["file"]
    assert "no sound" in silent["error"]


def test_a_piece_is_found_in_its_film_with_its_times(corpus: Corpus):
    found = corpus.copies(at_least="2s").table
    assert list(zip(found["a"], found["b"], strict=True)) == [("v/film.mp4", "v/piece.mkv")]
    row = found.iloc[0]
    assert row["a_start"] == pytest.approx(4.8, abs=0.6) and row["a_stop"] == pytest.approx(9.6, abs=0.6)
    assert row["b_start"] == pytest.approx(0.0, abs=0.6)
