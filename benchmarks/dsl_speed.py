"""How long does one corrected logit take on a large table, against as many ordinary ones by statsmodels?

``python benchmarks/dsl_speed.py --rows 1000000`` prints seconds of both, and their ratio. The correction fits a logit a
split, cross-fits five learners for each, and predicts all rows; the peer fits the same logit to all rows as often.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy.special import expit

from visanda.study import dsl


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=10)
    parser.add_argument("--codes", type=int, default=2000)
    parser.add_argument("--splits", type=int, default=10)
    asked = parser.parse_args()
    random = np.random.default_rng(1)
    X = random.normal(size=(asked.rows, asked.columns)).astype(float)
    names = [f"x{number}" for number in range(asked.columns)]
    true = (random.random(asked.rows) < expit(X @ random.normal(0, 0.3, asked.columns))) * 1.0
    data = pd.DataFrame(X, columns=names)
    data["p"] = np.where(random.random(asked.rows) < 0.9, 0.9 * true + 0.05, 0.95 - 0.9 * true)
    data["y"] = pd.Series(true).where(random.permutation(asked.rows) < asked.codes)

    formula, known = f"y ~ {' + '.join(names)}", {"predicted_var": ["y"], "prediction": ["p"], "splits": asked.splits}
    ours = {}
    for called, refine in (("as published", False), ("refined", True)):
        begin = time.perf_counter()
        fit = dsl(data, formula, model="logit", refine=refine, **known)
        ours[called] = time.perf_counter() - begin

    begin = time.perf_counter()
    for _ in range(asked.splits):
        sm.Logit(true, sm.add_constant(X)).fit(disp=0)
    theirs = time.perf_counter() - begin

    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{asked.rows:,} rows x {asked.columns} columns, {asked.splits} splits of 5 folds, {fit.n_coded:,} codes")
    print(f"{asked.splits} logits by statsmodels {theirs:.1f} s")
    for called, seconds in ours.items():
        print(f"dsl {called} {seconds:.1f} s; ratio {seconds / theirs:.2f}")
    print(f"most memory {memory:.1f} GB")


if __name__ == "__main__":
    main()
