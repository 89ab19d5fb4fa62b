"""MC-SIMEX: powers of matrices, the curve that theory gives, intervals, several classes, figure, what is refused."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from visanda.errors import DesignError, InputError
from visanda.study.correct.misclassification import power, with_powers
from visanda.study.correct.simex import simex
from visanda.study.regression.ordinary import ordinary

ERRORS = pd.DataFrame([[0.9, 0.1], [0.1, 0.9]], index=[0, 1], columns=[0, 1])
ASK = {"predicted_var": "x", "label": "said"}


def drawn(seed, n=4000, coded=400, b=1.0):
    random = np.random.default_rng(seed)
    x = random.integers(0, 2, n) * 1.0
    said = np.where(random.random(n) < 0.9, x, 1 - x)
    y = b * x + random.normal(size=n)
    coded_x = np.where(np.arange(n) < coded, x, np.nan)
    return pd.DataFrame({"y": y, "x": coded_x, "said": said, "z": random.normal(size=n), "video": np.arange(n) // 4})


def of(found, term, method="MC-SIMEX"):
    return found.table.set_index(["method", "term"]).loc[(method, term)]


class TestPowers:
    def test_a_half_twice_is_the_whole(self):
        matrix = np.array([[0.8, 0.1, 0.05], [0.15, 0.8, 0.05], [0.05, 0.1, 0.9]])
        half = power(matrix, 0.5)
        assert half @ half == pytest.approx(matrix)
        assert half.sum(axis=0) == pytest.approx([1, 1, 1])

    def test_two_classes_lose_j_to_the_power(self):
        """J of a power of a matrix is the power of its J."""
        matrix = np.array([[0.9, 0.3], [0.1, 0.7]])
        assert np.trace(power(matrix, 1.5)) - 1 == pytest.approx(0.6**1.5)

    def test_a_matrix_without_root_is_replaced_by_its_neighbour(self):
        """A 0 between classes that are confused by way of a third: no matrix of probabilities is its root."""
        matrix = np.array([[0.9, 0.1, 0.0], [0.1, 0.8, 0.1], [0.0, 0.1, 0.9]])
        assert power(matrix, 0.5).min() < -1e-4
        near, moved = with_powers(matrix, (0.5,))
        assert 0 < moved < 0.01 and np.abs(near - matrix).max() == moved
        assert power(near, 0.5).min() > -1e-9
        assert near.sum(axis=0) == pytest.approx([1, 1, 1])
        assert with_powers(matrix, (1.0, 2.0)) == (pytest.approx(matrix), 0.0)

    def test_a_far_neighbour_is_refused(self):
        matrix = np.array([[0.6, 0.4, 0.0], [0.4, 0.4, 0.2], [0.0, 0.2, 0.8]])
        with pytest.raises(DesignError, match=r"lambdas=\(1, 2, 3\)"):
            with_powers(matrix, (0.5,))

    @pytest.mark.parametrize("right", [0.5, 0.2])
    def test_a_machine_at_or_below_chance_is_refused(self, right):
        with pytest.raises(DesignError, match="no powers"):
            with_powers(np.array([[right, 1 - right], [1 - right, right]]), (1.0,))


class TestExtrapolation:
    def test_the_curve_is_that_of_theory(self):
        """Half of the rows 1, errors alike: the slope is b J^(1 + added), J = .8."""
        found = simex(drawn(1, n=100_000), "y ~ x", misclassification=ERRORS, draws=4, **ASK)
        path = found.extra["path"].query("term == 'x' and added >= 0")
        assert path["estimate"].to_numpy() == pytest.approx(0.8 ** (1 + path["added"].to_numpy()), abs=0.02)

    def test_the_end_is_that_of_the_parabola_through_the_curve_of_theory(self):
        """Least squares through .8, .7155, .64, .5724, .512 at 0, .5, 1, 1.5, 2 is .9913 at -1: not quite 1."""
        grid = np.array([0, 0.5, 1, 1.5, 2])
        expected = np.polyval(np.polyfit(grid, 0.8 ** (1 + grid), 2), -1)
        found = of(simex(drawn(1, n=100_000), "y ~ x", misclassification=ERRORS, draws=4, **ASK), "x")
        assert expected == pytest.approx(0.9913, abs=5e-4)
        assert found["estimate"] == pytest.approx(expected, abs=3 * found["se"])

    def test_intervals_cover_and_naive_ones_do_not(self):
        found = [simex(drawn(s, n=600, b=1.5), "y ~ x", misclassification=ERRORS, draws=40, **ASK) for s in range(25)]
        rows, naive = [of(one, "x") for one in found], [of(one, "x", "naive") for one in found]
        assert np.mean([row["low"] < 1.5 < row["high"] for row in rows]) >= 0.84
        assert np.mean([row["low"] < 1.5 < row["high"] for row in naive]) < 0.4
        spread = np.std([row["estimate"] for row in rows])
        assert np.mean([row["se"] for row in rows]) == pytest.approx(spread, rel=0.35)

    @pytest.mark.parametrize("model", ["logit", "poisson"])
    def test_models_of_counts_and_of_choices(self, model):
        random, data = np.random.default_rng(2), drawn(3, n=20_000, coded=20_000)
        mean = -0.5 + 0.8 * data["x"]
        data["y"] = random.poisson(np.exp(mean)) if model == "poisson" else random.random(20_000) < expit(mean)
        found = simex(data, "y ~ x", model=model, misclassification=ERRORS, draws=10, **ASK)
        assert of(found, "x", "naive")["estimate"] < 0.72
        assert of(found, "x")["estimate"] == pytest.approx(0.8, abs=0.09)

    def test_a_misclassified_outcome(self):
        random, data = np.random.default_rng(4), drawn(5, n=20_000, coded=0)
        y = random.random(20_000) < expit(0.7 * data["z"])
        data["said"] = np.where(random.random(20_000) < 0.9, y, ~y)
        found = simex(data, "x ~ z", model="logit", misclassification=ERRORS, draws=10, **ASK)
        assert of(found, "z", "naive")["estimate"] < 0.57
        assert of(found, "z")["estimate"] == pytest.approx(0.7, abs=0.08)

    def test_a_machine_without_errors_changes_nothing(self):
        data = drawn(6)
        perfect = pd.DataFrame(np.eye(2), index=[0, 1], columns=[0, 1])
        found = simex(data, "y ~ x * z", misclassification=perfect, draws=2, **ASK)
        theirs = ordinary(data.assign(x=data["said"]), "y ~ x * z")
        ours = found.table[found.table["method"] == "MC-SIMEX"]
        assert ours["estimate"].to_numpy() == pytest.approx(theirs.coef)
        assert ours["se"].to_numpy() == pytest.approx(theirs.se * np.sqrt(3996 / 4000))

    def test_several_classes(self):
        random, errors = np.random.default_rng(7), np.array([[0.9, 0.1, 0.05], [0.05, 0.8, 0.05], [0.05, 0.1, 0.9]])
        names, true = np.array(["art", "food", "news"]), random.choice(3, 20_000, p=[0.4, 0.3, 0.3])
        said = (random.random(20_000)[:, None] > errors.T.cumsum(axis=1)[true]).sum(axis=1)
        data = pd.DataFrame({"y": np.array([0, 1, 2.0])[true] + random.normal(size=20_000), "said": names[said]})
        given = pd.DataFrame(errors, index=names, columns=names)
        found = simex(data, "y ~ x", misclassification=given, draws=10, **ASK)
        assert of(found, "x[T.news]", "naive")["estimate"] < 1.8
        assert of(found, "x[T.food]")["estimate"] == pytest.approx(1, abs=0.08)
        assert of(found, "x[T.news]")["estimate"] == pytest.approx(2, abs=0.08)

    def test_errors_are_learnt_from_codes_and_that_is_said(self):
        data = drawn(8)
        coded = data.iloc[:400]
        found = simex(data, "y ~ x", draws=10, **ASK)
        matrix = found.extra["misclassification"].set_index("said")
        assert matrix.loc["1", "0"] == pytest.approx((coded.loc[coded["x"] == 0, "said"] == 1).mean())
        assert any("400 coded rows" in warning for warning in found.warnings)

    def test_the_seed_decides(self):
        a, b, c = (simex(drawn(9), "y ~ x", draws=15, seed=s, **ASK).table for s in (1, 1, 2))
        pd.testing.assert_frame_equal(a, b)
        assert not a.equals(c)

    def test_clusters_widen_it(self):
        data = drawn(10, n=1000)
        data = pd.concat([data] * 2, ignore_index=True).assign(video=np.tile(np.arange(1000), 2))
        once, twice = (simex(data, "y ~ x", cluster=c, draws=20, **ASK) for c in (None, "video"))
        assert of(twice, "x", "naive")["se"] == pytest.approx(np.sqrt(2) * of(once, "x", "naive")["se"])
        assert of(twice, "x")["se"] > 1.1 * of(once, "x")["se"]


def test_figure_and_words():
    found = simex(drawn(11), "y ~ x + z", draws=10, **ASK)
    first, second = found.figure.axes
    assert (first.get_title(), second.get_title()) == ("x", "z")
    assert first.get_xticks().tolist() == [-1, 0, 0.5, 1, 1.5, 2]
    assert found.figure_png()
    assert any(text.startswith("The coefficient of x is ") and "extrapolated" in text for text in found.words)
    assert any("sensitivity" in text for text in found.warnings)


class TestRefused:
    def test_too_few_draws(self):
        """The spread between two draws is no estimate: a variance that comes out below 0 is not made a number."""
        with pytest.raises(DesignError, match="too few draws"):
            for seed in range(20):
                simex(drawn(9, n=400), "y ~ x", draws=2, seed=seed, **ASK)

    @pytest.mark.parametrize(
        ("matrix", "says"),
        [
            (pd.DataFrame([[0.9, 0.3], [0.1, 0.7]], index=[0, 1], columns=[0, 1]).T, "transpose it"),
            (pd.DataFrame([[1.2, 0.3], [-0.2, 0.7]], index=[0, 1], columns=[0, 1]), "probabilities"),
            (pd.DataFrame([[0.9, np.nan], [0.1, 0.7]], index=[0, 1], columns=[0, 1]), "probabilities"),
            (pd.DataFrame([[0.9, 0.3], [0.1, 0.7]], index=[0, 1], columns=["no", "yes"]), "same classes"),
            (pd.DataFrame([["a", "b"], ["c", "d"]], index=[0, 1], columns=[0, 1]), "text"),
        ],
    )
    def test_matrices(self, matrix, says):
        with pytest.raises(InputError, match=says):
            simex(drawn(1), "y ~ x", misclassification=matrix, **ASK)

    def test_codes(self):
        with pytest.raises(InputError, match="give the misclassification matrix"):
            simex(drawn(1).drop(columns="x"), "y ~ x", **ASK)
        with pytest.raises(DesignError, match="never coded by hand: 2"):
            simex(drawn(1).assign(said=lambda data: data["said"] + (data.index > 3000)), "y ~ x", **ASK)
        with pytest.raises(InputError, match="the machine says 2"):
            simex(drawn(1).assign(said=2), "y ~ x", misclassification=ERRORS, **ASK)
        with pytest.raises(DesignError, match="no powers"):
            simex(drawn(1).assign(said=lambda data: data["said"].sample(frac=1, random_state=1).values), "y ~ x", **ASK)

    def test_arguments(self):
        with pytest.raises(InputError, match="knows lm, logit and poisson"):
            simex(drawn(1), "y ~ x", model="probit", **ASK)
        with pytest.raises(InputError, match="amounts of added error"):
            simex(drawn(1), "y ~ x", lambdas=(0, 1), **ASK)
        with pytest.raises(InputError, match="100 are usual"):
            simex(drawn(1), "y ~ x", draws=1, **ASK)
        with pytest.raises(InputError, match="not in the formula"):
            simex(drawn(1), "y ~ z", **ASK)
        with pytest.raises(DesignError, match="fixed effects"):
            simex(drawn(1), "y ~ x | video", **ASK)
        with pytest.raises(DesignError, match="one cluster"):
            simex(drawn(1).assign(one=1), "y ~ x", cluster="one", **ASK)

    def test_a_constant_machine(self):
        with pytest.raises(DesignError, match="collinear"):
            simex(drawn(1).assign(said=1), "y ~ x", misclassification=ERRORS, **ASK)
