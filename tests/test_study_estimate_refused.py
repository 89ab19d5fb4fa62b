"""estimate: what cannot be answered is refused before anything is computed, in words that say where and what to do."""

import numpy as np
import pandas as pd
import pytest

from visanda.errors import DesignError, InputError
from visanda.study import debias, estimate, ordinary
from visanda.study.regression.formula import design
from visanda.study.regression.negbin import negbin

CORRECTED = "corrected (DSL)"
KNOWN = {"predicted_var": "y", "prediction": "said", "sample_prob": "equal", "splits": 2}


@pytest.fixture(scope="module")
def posts():
    """1,200 posts of four outlets, 240 of them coded; nobody protests in outlets A and B."""
    random = np.random.default_rng(2)
    n = 1200
    x, outlet = random.normal(size=n), random.choice(list("ABCD"), n)
    truth = (random.random(n) < 1 / (1 + np.exp(-0.4 * x))) * 1.0
    coded = random.permutation(n) < 240
    data = pd.DataFrame({"x": x, "z": random.normal(size=n), "outlet": outlet, "truth": truth})
    data["city"] = random.integers(0, 30, n)
    data["y"] = data["truth"].where(coded)
    data["said"] = np.where(random.random(n) < 0.85, truth, 1 - truth)
    data["quiet"] = pd.Series(np.where(np.isin(outlet, ["A", "B"]), 0.0, truth)).where(coded)
    data["steep"] = ((x > 0.2) * 1.0) * pd.Series(np.ones(n)).where(coded)
    data["both"] = ((x + data["z"] > 0.2) * 1.0) * pd.Series(np.ones(n)).where(coded)
    data["big"] = (random.random(n) < 0.3) * 1.0
    data["kind"] = pd.Series(random.choice(["march", "rally", "strike"], n)).where(coded).astype(object)
    data["said_kind"] = random.choice(["march", "rally", "strike"], n)
    data["grade"] = random.integers(1, 4, n) * 1.0
    data["likes"] = random.negative_binomial(1, 0.2, n) * 1.0
    data["size"] = 2 + data["truth"] + random.normal(size=30)[data["city"]] + random.normal(size=n)
    data["day"] = (pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 60, n), "D")).strftime("%Y-%m-%d")
    return data


def by(found, method):
    return found.table[found.table["method"] == method].set_index("term")


def test_values_without_a_solution_are_named(posts):
    with pytest.raises(DesignError, match=r"where outlet is A or B, all \d+ coded rows have quiet = 0\. Merge such"):
        estimate(posts, "quiet ~ outlet + x", **{**KNOWN, "predicted_var": "quiet"})


def test_a_number_that_tells_the_outcome_is_named(posts):
    coded = posts.dropna(subset=["steep"])
    with pytest.raises(DesignError, match=r"x tells steep without an error: .* of 0\.2\d* or more have steep = 1"):
        ordinary(coded, "steep ~ x", "logit")
    with pytest.raises(DesignError, match="x and z together tell both"):
        ordinary(coded, "both ~ x + z", "logit")


def test_an_ordinary_regression_names_them_too(posts):
    coded = posts.dropna(subset=["quiet"])
    with pytest.raises(DesignError, match="where outlet is A or B, all"):
        ordinary(coded, "quiet ~ outlet", "logit")
    none = posts.assign(likes=posts["likes"].where(posts["outlet"] != "C", 0.0))
    with pytest.raises(DesignError, match=r"where outlet is C, all .* have likes = 0"):
        ordinary(none, "likes ~ outlet", "poisson")


def test_where_codes_do_not_vary_that_is_said_whether_the_correction_finds_a_solution_or_not(posts):
    said = []
    for name in ("x", "z"):
        large = (posts[name] > 1.6) * 1.0
        alike = posts.assign(large=large, y=posts["y"].mask(posts["y"].notna() & (large == 1), 1.0))
        try:
            found = estimate(alike, "y ~ large", **KNOWN)
            said.append(" ".join(found.warnings))
            assert "coefficient of large" not in " ".join(found.words)
        except DesignError as error:
            said.append(str(error))
    assert all("where large is 1, all" in text for text in said)
    assert {text.startswith("the logit has no solution") for text in said} == {True, False}
    assert all("Do not lean on" in text for text in said if not text.startswith("the logit"))


def test_terms_that_repeat_others_are_named_in_words(posts):
    with pytest.raises(DesignError, match="paper = C is a combination of outlet = C"):
        estimate(posts.assign(paper=posts["outlet"]), "y ~ outlet + paper", **KNOWN)


@pytest.mark.parametrize("formula", ["y ~ x", "big ~ y"])
def test_a_negative_binomial_of_zeros_and_ones_is_refused(posts, formula):
    known = {"predicted_var": ["y"], "prediction": ["said"], "resamples": 50}
    with pytest.raises(DesignError, match="made for counts, and the outcome is only 0 or 1: a logit"):
        estimate(posts, formula, model="negbin", sample_prob="equal", **known)
    with pytest.raises(DesignError, match="made for counts"):
        debias(posts, formula, model="negbin", **known)
    with pytest.raises(DesignError, match="made for counts"):
        negbin(posts, "big ~ x")


def test_a_mixed_model_draws_its_groups_again_by_itself(posts):
    known = {**KNOWN, "resamples": 50}
    found = estimate(posts, "size ~ y + (1 | city)", **known)
    named = estimate(posts, "size ~ y + (1 | city)", cluster="city", **known)
    pd.testing.assert_frame_equal(found.table, named.table)
    assert found.provenance["cluster"] == "city"
    assert any("Rows of one city go together" in text for text in found.words)


def test_what_a_mixed_model_needs_is_said_before_it_is_fitted(posts):
    def never(done, total):
        raise AssertionError("resampled")

    known = {**KNOWN, "resamples": 50, "progress": never}
    with pytest.raises(DesignError, match="city 0 lies in several clusters of 'outlet'"):
        estimate(posts, "size ~ y + (1 | city)", cluster="outlet", **known)
    unequal = posts.assign(pi=np.where(posts["x"] > 0, 0.3, 0.1))
    with pytest.raises(DesignError, match=r"differ up to 3\.0-fold.*'size ~ y' with 'city' as the cluster"):
        estimate(unequal, "size ~ y + (1 | city)", **{**known, "sample_prob": "pi"})
    with pytest.raises(InputError, match="is a mixed model and no logit"):
        estimate(posts, "big ~ y + (1 | city)", model="logit", **known)
    with pytest.raises(DesignError, match="name 'city' as the cluster"):
        debias(posts, "size ~ y + (1 | city)", model="mixed", predicted_var=["y"], prediction=["said"], resamples=50)


def test_probabilities_that_rounding_made_unequal_do_not_stop_a_mixed_model(posts):
    nearly = posts.assign(pi=np.where(posts["x"] > 0, 0.202, 0.198))
    known = {**KNOWN, "resamples": 50}
    found = estimate(nearly, "size ~ y + (1 | city)", **{**known, "sample_prob": "pi"})
    pd.testing.assert_frame_equal(found.table, estimate(posts, "size ~ y + (1 | city)", **known).table)


def test_thresholds_and_dispersion_are_no_effects(posts):
    found = estimate(posts, "grade ~ y", model="ordinal", resamples=50, **KNOWN)
    assert {"1|2", "2|3"} < set(found.table["term"])
    said = " ".join([*found.words, *found.warnings])
    assert "coefficient of y" in said and "1|2" not in said
    assert [axes.get_title() for axes in found.figure.axes] == ["y"]
    counts = estimate(posts, "likes ~ y", model="negbin", resamples=50, **KNOWN)
    assert "alpha (dispersion)" in set(counts.table["term"])
    assert [axes.get_title() for axes in counts.figure.axes] == ["y"]


def test_a_multinomial_says_what_it_compares_with(posts):
    kinds = {**KNOWN, "predicted_var": "kind", "prediction": "said_kind"}
    found = estimate(posts, "kind ~ x", **kinds)
    assert "against kind = march" in found.title and found.provenance["reference"] == "march"
    assert any("compared with: kind = march" in text for text in found.words)
    assert "log odds against kind = march" in found.figure._supxlabel.get_text()
    assert [axes.get_title() for axes in found.figure.axes] == ["rally: x", "strike: x"]
    assert "Intercept" not in " ".join([*found.words, *found.warnings])


def test_categories_say_what_they_are_compared_with(posts):
    found = estimate(posts, "y ~ outlet + C(grade)", model="lm", **KNOWN)
    assert any("compared with: grade = 1, outlet = A" in text for text in found.words) or any(
        "compared with: outlet = A, grade = 1" in text for text in found.words
    )


def test_a_cluster_that_is_in_the_formula_has_no_standard_errors_of_its_own(posts):
    eight = posts.assign(outlet=posts["outlet"] + (posts["z"] > 0).map({True: "1", False: "2"}))
    found = estimate(eight, "y ~ outlet + x", cluster="outlet", **KNOWN)
    text = " ".join(found.warnings)
    assert "Each outlet is one cluster" in text and "outlet = B1:" not in text
    assert not any("coefficient of outlet = B1" in sentence for sentence in found.words)


@pytest.mark.parametrize("make", [str, pd.Timestamp, lambda day: pd.Timestamp(day).date()])
def test_dates_are_neither_numbers_nor_categories(posts, make):
    dated = posts.assign(day=[make(day) for day in posts["day"]])
    with pytest.raises(InputError, match=r"'day' holds dates, such as 2024-.*days since the first"):
        estimate(dated, "y ~ day", **KNOWN)
    assert design("truth ~ C(day)", dated).matrix.shape[1] == 60
    assert set(by(estimate(dated, "size ~ y | day", **KNOWN), CORRECTED).index) == {"y"}


def test_a_path_in_place_of_a_table(posts):
    with pytest.raises(InputError, match=r"'posts.csv' is a path: .*read_csv\('posts.csv'\)"):
        estimate("posts.csv", "y ~ x", **KNOWN)


def test_a_column_that_stands_in_the_table_twice(posts):
    with pytest.raises(InputError, match="'x' stands in the table twice"):
        estimate(pd.concat([posts, posts[["x"]]], axis=1), "y ~ x", **KNOWN)


def test_a_column_that_stands_in_the_formula_twice_counts_once(posts):
    once, twice = (estimate(posts, formula, **KNOWN).table for formula in ("y ~ x", "y ~ x + x"))
    pd.testing.assert_frame_equal(once, twice)


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("y ~ x**2", r"x\*\*2 is an interaction of a term with itself.*write I\(x\*\*2\)"),
        ("y ~ np.abs(x)^2 + z", "is an interaction"),
        ("y ~ y + x", "y stands left and right of the ~"),
        ("y = x", "is no variable, whose mean could be taken, and no regression: write 'y ~ x"),
        ("", "is no variable"),
    ],
)
def test_formulas_that_ask_for_something_else_than_they_say(posts, formula, message):
    with pytest.raises(InputError, match=message):
        estimate(posts, formula, **KNOWN)


def test_powers_where_they_mean_what_they_say(posts):
    assert "I(x ** 2)" in set(by(estimate(posts, "y ~ x + I(x**2)", **KNOWN), CORRECTED).index)
    assert "x:z" in set(by(estimate(posts, "y ~ (x + z)**2", **KNOWN), CORRECTED).index)


def test_a_column_of_equal_probabilities_is_a_simple_random_sample(posts):
    equal, column = (
        estimate(posts.assign(pi=0.2), "y ~ x", method="ppi", **{**KNOWN, "sample_prob": how}).table
        for how in ("equal", "pi")
    )
    pd.testing.assert_frame_equal(equal, column)
    unequal = posts.assign(pi=np.where(posts["x"] > 0, 0.3, 0.1))
    with pytest.raises(DesignError, match="drawn with different probabilities: use dsl"):
        estimate(unequal, "y ~ x", method="ppi", **{**KNOWN, "sample_prob": "pi"})


def test_marginal_effects_that_there_are_none_of_are_refused_before_resampling(posts):
    def never(done, total):
        raise AssertionError("resampled")

    with pytest.raises(DesignError, match="average marginal effects"):
        estimate(posts, "likes ~ y", model="negbin", margins=True, progress=never, **KNOWN)


def test_a_table_without_rows(posts):
    with pytest.raises(InputError, match="the table has no rows"):
        estimate(posts.head(0), "y ~ x", **KNOWN)


@pytest.mark.parametrize("formula", ["size ~ y + I(y**2)", "size ~ y + I(y**2) + x | city"])
def test_the_square_of_zeros_and_ones_is_no_other_variable(posts, formula):
    """Of the machine's probabilities it is one, and would be told apart by the machine's word alone."""
    chance = posts.assign(said=0.1 + 0.8 * posts["said"])
    with pytest.raises(DesignError, match=r"collinear terms: y² is a combination of y|y is a combination of y²"):
        estimate(chance, formula, **KNOWN)
    wide = chance.assign(said=posts["z"], y=posts["z"].where(posts["y"].notna()) + posts["y"])
    assert "I(y ** 2)" in set(by(estimate(wide, formula, **KNOWN), CORRECTED).index)
