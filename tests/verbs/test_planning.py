"""plan and shares, and what estimate has learnt: methods, categories, tables for papers, replication."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from coder import code_by_category

from visanda.errors import DesignError, InputError
from visanda.study import adjusted_shares


@pytest.fixture
def predicted(study):
    code_by_category(study)
    study.train("nature")
    study.apply("nature")
    return study


def test_a_plan_from_codes_and_where_they_are_best_spent(predicted):
    result = predicted.plan("nature", target_se=0.02, by=["category"])
    assert "100 of 218 units are coded" in result.words[0]
    assert (predicted.results / "plan.csv").exists()
    table = result.also[0].table
    assert table["share"].sum() == pytest.approx(1)
    assert "visanda sample nature --more --allocate neyman --by category" in result.also[0].words[0]
    assert set(table["stratum"]) == set(predicted.population()["category"])
    regression = predicted.plan("colourfulness ~ nature", effect=10, power=0.8)
    assert "power of 80%" in regression.words[1]


def test_a_plan_before_anything_is_coded(study):
    result = study.plan("protest", target_se=0.05)
    assert result.table["codes"].iloc[0] == 100
    assert result.also[0].title == "What coding twice buys"
    with pytest.raises(InputError, match="plan its share first"):
        study.plan("colourfulness ~ protest")


def test_another_question_overwrites_no_answer(predicted):
    predicted.plan("nature", target_se=0.03)
    predicted.plan("nature", target_se=0.04)
    predicted.plan("nature", target_se=0.03)
    predicted.shares("nature")
    predicted.shares("nature", by=["licence"])
    files = {path.name for path in predicted.results.glob("*.csv")}
    assert {"plan.csv", "plan-2.csv", "nature-shares.csv", "nature-shares-2.csv"} <= files
    assert not {"plan-3.csv", "nature-shares-3.csv"} & files
    with pytest.raises(InputError, match="--target-se"):
        predicted.plan("colourfulness ~ nature")


def test_shares_by_month_are_named_and_drawn_as_months(predicted):
    files = predicted.frame("SELECT id FROM media ORDER BY id")["id"]
    day = pd.Series(np.resize(["2024-01-03", "2024-02-28"], len(files)), name="published")
    predicted.add(metadata=pd.concat([files.str.split("/").str[-1].rename("filename"), day], axis=1))
    result = predicted.shares("nature", by=["month"])
    assert list(result.table["group"].unique()) == ["2024-01", "2024-02"]
    assert result.figure.axes[0].get_xlabel() == "month"
    assert predicted.shares("nature", by=["quarter"]).table["group"].unique().tolist() == ["2024-Q1"]


def test_shares_by_group_with_adjusted_counts(predicted):
    living = predicted.frame("SELECT id, living FROM media").set_index("id")["living"]
    result = predicted.shares("nature", adjust=True)
    table = result.table.set_index("method")
    assert table.loc["corrected (DSL)", "low"] < living.eq("yes").mean() < table.loc["corrected (DSL)", "high"]
    adjusted = result.also[0].table.set_index("class")
    assert adjusted["adjusted"].sum() == pytest.approx(1)
    by = predicted.shares("nature", by=["licence"])
    assert set(by.table["group"]) == {"CC0-1.0", "Public Domain"}
    assert any(text.startswith("No corrected share of Public domain: ") for text in by.warnings)
    assert by.figure is not None


def test_counts_are_adjusted_by_labels_that_have_not_seen_the_codes(predicted):
    """A head on its own 100 training pictures makes no error; by its labels nothing would be adjusted."""
    adjusted = predicted.shares("nature", adjust=True).also[0]
    frame = predicted.join("nature")
    frame["counted"] = np.where(frame["nature_crossfit_yes"] > frame["nature_crossfit_no"], "yes", "no")
    by_hand = adjusted_shares(frame, "nature", "counted", sample_prob="nature_pi").table.set_index("class")
    mine = adjusted.table.set_index("class")
    for name in ("naive", "adjusted", "se"):
        assert mine.loc["1", name] == pytest.approx(by_hand.loc["yes", name]), name
    rates = adjusted.extra["error rates"]
    assert (rates.loc[rates["true"] != rates["said"], "rows"] > 0).any()
    own = (frame["nature_predicted"] == "yes").mean()
    assert any("had not learnt from" in text and f"{own:.1%}" in text for text in adjusted.words)


def test_a_probability_that_nobody_knows_is_no_equal_one(study):
    living = study.frame("SELECT id, living FROM media").head(90)
    study.code("nature", import_=living.rename(columns={"living": "value"}), coder="ana")
    study.train("nature")
    study.apply("nature")
    for ask in (study.estimate, study.plan, study.shares):
        with pytest.raises(DesignError, match="--assume-random"):
            ask("nature")
    assert study.estimate("nature", assume_random=True).provenance["sample_prob"] == "equal"


def test_other_corrections_and_marginal_effects(predicted):
    bootstrapped = predicted.estimate("colourfulness ~ nature", method="debias", resamples=60)
    dsl = predicted.estimate("colourfulness ~ nature")
    ours, theirs = (
        one.table[one.table["method"].str.startswith("corrected") & (one.table["term"] == "nature")].iloc[0]
        for one in (bootstrapped, dsl)
    )
    assert abs(ours["estimate"] - theirs["estimate"]) < theirs["se"]
    margins = predicted.estimate("nature ~ brightness", margins=True)
    assert margins.also[0].title.endswith("average marginal effects")
    effects = predicted.estimate("colourfulness ~ nature | licence", model="fe", name="fixed")
    assert list(effects.table["term"].unique()) == ["nature"]


def test_tables_for_papers_and_a_replication_that_runs_without_pictures(predicted, tmp_path):
    result = predicted.estimate("colourfulness ~ nature", replication=tmp_path / "again")
    for ending in ("csv", "json", "png", "docx", "tex", "html"):
        assert (predicted.results / f"estimate.{ending}").exists()
    assert any("without pictures" in text for text in result.words)
    done = subprocess.run(
        [sys.executable, "analysis.py"], cwd=tmp_path / "again", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "photos/" not in (tmp_path / "again" / "data.csv").read_text("utf-8")
    assert pd.read_csv(tmp_path / "again" / "expected.csv")["estimate"].tolist() == pytest.approx(
        result.table["estimate"].tolist()
    )
