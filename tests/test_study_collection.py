"""Who is in a collection, as counted by hand; associations of embeddings, as published."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from visanda.errors import DesignError, InputError
from visanda.study.bias.association import association
from visanda.study.bias.collection import collection


def people() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "perceived_gender": ["woman"] * 30 + ["man"] * 50 + [None] * 20,
            "broken": [False] * 90 + [True] * 10,
            "outlet": ["taz", "FAZ"] * 50,
        }
    )


def test_who_is_in_a_collection_as_counted_by_hand():
    found = collection(people(), "perceived_gender", source="outlet", failed="broken")
    whole = found.table[found.table["source"] == "all"].set_index("value")
    assert whole["n"].to_dict() == {"man": 50, "woman": 30, "(no value)": 10, "(failed)": 10}
    assert whole.loc["woman", ["share", "share_known"]].tolist() == pytest.approx([0.3, 0.375])
    assert whole.loc["woman", ["low", "high"]].tolist() == pytest.approx(proportion_confint(30, 100, method="wilson"))
    taz = found.table[found.table["source"] == "taz"]
    assert taz["n"].sum() == 50
    assert any("no value for 20% of all" in text for text in found.warnings)
    assert found.figure_png(50)


def test_pictures_without_a_face_and_those_that_could_not_be_looked_at():
    pictures = pd.DataFrame({"n_faces": [0, 0, 1, 3, np.nan], "outlet": ["taz"] * 5})
    found = collection(people(), ["perceived_gender"], pictures=pictures).table
    row = found[found["column"] == "picture"].iloc[0]
    assert (row["n"], row["of"], row["share"]) == (2, 4, 0.5)


def test_faces_that_go_together_make_intervals_wider():
    pairs = pd.concat([people(), people()], ignore_index=True).assign(picture=np.tile(np.arange(100), 2))
    naive, honest = (
        collection(pairs, "perceived_gender", cluster=cluster).table.set_index("value").loc["woman"]
        for cluster in (None, "picture")
    )
    assert naive["share"] == honest["share"] == 0.3
    assert honest["high"] - honest["low"] == pytest.approx(np.sqrt(2) * (naive["high"] - naive["low"]), rel=0.02)


def test_weights_of_a_collection_and_what_it_refuses():
    weighted = collection(people().assign(w=[4.0] * 30 + [1.0] * 70), "perceived_gender", weights="w").table
    assert weighted.set_index("value").loc["woman", "share"] == pytest.approx(120 / 190)
    with pytest.raises(InputError, match="did you mean"):
        collection(people(), "perceived_gendr")
    with pytest.raises(InputError, match="no rows"):
        collection(people().iloc[:0], "perceived_gender")
    with pytest.raises(InputError, match="above 0"):
        collection(people().assign(w=0.0), "perceived_gender", weights="w")


# --- association -----------------------------------------------------------------------------------------------------


def published(x, y, a, b) -> tuple[float, float]:
    """d and exact one-sided p, word by word as Caliskan, Bryson & Narayanan (2017) define them."""

    def cosine(u, v):
        return u @ v / np.sqrt((u @ u) * (v @ v))

    def s(w):
        return np.mean([cosine(w, one) for one in a]) - np.mean([cosine(w, one) for one in b])

    every = [s(w) for w in [*x, *y]]
    n = len(x)
    d = (np.mean(every[:n]) - np.mean(every[n:])) / np.std(every, ddof=1)
    seen = sum(every[:n]) - sum(every[n:])
    orders = list(permutations(range(len(every))))
    far = [sum(every[k] for k in o[:n]) - sum(every[k] for k in o[n:]) >= seen - 1e-12 for o in orders]
    return float(d), float(np.mean(far))


def test_association_is_the_published_one():
    random = np.random.default_rng(6)
    x, y, a, b = (random.normal(size=(k, 8)) + shift for k, shift in ((3, 0.3), (4, 0), (5, 0.4), (6, 0)))
    d, p = published(x, y, a, b)
    found = association(x, y, a, b).table.iloc[0]
    assert bool(found["exact"]) and found["divisions"] == 35
    assert (found["d"], found["p"]) == pytest.approx((d, p))
    turned = association(y, x, a, b).table.iloc[0]
    assert turned["d"] == pytest.approx(-d)
    assert turned["p_two_sided"] == pytest.approx(found["p_two_sided"])


def test_many_pictures_are_divided_at_random():
    random = np.random.default_rng(7)
    a, b = np.eye(16)[:8], np.eye(16)[8:]
    towards = random.normal(size=(30, 16)) + np.r_[np.ones(8), np.zeros(8)] * 0.6
    away = random.normal(size=(30, 16))
    found = association(towards, away, a, b, names=("old", "young", "work", "home"), permutations=2000)
    assert found.table.loc[0, "p"] < 0.01 and not found.table.loc[0, "exact"]
    assert "pictures of old are nearer to work than to home" in found.words[0]
    same = association(towards, away, a, b, permutations=2000)
    assert same.table.loc[0, "p"] == found.table.loc[0, "p"]
    assert found.figure_png(50)


def test_without_an_association_p_is_below_five_in_a_hundred_as_often_as_it_should():
    random = np.random.default_rng(9)
    a, b = random.normal(size=(6, 10)), random.normal(size=(6, 10))
    small = sum(
        association(random.normal(size=(5, 10)), random.normal(size=(5, 10)), a, b).table.loc[0, "p"] <= 0.05
        for _ in range(200)
    )
    assert 2 <= small <= 19


def test_embeddings_that_make_no_association():
    good = np.random.default_rng(1).normal(size=(4, 5))
    with pytest.raises(InputError, match="shapes"):
        association(good, good, good, good[:, :4])
    with pytest.raises(InputError, match="length 0"):
        association(good, good * 0, good, good)
    with pytest.raises(InputError, match="missing"):
        association(good, good, good, np.full((2, 5), np.nan))
    with pytest.raises(InputError, match="different names"):
        association(good, good, good, good, names=("X", "X", "A", "B"))
    with pytest.raises(DesignError, match="at least 2"):
        association(good[:1], good, good, good)
    with pytest.raises(DesignError, match="alike"):
        association(good, good, good, good)
