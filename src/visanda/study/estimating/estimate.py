"""Estimate a share or a regression with machine-coded variables, and show what their errors did to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

import pandas as pd

from visanda.errors import DesignError
from visanda.result import Result
from visanda.study.correct.crossfit import Learner
from visanda.study.correct.machine import Prediction
from visanda.study.estimating.choice import CALLED, CITED, Method, choose
from visanda.study.estimating.coefficient_plot import coefficient_plot
from visanda.study.estimating.compared_with import not_to_be_read, outcome_reference, own_levels, references
from visanda.study.estimating.fits import GOLD, NAIVE, TRUTH, Settings, corrected, effects, others, possible
from visanda.study.estimating.question import Question, question, refuse_training_codes
from visanda.study.estimating.sentences import describe, disagreements, weak_design
from visanda.study.regression.bootstrap import Progress
from visanda.study.regression.coefficients import Estimates
from visanda.study.regression.formula import sides
from visanda.study.regression.separation import MODELS, separated
from visanda.study.wording import number, readable

SCALES = {
    "lm": "Coefficient",
    "logit": "Coefficient (log odds)",
    "poisson": "Coefficient (log of the expected count)",
    "negbin": "Coefficient (log of the expected count)",
    "fepois": "Coefficient (log of the expected count)",
    "multinomial": "Coefficient (log odds against {})",
    "ordinal": "Coefficient (log odds of a higher category)",
    "mixed": "Coefficient",
    "mean": "Estimate",
}
SAYS = {
    "lm": "Linear regression: {}.",
    "logit": "Logistic regression: {}; coefficients are log odds.",
    "poisson": "Poisson regression: {}; coefficients are logs of ratios of expected counts.",
    "negbin": "Negative binomial regression (NB2): {}; coefficients are logs of ratios of expected counts.",
    "fepois": "Poisson regression with fixed effects: {}; coefficients are logs of ratios of expected counts.",
    "multinomial": "Multinomial logistic regression: {}; coefficients are log odds.",
    "ordinal": "Ordinal (proportional odds) regression: {}; coefficients are log odds of a higher category.",
    "mixed": "Linear mixed model: {}.",
    "mean": "Mean of {}, in the units of its codes; the share of 1 where they are 0 and 1, of each category otherwise.",
}


def estimate(
    data: pd.DataFrame,
    formula: str,
    *,
    model: Literal[
        "auto", "lm", "logit", "poisson", "multinomial", "fe", "negbin", "ordinal", "mixed", "fepois"
    ] = "auto",
    method: Method = "auto",
    predicted_var: str | Sequence[str],
    prediction: Prediction | Sequence[Prediction],
    sample_prob: str | None = None,
    label: str | Sequence[str] | None = None,
    cluster: str | None = None,
    weights: str | None = None,
    learner: Literal["linear", "raw"] | Learner = "linear",
    folds: int = 5,
    splits: int = 10,
    resamples: int = 2000,
    seed: int = 1,
    margins: bool = False,
    as_published: bool = False,
    trained_on: str | None = None,
    truth: dict[str, str] | None = None,
    progress: Progress | None = None,
) -> Result:
    """Fit ``formula`` three ways: machine labels as if true, hand-coded rows only, and corrected.

    Args:
        data: a row a unit: an image, a post, a face. Rows that miss an observed variable or a prediction are
            dropped and counted.
        formula: R-style, such as ``"protest ~ log(followers) + C(country)"``; ``"y ~ x | city + month"`` has fixed
            effects; a variable alone (``"protest"``) asks for its mean, which is its share where it is 0/1, and the
            share of each category where it is text.
        model: ``"auto"``: logit where the outcome is 0/1, multinomial where it is a category, else lm. ``"fe"`` is lm
            with the fixed effects that the formula names.
        method: of correction. ``"auto"`` chooses by the model and by how rows were drawn, and says why; ``"dsl"``,
            ``"ppi"``, ``"debias"`` (any model, by bootstrap), ``"likelihood"`` (no designed sample).
        predicted_var: the variables of the formula that the machine coded, as 0/1, numbers, or categories (text) by
            people; missing where nobody coded them.
        prediction: for each of them the column with the machine's probability or number, in every row; of categories
            the column of its labels, or the column with the probability of each value, by value.
        sample_prob: column with the known probability, in (0, 1], that a row was drawn for coding; ``"equal"``:
            a simple random sample was coded; None: not known, and then only ``likelihood`` is possible.
        label: for each of them the column with the machine's hard label; None: prediction of 0.5 or more
            where the codes are 0/1, the most probable category, else the prediction.
        cluster: column of units that go together (an account, a video).
        weights: column of how much each row counts in the model, such as survey weights.
        learner: ``"linear"``, ``"raw"`` or a function that makes a scikit-learn model:
            see :func:`visanda.study.correct.dsl.dsl`.
        folds: of the cross-fitting.
        splits: repetitions of the cross-fitting.
        resamples: of the bootstrap, where the method has one.
        seed: of splits and resamples; the same seed, the same numbers.
        margins: add average marginal effects, in points of probability or of the outcome.
        as_published: DSL as its paper has it, without what is refined here for few codes: the bias of second order
            taken out, and intervals by Student's t.
        trained_on: column that is true where the machine learnt from the row's code: such codes are refused.
        truth: for teaching and simulation, the column with the true value of each predicted variable.
        progress: called with the resamples done and those in all, where the method has some.

    Returns:
        A Result whose table has a row for each method and term: estimate, se, low and high (95 % interval), p
        (two-sided), n. ``extra["wide"]`` holds the same as a paper prints it.

    Raises:
        InputError: a column or formula that does not fit; the message suggests names.
        DesignError: the correction is not valid for these data; the message says what would be.

    Example:
        >>> import numpy as np, pandas as pd
        >>> draw = np.random.default_rng(1)
        >>> y = draw.integers(0, 2, 400) * 1.0
        >>> data = pd.DataFrame({"protest": y, "p_protest": np.where(draw.random(400) < 0.9, y, 1 - y)})
        >>> data.loc[100:, "protest"] = np.nan
        >>> found = estimate(data, "protest", predicted_var="protest", prediction="p_protest", sample_prob="equal")
        >>> list(found.table["method"])
        ['naive', 'gold only', 'corrected (DSL)']
    """
    asked = question(data, formula, model, predicted_var, prediction, sample_prob, label, cluster, weights)
    chosen, why = choose(method, asked.kind, asked.drawn, len(asked.machine))
    coded = pd.Series(asked.rows.coded, index=asked.rows.data.index)
    refuse_training_codes(asked.rows.data, coded, trained_on)
    settings = Settings(learner, folds, splits, resamples, seed, not as_published, progress)
    name = CALLED[chosen]
    in_points = effects(asked, chosen, settings, truth) if margins else {}
    compared, impossible = possible(others(asked, truth))
    ours = corrected(asked, chosen, settings)
    impossible += getattr(ours, "warnings", [])  # of a bootstrap
    fits = _ordered({**compared, name: ours}, name)
    if asked.kind == "mean":
        fits = {one: _mean(fit, asked) for one, fit in fits.items()}
    against = outcome_reference(asked)
    title = formula if against is None else f"{formula} (against {against})"
    made = Result(
        title=f"{title}: with the machine's labels, with human codes, and corrected",
        table=(table := _table(fits)),
        words=_words(asked, chosen, why if method == "auto" else "", fits, cluster),
        warnings=[*_warnings(asked, fits, name), *impossible],
        draw=partial(coefficient_plot, table, title, SCALES[asked.kind].format(against), asked.kind != "mean"),
        provenance={
            "formula": formula,
            "model": asked.kind,
            "reference": asked.reference,
            "method": chosen,
            "why": why,
            "prediction": {one.variable: list(one.columns) for one in asked.machine},
            "label": asked.labels or "prediction >= 0.5 where codes are 0/1",
            "sample_prob": asked.sample_prob,
            "sampling": asked.sampling,
            "cluster": asked.cluster,
            "weights": weights,
            "learner": learner if isinstance(learner, str) else repr(learner),
            "folds": folds,
            "splits": splits,
            "resamples": resamples,
            "seed": seed,
            "refined": chosen == "dsl" and not as_published and not asked.rows.coded.all(),
            "truth": truth,
            "n_clusters": None if asked.rows.cluster is None else int(asked.rows.cluster.max()) + 1,
            "n": asked.rows.n,
            "n_coded": asked.rows.n_coded,
            "n_dropped": asked.rows.n_dropped,
        },
        extra={"wide": _wide(table)},
    )
    if margins:
        made.also.append(_effects(asked, chosen, in_points))
    return made


def _ordered(fits: dict[str, Estimates], name: str) -> dict[str, Estimates]:
    return {method: fits[method] for method in (NAIVE, GOLD, name, TRUTH) if method in fits}


def _effects(asked: Question, chosen: str, fits: dict[str, Callable[[], Estimates]]) -> Result:
    found, impossible = possible(fits)
    name = CALLED[chosen]
    if "corrected" in found:
        found[name] = found.pop("corrected")
    found = _ordered(found, name)
    if not found:
        raise DesignError("; ".join(impossible))
    scale = "Points of probability (1 = 100 %)" if asked.kind in ("logit", "multinomial") else "Units of the outcome"
    table = _table(found)
    return Result(
        title=f"{asked.formula}: average marginal effects",
        table=table,
        words=[
            "Average marginal effects: by how much the expected outcome changes, on average over all units, with one "
            f"more of a number, or with 1 in place of 0. {scale}."
        ],
        warnings=impossible,
        draw=partial(coefficient_plot, table, f"{asked.formula}: average marginal effects", scale, True),
        provenance={"formula": asked.formula, "effects": "average marginal", "model": asked.kind, "method": chosen},
        extra={"wide": _wide(table)},
        name="margins",
    )


def _mean(fit: Estimates, asked: Question) -> Estimates:
    if asked.rows.categories:
        return replace(fit, names=tuple(f"share of {name}" for name in fit.names))
    codes = set(asked.rows.data.loc[asked.rows.coded, asked.variables[0]])
    return replace(fit, names=(f"{'share' if codes == {0.0, 1.0} else 'mean'} of {asked.formula}",))


def _table(fits: dict[str, Estimates]) -> pd.DataFrame:
    parts = [fit.frame().assign(method=method, n=fit.n) for method, fit in fits.items()]
    return pd.concat(parts, ignore_index=True)[["method", "term", "estimate", "se", "low", "high", "p", "n"]]


def _wide(table: pd.DataFrame) -> pd.DataFrame:
    cells = [f"{number(b)} ({number(se)})" for b, se in zip(table["estimate"], table["se"], strict=True)]
    long = table[["term", "method"]].assign(cell=cells)
    wide = long.pivot(index="term", columns="method", values="cell")
    wide = wide.reindex(index=table["term"].unique(), columns=table["method"].unique()).fillna("")
    return wide.rename_axis(columns=None).reset_index()


def _words(asked: Question, chosen: str, why: str, fits: dict[str, Estimates], cluster: str | None) -> list[str]:
    rows, ours = asked.rows, fits[CALLED[chosen]]
    dropped = f"; {rows.n_dropped:,} more were left out for missing values" if rows.n_dropped else ""
    says = SAYS[asked.kind].format(asked.formula)
    if asked.kind == "lm" and asked.effects:
        says += " What stands right of the | are fixed effects, which are taken out of all other variables."
    if asked.kind == "mixed" and cluster is None:
        says += f" Rows of one {asked.cluster} go together, also in the bootstrap."
    against = [*filter(None, [outcome_reference(asked)]), *references(asked, ours.names)]
    if against:
        says += f" What categories are compared with: {', '.join(against)}."
    return [
        f"{rows.n:,} rows, of which {rows.n_coded:,} are coded by hand{dropped}.",
        says,
        f"The machine's errors were corrected by {CITED[chosen]}.",
        *([why] if why else []),
        *describe(asked.kind, fits.get(NAIVE), ours, not_to_be_read(asked, ours.names)),
    ]


def _warnings(asked: Question, fits: dict[str, Estimates], name: str) -> list[str]:
    rows, variables = asked.rows, asked.variables
    clusters = None if rows.cluster is None else len(set(rows.cluster[rows.coded]))
    own = own_levels(fits[name].names, asked.cluster)
    unread = not_to_be_read(asked, fits[name].names)
    found = disagreements(asked.kind, fits[NAIVE], fits[name], unread) if NAIVE in fits else []
    if own:
        found.append(
            f"Each {asked.cluster} is one cluster, and has a coefficient of its own: the standard errors of these "
            f"({', '.join(map(readable, own[:3]))}{' ...' if len(own) > 3 else ''}) are far too small, and nothing is "
            "said of them here. Those of the other terms hold."
        )
    if GOLD not in fits and asked.model in MODELS:
        coded = rows.data[rows.coded].reset_index(drop=True)
        if alone := separated(coded, asked.fixed, asked.model, "coded rows"):
            found.append(
                f"Do not lean on all of these coefficients: {alone.split('. ')[0]}. What the correction finds there "
                "rests on the machine's word, and its interval on a normal approximation that does not hold: nothing "
                "is said of it here."
            )
    found += weak_design(rows.data.loc[rows.coded, variables], clusters)
    if asked.sample_prob is None:
        found.append(
            "It is not known how rows were drawn for coding: this estimate is right only if the model of the machine's "
            "errors is, and if rows were coded at random given the variables of the formula."
        )
    found += _never_coded(asked)
    if rows.n_partly:
        found.append(f"{rows.n_partly:,} rows are coded for some of {', '.join(variables)} only: taken as not coded.")
    if rows.n_uncoded_draws:
        found.append(
            f"{rows.n_uncoded_draws:,} rows were drawn for coding and are not coded. That is harmless if "
            "coders went in the random order and stopped; if they left out hard ones, "
            "the correction is not valid."
        )
    return found


def _never_coded(asked: Question) -> list[str]:
    """Categories of observed variables of which nobody coded a row."""
    found, rows = [], asked.rows
    for name in sorted(sides(asked.fixed)[1] - set(asked.variables)):
        if not pd.api.types.is_float_dtype(rows.data[name]):
            missing = sorted(set(rows.data[name].astype(str)) - set(rows.data.loc[rows.coded, name].astype(str)))
            if missing:
                found.append(
                    f"Rows with {name} = {', '.join(missing)} were not coded once: what the machine gets wrong there "
                    "cannot be known, and is taken to be as in the other rows."
                )
    return found
