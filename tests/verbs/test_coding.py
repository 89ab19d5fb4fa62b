"""code, reliability."""

import json
import shutil
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from PIL import Image

import visanda
from visanda import codes
from visanda.corpus import Corpus
from visanda.errors import InputError

SAMPLE = Path(visanda.__file__).parent / "sample"


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


def test_two_coders_get_a_reliability(study):
    ids = study.population()["id"].head(60)
    living = study.frame("SELECT id, living FROM media").set_index("id")["living"].reindex(ids)
    other = living.copy()
    other.iloc[:6] = other.iloc[:6].map({"yes": "no", "no": "yes"})
    for coder, given in (("ana", living), ("ben", other)):
        study.code("nature", import_=given.rename("value").rename_axis("id").reset_index(), coder=coder)
    table = study.reliability("nature").table.set_index(study.reliability("nature").table.columns[0])
    assert pytest.approx(float(table.filter(like="agreement", axis=0).iloc[0, 0]), abs=1e-9) == 0.9


def test_who_settles_disagreements_is_no_third_coder(study):
    ids = study.population()["id"].head(20).tolist()
    for coder, value in (("ana", "yes"), ("ben", "no")):
        study.code("x", import_=pd.DataFrame({"id": ids, "value": value}), coder=coder)
    before = study.reliability("x").table
    study.code("x", import_=pd.DataFrame({"id": ids[:5], "value": "maybe"}), coder="gold")
    assert codes.gold(codes.read(study.folder, "x")).to_dict() == dict.fromkeys(ids[:5], "maybe")
    pd.testing.assert_frame_equal(study.reliability("x").table, before)


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


# sheets


def filled(path, values, **columns):
    """Fill in a sheet as a coder would in Excel."""
    book = openpyxl.load_workbook(path)
    sheet = book["codes"]
    names = [cell.value for cell in sheet[1]]
    for name, given in {"value": values, **columns}.items():
        for row, value in enumerate(given or [], 2):
            sheet.cell(row, names.index(name) + 1).value = value
    book.save(path)
    return path


def test_a_spreadsheet_has_pictures_choices_and_the_codebook_and_comes_back(photos, tmp_path):
    study = photos(6)
    study.codebook("alive", values=["yes,no"], definition="Alive?", meaning=["yes==plants"])
    study.sample("alive", n=4, coders=["ana", "ben"], double=0.5)
    path = tmp_path / "ana.xlsx"
    study.code("alive", sheet=path, coder="ana")
    book = openpyxl.load_workbook(path)
    sheet = book["codes"]
    assert [cell.value for cell in sheet[1]] == ["order", "id", "picture", "value", "note", "codebook"]
    ids = [row[1].value for row in sheet.iter_rows(min_row=2)]
    assert ids == pd.read_csv(study.results / "alive-sheet-ana.csv")["id"].tolist()
    assert [(one.anchor._from.row, one.anchor._from.col) for one in sheet._images] == [(r, 2) for r in (1, 2, 3)]
    assert max(max(one.width, one.height) for one in sheet._images) == 160 and sheet.freeze_panes == "A2"
    (rule,) = sheet.data_validations.dataValidation
    assert (rule.type, rule.formula1, str(rule.sqref)) == ("list", "codebook!$A$6:$A$7", "D2:D4")
    assert [cell.value for cell in book["codebook"]["A"][5:7]] == ["yes", "no"]
    assert book["codebook"]["B6"].value == "=plants" and book["codebook"]["B6"].data_type == "s"
    with pytest.raises(InputError, match="may hold codes"):
        study.code("alive", sheet=path, coder="ana")
    study.code("alive", import_=filled(path, ["yes", "No"], note=["=1+1"]), coder="ana")
    given = codes.in_force(study.folder, "alive").set_index("id")
    assert given["value"].to_dict() == {ids[0]: "yes", ids[1]: "no"} and set(given["codebook"]) == {"1"}
    again = study.code("alive", sheet=tmp_path / "again.xlsx", coder="ana")
    assert again.table["coded"].tolist() == [2]
    there = openpyxl.load_workbook(tmp_path / "again.xlsx")["codes"]
    assert [cell.value for cell in there["D"]] == ["value", "yes", "no", None]
    with pytest.raises(InputError, match="given to ana, ben, and not to 'eva'"):
        study.code("alive", sheet=tmp_path / "eva.xlsx", coder="eva")


def test_a_sheet_made_before_the_codebook_changed_keeps_its_version(photos, tmp_path):
    study = photos(3)
    study.codebook("alive", values=["yes,no"])
    study.code("alive", sheet=tmp_path / "ana.csv", coder="ana")
    study.codebook("alive", values=["yes,no,unclear"])
    pd.read_csv(tmp_path / "ana.csv").assign(value="no").to_csv(tmp_path / "ana.csv", index=False)
    study.code("alive", import_=tmp_path / "ana.csv", coder="ana")
    assert set(codes.in_force(study.folder, "alive")["codebook"]) == {"1"}


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_labels_have_a_column_each_on_a_sheet(photos, tmp_path, ending):
    study = photos(3)
    study.codebook("symbols", scale="multilabel", values=["flag,fire"])
    ids = study.population()["id"]
    study.code("symbols", import_=pd.DataFrame({"id": ids[:1], "value": ["fire"]}), coder="ana")
    path = tmp_path / f"ana.{ending}"
    study.code("symbols", sheet=path, coder="ana")
    sheet = pd.read_csv(path) if ending == "csv" else pd.read_excel(path)
    assert sheet.loc[sheet["id"] == ids[0], ["flag", "fire"]].to_numpy().tolist() == [[0, 1]]
    assert sheet[["flag", "fire"]].isna().sum().tolist() == [2, 2] and "value" not in sheet
    if ending == "xlsx":
        (rule,) = openpyxl.load_workbook(path)["codes"].data_validations.dataValidation
        assert (rule.type, rule.formula1, rule.formula2, str(rule.sqref)) == ("whole", "0", "1", "D2:D4 E2:E4")
    assert "1 codes of symbols by ana, 0 of them new" in study.code("symbols", import_=path, coder="ana").words[0]


def test_numbers_and_values_like_dates_are_guarded_on_a_spreadsheet(photos, tmp_path):
    study = photos(2)
    study.codebook("warm", scale="interval", low=0, high=1.5)
    study.codebook("people", scale="ordinal", values=["0,1-2,3-5"])
    study.codebook("stars", scale="ordinal", values=["1,2,3"])
    for name in ("warm", "people", "stars"):
        study.code(name, sheet=tmp_path / f"{name}.xlsx", coder="ana")
    (rule,) = openpyxl.load_workbook(tmp_path / "warm.xlsx")["codes"].data_validations.dataValidation
    assert (rule.type, rule.formula1, rule.formula2) == ("decimal", "0", "1.5")
    assert openpyxl.load_workbook(tmp_path / "people.xlsx")["codes"]["D2"].number_format == "@"
    stars = openpyxl.load_workbook(tmp_path / "stars.xlsx")
    assert stars["codes"]["D2"].number_format == "General", "a typed 3 must be the number 3 of the list"
    assert [stars["codebook"][f"A{row}"].value for row in (6, 7, 8)] == [1, 2, 3]
    study.code("stars", import_=filled(tmp_path / "stars.xlsx", [1, 3]), coder="ana")
    assert sorted(codes.gold_of(study.folder, "stars")) == ["1", "3"]


def test_pictures_that_cannot_be_read_leave_their_rows(photos, tmp_path):
    study = photos(2)
    (tmp_path / "gone.png").write_bytes((Path(study.frame("SELECT path FROM media")["path"][0])).read_bytes())
    study.add(str(tmp_path / "gone.png"))
    (tmp_path / "gone.png").unlink()
    study.code("x", sheet=tmp_path / "ana.xlsx", coder="ana")
    sheet = openpyxl.load_workbook(tmp_path / "ana.xlsx")["codes"]
    assert sheet.max_row == 4 and len(sheet._images) == 2
    assert [cell.value for cell in sheet["C"]].count("(no picture)") == 1


def test_pairs_show_two_pictures_and_become_scores(photos, tmp_path):
    study = photos(6)
    study.codebook("pretty", scale="pairwise", definition="Which is prettier?")
    with pytest.raises(InputError, match="Draw them first"):
        study.code("pretty", sheet=tmp_path / "ana.xlsx", coder="ana")
    study.sample("pretty", n=4, pairs=6)
    study.code("pretty", sheet=tmp_path / "ana.xlsx", coder="ana")
    sheet = openpyxl.load_workbook(tmp_path / "ana.xlsx")["codes"]
    assert [cell.value for cell in sheet[1]] == ["order", "id", "left", "right", "value", "note", "codebook"]
    assert len(sheet._images) == 12
    best = sheet["B2"].value.split(" <> ")[0]
    said = [
        "L" if pair.split(" <> ")[0] == best else "right" if pair.split(" <> ")[1] == best else "="
        for pair in (cell.value for cell in sheet["B"][1:])
    ]
    result = study.code("pretty", import_=filled(tmp_path / "ana.xlsx", said), coder="ana")
    assert not any("not in the sample" in text for text in result.warnings)
    scores = codes.gold_of(study.folder, "pretty")
    assert scores.idxmax() == best and len(scores) == 4
    table = pd.DataFrame({"left": ["nowhere.jpg"], "right": [best], "winner": ["left"]})
    with pytest.raises(InputError, match="no row names a picture"):
        study.code("pretty", import_=table, coder="ben")


# units inside files


def test_faces_are_coded_by_their_ids_and_shown_with_what_is_around_them(tmp_path):
    study = Corpus.init(tmp_path / "faces")
    study.add(*(str(path) for path in sorted((SAMPLE / "faces").glob("*.*g"))[:4]))
    study.measure("faces")
    study.codebook("smiling", values=["yes,no"], on="face")
    faces = study.frame("SELECT id, parent FROM faces ORDER BY id")
    study.code("smiling", sheet=tmp_path / "ana.xlsx", coder="ana")
    sheet = openpyxl.load_workbook(tmp_path / "ana.xlsx")["codes"]
    assert sorted(cell.value for cell in sheet["B"][1:]) == faces["id"].tolist()
    assert min(max(one.width, one.height) for one in sheet._images) >= 96
    alone = faces[~faces["parent"].duplicated(keep=False)]
    given = pd.DataFrame({"id": [*faces["id"].iloc[:2], faces["parent"].iloc[0] + "#xywh=0,0,1,1"], "value": "yes"})
    said = study.code("smiling", import_=given, coder="ana")
    assert set(codes.read(study.folder, "smiling")["id"]) == set(faces["id"].iloc[:2])
    assert any("#xywh=0,0,1,1" in text for text in said.warnings)
    if len(alone):
        study.code(
            "smiling", import_=alone[["parent"]].rename(columns={"parent": "id"}).assign(value="no"), coder="eva"
        )
        assert set(codes.read(study.folder, "smiling").query("coder == 'eva'")["id"]) == set(alone["id"])


# other programs' files


def label_studio(study, tmp_path, **more):
    """An export of two annotators, as Label Studio writes it."""
    ids = study.population()["id"].tolist()
    names = [id.split("/")[-1] for id in ids]
    images = [f"/data/upload/1/1a2b3c4d-{names[0]}", f"/data/local-files/?d=some/{names[1]}", f"s3://b/{names[2]}"]

    def said(value, who):
        result = [{"from_name": "alive", "to_name": "image", "type": "choices", "value": {"choices": value}}]
        result += [{"from_name": "why", "to_name": "image", "type": "textarea", "value": {"text": ["it moves"]}}]
        return {"completed_by": who, "was_cancelled": False, "result": result if value else []}

    tasks = [
        {
            "id": 1,
            "data": {"image": images[0]},
            "annotations": [said(["Yes"], 1), said(["no"], {"email": "ben@x.org"})],
        },
        {"id": 2, "data": {"image": images[1]}, "annotations": [said(["no"], 1)]},
        {"id": 3, "data": {"image": images[2]}, "annotations": [said([], 1) | more]},
    ]
    path = tmp_path / "export.json"
    path.write_text(json.dumps(tasks), "utf-8")
    return path, ids


def test_label_studio_s_annotators_become_coders(photos, tmp_path):
    study = photos(3)
    path, ids = label_studio(study, tmp_path)
    study.codebook("alive", values=["yes,no"])
    said = study.code("alive", import_=path)
    given = codes.in_force(study.folder, "alive")
    assert given[["id", "coder", "value", "note"]].to_numpy().tolist() == [
        [ids[0], "annotator_1", "yes", "it moves"],
        [ids[1], "annotator_1", "no", "it moves"],
        [ids[0], "ben", "no", "it moves"],
    ]
    assert any("1 rows have no value" in text for text in said.words)
    with pytest.raises(InputError, match=f"repeat with different values.*\n  {ids[0]} by c1: yes and no"):
        study.code("alive", import_=path, coder="c1")


def test_label_studio_s_several_choices_and_none_are_labels(photos, tmp_path):
    study = photos(3)
    path, ids = label_studio(study, tmp_path)
    study.codebook("alive", scale="multilabel", values=["yes,no"])
    study.code("alive", import_=path)
    given = codes.in_force(study.folder, "alive").set_index(["coder", "id"])["value"]
    assert given["annotator_1", ids[2]] == "none"


def test_label_studio_s_flat_export_and_what_is_no_export(photos, tmp_path):
    study = photos(3)
    name = study.population()["id"][0].split("/")[-1]
    path = tmp_path / "min.json"
    path.write_text(json.dumps([{"id": 7, "image": f"/data/upload/1a2b3c4d-{name}", "choice": "yes", "annotator": 4}]))
    study.code("alive", import_=path)
    assert codes.read(study.folder, "alive").to_numpy().tolist() == [
        [study.population()["id"][0], "annotator_4", "yes"]
    ]
    for text, says in (("{}", "no export"), ("[1]", "no export"), ("[", "as JSON"), ('[{"data": {}}]', "--value")):
        path.write_text(text)
        with pytest.raises(InputError, match=says):
            study.code("alive", import_=path)


def test_class_folders_are_matched_by_content_and_then_by_name(photos, tmp_path):
    study = photos(6)
    ids, sources = study.population()["id"].tolist(), study.paths(study.population()["id"].tolist())
    places = ["yes/1.webp", "no/1.webp", "train/yes/a.webp", "test/no/b.webp"]
    for id, place in zip(ids, places, strict=False):
        (tmp_path / "sorted" / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(sources[id], tmp_path / "sorted" / place)
    smaller = tmp_path / "sorted" / "yes" / ids[4].split("/")[-1]
    Image.open(sources[ids[4]]).resize((20, 20)).save(smaller)
    said = study.code("alive", import_=tmp_path / "sorted", coder="known")
    assert codes.gold_of(study.folder, "alive").to_dict() == dict(
        zip(ids[:5], ["yes", "no", "yes", "no", "yes"], strict=True)
    )
    assert any("1 files" in text and "go by their names" in text for text in said.words)
    shutil.copy(sources[ids[0]], tmp_path / "sorted" / "no" / "again.webp")
    with pytest.raises(InputError, match="repeat with different values"):
        study.code("alive", import_=tmp_path / "sorted", coder="known")
    with pytest.raises(InputError, match="no pictures in folders of a value"):
        study.code("alive", import_=tmp_path / "sorted" / "no", coder="known")


# reliability


def test_where_coders_disagree_is_shown_in_pictures(photos):
    study = photos(8)
    ids = study.population()["id"].tolist()
    study.codebook("warm", scale="interval", low=0, high=100)
    study.code("warm", import_=pd.DataFrame({"id": ids, "value": range(0, 80, 10)}), coder="ana")
    study.code("warm", import_=pd.DataFrame({"id": ids, "value": [5, 10, 20, 30, 40, 50, 60, 95]}), coder="ben")
    said = study.reliability("warm")
    assert any("disagree on 1 units" in text for text in said.words), "0 and 5 are within a tenth of the scale"
    there = pd.read_csv(study.results / "warm-disagreements.csv")
    assert there[["id", "by_ana", "by_ben"]].to_numpy().tolist() == [[ids[7], 70, 95]]
    with Image.open(study.results / "warm-disagreements-1.jpg") as sheet:
        assert sheet.width > 160
    assert (study.results / "warm-reliability.csv").exists()
    assert any("disagree on 2 units" in text for text in study.reliability("warm", apart=1).words)
