"""A printed table as a Word file, through python-docx."""

from __future__ import annotations

import io
from itertools import accumulate
from typing import Any

from visanda.extras import need
from visanda.study.output.printed import ESTIMATE, UNCERTAINTY, Cell, Printed, minus

THICK, THIN = 12, 4  # eighths of a point
WIDE, VERY_WIDE = 6, 8  # columns from which the page is turned, and letters are smaller
LETTER = 0.0078  # inches of a letter, a point of its size
BESIDE = 0.2  # inches of the margins of a cell
LINES = 40  # that fit on a page
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
    wide = len(table.heads) >= WIDE
    size = 11 if not wide else 9 if len(table.heads) < VERY_WIDE else 8  # points
    if wide:
        page = document.sections[0]
        page.orientation = docx.enum.section.WD_ORIENT.LANDSCAPE
        page.page_width, page.page_height = page.page_height, page.page_width
        document.styles["Normal"].font.size = docx.shared.Pt(size)
    if table.title:
        title = document.add_paragraph()
        title.add_run(table.title).bold = True
        title.paragraph_format.keep_with_next = True
    together = len(table.lines) <= (LINES // 2 if wide else LINES)
    made = document.add_table(rows=len(table.lines) + 1, cols=len(table.heads) + 1)
    made.autofit = False
    centre = docx.enum.text.WD_ALIGN_PARAGRAPH.CENTER
    for column, head in enumerate(table.heads, 1):
        _write(docx, made.cell(0, column), Cell(head), centre, 0)
    for row, line in enumerate(table.lines, 1):
        space = BELOW if line.kind == UNCERTAINTY else 0
        near = together or line.kind == ESTIMATE
        if line.kind == UNCERTAINTY:
            made.cell(row - 1, 0).merge(made.cell(row, 0))  # a long label stands beside both
        else:
            _write(docx, made.cell(row, 0), Cell(line.label), None, space, near)
        for column, cell in enumerate(line.cells, 1):
            _write(docx, made.cell(row, column), cell, centre, space, near)
    _widths(docx, document, made, table, LETTER * size)
    starts = accumulate((len(block) for block in table.blocks[:-1]), initial=1)
    _rules(docx, made, {0: ("top", THICK)} | dict.fromkeys(starts, ("top", THIN)))
    _repeat_head(docx, made.rows[0])
    if table.notes:
        note = document.add_paragraph().add_run(" ".join(table.notes))
        note.font.size = docx.shared.Pt(9)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _write(docx: Any, place: Any, cell: Cell, alignment: Any, space: int, near: bool = True) -> None:
    """Put a cell in its place; ``near``: on one page with the row below."""
    paragraph = place.paragraphs[0]
    paragraph.alignment = alignment
    paragraph.paragraph_format.space_after = docx.shared.Pt(space)
    paragraph.paragraph_format.keep_with_next = near
    paragraph.add_run(minus(cell.text))
    if cell.stars:
        paragraph.add_run(cell.stars).font.superscript = True


def _widths(docx: Any, document: Any, made: Any, table: Printed, letter: float) -> None:
    """Labels as wide as they need and numbers leave, the other columns alike."""
    page = document.sections[0]
    whole = (page.page_width - page.left_margin - page.right_margin) / docx.shared.Inches(1)
    cells = [cell.text + cell.stars for line in table.lines for cell in line.cells]
    number = letter * max(map(len, cells), default=0) + BESIDE
    label = letter * max((len(line.label) for line in table.lines), default=0) + BESIDE
    first = max(min(label, whole - number * len(table.heads)), whole / (len(table.heads) + 3))
    others = (whole - first) / len(table.heads)
    for place, column in enumerate(made.columns):
        column.width = docx.shared.Inches(
            others if place else first
        )  # Word reads that of cells, others that of columns
        for cell in column.cells:
            cell.width = column.width


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
