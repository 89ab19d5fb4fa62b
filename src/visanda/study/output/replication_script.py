"""The script of a replication: analysis.py, which anybody can read and run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

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

results = [("expected.csv", found), *((f"expected-{{one.name}}.csv", one) for one in found.also if one.name)]
for name, result in results:
    keys = [key for key in {keys} if key in result.table]
    expected = pd.read_csv(HERE / name, dtype=dict.fromkeys(keys, str), keep_default_na=False, na_values=[""])
    table = result.table.assign(**{{key: result.table[key].astype(str) for key in keys}}).set_index(keys)
    expected = expected.set_index(keys)
    if list(table.index) != list(expected.index) or list(table.columns) != list(expected.columns):
        wrong.append(f"the table has other rows or columns than {{name}}")
        continue
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
        title=one_line(title).replace("\\", "/").replace('"""', "'''").rstrip('"'),
        file=file,
        reading=_reading(data, file),
        arguments="\n".join(f"    {name}={value!r}," for name, value in call.items()),
        keys=repr(keys),
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


def one_line(text: str) -> str:
    """A title without breaks, which would end a comment."""
    return " ".join(text.split())
