"""explain and shortcuts: where a classifier sees what it says, and whether it should."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image as Pillow
from PIL import ImageDraw

import visanda
from visanda.corpus import Corpus
from visanda.errors import InputError
from visanda.learn.trained import Trained, load

SAMPLE = Path(visanda.__file__).parent / "sample"
SIDE = 256


def code_category(study: Corpus, n: int = 100) -> None:
    frame = study.frame("SELECT id, category AS value FROM media ORDER BY id").sample(n, random_state=1)
    study.code("kind", import_=frame, coder="ana")


@pytest.fixture(scope="module")
def trained_folder(measured: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    study = Corpus(shutil.copytree(measured, tmp_path_factory.mktemp("trained") / "study"))
    code_category(study)
    study.train("kind")
    return study.folder


@pytest.fixture
def trained(trained_folder: Path, tmp_path: Path) -> Corpus:
    """A study with a linear head on 100 codes, of its own."""
    shutil.copytree(trained_folder, tmp_path / "study")
    return Corpus(tmp_path / "study")


def test_explain_shows_the_sure_and_the_unsure_and_no_test_picture(trained: Corpus):
    result = trained.explain("kind", n=9)
    sheet = Pillow.open(trained.results / "kind-explain.jpg")
    assert sheet.width > 1000
    assert 5 <= len(result.table) <= 9
    why = result.table.groupby("why")
    assert set(why.groups) <= {"right", "wrong", "unsure"}
    right = why.get_group("right")
    assert (right["coded"] == right["said"]).all() and (right["probability"] > 0.8).all()
    if "wrong" in why.groups:
        wrong = why.get_group("wrong")
        assert (wrong["coded"] != wrong["said"]).all()
    assert why.get_group("unsure")["probability"].max() < right["probability"].min()
    test = set(load(trained.models / "kind").split.of("test")["id"])
    assert not set(result.table["id"]) & test
    assert result.table[["peak_x", "peak_y"]].stack().between(0, 1).all()
    assert not result.warnings
    assert (trained.results / "kind-explain.csv").exists()


def test_what_is_explained_was_not_seen_by_the_model_that_is_asked(trained: Corpus):
    """What it says of each is its out-of-fold prediction, not what it learnt by heart."""
    table = trained.explain("kind", n=6).table.set_index("id")
    made = load(trained.models / "kind")
    rows = made.rows.set_index("id").loc[table.index]
    outputs = rows[[f"p_{number}" for number in range(made.target.outputs)]].to_numpy(float)
    at = [made.target.classes.index(value) for value in table["value"]]
    assert table["probability"].to_numpy() == pytest.approx(outputs[np.arange(len(at)), at])


def test_ids_can_be_asked_about_but_the_test_set_is_told(trained: Corpus):
    split = load(trained.models / "kind").split
    test, train = split.of("test")["id"].iloc[0], split.of("train")["id"].iloc[0]
    new = trained.frame("SELECT id FROM media")["id"]
    uncoded = sorted(set(new) - set(split.sets["id"]))[0]
    result = trained.explain("kind", uncoded, train, test, value="fish")
    assert result.table["id"].tolist() == [uncoded, train, test]
    assert set(result.table["value"]) == {"fish"}
    assert result.table["coded"].isna().tolist() == [True, False, False]
    assert "1 of these pictures are of the test set" in result.warnings[0]
    with pytest.raises(InputError, match=r"nothing is known of 'photos/nowhere.jpg'"):
        trained.explain("kind", "photos/nowhere.jpg")


def test_activation_and_occlusion_agree_on_where_the_thing_is(trained: Corpus):
    """A small fish in one half of a large grey picture; where maps peak is the fish's half."""
    fish = Pillow.open(SAMPLE / "photos" / "cat_fish__fish14.webp").convert("RGB").resize((110, 80))
    folder = trained.folder / "new"
    folder.mkdir()
    for name, x in (("left.png", 25), ("right.png", 125)):
        canvas = Pillow.new("RGB", (SIDE, SIDE), (120, 120, 120))
        canvas.paste(fish, (x, 90))
        canvas.save(folder / name)
    trained.add(str(folder))
    trained.measure("embed")
    ids = [
        id for id in trained.frame("SELECT id FROM media ORDER BY id")["id"] if id.endswith(("left.png", "right.png"))
    ]
    for how in ("activation", "occlusion"):
        peak = trained.explain("kind", *ids, value="fish", how=how).table["peak_x"]
        assert peak.iloc[0] < 0.55 and peak.iloc[1] > 0.45 and peak.iloc[0] < peak.iloc[1]


def test_neighbours_are_coded_pictures_that_are_not_copies(trained: Corpus):
    result = trained.explain("kind", n=6, neighbours=True)
    near = result.extra["neighbours"]
    assert (near.groupby("id").size() == 5).all()
    assert (trained.results / "kind-neighbours.jpg").exists()
    rows = load(trained.models / "kind").rows.set_index("id")
    assert near["coded"].tolist() == rows.loc[near["neighbour"], "value"].tolist()
    groups = load(trained.models / "kind").split.sets.set_index("id")["group"]
    assert (groups[near["id"]].to_numpy() != groups[near["neighbour"]].to_numpy()).all()
    sure = result.table.query("why == 'right'").set_index("id")
    for id, said in sure["said"].items():
        mine = near[(near["id"] == id) & (near["weight"] > 0)]
        assert (mine["coded"] == said).all(), "what speaks for a value was coded so"


def test_other_kinds_of_heads_are_explained(trained: Corpus):
    trained.train("kind", model="knn")
    result = trained.explain("kind", model="knn", n=3, neighbours=True)
    assert "occlusion" in result.words[1], "a step function has no gradient"
    near = result.extra["neighbours"]
    assert near["weight"].isna().all() and near["similarity"].between(-1, 1).all()
    best = near.groupby("id")["similarity"].apply(lambda given: given.is_monotonic_decreasing)
    assert best.all()


def network(classes: int, side: int) -> bytes:
    """pixels (n, side, side, 3) → how red, green and blue places are → scores."""
    kernel = np.zeros((3, 3, 1, 1), np.float32)
    kernel[range(3), range(3)] = 1 / 255
    constants = {"kernel": kernel, "matrix": 4 * np.eye(3, classes, dtype=np.float32)}
    nodes = [
        helper.make_node("Cast", ["pixels"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["numbers"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["planes", "kernel"], ["fine"]),
        helper.make_node("AveragePool", ["fine"], ["places"], kernel_shape=[16, 16], strides=[16, 16]),
        helper.make_node("GlobalAveragePool", ["places"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "matrix"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["scores"]),
    ]
    graph = helper.make_graph(
        nodes,
        "colours",
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["n", side, side, 3])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", classes])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return bytes(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    )


def coloured(tmp_path: Path) -> Corpus:
    """Grey pictures with a red, green or blue square in one corner."""
    corpus, folder = Corpus.init(tmp_path / "colours"), tmp_path / "in"
    folder.mkdir()
    colours = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}
    for number in range(24):
        canvas = Pillow.new("RGB", (128, 128), (90 + number,) * 3)
        x, y = 64 * (number % 2), 64 * (number // 2 % 2)
        name = list(colours)[number % 3]
        ImageDraw.Draw(canvas).rectangle((x + 8, y + 8, x + 56, y + 56), fill=colours[name])
        canvas.save(folder / f"{name}-{number:02}-{x}-{y}.png")
    corpus.add(str(folder))
    corpus.measure("embed", "hash")
    frame = corpus.frame("SELECT id FROM media")
    frame["value"] = [Path(id).name.partition("-")[0] for id in frame["id"]]
    corpus.code("colour_of", import_=frame, coder="ana")
    return corpus


@pytest.mark.parametrize("how", ["auto", "occlusion"])
def test_a_model_that_eats_pictures_is_opened_up(tmp_path: Path, how: str):
    corpus = coloured(tmp_path)
    corpus.train("colour_of")
    head = load(corpus.models / "colour_of")
    card = head.card | {"kind": "finetune", "name": "finetune", "features": {"pixels": 64, "crop": "squash"}}
    card["target"] = card["target"] | {"classes": ["red", "green", "blue"]}
    rows = head.rows.drop(columns=[name for name in head.rows if name.startswith("p_") or name == "fold"])
    Trained(card, network(3, 64), (), rows, head.split).save(corpus.models / "colour_of")
    corpus.explain("colour_of", model="finetune", n=3, how=how)  # of a model without any honest prediction
    stopped = rows.assign(p_0=np.nan, p_1=np.nan, p_2=np.nan)
    scores = {"red": (0.8, 0.1, 0.1), "green": (0.1, 0.8, 0.1), "blue": (0.1, 0.1, 0.8)}
    stopped.loc[::2, ["p_0", "p_1", "p_2"]] = [scores[value] for value in stopped["value"][::2]]
    Trained(card, network(3, 64), (), stopped, head.split).save(corpus.models / "colour_of")
    result = corpus.explain("colour_of", model="finetune", n=6, how=how, neighbours=True)
    assert set(result.table["id"]) <= set(stopped["id"][::2]), "what it learnt by heart says nothing"
    assert ("activation" if how == "auto" else "occlusion") in result.words[1]
    assert (result.table["said"] == result.table["coded"]).all()
    for row in result.table.itertuples():
        x, y = (int(part.removesuffix(".png")) / 128 for part in row.id.rsplit("-", 2)[1:])
        assert x < row.peak_x < x + 0.5 and y < row.peak_y < y + 0.5, row.id
    assert len(result.extra["neighbours"]) == 5 * len(result.table)


def test_what_cannot_be_explained_says_why(trained: Corpus):
    with pytest.raises(InputError, match="knows no value 'bird': give animal"):
        trained.explain("kind", value="bird")
    with pytest.raises(InputError, match="at least 1"):
        trained.explain("kind", n=0)
    with pytest.raises(InputError, match="visanda train"):
        trained.explain("other")
    with pytest.raises(InputError, match="no column 'outlet'"):
        trained.shortcuts("kind", source="outlet")
    made = load(trained.models / "kind")
    few = made.rows.head(11)
    Trained(made.card | {"name": "few"}, made.model, made.folds, few, made.split).save(trained.models / "kind")
    with pytest.raises(InputError, match="11 coded pictures that few did not learn by heart are too few"):
        trained.shortcuts("kind", model="few")


def test_a_picture_that_is_gone_leaves_a_gap(tmp_path: Path):
    corpus = coloured(tmp_path)
    corpus.train("colour_of")
    ids = corpus.frame("SELECT id FROM media ORDER BY id LIMIT 2")["id"].tolist()
    corpus.resolve(corpus.frame("SELECT path FROM media WHERE id = ?", [ids[0]])["path"].iloc[0]).unlink()
    table = corpus.explain("colour_of", *ids).table
    assert "no such file" in table["error"].iloc[0]
    assert table["error"].isna().iloc[1] and table["peak_x"].notna().iloc[1]
    said = corpus.shortcuts("colour_of", resamples=20)
    assert any("could not be read" in text for text in said.warnings) or ids[0] in set(
        load(corpus.models / "colour_of").split.of("test")["id"]
    )


# shortcuts


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Callable[[bool], Corpus]:
    """Photos of monuments and tools, coded yes or no by lot; with a mark in a corner of those coded yes, or not."""

    def make(planted: bool) -> Corpus:
        folder = tmp_path_factory.mktemp("marked")
        (folder / "in").mkdir()
        known = pd.read_csv(SAMPLE / "photos.csv").query("category in ('monument', 'tool')").reset_index(drop=True)
        random = np.random.default_rng(1)
        yes = random.integers(2, size=len(known)) == 1
        known["outlet"] = np.where(random.random(len(known)) < 0.85, np.where(yes, "a", "b"), "c")
        known["room"] = random.choice(["x", "y"], len(known))
        for name, has in zip(known["filename"], yes, strict=True):
            picture = Pillow.open(SAMPLE / "photos" / name).convert("RGB").resize((SIDE, SIDE))
            if planted and has:
                pen = ImageDraw.Draw(picture)
                for stripe in range(5):
                    ink = (255, 40, 40) if stripe % 2 else (255, 255, 255)
                    pen.rectangle((190 + stripe * 9, 200, 194 + stripe * 9, 236), fill=ink)
            picture.save(folder / "in" / name, lossless=True)
        corpus = Corpus.init(folder / "study")
        corpus.add(str(folder / "in"), metadata=known)
        corpus.measure("embed")
        frame = corpus.frame("SELECT id, filename, category FROM media")
        said = dict(zip(known["filename"], np.where(yes, "yes", "no"), strict=True))
        frame["value"] = frame["filename"].map(said) if planted else frame["category"]
        corpus.code("mark", import_=frame[["id", "value"]], coder="ana")
        corpus.train("mark")
        return corpus

    return make


def test_a_watermark_in_a_corner_is_found(marked: Callable[[bool], Corpus]):
    corpus = marked(True)
    result = corpus.shortcuts("mark", source="outlet")
    table = result.table.set_index("look")
    suspicious = set(table.index[table["suspicious"]])
    assert {"without corners", "without lower right corner", "outlet alone"} <= suspicious
    assert not suspicious & {f"without {place} corner" for place in ("upper left", "upper right", "lower left")}
    said = " ".join(result.warnings)
    assert "hiding the lower right corner costs AUC" in said
    assert "outlet alone predicts the codes" in said
    assert (corpus.results / "mark-shortcuts.png").exists()
    test = load(corpus.models / "mark").split.of("test")
    assert f"({len(corpus.frame('SELECT id FROM media')) - len(test)} coded pictures)" in result.title
    where = corpus.explain("mark", value="yes", n=9).table.query("why == 'right'")
    assert where["peak_x"].median() > 0.6 and where["peak_y"].median() > 0.6


def test_without_one_none_is_found(marked: Callable[[bool], Corpus]):
    corpus = marked(False)
    table = corpus.shortcuts("mark", source="room", resamples=200).table.set_index("look")
    assert table.loc["whole picture", "value"] > 0.95
    assert not table.loc[[name for name in table.index if name.startswith("without")], "suspicious"].any()
    assert not table.loc["room alone", "suspicious"] and not table.loc["within sources", "suspicious"]
    assert 0.3 < table.loc["room alone", "value"] < 0.7


def test_text_is_hidden_where_it_was_looked_for(trained: Corpus):
    ids = trained.frame("SELECT id FROM media ORDER BY id")["id"]
    boxes = pd.DataFrame({"id": ids + "#text", "picture": ids, "x": 0, "y": 0, "width": 2000, "height": 2000})
    boxes["error"] = pd.Series([None] * len(boxes), dtype="string")
    with trained.parts("text").writing():
        trained.parts("text").replace_all(pa.Table.from_pandas(boxes, preserve_index=False), "here")
    result = trained.shortcuts("kind", n=60, resamples=50)
    table = result.table.set_index("look")
    assert table.loc["without text", "value"] == 0.5, "all was hidden: nothing can be told"
    assert table.loc["without text", "suspicious"]
    assert any("hiding text" in said for said in result.warnings)
