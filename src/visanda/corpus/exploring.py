"""Explore: find copies, find what you look for, see what kinds of pictures there are."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from matplotlib.figure import Figure

from visanda.corpus.finding_words import pictures_of, search_text
from visanda.corpus.measuring import Measuring
from visanda.errors import InputError
from visanda.learn.cluster import cluster
from visanda.learn.copies import copies, groups
from visanda.learn.duplicates import find_duplicates
from visanda.learn.search import by_example, by_words, concept_batches
from visanda.measures import embed
from visanda.media import Marked, contact_sheet, load
from visanda.progress import progress
from visanda.result import Result
from visanda.run.orders import HINTS
from visanda.store import quoted
from visanda.timecode import seconds

SHEET = 60  # pictures on a contact sheet


class Exploring(Measuring):
    """Explore."""

    def duplicates(self, *, distance: int = 8) -> Result:
        """Find exact and near copies; the table ``duplicates`` names each one's group and the one to keep.

        Args:
            distance: how many of the 64 bits of the perceptual hash may differ, 0 to 16.

        Drop copies with ``where="id not in (select id from duplicates where not keeper)"``; classifiers split by
        group by themselves.
        """
        self._need("hash")
        pictures = self.frame(
            "SELECT id, sha256_pixels, phash, width, height FROM hash JOIN media USING (id) WHERE parent IS NULL"
        )
        with self.parts("duplicates").writing(), self.record("duplicates", {"distance": distance}) as run:
            with progress("compare", 100) as advance:
                found = find_duplicates(pictures, distance, progress=_percent(advance))
            self.parts("duplicates").replace_all(pa.Table.from_pandas(found, preserve_index=False), run.stem)
            run.counts = {"pictures": len(pictures), "in groups": len(found), "groups": found["group"].nunique()}
        copies = int((~found["keeper"].astype(bool)).sum())
        words = [
            f"{found['group'].nunique():,} groups hold {len(found):,} of {len(pictures):,} pictures; without copies "
            f"there are {len(pictures) - copies:,}."
        ]
        path = self._sheet_of_groups(found)
        if path:
            words.append(f"The groups, as pictures: {path}")
        return Result("Duplicates", found, words)

    def _sheet_of_groups(self, found: pd.DataFrame) -> Path | None:
        if found.empty:
            return None
        first = found.sort_values(["group", "distance", "id"]).groupby("group").head(4).head(SHEET)
        captions = [f"group {row.group}, {row.kind}, {row.distance} bits" for row in first.itertuples()]
        return self._save_sheet(first["id"].tolist(), captions, "duplicates.jpg", "Groups of copies")

    def copies(self, *, distance: int = 12, at_least: str = "3s", share: float = 0.8, within: bool = False) -> Result:
        """Find videos, and pieces of videos, that are in other videos too; the table ``copies`` says from when to when.

        Compared are hashes of what is seen every half second, which survive other encodings, sizes and frame rates.

        Args:
            distance: how many of the 64 bits of two hashes may differ.
            at_least: the shortest piece that counts, such as 3s.
            share: how much of each of two videos must be in the other for them to be copies as a whole.
            within: look also for what is repeated within a video.

        Raises:
            InputError: there are no videos; a distance out of range.
        """
        self._need("signature")
        seen = self.frame("SELECT parent, start, hash, detail FROM signature WHERE error IS NULL")
        step = float(self.describe("signature").get("arguments", {}).get("every", 0.5))
        arguments = {"distance": distance, "at_least": at_least, "share": share, "within": within}
        with self.parts("copies").writing(), self.record("copies", arguments) as run:
            with progress("compare", 100) as advance:
                found = copies(
                    seen,
                    distance=distance,
                    at_least=seconds(at_least),
                    every=step,
                    within=within,
                    progress=_percent(advance),
                )
            same = groups(found, share)
            self.parts("copies").replace_all(pa.Table.from_pandas(found, preserve_index=False), run.stem)
            videos, pairs = seen["parent"].nunique(), len(found[["a", "b"]].drop_duplicates())
            run.counts = {"stretches": len(found), "videos": videos, "groups": same["group"].nunique()}
        words = [
            f"{len(found):,} stretches of {pairs:,} pairs of videos are the same, of {videos:,} videos.",
            f"{len(same):,} videos are copies as a whole, in {same['group'].nunique():,} groups"
            + (f": keep {', '.join(same.loc[same['keeper'], 'id'].head(3))}." if len(same) else "."),
        ]
        return Result("Copies", found, words, provenance=arguments, extra={"groups": same})

    def search(
        self, words: str | None = None, *, like: str | None = None, text: bool = False, n: int = 20
    ) -> pd.DataFrame:
        """The pictures nearest to words (in 16 languages) or to an example; or those in which words are read or heard.

        Args:
            words: what to look for. Reached through ImageNet's vocabulary (ConSE, not CLIP) and then by looks:
                things, animals and places are found, people's traits and abstractions are not.
            like: an id, or the path of any picture.
            text: look for the words in what was read (``measure text``) and heard (``measure speech``), where all
                must occur, with one letter in five wrong at most; "in quotation marks", just so.
            n: how many.

        Returns:
            id, similarity (cosine, −1 to 1), score (what words rank by, in standard deviations) and ImageNet's
            best label where measured; of ``text``: id, score (0 to 1: all words spelt so), source (text or speech),
            and the lines. A contact sheet is written to results/search.jpg.

        Raises:
            InputError: neither or both were given; the example is not there; nothing was read or heard yet.
        """
        if text:
            if words is None or like is not None:
                raise InputError('give the words to look for, as in search "climate strike" --text')
            hits = search_text(self, words, n)
            captions = [f"{score:.2f} {line}" for score, line in zip(hits["score"], hits["lines"], strict=True)]
            self.results.mkdir(exist_ok=True)
            sheet = contact_sheet(
                pictures_of(self, hits, words), captions, columns=3, cell=320, title=f"Search: {words}"
            )
            sheet.save(self.results / "search.jpg", quality=88)
            return hits
        if (words is None) == (like is None):
            raise InputError('search for words, as in search "a windmill", or for pictures --like one')
        if words is not None:
            self._need("classify")
            concepts = concept_batches(self.parts("classify").batches(["id", "labels", "probabilities"]))
            ranked = by_words(concepts, words, self._embeddings if "embed" in self.tables() else None)
        else:
            self._need("embed")
            ranked = by_example(self._embeddings(), self._example(str(like)))
        found = ranked.head(n).reset_index()
        if "classify" in self.tables():
            labels = self.frame("SELECT id, label FROM classify").set_index("id")["label"]
            found["label"] = found["id"].map(labels)
        captions = [f"{near:.2f} {_last(id)}" for id, near in zip(found["id"], found["similarity"], strict=True)]
        self._save_sheet(found["id"].tolist(), captions, "search.jpg", f"Search: {words or f'like {like}'}")
        return found

    def _embeddings(self) -> Iterator[tuple[list[str], np.ndarray]]:
        return self.vector_batches("embed", "embedding")

    def _example(self, like: str) -> Any:
        ids = self.paths([like])
        path = ids.get(like, Path(like).expanduser())
        if isinstance(path, Path) and not path.exists():
            raise InputError(f"{like!r} is neither an id of this corpus nor a file")
        return embed()([load(path, size=256) if isinstance(path, Path) else path])["embedding"][0]

    def cluster(
        self,
        *,
        k: int,
        on: str = "image",
        seed: int = 1,
        name: str = "cluster",
        where: str | None = None,
        replace: bool = False,
    ) -> Result:
        """Sort pictures into k clusters by their embeddings, with a contact sheet a cluster.

        Args:
            k: how many clusters.
            on: what to sort: image, frame, shot, face, object, or the name of another table of such units.
            seed: the same seed and the same pictures give the same clusters.
            name: of the table; several clusterings can stand side by side.
            where: which pictures, as a condition in SQL on the table media.
            replace: throw away a table of that name that was made with other arguments.

        Raises:
            InputError: k does not fit the number of pictures; the table was made with other arguments.
        """
        self._need("embed", on)
        arguments = {"k": k, "seed": seed, "where": where} | ({} if on == "image" else {"on": on})
        there = self.describe(name)
        if name in self.tables() and there.get("name") != "cluster":  # never the pictures, measures or predictions
            raise InputError(f"{name!r} is a table that no clustering made: choose another --name")
        if there and there.get("arguments") != arguments and not replace:
            before = ", ".join(f"--{key} {value}" for key, value in there["arguments"].items() if value is not None)
            raise InputError(
                f"the table {name!r} was made with {before}: replace it with --replace, or keep both with "
                f"--name {name}2"
            )
        chosen = self._originals(where) if on == "image" else self.join(on=on, where=where)["id"]
        ids, vectors = self.vectors("embed", "embedding", chosen)
        with self.parts(name).writing(), self.record("cluster", arguments) as run:
            made = cluster(vectors, k, seed)
            frame = pd.DataFrame(
                {
                    "id": ids,
                    "cluster": made.numbers,
                    "distance": made.distances.astype(float),
                    "silhouette": made.silhouettes,
                    "error": pd.Series([None] * len(ids), dtype="string"),
                }
            )
            self.parts(name).replace_all(pa.Table.from_pandas(frame, preserve_index=False), run.stem)
            self.write_description(name, {"name": "cluster", "arguments": arguments, "source": "Lloyd (1982)"})
            folder = self._sheets_of_clusters(name, frame)
        return _cluster_result(frame, k, seed, folder)

    def _originals(self, where: str | None) -> pd.Series:
        return self.frame(f"SELECT id FROM media WHERE parent IS NULL AND ({where or 'true'})")["id"]

    def _sheets_of_clusters(self, name: str, frame: pd.DataFrame) -> Path:
        folder = self.results / name
        if folder.exists():
            shutil.rmtree(folder)
        for number, members in frame.groupby("cluster"):
            ids = members.sort_values(["distance", "id"])["id"].head(SHEET).tolist()
            title = f"Cluster {number}: {len(members)} pictures, the most typical first"
            self._save_sheet(ids, None, f"{name}/{name}-{number}.jpg", title)
        return folder

    def sheet(
        self,
        *ids: str,
        on: str = "image",
        boxes: str | None = None,
        where: str | None = None,
        n: int = SHEET,
        out: Path | None = None,
        title: str | None = None,
    ) -> Path:
        """A contact sheet of pictures.

        Args:
            ids: which pictures; all, or those of ``where``, by default.
            on: what to show: image, frame, shot, face, object, or the name of another table of such units.
            boxes: draw the boxes of a table on the pictures: faces, objects or text; only pictures with some.
            where: which pictures, as a condition in SQL on the table media.
            n: at most so many.
            out: the file to write; by default ``results/sheet.jpg``, with boxes ``results/sheet-faces.jpg`` or so.
            title: what stands above.

        Returns:
            The file.
        """
        if not ids:
            all_ids = self.join(on=on, where=where)["id"]
            if boxes:
                all_ids = all_ids[all_ids.isin(set(self._boxes(boxes)["picture"]))]
            ids = tuple(all_ids.head(int(n)))
        if not ids:
            raise InputError("no pictures to show")
        captions = [_last(id) for id in ids[:n]]
        usual = f"sheet-{boxes}.jpg" if boxes else "sheet.jpg"
        return self._save_sheet(list(ids[:n]), captions, out or usual, title, boxes=boxes)

    def _save_sheet(
        self, ids: list[str], captions: list[str] | None, out: str | Path, title: str | None, boxes: str | None = None
    ) -> Path:
        pictures: dict[str, Any] = dict(self.paths(ids))
        if boxes:
            for id, found in self._boxes(boxes, ids).groupby("picture"):
                marks = list(found[["x", "y", "width", "height"]].itertuples(index=False, name=None))
                pictures[str(id)] = Marked(pictures[str(id)], marks, found["mark"].tolist())
        path = self.results / out
        path.parent.mkdir(parents=True, exist_ok=True)
        columns, cell = (3, 320) if boxes else (6, 160)
        sheet = contact_sheet([pictures.get(id) for id in ids], captions, columns=columns, cell=cell, title=title)
        sheet.save(path, quality=88)
        return path

    def _boxes(self, table: str, ids: Sequence[str] | None = None) -> pd.DataFrame:
        """What was found in pictures, with a short text for each box: its label and how sure it is."""
        self.require(table, HINTS.get(table, "find things in pictures first"))
        names = self.column_names(table)
        if not {"picture", "x", "y", "width", "height"} <= set(names):
            raise InputError(f"the table {table!r} holds no boxes: give faces, objects or text")
        found = self.frame(f"SELECT * FROM {quoted(table)} ORDER BY picture, id")
        if ids is not None:
            found = found[found["picture"].isin(ids)]
        score = found["score"].map("{:.2f}".format) if "score" in found else ""
        return found.assign(mark=(found["label"] + " " if "label" in found else "") + score)


def _last(id: str) -> str:
    """The file's name without its folders, for a caption."""
    return id.rsplit("/", 1)[-1]


def _percent(advance: Any) -> Any:
    """A callback that takes the share done, 0 to 1, for a bar of 100."""
    shown = 0

    def show(share: float) -> None:
        nonlocal shown
        advance(int(share * 100) - shown)
        shown = int(share * 100)

    return show


def _cluster_result(frame: pd.DataFrame, k: int, seed: int, folder: Path) -> Result:
    groups = frame.groupby("cluster")
    table = groups.agg(pictures=("id", "size"), silhouette=("silhouette", "mean")).reset_index()
    table["most typical"] = frame.sort_values(["distance", "id"]).groupby("cluster")["id"].first().to_numpy()
    mean = frame["silhouette"].mean()
    words = [
        f"{len(frame):,} pictures in {k} clusters (k-means on embeddings, seed {seed}), mean silhouette {mean:.2f} "
        "(1: well apart; 0: no structure).",
        f"A contact sheet of each: {folder}",
    ]
    warnings = []
    if mean < 0.1:
        warnings.append(
            "the clusters hardly stand apart: try other numbers of clusters, and let people judge them before they "
            "become categories"
        )

    def draw() -> Figure:
        figure = Figure(figsize=(6, 0.4 * k + 1))
        axes = figure.subplots()
        axes.barh(table["cluster"].astype(str)[::-1], table["pictures"][::-1], color="#4477aa")
        axes.set_xlabel("pictures")
        axes.set_ylabel("cluster")
        axes.spines[["top", "right"]].set_visible(False)
        return figure

    return Result("Clusters", table, words, warnings, draw, {"k": k, "seed": seed})
