"""Leaving units out: exact for linear models, with fixed effects too, and the textbook bias of a logit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.special import expit

from visanda.errors import DesignError, InputError
from visanda.study import dsl
from visanda.study.regression.absorb import absorb
from visanda.study.regression.families import LM, LOGIT, MULTINOMIAL, POISSON, Family
from visanda.study.regression.jackknife import drawn, jackknifed
from visanda.study.regression.moments import Rows, influence, information, sandwich, solve
from visanda.study.regression.small_sample import degrees_of_freedom


def corrected_rows(seed: int = 1, n: int = 600) -> Rows:
    """Rows as a correction has them: a machine's of each unit, and a human's of a third, of great weight."""
    random = np.random.default_rng(seed)
    X = np.column_stack([np.ones(n), random.normal(size=n), random.integers(0, 2, n)])
    y = X @ [0.3, 0.8, -0.5] + random.normal(size=n)
    coded = np.arange(0, n, 3)
    human = X[coded].copy()
    human[:, 2] = np.abs(human[:, 2] - (random.random(len(coded)) < 0.1))  # one in ten was wrong
    weight = np.ones(n)
    weight[coded] -= 3.0
    return Rows(
        np.vstack([X, human]),
        np.concatenate([y, y[coded]])[:, None],
        np.concatenate([weight, np.full(len(coded), 3.0)]),
        np.concatenate([np.arange(n), coded]),
        n,
    )


def without(rows: Rows, gone: np.ndarray) -> Rows:
    kept = ~np.isin(rows.unit, gone)
    return Rows(rows.X[kept], rows.y[kept], rows.weight[kept], rows.unit[kept], rows.n)


def moved(rows: Rows, b: np.ndarray, group: np.ndarray | None = None, levels: tuple = ()) -> np.ndarray:
    """How far units or clusters move the solution, to second order."""
    first = influence(LM, b, rows)
    bread = np.linalg.inv(information(LM, b, rows))
    return (first + drawn(LM, b, rows, first, group, levels) @ bread.T) / rows.n


def near(found: np.ndarray, exact: np.ndarray, rows: Rows, b: np.ndarray, group: np.ndarray) -> bool:
    """Whether far nearer to what leaving out does than influences are."""
    size = len(np.unique(group))
    first = np.stack([np.bincount(group, column, size) for column in influence(LM, b, rows).T], axis=1) / rows.n
    found = np.stack([np.bincount(group, column, size) for column in found.T], axis=1)
    return bool(np.abs(found - exact).max() < 0.25 * np.abs(first - exact).max())


def test_a_linear_model_moves_as_when_it_is_fitted_without_the_unit():
    rows = corrected_rows()
    b = solve(LM, rows)
    apart = np.array([b - solve(LM, without(rows, np.array([unit]))) for unit in range(rows.n)])
    assert near(moved(rows, b), apart, rows, b, np.arange(rows.n))
    refined, _ = jackknifed(LM, b, rows)
    quenouille = b + apart.sum(axis=0)
    assert np.abs(refined - quenouille).max() < 0.25 * np.abs(b - quenouille).max()


def test_clusters_are_left_out_whole():
    rows = corrected_rows()
    cluster = np.arange(rows.n) % 120
    b = solve(LM, rows)
    apart = np.array([b - solve(LM, without(rows, np.flatnonzero(cluster == number))) for number in range(120)])
    assert near(moved(rows, b, cluster), apart, rows, b, cluster)


@pytest.mark.parametrize("clustered", [False, True])
def test_fixed_effects_are_taken_out_anew(clustered: bool):
    rows = corrected_rows()
    slopes = Rows(rows.X[:, 1:], rows.y, rows.weight, rows.unit, rows.n)
    level = np.arange(rows.n) % 8
    group = np.arange(rows.n) // 4 if clustered else np.arange(rows.n)  # clusters across levels
    left = absorb(slopes, [level])
    b = solve(LM, left)
    dummies, apart = np.eye(8)[level], []
    for number in range(int(group.max()) + 1):
        kept = without(slopes, np.flatnonzero(group == number))
        full = Rows(np.hstack([kept.X, dummies[kept.unit]]), kept.y, kept.weight, kept.unit, kept.n)
        apart.append(b - solve(LM, full)[:2])
    assert near(moved(left, b, group, (level,)), np.array(apart), left, b, group)


def test_a_level_that_is_left_out_whole_moves_no_mean():
    rows = corrected_rows()
    slopes = Rows(rows.X[:, 1:], rows.y, rows.weight, rows.unit, rows.n)
    level = np.arange(rows.n) % 40
    left = absorb(slopes, [level])
    b = solve(LM, left)
    apart = []
    for number in range(40):
        kept = without(slopes, np.flatnonzero(level == number))
        apart.append(b - solve(LM, absorbed_again(kept, level)))
    assert near(moved(left, b, level, (level,)), np.array(apart), left, b, level)


def absorbed_again(rows: Rows, level: np.ndarray) -> Rows:
    X, y = rows.X.copy(), rows.y.copy()
    for one in np.unique(level[rows.unit]):
        mine = level[rows.unit] == one
        for values in (X, y):
            values[mine] -= np.average(values[mine], axis=0, weights=rows.weight[mine])
    return Rows(X, y, rows.weight, rows.unit, rows.n)


def test_the_bias_of_a_log_odds_is_that_of_the_textbook():
    n, share = 50, 0.8  # Cox & Snell (1968): (p - 1/2) / (n p (1 - p))
    y = (np.arange(n) < share * n) * 1.0
    rows = Rows.of(np.ones((n, 1)), y)
    b = solve(LOGIT, rows)
    refined, _ = jackknifed(LOGIT, b, rows)
    assert b - refined == pytest.approx((share - 0.5) / (n * share * (1 - share)), rel=0.05)


def test_the_bias_of_a_log_of_a_mean_is_that_of_the_textbook():
    y = np.array([0, 1, 1, 2, 3, 5, 2, 4.0])  # E log of a mean: - variance of the mean / (2 mean²)
    b = solve(POISSON, Rows.of(np.ones((8, 1)), y))
    refined, _ = jackknifed(POISSON, b, Rows.of(np.ones((8, 1)), y))
    assert b - refined == pytest.approx(-y.var(ddof=1) * 7 / 8 / 8 / (2 * y.mean() ** 2), rel=0.35)


@pytest.mark.parametrize("family", [LOGIT, POISSON, MULTINOMIAL])
def test_the_bias_of_curved_models_of_several_terms_is_that_of_leaving_units_out(family: Family):
    random = np.random.default_rng(1)
    x, z = random.uniform(-1.5, 1.5, 300), random.integers(0, 2, 300)
    X = np.column_stack([np.ones(300), x, z + x / 2])  # terms that go together
    steep = X @ [-0.5, 0.4, 0.5]
    y = random.poisson(np.exp(steep)) * 1.0
    y = np.column_stack([y == 1, y > 1]) * 1.0 if family is MULTINOMIAL else y if family is POISSON else (y > 0) * 1.0
    rows = Rows.of(X, y)
    b = solve(family, rows)
    apart = sum(b - solve(family, without(rows, np.array([unit])), b) for unit in range(rows.n))
    refined, _ = jackknifed(family, b, rows)
    np.testing.assert_allclose(refined - b, apart, atol=0.2 * np.abs(apart).max())


def test_a_multinomial_of_two_categories_is_a_logit():
    rows = corrected_rows()
    y = (rows.y > 0.2) * 1.0
    one, other = (Rows(rows.X, y, np.abs(rows.weight), rows.unit, rows.n) for _ in range(2))
    b = solve(LOGIT, one)
    for mine, theirs in zip(jackknifed(LOGIT, b, one), jackknifed(MULTINOMIAL, b, other), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-9)


def test_the_sandwich_is_that_of_hc2():
    random = np.random.default_rng(1)
    X = np.column_stack([np.ones(40), random.normal(size=40)])
    y = X @ [1, 2] + random.normal(size=40) * np.exp(X[:, 1] / 3)
    rows = Rows.of(X, y)
    b = solve(LM, rows)
    _, influences = jackknifed(LM, b, rows)
    theirs = sm.OLS(y, X).fit(cov_type="HC2").bse
    np.testing.assert_allclose(np.sqrt(np.diag(sandwich(influences))), theirs, rtol=0.02)


def test_degrees_of_freedom_of_normal_influences_are_about_their_number():
    drawn = np.random.default_rng(1).normal(size=(20_000, 1))
    assert degrees_of_freedom(drawn, 10**9)[0] == pytest.approx(20_000, rel=0.05)
    assert degrees_of_freedom(drawn, 50).tolist() == [50.0]


def small_study(seed: int, codes: int = 60) -> pd.DataFrame:
    """300 units of twenty cities, with a machine that errs more where the outcome is high."""
    random = np.random.default_rng([seed, 7])
    city = random.integers(0, 20, 300)
    v = (random.random(300) < expit((city - 10) / 5)) * 1.0
    w = 0.5 * v + city / 10 + random.normal(size=300)
    wrong = random.random(300) < np.where(w > 1.5, 0.25, 0.05)
    p = np.where(wrong, 1 - v, v)
    return pd.DataFrame({"city": city, "w": w, "p": p, "v": pd.Series(v).where(random.permutation(300) < codes)})


def test_refined_coefficients_of_few_codes_are_hardly_biased_and_published_ones_are():
    def fits(refine: bool) -> pd.DataFrame:
        asked = {"predicted_var": ["v"], "prediction": ["p"], "splits": 1, "refine": refine}
        return pd.concat([dsl(small_study(seed, 100), "w ~ v | city", **asked).frame() for seed in range(200)])

    plain, refined = fits(False), fits(True)
    off = [(found["estimate"].mean() - 0.5) / found["estimate"].std() for found in (plain, refined)]
    assert off[0] > 0.1  # of a standard deviation, by chance ± .14
    assert abs(off[1]) < 0.15
    assert 0.91 < ((refined["low"] <= 0.5) & (refined["high"] >= 0.5)).mean() < 0.985


def test_refined_and_published_agree_where_codes_are_many():
    data = small_study(1, codes=280)
    plain, refined = (
        dsl(data, "w ~ v", predicted_var=["v"], prediction=["p"], splits=2, refine=refine) for refine in (False, True)
    )
    np.testing.assert_allclose(plain.coef, refined.coef, atol=0.05 * plain.se.min())
    np.testing.assert_allclose(plain.se, refined.se, rtol=0.02)
    assert plain.df is None and refined.df is not None and (refined.df <= 279).all()


def test_where_everything_is_coded_nothing_is_refined():
    data = small_study(1, codes=300)
    asked = {"predicted_var": ["v"], "prediction": ["p"], "splits": 1}
    found = dsl(data, "w ~ v", refine=True, **asked)
    np.testing.assert_allclose(found.coef, np.polyfit(data["v"], data["w"], 1)[::-1], atol=1e-10)
    assert found.df is None  # nor are intervals those of Student's t, which no paper of the result would say
    pd.testing.assert_frame_equal(found.frame(), dsl(data, "w ~ v", refine=False, **asked).frame())


@pytest.mark.parametrize("strange", [{"model": "negbin"}, {"learner": "forest"}])
def test_a_model_or_learner_that_is_none_is_said(strange: dict[str, str]):
    with pytest.raises(InputError, match=f"{next(iter(strange))}='{next(iter(strange.values()))}': "):
        dsl(small_study(1), "w ~ v", predicted_var=["v"], prediction=["p"], **strange)


@pytest.mark.parametrize("cluster", [0, "coded"])
def test_one_cluster_is_refused(cluster: int | str):
    data = small_study(1).assign(account=0 if cluster == 0 else lambda d: d["v"].isna() * (1 + d.index % 7))
    with pytest.raises(DesignError, match="lie in one cluster of 'account'"):
        dsl(data, "w ~ v", predicted_var=["v"], prediction=["p"], learner="raw", cluster="account")


def test_fixed_effects_as_many_as_rows_are_refused():
    data = small_study(1).assign(place=np.arange(300))
    with pytest.raises(DesignError, match="leave nothing to estimate from"):
        dsl(data, "w ~ v | place", predicted_var=["v"], prediction=["p"])


def test_a_year_is_as_good_as_years_since_the_first():
    random = np.random.default_rng(3)
    outlet, years = random.integers(0, 8, 600), random.integers(0, 2, 600)
    y = (random.random(600) < expit(0.2 * years)) * 1.0
    X = np.column_stack([np.ones(600), *((outlet == one) * 1.0 for one in range(1, 8)), years])
    far = X.copy()
    far[:, -1] += 2023.0
    near, away = (jackknifed(LOGIT, solve(LOGIT, rows), rows) for rows in (Rows.of(X, y), Rows.of(far, y)))
    np.testing.assert_allclose(away[0][1:], near[0][1:], atol=1e-4)  # all but the intercept
    errors = [np.sqrt(np.diag(sandwich(influences)))[1:] for _, influences in (near, away)]
    np.testing.assert_allclose(errors[1], errors[0], rtol=1e-3)
