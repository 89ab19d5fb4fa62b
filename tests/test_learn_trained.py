"""Trained models on the disk: whole or not at all, and what is damaged says so."""

import json
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pytest

from visanda.errors import CorpusError, InputError
from visanda.learn.frozen import Frozen, look, read_split, times_looked, write_split
from visanda.learn.heads import fit
from visanda.learn.target import Target
from visanda.learn.trained import Trained, described, load, names

TARGET = Target("nominal", ("no", "yes"))


def trained(name="linear", when="2026-01-01T00:00", seed=0):
    random = np.random.default_rng(seed)
    truth = np.repeat([0, 1], 15)
    made = fit("linear", random.normal(size=(30, 4)) + truth[:, None], truth, TARGET, range(30), seed=1)
    ids = [f"{number}.jpg" for number in range(30)]
    rows = pd.DataFrame({"id": ids, "value": TARGET.decode(np.eye(2)[truth]), "group": ids, "set": "train", "fold": 0})
    rows[["p_0", "p_1"]] = made.out_of_fold
    card = {"name": name, "target": described(TARGET), "trained": when}
    return Trained(card, made.model, made.fold_models, rows)


@pytest.fixture
def folder(tmp_path):
    trained().save(tmp_path / "nature")
    return tmp_path / "nature"


def test_what_is_saved_is_loaded(folder):
    first, again = trained(), load(folder)
    assert again.model == first.model and again.folds == first.folds and again.target == TARGET
    assert again.out_of_fold == pytest.approx(first.out_of_fold)
    assert again.rows["value"].tolist() == first.rows["value"].tolist()


def test_the_one_trained_last_is_the_default(folder):
    trained("knn", when="2026-02-01T00:00").save(folder)
    assert load(folder).name == "knn" and load(folder, "linear").name == "linear"
    assert names(folder) == ["knn", "linear"]
    with pytest.raises(InputError, match="no model 'forest' of 'nature'; there are: knn, linear"):
        load(folder, "forest")


@pytest.mark.parametrize("name", ["model.onnx", "fold3.onnx", "rows.csv"])
def test_a_file_that_changed_is_found(folder, name):
    path = folder / "linear" / name
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(CorpusError, match="damaged"):
        load(folder)


def test_a_card_that_cannot_be_read_is_said(folder):
    (folder / "linear" / "card.json").write_text("{")
    with pytest.raises(CorpusError, match="damaged"):
        load(folder)


def test_nothing_trained_says_what_to_do(tmp_path):
    with pytest.raises(InputError, match="nothing is trained for 'nature' yet: 'visanda train nature'"):
        load(tmp_path / "nature")


def test_a_model_of_an_earlier_version_says_what_to_do(tmp_path):
    (tmp_path / "heads.npz").write_bytes(b"")
    (tmp_path / "card.json").write_text("{}")
    (tmp_path / "split.csv").write_text("id,set,group,value\n")
    for read in (load, read_split):
        with pytest.raises(CorpusError, match="earlier version: train again with --replace"):
            read(tmp_path)
    write_split(tmp_path, Frozen(pd.DataFrame({"id": [], "set": [], "group": []})))
    trained().save(tmp_path)
    assert load(tmp_path, "linear").name == "linear" and not (tmp_path / "heads.npz").exists()


KILLED = """
    import os, sys
    from pathlib import Path
    sys.path.insert(0, {tests!r})
    import test_learn_trained as here
    from visanda.learn import trained
    stop, count = {stop}, 0
    def counted(function):
        def call(*arguments):
            global count
            count += 1
            if count == stop:
                os._exit(9)
            return function(*arguments)
        return call
    trained.write_bytes = counted(trained.write_bytes)
    trained._take_place = counted(trained._take_place)
    Path.rename = counted(Path.rename)
    here.trained(seed=5).save(Path({folder!r}))
"""


@pytest.mark.parametrize("stop", (2, 8, 9, 10, 11, 12, 13))  # while files are written, and at each step after that
def test_a_kill_leaves_the_old_model_or_the_new_one_whole(folder, stop):
    from pathlib import Path

    code = textwrap.dedent(KILLED).format(tests=str(Path(__file__).parent), stop=stop, folder=str(folder))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=120)
    assert done.returncode in (0, 9), done.stderr
    assert load(folder).model in (trained().model, trained(seed=5).model)
    trained(seed=7).save(folder)
    assert load(folder).model == trained(seed=7).model
    assert [path.name for path in folder.iterdir()] == ["linear"], "what was half written goes"


def test_looks_are_counted_for_each_split(tmp_path):
    sets = pd.DataFrame({"id": ["a"], "set": ["test"], "group": ["a"]})
    write_split(tmp_path, Frozen(sets, {"number": 1}))
    assert [look(tmp_path, "linear", 1), look(tmp_path, "knn", 1)] == [1, 2]
    assert times_looked(tmp_path) == 2 and times_looked(tmp_path, "knn") == 1
    write_split(tmp_path, Frozen(sets, {"number": 2}))
    assert times_looked(tmp_path) == 0 and look(tmp_path, "linear", 1) == 1
    assert len(pd.read_csv(tmp_path / "looks.csv")) == 3


def test_a_damaged_split_says_so(tmp_path):
    write_split(tmp_path, Frozen(pd.DataFrame({"id": ["a"], "set": ["test"], "group": ["a"]}), {"number": 1}))
    (tmp_path / "split.csv").write_text("id,set,group\na,exam,a\n")
    with pytest.raises(CorpusError, match="sets other than"):
        read_split(tmp_path)
    (tmp_path / "split.json").write_text(json.dumps({})[:-1])
    with pytest.raises(CorpusError, match="damaged"):
        read_split(tmp_path)
