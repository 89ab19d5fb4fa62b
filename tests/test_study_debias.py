"""Predict-then-debias: agrees with DSL where both can be used, covers where only it can, refuses what is not valid."""

import doctest

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from visanda.errors import DesignError, InputError
from visanda.study.correct import debias as module
from visanda.study.correct.debias import debias, tuned
from visanda.study.correct.dsl import dsl
from visanda.study.correct.gold import gold_only
from visanda.study.regression import bootstrap
from visanda.study.regression.every import REGRESSIONS
from visanda.study.regression.negbin import negbin

FEW = {"resamples": 200}


@pytest.fixture(scope="module")
def posts():
    """900 posts of 45 accounts, coded with probabilities of .3 or .5; the machine errs by x."""
    random = np.random.default_rng(7)
    n = 900
    x, account = random.normal(size=n), np.arange(n) % 45
    angry = (random.random(n) < expit(x - 0.3)) * 1.0
    said = np.where(random.random(n) < 0.88 - 0.1 * (x > 0), angry, 1 - angry)
    pi = np.where(x > 0, 0.3, 0.5)
    kind = random.choice(["meme", "news", "photo"], n)
    data = pd.DataFrame(
        {
            "x": x,
            "account": account,
            "true_angry": angry,
            "said": said,
            "pi": pi,
            "true_kind": kind,
            "said_kind": np.where(random.random(n) < 0.85, kind, "news"),
            "size": 2 + angry + 0.5 * x + 0.5 * random.normal(size=45)[account] + random.normal(size=n),
            "shares": random.poisson(np.exp(0.5 + 0.6 * angry + (kind == "meme")) * random.gamma(2, 0.5, n)),
        }
    )
    drawn = random.random(n) < pi
    return data.assign(angry=data["true_angry"].where(drawn), kind=data["true_kind"].where(drawn))


ANGRY = {"predicted_var": ["angry"], "prediction": ["said"], "sample_prob": "pi"}


def test_example():
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    "formula, model, cluster",
    [
        ("angry ~ x", "lm", None),
        ("angry ~ x", "logit", None),
        ("angry ~ x", "logit", "account"),
        ("size ~ angry * x", "lm", "account"),
        ("size ~ angry + x | account", "lm", None),
    ],
)
@pytest.mark.parametrize("tuning", ["full", "diagonal"])
def test_it_agrees_with_dsl(posts, formula, model, cluster, tuning):
    ours = debias(posts, formula, model=model, cluster=cluster, tuning=tuning, **ANGRY, **FEW)
    other = dsl(posts, formula, model=model, cluster=cluster, **ANGRY)
    assert ours.names == other.names and ours.n_coded == other.n_coded and ours.failed == 0
    assert (np.abs(ours.coef - other.coef) < other.se).all()
    np.testing.assert_allclose(ours.se, other.se, rtol=0.35)


def test_it_narrows_what_gold_says_alone(posts):
    ours = debias(posts, "angry ~ x", model="logit", **ANGRY, **FEW)
    gold = gold_only(posts, "angry ~ x", "logit", ["angry"], "pi")
    assert (ours.se < gold.se).all()
    np.testing.assert_allclose(ours.beta, gold.coef, rtol=1e-6)


def test_the_estimate_is_beta_less_what_the_predictions_are_apart(posts):
    ours = debias(posts, "size ~ angry + x", model="lm", **ANGRY, **FEW)
    np.testing.assert_allclose(ours.coef, ours.beta - ours.tuning @ (ours.gamma_coded - ours.gamma_all))
    everywhere = REGRESSIONS["lm"](posts.assign(angry=posts["said"]), "size ~ angry + x")
    np.testing.assert_allclose(ours.gamma_all, everywhere.coef)
    frame = ours.frame()
    np.testing.assert_allclose(frame["high"], np.quantile(ours.drawn, 0.975, axis=0, method="weibull"))


def test_omega_is_the_papers_where_coded_and_uncoded_rows_are_independent():
    """With gamma of all rows = share · coded + (1 − share) · uncoded."""
    random = np.random.default_rng(3)
    shared, share = random.normal(size=(4000, 2)), 0.25
    beta, coded = shared + random.normal(size=(4000, 2)), shared @ np.array([[1, 0.3], [0, 1]])
    uncoded = 0.6 * random.normal(size=(4000, 2))
    both = np.cov(np.hstack([beta, coded, uncoded]).T)
    paper = both[:2, 2:4] @ np.linalg.inv(both[2:4, 2:4] + both[4:, 4:])
    ours = tuned(beta, coded - (share * coded + (1 - share) * uncoded), "full")
    np.testing.assert_allclose((1 - share) * ours, paper, atol=0.06)


def test_everything_coded_is_the_ordinary_model(posts):
    whole = posts.assign(angry=posts["true_angry"], pi=1.0)
    ours = debias(whole, "shares ~ angry + x", model="negbin", **ANGRY, resamples=50)
    np.testing.assert_allclose(ours.coef, negbin(whole, "shares ~ angry + x").coef[:3], rtol=1e-6)
    assert (ours.tuning == 0).all()


def test_predictions_that_tell_nothing_leave_gold_alone(posts):
    noise = posts.assign(said=(np.random.default_rng(1).random(len(posts)) < 0.5) * 1.0)
    ours = debias(noise, "size ~ angry", model="lm", tuning="diagonal", **ANGRY, **FEW)
    gold = gold_only(posts, "size ~ angry", "lm", ["angry"], "pi")
    assert abs(ours.tuning[1, 1]) < 0.3
    assert ours.se[1] == pytest.approx(gold.se[1], rel=0.15)


def test_the_same_seed_gives_the_same_numbers(posts):
    one, two = (debias(posts, "angry ~ x", model="logit", **ANGRY, resamples=60) for _ in range(2))
    np.testing.assert_array_equal(one.drawn, two.drawn)
    other = debias(posts, "angry ~ x", model="logit", **ANGRY, resamples=60, seed=2)
    assert (other.drawn != one.drawn).any()


def test_several_variables_and_categories(posts):
    ours = debias(
        posts,
        "shares ~ angry + kind",
        model="negbin",
        predicted_var=["angry", "kind"],
        prediction=["said", "said_kind"],
        sample_prob="pi",
        **FEW,
    )
    assert ours.names == ("Intercept", "angry", "kind[T.news]", "kind[T.photo]")
    assert (np.abs(ours.coef - [1.5, 0.6, -1, -1]) < 3 * ours.se).all()
    outcome = debias(
        posts,
        "kind ~ x",
        model="multinomial",
        predicted_var=["kind"],
        prediction=["said_kind"],
        sample_prob="pi",
        **FEW,
    )
    assert outcome.names[0] == "news: Intercept"
    assert (np.abs(outcome.coef) < 3 * outcome.se).all()  # kinds are alike in number and do not depend on x


def test_a_function_is_as_good_as_a_name(posts):
    def slope(table, weight):
        x, y = table["angry"], table["size"]
        x0, y0 = np.average(x, weights=weight), np.average(y, weights=weight)
        return ["slope"], [weight @ ((x - x0) * (y - y0)) / (weight @ (x - x0) ** 2)]

    done = []
    ours = debias(posts, "size ~ angry", fit=slope, **ANGRY, resamples=60, progress=lambda *count: done.append(count))
    named = debias(posts, "size ~ angry", model="lm", tuning="diagonal", **ANGRY, resamples=60)
    assert ours.coef[0] == pytest.approx(named.coef[1]) and ours.se[0] == pytest.approx(named.se[1])
    assert done[-1] == (60, 60)


@pytest.mark.parametrize(
    "model, formula, resamples, least",
    [
        ("mixed", "size ~ angry + x + (1 | account)", 20, 0.5),  # 20 resamples: standard errors to a sixth
        ("ordinal", "step ~ angry + x", 200, 0.8),
    ],
)
def test_mixed_and_ordinal_models(posts, monkeypatch, model, formula, resamples, least):
    monkeypatch.setattr(bootstrap, "FEWEST", 20)  # a mixed model takes a tenth of a second and more
    data = posts[posts["account"] < 30] if model == "mixed" else posts
    drawn = np.random.default_rng(1).random(len(data)) < 0.4
    data = data.assign(step=np.digitize(data["size"], [1.5, 3]), angry=data["true_angry"].where(drawn))
    question = {"predicted_var": ["angry"], "prediction": ["said"], "cluster": "account", "tuning": "diagonal"}
    ours = debias(data, formula, model=model, **question, resamples=resamples)
    true = REGRESSIONS[model](data.assign(angry=data["true_angry"]), formula)
    assert ours.names == true.names
    assert (np.abs(ours.coef - true.coef) < 3 * ours.se).all()
    assert (ours.se > least * true.se).all() and (ours.se < 4 * true.se).all()


def test_few_clusters_are_warned_of(posts):
    few = posts.assign(account=posts["account"] % 8)
    question = {**ANGRY, "cluster": "account", "resamples": 50}
    assert "only 8 clusters" in debias(few, "size ~ angry + x", model="lm", **question).warnings[0]
    assert debias(posts, "size ~ angry + x", model="lm", tuning="diagonal", **question).warnings == []


def test_coverage_of_a_negative_binomial_with_a_predicted_covariate():
    truth, hits, naive = np.array([0.5, 0.6, 0.2]), [], []
    for seed in range(24):
        random = np.random.default_rng(seed)
        x = random.normal(size=600)
        angry = (random.random(600) < expit(x)) * 1.0
        said = np.where(random.random(600) < 0.85 - 0.05 * (x > 0), angry, 1 - angry)
        shares = random.poisson(np.exp(0.5 + 0.6 * angry + 0.2 * x) * random.gamma(2, 0.5, 600))
        data = pd.DataFrame(
            {"x": x, "said": said, "shares": shares, "angry": np.where(np.arange(600) < 250, angry, np.nan)}
        )
        question = {"predicted_var": ["angry"], "prediction": ["said"]}
        frame = debias(data, "shares ~ angry + x", model="negbin", **question, resamples=120).frame()
        hits.append((frame["low"] <= truth) & (truth <= frame["high"]))
        wrong = negbin(data.assign(angry=said), "shares ~ angry + x").frame()
        naive.append(wrong["low"][1] <= 0.6 <= wrong["high"][1])
    # 130 runs cover 91.5 % (120 resamples are few; gold only 94 %); of 24 runs that is uncertain by 5 points
    assert np.mean(hits) > 0.8
    assert np.mean(naive) < 0.6


def test_what_is_refused(posts):
    with pytest.raises(InputError, match="either model"):
        debias(posts, "angry ~ x", **ANGRY)
    with pytest.raises(InputError, match="is unknown"):
        debias(posts, "angry ~ x", model="probit", **ANGRY)
    with pytest.raises(InputError, match="tuning"):
        debias(posts, "angry ~ x", model="lm", tuning="best", **ANGRY)
    with pytest.raises(InputError, match="resamples=10"):
        debias(posts, "angry ~ x", model="lm", resamples=10, **ANGRY)
    with pytest.raises(DesignError, match="above 0"):
        debias(posts.assign(pi=0.0), "angry ~ x", model="lm", **ANGRY)
    with pytest.raises(DesignError, match="whole groups"):
        debias(posts, "size ~ angry + (1 | account)", model="mixed", cluster="account", **ANGRY, **FEW)
    strange = posts.assign(said_kind=np.where(posts.index == 5, "ad", posts["said_kind"]))
    with pytest.raises(DesignError, match="no coded row is that"):
        debias(strange, "size ~ kind", model="lm", predicted_var=["kind"], prediction=["said_kind"], **FEW)


def test_too_many_failures_are_refused(posts):
    few = posts.assign(angry=posts["true_angry"].where(np.arange(len(posts)) < 14))
    with pytest.raises(DesignError, match="resamples cannot be fitted"):
        debias(few, "angry ~ x", model="logit", predicted_var=["angry"], prediction=["said"], **FEW)


def test_where_everything_is_coded_the_ordinary_model_stands(posts):
    data = posts.assign(angry=posts["true_angry"])
    found = debias(data, "angry ~ x", model="logit", **(ANGRY | {"sample_prob": None}), resamples=60)
    ordinary = REGRESSIONS["logit"](data, "angry ~ x")
    np.testing.assert_allclose(found.coef, ordinary.coef, atol=1e-8)
