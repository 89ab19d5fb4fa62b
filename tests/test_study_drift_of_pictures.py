"""drift_of_pictures: what was coded against the rest, where there is a difference and where there is none."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp

from visanda.errors import InputError
from visanda.study.drift.pictures import drift_of_pictures


def tables(shift=0.0, coded=200, rest=800, seed=0, **more):
    random = np.random.default_rng(seed)
    few = pd.DataFrame({"p": random.normal(shift, 1, coded), "even": random.normal(0, 1, coded)})
    many = pd.DataFrame({"p": random.normal(0, 1, rest), "even": random.normal(0, 1, rest)})
    mixing = random.normal(size=(40, 40)) / 6
    looks = (random.normal(size=(coded, 40)) + shift / 3) @ mixing, random.normal(size=(rest, 40)) @ mixing
    return few, many, looks


def test_a_shift_is_measured_and_said():
    few, many, looks = tables(shift=1.0)
    found = drift_of_pictures(few, many, vectors=looks)
    line = found.table.set_index("column").loc["p"]
    pooled = np.sqrt((few["p"].var(ddof=0) + many["p"].var(ddof=0)) / 2)
    assert line["difference"] == pytest.approx((few["p"].mean() - many["p"].mean()) / pooled)
    assert line["ks"] == pytest.approx(ks_2samp(few["p"], many["p"]).statistic)
    assert line["low"] < 1 < line["high"] and line["psi"] > 0.25
    assert found.extra["look"]["auc"].item() > 0.8 and found.extra["look"]["p"].item() < 0.001
    assert any("does not look like" in text for text in found.warnings)
    assert any("or more in: p." in text for text in found.warnings)
    assert len(found.figure_png()) > 5000


def test_without_a_shift_nothing_is_warned_of_and_p_errs_on_the_side_of_caution():
    p, warned, covered = [], 0, 0
    for seed in range(60):
        few, many, looks = tables(seed=seed, coded=100, rest=300)
        found = drift_of_pictures(few, many, vectors=looks, seed=seed)
        p.append(found.extra["look"]["p"].item())
        warned += len(found.warnings)
        covered += found.table["low"].lt(0).mul(found.table["high"].gt(0)).mean()
    assert np.mean(np.array(p) < 0.05) <= 0.08 and 0.2 < np.median(p) < 0.8
    assert warned <= 2 and 0.9 < covered / 60 < 0.99


def test_a_sample_that_was_drawn_unequally_on_purpose_is_no_drift():
    random = np.random.default_rng(1)
    everything = random.normal(0, 1, 20000)
    pi = np.where(everything > 1, 0.06, 0.01)
    drawn = random.random(20000) < pi
    few, many = pd.DataFrame({"p": everything[drawn]}), pd.DataFrame({"p": everything[~drawn]})
    plain = drift_of_pictures(few, many).table.iloc[0]
    weighted = drift_of_pictures(few, many, weights=1 / pi[drawn]).table.iloc[0]
    assert plain["low"] > 0.3 and weighted["low"] < 0 < weighted["high"]
    assert weighted["ks"] < 0.1 < plain["ks"] and weighted["psi"] < 0.1
    looks = (everything[drawn, None], everything[~drawn, None])
    areas = [
        drift_of_pictures(few, many, vectors=looks, weights=w).extra["look"]["auc"].item()
        for w in (None, 1 / pi[drawn])
    ]
    assert areas[0] > 0.6 and areas[1] == pytest.approx(0.5, abs=0.06)


def test_the_rest_that_is_least_like_coded_pictures_is_named():
    random = np.random.default_rng(2)
    few, many = random.normal(size=(150, 10)), random.normal(size=(600, 10))
    strange = random.choice(600, 60, replace=False)
    many[strange, :3] += 4
    empty = [pd.DataFrame(index=range(len(part))) for part in (few, many)]
    found = drift_of_pictures(*empty, vectors=(few, many)).extra["unlike"]
    assert np.isin(found["row"].head(30), strange).mean() > 0.95


def test_gaps_and_few_pictures_are_no_error():
    few, many, looks = tables(coded=10)
    looks[0][3] = np.nan
    few.loc[2, "p"] = np.nan
    found = drift_of_pictures(few, many.assign(even=np.nan), vectors=looks)
    assert "look" not in found.extra and any("Only 10 pictures" in text for text in found.warnings)
    assert found.table.set_index("column").loc["even"].isna().all()
    constant = drift_of_pictures(few.assign(p=1.0), many.assign(p=1.0)).table.set_index("column")
    assert constant.loc["p", "difference"] == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rest": pd.DataFrame({"q": [1.0]})}, "the rest's column 'p'"),
        ({"weights": np.zeros(200)}, "weights: give one above 0"),
        ({"vectors": (np.ones((3, 2)), np.ones((800, 2)))}, "vectors: give one for each"),
        ({"vectors": (np.ones((200, 2)), np.ones((800, 3)))}, "use one model's"),
        ({"coded": pd.DataFrame({"p": ["a"] * 200})}, "holds text"),
    ],
)
def test_input_that_does_not_fit(change, message):
    few, many, _ = tables()
    with pytest.raises(InputError, match=message):
        drift_of_pictures(**{"coded": few[["p"]], "rest": many, **change})
