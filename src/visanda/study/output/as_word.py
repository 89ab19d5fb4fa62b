"""A printed table as a Word file, through python-docx."""

from __future__ import annotations

import io
from itertools import accumulate
from typing import Any

from visanda.extras import need
from visanda.study.output.printed import UNCERTAINTY, Cell, Printed, minus

THICK, THIN = 12, 4  # eighths of a point
BELOW = 3  # points between one term and the next


def as_word(table: Printed) -> bytes:
    """A document with the title, the table with the rules of a paper, and the notes.

    Raises:
        MissingExtra: python-docx is not installed.
    """
    docx = need("docx", "word")
    document = docx.Document()
    document.core_properties.author = ""
    document.core_properties.title = table.title
    if table.title:
        document.add_paragraph().add_run(table.title).bold = True
    made = document.add_table(rows=len(table.lines) + 1, cols=len(table.heads) + 1)
    made.autofit = True
    centre = docx.enum.text.WD_ALIGN_PARAGRAPH.CENTER
    for column, head in enumerate(table.heads, 1):
        _write(docx, made.cell(0, column), Cell(head), centre, 0)
    for row, line in enumerate(table.lines, 1):
        space = BELOW if line.kind == UNCERTAINTY else 0
        _write(docx, made.cell(row, 0), Cell(line.label), None, space)
        for column, cell in enumerate(line.cells, 1):
            _write(docx, made.cell(row, column), cell, centre, space)
    starts = accumulate((len(block) for block in table.blocks[:-1]), initial=1)
    _rules(docx, made, {0: ("top", THICK)} | dict.fromkeys(starts, ("top", THIN)))
    _repeat_head(docx, made.rows[0])
    if table.notes:
        note = document.add_paragraph().add_run(" ".join(table.notes))
        note.font.size = docx.shared.Pt(9)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _write(docx: Any, place: Any, cell: Cell, alignment: Any, space: int) -> None:
    paragraph = place.paragraphs[0]
    paragraph.alignment = alignment
    paragraph.paragraph_format.space_after = docx.shared.Pt(space)
    paragraph.paragraph_format.keep_with_next = True
    paragraph.add_run(minus(cell.text))
    if cell.stars:
        paragraph.add_run(cell.stars).font.superscript = True


def _rules(docx: Any, made: Any, above: dict[int, tuple[str, int]]) -> None:
    """Rules above the rows given, and below the last."""
    last = len(made.rows) - 1
    for row, line in enumerate(made.rows):
        edges = [above[row]] if row in above else []
        edges += [("bottom", THICK)] if row == last else []
        for cell in line.cells if edges else []:
            borders = docx.oxml.OxmlElement("w:tcBorders")
            for edge, width in edges:
                rule = docx.oxml.OxmlElement(f"w:{edge}")
                for name, value in {"val": "single", "sz": str(width), "space": "0", "color": "000000"}.items():
                    rule.set(docx.oxml.ns.qn(f"w:{name}"), value)
                borders.append(rule)
            cell._tc.get_or_add_tcPr().append(borders)


def _repeat_head(docx: Any, row: Any) -> None:
    """The head is said again on each page, and read aloud as head."""
    mark = docx.oxml.OxmlElement("w:tblHeader")
    mark.set(docx.oxml.ns.qn("w:val"), "true")
    row._tr.get_or_add_trPr().append(mark)
