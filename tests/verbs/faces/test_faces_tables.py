"""Tables, sheets and clusters of what was found in pictures and in frames of videos."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image as Pillow
from video_media import make

import visanda as vi
from visanda import Corpus
from visanda.errors import InputError
from visanda.media import Image

SAMPLE = Path(vi.__file__).parent / "sample"
PICTURES = ["m/admiral.jpg", "m/astronaut.jpg", "m/broken.jpg", "m/grey.png", "m/group.webp"]


def portrait(name: str) -> np.ndarray:
    return Image.of(SAMPLE / f"faces/{name}.jpg").pixels


@pytest.fixture(scope="session")
def found_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of one, seven and no people, half a file, and a video: a speaker, nobody, another speaker."""
    media = tmp_path_factory.mktemp("tables") / "m"
    media.mkdir()
    for name in ("astronaut", "admiral"):
        shutil.copy(SAMPLE / f"faces/{name}.jpg", media)
    shutil.copy(SAMPLE / "photos/expl_music__mexico.webp", media / "group.webp")
    Pillow.new("RGB", (300, 200), "grey").save(media / "grey.png")
    data = (SAMPLE / "faces/admiral.jpg").read_bytes()
    (media / "broken.jpg").write_bytes(data[: len(data) // 2])
    one, other = portrait("astronaut"), cv2.resize(portrait("admiral"), (400, 469))
    frames = [
        *(one[20:260, 20 + n : 340 + n] for n in range(25)),
        *([np.full((240, 320, 3), 90, np.uint8)] * 25),
        *(other[60:300, 20 + n : 340 + n] for n in range(25)),
    ]
    make(media / "talk.mp4", frames, options={"g": "10", "crf": "18"})
    known = pd.DataFrame({"filename": [Path(id).name for id in PICTURES] + ["talk.mp4"], "party": list("ABABAB")})
    corpus = Corpus.init(media.parent / "study")
    corpus.add(media, metadata=known)
    corpus.frames(every="0.4s")
    corpus.measure("colour")
    corpus.measure("faces", "objects")
    corpus.measure("faces", "objects", on="frame")
    corpus.measure("gender", "embed", on="face")
    return corpus.folder


@pytest.fixture
def corpus(found_folder: Path, tmp_path: Path) -> Corpus:
    return Corpus(shutil.copytree(found_folder, tmp_path / "study"))


def faces_of(corpus: Corpus) -> pd.DataFrame:
    return corpus.frame("SELECT * FROM faces ORDER BY id")


# a row a face


def test_on_face_a_row_is_a_face_with_what_was_measured_on_it_and_what_is_known_of_its_file(corpus):
    frame = corpus.join("faces", "gender", on="face")
    faces = faces_of(corpus)
    assert sorted(frame["id"]) == faces["id"].tolist()
    assert {"party", "parent", "picture", "score", "yaw", "perceived_gender", "error"} <= set(frame)
    assert frame["perceived_female"].notna().all() and frame["error"].isna().all()
    wanted = frame["parent"].map(dict(zip([*PICTURES, "m/talk.mp4"], "ABABAB", strict=True)))
    assert frame["party"].tolist() == wanted.tolist()
    assert set(corpus.join("faces")["id"]) == set(frame["id"])  # what is meant where nobody says


def test_width_is_that_of_the_face_and_never_of_the_picture(corpus):
    frame = corpus.join("gender", on="face").set_index("id")
    pd.testing.assert_series_equal(frame["width"].sort_index(), faces_of(corpus).set_index("id")["width"])


def test_a_condition_is_on_the_files(corpus):
    assert set(corpus.join("faces", on="face", where="kind = 'image'")["parent"]) == set(PICTURES) - {
        "m/grey.png", "m/broken.jpg",
    }  # fmt: skip


# a row a picture


def test_on_image_faces_are_counted_0_where_none_is_and_null_where_it_failed(corpus):
    frame = corpus.join("faces", "colour", on="image").set_index("id")
    assert sorted(frame.index) == PICTURES
    assert frame.loc[["m/admiral.jpg", "m/astronaut.jpg", "m/grey.png"], "n_faces"].tolist() == [1, 1, 0]
    assert frame["n_faces"]["m/group.webp"] == (faces_of(corpus)["picture"] == "m/group.webp").sum()
    assert pd.isna(frame["n_faces"]["m/broken.jpg"]) and "truncated" in frame["error"]["m/broken.jpg"]
    assert frame["faces_share"]["m/grey.png"] == 0 and pd.isna(frame["largest_share"]["m/grey.png"])
    assert frame["brightness"].notna().sum() == 4


def test_two_tables_of_things_stand_side_by_side(corpus):
    frame = corpus.join("faces", "objects", on="image").set_index("id")
    objects = corpus.frame("SELECT picture, label, share FROM objects")
    labels = sorted(objects["label"].unique())
    assert "person" in labels
    named = {label: label.replace(" ", "_") for label in labels}
    assert {f"{what}_{name}" for what in ("n", "share") for name in named.values()} <= set(frame)
    for id in PICTURES:
        for label in labels:
            mine = objects[(objects["picture"] == id) & (objects["label"] == label)]
            if id == "m/broken.jpg":
                assert pd.isna(frame.loc[id, f"n_{named[label]}"]) and pd.isna(frame.loc[id, f"share_{named[label]}"])
            else:
                assert frame.loc[id, f"n_{named[label]}"] == len(mine)
                assert frame.loc[id, f"share_{named[label]}"] == pytest.approx(min(1.0, mine["share"].sum()))
    assert frame.loc["m/grey.png", "n_person"] == 0 == frame.loc["m/grey.png", "share_person"]
    assert frame.loc["m/astronaut.jpg", "n_person"] == 1 and frame.loc["m/astronaut.jpg", "share_person"] > 0.3
    exported = corpus.table("objects", "faces", on="image").set_index("id")
    assert exported["n_faces"].equals(frame["n_faces"]) and exported["n_person"].equals(frame["n_person"])


def test_counts_are_columns_that_statistics_can_name(corpus):
    """``n_fire hydrant`` cannot stand in a formula."""
    rows = corpus.query("SELECT * FROM objects").to_pandas()
    rows.loc[rows["label"] == "person", "label"] = "fire hydrant"
    with corpus.parts("objects").writing():
        corpus.parts("objects").replace_all(pa.Table.from_pandas(rows, preserve_index=False), "here")
    frame = corpus.join("objects", on="image").set_index("id")
    assert frame.loc["m/astronaut.jpg", "n_fire_hydrant"] == 1
    assert not [name for name in frame if " " in name]


def test_counts_reach_a_file_for_statistics(corpus, tmp_path):
    corpus.table("faces", "objects", on="image", out=tmp_path / "counts.csv")
    read = pd.read_csv(tmp_path / "counts.csv").set_index("id")
    assert read["n_person"].isna().sum() == 1 and read["n_person"]["m/grey.png"] == 0


def test_pictures_that_nobody_looked_at_are_null_and_not_0(found_folder, tmp_path):
    media = found_folder.parent / "m"
    corpus = Corpus.init(tmp_path / "other")
    corpus.add(media)
    corpus.measure("faces", "objects", where="id = 'm/grey.png'")
    frame = corpus.join("faces", "objects", on="image").set_index("id")
    assert frame["n_faces"]["m/grey.png"] == 0 == frame["n_objects"]["m/grey.png"]
    assert frame.drop("m/grey.png")[["n_faces", "n_objects"]].isna().all(axis=None)


# a row a frame, a row a video


def test_on_frame_faces_are_counted_in_each_frame(corpus):
    frame = corpus.join("faces", "objects", on="frame").sort_values("start")
    assert len(frame) == 8 and set(frame["parent"]) == {"m/talk.mp4"} and (frame["party"] == "B").all()
    there = frame["start"].lt(0.99) | frame["start"].ge(2)
    assert (frame["n_faces"] == there.astype(int)).all() and there.sum() == 6
    assert frame.loc[~there, "n_person"].eq(0).all() and frame.loc[there, "n_person"].mean() > 0.5


def test_on_video_counts_are_averaged_over_its_frames(corpus):
    frames = corpus.join("faces", on="frame")
    frame = corpus.join("faces", on="video").set_index("id")
    assert frame.index.tolist() == ["m/talk.mp4"]
    assert frame["n_faces"].tolist() == [frames["n_faces"].mean()] == [6 / 8]
    assert frame["faces_share"].tolist() == [pytest.approx(frames["faces_share"].mean())]


def test_bins_and_columns_average_over_faces(corpus):
    by_second = corpus.table("faces", on="frame", bin="1s")
    assert by_second["n_faces"].tolist() == [1, 0, 1]
    by_face = corpus.table("faces", on="face", where="kind = 'video'", bin="1s")
    assert by_face["units"].tolist() == [3, 0, 3]
    assert by_face["score"].isna().tolist() == [False, True, False]


def test_faces_in_videos_join_to_what_happened_at_the_time(corpus, tmp_path):
    speeches = pd.DataFrame(
        {"filename": ["talk.mp4"] * 2, "start": [0, 2], "end": ["00:00:01", "00:00:03"], "speaker": ["Eileen", "Grace"]}
    )
    speeches.to_csv(tmp_path / "speeches.csv", index=False)
    frame = corpus.table("faces", "gender", on="face", where="kind = 'video'", during=tmp_path / "speeches.csv")
    assert frame["speaker"].tolist() == ["Eileen" if start < 1 else "Grace" for start in frame["start"]]
    assert set(frame["speaker"]) == {"Eileen", "Grace"} and frame["perceived_gender"].notna().any()
    counted = corpus.table("faces", on="frame", during=speeches, by=["speaker"]).set_index("speaker")
    assert counted["n_faces"]["Eileen"] == 1 == counted["n_faces"]["Grace"]
    near = corpus.table(
        "faces", on="face", where="kind = 'video'", window="0,0.5s",
        around=pd.DataFrame({"filename": ["talk.mp4"], "time": [2.0], "what": ["vote"]}),
    )  # fmt: skip
    assert near["since"].between(0, 0.5).all() and len(near) == 2


def test_faces_of_pictures_have_no_time(corpus):
    times = corpus.join("faces", on="face").set_index("id")["start"]
    assert times.isna().sum() == (faces_of(corpus)["parent"] != "m/talk.mp4").sum() > 0


def test_what_is_no_unit_is_told(corpus):
    with pytest.raises(InputError, match="'colour' is no unit"):
        corpus.join("faces", on="colour")
    with pytest.raises(InputError, match="there is no table 'text' yet"):
        corpus.join("text", on="line")


# pictures of faces


def test_a_sheet_of_faces_shows_the_faces_and_not_their_pictures(corpus):
    path = corpus.sheet(on="face", where="id = 'm/astronaut.jpg'", title="Faces")
    face = faces_of(corpus).query("parent == 'm/astronaut.jpg'").iloc[0]
    whole = portrait("astronaut")
    crop = whole[face["y"] : face["y"] + face["height"], face["x"] : face["x"] + face["width"]]
    assert best_match(path, crop) > 0.95 > best_match(path, whole)


def best_match(path: Path, pixels: np.ndarray) -> float:
    """How well a picture, in any size that fits a cell, is found on a sheet: correlation, −1 to 1."""
    sheet = Image.of(path).pixels
    found = []
    for side in range(120, 164, 2):
        factor = side / max(pixels.shape[:2])
        small = cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        if small.shape[0] <= sheet.shape[0] and small.shape[1] <= sheet.shape[1]:
            found.append(cv2.matchTemplate(sheet, small, cv2.TM_CCOEFF_NORMED).max())
    return max(found)


def test_a_sheet_holds_faces_in_frames_too_and_as_many_as_asked_for(corpus):
    all_of_them = Image.of(corpus.sheet(on="face"))
    three = Image.of(corpus.sheet(on="face", n=3, out=Path("three.jpg")))
    assert all_of_them.height > three.height
    faces = faces_of(corpus)
    frame = faces[faces["start"].notna()].iloc[0]
    assert Image.of(corpus.sheet(frame["id"], out=Path("one.jpg"))).pixels.std() > 20


def test_boxes_are_drawn_around_the_faces(corpus):
    media = corpus.folder.parent.parent
    marked = Image.of(corpus.sheet("m/astronaut.jpg", boxes="faces")).pixels.astype(int)
    path = corpus.resolve(corpus.query("SELECT path FROM media WHERE id = 'm/astronaut.jpg'")["path"][0].as_py())
    vi.contact_sheet([path], ["astronaut.jpg"], columns=3, cell=320).save(media / "plain.png")
    plain = Image.of(media / "plain.png").pixels.astype(int)
    assert marked.shape == plain.shape
    whole = cv2.resize(portrait("astronaut"), (320, 320), interpolation=cv2.INTER_AREA)
    _, sure, _, (left, top) = cv2.minMaxLoc(cv2.matchTemplate(plain.astype(np.uint8), whole, cv2.TM_CCOEFF_NORMED))
    assert sure > 0.95
    face = faces_of(corpus).query("parent == 'm/astronaut.jpg'").iloc[0][["x", "y", "width", "height"]] * 0.8
    rows, columns = np.nonzero(np.abs(marked - plain).max(axis=2) > 90)
    assert columns.min() - left == pytest.approx(face["x"], abs=5)
    assert columns.max() - left == pytest.approx(face["x"] + face["width"], abs=5)
    assert rows.max() - top == pytest.approx(face["y"] + face["height"], abs=5)


def test_a_sheet_with_boxes_does_not_take_the_place_of_one_without(corpus):
    without, faces = corpus.sheet("m/astronaut.jpg"), corpus.sheet("m/astronaut.jpg", boxes="faces")
    assert (without.name, faces.name) == ("sheet.jpg", "sheet-faces.jpg")
    assert without.exists() and faces.exists()


def test_what_was_guessed_of_people_is_named_before_it_is_shared(corpus, tmp_path):
    corpus.share(tmp_path / "copy")
    said = (tmp_path / "copy" / "MANIFEST.md").read_text("utf-8")
    assert "What a machine guessed of people's faces or bodies is in" in said
    assert "perceived_female, perceived_gender" in said


def test_only_pictures_with_faces_are_shown_with_boxes(corpus):
    with pytest.raises(InputError, match="no pictures to show"):
        corpus.sheet(on="image", boxes="faces", where="id = 'm/grey.png'")


def test_faces_are_clustered_by_their_looks(corpus):
    result = corpus.cluster(k=2, on="face")
    clusters = corpus.frame("SELECT * FROM cluster").set_index("id")["cluster"]
    assert sorted(clusters.index) == faces_of(corpus)["id"].tolist()
    assert result.table["pictures"].sum() == len(clusters) and clusters.nunique() == 2
    assert len(list((corpus.results / "cluster").glob("cluster-*.jpg"))) == 2
    joined = corpus.join("cluster", on="face")
    assert joined["cluster"].notna().all()


def test_clustering_faces_measures_what_it_needs(found_folder, tmp_path):
    corpus = Corpus.init(tmp_path / "own")
    corpus.add(found_folder.parent / "m")
    corpus.measure("faces", where="kind = 'image'")
    corpus.cluster(k=2, on="face")
    assert set(corpus.frame("SELECT id FROM embed")["id"]) == set(faces_of(corpus)["id"])
