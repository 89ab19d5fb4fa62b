"""``collection`` and ``association``: who is in the pictures, and what embeddings go with what."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import visanda
from visanda.cli import main
from visanda.corpus import Corpus
from visanda.errors import DesignError, InputError
from visanda.study import association

SAMPLE = Path(visanda.__file__).parent / "sample"


@pytest.fixture(scope="module")
def measured_faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Portraits and musicians, with a photo without a face."""
    corpus = Corpus.init(tmp_path_factory.mktemp("described") / "study")
    music = sorted((SAMPLE / "photos").glob("expl_music__*"))
    corpus.add(str(SAMPLE / "faces"), *map(str, music), str(SAMPLE / "photos" / "expl_wa__koala.webp"))
    corpus.measure("faces")
    corpus.measure("gender", on="face")
    return corpus.folder


@pytest.fixture
def corpus(measured_faces: Path, tmp_path: Path) -> Corpus:
    shutil.copytree(measured_faces, tmp_path / "study")
    return Corpus(tmp_path / "study")


def put(corpus: Corpus, name: str, rows: pd.DataFrame) -> None:
    """Replaces the rows of a table."""
    table = corpus.parts(name).read()
    made = type(table).from_pandas(rows, schema=table.schema, preserve_index=False)
    with corpus.parts(name).writing():
        corpus.parts(name).replace_all(made, "test")


def test_all_are_counted_also_those_of_whom_nothing_is_known(corpus):
    faces = corpus.frame("SELECT id FROM faces")["id"]
    rows = corpus.frame("SELECT * FROM gender ORDER BY id")
    rows.loc[0, ["perceived_gender", "perceived_female"]] = None
    rows.loc[0, "error"] = "the face has no landmarks"
    rows.loc[1, ["perceived_gender", "perceived_female"]] = None
    put(corpus, "gender", rows.iloc[:-1])  # one face was never looked at
    found = corpus.collection()
    whole = found.table[found.table["column"] == "perceived_gender"].set_index("value")
    said = rows["perceived_gender"].iloc[:-1].value_counts()
    assert whole["n"].sum() == len(faces)
    assert whole["share"].sum() == pytest.approx(1)
    assert whole.loc["(failed)", "n"] == 1
    assert whole.loc["(no value)", "n"] == len(faces) - said.sum() - 1
    assert any("1 have no row in the table gender" in text for text in found.warnings)
    pictures = found.table[found.table["column"] == "picture"].iloc[0]
    without = corpus.frame("SELECT n_faces FROM faces_by_picture")["n_faces"] == 0
    assert (pictures["n"], pictures["of"]) == (without.sum(), len(without))
    for ending in ("csv", "json", "png"):
        assert (corpus.results / f"collection.{ending}").exists()


def test_by_source_as_typed(corpus, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["-C", str(corpus.folder), "collection", "--measures", "faces,gender", "--by", "format"])
    assert ended.value.code in (0, None)
    shown = capsys.readouterr().out
    assert "values of format" in shown and "perceived groups, as a machine says" in " ".join(shown.split())


def test_what_cannot_be_described_is_said(corpus, photos):
    with pytest.raises(InputError, match="measure gender age"):
        photos(3).collection()
    with pytest.raises(InputError, match="faces alone are nobody"):
        corpus.collection(measures=["faces"])
    with pytest.raises(InputError, match="gender is about faces, and the rest about pictures"):
        corpus.collection(measures=["gender", "faces_by_picture.n_faces"])
    with pytest.raises(InputError, match="'outlet' is in no table"):
        corpus.collection(by="outlet")


def test_a_picture_is_no_evidence_of_its_own_attribute(study):
    found = study.association(targets=["category=fish,tool"], attributes=["category=monument,energy"], permutations=300)
    assert not any("do not stand for" in text for text in found.warnings)
    ids, vectors = study.vectors("embed", "embedding")
    media = study.frame("SELECT id, category FROM media").set_index("id")["category"].reindex(ids).to_numpy()
    order = np.argsort(ids)
    sets = [vectors[order][media[order] == name].astype(float) for name in ("fish", "tool", "monument", "energy")]
    assert found.table.loc[0, "d"] == pytest.approx(association(*sets, permutations=300).table.loc[0, "d"])
    saved = pd.read_csv(study.results / "association-pictures.csv")
    assert set(saved["id"]) == {id for id, one in zip(ids, media, strict=True) if one in ("fish", "tool")}
    mixed = study.association(
        targets=["category = 'fish' OR subject = 'windmill'", "category = 'tool'"],
        attributes=["living=yes,no"],
        permutations=300,
    )
    assert any("do not stand for the attribute" in text for text in mixed.warnings)


def test_groups_that_are_none(study):
    fish = ["category=fish,tool"]
    with pytest.raises(InputError, match="name two values of 'category', of: "):
        study.association(targets=["category=fish"], attributes=fish)
    with pytest.raises(InputError, match="no picture with an embedding is 'dragon'"):
        study.association(targets=["category=fish,dragon"], attributes=fish)
    with pytest.raises(InputError, match="must not overlap"):
        study.association(targets=["category = 'fish'", "living = 'yes'"], attributes=fish)
    with pytest.raises(InputError, match="did you mean 'category'"):
        study.association(targets=["categori=fish,tool"], attributes=fish)
    with pytest.raises(DesignError, match="at least 1"):
        study.association(targets=fish, attributes=["living=yes,no"], where="category IN ('fish', 'tool')")
    with pytest.raises(InputError, match="no column 'embedding'"):
        study.association(targets=fish, attributes=fish, embedding="colour")
