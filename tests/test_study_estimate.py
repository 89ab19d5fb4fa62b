"""estimate: the three answers side by side, in a table, a figure and words."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.special import expit

from visanda.errors import DesignError, InputError
from visanda.study import draw, dsl, estimate

KNOWN = {"predicted_var": "protest", "prediction": "p_protest", "splits": 2, "sample_prob": "pi"}


@pytest.fixture(scope="module")
def study():
    """2,000 posts; the machine misses protests where x is large, so that its slope is far too flat."""
    random = np.random.default_rng(7)
    n = 2000
    x, genre = random.normal(size=n), random.choice(["news", "sport", "art"], n)
    true = random.random(n) < expit(-0.3 + 0.8 * x)
    right = random.random(n) < np.where(true & (x > 0), 0.6, 0.97)
    p = np.clip(np.where(true == right, 0.85, 0.15) + random.normal(0, 0.05, n), 0, 1)
    data = pd.DataFrame({"id": [f"{k}.jpg" for k in range(n)], "x": x, "genre": genre, "p_protest": p})
    data["true_protest"] = true.astype(float)
    drawn = draw(data, 300, ["genre"], seed=1, allocate="equal")
    data = data.merge(drawn[["id", "pi"]], on="id", how="left")
    data["protest"] = data["true_protest"].where(data["pi"].notna())
    return data


def test_one_row_a_method_and_term(study):
    found = estimate(study, "protest ~ x + genre", truth={"protest": "true_protest"}, **KNOWN)
    assert list(found.table.columns) == ["method", "term", "estimate", "se", "low", "high", "p", "n"]
    methods = ["naive", "gold only", "corrected (DSL)", "truth"]
    assert list(dict.fromkeys(found.table["method"])) == methods
    assert found.table.groupby("method").size().eq(4).all()
    assert found.table.groupby("method")["n"].first().to_dict() == dict(
        zip(methods, [2000, 300, 2000, 2000], strict=True)
    )
    slope = found.table[found.table["term"] == "x"].set_index("method")
    assert abs(slope.estimate["naive"] - 0.8) > 0.3
    assert slope.low["corrected (DSL)"] < slope.estimate["truth"] < slope.high["corrected (DSL)"]
    assert slope.se["corrected (DSL)"] < slope.se["gold only"]
    assert list(found.extra["wide"].columns) == ["term", *methods]
    assert found.extra["wide"].loc[1, "naive"] == f"{slope.estimate['naive']:.3f} ({slope.se['naive']:.3f})"


def test_the_words_carry_the_numbers_of_the_table(study):
    found = estimate(study, "protest ~ x", **KNOWN)
    text = " ".join(found.words)
    line = found.table.set_index(["method", "term"]).loc[("corrected (DSL)", "x")]
    assert "2,000 rows, of which 300 are coded by hand" in text
    assert f"it is {line.estimate:.3f} (95 % CI {line.low:.3f} to {line.high:.3f}, p < .001)" in text
    assert any(warning.startswith("x: the naive estimate lies outside") for warning in found.warnings)


def test_a_variable_alone_is_its_share(study):
    found = estimate(study, "protest", truth={"protest": "true_protest"}, **KNOWN)
    assert set(found.table["term"]) == {"share of protest"}
    assert found.provenance["model"] == "mean"
    share = found.table.set_index("method")
    assert share.estimate["truth"] == pytest.approx(study["true_protest"].mean())
    assert share.estimate["naive"] == pytest.approx((study["p_protest"] >= 0.5).mean())
    assert share.low["corrected (DSL)"] < share.estimate["truth"] < share.high["corrected (DSL)"]


def test_auto_takes_logit_for_a_binary_outcome_and_lm_for_others(study):
    assert estimate(study, "protest ~ x", **KNOWN).provenance["model"] == "logit"
    assert estimate(study, "x ~ protest", **KNOWN).provenance["model"] == "lm"
    assert estimate(study, "protest ~ x", model="lm", **KNOWN).provenance["model"] == "lm"


def test_labels_given_replace_those_of_the_half(study):
    strict = study.assign(label=(study["p_protest"] > 0.8) * 1)
    share = estimate(strict, "protest", label="label", **KNOWN).table.set_index("method")
    assert share.estimate["naive"] == pytest.approx(strict["label"].mean())


def test_a_comparison_that_cannot_be_fitted_does_not_stop_the_correction(study):
    found = estimate(study.assign(label=1.0), "protest ~ x", label="label", **KNOWN)
    assert "naive" not in set(found.table["method"])
    assert any(warning.startswith("No estimate by naive") for warning in found.warnings)
    assert found.words[-1].startswith("Corrected for the machine's errors, the coefficient of x is")


def test_few_codes_and_undone_draws_are_said(study):
    kept = study["pi"].notna() & (study["pi"].notna().cumsum() <= 40)
    found = estimate(study.assign(protest=study["protest"].where(kept)), "protest ~ x", **KNOWN)
    text = " ".join(found.warnings)
    assert "Only 40 rows are coded by hand" in text
    assert "260 rows were drawn for coding and are not coded" in text


def test_dropped_rows_are_counted_everywhere(study):
    gaps = study.copy()
    gaps.loc[:99, "x"] = np.nan
    found = estimate(gaps, "protest ~ x", **KNOWN)
    assert (found.provenance["n"], found.provenance["n_dropped"]) == (1900, 100)
    assert "100 more were left out" in found.words[0]


def test_clusters_reach_every_method(study):
    clustered = study.assign(account=np.arange(len(study)) // 4)
    plain = estimate(study, "protest ~ x", **KNOWN).table
    found = estimate(clustered, "protest ~ x", cluster="account", **KNOWN).table
    assert (found["se"] != plain["se"]).all()
    of = found["method"] != "corrected (DSL)"
    np.testing.assert_allclose(found.loc[of, "estimate"], plain.loc[of, "estimate"])


@pytest.mark.parametrize("formula", ["protest", "protest ~ x", "protest ~ x * C(genre) + np.log(p_protest + 1)"])
def test_the_figure_is_drawn_and_provenance_is_json(study, formula, tmp_path):
    found = estimate(study, formula, truth={"protest": "true_protest"}, **KNOWN)
    picture = Image.open(io.BytesIO(found.figure_png()))
    assert picture.width > 300
    assert np.asarray(picture.convert("L")).std() > 10
    assert {path.suffix for path in found.save(tmp_path, "protest")} == {".csv", ".json", ".png"}
    assert json.loads((tmp_path / "protest.json").read_text(encoding="utf-8"))["n_coded"] == 300


def test_panels_are_the_terms_without_the_intercept(study):
    figure = estimate(study, "protest ~ x + C(genre)", **KNOWN).figure
    assert [axes.get_title() for axes in figure.axes] == ["x", "genre = news", "genre = sport"]


@pytest.mark.parametrize(
    ("formula", "arguments", "message"),
    [
        ("protst", {}, "'protst'.*did you mean protest"),
        ("protest ~ genr", {}, "did you mean genre"),
        ("protest ~ x +* 2", {}, "does not parse"),
        ("protest", {"model": "logit"}, "protest ~ 1"),
        ("protest", {"prediction": ["p_protest", "x"]}, "name one for each"),
        ("protest", {"prediction": "x"}, "'x' is no probability in 0-1: name the 0/1 column as label"),
        ("protest", {"label": ["a", "b"]}, "name one label for each"),
        ("protest", {"truth": {"protest": "pi"}}, "must be known in every row"),
        ("genre ~ x", {"predicted_var": "genre"}, "recode 'genre' to 0/1"),
    ],
)
def test_input_that_does_not_fit(study, formula, arguments, message):
    with pytest.raises(InputError, match=message):
        estimate(study, formula, **KNOWN | arguments)


def test_nothing_coded_is_a_design_error(study):
    with pytest.raises(DesignError, match="Draw a random sample and code it"):
        estimate(study.assign(protest=np.nan), "protest ~ x", **KNOWN)


def test_without_known_probabilities_no_correction_is_made(study):
    unknown = {**KNOWN, "sample_prob": None}
    with pytest.raises(DesignError, match=r"not known how the coded rows were drawn.*sample_prob='equal'"):
        estimate(study, "protest ~ x", **unknown)


def test_codes_that_the_machine_learnt_from_cannot_correct_it(study):
    learnt = study.assign(learnt=study["protest"].notna() & (study["x"] > 0))
    with pytest.raises(DesignError, match=r"learnt from \d+ of the 300 codes.*cross-fitting"):
        estimate(learnt, "protest ~ x", trained_on="learnt", **KNOWN)


def test_auto_says_which_correction_it_took_and_why(study):
    assert any(text.startswith("DSL was chosen: rows were drawn") for text in estimate(study, "protest", **KNOWN).words)


def test_few_codes_are_refined_unless_asked_otherwise():
    random = np.random.default_rng(3)
    y = random.integers(0, 2, 400) * 1.0
    data = pd.DataFrame({"x": random.normal(size=400), "y": y, "p": np.where(random.random(400) < 0.9, y, 1 - y)})
    data.loc[60:, "y"] = np.nan
    asked = {"predicted_var": "y", "prediction": "p", "sample_prob": "equal"}
    found, published = estimate(data, "y ~ x", **asked), estimate(data, "y ~ x", as_published=True, **asked)
    exact = dsl(data, "y ~ x", model="logit", predicted_var=["y"], prediction=["p"])
    ours = published.table[published.table["method"] == "corrected (DSL)"]
    np.testing.assert_allclose(ours["estimate"], exact.coef)
    rows = found.table[found.table["method"] == "corrected (DSL)"]
    assert found.provenance["refined"] and not published.provenance["refined"]
    assert ((rows["high"] - rows["low"]).to_numpy() > 3.92 * rows["se"].to_numpy()).all()  # t, not normal
    assert not np.allclose(rows["estimate"], exact.coef, atol=1e-4)
