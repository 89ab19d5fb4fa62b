"""A spreadsheet with pictures: thumbnails in the rows, lists of what may be entered, the codebook beside it."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from openpyxl import Workbook
from openpyxl.drawing.image import Image as Drawing
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from visanda.aside import written_aside
from visanda.codebook import Variable
from visanda.corpus.formats import CONTROL
from visanda.errors import InputError, MediaError
from visanda.media import thumbnail
from visanda.media.image import ImageLike
from visanda.progress import progress

SIDE = 160  # pixels of a thumbnail's longer side
SMALL = 96  # pixels to which pictures of small things are enlarged
POINTS, LETTERS = 0.75, 7.0  # of a row's height a pixel; pixels of a column's width a letter
WIDTHS = {"order": 7, "id": 32, "note": 36, "value": 16, "codebook": 10}
DIGITS = 15  # of a whole number that a spreadsheet holds exactly
ANY = 10**15  # of a number without ends


def write_spreadsheet(
    rows: pd.DataFrame,
    pictures: Mapping[str, Sequence[ImageLike | None]],
    asked: Sequence[tuple[Variable, Sequence[str]]],
    path: Path,
) -> None:
    """Write rows to fill in, with a second worksheet that says what is asked.

    Args:
        rows: as they are to be seen; the columns of pictures are left free.
        pictures: a column's name, and a picture a row.
        asked: variables, each with the columns in which it is answered.
        path: of the file, .xlsx.

    Raises:
        InputError: the file cannot be written, as where it is open in Excel.
    """
    book = Workbook()
    sheet = book.active
    sheet.title = "codes"
    names = [str(name) for name in rows]
    _put(sheet, 1, names, bold=True)
    for number, row in enumerate(rows.itertuples(index=False, name=None), 2):
        _put(sheet, number, ["" if n in pictures else v for n, v in zip(names, row, strict=True)])
        sheet.row_dimensions[number].height = (SIDE + 8) * POINTS if pictures else None
    with progress("pictures", len(rows) * len(pictures)) as advance:
        for name, shown in pictures.items():
            letter = get_column_letter(names.index(name) + 1)
            sheet.column_dimensions[letter].width = (SIDE + 12) / LETTERS
            for number, picture in enumerate(shown, 2):
                _draw(sheet, f"{letter}{number}", picture)
                advance()
    for name in names:
        if name not in pictures:
            sheet.column_dimensions[get_column_letter(names.index(name) + 1)].width = WIDTHS.get(name, len(name) + 4)
    sheet.freeze_panes = "A2"
    explained = book.create_sheet("codebook")
    explained.column_dimensions["A"].width, explained.column_dimensions["B"].width = 24, 100
    for variable, columns in asked:
        values = _explain(explained, variable)
        _restrict(
            sheet, [get_column_letter(names.index(name) + 1) for name in columns], len(rows) + 1, variable, values
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_aside(path) as aside, aside.open("wb") as file:
            book.save(file)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}. Close it if it is open") from error


def _put(sheet: Any, number: int, values: Sequence[object], *, bold: bool = False) -> None:
    """A row of text; what begins with ``=`` is text as well."""
    for column, value in enumerate(values, 1):
        if value == "" and not bold:
            continue
        text = CONTROL.sub("", value) if isinstance(value, str) else value
        cell = sheet.cell(number, column, _entered(text))
        cell.data_type = "s" if isinstance(cell.value, str) else cell.data_type
        cell.alignment = Alignment(vertical="top", wrap_text=True)
        if bold:
            cell.font, cell.fill = Font(bold=True), PatternFill("solid", start_color="DDE5EE")


def _entered(value: object) -> object:
    """A value as it would be after someone typed it: 1 is a number, 007 and 1-2 are text."""
    return int(value) if isinstance(value, str) and _is_number(value) else value


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and str(int(text)) == text and len(text) < DIGITS


def _draw(sheet: Any, cell: str, picture: ImageLike | None) -> None:
    try:
        data = None if picture is None else thumbnail(picture, SIDE)
    except MediaError:
        data = None
    if data is None:
        sheet[cell] = "(no picture)"
        return
    drawing = Drawing(io.BytesIO(data))
    larger = max(1.0, SMALL / max(drawing.width, drawing.height))
    drawing.width, drawing.height = drawing.width * larger, drawing.height * larger
    sheet.add_image(drawing, cell)


def _explain(sheet: Any, variable: Variable) -> str:
    """What is asked, and what each value means, below what stands there; gives the cells that list the values."""
    facts = [
        ("variable", f"{variable.name}, version {variable.version}"),
        ("scale", variable.scale),
        ("question", variable.definition or "(not defined)"),
    ]
    if variable.scale == "interval":
        facts.append(("from, to", f"{_end(variable.low)}, {_end(variable.high)}"))
    top = 1 if sheet.max_row == 1 else sheet.max_row + 3
    for number, fact in enumerate(facts, top):
        _put(sheet, number, fact)
        sheet.cell(number, 1).font = Font(bold=True)
    first = top + len(facts) + 1
    _put(sheet, first, ["value", "what it means"], bold=True)
    listed = variable.answers or tuple(variable.meanings)
    for number, value in enumerate(listed, first + 1):
        _put(sheet, number, [value, variable.meanings.get(value, "")])
    return f"codebook!$A${first + 1}:$A${first + len(listed)}"


def _end(value: float | None) -> str:
    return "any" if value is None else f"{value:g}"


def _restrict(sheet: Any, letters: Sequence[str], last: int, variable: Variable, values: str) -> None:
    """What may be entered in the columns of a variable, with a list to choose from where there is one."""
    if variable.scale == "multilabel":
        rule = DataValidation("whole", operator="between", formula1="0", formula2="1", allow_blank=True)
        rule.error = "1 where the label fits, 0 where it does not"
    elif variable.scale == "interval":
        low = -ANY if variable.low is None else variable.low
        high = ANY if variable.high is None else variable.high
        ends = {"formula1": f"{low:.15g}", "formula2": f"{high:.15g}"}
        rule = DataValidation("decimal", operator="between", **ends, allow_blank=True)
        rule.error = f"a number from {_end(variable.low)} to {_end(variable.high)}"
    elif variable.answers:
        rule = DataValidation("list", formula1=values, allow_blank=True)
        rule.error = "one of: " + ", ".join(variable.answers)[:200]
    else:
        return
    rule.errorTitle, rule.showErrorMessage = variable.name[:30], True
    sheet.add_data_validation(rule)
    as_text = any(not _is_number(value) for value in variable.answers)
    for letter in letters:
        rule.add(f"{letter}2:{letter}{last}")
        if as_text and variable.scale != "multilabel":  # otherwise 1-2 becomes a date
            for number in range(2, last + 1):
                sheet[f"{letter}{number}"].number_format = "@"
