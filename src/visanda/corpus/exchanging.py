"""Exchange: timed tables for annotation tools, and back; the sound of videos as files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pandas as pd
import pyarrow as pa

from visanda.collect.match import match
from visanda.corpus.elan import read_eaf, write_eaf
from visanda.corpus.measuring import Measuring
from visanda.corpus.timed import read_srt, write_srt, write_tsv
from visanda.errors import InputError, MediaError
from visanda.measure import TIMED, timed_id
from visanda.media import extract_sound
from visanda.progress import progress
from visanda.result import Result

SHOWN = 10  # reasons on the screen


class Exchanging(Measuring):
    """Exchange."""

    def export(
        self,
        *tables: str,
        out: Path,
        format: Literal["eaf", "tsv", "srt"] = "eaf",
        text: str = "text",
        where: str | None = None,
    ) -> Result:
        """Write shots and other timed tables for annotation tools: a file a video.

        Args:
            tables: names of tables of units inside videos, such as shots or speech.
            out: the folder to write into.
            format: eaf (ELAN, a tier a column), tsv (tab-delimited) or srt (subtitles).
            text: the column that subtitles show.
            where: which videos, as a condition in SQL on the table media.

        Raises:
            InputError: a table is not there or has no times; subtitles of more than one table.
        """
        if not tables:
            raise InputError("name the tables to export, such as shots")
        if format != "eaf" and len(tables) > 1:
            raise InputError(f"a file of {format} holds one table: export {' and '.join(tables)} one by one")
        for table in tables:
            self.require(table, f"there are: {', '.join(self.tables())}")
            if not self._is_inside(table):
                raise InputError(f"{table!r} has no times: export tables of units inside videos, such as shots")
        rows = {table: self._column_frame(table).query("error.isna()", engine="python") for table in tables}
        videos = self.frame(
            f"SELECT id, path FROM media WHERE kind = 'video' AND error IS NULL AND ({where or 'true'}) ORDER BY id"
        )
        written = []
        with progress("export", len(videos)) as advance:
            for id, path in zip(videos["id"], videos["path"], strict=True):
                mine = {name: table[table["parent"] == id] for name, table in rows.items()}
                number = sum(len(table) for table in mine.values())
                if number:
                    target = Path(out) / f"{id}.{format}"
                    _writer(format, text, self.resolve(path))(mine, target)
                    written.append((id, number, str(target)))
                advance()
        frame = pd.DataFrame(written, columns=["video", "rows", "file"])
        return Result("Exported", frame, [f"{len(frame):,} files are in {out}."])

    def annotations(self, *files: Path, name: str = "annotations", replace: bool = False) -> Result:
        """Bring timed annotations back, from ELAN (.eaf) or subtitles (.srt), as a table of units inside videos.

        Args:
            files: named like the videos they are about, such as news.mp4.eaf or news.eaf.
            name: the table's name.
            replace: throw away a table of that name.

        Raises:
            InputError: a file cannot be read, or names no video here; a table of that name is there.
        """
        if name in self.tables() and not replace:
            raise InputError(f"there is a table {name!r} already: throw it away with --replace, or give another --name")
        self.require("media", "add videos first, with 'visanda add FOLDER'")
        videos = self.query("SELECT id FROM media WHERE kind = 'video'")["id"].to_pylist()
        found = [_annotated(Path(file), videos) for file in files]
        if not found:
            raise InputError("name the files to bring in")
        rows = pd.concat(found, ignore_index=True)
        rows["id"] = [timed_id(*one) for one in zip(rows["parent"], rows["start"], rows["stop"], strict=True)]
        schema = pa.schema([*TIMED, *(pa.field(column, pa.string()) for column in ("tier", "value", "error"))])
        table = pa.Table.from_pandas(rows.assign(error=None)[schema.names], schema=schema, preserve_index=False)
        with self.parts(name).writing(), self.record("annotations", {"files": files, "name": name}) as run:
            self.parts(name).replace_all(table, run.stem)
            run.counts = {"rows": len(rows)}
        counts = rows.groupby(["parent", "tier"]).size().rename("rows").reset_index()
        return Result("Annotations", counts, [f"{len(rows):,} annotations are in the table {name!r}."])

    def sound(self, *, out: Path, rate: int = 16000, channels: int = 1, where: str | None = None) -> Result:
        """Write the sound of videos as WAV files, for other tools; files that are there stay.

        Args:
            out: the folder to write into.
            rate: samples a second.
            channels: 1 or 2.
            where: which videos, as a condition in SQL on the table media.

        Raises:
            InputError: another number of channels; the folder cannot be written.
        """
        self.require("media", "add videos first, with 'visanda add FOLDER'")
        videos = self.frame(
            f"SELECT id, path FROM media WHERE kind = 'video' AND error IS NULL AND ({where or 'true'}) ORDER BY id"
        )
        rows: list[tuple[str, str | None, str | None]] = []
        with progress("sound", len(videos)) as advance:
            for id, path in zip(videos["id"], videos["path"], strict=True):
                target = Path(out) / f"{id}.wav"
                try:
                    if not target.exists():
                        extract_sound(self.resolve(path), target, rate=rate, channels=channels)
                    rows.append((id, str(target), None))
                except MediaError as error:
                    rows.append((id, None, str(error)))
                advance()
        frame = pd.DataFrame(rows, columns=["video", "file", "error"])
        failed = frame[frame["error"].notna()]
        words = [f"{len(frame) - len(failed):,} files are in {out}."]
        words += [f"{id}: {why}" for id, why in zip(failed["video"], failed["error"], strict=True)][:SHOWN]
        return Result("Sound", frame, words)


def _writer(format: str, text: str, media: Path) -> Callable[[dict[str, pd.DataFrame], Path], Path]:
    if format == "eaf":
        return lambda tables, path: write_eaf(tables, path, media)
    if format == "srt":
        return lambda tables, path: write_srt(next(iter(tables.values())), path, text)
    return lambda tables, path: write_tsv(next(iter(tables.values())), path)


def _annotated(file: Path, videos: list[str]) -> pd.DataFrame:
    """The annotations of one file, with the video they are about."""
    if file.suffix.lower() not in (".eaf", ".srt"):
        raise InputError(f"{file} is neither an ELAN file (.eaf) nor subtitles (.srt)")
    about = pd.DataFrame({"name": [file.name.removesuffix(file.suffix)]})
    found = match(about, "name", videos)
    if not found.rows:
        raise InputError(f"{file} names no video here: call it like the video, such as {videos[0]}.eaf")
    if file.suffix.lower() == ".eaf":
        rows = read_eaf(file)
    else:
        rows = read_srt(file).rename(columns={"text": "value"}).assign(tier="text")
    return rows.assign(parent=next(iter(found.rows)))
