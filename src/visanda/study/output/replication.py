"""Replication folder: data, scripts, expected numbers, methods and versions of an analysis; runs without the media."""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import io
import json
import keyword
import platform
import runpy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from visanda.errors import DesignError, InputError
from visanda.result import Result
from visanda.study.estimating.estimate import estimate
from visanda.study.output.given import called
from visanda.study.output.methods_text import MethodsText, installed, methods_text
from visanda.study.output.replication_data import ReplicationData, replication_data, sampling, written
from visanda.study.output.replication_r import r_script
from visanda.study.output.replication_script import python_script

PACKAGES = ("visanda", "numpy", "pandas", "scipy", "scikit-learn", "statsmodels", "formulaic", "pyarrow")
SUMS = "SHA256SUMS"
FILES = {
    "data.csv": "codes, predictions and variables, a row a unit",
    "data.parquet": "codes, predictions and variables, a row a unit",
    "analysis.py": "reads the data, estimates, compares with expected.csv",
    "analysis.R": "the same in R, as far as R can",
    "expected.csv": "the table of results",
    "expected-margins.csv": "the average marginal effects",
    "methods.md": "the methods paragraph with its references",
    "references.bib": "the references for BibTeX",
    "requirements.txt": "the packages, for pip",
    "versions.json": "the versions with which expected.csv was made",
    "README.md": "this file",
    SUMS: "checksums of all other files",
}
FEW = 50  # columns that are named, of those left out


def replication(
    folder: Path | str,
    data: pd.DataFrame,
    call: Mapping[str, Any],
    result: Result,
    *,
    title: str,
    media_columns_dropped: Sequence[str] = (),
    pseudonyms: Sequence[str] | None = None,
    units: str = "rows",
    format: Literal["csv", "parquet"] = "csv",
    check: bool = True,
) -> list[Path]:
    """Write a folder from which anybody can do an analysis again, without pictures, videos or their names.

    The data hold the columns that the analysis uses and no others, rows in their order. That is no anonymity: rare
    combinations of variables can still tell who is meant.

    Args:
        folder: new, empty, or an earlier replication, which is replaced.
        data: the table that was given to :func:`visanda.study.estimate`.
        call: its other arguments, such as ``{"formula": "protest ~ x", "predicted_var": "protest", ...}``: texts,
            numbers, lists and dicts.
        result: what it gave.
        title: of the study, one line.
        media_columns_dropped: columns that hold paths, addresses or media, which must never be written; an analysis
            that uses one is refused.
        pseudonyms: columns whose values are replaced by numbers (``outlet_3``), drawn anew each time; None: the
            cluster, where it is text and not in the formula. Rows keep their order, so that you can still tell them.
        units: what a row is, in the plural: "images", "articles".
        format: ``"csv"``, which every program reads, or ``"parquet"``, for large tables and unusual types.
        check: run the analysis on the written data, and refuse to leave a folder that does not replicate.

    Returns:
        The files written.

    Raises:
        InputError: another folder, an argument that cannot be written down, an analysis that uses a column of media.
        DesignError: the written folder does not give ``result``; ``data`` or ``call`` are not those it was made from.

    Example:
        >>> import tempfile
        >>> from visanda.study import estimate
        >>> data = pd.DataFrame({"protest": [0.0, 1] * 20 + [None] * 60, "p": [0.2, 0.7, 0.3, 0.9] * 25})
        >>> call = {"formula": "protest", "predicted_var": "protest", "prediction": "p", "splits": 2}
        >>> call["sample_prob"] = "equal"
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     files = replication(folder, data, call, estimate(data, **call), title="Protest in pictures")
        >>> files[0].name, files[-1].name
        ('data.csv', 'SHA256SUMS')
    """
    for what, given, kind in (("data", data, pd.DataFrame), ("call", call, Mapping), ("result", result, Result)):
        if not isinstance(given, kind):
            raise InputError(
                f"{what} is {called(given)}: a replication takes the table, the other arguments of estimate as a dict, "
                "and the Result that it gave"
            )
    folder, call = Path(folder), _writable(call)
    if format not in ("csv", "parquet"):
        raise InputError(f"format={format!r}: choose csv or parquet")
    kept = replication_data(data, call, media_columns_dropped, pseudonyms)
    methods = methods_text(_provenance(result, call, kept), units=units)
    _clear(folder)
    file = f"data.{format}"
    written(kept, folder / file)
    keys = [str(name) for name in result.table if not pd.api.types.is_numeric_dtype(result.table[name])]
    texts = {
        "analysis.py": python_script(kept, call, keys, file, title),
        "analysis.R": r_script(kept, call, result.provenance, title) if format == "csv" else None,
        "expected.csv": result.table.to_csv(index=False, lineterminator="\n"),
        **{
            f"expected-{one.name}.csv": one.table.to_csv(index=False, lineterminator="\n")
            for one in result.also
            if one.name
        },
        "methods.md": methods.markdown(),
        "references.bib": methods.bibtex(),
        **_versions(),
    }
    given = {name: text for name, text in texts.items() if text is not None}
    given["README.md"] = _readme(title, kept, methods, [file, *given, "README.md", SUMS], media_columns_dropped)
    for name, text in given.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    names = [file, *given]
    sums = "".join(f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names)
    (folder / SUMS).write_text(sums, encoding="utf-8", newline="\n")
    if check:
        _replicate(folder)
    return [folder / name for name in [*names, SUMS]]


def _writable(call: Mapping[str, Any]) -> dict[str, Any]:
    """The call; InputError where it cannot be written into a script."""
    known = inspect.signature(estimate).parameters
    if "formula" not in call:
        raise InputError("call has no formula: give all arguments of estimate but the data, by name")
    for name, value in call.items():
        if name == "data" or name not in known or keyword.iskeyword(name):
            raise InputError(f"call: {name!r} is no argument of estimate beside the data; they are {', '.join(known)}")
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError):
            raise InputError(
                f"call: {name}={value!r} cannot be written down. Texts, numbers, lists and dicts can; in place of a "
                "function or a model use learner='linear' or 'raw'"
            ) from None
    return dict(call)


def _provenance(result: Result, call: Mapping[str, Any], kept: ReplicationData) -> Result:
    """The result with what the data say of the sample."""
    known = dict(result.provenance)
    if how := sampling(kept.table, call.get("sample_prob")):
        known["sampling"] = how
    if isinstance(cluster := call.get("cluster"), str) and not known.get("n_dropped"):
        known.setdefault("n_clusters", int(kept.table[cluster].nunique()))
    return Result(result.title, result.table, provenance=known)


def _clear(folder: Path) -> None:
    """Make the folder, and take an earlier replication out of it."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file: name a folder")
    there = [path.name for path in folder.iterdir()] if folder.exists() else []
    there = [name for name in there if name != "__pycache__"]
    if there and (SUMS not in there or not set(there) <= set(FILES)):
        other = next((name for name in there if name not in FILES), there[0])
        raise InputError(f"{folder} holds other things ({other}): name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    for name in there:
        (folder / name).unlink()


def _versions() -> dict[str, str]:
    versions = {name: found for name in PACKAGES if (found := installed(name))}
    pinned = "".join(f"{name}=={found}\n" for name, found in versions.items())
    named = {"python": platform.python_version(), **versions}
    return {"requirements.txt": pinned, "versions.json": json.dumps(named, indent=2) + "\n"}


def _readme(title: str, kept: ReplicationData, methods: MethodsText, files: list[str], media: Sequence[str]) -> str:
    rows = [f"| `{name}` | {FILES[name]} |" for name in files]
    columns = [
        f"| `{name}` | {role}{', names replaced by numbers' if name in kept.pseudonyms else ''} "
        f"| {int(kept.table[name].isna().sum()):,} |"
        for name, role in kept.roles.items()
    ]
    gone = [name for name in kept.left_out if name not in media]
    more = f" and {len(gone) - FEW:,} more" if len(gone) > FEW else ""
    left = ", ".join(f"`{name}`" for name in gone[:FEW]) + more if gone else "none"
    pictures = ", ".join(f"`{name}`" for name in media) if media else "none named"
    lines = [
        f"# {' '.join(title.split())}",
        "",
        "Replication of the estimates. No pictures or videos are needed.",
        "",
        "```",
        "python -m venv .venv && .venv/bin/pip install -r requirements.txt",
        ".venv/bin/python analysis.py",
        "```",
        "",
        "It prints the table and, last, whether it is the one in `expected.csv`. `sha256sum -c SHA256SUMS` tells "
        "whether a file was changed.",
        *([] if "analysis.R" in files else ["There is no script for R, which reads no Parquet by itself."]),
        "",
        "| file | what it is |",
        "|---|---|",
        *rows,
        "",
        f"## Data: {len(kept.table):,} rows",
        "",
        "| column | what it is | missing |",
        "|---|---|---|",
        *columns,
        "",
        f"Columns of media that were left out: {pictures}. Other columns that the analysis does not use: {left}.",
        "",
        "## Methods",
        "",
        " ".join(methods.sentences),
        "",
    ]
    return "\n".join(lines)


def _replicate(folder: Path) -> None:
    """Run analysis.py as it was written; DesignError where it does not give the numbers expected."""
    said = io.StringIO()
    status: object = 0
    with contextlib.redirect_stdout(said):
        try:
            runpy.run_path(str(folder / "analysis.py"))
        except SystemExit as end:
            status = end.code
    if status:
        last = "\n".join(said.getvalue().strip().splitlines()[-4:])
        raise DesignError(
            f"the folder does not replicate the result:\n{last}\nWere data and call those that it was made from? The "
            f"folder is left as it is, for you to see: {folder}"
        )
