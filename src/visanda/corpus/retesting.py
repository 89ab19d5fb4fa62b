"""Retest: do measures give changed copies of a picture what they give the picture?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from visanda import codes
from visanda.corpus.changed_copies import CHANGES
from visanda.corpus.measuring import with_arguments
from visanda.corpus.sampling import Sampling, listed
from visanda.errors import InputError, MediaError
from visanda.measure import Measure, find_in, found_rows, rows
from visanda.measure.pictures import prepared
from visanda.media import Image, load
from visanda.progress import progress
from visanda.result import Result
from visanda.study.external import retest

AT_ONCE = 8  # pictures in memory, in all their copies
ORIGINAL = "original"
HUE = "hue"


class Retesting(Sampling):
    """Evaluate."""

    def retest(
        self,
        *measures: str | Measure,
        n: int = 50,
        seed: int = 1,
        changes: list[str] | None = None,
        where: str | None = None,
        name: str = "retest",
        **arguments: Any,
    ) -> Result:
        """How far measures move when pictures are encoded again, made smaller, cropped, mirrored, lit otherwise.

        Pictures are drawn at random and changed in memory; no table of the corpus is touched. Stability is 1 where
        nothing moves: an intraclass correlation of numbers, the share of labels that stay, the cosine of vectors. Files
        go into results/; ``<name>-moves.csv`` has more numbers of each column and change.

        Args:
            measures: of pictures, by name such as ``colour``, or with their arguments such as ``vi.colour(colours=3)``.
            n: how many pictures to draw.
            seed: of the draw; the same seed draws the same pictures.
            changes: which of jpeg-60, jpeg-30, webp-60, half-size, crop-5, mirror, brighter-10, darker-10; all by
                default.
            where: of which pictures, as a condition in SQL on the table media.
            name: of the files written to results/.
            arguments: arguments of the measures, such as labels for zeroshot.

        Raises:
            InputError: an unknown measure, argument or change; a measure that does not look at pictures; no pictures.
        """
        codes.check_name("result", name)
        made = _measures(measures, arguments)
        asked = _changes(changes)
        ids = self._drawn(n, seed, where)
        record = {"measures": [m.to_json() for m in made], "n": n, "seed": seed, "changes": asked, "where": where}
        with self.record("retest", record) as run:
            found, unread = self._measured_again(made, ids, asked)
            result = retest(found.pop(ORIGINAL), found, seed=seed)
            result.title = f"Retest of {', '.join(m.name for m in made)}: how far each column moves"
            result.provenance |= record | {"unreadable": unread}
            drawn = len(ids) - unread
            result.words.insert(
                0, f"{drawn} pictures drawn at random, each measured as it is and in {len(asked)} changed copies."
            )
            if unread:
                result.warnings.append(f"{unread} of the pictures drawn cannot be read and are left out.")
            if "mirror" in asked:
                result.words.append("Under a mirror, what measures left and right is meant to move.")
            if HUE in set(result.table["column"]):
                result.words.append("A hue is an angle: 359 and 1 are neighbours, and count as far apart here.")
            result.extra["moves"] = result.table
            result.table = _by_change(result.table)
            written = result.save(self.results, name)
            result.extra["moves"].to_csv(self.results / f"{name}-moves.csv", index=False)
            written.append(self.results / f"{name}-moves.csv")
            result.words.append(f"Table, words and figure: {', '.join(str(path) for path in written)}")
            run.counts = {"pictures": drawn, "changes": len(asked)}
        return result

    def _drawn(self, n: int, seed: int, where: str | None) -> list[str]:
        """Ids of pictures drawn at random, all where there are no more."""
        if n < 2:
            raise InputError(f"n={n}: draw 2 pictures at the very least; 50 or more say something")
        there = self.population(where)["id"].tolist()
        if len(there) < 2:
            raise InputError(
                f"there are {len(there)} readable pictures{' where ' + where if where else ''}: a retest draws "
                "from whole pictures, not from videos"
            )
        chosen = np.random.default_rng(seed).choice(len(there), min(n, len(there)), replace=False)
        return [there[place] for place in sorted(chosen)]

    def _measured_again(
        self, made: Sequence[Measure], ids: Sequence[str], changes: Sequence[str]
    ) -> tuple[dict[str, pd.DataFrame], int]:
        """A table of the pictures, and of each change of them, and how many could not be read."""
        paths, unread = self.paths(ids), 0
        parts: dict[str, list[pd.DataFrame]] = {name: [] for name in (ORIGINAL, *changes)}
        with progress("retest", len(ids)) as advance:
            for begin in range(0, len(ids), AT_ONCE):
                some = ids[begin : begin + AT_ONCE]
                pictures = {id: image for id in some if (image := _readable(paths[id])) is not None}
                unread += len(some) - len(pictures)
                if pictures:
                    for change, tables in parts.items():
                        changed = list(pictures.values())
                        if change != ORIGINAL:
                            changed = [CHANGES[change](image) for image in changed]
                        tables.append(_measured(made, list(pictures), changed))
                advance(len(some))
        if unread == len(ids):
            raise InputError("none of the pictures drawn can be read: are their files where they were added from?")
        return {change: pd.concat(tables, ignore_index=True) for change, tables in parts.items()}, unread


def _measures(measures: tuple[str | Measure, ...], arguments: dict[str, Any]) -> list[Measure]:
    if not measures:
        raise InputError("name at least one measure of pictures, such as colour: see 'visanda measures'")
    made = with_arguments(measures, arguments)
    for one in made:
        if one.feed is not None or one.on != "image":
            what = "videos" if one.feed else f"{one.on}s"
            raise InputError(
                f"{one.name} measures {what}: a retest changes whole pictures, and needs measures of these"
            )
    if len({one.name for one in made}) < len(made):
        raise InputError("a measure is named twice: retest it once with each set of arguments, under another --name")
    return made


def _by_change(moves: pd.DataFrame) -> pd.DataFrame:
    """The stability of each column, a column a change, the least stable first."""
    wide = moves.pivot(index="column", columns="change", values="stability")[list(moves["change"].unique())]
    order = wide.min(axis=1).sort_values(kind="stable").index
    return wide.loc[order].round(3).rename_axis(None, axis=1).reset_index()


def _changes(changes: list[str] | None) -> list[str]:
    asked = listed(changes) or list(CHANGES)
    if unknown := [name for name in asked if name not in CHANGES]:
        raise InputError(f"there is no change {unknown[0]!r}: there are {', '.join(CHANGES)}")
    return list(dict.fromkeys(asked))


def _readable(source: Any) -> Image | None:
    try:
        return load(source) if isinstance(source, Path) else Image.of(source)
    except MediaError:
        return None


def _measured(made: Sequence[Measure], ids: Sequence[str], images: Sequence[Image]) -> pd.DataFrame:
    """Columns of all measures; of those that find things in pictures, how many and the like."""
    whole = pd.DataFrame({"id": list(ids)})
    for one in made:
        if one.finds:
            ready = prepared(one, images)
            table = found_rows(one, ids, ready, find_in(one, ready))[1]
        else:
            table = rows(one, ids, one(list(images)))
        frame = table.to_pandas().drop(columns="error")
        frame = frame.rename(columns={name: f"{one.name}_{name}" for name in frame if name in whole and name != "id"})
        whole = whole.merge(frame, on="id")
    return whole
