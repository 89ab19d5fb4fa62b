"""A corpus of portraits, musicians and a monument; and one that knows both people."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from portraits import COLLINS, HOPPER, MEXICO, SAMPLE, varied

from visanda.corpus import Corpus


@pytest.fixture(scope="session")
def faces_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of portraits, musicians, a monument and a broken file, with identities; copied by ``corpus``."""
    home = tmp_path_factory.mktemp("faces")
    pictures = home / "p"
    pictures.mkdir()
    for name in ("astronaut", "admiral"):
        shutil.copy(SAMPLE / f"faces/{name}.jpg", pictures)
        varied(pictures / f"{name}.jpg", pictures / f"{name}-2.jpg")
    shutil.copy(MEXICO, pictures)
    shutil.copy(SAMPLE / "photos/cat_mon__colosseum.webp", pictures)
    (pictures / "broken.jpg").write_bytes(b"no picture")
    corpus = Corpus.init(home / "study")
    corpus.add(str(pictures))
    corpus.measure("faces")
    corpus.measure("identity", on="face")
    return home


@pytest.fixture
def corpus(faces_folder: Path, tmp_path: Path) -> Corpus:
    shutil.copytree(faces_folder, tmp_path / "home")
    copied = Corpus(tmp_path / "home/study")
    return copied


@pytest.fixture
def known(corpus: Corpus) -> Corpus:
    """With a gallery of both portraits."""
    corpus.faces_gallery_add(COLLINS, SAMPLE / "faces/astronaut.jpg")
    corpus.faces_gallery_add(HOPPER, SAMPLE / "faces/admiral.jpg")
    return corpus
