"""faces gallery: who is in it, and by which pictures."""

from __future__ import annotations

import shutil

import pandas as pd
import pytest
from PIL import Image
from portraits import COLLINS, HOPPER, MEXICO, SAMPLE, SECOND

from visanda.errors import InputError


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
