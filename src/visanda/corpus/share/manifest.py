"""Manifest: what is in a copy for replication, what is not and why, how to check it, and what is still to be said."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa

from visanda.corpus.share.archive import Archive
from visanda.runs import versions

NAMES = ("MANIFEST.md", "manifest.json", "README.md")
INTEGRITY = "sha256sum (or any other tool) on each file, against the list in manifest.json"
TRAITS = ("age", "gender", "sex", "expression", "emotion", "race", "ethnicity", "perceived", "skin", "ita", "monk")

ALWAYS = [
    "This copy is pseudonymous, not anonymous: whoever holds the key can tell which files it is about, and so can "
    "whoever has the same files, by measuring them again. Decide with your data protection officer whether it may be "
    "public, or for named researchers only.",
]


def warnings(archive: Archive, columns: dict[str, list[str]]) -> list[str]:
    """What must be known before the copy is published.

    Args:
        archive: as it was written.
        columns: the columns of each table in the copy.
    """
    found = [*ALWAYS, *archive.warnings]
    wanted = archive.wanted
    if {"shots", "motion", "loudness", "frames", "flow"} & columns.keys():
        found.append("Times inside videos (cuts, loudness) tell a video that was broadcast or put online.")
    if wanted.vectors:
        found.append("Embeddings and hashes are in: whoever has a picture can find its row, and pictures like it.")
    if wanted.words:
        found.append("Words read or heard in the media are in: they may name people.")
    if wanted.identities:
        found.append("Who was recognised is in: this copy names people.")
    if any(name in columns.get("media", []) for name in ("taken", "latitude", "longitude")):
        found.append("Exact times or places are in: with other knowledge they tell who was where.")
    traits = sorted({name for table in columns.values() for name in table if name.startswith(TRAITS)})
    if traits:
        found.append(f"What a machine guessed of people's faces or bodies is in: {', '.join(traits)}.")
    return found


def smallest_group(rows: pa.Table, columns: Sequence[str]) -> tuple[int, int] | None:
    """The smallest number of files that share their values in these columns (k of k-anonymity; Sweeney 2002).

    Returns:
        k, and how many files are alone with their values; ``None`` without columns.
    """
    if not columns or not len(rows):
        return None
    sizes = rows.select(list(columns)).to_pandas().astype(str).value_counts()
    return int(sizes.min()), int((sizes == 1).sum())


def write(archive: Archive, warned: list[str], anonymity: str) -> None:
    """Write MANIFEST.md, manifest.json and README.md."""
    files = sorted(path for path in archive.out.rglob("*") if path.is_file())
    listed = {path.relative_to(archive.out).as_posix(): _digest(path) for path in files}
    removed = [{"what": one.what, "count": one.count, "why": one.why} for one in archive.removed]
    whole = {
        "name": archive.store.name,
        "made by": "visanda share",
        "versions": versions(),
        "pseudonyms": "the first 64 bits of HMAC-SHA256 with a secret key",
        "rows": archive.rows,
        "thumbnails": len(archive.thumbnails),
        "removed": removed,
        "anonymity": anonymity,
        "warnings": warned,
        "check": INTEGRITY,
        "files": listed,
    }
    text = json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
    (archive.out / "manifest.json").write_bytes(text.encode())
    (archive.out / "MANIFEST.md").write_bytes(_markdown(archive, warned, anonymity, len(files)).encode())
    (archive.out / "README.md").write_bytes(README.format(name=archive.store.name).encode())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _markdown(archive: Archive, warned: list[str], anonymity: str, files: int) -> str:
    tables = pd.DataFrame(list(archive.rows.items()), columns=["table", "rows"])
    lines = [f"# Manifest: {archive.store.name}", "", "## What is in this copy", "", "| table | rows |", "|---|---|"]
    lines += [f"| {row.table} | {row.rows:,} |" for row in tables.itertuples()]
    lines += ["", f"{files:,} files; {len(archive.thumbnails):,} of them are thumbnails of redacted pictures.", ""]
    lines += ["## What was removed, and why", "", "| what | values | why |", "|---|---|---|"]
    lines += [f"| {one.what} | {one.count:,} | {one.why} |" for one in archive.removed]
    lines += ["", *ALTERED, "", anonymity, "", "## What to know before publishing", ""]
    lines += [f"- {text}" for text in warned]
    lines += ["", "## Versions", ""]
    lines += [f"- {name} {number}" for name, number in versions().items()]
    lines += ["", "## How to check it", "", f"`manifest.json` holds the SHA-256 of each file: {INTEGRITY}.", ""]
    return "\n".join(lines)


ALTERED = [
    "Ids, coders and groups are pseudonyms, made with a key that is not here. Rows are ordered by pseudonym. Paths",
    "are replaced, reasons of failures are cut where they could name a file, times of coding and notes of coders are",
    "blank, names of strata are numbers, runs are without paths, conditions and reasons.",
]

README = """# {name}: replication archive

This folder is a corpus of visanda, without the pictures. Its tables are Parquet, its codes CSV; MANIFEST.md says what
is here and what was removed.

    pip install .    (in a checkout of visanda)
    visanda -C . status
    visanda -C . columns
    visanda -C . table colour --out colour.csv
    visanda -C . estimate "outcome ~ variable"

Estimates can be repeated from the codes, the predictions and the samples that are here. What needs the pictures
(measure, search, process) cannot; what needs embeddings (train, evaluate, apply, cluster) only where they were shared,
and never apply the classifiers here again: their folds belong to the names that files have at home.

To ask for a correction or for the removal of a picture, name its pseudonym to the authors.

## To be filled in

- Authors and contact:
- How to cite:
- Licence of the tables:
- Terms under which the media were collected and may be asked for:
- Approval by an ethics committee or data protection officer:
"""
