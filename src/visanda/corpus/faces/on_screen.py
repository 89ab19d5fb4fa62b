"""The table ``tracks``: who is on screen in videos, from when to when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from visanda.learn.face_tracks import appearances, tracks
from visanda.learn.gallery import UNKNOWN
from visanda.measure import TIMED, timed_failure
from visanda.progress import progress
from visanda.run.orders import BOX
from visanda.run.tasks import BY_PICTURE
from visanda.store import Store, quoted
from visanda.timecode import Timecode
from visanda.units import Unit, parse

SCHEMA = pa.schema(
    [
        *TIMED,
        ("track", pa.int64()),
        ("n_faces", pa.int64()),
        ("seconds", pa.float64()),
        ("person", pa.string()),
        ("person_share", pa.float64()),
        ("face_group", pa.int64()),
        ("best", pa.string()),
        ("error", pa.string()),
    ]
)


@dataclass(frozen=True)
class Video:
    """What is known of a video in which faces were looked for.

    Attributes:
        id: its id.
        interval: seconds between the frames that were looked at.
        cuts: seconds at which a shot begins.
        in_shots: whether its shots were measured.
        duration: in seconds; None: not known.
    """

    id: str
    interval: float
    cuts: np.ndarray
    in_shots: bool
    duration: float | None


def videos_looked_at(store: Store, frames: str, described: Mapping[str, Any]) -> list[Video]:
    """The videos of whose frames at least one was looked at for faces.

    Args:
        store: the corpus.
        frames: the table that lists the frames.
        described: what its ``measure.json`` says.
    """
    listed = store.frame(
        f"SELECT unit.parent AS id, list(unit.start ORDER BY unit.start) AS times, any_value(duration) AS duration "
        f"FROM {quoted(frames)} AS unit JOIN media ON unit.parent = media.id WHERE unit.error IS NULL "
        f"AND unit.id IN (SELECT id FROM faces{BY_PICTURE} WHERE error IS NULL) GROUP BY unit.parent ORDER BY 1"
    )
    shots = pd.DataFrame(columns=["parent", "start"])
    if "shots" in store.tables():
        shots = store.frame("SELECT parent, start FROM shots WHERE error IS NULL")
    every = described.get("arguments", {}).get("every")
    row: Any
    found = []
    for row in listed.itertuples():
        starts = shots.loc[shots["parent"] == row.id, "start"].to_numpy(float)
        found.append(
            Video(
                str(row.id),
                float(every) if every else _interval(np.asarray(row.times), row.duration),
                starts[starts > 0],
                len(starts) > 0,
                None if pd.isna(row.duration) else float(row.duration),
            )
        )
    return found


def _interval(times: np.ndarray, duration: float | None) -> float:
    """The usual time from one frame to the next; of a single frame, the whole video."""
    if len(times) > 1:
        return float(np.median(np.diff(times)))
    return 1.0 if duration is None or pd.isna(duration) or duration <= 0 else float(duration)


def videos_failed(store: Store, frames: str) -> dict[str, str]:
    """The videos of whose frames none could be looked at, and why."""
    rows = store.frame(
        f"SELECT unit.parent AS id, any_value(coalesce(unit.error, looked.error)) AS error "
        f"FROM {quoted(frames)} AS unit LEFT JOIN faces{BY_PICTURE} AS looked ON looked.id = unit.id "
        "GROUP BY unit.parent "
        "HAVING count(*) FILTER (WHERE looked.id IS NOT NULL AND looked.error IS NULL) = 0 "
        "AND any_value(coalesce(unit.error, looked.error)) IS NOT NULL"
    )
    return dict(zip(rows["id"], rows["error"], strict=True))


def all_tracks(
    videos: list[Video],
    faces: pd.DataFrame,
    vectors: Mapping[str, np.ndarray],
    *,
    gap: float,
    overlap: float,
    threshold: float,
) -> pa.Table:
    """The tracks of all videos.

    Args:
        videos: in which faces were looked for.
        faces: found in frames: id, parent, start, box, frontal, sharpness; person and face_group where known.
        vectors: the identity of each face that has one.
        gap: seconds; see :func:`visanda.learn.face_tracks.tracks`, as for the others.
        overlap: of boxes.
        threshold: of distances.
    """
    nothing = np.full(next(iter(vectors.values())).shape if vectors else 1, np.nan)
    made = []
    by_video = dict(tuple(faces.groupby("parent")))
    with progress("tracks", len(videos)) as advance:
        for video in videos:
            mine = by_video.get(video.id)
            if mine is not None:
                looks = np.stack([vectors.get(id, nothing) for id in mine["id"]]) if vectors else None
                times, boxes = mine["start"].to_numpy(float), mine[list(BOX)].to_numpy(float)
                number = tracks(
                    times,
                    boxes,
                    looks,
                    video.cuts,
                    video.interval,
                    gap_seconds=gap,
                    overlap=overlap,
                    threshold=threshold,
                )
                shown = appearances(times, number, video.interval, cuts=video.cuts, duration=video.duration)
                made.append(_rows(video.id, mine.assign(track=number), shown))
            advance()
    return pa.concat_tables([SCHEMA.empty_table(), *made])


def failures(failed: Mapping[str, str]) -> pa.Table:
    """A row for each video that could not be looked at."""
    rows = [timed_failure(SCHEMA, id, None, None, why) for id, why in failed.items()]
    return pa.concat_tables([SCHEMA.empty_table(), *rows])


def _rows(video: str, faces: pd.DataFrame, shown: pd.DataFrame) -> pa.Table:
    """The tracks of one video as rows, in order of time."""
    best_first = faces.sort_values(["frontal", "sharpness", "id"], ascending=[False, False, True], kind="stable")
    of_track = dict(tuple(best_first.groupby("track")))
    taken: set[str] = set()
    rows = []
    row: Any
    for row in shown.itertuples():
        mine = of_track[row.track]
        start, stop = round(float(row.start), 6), round(float(row.stop), 6)
        ids = {face: _id(video, start, stop, parse(face)) for face in mine["id"]}
        # Two tracks of the same time are told apart by their boxes, which differ in each frame.
        best = next((face for face, id in ids.items() if id not in taken), mine["id"].iloc[0])
        taken.add(ids[best])
        person, share = _majority(mine)
        rows.append(
            {
                "id": ids[best],
                "parent": video,
                "start": start,
                "stop": stop,
                "track": int(row.track),
                "n_faces": int(row.faces),
                "seconds": float(row.seconds),
                "person": person,
                "person_share": share,
                "face_group": _most_frequent(mine.get("face_group")),
                "best": best,
                "error": None,
            }
        )
    rows.sort(key=lambda row: (row["start"], row["track"]))
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _id(video: str, start: float, stop: float, face: Unit) -> str:
    return Unit(parse(video).name, (start,) if start == stop else (start, stop), face.box).id


def _majority(faces: pd.DataFrame) -> tuple[str | None, float | None]:
    """The name that most faces with a name have, of equally many the nearer one; and the share of all faces with it."""
    who = faces["person"].dropna() if "person" in faces else pd.Series(dtype=object)
    if who.empty:
        return None, None
    named = faces.loc[who.index][who != UNKNOWN]
    if named.empty:
        return UNKNOWN, 1.0
    counted = named.groupby("person").agg(faces=("id", "size"), distance=("distance", "mean"))
    first = counted.sort_values(["faces", "distance"], ascending=[False, True]).index[0]
    return str(first), float((who == first).mean())


def _most_frequent(groups: pd.Series | None) -> int | None:
    there = pd.Series(dtype=int) if groups is None else groups.dropna()
    return None if there.empty else int(there.mode().iloc[0])


def with_names(store: Store, faces: pd.DataFrame) -> pd.DataFrame:
    """Faces with the names and the groups that they have."""
    for table, columns in (("people", "person, distance"), ("face_groups", '"group" AS face_group')):
        if table in store.tables():
            more = store.frame(f"SELECT id, {columns} FROM {table} WHERE error IS NULL")
            faces = faces.merge(more, on="id", how="left")
    return faces


def captions(rows: pd.DataFrame) -> list[str]:
    """When each track begins, how long it is, and whose."""
    return [
        f"{str(Timecode(float(start))).split('.')[0].removeprefix('00:')}, {length:.0f} s"
        + (f", {person}" if isinstance(person, str) else "")
        for start, length, person in zip(rows["start"], rows["seconds"], rows["person"], strict=True)
    ]


def on_screen(rows: pd.DataFrame) -> pd.DataFrame:
    """How long who is on screen: a row a person, or a group of faces, or a video where nobody has a name.

    Args:
        rows: of the table ``tracks`` without failures.
    """
    by = next((name for name in ("person", "face_group") if rows[name].notna().any()), "parent")
    grouped = rows.groupby(by, dropna=False)
    table = grouped.agg(tracks=("id", "size"), videos=("parent", "nunique"), seconds=("seconds", "sum")).reset_index()
    table = table.rename(columns={"parent": "video"})
    return table.sort_values(["seconds", table.columns[0]], ascending=[False, True], ignore_index=True)


def said(
    rows: pd.DataFrame, videos: Sequence[Video], failed: Mapping[str, str], described: Mapping[str, Any]
) -> tuple[list[str], list[str]]:
    """What was found, and what to be careful of.

    Args:
        rows: of the table ``tracks`` without failures.
        videos: in which faces were looked for.
        failed: videos that could not be looked at, and why.
        described: what the ``measure.json`` of the list of frames says.
    """
    steps = sorted({round(video.interval, 3) for video in videos})
    words = [
        f"{len(rows):,} tracks of {int(rows['n_faces'].sum()):,} faces in {rows['parent'].nunique():,} of "
        f"{len(videos):,} videos; {float(rows['seconds'].sum()):,.0f} seconds on screen together, counted in steps of "
        f"{' to '.join(f'{step:g}' for step in dict.fromkeys((steps[0], steps[-1])))} s."
    ]
    words += [f"{id} could not be looked at: {why}" for id, why in list(failed.items())[:3]]
    warnings = []
    if not described.get("arguments", {}).get("every"):
        warnings.append(
            "the frames are not equally far apart, so that seconds are rough: choose them with 'visanda frames --every'"
        )
    uncut = sum(not video.in_shots for video in videos)
    if uncut:
        warnings.append(
            f"no cuts are known of {uncut:,} videos, where a track may go on into the next shot: 'visanda measure "
            "shots'"
        )
    unsure = int((rows["person_share"] < 0.5).sum())
    if unsure:
        warnings.append(f"{unsure:,} tracks have a name that less than half of their faces have: look at person_share")
    return words, warnings
