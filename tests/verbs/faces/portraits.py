"""Two people whose portraits come with visanda, and other pictures of the same faces."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from PIL import Image

import visanda
from visanda.corpus import Corpus
from visanda.units import parse

SAMPLE = Path(visanda.__file__).parent / "sample"
MEXICO = SAMPLE / "photos/expl_music__mexico.webp"
COLLINS, HOPPER = "Eileen Collins", "Grace Hopper"
SECOND = "p/astronaut-2.jpg"


def varied(path: Path, target: Path, *, turn: float = 5.0, bright: float = 1.15) -> Path:
    """Another picture of the same face: turned, brighter, mirrored, half the size."""
    with Image.open(path) as picture:
        turned = picture.convert("RGB").transpose(Image.Transpose.FLIP_LEFT_RIGHT).rotate(turn, fillcolor="white")
        smaller = turned.resize((picture.width * 2 // 3, picture.height * 2 // 3)).point(lambda v: min(255, v * bright))
        smaller.save(target, quality=90)
    return target


def who(corpus: Corpus) -> pd.Series:
    """The person of each face, by the name of the file."""
    rows = corpus.frame("SELECT id, person FROM people")
    return rows.set_index(rows["id"].map(lambda id: parse(id).name))["person"]
