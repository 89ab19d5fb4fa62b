import json

import openpyxl
import pandas as pd
import pyarrow as pa
import pytest

from visanda import Corpus
from visanda.corpus.formats import write_table
from visanda.errors import InputError


@pytest.fixture
def corpus(tmp_path):
    corpus = Corpus.init(tmp_path / "study")
    rows = {
        "media": {"id": ["a", "b", "c"], "kind": ["image"] * 3, "width": [1, 2, 3], "party": ["x", None, "z"],
                  "mean": [9, 8, 7], "error": [None, None, "cut"]},
        "colour": {"id": ["a", "b"], "mean": [0.5, None], "error": [None, "dark"]},
        "tone": {"id": ["a", "c"], "mean": [1.5, 2.5], "tags": [["p", "q"], None], "error": pa.nulls(2, pa.string())},
    }  # fmt: skip
    for name, columns in rows.items():
        with corpus.parts(name).writing():
            corpus.parts(name).append(pa.table(columns), "1")
    return corpus


def test_a_row_a_picture_with_all_that_is_known(corpus):
    frame = corpus.join("colour", "tone").set_index("id")
    assert list(frame) == ["party", "mean", "colour_mean", "tone_mean", "tags", "error"]
    assert frame.loc["a", ["mean", "colour_mean", "tone_mean"]].tolist() == [9, 0.5, 1.5]
    assert frame["error"].tolist()[1:] == ["dark", "cut"] and pd.isna(frame["error"]["a"])
    assert frame["party"].isna().tolist() == [False, True, False]
    assert "width" in corpus.join("media") and "width" not in frame
    assert corpus.join("colour", where="width > 1")["id"].tolist() == ["b", "c"]


def test_a_table_that_is_not_there(corpus):
    with pytest.raises(InputError, match=r"there is no table 'colours' yet .did you mean 'colour'"):
        corpus.join("colours")
    with pytest.raises(InputError, match="SQL: "):
        corpus.join("colour", where="nothing = 1")


READERS = {
    "csv": pd.read_csv,
    "tsv": lambda path: pd.read_csv(path, sep="\t"),
    "xlsx": pd.read_excel,
    "parquet": pd.read_parquet,
    "jsonl": lambda path: pd.DataFrame(list(map(json.loads, path.read_text().split("\n")[:-1])), dtype=object),
    "dta": pd.read_stata,
}


@pytest.mark.parametrize("format", READERS)
def test_every_format_reads_back(corpus, tmp_path, format):
    corpus.table("colour", "tone", out=tmp_path / "out" / f"t.{format}")
    frame = READERS[format](tmp_path / "out" / f"t.{format}").set_index("id")
    assert frame["colour_mean"].tolist()[0] == 0.5 and frame["colour_mean"].isna().tolist() == [False, True, True]
    assert frame["mean"].tolist() == [9, 8, 7]
    assert frame["party"]["a"] == "x" and (
        frame["party"]["b"] == "" if format == "dta" else pd.isna(frame["party"]["b"])
    )
    tags = frame["tags"]["a"]
    assert list(tags if format in ("parquet", "jsonl") else json.loads(tags)) == ["p", "q"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == [f"t.{format}"]


HARD = pd.DataFrame(
    {
        "id": ["=1+1", "x\x07y", "ü🦋\n\"'"],
        "post": pd.array([1234567890123456789, None, 1], "Int64"),
        "share": [1 / 3, None, 1e-12],
        "flag": pd.array([True, None, False], "boolean"),
        "at": pd.to_datetime(["2024-01-01T10:00Z", None, "2024-01-02T11:30Z"]),
        "nothing": [None] * 3,
        "if": [1, 2, 3],
        "a name of more than thirty-two letters, one": ["p", "q", "r"],
        "a name of more than thirty-two letters, two": ["s", "t", "x" * 3000],
        "list": [None, [0.5, float("nan")], []],
    }
)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("format", READERS)
def test_hard_values_come_through(tmp_path, format):
    path = tmp_path / f"t.{format}"
    write_table(HARD, path)
    frame = READERS[format](path) if format not in ("csv", "tsv", "xlsx") else None
    if format in ("csv", "tsv"):
        frame = pd.read_csv(path, sep="\t" if format == "tsv" else ",", dtype={"post": str})
    if format == "xlsx":
        frame = pd.read_excel(path, dtype={"post": str})
    assert str(frame["post"][0]) == "1234567890123456789"
    assert frame["share"][0] == pytest.approx(1 / 3, rel=1e-15) and frame["share"][2] == pytest.approx(1e-12, rel=1e-9)
    assert frame["id"].tolist() == ["=1+1", "xy" if format == "xlsx" else "x\x07y", "ü🦋\n\"'"]
    assert str(pd.to_datetime(frame["at"][2]))[:16] == "2024-01-02 11:30"
    assert frame["flag"].isna().tolist() == [False, True, False] and bool(frame["flag"][0])
    assert frame.shape[1] == 10 and "x" * 3000 in frame.iloc[2].tolist()


def test_text_that_begins_like_a_formula_is_text_in_excel(tmp_path):
    write_table(HARD, tmp_path / "t.xlsx")
    assert openpyxl.load_workbook(tmp_path / "t.xlsx").active["A2"].data_type == "s"


def test_a_list_after_many_nulls_is_json(tmp_path):
    write_table(pd.DataFrame({"x": [None] * 200 + [[1, 2]]}), tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text().splitlines()[-1] == '"[1, 2]"'


def test_json_lines_are_json(tmp_path):
    write_table(HARD, tmp_path / "t.jsonl")
    lines = [
        json.loads(line, parse_constant=pytest.fail) for line in (tmp_path / "t.jsonl").read_text().split("\n")[:3]
    ]
    assert lines[1]["list"] == [0.5, None] and lines[0]["post"] == 1234567890123456789


def test_what_cannot_be_written_says_why(tmp_path, monkeypatch):
    frame = pd.DataFrame({"x": [1]})
    with pytest.raises(InputError, match="the format 'sav' is not known: use csv, tsv"):
        write_table(frame, tmp_path / "t.sav")
    (tmp_path / "t.csv").mkdir()
    with pytest.raises(InputError, match=r"cannot write .*t.csv: Is a directory"):
        write_table(frame, tmp_path / "t.csv")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot write"):
        write_table(frame, tmp_path / "file" / "t.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "t.csv"]
    monkeypatch.setattr("visanda.corpus.formats.EXCEL_ROWS", 1)
    with pytest.raises(InputError, match="Excel holds at most 0 rows and this table has 1: use csv"):
        write_table(frame, tmp_path / "t.xlsx")


def test_an_answer_in_sql_can_go_into_a_file(corpus, tmp_path):
    frame = corpus.sql("select id, width from media order by id", out=tmp_path / "x", format="csv")
    assert pd.read_csv(tmp_path / "x").equals(frame)


def test_columns_lists_what_can_be_named(corpus):
    found = corpus.columns()
    assert ["colour", "mean", "double"] in found.values.tolist()
