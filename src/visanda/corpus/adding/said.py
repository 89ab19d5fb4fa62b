"""What `add` says: how many were found, new, unreadable or left out, and which rows of the table have no file."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from visanda.collect.folder import VIDEOS, Search, printable
from visanda.collect.match import Match
from visanda.corpus.adding.media_table import own_names
from visanda.corpus.adding.news import News
from visanda.result import Result


def summary(
    search: Search, news: News, failed: pd.DataFrame, mended: list[str], matched: Match | None, ids: list[str]
) -> Result:
    """Counts, and in words what they mean; files with an error and those without a row stand in its extras.

    Args:
        search: what was found.
        news: what of it is new.
        failed: ``id`` and ``error`` of new files that cannot be read.
        mended: ids that could not be read before.
        matched: how rows of the table and files go together, if there is a table.
        ids: of the files that the table was to tell of.
    """
    one, many = _noun(ids)
    rows = [(f"{many} found", len(search.found)), ("new", len(news.new)), ("of these with an error", len(failed))]
    rows += [("already there", len(news.asked) - len(news.new)), ("other files", search.other_files.total())]
    words = [f"{row.id}: {row.error}" for row in failed.head(10).itertuples()]
    if len(failed) > 10:
        words.append(
            f'... and {len(failed) - 10} more: visanda sql "select id, error from media where error is not null"'
        )
    if news.again:
        rows.append(("looked at again", len(news.again)))
        again = "; where they were measured before, measure with --retry" if mended else ""
        words.append(f"{len(mended)} of {len(news.again)} {many} looked at again can be read now{again}.")
    if news.elsewhere:
        words.append(f"{len(news.elsewhere)} are there under other ids, such as {news.elsewhere[0]!r}.")
    warnings = [f"cannot be searched: {text}" for text in search.unreadable]
    extra = {"errors": failed}
    if search.other_files:
        words.append(f"Left out{_others(search)}.")
    if matched is not None:
        without = [id for id in ids if id not in matched.rows]
        rows += [("rows matched", len(matched.rows)), (f"rows without a {one}", len(matched.unmatched))]
        rows += [(f"{many} without a row", len(without))]
        extra[f"rows without a {one}"] = pd.DataFrame({"key": matched.unmatched})
        extra[f"{many} without a row"] = pd.DataFrame({"id": without})
        warnings += _unmatched(matched, without, ids)
    return Result("Added", pd.DataFrame(rows, columns=["what", "count"]), words, warnings, extra=extra)


def said_of_names(names: list[str]) -> list[str]:
    """Which columns of a table got another name, because visanda uses theirs."""
    pairs = [(old, new) for old, new in zip(names, own_names(names), strict=True) if old != new]
    return [f"Your column {old!r} is called {new!r} here: the first name is visanda's own." for old, new in pairs]


def nothing_found(sources: tuple[str, ...], search: Search) -> str:
    """Why there is nothing to add: nothing was named, or there are no pictures or videos."""
    if not sources:
        return "name folders, globs or files to add, or a table with --metadata"
    closed = "".join(f"; cannot be searched: {text}" for text in search.unreadable[:3])
    places = ", ".join(printable(str(one)) for one in sources)
    return f"there are no pictures or videos in {places}{_others(search)}{closed}"


def _others(search: Search) -> str:
    if not search.other_files:
        return ""
    kinds = ", ".join(f"{count} {suffix}" for suffix, count in search.other_files.most_common(5))
    return f" (other files: {kinds})"


def _noun(ids: list[str]) -> tuple[str, str]:
    """What these files are called: one, and many."""
    kinds = {Path(id).suffix.lower() in VIDEOS for id in ids}
    return ("file", "files") if len(kinds) != 1 else ("video", "videos") if kinds.pop() else ("picture", "pictures")


def _unmatched(matched: Match, without: list[str], ids: list[str]) -> list[str]:
    one, many = _noun(ids)
    warnings = []
    if matched.unmatched:
        shown = ", ".join(repr(name) for name in matched.unmatched[:5])
        folded = {id.rsplit("/", 1)[-1].casefold() for id in ids}
        case = sum(name.rsplit("/", 1)[-1].casefold() in folded for name in matched.unmatched)
        hint = f"; {case} of them would match if upper and lower case were the same" if case else ""
        warnings.append(f"{len(matched.unmatched)} rows of the table have no {one}, such as {shown}{hint}")
    if matched.ambiguous:
        shown = ", ".join(repr(name) for name in matched.ambiguous[:5])
        warnings.append(f"{len(matched.ambiguous)} keys fit several {many}, such as {shown}: use the whole id")
    if without:
        shown = ", ".join(repr(id) for id in without[:5])
        warnings.append(f"{len(without)} {many} have no row in the table, such as {shown}")
    return warnings
