"""Disclosure: which columns of a corpus may leave home, and why the others may not.

What is not known to be harmless stays at home: numbers and fixed vocabularies of measures go into a copy, anything
that names, shows or finds a person, a file or a place only where it was asked for.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from visanda.corpus.adding.media_table import MEDIA
from visanda.corpus.share.pseudonyms import split

Action = Literal["keep", "unit", "group", "error", "path", "out"]

HARMLESS = (
    "kind format mode width height frames orientation duration frame_rate nominal_rate codec rotation first audio"
)
FACTS = frozenset(HARMLESS.split())  # of a file; nearly all of them are shared by many files
FINDS_FILE = frozenset({"sha256", "bytes", "icc"})
MOMENT = frozenset({"taken", "camera", "latitude", "longitude"})

# The words that measures of this package choose from, by measure: no words of pictures or of people.
VOCABULARY = {
    "colour": {"palette"},
    "classify": {"label", "labels"},
    "zeroshot": {"zeroshot", "engine"},
    "objects": {"label"},
    "faces": {"third", "largest_third"},
    "age": {"perceived_age_group"},
    "gender": {"perceived_gender"},
    "shots": {"transition", "ending"},
    "duplicates": {"kind"},
}
SPOKEN = frozenset({"speech", "text", "ocr", "annotations"})  # measures and tables of words that were read or heard
IDENTITY = re.compile(r"person|people$|identi|gallery|recogni|\bwho\b|face_?groups?", re.I)
FINGERPRINT = re.compile(r"embedding|hash|signature|sha\d|fingerprint|descriptor|landmarks|mesh", re.I)
LONGEST = 32  # numbers in a list; longer ones are embeddings, landmarks and the like

OWN = "your own column, not named in --keep or --groups"
FINDS = "finds the same picture elsewhere; kept with --vectors"
WORDS = "words read or heard in the media; kept with --words"
WHO = "says who somebody is; kept with --identities"
UNKNOWN = "text that is not known to be free of names; kept where --keep names it"


@dataclass(frozen=True)
class Wanted:
    """What the person who shares asked for.

    Attributes:
        keep: columns to keep as they are: one's own by name, others as ``table.column``; names of variables.
        groups: one's own columns whose values are replaced by pseudonyms.
        vectors: keep embeddings, hashes and signatures.
        words: keep what was read or heard in the media.
        identities: keep who was recognised.
    """

    keep: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    vectors: bool = False
    words: bool = False
    identities: bool = False


@dataclass(frozen=True)
class Verdict:
    """What happens to a column, and why where it stays at home."""

    action: Action
    why: str = ""


KEEP = Verdict("keep")


def of_media(name: str, wanted: Wanted) -> Verdict:
    """What happens to a column of the table media."""
    if name in ("id", "parent"):
        return Verdict("unit")
    if name in ("path", "error"):
        return Verdict("path" if name == "path" else "error")
    if name in wanted.groups:
        return Verdict("group")
    if name in FACTS or name in wanted.keep:
        return KEEP
    if name in FINDS_FILE:
        return Verdict("out", "finds the same file elsewhere; kept where --keep names it")
    if name in MOMENT:
        return Verdict("out", "says when, where or with what it was taken; kept where --keep names it")
    return Verdict("out", OWN if name not in MEDIA.names else UNKNOWN)


def of_measured(
    table: str, measure: str, name: str, column: pa.ChunkedArray, wanted: Wanted, files: AbstractSet[str]
) -> Verdict:
    """What happens to a column of another table.

    Args:
        table: its name.
        measure: the measure that made it; the table's name where none did.
        name: the column's.
        column: its values.
        wanted: what was asked for.
        files: the ids of all files.
    """
    if name == "error":
        return Verdict("error")
    if name == "id" or _names_units(name, column, files):
        return Verdict("unit")
    if f"{table}.{name}" in wanted.keep:
        return KEEP
    if _says_who(table, name):
        return KEEP if wanted.identities else Verdict("out", WHO)
    if FINGERPRINT.search(name) or _is_vector(column):
        return KEEP if wanted.vectors else Verdict("out", FINDS)
    kind = column.type.value_type if pa.types.is_list(column.type) else column.type
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return KEEP
    if name in VOCABULARY.get(measure, ()) or name in (f"{table}_predicted", f"{table}_set") or pa.types.is_null(kind):
        return KEEP
    if SPOKEN & {table, measure}:
        return KEEP if wanted.words else Verdict("out", WORDS)
    if IDENTITY.search(table) and wanted.identities:
        return KEEP
    return Verdict("out", UNKNOWN)


def is_of_people(table: str) -> bool:
    """Whether a table as a whole is about who people are."""
    return IDENTITY.search(table) is not None


def _says_who(table: str, name: str) -> bool:
    if name.startswith(("n_", "share_")) or name.endswith("_share"):
        return False  # how many people there are, not who
    return IDENTITY.search(name) is not None or ("face" in table and name == "group")


def _names_units(name: str, column: pa.ChunkedArray, files: AbstractSet[str]) -> bool:
    """Whether all values of a column are ids of this corpus, or of what is inside its files."""
    if name in ("parent", "picture"):
        return True
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return False
    values = pc.unique(column.drop_null()).to_pylist()
    return bool(values) and all(split(value)[0] in files for value in values)


def _is_vector(column: pa.ChunkedArray) -> bool:
    kind = column.type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return True
    if pa.types.is_fixed_size_list(kind):
        return kind.list_size > LONGEST
    if not pa.types.is_list(kind) and not pa.types.is_large_list(kind):
        return False
    return pa.types.is_float16(kind.value_type) or (pc.max(pc.list_value_length(column)).as_py() or 0) > LONGEST


NAMES = re.compile(r"://|@|^/|^[A-Za-z]:\\")


def tells_names(column: pa.ChunkedArray, known: AbstractSet[str]) -> bool:
    """Whether a column of text holds names of files, paths, web addresses or addresses of people.

    Args:
        column: any column; numbers never do.
        known: names of this corpus's files: ids, file names, stems.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return False
    return any(value in known or NAMES.search(value) for value in pc.unique(column.drop_null()).to_pylist())


PATHLIKE = re.compile(r"""[/\\@'"‘’“”]""")


def plain_error(text: str, file: str) -> str:
    """Why something failed, without paths and names: the reason itself, or that it stays at home.

    >>> plain_error("/home/ada/a.jpg: there is no such file", "photos/a.jpg")
    'there is no such file'
    """
    name = file.rsplit("/", 1)[-1]
    stem = name.rsplit(".", 1)[0]
    reason = text
    while reason and (PATHLIKE.search(reason) or name in reason or (len(stem) > 3 and stem in reason)):
        _, _, reason = reason.partition(": ")
    return reason or "failed; the reason stays at home"
