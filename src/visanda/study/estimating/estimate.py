"""Estimate a share or a regression with machine-coded variables, and show what their errors did to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Literal

import pandas as pd

from visanda.errors import DesignError, InputError
from visanda.result import Result
from visanda.study.correct.coded import CodedRows, coded_rows
from visanda.study.estimating.coefficient_plot import coefficient_plot
from visanda.study.regression.coefficients import Estimates
from visanda.study.columns import numbers, require_columns
from visanda.study.correct.dsl import dsl
from visanda.study.correct.gold import gold_only
from visanda.study.correct.crossfit import Learner
from visanda.study.regression.formula import design
from visanda.study.regression.named import Model
from visanda.study.regression.ordinary import naive, ordinary
from visanda.study.wording import describe, disagreements, number, weak_design

NAIVE, GOLD, CORRECTED, TRUTH = METHODS = ("naive", "gold only", "corrected (DSL)", "truth")
HALF = 0.5  # the probability from which a 0/1 variable is labelled 1
SCALES = {
    "lm": "Coefficient",
    "logit": "Coefficient (log odds)",
    "mean": "Estimate",
}
SAYS = {
    "lm": "Linear regression: {}.",
    "logit": "Logistic regression: {}; coefficients are log odds.",
    "mean": "Mean of {}, in the units of its codes; the share of 1 where they are 0 and 1.",
}


def estimate(
    data: pd.DataFrame,
    formula: str,
    *,
    model: Literal["auto", "lm", "logit"] = "auto",
    predicted_var: str | list[str],
    prediction: str | list[str],
    sample_prob: str | None = None,
    label: str | list[str] | None = None,
    cluster: str | None = None,
    learner: Literal["linear", "raw"] | Learner = "linear",
    folds: int = 5,
    splits: int = 10,
    seed: int = 1,
    truth: dict[str, str] | None = None,
) -> Result:
    """Fit ``formula`` three ways: machine labels as if true, hand-coded rows only, and corrected.

    Args:
        data: a row a unit: an image, a post, a face. Rows that miss an observed variable or a prediction are
            dropped and counted.
        formula: R-style, such as ``"protest ~ log(followers) + C(country)"``; a variable alone
            (``"protest"``) asks for its mean, which is its share where it is 0/1.
        model: ``"lm"``, ``"logit"``, or ``"auto"``: logit where the outcome is 0/1, else lm.
        predicted_var: the variables of the formula that the machine coded, as 0/1 or numbers by people;
            missing where nobody coded.
        prediction: for each of them the column with the machine's probability or number, in every row.
        sample_prob: column with the known probability, in (0, 1], that a row was drawn for coding; None: a
            simple random sample was coded.
        label: for each of them the column with the machine's hard label; None: prediction of 0.5 or more
            where the codes are 0/1, else the prediction.
        cluster: column of units that go together (an account, a video).
        learner: ``"linear"``, ``"raw"`` or a function that makes a scikit-learn model:
            see :func:`visanda.study.correct.dsl`.
        folds: of the cross-fitting.
        splits: repetitions of the cross-fitting.
        seed: of the splits; the same seed, the same numbers.
        truth: for teaching and simulation, the column with the true value of each predicted variable.

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
        >>> found = estimate(data, "protest", predicted_var="protest", prediction="p_protest")
        >>> list(found.table["method"])
        ['naive', 'gold only', 'corrected (DSL)']
    """
    variables = _listed(predicted_var)
    machine = _paired(variables, prediction, "prediction")
    labels = _paired(variables, label, "label") if label else {}
    asked = _with_outcome(data, formula)
    data = data.assign(**{name: numbers(data, name) for name in [*machine.values(), *labels.values()]})
    rows = coded_rows(data, asked, variables, [*machine.values(), *labels.values()], sample_prob, cluster)
    kind = _kind(formula, model, rows)
    fitted: Model = "lm" if kind == "mean" else kind
    corrected = dsl(
        rows.data,
        asked,
        model=fitted,
        predicted_var=variables,
        prediction=list(machine.values()),
        sample_prob=sample_prob,
        cluster=cluster,
        learner=learner,
        folds=folds,
        splits=splits,
        seed=seed,
    )
    taken = _labelled(rows, machine, labels)
    others: dict[str, Callable[[], Estimates]] = {
        NAIVE: lambda: naive(taken, asked, fitted, variables, [_label(name) for name in variables], cluster),
        GOLD: lambda: gold_only(rows.data, asked, fitted, variables, sample_prob, cluster),
    }
    if truth:
        others[TRUTH] = lambda: ordinary(_true(rows.data, truth), asked, fitted, cluster)
    fits, impossible = _fitted(others)
    fits[CORRECTED] = corrected
    if kind == "mean":
        fits = {method: _mean(fit, formula, rows) for method, fit in fits.items()}
    fits = {method: fits[method] for method in METHODS if method in fits}
    return Result(
        title=f"{formula}: with the machine's labels, with human codes, and corrected",
        table=(table := _table(fits)),
        words=_words(formula, kind, rows, fits),
        warnings=[*_warnings(kind, rows, variables, sample_prob, fits), *impossible],
        draw=partial(coefficient_plot, table, formula, SCALES[kind], kind != "mean"),
        provenance={
            "formula": formula,
            "model": kind,
            "prediction": machine,
            "label": labels or "prediction >= 0.5 where codes are 0/1",
            "sample_prob": sample_prob,
            "cluster": cluster,
            "learner": learner if isinstance(learner, str) else repr(learner),
            "folds": folds,
            "splits": splits,
            "seed": seed,
            "truth": truth,
            "n": rows.n,
            "n_coded": rows.n_coded,
            "n_dropped": rows.n_dropped,
        },
        extra={"wide": _wide(table)},
    )


def _listed(names: str | list[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def _paired(variables: list[str], columns: str | list[str], what: str) -> dict[str, str]:
    listed = _listed(columns)
    if len(listed) != len(variables) or not variables:
        raise InputError(f"{len(variables)} predicted_var but {len(listed)} {what}: name one {what} for each")
    return dict(zip(variables, listed, strict=True))


def _with_outcome(data: pd.DataFrame, formula: str) -> str:
    if "~" in formula:
        return formula
    require_columns(data, [formula], "the variable")
    return f"`{formula}` ~ 1"


def _kind(formula: str, model: Literal["auto", "lm", "logit"], rows: CodedRows) -> Literal["mean", "lm", "logit"]:
    if "~" not in formula:
        if model == "logit":
            raise InputError(f"{formula!r} asks for a mean; its log odds are the logit of '{formula} ~ 1'")
        return "mean"
    if model != "auto":
        return model
    outcome = design(formula.split("~")[0] + "~ 1", rows.data[rows.coded]).outcome[:, 0]
    return "logit" if set(outcome) == {0.0, 1.0} else "lm"


def _label(variable: str) -> str:
    return f"the machine's label of {variable}"


def _labelled(rows: CodedRows, machine: dict[str, str], labels: dict[str, str]) -> pd.DataFrame:
    made = {}
    for name, column in machine.items():
        made[_label(name)] = rows.data[labels.get(name, column)]
        if name not in labels and set(rows.data.loc[rows.coded, name]) == {0.0, 1.0}:
            if not rows.data[column].between(0, 1).all():
                raise InputError(f"prediction {column!r} is no probability in 0-1: name the 0/1 column as label")
            made[_label(name)] = (rows.data[column] >= HALF).astype(float)
    return rows.data.assign(**made)


def _true(data: pd.DataFrame, truth: dict[str, str]) -> pd.DataFrame:
    known = {name: numbers(data, column) for name, column in truth.items()}
    for name, values in known.items():
        if values.isna().any():
            raise InputError(f"truth: column {truth[name]!r} misses values; it must be known in every row")
    return data.assign(**known)


def _fitted(fits: dict[str, Callable[[], Estimates]]) -> tuple[dict[str, Estimates], list[str]]:
    """The fits that work; a comparison that cannot be made is said, and does not stop the corrected one."""
    done, impossible = {}, []
    for method, fit in fits.items():
        try:
            done[method] = fit()
        except DesignError as error:
            impossible.append(f"No estimate by {method}: {error}")
    return done, impossible


def _mean(fit: Estimates, variable: str, rows: CodedRows) -> Estimates:
    what = "share" if set(rows.data.loc[rows.coded, variable]) == {0.0, 1.0} else "mean"
    return replace(fit, names=(f"{what} of {variable}",))


def _table(fits: dict[str, Estimates]) -> pd.DataFrame:
    parts = [fit.frame().assign(method=method, n=fit.n) for method, fit in fits.items()]
    return pd.concat(parts, ignore_index=True)[["method", "term", "estimate", "se", "low", "high", "p", "n"]]


def _wide(table: pd.DataFrame) -> pd.DataFrame:
    cells = [f"{number(b)} ({number(se)})" for b, se in zip(table["estimate"], table["se"], strict=True)]
    long = table[["term", "method"]].assign(cell=cells)
    wide = long.pivot(index="term", columns="method", values="cell")
    wide = wide.reindex(index=table["term"].unique(), columns=table["method"].unique()).fillna("")
    return wide.rename_axis(columns=None).reset_index()


def _words(formula: str, kind: str, rows: CodedRows, fits: dict[str, Estimates]) -> list[str]:
    dropped = f"; {rows.n_dropped:,} more were left out for missing values" if rows.n_dropped else ""
    return [
        f"{rows.n:,} rows, of which {rows.n_coded:,} are coded by hand{dropped}.",
        SAYS[kind].format(formula),
        "The machine's errors were corrected by design-based supervised learning (Egami et al. 2023).",
        *describe(kind, fits.get(NAIVE), fits[CORRECTED]),
    ]


def _warnings(
    kind: str, rows: CodedRows, variables: list[str], sample_prob: str | None, fits: dict[str, Estimates]
) -> list[str]:
    clusters = None if rows.cluster is None else len(set(rows.cluster[rows.coded]))
    found = disagreements(kind, fits[NAIVE], fits[CORRECTED]) if NAIVE in fits else []
    found += weak_design(rows.data.loc[rows.coded, variables], clusters, sample_prob)
    if rows.n_partly:
        found.append(f"{rows.n_partly:,} rows are coded for some of {', '.join(variables)} only: taken as not coded.")
    if rows.n_uncoded_draws:
        found.append(
            f"{rows.n_uncoded_draws:,} rows were drawn for coding and are not coded. That is harmless if "
            "coders went in the random order and stopped; if they left out hard ones, "
            "the correction is not valid."
        )
    return found
