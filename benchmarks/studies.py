"""Does the correction of guide/studies.md find what was put in? Its first study, in many invented worlds.

``python benchmarks/studies.py --runs 100`` makes pictures as the page does and embeds them. Each run is a new world:
protests follow from violence anew, each of their pictures is one of these (of the same city, violent or not, by day or
by night), other days are drawn and coded, a classifier is trained on them, and the table is made. What it prints is how
far the coefficient of violence is from the 5 that was put in, and how often its interval holds 5.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

import visanda as vi

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "docs" / "studies"))
import cities  # noqa: E402

DRAWN, FOLDS, TRUTH = 0.45, 5, 5.0
METHODS = {"naive": "naive", "gold only": "codes alone", "corrected (DSL)": "corrected", "truth": "all coded"}


def embedded(folder: Path) -> pd.DataFrame:
    """A row a picture: city, violent, night, vector."""
    corpus = vi.Corpus.init(folder / "corpus")
    for seed in (3, 4):
        cities.world(Path(vi.__file__).parent / "sample", folder / f"world{seed}", seed)
        corpus.add(folder / f"world{seed}", metadata=folder / f"world{seed}" / "pictures.csv")
    corpus.measure("embed")
    rows = corpus.join("embed")
    vectors = np.stack(rows["embedding"].to_list())
    scaled = (vectors - vectors.mean(axis=0)) / vectors.std(axis=0)
    return rows[["city", "night"]].assign(violent=rows["violent"] == "yes", vector=list(scaled))


def study(pictures: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The estimates of one world: a row a method."""
    random = np.random.default_rng(seed)
    rows = pd.DataFrame([one for city in range(cities.CITIES) for one in cities.protests(random, city)])
    like = pictures.groupby(["city", "violent", "night"]).groups
    keys = zip(rows["city"], rows["violent"], rows["night"], strict=True)
    known = pictures["vector"]
    rows["vector"] = [known[random.choice(like.get(key, like.get((*key[:2], not key[2]))))] for key in keys]
    rows["true"] = rows["violent"].astype(float)
    each = rows.groupby("city")["city_day"].unique()
    number = each.map(lambda days: max(1, round(DRAWN * len(days))))
    drawn = {day for city in each.index for day in random.choice(each[city], number[city], replace=False)}
    rows["coded"] = rows["city_day"].isin(drawn)
    rows["said"] = predicted(rows, random)
    days = rows.groupby(["city", "day"]).agg(
        size=("faces", "sum"), true=("true", "mean"), said=("said", "mean"), coded=("coded", "first")
    )
    days = days.reset_index().assign(day=lambda made: pd.to_datetime(made["day"]))
    days["pi"] = days["city"].map(number / each.map(len))
    days = vi.study.balanced(days, "city", "day", columns=["size"]).assign(log_size=lambda d: np.log(d["size"] + 1))
    days = vi.study.lags(days, "city", "day", "log_size", lags=[], leads=[1])
    days = days.assign(month=days["day"].dt.month, violence=days["true"].where(days["coded"] == True))  # noqa: E712
    for name in ("violence", "said", "true"):
        days[f"{name}_sq"] = days[name] ** 2
    found = vi.study.estimate(
        days,
        "lead_log_size ~ violence + violence_sq + log_size | city + month",
        predicted_var=["violence", "violence_sq"],
        prediction=["said", "said_sq"],
        sample_prob="pi",
        cluster="city",
        splits=3,
        truth={"violence": "true", "violence_sq": "true_sq"},
    ).table
    return found[found["term"] == "violence"].assign(right=(rows["said"] == rows["true"]).mean())


def predicted(rows: pd.DataFrame, random: np.random.Generator) -> np.ndarray:
    """(n,) labels of pictures by classifiers that have not learnt from their city."""
    vectors, true = np.stack(rows["vector"].to_list()), rows["true"].to_numpy()
    fold = random.permutation(cities.CITIES)[pd.factorize(rows["city"])[0]] % FOLDS
    said = np.empty(len(rows))
    for k in range(FOLDS):
        train = rows["coded"].to_numpy() & (fold != k)
        model = LogisticRegression(C=0.01, max_iter=500).fit(vectors[train], true[train])
        said[fold == k] = model.predict(vectors[fold == k])
    return said


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=40)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        pictures = embedded(Path(folder))
    found = pd.concat([study(pictures, 1000 + run) for run in range(given.runs)])
    found["holds"] = (found["low"] <= TRUTH) & (found["high"] >= TRUTH)
    print(f"{given.runs} worlds; the machine is right on {found['right'].mean():.0%} of pictures; put in: {TRUTH:g}\n")
    print(f"{'':<12}{'mean':>7}{'spread':>8}{'se':>7}{'holds 5':>9}")
    for method, name in METHODS.items():
        mine = found[found["method"] == method]
        spread = mine["estimate"].std()
        print(
            f"{name:<12}{mine['estimate'].mean():>7.2f}{spread:>8.2f}{mine['se'].mean():>7.2f}{mine['holds'].mean():>9.0%}"
        )


if __name__ == "__main__":
    main()
