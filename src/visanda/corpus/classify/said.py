"""Said: what training says when it is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from visanda.corpus.classify.learnable import Learnable
from visanda.learn.finetune import Finetuned
from visanda.learn.scores import scores
from visanda.learn.trained import Trained
from visanda.result import Result

FEW = 10  # units of a value from which it can be learnt at all
FEW_TESTED = 10  # units of the test set below which it says next to nothing


def said_of_training(trained: Trained, learnt: Learnable) -> Result:
    """What was learnt from, how well by cross-validation, and what to do next."""
    card = trained.card
    variable, units = card["variable"], card["units"]
    counts = {part: card[part] for part in ("train", "validation", "test")}
    table = pd.DataFrame(counts).fillna(0).astype(int).rename_axis("value").reset_index()
    if table.empty:
        table = pd.DataFrame([{"value": "all", **units}])
    found = _cross_validated(trained)
    words = [
        f"The model {trained.name!r} of {variable} ({card['model']}) learnt from {_learnt(card)}. The other "
        f"{units['test']} are a frozen test set, which nothing but 'visanda evaluate {variable}' looks at."
    ]
    if not sum(units.values()):
        words = [f"The model {trained.name!r} of {variable} ({card['model']}) rests on words alone: code some units."]
    if found:
        numbers = ", ".join(f"{name} {value:.3f}" for name, value in found.items())
        how = (
            f"On the validation set, by which it was stopped (this flatters a little, and is not the test): {numbers}."
            if card["kind"] == "finetune"
            else f"Cross-validated on what it learnt from (this is not the test): {numbers}."
        )
        words.append(how)
    words.append(f"Next: visanda evaluate {variable}, then visanda apply {variable}")
    provenance = {"trained": variable, **card["arguments"], "cross-validated": found}
    return Result(f"Model of {variable}", table, words, _warnings(trained, learnt), provenance=provenance)


def _learnt(card: dict[str, Any]) -> str:
    units = card["units"]
    if card["kind"] == "finetune":
        return f"{units['train']} coded units, and stopped by {units['validation']} others"
    return f"{units['train'] + units['validation']} coded units"


def said_of_fine_tuning(trained: Sequence[Trained], learnt: Sequence[Learnable], made: Finetuned) -> Result:
    """What a network learnt, variable by variable, epoch by epoch."""
    each = [said_of_training(one, what) for one, what in zip(trained, learnt, strict=True)]
    words = [_trained(made.card), *(text for one in each for text in one.words)]
    warnings = [text for one in each for text in one.warnings]
    if made.failed:
        warnings.append(f"{len(made.failed)} pictures cannot be read and were left out")
    names = ", ".join(str(one.card["variable"]) for one in trained)
    table = made.history
    provenance = {"trained": names, **trained[0].card["arguments"]}
    return Result(f"Model of {names}", table, words, warnings, partial(_curves, table, names), provenance=provenance)


def _trained(card: Mapping[str, Any]) -> str:
    """How the network was trained."""
    network, best = card["backbone"].get("name", ""), card["best_epoch"]
    said = f"The network {network} was trained for {card['epochs']} epochs (layers {card['layers']}) on "
    said += f"{card['device']}; that with the lowest validation loss was number {best}"
    if card["layers"] == "frozen":
        said = f"The network {network} stays as it is; its head was fitted on {card['device']}, with the ridge penalty "
        said += f"that had the lowest validation loss, {card['penalty']:.2g}"
    elif not best:
        said += ", which is the network as it was before, with a new head: training more of it brought nothing here"
    if not card["refitted"]:
        return said + ". That is kept."
    return f"{said}. With that known, it learnt once more, from the validation set too."


def _curves(history: pd.DataFrame, names: str) -> Figure:
    """Loss by epoch, or by the head's penalty, on what was learnt from and on the validation set."""
    by = "penalty" if "penalty" in history else "epoch"
    figure = Figure(figsize=(6, 3.2), layout="constrained")
    axes = figure.subplots()
    for column, label in (("train_loss", "training"), ("validation_loss", "validation")):
        axes.plot(history[by], history[column], marker="o", label=label)
    axes.set(xlabel=by, ylabel="loss", title=f"Fine-tuning of {names}", xscale="log" if by == "penalty" else "linear")
    axes.legend(frameon=False)
    return figure


def _cross_validated(trained: Trained) -> dict[str, float]:
    outputs = trained.out_of_fold
    if outputs is None:
        return {}
    seen = ~pd.isna(outputs).any(axis=1)
    if not seen.any():
        return {}
    truth = trained.target.encode(trained.rows["value"].to_numpy()[seen].tolist())
    return scores(trained.target, truth, outputs[seen])


def contradicted(trained: Trained) -> str:
    """What to say where the test is clearly worse than cross-validation promised; nothing where it is not."""
    tested = {str(row["measure"]): row for row in trained.card.get("validity") or []}
    promised = _cross_validated(trained).get("accuracy")
    found = tested.get("accuracy")
    if promised is None or found is None or pd.isna(found["high"]) or promised <= float(found["high"]):
        return ""
    return (
        f"on its test set the model is right in {found['value']:.1%} (95 % interval {found['low']:.1%} to "
        f"{found['high']:.1%}), where cross-validation promised {promised:.1%}: the test set holds scenes that "
        "are like nothing it learnt from. Probabilities, abstention and conformal sets promise too much for such "
        "pictures: code more of them, and train again"
    )


def _warnings(trained: Trained, learnt: Learnable) -> list[str]:
    card, found = trained.card, []
    if learnt.without:
        found.append(f"{learnt.without} coded units have nothing to be learnt from (not measured) and were left out")
    learning = pd.Series(card["train"], dtype=float).add(pd.Series(card["validation"], dtype=float), fill_value=0)
    rare = [str(value) for value, number in learning.items() if number < FEW]
    if rare:
        found.append(f"fewer than {FEW} units to learn {', '.join(map(repr, rare))} from: code more of them")
    unseen = sorted(set(card["test"]) - set(learning.index))
    if unseen:
        found.append(f"values in the test set that were never learnt: {', '.join(unseen)}")
    untested = sorted(set(map(str, learning.index)) - set(card["test"]))
    if untested:
        found.append(
            f"the test set has none of {', '.join(map(repr, untested))} (too few units, or all in one group): nothing "
            "will tell how well these are told"
        )
    if sum(card["units"].values()) and card["units"]["test"] < FEW_TESTED:
        found.append(f"the test set has {card['units']['test']} units: its numbers will say next to nothing")
    seed = learnt.frozen.settings["seed"]
    if seed != card["arguments"]["seed"]:
        found.append(f"the split stays as it was frozen, with seed {seed}")
    if learnt.frozen.number > 1:
        found.append(
            f"{learnt.frozen.number - 1} other test sets were frozen before this one: say so, or the numbers of this "
            "one flatter"
        )
    return found
