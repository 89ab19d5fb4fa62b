"""Regression table: several models side by side, as papers print them, for Word, LaTeX, the web and spreadsheets."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from visanda.errors import InputError
from visanda.study.output.as_html import as_html, fragment
from visanda.study.output.as_latex import as_latex
from visanda.study.output.as_text import as_markdown, as_text
from visanda.study.output.as_word import as_word
from visanda.study.output.correction_words import METHODS, OTHER_NAMES
from visanda.study.output.fitted_model import CLUSTERS, CODED, KIND, METHOD, ROWS, FittedModel, Models, fitted_models
from visanda.study.output.printed import ESTIMATE, FACT, UNCERTAINTY, Cell, Line, Printed

FACTS = (ROWS, CODED, CLUSTERS, KIND, METHOD)
SMALL = 1e-4  # below, powers of ten
STARS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))
CONSTANT = "Intercept"
PARAMETERS = ("Threshold ", "Dispersion (")  # are told in a block of their own, below the terms
NAMES = {
    "DSL": "Corrected by design-based supervised learning (DSL; {}).",
    "PPI++": "Corrected by prediction-powered inference (PPI++; {}).",
    "predict-then-debias": "Corrected by the predict-then-debias bootstrap ({}).",
    "maximum likelihood": "Corrected by maximum likelihood with a model of the errors ({}).",
}
ENDINGS = ".csv, .docx, .html, .md, .tex or .txt"


@dataclass(frozen=True)
class RegressionTable:
    """Several models side by side.

    Attributes:
        numbers: all numbers unrounded, a row a model and term: model, method, term, estimate, se, low, high, p, and
            the facts about the model as they are printed.
        printed: the cells as text.
    """

    numbers: pd.DataFrame
    printed: Printed

    def csv(self) -> str:
        """The numbers, unrounded, a row a model and term; a spreadsheet would take a printed (0.03) for -0.03."""
        return self.numbers.to_csv(index=False, lineterminator="\n")

    def text(self) -> str:
        """Plain text, columns aligned."""
        return as_text(self.printed)

    def markdown(self) -> str:
        """A Markdown table (GitHub, pandoc, Quarto)."""
        return as_markdown(self.printed)

    def latex(self, label: str = "") -> str:
        r"""A LaTeX table; needs ``\usepackage{booktabs}``.

        Args:
            label: for ``\ref``; empty: none.
        """
        return as_latex(self.printed, label)

    def html(self) -> str:
        """A whole HTML page that needs nothing else; Word opens it too."""
        return as_html(self.printed)

    def docx(self) -> bytes:
        """A Word file.

        Raises:
            MissingExtra: python-docx is not installed.
        """
        return as_word(self.printed)

    def save(self, path: Path | str) -> Path:
        """Write the table in the format of the ending of ``path``: .csv, .docx, .html, .md, .tex or .txt.

        Raises:
            InputError: another ending.
            MissingExtra: a .docx without python-docx.
        """
        path = Path(path)
        writers = {
            ".csv": self.csv,
            ".html": self.html,
            ".htm": self.html,
            ".md": self.markdown,
            ".tex": self.latex,
            ".txt": self.text,
        }
        ending = path.suffix.lower()
        if ending not in writers and ending != ".docx":
            raise InputError(f"{path.name}: no format for {ending or 'a name without an ending'}; end it in {ENDINGS}")
        content = self.docx() if ending == ".docx" else writers[ending]().encode()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def _repr_html_(self) -> str:
        return fragment(self.printed)

    def __str__(self) -> str:
        return self.text()


def regression_table(
    models: Models,
    *,
    digits: int | None = None,
    stars: bool = False,
    intervals: bool = False,
    rename: Mapping[str, str] | None = None,
    terms: Sequence[str] | None = None,
    methods: Sequence[str] | None = None,
    rows: Mapping[str, Sequence[str]] | None = None,
    title: str = "",
    notes: Sequence[str] = (),
) -> RegressionTable:
    """Set several models side by side: terms in rows, the standard error or interval below each estimate.

    Terms stand in the order in which the models have them, the constant last; thresholds and dispersions below.

    Args:
        models: by what stands above the column (one alone needs no name): the Estimates of a fit (of ``dsl``,
            ``naive``, ``ordinary``, ...); the Result of :func:`visanda.study.estimate`, which gives a column for each
            of its methods; or a table with term, estimate, se and, where known, low, high, p, method, n, n_coded,
            clusters and model.
        digits: decimals, 0 to 8; a number that would be rounded to 0 keeps two digits that count. None: three, of
            numbers from 100 on fewer.
        stars: mark p < .05, .01 and .001.
        intervals: 95 % intervals in brackets in place of standard errors in parentheses.
        rename: labels of terms (``{"np.log(likes)": "Likes (log)"}``). Terms of different models that get the same
            label share a row.
        terms: labels or terms to show, in this order; None: all. A note names those left out.
        methods: which methods of a Result to show, by the beginning of their names (``["naive", "corrected"]``).
        rows: further rows below, a text a column: ``{"City effects": ["no", "yes"]}``. It replaces a row of the same
            name, such as ``Clusters``.
        title: above the table.
        notes: further sentences below it.

    Returns:
        A RegressionTable, with ``text``, ``markdown``, ``latex``, ``html``, ``docx``, ``csv`` and ``save``.

    Raises:
        InputError: a table that lacks a column or a number, a term that no model has, not one text a column.

    Example:
        >>> naive = pd.DataFrame({"term": ["Intercept", "x"], "estimate": [0.1, -0.2], "se": [0.05, 0.04], "n": 900})
        >>> corrected = pd.DataFrame({"term": ["Intercept", "x"], "estimate": [0.1, 0.5], "se": [0.06, 0.1], "n": 900})
        >>> print(regression_table({"naive": naive, "corrected": corrected}, digits=2).text())
                   naive   corrected
        ----------------------------
        x          −0.20      0.50
                   (0.04)    (0.10)
        Intercept   0.10      0.10
                   (0.05)    (0.06)
        ----------------------------
        Rows         900       900
        ----------------------------
        Standard errors in parentheses.
    """
    if digits is not None and not 0 <= digits <= 8:
        raise InputError(f"digits={digits}: choose 0 to 8 decimals")
    columns = fitted_models(models, methods, rename)
    every = in_order([list(column.lines.index) for column in columns])
    shown = every if terms is None else chosen(terms, every, rename or {})
    parameters = [term for start in PARAMETERS for term in shown if term.startswith(start)]
    shown = [term for term in shown if term not in parameters] + parameters
    lines = [line for term in shown for line in _term(term, columns, digits, stars, intervals)]
    facts = _facts(columns, rows or {})
    return RegressionTable(
        _numbers(columns),
        Printed(
            title,
            tuple(column.head for column in columns),
            (*lines, *facts),
            (*_legend(stars, intervals, columns), *_left_out(every, shown), *notes),
            2 * len(parameters),
        ),
    )


def in_order(lists: Sequence[Sequence[str]]) -> list[str]:
    """All terms of several models: each after the one it follows in its own model, the constant last."""
    merged: list[str] = []
    for terms in lists:
        place = 0
        for term in terms:
            if term in merged:
                place = merged.index(term) + 1
            else:
                merged.insert(place, term)
                place += 1
    return [term for term in merged if term != CONSTANT] + [term for term in merged if term == CONSTANT]


def chosen(terms: Sequence[str], every: Sequence[str], rename: Mapping[str, str]) -> list[str]:
    """The labels asked for; InputError where one is not there."""
    wanted = [term if term in every else rename.get(term, term) for term in terms]
    if strange := [term for term in wanted if term not in every]:
        raise InputError(f"terms: no model has {strange[0]!r}; the terms are {', '.join(every)}")
    return wanted


def rounded(value: float, digits: int | None = None) -> str:
    """``value`` with ``digits`` decimals, or two digits that count where it would be rounded to 0.

    Args:
        value: to be printed.
        digits: None: three, of numbers from 100 on fewer: 123.46, 1,234.6, 12,346.

    Example:
        >>> rounded(0.12345), rounded(12345.678), rounded(12345.678, 3), rounded(0.0000123)
        ('0.123', '12,346', '12,345.678', '1.2e-05')
    """
    if digits is None:
        size = math.floor(math.log10(abs(value))) if value and math.isfinite(value) else 0
        digits = max(0, 3 - max(0, size - 1))
    if value != 0 and abs(value) < 0.5 * 10.0**-digits:
        return f"{value:.2g}" if abs(value) >= SMALL else f"{value:.1e}"
    text = f"{value:,.{digits}f}"
    return text.lstrip("-") if float(text.replace(",", "")) == 0 else text


def _term(term: str, columns: list[FittedModel], digits: int | None, stars: bool, intervals: bool) -> tuple[Line, Line]:
    above, below = [], []
    tested = stars and not term.startswith(PARAMETERS)  # nobody asks whether a dispersion is 0
    for column in columns:
        if term not in column.lines.index:
            above.append(Cell())
            below.append(Cell())
            continue
        line = dict(zip(column.lines, column.lines.loc[term].to_numpy(dtype=float), strict=True))
        b, se, low, high = (rounded(line[name], digits) for name in ("estimate", "se", "low", "high"))
        marks = next((mark for limit, mark in STARS if line["p"] < limit), "") if tested else ""
        above.append(Cell(b, marks))
        below.append(Cell(f"[{low}, {high}]" if intervals else f"({se})"))
    return Line(ESTIMATE, term, tuple(above)), Line(UNCERTAINTY, "", tuple(below))


def _facts(columns: list[FittedModel], rows: Mapping[str, Sequence[str]]) -> list[Line]:
    for name, texts in rows.items():
        if isinstance(texts, str) or len(texts) != len(columns):
            raise InputError(f"rows: {name!r} needs a list of {len(columns)} texts, one for each column")
    known = [name for name in FACTS if name in rows or any(name in column.facts for column in columns)]
    # a method that the head names already is not said twice
    if METHOD not in rows and all(column.head.endswith(column.method) for column in columns):
        known = [name for name in known if name != METHOD]
    texts_of = {name: [column.facts.get(name, "") for column in columns] for name in known}
    texts_of |= {name: [str(text) for text in texts] for name, texts in rows.items()}
    return [Line(FACT, name, tuple(Cell(text) for text in texts)) for name, texts in texts_of.items()]


def _legend(stars: bool, intervals: bool, columns: list[FittedModel]) -> list[str]:
    """What stands in parentheses and how it was made, what coefficients are compared with, and the corrections."""
    what = "95 % intervals in brackets" if intervals else "Standard errors in parentheses"
    made = _grouped([(column.errors or _clustered(column), column.head) for column in columns])
    if len(made) == 1:
        what += f", {how}" if (how := next(iter(made))) and not intervals else ""
        what += f"; standard errors {how}" if how and intervals else ""
    else:
        each = [f"{how or 'as given'} in {', '.join(heads)}" for how, heads in made.items()]
        what += f"; {'standard errors ' if intervals else ''}{'; '.join(each)}"
    against = _grouped([(column.reference, column.head) for column in columns if column.reference])
    several = len(columns) > 1
    found = [
        f"{', '.join(heads)}: log odds against {of}." if several else f"Log odds against {of}."
        for of, heads in against.items()
    ]
    used = dict.fromkeys(match[1] for column in columns if (match := re.match(r"corrected \((.+)\)$", column.method)))
    for name in used:
        if name in NAMES:
            found.append(NAMES[name].format(METHODS[OTHER_NAMES.get(name.lower(), name.lower())].cite))
    return [what + ".", *(["* p < .05, ** p < .01, *** p < .001 (two-sided)."] if stars else []), *found]


def _grouped(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, head in pairs:
        found.setdefault(key, []).append(head)
    return found


def _clustered(column: FittedModel) -> str:
    """By what a column of a table of numbers is clustered, as its facts say."""
    named = re.search(r"^by (.*)$|\((.*)\)$", column.facts.get(CLUSTERS, ""))
    return f"clustered by {named[1] or named[2]}" if named else ""


def _left_out(every: list[str], shown: list[str]) -> list[str]:
    hidden = [term for term in every if term not in shown]
    return [f"Also in the models and not shown: {', '.join(hidden)}."] if hidden else []


def _numbers(columns: list[FittedModel]) -> pd.DataFrame:
    parts = []
    for column in columns:
        facts = {name: column.facts.get(name) for name in FACTS if name != METHOD}
        lines = column.lines.reset_index()
        parts.append(lines.assign(model=column.head, method=column.method, **facts))
    table = pd.concat(parts, ignore_index=True).dropna(axis=1, how="all")
    first = ["model", "method", "term"]
    return table[[*first, *(name for name in table if name not in first)]]
