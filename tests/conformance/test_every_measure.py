"""What every measure of pictures or of faces promises: a measure is tested by being registered."""

from __future__ import annotations

import io
import math
import pickle
import re
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image as Pillow

import visanda as vi
from visanda.errors import InputError
from visanda.measure import Measure, Registered, Vector, registered, rows
from visanda.media import Detail, Image, decode_at

SAMPLE = Path(vi.__file__).parent / "sample"
PHOTOS = sorted((SAMPLE / "photos").glob("*.webp"))[:200:40]
PORTRAITS = [SAMPLE / name for name in ("faces/astronaut.jpg", "faces/admiral.jpg", "photos/expl_music__mexico.webp")]
LOADED = ("clip", "hub_embed")  # run a model that must be given: their own tests make one
MEASURES = [one for one in registered() if not one.feed and not one.finds and one.name not in LOADED]
OF_FACES = [one for one in MEASURES if one.on == "face"]
OF_PICTURES = [one for one in MEASURES if one.on != "face"]

each_measure = pytest.mark.parametrize("one", MEASURES, ids=lambda one: one.name)
each_of_faces = pytest.mark.parametrize("one", OF_FACES, ids=lambda one: one.name)
each_of_pictures = pytest.mark.parametrize("one", OF_PICTURES, ids=lambda one: one.name)


def made(one: Registered) -> Measure:
    """With the arguments of its registration's example."""
    return one(**one.example)


def table(measure: Measure, things: Sequence[Any]) -> pa.Table:
    return rows(measure, [str(position) for position in range(len(things))], measure(things))


def in_them(wholes: Sequence[Any], points: Sequence[Detail]) -> list[Detail]:
    """Faces at the same places of other pictures."""
    return [Detail(whole, face.box, face.points) for whole, face in zip(wholes, points, strict=True)]


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
    """Photographs."""
    return [Image.of(photo) for photo in PHOTOS]


@pytest.fixture(scope="module")
def faces() -> list[Detail]:
    """The surest face of each of some photographs, as a corpus gives it to measures of faces."""
    return [surest(Image.of(photo)) for photo in PORTRAITS]


def surest(image: Image) -> Detail:
    found = vi.faces()([image])
    best = int(np.argmax(found["score"]))
    x, y, width, height = (found[name][best] for name in ("x", "y", "width", "height"))
    return Detail(image, (x, y, width, height), found["landmarks"][best])


@pytest.fixture
def things(one: Registered, images: list[Image], faces: list[Detail]) -> Sequence[Image | Detail]:
    """What the measure is on: photographs, or faces in them."""
    return faces if one.on == "face" else images


@each_measure
def test_it_says_what_it_is_and_whom_to_cite(one):
    assert len(one.source) > 10
    assert one.summary.endswith(".")
    for card in made(one).models:
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
def test_values_have_the_declared_types(one, things):
    measure = made(one)
    measured = table(measure, things)
    assert measured.schema == measure.schema
    assert measured["error"].null_count == len(things)
    for name, declared in measure.columns.items():
        assert measured[name].null_count < len(things), f"{name} is null for every one"
        if isinstance(declared, Vector):
            assert {len(vector) for vector in measured[name].to_pylist()} == {declared.length}


@each_measure
def test_the_same_in_any_batching(one, things):
    measure = made(one)
    whole = table(measure, things)
    assert_same(
        pa.concat_tables([table(measure, [thing]) for thing in things]),
        whole.drop("id").add_column(0, "id", [["0"] * len(things)]),
    )
    backwards = table(measure, things[::-1]).take(list(range(len(things)))[::-1])
    assert_same(backwards.drop("id"), whole.drop("id"))


@each_measure
def test_a_list_that_changes_is_measured_anew(one, things):
    measure, batch = made(one), [things[0]]
    first = table(measure, batch)
    batch[0] = things[1]
    assert_same(table(measure, batch), table(measure, [things[1]]))
    assert table(measure, batch) != first


@each_measure
def test_nothing_gives_no_rows(one):
    assert table(made(one), []).num_rows == 0


@each_measure
def test_the_same_after_pickle_and_json(one, things):
    measure = made(one)
    whole = table(measure, things)
    for again in (pickle.loads(pickle.dumps(measure)), Measure.from_json(measure.to_json())):
        assert again == measure
        assert_same(table(again, things), whole)
    assert pickle.loads(pickle.dumps(one)) is one


@each_measure
def test_the_same_from_several_threads_at_once(one, things):
    measure = made(one)
    whole = table(measure, things)
    with ThreadPoolExecutor(4) as pool:
        for again in pool.map(lambda _: table(measure, list(things)), range(8)):
            assert_same(again, whole)


@each_of_pictures
def test_the_same_from_a_path_and_from_the_decoded_picture(one):
    measure = made(one)
    data = [photo.read_bytes() for photo in PHOTOS]
    decoded = [decode_at(one, [measure.size, 64])[measure.size] for one in data]
    assert_same(table(measure, [str(photo) for photo in PHOTOS]), table(measure, decoded))


@each_of_faces
def test_the_same_in_a_file_and_in_the_decoded_picture(one, faces):
    assert_same(table(made(one), in_them(PORTRAITS, faces)), table(made(one), faces))


@each_of_faces
def test_only_parts_of_pictures_are_faces(one, faces):
    for wrong in (PORTRAITS[0], Image.of(PORTRAITS[0]), np.zeros((9, 9, 3), np.uint8), None):
        with pytest.raises(InputError, match=f"{one.name} measures faces: give visanda.media.Detail, not "):
            made(one)([faces[0], wrong])
    with pytest.raises(InputError, match="put a single one in"):
        made(one)(faces[0])


@each_measure
def test_pixels_are_not_modified(one, things):
    wholes = [thing.whole if isinstance(thing, Detail) else thing for thing in things]
    pixels = [whole.pixels.copy() for whole in wholes]
    before = [one.copy() for one in pixels]
    copies = [Image(array, array.shape[1], array.shape[0]) for array in pixels]
    table(made(one), in_them(copies, things) if one.on == "face" else copies)
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
def test_exif_orientation_is_respected(one, faces, tmp_path):
    if one.on == "face":
        upright = Pillow.open(PORTRAITS[0])
    else:
        upright = Pillow.open(PHOTOS[0]).convert("RGB").resize((240, 160))  # small enough for every measure's size
    upright.save(tmp_path / "upright.png")
    for orientation in (3, 6, 8):
        (tmp_path / f"{orientation}.png").write_bytes(stored_turned(upright, orientation))
    files = [tmp_path / f"{name}.png" for name in ("upright", 3, 6, 8)]
    measured = table(made(one), in_them(files, faces[:1] * 4) if one.on == "face" else files).drop("id")
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


def strange_faces(faces: list[Detail]) -> list[Detail]:
    """Faces at odd places of odd pictures, and where no landmarks are known."""
    odd = [Detail(picture, (0, 0, 1, 1), [0.5, 0.5, 0, 0, 1, 1, 0, 1, 1, 0]) for picture in strange_pictures()]
    x, y, width, height = faces[0].box
    beyond = Detail(faces[0].source, (x + 300, y + 300, width, height), [one + 300 for one in faces[0].points])
    large = Detail(faces[0].source, (0, 0, 5000, 5000), [50 * one for one in faces[0].points])
    return [*odd, beyond, large]


@each_measure
def test_strange_ones_give_finite_values_or_null(one, faces):
    measure = made(one)
    measured = table(measure, strange_faces(faces) if one.on == "face" else strange_pictures())
    for name, declared in measure.columns.items():
        if declared in (float, list[float]) or isinstance(declared, Vector):
            values = measured[name].to_pylist()
            flat = [v for value in values for v in (value if isinstance(value, list) else [value])]
            assert all(v is None or math.isfinite(v) for v in flat), name


def add_pictures(folder: Path) -> vi.Corpus:
    """A corpus of a portrait, a group, a truncated JPEG, text named .jpg and an empty file."""
    corpus = vi.Corpus.init(folder)
    corpus.add(folder.parent / "photos")
    return corpus


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> vi.Corpus:
    """All measures at once: of pictures on pictures, of faces on the faces that were found in them."""
    folder = tmp_path_factory.mktemp("pictures")
    photos = folder / "photos"
    photos.mkdir()
    whole = PORTRAITS[0].read_bytes()
    (photos / "whole.jpg").write_bytes(whole)
    (photos / "group.webp").write_bytes(PORTRAITS[2].read_bytes())
    (photos / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (photos / "text.jpg").write_text("no picture")
    (photos / "empty.png").write_bytes(b"")
    corpus = add_pictures(folder / "study")
    corpus.measure("faces", *(made(one) for one in OF_PICTURES))
    corpus.measure(*(made(one) for one in OF_FACES), on="face")
    return corpus


@each_of_pictures
def test_a_damaged_picture_is_a_row_that_says_why(one, corpus):
    frame = corpus.query(f'SELECT * FROM "{one.name}"').to_pandas()
    assert len(frame) == 5
    good = frame["id"].str.endswith(("whole.jpg", "group.webp"))
    assert frame.loc[good, "error"].isna().all() and good.sum() == 2
    assert frame.loc[~good, "error"].str.len().gt(10).all()
    assert frame.loc[~good, list(made(one).columns)].isna().all(axis=None)


@each_of_faces
def test_a_corpus_gives_each_face_what_a_list_gives_it(one, corpus):
    found = corpus.query("SELECT * FROM faces ORDER BY id").to_pylist()
    assert len(found) >= 7
    details = [
        Detail(corpus.folder.parent / row["parent"], tuple(row[name] for name in ("x", "y", "width", "height")),
               row["landmarks"])
        for row in found
    ]  # fmt: skip
    measured = corpus.parts(one.name).read().sort_by("id")
    assert measured["id"].to_pylist() == [row["id"] for row in found]
    assert_same(measured.drop("id"), table(made(one), details).drop("id"))


@each_of_faces
def test_a_face_in_a_picture_that_is_lost_is_a_row_that_says_why(one, corpus, tmp_path):
    shutil.copytree(corpus.folder.parent, tmp_path / "moved")
    lost = vi.Corpus(tmp_path / "moved" / "study")
    where = lost.query("SELECT path FROM media WHERE id = 'photos/whole.jpg'")["path"][0].as_py()
    path = lost.resolve(where)
    hidden = path.with_suffix(".hidden")
    path.rename(hidden)
    try:
        lost.measure(made(one), name="again", on="face")
    finally:
        hidden.rename(path)
    frame = lost.query("SELECT * FROM again").to_pandas()
    gone = frame["id"].str.startswith("photos/whole.jpg")
    assert gone.sum() == 1 and len(frame) >= 7
    assert frame.loc[gone, "error"].str.len().gt(10).all() and frame.loc[~gone, "error"].isna().all()
    assert frame.loc[gone, list(made(one).columns)].isna().all(axis=None)


@each_measure
def test_its_table_says_how_to_measure_again(one, corpus):
    text = (corpus.folder / "tables" / one.name / "measure.json").read_text("utf-8")
    assert Measure.from_json(text) == made(one)


@each_measure
def test_a_result_does_not_depend_on_what_runs_beside_it(one, corpus, tmp_path):
    shutil.copytree(corpus.folder.parent / "photos", tmp_path / "photos")
    alone = add_pictures(tmp_path / "alone")
    if one.on == "face":
        alone.measure("faces")
    alone.measure(made(one), on=one.on, workers=1)
    query = f'SELECT * FROM "{one.name}" ORDER BY id'
    assert_same(alone.query(query), corpus.query(query))
