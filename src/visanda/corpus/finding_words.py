"""Words in pictures and videos: which say what is looked for, in which lines, and where these stand."""

from __future__ import annotations

import pandas as pd

from visanda.errors import InputError
from visanda.learn.word_search import PHRASE, find_words
from visanda.media import Marked
from visanda.store import Store
from visanda.units import Box

READ, HEARD = "text", "speech"
KINDS = {READ: "pictures with text", HEARD: "stretches of speech"}
COLUMNS = ["id", "score", "source", "lines"]


def search_text(store: Store, words: str, n: int) -> pd.DataFrame:
    """Pictures with lines of text, and stretches of speech, in which words occur.

    Args:
        store: the corpus.
        words: see ``find_words``.
        n: at most so many.

    Returns:
        id of a picture or a stretch of a video; score, 0 to 1, best first; source, ``text`` or ``speech``; lines, those
        that words are in, with `` / `` between them.

    Raises:
        InputError: nothing was read or heard yet, or there is no word to look for.
    """
    pictures = f"{READ}_by_picture"
    tables = store.tables()
    if pictures not in tables and HEARD not in tables:
        raise InputError(
            "nothing was read or heard yet: 'visanda measure text' reads pictures (with the extra ocr), 'visanda "
            "measure speech' writes down what is said in videos (with the extra speech)"
        )
    found, said = [], []
    for table, source in ((pictures, READ), (HEARD, HEARD)):
        if table in tables:
            rows = store.frame(f"SELECT id, text FROM {table} WHERE text IS NOT NULL AND text <> '' ORDER BY id")
            rows["score"] = pd.Series(find_words(rows["text"].tolist(), words), dtype=float)
            found.append(rows[rows["score"] > 0].assign(source=source))
            said.append(f"Found in {len(found[-1]):,} of {len(rows):,} {KINDS[source]}.")
    hits = pd.concat(found).sort_values(["score", "id"], ascending=[False, True]).head(n)
    hits["lines"] = pd.Series([" / ".join(_lines(text, words)) for text in hits["text"]], hits.index, dtype=object)
    hits = hits[COLUMNS].reset_index(drop=True)
    hits.attrs["words"] = said
    return hits


def pictures_of(store: Store, hits: pd.DataFrame, words: str) -> list[Marked | None]:
    """The pictures that were found, with a box around each line that is named; the middle of a stretch of speech.

    Args:
        store: the corpus.
        hits: what ``search_text`` found.
        words: that it looked for.
    """
    ids = hits["id"].tolist()
    sources = store.paths(ids)
    boxes: dict[str, list[Box]] = {}
    if READ in store.tables():
        sql = (
            "SELECT picture, text, x, y, width, height FROM text WHERE picture IN (SELECT unnest(?)) "
            "AND text IS NOT NULL ORDER BY picture, number"
        )
        for picture, rows in store.frame(sql, [ids]).groupby("picture"):
            named = rows[rows["text"].isin(_lines("\n".join(rows["text"]), words))]
            marks = named[["x", "y", "width", "height"]].astype(int).itertuples(index=False, name=None)
            boxes[str(picture)] = list(marks)
    return [Marked(sources[id], boxes.get(id, [])) if id in sources else None for id in ids]


def _lines(text: str, words: str) -> list[str]:
    """The lines that any of the words are in; where a phrase or a divided word runs on, the lines that it is in."""
    lines = [line for line in text.splitlines() if line.strip()]
    kept: set[int] = set()
    for match in PHRASE.finditer(words):
        if not any(character.isalnum() for character in match[0]):
            continue
        for span in range(1, len(lines) + 1):
            stretches = ["\n".join(lines[place : place + span]) for place in range(len(lines) - span + 1)]
            scores = find_words(stretches, match[0])
            if any(scores):
                kept |= {place + k for place, score in enumerate(scores) if score for k in range(span)}
                break
    return [line for place, line in enumerate(lines) if place in kept]
