"""Maximum likelihood with a misclassified variable: brute force, limits, differential error, what is refused."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import norm, poisson

from visanda.errors import DesignError, InputError
from visanda.study.correct import likelihood as module
from visanda.study.correct.likelihood import likelihood
from visanda.study.regression.ordinary import naive, ordinary

X = {"predicted_var": "x", "prediction": "said"}


def drawn(seed, model="lm", n=2000, coded=300):
    """A covariate x coded by a machine that finds it more often where the outcome is high."""
    random = np.random.default_rng(seed)
    z = random.normal(size=n)
    x = (random.random(n) < expit(-0.4 + 0.6 * z)) * 1.0
    eta = 0.3 + 0.5 * x - 0.4 * z
    y = {
        "lm": lambda: eta + random.normal(size=n),
        "poisson": lambda: random.poisson(np.exp(eta)) * 1.0,
        "logit": lambda: (random.random(n) < expit(eta)) * 1.0,
    }[model]()
    said = (random.random(n) < expit(-2.2 + 3 * x + 0.7 * y - 0.2 * x * y)) * 1.0
    coded_x = np.where(np.arange(n) < coded, x, np.nan)
    return pd.DataFrame({"y": y, "z": z, "x": coded_x, "said": said, "true": x, "video": np.arange(n) // 4})


def outcome(seed, n=2000, coded=300):
    """An outcome y coded by a machine of 90 % accuracy whose errors depend on x, as in shared/reference."""
    random = np.random.default_rng(seed)
    x = random.normal(size=n)
    y = (random.random(n) < expit(-0.3 + 0.5 * x)) * 1.0
    wrong = random.random(n) < expit(-2.4 + np.where(y == 1, 0.8, -0.8) * x)
    return pd.DataFrame({"x": x, "y": np.where(np.arange(n) < coded, y, np.nan), "said": np.where(wrong, 1 - y, y)})


DENSITY = {
    "lm": lambda y, eta, t: norm.logpdf(y, eta, np.exp(t)),
    "poisson": lambda y, eta, t: poisson.logpmf(y, np.exp(eta)),
    "logit": lambda y, eta, t: np.log(np.where(y == 1, expit(eta), 1 - expit(eta))),
}


class TestBruteForce:
    """The same likelihood, written out row by row and maximised without derivatives."""

    @pytest.mark.parametrize("model", ["lm", "poisson", "logit"])
    def test_covariate(self, model, monkeypatch):
        monkeypatch.setattr(module, "PRIOR_SD", np.inf)
        data = drawn(1, model, n=600, coded=200)
        y, z, w, known = (data[name].to_numpy() for name in ("y", "z", "said", "x"))

        def joint(theta, x):
            b, t, a, c = theta[:3], theta[3], theta[4:9], theta[9:]
            errors = a[0] + a[1] * x + a[2] * y + a[3] * z + a[4] * x * y
            of_x = expit(c[0] + c[1] * z)
            return (
                DENSITY[model](y, b[0] + b[1] * x + b[2] * z, t)
                + np.log(np.where(w == 1, expit(errors), 1 - expit(errors)))
                + np.log(of_x if x == 1 else 1 - of_x)
            )

        def loss(theta):
            zero, one = np.exp(joint(theta, 0.0)), np.exp(joint(theta, 1.0))
            return -np.log(np.where(np.isnan(known), zero + one, np.where(known == 1, one, zero))).mean()

        start = np.zeros(11)
        start[5] = 3.0
        brute = minimize(loss, start, method="BFGS", options={"gtol": 1e-7, "maxiter": 500}).x[:3]
        assert likelihood(data, "y ~ x + z", model=model, **X).coef == pytest.approx(brute, abs=2e-4)

    def test_outcome(self, monkeypatch):
        monkeypatch.setattr(module, "PRIOR_SD", np.inf)
        data = outcome(1, n=600, coded=200)
        x, w, known = (data[name].to_numpy() for name in ("x", "said", "y"))

        def joint(theta, y):
            errors = theta[2] + theta[3] * y + theta[4] * x + theta[5] * x * y
            p, q = expit(theta[0] + theta[1] * x), expit(errors)
            return (p if y else 1 - p) * np.where(w == 1, q, 1 - q)

        def loss(theta):
            zero, one = joint(theta, 0), joint(theta, 1)
            return -np.log(np.where(np.isnan(known), zero + one, np.where(known == 1, one, zero))).mean()

        brute = minimize(loss, [0, 0, -2, 4, 0, 0], method="BFGS", options={"gtol": 1e-7}).x[:2]
        found = likelihood(data, "y ~ x", model="logit", predicted_var="y", prediction="said")
        assert found.coef == pytest.approx(brute, abs=2e-4)

    @pytest.mark.parametrize("model", ["lm", "poisson", "logit"])
    def test_the_score_is_the_derivative_of_the_likelihood(self, model):
        data = drawn(2, model, n=300, coded=100)
        rows = module.coded_rows(data, "y ~ x * z", ["x"], ["said"], None, None)
        asked = module._lay_out(rows, "y ~ x * z", model, "x", "said")
        theta = np.random.default_rng(1).normal(0, 0.3, len(asked.prior))
        steps = 1e-6 * np.eye(len(theta))
        slope = [(asked.loss(theta + step)[0] - asked.loss(theta - step)[0]) / 2e-6 for step in steps]
        assert asked.loss(theta)[1] == pytest.approx(slope, abs=1e-6)


class TestOrdinaryLimits:
    @pytest.mark.parametrize("model", ["lm", "poisson", "logit"])
    def test_with_all_rows_coded_it_is_the_ordinary_model(self, model):
        data = drawn(3, model, n=800, coded=800)
        ours, theirs = likelihood(data, "y ~ x + z", model=model, **X), ordinary(data, "y ~ x + z", model)
        assert ours.coef == pytest.approx(theirs.coef, abs=1e-7)
        assert ours.se == pytest.approx(theirs.se * np.sqrt(797 / 800), rel=1e-5)

    def test_with_all_rows_coded_clusters_are_those_of_the_ordinary_model(self):
        data = drawn(3, n=800, coded=800)
        ours = likelihood(data, "y ~ x + z", cluster="video", **X)
        theirs = ordinary(data, "y ~ x + z", cluster="video")
        assert ours.se == pytest.approx(theirs.se * np.sqrt(199 / 200 * 797 / 799), rel=1e-5)

    def test_a_machine_without_errors_gives_the_ordinary_model_of_its_labels(self):
        data = drawn(4)
        data["said"] = data["true"]
        ours = likelihood(data, "y ~ x + z", **X)
        theirs = ordinary(data.assign(x=data["true"]), "y ~ x + z")
        assert ours.coef == pytest.approx(theirs.coef, abs=0.02)
        assert ours.se == pytest.approx(theirs.se, rel=0.1)

    def test_probabilities_count_as_the_labels_they_round_to(self):
        data = drawn(5)
        data["p"] = np.where(data["said"] == 1, 0.5, 0.49)
        assert likelihood(data, "y ~ x", predicted_var="x", prediction="p").coef == pytest.approx(
            likelihood(data, "y ~ x", **X).coef
        )

    def test_units_of_the_table_do_not_matter(self):
        data = drawn(6)
        year = data.assign(z=2000 + 1000 * data["z"])
        a, b = (likelihood(one, "y ~ x + z", **X) for one in (data, year))
        assert b.coef[1] == pytest.approx(a.coef[1], abs=1e-6)
        assert b.se[2] * 1000 == pytest.approx(a.se[2], rel=1e-4)


class TestDifferentialError:
    def test_covariate(self):
        fits = [likelihood(drawn(seed), "y ~ x + z", **X) for seed in range(40)]
        z = np.array([(fit.coef[1] - 0.5) / fit.se[1] for fit in fits])
        wrong = np.mean([naive(drawn(seed), "y ~ x + z", "lm", ["x"], ["said"]).coef[1] for seed in range(10)])
        assert np.mean(np.abs(z) < 1.96) >= 0.88
        assert abs(z.mean()) < 0.45
        assert wrong > 0.62  # the machine finds x where y is high

    def test_outcome(self):
        ask = {"model": "logit", "predicted_var": "y", "prediction": "said"}
        fits = [likelihood(outcome(seed), "y ~ x", **ask) for seed in range(40)]
        z = np.array([(fit.coef[1] - 0.5) / fit.se[1] for fit in fits])
        wrong = np.mean([naive(outcome(seed), "y ~ x", "logit", ["y"], ["said"]).coef[1] for seed in range(10)])
        assert np.mean(np.abs(z) < 1.96) >= 0.88
        assert abs(z.mean()) < 0.45
        assert wrong < 0.3

    def test_rows_may_be_coded_by_what_the_machine_and_the_outcome_say(self):
        """Coded far more often where the machine finds x and y is high: no sampling probability is needed."""
        z = []
        for seed in range(25):
            data, random = drawn(seed, coded=2000), np.random.default_rng(1000 + seed)
            chance = 0.05 + 0.2 * data["said"] + 0.15 * (data["y"] > 0)
            fit = likelihood(data.assign(x=data["x"].where(random.random(2000) < chance)), "y ~ x + z", **X)
            z.append((fit.coef[1] - 0.5) / fit.se[1])
        assert np.mean(np.abs(z) < 1.96) >= 0.86
        assert abs(np.mean(z)) < 0.5

    def test_it_is_surer_than_the_codes_alone(self):
        data = drawn(7)
        assert likelihood(data, "y ~ x + z", **X).se[1] < 0.9 * ordinary(data, "y ~ x + z").se[1]

    def test_interactions(self):
        random, data = np.random.default_rng(108), drawn(8, n=8000, coded=1500)
        data["y"] = 0.5 * data["true"] + 0.7 * data["true"] * data["z"] + random.normal(size=8000)
        fit = likelihood(data, "y ~ x * z", **X)
        assert fit.names == ("Intercept", "x", "z", "x:z")
        assert fit.coef == pytest.approx([0, 0.5, 0, 0.7], abs=0.15)


class TestRefused:
    def test_codes_that_are_not_0_and_1(self):
        data = drawn(1)
        with pytest.raises(InputError, match="must be coded 0 and 1"):
            likelihood(data.assign(x=data["x"] + 1), "y ~ x", **X)
        with pytest.raises(InputError, match="must be coded 0 and 1"):
            likelihood(data.assign(x=data["x"].map({0: "no", 1: "yes"})), "y ~ x", **X)

    def test_predictions(self):
        data = drawn(1)
        with pytest.raises(DesignError, match="tells nothing"):
            likelihood(data.assign(said=0), "y ~ x", **X)
        with pytest.raises(InputError, match="or a probability"):
            likelihood(data.assign(said=3 * data["said"]), "y ~ x", **X)
        with pytest.raises(InputError, match="did you mean said"):
            likelihood(data, "y ~ x", predicted_var="x", prediction="sayd")

    def test_models(self):
        with pytest.raises(InputError, match="lm, logit and poisson"):
            likelihood(drawn(1), "y ~ x", model="probit", **X)
        with pytest.raises(DesignError, match="fixed effects"):
            likelihood(drawn(1), "y ~ x | video", **X)
        with pytest.raises(InputError, match="needs an outcome of 0 and 1"):
            likelihood(drawn(1), "y ~ x", model="logit", **X)
        with pytest.raises(DesignError, match="use model='logit'"):
            likelihood(outcome(1), "y ~ x", predicted_var="y", prediction="said")
        with pytest.raises(InputError, match="both sides"):
            likelihood(outcome(1), "y ~ x + y", model="logit", predicted_var="y", prediction="said")

    def test_designs(self):
        data = drawn(1)
        with pytest.raises(DesignError, match="0 of the complete rows are coded"):
            likelihood(data.assign(x=np.nan), "y ~ x", **X)
        with pytest.raises(DesignError, match="collinear"):
            likelihood(data.assign(two=2 * data["z"]), "y ~ x + z + two", **X)
        with pytest.raises(DesignError, match="one cluster"):
            likelihood(data.assign(one=1), "y ~ x", cluster="one", **X)

    def test_separation(self):
        data = outcome(1, coded=2000)
        data["y"] = (data["x"] > 0) * 1.0
        with pytest.raises(DesignError, match="no maximum"):
            likelihood(data, "y ~ x", model="logit", predicted_var="y", prediction="said")

    def test_an_outcome_without_noise(self):
        data = drawn(1)
        with pytest.raises(DesignError, match="explains all of it"):
            likelihood(data.assign(y=data["z"] + data["true"]), "y ~ x + z", **X)

    def test_missing_covariates_are_counted(self):
        data = drawn(1)
        data.loc[[0, 500], "z"] = np.nan
        fit = likelihood(data, "y ~ x + z", **X)
        assert (fit.n, fit.n_coded, fit.n_dropped) == (1998, 299, 2)
