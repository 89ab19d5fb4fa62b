"""What a measure is: pictures, or a video, in, columns out; and the registry of all there are."""

from visanda.measure.columns import FOUND, TIMED, Columns, ColumnType, Row, Vector, arrow_type
from visanda.measure.finders import Found, boxed, find_in, finder, found_rows
from visanda.measure.pictures import measure, nulls, rows
from visanda.measure.registry import Feed, Finds, Measure, Registered, find, registered
from visanda.measure.streams import (
    SMALLER,
    Stream,
    stream,
    timed_failure,
    timed_id,
    timed_rows,
    watch,
    watch_file,
)

__all__ = [
    "FOUND",
    "SMALLER",
    "TIMED",
    "ColumnType",
    "Columns",
    "Feed",
    "Finds",
    "Found",
    "Measure",
    "Registered",
    "Row",
    "Stream",
    "Vector",
    "arrow_type",
    "boxed",
    "find",
    "find_in",
    "finder",
    "found_rows",
    "measure",
    "nulls",
    "registered",
    "rows",
    "stream",
    "timed_failure",
    "timed_id",
    "timed_rows",
    "watch",
    "watch_file",
]
