"""Fine-tuning from beginning to end, on digits that are drawn here: models that learn, travel and tell their story."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from finetune_pictures import SIDE, digits, fast, thirds
from hub_folders import save
from torch_here import HERE

import visanda
from visanda.errors import InputError
from visanda.learn.finetune import Finetuned, Settings, Task, finetune
from visanda.learn.finetune.rate import FROM_SCRATCH
from visanda.learn.target import Target
from visanda.media import Detail, Image
from visanda.models.own import Own
from visanda.models.squares import squared

if not HERE:
    pytest.skip("torch, timm or transformers is not installed (the extra train)", allow_module_level=True)

import torch

from visanda.learn.finetune import learner

PHOTOS = Path(visanda.__file__).parent / "sample" / "photos"
NUMBER = 60
VALUES = ("0", "1", "2")
PICTURES, TRUTH = digits(NUMBER)
SETS = thirds(NUMBER)
VALIDATION = np.array(SETS) == "validation"


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # workers of the tests are the parallelism
    yield
    torch.set_num_threads(before)


def nominal(truth: np.ndarray = TRUTH, weight: float = 1.0) -> Task:
    return Task(Target("nominal", VALUES), truth, weight)


def run(
    folder: Path, settings: Settings, tasks: dict[str, Task] | None = None, said: list[str] | None = None
) -> Finetuned:
    lines = [] if said is None else said
    return finetune(PICTURES, tasks or {"digit": nominal()}, SETS, settings, folder, lines.append)


def seen(pictures: list[np.ndarray], settings: Settings) -> np.ndarray:
    return np.stack([squared(one, settings.side or SIDE, settings.crop) for one in pictures])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Finetuned, list[str], Path]:
    folder, said = tmp_path_factory.mktemp("trained"), list[str]()
    return run(folder, fast(epochs=8, refit=False), said=said), said, folder


def test_a_network_from_scratch_learns_digits_it_has_not_seen(trained):
    made, _, _ = trained
    pictures, truth = digits(60, seed=99)
    model = Own(made.onnx["digit"])
    assert (model.input, model.width) == ("pixels", SIDE)
    scores = model(seen(pictures, fast()))
    assert scores.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert (scores.argmax(axis=1) == truth).mean() > 0.9


def test_the_model_says_of_the_validation_set_what_was_reported(trained):
    made, _, _ = trained
    expected = Own(made.onnx["digit"])(seen(PICTURES, fast()))
    reported = made.validation["digit"]
    assert reported.shape == (NUMBER, 3)
    assert reported[VALIDATION] == pytest.approx(expected[VALIDATION], abs=1e-4)
    assert np.isnan(reported[~VALIDATION]).all()


def test_the_model_is_plain_onnx_that_takes_any_number_of_pictures(trained):
    made, _, _ = trained
    graph = onnx.load_from_string(made.onnx["digit"])
    onnx.checker.check_model(graph)
    assert {one.domain for one in graph.opset_import} <= {"", "ai.onnx"}
    assert {one.version for one in graph.opset_import} == {17}
    assert not any(one.external_data for one in graph.graph.initializer)
    model, given = Own(made.onnx["digit"]), seen(PICTURES, fast())
    assert np.concatenate([model(given[:1]), model(given[1:20])]) == pytest.approx(model(given[:20]), abs=1e-5)


def test_the_card_tells_what_was_done(trained):
    made, said, folder = trained
    card, history = made.card, made.history
    assert list(history.columns) == ["epoch", "train_loss", "validation_loss", "digit_f1", "rate", "seconds"]
    assert card["epochs"] == len(history) and card["device"] == "cpu" and card["seed"] == 1
    assert card["best_epoch"] == history["epoch"][history["validation_loss"].idxmin()]
    assert (card["train"], card["validation"], card["failed"]) == (40, 20, 0)
    assert card["layers"] == "full" and card["trained_parameters"] == card["parameters"]
    assert card["torch"] == torch.__version__ and card["rate"] == 0.001 and card["temperature"]["digit"] > 0
    assert made.preprocessing == {"pixels": SIDE, "crop": "square"}
    assert said[0].startswith("Training takes at most")
    assert sum(line.startswith("Epoch ") for line in said) == len(history)
    assert not list(folder.iterdir())  # no checkpoint of a run that is over


def test_the_same_seed_gives_the_same_scores(trained, tmp_path: Path):
    again, other = (run(tmp_path, fast(epochs=8, seed=seed, refit=False)) for seed in (1, 2))
    mine = trained[0].validation["digit"][VALIDATION]
    assert again.validation["digit"][VALIDATION] == pytest.approx(mine, abs=1e-5)
    assert not np.allclose(other.validation["digit"][VALIDATION], mine, atol=1e-3)


def test_one_network_learns_several_variables_whose_codes_are_missing_here_and_there(tmp_path: Path):
    random = np.random.default_rng(1)
    lost = {name: random.random(NUMBER) < 0.3 for name in ("digit", "order", "labels", "number")}
    labels = np.column_stack([TRUTH == 0, TRUTH == 2]).astype(float)
    labels[lost["labels"]] = np.nan
    labels[5, 1] = np.nan
    tasks = {
        "digit": Task(Target("nominal", VALUES), np.where(lost["digit"], -1, TRUTH), 1.0),
        "order": Task(Target("ordinal", VALUES), np.where(lost["order"], -1, TRUTH), 2.0),
        "labels": Task(Target("multilabel", ("zero", "two")), labels, 5.0),
        "number": Task(Target("interval", low=0, high=200), np.where(lost["number"], np.nan, 100.0 * TRUTH), 10.0),
    }
    made = run(tmp_path, fast(epochs=25, rate=0.003), tasks)
    scores = {name: Own(model)(seen(PICTURES, fast())) for name, model in made.onnx.items()}
    for name in ("digit", "order"):
        said = tasks[name].target.decode(scores[name])
        assert np.mean([one == str(two) for one, two in zip(said, TRUTH, strict=True)]) > 0.9
    assert ((scores["labels"] > 0.5) == np.column_stack([TRUTH == 0, TRUTH == 2])).mean() > 0.9
    assert np.corrcoef(scores["number"][:, 0], TRUTH)[0, 1] > 0.9
    assert scores["number"].min() >= 0 and scores["number"].max() <= 200
    assert {"digit_f1", "order_f1", "labels_f1", "number_mae"} < set(made.history.columns)
    assert made.card["weights"] == {"digit": 1.0, "order": 2.0, "labels": 5.0, "number": 10.0}


@pytest.mark.parametrize(("backbone", "layers"), [("small", "full"), ("dinov2", "frozen"), ("dinov2", "lora")])
def test_in_the_end_a_network_learns_from_the_validation_set_too(tmp_path: Path, backbone: str, layers: str):
    name = backbone if backbone == "small" else str(save(backbone, tmp_path / backbone))
    settings = {"backbone": name, "layers": layers, "epochs": 4, "side": 32}
    without, with_it = (run(tmp_path / "run", fast(**settings, refit=refit)) for refit in (False, True))
    assert with_it.card["refitted"] and not without.card["refitted"]
    assert np.array_equal(with_it.validation["digit"], without.validation["digit"], equal_nan=True)
    loss = [
        -np.log(Own(made.onnx["digit"])(seen(PICTURES, fast(**settings)))[VALIDATION, TRUTH[VALIDATION]]).mean()
        for made in (without, with_it)
    ]
    assert loss[1] < loss[0]


def test_a_refit_is_for_few_pictures():
    assert fast().refitted(1999) and not fast().refitted(2000)
    assert fast(refit=True).refitted(9999) and not fast(refit=False).refitted(10)


@pytest.mark.parametrize("layers", ["partial", "frozen", "full", "lora"])
@pytest.mark.parametrize("kind", ["resnet_of_timm", "dinov2"])
def test_a_backbone_of_the_hub_is_trained_as_far_as_asked(kind: str, layers: str, tmp_path: Path):
    folder = save(kind, tmp_path / kind)
    settings = fast(backbone=str(folder), layers=layers, epochs=1, side=32, refit=False)
    made = run(tmp_path / "run", settings)
    card = made.card
    trained, whole, width = card["trained_parameters"], card["parameters"], {"resnet_of_timm": 32, "dinov2": 32}[kind]
    head = 3 * (width + 1)
    assert card["layers"] == layers
    assert {"frozen": trained == head, "full": trained == whole}.get(layers, head < trained < whole)
    assert made.validation["digit"][VALIDATION] == pytest.approx(
        Own(made.onnx["digit"])(seen(PICTURES, settings))[VALIDATION], abs=1e-4
    )
    assert card["backbone"]["sha256"] and "torch" in card["backbone"]["source"]
    if layers == "frozen":
        assert card["augment"] == "none" and card["penalty"] == made.history["penalty"][card["best_epoch"] - 1]
    else:
        assert made.history["epoch"][0] == 0  # the head alone, before anything else is trained


def test_lite0_learns_photographs(tmp_path: Path):
    fish, monuments = (sorted(PHOTOS.glob(f"{name}*"))[:12] for name in ("cat_fish", "cat_mon"))
    paths = [path for pair in zip(fish, monuments, strict=True) for path in pair]
    truth, sets = np.arange(24) % 2, thirds(24)
    settings = Settings(layers="partial", epochs=2, rate=2e-4, device="cpu", side=128)
    task = Task(Target("nominal", ("fish", "monument")), truth)
    made = finetune(paths, {"it": task}, sets, settings, tmp_path, [].append)
    assert made.history["it_f1"].max() > 0.8
    assert made.card["backbone"]["name"] == "efficientnet_lite0"
    assert made.card["trained_parameters"] < made.card["parameters"]


def test_pictures_that_cannot_be_read_are_told_and_left_out(tmp_path: Path):
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    pictures = [tmp_path / "broken.jpg", *PICTURES[1:5], tmp_path / "gone.jpg", *PICTURES[6:]]
    said = list[str]()
    made = finetune(pictures, {"digit": nominal()}, SETS, fast(epochs=1), tmp_path / "run", said.append)
    assert list(made.failed) == [0, 5]
    assert "broken.jpg" in made.failed[0] or "picture" in made.failed[0]
    assert made.card["failed"] == 2 and made.card["train"] + made.card["validation"] == NUMBER - 2
    assert np.isnan(made.validation["digit"][0]).all()
    assert any(line.startswith("2 of 60 pictures cannot be read") for line in said)


def test_pictures_that_do_not_fit_into_memory_are_read_again(trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("visanda.learn.finetune.reading.ROOM", 20 * 3 * SIDE**2)
    made = run(tmp_path, fast(epochs=8, refit=False))
    assert made.validation["digit"][VALIDATION] == pytest.approx(trained[0].validation["digit"][VALIDATION], abs=1e-5)


def test_parts_of_pictures_are_pictures(tmp_path: Path):
    wide = [np.concatenate([np.full_like(one, 255), one], axis=1) for one in PICTURES]
    parts = [Detail(Image.of(one), (SIDE, 0, SIDE, SIDE)) for one in wide]
    cut, whole = (
        finetune(given, {"digit": nominal()}, SETS, fast(epochs=1), tmp_path, [].append) for given in (parts, PICTURES)
    )
    assert cut.validation["digit"][VALIDATION] == pytest.approx(whole.validation["digit"][VALIDATION], abs=1e-6)


def test_want_of_memory_makes_smaller_portions_and_the_same_model(
    trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    once, said, real = list[int](), list[str](), learner.total

    def starved(tasks, logits, rows, among):
        if len(rows) > 4 and len(among) > 4 and logits[0].requires_grad:
            once.append(len(rows))
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
        return real(tasks, logits, rows, among)

    monkeypatch.setattr(learner, "total", starved)
    made = run(tmp_path, fast(epochs=2), said=said)
    monkeypatch.undo()
    plain = run(tmp_path, fast(epochs=2))
    assert once == [16, 8] and made.card["portion"] == 4
    assert sum("Memory ran out" in line for line in said) == 2
    # Only dropout, whose random numbers are dealt by the portion, tells the two apart.
    assert made.history["validation_loss"].to_numpy() == pytest.approx(plain.history["validation_loss"], abs=0.05)


def test_training_stops_when_the_validation_loss_no_longer_falls(tmp_path: Path):
    random = np.random.default_rng(1).integers(0, 3, NUMBER)  # codes that the pictures say nothing of
    said = list[str]()
    made = run(tmp_path, fast(epochs=30, patience=2, rate=0.001), {"digit": nominal(random)}, said)
    assert len(made.history) < 20
    assert made.card["best_epoch"] == made.history["epoch"][made.history["validation_loss"].idxmin()]
    assert any(line.startswith("Stopped") for line in said)


def test_a_rate_is_found_where_none_is_given(tmp_path: Path):
    said = list[str]()
    settings = Settings(layers="partial", epochs=1, device="cpu", side=64)
    made = finetune(PICTURES, {"digit": nominal()}, SETS, settings, tmp_path, said.append)
    assert 1e-5 < made.card["rate"] < 1e-2
    assert any(line.startswith("Learning rate found") for line in said)


def test_from_scratch_the_rate_is_one_that_learns(tmp_path: Path):
    said = list[str]()
    made = run(tmp_path, fast(epochs=20, rate=None), said=said)
    assert made.card["rate"] == FROM_SCRATCH and not any("rate found" in line for line in said)
    assert made.history["validation_loss"].iloc[-1] < 0.5 * np.log(3)


def test_long_training_on_a_cpu_comes_with_advice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    said = list[str]()
    monkeypatch.setattr("visanda.learn.finetune.duration.HOUR", 0.001)
    run(tmp_path, fast(epochs=1), said=said)
    assert "frozen" in said[1]


@pytest.mark.parametrize("name", ["cuda:7", "cuda", "tpu"])
def test_a_device_that_is_not_there_is_refused(tmp_path: Path, name: str):
    if name == "cuda" and torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(InputError, match=f"no device '{name}'.*there are: cpu"):
        run(tmp_path, fast(device=name))


def test_a_backbone_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="resnet19"):
        run(tmp_path, fast(backbone="resnet19"))


@pytest.mark.parametrize(
    ("truth", "sets", "says"),
    [
        (np.zeros(NUMBER, int), SETS, "same code"),
        (np.where(VALIDATION, -1, TRUTH), SETS, "set validation has a code"),
        (TRUTH, ["train"] * NUMBER, "set validation has a code"),
        (TRUTH, ["test"] * NUMBER, "train or validation, not test"),
        (TRUTH[:9], SETS, "need as many"),
        (TRUTH + 2, SETS, "beyond the 3 classes"),
    ],
)
def test_codes_that_nothing_can_be_learnt_from_are_refused(tmp_path: Path, truth, sets, says: str):
    with pytest.raises(InputError, match=says):
        finetune(PICTURES, {"digit": nominal(truth)}, sets, fast(), tmp_path)
