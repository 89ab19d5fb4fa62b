"""What every measure that finds things in pictures promises: a finder is tested by being registered."""

from __future__ import annotations

import math
import pickle
import re
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from PIL import Image as Pillow
from test_every_measure import PORTRAITS, add_pictures, assert_same, made, stored_turned, strange_pictures

import visanda as vi
from visanda.errors import InputError
from visanda.measure import FOUND, Measure, Registered, find_in, found_rows, registered
from visanda.media import Image
from visanda.units import parse

NEEDS = {"text": "rapidocr"}  # a measure that runs only where an extra is installed


def needing(one: Registered) -> Any:
    lacks = one.name in NEEDS and find_spec(NEEDS[one.name]) is None
    marks = [pytest.mark.skip(reason=f"{NEEDS[one.name]} is not installed")] if lacks else []
    return pytest.param(one, id=one.name, marks=marks)


FINDERS = [one for one in registered() if one.finds]
RUNNING = [one for one in FINDERS if one.name not in NEEDS or find_spec(NEEDS[one.name])]

each_finder = pytest.mark.parametrize("one", FINDERS, ids=lambda one: one.name)
each_that_runs = pytest.mark.parametrize("one", [needing(one) for one in FINDERS])


def signed(path: Path) -> np.ndarray:
    """A portrait of somebody with words below: something for every finder."""
    pixels = np.full((500, 400, 3), 255, np.uint8)
    pixels[:400] = Image.of(path).pixels[:400, :400]
    return cv2.putText(pixels, "NASA 1992", (40, 470), cv2.FONT_HERSHEY_SIMPLEX, 1.8, (0, 0, 0), 4, cv2.LINE_AA)


def tables(measure: Measure, pictures: Sequence[Any]) -> tuple[pa.Table, pa.Table]:
    """A row a thing and a row a picture, as a corpus would write them."""
    images = [Image.of(one) for one in pictures]
    return found_rows(measure, [f"{n}.jpg" for n in range(len(images))], images, find_in(measure, images))


def within(found: pa.Table, number: int) -> pa.Table:
    """What was found in one of the pictures, as if it had been the only one."""
    mine = found.filter(pc.equal(found["picture"], f"{number}.jpg"))
    return mine.drop(["id", "parent", "picture"])


@pytest.fixture(scope="module")
def images() -> list[Image]:
    """A portrait with words, a group, and nothing at all."""
    return [Image.of(signed(PORTRAITS[0])), Image.of(PORTRAITS[2]), Image.of(np.full((200, 300, 3), 128, np.uint8))]


@each_finder
def test_it_says_what_it_is_and_whom_to_cite(one):
    assert len(one.source) > 10 and one.summary.endswith(".")
    for card in made(one).models:
        assert card.licence and card.source and card.known_limits
        assert len(card.sha256) == 64


@each_finder
def test_every_column_and_argument_is_documented(one):
    prefixes = re.findall(r"``(\w+_)…``", one.__doc__)
    for column in (*made(one).columns, *made(one).per_picture):
        # Of the largest face the same as of each.
        said = f"``{column}``" in one.__doc__ or column.startswith((*prefixes, "largest_"))
        assert said, column
    for argument in one.parameters:
        assert re.search(rf"^    {argument}: ", one.__doc__, re.MULTILINE), argument


@each_that_runs
def test_values_have_the_declared_types(one, images):
    measure = made(one)
    things, pictures = tables(measure, images)
    assert things.schema == measure.schema and pictures.schema == measure.schema_per_picture
    assert things.schema.names[: len(FOUND)] == [field.name for field in FOUND]
    assert len(things) and things["error"].null_count == len(things)
    assert pictures["id"].to_pylist() == ["0.jpg", "1.jpg", "2.jpg"]
    assert set(things["picture"].to_pylist()) >= {"0.jpg"} and "2.jpg" not in things["picture"].to_pylist()
    for name in measure.columns:
        assert things[name].null_count < len(things), f"{name} is null of every thing"
    for name in measure.per_picture:
        assert pictures[name][0].is_valid, f"{name} is null for a picture with things in it"


@each_that_runs
def test_boxes_lie_in_the_picture_and_are_in_the_ids(one, images):
    things, _ = tables(made(one), images)
    assert len(set(things["id"].to_pylist())) == len(things)
    for row in things.to_pylist():
        image = images[int(row["picture"][0])]
        box = tuple(row[name] for name in ("x", "y", "width", "height"))
        assert parse(row["id"]).box == box and row["parent"] == row["picture"] == parse(row["id"]).name
        assert row["start"] is row["stop"] is None
        assert 0 <= box[0] < box[0] + box[2] <= image.width and 0 <= box[1] < box[1] + box[3] <= image.height
        assert row.get("share") is None or 0 <= row["share"] <= 1


@each_that_runs
def test_counts_are_those_of_the_rows(one, images):
    things, pictures = tables(made(one), images)
    counted = next(name for name in made(one).per_picture if name.startswith("n_"))
    rows = things["picture"].to_pylist()
    assert pictures[counted].to_pylist() == [rows.count(f"{number}.jpg") for number in range(len(images))]
    assert pictures[counted][2].as_py() == 0  # nothing there is 0, and not unknown


@each_that_runs
def test_the_same_in_any_batching(one, images):
    measure = made(one)
    things, pictures = tables(measure, images)
    for number, image in enumerate(images):
        alone = tables(measure, [image])
        assert_same(within(alone[0], 0), within(things, number))
        assert_same(alone[1].drop("id"), pictures.slice(number, 1).drop("id"))
    backwards = tables(measure, images[::-1])[0]
    for number in range(len(images)):
        assert_same(within(backwards, len(images) - 1 - number), within(things, number))


@each_that_runs
def test_a_call_gives_what_a_corpus_would_write(one, images):
    measure = made(one)
    things, _ = tables(measure, images)
    called = measure(images)
    assert list(called) == ["picture", "x", "y", "width", "height", *measure.columns]
    assert [f"{number}.jpg" for number in called["picture"]] == things["picture"].to_pylist()
    for name in ("x", "y", "width", "height", *measure.columns):
        wanted = pa.array(called[name], things.schema.field(name).type, from_pandas=True)
        assert things[name].combine_chunks().equals(wanted), name


@each_that_runs
def test_no_pictures_and_nothing_in_them_give_no_rows(one):
    measure = made(one)
    assert [len(table) for table in tables(measure, [])] == [0, 0]
    assert [len(table) for table in tables(measure, [np.full((90, 120, 3), 90, np.uint8)])] == [0, 1]
    assert all(values == [] for values in measure([np.full((90, 120, 3), 90, np.uint8)]).values())


@each_that_runs
def test_a_single_picture_is_refused(one, images):
    for single in (images[0], PORTRAITS[0], images[0].pixels):
        with pytest.raises(InputError, match="put a single one in"):
            made(one)(single)


@each_that_runs
def test_the_same_after_pickle_and_json(one, images):
    measure = made(one)
    whole = measure(images)
    for again in (pickle.loads(pickle.dumps(measure)), Measure.from_json(measure.to_json())):
        assert again == measure and again(images) == whole
    assert pickle.loads(pickle.dumps(one)) is one


@each_that_runs
def test_the_same_from_several_threads_at_once(one, images):
    measure = made(one)
    whole = measure(images)
    with ThreadPoolExecutor(4) as pool:
        assert all(again == whole for again in pool.map(lambda _: measure(list(images)), range(6)))


@each_that_runs
def test_pixels_are_not_modified(one, images):
    pixels = [image.pixels.copy() for image in images]
    made(one)([Image(array, array.shape[1], array.shape[0]) for array in pixels])
    assert all(np.array_equal(image.pixels, array) for image, array in zip(images, pixels, strict=True))


@each_that_runs
def test_exif_orientation_is_respected(one, tmp_path):
    upright = Pillow.fromarray(signed(PORTRAITS[0]))
    upright.save(tmp_path / "upright.png")
    for orientation in (3, 6, 8):
        (tmp_path / f"{orientation}.png").write_bytes(stored_turned(upright, orientation))
    things, pictures = tables(made(one), [tmp_path / f"{name}.png" for name in ("upright", 3, 6, 8)])
    for row in (1, 2, 3):
        assert_same(within(things, row), within(things, 0))
        assert_same(pictures.slice(row, 1).drop("id"), pictures.slice(0, 1).drop("id"))


@each_that_runs
def test_a_reduced_picture_has_boxes_in_pixels_of_the_original(one, images):
    whole = images[0]
    half = cv2.resize(whole.pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    boxes = [
        [np.array(box) for box in zip(*(found[name] for name in ("x", "y", "width", "height")), strict=True)]
        for found in (made(one)([whole]), made(one)([Image(half, whole.width, whole.height)]))
    ]
    largest, in_half = (max(some, key=lambda box: box[2] * box[3]) for some in boxes)
    np.testing.assert_allclose(in_half, largest, atol=0.15 * largest[2:].max())


@each_that_runs
def test_strange_pictures_give_finite_values_or_null(one):
    for found in tables(made(one), strange_pictures()):
        for name in found.column_names:
            values = [v for cell in found[name].to_pylist() for v in (cell if isinstance(cell, list) else [cell])]
            assert all(not isinstance(v, float) or math.isfinite(v) for v in values), name


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> vi.Corpus:
    """A portrait with words, a group, grey, and three that are damaged, under every finder at once."""
    folder = tmp_path_factory.mktemp("pictures")
    photos = folder / "photos"
    photos.mkdir()
    Pillow.fromarray(signed(PORTRAITS[0])).save(photos / "signed.png")
    Pillow.new("RGB", (200, 300), "grey").save(photos / "grey.png")
    data = PORTRAITS[0].read_bytes()
    (photos / "group.webp").write_bytes(PORTRAITS[2].read_bytes())
    (photos / "cut.jpg").write_bytes(data[: len(data) // 2])
    (photos / "text.jpg").write_text("no picture")
    (photos / "empty.png").write_bytes(b"")
    corpus = add_pictures(folder / "study")
    corpus.measure(*(made(one) for one in RUNNING))
    return corpus


@each_that_runs
def test_a_damaged_picture_is_a_row_that_says_why(one, corpus):
    frame = corpus.frame(f'SELECT * FROM "{one.name}_by_picture" ORDER BY id').set_index("id")
    assert len(frame) == 6
    bad = frame.index.isin(["photos/cut.jpg", "photos/text.jpg", "photos/empty.png"])
    assert frame.loc[bad, "error"].str.len().gt(10).all() and bad.sum() == 3
    assert frame.loc[bad, list(made(one).per_picture)].isna().all(axis=None)
    assert frame.loc[~bad, "error"].isna().all()
    found = corpus.frame(f'SELECT * FROM "{one.name}"')
    assert set(found["picture"]) <= set(frame.index[~bad]) and "photos/signed.png" in set(found["picture"])


@each_that_runs
def test_its_tables_say_how_to_measure_again(one, corpus):
    for table in (one.name, f"{one.name}_by_picture"):
        assert Measure.from_json((corpus.folder / "tables" / table / "measure.json").read_text("utf-8")) == made(one)
    assert corpus.describe(one.name)["finds"] == one.finds.kind
    assert corpus.describe(f"{one.name}_by_picture")["counts"] == one.name


@each_that_runs
def test_a_result_does_not_depend_on_what_runs_beside_it(one, corpus, tmp_path):
    shutil.copytree(corpus.folder.parent / "photos", tmp_path / "photos")
    alone = add_pictures(tmp_path / "alone")
    alone.measure(made(one), workers=1)
    for table in (one.name, f"{one.name}_by_picture"):
        assert_same(*(c.parts(table).read().sort_by("id") for c in (alone, corpus)))
