"""A printed table as LaTeX with booktabs."""

from __future__ import annotations

import re

from visanda.study.output.printed import Cell, Line, Printed

ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"$<$",
    ">": r"$>$",
    "|": r"$|$",
    "×": r"$\times$",
    "−": r"$-$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "α": r"$\alpha$",
    "\n": " ",
} | {digit: f"$^{place}$" for place, digit in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}


def as_latex(table: Printed, label: str = "") -> str:
    """A ``table`` float; needs ``booktabs`` and nothing else."""
    across = len(table.heads) + 1
    body = [text for block in table.blocks for text in (r"\midrule", *map(_row, block))]
    lines = [
        r"\begin{table}[htbp]",
        r"\centering",
        *([rf"\caption{{{escape(table.title)}}}"] if table.title else []),
        *([rf"\label{{{label}}}"] if label else []),
        rf"\begin{{tabular}}{{l{'c' * (across - 1)}}}",
        r"\toprule",
        " & ".join(["", *map(escape, table.heads)]) + r" \\",
        *body,
        r"\bottomrule",
        r"\end{tabular}",
        *([r"\par\medskip", rf"{{\footnotesize {' '.join(map(escape, table.notes))}}}"] if table.notes else []),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """``text`` with every mark that LaTeX would take for a command made plain."""
    plain = "".join(ESCAPES.get(mark, mark) for mark in text)
    return "{" + plain[0] + "}" + plain[1:] if plain[:1] in ("[", "*") else plain  # an option of \\ otherwise


def _row(line: Line) -> str:
    return " & ".join([escape(line.label), *map(_cell, line.cells)]) + r" \\"


def _cell(cell: Cell) -> str:
    text = re.sub(r"(?<![\w])-(?=\d)", "−", cell.text)
    stars = rf"\textsuperscript{{{cell.stars}}}" if cell.stars else ""
    return escape(text) + stars
