"""estimate beyond the linear and the logit: categories, counts, fixed effects, weights, marginal effects."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

from visanda.errors import DesignError, InputError
from visanda.study import dsl, estimate, ordinary, shares_by
from visanda.study.correct.margins import dsl_margins, ordinary_margins

CORRECTED = "corrected (DSL)"


@pytest.fixture(scope="module")
def posts():
    """3,000 posts of three kinds; the machine errs more often where x is large, and coders saw a seventh of them."""
    random = np.random.default_rng(3)
    n = 3000
    x, city = random.normal(size=n), random.integers(0, 12, n)
    kinds = np.array(["march", "rally", "strike"])
    eta = np.stack([np.zeros(n), 0.3 + 0.6 * x, -0.4 - 0.5 * x], axis=1)
    shares = np.exp(eta) / np.exp(eta).sum(axis=1, keepdims=True)
    kind = np.array([random.choice(3, p=p) for p in shares])
    wrong = random.random(n) < np.where(x > 0, 0.3, 0.1)
    said = np.where(wrong, (kind + random.integers(1, 3, n)) % 3, kind)
    pi = np.where(x > 0.5, 0.25, 0.12)
    drawn = random.random(n) < pi
    data = pd.DataFrame({"x": x, "city": city, "pi": pi, "said": kinds[said], "true_kind": kinds[kind]})
    data["kind"] = data["true_kind"].where(drawn)
    for place, name in enumerate(kinds):
        data[f"p_{name}"] = np.where(said == place, 0.8, 0.1)
    data["likes"] = random.poisson(np.exp(0.5 + 0.4 * (kind == 2) + 0.2 * x)).astype(float)
    data["size"] = 1 + 0.8 * (kind == 1) + 0.5 * x + 0.3 * city + random.normal(size=n)
    data["rally"] = (data["kind"] == "rally").astype(float).where(drawn)
    data["true_rally"] = (kind == 1) * 1.0
    return data


KIND = {"predicted_var": "kind", "prediction": "said", "sample_prob": "pi", "splits": 2, "truth": {"kind": "true_kind"}}
CHANCES = {"march": "p_march", "rally": "p_rally", "strike": "p_strike"}


def by(found, method):
    return found.table[found.table["method"] == method].set_index("term")


def test_shares_of_several_categories(posts):
    found = estimate(posts, "kind", **KIND)
    ours, truth = by(found, CORRECTED), by(found, "truth")
    assert list(ours.index) == ["share of march", "share of rally", "share of strike"]
    assert ours["estimate"].sum() == pytest.approx(1, abs=1e-6)
    assert (abs(ours["estimate"] - truth["estimate"]) < 2.5 * ours["se"]).all()
    assert (abs(by(found, "naive")["estimate"] - truth["estimate"]) > 2 * by(found, "naive")["se"]).any()


def test_labels_and_probabilities_of_categories_are_both_predictions(posts):
    labels = by(estimate(posts, "kind", **KIND), CORRECTED)
    chances = by(estimate(posts, "kind", **{**KIND, "prediction": CHANCES}), CORRECTED)
    np.testing.assert_allclose(labels["estimate"], chances["estimate"], atol=0.01)


def test_a_category_explains(posts):
    found = estimate(posts, "likes ~ kind + x", model="poisson", **KIND)
    ours, truth, naive = by(found, CORRECTED), by(found, "truth"), by(found, "naive")
    assert list(ours.index) == ["Intercept", "kind[T.rally]", "kind[T.strike]", "x"]
    assert (abs(ours["estimate"] - truth["estimate"]) < 2.5 * ours["se"]).all()
    assert truth.loc["kind[T.strike]", "estimate"] - naive.loc["kind[T.strike]", "estimate"] > 0.08
    assert (ours["se"] < by(found, "gold only")["se"]).all()


def test_a_category_is_explained_as_statsmodels_does(posts):
    found = estimate(posts, "kind ~ x", **KIND)
    assert found.provenance["model"] == "multinomial"
    ours, truth = by(found, CORRECTED), by(found, "truth")
    oracle = sm.MNLogit(posts["true_kind"], sm.add_constant(posts[["x"]])).fit(disp=0)
    np.testing.assert_allclose(truth["estimate"], oracle.params.to_numpy().T.ravel(), atol=1e-5)
    assert list(ours.index) == ["rally: Intercept", "rally: x", "strike: Intercept", "strike: x"]
    assert (abs(ours["estimate"] - truth["estimate"]) < 2.5 * ours["se"]).all()


def test_interactions_of_a_predicted_category(posts):
    found = estimate(posts, "size ~ kind * x", **KIND)
    ours, truth = by(found, CORRECTED), by(found, "truth")
    assert (abs(ours["estimate"] - truth["estimate"]) < 3 * ours["se"]).all()


def test_a_poisson_is_that_of_statsmodels(posts):
    oracle = smf.poisson("likes ~ x + size", posts).fit(disp=0, cov_type="HC0")
    found = ordinary(posts, "likes ~ x + size", "poisson")
    n, k = len(posts), len(found.names)
    line = found.frame().set_index("term").loc[oracle.params.index]
    np.testing.assert_allclose(line["estimate"], oracle.params, atol=1e-7)
    np.testing.assert_allclose(line["se"], oracle.bse * np.sqrt(n / (n - k)), rtol=1e-4)


RALLY = {"predicted_var": ["rally"], "prediction": ["p_rally"], "sample_prob": "pi", "splits": 2}


@pytest.mark.parametrize("formula", ["size ~ rally + x | city", "size ~ rally * x | city + month"])
def test_absorbed_effects_are_dummies(posts, formula):
    months = posts.assign(month=np.arange(len(posts)) % 7)
    main, effects = formula.split(" | ")
    dummies = main + "".join(f" + C({name})" for name in effects.split(" + "))
    one, other = (dsl(months, text, **RALLY, learner="raw", cluster="city") for text in (formula, dummies))
    kept = [other.names.index(name) for name in one.names]
    np.testing.assert_allclose(one.coef, other.coef[kept], atol=1e-7)
    np.testing.assert_allclose(one.se, other.se[kept], rtol=1e-6)
    plain, spelt = (ordinary(months.assign(rally=months["true_rally"]), text, "lm") for text in (formula, dummies))
    np.testing.assert_allclose(plain.coef, spelt.coef[kept], atol=1e-7)
    np.testing.assert_allclose(plain.se, spelt.se[kept], rtol=1e-6)


def test_fixed_effects_in_estimate(posts):
    found = estimate(posts, "size ~ rally + x | city", model="fe", truth={"rally": "true_rally"}, **RALLY)
    ours, truth = by(found, CORRECTED), by(found, "truth")
    assert list(ours.index) == ["rally", "x"]
    assert abs(ours.loc["rally", "estimate"] - truth.loc["rally", "estimate"]) < 3 * ours.loc["rally", "se"]
    assert any("fixed effects" in text for text in found.words)


def test_marginal_effects_of_one_table_are_those_of_statsmodels(posts):
    data = posts.assign(rally=posts["true_rally"])
    ours = ordinary_margins(data, "rally ~ x + likes", "logit")
    oracle = sm.Logit(data["rally"], sm.add_constant(data[["likes", "x"]])).fit(disp=0, cov_type="HC0").get_margeff()
    assert ours.names == ("likes", "x")
    np.testing.assert_allclose(ours.coef, oracle.margeff, rtol=1e-5)
    # statsmodels takes the units as given; ours also counts that they are a sample
    np.testing.assert_allclose(ours.se, oracle.margeff_se, rtol=0.05)


def test_corrected_marginal_effects_are_near_the_true_ones(posts):
    found = estimate(posts, "rally ~ x + likes", margins=True, truth={"rally": "true_rally"}, **RALLY)
    table = found.also[0].table
    ours, truth = (table[table["method"] == method].set_index("term") for method in (CORRECTED, "truth"))
    assert (abs(ours["estimate"] - truth["estimate"]) < 2.5 * ours["se"]).all()
    assert "points of probability" in found.also[0].words[0].lower()


def test_the_margin_of_a_linear_model_is_its_coefficient(posts):
    fit = dsl(posts, "size ~ rally + x", **RALLY)
    margins = dsl_margins(posts, "size ~ rally + x", model="lm", **RALLY)
    np.testing.assert_allclose(margins.coef, fit.coef[1:], rtol=1e-6)
    np.testing.assert_allclose(margins.se, fit.se[1:], rtol=1e-6)


def test_linear_combinations(posts):
    fit = dsl(posts, "size ~ rally * x", **RALLY)
    slope = fit.combined(among_rallies={"x": 1, "rally:x": 1})
    place = [fit.names.index("x"), fit.names.index("rally:x")]
    assert slope.coef[0] == pytest.approx(fit.coef[place].sum())
    assert slope.se[0] == pytest.approx(np.sqrt(fit.cov[np.ix_(place, place)].sum()))
    assert fit.joint_p(["x"]) == pytest.approx(fit.frame().set_index("term").loc["x", "p"])
    with pytest.raises(InputError, match="no term z"):
        fit.combined(odd={"z": 1})


def test_where_all_rows_are_coded_the_correction_is_the_ordinary_model(posts):
    whole = posts.assign(rally=posts["true_rally"])
    for formula, model in (("size ~ rally + x", "lm"), ("rally ~ x", "logit"), ("size ~ rally + x | city", "lm")):
        corrected = dsl(whole, formula, model=model, predicted_var=["rally"], prediction=["p_rally"], splits=1)
        np.testing.assert_allclose(corrected.coef, ordinary(whole, formula, model).coef, atol=1e-8)


@pytest.mark.parametrize("said", [0.5, "true_rally"])
def test_useless_and_perfect_predictions_are_no_obstacle(posts, said):
    data = posts.assign(machine=posts[said] if isinstance(said, str) else said)
    for formula in ("size ~ rally + x", "rally ~ x"):
        arguments = {"predicted_var": "rally", "prediction": "machine", "sample_prob": "pi", "splits": 2}
        found = estimate(data, formula, truth={"rally": "true_rally"}, **arguments)
        ours, truth = by(found, CORRECTED), by(found, "truth")
        assert (abs(ours["estimate"] - truth["estimate"]) < 3 * ours["se"]).all()
        if said != 0.5:
            assert (ours["se"] < 1.05 * truth["se"]).all()


def test_weights_of_rows_are_those_of_repeated_rows(posts):
    some = posts.iloc[:1200].assign(counts=np.where(np.arange(1200) < 400, 2.0, 1.0))
    twice = pd.concat([some, some.iloc[:400]], ignore_index=True)
    arguments = {"predicted_var": ["rally"], "prediction": ["p_rally"], "learner": "raw"}
    one = ordinary(some.assign(rally=some["true_rally"]), "size ~ rally + x", weights="counts")
    other = ordinary(twice.assign(rally=twice["true_rally"]), "size ~ rally + x")
    np.testing.assert_allclose(one.coef, other.coef, atol=1e-9)
    weighted = dsl(some, "size ~ rally + x", sample_prob="pi", weights="counts", **arguments)
    plain = dsl(some, "size ~ rally + x", sample_prob="pi", **arguments)
    assert not np.allclose(weighted.coef, plain.coef)


def test_a_category_that_was_never_coded_is_left_out(posts):
    rare = posts.assign(said=posts["said"].where(posts.index > 5, "vigil"))
    found = estimate(rare, "likes ~ kind + x", model="poisson", **KIND)
    assert "kind[T.vigil]" not in set(by(found, CORRECTED).index)


def test_an_observed_category_that_was_never_coded_does_not_stop_the_correction(posts):
    place = posts["city"].astype(str)
    nobody = posts.assign(place=place.where(posts["kind"].notna() | (posts.index % 10 > 0), "nowhere"))
    found = estimate(nobody, "size ~ rally + place", **RALLY)
    assert "place[T.nowhere]" in set(by(found, CORRECTED).index)
    assert "place[T.nowhere]" not in set(by(found, "gold only").index)
    assert any("nowhere" in text and "not coded once" in text for text in found.warnings)


@pytest.mark.parametrize(
    ("formula", "change", "error", "message"),
    [
        ("size ~ rally | city", {"model": "poisson"}, InputError, "poisson needs an outcome of 0 or more"),
        ("likes ~ rally | city", {"model": "poisson"}, DesignError, "cannot absorb fixed effects"),
        ("size ~ rally + y2 | city", {}, DesignError, "does not vary within the fixed effects"),
        ("size ~ rally", {"model": "fe"}, InputError, r"right of a \|"),
        ("size ~ rally | log(x)", {}, InputError, r"right of the \| stand columns"),
        ("size ~ rally", {"weights": "none"}, InputError, "is 0 or below"),
        ("size ~ rally + x + I(2 * x)", {}, DesignError, "collinear"),
        ("kind ~ x", {"predicted_var": "kind", "prediction": {"march": "p_march"}}, InputError, "no probability"),
        ("size ~ rally", {"cluster": "one"}, DesignError, "lie in one cluster"),
        ("size ~ rally", {"method": "ols"}, InputError, "choose auto"),
        ("size ~ rally", {"method": "ppi"}, DesignError, "simple random sample"),
    ],
)
def test_what_does_not_fit_is_refused(posts, formula, change, error, message):
    data = posts.assign(y2=posts["city"] * 2.0, none=0.0, one=1)
    with pytest.raises(error, match=message):
        estimate(data, formula, **{**RALLY, **change})


def test_a_machine_that_says_the_same_everywhere_has_no_spread_to_compare_with(posts):
    found = estimate(posts.assign(never=0.0), "rally", predicted_var="rally", prediction="never", sample_prob="pi")
    assert by(found, "naive")["se"].tolist() == [0.0]
    assert "times as large" not in " ".join(found.words)
    assert found.figure is not None


def test_shares_by_group_are_those_of_each_group(posts):
    found = shares_by(posts, "rally", by=["city"], prediction="p_rally", sample_prob="pi", splits=1)
    one = posts[posts["city"] == 3]
    alone = estimate(one, "rally", predicted_var="rally", prediction="p_rally", sample_prob="pi", splits=1)
    ours = found.table[(found.table["group"] == "3") & (found.table["method"] == CORRECTED)]["estimate"].item()
    assert ours == pytest.approx(by(alone, CORRECTED)["estimate"].item())
    truth = posts.groupby("city")["true_rally"].mean()
    wide = found.table[found.table["method"] == CORRECTED].set_index("group")
    off = (wide["estimate"] - truth.set_axis(truth.index.astype(str))).abs() / wide["se"]
    assert off.median() < 1.5


def test_groups_without_codes_are_named(posts):
    lonely = posts.assign(place=np.where(posts.index < 4, "nowhere", "here"))
    found = shares_by(lonely, "rally", by=["place"], prediction="p_rally", sample_prob="pi", splits=1)
    assert set(found.table["group"]) == {"here"}
    assert any(text.startswith("No corrected share of nowhere") for text in found.warnings)


def test_a_negative_binomial_a_mixed_model_and_clusters_in_one_call(posts):
    known = {**RALLY, "resamples": 60}
    negbin = estimate(posts, "likes ~ rally + x", model="negbin", **known)
    assert negbin.provenance["method"] == "debias"
    assert any("Predict-then-debias was chosen" in text for text in negbin.words)
    assert (by(negbin, "corrected (predict-then-debias)")["se"] > 0).all()
    ppi = estimate(posts.assign(pi=0.2), "rally ~ x", method="ppi", **{**RALLY, "sample_prob": "equal"})
    assert "corrected (PPI++)" in set(ppi.table["method"])
    with pytest.raises(DesignError, match="no weights of rows yet"):
        estimate(posts.assign(w=1.0), "likes ~ rally", model="negbin", weights="w", **known)
