"""Output: regression tables in every format, figures of several models, the methods paragraph."""

import csv
import doctest
import io
import re
import zipfile
from html.parser import HTMLParser
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from two_models import BOTH, CORRECTED, fitted

from visanda.errors import InputError, MissingExtra
from visanda.study import estimate, ordinary
from visanda.study.output import as_word
from visanda.study.output.regression_table import in_order, regression_table, rounded


@pytest.fixture(scope="module")
def result():
    random = np.random.default_rng(3)
    x = random.normal(size=600)
    protest = (random.random(600) < 1 / (1 + np.exp(-x))) * 1.0
    p = np.where(random.random(600) < 0.85, protest, 1 - protest)
    data = pd.DataFrame({"x": x, "protest": protest, "p": p, "outlet": np.arange(600) % 40})
    data.loc[200:, "protest"] = np.nan
    return estimate(
        data, "protest ~ x", predicted_var="protest", prediction="p", sample_prob="equal", cluster="outlet", splits=2
    )


def cells(table):
    return {line.label: [cell.text + cell.stars for cell in line.cells] for line in table.printed.lines if line.label}


def below(table, label):
    labels = [line.label for line in table.printed.lines]
    return [cell.text for cell in table.printed.lines[labels.index(label) + 1].cells]


@pytest.mark.parametrize(
    "module", ["regression_table", "coefficients_figure", "shares_figure", "methods_text", "replication"]
)
def test_examples(module):
    failed, tried = doctest.testmod(import_module(f"visanda.study.output.{module}"))
    assert tried > 0 and failed == 0


def test_models_stand_side_by_side_with_errors_below():
    table = regression_table(BOTH)
    assert table.printed.heads == ("(1) naive", "(2) corrected")
    assert cells(table)["x"] == ["-0.089", "0.499"]
    assert below(table, "x") == ["(0.031)", "(0.088)"]
    assert cells(table)["log(likes_1)"] == ["", "-1,234.5"]
    assert cells(table)["Rows"] == ["900", "900"]
    assert cells(table)["Coded by hand"] == ["0", "90"]


def test_intervals_are_those_of_the_estimates():
    low, high = CORRECTED.frame().loc[1, ["low", "high"]]
    assert below(regression_table(BOTH, intervals=True, digits=2), "x")[1] == f"[{low:.2f}, {high:.2f}]"


def test_stars_follow_p():
    z = [norm.isf(p / 2) for p in (0.06, 0.04, 0.009, 0.0009)]
    table = regression_table({"m": fitted("abcd", z, [1] * 4)}, stars=True, digits=1)
    assert [re.sub(r"[^*]", "", cells(table)[term][0]) for term in "abcd"] == ["", "*", "**", "***"]
    assert "* p < .05, ** p < .01, *** p < .001 (two-sided)." in table.printed.notes
    assert "*" not in regression_table({"m": fitted("abcd", z, [1] * 4)}).text()


def test_terms_keep_the_order_of_their_models_and_the_constant_is_last():
    assert in_order([["Intercept", "a", "c"], ["Intercept", "a", "b", "c", "d"]]) == ["a", "b", "c", "d", "Intercept"]
    assert in_order([["b", "a"], ["a", "b"]]) == ["b", "a"]
    assert [label for label in cells(regression_table(BOTH)) if label[0] in "xlgI"] == [
        "x",
        "log(likes_1)",
        "genre: news & more",
        "Intercept",
    ]


def test_a_small_number_is_never_printed_as_zero():
    assert rounded(0.00012345, 3) == "0.00012"
    assert rounded(-1e-9, 3) == "-1.0e-09"
    assert rounded(0.0, 3) == "0.000"
    assert rounded(-0.0, 2) == "0.00"
    assert rounded(0.0005, 3) in ("0.001", "0.0005")
    assert rounded(1234567.891, 1) == "1,234,567.9"


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.12345, "0.123"), (45.678, "45.678"), (123.456, "123.46"), (-1234.56, "-1,234.6"), (1234567.8, "1,234,568")],
)
def test_large_numbers_have_no_digits_that_nobody_reads(value, said):
    assert rounded(value) == said


def test_thresholds_and_dispersion_stand_apart_at_the_bottom():
    columns = {"term": ["low|mid", "x", "mid|high"], "estimate": [-1.0, 2, 3], "se": 1.0, "model": "ordinal"}
    counts = {"term": ["x", "alpha (dispersion)", "Intercept"], "estimate": [1.0, 2, 3], "se": 1.0, "model": "negbin"}
    table = regression_table({"o": pd.DataFrame(columns), "n": pd.DataFrame(counts)})
    blocks = [[line.label for line in block if line.label] for block in table.printed.blocks]
    assert blocks == [
        ["x", "Intercept"],
        ["Threshold low | mid", "Threshold mid | high", "Dispersion (α)"],
        ["Model"],
    ]
    assert table.latex().count(r"\midrule") == 3 and r"Threshold low $|$ mid" in table.latex()
    assert table.html().count('class="block"') == 2
    assert len([line for line in table.text().splitlines() if set(line) == {"-"}]) == 4
    plain = pd.DataFrame({"term": ["alpha", "x"], "estimate": [1.0, 2], "se": 1.0, "model": "lm"})
    assert list(cells(regression_table({"m": plain})))[:2] == ["alpha", "x"]  # a variable of that name


def test_notes_say_how_errors_were_made_what_is_compared_and_who_corrects(result):
    notes = regression_table({"Protest": result}).printed.notes
    assert notes[0] == "Standard errors in parentheses, clustered by outlet."
    assert notes[1] == "Corrected by design-based supervised learning (DSL; Egami et al., 2023, 2024)."
    random = np.random.default_rng(2)
    kind = random.choice(["tool", "a & b", "fish"], 300)
    data = pd.DataFrame(
        {"kind": kind, "said": np.where(random.random(300) < 0.9, kind, "tool"), "x": 1.0 * (kind == "fish")}
    )
    data["x"] += random.normal(size=300)
    data.loc[200:, "kind"] = None
    other = estimate(data, "kind ~ x", predicted_var="kind", prediction="said", sample_prob="equal", splits=1)
    table = regression_table({"Kind": other, "Protest": result}, methods=["corrected"])
    assert table.printed.notes[:2] == (
        "Standard errors in parentheses; robust to heteroskedasticity in Kind; clustered by outlet in Protest.",
        "Kind: log odds against a & b.",
    )
    assert "fish: x" in cells(table) and "tool: Intercept" in cells(table)
    interval = regression_table({"Protest": result}, intervals=True).printed.notes[0]
    assert interval == "95 % intervals in brackets; standard errors clustered by outlet."


def test_a_result_gives_a_column_for_each_method(result):
    table = regression_table({"Protest": result})
    assert table.printed.heads == ("Protest naive", "Protest gold only", "Protest corrected (DSL)")
    line = result.table.set_index(["method", "term"]).loc[("corrected (DSL)", "x")]
    assert cells(table)["x"][2] == f"{line.estimate:.3f}"
    assert cells(table)["Rows"] == ["600", "200", "600"]
    assert cells(table)["Coded by hand"] == ["", "200", "200"]
    assert cells(table)["Clusters"] == ["40 (outlet)"] * 3
    assert cells(table)["Model"] == ["logistic"] * 3
    assert "Standard errors in parentheses, clustered by outlet." in table.printed.notes


def test_methods_are_chosen_by_the_beginning_of_their_name(result):
    table = regression_table({"(1)": result, "(2)": result}, methods=["corrected"])
    assert table.printed.heads == ("(1)", "(2)")
    assert cells(table)["Method"] == ["corrected (DSL)"] * 2
    with pytest.raises(InputError, match="naive, gold only, corrected"):
        regression_table({"(1)": result}, methods=["ppi"])


def test_terms_are_renamed_chosen_and_those_left_out_are_named():
    table = regression_table(BOTH, rename={"np.log(likes_1)": "Likes (log)"}, terms=["np.log(likes_1)", "x"])
    assert list(cells(table))[:2] == ["Likes (log)", "x"]
    assert table.printed.notes[-1] == "Also in the models and not shown: genre: news & more, Intercept."
    with pytest.raises(InputError, match="no model has 'y'; the terms are x"):
        regression_table(BOTH, terms=["y"])
    with pytest.raises(InputError, match="no model has the term 'z'"):
        regression_table(BOTH, rename={"z": "Z"})
    with pytest.raises(InputError, match="would both be called 'x'"):
        regression_table(BOTH, rename={"Intercept": "x"})


def test_terms_of_different_models_share_a_row_under_one_label():
    models = {"human": fitted(["code"], [1], [0.1]), "machine": fitted(["label"], [2], [0.1])}
    assert cells(regression_table(models, rename={"code": "Protest", "label": "Protest"}))["Protest"] == [
        "1.000",
        "2.000",
    ]


def test_further_rows_and_notes():
    table = regression_table(BOTH, rows={"City effects": ["no", "yes"], "Rows": ["9", "8"]}, notes=["Posts of 2024."])
    assert cells(table)["City effects"] == ["no", "yes"]
    assert cells(table)["Rows"] == ["9", "8"]
    assert table.printed.notes[-1] == "Posts of 2024."
    with pytest.raises(InputError, match="'City effects' needs a list of 2 texts"):
        regression_table(BOTH, rows={"City effects": ["no"]})


def test_categories_of_an_outcome_are_read_as_such():
    table = regression_table({"m": fitted(["news: np.log(x)", "C(g)[T.a: b]"], [1, 2], [1, 1])})
    assert list(cells(table))[:2] == ["news: log(x)", "g: a: b"]


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (pd.DataFrame({"term": ["x"], "estimate": [1.0]}), "'se' is not in the table"),
        (pd.DataFrame({"term": ["x"], "estimate": [np.nan], "se": [1.0]}), "has no estimate of 'x'"),
        (pd.DataFrame({"term": ["x", "x"], "estimate": [1.0, 2], "se": [1.0, 1]}), "has the term 'x' twice"),
        (pd.DataFrame({"term": ["x"], "estimate": ["a"], "se": [1.0]}), "holds text"),
        (pd.DataFrame({"term": ["x"], "estimate": [1.0], "se": [-1.0]}), "negative standard error"),
        (pd.DataFrame({"term": ["x"], "estimate": [np.inf], "se": [1.0]}), "infinite"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(model, message):
    with pytest.raises(InputError, match=message):
        regression_table({"m": model})


def test_no_models_and_impossible_digits_are_refused():
    with pytest.raises(InputError, match="no models"):
        regression_table({})
    with pytest.raises(InputError, match="0 to 8 decimals"):
        regression_table(BOTH, digits=-1)


def test_csv_has_every_digit_of_every_model():
    read = list(csv.DictReader(io.StringIO(regression_table(BOTH).csv())))
    assert len(read) == 6
    line = next(row for row in read if row["model"] == "(2) corrected" and row["term"] == "x")
    assert float(line["estimate"]) == 0.499 and float(line["p"]) == CORRECTED.frame().loc[1, "p"]


def test_latex_is_escaped_and_every_line_has_all_columns():
    table = regression_table(BOTH, title="100 % of_posts & $", intervals=True, stars=True, rename={"x": "[x]"})
    text = table.latex("tab:posts")
    assert r"\caption{100 \% of\_posts \& \$}" in text and r"\label{tab:posts}" in text
    assert r"genre: news \& more" in text and r"log(likes\_1)" in text
    body = text.split(r"\toprule")[1].split(r"\bottomrule")[0]
    lines = [line for line in body.splitlines() if line.endswith(r"\\")]
    assert len(lines) == 1 + 2 * 4 + 2
    assert all(len(re.findall(r"(?<!\\)&", line)) == 2 for line in lines)
    assert r"x$^2$ $\times$ z" in regression_table({"m": fitted(["I(x ** 2):z"], [1], [1])}).latex()
    assert not any(line.startswith(("[", "*")) for line in lines)  # LaTeX would take it for an option of \\
    assert r"$-$0.089\textsuperscript{**}" in text
    assert text.count("{") == text.count("}")


class Table(HTMLParser):
    """The heads and cells of the one table of a page, as a browser lays them out."""

    def __init__(self, page):
        super().__init__()
        self.scopes, self.rows, self.inside = [], [], False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        known = dict(attrs)
        assert tag not in ("script", "link", "img")
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.inside = True
            self.rows[-1].append("")
            self.scopes += [(known["scope"], known.get("rowspan", "1"))] if tag == "th" else []

    def handle_endtag(self, tag):
        self.inside = self.inside and tag not in ("td", "th")

    def handle_data(self, data):
        if self.inside:
            self.rows[-1][-1] += data


def test_html_is_a_table_with_heads():
    page = regression_table(BOTH, title="<b>Posts</b>", stars=True).html()
    table = Table(page)
    assert "&lt;b&gt;Posts" in page and "<b>Posts" not in page
    assert table.rows[0] == ["", "(1) naive", "(2) corrected"]
    assert table.rows[1] == ["x", "−0.089**", "0.499***"]
    assert table.rows[2] == ["(0.031)", "(0.088)"]
    assert table.scopes == [("col", "1")] * 2 + [("row", "2")] * 4 + [("row", "1")] * 2


def test_markdown_does_not_break_on_pipes_and_stars():
    text = regression_table({"a|b": fitted(["I(x ** y)"], [1], [0.1])}, stars=True).markdown()
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 3 for line in lines)
    assert r"x \*\* y" in text and r"1.000\*\*\*" in text


def test_plain_text_ends_numbers_in_line():
    lines = regression_table(BOTH, stars=True).text().splitlines()
    naive, corrected = (next(line for line in lines if line.startswith(label)) for label in ("x ", "log"))
    assert corrected.index("−1,234.5") + len("−1,234.5") == naive.index("0.499") + len("0.499")


def test_word_opens_the_docx(tmp_path):
    docx = pytest.importorskip("docx")
    path = regression_table(BOTH, title="Posts & more", stars=True, notes=["Of 2024."]).save(tmp_path / "t.docx")
    document = docx.Document(str(path))
    rows = [[cell.text for cell in row.cells] for row in document.tables[0].rows]
    assert rows[0] == ["", "(1) naive", "(2) corrected"]
    assert rows[1] == ["x", "−0.089**", "0.499***"]
    assert rows[2] == ["x", "(0.031)", "(0.088)"]  # the label stands beside both rows
    assert document.paragraphs[0].text == "Posts & more"
    assert document.paragraphs[-1].text.endswith("Of 2024.")
    xml = zipfile.ZipFile(path).read("word/document.xml").decode()
    assert xml.count("<w:tblHeader") == 1 and '<w:vertAlign w:val="superscript"/>' in xml
    assert xml.count("<w:bottom ") == 3 and xml.count("<w:top ") == 9  # rules above 3 rows, below the last


def test_without_python_docx_the_extra_is_named(monkeypatch):
    def absent(module, extra):
        raise MissingExtra(module, extra)

    monkeypatch.setattr(as_word, "need", absent)
    with pytest.raises(MissingExtra, match=r"visanda\[word\]"):
        regression_table(BOTH).docx()


def test_save_goes_by_the_ending(tmp_path):
    table = regression_table(BOTH)
    for ending, start in {"csv": "model,", "html": "<!DOCTYPE", "md": "|", "tex": r"\begin", "txt": " "}.items():
        assert table.save(tmp_path / "new" / f"t.{ending}").read_text("utf-8").startswith(start)
    with pytest.raises(InputError, match=r"\.pdf; end it in \.csv"):
        table.save(tmp_path / "t.pdf")
    with pytest.raises(InputError, match="without an ending"):
        table.save(tmp_path / "t")


def test_an_ordinary_regression_is_a_column_too():
    data = pd.DataFrame({"y": [1, 3, 2, 5, 4.0], "x": [0, 1, 1, 2, 2.0]})
    assert cells(regression_table({"OLS": ordinary(data, "y ~ x")}, digits=2))["x"] == ["1.79"]  # 5 / 2.8
