"""faces identify, calibrate, group, name: on portraits and a photo of musicians."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image
from portraits import COLLINS, HOPPER, SAMPLE, SECOND, varied, who

from visanda.cli import main
from visanda.corpus import Corpus
from visanda.corpus.faces import people
from visanda.errors import InputError
from visanda.units import parse


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
