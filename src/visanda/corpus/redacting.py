"""Redact: copies of pictures and videos in which nobody is to be recognised, in a folder that may leave the house."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from errno import EACCES, EDQUOT, EIO, ENOSPC, EPERM, EROFS
from functools import partial
from itertools import groupby, islice
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from visanda.corpus.looking import How, Search, distinct
from visanda.corpus.share.disclosure import plain_error
from visanda.errors import CorpusError, InputError
from visanda.measures.text import read_lines
from visanda.media import Image, Still, contact_sheet
from visanda.privacy import Listing, Redaction, redact_picture, redact_video
from visanda.progress import Advance, progress
from visanda.result import Result
from visanda.store import Store, quoted
from visanda.timecode import seconds
from visanda.units import parse

ABOUT = """Redacted copies of pictures and videos, made by visanda.

Hidden: {hidden}. How: {how}. {sound}
Left out: place, time, camera, comments and all else that the original files said of themselves.

redactions.csv lists each file, what was hidden in it, and what was found again in the copy: "again" in each round of
looking at it, and "remaining" what is still found. Look at the pictures yourself before you pass them on: a detector
does not see every face, and what it does not see is not hidden.

Hidden does not mean anonymous. People are known by their clothes, their company and the place. Blurred and pixelated
parts still tell a few colours; only "fill" keeps nothing. Names of files are those of the originals.
"""
KINDS = {"face": "face", "person": "object", "text": "line"}  # what tables hold them
SHARED_NAMES = 256  # pictures whose boxes are asked for at a time
PASSES = 3  # that a video is gone through: to find, to write, to look again
SHEET = 24  # pictures to look at
PRIVATE = ("tables", "codes", "samples", "models", "runs", "results", "private", "media")  # folders of a corpus
STOPS = {ENOSPC, EDQUOT, EROFS, EACCES, EPERM, EIO}  # errors of the disk that the next file meets, too
KEPT = {"image": {".jpg", ".jpeg", ".png", ".webp"}, "video": {".mp4", ".mkv", ".webm"}}
LOSSLESS = {"GIF", "BMP", "TIFF", "PNM", "PNG"}


class Redacting(Store):
    """Protect and share."""

    def redact(
        self,
        *,
        out: Path,
        faces: How | None = None,
        people: bool = False,
        text: bool = False,
        metadata_only: bool = False,
        score: float = 0.5,
        sound: bool = False,
        every: str | float = 0.0,
        where: str | None = None,
        limit: int | None = None,
        workers: int = 0,
        replace: bool = False,
    ) -> Result:
        """Write copies of pictures and videos in which faces, people or text are hidden, and that tell nothing else.

        All is looked for anew with more care than for measuring, joined with what was measured, and looked for
        again in each copy: what is found again is hidden harder. Copies keep their names; redactions.csv lists them.
        What is there is not made again: stop and start at will. A picture that cannot be redacted has no copy.

        Args:
            out: a new folder, or one that this command filled before.
            faces: hide faces: blur, pixelate or fill (black). Only fill keeps nothing of them.
            people: hide whole people, in the same way as faces, or filled where no way is given.
            text: hide lines of text, likewise; needs the extra ocr.
            metadata_only: hide nothing, and leave out place, time, camera and the like.
            score: confidence from which on a face is hidden, 0.2 to 0.95; lower hides more, also what is none.
            sound: keep the sound of videos; left out otherwise, since voices are known as faces are.
            every: time between the frames of videos that are looked at, up to 0.5 s; all of them by default.
            where: which pictures and videos, as a condition in SQL on the table media; originals by default.
            limit: at most so many.
            workers: threads; 0 for one a core.
            replace: delete copies in the folder that were made in another way.

        Raises:
            InputError: nothing to hide; a folder that holds something else, originals or the corpus' own files;
                copies made in another way.
            MissingExtra: text is to be hidden, and the extra ocr is not installed.
            CorpusError: the folder cannot be written.
        """
        self.require("media", "add pictures or videos first, with 'visanda add FOLDER'")
        search = _asked(faces, people, text, metadata_only, score)
        step = seconds(every)
        if not 0 <= step <= 0.5:
            raise InputError("--every takes up to 0.5 s: what is found in one frame is hidden half a second around it")
        folder = Path(out).expanduser().resolve()
        self._refuse_folder(folder)
        made: dict[str, Any] = {**search.described(), "sound": sound, "every": step}
        arguments = {**made, "out": str(folder), "where": where, "limit": limit, "metadata_only": metadata_only}
        with self.parts("media").writing(), self.record("redact", arguments) as run:
            chosen = self._chosen_media(where)
            listing = Listing.open(folder, made, _about(search, sound), replace)
            todo = [one for one in _targets(chosen) if not listing.has(one.id)][:limit]
            job = Job(listing, search, sound, step)
            try:
                self._copy(job, todo, workers or os.cpu_count() or 1)
            finally:
                listing.write()
                rows = listing.rows()
                run.counts = {"copies": sum(not row.error for row in rows), "failed": sum(bool(r.error) for r in rows)}
        return self._told(folder, rows, made)

    def _refuse_folder(self, folder: Path) -> None:
        """No copy may take the place of an original, nor lie among the corpus' own files."""
        if self.folder.is_relative_to(folder) or any(folder.is_relative_to(self.folder / name) for name in PRIVATE):
            raise InputError(f"{folder} holds files of the corpus itself: name a folder of its own for the copies")
        for path in self.query("SELECT path FROM media WHERE path IS NOT NULL")["path"].to_pylist():
            if self.resolve(path).is_relative_to(folder) or self.resolve(path).resolve().is_relative_to(folder):
                raise InputError(f"{folder} holds originals, such as {path}: name a folder of its own for the copies")

    def _chosen_media(self, where: str | None) -> list[dict[str, Any]]:
        return self.query(
            f"SELECT id, kind, path, format, duration, error FROM media WHERE {where or 'parent IS NULL'} ORDER BY id"
        ).to_pylist()

    def _copy(self, job: Job, todo: list[Wanted], workers: int) -> None:
        pictures = [one for one in todo if one.kind == "image"]
        videos = [one for one in todo if one.kind == "video"]
        with progress("redact pictures", len(pictures)) as advance:
            units = iter(pictures)
            boxed = iter(lambda: list(islice(units, SHARED_NAMES)), [])
            work = ((one, boxes) for some in boxed for one, boxes in self._with_boxes(some, job.search))
            _in_threads(workers, (partial(job.picture, self, one, boxes, advance) for one, boxes in work))
        length = sum(one.length for one in videos)
        with progress("redact videos, seconds gone through", round(PASSES * length)) as advance:
            try:
                _in_threads(workers, (partial(job.video, self, one, advance) for one in videos))
            except BaseException:
                job.stop.set()
                raise

    def _with_boxes(self, some: list[Wanted], search: Search) -> Iterator[tuple[Wanted, dict[str, np.ndarray]]]:
        """Pictures, and what was measured in them of what is to be hidden."""
        found: dict[str, dict[str, list[np.ndarray]]] = {one.id: {} for one in some}
        for kind in search.kinds:
            for table in self._tables_of(kind):
                only = " AND label = 'person'" if kind == "person" else ""
                rows = self.query(
                    f"SELECT picture, x, y, width, height FROM {quoted(table)} WHERE error IS NULL{only} "
                    "AND picture IN (SELECT unnest(?)) ORDER BY picture",
                    [list(found)],
                ).to_pylist()
                for id, group in groupby(rows, key=lambda row: row["picture"]):
                    boxes = np.array([[row[side] for side in ("x", "y", "width", "height")] for row in group], float)
                    found[id].setdefault(kind, []).append(boxes)
        for one in some:
            yield one, {kind: np.concatenate(boxes) for kind, boxes in found[one.id].items()}

    def _tables_of(self, kind: str) -> list[str]:
        """Tables of what was found in pictures."""
        described = {table: self.describe(table) for table in self.tables()}
        return [
            table
            for table, said in described.items()
            if said.get("finds") == KINDS[kind]
            and said.get("on") == "image"
            and (kind != "person" or "label" in self.column_names(table))
        ]

    def _told(self, folder: Path, rows: list[Redaction], made: dict[str, Any]) -> Result:
        copies = [row for row in rows if not row.error]
        table = pd.DataFrame([_sums(kind, rows) for kind in ("image", "video") if any(r.kind == kind for r in rows)])
        hidden = {name: sum(getattr(row, name) for row in copies) for name in ("faces", "people", "text")}
        asked = [name for name in hidden if made[name]] or ["nothing"]
        said = " and ".join(f"{hidden.get(name, 0):,} {name}".replace("0 nothing", "nothing") for name in asked)
        again, left = sum(row.found_again for row in copies), sum(row.remaining for row in copies)
        words = [f"{len(copies):,} copies: {said} hidden, {again:,} found again and hidden harder, {left:,} remain."]
        words.append(f"They are in {folder}, listed in redactions.csv.")
        warnings = [
            f"In {row.file}, {row.remaining:,} are still found: hide them by hand, or leave it out"
            for row in copies
            if row.remaining
        ][:10]
        failed = [f"{row.id}: no copy: {row.error}" for row in rows if row.error]
        warnings += failed[:10] + ([f"... and {len(failed) - 10:,} more without a copy"] if len(failed) > 10 else [])
        shown = sorted((row for row in copies if row.hidden), key=lambda row: (-row.hidden, row.id))[:SHEET]
        if shown:
            sheet = self._sheet(folder, shown)
            words.append(f"Look at those with most hidden: {sheet}. What a detector does not see is not hidden.")
        return Result("Redacted", table, words, warnings, provenance=made)

    def _sheet(self, folder: Path, rows: list[Redaction]) -> Path:
        pictures = [folder / r.file if r.kind == "image" else Still(folder / r.file, _middle(r, self)) for r in rows]
        captions = [f"{row.file}: {row.hidden:,}" for row in rows]
        path = self.results / "redacted.jpg"
        path.parent.mkdir(exist_ok=True)
        contact_sheet(pictures, captions, cell=240, title="Redacted: the copies with most hidden").save(
            path, quality=88
        )
        return path


@dataclass(frozen=True)
class Wanted:
    """A copy to make: of which picture or video, where to, and what is known of it."""

    id: str
    kind: str
    path: str
    file: str
    length: float
    error: str | None


class Job:
    """How copies are made, and where they are listed; safe to use from several threads."""

    def __init__(self, listing: Listing, search: Search, sound: bool, every: float) -> None:
        self.listing, self.search, self.sound, self.every = listing, search, sound, every
        self.stop = threading.Event()

    def picture(self, store: Store, one: Wanted, measured: dict[str, np.ndarray], advance: Advance) -> None:
        """Make the copy of a picture, and list it."""
        self._list(one, lambda target: self._redact_picture(store.resolve(one.path), measured, target))
        advance()

    def video(self, store: Store, one: Wanted, advance: Advance) -> None:
        """Make the copy of a video, and list it."""
        gone = 0.0

        def told(more: float) -> None:
            nonlocal gone
            if self.stop.is_set():
                raise KeyboardInterrupt
            before, gone = int(gone), gone + more
            if gone <= PASSES * one.length:  # further rounds were not foreseen
                advance(int(gone) - before)

        def redact(target: Path) -> dict[str, Any]:
            find = self.search.in_frame if self.search.kinds else None
            options: dict[str, Any] = {"sound": self.sound, "every": self.every, "advance": told}
            made = redact_video(store.resolve(one.path), target, find, self.search.how, **options)
            return _counted(made.hidden, made.again, len(made.remaining))

        self._list(one, redact)

    def _redact_picture(self, source: Path, measured: dict[str, np.ndarray], target: Path) -> dict[str, Any]:
        pixels = Image.of(source).pixels
        found = self.search.in_picture(pixels)
        boxes = {kind: distinct(np.concatenate([new, measured.get(kind, new[:0])])) for kind, new in found.items()}
        find = self.search.in_picture if self.search.kinds else None
        made = redact_picture(source, boxes, self.search.how, target, find=find)
        return _counted(made.hidden, made.again, sum(len(some) for some in made.remaining.values()))

    def _list(self, one: Wanted, make: Callable[[Path], dict[str, Any]]) -> None:
        """Make one copy and list what became of it; where it fails there is no copy, and a line that says why.

        Raises:
            CorpusError: the folder cannot be written, and so no other copy can.
        """
        start = time.monotonic()
        target = self.listing.folder / one.file
        try:
            if one.error:
                raise InputError(one.error)
            if not target.resolve().is_relative_to(self.listing.folder):
                raise InputError("its copy would lie outside of the folder")
            target.parent.mkdir(parents=True, exist_ok=True)
            row = Redaction(one.id, one.file, one.kind, **make(target), seconds=round(time.monotonic() - start, 3))
        except Exception as error:  # of decoders, detectors and encoders: one picture never ends the work
            _raise_if_all_fail(error, self.listing.folder)
            why = plain_error(str(error) or type(error).__name__, one.id)
            row = Redaction(one.id, "", one.kind, seconds=round(time.monotonic() - start, 3), error=why)
        self.listing.add(row)


def _asked(faces: How | None, people: bool, text: bool, metadata_only: bool, score: float) -> Search:
    """What is to be hidden, as asked for; what reads text is loaded, so that it is missed before the work."""
    search = Search(faces, people, text, score)
    if not search.kinds and not metadata_only:
        raise InputError("say what to hide: --faces blur (or pixelate, fill), --people, --text; or --metadata-only")
    if search.kinds and metadata_only:
        raise InputError(f"--metadata-only hides nothing, and does not go with {' and '.join(search.kinds)}")
    if not 0.2 <= score <= 0.95:
        raise InputError(f"the score of faces must lie between 0.2 and 0.95, not {score:g}")
    if text:
        read_lines(Image(np.full((32, 32, 3), 255, np.uint8), 32, 32), 32)
    return search


def _targets(rows: Iterable[dict[str, Any]]) -> Iterator[Wanted]:
    """Copies to make; those of two originals never have one name, also where capitals do not count."""
    taken: set[str] = set()
    for row in rows:
        name = PurePosixPath(*(part for part in PurePosixPath(parse(row["id"]).name).parts if part not in ("/", "..")))
        ending = "" if name.suffix.lower() in KEPT[row["kind"]] else _ending(row)
        stem, suffix = (str(name), ending) if ending else (str(name.with_suffix("")), name.suffix)
        file, number = stem + suffix, 2
        while file.casefold() in taken:
            file, number = f"{stem}-{number}{suffix}", number + 1
        taken.add(file.casefold())
        yield Wanted(row["id"], row["kind"], row["path"], file, row["duration"] or 0.0, row["error"])


def _ending(row: dict[str, Any]) -> str:
    """What is added to a name whose ending says a format that is not written; Matroska holds any sound."""
    if row["kind"] == "video":
        return ".mkv"
    return ".png" if row["format"] in LOSSLESS else ".jpg"


def _in_threads(workers: int, work: Iterable[Callable[[], None]]) -> None:
    """Do work in threads, a little of it waiting; when it is stopped, what was begun is finished."""
    work = iter(work)
    with ThreadPoolExecutor(workers) as pool:
        waiting: set[Future[None]] = set()
        try:
            while True:
                waiting |= {pool.submit(one) for one in islice(work, 2 * workers - len(waiting))}
                if not waiting:
                    return
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()
        except BaseException:
            for future in waiting:
                future.cancel()
            raise


def _raise_if_all_fail(error: Exception, folder: Path) -> None:
    """Raise what no other copy would escape: a full disk, a folder that may not be written."""
    if isinstance(error, CorpusError):
        raise error
    cause = error if isinstance(error, OSError) else error.__cause__
    if isinstance(cause, OSError) and cause.errno in STOPS:
        raise CorpusError(
            f"cannot write in {folder}: {cause.strerror or cause}. What was finished is kept: make room or mend the "
            "permissions, and run the same command again."
        ) from error


def _counted(hidden: dict[str, int], again: tuple[int, ...], remaining: int) -> dict[str, Any]:
    counts = {"faces": "face", "people": "person", "text": "text"}
    found = {name: hidden.get(kind, 0) for name, kind in counts.items()}
    return {**found, "again": " ".join(map(str, again)), "remaining": remaining}


def _sums(kind: str, rows: list[Redaction]) -> dict[str, Any]:
    mine = [row for row in rows if row.kind == kind]
    copies = [row for row in mine if not row.error]
    hidden = {name: sum(getattr(row, name) for row in copies) for name in ("faces", "people", "text")}
    more = {"found_again": sum(r.found_again for r in copies), "remaining": sum(r.remaining for r in copies)}
    return {"of": f"{kind}s", "copies": len(copies), **hidden, **more, "failed": len(mine) - len(copies)}


def _middle(row: Redaction, store: Store) -> float:
    """The middle of a video, in seconds."""
    found = store.query("SELECT duration FROM media WHERE id = ?", [row.id])["duration"].to_pylist()
    return (found[0] if found and found[0] else 0.0) / 2


def _about(search: Search, sound: bool) -> str:
    hidden = {"face": "faces", "person": "people", "text": "text"}
    said = ", ".join(hidden[kind] for kind in search.kinds) or "nothing"
    how = search.how if search.kinds else "only what files say of themselves was left out"
    return ABOUT.format(
        hidden=said, how=how, sound="Sound was kept: voices are known." if sound else "Sound was left out."
    )
