"""Predict-then-debias: a correction for any model that can be fitted, by resampling.

Kluger, Lu, Zrnic, Wang & Bates (2025), "Prediction-Powered Inference with Imputed Covariates and Nonuniform Sampling".
The model is fitted three times: to the coded rows with their codes (beta), to the same rows with the machine's
predictions (gamma of the coded), and to all rows with predictions (gamma of all). The first is right and uncertain.
How far the other two are apart is chance only, and the same chance as in beta: theta = beta − Omega (gamma of the
coded − gamma of all). Omega is what makes theta least uncertain. No error of the machine can bias it, as long as rows
were drawn for coding with known probabilities.

The paper compares with the rows that are not coded. All rows are as good (the difference is a multiple of that one),
need no probability where nobody coded, and leave beta as it is where everything is coded. Rows or clusters are
resampled whole, coded and not, so that what the three fits share is in the covariance from which Omega is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.errors import DesignError, InputError
from visanda.study.correct.coded import CodedRows, coded_rows
from visanda.study.correct.machine import Machine, Prediction, machines
from visanda.study.regression.bootstrap import Progress, Resampled, draws, one_of
from visanda.study.regression.mixed import mixed_formula, refuse_split_groups
from visanda.study.regression.refits import Fit

Array = NDArray[np.float64]
UNITS_A_TERM = 10  # coded clusters or rows, for each number of Omega that a coefficient is tuned by
SAME = 1e-6  # variance, relative to the largest, of directions in which the two gammas are taken to be one


@dataclass(frozen=True, kw_only=True)
class Debiased(Resampled):
    """Estimates corrected by predict-then-debias.

    Attributes:
        tuning: (k, k) Omega; 0 where the machine tells nothing.
        beta: (k,) of the coded rows with their codes.
        gamma_coded: (k,) of the coded rows with predictions.
        gamma_all: (k,) of all rows with predictions.
        coded_units: clusters with codes, or coded rows where there are no clusters.
    """

    tuning: Array
    beta: Array
    gamma_coded: Array
    gamma_all: Array
    coded_units: int

    @property
    def warnings(self) -> list[str]:
        """What a careful reader should know: resamples that failed, an Omega fitted to too few units."""
        found = super().warnings
        used = _tuned_by(self.tuning)
        if self.coded_units < UNITS_A_TERM * used:
            found.append(
                f"Codes lie in only {self.coded_units} clusters (or rows, where there are none); each coefficient is "
                f"tuned by {used} numbers: intervals may be too narrow. Use tuning='diagonal', or code more clusters."
            )
        return found


def debias(
    data: pd.DataFrame,
    formula: str,
    *,
    model: str | None = None,
    fit: Fit | None = None,
    predicted_var: Sequence[str],
    prediction: Sequence[Prediction],
    sample_prob: str | None = None,
    cluster: str | None = None,
    resamples: int = 2000,
    seed: int = 1,
    tuning: Literal["full", "diagonal"] = "full",
    progress: Progress | None = None,
) -> Debiased:
    """Fit ``formula``, in which some variables are coded by a machine everywhere and by people in a sample.

    Args:
        data: a row a unit. Rows that miss an observed variable or a prediction are dropped and counted.
        formula: as the model takes it. Of a function ``fit``, what names the columns it uses.
        model: a name of :data:`visanda.study.regression.every.REGRESSIONS`, or None where there is a ``fit``.
        fit: any model: a function of a table and of the (n,) weights of its rows, above 0, that returns the names and
            the coefficients. In the table predicted variables hold codes or predictions.
        predicted_var: the variables of the formula that need human coding; missing where nobody coded them. Numbers,
            or text for categories.
        prediction: for each of them the column of the machine's labels, numbers or probabilities, used as they are; of
            categories also the column with the probability of each value, by value, of which the likeliest is taken.
        sample_prob: column with the known probability, in (0, 1], that a row was drawn for coding; ``"equal"``
            or None: the same for all. It may be missing where the row was not coded.
        cluster: column of clusters, resampled whole; None: rows are. A mixed model needs its groups here.
        resamples: of the bootstrap, 50 or more.
        seed: of the resampling; the same seed, the same numbers.
        tuning: ``"full"``: each coefficient learns from the predictions' whole fit; ``"diagonal"``: from its own
            coefficient, which is steadier where codes are few and terms many.
        progress: called with the resamples done and those in all.

    Returns:
        Estimates whose intervals are percentiles of the bootstrap. The dispersion of a negbin is left out.

    Raises:
        InputError: a column, formula or argument that does not fit.
        DesignError: too few codes, impossible probabilities, a model that cannot be fitted to the coded rows or to more
            than 5 % of the resamples.

    Example:
        >>> random = np.random.default_rng(1)
        >>> cat = random.integers(0, 2, 400)
        >>> data = pd.DataFrame({"likes": random.poisson(np.exp(1 + cat) * random.gamma(2, 0.5, 400))})
        >>> data["p_cat"] = np.where(random.random(400) < 0.9, cat, 1 - cat)
        >>> data["cat"] = np.where(np.arange(400) < 150, cat, np.nan)
        >>> found = debias(
        ...     data, "likes ~ cat", model="negbin", predicted_var=["cat"], prediction=["p_cat"], resamples=100
        ... )
        >>> found.names, found.n, found.n_coded
        (('Intercept', 'cat'), 400, 150)
    """
    if tuning not in ("full", "diagonal"):
        raise InputError(f"tuning={tuning!r}: 'full' or 'diagonal'")
    asked = mixed_formula(formula)
    checked, machine = machines(data, predicted_var, prediction)
    needed = {column for one in machine for column in one.columns}
    needed |= asked.columns - set(predicted_var) if asked.group else set()
    rows = coded_rows(checked, asked.fixed, list(predicted_var), sorted(needed), sample_prob, cluster)
    if asked.group:
        if cluster is None:
            raise DesignError(f"a mixed model draws its groups again as a whole: name {asked.group!r} as the cluster")
        refuse_split_groups(rows.data, asked.group, cluster)
    human, said = rows.data[rows.coded], _predicted(rows, machine)
    names, (by_codes, by_machine) = one_of(model, fit, formula, [human.reset_index(drop=True), said])
    weight = _weight(rows)

    def three(times: Array, start: Sequence[Array | None]) -> Array:
        coded = weight * times
        beta = by_codes(coded[rows.coded], start[0])
        return np.stack([beta, by_machine(coded, start[1]), by_machine(times, start[2])])

    point = three(np.ones(rows.n), [None, None, None])
    flat, failed = draws(lambda times: three(times, list(point)).ravel(), rows.unit, resamples, seed, progress)
    k = len(names)
    beta, coded, everywhere = flat[:, :k], flat[:, k : 2 * k], flat[:, 2 * k :]
    omega = tuned(beta, coded - everywhere, tuning)
    units = len(np.unique(rows.unit[rows.coded]))
    drawn = _widened(beta - (coded - everywhere) @ omega.T, units, _tuned_by(omega))
    cov = np.atleast_2d(np.cov(drawn.T))
    return Debiased(
        names,
        point[0] - omega @ (point[1] - point[2]),
        np.sqrt(np.diag(cov)),
        cov,
        rows.n,
        rows.n_coded,
        rows.n_dropped,
        drawn=drawn,
        failed=failed,
        tuning=omega,
        beta=point[0],
        gamma_coded=point[1],
        gamma_all=point[2],
        coded_units=units,
    )


def tuned(beta: Array, apart: Array, tuning: Literal["full", "diagonal"]) -> Array:
    """(k, k) Omega, the regression of (resamples, k) beta on how far (resamples, k) the gammas are apart.

    Cov(beta, apart) Var(apart)⁻¹. Where coded rows and the others are independent, that is the
    paper's Cov(beta, gamma of the coded) [Var gamma of the coded + Var gamma of the uncoded]⁻¹, divided by the share
    of rows that is not coded, which gamma of all differs by.

    Example:
        >>> apart = np.random.default_rng(1).normal(size=(500, 1))
        >>> tuned(0.5 * apart, apart, "full").round(3).tolist()
        [[0.5]]
    """
    k = beta.shape[1]
    both = np.cov(np.hstack([beta, apart]).T)
    together, variance = both[:k, k:], both[k:, k:]
    size = np.sqrt(np.diag(variance))
    moves = size > 1e-9 * np.maximum(np.sqrt(np.diag(both[:k, :k])), 1e-300)
    if tuning == "diagonal":
        share = np.divide(np.diag(together), np.diag(variance), out=np.zeros(k), where=moves)
        return np.diag(share)
    omega = np.zeros((k, k))
    if moves.any():
        scale = size[moves]
        inverse = np.linalg.pinv(variance[np.ix_(moves, moves)] / np.outer(scale, scale), rcond=SAME, hermitian=True)
        omega[:, moves] = together[:, moves] / scale @ inverse / scale
    return omega


def _tuned_by(omega: Array) -> int:
    """By how many numbers of Omega a coefficient is tuned, at most."""
    return int((omega != 0).sum(axis=1).max(initial=0))


def _widened(drawn: Array, units: int, numbers: int) -> Array:
    """Resamples as far apart as they would be with an Omega that was not made from them.

    Omega is a regression with as many points as coded units. What it leaves is smaller here than it is elsewhere, by
    the final prediction error of Akaike (1969): (units + numbers) / (units − numbers). The paper, which has many
    units, leaves this out.

    Raises:
        DesignError: no more units than numbers.
    """
    if numbers >= units:
        raise DesignError(
            f"codes lie in {units} clusters, too few to tune {numbers} numbers a coefficient: use tuning='diagonal', "
            "or code rows of more clusters"
        )
    middle = drawn.mean(axis=0)
    return np.asarray(middle + np.sqrt((units + numbers) / (units - numbers)) * (drawn - middle))


def _weight(rows: CodedRows) -> Array:
    """(n,) 1/π of the coded rows; 1 where all are alike, so that models that count whole groups can be weighted."""
    given = rows.weight[rows.coded]
    return rows.coded.astype(float) if np.allclose(given, given[0], rtol=1e-9) else rows.weight


def _predicted(rows: CodedRows, machine: Sequence[Machine]) -> pd.DataFrame:
    """All rows with the machine's word in place of codes.

    Raises:
        DesignError: a category that nobody coded.
    """
    made: dict[str, pd.Series] = {}
    for one in machine:
        if one.variable not in rows.categories:
            made[one.variable] = rows.data[one.columns[0]]
            continue
        label = one.label(rows.data)
        strange = label[~label.isin(rows.categories[one.variable])]
        if len(strange):
            raise DesignError(
                f"the machine says {one.variable} = {strange.iloc[0]!r} in {(label == strange.iloc[0]).sum():,} rows, "
                "and no coded row is that: code some of them, or merge the category with another"
            )
        made[one.variable] = label
    return rows.data.assign(**made)
