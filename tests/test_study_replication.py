"""The replication folder: it runs alone, gives the same numbers, and says so when it does not."""

import hashlib
import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import visanda
from visanda.errors import DesignError, InputError
from visanda.study import estimate
from visanda.study.output.replication import replication

CALL = {
    "formula": "protest ~ x + C(country) + party",
    "model": "logit",
    "predicted_var": ["protest"],
    "prediction": ["p_protest"],
    "sample_prob": "pi",
    "cluster": "outlet",
    "folds": 3,
    "splits": 2,
    "seed": 4,
}


@pytest.fixture(scope="module")
def data():
    """500 posts of 40 outlets, with codes of countries that a careless reader takes for missing or for numbers."""
    random = np.random.default_rng(2)
    n = 500
    x = random.normal(size=n)
    true = random.random(n) < expit(-0.3 + 0.8 * x)
    pi = np.where(x > 0, 0.5, 0.3)
    return pd.DataFrame(
        {
            "path": [f"/home/someone/{row}.jpg" for row in range(n)],
            "caption": "said in confidence",
            "outlet": [f"The Daily {row % 40}" for row in range(n)],
            "country": random.choice(["NA", "001", "DE"], n),
            "party": pd.Categorical(random.choice(["SPD", "CDU"], n), categories=["SPD", "CDU"]),
            "x": np.where(np.arange(n) == 7, np.nan, x),
            "p_protest": np.clip(np.where(random.random(n) < 0.85, true, ~true) * 0.8 + random.random(n) * 0.2, 0, 1),
            "pi": pi,
            "protest": np.where(random.random(n) < pi, true * 1.0, np.nan),
        }
    )


@pytest.fixture(scope="module")
def result(data):
    return estimate(data, **CALL)


@pytest.fixture(scope="module")
def published(data, result, tmp_path_factory):
    folder = tmp_path_factory.mktemp("published") / "replication"
    replication(folder, data, CALL, result, title='Protest "on" show', media_columns_dropped=["path"], units="posts")
    return folder


@pytest.fixture
def folder(published, tmp_path):
    for path in published.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def run(folder):
    env = {**os.environ, "PYTHONPATH": str(Path(visanda.__file__).parents[1]), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, str(folder / "analysis.py")], capture_output=True, text=True, env=env, cwd="/", check=False
    )


def test_the_folder_runs_alone_and_replicates(folder, result):
    done = run(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.rstrip().endswith("Replicated to 6 digits.")
    slope = result.table.set_index(["method", "term"]).loc[("corrected (DSL)", "x"), "estimate"]
    assert f"{slope:.4f}" in done.stdout


def again(folder, capsys):
    """Status and words of analysis.py, without the start of another Python."""
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(folder / "analysis.py"))
    return end.value.code, capsys.readouterr().out


def test_a_changed_code_is_noticed(folder, capsys):
    table = pd.read_csv(folder / "data.csv", dtype=str, keep_default_na=False)
    place = table.index[table["protest"] == "1.0"][0]
    table.loc[place, "protest"] = "0.0"
    table.to_csv(folder / "data.csv", index=False)
    status, said = again(folder, capsys)
    assert status == 1 and "NOT REPLICATED" in said
    assert "data.csv is not the file that was published" in said
    assert re.search(r"corrected \(DSL\).*x.*, estimate: -?\d\.\d+, expected -?\d\.\d+", said)


def test_a_changed_expectation_is_noticed(folder, capsys):
    expected = pd.read_csv(folder / "expected.csv")
    expected.loc[1, "estimate"] += 2e-6
    expected.to_csv(folder / "expected.csv", index=False)
    status, said = again(folder, capsys)
    assert status == 1 and "('naive', 'x'), estimate" in said and "expected.csv is not the file" in said


def test_only_what_the_analysis_uses_is_written(published, data):
    table = pd.read_csv(published / "data.csv", dtype={"country": str}, keep_default_na=False, na_values=[""])
    assert list(table) == ["outlet", "country", "party", "x", "p_protest", "pi", "protest"]
    assert len(table) == 500
    whole = "".join(path.read_text("utf-8") for path in published.iterdir())
    assert "someone" not in whole and "in confidence" not in whole and "Daily" not in whole
    pd.testing.assert_series_equal(table["protest"], data["protest"])
    assert list(table["country"]) == list(data["country"])


def test_clusters_are_renamed_and_stay_clusters(published, data):
    outlet = pd.read_csv(published / "data.csv")["outlet"]
    assert outlet.str.fullmatch(r"outlet_\d+").all()
    assert (pd.factorize(outlet)[0] == pd.factorize(data["outlet"])[0]).all()


def test_every_file_is_listed_summed_and_explained(published):
    names = {path.name for path in published.iterdir()} - {"SHA256SUMS", "__pycache__"}
    sums = dict(reversed(line.split("  ")) for line in (published / "SHA256SUMS").read_text().splitlines())
    assert set(sums) == names
    assert all(hashlib.sha256((published / name).read_bytes()).hexdigest() == sums[name] for name in names)
    readme = (published / "README.md").read_text("utf-8")
    assert all(f"`{name}`" in readme for name in names)
    assert "Columns of media that were left out: `path`. Other columns that the analysis does not use: `caption`" in (
        readme
    )
    assert "| `x` | variable of the formula | 1 |" in readme
    versions = json.loads((published / "versions.json").read_text())
    assert versions["numpy"] == np.__version__
    assert f"numpy=={np.__version__}\n" in (published / "requirements.txt").read_text()


def test_methods_and_references_are_those_of_the_analysis(published):
    methods = (published / "methods.md").read_text("utf-8")
    assert "with known, unequal probabilities" in methods and "cross-fitted over 3 folds" in methods
    assert "499 posts" in methods and "1 more were left out for missing values" in methods
    assert "@inproceedings{egami2023," in (published / "references.bib").read_text("utf-8")


def test_a_mean_as_parquet_has_no_script_for_r(data, tmp_path):
    call = {
        "formula": "protest",
        "predicted_var": "protest",
        "prediction": "p_protest",
        "sample_prob": "equal",
        "splits": 2,
    }
    files = replication(tmp_path / "r", data, call, estimate(data, **call), title="Share", format="parquet")
    assert [path.name for path in files][:2] == ["data.parquet", "analysis.py"]
    assert not (tmp_path / "r" / "analysis.R").exists()
    assert "There is no script for R" in (tmp_path / "r" / "README.md").read_text()


def test_several_variables_and_a_label(data, tmp_path):
    more = data.assign(
        violence=np.where(data["protest"].notna(), np.arange(len(data)) % 3 == 0, np.nan), p_v=0.3 + data["pi"] / 10
    )
    more["label_v"] = (np.arange(len(data)) % 4 == 0) * 1
    call = {
        "formula": "x ~ protest + violence",
        "predicted_var": ["protest", "violence"],
        "prediction": ["p_protest", "p_v"],
        "label": ["p_protest", "label_v"],
        "sample_prob": "equal",
        "splits": 1,
    }
    files = replication(tmp_path / "r", more, call, estimate(more, **call), title="Two")
    assert "label_v" in files[0].read_text().splitlines()[0]


def test_a_result_of_other_data_is_refused(data, tmp_path):
    other = estimate(data[data["x"] < 2], **CALL)
    with pytest.raises(DesignError, match="does not replicate"):
        replication(tmp_path / "r", data, CALL, other, title="T")


def test_an_analysis_that_uses_media_is_refused(data, result, tmp_path):
    with pytest.raises(InputError, match="'outlet', which holds media"):
        replication(tmp_path / "r", data, CALL, result, title="T", media_columns_dropped=["outlet"])
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learner": len}, "learner=.* cannot be written down"),
        ({"seed": np.int64(3)}, "cannot be written down"),
        ({"data": "data.csv"}, "'data' is no argument of estimate beside the data"),
        ({"speed": 3}, "'speed' is no argument of estimate"),
        ({"cluster": "outlets"}, "cluster: 'outlets' is not in the table: did you mean outlet"),
        ({"formula": "protest ~ y"}, "'y' is not in the table"),
    ],
)
def test_a_call_that_does_not_fit_is_refused(data, result, tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        replication(tmp_path / "r", data, {**CALL, **change}, result, title="T")
    assert not (tmp_path / "r").exists()


def test_names_in_the_formula_are_not_replaced(data, result, tmp_path):
    with pytest.raises(InputError, match="the formula uses 'country'"):
        replication(tmp_path / "r", data, CALL, result, title="T", pseudonyms=["country"])
    with pytest.raises(InputError, match="left out anyway"):
        replication(tmp_path / "r", data, CALL, result, title="T", pseudonyms=["path"])


def test_a_value_that_a_csv_does_not_keep_is_refused(data, result, tmp_path):
    odd = data.assign(country=data["country"].replace("DE", ""))
    with pytest.raises(InputError, match="'country' is not the same after writing"):
        replication(tmp_path / "r", odd, CALL, result, title="T")


def test_an_earlier_replication_is_replaced_and_nothing_else(data, result, folder, tmp_path_factory):
    replication(folder, data, CALL, result, title="Again", check=False)
    assert "# Again" in (folder / "README.md").read_text()
    (folder / "thesis.docx").write_text("mine")
    with pytest.raises(InputError, match=r"holds other things \(thesis.docx\)"):
        replication(folder, data, CALL, result, title="T", check=False)
    assert (folder / "thesis.docx").read_text() == "mine"
    mine = tmp_path_factory.mktemp("mine")
    (mine / "data.csv").write_text("mine")
    with pytest.raises(InputError, match="holds other things"):
        replication(mine, data, CALL, result, title="T", check=False)
