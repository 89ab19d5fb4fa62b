"""The scripts of a replication: analysis.py, which anybody can read and run, and analysis.R for the R package dsl."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from visanda.study.estimating.choice import EQUAL
from visanda.study.output.replication_data import ReplicationData, reading

PYTHON = '''"""{title}

Reads {file}, estimates, and compares with expected.csv. Needs requirements.txt and no pictures.
"""

import hashlib
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from visanda.study import estimate

HERE = Path(__file__).parent
DIGITS = 6

data = {reading}
found = estimate(
    data,
{arguments}
)
print(found)

wrong = []
for line in (HERE / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
    known, name = line.split("  ", 1)
    if hashlib.sha256((HERE / name).read_bytes()).hexdigest() != known:
        wrong.append(f"{{name}} is not the file that was published")

keys = {keys}
expected = pd.read_csv(
    HERE / "expected.csv", dtype=dict.fromkeys(keys, str), keep_default_na=False, na_values=[""]
)
table = found.table.assign(**{{key: found.table[key].astype(str) for key in keys}}).set_index(keys)
expected = expected.set_index(keys)
if list(table.index) != list(expected.index) or list(table.columns) != list(expected.columns):
    wrong.append("the table has other rows or columns than expected.csv")
else:
    numbers, known = table.to_numpy(float), expected.to_numpy(float)
    same = np.isclose(numbers, known, rtol=0.5 * 10.0**-DIGITS, atol=0.5 * 10.0**-DIGITS, equal_nan=True)
    for row, column in np.argwhere(~same):
        where = f"{{table.index[row]}}, {{table.columns[column]}}"
        wrong.append(f"{{where}}: {{numbers[row, column]:.8g}}, expected {{known[row, column]:.8g}}")

print()
for text in wrong:
    print(text)
print(f"NOT REPLICATED: {{len(wrong)}} differences" if wrong else f"Replicated to {{DIGITS}} digits.")
sys.exit(bool(wrong))
'''

R = """# {title}
#
# The same analysis with the R package dsl (Egami, Hinck, Stewart & Wei 2023), for those who do not use Python:
# remotes::install_github("naoki-egami/dsl")
#
# It covers linear, logistic and fixed-effects regressions whose predicted variables are numbers with one prediction
# each. Its estimates are close to those of expected.csv and not the same: its default learner is a random forest, and
# its folds are drawn by another generator. This script was written, and not run, by visanda.

library(dsl)

data <- read.csv("{file}", na.strings = "")
{prepared}result <- dsl(
{arguments}
)
summary(result)
"""


def python_script(data: ReplicationData, call: Mapping[str, Any], keys: list[str], file: str, title: str) -> str:
    """analysis.py.

    Args:
        data: of the replication.
        call: the keyword arguments of :func:`visanda.study.estimate`.
        keys: the columns of the table of results that are text.
        file: name of the data file.
        title: of the study.
    """
    return PYTHON.format(
        title=_one_line(title).replace("\\", "/").replace('"""', "'''").rstrip('"'),
        file=file,
        reading=_reading(data, file),
        arguments="\n".join(f"    {name}={value!r}," for name, value in call.items()),
        keys=repr(keys),
    )


def r_script(data: ReplicationData, call: Mapping[str, Any], model: str, file: str, title: str) -> str | None:
    """analysis.R; None where the R package does not cover the analysis.

    Args:
        data: of the replication.
        call: the keyword arguments of :func:`visanda.study.estimate`.
        model: that was fitted: ``"mean"``, ``"lm"``, ...
        file: name of the data file.
        title: of the study.
    """
    variables, predictions = _listed(call.get("predicted_var")), _listed(call.get("prediction"))
    formula = str(call["formula"])
    terms, _, absorbed = formula.partition("|")
    index = [name.strip() for name in absorbed.split("+") if name.strip()]
    covered = (
        model in ("mean", "lm", "logit", "fe")
        and call.get("method", "auto") in ("auto", "dsl")
        and not call.get("weights")
        and file.endswith(".csv")
        and all(isinstance(name, str) for name in predictions)
        and all(pd.api.types.is_numeric_dtype(data.table[name]) for name in variables)
        and len(index) <= 2
        and not any(":" in name for name in index)
    )
    r_formula = _r_formula(terms if "~" in formula else f"{formula} ~ 1")
    if not covered or r_formula is None:
        return None
    arguments = {"model": _r("felm" if index else "logit" if model == "logit" else "lm"), "formula": r_formula}
    arguments |= {"predicted_var": _r(variables), "prediction": _r(predictions), "data": "data"}
    arguments |= {name: _r(call[name]) for name in ("cluster", "sample_prob") if call.get(name) not in (None, EQUAL)}
    if index:
        arguments |= {"index": _r(index), "fixed_effect": _r("oneway" if len(index) == 1 else "twoways")}
    whole = {"folds": "cross_fit", "splits": "sample_split", "seed": "seed"}
    arguments |= {theirs: str(int(call[ours])) for ours, theirs in whole.items() if ours in call}
    return R.format(
        title=_one_line(title),
        file=file,
        prepared="".join(_factor(name, data.types[name]) for name in data.roles if name in formula),
        arguments=",\n".join(f"  {name} = {value}" for name, value in arguments.items()),
    )


def _reading(data: ReplicationData, file: str) -> str:
    if file.endswith(".parquet"):
        return f'pd.read_parquet(HERE / "{file}")'
    given = reading(data.types)
    kinds = "".join(f"        {name!r}: {_kind(kind)},\n" for name, kind in given.pop("dtype").items())
    rest = "".join(f"    {name}={value!r},\n" for name, value in given.items())
    return f'pd.read_csv(\n    HERE / "{file}",\n    dtype={{\n{kinds}    }},\n{rest})'


def _kind(kind: str | pd.CategoricalDtype) -> str:
    if isinstance(kind, str):
        return repr(kind)
    return f"pd.CategoricalDtype({kind.categories.tolist()!r}, ordered={bool(kind.ordered)})"


def _r_formula(formula: str) -> str | None:
    """The formula as R writes it; None where it uses what R has another name for."""
    text = formula.strip().replace("**", "^").replace("np.", "")
    text = re.sub(r"\bC\((`?[\w. ]+`?)\)", r"factor(\1)", text)
    functions = set(re.findall(r"(\w+)\(", text))
    return text if functions <= {"factor", "log", "exp", "sqrt", "I", "log10", "abs"} else None


def _factor(name: str, kind: str | pd.CategoricalDtype) -> str:
    """A line that gives a factor its levels in our order, the first of which is the reference."""
    if isinstance(kind, str):
        return ""
    return f"data[[{_r(name)}]] <- factor(data[[{_r(name)}]], levels = {_r(kind.categories.tolist())})\n"


def _r(value: object) -> str:
    if isinstance(value, list):
        return _r(value[0]) if len(value) == 1 else f"c({', '.join(map(_r, value))})"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return str(value)


def _listed(names: object) -> list[Any]:
    return list(names) if isinstance(names, list | tuple) else [names]


def _one_line(text: str) -> str:
    return " ".join(text.split())
