"""apply and models export: predictions here and elsewhere, what is left open, and models that travel."""

import json
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest
import torch_here  # noqa: F401 (before torch is imported by what is tested)
from coder import code_by_category, known
from onnx import TensorProto, helper
from PIL import Image as Pillow

import visanda
from visanda.corpus import Corpus
from visanda.errors import CorpusError, InputError
from visanda.learn.trained import digest, load

PHOTOS = Path(visanda.__file__).parent / "sample" / "photos"
CLOSE = 0.01  # probabilities of two decoders


@pytest.fixture
def trained(study):
    code_by_category(study)
    study.train("nature", group=["scene"])
    return study


@pytest.fixture(scope="module")
def tuned_folder(measured, tmp_path_factory):
    """A study with a fine-tuned model."""
    corpus = Corpus(shutil.copytree(measured, tmp_path_factory.mktemp("tuned") / "study"))
    code_by_category(corpus)
    corpus.train("nature", model="finetune", layers="frozen", epochs=1, device="cpu")
    return corpus.folder


@pytest.fixture
def tuned(tuned_folder, tmp_path):
    shutil.copytree(tuned_folder, tmp_path / "tuned")
    return Corpus(tmp_path / "tuned")


@pytest.fixture
def elsewhere(tmp_path):
    """Pictures that are in no corpus: photos, a JPEG that lies on its side, a small one, a damaged one."""
    folder = tmp_path / "new photos"
    folder.mkdir()
    for path in sorted(PHOTOS.glob("*.webp"))[:6]:
        shutil.copy(path, folder)
    picture = Pillow.open(sorted(PHOTOS.glob("*.webp"))[0]).convert("RGB").resize((1500, 1100))
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(folder / "turned.jpg", exif=exif, quality=90)
    picture.resize((90, 60)).save(folder / "small.png")
    (folder / "damaged.jpg").write_bytes(b"\xff\xd8\xff nothing")
    return folder


def test_predictions_are_probabilities_of_every_picture(trained):
    result = trained.apply("nature")
    predicted = trained.join("nature")
    assert predicted["nature_predicted"].notna().all()
    assert (predicted["nature_p_yes"] + predicted["nature_p_no"]).to_numpy() == pytest.approx(1, abs=1e-6)
    assert result.table["pictures"].sum() == 218
    assert (trained.results / "nature-drift.png").exists()
    assert any("told from the" in text for text in result.words)


def test_once_more_gives_the_same_table(trained):
    trained.apply("nature")
    before = trained.frame("SELECT * FROM nature ORDER BY id")
    trained.apply("nature")
    assert before.equals(trained.frame("SELECT * FROM nature ORDER BY id"))


def test_an_unknown_model_is_told_with_those_that_are_there(trained):
    with pytest.raises(InputError, match="no model 'forest' of 'nature'; there are: linear"):
        trained.apply("nature", model="forest")
    with pytest.raises(InputError, match="nothing is trained for 'protest' yet"):
        trained.apply("protest")


def test_where_the_model_is_unsure_it_abstains_and_says_what_that_brings(trained):
    result = trained.apply("nature", abstain=0.2)
    predicted = trained.frame("SELECT * FROM nature")
    surest = predicted[["nature_p_yes", "nature_p_no"]].max(axis=1)
    assert (predicted["nature_abstained"] == (surest < 0.8)).all() and predicted["nature_abstained"].any()
    assert any("are decided, and" in text for text in result.words)
    for share in (0, 1, float("nan")):
        with pytest.raises(InputError, match="a share above 0"):
            trained.apply("nature", abstain=share)


def test_conformal_sets_hold_the_truth_as_promised(trained):
    trained.apply("nature", conformal=0.1)
    rest = trained.join("nature").query("nature.isna()")
    held = [truth in said.split("|") for truth, said in zip(rest["living"], rest["nature_set"], strict=True)]
    assert np.mean(held) > 0.83


def test_pictures_without_vectors_are_said(trained, tmp_path):
    Pillow.open(next(PHOTOS.glob("*fish*"))).convert("RGB").rotate(20).save(tmp_path / "late.png")
    trained.add(str(tmp_path / "late.png"))
    assert any("1 units were not predicted" in text for text in trained.apply("nature").warnings)


def test_a_fine_tuned_model_predicts_and_estimates_with_codes_that_it_did_not_see(tuned):
    tuned.apply("nature")
    predicted = tuned.join("nature")
    uncoded = predicted[predicted["nature"].isna()]
    assert (uncoded["nature_predicted"] == uncoded["living"]).mean() > 0.85
    assert "nature_crossfit_yes" not in predicted
    result = tuned.estimate("nature")
    unseen = 100 - len(load(tuned.models / "nature").rows)
    assert result.table.set_index("method").loc["gold only", "n"] == unseen
    assert any(f"only the {unseen} codes" in text for text in result.warnings)


def test_a_fine_tuned_model_looks_at_no_picture_twice(tuned):
    tuned.apply("nature")
    files = {path: path.stat().st_mtime_ns for path in (tuned.folder / "tables" / "nature_scores").glob("part-*")}
    tuned.apply("nature")
    again = {path: path.stat().st_mtime_ns for path in (tuned.folder / "tables" / "nature_scores").glob("part-*")}
    assert files == again
    moved = tuned.folder.with_name("moved")
    tuned.folder.rename(moved)
    Corpus(moved).apply("nature")
    parts = (moved / "tables" / "nature_scores").glob("part-*")
    assert {path.name for path in files} == {path.name for path in parts}, "the same weights, wherever they are"


KILLED = """
    import os, sys
    sys.path.insert(0, {tests!r})
    from visanda.corpus import Corpus
    from visanda.parts import Parts
    append, count = Parts.append, 0
    def killed(self, rows, stem):
        global count
        append(self, rows, stem)
        count += self.folder.name == "nature_scores"
        if count == 1:
            os._exit(9)
    Parts.append = killed
    Corpus({folder!r}).apply("nature", workers=1)
"""


def test_killed_it_goes_on(tuned):
    code = textwrap.dedent(KILLED).format(tests=str(Path(__file__).parents[1]), folder=str(tuned.folder))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=300)
    assert done.returncode == 9, done.stderr
    kept = tuned.frame("SELECT id FROM nature_scores")
    assert 0 < len(kept) < 218 and "nature" not in tuned.tables()
    tuned.apply("nature")
    assert len(tuned.frame("SELECT id FROM nature")) == 218
    last = json.loads(sorted((tuned.folder / "runs").glob("*-measure.json"))[-1].read_text())
    assert last["counts"]["nature_scores"]["measured"] == 218 - len(kept)


def test_one_network_learns_two_variables_with_missing_codes(tuned):
    fish = known(tuned, "category").map({"fish": "yes"}).fillna("no")
    some = pd.DataFrame({"id": fish.index[::2], "value": fish[::2].to_numpy()})
    tuned.code("fish", import_=some, coder="ana")
    tuned.train("nature,fish", model="finetune", layers="frozen", epochs=1, name="both", device="cpu")
    both = [load(tuned.models / name, "both") for name in ("nature", "fish")]
    held = {id for one in both for id in one.split.of("test")["id"]}
    assert not held & {id for one in both for id in one.rows["id"]}, "what tests one is learnt from by none"
    assert both[0].model != both[1].model
    tuned.apply("fish")
    assert (tuned.join("fish").query("fish.isna()")["fish_p_yes"] > 0.5).sum() > 5


@pytest.mark.parametrize("kind", ["linear", "finetune"])
def test_an_exported_model_says_the_same_without_visanda(trained, tuned, elsewhere, tmp_path, kind):
    corpus = tuned if kind == "finetune" else trained
    corpus.models_export("nature", tmp_path / "model")
    corpus.apply("nature", to=[elsewhere])
    here = pd.read_csv(corpus.results / "nature-on-new photos.csv").set_index("file")
    out = tmp_path / "predicted.csv"
    code = (
        "import sys, runpy; sys.modules['visanda'] = None; "
        "sys.argv = ['predict.py', sys.argv[1], '--out', sys.argv[2]]; "
        f"runpy.run_path({str(tmp_path / 'model' / 'predict.py')!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code, str(elsewhere), str(out)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    there = pd.read_csv(out)
    there.index = ["new photos/" + Path(file).name for file in there["file"]]
    assert len(here) == len(there) == 9 and list(here.index[here["error"].notna()]) == ["new photos/damaged.jpg"]
    assert there["error"].notna().sum() == 1
    good = here.index[here["error"].isna()]
    assert (here["nature_predicted"][good] == there["predicted"][good]).all()
    assert (here["nature_p_yes"][good] - there["p_yes"][good]).abs().max() < CLOSE


def test_an_exported_model_is_what_was_really_done(trained, tmp_path):
    trained.evaluate("nature", resamples=30)
    result = trained.models_export("nature", tmp_path / "model")
    assert not result.warnings
    card = json.loads((tmp_path / "model" / "card.json").read_text())
    readme = (tmp_path / "model" / "README.md").read_text()
    assert card["coders"] == ["ana"] and "looked at 1 time" in readme and "| accuracy |" in readme
    assert "Apache-2.0" in readme and "nobody knows how good" not in readme
    assert pd.read_csv(tmp_path / "model" / "split.csv")["set"].value_counts()["test"] == card["units"]["test"]
    assert (
        not list((tmp_path / "model").glob("*.pkl"))
        and b"cat_fish" not in (tmp_path / "model" / "example.npz").read_bytes()
    )


def test_an_exported_model_needs_no_training_elsewhere(trained, elsewhere, tmp_path):
    trained.models_export("nature", tmp_path / "model")
    trained.apply("nature")
    other = Corpus.init(tmp_path / "other")
    other.add(str(PHOTOS))
    other.apply("nature", from_=tmp_path / "model")
    both = trained.frame("SELECT * FROM nature").merge(other.frame("SELECT * FROM nature"), on="id", suffixes=("", "_"))
    assert len(both) == 218
    assert (both["nature_p_yes"] - both["nature_p_yes_"]).abs().max() < 1e-3
    code_by_category_known(other)
    corrected = other.estimate("nature").table.set_index("method")
    assert corrected.loc["gold only", "n"] < 100, "codes that the exported model had learnt from do not count"


def code_by_category_known(corpus):
    about = pd.read_csv(PHOTOS.parent / "photos.csv")
    corpus.sample("nature", n=100, seed=7)
    sheet = pd.read_csv(corpus.results / "nature-sheet.csv", dtype=str)
    living = about.set_index("filename")["living"]
    value = sheet["id"].str.removeprefix("photos/").map(living)
    corpus.code("nature", import_=sheet.assign(value=value), coder="ana")


@pytest.mark.parametrize("name", ["model.onnx", "labels.json", "card.json", "preprocessing.json"])
def test_a_damaged_export_is_refused(trained, elsewhere, tmp_path, name):
    trained.models_export("nature", tmp_path / "model")
    path = tmp_path / "model" / name
    path.write_bytes(path.read_bytes().replace(b"yes", b"yep") + b" ")
    with pytest.raises(CorpusError, match="damaged"):
        trained.apply("nature", from_=tmp_path / "model", to=[elsewhere])
    done = subprocess.run([sys.executable, str(tmp_path / "model" / "predict.py"), "--check"], capture_output=True)
    assert done.returncode == 1 and b"damaged" in done.stderr


def test_labels_that_are_not_the_models_are_refused_even_with_new_sums(trained, elsewhere, tmp_path):
    folder = tmp_path / "model"
    trained.models_export("nature", folder)
    (folder / "labels.json").write_text(json.dumps({"scale": "nominal", "values": ["yes", "no"]}))
    _new_sums(folder)
    with pytest.raises(CorpusError, match="name different values"):
        trained.apply("nature", from_=folder, to=[elsewhere])


def _new_sums(folder):
    sums = json.loads((folder / "SHA256SUMS.json").read_text())
    sums = {name: digest((folder / name).read_bytes()) for name in sums}
    (folder / "SHA256SUMS.json").write_text(json.dumps(sums))


def test_probabilities_that_are_no_numbers_are_rows_with_an_error(trained, elsewhere, tmp_path):
    folder = tmp_path / "model"
    trained.models_export("nature", folder)
    nodes = [
        helper.make_node("Cast", ["pixels"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["numbers"], ["means"], axes=[1, 2], keepdims=0),
        helper.make_node("Sub", ["means", "means"], ["nought"]),
        helper.make_node("Div", ["nought", "nought"], ["nan"]),
        helper.make_node("Slice", ["nan", "from", "to", "axis"], ["scores"]),
    ]
    weights = [
        helper.make_tensor(name, TensorProto.INT64, [1], [value])
        for name, value in (("from", 0), ("to", 2), ("axis", 1))
    ]
    graph = helper.make_graph(
        nodes,
        "nan",
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["n", 224, 224, 3])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 2])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, folder / "model.onnx")
    card = json.loads((folder / "card.json").read_text())
    card["files"]["model.onnx"] = digest((folder / "model.onnx").read_bytes())
    (folder / "card.json").write_text(json.dumps(card))
    _new_sums(folder)
    trained.apply("nature", from_=folder, to=[elsewhere])
    table = pd.read_csv(trained.results / "nature-on-new photos.csv")
    assert table["nature_predicted"].isna().all() and table["error"].notna().all()
    assert table["error"].str.contains("no numbers").sum() == 8
    trained.apply("nature", from_=folder)
    here = trained.frame("SELECT * FROM nature")
    assert here["error"].str.contains("no numbers").all() and here["nature_p_yes"].isna().all()


def test_what_cannot_be_exported_or_applied_says_why(trained, elsewhere, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="holds something else"):
        trained.models_export("nature", tmp_path / "full")
    assert (tmp_path / "full" / "thesis.txt").exists()
    with pytest.raises(InputError, match="no exported model"):
        trained.apply("nature", from_=tmp_path / "full")
    with pytest.raises(InputError, match="there is no file or folder"):
        trained.apply("nature", to=[tmp_path / "nowhere"])
    with pytest.raises(InputError, match="no picture in"):
        trained.apply("nature", to=[tmp_path / "full"])
    trained.models_export("nature", tmp_path / "model")
    with pytest.raises(InputError, match="predicts 'nature'"):
        trained.apply("protest", from_=tmp_path / "model")
    with pytest.raises(InputError, match="not both"):
        trained.apply("nature", from_=tmp_path / "model", model="linear")


def test_the_models_of_a_corpus_are_listed(trained):
    listed = trained.models_list().iloc[0]
    assert (listed["variable"], listed["model"], listed["looks"]) == ("nature", "linear", 0)
    assert listed["learnt from"] + listed["test"] == 100
