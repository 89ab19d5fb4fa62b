"""Fine-tuning in a process of its own that is killed in an epoch: it goes on as if nothing had been, or says why."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from torch_here import HERE

from visanda.errors import InputError
from visanda.learn.finetune import Finetuned, Settings, Task, finetune
from visanda.learn.target import Target

if not HERE:
    pytest.skip("torch, timm or transformers is not installed (the extra train)", allow_module_level=True)

import torch
from finetune_pictures import digits, fast, thirds

from visanda.learn.finetune import checkpoint

PATIENCE = 120  # seconds
PICTURES, TRUTH = digits(48)
SETS = thirds(48)
# Killed in an epoch, after some of its steps; or while it writes its checkpoint.
PROGRAM = """
import os, signal, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from test_finetune_is_killed import trained
from visanda.learn.finetune import checkpoint, epochs
folder, where = Path(sys.argv[1]), sys.argv[2]
kill = lambda: os.kill(os.getpid(), signal.SIGKILL)
if where != "writing":
    # The second step of the third epoch, of two each; or of the second one with all codes, of three each.
    real, steps, last = epochs.Optimiser.step, [], {"learning": 2 * 2 + 2, "again": 5 * 2 + 3 + 2}[where]
    def step(self, rate):
        steps.append(rate)
        if len(steps) == last:
            kill()
        return real(self, rate)
    epochs.Optimiser.step = step
else:
    real, written = torch.save, []
    def save(held, path):
        real(held, path)
        written.append(path)
        if len(written) == 3:
            kill()
    torch.save = save
trained(folder)
"""


def trained(folder: Path, settings: Settings | None = None, truth: np.ndarray = TRUTH) -> Finetuned:
    task = Task(Target("nominal", ("0", "1", "2")), truth)
    return finetune(PICTURES, {"digit": task}, SETS, settings or fast(epochs=5, augment="document"), folder, print)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # as in the other process: sums depend on how they are shared out
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Finetuned:
    return trained(tmp_path_factory.mktemp("undisturbed"))


def killed(folder: Path, where: str) -> None:
    places = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*places, os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-c", PROGRAM, str(folder), where]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == -9, done.stderr


@pytest.mark.parametrize(("where", "after"), [("learning", 2), ("writing", 2), ("again", 1)])
def test_a_run_that_was_killed_ends_like_one_that_was_not(
    undisturbed: Finetuned, tmp_path: Path, where: str, after: int
):
    killed(tmp_path, where)
    assert (tmp_path / checkpoint.NAME).exists()
    made = trained(tmp_path)
    assert made.card["resumed_after"] == after and undisturbed.card["resumed_after"] == 0
    assert made.history["validation_loss"].tolist() == undisturbed.history["validation_loss"].tolist()
    assert made.card["best_epoch"] == undisturbed.card["best_epoch"]
    assert np.array_equal(made.validation["digit"], undisturbed.validation["digit"], equal_nan=True)
    assert made.card["refitted"] and made.onnx["digit"] == undisturbed.onnx["digit"]
    assert not (tmp_path / checkpoint.NAME).exists()


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("interrupted")
    killed(folder, "learning")
    return folder


@pytest.mark.parametrize(
    ("settings", "truth", "says"),
    [
        (fast(epochs=5, augment="document", seed=2), TRUTH, r"settings \(seed 1\)"),
        (fast(epochs=9, augment="document"), TRUTH, r"settings \(epochs 5\)"),
        (fast(epochs=5, augment="document"), np.where(TRUTH == 2, 1, TRUTH), "codes"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(interrupted: Path, settings: Settings, truth: np.ndarray, says: str):
    with pytest.raises(InputError, match=f"other {says}.*delete the file"):
        trained(interrupted, settings, truth)
    assert (interrupted / checkpoint.NAME).exists()


def test_other_threads_are_no_other_run(interrupted: Path, tmp_path: Path):
    (tmp_path / checkpoint.NAME).write_bytes((interrupted / checkpoint.NAME).read_bytes())
    assert trained(tmp_path, fast(epochs=5, augment="document", workers=2)).card["resumed_after"] == 2


def test_a_damaged_checkpoint_is_refused(interrupted: Path, tmp_path: Path):
    data = (interrupted / checkpoint.NAME).read_bytes()
    (tmp_path / checkpoint.NAME).write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match=r"damaged.*delete it"):
        trained(tmp_path)
