"""Linear mixed models: rows within groups (posts of accounts, frames of videos) whose level and slopes vary.

y = x'b + z'u_g + e with u_g ~ N(0, Ψ) for each group g (Laird & Ware 1982); fitted by statsmodels.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
import statsmodels.api as sm
from numpy.typing import NDArray

from visanda.errors import DesignError, InputError
from visanda.study.columns import written
from visanda.study.regression.coefficients import Estimates
from visanda.study.regression.formula import design, sides
from visanda.study.regression.prepared import prepared, refuse_few, refuse_fixed_effects

Array = NDArray[np.float64]
WAYS = ("bfgs", "powell")  # of optimising; lbfgs says that it settled at variances of 0 where they are not


@dataclass(frozen=True)
class MixedFormula:
    """``y ~ x + (1 + x | group)``, taken apart.

    Attributes:
        fixed: the formula of the fixed effects, ``y ~ x``.
        random: the terms that vary between groups, ``1 + x``.
        group: the column of groups; None where the formula names none.
    """

    fixed: str
    random: str
    group: str | None

    @property
    def columns(self) -> set[str]:
        """The columns of the random part."""
        return sides(f"{self.fixed.split('~')[0]} ~ {self.random}")[1] | ({self.group} if self.group else set())


@dataclass(frozen=True, kw_only=True)
class MixedEstimates(Estimates):
    """Estimates of the fixed effects, with what varies beside them.

    Attributes:
        spread: a row a random term and one for the residual: ``term``, ``sd`` in units of the outcome.
        correlation: (r, r) of the random terms.
        groups: how many.
    """

    spread: pd.DataFrame
    correlation: Array
    groups: int


def mixed(
    data: pd.DataFrame,
    formula: str,
    *,
    cluster: str | None = None,
    weights: str | None = None,
    groups: str | None = None,
    reml: bool = True,
) -> MixedEstimates:
    """Fit a linear mixed model.

    Args:
        data: a row a unit.
        formula: R-style; ``y ~ x + (1 | account)`` lets the level vary between accounts, ``y ~ x + (1 + x | account)``
            the slope of x, too.
        cluster: column of clusters, in which groups lie whole, for robust standard errors; None: those of the model.
        weights: column of how often each group counts: whole numbers, the same in all rows of a group.
        groups: column of groups whose level varies, where the formula names none.
        reml: restricted maximum likelihood, or maximum likelihood.

    Returns:
        Estimates of the fixed effects; ``spread`` has the standard deviations.

    Raises:
        InputError: a column or formula that does not fit, no groups.
        DesignError: weights that are no counts of groups, one group, no convergence.

    Example:
        >>> rows = pd.DataFrame({"y": [1, 2, 3, 2, 4, 6, 1, 1, 3.0], "x": [0, 1, 2] * 3, "who": list("aaabbbccc")})
        >>> mixed(rows, "y ~ x + (1 | who)").frame().round(2)[["term", "estimate"]].values.tolist()
        [['Intercept', 1.22], ['x', 1.33]]
    """
    asked = mixed_formula(formula)
    group = asked.group or groups
    if group is None:
        raise InputError(f"{formula!r} names no groups: write 'y ~ x + (1 | account)', or groups='account'")
    refuse_fixed_effects(asked.fixed, "mixed model")
    ready = prepared(data, asked.fixed, cluster, weights, asked.columns | {group})
    rows = ready.rows if weights is None else _repeated(ready.rows, ready.weight, group)
    made = ready.laid_out(asked.fixed) if weights is None else design(asked.fixed, rows)
    groups_of = rows.groupby([group, *([TURN] if weights else [])], observed=True)
    number: NDArray[np.intp] = np.asarray(groups_of.ngroup(), dtype=np.intp)
    if number.max() == 0:
        raise DesignError(
            f"all rows lie in one group of {group!r}: a mixed model needs several, 10 or more to be believed"
        )
    random = design(f"{asked.fixed.split('~')[0]} ~ {asked.random}", rows)
    refuse_few(len(rows), made.matrix.shape[1] + random.matrix.shape[1])
    y = made.outcome[:, 0]
    fitted = _fitted(y, made.matrix, random.matrix, number, reml)
    k = made.matrix.shape[1]
    varies, noise = np.atleast_2d(np.asarray(fitted.cov_re)), float(fitted.scale)
    coef, cov = np.asarray(fitted.fe_params), np.asarray(fitted.cov_params())[:k, :k]
    if not (np.diag(cov) > 0).all():  # at a variance of 0 the curvature of the likelihood is none of the coefficients
        cov = np.linalg.inv(_bread(made.matrix, random.matrix, varies, noise, number))
    if cluster is not None:
        inside = pd.factorize(rows[cluster])[0]
        cov = _robust(y - made.matrix @ coef, made.matrix, random.matrix, varies, noise, number, inside, group, cluster)
    sd = np.sqrt(np.diag(varies))
    spread = pd.DataFrame({"term": [*random.names, "residual"], "sd": [*sd, noise**0.5]})
    correlation = varies / np.maximum(np.outer(sd, sd), 1e-300)
    se = np.sqrt(np.diag(cov))
    n = len(ready.rows)
    return MixedEstimates(
        made.names,
        coef,
        se,
        cov,
        n,
        n,
        ready.n_dropped,
        spread=spread,
        correlation=correlation,
        groups=int(number.max()) + 1,
    )


NEARLY = 1.1  # ratio of weights up to which rounding made them unequal, as of a sample in proportion to strata


def refuse_split_groups(rows: pd.DataFrame, group: str, cluster: str) -> None:
    """DesignError where a group lies in several clusters, so that it cannot be drawn again as a whole."""
    if group != cluster and (several := rows.groupby(group, observed=True)[cluster].nunique() > 1).any():
        raise DesignError(
            f"{group} {written(several.index[several][0])} lies in several clusters of {cluster!r}, and a mixed model "
            f"draws groups again as a whole: take {group!r} as the cluster (it is by itself, where none is named), or "
            f"a linear model with {cluster!r} as the cluster"
        )


def refuse_unequal(weight: Array, fixed: str, group: str) -> None:
    """DesignError where coded rows were drawn with different probabilities, which a mixed model has no weights for."""
    if weight.max() > NEARLY * weight.min():
        raise DesignError(
            f"the probabilities of being drawn for coding differ up to {weight.max() / weight.min():.1f}-fold, and a "
            f"mixed model has no weights of single rows. Take the linear model {fixed!r} with {group!r} as the "
            f"cluster, or its fixed effects: '{fixed} | {group}'"
        )


TURN = "which repetition of the group"


def mixed_formula(formula: str) -> MixedFormula:
    """Take ``y ~ x + (1 + x | group)`` apart.

    Raises:
        InputError: more than one random part, or one without a group.

    Example:
        >>> mixed_formula("y ~ x + (1 + log(x) | who)")
        MixedFormula(fixed='y ~ x', random='1 + log(x)', group='who')
    """
    found = [(begin, end) for begin, end in _brackets(formula) if _bar(formula[begin + 1 : end]) is not None]
    if not found:
        return MixedFormula(formula, "1", None)
    if len(found) > 1:
        raise InputError(f"{formula!r} has {len(found)} random parts: one, such as (1 + x | group), can be fitted")
    begin, end = found[0]
    inside = formula[begin + 1 : end]
    bar = _bar(inside)
    random, group = inside[:bar].strip(), inside[(bar or 0) + 1 :].strip().strip("`")
    if not random or not re.fullmatch(r"[^()|+*:/]+", group):
        raise InputError(f"({inside}): left of the | stand terms, right of it one column, as in (1 + x | group)")
    left, right = formula[:begin].rstrip(), formula[end + 1 :].strip()
    left = left[:-1].rstrip() if left.endswith("+") else left
    if left.endswith("~"):
        left = f"{left} 1"
    return MixedFormula(f"{left} {right}".strip(), random, group)


def _brackets(text: str) -> list[tuple[int, int]]:
    """Where the outermost brackets begin and end."""
    depth, begin, found = 0, 0, []
    for place, letter in enumerate(text):
        if letter == "(":
            depth += 1
            begin = place if depth == 1 else begin
        elif letter == ")":
            depth -= 1
            if depth == 0:
                found.append((begin, place))
    return found


def _bar(inside: str) -> int | None:
    """The place of the ``|`` that stands in no further brackets."""
    depth = 0
    for place, letter in enumerate(inside):
        depth += (letter == "(") - (letter == ")")
        if letter == "|" and depth == 0:
            return place
    return None


def _repeated(rows: pd.DataFrame, weight: Array, group: str) -> pd.DataFrame:
    """Each group as often as it counts, each time as a group of its own."""
    varies = rows.assign(weight=weight).groupby(group, observed=True)["weight"].nunique().max() > 1
    if varies or (weight != np.round(weight)).any():
        raise DesignError(
            "a mixed model counts whole groups: its weights must be whole numbers, the same in all rows of a group of "
            f"{group!r}. Where groups were drawn with unequal probabilities use lm with cluster={group!r}; resample "
            f"with cluster={group!r}"
        )
    times = weight.astype(int)
    again = rows.loc[rows.index.repeat(times)]
    turn = np.concatenate([np.arange(count) for count in times])
    return again.assign(**{TURN: turn}).reset_index(drop=True)


def _fitted(y: Array, X: Array, Z: Array, number: NDArray[np.intp], reml: bool) -> sm.regression.mixed_linear_model:
    """The fit by statsmodels; its warnings about the boundary (a variance of 0) are none of convergence."""
    model = sm.MixedLM(y, X, number, exog_re=Z)
    for way in WAYS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                fitted = model.fit(reml=reml, method=way)
            except np.linalg.LinAlgError:
                continue
        settled = fitted.converged or _at_the_edge(fitted)
        if settled and np.isfinite(fitted.fe_params).all():
            return fitted
    raise DesignError(
        "the mixed model does not converge: groups may be too few or too small for so many random terms. Write "
        "(1 | group), or use lm with clustered standard errors"
    )


def _at_the_edge(fitted: sm.regression.mixed_linear_model) -> bool:
    """Whether groups do not vary, so that the maximum lies on the boundary, where no gradient is 0."""
    return bool(np.linalg.eigvalsh(np.atleast_2d(np.asarray(fitted.cov_re))).min() < 1e-4 * float(fitted.scale))


def _bread(X: Array, Z: Array, varies: Array, noise: float, number: NDArray[np.intp]) -> Array:
    """(k, k) the information of the fixed effects, X'V⁻¹X."""
    bread = np.zeros((X.shape[1], X.shape[1]))
    for place in range(int(number.max()) + 1):
        own = number == place
        inside = Z[own] @ varies @ Z[own].T + noise * np.eye(int(own.sum()))
        bread += X[own].T @ np.linalg.solve(inside, X[own])
    return bread


def _robust(
    left: Array,
    X: Array,
    Z: Array,
    varies: Array,
    noise: float,
    number: NDArray[np.intp],
    inside: NDArray[np.intp],
    group: str,
    cluster: str,
) -> Array:
    """(k, k) the sandwich of clusters, with the factor C / (C − 1)."""
    clusters = int(inside.max()) + 1
    k = X.shape[1]
    bread, score = np.zeros((k, k)), np.zeros((clusters, k))
    for place in range(int(number.max()) + 1):
        own = number == place
        if (inside[own] != inside[own][0]).any():
            raise DesignError(
                f"groups of {group!r} lie in several clusters of {cluster!r}: use lm with cluster={cluster!r}"
            )
        weighted = np.linalg.solve(Z[own] @ varies @ Z[own].T + noise * np.eye(int(own.sum())), X[own])
        bread += X[own].T @ weighted
        score[inside[own][0]] += weighted.T @ left[own]
    inverse = np.linalg.inv(bread)
    return inverse @ score.T @ score @ inverse * clusters / (clusters - 1)
