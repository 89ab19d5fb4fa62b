"""Do corrected intervals hold the truth as often as they promise? Simulated in eleven designs.

``python benchmarks/coverage.py --runs 400`` prints, for each design and method: bias in standard errors, coverage of
the nominal 95 % interval, and the width of the interval against that of the codes alone. Naive ones stand beside it.
The truth of each design is the coefficients that it was made from.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from scipy.special import expit

from visanda.errors import DesignError
from visanda.study import debias, dsl, gold_only, naive

N, CODES = 2000, 400


@dataclass(frozen=True)
class Design:
    """One study: how it is made, what is asked, and what is true."""

    make: Callable[[np.random.Generator], pd.DataFrame]
    formula: str
    model: str
    term: str
    truth: float
    predicted: str = "y"
    probability: str | None = None
    cluster: str | None = None
    debias: str | None = None  # the model's name there, where it is another
    methods: tuple[str, ...] = ("dsl", "debias")


def said(random: np.random.Generator, true: np.ndarray, wrong: np.ndarray) -> np.ndarray:
    """A machine's probability of a 0/1 variable, on the wrong side as often as ``wrong`` says."""
    right = random.random(len(true)) >= wrong
    return np.clip(np.where(right == (true > 0), 0.85, 0.15) + random.normal(0, 0.05, len(true)), 0.01, 0.99)


def coded(random: np.random.Generator, data: pd.DataFrame, column: str, codes: int = CODES) -> pd.DataFrame:
    """A simple random sample is coded."""
    return data.assign(**{column: pd.Series(data[column]).where(random.permutation(len(data)) < codes)})


def differential(random: np.random.Generator, codes: int = CODES, base: float = -0.2) -> pd.DataFrame:
    x = random.normal(size=N)
    y = (random.random(N) < expit(base + 0.5 * x)) * 1.0
    p = said(random, y, np.where((y > 0) == (x > 0), 0.2, 0.03))
    return coded(random, pd.DataFrame({"x": x, "y": y, "p": p}), "y", codes)


def covariate(random: np.random.Generator) -> pd.DataFrame:
    x = random.normal(size=N)
    v = (random.random(N) < expit(0.5 * x)) * 1.0
    w = 1 + 0.6 * v + 0.3 * x + random.normal(size=N)
    p = said(random, v, np.where(w > 1.5, 0.05, 0.2))
    return coded(random, pd.DataFrame({"x": x, "w": w, "v": v, "p": p}), "v")


def unequal(random: np.random.Generator) -> pd.DataFrame:
    data = differential(random, N)
    pi = np.where(data["p"] > 0.5, 0.3, 0.12)
    return data.assign(pi=pi, y=data["y"].where(random.random(N) < pi))


def clustered(random: np.random.Generator, accounts: int = 250) -> pd.DataFrame:
    account = np.repeat(np.arange(accounts), N // accounts)
    level = random.normal(0, 0.7, accounts)[account]
    x = random.normal(size=accounts)[account] * 0.7 + random.normal(size=N) * 0.7
    y = 0.5 * x + level + random.normal(size=N)
    p = y + np.where(x > 0, 0.5, 0) + random.normal(0, 0.8, N)
    return coded(random, pd.DataFrame({"x": x, "y": y, "p": p, "account": account}), "y", 500)


def classes(random: np.random.Generator) -> pd.DataFrame:
    x = random.normal(size=N)
    eta = np.stack([np.zeros(N), 0.2 + 0.5 * x, -0.3 - 0.4 * x], axis=1)
    share = np.exp(eta) / np.exp(eta).sum(axis=1, keepdims=True)
    kind = (random.random((N, 1)) > share.cumsum(axis=1)).sum(axis=1)
    wrong = random.random(N) < np.where(x > 0, 0.25, 0.08)
    machine = np.where(wrong, (kind + random.integers(1, 3, N)) % 3, kind)
    names = np.array(["a", "b", "c"])
    return coded(random, pd.DataFrame({"x": x, "y": names[kind], "p": names[machine]}), "y")


def effects(random: np.random.Generator) -> pd.DataFrame:
    city = random.integers(0, 40, N)
    level = random.normal(0, 1, 40)[city]
    v = (random.random(N) < expit(0.7 * level)) * 1.0
    w = 0.5 * v + level + random.normal(size=N)
    p = said(random, v, np.where(level > 0, 0.18, 0.05))
    return coded(random, pd.DataFrame({"city": city, "w": w, "v": v, "p": p}), "v")


def counts(random: np.random.Generator) -> pd.DataFrame:
    x = random.normal(size=N)
    v = (random.random(N) < expit(0.4 * x)) * 1.0
    likes = random.poisson(np.exp(0.6 + 0.5 * v + 0.2 * x) * random.gamma(2, 0.5, N)) * 1.0
    p = (said(random, v, np.where(likes > 3, 0.05, 0.18)) >= 0.5) * 1.0
    return coded(random, pd.DataFrame({"x": x, "likes": likes, "v": v, "p": p}), "v")


DESIGNS = {
    "logit, differential error": Design(differential, "y ~ x", "logit", "x", 0.5),
    "predicted covariate": Design(covariate, "w ~ v + x", "lm", "v", 0.6, "v"),
    "unequal probabilities": Design(unequal, "y ~ x", "logit", "x", 0.5, probability="pi"),
    "250 clusters": Design(clustered, "y ~ x", "lm", "x", 0.5, cluster="account"),
    "40 clusters": Design(partial(clustered, accounts=40), "y ~ x", "lm", "x", 0.5, cluster="account"),
    "rare outcome (5 %)": Design(partial(differential, base=-3.05), "y ~ x", "logit", "x", 0.5),
    "100 codes": Design(partial(differential, codes=100), "y ~ x", "logit", "x", 0.5),
    "three classes": Design(classes, "y ~ x", "multinomial", "b: x", 0.5),
    "fixed effects": Design(effects, "w ~ v | city", "lm", "v", 0.5, "v"),
    "counts (poisson)": Design(counts, "likes ~ v + x", "poisson", "v", 0.5, "v"),
    "counts (negative binomial)": Design(
        counts, "likes ~ v + x", "negbin", "v", 0.5, "v", debias="negbin", methods=("debias",)
    ),
}


def one(
    name: str, resamples: int, methods: tuple[str, ...], refine: bool, seed: int
) -> dict[str, tuple[float, float, float, float]]:
    """Estimate, standard error and interval of each method in one simulated study."""
    warnings.simplefilter("ignore")
    design = DESIGNS[name]
    data = design.make(np.random.default_rng([seed, *name.encode()]))
    shared = {"predicted_var": [design.predicted], "prediction": ["p"], "sample_prob": design.probability}
    shared |= {"cluster": design.cluster}
    found = {}
    for method in ("naive", "gold", *(one for one in design.methods if one in methods)):
        try:
            if method == "dsl":
                fit = dsl(data, design.formula, model=design.model, splits=1, refine=refine, **shared)
            elif method == "debias":
                fit = debias(
                    data, design.formula, model=design.model, resamples=resamples, seed=seed, refine=refine, **shared
                )
            elif method == "gold" and design.model != "negbin":
                fit = gold_only(
                    data, design.formula, design.model, [design.predicted], design.probability, design.cluster
                )
            elif method == "naive" and design.model != "negbin":
                hard = data["p"] if design.model == "multinomial" or design.cluster else (data["p"] >= 0.5) * 1.0
                fit = naive(
                    data.assign(hard=hard), design.formula, design.model, [design.predicted], ["hard"], design.cluster
                )
            else:
                continue
        except DesignError:
            continue
        line = fit.frame().set_index("term").loc[design.term]
        found[method] = tuple(float(line[key]) for key in ("estimate", "se", "low", "high"))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--resamples", type=int, default=200, help="of predict-then-debias")
    parser.add_argument("--designs", nargs="*", default=list(DESIGNS))
    parser.add_argument("--methods", nargs="*", default=["dsl", "debias"])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--as-published", action="store_true", help="DSL without refinements for few codes")
    asked = parser.parse_args()
    print(f"{asked.runs} runs; +- {196 * np.sqrt(0.05 * 0.95 / asked.runs):.1f} points of coverage by chance")
    print("| design | method | bias / se | coverage | width / codes alone | fitted |\n|---|---|---|---|---|---|")
    with ProcessPoolExecutor(asked.workers) as pool:
        for name in asked.designs:
            runs = list(
                pool.map(
                    partial(one, name, asked.resamples, tuple(asked.methods), not asked.as_published), range(asked.runs)
                )
            )
            truth = DESIGNS[name].truth
            alone = np.median([run["gold"][3] - run["gold"][2] for run in runs if "gold" in run] or [np.nan])
            for method in ("naive", "gold", "dsl", "debias"):
                rows = np.array([run[method] for run in runs if method in run])
                if len(rows):
                    bias = (rows[:, 0].mean() - truth) / rows[:, 1].mean()
                    cover = ((rows[:, 2] <= truth) & (truth <= rows[:, 3])).mean()
                    width = np.median(rows[:, 3] - rows[:, 2]) / alone
                    print(f"| {name} | {method} | {bias:+.2f} | {cover:.1%} | {width:.2f} | {len(rows)} |", flush=True)


if __name__ == "__main__":
    main()
