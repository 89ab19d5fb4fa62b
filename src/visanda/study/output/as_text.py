"""A printed table as plain text and as Markdown."""

from __future__ import annotations

from visanda.study.output.printed import ESTIMATE, UNCERTAINTY, Cell, Line, Printed, minus

APART = "  "


def as_text(table: Printed) -> str:
    """Columns aligned by the decimal point as far as parentheses allow, rules of hyphens."""
    labels = [line.label for line in table.lines]
    first = max(map(len, labels), default=0)
    columns = [_column(head, [line.cells[place] for line in table.lines]) for place, head in enumerate(table.heads)]
    heads = APART.join([" " * first, *(column[0] for column in columns)]).rstrip()
    body = [
        APART.join([label.ljust(first), *(column[place + 1] for column in columns)]).rstrip()
        for place, label in enumerate(labels)
    ]
    rule = "-" * max(map(len, [heads, *body]))
    lines, rest = [*([table.title, ""] if table.title else []), heads, rule], iter(body)
    for block in table.blocks:
        lines += [*(next(rest) for _ in block), rule]
    return "\n".join([*lines, *table.notes])


def as_markdown(table: Printed) -> str:
    """A table of pipes; the standard error stands below its estimate in a row of its own."""
    rows = [["", *map(_plain, table.heads)], ["---", *["---:"] * len(table.heads)]]
    rows += [[_plain(line.label), *(_plain(shown(cell)) for cell in line.cells)] for line in table.lines]
    lines = [f"**{_plain(table.title)}**", ""] if table.title else []
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([*lines, *(f"\n{_plain(note)}" for note in table.notes)]) + "\n"


def shown(cell: Cell) -> str:
    """A cell with its stars and a typographic minus."""
    return minus(cell.text) + cell.stars


def paired(table: Printed) -> list[tuple[Line, Line | None]]:
    """The lines, those of estimates with the line of their uncertainty."""
    following = [*table.lines[1:], None]
    pairs = zip(table.lines, following, strict=True)
    return [(line, after if line.kind == ESTIMATE else None) for line, after in pairs if line.kind != UNCERTAINTY]


def _column(head: str, cells: list[Cell]) -> list[str]:
    """Head and cells at one width: numbers end at the same place, parentheses and stars stand out to the right."""
    tails = [len(cell.stars) or int(cell.text[-1:] in (")", "]")) for cell in cells]
    tail = max(tails, default=0)
    texts = [shown(cell) + " " * (tail - size) for cell, size in zip(cells, tails, strict=True)]
    inner = max(map(len, texts), default=0)
    width = max(inner, len(head))
    left = (width - inner + 1) // 2
    return [head.center(width) if len(head) < inner else head.rjust(width)] + [
        " " * left + text.rjust(inner) + " " * (width - inner - left) for text in texts
    ]


def _plain(text: str) -> str:
    for mark in "\\|*_`<[$":
        text = text.replace(mark, "\\" + mark)
    return " ".join(text.split("\n"))
