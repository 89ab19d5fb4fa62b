"""What unequal errors do to an estimate."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from visanda.errors import DesignError, InputError
from visanda.study.bias.consequence import consequence


def newspapers(seed: int, missed: float, n: int = 1500) -> tuple[pd.DataFrame, float]:
    """Women in two newspapers, of whom the machine misses some in one; and the true difference."""
    random = np.random.default_rng(seed)
    taz = random.random(n) < 0.4
    truth = random.random(n) < np.where(taz, 0.5, 0.4)
    said = np.where(taz & truth & (random.random(n) < missed), False, truth ^ (random.random(n) < 0.05))
    pi = np.where(taz, 0.4, 0.2)
    coded = random.random(n) < pi
    data = pd.DataFrame({"woman": np.where(coded, truth, np.nan), "said": said * 1.0, "pi": pi})
    return data.assign(outlet=np.where(taz, "taz", "FAZ")), float(truth[taz].mean() - truth[~taz].mean())


def test_a_difference_that_the_machine_makes_smaller_than_it_is():
    data, truth = newspapers(1, missed=0.3, n=6000)
    found = consequence(data, "woman", "outlet", prediction="said", sample_prob="pi")
    row = found.table[found.table["what"] == "difference"].iloc[0]
    assert (row["group"], row["against"]) == ("taz", "FAZ")
    means = data.groupby("outlet")["said"].mean()
    assert row["naive"] == pytest.approx(means["taz"] - means["FAZ"])
    coded = data.dropna(subset=["woman"]).groupby("outlet")["woman"].mean()
    assert row["gold"] == pytest.approx(coded["taz"] - coded["FAZ"])
    assert abs(row["corrected"] - truth) < 0.05 < abs(row["naive"] - truth)
    assert row["moved"] == pytest.approx(row["naive"] - row["corrected"])
    assert row["moved_high"] < 0
    assert "in the share of woman between taz and FAZ" in found.words[0]
    assert "may be chance" not in found.words[0]
    assert found.figure_png(50)


def test_shares_are_those_of_the_difference_and_words_fit_the_numbers():
    data, _ = newspapers(2, missed=0.0)
    found = consequence(data, "woman", "outlet", prediction="said", sample_prob="pi")
    shares = found.table[found.table["what"] == "share"].set_index("group")
    row = found.table[found.table["what"] == "difference"].iloc[0]
    for method in ("naive", "gold", "corrected"):
        assert shares.loc["taz", method] - shares.loc["FAZ", method] == pytest.approx(row[method])
    size = "larger" if abs(row["naive"]) > abs(row["corrected"]) else "smaller"
    points = abs(abs(row["naive"]) - abs(row["corrected"])) * 100
    assert f"{points:.1f} percentage points {size} than it is" in found.words[0]
    assert "That the machine moves it may be chance" in found.words[0]


def test_corrected_intervals_and_those_of_the_move_hold_the_truth():
    covered = moved = naive = 0
    for seed in range(36):
        data, truth = newspapers(seed, missed=0.25, n=900)
        row = consequence(data, "woman", "outlet", prediction="said", sample_prob="pi", splits=1).table.iloc[-1]
        covered += row["corrected_low"] <= 0.1 <= row["corrected_high"]
        naive += row["naive_low"] <= 0.1 <= row["naive_high"]
        moved += row["moved_low"] <= row["naive"] - truth <= row["moved_high"]
    assert covered >= 30 and moved >= 30  # of 36; with 95 % coverage, fewer in 2 of 1,000 tries
    assert naive < 18


def test_abstentions_are_left_out_of_naive_shares_only():
    data, _ = newspapers(3, missed=0.1)
    data["label"] = data["said"].where(np.arange(len(data)) % 10 > 0)
    found = consequence(data, "woman", "outlet", prediction="said", label="label", sample_prob="pi").table
    means = data.groupby("outlet")["label"].mean()
    assert found.iloc[-1]["naive"] == pytest.approx(means["taz"] - means["FAZ"])
    assert found.iloc[-1]["rows"] == (data["outlet"] == "taz").sum()


def test_faces_of_few_videos_are_warned_of():
    data, _ = newspapers(6, missed=0.1)
    data["video"] = np.arange(len(data)) % 12
    found = consequence(data, "woman", "outlet", prediction="said", sample_prob="pi", cluster="video", splits=1)
    assert any("only 12 clusters" in text for text in found.warnings)


def test_a_machine_without_an_error_moves_nothing():
    data, _ = newspapers(4, missed=0)
    data["said"] = data["woman"].fillna(0.0)
    found = consequence(data, "woman", "outlet", prediction="said", sample_prob="pi")
    assert any("errs in no coded row" in text for text in found.warnings)


def test_what_has_no_consequence_that_could_be_said():
    data, _ = newspapers(5, missed=0.1)
    with pytest.raises(DesignError, match="10 coded rows"):
        consequence(data.assign(outlet="taz"), "woman", "outlet", prediction="said")
    with pytest.raises(DesignError, match="0 and 1"):
        consequence(data.assign(woman=data["woman"] * 2), "woman", "outlet", prediction="said")
    with pytest.raises(InputError, match="said"):
        consequence(data, "woman", "outlet", prediction="sed")
    found = consequence(data, "woman", "outlet", prediction="said")
    assert any("simple random sample" in text for text in found.warnings)


# --- collection ------------------------------------------------------------------------------------------------------
