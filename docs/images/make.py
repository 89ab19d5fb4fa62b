"""Make the pictures in docs/images: report.png, two parts of the demonstration's report side by side, for README.md;
timeline.png and votes.png, of the sample videos, for guide/video.md; faces.png, of sample
photographs, for guide/faces.md; classify-study.png, the figures of the study at the end of guide/classify.md, and
classify.png, some of them, for README.md; estimate.png, of the first Python in guide/estimate.md, for both; studies.png
and studies-pictures.jpg, of the first study in guide/studies.md. coverage.png is drawn by benchmarks/coverage.py.

``python docs/images/make.py [REPORT.html]``; without a report, the demonstration is run first. Needs playwright
(extra ``test``) and Chromium at /usr/bin/chromium.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from PIL import Image
from playwright.sync_api import Page, sync_playwright

import visanda
from visanda.demo import demo
from visanda.study import Estimates, dsl, ordinary

HERE = Path(__file__).parent

CHROMIUM = "/usr/bin/chromium"
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
QUIET += ["--disable-sync"]
PARTS = ("#estimates", "#clusters")  # headings of the report; each part begins at one
WIDTH, HEIGHT = 900, 900  # of a part, in pixels of the page
SHOWN = 740  # its width in the picture

SHEET = """<body style="margin:0"><main style="background:linear-gradient(135deg,#e8eef5,#cfdbe8);display:flex;gap:28px;
padding:32px;width:max-content">{}</main></body>"""
CARD = """<div style="border-radius:10px;overflow:hidden;box-shadow:0 8px 28px #1c2b3a44;background:#fff;
padding:6px 14px 0 26px;position:relative"><img src="data:image/png;base64,{}" style="display:block;width:{}px"><div
style="position:absolute;inset:auto 0 0 0;height:110px;background:linear-gradient(#fff0,#fff)"></div></div>"""


def part(page: Page, heading: str) -> bytes:
    """The report from a heading downwards, as PNG."""
    page.locator(f"{heading} + *").wait_for()
    box = page.locator(heading).bounding_box()
    assert box is not None
    clip = {"x": box["x"], "y": box["y"] + 2, "width": WIDTH, "height": HEIGHT}  # without the rule above
    return page.screenshot(clip=clip, full_page=True)


def make(report: Path, target: Path) -> None:
    """Draw the picture of a report."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = browser.new_page(viewport={"width": 1000, "height": 1000})
        page.goto(report.resolve().as_uri())
        cards = [CARD.format(base64.b64encode(part(page, heading)).decode(), SHOWN) for heading in PARTS]
        page.set_viewport_size({"width": 1760, "height": 1000})
        page.set_content(SHEET.format("".join(cards)))
        page.locator("main").screenshot(path=target)
        browser.close()
    few = Image.open(target).convert("RGB")
    palette = few.quantize(256, method=Image.Quantize.MAXCOVERAGE)
    few.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG).save(target, optimize=True)


def make_timelines(folder: Path) -> None:
    """Draw the pictures of the sample videos."""
    sample = Path(visanda.__file__).parent / "sample" / "videos"
    corpus = visanda.Corpus.init(folder)
    corpus.add(str(sample))
    corpus.measure("shots", "motion", "loudness")
    corpus.timeline("trailer.mp4", out=HERE / "timeline.png")
    corpus.timeline("session.mp4", marks=sample / "votes.csv", out=HERE / "votes.png")
    for name in ("timeline", "votes"):
        (HERE / f"{name}-shots.jpg").unlink()
        picture = Image.open(HERE / f"{name}.png").convert("RGB")
        picture.thumbnail((1600, 1600))
        picture.quantize(200).save(HERE / f"{name}.png", optimize=True)


def make_faces(folder: Path) -> None:
    """Draw sample photographs with the boxes of faces."""
    sample = Path(visanda.__file__).parent / "sample"
    corpus = visanda.Corpus.init(folder)
    pictures = [*sorted((sample / "faces").glob("*.jpg")), *sorted((sample / "photos").glob("expl_music__*.webp"))]
    corpus.add(*map(str, pictures), str(sample / "photos" / "expl_wa__koala.webp"))
    corpus.measure("faces")
    corpus.sheet(boxes="faces", out=HERE / "faces.png")
    picture = Image.open(HERE / "faces.png").convert("RGB")
    picture.quantize(200).save(HERE / "faces.png", optimize=True)


FIGURES = [  # of the study in guide/classify.md, in the order in which the page names them
    "built-reliability.png",
    "built-learning-curve.png",
    "built-finetune-training.png",
    "built-validity.png",
    "built-comparison.png",
    "built-explain.jpg",
    "built-drift.png",
    "estimate.png",
]
CELL, SPACE = 760, 30  # width of a figure, and what is around it, in pixels


def make_classify(folder: Path) -> None:
    """Run the Python of guide/classify.md, and put its figures side by side."""
    page = (HERE.parent / "guide" / "classify.md").read_text("utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.S)
    folder.mkdir()
    shutil.copytree(Path(visanda.__file__).parent / "sample", folder / "sample")
    (folder / "classify-study").mkdir()
    os.chdir(folder / "classify-study")
    names: dict[str, object] = {}
    exec(blocks[0].split("\n\n\nfor coder")[0], names)
    exec(blocks[-1], names)
    results = folder / "whole-study" / "results"
    montage([results / name for name in FIGURES], HERE / "classify-study.png")
    montage([results / name for name in (FIGURES[3], FIGURES[1])], HERE / "classify.png")


def make_estimate() -> None:
    """Run the first Python of guide/estimate.md, and keep its figure."""
    page = (HERE.parent / "guide" / "estimate.md").read_text("utf-8")
    names: dict[str, Any] = {}
    exec(re.findall(r"```python\n(.*?)```", page, re.S)[0], names)
    names["found"].figure.savefig(HERE / "estimate.png", dpi=100)


def make_studies(folder: Path) -> None:
    """Run the first study of guide/studies.md; draw some of its pictures, and what it finds."""
    folder.mkdir()
    shutil.copytree(Path(visanda.__file__).parent / "sample", folder / "sample")
    os.chdir(folder)
    subprocess.run([sys.executable, HERE.parent / "studies" / "cities.py"], check=True)
    page = (HERE.parent / "guide" / "studies.md").read_text("utf-8")
    study = page.partition("**From city-days to the table.**")[0]
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", study, re.S):
        exec(block, names)
    corpus, days = names["corpus"], names["days"]
    rows = corpus.join("faces_by_picture").query("n_faces >= 3")
    shown = [rows[(rows["night"] == night) & (rows["violent"] == code)].iloc[at] for night, code, at in SHOWN_PICTURES]
    sheet = corpus.sheet(*(row["id"] for row in shown), boxes="faces", out=HERE / "studies-pictures.jpg")
    assert sheet == HERE / "studies-pictures.jpg"
    known = {"predicted_var": ["violence", "violence_sq"], "prediction": ["said", "said_sq"]}
    asked = "lead_log_size ~ violence + violence_sq + log_size | city + month"
    corrected = dsl(days, asked, **known, sample_prob="violence_pi", cluster="city")
    naive = ordinary(days.assign(violence=days["said"], violence_sq=days["said_sq"]), asked, cluster="city")
    draw_curves(naive, corrected, HERE / "studies.png")


SHOWN_PICTURES = [  # by night, violent, which of them
    *((False, "no", 3), (False, "yes", 40), (False, "yes", 20)),
    *((True, "no", 3), (True, "yes", 12), (True, "yes", 25)),
]


def draw_curves(naive: Estimates, corrected: Estimates, target: Path) -> None:
    """How many times larger tomorrow's crowd is, by the violence of today, with intervals."""
    violence = np.linspace(0, 1, 101)
    terms = np.stack([violence, violence**2], axis=1)
    figure = Figure(figsize=(7.2, 4.2), layout="constrained")
    axes = figure.subplots()
    curves = [  # name, coefficients, their covariance, colour, where the name stands
        ("what was put in", np.array([5.0, -4.0]), np.zeros((2, 2)), "#009E73", (0.3, 5.3)),
        ("naive: the machine's labels", naive.coef[:2], naive.cov[:2, :2], "#D55E00", (0.62, 1.9)),
        ("corrected", corrected.coef[:2], corrected.cov[:2, :2], "#0072B2", (0.86, 6.3)),
    ]
    for name, coef, cov, colour, place in curves:
        middle = terms @ coef
        wide = 1.96 * np.sqrt(np.einsum("ij,jk,ik->i", terms, cov, terms))
        axes.fill_between(violence, np.exp(middle - wide), np.exp(middle + wide), color=colour, alpha=0.15, linewidth=0)
        axes.plot(violence, np.exp(middle), "-" if wide.any() else "--", color=colour, linewidth=2)
        line = {"arrowstyle": "-", "color": colour, "linewidth": 0.8}
        peak = (violence[62], np.exp(middle[62]))
        axes.annotate(name, peak, place, color=colour, fontsize=11, ha="center", arrowprops=line)
    axes.set_xlabel("Share of today's pictures that show violence")
    axes.set_ylabel("Crowd tomorrow: times that without violence")
    axes.set_xlim(0, 1)
    axes.set_ylim(0.8, 7)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(target, dpi=160)
    Image.open(target).convert("RGB").quantize(200).save(target, optimize=True)


def montage(figures: list[Path], target: Path) -> None:
    """Figures in two columns on white."""
    pictures = []
    for path in figures:
        picture = Image.open(path).convert("RGB")
        pictures.append(picture.resize((CELL, round(picture.height * CELL / picture.width)), Image.Resampling.LANCZOS))
    heights = [max(one.height for one in pictures[at : at + 2]) for at in range(0, len(pictures), 2)]
    sheet = Image.new("RGB", (2 * CELL + 3 * SPACE, sum(heights) + SPACE * (len(heights) + 1)), "white")
    top = SPACE
    for row, height in enumerate(heights):
        for column, one in enumerate(pictures[2 * row : 2 * row + 2]):
            sheet.paste(one, (SPACE + column * (CELL + SPACE), top + (height - one.height) // 2))
        top += height + SPACE
    sheet.quantize(200).save(target, optimize=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        make_classify(Path(folder) / "classify")
        make_faces(Path(folder) / "faces")
        make_estimate()
        make_studies(Path(folder) / "studies")
        given = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(folder) / "demo" / "results" / "report.html"
        if len(sys.argv) < 2:
            demo(Path(folder) / "demo")
        make(given, Path(__file__).with_name("report.png"))
