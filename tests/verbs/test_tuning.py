"""tune and learning_curve: many heads tried, growing numbers of codes; the test set stays closed."""

import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pandas as pd
import pytest
from coder import code_all, code_by_category, known

from visanda.corpus import Corpus
from visanda.errors import InputError
from visanda.learn.frozen import read_split, times_looked
from visanda.learn.trained import load
from visanda.media import Image


def trials(corpus, variable="nature"):
    path = corpus.models / variable / "trials.csv"
    return pd.read_csv(path) if path.exists() else pd.DataFrame()


def test_tuning_goes_on_and_never_looks_at_the_test(study):
    code_by_category(study)
    first = study.tune("nature", trials=4)
    before = (study.models / "nature" / "trials.csv").read_text()
    again = study.tune("nature", trials=6)
    assert len(trials(study)) == 6
    assert (study.models / "nature" / "trials.csv").read_text().startswith(before), "made once, and kept as they were"
    assert again.table["loss"].min() <= first.table["loss"].min()
    trained = load(study.models / "nature")
    assert trained.name == "tuned" and trained.learnt_of_test == 0 and times_looked(study.models / "nature") == 0
    assert Image.of(study.results / "nature-tuning.png").width > 300
    assert any("to be expected" in text for text in again.words)


def test_what_tuning_found_is_what_is_trained(study):
    code_by_category(study)
    study.tune("nature", trials=4, name="best")
    best = trials(study).sort_values("loss").iloc[0]
    card = load(study.models / "nature", "best").card
    assert card["kind"] == best["kind"] and card["arguments"]["balance"] == best["balance"]
    assert card["arguments"]["tuned"].items() <= card["settings"].items()


def test_tuning_that_was_killed_goes_on_where_it_was(study):
    code_by_category(study)
    script = f"from visanda.corpus import Corpus; Corpus({str(study.folder)!r}).tune('nature', trials=9)"
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stderr=subprocess.DEVNULL)
    until = time.monotonic() + 120
    while len(trials(study)) < 2 and process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before, split = trials(study), read_split(study.models / "nature")
    assert 2 <= len(before) < 9 and split is not None and not (study.models / "nature" / "tuned").exists()
    study.tune("nature", trials=9)
    after = trials(study)
    assert len(after) == 9 and after.head(len(before)).equals(before)
    assert read_split(study.models / "nature").sets.equals(split.sets)


def test_new_codes_make_trials_anew(study):
    code_by_category(study)
    study.tune("nature", trials=2)
    before = trials(study)
    uncoded = study.join("nature").query("nature.isna()").head(30)
    study.code("nature", import_=uncoded[["id"]].assign(value=uncoded["living"]), coder="ana")
    study.tune("nature", trials=2)
    after = trials(study)
    assert (after["settings"] == before["settings"]).all() and (after["loss"] != before["loss"]).all()


def test_numbers_are_tuned_by_their_squared_error(study):
    colour = study.frame("SELECT id, brightness FROM colour").set_index("id")["brightness"]
    code_all(study, "light", colour, "interval")
    result = study.tune("light", trials=3)
    assert any("mean squared error" in text for text in result.words)
    assert not trials(study, "light")["balance"].any()
    with pytest.raises(InputError, match="give at least one"):
        study.tune("light", trials=0)


def test_more_codes_are_told_to_help_where_they_do(study):
    """Of seven categories, 40 codes are few: more help, and they do so about as much as was foreseen."""
    category = known(study, "category")
    few = category.groupby(category).sample(frac=0.33, random_state=1)
    code_all(study, "kind", few)
    result = study.learning_curve("kind", more=100, test=0, group=["scene"])
    measured, now, then = (result.table[result.table["how"] == how] for how in ("measured", "fitted", "fitted"))
    now, then = now.iloc[0], then.iloc[1]
    assert measured["codes"].is_monotonic_increasing and then["codes"] == now["codes"] + 100
    assert measured["balanced accuracy"].iloc[-1] > measured["balanced accuracy"].iloc[0] + 0.1
    assert now["balanced accuracy"] < then["balanced accuracy"] <= 1 and then["low"] < then["high"]
    assert not result.words[0].startswith("Would 100 more codes help? Hardly")
    assert Image.of(study.results / "kind-learning-curve.png").width > 300
    study.code("kind", import_=pd.DataFrame({"id": category.index, "value": category.to_numpy()}), coder="ana")
    later = study.learning_curve("kind", more=10, group=["scene"]).table
    found = np.interp(then["codes"], later["codes"], later["balanced accuracy"])
    assert then["low"] - 0.03 < found < then["high"] + 0.03


def test_a_curve_looks_at_no_test_and_says_what_it_cannot(study):
    code_by_category(study, n=60)
    study.train("nature")
    split = read_split(study.models / "nature").sets
    result = study.learning_curve("nature", more=500, repeats=2)
    assert result.provenance["codes"] == (split["set"] != "test").sum()
    assert times_looked(study.models / "nature") == 0
    assert any("a bold guess" in text for text in result.warnings)
    code_by_category(study, n=24, variable="few", seed=2)
    with pytest.raises(InputError, match="too few for a learning curve: code at least 27"):
        study.learning_curve("few")
    assert read_split(study.models / "few") is None, "what was refused froze nothing"
    with pytest.raises(InputError, match="nobody has coded"):
        Corpus(study.folder).learning_curve("nothing")
