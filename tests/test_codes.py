"""Coders' files, gold, and a variable as columns: without pictures."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visanda import codebook as book
from visanda import codes
from visanda.codebook import Variable
from visanda.errors import CorpusError, InputError
from visanda.parts import locked


def frame(*rows: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["id", "coder", "value"])


ORDERED = Variable("x", "ordinal", ("low", "middle", "high"))
LABELS = Variable("x", "multilabel", ("flag", "fire"))


@pytest.mark.parametrize(
    ("variable", "given", "gold"),
    [
        (ORDERED, ["low", "high", "high"], "high"),
        (ORDERED, ["low", "middle", "high"], "middle"),
        (ORDERED, ["low", "high"], None),
        (ORDERED, ["low", "middle"], None),
        (ORDERED, ["low"], "low"),
        (LABELS, ["flag|fire", "fire", "none"], "fire"),
        (LABELS, ["flag", "none", "none"], "none"),
        (LABELS, ["flag", "none"], None),
        (LABELS, ["flag|fire", "flag"], None),
        (LABELS, ["flag", "flag"], "flag"),
        (Variable("x", "interval"), ["1", "2", "6"], 3.0),
        (Variable("x", values=("a", "b", "c")), ["a", "b", "a"], "a"),
        (Variable("x", values=("a", "b", "c")), ["a", "b"], None),
    ],
)
def test_what_a_unit_counts_as(variable, given, gold):
    said = frame(*[("i", f"c{number}", value) for number, value in enumerate(given)])
    assert codes.decide(said, variable).to_dict() == ({} if gold is None else {"i": gold})
    other = {"ordinal": "low", "multilabel": "none", "interval": 7.0}.get(variable.scale, "c")
    settled = pd.concat([said, frame(("i", "gold", str(other)))])
    assert codes.decide(settled, variable).to_dict() == {"i": other}


@given(st.lists(st.sampled_from(ORDERED.values), min_size=1, max_size=7))
def test_the_median_lies_where_half_the_coders_are_on_either_side(given):
    (gold,) = codes.decide(frame(*[("i", str(n), v) for n, v in enumerate(given)]), ORDERED).tolist() or [None]
    ranks = [ORDERED.values.index(value) for value in given]
    if gold is None:
        assert len(given) % 2 == 0
    else:
        rank = ORDERED.values.index(gold)
        assert gold in given
        assert 2 * sum(r <= rank for r in ranks) >= len(ranks) <= 2 * sum(r >= rank for r in ranks)


def test_comparisons_become_scores_and_what_gold_says_of_a_pair_counts():
    pairwise = Variable("x", "pairwise")
    said = frame(("a <> b", "c1", "left"), ("b <> c", "c1", "left"), ("c <> a", "c1", "right"))
    scores = codes.decide(said, pairwise)
    assert scores.sort_values(ascending=False).index.tolist() == ["a", "b", "c"]
    assert scores.sum() == pytest.approx(0, abs=1e-6)
    turned = pd.concat([said, frame(*[(id, "gold", "tie") for id in said["id"]])])
    assert codes.decide(turned, pairwise).abs().max() < 1e-6


def test_gold_is_named_by_id_and_leaves_out_what_the_codebook_no_longer_allows(tmp_path):
    given = pd.DataFrame({"id": ["a", "b", "c"], "value": ["Yes", "no", "unclear"]})
    codes.append(tmp_path, "x", "ana", given)
    assert codes.gold_of(tmp_path, "x").to_dict() == {"a": "Yes", "b": "no", "c": "unclear"}
    book.define(tmp_path, Variable("x", values=("yes", "no")))
    gold = codes.gold_of(tmp_path, "x")
    assert gold.to_dict() == {"a": "yes", "b": "no"} and (gold.name, gold.index.name) == ("x", "id")
    assert codes.unfit(tmp_path, "x").to_dict("records") == [{"value": "unclear", "codes": 1}]


def test_no_gold_is_an_empty_column_on_every_scale(tmp_path):
    codes.append(tmp_path, "x", "ana", pd.DataFrame({"id": ["a <> b"], "value": ["?"]}))
    for variable in (ORDERED, LABELS, Variable("x", "interval"), Variable("x", "pairwise")):
        book.define(tmp_path, variable)
        assert codes.gold_of(tmp_path, "x").empty


# coders' files


def test_each_code_says_which_version_it_was_given_under(tmp_path):
    one = pd.DataFrame({"id": ["a", "b"], "value": ["yes", "no"]})
    assert codes.append(tmp_path, "x", "ana", one) == 2
    book.define(tmp_path, Variable("x", values=("yes", "no")))
    assert codes.append(tmp_path, "x", "ana", pd.DataFrame({"id": ["c"], "value": ["no"]})) == 1
    book.define(tmp_path, Variable("x", values=("yes", "no", "unclear")))
    assert codes.append(tmp_path, "x", "ana", one) == 0, "what stays the same is no new code"
    assert codes.append(tmp_path, "x", "ana", one, again=True) == 2
    assert codes.append(tmp_path, "x", "ana", one, again=True) == 0
    said = codes.read_coder(tmp_path / "codes/x/ana.csv")
    assert said["codebook"].tolist() == ["", "", "1", "2", "2"]
    assert codes.in_force(tmp_path, "x").set_index("id")["codebook"].to_dict() == {"a": "2", "b": "2", "c": "1"}


def test_a_sheet_that_names_its_version_keeps_it(tmp_path):
    book.define(tmp_path, Variable("x", values=("yes", "no")))
    book.pin(tmp_path, "x")
    book.define(tmp_path, Variable("x", values=("yes", "no", "unclear")))
    given = pd.DataFrame({"id": ["a", "b"], "value": ["yes", "no"], "codebook": ["1", ""]})
    codes.append(tmp_path, "x", "ana", given)
    assert codes.read_coder(tmp_path / "codes/x/ana.csv")["codebook"].tolist() == ["1", "2"]


OLD = 'id,variable,coder,value,time,note\na,x,ana,yes,2024-01-01T00:00:00+00:00,"a, note"\n'


@pytest.mark.parametrize("text", [OLD, OLD.rstrip("\n"), "\ufeff" + OLD])
def test_files_from_before_codebooks_can_be_read_and_grow(tmp_path, text):
    path = tmp_path / "codes/x/ana.csv"
    path.parent.mkdir(parents=True)
    path.write_text(text, "utf-8")
    book.define(tmp_path, Variable("x", values=("yes", "no")))
    assert codes.gold_of(tmp_path, "x").to_dict() == {"a": "yes"}
    codes.append(tmp_path, "x", "ana", pd.DataFrame({"id": ["b"], "value": ["no"], "note": ["x\ny"]}))
    said = codes.read_coder(path)
    assert list(said) == codes.FIELDS
    assert said[["id", "value", "note", "codebook"]].to_numpy().tolist() == [
        ["a", "yes", "a, note", ""],
        ["b", "no", "x\ny", "1"],
    ]


def test_a_coder_s_file_with_other_separators_says_so(tmp_path):
    path = tmp_path / "codes/x/ana.csv"
    path.parent.mkdir(parents=True)
    path.write_text(OLD.replace(",", ";"), "utf-8")
    with pytest.raises(InputError, match=r"no column 'id'.*separated by commas"):
        codes.read(tmp_path, "x")


def test_an_empty_value_takes_a_code_back(tmp_path):
    codes.append(tmp_path, "x", "ana", pd.DataFrame({"id": ["a", "b"], "value": ["yes", "no"]}))
    codes.append(tmp_path, "x", "ana", pd.DataFrame({"id": ["a"], "value": [""]}))
    assert codes.gold_of(tmp_path, "x").to_dict() == {"b": "no"}


APPENDING = """
import sys, pandas as pd
from pathlib import Path
from visanda import codes
for number in range(15):
    codes.append(Path(sys.argv[1]), "x", "ana", pd.DataFrame({"id": [f"{sys.argv[2]}-{number}"], "value": ["yes"]}))
"""


def test_two_processes_that_append_at_once_lose_nothing(tmp_path):
    running = [subprocess.Popen([sys.executable, "-c", APPENDING, str(tmp_path), name]) for name in "ab"]
    assert [one.wait(120) for one in running] == [0, 0]
    assert set(codes.read(tmp_path, "x")["id"]) == {f"{name}-{number}" for name in "ab" for number in range(15)}


def test_a_file_that_somebody_holds_is_waited_for_and_then_named(tmp_path):
    refused = pytest.raises(CorpusError, match=r"held .*a\.csv for 0\.1 seconds")
    with locked(tmp_path / "a.csv"), refused, locked(tmp_path / "a.csv", seconds=0.1):
        pass
