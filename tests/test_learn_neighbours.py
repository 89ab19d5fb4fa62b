"""Neighbours: the coded pictures that a prediction rests on."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from visanda.learn.neighbours import nearest, representers

IDS = [f"i{number}" for number in range(60)]


def test_the_nearest_come_first_and_copies_do_not_count():
    vectors = np.array([[1.0, 0], [0.9, 0.1], [0, 1], [-1, 0], [2, 0]])
    found = nearest(["a", "b", "c", "d", "e"], vectors, np.array([1.0, 0]), 3, {"a"})
    assert found["id"].tolist() == ["e", "b", "c"]
    assert found["similarity"].tolist() == pytest.approx([1, 0.9 / np.hypot(0.9, 0.1), 0])
    assert len(nearest(["a"], vectors[:1], vectors[0], 5, {"a"})) == 0


def test_the_evidence_of_a_ridge_head_is_the_sum_of_its_representers():
    """Yeh et al. (2018): at the optimum, w = C Σ (y − p) x, so that w · x is a sum over what was learnt."""
    random = np.random.default_rng(1)
    vectors = random.normal(size=(60, 5))
    truth = (vectors[:, 0] + random.normal(size=60) > 0).astype(int)
    strength = 3.0
    head = LogisticRegression(C=strength, tol=1e-12, max_iter=10_000).fit(vectors, truth)
    scores = head.predict_proba(vectors)
    of = random.normal(size=5)
    found = representers(IDS, vectors, np.eye(2)[truth], scores, of, 1, 60)
    assert found["weight"].abs().is_monotonic_decreasing
    assert found["weight"].abs().sum() == pytest.approx(1)
    total = np.abs((truth - scores[:, 1]) * (vectors @ of)).sum()
    assert strength * total * found["weight"].sum() == pytest.approx(float(head.coef_[0] @ of), abs=1e-4)


def test_pictures_of_the_value_speak_for_it_where_they_look_alike():
    vectors = np.array([[1.0, 0], [0.9, 0.2], [0.1, 1], [0.95, 0.1]])
    truth = np.array([[1, 0], [1, 0], [0, 1], [0, 1]])
    found = representers(list("abcd"), vectors, truth, np.full((4, 2), 0.5), np.array([1.0, 0]), 0, 4).set_index("id")
    assert (found["weight"] > 0).to_dict() == {"a": True, "b": True, "c": False, "d": False}
    assert found.index[-1] == "c", "what looks quite different weighs least"
