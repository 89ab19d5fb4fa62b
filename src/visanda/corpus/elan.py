"""Timed tables as annotation files of ELAN (.eaf), and back (Wittenburg et al. 2006)."""

from __future__ import annotations

import mimetypes
import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import pandas as pd

from visanda.corpus.timed import WHERE, plain, read_text, timed, write_text
from visanda.errors import InputError

MOMENT = 40  # milliseconds that a moment is shown for: a frame at 25 a second
SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
TYPE = "default-lt"  # ELAN's own type for tiers of its own times
CONSTRAINTS = {  # which ELAN lists in every file, used or not
    "Time_Subdivision": "Time subdivision of parent annotation's time interval, no time gaps allowed within this "
    "interval",
    "Symbolic_Subdivision": "Symbolic subdivision of a parent annotation. Annotations refering to the same parent are "
    "ordered",
    "Symbolic_Association": "1-1 association with a parent annotation",
    "Included_In": "Time alignable annotations within the parent annotation's time interval, gaps are allowed",
}

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # what XML cannot hold


class Annotation(NamedTuple):
    """A stretch on a tier: milliseconds from the start of the video, and what is said of it."""

    start: int
    stop: int
    value: str


def write_eaf(tables: pd.DataFrame | Mapping[str, pd.DataFrame], path: str | Path, media: str | Path) -> Path:
    """Write timed tables of one video as an annotation file of ELAN, in its format EAF 3.0.

    Each column with values becomes a tier; of several tables, its name begins with the table's. A table without
    values is a tier of empty annotations, to be filled in. Times are rounded to milliseconds; a moment, which starts
    when it stops, is shown for 40, or until the next. Within a tier ELAN allows no overlaps: rows that overlap go to
    further tiers, ``name (2)`` and so on.

    Args:
        tables: a timed table, or several by name; rows without times, and missing values, are left out.
        path: the file to write; it appears whole or not at all.
        media: the video's file, which ELAN then finds by this path or by its place relative to ``path``.

    Raises:
        InputError: no timed table, rows of several videos, or the file cannot be written.
    """
    named = {"": tables} if isinstance(tables, pd.DataFrame) else dict(tables)
    videos = {video for frame in named.values() if "parent" in frame for video in frame["parent"].dropna()}
    if len(videos) > 1:
        some = ", ".join(sorted(map(str, videos))[:3])
        raise InputError(f"an ELAN file is about one video, and these rows are about {len(videos)} ({some}): take one")
    tiers: dict[str, list[Annotation]] = {}
    for name, frame in named.items():
        rows = timed(frame)
        for column in [str(column) for column in rows if column not in WHERE] or [""]:
            tier = ": ".join(_clean(part) for part in (name, column) if part) or "units"
            for number, layer in enumerate(_layers(_annotations(rows, column)), 1):
                tiers[tier if number == 1 else f"{tier} ({number})"] = layer
    document = _document(tiers, Path(path).absolute(), Path(media).absolute())
    ET.indent(document)
    return write_text(path, f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(document, encoding="unicode")}\n')


def read_eaf(path: str | Path) -> pd.DataFrame:
    """The annotations of an ELAN file as a timed table.

    An annotation that refers to another has that one's time; parts without times of their own share theirs evenly, as
    ELAN shows them.

    Returns:
        ``tier``, ``start`` and ``stop`` in seconds of the file's first video, ``value`` as text; in the order of
        tiers and times. Annotations that have no time are left out.

    Raises:
        InputError: the file cannot be read, or is no ELAN file.
    """
    try:
        root = ET.fromstring(read_text(path))
    except ET.ParseError as error:
        raise InputError(f"{path} is no ELAN file (.eaf): {error}") from error
    if root.tag != "ANNOTATION_DOCUMENT":
        raise InputError(f"{path} is no ELAN file (.eaf): it is a {root.tag}")
    try:
        times = _times(root)
    except ValueError as error:
        raise InputError(f"{path}: a time that is no number of milliseconds: {error}") from error
    rows = [
        (tier.get("TIER_ID", ""), *times[id], one.findtext("ANNOTATION_VALUE") or "")
        for tier in root.iter("TIER")
        for one in sorted(tier.iterfind("ANNOTATION/*"), key=lambda one: times.get(one.get("ANNOTATION_ID", ""), ()))
        if (id := one.get("ANNOTATION_ID", "")) in times
    ]
    return pd.DataFrame(rows, columns=["tier", "start", "stop", "value"]).astype({"start": float, "stop": float})


def _annotations(rows: pd.DataFrame, column: str) -> list[Annotation]:
    """A column's values with times that ELAN accepts; all rows, without values, where there is no column."""
    values = [plain(value) for value in rows[column]] if column else [""] * len(rows)
    known = [(start, stop, value) for start, stop, value in zip(rows["start"], rows["stop"], values, strict=True)]
    known = [one for one in known if one[2] is not None]
    starts = [round(start * 1000) for start, _, _ in known]
    found = []
    for here, after, (start, stop, value) in zip(starts, [*starts[1:], 0], known, strict=False):
        until = round(stop * 1000)
        if start == stop:
            until = min(here + MOMENT, after) if after > here else here + MOMENT
        found.append(Annotation(here, max(until, here + 1), _clean(value or "")))
    return found


def _layers(annotations: list[Annotation]) -> list[list[Annotation]]:
    """Annotations in order of time, in as few layers as there are without overlaps; at least one."""
    layers: list[list[Annotation]] = [[]]
    for one in annotations:
        for layer in layers:
            if not layer or layer[-1].stop <= one.start:
                layer.append(one)
                break
        else:
            layers.append([one])
    return layers


def _document(tiers: Mapping[str, list[Annotation]], path: Path, media: Path) -> ET.Element:
    """The document in the order of the schema: header, times, tiers, types, constraints."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    root = ET.Element("ANNOTATION_DOCUMENT", AUTHOR="visanda", DATE=now, FORMAT="3.0", VERSION="3.0")
    root.set(f"{XSI}noNamespaceSchemaLocation", SCHEMA)
    header = ET.SubElement(root, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    kind = mimetypes.guess_type(media.name)[0] or "unknown"
    ET.SubElement(
        header, "MEDIA_DESCRIPTOR", MEDIA_URL=media.as_uri(), MIME_TYPE=kind, RELATIVE_MEDIA_URL=_beside(media, path)
    )
    order = ET.SubElement(root, "TIME_ORDER")
    marks = []  # each annotation has its own, so that it can be moved alone
    number = 0
    for name, layer in tiers.items():
        tier = ET.SubElement(root, "TIER", LINGUISTIC_TYPE_REF=TYPE, TIER_ID=name)
        for one in layer:
            number += 1
            annotation = ET.SubElement(
                ET.SubElement(tier, "ANNOTATION"), "ALIGNABLE_ANNOTATION", ANNOTATION_ID=f"a{number}"
            )
            ET.SubElement(annotation, "ANNOTATION_VALUE").text = one.value
            marks += [(one.start, annotation, "TIME_SLOT_REF1"), (one.stop, annotation, "TIME_SLOT_REF2")]
    for count, (time, annotation, end) in enumerate(sorted(marks, key=lambda mark: mark[0]), 1):
        ET.SubElement(order, "TIME_SLOT", TIME_SLOT_ID=f"ts{count}", TIME_VALUE=str(time))
        annotation.set(end, f"ts{count}")
    ET.SubElement(header, "PROPERTY", NAME="lastUsedAnnotationId").text = str(number)
    ET.SubElement(root, "LINGUISTIC_TYPE", GRAPHIC_REFERENCES="false", LINGUISTIC_TYPE_ID=TYPE, TIME_ALIGNABLE="true")
    for name, what in CONSTRAINTS.items():
        ET.SubElement(root, "CONSTRAINT", DESCRIPTION=what, STEREOTYPE=name)
    return root


def _beside(media: Path, path: Path) -> str:
    """A file's place relative to another's folder, as a URL."""
    try:
        place = Path(os.path.relpath(media, path.parent)).as_posix()
    except ValueError:  # another drive
        return media.as_uri()
    return quote(place if place.startswith("..") else f"./{place}")


def _times(root: ET.Element) -> dict[str, tuple[float, float]]:
    """Start and stop, in seconds, of the annotations that have times, by id."""
    described = root.find("HEADER/MEDIA_DESCRIPTOR")
    origin = int(described.get("TIME_ORIGIN", 0)) if described is not None else 0
    slots = {one.get("TIME_SLOT_ID"): one.get("TIME_VALUE") for one in root.iter("TIME_SLOT")}
    times: dict[str, tuple[float, float]] = {}
    for tier in root.iter("TIER"):
        own = list(tier.iterfind("ANNOTATION/ALIGNABLE_ANNOTATION"))
        chain = list(dict.fromkeys(one.get(end) for one in own for end in ("TIME_SLOT_REF1", "TIME_SLOT_REF2")))
        known = pd.Series([slots.get(slot) for slot in chain], dtype=object).map(int, na_action="ignore").astype(float)
        at = dict(zip(chain, (known.interpolate(limit_area="inside") + origin) / 1000, strict=True))
        for one in own:
            times[one.get("ANNOTATION_ID", "")] = (at[one.get("TIME_SLOT_REF1")], at[one.get("TIME_SLOT_REF2")])
    times = {id: ends for id, ends in times.items() if not any(map(pd.isna, ends))}
    left = {one.get("ANNOTATION_ID", ""): one.get("ANNOTATION_REF") for one in root.iter("REF_ANNOTATION")}
    while found := {id: times[of] for id, of in left.items() if of in times}:
        times |= found
        left = {id: of for id, of in left.items() if id not in found}
    return times


def _clean(text: str) -> str:
    return _CONTROL.sub("", text)
