"""Gold only: the hand-coded rows alone, each standing for those that could have been drawn in its stead."""

from __future__ import annotations

import pandas as pd

from visanda.study.correct.coded import coded_rows
from visanda.study.regression.coefficients import Estimates
from visanda.study.regression.named import Model
from visanda.study.regression.ordinary import weighted


def gold_only(
    data: pd.DataFrame,
    formula: str,
    model: Model,
    predicted_var: list[str],
    sample_prob: str | None = None,
    cluster: str | None = None,
    weights: str | None = None,
) -> Estimates:
    """Fit ``formula`` to the hand-coded rows alone, weighted by 1 / ``sample_prob``; survey standard errors.

    Arguments as in :func:`visanda.study.correct.dsl.dsl`. The sandwich is that of a sample drawn with replacement
    (Binder 1983), which is on the safe side of one drawn without.
    """
    rows = coded_rows(data, formula, predicted_var, [], sample_prob, cluster, weights)
    coded = rows.data[rows.coded].reset_index(drop=True)
    return weighted(coded, formula, model, (rows.weight * rows.survey)[rows.coded], cluster, rows.n_dropped)
