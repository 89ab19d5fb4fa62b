"""Fitted model: one column of a regression table, read from whatever holds its estimates."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import norm

from visanda.errors import InputError
from visanda.result import Result
from visanda.study.columns import numbers, require_columns
from visanda.study.output.given import called
from visanda.study.regression.coefficients import Z95, Estimates
from visanda.study.wording import readable

Model = Estimates | Result | pd.DataFrame
Models = Mapping[str, Model] | Sequence[Model] | Model
NUMBERS = ["estimate", "se", "low", "high", "p"]
ROWS, CODED, CLUSTERS, KIND, METHOD = "Rows", "Coded by hand", "Clusters", "Model", "Method"
KINDS = {
    "lm": "linear",
    "logit": "logistic",
    "poisson": "Poisson",
    "multinomial": "multinomial logit",
    "negbin": "negative binomial",
    "fe": "fixed effects",
    "fepois": "Poisson, fixed effects",
    "mixed": "linear mixed",
    "mean": "mean",
}
WANTED = (
    "give the Result of estimate, Estimates of a fit, or a table with the columns term, estimate and se; of another "
    "package's fit: pd.DataFrame({'term': fit.params.index, 'estimate': fit.params.values, 'se': fit.bse.values})"
)
THRESHOLD = re.compile(r"[^|\[\]()~]+\|[^|\[\]()~]+")
ROBUST = ("mean", "lm", "logit", "poisson", "multinomial", "fe", "negbin", "ordinal", "fepois")
DISPERSION = ("alpha", "alpha (dispersion)")  # of negative binomial counts


@dataclass(frozen=True)
class FittedModel:
    """One model as a table shows it.

    Attributes:
        head: what stands above its column.
        method: how it was estimated ("naive", "corrected (DSL)"); empty where that is not known.
        lines: indexed by term: estimate, se, low and high (95 % interval), p.
        facts: what is said of it below its coefficients, such as ``{"Rows": "4,000"}``.
        errors: how its standard errors were made, as "clustered by outlet"; empty where that is not known.
        reference: of a multinomial, the category that the others are compared with; else empty.
    """

    head: str
    method: str
    lines: pd.DataFrame
    facts: dict[str, str]
    errors: str = ""
    reference: str = ""

    def is_parameter(self, term: str) -> bool:
        """Whether a term is none of the formula's: a threshold ``low|mid``, a dispersion."""
        return bool(THRESHOLD.fullmatch(term)) or (term in DISPERSION and self.facts.get(KIND) == KINDS["negbin"])


def fitted_models(
    models: Models, methods: Sequence[str] | None = None, rename: Mapping[str, str] | None = None
) -> list[FittedModel]:
    """The columns of ``models``, in their order; a Result of several methods gives one each.

    Args:
        models: by what stands above the column (one alone has no head, those of a list are (1), (2), ...): the
            Estimates of a fit; the Result of :func:`visanda.study.estimate`; or a table with term, estimate, se and,
            where known, low, high, p, method, n, n_coded, clusters and model.
        methods: which methods of a Result or table to take, by the beginning of their names (``"corrected"``); None:
            all of them.
        rename: labels of terms; others are made readable.

    Raises:
        InputError: nothing to show, a table that lacks a column, a number that is missing, a term twice, a label for a
            term that no model has.
    """
    models = _named(models)
    if not models:
        raise InputError("no models: give at least one, such as {'(1)': estimate(...)}")
    columns = [column for head, model in models.items() for column in _columns(str(head), model, methods)]
    labels = dict(rename or {})
    known = {term: None for column in columns for term in column.lines.index}
    if strange := [term for term in labels if term not in known]:
        raise InputError(f"rename: no model has the term {strange[0]!r}; the terms are {', '.join(known)}")
    return [_labelled(column, labels) for column in columns]


def label(term: str) -> str:
    """A term as tables have it: ``outlet[T.taz]`` is ``outlet: taz``; of several categories, ``news: np.log(x)`` is
    ``news: log(x)``.
    """
    value, apart, rest = term.partition(": ")
    return f"{value}: {readable(rest, ': ')}" if apart and "[" not in value else readable(term, ": ")


def _named(models: Models) -> dict[str, Model]:
    if isinstance(models, Estimates | Result | pd.DataFrame):
        return {"": models}
    if isinstance(models, list | tuple):
        return {f"({place})": model for place, model in enumerate(models, 1)}
    if not isinstance(models, Mapping):
        raise InputError(f"{called(models)} is no model: {WANTED}")
    return {str(head): model for head, model in models.items()}


def _columns(head: str, model: Model, methods: Sequence[str] | None) -> list[FittedModel]:
    if isinstance(model, Estimates):
        facts = {ROWS: f"{model.n:,}", CODED: f"{model.n_coded:,}"}
        return [FittedModel(head, "", _lines(model.frame(), head), facts)]
    if not isinstance(model, Result | pd.DataFrame):
        raise InputError(f"{head or 'the model'!r} is {called(model)}: {WANTED}")
    table, known = (model.table, model.provenance) if isinstance(model, Result) else (model, {})
    if isinstance(model, Result) and "term" not in table:
        raise InputError(f"{head or 'the model'!r} is no regression but {model.title!r}: {WANTED}")
    require_columns(table, ["term", "estimate", "se"], f"the column of {head!r}")
    if "method" not in table:
        return [FittedModel(head, "", _lines(table, head), _facts(table, "", known))]
    every = [str(name) for name in table["method"].unique()]
    taken = [name for name in every if methods is None or any(name.startswith(start) for start in methods)]
    if not taken:
        raise InputError(f"{head!r} has none of the methods {', '.join(methods or [])}; it has {', '.join(every)}")
    return [
        FittedModel(
            head if len(taken) == 1 else f"{head} {name}".strip(),
            name,
            _lines(rows := table[table["method"].astype(str) == name], head),
            _facts(rows, name, known),
            _errors(name, known),
            str(known.get("reference") or ""),
        )
        for name in taken
    ]


def _lines(table: pd.DataFrame, head: str) -> pd.DataFrame:
    terms = table["term"].astype(str)
    if terms.duplicated().any():
        raise InputError(
            f"{head!r} has the term {terms[terms.duplicated()].iloc[0]!r} twice: give each model a column of its own, "
            "or name them in a column 'method'"
        )
    given = {name: numbers(table, name).to_numpy() for name in NUMBERS if name in table}
    for name, values in given.items():
        if np.isnan(values).any():
            raise InputError(f"{head!r} has no {name} of {terms[np.isnan(values)].iloc[0]!r}: leave the term out")
    if (given["se"] < 0).any():
        raise InputError(f"{head!r} has a negative standard error")
    b, se = given["estimate"], given["se"]
    z = np.divide(np.abs(b), se, out=np.full(len(b), np.inf), where=se > 0)
    computed = {"low": b - Z95 * se, "high": b + Z95 * se, "p": 2 * norm.sf(z)}
    return pd.DataFrame(computed | given, index=pd.Index(terms, name="term"))[NUMBERS]


def _facts(rows: pd.DataFrame, method: str, known: Mapping[str, object]) -> dict[str, str]:
    """What the rows of a method say of it, then what is known of the whole analysis."""
    uses_codes = not method.startswith(("naive", "truth"))
    found = {ROWS: _once(rows, "n") or known.get("n")}
    found[CODED] = _once(rows, "n_coded") or (known.get("n_coded") if uses_codes else None)
    clusters = _once(rows, "clusters") or known.get("n_clusters") or known.get("clusters")
    name = known.get("cluster")
    found[CLUSTERS] = f"{clusters} ({name})" if clusters and name else clusters or (f"by {name}" if name else None)
    kind = _once(rows, "model") or known.get("model")
    found[KIND] = KINDS.get(str(kind), kind)
    found[METHOD] = method or None
    return {name: _said(value) for name, value in found.items() if value is not None}


def _errors(method: str, known: Mapping[str, object]) -> str:
    """How standard errors were made, where that is known."""
    if "model" not in known:
        return ""
    cluster = f"clustered by {known['cluster']}" if known.get("cluster") else ""
    if "predict-then-debias" in method:
        return f"from a bootstrap of {known.get('resamples')} resamples" + (f", {cluster}" if cluster else "")
    return cluster or ("robust to heteroskedasticity" if known["model"] in ROBUST else "those of the model")


def _once(rows: pd.DataFrame, name: str) -> object:
    """The one value of column ``name``; None where there are none or several."""
    values: list[object] = list(rows[name].dropna().unique()) if name in rows else []
    return values[0] if len(values) == 1 else None


def _said(value: object) -> str:
    whole = isinstance(value, int | float | np.integer | np.floating) and float(value).is_integer()
    return f"{int(value):,}" if whole else str(value)  # type: ignore[call-overload]


def _labelled(column: FittedModel, labels: Mapping[str, str]) -> FittedModel:
    named = [labels.get(term, _parameter(column, term) or label(term)) for term in column.lines.index]
    if twice := [name for place, name in enumerate(named) if name in named[:place]]:
        raise InputError(f"rename: two terms of {column.head!r} would both be called {twice[0]!r}")
    return replace(column, lines=column.lines.set_axis(pd.Index(named, name="term")))


def _parameter(column: FittedModel, term: str) -> str:
    if not column.is_parameter(term):
        return ""
    return "Dispersion (α)" if term in DISPERSION else f"Threshold {term.replace('|', ' | ')}"
