"""code --sheet: what coders fill in, on spreadsheets with pictures and as plain tables, and how it comes back."""

from pathlib import Path

import openpyxl
import pandas as pd
import pytest

import visanda
from visanda import codes
from visanda.corpus import Corpus
from visanda.errors import InputError

SAMPLE = Path(visanda.__file__).parent / "sample"


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
