"""Adjusted counts: Rogan and Gladen's formula, several classes, strata, coverage, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from visanda.errors import DesignError, InputError
from visanda.study.correct.counts import adjusted_shares
from visanda.study.correct.error_rates import ErrorRates, equal_error_rates


def rows_of(counts, uncoded):
    """A table with coded rows of ``counts`` [(true, said, rows)] and ``uncoded`` rows [(said, rows)]."""
    coded = [(true, said) for true, said, n in counts for _ in range(n)]
    rest = [(np.nan, said) for said, n in uncoded for _ in range(n)]
    return pd.DataFrame(coded + rest, columns=["true", "said"])


def drawn(seed, n=3000, coded=400, p=0.2, se=0.8, sp=0.9):
    random = np.random.default_rng(seed)
    true = random.random(n) < p
    said = np.where(true, random.random(n) < se, random.random(n) > sp).astype(float)
    return pd.DataFrame({"true": np.where(np.arange(n) < coded, true, np.nan), "said": said})


def line(found, name="1"):
    return found.table.set_index("class").loc[name]


COUNTS = [(1, 1, 80), (1, 0, 20), (0, 1, 15), (0, 0, 135)]  # sensitivity .8, specificity .9


class TestTwoClasses:
    def test_rogan_and_gladen(self):
        data = rows_of(COUNTS, [(1, 205), (0, 545)])  # q = .3 of 1000
        row = line(adjusted_shares(data, "true", "said"))
        assert row["naive"] == 0.3
        assert row["adjusted"] == pytest.approx((0.3 + 0.9 - 1) / 0.7)

    def test_the_standard_error_is_that_of_rogan_and_gladen_less_what_coded_rows_share_with_those_counted(self):
        data = rows_of(COUNTS, [(1, 205), (0, 545)])
        p, se, sp, n = 2 / 7, 0.8, 0.9, 1000
        theirs = 0.3 * 0.7 / n + p**2 * se * (1 - se) / 100 + (1 - p) ** 2 * sp * (1 - sp) / 150
        shared = 2 / n * (p * se * (1 - se) + (1 - p) * sp * (1 - sp))
        row = line(adjusted_shares(data, "true", "said"))
        assert row["se"] ** 2 == pytest.approx((theirs - shared) / 0.7**2)

    def test_with_all_rows_coded_it_is_the_share_by_hand(self):
        row = line(adjusted_shares(rows_of(COUNTS, []), "true", "said"))
        assert row["adjusted"] == pytest.approx(0.4)
        assert row["gold"] == pytest.approx(0.4)
        assert row["se"] == pytest.approx(np.sqrt(0.4 * 0.6 / 250))

    def test_the_classes_add_up_to_one(self):
        table = adjusted_shares(drawn(1), "true", "said").table
        assert table["adjusted"].sum() == pytest.approx(1)
        assert table["se"].nunique() == 1

    def test_rows_drawn_by_what_the_machine_says_are_weighted(self):
        """Half of what it takes for protest is coded, a tenth of the rest: unweighted, sensitivity is overstated."""
        data = rows_of(
            [(1, 1, 400), (0, 1, 100), (1, 0, 20), (0, 0, 180)], [(1, 500), (0, 1800)]
        )  # of 3000: 1000 said, 800 + 200 of them true
        data["pi"] = np.where(data["said"] == 1, 0.5, 0.1)
        row = line(adjusted_shares(data, "true", "said", sample_prob="pi"))
        assert row["adjusted"] == pytest.approx(1000 / 3000)
        assert row["gold"] == pytest.approx(1000 / 3000)
        assert line(adjusted_shares(data.drop(columns="pi"), "true", "said"))["adjusted"] != pytest.approx(
            1 / 3, abs=0.1
        )

    def test_clusters_widen_it(self):
        data = drawn(2)
        data = pd.concat([data] * 2, ignore_index=True).assign(video=np.tile(np.arange(len(data)), 2))
        once, twice = (line(adjusted_shares(data, "true", "said", cluster=c)) for c in (None, "video"))
        assert twice["se"] == pytest.approx(np.sqrt(2) * once["se"])

    def test_booleans_numbers_and_text_name_the_same_classes(self):
        data = drawn(3)
        words = data.assign(said=data["said"].map({0.0: "0", 1.0: "1"}), true=data["true"].astype("boolean"))
        a, b = (adjusted_shares(one, "true", "said").table for one in (data, words))
        pd.testing.assert_frame_equal(a, b)

    def test_intervals_cover_the_truth_and_naive_ones_do_not(self):
        """With half of the rows coded, standard errors are right only if they know that coded rows are counted too."""
        rows = [line(adjusted_shares(drawn(seed, n=1500, coded=750), "true", "said")) for seed in range(120)]
        adjusted = np.mean([row["low"] <= 0.2 <= row["high"] for row in rows])
        naive = np.mean([row["naive_low"] <= 0.2 <= row["naive_high"] for row in rows])
        assert 0.90 <= adjusted <= 0.99
        assert naive < 0.05
        assert np.mean([row["se"] for row in rows]) == pytest.approx(
            np.std([row["adjusted"] for row in rows]), rel=0.15
        )


class TestManyClasses:
    ERRORS = np.array([[0.8, 0.1, 0.2], [0.1, 0.85, 0.1], [0.1, 0.05, 0.7]])  # said × true

    def data(self, seed, n=4000, coded=800):
        random = np.random.default_rng(seed)
        true = random.choice(3, n, p=[0.5, 0.3, 0.2])
        said = (random.random(n)[:, None] > self.ERRORS.T.cumsum(axis=1)[true]).sum(axis=1)
        names = np.array(["art", "food", "news"], dtype=object)
        return pd.DataFrame({"true": np.where(np.arange(n) < coded, names[true], None), "said": names[said]})

    def test_expected_counts_give_the_true_shares(self):
        """1000 coded of each class with exactly these errors; the shares said of 10,000 solve to .5, .3, .2."""
        names = ["art", "food", "news"]
        counts = [(names[b], names[a], round(1000 * self.ERRORS[a, b])) for b in range(3) for a in range(3)]
        coded = np.array([sum(n for _, said, n in counts if said == name) for name in names])
        wanted = self.ERRORS @ [0.5, 0.3, 0.2] * 100_000 - coded
        data = rows_of(counts, [(name, round(n)) for name, n in zip(names, wanted, strict=True)])
        found = adjusted_shares(data, "true", "said").table
        assert found["adjusted"].tolist() == pytest.approx([0.5, 0.3, 0.2])

    def test_intervals_cover(self):
        found = [adjusted_shares(self.data(seed), "true", "said").table for seed in range(60)]
        inside = [(t["low"] <= [0.5, 0.3, 0.2]) & (t["high"] >= [0.5, 0.3, 0.2]) for t in found]
        assert (np.mean(inside, axis=0) > 0.85).all()

    def test_a_machine_that_mixes_two_of_three_classes_up_is_refused(self):
        data = self.data(1)
        mixed = np.random.default_rng(1).permutation(np.resize(["food", "news"], len(data)))
        data["said"] = np.where(data["said"] == "art", "art", mixed)
        with pytest.raises(DesignError, match="tells the classes"):
            adjusted_shares(data, "true", "said")


class TestStrata:
    def two(self, se=(0.8, 0.8)):
        parts = [drawn(1, se=se[0], p=0.1).assign(year=2019), drawn(2, se=se[1], p=0.4).assign(year=2020)]
        return pd.concat(parts, ignore_index=True)

    def test_each_stratum_is_adjusted_by_its_own_errors(self):
        data = self.two((0.9, 0.6))
        found = adjusted_shares(data, "true", "said", by="year").table
        alone = adjusted_shares(data[data["year"] == 2020], "true", "said").table
        numbers = alone.columns.drop("class")
        assert found["year"].tolist() == [2019, 2019, 2020, 2020]
        np.testing.assert_allclose(
            found.loc[found["year"] == 2020, numbers].astype(float), alone[numbers].astype(float)
        )

    def test_pooled_errors_are_surer_and_serve_strata_without_codes(self):
        data = self.two()
        own, pooled = (adjusted_shares(data, "true", "said", by="year", errors=e).table for e in ("strata", "pooled"))
        assert (pooled["se"] < own["se"]).all()
        data.loc[data["year"] == 2020, "true"] = np.nan
        alone = adjusted_shares(data, "true", "said", by="year")
        assert set(alone.table["year"]) == {2019}
        assert any("No adjusted shares of 2020" in text and "errors='pooled'" in text for text in alone.warnings)
        with pytest.raises(DesignError, match=r"in 2019.*similar in 2020.*errors='pooled'"):
            adjusted_shares(data.assign(said=0.0), "true", "said", by="year")
        found = adjusted_shares(data, "true", "said", by="year", errors="pooled").table.set_index(["year", "class"])
        assert np.isnan(found.loc[(2020, "1"), "gold"])
        assert found.loc[(2020, "1"), "low"] < 0.4 < found.loc[(2020, "1"), "high"]

    def test_unequal_errors_are_found_and_said(self):
        found = adjusted_shares(self.two((0.9, 0.6)), "true", "said", by="year", errors="pooled")
        tested = found.extra["equal errors"].set_index("class")
        assert tested.loc["1", "p"] < 0.001 and tested.loc["0", "p"] > 0.01
        assert tested.loc["all", "df"] == 2
        assert any("errors='strata'" in warning for warning in found.warnings)

    def test_the_test_keeps_its_level(self):
        random, p = np.random.default_rng(3), []
        for _ in range(400):
            wrong = random.binomial([80, 120], [[0.2, 0.1], [0.2, 0.1], [0.2, 0.1]])
            counts = [np.array([[80 - a, b], [a, 120 - b]], dtype=float) for a, b in wrong]
            rates = {str(k): ErrorRates(("0", "1"), c / c.sum(axis=0), c, c.sum(axis=0)) for k, c in enumerate(counts)}
            p.append(equal_error_rates(rates)["p"].iloc[-1])
        assert 0.02 <= np.mean(np.array(p) < 0.05) <= 0.09
        assert np.mean(p) == pytest.approx(0.5, abs=0.06)

    def test_the_likelihood_ratio_is_that_of_the_textbook(self):
        """Said yes of 100 true noes: 10 and 30; G² by hand: 12.972."""
        rates = {}
        for name, wrong in (("a", 10), ("b", 30)):
            counts = np.array([[100 - wrong, 5], [wrong, 95]], dtype=float)
            rates[name] = ErrorRates(("no", "yes"), counts / 100, counts, np.array([100.0, 100.0]))
        tested = equal_error_rates(rates).set_index("class")
        assert tested.loc["no", "statistic"] == pytest.approx(12.972, abs=5e-4)
        assert tested.loc["yes", "statistic"] == pytest.approx(0, abs=1e-9)

    def test_small_cells_are_warned_of(self):
        data = rows_of([(1, 1, 9), (1, 0, 1), (0, 1, 1), (0, 0, 9)], [(1, 50), (0, 50)])
        data = pd.concat([data.assign(year=year) for year in (1, 2)], ignore_index=True)
        found = adjusted_shares(data, "true", "said", by="year")
        assert any("rough: more than a fifth" in warning for warning in found.warnings)
        assert any("Fewer than 20 hand codes of 0 in 1 (10)" in warning for warning in found.warnings)


class TestSaid:
    def test_shares_outside_0_and_1_are_clipped_and_that_is_said(self):
        data = rows_of(COUNTS, [(1, 0), (0, 2000)])
        found = adjusted_shares(data, "true", "said")
        row = line(found)
        assert row["clipped"] and row["adjusted"] == 0 and row["low"] == 0
        assert any("set to the limit" in warning for warning in found.warnings)

    def test_labels_that_are_all_the_same_in_a_small_stratum_are_not_certain(self):
        small = rows_of([(0, 0, 2)], [(0, 1)]).assign(year=2)
        data = pd.concat([rows_of(COUNTS, [(1, 205), (0, 545)]).assign(year=1), small], ignore_index=True)
        found = adjusted_shares(data, "true", "said", by="year", errors="pooled").table.set_index(["year", "class"])
        assert found.loc[(2, "1"), "naive_low"] == 0 and found.loc[(2, "1"), "adjusted"] == 0
        assert found.loc[(2, "1"), "high"] > 0.5 and found.loc[(2, "0"), "low"] < 0.5

    def test_words_and_figure(self):
        data = pd.concat([drawn(year).assign(year=year, city=c) for year in (1, 2) for c in "ab"], ignore_index=True)
        found = adjusted_shares(data, "true", "said", by=["city", "year"])
        assert any(text.startswith("true = 1 in a|1: ") for text in found.words)
        rates = adjusted_shares(rows_of(COUNTS, [(1, 205), (0, 545)]), "true", "said").words[-1]
        assert rates == "The machine's label of true is right for 90% of 150 coded 0, 80% of 100 coded 1."
        (axes,) = (one for one in found.figure.axes if one.get_visible())
        assert [tick.get_text() for tick in axes.get_yticklabels()] == ["a|1", "a|2", "b|1", "b|2"]
        assert found.figure_png()

    def test_that_hand_codes_alone_are_surer_is_said(self):
        surer = [adjusted_shares(drawn(1, coded=n, p=0.3), "true", "said").warnings for n in (2000, 300)]
        assert [any("hand codes alone" in text for text in one) for one in surer] == [True, True]
        sharp = adjusted_shares(drawn(1, coded=300, p=0.3, se=0.97, sp=0.97), "true", "said")
        assert not any("hand codes alone" in text for text in sharp.warnings)

    def test_rows_without_a_label_are_counted(self):
        data = drawn(1)
        data.loc[:9, "said"] = np.nan
        found = adjusted_shares(data, "true", "said")
        assert found.provenance["n_dropped"] == 10 and "10 more were left out" in found.words[0]


class TestRefused:
    def test_a_class_never_coded(self):
        data = rows_of(COUNTS, [(1, 100), (2, 30)])
        with pytest.raises(DesignError, match="never coded by hand: 2"):
            adjusted_shares(data, "true", "said")

    def test_a_machine_near_chance(self):
        with pytest.raises(DesignError, match="hardly tells the classes 0, 1 apart"):
            adjusted_shares(drawn(1, coded=3000, se=0.5, sp=0.52), "true", "said")

    def test_too_few_codes_to_tell(self):
        data = rows_of([(1, 1, 3), (1, 0, 2), (0, 1, 3), (0, 0, 5)], [(1, 100), (0, 100)])
        with pytest.raises(DesignError, match="13 coded rows do not show"):
            adjusted_shares(data, "true", "said")

    def test_swapped_labels(self):
        data = drawn(1)
        with pytest.raises(DesignError, match="swapped"):
            adjusted_shares(data.assign(said=1 - data["said"]), "true", "said")

    def test_a_constant_machine(self):
        with pytest.raises(DesignError, match="hardly tells"):
            adjusted_shares(drawn(1).assign(said=0), "true", "said")

    def test_no_class_in_common(self):
        data = drawn(1)
        with pytest.raises(InputError, match="no class in common"):
            adjusted_shares(data.assign(said=np.where(data["said"] == 1, "yes", "no")), "true", "said")

    def test_one_class(self):
        with pytest.raises(DesignError, match="nothing can be learnt"):
            adjusted_shares(rows_of([(1, 1, 50)], [(1, 50)]), "true", "said")

    @pytest.mark.parametrize("pi", [0.0, 1.5, np.nan])
    def test_probabilities_that_cannot_be(self, pi):
        with pytest.raises(DesignError):
            adjusted_shares(drawn(1).assign(pi=pi), "true", "said", sample_prob="pi")

    def test_one_cluster_does_not_pass_for_certainty(self):
        data = pd.concat([drawn(year).assign(year=year, outlet=f"outlet {year}") for year in (1, 2)], ignore_index=True)
        for errors in ("strata", "pooled"):
            with pytest.raises(DesignError, match=r"in 1 lie in one cluster of 'outlet'.*standard error would be 0"):
                adjusted_shares(data, "true", "said", by="year", cluster="outlet", errors=errors)
        data["video"] = np.where(data["true"].notna(), "coded", data.index % 50)
        with pytest.raises(DesignError, match="all 800 coded rows lie in one cluster"):
            adjusted_shares(data, "true", "said", cluster="video")
        found = adjusted_shares(data.assign(video=data.index % 20), "true", "said", cluster="video")
        assert any("only 20 clusters" in text for text in found.warnings)

    def test_columns(self):
        with pytest.raises(InputError, match="did you mean said"):
            adjusted_shares(drawn(1), "true", "sad")
        with pytest.raises(InputError, match="rename"):
            adjusted_shares(drawn(1).assign(n=1), "true", "said", by="n")
        with pytest.raises(InputError, match="choose strata or pooled"):
            adjusted_shares(drawn(1), "true", "said", errors="each")
