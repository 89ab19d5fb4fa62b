"""A trained classifier on disk: arrays, a split and a card; nothing that needs this package to be read."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from visanda.errors import CorpusError, InputError
from visanda.learn.head import Head
from visanda.parts import write_bytes


@dataclass(frozen=True)
class Trained:
    """A classifier of one variable.

    Attributes:
        head: trained on the whole training set; what ``evaluate`` tests.
        crossfit: one head a fold, trained without that fold; what corrected estimates need, because none of them
            has seen the codes of the pictures it predicts.
        split: columns id, set (``train`` or ``test``), group, value.
        card: what it is, how it was made, how it did.
    """

    head: Head
    crossfit: tuple[Head, ...]
    split: pd.DataFrame
    card: dict[str, Any]

    def save(self, folder: Path) -> None:
        """Write ``heads.npz``, ``split.csv`` and ``card.json``."""
        folder.mkdir(parents=True, exist_ok=True)
        arrays: dict[str, np.ndarray] = {}
        for name, head in [("head", self.head), *((f"fold{i}", h) for i, h in enumerate(self.crossfit))]:
            arrays |= {
                f"{name}_classes": np.array(head.classes),
                f"{name}_weights": head.weights.astype(np.float32),
                f"{name}_intercepts": head.intercepts.astype(np.float32),
                f"{name}_temperature_strength": np.array([head.temperature, head.strength]),
            }
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)  # type: ignore[arg-type]
        write_bytes(folder / "heads.npz", buffer.getvalue())
        write_bytes(folder / "split.csv", self.split.to_csv(index=False).encode())
        save_card(folder, self.card)


def save_card(folder: Path, card: dict[str, Any]) -> None:
    """Write the card alone."""
    write_bytes(folder / "card.json", json.dumps(card, indent=2, ensure_ascii=False, default=str).encode())


def load(folder: Path) -> Trained:
    """Read a trained classifier.

    Raises:
        InputError: there is none.
        CorpusError: its files are damaged.
    """
    if not (folder / "card.json").exists():
        raise InputError(f"nothing is trained for {folder.name!r} yet: 'visanda train {folder.name}'")
    try:
        card = json.loads((folder / "card.json").read_text("utf-8"))
        split = pd.read_csv(folder / "split.csv", dtype=str, keep_default_na=False)
        with np.load(folder / "heads.npz", allow_pickle=False) as arrays:
            heads = [_head(arrays, name) for name in ["head", *(f"fold{i}" for i in range(card["folds"]))]]
    except (OSError, ValueError, KeyError) as error:
        raise CorpusError(f"{folder} is damaged ({error}): train again with --replace") from error
    return Trained(heads[0], tuple(heads[1:]), split, card)


def _head(arrays: Any, name: str) -> Head:
    temperature, strength = arrays[f"{name}_temperature_strength"].tolist()
    classes = tuple(arrays[f"{name}_classes"].tolist())
    return Head(classes, arrays[f"{name}_weights"], arrays[f"{name}_intercepts"], temperature, strength)
