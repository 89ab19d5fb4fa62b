"""adjudicate: what coders disagree on, settled by hand or by majority."""

from __future__ import annotations

import openpyxl
import pandas as pd
import pytest

from visanda import codes
from visanda.errors import InputError


@pytest.fixture
def disputed(photos):
    """Six pictures, three coders, two of whom disagree on four of them."""
    study = photos(6)
    ids = study.population()["id"].tolist()
    study.codebook("alive", values=["yes,no,unclear"])
    said = {
        "ana": ["yes", "yes", "yes", "no", "no", "yes"],
        "ben": ["yes", "no", "no", "yes", "unclear", "yes"],
        "zoe": [None, "no", None, "yes", "yes", "yes"],
    }
    for coder, values in said.items():
        table = pd.DataFrame({"id": ids, "value": values, "note": ["", f"{coder}'s doubt", "", "", "", ""]})
        study.code("alive", import_=table, coder=coder)
    return study, ids


def fill(path, said):
    """Write values beside ids, as a person does in Excel."""
    book = openpyxl.load_workbook(path)
    sheet = book["codes"]
    column = [cell.value for cell in sheet[1]].index("value") + 1
    for row in range(2, sheet.max_row + 1):
        sheet.cell(row, column).value = said.get(sheet.cell(row, 1).value)
    book.save(path)


def test_what_is_in_dispute_is_shown_settled_and_counted(disputed):
    study, ids = disputed
    said = study.adjudicate("alive")
    assert said.table["id"].tolist() == ids[1:5]
    assert "they disagree on 4, of which 0 are settled and 4 remain" in said.words[0]
    path = study.results / "alive-adjudicate.xlsx"
    sheet = openpyxl.load_workbook(path)["codes"]
    names = [cell.value for cell in sheet[1]]
    assert names == ["id", "picture", "by_ana", "by_ben", "by_zoe", "note_ana", "note_ben", "note_zoe", "value", "note"]
    assert [cell.value for cell in sheet[2]][2:8] == ["yes", "no", "no", "ana's doubt", "ben's doubt", "zoe's doubt"]
    assert len(sheet._images) == 4 and (study.results / "alive-adjudicate-1.jpg").exists()
    fill(path, {ids[1]: "yes", ids[2]: "No"})
    after = study.adjudicate("alive", import_=path)
    assert "2 are settled and 2 remain" in after.words[0] and after.table["id"].tolist() == ids[3:5]
    gold = codes.gold_of(study.folder, "alive")
    assert gold.to_dict() == {ids[0]: "yes", ids[1]: "yes", ids[2]: "no", ids[3]: "yes", ids[5]: "yes"}


def test_a_majority_settles_what_it_can_and_says_by_how_many(disputed):
    study, ids = disputed
    said = study.adjudicate("alive", rule="majority")
    assert "settled 2 units" in said.words[1] and said.table["id"].tolist() == [ids[2], ids[4]]
    gold = codes.read_coder(study.folder / "codes/alive/gold.csv").set_index("id")
    assert gold["value"].to_dict() == {ids[1]: "no", ids[3]: "yes"}
    assert set(gold["note"]) == {"majority: 2 of 3 coders"}
    assert "settled 0 units" in study.adjudicate("alive", rule="majority").words[1]


def test_coders_can_be_hidden_from_who_settles(disputed):
    study, _ = disputed
    shown = study.adjudicate("alive", blind=True).table
    assert [name for name in shown if name.startswith("by_")] == ["by_A", "by_B", "by_C"]
    sheet = (study.results / "alive-adjudicate.csv").read_text("utf-8").splitlines()[0]
    assert "ana" not in sheet and "ben" not in sheet
    plain = study.adjudicate("alive").table
    assert sorted(map(tuple, shown.filter(like="by_").T.to_numpy())) == sorted(
        map(tuple, plain.filter(like="by_").T.to_numpy())
    )


def test_a_sheet_that_was_filled_in_is_kept(disputed):
    study, ids = disputed
    study.adjudicate("alive")
    fill(study.results / "alive-adjudicate.xlsx", {ids[1]: "yes"})
    assert any("is kept as alive-adjudicate-until-" in text for text in study.adjudicate("alive").words)
    (aside,) = study.results.glob("alive-adjudicate-until-*.xlsx")
    assert "1 are settled" in study.adjudicate("alive", import_=aside).words[0]


def test_gold_must_be_what_the_codebook_allows(disputed):
    study, ids = disputed
    with pytest.raises(InputError, match="nearest: unclear"):
        study.adjudicate("alive", import_=pd.DataFrame({"id": ids[1:2], "value": ["unclea"]}))
    assert "gold" not in set(codes.read(study.folder, "alive")["coder"])
    study.adjudicate("alive", import_=pd.DataFrame({"id": ids[1:2], "value": ["?"]}), recode=["?=unclear"])
    assert codes.gold_of(study.folder, "alive")[ids[1]] == "unclear"


def test_where_nobody_disagrees_there_is_nothing_to_settle(photos):
    study = photos(3)
    with pytest.raises(InputError, match="nobody has coded"):
        study.adjudicate("x")
    for coder in ("ana", "ben"):
        study.code("x", import_=pd.DataFrame({"id": study.population()["id"], "value": "a"}), coder=coder)
    assert "Nothing is left to settle" in study.adjudicate("x").words[1]
    assert not (study.results / "x-adjudicate.xlsx").exists()


def test_labels_numbers_and_pairs_are_settled_too(photos):
    study = photos(4)
    ids = study.population()["id"].tolist()
    study.codebook("symbols", scale="multilabel", values=["flag,fire"])
    study.codebook("warm", scale="interval", low=0, high=100)
    study.codebook("pretty", scale="pairwise")
    given = {
        "symbols": (ids[:2], ["flag", "fire"], ["flag|fire", "fire"]),
        "warm": (ids[:3], [10, 50, 0], [19, 70, 0]),
        "pretty": ([f"{ids[0]} <> {ids[1]}", f"{ids[1]} <> {ids[2]}"], ["left", "tie"], ["right", "tie"]),
    }
    for variable, (units, ana, ben) in given.items():
        for coder, values in (("ana", ana), ("ben", ben)):
            study.code(variable, import_=pd.DataFrame({"id": units, "value": values}), coder=coder)
        study.adjudicate(variable)
    symbols = pd.read_excel(study.results / "symbols-adjudicate.xlsx")
    assert symbols["id"].tolist() == ids[:1] and {"flag", "fire"} <= set(symbols)
    study.adjudicate("symbols", import_=symbols.assign(flag=1, fire=0))
    assert codes.gold_of(study.folder, "symbols").to_dict() == {ids[0]: "flag", ids[1]: "fire"}
    warm = pd.read_excel(study.results / "warm-adjudicate.xlsx")
    assert warm["id"].tolist() == ids[1:2], "10 and 19 are within a tenth of the scale"
    study.adjudicate("warm", import_=warm.assign(value=65))
    assert codes.gold_of(study.folder, "warm").to_dict() == {ids[0]: 14.5, ids[1]: 65.0, ids[2]: 0.0}
    pretty = openpyxl.load_workbook(study.results / "pretty-adjudicate.xlsx")["codes"]
    assert [cell.value for cell in pretty[1]][1:3] == ["left picture", "right picture"] and len(pretty._images) == 2
    study.adjudicate("pretty", import_=pd.DataFrame({"left": ids[:1], "right": ids[1:2], "value": "left"}))
    assert codes.gold_of(study.folder, "pretty").idxmax() == ids[0]
