"""Validity: how well a machine's codes agree with gold, and what its probabilities are worth."""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.errors import InputError
from visanda.result import Result
from visanda.study.agreement import (
    BASELINE,
    by_class,
    calibration,
    confusion,
    overall,
    sure,
    with_probability,
)
from visanda.study.columns import numeric, require_columns
from visanda.study.validity_plot import validity_plot

Array = NDArray[np.float64]
FEW_GOLD = 100
FEW_OF_CLASS = 20


def validity(
    gold: pd.Series,
    predicted: pd.Series,
    probability: pd.Series | pd.DataFrame | None = None,
    *,
    weights: pd.Series | None = None,
    positive: Hashable | None = None,
    resamples: int = 1000,
    seed: int = 1,
    groups: pd.Series | None = None,
) -> Result:
    """Compare predicted with gold codes.

    Args:
        gold: (n,) adjudicated human codes; rows without gold are left out.
        predicted: (n,) the machine's codes of the same rows, in the same order and with the same index.
        probability: (n,) probability in [0, 1] of the positive class, or a DataFrame with a column for each
            class.
        weights: (n,) of rows, 1 / probability of being drawn, where gold is no simple random sample.
        positive: of two classes the one that is asked for; None: the last in order (1, True, "yes").
        resamples: of the bootstrap.
        seed: of the bootstrap.
        groups: (n,) what belongs together (account, video): whole groups are resampled.

    Returns:
        A Result with a row for each measure and its percentile 95 % interval; ``extra["by class"]`` has
        precision, recall, F1 and support; ``extra["confusion"]`` gold in rows, predicted in columns. A class
        missing from a resample, on both sides, is left out of that resample's means; a resample in which a
        measure cannot be computed at all is left out of its interval.

    Raises:
        InputError: series of different rows, no row with both codes, no class in common, bad probabilities.

    Example:
        >>> gold, machine = pd.Series(["cat", "dog", "dog", None]), pd.Series(["cat", "dog", "cat", "dog"])
        >>> found = validity(gold, machine, resamples=100)
        >>> round(float(found.table.loc[0, "value"]), 3)
        0.667
    """
    rows = _rows(gold, predicted, weights, groups)
    kept = rows.index
    classes = _classes(rows["gold"], rows["predicted"], positive)
    number_of = {value: index for index, value in enumerate(classes)}
    true = rows["gold"].map(number_of).to_numpy(dtype=np.intp)
    said = rows["predicted"].map(number_of).to_numpy(dtype=np.intp)
    chance = None if probability is None else _probabilities(probability.loc[kept], classes)
    weight = rows["weight"].to_numpy(dtype=float)

    def measure(weight: Array) -> dict[str, float]:
        table = confusion(true, said, len(classes), weight)
        found = overall(table)
        if chance is not None:
            found |= with_probability(true, chance, weight)
        each = by_class(table)
        return found | {f"{name} {k}": each[name][k] for name in each for k in range(len(classes))}

    point = measure(weight)
    drawn = pd.DataFrame([measure(weight * times) for times in _resampled(rows["group"], resamples, seed)])
    low, high = drawn.quantile(0.025), drawn.quantile(0.975)
    names = [name for name in point if not name.startswith(("precision ", "recall ", "F1 "))]
    table = pd.DataFrame({"measure": names, "value": [point[name] for name in names]})
    table["low"], table["high"] = low[names].to_numpy(), high[names].to_numpy()
    labels = [_label(value) for value in classes]
    counts = pd.DataFrame(confusion(true, said, len(classes), np.ones(len(true))).astype(int), labels, labels)
    bins = None if chance is None else pd.DataFrame(calibration(*sure(true, chance), weight)).dropna()
    asked = f"the probability of {labels[1]}" if len(labels) == 2 else "the highest probability"
    return Result(
        title=f"Validity of {predicted.name or 'the predictions'} against {gold.name or 'gold'}",
        table=table,
        words=_words(table, len(rows), rows["group"].nunique() if groups is not None else None, labels),
        warnings=_warnings(table, counts, len(rows), drawn[names]),
        draw=partial(validity_plot, counts, bins, asked),
        provenance={
            "n": len(rows),
            "left_out": len(gold) - len(rows),
            "classes": labels,
            "weighted": weights is not None,
            "grouped": groups is not None,
            "resamples": resamples,
            "seed": seed,
        },
        extra={
            "confusion": counts.rename_axis("gold").reset_index(),
            "by class": _by_class(labels, point, low, high, counts),
            **({"calibration": bins} if bins is not None else {}),
        },
    )


def _rows(gold: pd.Series, predicted: pd.Series, weights: pd.Series | None, groups: pd.Series | None) -> pd.DataFrame:
    for name, series in {"predicted": predicted, "weights": weights, "groups": groups}.items():
        if series is not None and not gold.index.equals(series.index):
            raise InputError(f"gold and {name} are not about the same rows in the same order: join them by id first")
    rows = pd.DataFrame(
        {
            "gold": numeric(gold).astype(object),
            "predicted": numeric(predicted).astype(object),
            "weight": 1.0 if weights is None else weights,
            "group": np.arange(len(gold)) if groups is None else groups,
        }
    ).dropna()
    if rows.empty:
        raise InputError("no row has both a gold code and a prediction: code some rows, or join the tables by id")
    if not rows["weight"].gt(0).all():
        raise InputError("weights must be above 0 in every row")
    return rows


def _classes(gold: pd.Series, predicted: pd.Series, positive: Hashable | None) -> list[Hashable]:
    true, said = set(gold), set(predicted)
    if true.isdisjoint(said):
        raise InputError(
            f"no class in common: gold has {_some(true)}, the predictions have {_some(said)}. Recode one of them."
        )
    zero_one = {0, 1} if (true | said) <= {0, 1} else set()  # also where nobody is 0, or nobody 1
    classes = sorted(true | said | zero_one, key=lambda value: (isinstance(value, str), value))
    if positive is None:
        return classes
    if positive not in classes:
        raise InputError(f"positive={positive!r} is none of the classes: {_some(set(classes))}")
    if len(classes) != 2:
        raise InputError(f"positive is for two classes; here are {len(classes)}: leave it out")
    return [value for value in classes if value != positive] + [positive]


def _probabilities(probability: pd.Series | pd.DataFrame, classes: list[Hashable]) -> Array:
    if isinstance(probability, pd.DataFrame):
        by_name = probability.rename(columns=_label)
        labels = [_label(value) for value in classes]
        require_columns(by_name, labels, "the probability of class")
        made = by_name[labels].to_numpy(dtype=float)
    elif len(classes) > 2:
        raise InputError(f"{len(classes)} classes need a DataFrame of probabilities, a column for each class")
    elif len(classes) == 1:
        raise InputError(f"gold and predictions are all {classes[0]!r}: probabilities cannot be judged by one class")
    else:
        one = probability.to_numpy(dtype=float)
        made = np.stack([1 - one, one], axis=1)
    if not ((made >= 0) & (made <= 1)).all():
        raise InputError("probabilities must lie between 0 and 1, and none may be missing where there is gold")
    return made


def _resampled(group: pd.Series, resamples: int, seed: int) -> NDArray[np.float64]:
    """(resamples, n) how often each row is drawn, whole groups at a time."""
    random = np.random.default_rng(seed)
    number, groups = pd.factorize(group)
    times = random.multinomial(len(groups), np.full(len(groups), 1 / len(groups)), size=resamples)
    return times[:, number].astype(float)


def _by_class(
    labels: list[str], point: dict[str, float], low: pd.Series, high: pd.Series, counts: pd.DataFrame
) -> pd.DataFrame:
    columns: dict[str, object] = {"class": labels}
    for name in ("precision", "recall", "F1"):
        keys = [f"{name} {k}" for k in range(len(labels))]
        columns[name] = [point[key] for key in keys]
        columns[f"{name} low"], columns[f"{name} high"] = low[keys].to_numpy(), high[keys].to_numpy()
    return pd.DataFrame(columns | {"support": counts.sum(axis=1).to_numpy()})


def _words(table: pd.DataFrame, n: int, groups: int | None, labels: list[str]) -> list[str]:
    value = table.set_index("measure")
    said = value.loc["accuracy"]
    baseline = value.loc[BASELINE].value
    resampled = f"{groups:,} groups" if groups else "rows"
    words = [
        f"On {n:,} rows with gold, {said.value:.1%} of the machine's codes are right (95 % interval "
        f"{said.low:.1%} to {said.high:.1%}; bootstrap over {resampled}). Always saying the "
        f"commonest class would be right in "
        f"{baseline:.1%}."
    ]
    if "AUC" in value.index and len(labels) == 2:
        words.append(
            f"Given a row that is {labels[1]} and one that is not, the machine gives the first the higher "
            f"probability in {value.loc['AUC'].value:.1%} of pairs (AUC); "
            f"Brier score {value.loc['Brier score'].value:.3f}."
        )
    return words


def _warnings(table: pd.DataFrame, counts: pd.DataFrame, n: int, drawn: pd.DataFrame) -> list[str]:
    value = table.set_index("measure")
    found = []
    if n < FEW_GOLD:
        found.append(f"Only {n} rows have gold: intervals are wide, and rough below {FEW_GOLD}.")
    if value.loc["accuracy"].low <= value.loc[BASELINE].value:
        found.append("The accuracy is not clearly above that of always saying the commonest class.")
    support, said = counts.sum(axis=1), counts.sum(axis=0)
    rare = [label for label in counts.index if 0 < support[label] < FEW_OF_CLASS]
    if rare:
        found.append(f"Fewer than {FEW_OF_CLASS} gold rows of: {', '.join(rare)}. Their recall is rough.")
    if unseen := [label for label in counts.index if support[label] == 0]:
        found.append(f"Predicted but never gold: {', '.join(unseen)}.")
    if unsaid := [label for label in counts.index if said[label] == 0]:
        found.append(f"In gold but never predicted: {', '.join(unsaid)}.")
    for name, share in drawn.isna().mean().items():
        if share > 0:
            found.append(f"{name} could not be computed in {share:.1%} of resamples, which its interval leaves out.")
    return found


def _label(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _some(values: set[Hashable]) -> str:
    return ", ".join(sorted(_label(value) if isinstance(value, float) else repr(value) for value in values)[:6])
