"""estimate: from a formula over any tables to the three estimates side by side."""

import numpy as np
import pandas as pd
import pytest
from coder import code_by_category

from visanda.errors import DesignError, InputError
from visanda.study import estimate


@pytest.fixture
def predicted(study):
    code_by_category(study)
    study.train("nature")
    study.apply("nature")
    return study


def rows(result, term):
    table = result.table
    return table[table["term"].str.contains(term)].set_index("method")["estimate"]


def test_the_corpus_gives_the_statistics_what_they_need(studied):
    """The verb adds nothing of its own to the numbers: the same columns, put together by hand."""
    result = studied.estimate("colourfulness ~ nature", learner="raw")
    frame = studied.join("colour", "nature")
    frame["gold"] = frame["nature"].map({"yes": 1.0, "no": 0.0})
    frame["machine"] = (frame["nature_predicted"] == "yes").astype(float)
    by_hand = estimate(
        frame,
        "colourfulness ~ gold",
        predicted_var="gold",
        prediction="nature_crossfit_yes",
        label="machine",
        sample_prob="nature_pi",
        learner="raw",
    )
    assert rows(result, "nature").to_numpy() == pytest.approx(rows(by_hand, "gold").to_numpy())


def test_the_truth_lies_in_the_corrected_interval(studied):
    result = studied.estimate("nature", truth="nature=living")
    table = result.table.set_index("method")
    assert table.loc["truth", "estimate"] == pytest.approx(57 / 218)
    corrected = table[table.index.str.startswith("corrected")].iloc[0]
    assert corrected["low"] < 57 / 218 < corrected["high"]
    assert table.loc["gold only", "n"] == 100


def test_outcomes_covariates_and_clusters(predicted):
    logit = predicted.estimate("nature ~ brightness", cluster="author")
    assert "Logistic" in " ".join(logit.words)
    both = predicted.estimate("np.log(colourfulness) ~ nature * brightness", name="interaction")
    assert len(both.table["term"].unique()) == 4
    assert (predicted.results / "interaction.png").exists()


def test_a_variable_of_several_values_is_asked_for_by_value(study):
    sample = study.sample("kind", n=150, seed=2)
    assert sample.table["drawn"].sum() == 150
    sheet = pd.read_csv(study.results / "kind-sheet.csv", dtype=str)
    category = study.frame("SELECT id, category FROM media").set_index("id")["category"]
    kinds = category.where(category.isin(["monument", "fish", "tool"]), "other")
    study.code("kind", import_=sheet.assign(value=sheet["id"].map(kinds)), coder="ana")
    study.train("kind")
    study.apply("kind")
    whole = study.estimate("colourfulness ~ kind", name="whole")
    assert list(whole.table["term"].unique()) == ["Intercept", "kind[T.monument]", "kind[T.other]", "kind[T.tool]"]
    assert study.estimate("kind ~ brightness", name="kinds").provenance["model"] == "multinomial"
    shares = study.estimate("kind", name="shares").table
    corrected = shares[shares["method"].str.startswith("corrected")].set_index("term")["estimate"]
    assert corrected.sum() == pytest.approx(1, abs=1e-3)  # medians over splits
    assert corrected["share of monument"] == pytest.approx(72 / 218, abs=0.06)
    result = study.estimate("colourfulness ~ kind_fish + kind_monument")
    assert set(result.table["term"]) == {"Intercept", "kind_fish", "kind_monument"}
    share = study.estimate("kind_fish").table
    corrected = share[share["method"].str.startswith("corrected")]["estimate"].iloc[0]
    assert abs(corrected - 28 / 218) < 0.06


def test_pictures_added_after_the_sample_are_left_out_and_it_is_said(predicted, tmp_path):
    (tmp_path / "new").mkdir()
    source = predicted.paths(["photos/expl_wa__koala.webp"])["photos/expl_wa__koala.webp"]
    (tmp_path / "new" / "k.webp").write_bytes(source.read_bytes())
    predicted.add(str(tmp_path / "new"))
    predicted.measure("colour", "embed")
    predicted.apply("nature")
    result = predicted.estimate("colourfulness ~ nature")
    assert result.table["n"].max() == 218
    assert any("1 pictures were not in the population" in text for text in result.warnings)


def test_codes_outside_of_the_sample_do_not_enter(predicted):
    before = predicted.estimate("nature").table
    outside = predicted.join("nature").query("nature.isna()").head(30)
    predicted.code("nature", import_=outside[["id"]].assign(value="yes"), coder="ana")
    pd.testing.assert_frame_equal(predicted.estimate("nature").table, before)


@pytest.mark.parametrize(
    ("formula", "says"),
    [
        ("colorfulness ~ nature", "colourfulness"),
        ("colourfulness ~ natur", "no coded variable"),
        ("colourfulness ~ brightness", "no coded variable"),
        ("colourfulness ~ ~ nature", "does not parse"),
        ("", "does not parse|no coded variable"),
        ("label ~ nature", "label"),
    ],
)
def test_formulas_that_do_not_fit_say_why(predicted, formula, says):
    with pytest.raises((InputError, DesignError), match=says):
        predicted.estimate(formula)


def test_a_column_that_two_tables_have_is_named_with_its_table(predicted):
    one = predicted.estimate("colourfulness ~ nature").table
    predicted.measure("colour", name="colour2", colours=3)
    with pytest.raises(InputError, match="write colour_colourfulness or colour2_colourfulness"):
        predicted.estimate("colourfulness ~ nature")
    same = predicted.estimate("colour2_colourfulness ~ nature").table
    pd.testing.assert_frame_equal(same, one)


def test_codes_that_came_after_training_are_pointed_out(predicted):
    assert not any("since its classifier was trained" in text for text in predicted.estimate("nature").warnings)
    row = predicted.join("nature").dropna(subset=["nature"]).head(3)
    other = row["nature"].map({"yes": "no", "no": "yes"})
    predicted.code("nature", import_=pd.DataFrame({"id": row["id"], "value": other}), coder="ana")
    assert any("3 codes of 'nature' came or changed" in text for text in predicted.estimate("nature").warnings)


def test_predictions_that_say_nothing_are_pointed_out(study):
    study.sample("chance", n=120, seed=3)
    sheet = pd.read_csv(study.results / "chance-sheet.csv", dtype=str)
    random = np.random.default_rng(1).integers(2, size=len(sheet)).astype(str)
    study.code("chance", import_=sheet.assign(value=random), coder="ana")
    study.train("chance")
    study.apply("chance")
    assert any("hardly go with the codes" in text for text in study.estimate("chance").warnings)


def test_standard_errors_are_described(predicted):
    assert any("clustered by author" in text for text in predicted.estimate("nature", cluster="author").words)


@pytest.mark.parametrize("name", ["a/b", "../x"])
def test_results_stay_in_their_folder(predicted, name):
    with pytest.raises(InputError, match="cannot name a result"):
        predicted.estimate("nature", name=name)


def test_no_predictions_yet(study):
    code_by_category(study, n=60)
    with pytest.raises(InputError, match="visanda train nature"):
        study.estimate("nature")


def test_one_value_only(study):
    ids = study.population()["id"].head(20)
    study.code("same", import_=pd.DataFrame({"id": ids, "value": "yes"}), coder="ana")
    with pytest.raises(InputError, match="have the value 'yes'"):
        study.estimate("same")


def test_truth_must_name_a_variable_and_a_column(predicted):
    with pytest.raises(InputError, match="variable=column"):
        predicted.estimate("nature", truth="living")
    with pytest.raises(InputError, match="no table has a column 'livng'"):
        predicted.estimate("nature", truth="nature=livng")


def test_equal_seeds_give_equal_numbers(predicted):
    first, second = (predicted.estimate("colourfulness ~ nature", seed=4).table for _ in range(2))
    assert np.array_equal(first["estimate"], second["estimate"])
