"""Design-based supervised learning: the published numbers, coverage, formulas, and what is refused."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.special import expit
from scipy.stats import norm
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression

from visanda.errors import DesignError, InputError
from visanda.study import dsl, dsl_mean, gold_only, naive, ordinary

RAW = {"predicted_var": ["y"], "prediction": ["yhat"], "learner": "raw"}
ONE_SPLIT = {"predicted_var": ["y"], "prediction": ["yhat"], "splits": 1}


@pytest.fixture(scope="module")
def fixture():
    """The 600 rows of shared/reference/statistics.md, on which R's dsl and an independent port agree."""
    i = np.arange(1, 601.0)
    x, z = np.sin(i), np.cos(2.3 * i)
    u1, u2, u3 = ((i * root) % 1 for root in (0.6180339887498949, 0.4142135623730951, 0.7320508075688772))
    y = (u1 < expit(-0.5 + 0.8 * x + 0.4 * z)).astype(float)
    yhat = np.where(y == 1, u2 > 0.15 + 0.1 * (x > 0), u2 < 0.12).astype(float)
    pi = 0.2 + 0.2 * (z > 0)
    return pd.DataFrame(
        {
            "x": x,
            "z": z,
            "yhat": yhat,
            "pi": pi,
            "y": np.where(u3 < pi, y, np.nan),
            "true_y": y,
            "w": 2 + y + 0.5 * x + np.sin(7 * i),
            "cluster": i % 40,
            "group": i % 6,
        }
    )


LOGIT = [-0.73611094, 1.07088643, 0.48011347]
PUBLISHED = {
    "lm": (
        "y ~ x + z",
        {"sample_prob": "pi"},
        [0.34632911, 0.22068002, 0.09558440],
        [0.03028742, 0.04194636, 0.04821179],
    ),
    "logit": (
        "y ~ x + z",
        {"model": "logit", "sample_prob": "pi"},
        LOGIT,
        [0.17227931, 0.24458370, 0.25866936],
    ),
    "logit clustered": (
        "y ~ x + z",
        {"model": "logit", "sample_prob": "pi", "cluster": "cluster"},
        LOGIT,
        [0.16430698, 0.21263920, 0.23149453],
    ),
    "predicted covariate": (
        "w ~ y + x",
        {"sample_prob": "pi"},
        [2.04417804, 1.01048279, 0.47816894],
        [0.05516096, 0.14012375, 0.07083639],
    ),
    "equal probability": ("y ~ z", {}, [0.35250441, 0.07722113], [0.03085600, 0.04624989]),
    "fixed effects": (
        "w ~ y + x + C(group) - 1",
        {"sample_prob": "pi", "cluster": "cluster"},
        [1.03446471, 0.47255325],
        [0.15509837, 0.05827238],
    ),
}


@pytest.mark.parametrize("case", PUBLISHED)
def test_the_published_numbers_to_six_digits(fixture, case):
    formula, arguments, coef, se = PUBLISHED[case]
    found = dsl(fixture, formula, **RAW, **arguments)
    np.testing.assert_allclose(found.coef[: len(coef)], coef, atol=1e-6)
    np.testing.assert_allclose(found.se[: len(se)], se, atol=1e-6)
    assert (found.n, found.n_coded, found.n_dropped) == (600, 181, 0)


@pytest.mark.parametrize(("prob", "mean", "se"), [(None, 0.35237569, 0.03091726), ("pi", 0.34685083, 0.03109533)])
def test_the_mean_to_six_digits(fixture, prob, mean, se):
    found = dsl_mean(fixture, "y", "yhat", sample_prob=prob, learner="raw")
    assert (found.coef[0], found.se[0]) == pytest.approx((mean, se), abs=1e-6)


def test_the_published_naive_and_all_gold_slopes(fixture):
    assert naive(fixture, "y ~ x + z", "logit", ["y"], ["yhat"]).coef[1] == pytest.approx(0.398, abs=5e-4)
    all_gold = ordinary(fixture.assign(y=fixture["true_y"]), "y ~ x + z", "logit")
    assert all_gold.coef[1] == pytest.approx(0.893, abs=5e-4)


@pytest.mark.parametrize("cluster", [None, "cluster"])
@pytest.mark.parametrize("model", ["lm", "logit"])
def test_ordinary_fits_are_those_of_statsmodels(fixture, model, cluster):
    data = fixture.assign(y=fixture["true_y"])
    found = ordinary(data, "y ~ x + z", model, cluster)
    kind = {"lm": sm.OLS, "logit": sm.Logit}[model](data["y"], sm.add_constant(data[["x", "z"]]))
    groups = {"groups": data["cluster"]}
    fit = kind.fit(cov_type="cluster", cov_kwds=groups, disp=0) if cluster else kind.fit(cov_type="HC1", disp=0)
    np.testing.assert_allclose(found.coef, fit.params, rtol=1e-6)
    if model == "logit" and cluster is None:  # statsmodels forgets the factor of HC1 in a logit
        np.testing.assert_allclose(found.se, fit.bse * np.sqrt(600 / 597), rtol=1e-6)
    else:
        np.testing.assert_allclose(found.se, fit.bse, rtol=1e-6)


@pytest.mark.parametrize("model", ["lm", "logit"])
def test_gold_only_has_the_survey_sandwich(fixture, model):
    found = gold_only(fixture, "y ~ x + z", model, ["y"], "pi")
    coded = fixture.dropna()
    X = np.column_stack([np.ones(len(coded)), coded["x"], coded["z"]])
    w = 1 / coded["pi"].to_numpy()
    p = X @ found.coef if model == "lm" else expit(X @ found.coef)
    curve = np.ones(len(p)) if model == "lm" else p * (1 - p)
    score = X * (w * (coded["y"].to_numpy() - p))[:, None]
    bread = np.linalg.inv(X.T @ (X * (w * curve)[:, None]))
    n, k = X.shape
    np.testing.assert_allclose(score.sum(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(found.cov, n / (n - k) * bread @ score.T @ score @ bread, rtol=1e-6)


def test_gold_only_sums_scores_within_clusters(fixture):
    found = gold_only(fixture, "y ~ x", "lm", ["y"], "pi", "cluster")
    coded = fixture.dropna()
    X = np.column_stack([np.ones(len(coded)), coded["x"]])
    w = 1 / coded["pi"].to_numpy()
    score = (
        pd.DataFrame(X * (w * (coded["y"].to_numpy() - X @ found.coef))[:, None])
        .groupby(coded["cluster"].to_numpy())
        .sum()
    )
    bread = np.linalg.inv(X.T @ (X * w[:, None]))
    n, k, c = *X.shape, len(score)
    expected = bread @ score.T.to_numpy() @ score.to_numpy() @ bread * c / (c - 1) * (n - 1) / (n - k)
    np.testing.assert_allclose(found.cov, expected, rtol=1e-6)


def simulated(seed, rows=1500, coded=250):
    """A true logit slope of 0.5; the machine is 90 % right, worse where x is large."""
    random = np.random.default_rng(seed)
    x = random.normal(size=rows)
    y = (random.random(rows) < expit(0.5 * x)).astype(float)
    right = random.random(rows) < 0.9 - 0.1 * np.sign(x) * np.where(y == 1, 1, -0.6)
    label = np.where(right, y, 1 - y)
    drawn = random.permutation(rows) < coded
    return pd.DataFrame({"x": x, "y": np.where(drawn, y, np.nan), "yhat": label})


def test_naive_intervals_miss_the_truth_and_corrected_ones_do_not():
    covered = {"naive": 0, "corrected": 0}
    slopes = []
    runs = 80
    for seed in range(runs):
        data = simulated(seed)
        fits = {
            "naive": naive(data, "y ~ x", "logit", ["y"], ["yhat"]),
            "corrected": dsl(data, "y ~ x", model="logit", **ONE_SPLIT),
        }
        for method, fit in fits.items():
            covered[method] += abs(fit.coef[1] - 0.5) < 1.96 * fit.se[1]
        slopes.append(fits["corrected"].coef[1])
    assert covered["naive"] / runs < 0.2
    assert 0.9 <= covered["corrected"] / runs <= 0.99
    assert np.mean(slopes) == pytest.approx(0.5, abs=0.04)


def test_unequal_probabilities_bias_a_mean_unless_they_are_given():
    random = np.random.default_rng(4)
    estimates = {None: [], "pi": []}
    for _ in range(30):
        y = (random.random(2000) < 0.3).astype(float)
        score = np.clip(y * 0.3 + random.random(2000) * 0.7, 0, 1)
        pi = np.where(score > 0.5, 0.3, 0.05)
        data = pd.DataFrame({"y": np.where(random.random(2000) < pi, y, np.nan), "yhat": 1 - score, "pi": pi})
        for prob, means in estimates.items():
            means.append(dsl_mean(data, "y", "yhat", sample_prob=prob, learner="raw").coef[0])
    assert np.mean(estimates["pi"]) == pytest.approx(0.3, abs=0.02)
    assert np.mean(estimates[None]) > 0.35


def test_probabilities_of_the_drawn_rows_alone_are_enough(fixture):
    everywhere = dsl(fixture, "y ~ x", sample_prob="pi", **RAW)
    drawn = fixture.assign(pi=fixture["pi"].where(fixture["y"].notna()))
    found = dsl(drawn, "y ~ x", sample_prob="pi", **RAW)
    np.testing.assert_allclose(found.coef, everywhere.coef, atol=0.25 * everywhere.se.min())
    equal = fixture.assign(pi=np.where(fixture["y"].notna(), 0.3, np.nan))
    np.testing.assert_allclose(
        dsl(equal, "y ~ x", sample_prob="pi", **RAW).coef, dsl(fixture, "y ~ x", **RAW).coef, rtol=1e-9
    )


def test_the_median_over_splits_is_reproducible_and_wider_than_no_split_at_all(fixture):
    arguments = {"predicted_var": ["y"], "prediction": ["yhat"], "sample_prob": "pi", "splits": 5}
    first, again = dsl(fixture, "y ~ x", **arguments), dsl(fixture, "y ~ x", **arguments)
    np.testing.assert_array_equal(first.coef, again.coef)
    np.testing.assert_allclose(np.sqrt(np.diag(first.cov)), first.se)
    other = dsl(fixture, "y ~ x", **arguments, seed=2)
    assert 0 < np.abs(first.coef - other.coef).max() < first.se.min()


@pytest.mark.parametrize(
    "learner",
    ["linear", LinearRegression, lambda: RandomForestClassifier(20, min_samples_leaf=10, random_state=1)],
)
def test_any_learner_gives_about_the_same_answer(fixture, learner):
    found = dsl(fixture, "y ~ x", sample_prob="pi", **ONE_SPLIT | {"learner": learner})
    raw = dsl(fixture, "y ~ x", sample_prob="pi", **RAW)
    np.testing.assert_allclose(found.coef, raw.coef, atol=2 * raw.se.max())
    assert (found.se < 1.3 * raw.se).all()


def test_interactions_with_a_predicted_covariate_use_the_prediction_in_the_product(fixture):
    data = fixture.assign(yx=fixture["y"] * fixture["x"], yhat_x=fixture["yhat"] * fixture["x"])
    product = dsl(data, "w ~ x * y", **RAW)
    by_hand = dsl(data, "w ~ x + y + yx", predicted_var=["y", "yx"], prediction=["yhat", "yhat_x"], learner="raw")
    assert product.names == ("Intercept", "x", "y", "x:y")
    np.testing.assert_allclose(product.coef, by_hand.coef, rtol=1e-8)
    np.testing.assert_allclose(product.se, by_hand.se, rtol=1e-8)


def test_transforms_and_categories_are_laid_out_alike_with_codes_and_predictions(fixture):
    data = fixture.assign(size=np.exp(fixture["x"]), kind=pd.Categorical(["a", "b", "c"] * 200, list("abcd")))
    data.loc[data["kind"] == "c", "y"] = np.nan  # a kind that nobody coded
    found = dsl(data, "y ~ np.log(size) + C(kind) + center(z)", **RAW)
    assert found.names == ("Intercept", "np.log(size)", "C(kind)[T.b]", "C(kind)[T.c]", "center(z)")
    assert np.isfinite(found.se).all()
    same = dsl(data, "y ~ x + C(kind) + z", **RAW)
    np.testing.assert_allclose(found.coef[1:], same.coef[1:], rtol=1e-8)


def test_the_table_has_normal_intervals_and_two_sided_p(fixture):
    found = dsl(fixture, "y ~ x", **RAW)
    line = found.frame().set_index("term").loc["x"]
    z = found.coef[1] / found.se[1]
    assert (line["low"], line["high"]) == pytest.approx(
        (line["estimate"] - 1.959964 * line["se"], line["estimate"] + 1.959964 * line["se"])
    )
    assert line["p"] == pytest.approx(2 * (1 - norm.cdf(abs(z))))


def test_no_intercept_where_the_formula_has_none(fixture):
    assert dsl(fixture, "y ~ 0 + x", **RAW).names == ("x",)


def test_two_predicted_variables_count_as_coded_only_together(fixture):
    data = fixture.assign(v=fixture["y"].shift(1), vhat=fixture["yhat"].shift(1))
    found = dsl(data, "y ~ v", predicted_var=["y", "v"], prediction=["yhat", "vhat"], splits=1)
    assert found.n_coded == int((data["y"].notna() & data["v"].notna()).sum())
    assert (found.n, found.n_dropped) == (599, 1)


@pytest.mark.parametrize("how", ["boolean", "object"])
def test_booleans_are_codes(fixture, how):
    codes = (
        fixture["y"].astype("boolean") if how == "boolean" else fixture["y"].map({1.0: True, 0.0: False}).astype(object)
    )
    found = dsl(fixture.assign(y=codes, yhat=fixture["yhat"] == 1), "y ~ x", **RAW)
    np.testing.assert_allclose(found.coef, dsl(fixture, "y ~ x", **RAW).coef)


def test_rows_without_a_covariate_or_a_prediction_are_dropped_and_counted(fixture):
    data = fixture.copy()
    data.loc[:9, "x"], data.loc[20:24, "yhat"] = np.nan, np.nan
    found = dsl(data, "y ~ x", **RAW)
    assert (found.n, found.n_dropped) == (585, 15)
    np.testing.assert_allclose(found.coef, dsl(data.dropna(subset=["x", "yhat"]), "y ~ x", **RAW).coef)


def test_large_and_small_units_do_not_matter_to_a_logit(fixture):
    scaled = fixture.assign(x=fixture["x"] * 1e6 + 2e6)
    found, plain = (dsl(data, "y ~ x", model="logit", **RAW) for data in (scaled, fixture))
    assert found.coef[1] * 1e6 == pytest.approx(plain.coef[1], rel=1e-6)
    assert found.se[1] * 1e6 == pytest.approx(plain.se[1], rel=1e-6)


def few(data):
    return data.assign(y=data["y"].where(np.arange(len(data)) < 20))


REFUSED = {
    "few codes": (few, {}, "at least 10 are needed.*Draw a random sample"),
    "one value": (lambda d: d.assign(y=d["y"] * 0), {}, "y = 0.*Code more rows"),
    "zero probability": (lambda d: d.assign(pi=0.0), {"sample_prob": "pi"}, "pi must lie above 0.*such as 0"),
    "large probability": (lambda d: d.assign(pi=d["pi"] * 100), {"sample_prob": "pi"}, "at most at 1"),
    "codes without probability": (
        lambda d: d.assign(pi=d["pi"].where(d["z"] > 0)),
        {"sample_prob": "pi"},
        "coded rows have no pi.*Leave out the codes",
    ),
    "collinear": (
        lambda d: d.assign(z=3 * d["x"] + 1),
        {},
        r"(x|z|Intercept) is a combination of .*Leave one",
    ),
    "constant at 0": (lambda d: d.assign(z=0), {}, "always 0 in these rows.*z"),
    "separation": (
        lambda d: d.assign(z=d["true_y"], yhat=d["true_y"]),
        {"model": "logit"},
        "separates the outcome",
    ),
    "folds": (
        lambda d: d.assign(cluster=d.index % 4),
        {"cluster": "cluster", "learner": "linear"},
        "fewer than the 5 folds",
    ),
    "constant among coded": (
        lambda d: d.assign(v=np.where(d["y"].notna(), 1.0, np.nan), vhat=d["x"] > 0),
        {"predicted_var": ["y", "v"], "prediction": ["yhat", "vhat"], "formula": "y ~ v"},
        "v = 1",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_designs_that_cannot_be_corrected_are_refused_with_what_to_do(fixture, case):
    change, arguments, message = REFUSED[case]
    arguments = {"formula": "y ~ x + z", **RAW, **arguments}
    with pytest.raises(DesignError, match=message):
        dsl(change(fixture), **arguments)


UNFIT = {
    "text codes": (lambda d: d.assign(y="yes"), {}, "recode 'y' to 0/1"),
    "text prediction": (lambda d: d.assign(yhat="no"), {}, "'yhat' holds text"),
    "infinite prediction": (lambda d: d.assign(yhat=np.inf), {}, "infinite"),
    "unknown prediction": (lambda d: d, {"prediction": ["yhatt"]}, "did you mean yhat"),
    "two for one": (lambda d: d, {"prediction": ["yhat", "x"]}, "name one for each"),
    "not in the formula": (lambda d: d, {"formula": "w ~ x"}, "'y' is not in the formula"),
    "unknown column": (lambda d: d, {"formula": "y ~ clustr"}, "'clustr'.*did you mean cluster"),
    "does not parse": (lambda d: d, {"formula": "y ~ (x"}, "does not parse.*Write it as"),
    "no outcome": (lambda d: d, {"formula": "~ y"}, "needs one outcome"),
    "unknown function": (lambda d: d, {"formula": "y ~ sine(x)"}, "sine.*A formula knows"),
    "log of zero": (
        lambda d: d.assign(x=0.0),
        {"formula": "y ~ log(x)"},
        "log\\(x\\) is missing or infinite in 600 rows",
    ),
    "predicted category": (lambda d: d, {"formula": "w ~ C(y)"}, "write y itself"),
    "text outcome": (lambda d: d.assign(w="a"), {"formula": "w ~ y"}, "outcome w is text"),
    "logit of a number": (lambda d: d, {"formula": "w ~ y", "model": "logit"}, "outcome of 0 and 1.*use lm"),
    "no complete row": (lambda d: d.assign(x=np.nan), {}, "no row is complete: x is empty"),
    "one fold": (lambda d: d, {"folds": 1}, "2 folds or more"),
}


@pytest.mark.parametrize("case", UNFIT)
def test_input_that_does_not_fit_is_refused_with_what_to_do(fixture, case):
    change, arguments, message = UNFIT[case]
    arguments = {"formula": "y ~ x", **RAW, **arguments}
    with pytest.raises(InputError, match=message):
        dsl(change(fixture), **arguments)


def test_an_ordinary_logit_with_separation_is_refused(fixture):
    with pytest.raises(DesignError, match="x tells y without an error"):
        ordinary(fixture.assign(y=(fixture["x"] > 0) * 1.0), "y ~ x", "logit")
