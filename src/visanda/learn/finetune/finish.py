"""The end of a run: scores are calibrated, models written as ONNX, and what was really done goes on a card."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import numpy as np
import pandas as pd
import torch

from visanda.learn.finetune import device as devices
from visanda.learn.finetune import lora
from visanda.learn.finetune.batches import plain
from visanda.learn.finetune.calibrate import temperature
from visanda.learn.finetune.export import COMPARED, OPSET, as_onnx
from visanda.learn.finetune.learner import Learner
from visanda.learn.finetune.stages import Done
from visanda.learn.finetune.task import Finetuned, Task


def finished(learner: Learner, tasks: Mapping[str, Task], rows: tuple[np.ndarray, np.ndarray], done: Done) -> Finetuned:
    """Models, scores and a card of a trained network.

    Raises:
        VisandaError: the network cannot be written as ONNX.
    """
    trained = sum(one.numel() for one in learner.network.parameters() if one.requires_grad)
    given = next(plain(learner.squares, rows[1][:COMPARED], COMPARED, learner.pool))[1]
    network = deepcopy(learner.network).to("cpu").eval()
    lora.merge(network.backbone.body)
    onnx, temperatures, validation = dict[str, bytes](), dict[str, float](), dict[str, np.ndarray]()
    for (name, task), head, said in zip(tasks.items(), network.each_head(), done.validated, strict=True):
        temperatures[name] = temperature(head, said, task, rows[1])
        onnx[name] = as_onnx(network.backbone, head, temperatures[name], given)
        validation[name] = np.full((len(learner.squares), task.target.outputs), np.nan, np.float32)
        validation[name][rows[1]] = head.scores(said, temperatures[name]).detach().numpy()
    counts = {"parameters": sum(one.numel() for one in network.parameters()), "trained_parameters": trained}
    return Finetuned(
        onnx=onnx,
        validation=validation,
        history=pd.DataFrame(done.history),
        card={**_card(learner, tasks, rows, done), **counts, "temperature": temperatures},
        preprocessing={"pixels": learner.squares.side, "crop": learner.squares.crop},
        failed=learner.squares.failed,
    )


def _card(
    learner: Learner, tasks: Mapping[str, Task], rows: tuple[np.ndarray, np.ndarray], done: Done
) -> dict[str, Any]:
    settings, device = learner.settings, learner.device
    return {
        "backbone": learner.network.backbone.known,
        "layers": settings.trained,
        "epochs": done.epochs,
        "best_epoch": done.best_epoch,
        "rate": done.rate,
        "penalty": done.penalty,
        "resumed_after": done.resumed_after,
        "augment": "none" if settings.trained == "frozen" else settings.augment,
        "balance": settings.balance,
        "batch": settings.batch,
        "portion": learner.portions.size,
        "patience": settings.patience,
        "seed": settings.seed,
        "device": devices.described(device),
        "precision": "bfloat16" if devices.reduced(device, settings.precision) else "float32",
        "train": len(rows[0]),
        "validation": len(rows[1]),
        "refitted": done.refitted,
        "failed": len(learner.squares.failed),
        "weights": {name: task.weight for name, task in tasks.items()},
        "opset": OPSET,
        "torch": torch.__version__,
    }
