"""Where coders disagree: a row a unit with every coder's code, a spreadsheet to settle it, sheets to look at."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from visanda import codes
from visanda.codebook import PAIR, Variable
from visanda.collect.tables import read_table
from visanda.corpus.formats import write_table
from visanda.corpus.handwork.sheets import answer_columns, look, sided, sources_of
from visanda.corpus.handwork.spreadsheet import write_spreadsheet
from visanda.media import contact_sheet
from visanda.store import Store

SHEET = 60  # pictures on a contact sheet
BY, NOTE = "by_", "note_"  # before a coder's name, in names of columns
TENTH = 0.1  # of an interval scale: codes that lie further apart disagree, unless another distance is given


def disagreements(said: pd.DataFrame, variable: Variable, apart: float | None = None) -> pd.DataFrame:
    """Units that coders gave different values.

    Args:
        said: codes as the codebook writes them: id, coder, value, note.
        variable: what was coded.
        apart: of an interval scale, how far two codes must lie apart to disagree; more than a tenth of the scale by
            default, and any distance where the scale has no ends.

    Returns:
        id; ``by_<coder>``, the value, empty where the coder did not code it; ``note_<coder>`` where there are notes;
        gold, what was settled already, else empty. Sorted by id.
    """
    blind = codes.independent(said)
    values = blind.pivot(index="id", columns="coder", values="value")
    if variable.scale == "interval":
        least = _least(variable) if apart is None else apart
        numbers = values.astype(float)
        differ = (numbers.max(axis=1) - numbers.min(axis=1)) > least
    else:
        differ = values.nunique(axis=1) > 1
    found = values[differ].fillna("").add_prefix(BY)
    noted = blind[(blind["note"] != "") & blind["id"].isin(found.index)]
    for coder, notes in noted.groupby("coder")["note"]:
        by_id = notes.set_axis(noted.loc[notes.index, "id"])
        found[f"{NOTE}{coder}"] = by_id.reindex(found.index).fillna("")
    settled = said[said["coder"] == codes.GOLD].set_index("id")["value"]
    found["gold"] = settled.reindex(found.index).fillna("")
    return found.rename_axis(columns=None).reset_index()


def _least(variable: Variable) -> float:
    if variable.low is None or variable.high is None:
        return 0.0
    return TENTH * (variable.high - variable.low)


def coders_of(found: pd.DataFrame) -> list[str]:
    """The coders whose columns a table of disagreements has."""
    return [name.removeprefix(BY) for name in map(str, found) if name.startswith(BY)]


def blinded(found: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """The same table, with coders called A, B, C in an order that does not follow their names."""
    coders = coders_of(found)
    places = np.random.default_rng(seed).permutation(len(coders))
    letters = [_letter(number) for number in range(len(coders))]
    columns = {"id": found["id"]}
    for front in (BY, NOTE):
        for place, letter in zip(places, letters, strict=True):
            if f"{front}{coders[place]}" in found:
                columns[f"{front}{letter}"] = found[f"{front}{coders[place]}"]
    return pd.DataFrame({**columns, "gold": found["gold"]})


def _letter(number: int) -> str:
    return chr(ord("A") + number) if number < 26 else f"{_letter(number // 26 - 1)}{_letter(number % 26)}"


def majority(found: pd.DataFrame, variable: Variable) -> pd.DataFrame:
    """What more than half of three or more coders say of the units in dispute: id, value, note."""
    coders = coders_of(found)
    rows = []
    for row in found[found["gold"] == ""].to_dict("records"):
        given = pd.Series([row[BY + coder] for coder in coders if row[BY + coder]])
        counts = given.value_counts()
        if len(given) >= 3 and variable.scale != "interval" and 2 * counts.iloc[0] > len(given):
            rows.append((row["id"], counts.index[0], f"majority: {counts.iloc[0]} of {len(given)} coders"))
    return pd.DataFrame(rows, columns=["id", "value", "note"])


# files


def put_aside(store: Store, stem: str, run: str) -> list[str]:
    """Rename sheets of an earlier call that were filled in; says so."""
    words = []
    for path in (store.results / f"{stem}.xlsx", store.results / f"{stem}.csv"):
        if not path.exists():
            continue
        there = read_table(path)
        filled = there.drop(
            columns=[name for name in map(str, there) if name in ("id", "note") or name.startswith((BY, NOTE))]
        )
        if filled.notna().to_numpy().any():
            kept = path.with_name(f"{stem}-until-{run}{path.suffix}")
            path.rename(kept)
            words.append(f"{path.name} was filled in: it is kept as {kept.name}; take it in with --import.")
    return words


def write_disagreements(store: Store, found: pd.DataFrame, stem: str, title: str) -> list[Path]:
    """Write ``results/<stem>.csv`` and contact sheets with the codes as captions; gives the files."""
    path = store.results / f"{stem}.csv"
    write_table(found, path)
    return [path, *_contact_sheets(store, found, stem, title)]


def write_to_settle(store: Store, found: pd.DataFrame, variable: Variable, stem: str) -> list[Path]:
    """Write the units that are not settled as ``results/<stem>.xlsx`` and ``.csv`` to fill in, and contact sheets."""
    rows = found.drop(columns="gold").assign(value="", note="")
    pairs = any(PAIR in id for id in rows["id"])
    sources = sources_of(store, rows["id"].tolist())
    sides = ["left picture", "right picture"] if pairs else ["picture"]
    pictures = {side: [look(sources.get(sided(id)[number])) for id in rows["id"]] for number, side in enumerate(sides)}
    write_table(rows, store.results / f"{stem}.csv")
    for number, side in enumerate(sides):
        rows.insert(1 + number, side, "")
    labels = variable.values if variable.scale == "multilabel" else ()
    if labels:  # ticked, as on every sheet
        place = list(rows).index("value")
        rows = rows.drop(columns="value")
        for number, label in enumerate(labels):
            rows.insert(place + number, label, "")
    write_spreadsheet(rows, pictures, [(variable, answer_columns(variable))], store.results / f"{stem}.xlsx")
    written = [store.results / f"{stem}.xlsx", store.results / f"{stem}.csv"]
    return [*written, *_contact_sheets(store, found, stem, f"{variable.name}: codes to settle")]


def _contact_sheets(store: Store, found: pd.DataFrame, stem: str, title: str) -> list[Path]:
    """Pictures of the units with what each coder said; those of an earlier call go."""
    for old in store.results.glob(f"{stem}-[0-9]*.jpg"):
        old.unlink()
    coders = coders_of(found)
    written = []
    for begin in range(0, len(found), SHEET):
        rows = found.iloc[begin : begin + SHEET]
        sources = sources_of(store, rows["id"].tolist())
        shown: list[object] = []
        captions = []
        for row in rows.to_dict("records"):
            said = _caption(row, coders)
            units = sided(row["id"])
            shown += [look(sources.get(unit)) for unit in units]
            captions += [said] if len(units) == 1 else [said, "(right)"]
        path = store.results / f"{stem}-{begin // SHEET + 1}.jpg"
        contact_sheet(shown, captions, title=title).save(path, quality=88)  # type: ignore[arg-type]
        written.append(path)
    return written


def _caption(row: Mapping[Hashable, object], coders: Sequence[str]) -> str:
    return ", ".join(f"{coder}: {row[BY + coder]}" for coder in coders if row[BY + coder])
