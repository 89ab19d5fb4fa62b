"""What all tests share."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import settings

import visanda

settings.register_profile("shared machine", deadline=None)  # workers share cores: time says nothing about us
settings.load_profile("shared machine")


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A folder with the 218 sample photos, ``photos/``, and what is known of them, ``photos.csv``."""
    shutil.copytree(Path(visanda.__file__).parent / "sample", tmp_path / "sample")
    return tmp_path / "sample"
