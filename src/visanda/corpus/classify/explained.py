"""Explained: pictures beside maps of what speaks for a value, and beside the coded pictures nearest to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
from PIL import Image as Pillow

from visanda.corpus.classify.eye import Eye, Maker, maker
from visanda.corpus.classify.features import vectors_of
from visanda.errors import MediaError
from visanda.learn.neighbours import nearest, representers
from visanda.learn.trained import Trained
from visanda.media import Image, contact_sheet
from visanda.media.heat import overlay, with_scale
from visanda.media.image import ImageLike
from visanda.progress import progress
from visanda.store import Store

How = Literal["auto", "activation", "occlusion"]
CELL, PAIRS = 190, 4  # pixels of a picture's side; pictures a row, each with its map
SMOOTH = ("linear", "mlp", "zeroshot", "finetune")  # kinds whose evidence changes a little where features do
NEAREST = 5
BAR = 700  # pixels that a sheet with a scale is wide at least


class Looking:
    """A trained model, through which pictures are looked at.

    Args:
        store: the corpus.
        trained: the model; each picture that it learnt from is judged by a companion that had not seen it.
    """

    def __init__(self, store: Store, trained: Trained) -> None:
        self.trained = trained
        self.makes: Maker = maker(store, trained)
        self._eyes: dict[int, Eye] = {}

    def eye(self, fold: int) -> Eye:
        """The model that had not seen a fold; the whole one for −1, and where there is no other."""
        number = fold if 0 <= fold < len(self.trained.folds) else -1
        if number not in self._eyes:
            data = self.trained.model if number < 0 else self.trained.folds[number]
            self._eyes[number] = Eye(self.makes, data, self.trained.target)
        return self._eyes[number]

    def way(self, how: How) -> str:
        """How its maps are made: ``activation`` where it can be, and the kind of model makes it mean something."""
        if how != "auto":
            return how
        smooth = self.trained.card["kind"] in SMOOTH
        return "activation" if smooth and self.eye(-1).maps else "occlusion"


def maps(
    looking: Looking, rows: pd.DataFrame, paths: Mapping[str, ImageLike], how: str
) -> tuple[pd.DataFrame, list[Image | None]]:
    """The map of each picture, laid over it.

    Args:
        looking: the model.
        rows: id, fold and output of each picture.
        paths: where pictures are.
        how: activation or occlusion.

    Returns:
        The rows with ``peak_x`` and ``peak_y``, where most speaks for the output, as shares of the picture's width and
        height, 0 to 1, ``evidence`` the largest of the map, and ``error``; and the overlays.
    """
    heats: list[tuple[Image, np.ndarray] | None] = []
    found: list[tuple[float, float, float, str | None]] = []
    with progress("explain", len(rows)) as advance:
        for row in rows.to_dict("records"):
            try:
                image = looking.makes.read(paths[row["id"]])
            except (KeyError, MediaError) as error:
                heats.append(None)
                found.append((np.nan, np.nan, np.nan, str(error)))
                advance()
                continue
            eye = looking.eye(int(row["fold"]))
            heat = (eye.activation if how == "activation" else eye.occlusion)(image, int(row["output"]))
            heats.append((image, heat))
            found.append((*_peak(heat, looking.makes.region(image), image), float(heat.max()), None))
            advance()
    middle = float(np.median([heat.max() for _, heat in filter(None, heats)] or [0.0]))
    overlays = [
        overlay(one[0], one[1], looking.makes.region(one[0]), max(middle, float(one[1].max()))) if one else None
        for one in heats
    ]
    names = ["peak_x", "peak_y", "evidence", "error"]
    return pd.concat([rows.reset_index(drop=True), pd.DataFrame(found, columns=names)], axis=1), overlays


def _peak(heat: np.ndarray, region: tuple[float, ...], image: Image) -> tuple[float, float]:
    row, column = np.unravel_index(int(heat.argmax()), heat.shape)
    x = region[0] + (column + 0.5) / heat.shape[1] * region[2]
    y = region[1] + (row + 0.5) / heat.shape[0] * region[3]
    return x / image.pixels.shape[1], y / image.pixels.shape[0]


def sheet_of_maps(
    rows: pd.DataFrame, overlays: list[Image | None], paths: Mapping[str, ImageLike], title: str, about: str
) -> Pillow.Image:
    """Each picture beside its map, with a scale below.

    Args:
        rows: id, coded, why, probability and ``about``: the value that the map is about.
        overlays: a picture a row.
        paths: where pictures are.
        title: what stands above.
        about: what the maps' bright places speak for.
    """
    cells: list[ImageLike | None] = []
    captions = []
    for row, laid in zip(rows.to_dict("records"), overlays, strict=True):
        cells += [paths.get(row["id"]), laid]
        coded = "not coded" if row["coded"] is None else f"coded {short(row['coded'])}"
        captions += [
            f"{row['why']}: {coded}" if row["why"] else coded,
            f"{short(row['value'])} {row['probability']:.2f}",
        ]
    alike = int(rows["why"].value_counts().max())  # pictures of one reason stand in one row
    columns = 2 * (alike if 1 < alike < PAIRS else min(PAIRS, len(rows)))
    drawn = contact_sheet(cells, captions, columns=columns, cell=CELL, title=title)
    if drawn.width < BAR:
        wider = Pillow.new("RGB", (BAR, drawn.height), "white")
        wider.paste(drawn)
        drawn = wider
    note = "Hatched: not seen by the model. Pictures with less than usual to go by stay darker."
    return with_scale(drawn, "says nothing, or speaks against", f"speaks most for {about}", note)


def short(value: object) -> str:
    """A value for a caption."""
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def rests_on(store: Store, looking: Looking, rows: pd.DataFrame, paths: Mapping[str, ImageLike]) -> pd.DataFrame:
    """The coded pictures that the prediction of each rests on, a row each: id, neighbour, coded, similarity, weight.

    Of a linear head those that weigh most (Yeh et al. 2018), of others the nearest. Pictures of the same group are
    not counted: they are copies of it, or lie in the same file.
    """
    trained = looking.trained
    learnt = trained.rows
    if "pixels" in trained.card["features"]:
        ids, vectors = _of_pictures(looking, {str(id): path for id, path in store.paths(learnt["id"].tolist()).items()})
    else:
        ids, vectors = vectors_of(store, trained.card["features"], learnt["id"])
    table = learnt.set_index("id").loc[ids]
    group = trained.split.sets.set_index("id")["group"]
    linear = trained.card["kind"] == "linear" and trained.target.scale == "nominal" and trained.out_of_fold is not None
    own = dict(zip(ids, vectors, strict=True))
    parts = []
    for row in rows.to_dict("records"):
        of = own.get(row["id"])
        if of is None:
            of = looking.eye(-1).features(looking.makes.read(paths[row["id"]]))
        same = {str(id) for id in table.index[table["group"] == group.get(row["id"], "")]} | {str(row["id"])}
        if linear:
            classes = trained.target.encode(table["value"].tolist())
            truth = np.eye(trained.target.outputs)[classes]
            scores = looking.eye(-1).of_features(vectors)
            found = representers(ids, vectors, truth, scores, of, int(row["output"]), NEAREST, same)
        else:
            found = nearest(ids, vectors, of, NEAREST, same).assign(weight=np.nan)
        parts.append(found.rename(columns={"id": "neighbour"}).assign(id=row["id"]))
    whole = pd.concat(parts, ignore_index=True)
    whole["coded"] = table["value"].reindex(whole["neighbour"]).to_numpy()
    return whole[["id", "neighbour", "coded", "similarity", "weight"]]


def _of_pictures(looking: Looking, paths: Mapping[str, ImageLike]) -> tuple[list[str], np.ndarray]:
    found = {}
    with progress("look", len(paths)) as advance:
        for id, path in paths.items():
            try:
                found[id] = looking.eye(-1).features(looking.makes.read(path))
            except MediaError:
                continue
            finally:
                advance()
    return list(found), np.stack(list(found.values()))


def sheet_of_neighbours(
    rows: pd.DataFrame, near: pd.DataFrame, paths: Mapping[str, ImageLike], title: str
) -> Pillow.Image:
    """A row a picture: itself, and the coded pictures that its prediction rests on."""
    cells: list[ImageLike | None] = []
    captions = []
    for row in rows.to_dict("records"):
        cells.append(paths.get(row["id"]))
        captions.append(f"said {short(row['said'])} {row['probability']:.2f}")
        mine = near[near["id"] == row["id"]]
        for other in mine.to_dict("records"):
            cells.append(paths.get(other["neighbour"]))
            part = f"{other['similarity']:.2f} alike" if np.isnan(other["weight"]) else f"{other['weight']:+.0%}"
            captions.append(f"coded {short(other['coded'])}, {part}")
        cells += [None] * (NEAREST - len(mine))
        captions += [""] * (NEAREST - len(mine))
    return contact_sheet(cells, captions, columns=NEAREST + 1, cell=CELL, title=title)
