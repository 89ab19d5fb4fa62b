"""train: every kind of model, every scale of the codebook, honest splits."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from coder import code_all, code_by_category, known
from video_clips import panned, write_video

import visanda
from visanda import codes
from visanda.codebook import PAIR, Variable, define
from visanda.corpus import Corpus
from visanda.errors import CorpusError, InputError
from visanda.learn.frozen import read_split, times_looked
from visanda.learn.trained import load
from visanda.media import Image

PHOTOS = Path(visanda.__file__).parent / "sample" / "photos"


@pytest.fixture
def filmed(tmp_path):
    """Eight videos of four seconds, of one photo each, half of them of fish; frames measured."""
    (tmp_path / "v").mkdir()
    for kind, photos in (("fish", sorted(PHOTOS.glob("cat_fish*"))), ("other", sorted(PHOTOS.glob("*monument*")))):
        for number, path in enumerate((photos or sorted(PHOTOS.glob("expl*")))[:8:2]):
            picture = Image.of(path).pixels
            film = panned(picture, 20, size=(160, 120), end=(0.5, 0.5, 1.0))
            write_video(tmp_path / "v" / f"{kind}{number}.mp4", film, 5)
    corpus = Corpus.init(tmp_path / "filmed")
    corpus.add(str(tmp_path / "v"))
    corpus.frames(every="1s")
    corpus.measure("embed", on="frame")
    return corpus


def split_of(corpus, variable="nature"):
    return read_split(corpus.models / variable).sets.set_index("id")["set"]


@pytest.mark.parametrize("kind", ["linear", "knn", "mlp", "boosting"])
def test_every_kind_of_head_learns_and_is_applied(study, kind):
    code_by_category(study)
    result = study.train("nature", model=kind, group=["scene"], balance=kind == "linear")
    assert result.provenance["cross-validated"]["accuracy"] > 0.8
    assert any("this is not the test" in text for text in result.words)
    study.apply("nature")
    uncoded = study.join("nature").query("nature.isna()")
    assert (uncoded["nature_predicted"] == uncoded["living"]).mean() > 0.85
    trained = load(study.models / "nature")
    assert trained.name == kind and len(trained.folds) == 5 and times_looked(study.models / "nature") == 0


def test_the_test_set_is_not_learnt_from(study):
    code_by_category(study)
    study.train("nature", group=["scene"])
    trained = load(study.models / "nature")
    assert (trained.split.sets["set"] == "test").sum() == pytest.approx(25, abs=2)
    assert trained.learnt_of_test == 0 and set(trained.rows["set"]) == {"train", "validation"}
    scenes = trained.split.sets.assign(scene=trained.split.sets["id"].map(known(study, "scene")))
    assert scenes.groupby("scene")["set"].nunique().max() == 1


def test_ordinal_values_are_in_the_codebooks_order(study):
    ranks = {"fish": "much", "animal": "much", "music": "some", "household": "some", "tool": "some"}
    values = known(study, "category").map(ranks).fillna("none of it")
    code_all(study, "alive", values, "ordinal", ("none of it", "some", "much"))
    result = study.train("alive")
    assert load(study.models / "alive").target.classes == ("none of it", "some", "much")
    assert result.provenance["cross-validated"]["mean absolute error"] < 0.6
    study.apply("alive")
    predicted = study.join("alive")
    shares = predicted[["alive_p_none_of_it", "alive_p_some", "alive_p_much"]].to_numpy()
    assert shares.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_several_labels_have_a_probability_each(study):
    labels = {"fish": "animal|water", "animal": "animal", "monument": "building"}
    code_all(
        study,
        "shows",
        known(study, "category").map(labels).fillna("none"),
        "multilabel",
        ("animal", "building", "water"),
    )
    study.train("shows")
    study.apply("shows", abstain=0.2)
    predicted = study.join("shows").set_index("id")
    assert {"shows_p_water", "shows_crossfit_animal", "shows_abstained"} <= set(predicted)
    truth = predicted["category"].map(labels).fillna("none")
    assert (predicted["shows_predicted"] == truth).mean() > 0.85
    fish = predicted[predicted["category"] == "fish"]
    assert (fish["shows_p_water"] + fish["shows_p_animal"]).mean() > 1.5
    estimate = study.estimate("shows_water", name="water", assume_random=True).table.set_index("method")
    assert estimate.loc["gold only", "estimate"] == pytest.approx(28 / 218)


def test_numbers_are_predicted_and_estimated(study):
    colour = study.frame("SELECT id, brightness FROM colour").set_index("id")["brightness"]
    sample = study.sample("light", n=150, seed=3)
    drawn = pd.read_csv(study.results / "light-sheet.csv")["id"]
    assert len(sample.table)
    code_all(study, "light", colour[drawn], "interval")
    study.train("light")
    study.apply("light", conformal=0.1)
    predicted = study.join("light").set_index("id")
    rest = predicted.drop(drawn)
    assert np.corrcoef(rest["light_predicted"], colour[rest.index])[0, 1] > 0.5
    inside = (rest["light_low"] <= colour[rest.index]) & (colour[rest.index] <= rest["light_high"])
    assert 0.8 <= inside.mean() < 1
    table = study.estimate("light").table.set_index("method")
    corrected = table[table.index.str.startswith("corrected")].iloc[0]
    assert corrected["low"] < colour.mean() < corrected["high"]
    with pytest.raises(InputError, match="numbers have --conformal"):
        study.apply("light", abstain=0.1)


def test_pairs_are_learnt_as_scores(study):
    colour = study.frame("SELECT id, brightness FROM colour ORDER BY id").set_index("id")["brightness"]
    random = np.random.default_rng(1)
    ids = colour.index[::4].tolist()
    pairs = [tuple(random.choice(ids, 2, replace=False)) for _ in range(600)]
    winner = ["left" if colour[a] > colour[b] else "right" for a, b in pairs]
    define(study.folder, Variable("brighter", "pairwise"))
    said = pd.DataFrame({"id": [f"{a}{PAIR}{b}" for a, b in pairs], "value": winner}).drop_duplicates("id")
    codes.append(study.folder, "brighter", "ana", said)
    study.train("brighter")
    study.apply("brighter")
    rest = study.join("brighter").set_index("id").drop(ids)
    assert np.corrcoef(rest["brighter_predicted"], colour[rest.index])[0, 1] > 0.4


def test_words_alone_make_a_model_and_codes_tune_it(study):
    study.codebook("kind", values=["fish", "building"], prompt=["fish=a fish under water", "building=a building"])
    assert any("rests on words alone" in text for text in study.train("kind", model="zeroshot").words)
    study.apply("kind")
    predicted = study.join("kind")
    assert {"kind_crossfit_fish", "kind_p_building"} <= set(predicted)
    kinds = predicted["category"].map({"fish": "fish", "monument": "building"})
    assert (predicted["kind_predicted"] == kinds)[kinds.notna()].mean() > 0.75
    code_all(
        study, "kind", kinds[kinds.notna()].set_axis(predicted["id"][kinds.notna()]), "nominal", ("fish", "building")
    )
    tuned = study.train("kind", model="zeroshot", name="tuned_words")
    assert tuned.provenance["cross-validated"]["accuracy"] > 0.8
    assert len(load(study.models / "kind", "tuned_words").folds) == 5


def test_no_code_is_predicted_by_a_model_that_saw_it(study):
    """Flip one code: the cross-fitted probability of that very picture must not move."""
    code_by_category(study)
    study.train("nature")
    study.apply("nature")
    trained = load(study.models / "nature")
    before = study.join("nature").set_index("id")["nature_crossfit_yes"]
    for picture, value in trained.rows[["id", "value"]].head(2).itertuples(index=False):
        flipped = {"yes": "no", "no": "yes"}[value]
        study.code("nature", import_=pd.DataFrame({"id": [picture], "value": [flipped]}), coder="ana")
        study.train("nature")
        study.apply("nature")
        after = study.join("nature").set_index("id")["nature_crossfit_yes"]
        assert after[picture] == pytest.approx(before[picture], abs=1e-6)
        assert (after != before).sum() > 100, "the others must have learnt of it"
        study.code("nature", import_=pd.DataFrame({"id": [picture], "value": [value]}), coder="ana")


def test_the_test_set_stays_frozen_when_codes_come_in_and_with_other_models(study):
    code_by_category(study)
    study.train("nature")
    before = split_of(study)
    uncoded = study.join("nature").query("nature.isna()").head(20)
    study.code("nature", import_=uncoded[["id"]].assign(value=uncoded["living"]), coder="ana")
    result = study.train("nature", model="knn", seed=2)
    after = split_of(study)
    assert after[before.index].equals(before)
    assert (after == "train").sum() >= (before == "train").sum() + 15
    assert any("stays as it was frozen, with seed 1" in text for text in result.warnings)
    with pytest.raises(InputError, match=r"frozen \(--test 0.25, seed 1\)"):
        study.train("nature", test=0.4)
    with pytest.raises(InputError, match="frozen"):
        study.train("nature", group=["author"])


def test_another_split_is_said_and_old_models_know_that_they_saw_its_test(study):
    code_by_category(study)
    study.train("nature")
    result = study.train("nature", model="knn", seed=5, replace=True)
    assert any("1 other test sets were frozen before" in text for text in result.warnings)
    assert load(study.models / "nature", "linear").learnt_of_test > 0
    assert load(study.models / "nature", "knn").learnt_of_test == 0


def test_near_copies_are_never_on_both_sides(study):
    study.code("kind", import_=study.frame("SELECT id, category AS value FROM media"), coder="ana")
    study.train("kind")
    split = split_of(study, "kind")
    for _, members in study.duplicates().table.groupby("group"):
        assert split[members["id"]].nunique() == 1


def test_frames_of_one_video_are_never_on_both_sides(filmed):
    frames = filmed.frame("SELECT id, parent FROM frames").set_index("id")["parent"]
    code_all(filmed, "kind", frames.str.extract(r"(fish|other)")[0])
    filmed.train("kind")
    trained = load(filmed.models / "kind")
    sets = trained.split.sets
    assert trained.card["on"] == "frame" and set(sets["set"]) >= {"train", "test"}
    assert sets.groupby(sets["id"].map(frames))["set"].nunique().max() == 1
    filmed.apply("kind")
    predicted = filmed.frame("SELECT * FROM kind")
    assert set(predicted["id"]) == set(frames.index) and predicted["error"].isna().all()
    estimate = filmed.estimate("kind_fish", name="share", assume_random=True).table.set_index("method")
    assert estimate.loc["gold only", "estimate"] == pytest.approx((frames.str.contains("fish")).mean())


def test_a_value_with_two_members_is_learnt_untested_and_said(study):
    values = known(study, "category").where(lambda kind: kind.isin(["fish", "monument"]), "other").copy()
    values[values[values == "other"].index[:2]] = "rare"
    code_all(study, "kind", values)
    result = study.train("kind")
    assert any("fewer than 10 units to learn 'rare'" in text for text in result.warnings)
    assert any("test set has none of 'rare'" in text for text in result.warnings)
    assert "rare" in load(study.models / "kind").target.classes


def test_what_cannot_be_trained_says_why(study):
    with pytest.raises(InputError, match="nobody has coded"):
        study.train("nature")
    one = pd.DataFrame({"id": study.population()["id"].head(20), "value": "yes"})
    study.code("same", import_=one, coder="ana")
    with pytest.raises(InputError, match="all 20 coded units have the value 'yes'"):
        study.train("same")
    study.code("few", import_=one.head(4).assign(value=["a", "b", "a", "b"]), coder="ana")
    with pytest.raises(InputError, match="at least 8"):
        study.train("few")
    with pytest.raises(InputError, match="no column 'autor'"):
        code_by_category(study, n=60)
        study.train("nature", group=["autor"])
    with pytest.raises(InputError, match="no column 'embedding'"):
        study.train("nature", embedding="colour")
    with pytest.raises(InputError, match="belong together"):
        fish = known(study, "category").loc[lambda kind: kind == "fish"]
        study.code("fishy", import_=pd.DataFrame({"id": fish.index, "value": ["a", "b"] * 14}), coder="ana")
        study.train("fishy", group=["category"])
    assert read_split(study.models / "nature") is None, "what was refused froze nothing"


def test_a_test_set_of_five_is_said_to_say_nothing(study):
    code_by_category(study, n=22)
    result = study.train("nature")
    assert any("its numbers will say next to nothing" in text for text in result.warnings)


def test_a_model_of_an_earlier_version_is_told(study):
    code_by_category(study, n=60)
    folder = study.models / "nature"
    folder.mkdir(parents=True)
    (folder / "heads.npz").write_bytes(b"")
    (folder / "card.json").write_text("{}")
    (folder / "split.csv").write_text("id,set,group,value\n")
    with pytest.raises(CorpusError, match="earlier version: train again with --replace"):
        study.train("nature")
    study.train("nature", replace=True)
    assert load(folder).name == "linear"


def test_groups_by_an_author_are_never_on_both_sides(study):
    code_by_category(study)
    study.train("nature", group=["author"])
    sets = read_split(study.models / "nature").sets
    authors = sets["id"].map(known(study, "author"))
    assert sets.groupby(authors)["set"].nunique().max() == 1
    rows = load(study.models / "nature").rows
    assert rows.groupby(rows["id"].map(known(study, "author")))["fold"].nunique().max() == 1, "nor in two folds"


def test_all_models_of_a_variable_have_one_split_and_none_looks_at_the_test(study):
    code_by_category(study)
    for kind in ("linear", "knn"):
        study.train("nature", model=kind)
    study.tune("nature", trials=2)
    study.learning_curve("nature", more=50, repeats=2)
    models = [load(study.models / "nature", name) for name in ("linear", "knn", "tuned")]
    assert len({tuple(model.split.of("test")["id"]) for model in models}) == 1
    assert all(model.learnt_of_test == 0 for model in models)
    assert len({tuple(sorted(model.rows["id"])) for model in models}) == 1
    assert times_looked(study.models / "nature") == 0


def test_codes_of_the_test_set_change_no_model(study):
    """Every code of the test set is turned round after the split is frozen: what is trained is the same."""
    code_by_category(study)
    study.train("nature")
    before = load(study.models / "nature").model
    test = read_split(study.models / "nature").of("test")["id"]
    turned = study.join("nature").set_index("id").loc[test, "nature"].map({"yes": "no", "no": "yes"})
    study.code("nature", import_=pd.DataFrame({"id": test.to_numpy(), "value": turned.to_numpy()}), coder="ana")
    study.train("nature")
    assert load(study.models / "nature").model == before


def test_codes_that_contradict_what_a_model_says_are_shown(study):
    code_by_category(study, n=150)
    living = known(study, "living")
    coded = study.join("nature").set_index("id")["nature"].dropna()
    planted = coded.index[::20].tolist()
    wrong = living[planted].map({"yes": "no", "no": "yes"})
    study.code("nature", import_=pd.DataFrame({"id": planted, "value": wrong.to_numpy()}), coder="ana")
    result = study.train("nature", group=["scene"])
    assert any("look doubtful to a model that had not seen them" in text for text in result.words)
    table = pd.read_csv(study.results / "nature-doubtful.csv")
    assert list(table) == ["id", "coded", "suggested", "doubt"]
    learnt = set(load(study.models / "nature").rows["id"]) & set(planted)
    assert len(set(table["id"]) & learnt) >= 0.6 * len(learnt)
    assert (table["coded"] != table["suggested"]).all() and table["doubt"].is_monotonic_decreasing
    assert not set(table["id"]) & set(read_split(study.models / "nature").of("test")["id"]), "the test stays closed"
    assert Image.of(study.results / "nature-doubtful.jpg").width > 300


def test_codes_that_the_codebook_does_not_allow_are_said(study):
    code_by_category(study)
    study.code("nature", import_=pd.DataFrame({"id": study.population()["id"][:3], "value": "perhaps"}), coder="bea")
    study.codebook("nature", values=["yes", "no"])
    result = study.train("nature")
    assert any("codebook does not allow" in text and "'perhaps' (3)" in text for text in result.warnings)
