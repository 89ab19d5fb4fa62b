"""Budget: how many more codes bring a standard error down to what is wanted, from those that there are."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd
from scipy.stats import norm

from visanda.errors import DesignError, InputError
from visanda.result import Result
from visanda.study.correct.coded import EQUAL, FEWEST_CODED
from visanda.study.correct.crossfit import Learner
from visanda.study.correct.gold import gold_only
from visanda.study.correct.machine import Prediction
from visanda.study.correct.problem import Problem, problem
from visanda.study.planning.budget_plot import budget_plot
from visanda.study.planning.budget_words import Plan, plan_warnings, plan_words
from visanda.study.planning.parts import Parts, parts_alone, variance_parts
from visanda.study.planning.where import strata_of_codes, which_to_code
from visanda.study.regression.coefficients import Z95
from visanda.study.regression.families import FAMILIES
from visanda.study.regression.mixed import mixed_formula
from visanda.study.regression.named import Model
from visanda.study.wording import readable

GRID = (0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)  # of the codes that there are
FOLDS = 5  # of the cross-fitting
MISSED = 0.05  # probability at most that a value is not among the fewest codes


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
    drawn: Literal["auto", "units", "clusters"] = "auto",
    weights: str | None = None,
    learner: Literal["linear", "raw"] | Learner = "linear",
    seed: int = 1,
) -> Result:
    """How many codes a corrected estimate needs, from those that there are.

    Args:
        data: as for :func:`visanda.study.correct.dsl.dsl`, coded in part.
        formula: of the estimate that is planned; a variable alone asks for its mean or share, of categories the share
            of each.
        model: of it.
        predicted_var: as of ``dsl``.
        prediction: as of ``dsl``.
        target_se: standard error that is wanted.
        effect: coefficient that should be found with ``power`` (two-sided, 5 %), in place of ``target_se``.
        power: probability of finding it, 0.5 to 1.
        term: the coefficient (or the category) that it is about; None: the first that is no intercept, and of shares of
            categories the one that takes most codes.
        by: columns whose combinations are strata: says from which of them further codes are best drawn.
        sample_prob: as of ``dsl``.
        cluster: as of ``dsl``.
        drawn: what was drawn, and would be: units, or whole clusters, whose codes tell less; ``"auto"``: clusters where
            each is coded as a whole or not at all.
        weights: as of ``dsl``.
        learner: as of ``dsl``.
        seed: of the folds.

    A plan never has fewer codes than an estimate takes (10; 5 units or clusters to cross-fit; every value that is known
    of coded at least once with a probability of 95 %), nor more than there are rows. With clusters, what no code
    changes is what they have in common; of few clusters it is known roughly, and so is the plan.

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
    if drawn not in ("auto", "units", "clusters"):
        raise InputError(f"drawn={drawn!r}: choose auto, units or clusters")
    if drawn == "clusters" and cluster is None:
        raise InputError("drawn='clusters': name the column of clusters, too")
    if model not in FAMILIES:
        raise InputError(
            f"model={model!r}: plans are made for {', '.join(FAMILIES)}; the nearest of them tells the order of codes"
        )
    sample_prob = None if sample_prob == EQUAL else sample_prob
    whole = formula if "~" in formula else f"`{formula}` ~ 1"
    if mixed_formula(whole).group:
        raise DesignError(
            "plans are not made with random effects: leave them out, and name their groups as the cluster"
        )
    asked = problem(data, whole, model, predicted_var, prediction, sample_prob, cluster, weights)
    in_clusters = drawn == "clusters" or (drawn == "auto" and _coded_whole(asked))
    parts = variance_parts(asked, next(asked.stacked(learner, FOLDS, 1, seed)), sample_prob, in_clusters)
    alone = parts_alone(
        asked,
        gold_only(data, whole, model, list(predicted_var), sample_prob, cluster, weights).se,
        sample_prob,
        in_clusters,
    )
    wanted = target_se if target_se is not None else abs(float(effect or 0)) / (Z95 + float(norm.ppf(power)))
    place = _place(parts, term, wanted, "~" not in formula)
    least = fewest(asked, in_clusters)
    plan = Plan(
        called=_called(asked, formula, parts.names[place]),
        place=place,
        wanted=wanted,
        codes=max(parts.codes_for(place, wanted), least),
        alone=max(alone.codes_for(place, wanted), least),
        least=least,
        effect=effect,
        power=power,
        clusters=None if asked.rows.cluster is None else int(asked.rows.cluster.max()) + 1,
    )
    table = _table(parts, alone, plan)
    extra = {"strata": strata_of_codes(asked, parts, place, by)} if by else {}
    made = Result(
        title=f"Codes for {plan.called}",
        table=table,
        words=plan_words(plan, parts, alone),
        warnings=plan_warnings(plan, parts),
        draw=partial(budget_plot, table, plan.called, wanted, parts.n_coded),
        provenance={
            "formula": formula,
            "model": model,
            "term": parts.names[place],
            "target_se": wanted,
            "effect": effect,
            "power": power if effect is not None else None,
            "cluster": cluster,
            "drawn": "clusters" if in_clusters else "units",
            "codes": plan.codes,
            "codes_alone": plan.alone,
            "least": least,
            "n": parts.n,
            "n_coded": parts.n_coded,
        },
        extra=extra,
    )
    if by:
        made.also.append(which_to_code(extra["strata"], plan.codes, parts))
    return made


def fewest(asked: Problem, in_clusters: bool) -> int:
    """The fewest codes that an estimate takes: to be corrected at all, to be cross-fitted, and to meet every value."""
    rows = asked.rows
    coded = rows.data[rows.coded]
    least = max(FEWEST_CODED, len(asked.names) + 1)
    if in_clusters and rows.cluster is not None:
        least = max(least, int(np.ceil(FOLDS * rows.n_coded / len(set(rows.cluster[rows.coded])))))
    for one in asked.machine:
        shares = coded[one.variable].value_counts(normalize=True)
        if one.variable in rows.categories or set(shares.index) <= {0.0, 1.0}:
            least = max(least, int(np.ceil(np.log(MISSED) / np.log(1 - float(shares.min())))))
    return min(least, rows.n)


def _coded_whole(asked: Problem) -> bool:
    """Whether each cluster is coded as a whole or not at all."""
    cluster, coded = asked.rows.cluster, asked.rows.coded
    if cluster is None or coded.all():
        return False
    size, done = np.bincount(cluster), np.bincount(cluster, coded)
    return bool(((done == 0) | (done == size)).all() and size[done > 0].max() > 1)


def _place(parts: Parts, term: str | None, wanted: float, shares: bool) -> int:
    if term is None and shares:
        return max(range(len(parts.names)), key=lambda place: (parts.codes_for(place, wanted), parts.now[place]))
    if term is None:
        return next((place for place, name in enumerate(parts.names) if "Intercept" not in name), 0)
    if term not in parts.names:
        raise InputError(f"no term {term!r}: the terms are {', '.join(parts.names)}")
    return parts.names.index(term)


def _called(asked: Problem, formula: str, name: str) -> str:
    if "~" in formula:
        return f"the coefficient of {readable(name)}"
    if asked.rows.categories:
        return f"the share of {formula} = {name}"
    numbers = set(asked.rows.data.loc[asked.rows.coded, asked.machine[0].variable])
    return f"the {'share' if numbers <= {0.0, 1.0} else 'mean'} of {formula}"


def _table(parts: Parts, alone: Parts, plan: Plan) -> pd.DataFrame:
    numbers = {round(share * parts.n_coded) for share in GRID} | {parts.n_coded}
    numbers |= {int(plan.codes)} if np.isfinite(plan.codes) else {parts.n}
    numbers |= {parts.n} if parts.n <= GRID[-1] * parts.n_coded else set()
    grid = sorted(one for one in numbers if plan.least <= one <= parts.n)
    table = pd.DataFrame({"codes": grid, "se": [parts.se(plan.place, one) for one in grid]})
    table["half"] = Z95 * table["se"]
    table["se_alone"] = [alone.se(plan.place, one) for one in grid]
    table["half_alone"] = Z95 * table["se_alone"]
    if plan.effect is not None:
        for name in ("se", "se_alone"):
            far = abs(plan.effect) / table[name]
            table[name.replace("se", "power")] = norm.sf(Z95 - far) + norm.cdf(-Z95 - far)
    return table
