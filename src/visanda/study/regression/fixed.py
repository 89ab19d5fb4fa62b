"""Fixed-effects Poisson: counts with the means of cities, accounts or days taken out, by pyfixest.

pyfixest (extra ``stats``) absorbs any number of fixed effects and drops groups whose counts are all 0, as in R's fixest
(Bergé 2018; Correia, Guimarães & Zylkin 2020). Linear fixed effects need nothing: ``ordinary`` absorbs them.
"""

from __future__ import annotations

import re
import warnings

import numpy as np
import pandas as pd

from visanda.errors import DesignError, InputError
from visanda.extras import need
from visanda.study.regression.coefficients import Estimates
from visanda.study.regression.formula import absorbs, outcome_of
from visanda.study.regression.prepared import prepared

WEIGHT = "weight_of_the_row"


def fepois(data: pd.DataFrame, formula: str, *, cluster: str | None = None, weights: str | None = None) -> Estimates:
    """Fit a Poisson regression with fixed effects; coefficients are logs of ratios of expected counts.

    Args:
        data: a row a unit.
        formula: ``y ~ x | city + month``; levels of ``city:month`` are its combinations.
        cluster: column of clusters for the standard errors; None: robust ones.
        weights: column of how much each row counts, above 0; None: all alike.

    Returns:
        Estimates; ``n`` leaves out the rows of groups whose counts are all 0, which say nothing.

    Raises:
        InputError: a column or formula that does not fit, an outcome below 0, no fixed effects.
        DesignError: nothing is left to estimate.
        MissingExtra: pyfixest is not installed.
    """
    if not absorbs(formula):
        raise InputError(f"{formula!r} has no fixed effects: write 'y ~ x | city + month', or use a poisson")
    ready = prepared(data, formula, cluster, weights)
    outcome = outcome_of(formula).strip("`")
    if outcome in ready.rows and not (pd.to_numeric(ready.rows[outcome], errors="coerce") >= 0).all():
        raise InputError(f"a fepois needs an outcome of 0 or more; {outcome} has other values")
    rows = ready.rows.assign(**{WEIGHT: ready.weight / ready.weight.mean()})
    left, right = formula.rsplit("|", 1)
    # " + " with blanks: pyfixest 0.60 counts the wrong fixed effect as nested where it finds the cluster by its name
    effects = " + ".join(re.sub(r"\s*:\s*", "^", part.strip()) for part in right.split("+"))
    asked = f"{left.strip()} | {effects}"
    pyfixest = need("pyfixest", "stats")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # singletons and separated groups are counted in n
        try:
            fitted = pyfixest.fepois(
                asked, rows, vcov={"CRV1": cluster} if cluster else "hetero", weights=WEIGHT, iwls_maxiter=100
            )
        except (ValueError, RuntimeError, NotImplementedError, np.linalg.LinAlgError) as error:
            raise DesignError(f"the fixed-effects Poisson cannot be fitted: {str(error).splitlines()[0]}") from error
    coef, cov = fitted.coef(), np.asarray(fitted._vcov, dtype=float)
    if coef.isna().any() or not len(coef):
        raise DesignError("no term varies within the fixed effects: leave out a term or a fixed effect")
    n = int(fitted._N)
    names = tuple(map(str, coef.index))
    return Estimates(names, coef.to_numpy(), np.sqrt(np.diag(cov)), cov, n, n, ready.n_dropped)
