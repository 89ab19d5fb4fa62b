"""MC-SIMEX: what more errors would do to an estimate, and so what fewer would have done.

Küchenhoff, Mwalili & Lesaffre (2006), "A General Method for Dealing with Misclassification in Regression: The
Misclassification SIMEX", Biometrics 62(1). Errors are added to the machine's labels on purpose, the model is fitted
again and again, and the curve of the coefficient over the amount of error is followed back to none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.errors import DesignError, InputError
from visanda.result import Result
from visanda.study.columns import require_columns
from visanda.study.correct.error_rates import class_names
from visanda.study.correct.misclassification import misclassified, power, with_powers
from visanda.study.correct.simex_plot import simex_plot
from visanda.study.regression.coefficients import Estimates
from visanda.study.regression.families import FAMILIES, Family
from visanda.study.regression.formula import Design, complete, design, refuse_collinear, sides
from visanda.study.regression.moments import Rows, check_outcome, sandwich
from visanda.study.regression.ordinary import fit
from visanda.study.wording import number, readable

Array = NDArray[np.float64]
Numbers = NDArray[np.intp]

DEGREE = 2  # of the curve
FEWEST_LAMBDAS = 2  # beside 0, for a curve of three coefficients
MOST_TERMS = 8  # more are read in the table


@dataclass(frozen=True)
class _Asked:
    """A model of n rows under each of the v classes that a row may have."""

    family: Family
    names: tuple[str, ...]
    X: Array  # (v, n, k)
    y: Array  # (v, n, 1)
    plan: Design
    said: Numbers  # (n,) the machine's class
    cluster: Numbers | None

    def fitted(self, said: Numbers) -> tuple[Array, Array]:
        """Coefficients and their (k, k) covariance, where rows have these classes."""
        at = np.arange(len(said))
        rows = Rows.of(self.X[said, at], self.y[said, at])
        b, influences = fit(self.family, self.plan, rows)
        return b, sandwich(influences, self.cluster)


def simex(
    data: pd.DataFrame,
    formula: str,
    *,
    model: Literal["lm", "logit", "poisson"] = "lm",
    predicted_var: str,
    label: str,
    misclassification: pd.DataFrame | None = None,
    sample_prob: str | None = None,
    cluster: str | None = None,
    lambdas: Sequence[float] = (0.5, 1.0, 1.5, 2.0),
    draws: int = 100,
    seed: int = 1,
) -> Result:
    """Extrapolate the coefficients of ``formula`` to a machine without errors: a sensitivity analysis.

    It needs error rates only, from codes of these rows or of others, or from a publication. It assumes that they are
    the same whatever the outcome and the other covariates, and takes a parabola for a curve that is not quite one:
    where errors are many, it corrects too little. Where some rows are coded by hand, DSL or maximum likelihood do more.

    Args:
        data: a row a unit.
        formula: R-style, with a ``~``, that uses ``predicted_var``, as covariate or as outcome of 0 and 1.
        model: ``"lm"``, ``"logit"`` or ``"poisson"``.
        predicted_var: the variable that the machine coded; the column, with codes of some rows, may be absent where
            ``misclassification`` is given.
        label: column with the machine's class of each row.
        misclassification: probabilities of what is said (rows) of each true class (columns, which add up to 1), both
            named by the classes; None: estimated from the rows that are coded by hand.
        sample_prob: column with the probability that a row was drawn for coding; ``"equal"`` or None: the same for all.
        cluster: column of clusters, for standard errors.
        lambdas: amounts of added error, above 0; 1 is as much again as there is.
        draws: of labels with added errors, for each amount.
        seed: of the draws.

    Returns:
        A Result whose table has a row for each method (naive, MC-SIMEX) and term: estimate, se, low and high (95 %), p,
        n. ``extra["path"]`` holds the mean coefficient by added error (method, term, added, estimate, curve),
        ``extra["misclassification"]`` the matrix that was used.

    Raises:
        InputError: a column, formula or matrix that does not fit.
        DesignError: a matrix whose powers are no probabilities, a class never coded, collinear terms.

    Example:
        >>> draw = np.random.default_rng(1)
        >>> cat = draw.integers(0, 2, 4000)
        >>> said = np.where(draw.random(4000) < 0.9, cat, 1 - cat)
        >>> data = pd.DataFrame({"likes": cat + draw.normal(size=4000), "said": said})
        >>> errors = pd.DataFrame([[0.9, 0.1], [0.1, 0.9]], index=[0, 1], columns=[0, 1])
        >>> found = simex(data, "likes ~ cat", predicted_var="cat", label="said", misclassification=errors, draws=20)
        >>> found.table.set_index(["method", "term"])["estimate"].xs("cat", level="term").round(2).to_dict()
        {'naive': 0.76, 'MC-SIMEX': 0.92}
    """
    added = _checked(model, lambdas, draws)
    classes, matrix, n_coded = misclassified(data, predicted_var, label, misclassification, sample_prob)
    used, moved = with_powers(matrix, added)
    asked, n_dropped = _lay_out(data, formula, model, predicted_var, label, classes, cluster)
    path, naive, corrected = _extrapolated(asked, used, added, draws, seed)
    n = len(asked.said)
    fits = {
        "naive": Estimates(asked.names, naive[0], np.sqrt(np.diag(naive[1])), naive[1], n, 0, n_dropped),
        "MC-SIMEX": Estimates(asked.names, corrected[0], np.sqrt(np.diag(corrected[1])), corrected[1], n, 0, n_dropped),
    }
    parts = [one.frame().assign(method=method, n=n) for method, one in fits.items()]
    table = pd.concat(parts, ignore_index=True)[["method", "term", "estimate", "se", "low", "high", "p", "n"]]
    shown = pd.DataFrame(used, index=pd.Index(classes, name="said"), columns=classes)
    return Result(
        title=f"{formula}: extrapolated to a machine without errors (MC-SIMEX)",
        table=table,
        words=_words(formula, predicted_var, table, matrix, classes, n_dropped),
        warnings=_warnings(n_coded, moved, predicted_var),
        draw=partial(simex_plot, path, table, formula),
        provenance={
            "formula": formula,
            "model": model,
            "predicted_var": predicted_var,
            "label": label,
            "sample_prob": sample_prob,
            "cluster": cluster,
            "lambdas": list(added),
            "draws": draws,
            "seed": seed,
            "n": n,
            "n_coded": n_coded,
            "n_dropped": n_dropped,
        },
        extra={"path": path, "misclassification": shown.reset_index()},
    )


def _checked(model: str, lambdas: Sequence[float], draws: int) -> tuple[float, ...]:
    added = tuple(sorted(set(map(float, lambdas))))
    if model not in ("lm", "logit", "poisson"):
        raise InputError(f"model={model!r}: MC-SIMEX knows lm, logit and poisson")
    if len(added) < FEWEST_LAMBDAS or added[0] <= 0 or not np.isfinite(added).all():
        raise InputError(f"lambdas={tuple(lambdas)}: give {FEWEST_LAMBDAS} amounts of added error or more, all above 0")
    if draws < 2:
        raise InputError(f"draws={draws}: 100 are usual, 2 the fewest")
    return added


def _lay_out(
    data: pd.DataFrame,
    formula: str,
    model: str,
    variable: str,
    label: str,
    classes: tuple[str, ...],
    cluster: str | None,
) -> tuple[_Asked, int]:
    used = set().union(*sides(formula))
    if variable not in used:
        raise InputError(f"the predicted variable {variable!r} is not in the formula {formula!r}: add it")
    require_columns(data, sorted(used - {variable}), "the formula's variable")
    rows = complete(data, (used - {variable}) | {label} | ({cluster} if cluster else set()))
    machine = class_names(rows[label])
    if strange := sorted(set(machine) - set(classes)):
        raise InputError(f"the machine says {', '.join(strange)}, which the misclassification matrix does not have")
    values: list[float] | list[str] = list(classes)
    if all(_is_number(name) for name in classes):
        values = [float(name) for name in classes]
    said = np.asarray(machine.map({name: place for place, name in enumerate(classes)}), dtype=np.intp)
    taken = pd.Series([values[place] for place in said])
    if isinstance(values[0], str):
        taken = pd.Series(pd.Categorical(taken, categories=values))
    plan = design(formula, rows.assign(**{variable: taken}))
    if plan.absorbed:
        raise DesignError("MC-SIMEX cannot absorb fixed effects: write C(city), or correct by DSL")
    refuse_collinear(plan)
    each = [plan.of(rows.assign(**{variable: value})) for value in values]
    family = FAMILIES[model]
    y = np.stack([one.outcome for one in each])
    check_outcome(family, y.reshape(-1, 1))
    groups = pd.factorize(rows[cluster])[0] if cluster else None
    if groups is not None and groups.max() == 0:
        raise DesignError(f"all rows lie in one cluster of {cluster!r}: standard errors need several")
    X = np.stack([one.matrix for one in each])
    return _Asked(family, plan.names, X, y, plan, said, groups), len(data) - len(rows)


def _extrapolated(
    asked: _Asked, matrix: Array, added: tuple[float, ...], draws: int, seed: int
) -> tuple[pd.DataFrame, tuple[Array, Array], tuple[Array, Array]]:
    """The path of coefficients, the naive fit, and the extrapolated one.

    Its covariance is the same parabola's, of the mean covariance of the fits less the covariance between draws
    (Stefanski & Cook 1995).
    """
    naive = asked.fitted(asked.said)
    means, variances = [naive[0]], [naive[1]]
    for place, amount in enumerate(added):
        coef, cov = _refitted(asked, power(matrix, amount), draws, np.random.default_rng([seed, place]))
        means.append(coef.mean(axis=0))
        variances.append(cov.mean(axis=0) - np.atleast_2d(np.cov(coef.T)))
    grid = np.array([0.0, *added])
    weight = np.vander([-1.0], DEGREE + 1)[0] @ np.linalg.pinv(np.vander(grid, DEGREE + 1))  # of each point at -1
    b, cov = weight @ np.array(means), np.tensordot(weight, np.array(variances), axes=1)
    if not (np.diag(cov) > 0).all():
        raise DesignError(
            "the extrapolated variance is not above 0: too few draws, or rows, for so much error. Draw more "
            "(such as 200), or correct by DSL."
        )
    return _path(asked.names, grid, np.array(means), b), naive, (b, cov)


def _refitted(asked: _Asked, extra: Array, draws: int, random: np.random.Generator) -> tuple[Array, Array]:
    """(draws, k) coefficients and (draws, k, k) covariances with errors of the matrix ``extra`` added."""
    bounds = extra.clip(0).cumsum(axis=0)
    bounds = (bounds / bounds[-1]).T[asked.said]
    found = [asked.fitted((random.random((len(bounds), 1)) > bounds).sum(axis=1)) for _ in range(draws)]
    return np.array([coef for coef, _ in found]), np.array([cov for _, cov in found])


def _path(names: tuple[str, ...], grid: Array, means: Array, b: Array) -> pd.DataFrame:
    """The mean coefficient of each term at each amount of added error, and what the parabola says there."""
    basis = np.vander(grid, DEGREE + 1)
    curve = basis @ np.linalg.lstsq(basis, means, rcond=None)[0]
    parts = [
        pd.DataFrame({"term": name, "added": grid, "estimate": means[:, k], "curve": curve[:, k]})
        for k, name in enumerate(names)
    ]
    ends = pd.DataFrame({"term": names, "added": -1.0, "estimate": b, "curve": b})
    path = pd.concat([ends, *parts], ignore_index=True)
    path["method"] = np.select([path["added"] == -1, path["added"] == 0], ["MC-SIMEX", "naive"], "errors added")
    order = {name: place for place, name in enumerate(names)}
    path = path.sort_values(
        ["term", "added"], key=lambda column: column.map(order) if column.name == "term" else column
    )
    return path[["method", "term", "added", "estimate", "curve"]].reset_index(drop=True)


def _words(
    formula: str, variable: str, table: pd.DataFrame, matrix: Array, classes: tuple[str, ...], n_dropped: int
) -> list[str]:
    right = ", ".join(f"{name}: {matrix[place, place]:.1%}" for place, name in enumerate(classes))
    dropped = f"; {n_dropped:,} more were left out for missing values" if n_dropped else ""
    found = [
        f"{table['n'].iloc[0]:,} rows{dropped}. Of each true class of {variable}, the machine is right in: {right}.",
        "Errors were added to its labels, and the curve of each coefficient was followed back to a machine without "
        "errors (MC-SIMEX, Küchenhoff et al. 2006; quadratic extrapolation).",
    ]
    for term in [name for name in table["term"].unique() if name != "Intercept"][:MOST_TERMS]:
        before, after = (table[(table["term"] == term) & (table["method"] == m)].iloc[0] for m in ("naive", "MC-SIMEX"))
        found.append(
            f"The coefficient of {readable(term)} is {number(before['estimate'])} with the machine's labels taken as "
            f"true, and {number(after['estimate'])} (95 % CI {number(after['low'])} to {number(after['high'])}) "
            "extrapolated."
        )
    return found


def _warnings(n_coded: int, moved: float, variable: str) -> list[str]:
    found = [
        f"A sensitivity analysis: errors in {variable} are assumed to be as frequent whatever the outcome and the "
        "other covariates, and a parabola corrects too little where they are many."
    ]
    if n_coded:
        found.append(
            f"The interval takes the error rates as known; they rest on {n_coded:,} coded rows, so it is too narrow."
        )
    if moved:
        found.append(
            f"The misclassification matrix has no root of probabilities: the nearest that has was taken, whose entries "
            f"differ by {moved:.4f} at most."
        )
    return found


def _is_number(name: str) -> bool:
    try:
        return bool(np.isfinite(float(name)))
    except ValueError:
        return False
