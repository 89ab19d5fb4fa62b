"""Ordinary models beyond the families: equal to statsmodels and pyfixest, honest where data do not suffice."""

import doctest
from importlib import import_module

import numpy as np
import pandas as pd
import pyfixest
import pytest
import statsmodels.formula.api as smf
from scipy.optimize import approx_fprime
from statsmodels.miscmodels.ordinal_model import OrderedModel

from visanda.errors import DesignError, InputError
from visanda.study.regression import ordinal as proportional_odds
from visanda.study.regression.bootstrap import bootstrap
from visanda.study.regression.every import REGRESSIONS, regression
from visanda.study.regression.fixed import fepois
from visanda.study.regression.mixed import mixed, mixed_formula
from visanda.study.regression.multiple import adjusted, standardised
from visanda.study.regression.negbin import negbin
from visanda.study.regression.ordinal import ordinal
from visanda.study.regression.ordinary import ordinary

# Belenky et al. (2003), as in R's lme4: reaction times in ms of 18 people on days 0 to 9 without sleep
SLEEPSTUDY = """
249.5600 258.7047 250.8006 321.4398 356.8519 414.6901 382.2038 290.1486 430.5853 466.3535
222.7339 205.2658 202.9778 204.7070 207.7161 215.9618 213.6303 217.7272 224.2957 237.3142
199.0539 194.3322 234.3200 232.8416 229.3074 220.4579 235.4208 255.7511 261.0125 247.5153
321.5426 300.4002 283.8565 285.1330 285.7973 297.5855 280.2396 318.2613 305.3495 354.0487
287.6079 285.0000 301.8206 320.1153 316.2773 293.3187 290.0750 334.8177 293.7469 371.5811
234.8606 242.8118 272.9613 309.7688 317.4629 309.9976 454.1619 346.8311 330.3003 253.8644
283.8424 289.5550 276.7693 299.8097 297.1710 338.1665 332.0265 348.8399 333.3600 362.0428
265.4731 276.2012 243.3647 254.6723 279.0244 284.1912 305.5248 331.5229 335.7469 377.2990
241.6083 273.9472 254.4907 270.8021 251.4519 254.6362 245.4523 235.3110 235.7541 237.2466
312.3666 313.8058 291.6112 346.1222 365.7324 391.8385 404.2601 416.6923 455.8643 458.9167
236.1032 230.3167 238.9256 254.9220 250.7103 269.7744 281.5648 308.1020 336.2806 351.6451
256.2968 243.4543 256.2046 255.5271 268.9165 329.7247 379.4445 362.9184 394.4872 389.0527
250.5265 300.0576 269.8939 280.5891 271.8274 304.6336 287.7466 266.5955 321.5418 347.5655
221.6771 298.1939 326.8785 346.8555 348.7402 352.8287 354.4266 360.4326 375.6406 388.5417
271.9235 268.4369 257.2424 277.6566 314.8222 317.2135 298.1353 348.1229 340.2803 366.5131
225.2640 234.5235 238.9008 240.4730 267.5373 344.1937 281.1481 347.5855 365.1630 372.2288
269.8804 272.4428 277.8989 281.7895 279.1705 284.5120 259.2658 304.6306 350.7807 369.4692
269.4117 273.4740 297.5968 310.6316 287.1726 329.6076 334.4818 343.2199 369.1417 364.1236
"""


@pytest.fixture(scope="module")
def posts():
    """400 posts of 30 accounts in 10 countries: counts, a scale of four steps, a number."""
    random = np.random.default_rng(2)
    n = 400
    account, month = random.integers(0, 30, n), random.integers(0, 6, n)
    x, z = random.normal(size=n), 30 * random.normal(size=n)
    level = random.normal(size=30)[account]
    return pd.DataFrame(
        {
            "x": x,
            "z": z,
            "account": account,
            "country": account // 3,
            "month": month,
            "kind": random.choice(["meme", "news", "photo"], n),
            "shares": random.poisson(np.exp(0.5 + 0.4 * x + 0.01 * z) * random.gamma(1.4, 1 / 1.4, n)) * 1.0,
            "anger": np.digitize(0.8 * x - 0.01 * z + random.logistic(size=n), [-1, 0.5, 2]) + 1,
            "size": 1 + 2 * x + level + random.normal(size=n),
            "views": random.poisson(np.exp(0.3 * x + 0.3 * level + 0.1 * month)) * 1.0,
            "times": random.integers(1, 4, n),
        }
    )


@pytest.mark.parametrize(
    "module",
    [
        "bootstrap",
        "every",
        "formula",
        "likelihood",
        "mixed",
        "multiple",
        "negbin",
        "ordinal",
        "separation",
        "small_sample",
    ],
)
def test_examples(module):
    assert doctest.testmod(import_module(f"visanda.study.regression.{module}")).failed == 0


def test_negative_binomial_is_that_of_statsmodels(posts):
    def reference(**kind):
        return smf.negativebinomial("shares ~ x + z", posts).fit(
            disp=0, method="newton", maxiter=200, tol=1e-12, **kind
        )

    n, k = len(posts), 4
    ours, theirs = negbin(posts, "shares ~ x + z"), reference(cov_type="HC0")
    assert ours.names == ("Intercept", "x", "z", "alpha (dispersion)")
    np.testing.assert_allclose(ours.coef, theirs.params, rtol=1e-6)
    np.testing.assert_allclose(ours.se, theirs.bse * np.sqrt(n / (n - k)), rtol=1e-5)
    clustered = reference(cov_type="cluster", cov_kwds={"groups": posts["account"]})
    np.testing.assert_allclose(negbin(posts, "shares ~ x + z", cluster="account").se, clustered.bse, rtol=1e-5)


def test_ordinal_is_that_of_statsmodels(posts):
    theirs = OrderedModel(posts["anger"], posts[["x", "z"]], distr="logit").fit(
        method="bfgs", disp=0, gtol=1e-8, maxiter=1000
    )
    ours = ordinal(posts, "anger ~ x + z")
    assert ours.names == ("x", "z", "1|2", "2|3", "3|4")
    np.testing.assert_allclose(ours.coef[:2], theirs.params[:2], rtol=1e-5)
    cuts = theirs.model.transform_threshold_params(np.asarray(theirs.params))[1:-1]
    np.testing.assert_allclose(ours.coef[2:], cuts, rtol=1e-5)
    np.testing.assert_allclose(
        ours.se[:2], theirs.bse[:2], rtol=0.15
    )  # robust against of the model, which is true here


def test_derivatives_of_ordinal_are_those_of_its_likelihood(posts):
    X, y = posts[["x", "z"]].to_numpy(), posts["anger"].to_numpy() - 1
    at, weight = np.array([0.5, -0.02, -1.0, 0.2, 1.5]), posts["times"].to_numpy(float)
    peak = proportional_odds._at(at, X, y, weight, 4)
    slope = approx_fprime(at, lambda b: proportional_odds._at(b, X, y, weight, 4).value, 1e-7)
    np.testing.assert_allclose(weight @ peak.score, slope, rtol=1e-3)
    second = approx_fprime(at, lambda b: weight @ proportional_odds._at(b, X, y, weight, 4).score, 1e-7)
    np.testing.assert_allclose(-peak.curvature, second, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("fit, outcome", [(negbin, "shares"), (ordinal, "anger"), (REGRESSIONS["poisson"], "views")])
def test_a_weight_of_three_counts_as_three_rows(posts, fit, outcome):
    thrice = posts.loc[posts.index.repeat(posts["times"])]
    weighed = fit(posts, f"{outcome} ~ x + C(kind)", weights="times")
    np.testing.assert_allclose(weighed.coef, fit(thrice, f"{outcome} ~ x + C(kind)").coef, rtol=1e-6, atol=1e-9)


def test_ordered_categories_keep_their_order(posts):
    words = posts["anger"].map({1: "none", 2: "some", 3: "much", 4: "rage"})
    ordered = pd.Categorical(words, categories=["none", "some", "much", "rage"], ordered=True)
    found = ordinal(posts.assign(anger=ordered), "anger ~ x")
    assert found.names[1:] == ("none|some", "some|much", "much|rage")
    np.testing.assert_allclose(found.coef, ordinal(posts, "anger ~ x").coef)
    with pytest.raises(InputError, match="whose order"):
        ordinal(posts.assign(anger=words), "anger ~ x")


def test_sleepstudy():
    reaction = np.array(SLEEPSTUDY.split(), float).reshape(18, 10)
    rows = pd.DataFrame({"reaction": reaction.ravel(), "days": np.tile(np.arange(10), 18), "who": np.arange(180) // 10})
    found = mixed(rows, "reaction ~ days + (1 + days | who)")
    np.testing.assert_allclose(found.coef, [251.405, 10.467], atol=6e-4)
    np.testing.assert_allclose(found.se, [6.825, 1.546], atol=2e-3)
    np.testing.assert_allclose(found.spread["sd"], [24.741, 5.922, 25.592], atol=5e-3)
    assert found.correlation[0, 1] == pytest.approx(0.066, abs=2e-3)
    assert (found.groups, found.n) == (18, 180)
    # balanced: robust errors of the means of 18 people
    robust = mixed(rows, "reaction ~ days + (1 + days | who)", cluster="who").se
    np.testing.assert_allclose(robust, found.se, rtol=1e-3)


def test_mixed_models_take_groups_by_name_and_count_them(posts):
    by_formula = mixed(posts, "size ~ x + (1 | account)")
    np.testing.assert_allclose(mixed(posts, "size ~ x", groups="account").coef, by_formula.coef)
    reference = smf.mixedlm("size ~ x", posts, groups="account").fit(reml=True)
    np.testing.assert_allclose(by_formula.coef, reference.fe_params, rtol=1e-5)
    np.testing.assert_allclose(by_formula.se, reference.bse_fe, rtol=1e-4)
    twice = posts.assign(often=1 + posts["account"] % 2)
    again = pd.concat([twice, twice[twice["often"] == 2].assign(account=lambda d: d["account"] + 100)])
    counted = mixed(twice, "size ~ x + (1 | account)", weights="often")
    np.testing.assert_allclose(counted.coef, mixed(again, "size ~ x + (1 | account)").coef, rtol=1e-6)
    assert counted.n == len(posts)
    with pytest.raises(DesignError, match="whole groups"):
        mixed(posts, "size ~ x + (1 | account)", weights="times")
    with pytest.raises(InputError, match="names no groups"):
        mixed(posts, "size ~ x")


def test_random_parts_of_formulas():
    asked = mixed_formula("y ~ (0 + log(x) | `a b`) + z")
    assert (asked.fixed, asked.random, asked.group) == ("y ~ 1 + z", "0 + log(x)", "a b")
    with pytest.raises(InputError, match="random parts"):
        mixed_formula("y ~ x + (1 | a) + (1 | b)")


@pytest.mark.parametrize(
    "formula, cluster, coefficients",
    [
        ("size ~ x | month", "account", 1 + 6),
        ("size ~ x | account", "account", 1 + 1),
        ("size ~ x + z | account + month", "account", 2 + 6),
        ("size ~ x + z | account + month", "country", 2 + 6),
        ("size ~ x | account + country", "country", 1 + 1),
        ("size ~ x | account + month", "kind", 1 + 30 + 6 - 1),
    ],
)
def test_absorbed_effects_are_those_of_fixest(posts, formula, cluster, coefficients):
    """The factor by hand: pyfixest 0.60 mixes up which effect is nested where the cluster is among several of them."""
    theirs = pyfixest.feols(formula, posts, vcov={"CRV1": cluster}, ssc=pyfixest.ssc(k_adj=False), fixef_rm="none")
    ours = ordinary(posts, formula, cluster=cluster)
    np.testing.assert_allclose(ours.coef, theirs.coef(), rtol=1e-6)
    n = len(posts)
    np.testing.assert_allclose(ours.se, theirs.se() * np.sqrt((n - 1) / (n - coefficients)), rtol=1e-6)


@pytest.mark.parametrize("formula", ["size ~ x | account", "size ~ x + z | month"])
def test_errors_by_default_are_those_of_fixest(posts, formula):
    for cluster in ("account", None):
        theirs = pyfixest.feols(formula, posts, vcov={"CRV1": cluster} if cluster else "hetero", fixef_rm="none")
        np.testing.assert_allclose(ordinary(posts, formula, cluster=cluster).se, theirs.se(), rtol=1e-6)


def test_fixed_effects_poisson(posts):
    found = fepois(posts, "views ~ x | account + month", cluster="account")
    dummies = smf.poisson("views ~ x + C(account) + C(month)", posts).fit(disp=0, maxiter=100)
    assert found.coef[0] == pytest.approx(dummies.params["x"], rel=1e-5)
    theirs = pyfixest.fepois(
        "views ~ x | account + month", posts, vcov={"CRV1": "account"}, ssc=pyfixest.ssc(k_adj=False)
    )
    n = found.n
    assert found.se[0] == pytest.approx(theirs.se().iloc[0] * np.sqrt((n - 1) / (n - 1 - 6)), rel=1e-6)
    thrice = posts.loc[posts.index.repeat(posts["times"])]
    weighed = fepois(posts, "views ~ x | account", weights="times")
    assert weighed.coef[0] == pytest.approx(fepois(thrice, "views ~ x | account").coef[0], rel=1e-5)
    silent = posts.assign(views=posts["views"].where(posts["account"] != 3, 0.0))
    assert fepois(silent, "views ~ x | account").n == (posts["account"] != 3).sum()
    with pytest.raises(InputError, match="no fixed effects"):
        fepois(posts, "views ~ x")


def test_models_by_name(posts):
    assert set(REGRESSIONS) == {"lm", "logit", "poisson", "multinomial", "negbin", "ordinal", "mixed", "fepois"}
    np.testing.assert_allclose(
        regression("poisson")(posts, "views ~ x").coef, ordinary(posts, "views ~ x", "poisson").coef
    )
    with pytest.raises(InputError, match="negbin"):
        regression("negative binomial")


def test_what_is_refused(posts):
    random = np.random.default_rng(1)
    narrow = posts.assign(shares=random.binomial(5, 0.5, len(posts)))
    with pytest.raises(DesignError, match="use a poisson"):
        negbin(narrow, "shares ~ x")
    with pytest.raises(InputError, match="0 or more"):
        negbin(posts, "size ~ x")
    with pytest.raises(DesignError, match="absorb"):
        negbin(posts, "shares ~ x | account")
    with pytest.raises(DesignError, match="collinear"):
        ordinal(posts.assign(w=2 * posts["x"]), "anger ~ x + w")
    with pytest.raises(DesignError, match="separates"):
        ordinal(posts.assign(w=posts["anger"] > 2), "anger ~ w")
    with pytest.raises(DesignError, match="one cluster"):
        negbin(posts.assign(one=1), "shares ~ x", cluster="one")
    with pytest.raises(InputError, match="0 or below"):
        ordinal(posts.assign(w=0), "anger ~ x", weights="w")
    with pytest.raises(DesignError, match="rows for"):
        negbin(posts[:4], "shares ~ x + z")


@pytest.mark.parametrize("cluster", [None, "account"])
def test_the_bootstrap_scatters_as_the_sandwich_says(posts, cluster):
    found = bootstrap(posts, "size ~ x + C(kind)", model="lm", cluster=cluster, resamples=400)
    np.testing.assert_allclose(found.se, ordinary(posts, "size ~ x + C(kind)", cluster=cluster).se, rtol=0.2)
    frame = found.frame()
    np.testing.assert_allclose(frame["low"], np.quantile(found.drawn, 0.025, axis=0, method="weibull"))
    assert found.failed == 0 and found.warnings == []


def test_the_bootstrap_takes_any_function(posts):
    def median(table, weight):
        order = table["size"].to_numpy().argsort()
        share = weight[order].cumsum() / weight.sum()
        return ["median"], [table["size"].to_numpy()[order][np.searchsorted(share, 0.5)]]

    done = []
    found = bootstrap(
        posts, "size ~ 1", fit=median, resamples=200, progress=lambda count, total: done.append((count, total))
    )
    assert found.coef[0] == pytest.approx(posts["size"].median(), abs=0.05)
    assert found.se[0] == pytest.approx(1.2533 * posts["size"].std() / 20, rel=0.4)  # of a normal distribution
    assert done[-1] == (200, 200)
    same = bootstrap(posts, "size ~ 1", fit=median, resamples=200)
    np.testing.assert_array_equal(same.drawn, found.drawn)


def test_resamples_that_cannot_be_fitted_are_counted(posts):
    rare = posts.assign(rare=(np.arange(len(posts)) < 4).astype(float))
    lost = bootstrap(rare, "size ~ rare", model="lm", resamples=300)
    assert 0 < lost.failed < 15 and "could not be fitted" in lost.warnings[0]
    rare["rare"] = (np.arange(len(posts)) < 2).astype(float)
    with pytest.raises(DesignError, match="resamples cannot be fitted"):
        bootstrap(rare, "size ~ rare", model="lm", resamples=300)
    with pytest.raises(InputError, match="either model"):
        bootstrap(rare, "size ~ rare")


def test_many_tests():
    table = pd.DataFrame({"term": list("abcde"), "p": [0.01, 0.02, 0.03, np.nan, 0.5]})
    np.testing.assert_allclose(adjusted(table)["p_adjusted"], [0.04, 0.06, 0.06, np.nan, 0.5])
    np.testing.assert_allclose(adjusted(table, "bh")["p_adjusted"], [0.04, 0.04, 0.04, np.nan, 0.5])
    with pytest.raises(InputError, match="no p values"):
        adjusted(table.assign(p=2.0))


def test_standardised_coefficients_are_those_of_standardised_columns(posts):
    ready = posts[["size", "x", "z"]]
    ours = standardised(ordinary(posts, "size ~ x + z"), posts, "size ~ x + z")
    theirs = ordinary((ready - ready.mean()) / ready.std(), "size ~ x + z")
    assert ours.names == ("x", "z")
    np.testing.assert_allclose(ours.coef, theirs.coef[1:])
    np.testing.assert_allclose(ours.se, theirs.se[1:])
    kinds = standardised(ordinary(posts, "kind ~ z", "multinomial"), posts, "kind ~ z", outcome=False)
    assert kinds.names == ("news: z", "photo: z")


@pytest.mark.parametrize("seed", [1, 30, 138])
def test_groups_that_do_not_vary_leave_standard_errors(seed):
    """At a variance of 0, where the likelihood may curve either way, they are those of a linear model."""
    random = np.random.default_rng(seed)
    rows = pd.DataFrame({"who": random.integers(0, 4, 200), "x": random.normal(size=200), "y": random.normal(size=200)})
    found = mixed(rows, "y ~ x + (1 | who)")
    assert found.spread["sd"][0] < 0.1
    np.testing.assert_allclose(found.se, smf.ols("y ~ x", rows).fit().bse, rtol=0.05)


def test_combinations_of_bootstrapped_coefficients_have_percentiles_of_their_own():
    random = np.random.default_rng(1)
    posts = pd.DataFrame({"x": random.normal(size=80)}).assign(y=lambda d: 5 + 2 * d["x"] + random.normal(size=80))
    found = bootstrap(posts, "y ~ x", model="lm", resamples=200)
    turned, both = found.combined(turned={"x": -1}, both={"Intercept": 1, "x": 1}).frame().to_dict("records")
    one = found.frame().set_index("term").loc["x"]
    assert (turned["low"], turned["high"]) == pytest.approx((-one["high"], -one["low"]))
    assert both["low"] < found.coef.sum() < both["high"]
    assert len(found.combined(turned={"x": -1}).frame()) == 1


def test_intercepts_of_categories_are_no_tests():
    random = np.random.default_rng(1)
    posts = pd.DataFrame({"kind": random.choice(list("abc"), 200), "x": random.normal(size=200)})
    found = adjusted(ordinary(posts, "kind ~ x", "multinomial"))
    assert found["term"].tolist() == ["b: x", "c: x"]
    assert found["p_adjusted"].min() == pytest.approx(min(1.0, 2 * found["p"].min()))


def test_standard_deviations_are_those_of_all_rows_where_some_were_sought_out():
    random = np.random.default_rng(4)
    x = random.normal(size=6000)
    pi = np.where(x > 0, 0.6, 0.08)
    data = pd.DataFrame({"x": x, "pi": pi, "y": x + random.normal(size=6000)})
    coded = data.assign(y=data["y"].where(random.random(6000) < pi))
    fit = REGRESSIONS["lm"](data, "y ~ x")
    true = standardised(fit, data, "y ~ x").coef[0]
    assert standardised(fit, coded, "y ~ x", sample_prob="pi").coef[0] == pytest.approx(true, rel=0.05)
    assert standardised(fit, coded, "y ~ x").coef[0] < 0.9 * true


def test_dispersions_are_no_tests():
    random = np.random.default_rng(4)
    data = pd.DataFrame({"x": random.normal(size=300), "y": random.negative_binomial(2, 0.3, 300)})
    assert list(adjusted(REGRESSIONS["negbin"](data, "y ~ x"))["term"]) == ["x"]
