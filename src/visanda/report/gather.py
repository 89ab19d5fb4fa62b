"""What the report says: facts read from a corpus's tables, codes, models, results and runs."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from visanda import codes, runs
from visanda.codebook import SPLIT
from visanda.codebook import Variable as Asked
from visanda.codebook import variable as in_codebook
from visanda.learn.frozen import times_looked
from visanda.learn.trained import APPLIED, load, names
from visanda.media import Marked
from visanda.report.numbers import number
from visanda.report.pictures import Shown, histogram, png_data, shown
from visanda.report.results import Saved, saved
from visanda.result import Result
from visanda.store import Store, quoted
from visanda.study.reliability.between_coders import reliability

EXAMPLES = 12
EXTREMES = 3  # pictures shown at either end of a measure
TYPICAL = 8  # pictures shown of each cluster
MARKED, MARKED_SIDE = 6, 300  # pictures shown with boxes, and their longer side in pixels
KEYS = ("id", "parent", "picture", "start", "stop", "x", "y", "width", "height", "error", "engine")
COLUMNS = 14  # of one measure that the report lists; the table has them all


@dataclass(frozen=True)
class Measured:
    """A measure: how it was made, its numbers, its extremes as pictures."""

    table: str
    described: dict[str, Any]
    units: str
    rows: int
    failed: int
    summary: list[dict[str, Any]]
    texts: list[dict[str, Any]]
    extremes: list[tuple[str, list[Shown], list[Shown]]]
    marked: list[Shown]


@dataclass(frozen=True)
class Variable:
    """A coded variable: what was asked, its sample, coders, the model that is used, and its validity."""

    name: str
    asked: Asked
    design: dict[str, Any] | None
    coders: Result | None
    values: pd.DataFrame
    card: dict[str, Any] | None
    looks: int
    validity: Saved | None
    errors: list[Shown]
    predicted: pd.DataFrame | None
    crossfit: bool  # whether coded units were predicted by models that had not seen their codes
    also: list[Saved]  # what else was found out about it


@dataclass
class Facts:
    """Everything that the page shows."""

    name: str
    about: str
    media: dict[str, Any]
    formats: pd.DataFrame
    errors: pd.DataFrame
    own: list[dict[str, Any]]
    examples: list[Shown]
    duplicates: dict[str, Any] | None
    measures: list[Measured]
    clusters: list[dict[str, Any]]
    variables: list[Variable]
    estimates: list[Saved]
    shares: list[Saved]
    plans: list[Saved]
    audits: list[Saved]
    others: list[Saved]  # results that no other section shows
    panels: list[dict[str, Any]]  # the runs that made them
    timelines: list[tuple[str, str]]
    runs: list[dict[str, Any]]
    versions: dict[str, str]
    models: list[dict[str, str]] = field(default_factory=list)


def gather(store: Store) -> Facts:
    """Read all that the report needs."""
    store.require("media", "a report needs pictures: 'visanda add FOLDER'")
    media = store.frame("SELECT * FROM media")
    measures = [_measured(store, table) for table in store.tables() if store.describe(table).get("summary")]
    cards = {card["name"]: card for one in measures for card in one.described["models"]}
    results = saved(store)
    about = [one for one in results if one.kind == "other"]
    variables = [_variable(store, name, about) for name in codes.variables(store.folder)]
    done = runs.read(store.folder / "runs")
    return Facts(
        name=store.name,
        about=str(store.settings().get("about", "")),
        media=_media_counts(media),
        formats=media["format"].fillna("(unreadable)").value_counts().rename_axis("format").reset_index(),
        errors=media.loc[media["error"].notna(), ["id", "error"]],
        own=_own_columns(media),
        examples=_examples(store, media),
        duplicates=_duplicates(store, len(media)),
        measures=measures,
        clusters=[made for table in store.tables() if (made := _clusters(store, table))],
        variables=variables,
        estimates=[one for one in results if one.kind == "estimate"],
        shares=[one for one in results if one.kind == "shares"],
        plans=[one for one in results if one.kind == "plan"],
        audits=[one for one in results if one.kind == "audit"],
        others=[one for one in about if not any(_about(store, one, name.name) for name in variables)],
        panels=[run for run in done if run["verb"] == "panel" and run["outcome"] == "done"],
        timelines=[(path.stem, png_data(path.read_bytes())) for path in sorted(store.results.glob("timeline-*.png"))],
        runs=done,
        versions=runs.versions(),
        models=list(cards.values()),
    )


def _media_counts(media: pd.DataFrame) -> dict[str, Any]:
    readable = media[media["error"].isna()]
    sides = readable[["width", "height"]].min(axis=1)
    return {
        "pictures": int((media["kind"] == "image").sum()),
        "videos": int((media["kind"] == "video").sum()),
        "long": _long(readable["duration"].sum() if "duration" in readable else 0.0),
        "unreadable": len(media) - len(readable),
        "originals": int(readable["parent"].isna().sum()),
        "derived": int(readable["parent"].notna().sum()),
        "median shorter side": int(sides.median()) if len(sides) else 0,
        "first taken": readable["taken"].min(),
        "last taken": readable["taken"].max(),
    }


def _long(seconds: float) -> str:
    return f"{seconds / 60:.1f} minutes" if seconds < 7200 else f"{seconds / 3600:,.1f} hours"


def _own_columns(media: pd.DataFrame) -> list[dict[str, Any]]:
    """The user's own columns: how many values, and the commonest."""
    last = list(media.columns).index("error")
    described = []
    for name in media.columns[last + 1 :]:
        values = media[name].dropna()
        common = values.astype(str).value_counts()
        shown = ", ".join(f"{value} ({count})" for value, count in common.head(7).items())
        if len(common) > 7:
            shown = f"{len(common)} different values" if common.iloc[0] < 3 else shown + ", ..."
        described.append({"column": name, "known": len(values), "values": shown})
    return described


def _examples(store: Store, media: pd.DataFrame) -> list[Shown]:
    """Pictures drawn at random, with a seed: not the best ones."""
    readable = media.loc[media["error"].isna() & media["parent"].isna(), "id"].sort_values()
    drawn = readable.sample(min(EXAMPLES, len(readable)), random_state=1).tolist()
    return shown(drawn, store.paths(drawn))


def _duplicates(store: Store, pictures: int) -> dict[str, Any] | None:
    if "duplicates" not in store.tables():
        return None
    found = store.frame('SELECT * FROM duplicates ORDER BY "group", keeper DESC, distance, id')
    first = found.groupby("group").head(3).head(EXAMPLES)
    captions = [f"group {row.group}: {row.kind}, {row.distance} bits" for row in first.itertuples()]
    return {
        "groups": found["group"].nunique(),
        "members": len(found),
        "copies": int((~found["keeper"].astype(bool)).sum()),
        "pictures": pictures,
        "shown": shown(first["id"].tolist(), store.paths(first["id"].tolist()), captions),
    }


def _measured(store: Store, table: str) -> Measured:
    schema = store.query(f"SELECT * FROM {quoted(table)} LIMIT 0").schema
    lists = [quoted(field.name) for field in schema if pa.types.is_list(field.type)]
    left_out = f"EXCLUDE ({', '.join(lists)})" if lists else ""
    frame = store.frame(
        f"SELECT * {left_out} FROM {quoted(table)} WHERE id NOT IN (SELECT id FROM media WHERE parent IS NOT NULL)"
    )
    described = store.describe(table)
    if described["name"] == "shots":
        frame["seconds"] = frame["stop"] - frame["start"]
    own = [name for name in frame if name not in KEYS]
    numeric = [str(name) for name in own if pd.api.types.is_float_dtype(frame[name])][:COLUMNS]
    texts = [name for name in own if _is_category(frame[name])]
    return Measured(
        table=table,
        described=described,
        units=_found(frame, described["finds"]) if "finds" in described else _units(frame),
        rows=len(frame),
        failed=int(frame["error"].notna().sum()),
        summary=[_summary(frame[name]) for name in numeric],
        texts=[{"column": name, "values": frame[name].value_counts().head(10).to_dict()} for name in texts],
        marked=_marked(store, frame) if "finds" in described else [],
        extremes=[_extremes(store, frame, name) for name in numeric[:6] if table in ("colour", "sharpness")],
    )


def _found(frame: pd.DataFrame, kind: str) -> str:
    """How many things were found, and in how many pictures."""
    things = {"face": "faces", "object": "objects", "line": "lines of text"}.get(kind, kind)
    return f"{len(frame):,} {things} in {frame['picture'].nunique():,} pictures"


def _marked(store: Store, frame: pd.DataFrame) -> list[Shown]:
    """Pictures drawn at random, with a seed, with the boxes of what was found in them."""
    pictures = frame["picture"].drop_duplicates().sort_values()
    drawn = pictures.sample(min(MARKED, len(pictures)), random_state=1).tolist()
    paths = store.paths(drawn)
    boxes = frame[frame["picture"].isin(drawn)].groupby("picture")
    marked = {
        str(id): Marked(paths[str(id)], list(found[["x", "y", "width", "height"]].itertuples(index=False, name=None)))
        for id, found in boxes
        if str(id) in paths
    }
    return shown(drawn, marked, side=MARKED_SIDE)


def _units(frame: pd.DataFrame) -> str:
    """What the measured rows are, and how many."""
    whole = frame[frame["error"].isna()]
    parts = int(whole["id"].str.contains("xywh=", regex=False).sum())
    if parts and parts == len(whole) and "start" not in frame:
        return f"{parts:,} faces or other parts of pictures"
    if "start" in frame:
        return f"{len(whole):,} moments and stretches of {whole['parent'].nunique():,} videos"
    inside = int(whole["id"].str.contains("#t=", regex=False).sum())
    pictures = f"{len(whole) - inside:,} pictures"
    if not inside:
        return pictures
    return f"{inside:,} frames" if inside == len(whole) else f"{pictures} and {inside:,} frames"


def _is_category(column: pd.Series) -> bool:
    known = column.dropna()
    if known.empty or not isinstance(known.iloc[0], str):
        return False
    return known.nunique() <= len(known) / 2


def _summary(column: pd.Series) -> dict[str, Any]:
    known = column.dropna()
    circular = column.name == "hue"  # degrees on a wheel have no arithmetic mean
    return {
        "column": column.name,
        "n": len(known),
        "mean": np.nan if circular else known.mean(),
        "sd": np.nan if circular else known.std(),
        "min": known.min(),
        "median": np.nan if circular else known.median(),
        "max": known.max(),
        "histogram": histogram(column.to_numpy(float, na_value=np.nan)),
    }


def _extremes(store: Store, frame: pd.DataFrame, name: str) -> tuple[str, list[Shown], list[Shown]]:
    """The pictures with the lowest and the highest values: the quickest check that a number means its name."""
    order = frame.dropna(subset=[name]).sort_values([name, "id"])
    low, high = order.head(EXTREMES), order.tail(EXTREMES)[::-1]
    paths = store.paths([*low["id"], *high["id"]])
    return (
        name,
        shown(low["id"].tolist(), paths, [number(value) for value in low[name]]),
        shown(high["id"].tolist(), paths, [number(value) for value in high[name]]),
    )


def _clusters(store: Store, table: str) -> dict[str, Any] | None:
    described = store.describe(table)
    if described.get("name") != "cluster":
        return None
    frame = store.frame(f"SELECT * FROM {quoted(table)} ORDER BY cluster, distance, id")
    groups = []
    for cluster, members in frame.groupby("cluster"):
        ids = members["id"].head(TYPICAL).tolist()
        silhouette = members["silhouette"].mean()
        pictures = shown(ids, store.paths(ids))
        groups.append({"number": cluster, "n": len(members), "silhouette": silhouette, "shown": pictures})
    return {
        "table": table,
        "arguments": described["arguments"],
        "n": len(frame),
        "silhouette": frame["silhouette"].mean(),
        "groups": groups,
    }


def _variable(store: Store, name: str, results: list[Saved]) -> Variable:
    coded = any((store.folder / "codes" / name).glob("*.csv"))
    given = codes.read(store.folder, name) if coded else None
    gold = codes.gold_of(store.folder, name) if coded else pd.Series(dtype=str)
    trained = load(store.models / name, _applied(store, name)) if names(store.models / name) else None
    found = {one.name.removeprefix(f"{name}-"): one for one in results if _about(store, one, name)}
    validity = found.pop("validity", None)
    agreement = found.pop("reliability", None)
    said = store.column_names(name) if name in store.tables() else []
    asked = in_codebook(store.folder, name)
    return Variable(
        name=name,
        asked=asked,
        design=_design(store, name),
        coders=_reliability(given, agreement),
        values=_values(gold, asked),
        card=trained.card if trained else None,
        looks=times_looked(store.models / name) if trained else 0,
        validity=validity,
        errors=_errors(store, name, trained.split.of("test"), gold) if trained and validity else [],
        predicted=_predicted(store, name),
        crossfit=any(column.startswith(f"{name}_crossfit") for column in said),
        also=list(found.values()),
    )


def _applied(store: Store, name: str) -> str | None:
    """The model that made the predictions; ``None`` where it is not known, and the one trained last is meant."""
    said = store.models / name / APPLIED
    model = json.loads(said.read_text("utf-8")).get("model") if said.exists() else None
    return model if model in names(store.models / name) else None


def _about(store: Store, saved: Saved, name: str) -> bool:
    """Whether a result is about a variable: of ``sky`` and ``sky-blue``, the longest that fits counts."""
    fits = [one for one in codes.variables(store.folder) if saved.name.startswith(f"{one}-")]
    return max(fits, key=len, default=None) == name


def _reliability(given: pd.DataFrame | None, saved: Saved | None) -> Result | None:
    """How far coders agree, as it was saved, or computed now."""
    if saved is not None:
        return Result(saved.note["title"], saved.table, saved.note["words"], saved.note["warnings"])
    return None if given is None else reliability(codes.independent(given))


def _values(gold: pd.Series, asked: Asked) -> pd.DataFrame:
    """How many units have each value, or each label; of numbers, their quartiles."""
    if asked.scale in ("interval", "pairwise"):
        return gold.astype(float).describe().rename_axis("statistic").rename("value").reset_index()
    values = gold.str.split(SPLIT).explode() if asked.scale == "multilabel" else gold
    return values.value_counts().rename_axis("value").rename("pictures").reset_index()


def _predicted(store: Store, name: str) -> pd.DataFrame | None:
    """Counts of the machine's labels; of numbers, their quartiles."""
    if name not in store.tables():
        return None
    said = store.frame(f"SELECT {quoted(f'{name}_predicted')} AS value FROM {quoted(name)}")["value"].dropna()
    if pd.api.types.is_float_dtype(said):
        return said.describe().rename_axis("statistic").reset_index()
    return said.value_counts().rename_axis("value").rename("pictures").reset_index()


def _design(store: Store, name: str) -> dict[str, Any] | None:
    design = codes.read_design(store.folder, name)
    if design is None:
        return None
    strata = design.groupby("stratum").agg(
        pictures=("id", "size"), drawn=("order", lambda order: int((order > 0).sum())), pi=("pi", "first")
    )
    last = [run for run in runs.read(store.folder / "runs") if run["verb"] == "sample"]
    arguments: dict[str, Any] = next(
        (run["arguments"] for run in reversed(last) if name in run["arguments"]["variable"].split(",")), {}
    )
    return {
        "population": len(design),
        "drawn": int((design["order"] > 0).sum()),
        "strata": strata.reset_index(),
        "arguments": arguments,
    }


def _errors(store: Store, name: str, test: pd.DataFrame, gold: pd.Series) -> list[Shown]:
    """Units of the test set that the model got wrong; of numbers, none are."""
    if name not in store.tables() or pd.api.types.is_float_dtype(gold):
        return []
    predicted = store.frame(f"SELECT id, {quoted(name + '_predicted')} AS said FROM {quoted(name)}")
    test = test.assign(value=gold.reindex(test["id"]).to_numpy()).dropna(subset=["value"]).merge(predicted, on="id")
    wrong = test[test["value"] != test["said"]].head(EXAMPLES)
    captions = [f"coded {row.value}, said {row.said}" for row in wrong.itertuples()]
    return shown(wrong["id"].tolist(), store.paths(wrong["id"].tolist()), captions)
