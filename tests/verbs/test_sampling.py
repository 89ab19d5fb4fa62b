"""sample, population: what is drawn to be coded, with which probability, and the sheets that coders get."""

import numpy as np
import pandas as pd
import pytest

from visanda import codebook, codes
from visanda.errors import InputError
from visanda.study.sampling.rounds import in_any, rounds_of


def design_of(study, variable):
    design = codes.read_design(study.folder, variable)
    assert design["pi"].between(0, 1, inclusive="right").all()
    np.testing.assert_allclose(design["pi"], in_any(design[rounds_of(design)].to_numpy(float)))
    drawn = design[design["order"] > 0]
    assert sorted(drawn["order"]) == list(range(1, len(drawn) + 1))
    assert (drawn["round"] > 0).all() and (design.loc[design["order"] == 0, "round"] == 0).all()
    return design


def living_of(study):
    return study.frame("SELECT id, living FROM media").set_index("id")["living"]


def code_what_was_drawn(study, variable):
    """Code all that was drawn so far, from what is known of all photos."""
    drawn = design_of(study, variable).query("order > 0")["id"]
    given = pd.DataFrame({"id": drawn, "value": drawn.map(living_of(study))})
    study.code(variable, import_=given, coder="ana")


# simple and stratified


def test_a_sample_is_drawn_once_with_known_probabilities(study):
    drawn = study.sample("nature", n=40, by=["category"], seed=3)
    design = design_of(study, "nature")
    assert len(design) == 218 and (design["order"] > 0).sum() == 40
    shares = design.groupby("stratum").apply(lambda s: (s["order"] > 0).mean() - s["pi"].iloc[0])
    assert shares.abs().max() < 1e-12
    assert drawn.table["drawn"].sum() == 40
    sheet = pd.read_csv(study.results / "nature-sheet.csv")
    assert list(sheet.columns) == ["order", "id", "path", "value", "note"] and len(sheet) == 40
    study.sample("nature", n=40, by=["category"], seed=3)  # the same again is no new sample
    with pytest.raises(InputError, match="drawn already"):
        study.sample("nature", n=41, by=["category"], seed=3)


def test_columns_to_stratify_by_may_be_split_by_commas(study):
    assert len(study.sample("x", n=60, by=["category,living"]).table) == 7


def test_samples_leave_out_what_cannot_be_read_and_what_was_derived(study, tmp_path):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "bad.jpg").write_bytes(b"")
    study.add(str(tmp_path / "bad"))
    study.process("greyscale", out=tmp_path / "grey", limit=3)
    assert len(study.population()) == 218


@pytest.mark.parametrize(("n", "by", "says"), [(0, [], "n=0"), (219, [], "218 rows"), (5, ["category"], "7 strata")])
def test_a_sample_that_cannot_be_is_refused(study, n, by, says):
    with pytest.raises(InputError, match=says):
        study.sample("nature", n=n, by=by)


def test_a_column_that_is_not_there_is_named(study):
    with pytest.raises(InputError, match="did you mean 'category'"):
        study.sample("nature", n=10, by=["categorie"])


@pytest.mark.parametrize("name", ["../x", "a b", "1st", ""])
def test_names_that_cannot_name_files_are_refused(study, name):
    with pytest.raises(InputError, match="cannot name"):
        study.sample(name, n=10)


@pytest.mark.parametrize("name", ["colour", "media", "codes"])
def test_a_variable_cannot_take_the_name_of_a_table(study, name):
    with pytest.raises(InputError, match="another one"):
        study.sample(name, n=10)


def test_measures_are_strata_too_in_bins_of_equally_many(study):
    halves = study.sample("x", n=40, by=["brightness:2"])
    assert halves.table["pictures"].tolist() == [109, 109]
    said = study.sample("y", n=40, by=["brightness"])
    assert len(said.table) == 4 and any("cut into quarters" in text for text in said.words)
    with pytest.raises(InputError, match="text: only numbers"):
        study.sample("z", n=40, by=["category:3"])
    with pytest.raises(InputError, match="number of bins"):
        study.sample("z", n=40, by=["brightness:few"])


def test_neymans_allocation_draws_more_where_codes_differ_more(study):
    with pytest.raises(InputError, match="code a first sample"):
        study.sample("nature", n=40, by=["living"], allocate="neyman")
    chance = np.random.default_rng(1)
    ids = study.population()["id"]
    mixed = living_of(study).reindex(ids).eq("yes").to_numpy()  # values differ among the living only
    value = np.where(mixed & (chance.random(218) < 0.5), "yes", "no")
    study.code("nature", import_=pd.DataFrame({"id": ids, "value": value}), coder="ana")
    table = study.sample("nature", n=60, by=["living"], allocate="neyman").table.set_index("stratum")
    share = table["drawn"] / table["pictures"]
    assert share["yes"] > 2 * share["no"] > 0


# clusters


def test_whole_clusters_are_drawn(study):
    result = study.sample("x", n=100, cluster="subject", seed=2)
    design = design_of(study, "x")
    drawn = design.assign(drawn=design["order"] > 0).groupby("cluster")["drawn"]
    assert (drawn.mean().isin([0, 1])).all(), "all of a cluster, or none of it"
    assert design["pi"].nunique() == 1
    assert design["pi"].iloc[0] == pytest.approx(drawn.any().mean())
    assert any("whole clusters" in text for text in result.words)
    assert any("--cluster" in text for text in result.words)


def test_two_stages_make_units_about_equally_probable(study):
    study.sample("x", n=18, cluster="category", per_cluster=6)
    design = design_of(study, "x")
    drawn = design[design["order"] > 0]
    assert drawn.groupby("cluster").size().max() == 6
    assert len(drawn) == 18
    np.testing.assert_allclose(design["pi"], 18 / 218)


def test_a_cluster_in_two_strata_is_refused(study):
    with pytest.raises(InputError, match="several strata"):
        study.sample("x", n=40, cluster="category", by=["brightness:2"])


# favouring some


def test_words_are_favoured_and_nobody_is_shut_out(study):
    study.sample("fishes", n=40, favour="fish", seed=1)
    design = design_of(study, "fishes").set_index("id")
    assert (design["order"] > 0).sum() == 40
    assert design["pi"].sum() == pytest.approx(40)
    assert design["pi"].min() >= 0.25 * 40 / 218
    fish = study.search("fish", n=10)["id"]
    assert design.loc[fish, "pi"].mean() > 2.5 * design["pi"].mean()


def test_pictures_like_examples_are_favoured(study):
    result = study.sample("x", n=30, like=["photos/expl_wa__koala.webp,photos/cat_mon__colosseum.webp"])
    design = design_of(study, "x").set_index("id")
    assert (
        design["pi"].rank(ascending=False)[["photos/expl_wa__koala.webp", "photos/cat_mon__colosseum.webp"]].max() < 22
    )
    assert result.figure is not None
    with pytest.raises(InputError, match="neither an id"):
        study.sample("y", n=30, like=["nowhere.jpg"])


def test_a_column_can_be_the_size(study):
    study.sample("x", n=30, favour_column="brightness", floor=0.5)
    design = design_of(study, "x").set_index("id")
    brightness = study.frame("SELECT id, brightness FROM colour").set_index("id")["brightness"].reindex(design.index)
    expected = 30 * (0.5 / 218 + 0.5 * brightness / brightness.sum())
    np.testing.assert_allclose(design["pi"], expected)
    with pytest.raises(InputError, match="holds text"):
        study.sample("y", n=30, favour_column="category")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"favour": "fish", "favour_column": "brightness"}, "favour by one of them"),
        ({"per_cluster": 3}, "--per-cluster"),
        ({"favour": "fish", "floor": 0}, "floor=0"),
        ({"favour": "uncertain"}, "visanda train"),
        ({"allocate": "neyman"}, "--by"),
        ({"double": 0.25}, "coders c1,c2"),
        ({"double": 0.25, "coders": ["ana"]}, "is alone"),
        ({"coders": ["ana", "ana"], "double": 0.5}, "named twice"),
        ({"coders": ["gold,ana"]}, "settles"),
        ({"coders": ["a b"]}, "cannot name a coder"),
        ({"double": 1.5, "coders": ["ana,ben"]}, "0 to 1"),
        ({"more": True}, "no sample"),
        ({"pairs": 10}, "no pairwise comparison"),
    ],
)
def test_rules_that_do_not_go_together_are_refused(study, options, says):
    with pytest.raises(InputError, match=says):
        study.sample("x", n=30, **options)
    assert codes.read_design(study.folder, "x") is None


# rounds


def test_rounds_add_up_and_probabilities_stay_known(study):
    study.sample("nature", n=40, by=["category"], seed=3)
    with pytest.raises(InputError, match="nothing of it is coded yet"):
        study.sample("nature", n=40, by=["category"], seed=3, more=True)
    first = design_of(study, "nature")
    result = study.sample("nature", n=30, favour="fish", more=True)
    design = design_of(study, "nature")
    assert rounds_of(design) == ["pi_1", "pi_2"]
    assert set(first.loc[first["order"] > 0, "id"]) == set(design.loc[design["round"] == 1, "id"])
    assert ((1 - design["pi_1"]) * design["pi_2"]).sum() == pytest.approx(30)
    assert abs((design["round"] == 2).sum() - 30) < 6
    assert "round 2" in result.words[0]
    assert len(pd.read_csv(study.results / "nature-sheet-round2.csv")) == (design["round"] == 2).sum()
    assert len(pd.read_csv(study.results / "nature-sheet.csv")) == 40, "the first round's sheet stays"
    with pytest.raises(InputError, match="drawn already"):
        study.sample("nature", n=40, by=["category"], seed=3)


def test_what_is_in_doubt_is_drawn_by_predictions_that_know_nothing_of_the_unit(study):
    study.sample("nature", n=80, seed=3)
    code_what_was_drawn(study, "nature")
    study.train("nature")
    study.apply("nature")
    result = study.sample("nature", n=40, favour="uncertain", more=True)
    assert not any("cross-fitted" in text for text in result.warnings)
    design = design_of(study, "nature").set_index("id")
    predicted = study.frame("SELECT * FROM nature").set_index("id")["nature_crossfit_yes"]
    doubt = np.sqrt(2 * predicted * (1 - predicted))
    assert design["pi_2"].corr(doubt.reindex(design.index), method="spearman") > 0.99
    assert design["pi_2"].min() >= 0.25 * 40 / 218


def test_predictions_that_are_not_crossfitted_are_warned_of(study):
    study.sample("nature", n=80, seed=3)
    code_what_was_drawn(study, "nature")
    study.train("nature")
    study.apply("nature")
    seen = study.query("SELECT * EXCLUDE (nature_crossfit_no, nature_crossfit_yes) FROM nature")
    with study.parts("nature").writing():
        study.parts("nature").replace_all(seen, "without")
    result = study.sample("nature", n=40, favour="uncertain", more=True)
    assert any("not cross-fitted" in text for text in result.warnings)


def test_pictures_that_came_later_can_be_drawn_in_later_rounds(photos, tmp_path):
    corpus = photos(40)
    corpus.sample("x", n=10)
    before = design_of(corpus, "x")
    from_elsewhere = tmp_path / "later"
    from_elsewhere.mkdir()
    for number, (id, path) in enumerate(corpus.paths(before["id"].head(12).tolist()).items()):
        (from_elsewhere / f"{number}-{id.rsplit('/', 1)[-1]}").write_bytes(path.read_bytes())
    corpus.add(str(from_elsewhere))
    result = corpus.sample("x", n=20, more=True)
    design = design_of(corpus, "x").set_index("id")
    late = design.index.difference(before["id"])
    assert len(late) == 12 and (design.loc[late, "pi_1"] == 0).all()
    np.testing.assert_allclose(design.loc[late, "pi"], design.loc[late, "pi_2"])
    assert any("12 units are new" in text for text in result.words)


def test_a_round_may_draw_from_a_part_and_the_next_goes_on_as_before(study):
    study.sample("x", n=30, where="living = 'yes'", seed=1)
    study.sample("x", n=10, more=True, seed=2)
    design = design_of(study, "x")
    assert set(design["id"]) == set(study.population("living = 'yes'")["id"])
    study.sample("x", n=10, more=True, where="living = 'no'", seed=2)
    design = design_of(study, "x").set_index("id")
    assert len(design) == 218 and (design["pi"] > 0).all()
    drawn = design[design["round"] == 3]
    assert (living_of(study)[drawn.index] == "no").all() and len(drawn) == 10


# coders


def test_coders_get_sheets_of_their_own_that_tell_them_nothing(study):
    result = study.sample("nature", n=40, by=["category"], double=0.25, coders=["ana,ben,cem"], seed=4)
    design = design_of(study, "nature")
    given = design.loc[design["order"] > 0].set_index("id")["coders"].str.split("|", regex=False)
    assert (given.map(len) == 2).sum() == 10 and (given.map(len) == 1).sum() == 30
    sheets = {coder: pd.read_csv(study.results / f"nature-sheet-{coder}.csv") for coder in ("ana", "ben", "cem")}
    for coder, sheet in sheets.items():
        assert list(sheet) == ["order", "id", "path", "value", "note"], "no stratum, no prediction, no other coder"
        assert set(sheet["id"]) == {id for id, who in given.items() if coder in who}
        assert sheet["id"].tolist() != sorted(sheet["id"], key=design.set_index("id")["order"].get)
        assert f"visanda code nature --import results/nature-sheet-{coder}.csv --coder {coder}" in result.words
    assert max(map(len, sheets.values())) - min(map(len, sheets.values())) <= 1
    assert not (study.results / "nature-sheet.csv").exists()


def test_coders_may_be_named_later_but_not_changed(study):
    study.sample("x", n=20)
    study.sample("x", n=20, double=0.5, coders=["ana,ben"])
    assert (design_of(study, "x").query("order > 0")["coders"] != "").all()
    with pytest.raises(InputError, match="drawn already"):
        study.sample("x", n=20, double=0.5, coders=["ana,cem"])


def test_the_next_round_goes_to_the_same_coders(study):
    study.sample("x", n=20, double=0.5, coders=["ana,ben"])
    study.sample("x", n=20, more=True, seed=2)
    second = design_of(study, "x").query("round == 2")
    assert (second["coders"] == "ana|ben").sum() == round(0.5 * len(second))
    assert (study.results / "x-sheet-ben-round2.csv").exists()


def test_a_sheet_that_was_filled_in_is_never_written_over(study):
    path = study.results / "nature-sheet.csv"
    study.sample("nature", n=20, seed=3)
    filled = pd.read_csv(path, dtype=str).assign(value="yes")
    filled.to_csv(path, index=False)
    study.sample("nature", n=20, seed=3)
    assert pd.read_csv(path)["value"].tolist() == ["yes"] * 20
    study.sample("nature", n=25, seed=3, replace=True)
    assert len(pd.read_csv(path)) == 25
    (aside,) = study.results.glob("nature-sheet-until-*.csv")
    assert pd.read_csv(aside)["value"].tolist() == ["yes"] * 20


# other units


def test_pairs_to_compare_are_drawn_among_the_units(study):
    codebook.define(study.folder, codebook.Variable("colourful", scale="pairwise", definition="More colourful?"))
    result = study.sample("colourful", n=20, pairs=60, double=0.5, coders=["ana,ben"])
    assert (design_of(study, "colourful")["order"] > 0).sum() == 20
    sheets = [pd.read_csv(study.results / f"colourful-sheet-{coder}.csv") for coder in ("ana", "ben")]
    assert [len(sheet) for sheet in sheets] == [45, 45]
    pairs = pd.concat(sheets)["id"].drop_duplicates()
    assert len(pairs) == 60 and pairs.str.contains(codebook.PAIR).all()
    assert any("60 random pairs" in text for text in result.words)
    with pytest.raises(InputError, match="at least 19"):
        study.sample("colourful", n=20, pairs=10, replace=True)


def test_a_sample_says_how_sure_a_share_will_be(study):
    words = " ".join(study.sample("x", n=100).words)
    assert "± 9.8 points" in words and "385 codes" in words
    favoured = " ".join(study.sample("y", n=100, favour_column="brightness", floor=0.05).words)
    assert "Unequal probabilities" in favoured
