"""The demonstration: the whole chain on the sample photos, each step with the command that does it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console

from visanda.corpus import Corpus
from visanda.errors import InputError
from visanda.result import Result
from visanda.store import SETTINGS

SAMPLE = Path(__file__).parent / "sample"
ABOUT = (
    "Are pictures of nature more colourful than pictures of things people made? The codes in this demonstration are "
    "no person's judgement: for 100 photographs drawn at random they are made from the category that is known of all "
    "218. So the truth is known too, and each estimate can be held against what it should have found."
)
MADE = "demo.txt"  # in a folder that this made, and so may make anew


def demo(folder: Path = Path("demo-study")) -> None:
    """Run the whole chain on 218 sample photos: are pictures of nature more colourful than of things people made?

    Args:
        folder: where the corpus of the demonstration is made; an earlier one there is made anew.

    Raises:
        InputError: the folder holds something else.
    """
    folder = Path(folder)
    _clear(folder)
    console = Console(highlight=False)
    console.print("[bold]Are pictures of nature more colourful than pictures of things people made?[/bold]\n")

    def step(command: str, result: object = None) -> None:
        console.print(f"[bold cyan]$ visanda {command}[/bold cyan]", soft_wrap=True)
        for text in [*result.warnings, *result.words] if isinstance(result, Result) else []:
            console.print(f"  {text}".replace("[", r"\["))

    corpus = Corpus.init(folder, name="Nature and colour: a demonstration on 218 photographs", about=ABOUT)
    (folder / MADE).write_text("Made by 'visanda demo', which makes it anew.\n", "utf-8")
    added = corpus.add(str(SAMPLE / "photos"), metadata=SAMPLE / "photos.csv")
    step("add photos --metadata photos.csv", added)
    corpus.measure("colour", "sharpness", "composition", "hash", "embed", "classify")
    step("measure colour sharpness composition hash embed classify")
    step("duplicates", corpus.duplicates())
    corpus.measure("zeroshot", labels="animal, building, tool")
    step('measure zeroshot --labels "animal, building, tool"')
    corpus.search("a windmill")
    step('search "a windmill"')
    step("cluster --k 8", corpus.cluster(k=8))
    step("sample nature --n 100 --by category --seed 1", corpus.sample("nature", n=100, by=["category"], seed=1))
    codes = _codes(corpus)
    step(f"code nature --import {codes.name} --coder category", corpus.code("nature", import_=codes, coder="category"))
    console.print("  These codes are no person's judgement: they are made from the photos' known category.")
    step("train nature --group scene", corpus.train("nature", group=["scene"]))
    step("evaluate nature", corpus.evaluate("nature"))
    step("apply nature", corpus.apply("nature"))
    estimate = corpus.estimate("colourfulness ~ nature", truth="nature=living")
    step('estimate "colourfulness ~ nature" --truth nature=living', estimate)
    step("estimate nature --truth nature=living", corpus.estimate("nature", truth="nature=living", name="share"))
    step("report")
    report = corpus.report()
    console.print(f"\n[bold]The report: {report}[/bold]", soft_wrap=True)


def _clear(folder: Path) -> None:
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not ((folder / MADE).exists() and (folder / SETTINGS).exists()):
        raise InputError(f"{folder} holds something that 'visanda demo' did not make: name another folder")
    shutil.rmtree(folder)


def _codes(corpus: Corpus) -> Path:
    """A coder's sheet for the sample, filled in from the photos' known category."""
    sheet = corpus.results / "nature-sheet.csv"
    filled = pd.read_csv(sheet, dtype=str)
    living = corpus.frame("SELECT id, living FROM media").set_index("id")["living"]
    filled["value"] = np.asarray(filled["id"].map(living))
    filled["note"] = "made from the photo's category"
    path = corpus.results / "codes.csv"
    filled.to_csv(path, index=False)
    return path
