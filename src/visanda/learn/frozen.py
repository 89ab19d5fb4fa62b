"""The frozen split of a variable, on the disk: who is tested on, and how often anybody looked.

``models/<variable>/split.csv`` holds id, set and group, the same for all models of the variable;
``split.json`` how it was made; ``looks.csv`` a row each time that the test set was looked at.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from visanda.errors import CorpusError
from visanda.parts import write_bytes

SETS = ("train", "validation", "test")
LOOKS = ("time", "model", "n", "split")


@dataclass(frozen=True)
class Frozen:
    """A split that is frozen.

    Attributes:
        sets: a row a coded unit: id, set (``train``, ``validation`` or ``test``), group.
        settings: test and validation (shares), group (columns), seed, when it was frozen, and number: 1, and one
            more for each time that another was frozen in its place.
    """

    sets: pd.DataFrame
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def number(self) -> int:
        """The how manieth split of this variable it is: with each new one, somebody may have gone on trying."""
        return int(self.settings.get("number", 1))

    def of(self, *names: str) -> pd.DataFrame:
        """The rows of some of the sets."""
        return self.sets[self.sets["set"].isin(names)].reset_index(drop=True)


def read_split(folder: Path) -> Frozen | None:
    """The frozen split in ``models/<variable>``; ``None`` where there is none.

    Raises:
        CorpusError: it is damaged, or an earlier version made it.
    """
    if not (folder / "split.csv").exists():
        return None
    if (folder / "heads.npz").exists():
        raise earlier_version(folder)
    try:
        sets = pd.read_csv(folder / "split.csv", dtype=str, keep_default_na=False)[["id", "set", "group"]]
        settings = json.loads((folder / "split.json").read_text("utf-8"))
    except (OSError, ValueError, KeyError) as error:
        raise CorpusError(f"the split in {folder} is damaged ({error}): restore it, or train with --replace") from error
    if not set(sets["set"]) <= set(SETS):
        raise CorpusError(f"{folder / 'split.csv'} has sets other than {', '.join(SETS)}: restore it")
    return Frozen(sets, settings)


def write_split(folder: Path, frozen: Frozen) -> None:
    """Put a split in place."""
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / "split.json", json.dumps(frozen.settings, indent=2, ensure_ascii=False).encode())
    write_bytes(folder / "split.csv", frozen.sets.to_csv(index=False, lineterminator="\n").encode())


def earlier_version(folder: Path) -> CorpusError:
    """What to say of a folder in the form of visanda 0.1."""
    return CorpusError(f"the classifier in {folder} was trained by an earlier version: train again with --replace")


def look(folder: Path, model: str, n: int) -> int:
    """Write down that a model was tested on the test set; how often anybody looked at this set by now.

    Args:
        folder: ``models/<variable>``.
        model: its name.
        n: how many units it was tested on.
    """
    before = read_looks(folder)
    frozen = read_split(folder)
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    row = {"time": now, "model": model, "n": n, "split": frozen.number if frozen else 1}
    text = io.StringIO()
    writer = csv.DictWriter(text, LOOKS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({str(name): value for name, value in one.items()} for one in before.to_dict("records"))
    writer.writerow(row)
    write_bytes(folder / "looks.csv", text.getvalue().encode())
    return int((before["split"] == str(row["split"])).sum()) + 1


def read_looks(folder: Path) -> pd.DataFrame:
    """Each time that a test set of the variable was looked at: time, model, n, and the number of the split; text."""
    path = folder / "looks.csv"
    if not path.exists():
        return pd.DataFrame(columns=list(LOOKS), dtype=str)
    return pd.read_csv(path, dtype=str, keep_default_na=False).reindex(columns=list(LOOKS), fill_value="1")


def times_looked(folder: Path, model: str | None = None) -> int:
    """How often the present test set was looked at; by one model, where it is named."""
    frozen = read_split(folder)
    looks = read_looks(folder)
    mine = looks["split"] == str(frozen.number if frozen else 1)
    if model is not None:
        mine &= looks["model"] == model
    return int(mine.sum())
