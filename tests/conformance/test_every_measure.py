"""What every measure promises: a measure is tested by being registered."""

from __future__ import annotations

import io
import math
import pickle
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image as Pillow

import visanda as vi
from visanda.measure import Measure, Registered, Vector, registered, rows
from visanda.media import Image, decode_at
from visanda.models import model

PHOTOS = sorted((Path(vi.__file__).parent / "sample" / "photos").glob("*.webp"))[:200:40]
MEASURES = [one for one in registered() if not one.feed]

each_measure = pytest.mark.parametrize("one", MEASURES, ids=lambda one: one.name)


def made(one: Registered) -> Measure:
    """With the arguments of its registration's example."""
    return one(**one.example)


def table(measure: Measure, images: list[Image]) -> pa.Table:
    return rows(measure, [str(position) for position in range(len(images))], measure(images))


def same_cell(a, b) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (math.isnan(a) and math.isnan(b))
    return a == b


def assert_same(one: pa.Table, other: pa.Table) -> None:
    """Bit for bit."""
    assert one.schema == other.schema
    for a, b in zip(one.to_pylist(), other.to_pylist(), strict=True):
        differ = [name for name in a if not same_cell(a[name], b[name])]
        assert not differ, f"{differ}: {[a[name] for name in differ]} and {[b[name] for name in differ]}"


@pytest.fixture(scope="module")
def images() -> list[Image]:
    """Photographs, each in the sizes that measures ask for."""
    return [Image.of(photo) for photo in PHOTOS]


@each_measure
def test_it_says_what_it_is_and_whom_to_cite(one):
    assert len(one.source) > 10
    assert one.summary.endswith(".")
    for name in one.models:
        card = model(name)
        assert card.licence and card.source and card.known_limits
        assert len(card.sha256) == 64


@each_measure
def test_every_column_is_documented(one):
    text = one.__doc__
    prefixes = re.findall(r"``(\w+_)…``", text)  # columns that arguments make: score_…
    ranges = re.findall(r"``(\w+_)(\w+)`` … ``\1(\w+)``", text)  # share_black … share_pink
    columns = list(made(one).columns)
    for prefix, first, last in ranges:
        columns = columns[: columns.index(prefix + first) + 1] + columns[columns.index(prefix + last) :]
    for column in columns:
        assert f"``{column}``" in text or column.startswith(tuple(prefixes)), column


@each_measure
def test_every_argument_is_documented(one):
    for argument in one.parameters:
        assert re.search(rf"^    {argument}: ", one.__doc__, re.MULTILINE), argument


@each_measure
def test_values_have_the_declared_types(one, images):
    measure = made(one)
    measured = table(measure, images)
    assert measured.schema == measure.schema
    assert measured["error"].null_count == len(images)
    for name, declared in measure.columns.items():
        assert measured[name].null_count < len(images), f"{name} is null for every photograph"
        if isinstance(declared, Vector):
            assert {len(vector) for vector in measured[name].to_pylist()} == {declared.length}


@each_measure
def test_the_same_in_any_batching(one, images):
    measure = made(one)
    whole = table(measure, images)
    assert_same(
        pa.concat_tables([table(measure, [image]) for image in images]),
        whole.drop("id").add_column(0, "id", [["0"] * len(images)]),
    )
    backwards = table(measure, images[::-1]).take(list(range(len(images)))[::-1])
    assert_same(backwards.drop("id"), whole.drop("id"))


@each_measure
def test_a_list_that_changes_is_measured_anew(one, images):
    measure, batch = made(one), [images[0]]
    first = table(measure, batch)
    batch[0] = images[1]
    assert_same(table(measure, batch), table(measure, [images[1]]))
    assert table(measure, batch) != first


@each_measure
def test_no_images_give_no_rows(one):
    assert table(made(one), []).num_rows == 0


@each_measure
def test_the_same_after_pickle_and_json(one, images):
    measure = made(one)
    whole = table(measure, images)
    for again in (pickle.loads(pickle.dumps(measure)), Measure.from_json(measure.to_json())):
        assert again == measure
        assert_same(table(again, images), whole)
    assert pickle.loads(pickle.dumps(one)) is one


@each_measure
def test_the_same_from_several_threads_at_once(one, images):
    measure = made(one)
    whole = table(measure, images)
    with ThreadPoolExecutor(4) as pool:
        for again in pool.map(lambda _: table(measure, list(images)), range(8)):
            assert_same(again, whole)


@each_measure
def test_the_same_from_a_path_and_from_the_decoded_picture(one):
    measure = made(one)
    data = [photo.read_bytes() for photo in PHOTOS]
    decoded = [decode_at(one, [measure.size, 64])[measure.size] for one in data]
    assert_same(table(measure, [str(photo) for photo in PHOTOS]), table(measure, decoded))


@each_measure
def test_pixels_are_not_modified(one, images):
    pixels = [image.pixels.copy() for image in images]
    before = [one.copy() for one in pixels]
    table(made(one), [Image(array, array.shape[1], array.shape[0]) for array in pixels])
    for array, was in zip(pixels, before, strict=True):
        assert np.array_equal(array, was)


def stored_turned(upright: Pillow.Image, orientation: int) -> bytes:
    """A lossless file whose pixels lie otherwise than its EXIF says they should be seen."""
    undo = {3: Pillow.Transpose.ROTATE_180, 6: Pillow.Transpose.ROTATE_90, 8: Pillow.Transpose.ROTATE_270}
    exif = Pillow.Exif()
    exif[274] = orientation
    buffer = io.BytesIO()
    upright.transpose(undo[orientation]).save(buffer, "PNG", exif=exif)
    return buffer.getvalue()


@each_measure
def test_exif_orientation_is_respected(one, tmp_path):
    upright = Pillow.open(PHOTOS[0]).convert("RGB").resize((240, 160))  # small enough for every measure's size
    upright.save(tmp_path / "upright.png")
    for orientation in (3, 6, 8):
        (tmp_path / f"{orientation}.png").write_bytes(stored_turned(upright, orientation))
    measured = table(made(one), [tmp_path / f"{name}.png" for name in ("upright", 3, 6, 8)]).drop("id")
    for row in (1, 2, 3):
        assert_same(measured.slice(row, 1), measured.slice(0, 1))


def strange_pictures() -> list[np.ndarray]:
    noise = np.random.default_rng(1).integers(0, 256, (2000, 3, 3), np.uint8)
    return [
        np.full((300, 300, 3), 128, np.uint8),
        np.zeros((1, 1, 3), np.uint8),
        np.full((1, 1, 3), 255, np.uint8),
        np.arange(18, dtype=np.uint8).reshape(2, 3, 3),
        noise.transpose(1, 0, 2),
        noise,
        np.repeat(noise[:100, :1], 100, axis=1)[:, :, :1].repeat(3, axis=2),
    ]


@each_measure
def test_strange_pictures_give_finite_values_or_null(one):
    measure = made(one)
    measured = table(measure, strange_pictures())
    for name, declared in measure.columns.items():
        if declared in (float, list[float]) or isinstance(declared, Vector):
            values = measured[name].to_pylist()
            flat = [v for value in values for v in (value if isinstance(value, list) else [value])]
            assert all(v is None or math.isfinite(v) for v in flat), name


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> vi.Corpus:
    """A photograph, a truncated JPEG, text named .jpg and an empty file, under every measure at once."""
    folder = tmp_path_factory.mktemp("pictures")
    photos = folder / "photos"
    photos.mkdir()
    buffer = io.BytesIO()
    Pillow.open(PHOTOS[1]).convert("RGB").save(buffer, "JPEG")
    (photos / "whole.jpg").write_bytes(buffer.getvalue())
    (photos / "cut.jpg").write_bytes(buffer.getvalue()[: len(buffer.getvalue()) // 2])
    (photos / "text.jpg").write_text("no picture")
    (photos / "empty.png").write_bytes(b"")
    corpus = vi.Corpus.init(folder / "study")
    corpus.add(photos)
    corpus.measure(*(made(one) for one in MEASURES))
    return corpus


@each_measure
def test_a_damaged_picture_is_a_row_that_says_why(one, corpus):
    frame = corpus.query(f'SELECT * FROM "{one.name}"').to_pandas()
    assert len(frame) == 4
    whole = frame["id"].str.endswith("whole.jpg")
    assert frame.loc[whole, "error"].isna().all()
    assert frame.loc[~whole, "error"].str.len().gt(10).all()
    assert frame.loc[~whole, list(made(one).columns)].isna().all(axis=None)


@each_measure
def test_its_table_says_how_to_measure_again(one, corpus):
    text = (corpus.folder / "tables" / one.name / "measure.json").read_text("utf-8")
    assert Measure.from_json(text) == made(one)


@each_measure
def test_a_result_does_not_depend_on_what_runs_beside_it(one, corpus, tmp_path):
    alone = vi.Corpus.init(tmp_path / "alone")
    alone.add(corpus.folder.parent / "photos")
    alone.measure(made(one))
    query = f'SELECT * FROM "{one.name}" ORDER BY id'
    assert_same(alone.query(query), corpus.query(query))
