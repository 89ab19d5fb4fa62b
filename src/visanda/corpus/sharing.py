"""Sharing: a copy of the corpus for a replication archive, and media that are deleted when their time is over."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from visanda.corpus.adding.media_table import MEDIA
from visanda.corpus.share import manifest, retention
from visanda.corpus.share.archive import Archive
from visanda.corpus.share.coded import coders_of, variables
from visanda.corpus.share.disclosure import Wanted
from visanda.corpus.share.pseudonyms import Pseudonyms, read_key
from visanda.errors import CorpusError, InputError
from visanda.parts import write_bytes
from visanda.result import Result
from visanda.store import SETTINGS, Store

PRIVATE = "private"  # a folder of the corpus that nothing is shared from
CATEGORIES = 50  # distinct values of a column up to which it counts as one that groups files


class Sharing(Store):
    """Protect and share."""

    def share(
        self,
        out: Path,
        *,
        keep: list[str] | None = None,
        groups: list[str] | None = None,
        tables: list[str] | None = None,
        redacted: Path | None = None,
        vectors: bool = False,
        words: bool = False,
        identities: bool = False,
        names: bool = False,
        key: Path | None = None,
    ) -> Result:
        """Make a copy for a replication archive: measures, codes and results, without pictures and identities.

        Files are named by pseudonyms; the key to them, and the list of them, stay in the folder ``private`` of the
        corpus: never publish it. What was left out, and why, is listed in MANIFEST.md of the copy.

        Args:
            out: a new or empty folder.
            keep: columns to keep as they are: your own by name, such as category, those of other tables as
                table.column; and variables whose codes look like free text. Your own columns stay out otherwise.
            groups: your own columns whose values become pseudonyms, such as who posted: equal stays equal.
            tables: only these tables, besides media; all by default.
            redacted: a folder filled by 'visanda redact', to put thumbnails of its clean copies into the copy.
            vectors: keep embeddings, hashes and signatures, by which a picture can be found again.
            words: keep what was read or heard in the media.
            identities: keep who was recognised, and columns that hold names.
            names: keep the names of files as ids.
            key: the file of the key; made where there is none. ``private/share-key.toml`` by default.

        Raises:
            InputError: the folder holds something or lies in the corpus; a column or table is not there; a column
                to keep holds names of files or addresses.
            CorpusError: it cannot be written; nothing is left of it then.
        """
        self.require("media", "add pictures or videos first, with 'visanda add FOLDER'")
        out = Path(out).expanduser().resolve()
        key = Path(key).expanduser().resolve() if key else self.folder / PRIVATE / "share-key.toml"
        self._refuse_target(out, key)
        wanted = self._wanted(_listed(keep), _listed(groups), vectors, words, identities)
        chosen = self._chosen(_listed(tables))
        arguments = {"out": str(out), "keep": keep, "groups": groups, "tables": tables, "vectors": vectors}
        arguments |= {
            "words": words,
            "identities": identities,
            "names": names,
            "redacted": str(redacted) if redacted else None,
        }
        with self.record("share", arguments) as run:
            pseudonyms = Pseudonyms(read_key(key), names=names)
            with _unfinished(out) as folder:
                clean = Path(redacted).expanduser() if redacted else None
                archive = Archive(self, folder, wanted, pseudonyms, redacted=clean)
                archive.write(chosen)
                columns = {name: _columns(folder, name) for name in archive.rows}
                archive.warnings += self._unrepeatable(wanted)
                warned = manifest.warnings(archive, columns)
                anonymity = _anonymity(folder, wanted)
                manifest.write(archive, warned, anonymity)
                if not names:
                    self._remember(key, pseudonyms)
            run.counts = {"tables": len(archive.rows), "removed": len(archive.removed)}
        frame = pd.DataFrame(archive.removed, columns=["what", "count", "why"])
        said = [f"{len(archive.rows)} tables are in {out}; what stayed at home is listed above and in MANIFEST.md."]
        said += [anonymity, "Fill in authors, licence and citation in README.md before you publish it."]
        if not names:
            said.append(f"The key to the pseudonyms is {key}, the list of them beside it: never publish these.")
        return Result("Shared: what was left out", frame, said, warned)

    def _refuse_target(self, out: Path, key: Path) -> None:
        if out.is_relative_to(self.folder) or self.folder.is_relative_to(out):
            raise InputError(f"{out} and the corpus lie in each other: name a folder outside of {self.folder}")
        if key.is_relative_to(out):
            raise InputError(f"the key {key} would lie in the copy: keep it elsewhere")
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise InputError(f"{out} holds something already: name a new folder")

    def _wanted(self, keep: list[str], groups: list[str], vectors: bool, words: bool, identities: bool) -> Wanted:
        own = self.column_names("media")
        known = {*own, *variables(self)} - {"id", "parent", "path", "error"}
        known |= {f"{table}.{name}" for table in self.tables() if table != "media" for name in self.column_names(table)}
        for name in (*keep, *groups):
            if name not in known:
                raise InputError(
                    f"nothing here is called {name!r}: name a column of media, table.column, or a variable; "
                    "'visanda columns' lists them"
                )
        for name in groups:
            if name not in own or name in MEDIA.names:
                raise InputError(f"--groups takes your own columns of the table media, not {name!r}")
        return Wanted(frozenset(keep), frozenset(groups), vectors, words, identities)

    def _chosen(self, tables: list[str]) -> list[str]:
        for table in tables:
            self.require(table, f"there are: {', '.join(self.tables())}")
        return ["media", *(table for table in self.tables() if table != "media" and table in (tables or self.tables()))]

    def _unrepeatable(self, wanted: Wanted) -> list[str]:
        """Own columns that estimates used and that stay at home."""
        own = set(self.column_names("media")) - set(MEDIA.names) - wanted.keep - wanted.groups
        used: dict[str, str] = {}
        for run in retention.past_runs(self.folder, "estimate"):
            said = " ".join(str(run["arguments"].get(name) or "") for name in ("formula", "cluster", "where"))
            for name in sorted(own & set(retention.WORD.findall(said))):
                used.setdefault(name, str(run["arguments"].get("formula")))
        return [
            f"The estimate {formula!r} used the column {name!r}, which stays at home: without it (--keep, or --groups "
            "for pseudonyms) it cannot be repeated"
            for name, formula in used.items()
        ]

    def _remember(self, key: Path, pseudonyms: Pseudonyms) -> None:
        """Write the list of files and their pseudonyms beside the key; files that are gone since stay in it."""
        path = key.with_name("pseudonyms.csv")
        found: dict[str, str] = {}
        if path.exists():
            with path.open(encoding="utf-8", newline="") as file:
                found = {row["id"]: row["pseudonym"] for row in csv.DictReader(file)}
        found |= pseudonyms.files(self.query("SELECT id FROM media")["id"].to_pylist())
        found |= {f"coder:{name}": pseudonyms.coder(name) for name in coders_of(self)}
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["id", "pseudonym"])
        writer.writerows(sorted(found.items()))
        write_bytes(path, text.getvalue().encode())
        path.chmod(0o600)
        if path.parent == self.folder / PRIVATE and not (ignored := path.with_name(".gitignore")).exists():
            write_bytes(ignored, b"*\n")

    def expire(
        self, until: str | None = None, *, where: str | None = None, originals: bool = False, yes: bool = False
    ) -> Result:
        """Say until when media may be kept; after that day, delete them and keep what was measured of them.

        With a date, it is written to corpus.toml and nothing is deleted. Without one, what is due is listed, and
        deleted with --yes: media, frames and sound that lie in the corpus, and the sheets, timelines and reports in
        results that show pictures. Tables, codes and estimates stay as they are.

        Args:
            until: the last day on which they may be kept, such as 2027-06-30; never takes a date back.
            where: which pictures and videos the date is for, as a condition in SQL on the table media; all by default.
            originals: also delete files outside of the corpus, where they were added from.
            yes: delete; otherwise what would be deleted is only listed.

        Raises:
            InputError: no date, a wrong condition, no date was ever set.
        """
        self.require("media", "add pictures or videos first, with 'visanda add FOLDER'")
        if until is not None:
            return self._set_expiry(until, where)
        due = [rule for rule in retention.rules(self.settings()) if rule.until < date.today()]
        if where is not None:
            due = [rule for rule in due if rule.where == where]
        found = retention.find(self, due, originals)
        if not yes:
            return retention.said(found, due, retention.rules(self.settings()))
        with self.parts("media").writing(), self.record("expire", {"originals": originals, "where": where}) as run:
            result = retention.delete(self, found, due, run)
        return result

    def _set_expiry(self, until: str, where: str | None) -> Result:
        day = None if until == "never" else retention.read_day(until)
        if where:
            self.query(f"SELECT id FROM media WHERE {where} LIMIT 0")
        with self.record("expire", {"until": until, "where": where}):
            text = (self.folder / SETTINGS).read_text("utf-8")
            write_bytes(self.folder / SETTINGS, retention.with_rule(text, day, where).encode())
        rules = retention.rules(self.settings())
        table = pd.DataFrame([(rule.until, rule.where or "all") for rule in rules], columns=["until", "where"])
        return Result("Media may be kept until", table, ["'visanda expire' lists what is due; --yes deletes it."])


@contextmanager
def _unfinished(out: Path) -> Iterator[Path]:
    """A folder beside ``out`` that takes its place when it is whole, and is gone when anything goes wrong."""
    aside = out.with_name(f".{out.name}.unfinished")
    try:
        shutil.rmtree(aside, ignore_errors=True)  # of a command that was killed
        aside.mkdir(parents=True)
        yield aside
        if out.exists():
            out.rmdir()  # it is empty
        aside.replace(out)
    except OSError as error:
        raise CorpusError(
            f"cannot write {out}: {error.strerror or error}. Nothing is left of the copy: make room, and share again"
        ) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _listed(names: Sequence[str] | str | None) -> list[str]:
    """Names as a list, or with commas between them."""
    given = [names] if isinstance(names, str) else names or []
    return [name.strip() for text in given for name in text.split(",") if name.strip()]


def _columns(folder: Path, table: str) -> list[str]:
    return list(pq.read_schema(folder / "tables" / table / "part-00000.parquet").names)


def _anonymity(folder: Path, wanted: Wanted) -> str:
    rows = pq.read_table(folder / "tables" / "media" / "part-00000.parquet")
    kept = [name for name in (*sorted(wanted.keep), *sorted(wanted.groups)) if name in rows.column_names]
    kept = [name for name in kept if rows[name].to_pandas().astype(str).nunique() <= CATEGORIES]
    found = manifest.smallest_group(rows, kept)
    if found is None:
        return "No column that groups files was kept, so that none sets single files apart."
    smallest, alone = found
    text = f"By {', '.join(kept)}, the smallest group has {smallest:,} file{'s' if smallest > 1 else ''}"
    return text + (f"; {alone:,} combinations are of one file alone." if alone else ".")
