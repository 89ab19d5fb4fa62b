"""faces tracks: who is on screen, from when to when."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from portraits import COLLINS, HOPPER, SAMPLE
from video_clips import write_video

from visanda.corpus import Corpus
from visanda.errors import InputError


@pytest.fixture(scope="session")
def film_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video: four seconds of Collins beside nobody, three of both, three of nothing, two of Hopper; and its faces."""
    home = tmp_path_factory.mktemp("film")
    portraits = {}
    for name, box in (("astronaut", (80, 0, 320, 240)), ("admiral", (110, 60, 430, 380))):
        with Image.open(SAMPLE / f"faces/{name}.jpg") as picture:
            portraits[name] = np.asarray(picture.convert("RGB").crop(box).resize((240, 240)))
    grey = np.full((240, 240, 3), 128, np.uint8)
    left, right = portraits["astronaut"], portraits["admiral"]
    scenes = [((left, grey), 4), ((left, right), 3), ((grey, grey), 3), ((grey, right), 2)]
    frames = [np.hstack(scene) for scene, length in scenes for _ in range(10 * length)]
    (home / "v").mkdir()
    write_video(home / "v/film.mp4", frames, 10)
    write_video(home / "v/empty.mp4", [np.full((240, 480, 3), 90, np.uint8)] * 30, 10)
    corpus = Corpus.init(home / "study")
    corpus.add(str(home / "v"))
    corpus.frames(every="0.5s")
    return home


@pytest.fixture
def film(film_folder: Path, tmp_path: Path) -> Corpus:
    shutil.copytree(film_folder, tmp_path / "home")
    return Corpus(tmp_path / "home/study")


def test_tracks_say_who_is_on_screen_from_when_to_when(film, tmp_path):
    film.faces_gallery_add(COLLINS, SAMPLE / "faces/astronaut.jpg")
    film.faces_gallery_add(HOPPER, SAMPLE / "faces/admiral.jpg")
    film.faces_identify()  # measures the faces of frames, since there are only videos
    film.faces_group()
    result = film.faces_tracks()
    rows = film.frame("SELECT * FROM tracks ORDER BY start, person")
    assert rows["person"].tolist() == [COLLINS, HOPPER, HOPPER]
    assert rows["start"].tolist() == pytest.approx([0, 3.75, 9.75]) and rows["stop"][:2].tolist() == [6.75, 6.75]
    assert rows["seconds"].tolist() == pytest.approx([7, 3, 2]) and rows["id"].is_unique
    assert rows["face_group"][1] == rows["face_group"][2] != rows["face_group"][0]
    assert result.table.set_index("person")["seconds"].to_dict() == pytest.approx({COLLINS: 7, HOPPER: 5})
    assert any("visanda measure shots" in text for text in result.warnings)
    assert Image.open(film.results / "tracks.jpg").width > 300

    film.export("tracks", out=tmp_path / "eaf")
    assert HOPPER in (tmp_path / "eaf/v/film.mp4.eaf").read_text("utf-8")
    events = pd.DataFrame({"filename": "film.mp4", "start": [0, 5], "end": [5, 12], "part": ["first", "second"]})
    joined = film.table("tracks", during=events)
    assert joined.sort_values("start")["part"].tolist() == ["first", "second", "second"]
    assert film.table("tracks", on="video").set_index("id").loc["v/film.mp4", "n_faces"] > 0
    assert film.sheet(on="tracks").exists()

    pd.testing.assert_frame_equal(film.faces_tracks().table, result.table)
    with pytest.raises(InputError, match="--replace"):
        film.faces_tracks(gap="2s")
    assert film.faces_tracks(gap="4s", replace=True).table["tracks"].sum() == 2


def test_a_cut_ends_a_track_and_names_are_not_needed(film):
    film.measure("faces", on="frame")
    film.measure("shots")
    shots = film.frame("SELECT start FROM shots WHERE parent = 'v/film.mp4' ORDER BY start")["start"].tolist()
    assert 4 in [round(start) for start in shots]
    result = film.faces_tracks()
    rows = film.frame("SELECT * FROM tracks ORDER BY start, stop")
    assert rows["person"].isna().all() and len(rows) == 4
    assert (
        rows["stop"][0] == pytest.approx(3.75)
        and rows["start"][1] == pytest.approx(4)
        and result.table["video"].tolist() == ["v/film.mp4"]
    )


def test_tracks_need_faces_in_frames(corpus):
    with pytest.raises(InputError, match="visanda frames"):
        corpus.faces_tracks()
