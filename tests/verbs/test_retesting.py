"""retest: how far measures move when pictures are changed."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import visanda as vi
from visanda.corpus import Corpus
from visanda.corpus.changed_copies import CHANGES
from visanda.errors import InputError
from visanda.media import Image

SAMPLE = sorted((Path(vi.__file__).parent / "sample" / "photos").glob("*.webp"))


@pytest.fixture
def corpus(photos):
    return photos(12)


def test_each_change_does_what_its_name_says():
    image = Image.of(SAMPLE[0])
    made = {name: change(image) for name, change in CHANGES.items()}
    assert (made["half-size"].width, made["half-size"].height) == (round(image.width / 2), round(image.height / 2))
    assert made["crop-5"].width == round(image.width * 0.9)
    assert (made["mirror"].pixels[:, ::-1] == image.pixels).all()
    for name, factor in {"brighter-10": 1.1, "darker-10": 0.9, "jpeg-30": 1, "webp-60": 1}.items():
        assert made[name].pixels.mean() == pytest.approx(image.pixels.mean() * factor, rel=0.03)
    loss = {name: abs(made[name].pixels.astype(int) - image.pixels).mean() for name in ("jpeg-60", "jpeg-30")}
    assert 0 < loss["jpeg-60"] < loss["jpeg-30"]


def test_measures_move_as_they_should(corpus):
    result = corpus.retest("colour", "composition", n=10, changes=["jpeg-60,mirror", "brighter-10"])
    table = result.extra["moves"].set_index(["column", "change"])
    wide = result.table.set_index("column")
    assert list(wide) == ["jpeg-60", "mirror", "brighter-10"]
    assert wide.loc["brightness", "jpeg-60"] == pytest.approx(
        table.loc[("brightness", "jpeg-60"), "stability"], abs=6e-4
    )
    assert wide.min(axis=1).is_monotonic_increasing
    assert "palette" not in wide.index and any("cannot be compared: palette" in text for text in result.words)
    assert table.loc[("brightness", "mirror"), "moved"] == pytest.approx(0, abs=1e-3)
    assert table.loc[("brightness", "brighter-10"), "shift"] > 0.1
    assert table.loc[("brightness", "jpeg-60"), "stability"] > 0.99
    assert table.loc[("aspect", "jpeg-60"), "same"] == 1
    assert (table["n"] <= 10).all()
    assert {path.name for path in corpus.results.glob("retest.*")} == {
        "retest.csv",
        "retest.json",
        "retest.png",
    }
    assert len(pd.read_csv(corpus.results / "retest-moves.csv")) == len(table)
    assert corpus.tables() == ["media"]  # nothing was added to the corpus
    again = corpus.retest("colour", "composition", n=10, changes=["jpeg-60,mirror", "brighter-10"])
    pd.testing.assert_frame_equal(result.table, again.table)


def test_arguments_reach_the_measure_and_labels_and_text_are_compared(corpus):
    result = corpus.retest("colour", "hash", n=4, changes=["jpeg-30"], colours=2, name="two")
    columns = set(result.table["column"])
    assert {"sha256_pixels", "phash"} <= columns
    assert result.extra["moves"].set_index("column").loc["sha256_pixels", "same"] == 0
    assert '"colours": 2' in result.provenance["measures"][0]
    assert (corpus.results / "two.csv").exists()


def test_it_refuses_what_does_not_look_at_pictures(corpus):
    with pytest.raises(InputError, match="measures videos"):
        corpus.retest("motion")
    with pytest.raises(InputError, match="measures faces"):
        corpus.retest("age")
    with pytest.raises(InputError, match="name at least one"):
        corpus.retest()
    with pytest.raises(InputError, match="no change 'jpeg'"):
        corpus.retest("colour", changes=["jpeg"])
    with pytest.raises(InputError, match="has the argument 'k'"):
        corpus.retest("colour", k=3)
    with pytest.raises(InputError, match="0 readable pictures"):
        corpus.retest("colour", where="category = 'none'")


def test_lost_files_are_counted(tmp_path):
    corpus = Corpus.init(tmp_path / "moved")
    (tmp_path / "pictures").mkdir()
    for number in range(4):
        (tmp_path / "pictures" / f"{number}.webp").write_bytes(SAMPLE[number].read_bytes())
    corpus.add(str(tmp_path / "pictures"))
    (tmp_path / "pictures" / "2.webp").unlink()
    (tmp_path / "pictures" / "3.webp").write_bytes(SAMPLE[3].read_bytes()[:200])
    result = corpus.retest("colour", changes=["mirror"])
    assert result.provenance["unreadable"] == 2
    assert any("cannot be read" in text for text in result.warnings)
