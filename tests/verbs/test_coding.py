"""sample, code, reliability."""

import pandas as pd
import pytest

from visanda import codes
from visanda.errors import InputError


def test_a_sample_is_drawn_once_with_known_probabilities(study):
    drawn = study.sample("nature", n=40, by=["category"], seed=3)
    design = codes.read_design(study.folder, "nature")
    assert len(design) == 218 and (design["order"] > 0).sum() == 40
    shares = design.groupby("stratum").apply(lambda s: (s["order"] > 0).mean() - s["pi"].iloc[0])
    assert shares.abs().max() < 1e-12
    assert drawn.table["drawn"].sum() == 40
    sheet = pd.read_csv(study.results / "nature-sheet.csv")
    assert list(sheet.columns) == ["order", "id", "path", "value", "note"] and len(sheet) == 40
    study.sample("nature", n=40, by=["category"], seed=3)  # the same again is no new sample
    with pytest.raises(InputError, match="drawn already"):
        study.sample("nature", n=41, by=["category"], seed=3)


def test_columns_to_stratify_by_may_be_split_by_commas(study):
    assert len(study.sample("x", n=60, by=["category,living"]).table) == 7


def test_samples_leave_out_what_cannot_be_read_and_what_was_derived(study, tmp_path):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "bad.jpg").write_bytes(b"")
    study.add(str(tmp_path / "bad"))
    study.process("greyscale", out=tmp_path / "grey", limit=3)
    assert len(study.population()) == 218


@pytest.mark.parametrize(("n", "by", "says"), [(0, [], "n=0"), (219, [], "218 rows"), (5, ["category"], "7 strata")])
def test_a_sample_that_cannot_be_is_refused(study, n, by, says):
    with pytest.raises(InputError, match=says):
        study.sample("nature", n=n, by=by)


def test_a_column_that_is_not_there_is_named(study):
    with pytest.raises(InputError, match="categorie"):
        study.sample("nature", n=10, by=["categorie"])


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


@pytest.mark.parametrize("name", ["../x", "a b", "1st", ""])
def test_names_that_cannot_name_files_are_refused(study, name):
    with pytest.raises(InputError, match="cannot name"):
        study.sample(name, n=10)


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


@pytest.mark.parametrize("name", ["colour", "media", "codes"])
def test_a_variable_cannot_take_the_name_of_a_table(study, name):
    with pytest.raises(InputError, match="another one"):
        study.sample(name, n=10)


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


def test_a_sheet_that_was_filled_in_is_never_written_over(study):
    path = study.results / "nature-sheet.csv"
    study.sample("nature", n=20, seed=3)
    filled = pd.read_csv(path, dtype=str).assign(value="yes")
    filled.to_csv(path, index=False)
    study.sample("nature", n=20, seed=3)
    assert pd.read_csv(path)["value"].tolist() == ["yes"] * 20
    study.sample("nature", n=25, seed=3, replace=True)
    assert len(pd.read_csv(path)) == 25
    (aside,) = study.results.glob("nature-sheet-until-*.csv")
    assert pd.read_csv(aside)["value"].tolist() == ["yes"] * 20
