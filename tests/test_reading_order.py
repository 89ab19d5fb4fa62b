"""Reading order: columns, rows, turned pages, and what must not change it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visanda.measures.reading_order import reading_order, reads_right_to_left, running_text


def line(x: float, y: float, width: float, height: float = 20) -> np.ndarray:
    return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], float)


def order(*lines: np.ndarray, right_to_left: bool = False) -> list[list[list[int]]]:
    return reading_order(np.stack(lines), right_to_left=right_to_left)


def flat(blocks: list[list[list[int]]]) -> list[int]:
    return [line for block in blocks for row in block for line in row]


def turned(polygons: np.ndarray, degrees: float) -> np.ndarray:
    """Clockwise, as y points down."""
    a = np.radians(degrees)
    return polygons @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])


def column(x: float, y: float, n: int, width: float = 300) -> list[np.ndarray]:
    return [line(x, y + 24 * row, width - 17 * (row % 3)) for row in range(n)]


SIGN = [line(0, 0, 90), line(5, 24, 80), line(0, 48, 90)]
PAGE = [line(0, 0, 640, 40), *column(0, 90, 8), *column(330, 90, 7), line(0, 330, 640), line(0, 354, 200)]


def test_no_lines_no_blocks():
    assert reading_order(np.zeros((0, 4, 2))) == []


def test_a_sign_is_read_from_above_to_below():
    assert order(*SIGN[::-1]) == [[[2], [1], [0]]]


def test_columns_are_read_one_after_the_other_between_what_spans_them():
    assert flat(reading_order(np.stack(PAGE))) == list(range(len(PAGE)))


def test_a_headline_columns_and_what_follows_are_blocks():
    blocks = reading_order(np.stack(PAGE))
    assert [len(block) for block in blocks] == [1, 8, 7, 2]


def test_columns_need_not_be_level_with_each_other():
    lines = [*column(0, 0, 6), *column(330, 13, 6)]
    assert flat(order(*lines)) == list(range(12))


def test_a_heading_above_text_that_follows_columns_is_not_the_left_columns_end():
    lines = [line(0, 0, 640), *column(0, 40, 5), *column(330, 40, 6), line(0, 200, 120), line(0, 224, 640)]
    assert flat(order(*lines)) == list(range(len(lines)))


def test_a_row_of_words_is_a_row():
    assert order(line(120, 2, 60), line(0, 0, 100), line(190, 1, 90)) == [[[1, 0, 2]]]


def test_a_menu_is_read_row_by_row():
    lines = [line(x, y, width) for y in (0, 24, 48, 72) for x, width in ((0, 150), (300, 50))]
    assert order(*lines) == [[[0, 1], [2, 3], [4, 5], [6, 7]]]


def test_two_signs_side_by_side_are_read_one_after_the_other():
    left, right = [line(0, y, 60, 30) for y in (0, 32, 64)], [line(200, y, 70, 12) for y in (8, 21, 34, 47)]
    assert flat(order(*left, *right)) == list(range(7))


def test_space_between_rows_makes_blocks():
    assert order(line(0, 0, 90), line(0, 22, 90), line(0, 80, 90)) == [[[0], [1]], [[2]]]


def test_lines_that_run_askew_are_still_rows():
    """Text in perspective: rectangles around the lines overlap, the letters do not."""
    lines = [turned(np.stack([line(0, 28 * row, 400)]), 5 + row)[0] for row in range(5)]
    assert flat(order(*lines)) == list(range(5))


def test_vertical_writing_runs_in_columns_from_the_right():
    def vertical(x: float) -> np.ndarray:  # it begins above, with the tops of letters to the right
        return np.array([[x + 20, 0], [x + 20, 300], [x, 300], [x, 0]], float)

    assert flat(order(vertical(0), vertical(24), vertical(48))) == [2, 1, 0]


def test_a_vertical_line_beside_a_page_is_apart():
    side = np.array([[-40, 190], [-40, 0], [-20, 0], [-20, 190]], float)  # upwards
    blocks = order(*column(0, 0, 8), side)
    assert [8] in [row for block in blocks for row in block]
    assert [one for one in flat(blocks) if one != 8] == list(range(8))


@pytest.mark.parametrize("degrees", [1, 7, 30, 45, 90, 135, 180, 200, 270, 315])
def test_a_turned_page_is_read_as_it_stands(degrees):
    page = np.stack(PAGE)
    assert reading_order(turned(page, degrees)) == reading_order(page)


def test_from_the_right_a_mirrored_page_is_read_alike():
    page = np.stack([*PAGE, line(210, 354, 100)])
    mirrored = (page * [-1, 1])[:, [1, 0, 3, 2]]
    assert reading_order(mirrored, right_to_left=True) == reading_order(page)
    assert reading_order(mirrored) != reading_order(page)


def test_the_script_says_which_way_is_read():
    assert reads_right_to_left(["שלום", "123", "ok"])
    assert reads_right_to_left(["مرحبا"])
    assert not reads_right_to_left(["Shalom שלום"])
    assert not reads_right_to_left(["123", "!"])
    assert not reads_right_to_left([])


def test_running_text_has_rows_and_blocks_and_keeps_hyphens():
    assert running_text([[[2, 0], [1]], [[3]]], ["car", "pro-", "No", "hibited"]) == "No car\npro-\n\nhibited"
    assert running_text([], []) == ""


# properties

BOXES = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 400), st.integers(5, 300), st.integers(5, 40)),
    min_size=1,
    max_size=12,
)


def polygons(boxes: list[tuple[int, int, int, int]]) -> np.ndarray:
    return np.stack([line(*box) for box in boxes])


@given(BOXES, st.booleans())
def test_every_line_is_in_one_row(boxes, right_to_left):
    blocks = reading_order(polygons(boxes), right_to_left=right_to_left)
    assert sorted(flat(blocks)) == list(range(len(boxes)))
    assert all(block and all(block) for block in blocks)


@given(BOXES, st.integers(-5000, 5000), st.integers(-5000, 5000), st.sampled_from([1, 2, 8, 0.25, 1024]))
def test_a_page_moved_or_scaled_is_read_alike(boxes, right, down, scale):
    page = polygons(boxes)
    assert reading_order(page * scale + [right, down]) == reading_order(page)


@given(BOXES.filter(lambda boxes: len({(x, y) for x, y, _, _ in boxes}) == len(boxes)), st.randoms())
@settings(max_examples=200)
def test_the_order_does_not_depend_on_the_order_of_the_lines(boxes, chance):
    """Where lines are told apart by where they stand."""
    shuffled = list(range(len(boxes)))
    chance.shuffle(shuffled)
    there = flat(reading_order(polygons(boxes)))
    here = flat(reading_order(polygons([boxes[k] for k in shuffled])))
    assert [boxes[shuffled[k]] for k in here] == [boxes[k] for k in there]


@given(st.lists(st.integers(20, 300), min_size=2, max_size=8), st.integers(2, 40))
def test_lines_below_each_other_are_read_downwards(widths, space):
    lines = [line(0, row * (20 + space), width) for row, width in enumerate(widths)]
    assert flat(order(*lines)) == list(range(len(lines)))
