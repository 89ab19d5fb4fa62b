"""What faces are perceived as: age, gender, expression, with abstention, on portraits in the public domain."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import visanda as vi
from visanda.errors import InputError, MediaError
from visanda.measures.age import age
from visanda.measures.expression import expression
from visanda.measures.gender import gender
from visanda.media import Detail, Image
from visanda.models.face_nets import EXPRESSIONS
from visanda.models.facemesh import ANCHORS, mesh
from visanda.models.yunet import detect

SAMPLE = Path(vi.__file__).parent / "sample" / "faces"


def face_in(pixels: np.ndarray) -> Detail:
    """The surest face of a picture, with its landmarks."""
    found = detect(pixels)
    points, _ = mesh(pixels, found.boxes[0], found.points[0])
    x, y, width, height = (round(float(number)) for number in found.boxes[0])
    return Detail(Image.of(pixels), (x, y, width, height), points[list(ANCHORS), :2].ravel().tolist())


@pytest.fixture(scope="module")
def astronaut() -> Detail:
    """A woman of 40 who smiles, in a photograph of NASA."""
    return face_in(Image.of(SAMPLE / "astronaut.jpg").pixels)


@pytest.fixture(scope="module")
def admiral() -> Detail:
    """A woman of 77 who does not smile, in a photograph of the US Navy."""
    return face_in(Image.of(SAMPLE / "admiral.jpg").pixels)


def mirrored(face: Detail) -> Detail:
    """The same face in the mirror: the corners of the eyes change places."""
    x, y, width, height = face.box
    whole = face.whole
    points = np.reshape(face.points, (5, 2))[[2, 3, 0, 1, 4]] * [-1, 1] + [whole.width, 0]
    pixels = np.ascontiguousarray(whole.pixels[:, ::-1])
    return Detail(Image.of(pixels), (whole.width - x - width, y, width, height), points.ravel().tolist())


# --- age -------------------------------------------------------------------------------------------------------------


def test_the_older_looks_older(astronaut, admiral):
    younger, older = age()([astronaut, admiral])["perceived_age"]
    assert 25 < younger < 55
    assert older > younger + 10


def test_age_is_the_mean_of_its_probabilities(astronaut, admiral):
    made = age()([astronaut, admiral])
    years = np.arange(81.0)
    for mean, spread, shares in zip(
        made["perceived_age"], made["perceived_age_sd"], made["perceived_ages"], strict=True
    ):
        assert shares.sum() == pytest.approx(1, abs=1e-5)
        assert mean == pytest.approx(shares @ years, abs=0.25)
        assert spread == pytest.approx(np.sqrt(shares @ (years - mean) ** 2), abs=0.1)


@pytest.mark.parametrize(
    ("breaks", "names"),
    [
        (["18", "40", "60"], ["0-17", "18-39", "40-59", "60+"]),
        (["30"], ["0-29", "30+"]),
        ("16,65", ["0-15", "16-64", "65+"]),
    ],
)
def test_groups_are_named_by_their_first_and_last_year(astronaut, admiral, breaks, names):
    made = age(breaks=breaks)([astronaut, admiral])
    for mean, group in zip(made["perceived_age"], made["perceived_age_group"], strict=True):
        first, _, last = group.rstrip("+").partition("-")
        assert group in names
        assert int(first) <= mean < (int(last) + 1 if last else 200)


@pytest.mark.parametrize("breaks", [["0"], [81], [40, 18], ["18", "18"], ["young"], ["17.5"], []])
def test_breaks_that_make_no_groups_are_refused_before_any_work(breaks):
    with pytest.raises(InputError, match="breaks"):
        age(breaks=breaks)


# --- gender ----------------------------------------------------------------------------------------------------------


def test_a_woman_and_a_man(astronaut):
    man = face_in(Image.of(SAMPLE.parent / "photos" / "expl_music__mexico.webp").pixels)
    made = gender()([astronaut, man])
    assert made["perceived_gender"] == ["woman", "man"]
    assert made["perceived_female"][0] > 0.65 > 0.35 > made["perceived_female"][1]


@pytest.mark.parametrize("measure", [gender, expression])
def test_abstention_grows_with_the_band(measure, astronaut, admiral):
    word = {"gender": "perceived_gender", "expression": "perceived_happy"}[measure.name]
    faces = [astronaut, admiral]
    assert None not in measure(band=0)(faces)[word]
    assert measure(band=0.5)(faces)[word] == [None, None]
    with pytest.raises(InputError, match="band"):
        measure(band=0.6)


# --- expression ------------------------------------------------------------------------------------------------------


def test_a_smile_is_seen_and_its_absence(astronaut):
    made = expression()([astronaut])
    assert made["perceived_happy"] == [True]
    assert made["expression_happy"][0] > 0.9


def test_expressions_add_up_to_one(astronaut, admiral):
    made = expression()([astronaut, admiral])
    total = np.sum([made[f"expression_{name}"] for name in EXPRESSIONS], axis=0)
    assert total == pytest.approx([1, 1], abs=1e-5)


def test_an_expression_needs_no_landmarks(astronaut):
    assert expression()([Detail(astronaut.whole, astronaut.box)]) == expression()([astronaut])


# --- all three -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("measure", [age, gender, expression])
def test_a_face_in_the_mirror_is_perceived_alike(measure, astronaut, admiral):
    there = measure()([astronaut, admiral])
    mirror = measure()([mirrored(astronaut), mirrored(admiral)])
    near = {"age": 2.0, "gender": 0.1, "expression": 0.05}[measure.name]  # what is left is pixels averaged otherwise
    for name in [name for name, kind in measure().columns.items() if kind is float]:
        assert mirror[name] == pytest.approx(there[name], abs=near), name


@pytest.mark.parametrize("measure", [age, gender, expression])
def test_a_faces_numbers_do_not_depend_on_its_neighbours(measure, astronaut, admiral):
    together = measure()([astronaut, admiral, astronaut])
    for place, face in enumerate((astronaut, admiral, astronaut)):
        for name, values in measure()([face]).items():
            assert np.array_equal(values[0], together[name][place]), name


@pytest.mark.parametrize("measure", [age, gender])
def test_a_face_without_landmarks_says_so(measure, astronaut):
    with pytest.raises(MediaError, match="landmarks"):
        measure()([Detail(astronaut.whole, astronaut.box)])


@pytest.mark.parametrize("measure", [age, gender, expression])
def test_it_says_that_it_is_perceived_and_weak(measure):
    text = " ".join(measure.__doc__.split())
    for said in ("perceived attribute", "out of sample", "ffer by group", "Buolamwini & Gebru", "Jürgens et al."):
        assert said in text, said
