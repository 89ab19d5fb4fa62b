"""``search --text``: words that were read in pictures and heard in videos."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image

from visanda.corpus import Corpus
from visanda.errors import InputError
from visanda.measure import Found, find, found_rows
from visanda.media import load

INK = (255, 221, 0)  # of boxes


@pytest.fixture
def read(photos: Callable[[int], Corpus]) -> Corpus:
    """Three photos, in which lines are said to have been read, as the measure would write them."""
    corpus = photos(3)
    said = [["CLIMATE STRIKE", "Car Parks"], ["climate", "Bockwurst 2,50"], []]
    rows = corpus.frame("SELECT id, path FROM media ORDER BY id")
    images = [load(corpus.resolve(path)) for path in rows["path"]]
    found = []
    for lines in said:
        things = [
            {"box": (20, 30 + 50 * k, 150, 25), "text": line, "score": 0.9, "number": k + 1, "angle": 0.0}
            | {"share": 0.01, "polygon": [0.0] * 8}
            for k, line in enumerate(lines)
        ]
        counts = {"n_lines": len(lines), "n_words": 2 * len(lines), "text_share": 0.02, "score": 0.9 if lines else None}
        found.append(Found(things, {"text": "\n".join(lines), **counts}))
    for table, made in zip(
        ("text", "text_by_picture"), found_rows(find("text")(), rows["id"], images, found), strict=True
    ):
        with corpus.parts(table).writing():
            corpus.parts(table).append(made, "made")
    return corpus


def shown(corpus: Corpus) -> np.ndarray:
    """Pixels of the sheet in the colour of boxes."""
    pixels = np.asarray(Image.open(corpus.results / "search.jpg").convert("RGB")).astype(int)
    return np.abs(pixels - INK).max(axis=-1) < 60


def test_words_are_found_with_the_lines_they_are_in(read: Corpus):
    hits = read.search("climate", text=True)
    first, second = read.frame("SELECT id FROM media ORDER BY id LIMIT 2")["id"]
    assert hits["id"].tolist() == [first, second]
    assert hits["score"].tolist() == [1, 1]
    assert hits["lines"].tolist() == ["CLIMATE STRIKE", "climate"]
    assert set(hits["source"]) == {"text"}
    assert hits.attrs["words"] == ["Found in 2 of 2 pictures with text."]
    assert len(read.search("climate", text=True, n=1)) == 1


def test_all_words_must_occur_and_may_be_misspelt(read: Corpus):
    hits = read.search("strike climat parks", text=True)
    assert hits["lines"].tolist() == ["CLIMATE STRIKE / Car Parks"]
    assert 0.9 < hits["score"][0] < 1
    assert read.search("climate bockwurst strike", text=True).empty


def test_a_phrase_may_run_over_lines(read: Corpus):
    assert read.search('"strike car"', text=True)["lines"].tolist() == ["CLIMATE STRIKE / Car Parks"]
    assert read.search('"car strike"', text=True).empty


def test_the_lines_are_boxed_on_the_sheet(read: Corpus):
    read.search("bockwurst", text=True)
    marked = shown(read).sum()
    read.search("nothing of the kind", text=True)
    assert shown(read).sum() == 0 < marked


def test_speech_is_searched_as_well(read: Corpus, tmp_path: Path):
    video = Path(__file__).parents[2] / "src" / "visanda" / "sample" / "videos" / "session.mp4"
    read.add(str(video))
    name = read.frame("SELECT id FROM media WHERE kind = 'video'")["id"][0]
    said = pd.DataFrame(
        {"id": [f"{name}#t=1,3", f"{name}#t=3,5"], "parent": name, "start": [1.0, 3.0], "stop": [3.0, 5.0]}
    )
    said = said.assign(text=["We talk of climate policy.", "Thank you."], language="en", confidence=0.9)
    with read.parts("speech").writing():
        read.parts("speech").append(pa.Table.from_pandas(said, preserve_index=False), "made")
    hits = read.search("climate policy", text=True)
    assert hits[["id", "source", "lines"]].to_numpy().tolist() == [
        [f"{name}#t=1,3", "speech", "We talk of climate policy."]
    ]
    assert (read.results / "search.jpg").exists()
    assert set(read.search("climate", text=True)["source"]) == {"text", "speech"}


def test_what_is_missing_is_said(photos: Callable[[int], Corpus], read: Corpus):
    with pytest.raises(InputError, match="--text"):
        read.search(like="a.jpg", text=True)
    for table in ("text", "text_by_picture"):
        for path in read.parts(table).files():
            Path(path).unlink()
    with pytest.raises(InputError, match="visanda measure text"):
        read.search("climate", text=True)
