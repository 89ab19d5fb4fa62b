"""The script for R: what is compared in base R, the correction by the R package dsl, and what R cannot do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from visanda.study.estimating.choice import EQUAL
from visanda.study.output.replication_data import TIMES, ReplicationData
from visanda.study.output.replication_script import one_line
from visanda.study.regression.formula import sides

SCRIPT = """# {title}
#
# The same analysis in R, for those who do not use Python. This script was written, and not run, by visanda.
{can}
data <- read.csv("{file}", check.names = FALSE, na.strings = "", encoding = "UTF-8"{classes})
{prepared}
# Rows that miss an observed variable or a prediction are left out; those that miss a code are not coded.
predicted <- {predicted}
observed <- {observed}
data <- data[complete.cases(data[, observed, drop = FALSE]), , drop = FALSE]
coded <- complete.cases(data[, predicted, drop = FALSE])
data[!coded, predicted] <- NA
cat(nrow(data), "rows,", sum(coded), "of them coded\\n")
{compared}{corrected}"""
COMPARED = """
# 1. In base R: the machine's labels taken as true, and the codes alone. Coefficients are those of expected.csv;
#    standard errors are robust there, and are not computed here.
expected <- read.csv("expected.csv", na.strings = "")
compare <- function(fit, method) {{
  ours <- expected$estimate[expected$method == method]
  theirs <- coef(fit)[seq({first}, length.out = length(ours))]
  off <- format(max(abs(ours - theirs)), digits = 1)
  cat("\\n", method, ": largest difference from expected.csv ", off, "\\n", sep = "")
  print(data.frame(term = names(theirs), R = unname(theirs), expected = ours))
}}
model <- {formula}
naive <- data
{labelled}naive$weight__ <- {weight}
compare({fit}, "naive")
gold <- data[coded, , drop = FALSE]
gold$weight__ <- {gold_weight}
compare({gold_fit}, "gold only")
"""
CORRECTED = """
# 2. The correction, by the R package dsl (Egami, Hinck, Stewart & Wei): remotes::install_github("naoki-egami/dsl").
#    Its estimates are close to those of expected.csv and not the same: its default learner is a random forest, and its
#    folds are drawn by another generator.
if (requireNamespace("dsl", quietly = TRUE)) {{
  result <- dsl::dsl(
{arguments}
  )
  print(summary(result))
}} else {{
  cat("\\nThe corrected estimates need the R package dsl, which is not installed.\\n")
}}
"""
KNOWN = {"factor", "log", "log2", "log10", "log1p", "exp", "expm1", "sqrt", "I", "abs"}
ELSEWHERE = {
    "multinomial": "nnet::multinom",
    "negbin": "MASS::glm.nb",
    "ordinal": "MASS::polr",
    "mixed": "lme4::lmer",
    "fepois": "fixest::fepois",
}
TRUTHS = ("bool", "boolean")
FAMILIES = {"logit": "binomial", "poisson": "poisson"}


def r_script(data: ReplicationData, call: Mapping[str, Any], provenance: Mapping[str, Any], title: str) -> str:
    """analysis.R, for a data.csv.

    Args:
        data: of the replication.
        call: the keyword arguments of :func:`visanda.study.estimate`.
        provenance: of the result: the model and method that were used.
        title: of the study.
    """
    model, method = str(provenance.get("model")), str(provenance.get("method"))
    formula = str(call["formula"])
    left, right = sides(formula) if "~" in formula else ({formula}, set())
    terms, _, after = formula.partition("|")
    absorbed = [name.strip().strip("`") for name in after.split("+") if name.strip()]
    asked = _r_formula(terms if "~" in formula else f"`{formula}` ~ 1")
    variables, predictions = _listed(call["predicted_var"]), _listed(call["prediction"])
    labels = _listed(call["label"]) if call.get("label") else predictions
    others = [call[name] for name in ("cluster", "weights") if call.get(name)]
    columns = [name for one in predictions for name in (one.values() if isinstance(one, Mapping) else [one])]
    used = [*sorted((left | right) - set(variables)), *columns, *_listed(call.get("label") or []), *others]
    why = [*_not_compared(model, asked, labels), *_not_corrected(data, call, model, method, absorbed, variables)]
    compared = "" if _not_compared(model, asked, labels) else _comparison(data, call, model, asked, absorbed, labels)
    corrected = ""
    if not _not_corrected(data, call, model, method, absorbed, variables) and not _unknown(asked):
        corrected = CORRECTED.format(arguments=_arguments(call, model, asked, absorbed))
    return SCRIPT.format(
        title=one_line(title),
        file="data.csv",
        can="".join(f"# {text}\n" for text in why),
        classes=_classes(data),
        prepared="".join(_factor(data, name) for name in data.roles if name in left | right | set(labels_of(labels))),
        predicted=vector(variables),
        observed=vector(list(dict.fromkeys(used))),
        compared=compared,
        corrected=corrected,
    )


def labels_of(labels: list[Any]) -> list[str]:
    """Those that are a column each."""
    return [name for name in labels if isinstance(name, str)]


def _not_compared(model: str, formula: str, labels: list[Any]) -> list[str]:
    """Why base R fits none of it."""
    if model in ELSEWHERE:
        return [f"A {model} model is not in base R: see {ELSEWHERE[model]}."]
    if strange := _unknown(formula):
        return [f"R has no {', '.join(strange)}, or means something else by it: the formula is not fitted here."]
    if len(labels_of(labels)) < len(labels):
        return ["Machine's labels of several columns of probabilities are not compared here."]
    return []


def _not_corrected(
    data: ReplicationData, call: Mapping[str, Any], model: str, method: str, absorbed: list[str], variables: list[str]
) -> list[str]:
    """Why the R package dsl does not correct this."""
    pi = call.get("sample_prob")
    reasons = {
        f"it knows no correction by {method}": method != "dsl",
        f"it has no {model} model": model not in ("mean", "lm", "logit"),
        "it knows no weights": bool(call.get("weights")),
        "its predicted variables are numbers, and not categories": not all(
            pd.api.types.is_numeric_dtype(data.table[name]) for name in variables
        ),
        "it takes one or two fixed effects, without interactions": len(absorbed) > 2 or ":" in "".join(absorbed),
        "it needs the probability of every row, and some are missing": isinstance(pi, str)
        and pi != EQUAL
        and bool(data.table[pi].isna().any()),
    }
    found = [reason for reason, there in reasons.items() if there]
    return [f"The R package dsl cannot correct this: {'; '.join(found)}."] if found else []


def _unknown(formula: str) -> list[str]:
    return sorted(set(re.findall(r"([\w.]+)\(", formula)) - KNOWN)


def _comparison(
    data: ReplicationData, call: Mapping[str, Any], model: str, formula: str, absorbed: list[str], labels: list[Any]
) -> str:
    effects = "".join(f" + {_effect(name)}" for name in absorbed)
    family = f"family = {FAMILIES[model]}, " if model in FAMILIES else ""
    fit = (
        "suppressWarnings(glm(model, {}data = {}, weights = weight__))"
        if family
        else "lm(model, {}data = {}, weights = weight__)"
    )
    weight = f"naive[[{quoted(call['weights'])}]]" if call.get("weights") else "1"
    pi = call.get("sample_prob")
    gold = f"gold[[{quoted(call['weights'])}]]" if call.get("weights") else "1"
    gold += f" / gold[[{quoted(pi)}]]" if isinstance(pi, str) and pi != EQUAL else ""
    return COMPARED.format(
        first=2 if absorbed else 1,
        formula=formula + effects,
        labelled="".join(
            f"naive[[{quoted(name)}]] <- {_label(data, name, label, bool(call.get('label')))}\n"
            for name, label in zip(_listed(call["predicted_var"]), labels, strict=True)
        ),
        weight=weight,
        gold_weight=gold,
        fit=fit.format(family, "naive"),
        gold_fit=fit.format(family, "gold"),
    )


def _label(data: ReplicationData, variable: str, column: str, given: bool) -> str:
    """The machine's label of a variable: as it is named, or a probability of a half or more."""
    found = f"naive[[{quoted(column)}]]"
    codes = set(data.table[variable].dropna().unique())
    if given or not codes <= {0.0, 1.0}:
        return found
    return f"as.numeric({found} >= 0.5)"


def _arguments(call: Mapping[str, Any], model: str, formula: str, absorbed: list[str]) -> str:
    arguments = {"model": quoted("felm" if absorbed else "logit" if model == "logit" else "lm"), "formula": formula}
    arguments |= {name: vector(_listed(call[name])) for name in ("predicted_var", "prediction")} | {"data": "data"}
    arguments |= {
        name: quoted(call[name]) for name in ("cluster", "sample_prob") if call.get(name) not in (None, EQUAL)
    }
    if absorbed:
        effects = quoted("oneway" if len(absorbed) == 1 else "twoways")
        arguments |= {"index": vector(absorbed), "fixed_effect": effects}
    whole = {"folds": "cross_fit", "splits": "sample_split", "seed": "seed"}
    arguments |= {theirs: str(int(call[ours])) for ours, theirs in whole.items() if ours in call}
    return ",\n".join(f"    {name} = {value}" for name, value in arguments.items())


def _r_formula(formula: str) -> str:
    """The formula as R writes it."""
    text = formula.strip().replace("**", "^").replace("np.", "")
    return re.sub(r"\bC\((`[^`]+`|[\w.]+)\)", r"factor(\1)", text)


def _effect(name: str) -> str:
    parts = [f"`{part.strip().strip('`')}`" for part in name.split(":")]
    return f"factor({parts[0]})" if len(parts) == 1 else f"interaction({', '.join(parts)}, drop = TRUE)"


def _classes(data: ReplicationData) -> str:
    """The columns that hold text: R would read "001" as 1, and "T", but not Python's "True", as true."""
    text = [
        name
        for name, kind in data.types.items()
        if isinstance(kind, pd.CategoricalDtype) or kind in ("str", TIMES, *TRUTHS)
    ]
    given = ", ".join(f'{_name(name)} = "character"' for name in text)
    return f",\n  colClasses = c({given})" if text else ""


def _factor(data: ReplicationData, name: str) -> str:
    """A line that gives text its levels in our order, the first of which is the reference; logicals as numbers."""
    kind, place = data.types[name], f"data[[{quoted(name)}]]"
    if isinstance(kind, pd.CategoricalDtype):
        return f"{place} <- factor({place}, levels = {vector([str(value) for value in kind.categories])})\n"
    if kind == "str":
        return f"{place} <- factor({place}, levels = {vector(sorted(data.table[name].dropna().unique()))})\n"
    return f"{place} <- as.numeric(as.logical({place}))\n" if kind in TRUTHS else ""


def _name(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) else f"`{name}`"


def vector(values: list[str]) -> str:
    """Texts as R writes them: one as it is, several in c()."""
    return quoted(values[0]) if len(values) == 1 else f"c({', '.join(map(quoted, values))})"


def quoted(text: str) -> str:
    """A text as R writes it."""
    escaped = str(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _listed(names: object) -> list[Any]:
    return list(names) if isinstance(names, list | tuple) else [names]
