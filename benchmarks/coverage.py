"""Do corrected intervals hold the truth as often as they promise? Simulated in eleven designs.

``python benchmarks/coverage.py --runs 400`` prints, for each design and method: bias in standard errors, coverage of
the nominal 95 % interval, and the width of the interval against that of the codes alone. Naive ones stand beside it.
The truth of each design is the coefficients that it was made from. ``--csv`` keeps the table, and ``--draw`` draws it.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from scipy.special import expit

from visanda.errors import DesignError
from visanda.study import debias, dsl, gold_only, naive

N, CODES = 2000, 400
METHODS = {  # what it is called, colour (Okabe & Ito), mark, where it stands in its row
    "naive": ("naive", "#D55E00", "x", 0.0),
    "gold": ("codes alone", "#7F7F7F", "s", -0.18),
    "dsl": ("DSL", "#0072B2", "o", 0.0),
    "debias": ("predict-then-debias", "#009E73", "D", 0.18),
}


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
                fit = debias(data, design.formula, model=design.model, resamples=resamples, seed=seed, **shared)
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


def table_of(name: str, runs: list[dict[str, tuple[float, float, float, float]]]) -> list[dict[str, object]]:
    """A row a method: how far off in standard errors, how often the interval holds the truth, how wide it is."""
    truth, found = DESIGNS[name].truth, []
    alone = np.median([run["gold"][3] - run["gold"][2] for run in runs if "gold" in run] or [np.nan])
    for method in METHODS:
        rows = np.array([run[method] for run in runs if method in run])
        if len(rows):
            estimate, se, low, high = rows.T
            found.append(
                {
                    "design": name,
                    "method": method,
                    "bias": (estimate.mean() - truth) / se.mean(),
                    "coverage": ((low <= truth) & (truth <= high)).mean(),
                    "width": np.median(high - low) / alone,
                    "fitted": len(rows),
                }
            )
    return found


def draw(table: pd.DataFrame, path: Path) -> None:
    """The figure of a table: coverage of each design and method, and how wide intervals are."""
    designs = list(dict.fromkeys(table["design"]))
    figure = Figure(figsize=(9.5, 0.9 + 0.42 * len(designs)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=[2, 1])
    left.axvspan(0.93, 0.97, color="0.9", zorder=0)
    left.axvline(0.95, color="0.5", linewidth=0.8, zorder=0)
    right.axvline(1, color="0.5", linewidth=0.8, zorder=0)
    for method, (called, colour, mark, shift) in METHODS.items():
        mine = table[table["method"] == method]
        height = mine["design"].map(designs.index) + shift
        chance = 1.96 * np.sqrt(mine["coverage"] * (1 - mine["coverage"]) / mine["fitted"])
        left.errorbar(mine["coverage"], height, xerr=chance, fmt=mark, color=colour, markersize=5, label=called)
        if method != "naive":
            right.plot(mine["width"], height, mark, color=colour, markersize=5)
    left.set_yticks(range(len(designs)), designs)
    left.set_ylim(len(designs) - 0.5, -0.5)
    left.set_xlim(-0.02, 1.02)
    left.set_xlabel("Intervals that hold the truth (95 % are promised), ± chance", fontsize=9)
    right.set_xlabel("Width of intervals, codes alone = 1", fontsize=9)
    left.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    figure.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=4, frameon=False, fontsize=9)
    for axes in (left, right):
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
        axes.tick_params(labelsize=9)
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="number of the first run: others are other studies")
    parser.add_argument("--resamples", type=int, default=200, help="of predict-then-debias")
    parser.add_argument("--designs", nargs="*", default=list(DESIGNS))
    parser.add_argument("--methods", nargs="*", default=["dsl", "debias"])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--as-published", action="store_true", help="DSL without refinements for few codes")
    parser.add_argument("--csv", type=Path, help="where to write the table")
    parser.add_argument("--draw", type=Path, nargs=2, metavar=("CSV", "PNG"), help="draw a table, simulate nothing")
    asked = parser.parse_args()
    if asked.draw:
        draw(pd.read_csv(asked.draw[0]), asked.draw[1])
        return
    print(f"{asked.runs} runs; +- {196 * np.sqrt(0.05 * 0.95 / asked.runs):.1f} points of coverage by chance")
    print("| design | method | bias / se | coverage | width / codes alone | fitted |\n|---|---|---|---|---|---|")
    found: list[dict[str, object]] = []
    with ProcessPoolExecutor(asked.workers) as pool:
        for name in asked.designs:
            study = partial(one, name, asked.resamples, tuple(asked.methods), not asked.as_published)
            rows = table_of(name, list(pool.map(study, range(asked.first, asked.first + asked.runs))))
            for row in rows:
                print("| {design} | {method} | {bias:+.2f} | {coverage:.1%} | {width:.2f} | {fitted} |".format(**row))
            sys.stdout.flush()
            found += rows
    if asked.csv:
        pd.DataFrame(found).round(4).to_csv(asked.csv, index=False)


if __name__ == "__main__":
    main()
