"""PPI++: the numbers of ppi-python, coverage, and what is refused."""

import doctest

import numba
import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from visanda.errors import DesignError, InputError
from visanda.study.correct import ppi as module
from visanda.study.correct.dsl import dsl
from visanda.study.correct.ppi import ppi
from visanda.study.regression.ordinary import ordinary

numba.config.DISABLE_JIT = True  # compiling takes a minute, the loops of an oracle a second
import ppi_py as theirs  # noqa: E402

numba.config.DISABLE_JIT = False

N_CODED, N = 300, 1800
CODED = np.arange(N) < N_CODED
LEVEL = {"alpha": 0.05}  # theirs is .1 by default


@pytest.fixture(scope="module")
def truth():
    random = np.random.default_rng(4)
    x = np.tile(random.normal(size=N_CODED), N // N_CODED)
    y, b = 1 + 0.5 * x + random.normal(size=N), (random.random(N) < expit(x - 0.3)) * 1.0
    c = random.poisson(np.exp(0.3 + 0.4 * x)) * 1.0
    return pd.DataFrame(
        {
            "x": x,
            "y": y,
            "b": b,
            "c": c,
            "said_y": y + 0.2 + 0.6 * random.normal(size=N),
            "said_b": np.clip(0.8 * b + 0.1 + 0.1 * random.normal(size=N), 0, 1),
            "said_c": np.maximum(c + 0.5 * random.normal(size=N), 0),
            "account": random.integers(0, 100, N),
        }
    )


@pytest.fixture(scope="module")
def coded(truth):
    return truth.assign(**{name: truth[name].where(CODED) for name in ("y", "b", "c")})


def arrays(truth, outcome):
    X, y, said = (
        np.column_stack([np.ones(N), truth["x"]]),
        truth[outcome].to_numpy(),
        truth[f"said_{outcome}"].to_numpy(),
    )
    return X[CODED], y[CODED], said[CODED], X[~CODED], said[~CODED]


def fitted(coded, formula, model, **more):
    outcome = formula[0]
    return ppi(coded, formula, model=model, predicted_var=outcome, prediction=f"said_{outcome}", **more)


def test_example():
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("lam", [None, 0.0, 0.5, 1.0])
def test_mean(truth, coded, lam):
    _, y, said, _, other = arrays(truth, "y")
    ours = fitted(coded, "y", "mean", lam=lam)
    assert ours.names == ("mean of y",)
    assert ours.coef[0] == pytest.approx(theirs.ppi_mean_pointestimate(y, said, other, lam=lam).item(), rel=1e-9)
    low, high = theirs.ppi_mean_ci(y, said, other, lam=lam, **LEVEL)
    frame = ours.frame()  # variances over n - 1, where theirs of a mean are over n
    np.testing.assert_allclose([frame.low[0], frame.high[0]], [low.item(), high.item()], atol=4e-3 * ours.se[0])


@pytest.mark.parametrize("lam", [None, 0.0, 0.5, 1.0])
@pytest.mark.parametrize("model, outcome", [("lm", "y"), ("logit", "b"), ("poisson", "c")])
def test_regressions(truth, coded, model, outcome, lam):
    """Covariates of the coded are as those of the others here; else theirs of lm is another one (see below)."""
    name = {"lm": "ols", "logit": "logistic", "poisson": "poisson"}[model]
    data = arrays(truth, outcome)
    ours = fitted(coded, f"{outcome} ~ x", model, lam=lam)
    point = getattr(theirs, f"ppi_{name}_pointestimate")(*data, lam=lam)
    low, high = getattr(theirs, f"ppi_{name}_ci")(*data, lam=lam, **LEVEL)
    np.testing.assert_allclose(ours.coef, point, atol=1e-6)
    frame = ours.frame()
    # theirs tunes lambda once more for the interval
    tolerance = 0.05 * ours.se.max() if lam is None else 1e-6
    np.testing.assert_allclose(frame.low, low, atol=tolerance)
    np.testing.assert_allclose(frame.high, high, atol=tolerance)


def test_lm_solves_one_equation_where_ppi_python_adds_two_regressions(truth, coded):
    """As the paper's loss; the two differ where covariates of coded and uncoded rows do, by a part of an error."""
    moved = coded.assign(x=coded["x"] + 0.1 * np.random.default_rng(1).normal(size=N))
    ours = fitted(moved, "y ~ x", "lm", lam=1.0)
    X, y, said, other_X, other = arrays(truth.assign(x=moved["x"]), "y")
    paper = np.linalg.solve(
        other_X.T @ other_X / len(other), other_X.T @ other / len(other) + X.T @ (y - said) / len(y)
    )
    np.testing.assert_allclose(ours.coef, paper, rtol=1e-9)
    assert np.abs(ours.coef - theirs.ppi_ols_pointestimate(X, y, said, other_X, other, lam=1.0)).max() < ours.se.max()


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_quantiles(truth, coded, share):
    _, y, said, _, other = arrays(truth, "y")
    ours = fitted(coded, "y", "quantile", quantile=share, lam=1)
    point = theirs.ppi_quantile_pointestimate(y, said, other, share, exact_grid=True)
    low, high = theirs.ppi_quantile_ci(y, said, other, share, exact_grid=True, **LEVEL)
    assert ours.coef[0] == pytest.approx(point, abs=0.2 * ours.se[0])  # theirs is nearest to the share, ours reaches it
    np.testing.assert_allclose(ours.frame()[["low", "high"]].to_numpy()[0], [low, high], atol=1e-9)


def test_tuning_narrows_and_useless_predictions_are_not_used(truth, coded):
    alone = ordinary(coded, "y ~ x")
    assert (fitted(coded, "y ~ x", "lm").se < alone.se).all()
    noise = coded.assign(said_y=np.random.default_rng(2).normal(size=N))
    found = fitted(noise, "y ~ x", "lm")
    assert found.lam < 0.1
    np.testing.assert_allclose(found.se, alone.se, rtol=0.1)
    constant = fitted(coded.assign(said_y=1.0), "y", "mean")
    assert constant.lam == 0 and constant.coef[0] == pytest.approx(coded["y"].mean())
    tuned = fitted(coded, "y", "quantile", quantile=0.5)
    gold = fitted(coded, "y", "quantile", quantile=0.5, lam=0)
    assert tuned.se[0] < gold.se[0]


def test_it_agrees_with_dsl(coded):
    for formula, model in (("y ~ x", "lm"), ("b ~ x", "logit"), ("c ~ x", "poisson")):
        ours = fitted(coded, formula, model)
        other = dsl(coded, formula, model=model, predicted_var=[formula[0]], prediction=[f"said_{formula[0]}"])
        assert (np.abs(ours.coef - other.coef) < other.se).all()
        np.testing.assert_allclose(ours.se, other.se, rtol=0.35)  # DSL also learns how predictions are scaled


@pytest.mark.parametrize("question", [("y", "mean", {}), ("y", "quantile", {"quantile": 0.5})])
def test_clusters_of_alike_rows_widen_and_clusters_of_one_do_not(coded, question):
    formula, model, more = question
    single = fitted(coded.assign(own=np.arange(N)), formula, model, cluster="own", lam=0.5, **more)
    plain = fitted(coded, formula, model, lam=0.5, **more)
    np.testing.assert_allclose(single.se, plain.se, rtol=5e-3)
    five = coded.loc[coded.index.repeat(5)].assign(row=lambda d: d.index).reset_index(drop=True)
    np.testing.assert_allclose(fitted(five, formula, model, cluster="row", lam=0.5, **more).se, plain.se, rtol=0.02)


def test_coverage():
    hits = []
    for seed in range(150):
        random = np.random.default_rng(seed)
        x = random.normal(size=800)
        y = (random.random(800) < expit(0.5 * x)) * 1.0
        said = np.where(random.random(800) < 0.85 - 0.1 * (x > 0), y, 1 - y)
        data = pd.DataFrame({"x": x, "y": np.where(np.arange(800) < 200, y, np.nan), "said": said})
        frame = ppi(data, "y ~ x", model="logit", predicted_var="y", prediction="said").frame()
        hits.append((frame.low <= [0, 0.5]) & (frame.high >= [0, 0.5]))
    assert (np.mean(hits, axis=0) > 0.9).all()


def test_what_is_refused(coded):
    unequal = coded.assign(pi=np.where(coded["x"] > 0, 0.2, 0.1))
    with pytest.raises(DesignError, match="use dsl"):
        fitted(unequal, "y ~ x", "lm", sample_prob="pi")
    with pytest.raises(InputError, match="dsl or debias"):
        ppi(coded, "x ~ y", model="lm", predicted_var="y", prediction="said_y")
    with pytest.raises(InputError, match="0 and 1"):
        fitted(coded, "y ~ x", "logit")
    with pytest.raises(InputError, match=r"quantile=0\.5"):
        fitted(coded, "y", "quantile")
    with pytest.raises(InputError, match="debias"):
        fitted(coded, "y ~ x", "negbin")
    with pytest.raises(InputError, match="lam"):
        fitted(coded, "y ~ x", "lm", lam=2)
    with pytest.raises(DesignError, match="all rows are coded"):
        fitted(coded[CODED], "y ~ x", "lm")
    with pytest.raises(InputError, match="no terms"):
        fitted(coded, "y ~ x", "mean")


def test_a_multiple_of_a_quantile_has_an_interval_around_it():
    random = np.random.default_rng(1)
    y = 5 + random.normal(size=300)
    data = pd.DataFrame({"said": y + random.normal(size=300) / 3, "y": np.where(np.arange(300) < 100, y, np.nan)})
    found = ppi(data, "y", model="quantile", quantile=0.5, predicted_var="y", prediction="said")
    turned = found.combined(turned={found.names[0]: -2}).frame().iloc[0]
    assert (turned["low"], turned["high"]) == pytest.approx((-2 * found.high, -2 * found.low))
    with pytest.raises(InputError, match="one number"):
        found.combined(once={found.names[0]: 1}, twice={found.names[0]: 2})
