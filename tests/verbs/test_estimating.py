"""estimate: from a formula over any tables to the three estimates side by side."""

import numpy as np
import pandas as pd
import pytest
from coder import code_by_category

from visanda.codebook import Variable, define
from visanda.errors import DesignError, InputError
from visanda.study import estimate


@pytest.fixture
def predicted(study):
    code_by_category(study)
    study.train("nature")
    study.apply("nature")
    return study


@pytest.fixture
def dated(predicted):
    """With dates, outlets and followers of all photos."""
    ids = predicted.population()["id"]
    random = np.random.default_rng(4)
    date = pd.Timestamp("2022-01-01") + pd.to_timedelta(random.integers(0, 900, len(ids)), "D")
    known = pd.DataFrame({"date": date.strftime("%Y-%m-%d"), "outlet": random.choice(["taz", "FAZ", "ND"], len(ids))})
    known["followers"] = random.integers(10, 100_000, len(ids))
    known["retweets"] = random.negative_binomial(1, 0.1, len(ids))
    bring(predicted, known.assign(id=ids))
    return predicted


def bring(corpus, columns):
    """Columns of the user's own, by id."""
    source = corpus.paths(columns["id"].tolist())
    names = [source[id].name for id in columns["id"]]
    corpus.add(str(source[columns["id"][0]].parent), metadata=columns.drop(columns="id").assign(filename=names))


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
        ("colourfulness ~ natur", "did you mean .nature"),
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


def test_a_condition_changes_no_probability_of_the_draw(study):
    """Two rounds, the second of other strata and coded in part: a part of the pictures keeps what it was drawn with."""
    living = study.frame("SELECT id, living FROM media").set_index("id")["living"]
    study.sample("nature", n=60, seed=3)
    sheet = pd.read_csv(study.results / "nature-sheet.csv", dtype=str)
    study.code("nature", import_=sheet.assign(value=sheet["id"].map(living)), coder="ana")
    study.sample("nature", n=60, more=True, by=["category"], allocate="equal", seed=4)
    sheet = pd.read_csv(study.results / "nature-sheet-round2.csv", dtype=str).head(30)
    study.code("nature", import_=sheet.assign(value=sheet["id"].map(living)), coder="ana")
    study.train("nature")
    study.apply("nature")
    frame = study.join("colour", "nature")
    frame = frame[frame["category"].isin(["animal", "fish", "tool"])].reset_index(drop=True)
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
    found = study.estimate("colourfulness ~ nature", learner="raw", where="category IN ('animal', 'fish', 'tool')")
    assert frame["nature_pi"].nunique() > 1
    assert rows(found, "nature").to_numpy() == pytest.approx(rows(by_hand, "gold").to_numpy())


def test_a_condition_that_nothing_meets(predicted):
    with pytest.raises(InputError, match="there is no image where category = 'ghost'"):
        predicted.estimate("nature", where="category = 'ghost'")


def test_periods_are_made_of_the_dates(dated):
    found = dated.estimate("nature ~ outlet + year", cluster="author")
    assert "year" in set(found.table["term"])
    assert "year is made of the column date." in found.words
    within = dated.estimate("colourfulness ~ nature | outlet + month", model="fe")
    assert any(text.startswith("month is made of the column date, such as 202") for text in within.words)
    assert within.table["n"].max() == 218
    quarters = dated.estimate("colourfulness ~ nature + quarter").table["term"]
    assert "quarter[T.2022-Q2]" in set(quarters)
    days = dated.estimate("colourfulness ~ nature + date")
    assert set(days.table["term"]) == {"Intercept", "nature", "date"}
    assert any(text.startswith("date counts days from 2022-01-") for text in days.words)


def test_a_year_of_several_columns_of_dates_has_to_be_chosen(dated):
    first = rows(dated.estimate("colourfulness ~ nature + year"), "year")
    ids = dated.population()["id"]
    bring(dated, pd.DataFrame({"id": ids, "posted": np.where(ids.index % 2, "2011-05-01", "2019-05-01")}))
    with pytest.raises(InputError, match=r"'year'.*choose one with --date, of date, posted"):
        dated.estimate("colourfulness ~ nature + year")
    assert rows(dated.estimate("colourfulness ~ nature + year", date="date"), "year").equals(first)
    other = dated.estimate("colourfulness ~ nature + year", date="posted")
    assert "year is made of the column posted." in other.words
    assert not rows(other, "year").equals(first)
    with pytest.raises(InputError, match="--date posted: the formula has no day, week"):
        dated.estimate("colourfulness ~ nature", date="posted")


def test_where_nobody_brought_dates_the_camera_says_when(predicted):
    found = predicted.estimate("nature ~ year", model="lm")
    taken = predicted.frame("SELECT taken FROM media")["taken"].notna().sum()
    assert f"year is made of the column taken; {218 - taken} of 218 units have no date." in found.words
    assert found.table["n"].max() == taken


def test_predicted_variables_may_be_named(dated):
    formula = "retweets ~ nature + log(followers)"
    named = dated.estimate(formula, model="negbin", predicted=["nature"], resamples=60)
    same = dated.estimate(formula, model="negbin", resamples=60)
    pd.testing.assert_frame_equal(named.table, same.table)
    with pytest.raises(InputError, match="--predicted followers: nobody coded 'followers'"):
        dated.estimate(formula, predicted=["followers"])
    with pytest.raises(InputError, match=r"'natur' is not in .*Did you mean nature"):
        dated.estimate(formula, predicted=["natur"])


def test_a_coded_variable_that_is_not_predicted_is_taken_as_true(predicted):
    """From the codes, where all is coded; from a table that has a column of this name."""
    ids = predicted.population()["id"]
    define(predicted.folder, Variable("indoors", values=("yes", "no")))
    half = pd.DataFrame({"id": ids, "value": np.where(ids.index % 3, "no", "yes")})
    predicted.code("indoors", import_=half.head(100), coder="ana")
    with pytest.raises(DesignError, match=r"indoors is coded of 100 of 218 units.*--predicted \.\.\.,indoors"):
        predicted.estimate("nature ~ indoors", predicted=["nature"])
    predicted.code("indoors", import_=half.tail(118), coder="ana")
    found = predicted.estimate("nature ~ indoors", predicted=["nature"])
    assert found.table["n"].max() == 218 and "indoors is taken from its codes, and as true." in found.words
    bring(predicted, pd.DataFrame({"id": ids, "indoors": np.where(ids.index % 3, 0.0, 1.0)}))
    again = predicted.estimate("nature ~ indoors", predicted=["nature"])
    assert again.table["estimate"].to_numpy() == pytest.approx(found.table["estimate"].to_numpy())
    assert any("indoors is taken from the table" in text for text in again.words)


def test_another_question_is_written_beside_the_first(predicted):
    first = predicted.estimate("nature")
    assert any(text.startswith("Written to results: estimate.csv, estimate.json, estimate.png") for text in first.words)
    predicted.estimate("nature", seed=2)  # the same question
    assert not (predicted.results / "estimate-2.csv").exists()
    kept = (predicted.results / "estimate.csv").read_bytes()
    other = predicted.estimate("nature", where="category <> 'fish'")
    assert any("estimate-2.csv" in text for text in other.words)
    predicted.estimate("nature ~ brightness", model="lm")
    assert (predicted.results / "estimate-3.docx").exists()
    assert (predicted.results / "estimate.csv").read_bytes() == kept
    predicted.estimate("nature ~ brightness", name="estimate")  # named, it is written over
    assert (predicted.results / "estimate.csv").read_bytes() != kept


def test_a_formula_names_columns(predicted):
    with pytest.raises(InputError, match=r"'posts/photos\.csv' is a file: 'visanda add --metadata"):
        predicted.estimate("posts/photos.csv ~ nature")
    with pytest.raises(InputError, match="'colour' is a table, not a column: name one of its columns, brightness"):
        predicted.estimate("colour ~ nature")


def test_what_is_about_other_things_than_the_codes_is_not_joined(predicted):
    predicted.measure("faces")
    with pytest.raises(InputError, match=r"'yaw' is known of other things than each image, such as .*#xywh"):
        predicted.estimate("yaw ~ nature")
