"""faces gallery, identify, calibrate, group, name, tracks: on portraits, a photo of musicians and a video."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image
from video_clips import write_video

import visanda
from visanda.cli import main
from visanda.corpus import Corpus
from visanda.corpus.faces import people
from visanda.errors import InputError
from visanda.units import parse

SAMPLE = Path(visanda.__file__).parent / "sample"
MEXICO = SAMPLE / "photos/expl_music__mexico.webp"
COLLINS, HOPPER = "Eileen Collins", "Grace Hopper"
SECOND = "p/astronaut-2.jpg"


def varied(path: Path, target: Path, *, turn: float = 5.0, bright: float = 1.15) -> Path:
    """Another picture of the same face: turned, brighter, mirrored, half the size."""
    with Image.open(path) as picture:
        turned = picture.convert("RGB").transpose(Image.Transpose.FLIP_LEFT_RIGHT).rotate(turn, fillcolor="white")
        smaller = turned.resize((picture.width * 2 // 3, picture.height * 2 // 3)).point(lambda v: min(255, v * bright))
        smaller.save(target, quality=90)
    return target


@pytest.fixture(scope="session")
def faces_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of portraits, musicians, a monument and a broken file, with identities; copied by ``corpus``."""
    home = tmp_path_factory.mktemp("faces")
    pictures = home / "p"
    pictures.mkdir()
    for name in ("astronaut", "admiral"):
        shutil.copy(SAMPLE / f"faces/{name}.jpg", pictures)
        varied(pictures / f"{name}.jpg", pictures / f"{name}-2.jpg")
    shutil.copy(MEXICO, pictures)
    shutil.copy(SAMPLE / "photos/cat_mon__colosseum.webp", pictures)
    (pictures / "broken.jpg").write_bytes(b"no picture")
    corpus = Corpus.init(home / "study")
    corpus.add(str(pictures))
    corpus.measure("faces")
    corpus.measure("identity", on="face")
    return home


@pytest.fixture
def corpus(faces_folder: Path, tmp_path: Path) -> Corpus:
    shutil.copytree(faces_folder, tmp_path / "home")
    copied = Corpus(tmp_path / "home/study")
    return copied


@pytest.fixture
def known(corpus: Corpus) -> Corpus:
    """With a gallery of both portraits."""
    corpus.faces_gallery_add(COLLINS, SAMPLE / "faces/astronaut.jpg")
    corpus.faces_gallery_add(HOPPER, SAMPLE / "faces/admiral.jpg")
    return corpus


def who(corpus: Corpus) -> pd.Series:
    """The person of each face, by the name of the file."""
    rows = corpus.frame("SELECT id, person FROM people")
    return rows.set_index(rows["id"].map(lambda id: parse(id).name))["person"]


# the gallery


def test_pictures_without_one_face_are_refused_one_by_one_and_the_others_added(corpus, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    monument = SAMPLE / "photos/cat_mon__colosseum.webp"
    given = [SAMPLE / "faces/astronaut.jpg", MEXICO, monument, broken, tmp_path / "nowhere.jpg"]
    added = corpus.faces_gallery_add(COLLINS, *given)
    why = added["error"].tolist()
    assert pd.isna(why[0])
    assert "--face 1 to --face" in why[1] and "--largest" in why[1]
    assert "no face was found" in why[2]
    assert "not a picture" in why[3] and "no such file" in why[4]
    assert corpus.frame("SELECT id FROM gallery")["id"].tolist() == [f"{COLLINS}/astronaut.jpg"]
    assert Image.open(corpus.results / "gallery-which.jpg").width > 300


def test_one_of_several_faces_is_chosen_from_the_left_or_as_the_largest(corpus):
    boxes = corpus.frame("SELECT x, width * height AS size FROM faces WHERE parent LIKE '%mexico%' ORDER BY x")
    corpus.faces_gallery_add("Trumpet", MEXICO, face=2)
    assert corpus.frame("SELECT x FROM gallery")["x"][0] == boxes["x"][1]
    corpus.faces_gallery_add("Guitar", MEXICO, largest=True)
    chosen = corpus.frame("SELECT x FROM gallery WHERE person = 'Guitar'")["x"][0]
    assert chosen == boxes.loc[boxes["size"].idxmax(), "x"]
    assert "there is no face 40" in corpus.faces_gallery_add("Nobody", MEXICO, face=40)["error"][0]
    with pytest.raises(InputError, match="this picture alone"):
        corpus.faces_gallery_add("Nobody", MEXICO, SAMPLE / "faces/admiral.jpg", face=2)


def test_two_people_of_one_name_are_told(corpus):
    corpus.faces_gallery_add("Kim", SAMPLE / "faces/astronaut.jpg")
    added = corpus.faces_gallery_add("Kim", SAMPLE / "faces/admiral.jpg")
    assert any("two people of one name" in text for text in added.attrs["warnings"])
    assert corpus.faces_gallery_list()["doubts"].tolist() == [1]


def test_one_person_under_two_names_and_in_two_spellings_is_told(known):
    added = known.faces_gallery_add("eileen  collins", SECOND)
    assert any("use one spelling" in text for text in added.attrs["warnings"])
    assert any("may be one person" in text for text in added.attrs["warnings"])


def test_the_same_picture_twice_adds_nothing(known, tmp_path):
    again = known.faces_gallery_add(COLLINS, SAMPLE / "faces/astronaut.jpg")
    assert "there before" in again.attrs["words"][0]
    copy = tmp_path / "copy.jpg"
    shutil.copy(SAMPLE / "faces/astronaut.jpg", copy)
    added = known.faces_gallery_add(COLLINS, copy)
    assert any("it adds nothing" in text for text in added.attrs["warnings"])
    assert known.frame("SELECT count(*) AS n FROM gallery WHERE person = ?", [COLLINS])["n"][0] == 2


def test_files_of_one_name_from_two_folders_are_both_kept(corpus, tmp_path):
    for folder, source in (("a", "astronaut.jpg"), ("b", "astronaut-2.jpg")):
        (tmp_path / folder).mkdir()
        shutil.copy(corpus.folder.parent / "p" / source, tmp_path / folder / "1.jpg")
    added = corpus.faces_gallery_add(COLLINS, tmp_path / "a", tmp_path / "b")
    assert added["error"].isna().all() and added["id"].is_unique
    assert len(corpus.frame("SELECT id FROM gallery")) == 2


@pytest.mark.parametrize("name", ["AC/DC", 'Anna "Ännchen" O\'Neill', "#1 % 名前", "../../x", "CON"])
def test_a_name_may_hold_any_characters(corpus, name):
    corpus.faces_gallery_add(name, "p/astronaut.jpg")
    corpus.faces_gallery_add(name, SECOND)
    table = corpus.faces_identify().table
    assert table["person"][0] == name and table["faces"][0] == 2
    sheets = list((corpus.results / "people").iterdir())
    assert len(sheets) == 2 and all(Image.open(sheet).width for sheet in sheets)
    assert len(corpus.faces_gallery_remove(name, "astronaut.jpg")) == 1
    assert len(corpus.faces_gallery_remove(name)) == 1
    with pytest.raises(InputError, match="gallery is empty"):
        corpus.faces_identify()


@pytest.mark.parametrize("name", ["", "  ", "unknown"])
def test_a_word_that_cannot_name_anybody_is_refused(corpus, name):
    with pytest.raises(InputError, match="cannot name a person"):
        corpus.faces_gallery_add(name, SECOND)


def test_the_gallery_is_listed_with_its_faces(known):
    known.faces_gallery_add(COLLINS, SECOND)
    listed = known.faces_gallery_list().set_index("person")
    assert listed["pictures"].to_dict() == {COLLINS: 2, HOPPER: 1}
    assert 0 < listed.loc[COLLINS, "spread"] < listed.loc[COLLINS, "nearest_distance"]
    assert Image.open(known.results / "gallery.jpg").width > 300


def test_what_is_not_in_the_gallery_cannot_be_taken_out(known):
    with pytest.raises(InputError, match=HOPPER):
        known.faces_gallery_remove("Ada Lovelace")
    with pytest.raises(InputError, match=r"admiral\.jpg"):
        known.faces_gallery_remove(HOPPER, "other.jpg")


# identify


def test_known_people_are_named_and_others_are_unknown(known):
    result = known.faces_identify()
    found = who(known)
    assert found["p/astronaut.jpg"] == found[SECOND] == COLLINS
    assert found["p/admiral.jpg"] == found["p/admiral-2.jpg"] == HOPPER
    assert (found["p/expl_music__mexico.webp"] == "unknown").all()
    assert result.table["person"].tolist()[-1] == "unknown"
    described = known.describe("people")
    assert described["arguments"]["threshold"] == 0.5 and described["models"][0]["caution"]
    assert any("lawfully" in text for text in result.warnings)
    assert {path.stem for path in (known.results / "people").iterdir()} == {"Eileen_Collins", "Grace_Hopper", "unknown"}
    assert result.figure is not None and (known.results / "people-distances.png").exists()


def test_a_strict_threshold_leaves_faces_unknown_and_says_who_is_nearest(known):
    known.faces_identify(threshold=0.001)
    rows = known.frame("SELECT * FROM people WHERE id LIKE '%astronaut-2%'")
    assert rows["person"][0] == "unknown" and rows["nearest"][0] == COLLINS
    assert rows["margin"][0] == pytest.approx(rows["second_distance"][0] - rows["distance"][0])


def test_the_same_command_again_names_only_new_faces(known):
    known.faces_identify()
    before = known.frame("SELECT * FROM people ORDER BY id")
    assert any("0 are new" in text for text in known.faces_identify().words)
    pd.testing.assert_frame_equal(known.frame("SELECT * FROM people ORDER BY id"), before)
    more = known.folder.parent / "more"
    more.mkdir()
    varied(SAMPLE / "faces/astronaut.jpg", more / "third.jpg", turn=-4, bright=0.9)
    known.add(str(more))
    known.measure("faces")  # its identity is measured by identify
    result = known.faces_identify()
    assert any("1 are new" in text for text in result.words)
    assert who(known)["more/third.jpg"] == COLLINS


def test_other_numbers_or_another_gallery_need_a_decision(known):
    known.faces_identify()
    with pytest.raises(InputError, match=r"--threshold 0\.5.*--replace"):
        known.faces_identify(threshold=0.4)
    known.faces_gallery_remove(HOPPER)
    with pytest.raises(InputError, match=r"another gallery.*--replace"):
        known.faces_identify()
    assert HOPPER in set(who(known))
    known.faces_identify(replace=True)
    assert HOPPER not in set(who(known)) and COLLINS in set(who(known))
    assert not (known.results / "people/Grace_Hopper.jpg").exists()


def test_an_interrupted_naming_leaves_the_names_of_before(known, monkeypatch):
    known.faces_identify()
    before = known.frame("SELECT * FROM people ORDER BY id")

    def stopped(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(people, "identify", stopped)
        with pytest.raises(KeyboardInterrupt):
            known.faces_identify(threshold=0.4, replace=True)
    pd.testing.assert_frame_equal(known.frame("SELECT * FROM people ORDER BY id"), before)
    assert known.describe("people")["arguments"]["threshold"] == 0.5
    known.faces_identify(threshold=0.4, replace=True)


def test_a_face_whose_identity_failed_has_a_row_that_says_so(known):
    face = known.frame("SELECT id FROM faces WHERE parent = 'p/admiral.jpg'")["id"][0]
    rows = known.parts("identity").read()
    errors = ["no landmarks" if id == face else None for id in rows["id"].to_pylist()]
    values = [None if why else value for why, value in zip(errors, rows["identity"].to_pylist(), strict=True)]
    columns = {"id": rows["id"].to_pylist(), "identity": values, "error": errors}
    failed = pa.table(columns, schema=rows.schema)
    with known.parts("identity").writing():
        known.parts("identity").replace_all(failed, "test")
    result = known.faces_identify()
    row = known.frame("SELECT * FROM people WHERE id = ?", [face])
    assert row["error"][0] == "no landmarks" and row[["person", "distance"]].isna().all(axis=None)
    assert result.table["person"].tolist()[-1] == "(failed)"
    assert known.faces_group().table["faces"].sum() >= 2


def test_one_person_in_the_gallery_has_no_second(corpus):
    corpus.faces_gallery_add(COLLINS, SECOND)
    corpus.faces_identify()
    assert corpus.frame("SELECT second, margin FROM people").isna().all(axis=None)


def test_names_join_the_facts_about_faces(known):
    known.faces_identify(where="format = 'JPEG'")
    joined = known.join("people", "faces", on="face")
    named = joined[joined["person"].notna()]
    assert len(named) == 4 and set(named["parent"].str[-3:]) == {"jpg"}


def test_an_empty_corpus_and_one_without_faces_say_what_is_missing(tmp_path):
    empty = Corpus.init(tmp_path / "empty")
    with pytest.raises(InputError, match="gallery is empty"):
        empty.faces_identify()
    empty.faces_gallery_add(COLLINS, SAMPLE / "faces/astronaut.jpg")
    for verb in (empty.faces_identify, empty.faces_group):
        with pytest.raises(InputError, match="add pictures"):
            verb()
    empty.add(str(SAMPLE / "photos/cat_mon__colosseum.webp"))
    for verb in (empty.faces_identify, empty.faces_group, empty.faces_identify):
        with pytest.raises(InputError, match="no face was found in these pictures: 1 "):
            verb()


def test_a_table_of_another_kind_is_never_replaced(known):
    known.faces_group(name="people")
    with pytest.raises(InputError, match="something else made"):
        known.faces_identify(replace=True)
    with pytest.raises(InputError, match="something else made"):
        known.faces_group(name="faces", replace=True)


# calibrate


def test_the_gallery_calibrates_itself(known):
    with pytest.raises(InputError, match="at least one of them with two pictures"):
        known.faces_calibrate()
    known.faces_gallery_add(COLLINS, SECOND)
    result = known.faces_calibrate()
    assert result.provenance["pairs_same"] == 1 and result.provenance["pairs_different"] == 2
    assert any("faces identify --threshold" in text for text in result.words)
    assert Image.open(known.results / "faces-calibration.png").width > 500


def test_pairs_of_ones_own_are_named_by_file_or_face_and_bad_ones_left_out(corpus, tmp_path):
    face = corpus.frame("SELECT id FROM faces WHERE parent = 'p/admiral-2.jpg'")["id"][0]
    rows = [
        ("astronaut.jpg", SECOND, "yes", "a"),
        ("admiral.jpg", face, "1", "b"),
        ("astronaut.jpg", "admiral.jpg", "no", "a"),
        (SECOND, "p/admiral.jpg", "No", "b"),
        ("astronaut.jpg", "expl_music__mexico.webp", "no", "a"),
        ("astronaut.jpg", "nobody.jpg", "no", "a"),
        ("astronaut.jpg", "admiral.jpg", "perhaps", "a"),
    ]
    pd.DataFrame(rows, columns=["a", "b", "same", "gender"]).to_csv(tmp_path / "pairs.csv", index=False)
    result = corpus.faces_calibrate(tmp_path / "pairs.csv", by="gender")
    why = result.extra["pairs"]["error"]
    assert why.isna().sum() == 4 and "give the id of one" in why[4] and "nobody.jpg" in why[5] and "neither" in why[6]
    assert result.extra["groups"]["group"].tolist() == ["a", "b"]
    with pytest.raises(InputError, match="no column 'who'"):
        corpus.faces_calibrate(tmp_path / "pairs.csv", by="who")


# groups


def test_groups_hold_one_person_each_and_a_group_gets_a_name(corpus):
    result = corpus.faces_group()
    rows = corpus.frame("SELECT * FROM face_groups")
    groups = rows.set_index(rows["id"].map(lambda id: parse(id).name))["group"]
    assert groups["p/astronaut.jpg"] == groups[SECOND] != groups["p/admiral.jpg"] == groups["p/admiral-2.jpg"]
    assert result.table["faces"].min() > 1 and result.extra["all"]["faces"].sum() == len(rows)
    assert len(list((corpus.results / "face_groups").iterdir())) == len(result.table)
    added = corpus.faces_name(int(groups[SECOND]), COLLINS)
    assert added["error"].isna().all() and len(added) == 2
    corpus.faces_identify()
    assert who(corpus)["p/astronaut.jpg"] == COLLINS
    with pytest.raises(InputError, match="no group 999"):
        corpus.faces_name(999, COLLINS)
    corpus.faces_gallery_list()
    assert corpus.faces_group().table.equals(result.table)
    with pytest.raises(InputError, match="--replace, or keep both with --name"):
        corpus.faces_group(threshold=0.3)


# tracks


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


# as typed


def test_verbs_of_several_words_are_typed_as_words(corpus, capsys):
    def typed(*words: str) -> str:
        with pytest.raises(SystemExit) as ended:
            main(["-C", str(corpus.folder), *words])
        assert not ended.value.code
        return " ".join(capsys.readouterr().out.split())

    assert "1 of 1 pictures" in typed("faces", "gallery", "add", COLLINS, str(SAMPLE / "faces/astronaut.jpg"))
    assert COLLINS in typed("faces", "gallery", "list")
    assert "2 of" in typed("faces", "identify", "--threshold", "0.45")
    assert "1 pictures were taken out" in typed("faces", "gallery", "remove", COLLINS)
    assert len(corpus.frame("SELECT id FROM people WHERE person = ?", [COLLINS])) == 2


def test_the_report_shows_people_groups_and_the_gallery(known: Corpus):
    known.faces_identify()
    known.faces_group()
    page = known.report().read_text("utf-8")
    assert ">people" in page and ">face_groups" in page
    assert COLLINS in page
