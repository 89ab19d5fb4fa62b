"""Corpora to try the verbs on: some photos, and a whole study."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from coder import code_by_category

import visanda
from visanda.corpus import Corpus

SAMPLE = Path(visanda.__file__).parent / "sample"
CHROMIUM = "--no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync"


@pytest.fixture
def photos(tmp_path: Path) -> Callable[[int], Corpus]:
    """Makes a corpus of the first n sample photos, with what is known of them."""

    def make(n: int) -> Corpus:
        corpus = Corpus.init(tmp_path / "photos-study")
        known = pd.read_csv(SAMPLE / "photos.csv").head(n)
        corpus.add(*(str(SAMPLE / "photos" / name) for name in known["filename"]), metadata=known)
        return corpus

    return make


@pytest.fixture(scope="session")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All 218 photos, measured; copied by ``study``."""
    corpus = Corpus.init(tmp_path_factory.mktemp("study") / "study", name="A study", about="What is asked?")
    corpus.add(str(SAMPLE / "photos"), metadata=SAMPLE / "photos.csv")
    corpus.measure("colour", "hash", "embed", "classify")
    return corpus.folder


@pytest.fixture
def study(measured: Path, tmp_path: Path) -> Corpus:
    """A corpus of its own with all photos measured."""
    shutil.copytree(measured, tmp_path / "study")
    return Corpus(tmp_path / "study")


@pytest.fixture(scope="session")
def studied_folder(measured: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study from beginning to end."""
    corpus = Corpus(shutil.copytree(measured, tmp_path_factory.mktemp("studied") / "study"))
    corpus.duplicates()
    corpus.cluster(k=5)
    code_by_category(corpus)
    corpus.train("nature", group=["scene"])
    corpus.evaluate("nature", resamples=100)
    corpus.apply("nature")
    corpus.estimate("colourfulness ~ nature", truth="nature=living")
    return corpus.folder


@pytest.fixture
def studied(studied_folder: Path, tmp_path: Path) -> Corpus:
    """A study from beginning to end, of its own."""
    shutil.copytree(studied_folder, tmp_path / "studied")
    return Corpus(tmp_path / "studied")


@pytest.fixture(scope="session")
def chromium() -> Iterator[object]:
    """A headless browser."""
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install '.[test]' brings playwright")
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=found, args=CHROMIUM.split())
        yield browser
        browser.close()
