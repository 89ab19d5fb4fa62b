"""Identify: who the faces are, by a gallery of known people or by their likeness alone; and when they are on screen."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from visanda.corpus.derived import describe, put_in_place, refuse_other
from visanda.corpus.exploring import Exploring, _last, _percent
from visanda.corpus.faces import face_grouping, face_pairs, gallery_changes, gallery_pictures, on_screen, people
from visanda.corpus.faces.gallery_pictures import Reader
from visanda.errors import InputError
from visanda.learn.face_groups import group
from visanda.learn.gallery import UNKNOWN, doubts
from visanda.media import contact_sheet
from visanda.models import model
from visanda.parts import write_bytes
from visanda.progress import progress
from visanda.result import Result
from visanda.run.orders import HINTS, TABLES
from visanda.run.tasks import BY_PICTURE
from visanda.study.thresholds.calibration import IN_USE, calibrate
from visanda.timecode import seconds

CELLS = 60  # faces on a sheet
EACH = 24  # faces on a sheet of one person
SHEETS = 30  # of single people or groups, at most
CAUTION = model("face_recognition_dlib").caution


class Identifying(Exploring):
    """Identify."""

    def faces_gallery_add(
        self, person: str, *pictures: str | Path, face: int | None = None, largest: bool = False
    ) -> pd.DataFrame:
        """Add pictures of a known person to the gallery, by which faces get their names.

        Args:
            person: the name; the same name adds to the same person.
            pictures: files, folders of files, or ids of pictures, frames or faces of this corpus; the files stay where
                they are. Each must show one face.
            face: which of several faces it is, counted from the left, from 1; for one picture.
            largest: take the largest of several faces.

        Returns:
            A row a picture: its id in the gallery, person, distance to the person's other pictures, and error, which
            says why a picture was not added and what to do; the others are added all the same.

        Raises:
            InputError: no name or no picture; ``face`` with several pictures.
        """
        name, files = gallery_pictures.checked_name(person), gallery_pictures.files_of(pictures)
        if not files:
            raise InputError(f"name the pictures of {name}: visanda faces gallery add {name!r} PICTURE ...")
        if face is not None and (largest or len(files) > 1):
            raise InputError("--face chooses in one picture: add this picture alone, without --largest")
        refuse_other(self, gallery_pictures.TABLE, "gallery", {}, replace=False)
        reader, rows = Reader(self, face, largest), []
        with progress("gallery", len(files)) as advance:
            for file in files:
                rows.append(reader.read(name, file))
                advance()
        added = gallery_changes.add(self, name, rows)
        if reader.several:
            sheet = contact_sheet(
                reader.several[:CELLS], columns=2, cell=420, title="Which face? Counted from the left"
            )
            self.results.mkdir(parents=True, exist_ok=True)
            sheet.save(self.results / "gallery-which.jpg", quality=88)
            added.attrs["words"].append(f"Their faces, with numbers: {self.results / 'gallery-which.jpg'}")
        return added

    def faces_gallery_list(self) -> pd.DataFrame:
        """The people of the gallery, what is doubtful about them, and a sheet of all faces, results/gallery.jpg.

        Returns:
            A row a person: pictures, spread (the mean distance between them), nearest (who resembles them most),
            nearest_distance and doubts (how many; they are printed below).

        Raises:
            InputError: the gallery is empty.
        """
        gallery = gallery_pictures.read_gallery(self)
        found = doubts(gallery.vectors, gallery.people)
        table = gallery_pictures.by_person(gallery, found)
        rows = gallery.rows.head(4 * CELLS)
        captions = [id.removeprefix(f"{person}/") for id, person in zip(rows["id"], rows["person"], strict=True)]
        captions = [f"{person}: {name}" for person, name in zip(rows["person"], captions, strict=True)]
        sheet = contact_sheet(gallery_pictures.pictures_of(self, rows), captions, title="The gallery")
        self.results.mkdir(parents=True, exist_ok=True)
        sheet.save(self.results / "gallery.jpg", quality=88)
        words = [f"{len(table)} people in {len(gallery.rows)} pictures: {self.results / 'gallery.jpg'}"]
        if not np.isnan(found.right):
            words.append(
                f"Of pictures of people with several, each looked up among all others, {found.right:.0%} get their "
                f"own name and {found.wrong:.0%} another's."
            )
        table.attrs = {"words": words, "warnings": gallery_pictures.said_doubts(gallery, found)}
        return table

    def faces_gallery_remove(self, person: str, picture: str | None = None) -> pd.DataFrame:
        """Take a person, or one picture of a person, out of the gallery; the files stay.

        Args:
            person: the name.
            picture: the picture's file name, path or id in the gallery; all of the person's by default.

        Returns:
            What was taken out: id, person.

        Raises:
            InputError: there is no such person or picture in the gallery.
        """
        return gallery_changes.remove(self, gallery_pictures.checked_name(person), picture)

    def faces_identify(
        self, *, threshold: float = 0.5, margin: float = 0.0, where: str | None = None, replace: bool = False
    ) -> Result:
        """Name each face after the person of the gallery who is near enough; the table ``people``.

        Faces and their identities are measured first where they are not. What was named before with the same gallery
        and numbers stays, and new faces are added. Sheets of the surest and the least sure faces of each person are in
        results/people, those nearest to the threshold in results/people-doubtful.jpg: look at them.

        Args:
            threshold: the largest distance at which a face is that person; ``faces calibrate`` finds yours.
            margin: how much farther the second nearest person must be.
            where: which pictures and videos, as a condition in SQL on the table media.
            replace: throw away names that were given with another gallery or other numbers.

        Raises:
            InputError: the gallery is empty, no faces were found, or the names were given with other numbers.
        """
        gallery = gallery_pictures.read_gallery(self)
        arguments = {"threshold": threshold, "margin": margin, "where": where, "gallery": gallery.fingerprint}
        same = refuse_other(self, "people", "identify", arguments, replace=replace)
        self._need_identities()
        faces = people.faces_found(self, where)
        parts = self.parts("people")
        with parts.writing(), self.record("faces-identify", arguments) as run:
            before = parts.read() if same and parts.files() else None
            table, new = people.name_faces(self, gallery, faces, threshold, margin, before)
            said = "Who each face is, by the gallery."
            source = "King (2017); k nearest of each person, leave-one-out in learn/gallery.py"
            described = describe("identify", said, source, arguments, table, ("face_recognition_dlib",))
            put_in_place(self, "people", table, described, run.stem)
            named = table.drop(["error"]).to_pandas().merge(faces, on="id", validate="1:1")
            run.counts = {"faces": len(named), "new": new, "failed": int(faces["error"].notna().sum())}
        words, warnings = people.words_of(named, gallery, threshold)
        if same:
            words.append(f"{len(named) - new - run.counts['failed']:,} of them were named before; {new:,} are new.")
        words += self._sheets_of_people(named, threshold)
        draw = partial(people.draw_distances, named, threshold)
        result = Result("People", people.by_person(named), words, [*warnings, CAUTION], draw, arguments)
        words.append(self._save_figure(result, "people-distances.png"))
        return result

    def _need_identities(self) -> None:
        """See that faces were looked for, and that each has an identity."""
        self.require("media", "add pictures or videos first, with 'visanda add FOLDER'")
        if f"faces{BY_PICTURE}" not in self.tables():
            self._need("faces")
        lacking = (
            self.query(
                "SELECT count(*) AS n FROM faces WHERE error IS NULL"
                + (" AND id NOT IN (SELECT id FROM identity)" if "identity" in self.tables() else "")
            )["n"][0].as_py()
            if "faces" in self.tables()
            else 0
        )
        if lacking:
            print(f"{lacking:,} faces lack the measure 'identity': measuring it first.")
            self.measure("identity", on="face")

    def _sheets_of_people(self, named: pd.DataFrame, threshold: float) -> list[str]:
        """A sheet of each person and one of the doubtful faces; sentences that say where they are."""
        known = named[named["error"].isna()].sort_values(["distance", "id"])
        ids = {str(person): mine["id"].tolist() for person, mine in known.groupby("person")}
        groups = {who: ids[who] for who in sorted(ids, key=lambda one: (one == UNKNOWN, -len(ids[one]), one))}
        titles = {who: f"{who}: {len(mine):,} faces" for who, mine in groups.items()}
        captions = dict(zip(known["id"].tolist(), _captions(known), strict=True))
        folder = self._sheets_of_faces("people", groups, titles, captions)
        words = [f"Sheets of people, the surest faces first: {folder}"]
        near = people.doubtful(known, threshold, CELLS)
        if len(near):
            title = f"Nearest to the threshold of {threshold:g}"
            path = self._save_sheet(near["id"].tolist(), _captions(near), "people-doubtful.jpg", title)
            words.append(f"{len(near):,} faces are within {people.DOUBTFUL:g} of the threshold: {path}")
        else:
            (self.results / "people-doubtful.jpg").unlink(missing_ok=True)
        return words

    def _sheets_of_faces(
        self, name: str, groups: Mapping[str, list[str]], titles: Mapping[str, str], captions: Mapping[str, str]
    ) -> Path:
        """A sheet a group in a folder of results, of its first and last faces; the most frequent groups only."""
        folder = self.results / name
        if folder.exists():
            shutil.rmtree(folder)
        shown = list(groups)[:SHEETS]
        files = people.file_names(shown)
        with progress("sheets", len(shown)) as advance:
            for who in shown:
                ids = people.ends(groups[who], EACH)
                self._save_sheet(ids, [captions[id] for id in ids], f"{name}/{files[who]}.jpg", titles[who])
                advance()
        return folder

    def _save_figure(self, result: Result, name: str) -> str:
        self.results.mkdir(parents=True, exist_ok=True)
        write_bytes(self.results / name, result.figure_png() or b"")
        return f"The figure: {self.results / name}"

    def faces_calibrate(
        self, pairs: Path | None = None, *, false_match_rate: float = 0.01, by: str | None = None
    ) -> Result:
        """Which distance to take as the threshold, from pairs of faces of which you know whether they are one person.

        Writes results/faces-calibration.csv, .json and .png.

        Args:
            pairs: a table with the columns a and b (ids of faces, or names of pictures with one face) and same (yes or
                no); all pairs of the gallery by default.
            false_match_rate: the share of pairs of different people that may be taken for one.
            by: a column of that table, such as gender: errors in each group.

        Raises:
            InputError: pairs of only one kind, a column that is not there.
        """
        if pairs is None:
            if by is not None:
                raise InputError("--by names a column of your own table of pairs: give it with --pairs")
            found = face_pairs.pairs_of_gallery(gallery_pictures.read_gallery(self))
        else:
            self._need_identities()
            people.faces_found(self)
            found = face_pairs.read_pairs(self, Path(pairs).expanduser(), by)
        used = found[found["error"].isna()] if "error" in found else found
        in_use = self.describe("people").get("arguments", {}).get("threshold", IN_USE)
        arguments = {"pairs": pairs, "false_match_rate": false_match_rate, "by": by}
        with self.record("faces-calibrate", arguments) as run:
            result = calibrate(
                used["distance"].to_numpy(),
                used["same"].to_numpy(),
                used["group"] if by else None,
                false_match_rate=false_match_rate,
                threshold=in_use,
            )
            run.counts = {"pairs": len(used), "left out": len(found) - len(used)}
            result.extra["pairs"] = found
            result.words += face_pairs.said_pairs(found, used)
            result.words.append(f"Then: visanda faces identify --threshold {result.provenance['recommended']:.3f}")
            result.words.append(f"The figure: {result.save(self.results, 'faces-calibration')[-1]}")
        return result

    def faces_group(
        self, *, threshold: float = 0.5, where: str | None = None, name: str = "face_groups", replace: bool = False
    ) -> Result:
        """Put faces together that are probably one person, without a gallery; the table ``face_groups``.

        Groups are numbered by size, so that numbers change when faces are added. Sheets of the largest groups are in
        results/face_groups; ``faces name`` gives a group's faces a name.

        Args:
            threshold: the largest distance within which groups of faces are joined.
            where: which pictures and videos, as a condition in SQL on the table media.
            name: of the table.
            replace: throw away groups that were made with other arguments.

        Raises:
            InputError: no faces were found; the groups were made with other arguments.
        """
        arguments = {"threshold": threshold, "where": where}
        refuse_other(self, name, "group", arguments, replace=replace, option="--name")
        self._need_identities()
        faces = people.faces_found(self, where)
        ids, vectors = self.vectors("identity", "identity", faces["id"][faces["error"].isna()])
        order = np.argsort(np.array(ids, dtype=object), kind="stable")
        ids, vectors = [ids[n] for n in order], vectors[order]
        with self.parts(name).writing(), self.record("faces-group", arguments | {"name": name}) as run:
            with progress("group", 100) as advance:
                numbers = group(vectors, threshold, progress=_percent(advance)) if ids else np.empty(0, np.int64)
            table = face_grouping.group_table(faces, ids, vectors, numbers)
            summary, source = "Faces that are probably one person each.", "Sokal & Michener (1958), average linkage"
            described = describe("group", summary, source, arguments, table, ("face_recognition_dlib",))
            put_in_place(self, name, table, described, run.stem)
            frame = table.to_pandas()
            run.counts = {"faces": len(frame), "groups": int(frame["group"].nunique())}
        shown = face_grouping.by_group(frame.drop(columns="error").merge(faces, on="id"))
        words = face_grouping.said_groups(frame, shown)
        several = frame[frame["faces"] > 1].sort_values(["group", "distance", "id"])
        sheets = {str(number): mine["id"].tolist() for number, mine in several.groupby("group")}
        titles = {number: f"Group {number}: {len(mine):,} faces" for number, mine in sheets.items()}
        captions = {id: _last(id) for id in several["id"]}
        if sheets:
            folder = self._sheets_of_faces(name, sheets, titles, captions)
            words.append(f"The largest as pictures, the most typical faces first: {folder}")
        largest = shown[shown["faces"] > 1].head(SHEETS)
        return Result("Groups of faces", largest, words, [CAUTION], provenance=arguments, extra={"all": shown})

    def faces_name(self, group: int, person: str, *, name: str = "face_groups", n: int = 5) -> pd.DataFrame:
        """Add faces of a group to the gallery under a name: look at its sheet before.

        Args:
            group: its number.
            person: the name.
            name: of the table of groups.
            n: how many faces; the most typical ones.

        Raises:
            InputError: there is no such group.
        """
        self.require(name, "make groups with 'visanda faces group'")
        if self.describe(name).get("name") != "group":
            raise InputError(f"{name!r} is no table of groups: make one with 'visanda faces group'")
        rows = self.frame(
            f'SELECT id FROM "{name}" WHERE "group" = ? AND error IS NULL ORDER BY distance, id LIMIT ?', [group, n]
        )
        if rows.empty:
            raise InputError(f"there is no group {group} in {name!r}")
        return self.faces_gallery_add(person, *rows["id"].tolist())

    def faces_tracks(
        self,
        *,
        on: str = "frame",
        gap: str = "1s",
        overlap: float = 0.3,
        threshold: float = 0.5,
        replace: bool = False,
    ) -> Result:
        """Who is on screen in videos, from when to when; the table ``tracks``.

        A track is one face from frame to frame of a shot. Names are those of ``people``, where faces were identified:
        the name that most faces of the track with a name have. Find faces first with ``measure faces --on frame``.

        Args:
            on: frame, or the name of another list of frames.
            gap: for how long a face may be missed (turned away, covered) and go on.
            overlap: the smallest share that the boxes of two frames have in common where they are joined by place.
            threshold: the largest distance between two faces of one person.
            replace: throw away tracks that were made with other arguments.

        Raises:
            InputError: no faces were found in frames; the tracks were made with other arguments.
        """
        frames = TABLES.get(on, on)
        self.require(frames, HINTS.get(frames, "list frames with 'visanda frames'"))
        self._need_identities()
        faces = people.faces_found(self)
        listed = set(self.query(f'SELECT id FROM "{frames}"')["id"].to_pylist())
        faces = faces[faces["picture"].isin(listed) & faces["start"].notna()]
        if faces.empty:
            raise InputError(f"no faces were found in {frames}: look for them with 'visanda measure faces --on {on}'")
        described = self.describe(frames)
        arguments: dict[str, Any] = {"on": on, "gap": seconds(gap), "overlap": overlap, "threshold": threshold}
        refuse_other(self, "tracks", "tracks", arguments, replace=replace)
        faces = on_screen.with_names(self, faces)
        ids, vectors = self.vectors("identity", "identity", faces["id"])
        videos = on_screen.videos_looked_at(self, frames, described)
        with self.parts("tracks").writing(), self.record("faces-tracks", arguments) as run:
            known = dict(zip(ids, vectors, strict=True))
            made = on_screen.all_tracks(
                videos, faces, known, gap=arguments["gap"], overlap=overlap, threshold=threshold
            )
            failed = on_screen.videos_failed(self, frames)
            table = pa.concat_tables([made, on_screen.failures(failed)])
            summary, source = "Who is on screen in videos, and when.", "Kuhn (1955), assignment from frame to frame"
            said = describe("tracks", summary, source, arguments, table, ("face_recognition_dlib",))
            put_in_place(self, "tracks", table, said, run.stem)
            run.counts = {"tracks": len(made), "videos": len(videos), "failed": len(failed)}
        rows = made.to_pandas()
        words, warnings = on_screen.said(rows, videos, failed, described)
        shown = rows.nlargest(CELLS, "seconds").sort_values(["parent", "start"])
        path = self._save_sheet(shown["best"].tolist(), on_screen.captions(shown), "tracks.jpg", "Tracks")
        words += [f"The longest as pictures: {path}", "To ELAN: visanda export tracks --out FOLDER"]
        return Result("On screen", on_screen.on_screen(rows), words, warnings, provenance=arguments)


def _captions(faces: pd.DataFrame) -> list[str]:
    """How far each is from whom; in brackets the person to whom an unknown face is nearest."""
    return [
        f"{distance:.2f} {person if person != UNKNOWN else f'({nearest})'}"
        for distance, person, nearest in zip(faces["distance"], faces["person"], faces["nearest"], strict=True)
    ]
