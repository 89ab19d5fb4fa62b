"""A printed table as HTML: a page of its own, readable aloud, that Word opens."""

from __future__ import annotations

from html import escape

from visanda.study.output.as_text import paired
from visanda.study.output.printed import Cell, Line, Printed, minus

STYLE = """
body { font-family: Georgia, 'Times New Roman', serif; margin: 2em; color: #111; background: #fff; }
table.regression { border-collapse: collapse; border-top: 2px solid #111; border-bottom: 2px solid #111;
  font-variant-numeric: tabular-nums; }
table.regression caption { text-align: left; font-weight: bold; padding-bottom: .5em; }
table.regression th, table.regression td { padding: .15em .9em; text-align: center; font-weight: normal; }
table.regression td { white-space: nowrap; }
table.regression sup { line-height: 0; }
table.regression th[scope=row] { text-align: left; vertical-align: top; padding-left: .2em; }
table.regression thead th, table.regression thead td { border-bottom: 1px solid #111; }
table.regression tr.uncertainty td { padding-bottom: .4em; color: #333; }
table.regression tr.block th, table.regression tr.block td { border-top: 1px solid #111; padding-top: .35em; }
p.notes { font-size: .85em; max-width: 50em; }
"""


def as_html(table: Printed) -> str:
    """A whole page, without scripts or anything from elsewhere."""
    title = escape(table.title or "Regression table")
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n{fragment(table, style=False)}\n</body>\n</html>\n"
    )


def fragment(table: Printed, style: bool = True) -> str:
    """The table alone, for a notebook or a page that is there already."""
    heads = "".join(f'<th scope="col">{escape(head)}</th>' for head in table.heads)
    firsts = [block[0] for block in table.blocks[1:]]
    body = "\n".join(_rows(line, below, any(line is first for first in firsts)) for line, below in paired(table))
    parts = [
        f"<style>{STYLE}</style>" if style else "",
        '<table class="regression">',
        f"<caption>{escape(table.title)}</caption>" if table.title else "",
        f"<thead>\n<tr><td></td>{heads}</tr>\n</thead>",
        f"<tbody>\n{body}\n</tbody>",
        "</table>",
        f'<p class="notes">{" ".join(escape(note) for note in table.notes)}</p>' if table.notes else "",
    ]
    return "\n".join(part for part in parts if part)


def _rows(line: Line, below: Line | None, first_of_block: bool) -> str:
    """A row, or two that share their head: an estimate and what it is uncertain by."""
    span = ' rowspan="2"' if below else ""
    kind = ' class="block"' if first_of_block else ""
    row = f'<tr{kind}><th scope="row"{span}>{escape(line.label)}</th>{_cells(line)}</tr>'
    return row + (f'\n<tr class="uncertainty">{_cells(below)}</tr>' if below else "")


def _cells(line: Line) -> str:
    return "".join(f"<td>{_cell(cell)}</td>" for cell in line.cells)


def _cell(cell: Cell) -> str:
    stars = f"<sup>{cell.stars}</sup>" if cell.stars else ""
    return escape(minus(cell.text)) + stars
