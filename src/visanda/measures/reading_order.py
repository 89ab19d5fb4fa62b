"""Reading order: which line of text comes after which, from where they stand alone."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Block = list[list[int]]
"""Lines that belong together, as the rows they stand in, from above to below; numbers of lines."""

# In heights of a line. Detectors draw lines of text higher than the letters, so that neighbours touch or overlap.
INNER = 0.7  # so much of a line's height, in its middle, is taken for its letters
APART = 0.9  # rows with more between their letters than this are of two blocks,
SECTION = 2.0  # and columns do not reach over more than this
GUTTER = 0.4  # the least between two columns
COLUMN = 5.0  # lines of a column of text are wider than this; those of a table's column may not be
SAME = 0.5  # share of the lower line's height that two lines in one row have in common
HALF = 0.6  # of the width: what is narrower leaves room for another column
ALIGNED = 0.6  # share of a narrow column's lines that stand in rows with the other's: more is a table
PARALLEL = np.radians(10)  # lines with less between their directions run the same way
RIGHT_TO_LEFT = ("R", "AL")  # Hebrew and its like, Arabic and its like


@dataclass(frozen=True)
class _Page:
    """Lines of a page turned so that most of them are level, each array (n,)."""

    left: np.ndarray
    right: np.ndarray
    top: np.ndarray
    bottom: np.ndarray
    height: np.ndarray
    right_to_left: bool


def reading_order(polygons: np.ndarray, *, right_to_left: bool = False) -> list[Block]:
    """Blocks of text in the order in which they are read.

    A page is cut where white space runs through it (recursive XY-cut: Nagy and Seth 1984): into columns, which are
    read one after the other, and from above to below. What stands in rows without being text, such as the words and
    prices of a menu, is read row by row. The page is turned first, so that most of its lines are level: a turned
    photograph, and columns of vertical writing, which follow each other from the right, need no rules of their own.

    Args:
        polygons: (n, 4, 2), corners of each line in any unit: x and y of where it begins above its letters, where it
            ends above them, where it ends below them, and where it begins below them.
        right_to_left: whether rows and columns begin at the right.

    Returns:
        Blocks of rows of lines. Every line is in one row.

    Example:
        >>> line = np.array([[0, 0], [90, 0], [90, 10], [0, 10]])
        >>> reading_order(np.stack([line + [0, 40], line + [0, 12], line]))
        [[[2], [1]], [[0]]]
    """
    if not len(polygons):
        return []
    return _blocks(_level(np.asarray(polygons, float), right_to_left), list(range(len(polygons))))


def reads_right_to_left(texts: Sequence[str]) -> bool:
    """Whether most of the letters are of a script such as Arabic or Hebrew."""
    kinds = [unicodedata.bidirectional(letter) for text in texts for letter in text]
    return sum(kind in RIGHT_TO_LEFT for kind in kinds) > kinds.count("L")


def running_text(blocks: Sequence[Block], texts: Sequence[str]) -> str:
    """The whole text: a line for each row, an empty one between blocks. Words divided at a line's end stay divided."""
    return "\n\n".join("\n".join(" ".join(texts[line] for line in row) for row in block) for block in blocks)


def directions(polygons: np.ndarray) -> np.ndarray:
    """Where lines run to: (n,) radians, 0 to the right, π/2 downwards, −π to π."""
    run = polygons[:, 1] - polygons[:, 0] + polygons[:, 2] - polygons[:, 3]
    return np.arctan2(run[:, 1], run[:, 0])


def _level(polygons: np.ndarray, right_to_left: bool) -> _Page:
    corners = polygons - polygons.min(axis=(0, 1))  # so that a page moved is the same page, to the last bit
    angles = directions(corners)
    lengths = np.hypot(*(corners[:, 1] - corners[:, 0]).T) + np.hypot(*(corners[:, 2] - corners[:, 3]).T)
    main = _main_direction(angles, lengths)
    x = corners[:, :, 0] * np.cos(main) + corners[:, :, 1] * np.sin(main)
    y = corners[:, :, 1] * np.cos(main) - corners[:, :, 0] * np.sin(main)
    top, bottom = y.min(axis=1), y.max(axis=1)
    sides = np.hypot(*(corners[:, 3] - corners[:, 0]).T) + np.hypot(*(corners[:, 2] - corners[:, 1]).T)
    # A line that runs somewhat askew is as high as its letters, not as the rectangle around it.
    height = np.where(np.abs(_turn(angles, main)) < np.pi / 4, np.minimum(sides / 2, bottom - top), bottom - top)
    middle = (top + bottom) / 2
    reach = height * (INNER / 2)
    return _Page(x.min(axis=1), x.max(axis=1), middle - reach, middle + reach, height, right_to_left)


def _main_direction(angles: np.ndarray, lengths: np.ndarray) -> float:
    """The direction that most text runs in, by length."""
    beside = np.abs(_turn(angles[:, None], angles)) < PARALLEL
    group = beside[int((beside @ lengths).argmax())]
    first = float(angles[group][0])
    total = max(float(lengths[group].sum()), np.finfo(float).tiny)
    return first + float((_turn(angles[group], first) * lengths[group]).sum()) / total


def _turn(angle: np.ndarray, other: np.ndarray | float) -> np.ndarray:
    """From one direction to another the shorter way, −π to π."""
    return (angle - other + np.pi) % (2 * np.pi) - np.pi


def _blocks(page: _Page, lines: list[int]) -> list[Block]:
    columns = _columns(page, lines)
    if len(columns) > 1:
        return [block for column in columns for block in _blocks(page, column)]
    strips = _parts(lines, page.top, page.bottom, 0.0)
    found: list[Block] = []
    begin, goes_on = 0, False
    while begin < len(strips):
        end = _end_of_columns(page, strips, begin, _width(page, lines))
        part = [line for strip in strips[begin:end] for line in strip]
        if len(strips) > 1 and len(_columns(page, part)) > 1:
            found += _blocks(page, part)
            goes_on = False
        else:
            for strip in range(begin, end):
                if len(strips) > 1 and len(_columns(page, strips[strip])) > 1:
                    found += _blocks(page, strips[strip])
                    goes_on = False
                    continue
                if goes_on and _space(page, strips[strip - 1], strips[strip]) <= APART:
                    found[-1] += _rows(page, strips[strip])
                else:
                    found.append(_rows(page, strips[strip]))
                goes_on = True
        begin = end
    return found


def _end_of_columns(page: _Page, strips: list[list[int]], begin: int, width: float) -> int:
    """How far down white space runs between what may be columns, from a strip on."""
    part = list(strips[begin])
    for end in range(begin + 1, len(strips)):
        part += strips[end]
        parted = len(_parts(part, page.left, page.right, _gutter(page, part))) > 1
        beside = _width(page, part) <= HALF * width  # so far one column, and there is room for another beside it
        after = _space(page, strips[end - 1], strips[end])
        if after > SECTION:
            return end
        if not (parted or beside):
            heading = end > begin + 1 and len(strips[end - 1]) == 1 and after < _space(page, *strips[end - 2 : end])
            return end - 1 if heading else end
    return len(strips)


def _columns(page: _Page, lines: list[int]) -> list[list[int]]:
    """Lines by columns of text, in the order in which these are read; one where there are none."""
    parts = _parts(lines, page.left, page.right, _gutter(page, lines))
    columns = parts[:1]
    for part in parts[1:]:
        if _in_rows(page, columns[-1], part):
            columns[-1] = columns[-1] + part
        else:
            columns.append(part)
    return columns[::-1] if page.right_to_left else columns


def _in_rows(page: _Page, some: list[int], others: list[int]) -> bool:
    """Whether lines left and right of white space are read row by row, as in a table or in one row."""
    few, many = sorted((some, others), key=len)
    overlap = np.minimum(page.bottom[few][:, None], page.bottom[many]) - np.maximum(
        page.top[few][:, None], page.top[many]
    )
    heights = page.height[few][:, None], page.height[many]
    lower, higher = np.minimum(*heights), np.maximum(*heights)
    level = (overlap > SAME * INNER * lower) & (higher < 2 * lower)
    if level.any(axis=1).mean() < ALIGNED:
        return False
    narrow = min(float(np.median((page.right - page.left)[side] / page.height[side])) for side in (some, others))
    return len(few) == 1 or narrow < COLUMN


def _rows(page: _Page, lines: list[int]) -> list[list[int]]:
    """Lines by rows, from above to below, and each row as it is read."""
    middle = (page.top + page.bottom) / 2
    rows: list[list[int]] = []
    for line in sorted(lines, key=lambda one: (middle[one], page.height[one], page.left[one])):
        if rows and middle[line] - middle[rows[-1][0]] < SAME * INNER * min(
            page.height[line], page.height[rows[-1][0]]
        ):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda one: page.left[one], reverse=page.right_to_left) for row in rows]


def _parts(lines: list[int], begins: np.ndarray, ends: np.ndarray, space: float) -> list[list[int]]:
    """Lines by parts between which there is white space, along one axis."""
    ordered = sorted(lines, key=lambda one: (begins[one], ends[one]))
    parts = [[ordered[0]]]
    reached = ends[ordered[0]]
    for line in ordered[1:]:
        if begins[line] - reached > space:
            parts.append([line])
        else:
            parts[-1].append(line)
        reached = max(reached, ends[line])
    return parts


def _space(page: _Page, above: list[int], below: list[int]) -> float:
    """White space between two strips, in heights of a line of the one with smaller letters."""
    height = min(float(np.median(page.height[above])), float(np.median(page.height[below])))
    return float(page.top[below].min() - page.bottom[above].max()) / max(height, np.finfo(float).tiny)


def _gutter(page: _Page, lines: list[int]) -> float:
    return GUTTER * float(np.median(page.height[lines]))


def _width(page: _Page, lines: list[int]) -> float:
    return float(page.right[lines].max() - page.left[lines].min())
