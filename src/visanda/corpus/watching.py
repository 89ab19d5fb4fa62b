"""Watch: choose frames of videos, and look at a video as a whole."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from visanda.collect.tables import read_table
from visanda.errors import InputError, MediaError
from visanda.media import Image, Video, contact_sheet, resize, save
from visanda.parts import write_bytes
from visanda.progress import Advance, progress
from visanda.report.timeline import CURVES, Curve, draw_timeline, slots
from visanda.result import Result
from visanda.run.frames import Choice, description, list_frames
from visanda.store import Store, quoted
from visanda.timecode import Timecode, seconds
from visanda.units import parse

STRIP = 96  # shots in a filmstrip, at most


class Watching(Store):
    """Watch."""

    def frames(
        self,
        *,
        every: str | float | None = None,
        nth: int | None = None,
        keyframes: bool = False,
        per_shot: Literal["first", "middle", "last", "sharpest", "representative"] | None = None,
        count: int = 1,
        distinct: float | None = None,
        extract: Path | None = None,
        name: str = "frames",
        where: str | None = None,
        replace: bool = False,
    ) -> Result:
        """Choose frames of the videos; measures of pictures then run on them with --on frame, without files.

        Args:
            every: a time between frames, such as 1s, 0.5 or 2min: the frame shown then.
            nth: each n-th frame.
            keyframes: the frames that the encoder stored whole; cheap to decode, and irregular.
            per_shot: one frame of each shot (after 'visanda measure shots'): the first, middle or last one, the
                sharpest, or the one most like the whole shot.
            count: how many a shot, from so many equal parts of it.
            distinct: leave out frames that look like the one kept before: mean absolute difference below this
                share, 0 to 1; 0.02 drops still pictures.
            extract: a folder to write the frames into, as JPEG files named by time, with a list in frames.csv.
            name: the table's name; measure another with --on NAME.
            where: which videos, as a condition in SQL on the table media.
            replace: throw away a list that was made in another way.

        Raises:
            InputError: no way to choose, or two; no videos; no shots; a table that was made in another way.
        """
        step = None if every is None else seconds(every)
        choice = Choice(step, nth, keyframes, per_shot, count, distinct)
        self._need_videos()
        self._refuse_other(name, choice, replace)
        arguments = {**choice.arguments(), "where": where, "name": name}
        parts = self.parts(name)
        with parts.writing(), self.progress(name).writing(), self.record("frames", arguments) as run:
            if self.describe(name) and self.describe(name)["arguments"] != choice.arguments():
                self.progress(name).drop_all(run.stem)
                parts.drop_all(run.stem)
            self.write_description(name, description(choice))
            made, before = list_frames(self, name, choice, run.stem, where=where, workers=os.cpu_count() or 1)
            run.counts = {"frames": made.measured, "failed": made.failed}
        result = self._frames_result(name, arguments, before)
        if extract is not None:
            result.words += self._extract(name, Path(extract), where)
        return result

    def timeline(
        self,
        video: str,
        *,
        since: str | float | None = None,
        until: str | float | None = None,
        marks: Path | None = None,
        out: Path | None = None,
    ) -> Result:
        """Look at one video: its pictures over time, its shots, and curves of what was measured; and a filmstrip.

        Args:
            video: its id, or its file name.
            since: from when on, such as 1:30 or 90s; the start by default.
            until: to when; the end by default.
            marks: a table of events to draw: a column time (seconds or HH:MM:SS), a label, and filename where
                it holds those of several videos.
            out: the picture to write; ``results/timeline-NAME.png`` by default.

        Raises:
            InputError: there is no such video, or it cannot be read.
        """
        row = self._one_video(video)
        begin = row["first"] if since is None else seconds(since)
        end = _length(row, self.resolve(row["path"])) if until is None else seconds(until)
        if not begin < end:
            raise InputError(f"there is nothing between {Timecode(begin)} and {Timecode(end)}")
        shots = self._inside("shots", row["id"], begin, end)
        curves = [
            Curve(said, *(rows[name].to_numpy(float) for name in ("start", "stop", column)))
            for table, (column, said) in CURVES.items()
            if (rows := self._inside(table, row["id"], begin, end)) is not None and column in rows
        ]
        events = None if marks is None else _marks(read_table(marks), row["id"])
        pictures = _pictures(self.resolve(row["path"]), slots(begin, end))
        path = Path(out) if out else self.results / f"timeline-{row['id'].rsplit('/', 1)[-1]}.png"
        title = f"{row['id']}    {Timecode(begin)} – {Timecode(end)}"
        result = _timeline_result(
            title, shots, lambda: draw_timeline(title, (begin, end), pictures, shots, curves, events)
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, result.figure_png() or b"")
        result.words.append(f"The figure: {path}")
        if shots is not None:
            strip = path.with_name(path.stem + "-shots.jpg")
            self._filmstrip(row, shots, strip)
            result.words.append(f"A picture of each shot: {strip}")
        missing = [name for name in ("shots", "motion") if name not in self.tables()]
        if missing:
            result.words.append(f"For more in it: visanda measure {' '.join(missing)}")
        return result

    def _one_video(self, name: str) -> dict[str, Any]:
        self._need_videos()
        rows = self.frame("SELECT * FROM media WHERE kind = 'video'")
        called = rows["id"].map(lambda id: parse(id).name.rsplit("/", 1)[-1])  # as the file is, with its '#' and '%'
        found = rows[(rows["id"] == name) | (called == Path(name).name)]
        exact = found[found["id"] == name]
        found = exact if len(exact) else found
        if len(found) != 1:
            shown = ", ".join(found["id"].head(5)) if len(found) else ", ".join(rows["id"].head(5))
            said = f"{name!r} could be any of these; give the whole id" if len(found) else f"there is no video {name!r}"
            raise InputError(f"{said}: {shown}")
        row = {str(name): value for name, value in found.iloc[0].items()}
        if isinstance(row["error"], str):
            raise InputError(f"{row['id']} cannot be read: {row['error']}")
        return row

    def _inside(self, table: str, video: str, begin: float, end: float) -> pd.DataFrame | None:
        """The rows of a table about a stretch of a video; None where it was not measured."""
        if table not in self.tables():
            return None
        return self.frame(
            f"SELECT * FROM {quoted(table)} WHERE parent = ? AND error IS NULL AND stop > ? AND start < ? "
            "ORDER BY start",
            [video, begin, end],
        )

    def _filmstrip(self, row: dict[str, Any], shots: pd.DataFrame, path: Path) -> None:
        """A contact sheet with the middle of each shot."""
        shown = shots if len(shots) <= STRIP else shots.iloc[np.linspace(0, len(shots) - 1, STRIP).round().astype(int)]
        middle = ((shown["start"] + shown["stop"]) / 2).tolist()
        pictures = _pictures(self.resolve(row["path"]), middle)
        joins = shown["transition"] if "transition" in shown else ["cut"] * len(shown)
        captions = [
            f"{number + 1}: {str(Timecode(start)).split('.')[0].removeprefix('00:')}, {stop - start:.1f} s"
            + ("" if join in ("start", "cut") else f", {join}")
            for number, start, stop, join in zip(shown.index, shown["start"], shown["stop"], joins, strict=True)
        ]
        sheet = contact_sheet(pictures, captions, columns=8, title=f"{row['id']}: {len(shots)} shots")
        sheet.save(path, quality=88)

    def _need_videos(self) -> None:
        self.require("media", "add videos first, with 'visanda add FOLDER'")
        if not self.query("SELECT 1 FROM media WHERE kind = 'video' LIMIT 1").num_rows:
            raise InputError("there are no videos here: add some with 'visanda add FOLDER'")

    def _refuse_other(self, name: str, choice: Choice, replace: bool) -> None:
        there = self.describe(name)
        if name in self.tables() and there.get("name") != "frames":
            raise InputError(f"{name!r} is another table: give this list another --name")
        if there and there["arguments"] != choice.arguments() and len(self.parts(name)) and not replace:
            said = ", ".join(f"{key}={value}" for key, value in there["arguments"].items())
            raise InputError(
                f"the table {name!r} holds frames chosen by {said}. Replace them with --replace, or keep both with "
                f"--name {name}2"
            )

    def _frames_result(self, name: str, arguments: dict[str, Any], before: int) -> Result:
        table = (
            self.frame(
                f"SELECT parent AS video, count(*) FILTER (WHERE error IS NULL) AS frames, "
                f"min(start) FILTER (WHERE error IS NULL) AS first, max(start) FILTER (WHERE error IS NULL) AS last, "
                f"any_value(error) AS error FROM {quoted(name)} GROUP BY parent ORDER BY parent"
            )
            if name in self.tables()
            else pd.DataFrame(columns=["video", "frames", "first", "last", "error"])
        )
        number = int(table["frames"].sum())
        words = [f"{number:,} frames of {len(table):,} videos are listed in the table {name!r}."]
        if before:
            words.append(f"{before:,} videos were listed before.")
        on = "frame" if name == "frames" else name
        words.append(f"Measure them: visanda measure colour --on {on}")
        return Result("Frames", table, words, provenance=arguments)

    def _extract(self, name: str, folder: Path, where: str | None) -> list[str]:
        """Write the listed frames as files; those that are there stay."""
        rows = self.frame(
            f"SELECT unit.id, unit.parent, unit.start, unit.key, video.path, video.wanted FROM {quoted(name)} AS unit "
            f"JOIN (SELECT id, path, ({where or 'true'}) AS wanted FROM media) AS video ON unit.parent = video.id "
            "WHERE unit.error IS NULL ORDER BY unit.parent, unit.start"
        )
        rows["timecode"] = [str(Timecode(time)) for time in rows["start"]]
        rows["file"] = [
            f"{video}/{time.replace(':', '-')}.jpg"
            for video, time in zip(rows["parent"], rows["timecode"], strict=True)
        ]
        wanted = rows[rows["wanted"].fillna(False).astype(bool)]
        failed: list[str] = []
        with progress("extract", len(wanted)) as advance:
            for video, group in wanted.groupby("parent", sort=False):
                todo = {
                    time: folder / file
                    for time, file in zip(group["start"].tolist(), group["file"], strict=True)
                    if not (folder / file).exists()
                }
                advance(len(group) - len(todo))
                if todo:
                    path, keys = self.resolve(group["path"].iloc[0]), bool(group["key"].all())
                    failed += _write_frames(str(video), path, todo, keys, advance)
        written = [(folder / file).exists() for file in rows["file"]]
        index = rows.loc[written, ["file", "id", "parent", "start", "timecode"]]
        write_bytes(folder / "frames.csv", index.to_csv(index=False).encode())
        return [f"{sum(written):,} files are in {folder}, listed in {folder / 'frames.csv'}.", *failed[:10]]


def _pictures(path: Path, times: list[float]) -> list[Image | None]:
    """Small pictures of these moments; None where nothing can be decoded."""
    with Video(path) as video:
        found = {time: resize(frame.image(), 240) for time, frame in video.pictures(times)}
    return [found.get(time) for time in times]


def _length(row: dict[str, Any], path: Path) -> float:
    """Seconds up to which a video lasts; where the file does not say, to its last frame."""
    if pd.notna(row["duration"]):
        return float(row["duration"])
    with Video(path) as video:
        return float(video.moments()[0][-1])


def _marks(table: pd.DataFrame, video: str) -> pd.DataFrame:
    if "time" not in table:
        raise InputError(f"the table of marks needs a column 'time'; its columns are: {', '.join(map(str, table))}")
    if "filename" in table:
        names = table["filename"].astype(str)
        table = table[(names == video) | (names == video.rsplit("/", 1)[-1])]
    words = [
        name for name in table if name not in ("filename", "time") and all(isinstance(one, str) for one in table[name])
    ]
    label = table["label" if "label" in table else words[0]] if words else [""] * len(table)
    return pd.DataFrame({"time": [seconds(time) for time in table["time"]], "label": label})


def _timeline_result(title: str, shots: pd.DataFrame | None, draw: Callable[[], Figure]) -> Result:
    if shots is None or shots.empty:
        return Result(title, pd.DataFrame(), [], draw=draw)
    length = shots["stop"] - shots["start"]
    words = [f"{len(shots)} shots, {length.mean():.2f} s long on average (median {length.median():.2f} s)."]
    shown = [name for name in ("start", "stop", "transition") if name in shots]
    table = shots[shown].assign(**{name: [str(Timecode(time)) for time in shots[name]] for name in ("start", "stop")})
    return Result(title, table.assign(seconds=length.round(3)), words, draw=draw)


def _write_frames(video: str, path: Path, todo: dict[float, Path], keys: bool, advance: Advance) -> list[str]:
    """Decode the frames of one video and write them; what could not be written, and why."""
    left = dict(todo)
    try:
        with Video(path) as opened:
            for time, frame in opened.pictures(list(todo), keys=keys):
                target = left.pop(time)
                target.parent.mkdir(parents=True, exist_ok=True)
                save(frame.image(), target)
                advance(1)
    except MediaError as error:
        return [f"{video}: {error}"]
    return [f"{video}: {len(left)} frames could not be decoded"] if left else []
