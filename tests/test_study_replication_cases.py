"""Replications of every kind of analysis: in Python to six digits, in R as far as R can, which the script says."""

import re
import runpy
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from visanda.study import estimate
from visanda.study.output.replication import replication

KNOWN = {"predicted_var": "big y", "prediction": "p.y", "sample_prob": "pi", "splits": 2}
CASES = {
    "logit": {
        "formula": "`big y` ~ `my x` + C(country) + party + np.log(`log.followers`)",
        "cluster": "out let",
        "folds": 3,
        "seed": 4,
    },
    "weights": {"formula": "likes ~ `big y` * `my x` + flag", "weights": "w"},
    "effects": {"formula": "likes ~ `big y` + I(`my x`**2) | `out let`", "cluster": "out let"},
    "two effects": {"formula": "likes ~ `big y` | `out let` + day"},
    "counts": {"formula": "likes ~ `big y` + party", "model": "poisson", "margins": True},
    "bootstrap": {"formula": "likes ~ `big y` + party", "model": "negbin", "resamples": 50},
    "likelihood": {"formula": "likes ~ `big y` + party", "model": "poisson", "method": "likelihood"},
    "mean": {"formula": "big y"},
    "spline": {"formula": "`big y` ~ bs(`my x`, df=4)"},
    "category": {"formula": "`my x` ~ kind", "predicted_var": "kind", "prediction": "said"},
    "missing": {"formula": "likes ~ `big y`", "sample_prob": "pi of coded"},
}
NOT_CORRECTED = {
    "weights": "it knows no weights",
    "counts": "it has no poisson model",
    "bootstrap": "it knows no correction by debias; it has no negbin model",
    "likelihood": "it knows no correction by likelihood",
    "category": "its predicted variables are numbers, and not categories",
    "missing": "it needs the probability of every row, and some are missing",
}
NOT_COMPARED = {"bootstrap": "see MASS::glm.nb", "spline": "R has no bs"}
IN_R = pytest.mark.skipif(shutil.which("Rscript") is None, reason="no R on this machine: apt-get install r-base-core")


@pytest.fixture(scope="module")
def data():
    """600 posts with names that neither language takes as they are, and values that R would read as something else."""
    random = np.random.default_rng(2)
    n = 600
    x = random.normal(size=n)
    true = random.random(n) < expit(-0.3 + 0.8 * x)
    pi = np.where(x > 0, 0.5, 0.3)
    coded = random.random(n) < pi
    kind = np.where(true, "fish", random.choice(["tool", "a & b"], n))
    return pd.DataFrame(
        {
            "out let": [f"The Daily {row % 40}" for row in range(n)],
            "country": random.choice(["NA", "001", "DE"], n),
            "party": pd.Categorical(random.choice(["SPD", "CDU"], n), categories=["SPD", "CDU"]),
            "my x": np.where(np.arange(n) == 7, np.nan, x),
            "log.followers": random.lognormal(5, 1, n),
            "p.y": np.clip(np.where(random.random(n) < 0.85, true, ~true) * 0.8 + random.random(n) * 0.2, 0, 1),
            "pi": pi,
            "pi of coded": np.where(coded, pi, np.nan),
            "big y": np.where(coded, true * 1.0, np.nan),
            "w": random.uniform(0.5, 2, n),
            "likes": random.poisson(np.exp(1 + 0.4 * true)),
            "flag": random.random(n) < 0.5,
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 20, n), unit="D"),
            "kind": pd.Series(kind).where(coded),
            "said": np.where(random.random(n) < 0.8, kind, "tool"),
        }
    )


@pytest.fixture(scope="module", params=list(CASES))
def case(request, data, tmp_path_factory):
    """Name, result and folder of a replication that was run once before it was left there."""
    call = {**KNOWN, **CASES[request.param]}
    found = estimate(data, **call)
    folder = tmp_path_factory.mktemp("case") / "a folder"
    replication(folder, data, call, found, title=f"The {request.param}")
    return request.param, found, folder


def test_a_moved_folder_replicates_marginal_effects_included(case, tmp_path, capsys):
    name, found, folder = case
    moved = shutil.copytree(folder, tmp_path / "else where")
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(moved / "analysis.py"))
    said = capsys.readouterr().out
    assert not end.value.code and "Replicated to 6 digits" in said
    assert (moved / "expected-margins.csv").exists() == (name == "counts")
    if name == "counts":
        table = pd.read_csv(moved / "expected-margins.csv")
        assert len(table) == len(found.also[0].table)
        table.assign(estimate=table["estimate"] * 1.001).to_csv(moved / "expected-margins.csv", index=False)
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(moved / "analysis.py"))
        said = capsys.readouterr().out
        assert end.value.code and "expected-margins.csv is not the file" in said and "NOT REPLICATED" in said


def test_the_script_for_r_says_what_r_cannot_do(case):
    name, _, folder = case
    text = (folder / "analysis.R").read_text("utf-8")
    comments = " ".join(line.lstrip("# ") for line in text.splitlines() if line.startswith("#"))
    assert NOT_CORRECTED.get(name, "") in comments and NOT_COMPARED.get(name, "") in comments
    assert ("dsl::dsl(" in text) == (name not in NOT_CORRECTED and name != "spline")
    assert ("compare(" in text) == (name not in NOT_COMPARED)
    assert "check.names = FALSE" in text


def test_the_script_for_r_has_the_arguments_of_the_package(case):
    name, _, folder = case
    wanted = {
        "logit": [
            'model = "logit"',
            "formula = `big y` ~ `my x` + factor(country) + party + log(`log.followers`)",
            'predicted_var = "big y"',
            'prediction = "p.y"',
            'cluster = "out let"',
            'sample_prob = "pi"',
            "cross_fit = 3",
            "sample_split = 2",
            "seed = 4",
            'data[["party"]] <- factor(data[["party"]], levels = c("SPD", "CDU"))',
            'data[["country"]] <- factor(data[["country"]], levels = c("001", "DE", "NA"))',
        ],
        "effects": ['model = "felm"', "formula = likes ~ `big y` + I(`my x`^2),", 'index = "out let"', '= "oneway"'],
        "two effects": ['index = c("out let", "day")', 'fixed_effect = "twoways"'],
        "mean": ['model = "lm"', "formula = `big y` ~ 1"],
    }
    text = (folder / "analysis.R").read_text("utf-8")
    assert [line for line in wanted.get(name, []) if line not in text] == []


@IN_R
def test_r_finds_the_coefficients_of_naive_and_gold_only(case):
    name, found, folder = case
    done = subprocess.run(["Rscript", "analysis.R"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    n, coded = re.search(r"(\d+) rows, (\d+) of them coded", done.stdout).groups()
    assert int(n) == found.provenance["n"] and int(coded) == found.provenance["n_coded"]
    off = re.findall(r"(naive|gold only): largest difference from expected.csv (\S+)", done.stdout)
    assert [method for method, _ in off] == ([] if name in NOT_COMPARED else ["naive", "gold only"])
    assert all(float(size) < 1e-6 for _, size in off)
