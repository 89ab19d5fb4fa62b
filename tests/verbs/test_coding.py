"""code: tables of codes that come in, and what is done with what the codebook does not allow."""

import pandas as pd
import pytest

from visanda import codes
from visanda.errors import InputError


def test_codes_come_in_by_file_name_and_twice_is_once(study, tmp_path):
    table = tmp_path / "codes.csv"
    table.write_text("filename,nature\nexpl_wa__koala.webp,yes\ncat_mon__colosseum.webp,no\nnowhere.webp,no\n", "utf-8")
    first = study.code("nature", import_=table, coder="ana")
    assert "2 codes of nature by ana, 2 of them new" in first.words[0]
    assert any("nowhere.webp" in text for text in first.warnings)
    assert any("no sample was drawn" in text for text in first.warnings)
    assert "0 of them new" in study.code("nature", import_=table, coder="ana").words[0]
    table.write_text("filename,nature\nexpl_wa__koala.webp,no\n", "utf-8")
    study.code("nature", import_=table, coder="ana")
    assert codes.gold(codes.read(study.folder, "nature"))["photos/expl_wa__koala.webp"] == "no"
    kept = pd.read_csv(study.folder / "codes" / "nature" / "ana.csv")
    assert kept["value"].tolist() == ["yes", "no", "no"], "what was said before stays in the file"
    assert study.sql("SELECT count(*) AS n FROM codes")["n"][0] == 3


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("filename,other\na,b\n", "no column 'value'"),
        ("name,value\na,b\n", "no column 'id'"),
        ("id,value\nnowhere,1\n", "no row names a picture"),
        ("id,value\nexpl_wa__koala.webp,1\nexpl_wa__koala.webp,2\n", "repeat"),
    ],
)
def test_tables_that_do_not_fit_say_why(study, tmp_path, content, says):
    (tmp_path / "codes.csv").write_text(content, "utf-8")
    with pytest.raises(InputError, match=says):
        study.code("nature", import_=tmp_path / "codes.csv", coder="ana")


def test_numbers_from_a_spreadsheet_are_the_codes_they_look_like(study):
    frame = pd.DataFrame({"id": ["expl_wa__koala.webp", "cat_mon__colosseum.webp"], "value": [1.0, None]})
    study.code("x", import_=frame, coder="ana")
    assert codes.gold(codes.read(study.folder, "x")).tolist() == ["1"]


def test_gold_is_what_most_coders_say_and_a_tie_is_none():
    given = pd.DataFrame(
        [("a", "x", "1"), ("a", "y", "1"), ("a", "z", "0"), ("b", "x", "1"), ("b", "y", "0")],
        columns=["id", "coder", "value"],
    )
    assert codes.gold(given).to_dict() == {"a": "1"}


@pytest.mark.parametrize(
    ("values", "one"),
    [
        (["no", "yes"], "yes"),
        (["0", "1"], "1"),
        (["False", "True"], "True"),
        (["nein", "ja"], "ja"),
        (["absent", "protest"], "protest"),
        (["made", "nature"], "nature"),
    ],
)
def test_the_value_that_counts_as_one(values, one):
    assert codes.positive(sorted(values)) == one


def test_slips_are_pointed_out(study):
    study.sample("outdoor", n=20)
    ids = study.population()["id"].head(3)
    said = study.code("outdor", import_=pd.DataFrame({"id": ids, "value": ["Yes", "yes", "no"]}), coder="ana")
    assert any("'outdoor'" in text for text in said.warnings)
    assert any("differ in case only" in text for text in said.warnings)


# the codebook's values


def test_other_spellings_are_taken_as_the_codebook_writes_them_and_said(photos):
    study = photos(5)
    ids = study.population()["id"]
    study.codebook("alive", values=["yes,no"])
    said = study.code("alive", import_=pd.DataFrame({"id": ids, "value": ["YES", " no", "1", "ja", "no"]}), coder="ana")
    assert codes.read(study.folder, "alive")["value"].tolist() == ["yes", "no", "yes", "yes", "no"]
    assert any("'YES' as 'yes' (1)" in text for text in said.words)


def test_unknown_values_are_listed_and_nothing_is_taken_until_they_are_recoded(photos):
    study = photos(4)
    table = pd.DataFrame({"id": study.population()["id"], "value": ["Yep", "Yep", "nope", "yes"]})
    study.codebook("alive", values=["yes,no"])
    with pytest.raises(InputError, match="'Yep'        2 ×   nearest: yes"):
        study.code("alive", import_=table, coder="ana")
    assert not (study.folder / "codes/alive/ana.csv").exists()
    study.code("alive", import_=table, coder="ana", recode=["Yep=yes,nope=no"])
    assert codes.read(study.folder, "alive")["value"].tolist() == ["yes", "yes", "no", "yes"]


def test_numbers_of_an_interval_scale_are_checked_and_commas_understood(photos, tmp_path):
    study = photos(3)
    names = [id.split("/")[-1] for id in study.population()["id"]]
    study.codebook("warm", scale="interval", low=0, high=100)
    table = tmp_path / "excel.csv"
    table.write_text(
        "\ufefffilename;value;note\n" + "".join(f"{n};{v};\n" for n, v in zip(names, ("1,5", "7", "100"), strict=True))
    )
    said = study.code("warm", import_=table, coder="ana")
    assert codes.gold_of(study.folder, "warm").tolist() == [1.5, 7.0, 100.0]
    assert said.table.set_index("value")["warm"]["max"] == 100
    table.write_text("id,value\n" + "".join(f"{n},{v}\n" for n, v in zip(names, ("101", "7", "x"), strict=True)))
    with pytest.raises(InputError, match="2 codes are not what the codebook allows"):
        study.code("warm", import_=table, coder="ana")


def test_labels_come_in_one_column_or_in_a_column_each(photos):
    study = photos(4)
    ids = study.population()["id"]
    study.codebook("symbols", scale="multilabel", values=["flag,fire"])
    study.code("symbols", import_=pd.DataFrame({"id": ids, "value": ["fire, flag", "none", "Fire", None]}), coder="ana")
    ticked = pd.DataFrame({"id": ids, "Fire": ["x", None, "1", None], "flag": [1, 0, 0, None]})
    said = study.code("symbols", import_=ticked, coder="ben")
    given = codes.read(study.folder, "symbols").pivot(index="id", columns="coder", values="value")
    assert given["ana"].tolist() == given["ben"].tolist() == ["flag|fire", "none", "fire"]
    assert said.table.set_index("value")["pictures"].to_dict() == {"flag": 1, "fire": 2, "none": 1}
    with pytest.raises(InputError, match="none for fire"):
        study.code("symbols", import_=ticked.drop(columns="Fire"), coder="ben")
    with pytest.raises(InputError, match=r"1 where it fits .* not maybe"):
        study.code("symbols", import_=ticked.assign(flag="maybe"), coder="ben")


def test_dates_that_a_spreadsheet_made_of_values_are_refused(photos, tmp_path):
    study = photos(2)
    study.codebook("people", scale="ordinal", values=["1-2,3-5"])
    given = pd.DataFrame({"id": study.population()["id"], "value": pd.to_datetime(["2024-02-01", "2024-05-03"])})
    given.to_excel(tmp_path / "c.xlsx", index=False)
    with pytest.raises(InputError, match="Spreadsheets make dates"):
        study.code("people", import_=tmp_path / "c.xlsx", coder="ana")


# tables that cannot be taken as they are


def test_two_codes_of_one_coder_for_a_picture_are_refused_unless_they_agree(photos):
    study = photos(3)
    ids = study.population()["id"].tolist()
    twice = pd.DataFrame({"id": [*ids, ids[0], ids[1].split("/")[-1]], "value": ["a", "b", "c", "A", "x"]})
    study.codebook("x", values=["a,b,c,x"])
    with pytest.raises(InputError, match=rf"1 pictures repeat with different values.*\n  {ids[1]} by ana: b and x"):
        study.code("x", import_=twice, coder="ana")
    said = study.code("x", import_=twice.head(4), coder="ana")
    assert codes.read(study.folder, "x")["value"].tolist() == ["a", "b", "c"]
    assert any("1 rows say again" in text for text in said.words)


def test_an_empty_sheet_is_no_codes(photos, tmp_path):
    study = photos(3)
    study.sample("x", n=3)
    with pytest.raises(InputError, match="fill in the sheet first"):
        study.code("x", import_=study.results / "x-sheet.csv", coder="ana")
    (tmp_path / "empty.csv").write_text("id,value\n")
    with pytest.raises(InputError, match="no rows"):
        study.code("x", import_=tmp_path / "empty.csv", coder="ana")


def test_rows_about_no_picture_are_written_down_until_they_are_mended(photos):
    study = photos(3)
    ids = study.population()["id"].tolist()
    lost = study.results / "x-unmatched.csv"
    for coder in ("ana", "ben"):
        said = study.code("x", import_=pd.DataFrame({"id": [*ids, "nowhere.jpg"], "value": "a"}), coder=coder)
        assert any("nowhere.jpg" in text and "x-unmatched.csv" in text for text in said.warnings)
    assert pd.read_csv(lost)[["key", "coder", "value"]].to_numpy().tolist() == [
        ["nowhere.jpg", "ana", "a"],
        ["nowhere.jpg", "ben", "a"],
    ]
    study.code("x", import_=pd.DataFrame({"id": ids, "value": "a"}), coder="ana")
    assert pd.read_csv(lost)["coder"].tolist() == ["ben"]
    study.code("x", import_=pd.DataFrame({"id": ids, "value": "a"}), coder="ben")
    assert not lost.exists()


def test_it_must_be_said_where_the_codes_are_and_whose(photos):
    study = photos(2)
    table = pd.DataFrame({"id": study.population()["id"], "value": "a"})
    with pytest.raises(InputError, match="where are the codes"):
        study.code("x", coder="ana")
    with pytest.raises(InputError, match="where are the codes"):
        study.code("x", coder="ana", import_=table, column="category")
    with pytest.raises(InputError, match="who coded"):
        study.code("x", import_=table)
    with pytest.raises(InputError, match="cannot name a coder"):
        study.code("x", import_=table, coder="a b")


def test_codes_that_metadata_hold_are_a_coder_s(photos):
    study = photos(8)
    study.code("living", column="living", coder="known")
    known = study.frame("SELECT id, living FROM media").set_index("id")["living"]
    assert codes.gold_of(study.folder, "living").to_dict() == known.to_dict()
    with pytest.raises(InputError, match="no column 'livin'"):
        study.code("living", column="livin", coder="known")
