"""The decorator ``finder``: what it asks of a measure that finds things in pictures, and what it makes of its rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visanda import measure
from visanda.errors import InputError
from visanda.measure import FOUND, Found, Measure, Vector, boxed, find_in, finder, found_rows
from visanda.media import Image
from visanda.units import parse

GREY = np.full((40, 60, 3), 100, np.uint8)


@pytest.fixture(autouse=True)
def registered():
    """Measures of one test are forgotten after it."""
    before = dict(measure.registry._registry)
    yield
    measure.registry._registry.clear()
    measure.registry._registry.update(before)


def made(found, *, columns=None, per_picture=None, size=None, **arguments) -> Measure:
    """A measure that finds what ``found(image)`` says."""

    @finder(
        finds="object",
        columns={"label": str} if columns is None else columns,
        per_picture={"n": int} if per_picture is None else per_picture,
        size=size,
        source="this test",
    )
    def things(images, *, wanted: int = 2):
        """Things."""
        return [found(image) for image in images]

    return things(**arguments)


def two(image: Image) -> Found:
    """A thing in the upper left corner, and one that reaches beyond the lower right one."""
    boxes = (0, 0, 10, 5), (image.width - 10.4, image.height - 8.4, 30, 30)
    return Found([{"box": box, "label": f"at {round(box[0])}"} for box in boxes], {"n": 2})


def corpus_rows(one: Measure, ids: list[str]) -> tuple[pa.Table, pa.Table]:
    images = [Image.of(GREY)] * len(ids)
    return found_rows(one, ids, images, find_in(one, images))


# what a call gives


def test_a_call_gives_a_row_a_thing_with_its_picture_and_box():
    assert made(two)([GREY, GREY[:20, :30]]) == {
        "picture": [0, 0, 1, 1],
        "x": [0, 50, 0, 20],
        "y": [0, 32, 0, 12],
        "width": [10, 10, 10, 10],
        "height": [5, 8, 5, 8],
        "label": ["at 0", "at 50", "at 0", "at 20"],
    }


def test_boxes_are_in_pixels_of_the_original_where_pictures_are_reduced():
    seen = []

    def find(image: Image) -> Found:
        seen.append(image.pixels.shape[:2])
        return two(image)

    assert made(find, size=20)([GREY])["x"] == [0, 50]
    assert seen == [(20, 30)]


def test_without_pictures_or_things_there_are_columns_without_rows():
    nothing = made(lambda image: Found([], {"n": 0}))
    for pictures in ([], [GREY]):
        assert nothing(pictures) == {name: [] for name in ("picture", "x", "y", "width", "height", "label")}


# its tables


def test_schemas_begin_with_what_names_a_unit_and_end_with_error():
    one = made(two, columns={"label": str, "vector": Vector(3)}, per_picture={"n": int, "share": float})
    own = ["id", "parent", "picture", "start", "stop", "x", "y", "width", "height"]
    assert [field.name for field in FOUND] == own
    assert one.schema.names == [*own, "label", "vector", "error"]
    assert one.schema_per_picture.names == ["id", "n", "share", "error"]
    assert one.schema_per_picture.field("n").type == pa.int64()


def test_columns_may_depend_on_the_arguments():
    one = made(
        lambda image: Found([{"box": (0, 0, 1, 1), "a": 1, "b": 2}], {"n_ab": 1}),
        columns=lambda wanted: dict.fromkeys("abcdef"[:wanted], int),
        per_picture=lambda wanted: {f"n_{'abcdef'[:wanted]}": int},
    )
    assert list(one.columns) == ["a", "b"] and one.schema_per_picture.names == ["id", "n_ab", "error"]
    assert one([GREY])["b"] == [2]


@pytest.mark.parametrize(
    ("id", "parent", "start", "stop", "first"),
    [
        ("p/a.jpg", "p/a.jpg", None, None, "p/a.jpg#xywh=0,0,10,5"),
        ("v.mp4#t=1.5", "v.mp4", 1.5, 1.5, "v.mp4#t=1.5&xywh=0,0,10,5"),
        ("v.mp4#t=1,2.5", "v.mp4", 1.0, 2.5, "v.mp4#t=1,2.5&xywh=0,0,10,5"),
        ("a%23b.jpg", "a%23b.jpg", None, None, "a%23b.jpg#xywh=0,0,10,5"),
    ],
)
def test_a_thing_knows_its_file_its_picture_and_its_time(id, parent, start, stop, first):
    things, pictures = corpus_rows(made(two), [id])
    row = things.to_pylist()[0]
    assert [row[name] for name in ("id", "parent", "picture", "start", "stop")] == [first, parent, id, start, stop]
    assert pictures.to_pylist() == [{"id": id, "n": 2, "error": None}]


def test_what_nothing_could_compute_is_null():
    things, pictures = corpus_rows(
        made(
            lambda image: Found([{"box": (0, 0, 1, 1), "score": float("nan")}], {"mean": None}),
            columns={"score": float},
            per_picture={"mean": float},
        ),
        ["a.jpg"],
    )
    assert things["score"].to_pylist() == [None] == pictures["mean"].to_pylist()


# boxes


@pytest.mark.parametrize(
    ("box", "kept"),
    [
        ((1.4, 2.6, 3, 3), (1, 3, 3, 3)),
        ((-5, -5, 10, 10), (0, 0, 5, 5)),
        ((55, 35, 10, 10), (55, 35, 5, 5)),
        ((-100, -100, 500, 500), (0, 0, 60, 40)),
        ((10, 10, 0, 0), (10, 10, 1, 1)),
        ((10, 10, 0.2, 0.2), (10, 10, 1, 1)),
        ((100, 100, 5, 5), (59, 39, 1, 1)),
        ((-50, -50, 5, 5), (0, 0, 1, 1)),
    ],
)
def test_boxes_are_whole_pixels_within_the_picture(box, kept):
    assert [found for found, _ in boxed(Image.of(GREY), [{"box": box}])] == [kept]


anywhere = st.floats(-200, 200)


@given(st.lists(st.tuples(anywhere, anywhere, st.floats(0, 300), st.floats(0, 300)), max_size=20))
def test_whatever_the_boxes_ids_are_unique_and_boxes_inside(boxes):
    image = Image.of(GREY)
    kept = boxed(image, [{"box": box, "number": number} for number, box in enumerate(boxes)])
    ids = [box for box, _ in kept]
    assert len(set(ids)) == len(ids) and bool(kept) == bool(boxes)
    for x, y, width, height in ids:
        assert 0 <= x < x + width <= 60 and 0 <= y < y + height <= 40
    numbers = [thing["number"] for _, thing in kept]
    assert numbers == sorted(numbers) and numbers[:1] == [0][: len(boxes)]


def test_of_several_things_in_the_very_same_box_the_first_stays():
    boxes = [(10, 10, 5, 5), (10.3, 9.7, 5, 5), (10, 10, 6, 5)]
    find = made(lambda image: Found([{"box": b, "label": str(n)} for n, b in enumerate(boxes)], {"n": 3}))
    things, _ = corpus_rows(find, ["a.jpg"])
    assert things["label"].to_pylist() == ["0", "2"] == find([GREY])["label"]
    assert [parse(id).box for id in things["id"].to_pylist()] == [(10, 10, 5, 5), (10, 10, 6, 5)]


# what is told to whoever writes one

BOX = {"box": (0, 0, 1, 1)}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (lambda image: {"x": 1}, r"must return one Found for each of the 1 pictures"),
        (lambda image: Found([{"label": "a"}], {"n": 1}), r"declared \['box', 'label'\] and returned \['label'\]"),
        (lambda image: Found([BOX], {"n": 1}), r"declared \['box', 'label'\] and returned \['box'\]"),
        (lambda image: Found([BOX | {"label": "a", "more": 1}], {"n": 1}), r"and returned \['box', 'label', 'more'\]"),
        (lambda image: Found([], {}), r"declared \['n'\] and returned \[\]"),
        (lambda image: Found([], {"n": 0, "m": 0}), r"declared \['n'\] and returned \['m', 'n'\]"),
    ],
)
def test_what_is_not_as_declared_is_told(found, said):
    one = made(found)
    with pytest.raises(InputError, match=f"the measure things .*{said}"):
        find_in(one, [Image.of(GREY)])
    with pytest.raises(InputError, match=f"the measure things .*{said}"):
        one([GREY])


@pytest.mark.parametrize(
    ("thing", "picture", "column"), [({"label": 3}, {"n": 1}, "label"), ({"label": "a"}, {"n": "many"}, "n")]
)
def test_values_of_another_type_are_told(thing, picture, column):
    with pytest.raises(InputError, match=f"things: the values of {column} are not"):
        corpus_rows(made(lambda image: Found([BOX | thing], picture)), ["a.jpg"])


def test_one_found_a_picture_is_asked_for():
    @finder(finds="line", columns={}, per_picture={}, source="this test")
    def lines(images):
        return [Found([], {})]

    assert lines()([GREY])["picture"] == []
    with pytest.raises(InputError, match="lines must return one Found for each of the 2 pictures"):
        lines()([GREY, GREY])


@pytest.mark.parametrize("name", ["id", "parent", "picture", "start", "stop", "x", "y", "width", "height", "error"])
def test_columns_that_the_table_has_itself_are_refused(name):
    with pytest.raises(InputError, match=f"cannot have a column '{name}'"):
        made(two, columns={name: int})
    with pytest.raises(InputError, match=f"cannot have a column '{name}'"):
        made(two, columns=lambda wanted: {name: int})


@pytest.mark.parametrize("columns", [{"id": str}, {"error": str}, {"n": dict}])
def test_so_are_columns_of_pictures_when_the_measure_is_defined(columns):
    with pytest.raises(InputError, match=r"cannot have a column|must be float, int"):
        finder(finds="object", columns={}, per_picture=columns, source="this test")(two)


def test_only_known_kinds_of_things_are_found():
    with pytest.raises(InputError, match="a measure finds one of face, object, line, not 'video'"):
        finder(finds="video", columns={}, per_picture={}, source="this test")(two)


def test_a_single_picture_is_refused():
    with pytest.raises(InputError, match=r"things measures a list of pictures: put a single one in \[ \]"):
        made(two)(GREY)
