"""Tables of one estimate, as papers take them: a column a method, in Word, LaTeX and HTML."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from visanda.result import Result
from visanda.study.output.regression_table import regression_table

ENDINGS = (".docx", ".tex", ".html")


def write_tables(result: Result, stem: Path) -> list[Path]:
    """Write the table of an estimate beside its figure; Word only where python-docx is installed.

    Args:
        result: of :func:`visanda.study.estimate`.
        stem: the files' path without an ending.
    """
    table = regression_table({"": result}, title=result.title)
    written = []
    for ending in ENDINGS:
        if ending != ".docx" or find_spec("docx") is not None:
            path = stem.with_name(stem.name + ending)
            table.save(path)
            written.append(path)
    return written
