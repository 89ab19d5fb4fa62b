import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visanda.collect.tables import as_arrow, narrow, read_table, settle
from visanda.errors import InputError


def read(tmp_path, data, name="x.csv"):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return read_table(path)


def stored(frame):
    """Column → its type as it is stored, and the values."""
    table = as_arrow(frame)
    return {field.name: (str(field.type), table[field.name].to_pylist()) for field in table.schema}


@pytest.mark.parametrize(
    ("values", "type", "kept"),
    [
        (["007", "12"], "string", ["007", "12"]),
        (["1", "", "3"], "int64", [1, None, 3]),
        (["-4", "NA", "0"], "int64", [-4, None, 0]),
        (["1.5", "null", "2"], "double", [1.5, None, 2.0]),
        (["1e-3", ".5", "3."], "double", [0.001, 0.5, 3.0]),
        (["TRUE", "false", ""], "bool", [True, False, None]),
        (["yes", "no"], "string", ["yes", "no"]),
        (["1234567890123456789", "1"], "string", ["1234567890123456789", "1"]),
        (["1234567890123456", "2.5"], "string", ["1234567890123456", "2.5"]),
        (["123456789012345", "1"], "int64", [123456789012345, 1]),
        (["None", "Some", "NA", ""], "string", ["None", "Some", None, None]),
        ([" padded ", "x"], "string", [" padded ", "x"]),
        (["1,234", "5"], "string", ["1,234", "5"]),
        (["1_000", "5"], "string", ["1_000", "5"]),
        (["inf", "1"], "string", ["inf", "1"]),
        (["2024-02-30", "2024-01-01"], "string", ["2024-02-30", "2024-01-01"]),
        (["2024-01-01T10:00:00Z", "2024-01-01T10:00:00"], "string", ["2024-01-01T10:00:00Z", "2024-01-01T10:00:00"]),
        (["", "NA"], "null", [None, None]),
    ],
)
def test_a_column_gets_the_narrowest_type_that_all_its_values_allow(values, type, kept):
    assert stored(pd.DataFrame({"x": narrow(pd.Series(values, dtype=object))}))["x"] == (type, kept)


@given(st.lists(st.integers(-(10**15) + 1, 10**15 - 1) | st.none(), min_size=1))
def test_whole_numbers_come_back_exactly(values):
    narrowed = narrow(pd.Series(["" if value is None else str(value) for value in values], dtype=object))
    assert as_arrow(pd.DataFrame({"x": narrowed}))["x"].to_pylist() == values


def test_dates_and_times_are_times(tmp_path):
    frame = read(tmp_path, "f,day,zone,mixed\na,2024-05-01,2024-05-01T10:00:00-05:00,2024-05-01T10:00+02:00\n"
                           "b,2024-05-02,2024-05-01T10:00:00Z,2024-05-02T10:00-03:00\nc,,,\n")  # fmt: skip
    assert frame["day"].dt.strftime("%Y-%m-%d").tolist()[:2] == ["2024-05-01", "2024-05-02"]
    assert frame["day"].isna()[2]
    assert frame["zone"].dt.hour.tolist()[:2] == [15, 10]
    assert frame["mixed"].dt.hour.tolist()[:2] == [8, 13]


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("f,n\na,1\n\n b c ,2\n", "x.csv"),
        ("f;n\na;1\n b c ;2\n", "x.csv"),
        ("f\tn\na\t1\n b c \t2\n", "x.csv"),
        ("f\tn\na\t1\n b c \t2\n", "x.tsv"),
        ("\n\nf,n\r\na,1\r\n b c ,2\r\n", "x.txt"),
        ("\ufefff,n\na,1,\n b c ,2,\n", "x.csv"),
        ("f,n\na,1\n b c ,2\n".encode("utf-16"), "x.csv"),
        ('{"f": "a", "n": 1}\n\n{"n": 2, "f": " b c "}\n', "x.jsonl"),
    ],
)
def test_tables_of_text_are_read_however_they_are_separated_and_encoded(tmp_path, data, name):
    frame = read(tmp_path, data, name)
    assert frame.to_dict("list") == {"f": ["a", " b c "], "n": [1, 2]}


def test_what_excel_writes_in_europe(tmp_path):
    frame = read(tmp_path, "name;share;text;n\nMüller;0,5;1,2;1\nGrün;12,25;a,b;2\n".encode("cp1252"))
    assert frame.to_dict("list") == {
        "name": ["Müller", "Grün"], "share": [0.5, 12.25], "text": ["1,2", "a,b"], "n": [1, 2],
    }  # fmt: skip


def test_text_in_quotes_may_hold_separators_and_lines(tmp_path):
    frame = read(tmp_path, '"a,b";c\n"one;\ntwo";"say ""hi"""\n')
    assert frame.to_dict("list") == {"a,b": ["one;\ntwo"], "c": ['say "hi"']}


def test_a_column_alone_is_a_table(tmp_path):
    assert read(tmp_path, "filename\na.jpg\nb.jpg\n").to_dict("list") == {"filename": ["a.jpg", "b.jpg"]}


def test_a_long_text_is_read(tmp_path):
    assert len(read(tmp_path, "f,t\na," + "x" * 200_000 + "\n")["t"][0]) == 200_000


@pytest.mark.parametrize(
    ("data", "name", "says"),
    [
        ("", "x.csv", "is empty"),
        ("\n \n", "x.csv", "is empty"),
        ("f,n\n", "x.csv", "is empty: it has no rows"),
        ("f,n\na,1\nb,2,3\n", "x.csv", "line 3: 3 values for 2 columns; put values that contain ',' in double quotes"),
        ('{"f": 1}\n{"f": \n', "x.jsonl", "line 2: not JSON"),
        ("[1]\n", "x.jsonl", "line 1: not an object"),
        ("no zip", "x.xlsx", "cannot be read as a table"),
        ("no parquet", "x.parquet", "cannot be read as a table"),
        ("x", "x.sav", "no table that can be read here: those end in .csv"),
    ],
)
def test_a_table_that_cannot_be_read_says_why(tmp_path, data, name, says):
    with pytest.raises(InputError, match=says):
        read(tmp_path, data, name)


def test_a_table_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"there is no file .*x.csv"):
        read_table(tmp_path / "x.csv")


def test_names_of_columns_are_text_filled_in_and_never_twice(tmp_path):
    assert list(read(tmp_path, ",Party,party,party\n1,2,3,4\n")) == ["column_1", "Party", "party_2", "party_3"]
    assert list(settle(pd.DataFrame([[1, 2]], columns=[2019, "a"]))) == ["2019", "a"]


def test_excel_keeps_what_its_cells_hold(tmp_path):
    given = pd.DataFrame(
        {"f": ["a", "NA", "c"], "code": ["007", "012", None], "n": [1, None, 3], "mixed": [1, "x", 2.5],
         "flag": [True, None, False], "day": pd.to_datetime(["2024-01-01", None, "2024-01-03"])}
    ).astype({"n": object, "mixed": object, "flag": object})  # fmt: skip
    given.to_excel(tmp_path / "x.xlsx", index=False)
    found = stored(read_table(tmp_path / "x.xlsx"))
    assert found["f"][1] == ["a", "NA", "c"]
    assert found["code"] == ("string", ["007", "012", None])
    assert found["n"] == ("int64", [1, None, 3])
    assert found["mixed"] == ("string", ["1", "x", "2.5"])
    assert found["flag"] == ("bool", [True, None, False])
    assert found["day"][0].startswith("timestamp")


BIG = 1234567890123456789


def test_parquet_keeps_whole_numbers_with_gaps(tmp_path):
    table = pa.table({"post": pa.array([BIG, None]), "kind": pa.array(["a", "b"]).dictionary_encode(),
                      "tags": [["x"], ["ü", "y"]], "flag": [True, None]})  # fmt: skip
    pq.write_table(table, tmp_path / "x.parquet")
    assert stored(read_table(tmp_path / "x.parquet")) == {
        "post": ("int64", [BIG, None]),
        "kind": ("string", ["a", "b"]),
        "tags": ("string", ['["x"]', '["ü", "y"]']),
        "flag": ("bool", [True, None]),
    }


def test_json_lines_keep_long_ids_gaps_and_what_lies_inside(tmp_path):
    rows = [{"post": BIG, "n": 1, "user": {"name": "ü"}, "zip": "01069"}, {"post": 2, "zip": "10117"}]
    found = stored(read(tmp_path, "\n".join(map(json.dumps, rows)), "x.jsonl"))
    assert found == {
        "post": ("string", [str(BIG), "2"]),
        "n": ("int64", [1, None]),
        "user": ("string", ['{"name": "ü"}', None]),
        "zip": ("string", ["01069", "10117"]),
    }


def test_what_only_pandas_has_is_stored_as_text():
    frame = pd.DataFrame({"wait": pd.to_timedelta(["1 day", None]), "kind": pd.Categorical([1, 2])})
    assert stored(settle(frame)) == {"wait": ("string", ["1 days 00:00:00", None]), "kind": ("int64", [1, 2])}
