"""Model card: a model in words, made from what was really done (Mitchell et al. 2019)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from visanda.codebook import Variable
from visanda.report.numbers import number


def readme(
    card: Mapping[str, Any],
    asked: Variable,
    *,
    reliability: Sequence[str],
    validity: pd.DataFrame | None,
    looks: int,
) -> str:
    """The card as Markdown.

    Args:
        card: of the exported model.
        asked: the variable, as the codebook has it.
        reliability: what was said of how far coders agree.
        validity: the table of its test: measure, value, low, high; ``None``: it was not tested.
        looks: how often the test set was looked at, by this and other models.
    """
    parts = [
        f"# {card['variable']}: {card['model']}",
        _what(card, asked),
        "## Use it\n\n```\npip install numpy onnxruntime pillow\npython predict.py --check\n"
        "python predict.py FOLDER --out predictions.csv\n```\n\nOr, with visanda: "
        f"`visanda apply {card['variable']} --from THIS_FOLDER --to FOLDER`. `model.onnx` takes `pixels` "
        f"(n, {card['features']['pixels']}, {card['features']['pixels']}, 3), 8-bit RGB, as preprocessing.json says, "
        "and gives `scores`, in the order of labels.json.",
        "## Data\n\n" + _data(card),
        "## Coders\n\n"
        + " ".join(
            [
                f"Coded by {', '.join(card['coders']) or 'nobody'}, with version {card['codebook version']} of the "
                "codebook.",
                *(reliability or ["How far they agree was not measured."]),
            ]
        ),
        "## Test\n\n" + _test(card, validity, looks),
        f"## Intended use\n\n{card['intended_use']}",
        f"## Limits\n\n{card['known_limits']}",
        f"## Licence\n\n{card['licence']}",
        "## How it was made\n\n" + _made(card),
    ]
    return "\n\n".join(parts) + "\n"


def _what(card: Mapping[str, Any], asked: Variable) -> str:
    target = card["target"]
    said = [f"{asked.definition}\n" if asked.definition else ""]
    if target["classes"]:
        said += [f"- **{value}**: {asked.meanings.get(value, '')}".rstrip(": ") for value in target["classes"]]
    ends = [number(end) for end in (target["low"], target["high"]) if end is not None]
    within = f", from {' to '.join(ends)}" if len(ends) == 2 else ""
    said.append(f"\nScale: {target['scale']}{within}. Unit: {card['on']}.")
    return "\n".join(part for part in said if part)


def _data(card: Mapping[str, Any]) -> str:
    units, split = card["units"], card["split"]
    groups = ", ".join(split.get("group", []))
    rows = [f"| {part} | {units[part]} | {_counts(card[part])} |" for part in ("train", "validation", "test")]
    return (
        "| set | units | values |\n|---|---|---|\n" + "\n".join(rows) + "\n\nThe split was frozen before training "
        f"(seed {split.get('seed')}); near-duplicates and units of one file"
        f"{' and of one ' + groups if groups else ''} are on one side. split.csv names them. "
        + (
            f"{split['number'] - 1} other test sets were frozen before."
            if split.get("number", 1) > 1
            else "No other test set was frozen before."
        )
    )


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{value} {count}" for value, count in counts.items())


def _test(card: Mapping[str, Any], validity: pd.DataFrame | None, looks: int) -> str:
    if validity is None or validity.empty:
        return (
            f"It was not tested. (The test set was looked at {looks} times, with other models.)"
            if looks
            else ("It was not tested: nobody knows how good it is.")
        )
    rows = [
        f"| {row['measure']} | {number(row['value'])} | {number(row['low'])} to {number(row['high'])} |"
        for _, row in validity.iterrows()
    ]
    table = "| measure | value | 95 % interval |\n|---|---|---|\n" + "\n".join(rows)
    return f"{table}\n\nThe test set was looked at {looks} time{'' if looks == 1 else 's'}, all models together."


def _made(card: Mapping[str, Any]) -> str:
    shown = {name: card[name] for name in ("settings", "arguments", "trained", "versions") if name in card}
    return f"```json\n{json.dumps(shown, indent=2, ensure_ascii=False, default=str)}\n```"
