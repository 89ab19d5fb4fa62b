"""What rounds of sampling, unsettled codes and new splits do to tests and estimates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from coder import code_by_category, known

from visanda import codes
from visanda.errors import InputError
from visanda.learn.frozen import read_split


def code_drawn(study, variable, rounds, coder="ana"):
    """Code what some rounds drew, by what is known of all photos."""
    design = codes.read_design(study.folder, variable)
    ids = design.loc[design["round"].isin(rounds), "id"]
    study.code(variable, import_=pd.DataFrame({"id": ids, "value": ids.map(known(study, "living"))}), coder=coder)


def test_a_test_set_weighs_by_the_rounds_it_came_from(study):
    """Units of the frozen test set were all drawn alike, whatever later rounds favoured."""
    study.sample("nature", n=80, seed=3)
    code_drawn(study, "nature", [1])
    study.train("nature")
    study.apply("nature")
    before = study.evaluate("nature", resamples=20).table
    study.sample("nature", n=40, favour="uncertain", more=True)
    code_drawn(study, "nature", [2])
    after = study.evaluate("nature", resamples=20)
    assert after.provenance["weighted"] is False
    np.testing.assert_allclose(after.table["value"], before["value"])
    assert read_split(study.models / "nature").settings["coded of rounds"] == [1.0]


def test_a_round_that_is_not_coded_changes_no_estimate(study):
    code_by_category(study, n=100)
    study.train("nature")
    study.apply("nature")
    before = study.estimate("nature").table
    study.sample("nature", n=40, favour="uncertain", more=True)
    after = study.estimate("nature").table
    np.testing.assert_allclose(after["estimate"][:2], before["estimate"][:2], rtol=1e-12)
    assert abs(after["estimate"][2] - before["estimate"][2]) < 0.05 * before["se"][2], "but for other folds, the same"


def test_a_round_that_was_coded_in_part_counts_for_that_part(study):
    code_by_category(study, n=80)
    study.train("nature")
    study.apply("nature")
    study.sample("nature", n=60, favour="uncertain", more=True)
    design = codes.read_design(study.folder, "nature")
    some = design.loc[design["round"] == 2].sort_values("order")["id"].head(12)
    study.code("nature", import_=pd.DataFrame({"id": some, "value": some.map(known(study, "living"))}), coder="ana")
    pi = study.join("nature").set_index("id")["nature_pi"]
    share = 12 / (design["round"] == 2).sum()
    first, second = (design.set_index("id")[name] for name in ("pi_1", "pi_2"))
    np.testing.assert_allclose(pi, (1 - (1 - first) * (1 - share * second)).reindex(pi.index))


def test_units_over_which_coders_are_split_are_said_everywhere(study):
    code_by_category(study, n=100)
    ids = codes.read_design(study.folder, "nature").query("order > 0")["id"].head(6)
    other = ids.map(known(study, "living")).map({"yes": "no", "no": "yes"})
    study.code("nature", import_=pd.DataFrame({"id": ids, "value": other}), coder="ben")
    for result in (study.train("nature"), study.evaluate("nature", resamples=20)):
        assert any("split over 6 units of nature" in text for text in result.warnings)
    study.apply("nature")
    estimate = study.estimate("nature")
    assert any("split over 6 units of nature" in text for text in estimate.warnings)
    assert estimate.table.set_index("method").loc["gold only", "n"] == 94


def test_variables_that_were_drawn_together_are_estimated_on_what_they_share(study):
    study.sample("nature,fishy", n=90, seed=2)
    living, kind = known(study, "living"), known(study, "category")
    ids = codes.read_design(study.folder, "nature").query("order > 0")["id"]
    fishy = ids.map(kind).eq("fish").map({True: "yes", False: "no"})
    study.code("nature", import_=pd.DataFrame({"id": ids, "value": ids.map(living)}), coder="ana")
    study.code("fishy", import_=pd.DataFrame({"id": ids, "value": fishy}), coder="ana")
    for variable in ("nature", "fishy"):
        study.train(variable)
        study.apply(variable)
    before = study.estimate("colourfulness ~ nature + fishy").table
    drawn = study.sample("nature", n=30, favour="uncertain", more=True)
    assert any("earlier rounds were drawn for fishy too" in text for text in drawn.warnings)
    code_drawn(study, "nature", [2])
    result = study.estimate("colourfulness ~ nature + fishy")
    assert any("Only the rounds that were drawn for" in text for text in result.warnings)
    fixed = ~before["method"].str.startswith("corrected")
    np.testing.assert_allclose(result.table.loc[fixed, "estimate"], before.loc[fixed, "estimate"], rtol=1e-9)


def test_a_model_is_not_tested_on_what_it_learnt_from(study):
    code_by_category(study, n=120)
    study.train("nature")
    study.train("nature", model="knn", seed=5, replace=True)
    with pytest.raises(InputError, match=r"'linear'.*learnt from \d+ of its \d+ units: train it again"):
        study.evaluate("nature", model="linear")
    study.models_export("nature", study.folder / "out", model="linear")
    split = pd.read_csv(study.folder / "out" / "split.csv").set_index("id")["set"]
    learnt = pd.read_csv(study.models / "nature" / "linear" / "rows.csv")["id"]
    assert set(split.reindex(learnt)) <= {"train", "validation"}


@pytest.mark.parametrize("seed", range(6))
def test_a_value_with_two_members_can_be_learnt_from_with_any_seed(study, seed):
    ids = study.population()["id"]
    values = ["rare"] * 3 + ["common"] * 37
    study.code("odd", import_=pd.DataFrame({"id": ids[40:80], "value": values}), coder="ana")
    result = study.train("odd", seed=seed)
    assert any("fewer than 10 units to learn 'rare' from" in text for text in result.warnings)


def test_near_duplicates_are_looked_for_before_a_split_is_made(photos):
    corpus = photos(30)
    ids = corpus.population()["id"]
    corpus.code("light", import_=pd.DataFrame({"id": ids, "value": ["yes", "no"] * 15}), coder="ana")
    corpus.train("light")
    assert "hash" in corpus.tables()


def test_unequal_draws_are_weighed_in_training_and_said(study):
    living = known(study, "living").eq("yes")
    study.sample("nature", n=100, by=["living"], allocate="equal", seed=3)
    code_drawn(study, "nature", [1])
    result = study.train("nature")
    assert any("as many times as it stands for" in text for text in result.words)
    study.apply("nature")
    said = study.join("nature").set_index("id")["nature_p_yes"]
    assert abs(said.mean() - living.mean()) < 0.05
    weights = pd.read_csv(study.models / "nature" / "linear" / "rows.csv")["weight"]
    assert weights.nunique() > 1
    assert weights.mean() == pytest.approx(1)


def test_slips_of_the_pen_draw_no_sample(study):
    study.codebook("outdoor", values=["no", "yes"])
    with pytest.raises(InputError, match="did you mean 'outdoor'"):
        study.sample("outdor", n=20)


def test_reliability_tells_of_values_coders_and_time(study):
    code_by_category(study, n=60)
    ids = codes.read_design(study.folder, "nature").query("order > 0").sort_values("order")["id"]
    values = ids.map(known(study, "living")).tolist()
    values[::9] = ["yes" if value == "no" else "no" for value in values[::9]]
    study.code("nature", import_=pd.DataFrame({"id": ids, "value": values}), coder="ben")
    result = study.reliability("nature", width=0.05)
    titles = [one.title for one in result.also]
    assert titles[:2] == ["Agreement by value", "Agreement by coder"]
    assert "Drift of coders" in titles
    assert set(result.also[1].table["coder"]) == {"ana", "ben"}
    assert any("± 0.050" in text for text in result.words)
    assert (study.results / "nature-reliability-agreement-by-value.csv").exists()


def test_what_coders_never_disagreed_on_is_no_proof(study):
    code_by_category(study, n=40)
    code_drawn(study, "nature", [1], coder="ben")
    result = study.reliability("nature")
    agreement = result.table.iloc[0]
    assert agreement["value"] == 1
    assert 0.9 < agreement["low"] < 0.95
    assert any("up to 7.2% of units" in text for text in result.warnings)


def test_predictions_elsewhere_are_compared_with_those_of_coded_units(study, tmp_path):
    code_by_category(study, n=120)
    study.train("nature")
    fish = study.population("category = 'fish'")["id"].head(25).tolist()
    folder = tmp_path / "new"
    folder.mkdir()
    for id, path in study.paths(fish).items():
        (folder / id.rsplit("/", 1)[-1]).write_bytes(path.read_bytes())
    result = study.apply("nature", to=[folder])
    assert any("differs most" in text for text in result.words)
    assert any("not tested yet" in text for text in result.warnings)
    assert (study.results / "nature-on-new-drift.png").exists()
