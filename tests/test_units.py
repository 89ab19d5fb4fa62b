"""Ids: names people gave, extended by the time and the box of a part."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visanda.errors import InputError
from visanda.units import Unit, parse

names = st.text(st.sampled_from("#%25 3&=,t/🙂ä") | st.characters(exclude_categories=["Cs"]), max_size=20)
seconds = st.floats(0, allow_nan=False, allow_infinity=False)
times = st.tuples(seconds) | st.tuples(seconds, seconds).map(lambda pair: tuple(sorted(pair)))
pixels = st.integers(0, 10**6)
boxes = st.tuples(pixels, pixels, pixels.map(lambda n: n + 1), pixels.map(lambda n: n + 1))


@given(names, st.none() | times, st.none() | boxes)
def test_every_id_reads_back(name, time, box):
    unit = Unit(name, time, box)
    assert parse(unit.id) == unit
    assert parse(unit.id).id == unit.id


@given(names, names, st.none() | times, st.none() | times)
def test_different_units_have_different_ids(one, other, time, another):
    assert (Unit(one, time).id == Unit(other, another).id) == (Unit(one, time) == Unit(other, another))


@given(names, times, boxes)
def test_the_parent_is_the_whole_file(name, time, box):
    assert parse(Unit(name, time, box).parent) == Unit(name)
    assert Unit(name).parent is None


@pytest.mark.parametrize(
    ("unit", "id"),
    [
        (Unit("photos/a.jpg"), "photos/a.jpg"),
        (Unit("news.mp4", (12.5,)), "news.mp4#t=12.5"),
        (Unit("news.mp4", (10.0, 14.2)), "news.mp4#t=10,14.2"),
        (Unit("a.jpg", box=(160, 120, 32, 40)), "a.jpg#xywh=160,120,32,40"),
        (Unit("news.mp4", (3.0,), (1, 2, 3, 4)), "news.mp4#t=3&xywh=1,2,3,4"),
        (Unit("#metoo 100%.jpg"), "%23metoo 100%.jpg"),
        (Unit("50%25.jpg"), "50%2525.jpg"),
        (Unit("🙂 é.jpg"), "🙂 é.jpg"),
        (Unit("v", (1e-7,)), "v#t=0.0000001"),
        (Unit("v", (1e22,)), "v#t=10000000000000000000000"),
        (Unit("v", (1 / 3,)), "v#t=0.3333333333333333"),
        (Unit("v", (-0.0,)), "v#t=0"),
    ],
)
def test_ids_read_as_people_would_write_them(unit, id):
    assert unit.id == id
    assert parse(id) == unit


def test_the_prefix_of_the_standard_is_read():
    assert parse("a.jpg#xywh=pixel:1,2,3,4").box == (1, 2, 3, 4)


@pytest.mark.parametrize(
    "fragment",
    [
        *("", "t=", "t=x", "t=1,2,3", "t=-1", "t=1e3", "t=nan", "t=inf", "t=1_0", "t=١", "t=5,2", "t=1&", "&t=1"),
        *("t=1&t=2", "t=1#t=2", "t=1 ", "t=1\n", "xywh=1,2,3", "xywh=1,2,3,4.5", "xywh=-1,2,3,4", "xywh=1,2,0,4"),
        *("xywh=1,2,3,4&t=1", "t=1xywh=1,2,3,4", "track=1"),
    ],
)
def test_what_is_no_id_is_refused(fragment):
    with pytest.raises(InputError, match="not a"):
        parse("a.jpg#" + fragment)


@pytest.mark.parametrize("time", [(), (1.0, 2.0, 3.0), (-1.0,), (float("nan"),), (float("inf"),), (3.0, 2.0)])
def test_a_unit_has_no_impossible_time(time):
    with pytest.raises(InputError, match="not a time"):
        Unit("a.mp4", time)


@pytest.mark.parametrize("box", [(1, 2, 3), (0, 0, 0, 5), (0, 0, 5, -1), (-1, 0, 5, 5)])
def test_a_unit_has_no_impossible_box(box):
    with pytest.raises(InputError, match="not a box"):
        Unit("a.jpg", box=box)
