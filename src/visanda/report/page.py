"""The page: facts put into the template."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from visanda.parts import write_bytes
from visanda.report.gather import gather
from visanda.report.methods import methods
from visanda.report.numbers import coefficient, number, p_value
from visanda.store import Store
from visanda.study.output.fitted_model import label
from visanda.study.output.printed import minus
from visanda.study.output.references import bibtex

ROWS = 60  # of a table that the page shows


def write_report(store: Store, out: Path) -> Path:
    """Write the report of a corpus to ``out``; returns it."""
    facts = gather(store)
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"table": _table, "number": number, "svg": Markup, "coefficient": coefficient}
    environment.filters |= {"p": p_value, "term": label, "minus": minus}
    paragraphs, references = methods(facts)
    page = environment.get_template("template.html").render(
        facts=facts,
        methods=paragraphs,
        references=references,
        bibtex=bibtex(references),
        now=f"{datetime.now():%d %B %Y, %H:%M}",
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(out, page.encode("utf-8", "replace"))
    return out


def _table(frame: pd.DataFrame) -> Markup:
    """A DataFrame as an HTML table, numbers to the right; a long one to its first rows."""
    left, frame = len(frame) - ROWS, frame.head(ROWS)
    html = Markup("<table><thead><tr>")
    numeric = {name: pd.api.types.is_numeric_dtype(frame[name]) for name in frame}
    for name in frame:
        html += Markup('<th class="n">{}</th>' if numeric[name] else "<th>{}</th>").format(str(name).replace("_", " "))
    html += Markup("</tr></thead><tbody>")
    for row in frame.itertuples(index=False):
        html += Markup("<tr>")
        for name, value in zip(frame, row, strict=True):
            cell = number(value) if numeric[name] else ("–" if pd.isna(value) else value)
            html += Markup('<td class="n">{}</td>' if numeric[name] else "<td>{}</td>").format(cell)
        html += Markup("</tr>")
    more = Markup('<p class="soft">... and {:,} more rows.</p>').format(left) if left > 0 else ""
    return html + Markup("</tbody></table>") + more
