"""identify and doubts: names from a gallery, and a gallery that is looked at before it is used."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visanda.errors import InputError
from visanda.learn import gallery as room
from visanda.learn.gallery import doubts, identify, leave_one_out


def people(count, pictures, *, seed=1, within=0.3, apart=1.2):
    """Embeddings (count × pictures, 16) with a distance of about ``within`` of one person, ``apart`` of different."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(count, 16)) * apart / np.sqrt(32)
    faces = np.repeat(centres, pictures, axis=0)
    return faces + random.normal(size=faces.shape) * within / np.sqrt(32), [
        f"person {number}" for number in np.repeat(np.arange(count), pictures)
    ]


def test_known_people_get_their_name_and_strangers_none():
    faces, names = people(12, 6)
    known = np.array([name < "person 6" and len(name) == 8 for name in names])
    first = np.arange(len(names)) % 6 < 3
    gallery = known & first
    found = identify(faces, faces[gallery], [name for name, there in zip(names, gallery, strict=True) if there])
    expected = np.where(known, names, "unknown")
    assert found.person.tolist() == expected.tolist()
    assert found.distance[gallery].max() < 0.5 < found.distance[~known].min()


def test_the_distance_is_the_mean_to_the_three_nearest_pictures():
    gallery = np.array([[1.0], [2.0], [3.0], [50.0], [10.0]])
    found = identify(np.array([[0.0]]), gallery, ["Ada", "Ada", "Ada", "Ada", "Bob"], threshold=2.0)
    assert found.person.tolist() == ["Ada"]
    assert found.distance.tolist() == [2.0]
    assert found.picture.tolist() == [0]
    assert found.second.tolist() == ["Bob"]
    assert found.second_distance.tolist() == [10.0]
    assert found.margin.tolist() == [8.0]
    assert identify(np.array([[0.0]]), gallery, [*["Ada"] * 4, "Bob"], nearest=1, threshold=2.0).distance == [1.0]


def test_one_picture_with_a_wrong_name_does_not_decide():
    faces, names = people(2, 6)
    names[0] = "person 1"
    face = faces[:1] + 0.001
    assert identify(face, faces, names, nearest=1).person.tolist() == ["person 1"]
    assert identify(face, faces, names).person.tolist() == ["person 0"]


def test_a_margin_asks_the_second_to_be_farther():
    gallery, face = np.array([[0.0], [0.5]]), np.array([[0.2]])
    assert identify(face, gallery, ["Ada", "Bob"]).person.tolist() == ["Ada"]
    assert identify(face, gallery, ["Ada", "Bob"], margin=0.05).person.tolist() == ["Ada"]
    assert identify(face, gallery, ["Ada", "Bob"], margin=0.2).person.tolist() == ["unknown"]


def test_a_gallery_of_one_person_has_no_second():
    found = identify(np.array([[0.1]]), np.array([[0.0]]), ["Ada"], margin=0.3)
    assert (found.person[0], found.second[0], found.second_distance[0]) == ("Ada", None, np.inf)


def test_a_face_without_an_embedding_is_unknown_and_stops_nobody():
    found = identify(np.array([[np.nan, 0], [0, 0]]), np.array([[0.0, 0.1]]), ["Ada"])
    assert found.person.tolist() == ["unknown", "Ada"]
    assert found.nearest.tolist() == [None, "Ada"]
    assert np.isnan(found.distance[0]) and found.picture.tolist() == [-1, 0]


def test_no_faces_are_no_rows():
    assert len(identify(np.empty((0, 2)), np.array([[0.0, 0.1]]), ["Ada"]).person) == 0


def test_blocks_of_faces_change_nothing(monkeypatch):
    faces, names = people(7, 4)
    whole = identify(faces, faces, names), leave_one_out(faces, names)
    monkeypatch.setattr(room, "_MOST_DISTANCES", 3 * len(faces))
    for before, after in zip(whole, (identify(faces, faces, names), leave_one_out(faces, names)), strict=True):
        assert before.person.tolist() == after.person.tolist()
        np.testing.assert_array_equal(before.distance, after.distance)
        assert before.second.tolist() == after.second.tolist()


@given(st.integers(0, 10_000), st.floats(0.05, 1.5), st.floats(0, 0.5))
def test_names_follow_the_threshold_and_the_margin(seed, threshold, margin):
    gallery, names = people(5, 3, seed=seed, within=0.8)
    faces, _ = people(5, 3, seed=seed + 1, within=0.8)
    found = identify(faces, gallery, names, threshold, margin)
    named = found.person != "unknown"
    assert (named == ((found.distance <= threshold) & (found.margin >= margin))).all()
    assert (found.person[named] == found.nearest[named]).all()
    assert (found.margin >= 0).all()
    assert (found.nearest != found.second).all()
    assert [names[picture] for picture in found.picture] == found.nearest.tolist()
    stricter = identify(faces, gallery, names, threshold / 2, margin)
    assert not ((stricter.person != "unknown") & ~named).any()


@given(st.permutations(range(12)))
def test_the_order_of_the_gallery_has_no_influence(order):
    gallery, names = people(4, 3)
    faces, _ = people(4, 2, seed=2)
    there = identify(faces, gallery, names, threshold=2)
    again = identify(faces, gallery[list(order)], [names[place] for place in order], threshold=2)
    assert there.person.tolist() == again.person.tolist()
    np.testing.assert_allclose(there.distance, again.distance)


def test_a_good_gallery_has_no_doubts():
    found = doubts(*people(8, 4))
    assert len(found.pictures) == len(found.same) == len(found.split) == 0
    assert (found.right, found.wrong) == (1.0, 0.0)


def test_a_picture_with_a_wrong_name_is_doubtful():
    faces, names = people(5, 4)
    names[2] = "person 3"
    found = doubts(faces, names)
    assert found.pictures[["picture", "person", "other"]].to_numpy().tolist() == [[2, "person 3", "person 0"]]
    assert found.pictures["other_distance"].item() < 0.5 < found.pictures["distance"].item()
    assert found.split[["person", "pictures", "parts", "largest"]].to_numpy().tolist() == [["person 3", 5, 2, 4]]
    assert len(found.same) == 0
    assert (found.right, found.wrong) == (0.95, 0.05)


def test_one_person_under_two_names_is_said():
    faces, names = people(4, 4)
    names[2:4] = ["Ann", "Ann"]
    found = doubts(faces, names)
    assert found.same[["person", "other"]].to_numpy().tolist() == [["person 0", "Ann"]]
    assert found.same["distance"].item() < 0.5


def test_two_people_of_one_name_are_split():
    faces, names = people(4, 4)
    found = doubts(faces, ["John Smith" if name in ("person 0", "person 1") else name for name in names])
    assert found.split[["person", "pictures", "parts", "largest"]].to_numpy().tolist() == [["John Smith", 8, 2, 4]]
    assert found.split["gap"].item() > 0.5


def test_people_with_one_picture_cannot_be_left_out():
    found = doubts(np.array([[0.0], [5.0]]), ["Ada", "Bob"])
    assert np.isnan(found.right) and len(found.pictures) == 0
    twice = doubts(np.array([[0.0], [0.0]]), ["Ada", "Bob"])  # the same picture under two names
    assert twice.pictures["picture"].tolist() == [0, 1]
    assert twice.same[["person", "other", "distance"]].to_numpy().tolist() == [["Ada", "Bob", 0.0]]


@pytest.mark.parametrize(
    ("gallery", "names", "says"),
    [
        (np.empty((0, 2)), [], "empty"),
        (np.zeros((2, 2)), ["Ada"], "1 names"),
        (np.array([[0.0, np.nan]]), ["Ada"], "row 0"),
        (np.zeros((1, 2)), [" "], "no name"),
        (np.zeros((1, 2)), ["unknown"], "no name"),
        (np.zeros((1, 3)), ["Ada"], "as many"),
    ],
)
def test_a_gallery_that_cannot_be_used_says_why(gallery, names, says):
    with pytest.raises(InputError, match=says):
        identify(np.zeros((1, 2)), gallery, names)


@pytest.mark.parametrize("bad", [{"threshold": 0}, {"margin": -1}, {"nearest": 0}])
def test_numbers_out_of_range_are_refused(bad):
    with pytest.raises(InputError):
        identify(np.zeros((1, 2)), np.zeros((1, 2)), ["Ada"], **bad)
