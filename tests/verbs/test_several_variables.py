"""Several variables on one sample: one draw, one sheet, one estimate of both."""

from __future__ import annotations

import numpy as np
import openpyxl
import pandas as pd
import pytest
from coder import known

from visanda import codes
from visanda.corpus import Corpus
from visanda.errors import DesignError, InputError

BOTH = "alive,built"


@pytest.fixture
def asked(study: Corpus) -> Corpus:
    """A study with two variables of the codebook, and one of labels."""
    study.codebook("alive", values=["no", "yes"], definition="Is a living thing the subject?")
    study.codebook("built", values=["no", "yes"], definition="Is a building the subject?")
    study.codebook("things", scale="multilabel", values=["fish", "tool"])
    return study


def filled(corpus: Corpus, sheet: pd.DataFrame) -> pd.DataFrame:
    """A sheet as somebody fills it in who knows all photos."""
    kind = sheet["id"].map(known(corpus, "category"))
    sheet = sheet.assign(alive=np.where(kind.isin(["fish", "animal"]), "yes", "no"))
    return sheet.assign(built=np.where(kind == "monument", "yes", "no"))


def test_two_variables_share_a_sample_a_sheet_and_an_estimate(asked: Corpus):
    made = asked.sample(BOTH, n=120, seed=3)
    assert codes.read_design(asked.folder, "alive").equals(codes.read_design(asked.folder, "built"))
    sheet = pd.read_csv(asked.results / "alive+built-sheet.csv", dtype=str)
    assert {"alive", "built", "alive_codebook", "built_codebook"} <= set(sheet) and len(sheet) == 120
    assert any("visanda code alive,built --import results/alive+built-sheet.csv" in text for text in made.words)
    asked.code(BOTH, import_=filled(asked, sheet), coder="ana")
    for name in ("alive", "built"):
        asked.train(name)
        asked.apply(name)
    found = asked.estimate("colourfulness ~ alive + built").table
    rows = found[found["term"].isin(["alive", "built"])]
    assert len(rows) == 6 and rows["estimate"].notna().all(), found
    for name in ("alive", "built"):
        given = codes.in_force(asked.folder, name)
        assert len(given) == 120 and set(given["codebook"].astype(str)) == {"1"}


def test_variables_with_samples_of_their_own_cannot_be_estimated_together(asked: Corpus):
    for name, seed in (("alive", 1), ("built", 2)):
        asked.sample(name, n=100, seed=seed)
        sheet = filled(asked, pd.read_csv(asked.results / f"{name}-sheet.csv", dtype=str)).drop(columns="value")
        asked.code(name, import_=sheet, coder="ana")
        asked.train(name)
        asked.apply(name)
    with pytest.raises(DesignError, match="visanda sample alive,built"):
        asked.estimate("colourfulness ~ alive + built")
    with pytest.raises(InputError, match="samples of their own"):
        asked.code(BOTH, sheet=asked.folder / "sheet.csv", coder="ana")
    with pytest.raises(InputError, match="samples of their own"):
        asked.sample(BOTH, n=20, more=True)


def test_a_variable_joins_a_sample_that_is_there_by_the_same_draw(asked: Corpus):
    asked.sample("alive", n=50, seed=4)
    asked.sample(BOTH, n=50, seed=4)
    assert codes.same_sample(asked.folder, ["alive", "built"])
    with pytest.raises(InputError, match="drawn already"):
        asked.sample("alive,things", n=50, seed=5)


def test_a_further_round_is_drawn_for_all(asked: Corpus):
    asked.sample(BOTH, n=50, seed=4, coders=["ana", "ben"], double=0.5)
    asked.sample(BOTH, n=30, more=True)
    assert codes.same_sample(asked.folder, ["alive", "built"])
    assert (asked.results / "alive+built-sheet-ben-round2.csv").exists()
    with pytest.raises(InputError, match="no sample for 'things'"):
        asked.sample("alive,things", n=30, more=True)


def test_a_spreadsheet_has_a_column_for_each_and_labels_too(asked: Corpus):
    asked.sample("alive,things", n=12, seed=6)
    path = asked.folder / "sheet.xlsx"
    asked.code("alive,things", sheet=path, coder="ana")
    book = openpyxl.load_workbook(path)
    sheet = book["codes"]
    names = [cell.value for cell in sheet[1]]
    assert names[3:6] == ["alive", "things=fish", "things=tool"]
    kinds = known(asked, "category")
    for row in range(2, sheet.max_row + 1):
        kind = kinds[sheet.cell(row, 2).value]
        for column, value in (
            (4, "yes" if kind in ("fish", "animal") else "no"),
            (5, kind == "fish"),
            (6, kind == "tool"),
        ):
            sheet.cell(row, column).value = value if isinstance(value, str) else int(value)
    allowed = {str(rule.sqref): rule for rule in sheet.data_validations.dataValidation}
    assert {"D2:D13", "E2:E13 F2:F13"} == set(allowed)
    cells = allowed["D2:D13"].formula1.replace("$", "").removeprefix("codebook!")
    assert [cell[0].value for cell in book["codebook"][cells]] == ["no", "yes"]
    book.save(path)
    asked.code("alive,things", import_=path, coder="ana")
    gold = codes.gold_of(asked.folder, "things")
    assert gold.to_dict() == {id: kinds[id] if kinds[id] in ("fish", "tool") else "none" for id in gold.index}


def test_nothing_is_taken_where_one_of_two_is_wrong(asked: Corpus):
    asked.sample(BOTH, n=20, seed=3)
    sheet = filled(asked, pd.read_csv(asked.results / "alive+built-sheet.csv", dtype=str))
    with pytest.raises(InputError, match="perhaps"):
        asked.code(BOTH, import_=sheet.assign(built="perhaps"), coder="ana")
    assert not (asked.folder / "codes/alive/ana.csv").exists()


def test_what_cannot_stand_on_one_sheet_is_said(asked: Corpus):
    asked.codebook("finer", scale="pairwise")
    asked.codebook("posed", values=["no", "yes"], on="face")
    with pytest.raises(InputError, match="compares pairs"):
        asked.sample("alive,finer", n=20)
    with pytest.raises(InputError, match="different kinds"):
        asked.sample("alive,posed", n=20)
