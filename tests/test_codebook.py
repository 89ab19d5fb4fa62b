"""The codebook: what may be asked, how it is kept, which versions there were, and how values are brought to it."""

from __future__ import annotations

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from visanda import codebook as book
from visanda.codebook import Variable
from visanda.codebook.variable import checked
from visanda.errors import InputError

PROTEST = Variable("protest", values=("yes", "no"), definition="Do people march?")


@pytest.mark.parametrize(
    ("variable", "says"),
    [
        (Variable("x", "ordnal", ("a", "b")), "did you mean 'ordinal'"),  # type: ignore[arg-type]
        (Variable("1st", values=("a", "b")), "cannot name a variable"),
        (Variable("x", values=("a", "a")), "differ in case or spaces only"),
        (Variable("x", values=("Yes", "yes")), "'Yes' and 'yes' differ in case"),
        (Variable("x", values=("straße", "STRASSE")), "differ in case"),
        (Variable("x", values=("a b", "a-b")), "columns of the same name"),
        (Variable("x", values=("!", "a")), "no letter or digit"),
        (Variable("x", values=("a",)), "needs 2 values or more, not 1"),
        (Variable("x", values=(" a", "b")), "spaces around"),
        (Variable("x", values=("", "b")), "is empty"),
        (Variable("x", "ordinal", ("low",)), "needs 2 values or more"),
        (Variable("x", "ordinal"), "needs 2 values or more"),
        (Variable("x", "multilabel"), "needs 1 values or more"),
        (Variable("x", "multilabel", ("fire|flag", "x")), "holds '|'"),
        (Variable("x", "multilabel", ("None", "flag")), "says that no label fits"),
        (Variable("x", "multilabel", ("note", "flag")), "column of the coders' sheets"),
        (Variable("x", "interval", ("1", "2")), "leave values out"),
        (Variable("x", "pairwise", ("left", "right")), "leave values out"),
        (Variable("x", "interval", low=5, high=5), r"low \(5\) must be below high \(5\)"),
        (Variable("x", "interval", low=float("nan")), "must be numbers"),
        (Variable("x", values=("a", "b"), low=1), "low are for the scale interval"),
        (Variable("x", values=("yes", "no"), prompts={"yess": ("march",)}), "did you mean 'yes'"),
        (Variable("x", values=("yes", "no"), meanings={"maybe": "?"}), "meanings of the value 'maybe'"),
        (Variable("x", values=("yes", "no"), prompts={"borderline": ("?",)}), "prompts of the value 'borderline'"),
        (Variable("x", "interval", low=0, high=10, meanings={"11": "?"}), "meanings of the value '11'"),
        (Variable("x", values=("a", "b"), on="a b"), "no kind of unit"),
    ],
)
def test_what_coders_cannot_be_asked_is_refused_with_the_reason(tmp_path, variable, says):
    with pytest.raises(InputError, match=says):
        book.define(tmp_path, variable)
    assert not (tmp_path / book.FILE).exists()


def test_a_variable_is_kept_as_it_was_defined(tmp_path):
    asked = Variable(
        "warm",
        "interval",
        definition="How warm?",
        low=0,
        high=100,
        meanings={"0": "cold", "high": "hot"},
        examples={"borderline": ("a.jpg",)},
        on="face",
    )
    for one in (PROTEST, asked):
        assert book.define(tmp_path, one) == one
    assert book.read(tmp_path) == {"protest": PROTEST, "warm": asked}


def test_comments_and_what_else_was_written_by_hand_stay(tmp_path):
    path = tmp_path / book.FILE
    lines = [
        "# my study",
        "[other]",
        'values = ["a", "b"] # two',
        "",
        "[protest]",
        "# asked of everyone",
        "values = [",
        '  "yes", # people march',
        '  "no",',
        "]",
        'definition = "Old"',
    ]
    path.write_text("\n".join(lines), "utf-8")
    book.define(tmp_path, PROTEST)
    text = path.read_text("utf-8")
    assert all(comment in text for comment in ("# my study", "# two", "# asked of everyone", "# people march"))
    assert 'definition = "Do people march?"' in text and "Old" not in text
    assert book.read(tmp_path)["other"].values == ("a", "b")


def test_a_value_is_meant_by_any_spelling_of_it(tmp_path):
    given = Variable("x", values=("Yes", "no"), meanings={"NO": "none", "yes": "some"})
    assert list(book.define(tmp_path, given).meanings.items()) == [("Yes", "some"), ("no", "none")]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[x\n", "cannot be read"),
        ("x = 1\n", "stands outside of a variable"),
        ("[x]\nvalue = ['a']\n", "did you mean 'values'"),
        ("[x]\nvalues = 'a,b'\n", "needs 2 values"),
        ("[x]\nvalues = [true, false]\n", "list of texts"),
        ("[x]\nscale = 'interval'\nlow = '0'\n", "must be a number"),
        ("[x]\ndefinition = 3\n", "must be text in quotes"),
        ("[x]\nvalues = ['a', 'b']\nmeanings = ['a']\n", "a line a value"),
        ("[x]\nvalues = ['a', 'b']\nmeanings = {a = 1}\n", "must be text in quotes"),
    ],
)
def test_a_file_edited_by_hand_that_makes_no_sense_says_where(tmp_path, text, says):
    (tmp_path / book.FILE).write_text(text, "utf-8")
    with pytest.raises(InputError, match=says):
        book.read(tmp_path)


def test_numbers_as_values_and_a_byte_order_mark_are_understood(tmp_path):
    (tmp_path / book.FILE).write_text("\ufeff[x]\nscale = 'ordinal'\nvalues = [1, 2, 3]\n", "utf-8")
    assert book.read(tmp_path)["x"].values == ("1", "2", "3")


def test_a_variable_that_nobody_defined_takes_any_value(tmp_path):
    assert book.undefined(tmp_path, "x")
    assert book.fitted(book.variable(tmp_path, "x"), ["a", "", "B"]) == ["a", "", "B"]


# versions


def test_a_change_before_coders_were_asked_makes_no_version(tmp_path):
    book.define(tmp_path, PROTEST)
    assert book.define(tmp_path, Variable("protest", values=("yes", "no", "unclear"))).version == 1
    assert book.versions(tmp_path, "protest") == []


def test_a_change_after_that_makes_one_and_says_what_changed(tmp_path):
    book.define(tmp_path, PROTEST)
    assert book.pin(tmp_path, "protest") == 1 == book.pin(tmp_path, "protest")
    path = tmp_path / book.FILE
    path.write_text(path.read_text("utf-8").replace('["yes", "no"]', '["yes", "no", "unclear"]'), "utf-8")  # by hand
    now = book.variable(tmp_path, "protest")
    assert now.version == 2
    (before,) = book.versions(tmp_path, "protest")
    assert before == PROTEST and book.changes(before, now) == ["values: yes, no → yes, no, unclear"]
    assert book.pin(tmp_path, "protest") == 2
    assert [one.version for one in book.versions(tmp_path, "protest")] == [1, 2]
    kept = tomlkit.parse((tmp_path / "codes/protest/codebook-2.toml").read_text("utf-8"))
    assert kept["protest"]["values"] == ["yes", "no", "unclear"]


def test_prompts_change_without_a_version_since_no_coder_sees_them(tmp_path):
    book.define(tmp_path, PROTEST)
    book.pin(tmp_path, "protest")
    changed = Variable("protest", values=("yes", "no"), definition="Do people march?", prompts={"yes": ("a march",)})
    assert book.define(tmp_path, changed).version == 1


def test_another_codebook_is_taken_over_and_what_it_lacks_stays(tmp_path):
    source = tmp_path / "theirs.toml"
    source.write_text("# theirs\n[protest]\nvalues = ['a', 'b'] # kept\n", "utf-8")
    study = tmp_path / "study"
    study.mkdir()
    assert book.take(study, source) == ["protest"]
    assert (study / book.FILE).read_text("utf-8") == source.read_text("utf-8")
    book.define(study, Variable("mine", values=("a", "b")))
    source.write_text("[protest]\nvalues = ['c', 'd'] # new\n", "utf-8")
    book.take(study, source)
    assert {name: one.values for name, one in book.read(study).items()} == {"protest": ("c", "d"), "mine": ("a", "b")}
    assert "# new" in (study / book.FILE).read_text("utf-8")
    source.write_text("[protest]\nvalues = ['c']\n", "utf-8")
    with pytest.raises(InputError, match="2 values or more"):
        book.take(study, source)
    with pytest.raises(InputError, match="no file"):
        book.take(study, tmp_path / "nowhere.toml")


# values


LABELS = Variable("symbols", "multilabel", ("flag", "fire", "Banner, large"))


@pytest.mark.parametrize(
    ("variable", "given", "meant"),
    [
        (PROTEST, " YES ", "yes"),
        (PROTEST, "1", "yes"),
        (PROTEST, "0", "no"),
        (PROTEST, "1.0", "yes"),
        (PROTEST, "ja", "yes"),
        (PROTEST, "False", "no"),
        (PROTEST, "yess", None),
        (Variable("x", values=("yes", "no", "unclear")), "1", "yes"),
        (Variable("x", "ordinal", ("0", "1", "2")), "yes", None),
        (Variable("x", "ordinal", ("0", "1", "2")), "2,0", "2"),
        (Variable("x", values=("café", "bar")), "CAFÉ", "café"),
        (Variable("x", values=("power  plant", "no")), "Power plant", "power  plant"),
        (Variable("x", "interval", low=0, high=100), "12,5", "12.5"),
        (Variable("x", "interval", low=0, high=100), "100.0", "100"),
        (Variable("x", "interval", low=0, high=100), "100.1", None),
        (Variable("x", "interval", low=0, high=100), "−1", None),
        (Variable("x", "interval"), "−1", "-1"),
        (Variable("x", "interval"), "1.234,5", None),
        (Variable("x", "interval"), "nan", None),
        (LABELS, "Fire;flag", "flag|fire"),
        (LABELS, "banner, large|flag", "flag|Banner, large"),
        (LABELS, "fire, flag", None),  # one of the labels holds a comma
        (Variable("x", "multilabel", ("flag", "fire")), "fire, flag,fire", "flag|fire"),
        (LABELS, "None", "none"),
        (LABELS, "-", "none"),
        (LABELS, "none|flag", None),
        (LABELS, "smoke", None),
        (Variable("x", "pairwise"), "L", "left"),
        (Variable("x", "pairwise"), "=", "tie"),
        (Variable("x", "pairwise"), "both", None),
    ],
)
def test_the_value_that_was_meant(variable, given, meant):
    assert book.fit(variable, given) == meant


@given(st.text(min_size=1))
def test_what_is_meant_is_always_allowed_and_means_itself(text):
    for variable in (PROTEST, LABELS, Variable("x", "interval", low=0, high=9), Variable("x", "pairwise")):
        meant = book.fit(variable, text)
        if meant is not None:
            assert book.fit(variable, meant) == meant


def test_unknown_values_are_listed_with_the_nearest_one_and_nothing_is_taken():
    with pytest.raises(InputError) as refused:
        book.fitted(PROTEST, ["Yep", "Yep", "nope", "yes", "YES", ""])
    said = str(refused.value)
    assert "3 codes are not what the codebook allows for 'protest' (yes, no)" in said
    assert "'Yep'        2 ×   nearest: yes" in said
    assert '--recode "Yep=yes,nope=no"' in said


def test_dates_that_a_spreadsheet_made_of_values_are_recognised():
    with pytest.raises(InputError, match="Spreadsheets make dates"):
        book.fitted(Variable("x", "ordinal", ("1-2", "3-5")), ["2024-02-01 00:00:00"])


def test_numbers_beyond_the_scale_are_listed():
    with pytest.raises(InputError, match=r"'101' .* nearest: 100\n.*'x' .* not a number from 0 to 100"):
        book.fitted(Variable("x", "interval", low=0, high=100), ["101", "x", "5"])


def test_values_can_be_put_in_place_of_others():
    assert book.recoded(["Yep", "NOPE", "x", ""], ["yep=yes,nope=no", "x="]) == ["yes", "no", "", ""]
    assert book.recoded(["a, b"], ["a, b=c"]) == ["c"]
    assert book.recoded(["Yep"], ["nope=no"]) == ["Yep"], "one recoding for all coders, whatever each of them said"
    with pytest.raises(InputError, match="write old=new"):
        book.recoded(["Yep"], ["Yep"])


def test_examples_of_what_only_looks_like_a_value():
    made = checked(Variable("x", "multilabel", ("flag", "fire"), examples={"Not Flag": ("a.jpg",), "fire": ("b.jpg",)}))
    assert made.examples == {"fire": ("b.jpg",), "not flag": ("a.jpg",)}
