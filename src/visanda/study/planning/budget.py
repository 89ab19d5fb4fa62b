"""Budget: how many more codes bring a standard error down to what is wanted, from those that there are.

The variance of a corrected estimate has two parts: what is not known about the machine's errors, which falls with the
number of codes, and what would be left if everything were coded (Egami, Hinck, Stewart & Wei 2024, section on label
budgets): Ω(n′) = M₁/ρ + M₂₃, where ρ = n′/n_coded and M₁ = n⁻¹ Σ (R/π²)(m − m̃)(m − m̃)′.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from visanda.errors import DesignError, InputError
from visanda.result import Result
from visanda.study.correct.crossfit import Learner
from visanda.study.correct.gold import gold_only
from visanda.study.correct.machine import Prediction
from visanda.study.correct.problem import Problem, problem
from visanda.study.planning.budget_plot import budget_plot
from visanda.study.regression.coefficients import Z95
from visanda.study.regression.moments import Rows, information, moments
from visanda.study.regression.named import Model
from visanda.study.regression.ordinary import fit
from visanda.study.sample import strata
from visanda.study.wording import number, readable

Array = NDArray[np.float64]
GRID = (0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)  # of the codes that there are
FLOOR = 0.05  # least share of a stratum that is drawn


@dataclass(frozen=True)
class Parts:
    """The variance of each coefficient at ρ times the codes that there are: falls / ρ + stays.

    Attributes:
        names: (k,) of the coefficients.
        falls: (k,) what more codes make smaller.
        stays: (k,) what no code changes.
        n: units.
        n_coded: units that are coded.
        error: (n_coded, k) how far each coded unit's machine moves the coefficients.
    """

    names: tuple[str, ...]
    falls: Array
    stays: Array
    n: int
    n_coded: int
    error: Array

    def se(self, term: int, codes: Array | float) -> Array:
        """The standard error with so many codes, at most n."""
        ratio = np.minimum(np.asarray(codes, dtype=float), self.n) / self.n_coded
        return np.sqrt(self.falls[term] / ratio + self.stays[term])

    def codes_for(self, term: int, se: float) -> float:
        """Codes for a standard error; infinite where not even all are enough."""
        left = se**2 - self.stays[term]
        needed = self.n_coded * self.falls[term] / left if left > 0 else np.inf
        return float(np.ceil(needed)) if needed <= self.n else np.inf


def budget(
    data: pd.DataFrame,
    formula: str,
    *,
    model: Model = "lm",
    predicted_var: Sequence[str],
    prediction: Sequence[Prediction],
    target_se: float | None = None,
    effect: float | None = None,
    power: float = 0.8,
    term: str | None = None,
    by: str | Sequence[str] | None = None,
    sample_prob: str | None = None,
    cluster: str | None = None,
    weights: str | None = None,
    learner: Literal["linear", "raw"] | Learner = "linear",
    seed: int = 1,
) -> Result:
    """How many codes a corrected estimate needs, from those that there are.

    Args:
        data: as for :func:`visanda.study.correct.dsl.dsl`, coded in part.
        formula: of the estimate that is planned; a variable alone asks for its mean or share.
        model: of it.
        predicted_var: as of ``dsl``.
        prediction: as of ``dsl``.
        target_se: standard error that is wanted.
        effect: coefficient that should be found with ``power`` (two-sided, 5 %), in place of ``target_se``.
        power: probability of finding it, 0.5 to 1.
        term: the coefficient that it is about; None: the first that is no intercept.
        by: columns whose combinations are strata: says from which of them further codes are best drawn.
        sample_prob: as of ``dsl``.
        cluster: as of ``dsl``.
        weights: as of ``dsl``.
        learner: as of ``dsl``.
        seed: of the folds.

    Returns:
        A Result with a row a number of codes: codes, se and half (of the 95 % interval) of the corrected estimate, se
        and half from the codes alone, and, with ``effect``, the power of both. ``extra["strata"]``, with ``by``: units,
        coded, error (root mean square of how far the machine moves the coefficient there) and share, of further codes
        that Neyman's allocation gives the stratum.

    Raises:
        InputError: a column, formula or argument that does not fit.
        DesignError: as ``dsl``.

    Example:
        >>> draw = np.random.default_rng(1)
        >>> y = draw.integers(0, 2, 2000) * 1.0
        >>> data = pd.DataFrame({"protest": y, "p": np.where(draw.random(2000) < 0.9, 0.9 * y, 1 - 0.9 * y)})
        >>> data.loc[100:, "protest"] = np.nan
        >>> found = budget(data, "protest", predicted_var=["protest"], prediction=["p"], target_se=0.02)
        >>> 150 < found.provenance["codes"] < 350
        True
    """
    if (target_se is None) == (effect is None):
        raise InputError("give target_se, or effect: the coefficient that should be found")
    if target_se is not None and target_se <= 0:
        raise InputError(f"target_se={target_se}: a standard error is above 0")
    if effect is not None and (effect == 0 or not 0.5 <= power < 1):
        raise InputError(
            f"effect={effect}, power={power}: give an effect other than 0, and a power from 0.5 to below 1"
        )
    asked_formula = formula if "~" in formula else f"`{formula}` ~ 1"
    asked = problem(data, asked_formula, model, predicted_var, prediction, sample_prob, cluster, weights)
    parts = variance_parts(asked, next(asked.stacked(learner, 5, 1, seed)))
    place = _place(parts.names, term)
    wanted = target_se if target_se is not None else abs(float(effect or 0)) / (Z95 + float(norm.ppf(power)))
    codes = parts.codes_for(place, wanted)
    alone = gold_only(data, asked_formula, model, list(predicted_var), sample_prob, cluster, weights).se[place]
    alone_codes = float(np.ceil(parts.n_coded * (alone / wanted) ** 2))
    table = _table(parts, place, alone, codes, effect)
    called = f"the mean of {formula}" if "~" not in formula else f"the coefficient of {readable(parts.names[place])}"
    extra = {"strata": _strata(asked, data, parts, place, by)} if by else {}
    made = Result(
        title=f"Codes for {called}",
        table=table,
        words=_words(called, parts, place, wanted, codes, alone, alone_codes, effect, power),
        warnings=_warnings(parts),
        draw=partial(budget_plot, table, called, wanted, parts.n_coded),
        provenance={
            "formula": formula,
            "model": model,
            "term": parts.names[place],
            "target_se": wanted,
            "codes": codes,
            "codes_alone": alone_codes,
            "n": parts.n,
            "n_coded": parts.n_coded,
        },
        extra=extra,
    )
    if by:
        made.also.append(_which(extra["strata"], codes, parts))
    return made


def variance_parts(asked: Problem, rows: Rows) -> Parts:
    """What more codes make smaller, and what stays, of the variance of each coefficient."""
    b, influences = fit(asked.family, asked.plan, rows)
    if asked.plan.absorbed:
        raise DesignError("budgets are not computed with fixed effects: plan the model without them, or with C(city)")
    n, coded = rows.n, np.flatnonzero(asked.rows.coded)
    bread = np.linalg.inv(information(asked.family, b, rows))
    weight, survey = asked.rows.weight[coded], asked.rows.survey[coded]
    machine, human = (
        moments(asked.family, b, Rows.of(rows.X[part], rows.y[part])) for part in (coded, np.arange(n, len(rows.X)))
    )
    error = ((human - machine) * survey[:, None]) @ bread.T
    falls = ((weight[:, None] * error) ** 2).sum(axis=0) / n**2
    if asked.rows.cluster is not None:
        influences = np.stack([np.bincount(asked.rows.cluster, column) for column in influences.T], axis=1)
    whole = (influences**2).sum(axis=0) / n**2
    return Parts(asked.names, falls, np.maximum(whole - falls, 0.0), n, len(coded), error)


def _place(names: tuple[str, ...], term: str | None) -> int:
    if term is None:
        return next((place for place, name in enumerate(names) if name != "Intercept"), 0)
    if term not in names:
        raise InputError(f"no term {term!r}: the terms are {', '.join(names)}")
    return names.index(term)


def _table(parts: Parts, place: int, alone: float, codes: float, effect: float | None) -> pd.DataFrame:
    numbers = {round(share * parts.n_coded) for share in GRID} | ({int(codes)} if np.isfinite(codes) else set())
    grid = np.array(sorted(one for one in numbers if 10 <= one <= parts.n), dtype=float)
    table = pd.DataFrame({"codes": grid.astype(int), "se": parts.se(place, grid)})
    table["half"] = Z95 * table["se"]
    table["se_alone"] = alone * np.sqrt(parts.n_coded / grid)
    table["half_alone"] = Z95 * table["se_alone"]
    if effect is not None:
        for name in ("se", "se_alone"):
            table[name.replace("se", "power")] = norm.sf(Z95 - abs(effect) / table[name])
    return table


def _words(
    called: str,
    parts: Parts,
    place: int,
    wanted: float,
    codes: float,
    alone: float,
    alone_codes: float,
    effect: float | None,
    power: float,
) -> list[str]:
    now = float(parts.se(place, parts.n_coded))
    goal = f"A standard error of {number(wanted)} (an interval of ± {number(Z95 * wanted)})"
    if effect is not None:
        goal = f"To find an effect of {number(effect)} with a power of {power:.0%}, {called} needs a standard error of "
        goal += f"{number(wanted)}; that"
    words = [
        f"{parts.n_coded:,} of {parts.n:,} units are coded: the standard error of {called} is {number(now)} corrected, "
        f"and {number(alone)} from the codes alone."
    ]
    if not np.isfinite(codes):
        words.append(
            f"{goal} cannot be reached: with all {parts.n:,} units coded it would be "
            f"{number(float(parts.se(place, parts.n)))}. More units are needed, not more codes."
        )
    elif codes <= parts.n_coded:
        words.append(f"{goal} is reached with the codes that there are; {codes:,.0f} would be enough.")
    else:
        words.append(f"{goal} takes about {codes:,.0f} codes in all, {codes - parts.n_coded:,.0f} more.")
    if np.isfinite(codes):
        words.append(
            f"From the codes alone it would take {alone_codes:,.0f}: the machine is worth "
            f"{max(alone_codes - codes, 0):,.0f} codes here."
        )
    words.append("This holds if further units are drawn as these were, and if the machine stays as it is.")
    return words


def _warnings(parts: Parts) -> list[str]:
    if parts.n_coded < 50:
        return [f"{parts.n_coded} codes are few to plan from: the answer may be far off. Plan again after 50 more."]
    return []


def _strata(asked: Problem, data: pd.DataFrame, parts: Parts, place: int, by: str | Sequence[str]) -> pd.DataFrame:
    """Where the machine moves the coefficient most, and from where further codes should come."""
    columns = [by] if isinstance(by, str) else list(by)
    rows = asked.rows
    missing = [name for name in columns if name not in rows.data]
    if missing:
        raise InputError(f"there is no column {missing[0]!r} to draw by")
    stratum = strata(rows.data, columns)
    units = stratum.value_counts().sort_index()
    coded = stratum[rows.coded]
    squares = pd.Series(parts.error[:, place] ** 2, index=coded.index).groupby(coded).mean()
    count = coded.value_counts().reindex(units.index).fillna(0).astype(int)
    overall = float((parts.error[:, place] ** 2).mean())
    # a stratum of few codes is lent two of all
    error = np.sqrt((count * squares.reindex(units.index).fillna(0) + 2 * overall) / (count + 2))
    size = units.to_numpy(dtype=float)
    share = size * np.asarray(error, dtype=float)
    share = np.maximum(share / share.sum(), FLOOR * size / size.sum())
    return pd.DataFrame(
        {
            "stratum": units.index,
            "units": units.to_numpy(),
            "coded": count.to_numpy(),
            "error": np.asarray(error, dtype=float),
        }
    ).assign(share=share / share.sum())


def _which(table: pd.DataFrame, codes: float, parts: Parts) -> Result:
    """Which units to code next."""
    more = max(codes - parts.n_coded, 0) if np.isfinite(codes) else np.nan
    shown = table.assign(more=np.ceil(table["share"] * more)) if np.isfinite(more) and more > 0 else table
    first = table.iloc[int((table["share"] / table["units"]).argmax())]
    return Result(
        "Which units to code next",
        shown,
        [
            f"The machine's errors matter most in {first['stratum']}: {first['share']:.0%} of further codes belong "
            f"there, where {first['units'] / table['units'].sum():.0%} of the units are (Neyman 1934). Draw with "
            "'visanda sample --more --allocate neyman --by ...'; probabilities stay known."
        ],
    )
