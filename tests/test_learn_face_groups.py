"""group: faces of one person together, whatever their order and number."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import cdist
from sklearn.metrics import adjusted_rand_score

from visanda.errors import InputError
from visanda.learn import face_groups
from visanda.learn.face_groups import group


def crowd(sizes, seed=1, within=0.35, apart=1.0):
    random = np.random.default_rng(seed)
    who = random.permutation(np.repeat(np.arange(len(sizes)), sizes))
    centres = random.normal(size=(len(sizes), 40)) * apart / np.sqrt(80)
    spread = within * np.exp(random.normal(size=(len(who), 1)) * 0.2) / np.sqrt(80)
    return (centres[who] + random.normal(size=(len(who), 40)) * spread).astype(np.float32), who


def same_groups(a, b):
    return len(np.unique(a)) == len(np.unique(b)) == len(np.unique(np.stack([a, b]), axis=1).T)


def test_people_are_found_the_most_frequent_first():
    sizes = [40, 20, 8, 3, 2, 1, 1, 1]
    faces, who = crowd(sizes)
    found = group(faces)
    assert same_groups(found, who)
    assert np.bincount(found)[1:].tolist() == sizes
    alone = [found[who == person][0] for person in (5, 6, 7)]
    first = [np.flatnonzero(who == person)[0] for person in (5, 6, 7)]
    assert np.argsort(alone).tolist() == np.argsort(first).tolist()  # equally frequent: by first appearance


@pytest.mark.parametrize("threshold", [0.3, 0.4, 0.5, 0.7])
def test_groups_are_those_of_average_linkage(threshold):
    faces, _ = crowd([60, 30, 10, 5, 5, *[1] * 30], within=0.45, apart=0.75)
    expected = fcluster(linkage(faces.astype(float), "average", "sqeuclidean"), threshold**2, "distance")
    assert same_groups(group(faces, threshold), expected)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.floats(0.2, 0.9))
def test_no_two_groups_are_within_the_threshold(seed, threshold):
    faces, _ = crowd([9, 5, 3, 1, 1, 1], seed, within=0.5, apart=0.8)
    found = group(faces, threshold)
    assert found.min() == 1 and (np.diff(np.bincount(found)[1:]) <= 0).all()
    squared = cdist(faces, faces, "sqeuclidean")
    for a in range(1, found.max() + 1):
        for b in range(1, a):
            assert squared[np.ix_(found == a, found == b)].mean() > threshold**2 * (1 - 1e-5)


@settings(max_examples=30)
@given(st.permutations(range(30)), st.integers(0, 100))
def test_the_order_of_faces_only_renames(order, seed):
    faces, _ = crowd([12, 8, 5, 2, 1, 1, 1], seed, within=0.5, apart=0.8)
    faces[3] = faces[7]
    assert same_groups(group(faces)[list(order)], group(faces[list(order)]))


def test_a_chain_of_faces_does_not_join_two_people():
    chain = np.linspace(0, 2, 11)[:, None]
    people = np.concatenate([np.zeros((30, 1)), np.full((30, 1), 2.0), chain])
    found = group(people)
    assert found[0] != found[30]


def test_equal_pictures_count_each():
    faces = np.array([[0.0], [0.0], [0.0], [0.6]])
    assert group(faces).tolist() == [1, 1, 1, 2]
    # the mean squared distance of 1.0 to (0, 0, 0, 0.6) is (3 × 1 + 0.16) / 4 = 0.79; 0.36 from 0.6 to the three
    assert group(np.append(faces, [[1.0]], axis=0), 0.61).tolist() == [1, 1, 1, 2, 2]


def test_a_face_without_an_embedding_is_of_no_group():
    assert group(np.array([[np.nan], [0.0], [0.1]])).tolist() == [0, 1, 1]


def test_few_and_no_faces():
    assert group(np.empty((0, 128))).tolist() == []
    assert group(np.zeros((1, 128))).tolist() == [1]
    assert group(np.full((2, 128), np.nan)).tolist() == [0, 0]


def test_bounded_blocks_change_nothing(monkeypatch):
    faces, who = crowd([50, 20, 5, *[1] * 40])
    whole, seen = group(faces), []
    monkeypatch.setattr(face_groups, "_MOST_DISTANCES", 500)
    assert same_groups(group(faces, progress=seen.append), whole)
    assert adjusted_rand_score(who, whole) > 0.99
    assert seen == sorted(seen) and seen[-1] == 1


@pytest.mark.parametrize(("faces", "threshold"), [(np.zeros(3), 0.5), (np.zeros((3, 2)), 0.0)])
def test_what_cannot_be_grouped_is_refused(faces, threshold):
    with pytest.raises(InputError):
        group(faces, threshold)
