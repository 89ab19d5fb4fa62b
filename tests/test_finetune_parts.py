"""Parts of fine-tuning: the embedded network in torch, augmentation, batches, losses, LoRA, memory."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from torch_here import HERE

import visanda
from visanda.errors import InputError
from visanda.learn.finetune import Settings, Task
from visanda.learn.finetune.augment import augmented
from visanda.learn.finetune.batches import order, varied
from visanda.learn.finetune.rate import found, scheduled
from visanda.learn.finetune.reading import Squares
from visanda.learn.target import Target
from visanda.media import load
from visanda.models import imagenet, imagenet_input
from visanda.models.squares import squared

if not HERE:
    pytest.skip("torch, timm or transformers is not installed (the extra train)", allow_module_level=True)

import torch

from visanda.learn.finetune import lora
from visanda.learn.finetune.calibrate import temperature
from visanda.learn.finetune.heads import Head
from visanda.learn.finetune.lite0 import lite0
from visanda.learn.finetune.losses import Codes, total
from visanda.learn.finetune.memory import Portions

PHOTOS = sorted((Path(visanda.__file__).parent / "sample" / "photos").glob("*.webp"))[:200:40]
CPU = torch.device("cpu")
KINDS = {
    "nominal": (Target("nominal", ("a", "b", "c")), [0, 2, -1, 1]),
    "ordinal": (Target("ordinal", ("low", "middle", "high", "top")), [0, 3, -1, 1]),
    "multilabel": (Target("multilabel", ("x", "y")), [[1, 0], [np.nan, 1], [np.nan, np.nan], [0, 0]]),
    "interval": (Target("interval"), [1.0, 7.5, np.nan, 3.0]),
}


def test_lite0_in_torch_gives_the_features_of_the_embedded_model():
    images = [load(path, 256) for path in PHOTOS]
    expected, _ = imagenet(images)
    given = np.concatenate([imagenet_input(image.pixels) for image in images])
    with torch.inference_mode():
        found = lite0()(torch.from_numpy(given)).numpy()
    assert np.abs(found - expected).max() < 1e-3


def test_a_square_of_224_is_what_embed_sees():
    for path in PHOTOS:
        pixels = load(path, 256).pixels
        seen = (squared(pixels, 224, "square").astype(np.float32) - 127) / 128
        assert np.array_equal(seen.transpose(2, 0, 1)[None], imagenet_input(pixels))


@pytest.mark.parametrize("augment", ["document", "text"])
def test_writing_is_never_mirrored(augment):
    square = np.full((64, 64, 3), 255, np.uint8)
    square[8:24, 8:24] = 0
    for seed in range(50):
        picture = augmented(square, 64, augment, np.random.default_rng(seed)).mean(axis=2)
        quarters = {(y, x): picture[y : y + 32, x : x + 32].mean() for y in (0, 32) for x in (0, 32)}
        assert min(quarters, key=quarters.__getitem__) == (0, 0)


def test_text_stays_upright_and_documents_are_turned():
    square = np.full((64, 64, 3), 255, np.uint8)
    square[30:34, 8:56] = 0

    def slope(picture: np.ndarray) -> float:
        dark = picture.mean(axis=2) < 128
        rows = [np.flatnonzero(dark[:, column]).mean() for column in range(16, 48) if dark[:, column].any()]
        return float(np.abs(np.polyfit(range(len(rows)), rows, 1)[0]))

    slopes = {
        augment: [slope(augmented(square, 64, augment, np.random.default_rng(seed))) for seed in range(20)]
        for augment in ("text", "document")
    }
    assert max(slopes["text"]) < 0.03 < np.mean(slopes["document"])


def test_photos_are_mirrored_every_other_time():
    square = np.zeros((80, 80, 3), np.uint8)
    square[:, 40:] = 200
    left = [
        augmented(square, 64, "photo", np.random.default_rng(seed))[:, :10].mean() for seed in range(200)
    ]  # fmt: skip
    assert 70 < np.sum(np.array(left) > 60) < 130


@pytest.mark.parametrize("augment", ["photo", "document", "text", "none"])
def test_a_variation_is_a_function_of_its_random_numbers(augment):
    square = np.random.default_rng(1).integers(0, 256, (74, 74, 3), np.uint8)
    one, same, other = (augmented(square, 64, augment, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one.shape == (64, 64, 3) and one.dtype == np.uint8
    assert np.array_equal(one, same)
    assert np.array_equal(one, other) == (augment == "none")


@pytest.mark.parametrize(("number", "batch"), [(1, 32), (31, 32), (47, 32), (49, 32), (100, 7), (5, 1)])
def test_an_epoch_sees_each_picture_once_in_batches_of_like_size(number: int, batch: int):
    steps = order(np.arange(number), batch, seed=3, epoch=2)
    assert sorted(np.concatenate(steps).tolist()) == list(range(number))
    assert max(map(len, steps)) <= 1.5 * batch
    assert not np.array_equal(
        np.concatenate(order(np.arange(100), 7, 3, 1)), np.concatenate(order(np.arange(100), 7, 3, 2))
    )


def test_how_a_picture_is_varied_does_not_depend_on_its_batch():
    pictures = list(np.random.default_rng(1).integers(0, 256, (9, 40, 40, 3), np.uint8))
    squares = Squares(pictures, 32, "square", 2)
    with ThreadPoolExecutor(2) as pool:
        whole = {
            int(row): one
            for rows, pixels in varied(squares, [np.arange(9)], "photo", 1, 1, pool)
            for row, one in zip(rows, pixels, strict=True)
        }
        for rows, pixels in varied(squares, [np.array([4, 2]), np.array([8])], "photo", 1, 1, pool):
            assert all(np.array_equal(whole[int(row)], one) for row, one in zip(rows, pixels, strict=True))


def codes(kind: str, truth: list, balance: bool = False, weight: float = 1.0) -> Codes:
    target = KINDS[kind][0]
    task = Task(target, np.array(truth), weight)
    head = Head(target, 5, mean=2.0, deviation=4.0) if kind == "interval" else Head(target, 5)
    return Codes.of(head, task, np.ones(len(truth), bool), balance, CPU)


def logits_of(kind: str, rows: int) -> torch.Tensor:
    width = {"nominal": 3, "ordinal": 3, "multilabel": 2, "interval": 1}[kind]
    found = torch.randn(rows, width, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return found.sort(1, descending=True).values if kind == "ordinal" else found


@pytest.mark.parametrize("kind", KINDS)
def test_codes_that_are_missing_change_no_loss(kind: str):
    _, truth = KINDS[kind]
    every, some = torch.arange(4), torch.tensor([0, 1, 3])
    logits = logits_of(kind, 4)
    with_them = total([codes(kind, truth)], [logits], every, every)
    without = total([codes(kind, [truth[row] for row in some])], [logits[some]], torch.arange(3), torch.arange(3))
    assert float(with_them) == pytest.approx(float(without))


@pytest.mark.parametrize("kind", KINDS)
def test_the_loss_is_that_of_the_scores(kind: str):
    _target, truth = KINDS[kind]
    one, logits, rows = codes(kind, truth), logits_of(kind, 4), torch.arange(4)
    said, known = one.head.scores(logits).detach().numpy(), np.array(truth, float)
    if kind == "interval":
        each = ((said[:, 0] - known) / 4.0) ** 2
    elif kind == "multilabel":
        each = -np.log(np.where(known == 1, said, 1 - said))
        each[np.isnan(known)] = np.nan
    else:
        assert said.sum(axis=1) == pytest.approx(1)
        each = -np.log(said[range(4), np.array(truth)])
        each[2] = np.nan
    assert float(total([one], [logits], rows, rows)) == pytest.approx(np.nanmean(each), rel=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_portions_of_a_batch_add_up_to_it(kind: str):
    one, logits, rows = codes(kind, KINDS[kind][1], balance=True), logits_of(kind, 4), torch.arange(4)
    parts = [total([one], [logits[part]], rows[part], rows) for part in (slice(0, 1), slice(1, 4))]
    assert float(sum(parts)) == pytest.approx(float(total([one], [logits], rows, rows)))


def test_tasks_count_by_their_weights():
    one, other = codes("nominal", [0, 1, 2, 0], weight=10.0), codes("interval", [1.0, 2.0, 3.0, 9.0], weight=5.0)
    logits, rows = [logits_of("nominal", 4), logits_of("interval", 4)], torch.arange(4)
    alone = [float(total([task], [mine], rows, rows)) for task, mine in zip((one, other), logits, strict=True)]
    assert float(total([one, other], logits, rows, rows)) == pytest.approx(sum(alone))
    light = codes("nominal", [0, 1, 2, 0])
    assert alone[0] == pytest.approx(10 * float(total([light], logits[:1], rows, rows)))


def test_balanced_values_count_the_same_together():
    one = codes("nominal", [0, 0, 0, 0, 0, 1, 1, 2, -1], balance=True)
    counted = [float(one.counts[one.truth == value].sum()) for value in (1, 2)]
    assert counted == pytest.approx([8 / 3, 8 / 3])
    assert float(one.counts[:5].sum()) == pytest.approx(8 / 3) and float(one.counts[-1]) == 0


def test_thresholds_of_an_ordinal_head_stay_in_order():
    head = Head(Target("ordinal", tuple("abcde")), 4)
    with torch.no_grad():
        assert head.steps is not None
        head.steps.copy_(torch.tensor([-9.0, 3.0, -2.0]))
        head.linear.weight.normal_(generator=torch.Generator().manual_seed(1))
        scores = head.scores(head(torch.randn(200, 4)))
    assert (scores >= 0).all() and torch.allclose(scores.sum(1), torch.ones(200))


def test_scores_of_numbers_stay_within_the_scale():
    head = Head(Target("interval", low=0.0, high=100.0), 2, mean=50.0, deviation=30.0)
    assert head.scores(torch.tensor([[-9.0], [0.0], [9.0]])).flatten().tolist() == [0.0, 50.0, 100.0]


def test_the_temperature_undoes_overconfidence():
    random = np.random.default_rng(1)
    logits = random.normal(0, 2, (3000, 3))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = np.array([random.choice(3, p=one) for one in p])
    target = Target("nominal", ("a", "b", "c"))
    found = temperature(Head(target, 2), torch.from_numpy(4 * logits), Task(target, truth), np.arange(3000))
    assert found == pytest.approx(4, rel=0.1)


def test_the_temperature_is_not_zero_where_nothing_was_wrong():
    target = Target("nominal", ("a", "b"))
    logits = torch.tensor([[4.0, 0.0], [0.0, 4.0]] * 10)
    found = temperature(Head(target, 2), logits, Task(target, np.array([0, 1] * 10)), np.arange(20))
    assert 0.5 < found < 2


def test_lora_changes_nothing_before_it_learns_and_is_merged_without_a_trace():
    torch.manual_seed(1)
    body = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3), torch.nn.Conv2d(8, 16, 1), torch.nn.Flatten(), torch.nn.Linear(576, 9)
    )
    pixels, before = torch.randn(2, 3, 8, 8), dict(body.named_parameters()).keys()
    plain = body(pixels)
    lora.add(body)
    assert torch.allclose(body(pixels), plain)
    trained = [one for one in body.parameters() if one.requires_grad]
    assert len(trained) == 4 and sum(one.numel() for one in trained) == 8 * (8 + 16) + 8 * (576 + 9)
    with torch.no_grad():
        for one in trained:
            one.normal_(std=0.1)
    changed = body(pixels)
    assert not torch.allclose(changed, plain)
    lora.merge(body)
    assert torch.allclose(body(pixels), changed, atol=1e-5)
    assert dict(body.named_parameters()).keys() == before


def test_lora_without_layers_is_refused():
    with pytest.raises(InputError, match="partial or full"):
        lora.add(torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3)))


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")])
def test_portions_are_halved_until_they_fit(error: Exception):
    said, seen, begun = [], [], []

    def one(part: slice) -> int:
        if part.stop - part.start > 5:
            raise error
        seen.append(part)
        return len(range(16)[part])

    portions = Portions(16, said.append)
    assert sum(portions.work(16, one, lambda: begun.append(seen.clear()))) == 16
    assert portions.size == 4 and len(said) == 2 and len(begun) == 3
    assert [part.start for part in seen] == [0, 4, 8, 12]


def test_a_picture_too_large_for_any_portion_is_told():
    def never(part: slice) -> None:
        raise MemoryError

    with pytest.raises(InputError, match="smaller side"):
        Portions(4, lambda line: None).work(4, never)


def test_another_error_is_no_want_of_memory():
    def wrong(part: slice) -> None:
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes"):
        Portions(4, lambda line: None).work(4, wrong)


def test_the_rate_rises_then_falls_to_nothing():
    rates = [scheduled(0.01, step, 100) for step in range(100)]
    assert max(rates) == pytest.approx(0.01, rel=0.01) and np.argmax(rates) in (9, 10)
    assert (np.diff(rates[:10]) > 0).all() and (np.diff(rates[10:]) < 0).all() and rates[-1] < 1e-4


@pytest.mark.parametrize("breaks", [1e-3, 1e-2])
def test_the_finder_stays_below_the_rate_at_which_learning_breaks(breaks: float):
    state = {"loss": 2.0}

    def step(rate: float) -> float:
        before = state["loss"]
        state["loss"] *= 1 + rate / breaks if rate > breaks else 1 - 0.3 * rate / breaks
        return before

    assert breaks / 30 < found(step) <= breaks


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"layers": "some"}, "layers must be one of"),
        ({"augment": "flip"}, "augment must be one of"),
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"batch": 0}, "batch must be at least 1"),
        ({"rate": 3.0}, "rate must lie between"),
        ({"backbone": "small", "layers": "frozen"}, "knows nothing"),
        ({"backbone": "small", "layers": "lora"}, "knows nothing"),
        ({"side": 8}, "side must be at least 16"),
    ],
)
def test_settings_that_cannot_be_are_refused(wrong: dict, says: str):
    with pytest.raises(InputError, match=says):
        Settings(**wrong)
