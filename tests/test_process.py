import numpy as np
import pytest
from media_pictures import encoded, landscape, quarters
from PIL import Image as Pillow

from visanda import Corpus
from visanda.corpus import processing
from visanda.errors import CorpusError, InputError


@pytest.fixture
def corpus(tmp_path):
    (tmp_path / "p").mkdir()
    for name, picture, format in (
        ("a.jpg", landscape(64, 48), "JPEG"),
        ("b.png", landscape(64, 48), "PNG"),
        ("c.gif", landscape(64, 48), "GIF"),
        ("small.png", quarters(8, 8), "PNG"),
    ):
        (tmp_path / "p" / name).write_bytes(encoded(picture, format))
    (tmp_path / "p" / "bad.jpg").write_bytes(b"bad")
    corpus = Corpus.init(tmp_path / "study")
    corpus.add(tmp_path / "p")
    return corpus


def counts(result):
    return result.table["count"].tolist()


def derived(corpus):
    return corpus.query("SELECT * FROM media WHERE parent IS NOT NULL ORDER BY id").to_pylist()


def test_derived_pictures_are_files_and_rows_with_a_parent(corpus, tmp_path):
    result = corpus.process("resize", out=tmp_path / "out", width=16, height=16, how="exact")
    assert counts(result) == [4, 0, 0]
    assert [(row["id"], row["parent"], row["width"], row["height"]) for row in derived(corpus)] == [
        ("out/p/a.jpg", "p/a.jpg", 16, 16),
        ("out/p/b.png", "p/b.png", 16, 16),
        ("out/p/c.gif.png", "p/c.gif", 16, 16),
        ("out/p/small.png", "p/small.png", 16, 16),
    ]
    assert Pillow.open(tmp_path / "out" / "p" / "c.gif.png").size == (16, 16)


def test_a_second_time_nothing_is_made_and_what_is_new_is(corpus, tmp_path):
    corpus.process("flip", out=tmp_path / "out", limit=1)
    assert counts(corpus.process("flip", out=tmp_path / "out")) == [3, 0, 1]
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    assert counts(corpus.process("flip", out=tmp_path / "out")) == [0, 0, 4]
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")} == before


def test_a_box_outside_of_one_picture_is_that_ones_error(corpus, tmp_path):
    result = corpus.process("crop", out=tmp_path / "out", box="0,0,20,10")
    assert counts(result) == [3, 1, 0]
    bad = next(row for row in derived(corpus) if row["error"])
    assert bad["parent"] == "p/small.png" and "outside of the picture (8 × 8" in bad["error"]


@pytest.mark.parametrize(
    ("step", "arguments", "says"),
    [
        ("crop", {"box": "0,0,9999,10"}, "none of the first 4 pictures can be made so: the box"),
        ("crop", {"box": "here"}, "four numbers"),
        ("crop", {}, "crop needs --box"),
        ("crop", {"size": 3}, "no argument 'size'; it takes: box"),
        ("melt", {}, "there is no step 'melt': crop"),
    ],
)
def test_arguments_that_fit_no_picture_make_nothing(corpus, tmp_path, step, arguments, says):
    with pytest.raises(InputError, match=says):
        corpus.process(step, out=tmp_path / "out", **arguments)
    assert derived(corpus) == []
    corpus.process("crop", out=tmp_path / "out", box="0,0,2,2")  # and stand in nobody's way
    assert len(derived(corpus)) == 4


def test_a_folder_holds_what_one_step_made(corpus, tmp_path):
    corpus.process("crop", out=tmp_path / "out", box="0,0,4,4")
    with pytest.raises(InputError, match=r"out holds pictures made by crop\(box=0,0,4,4\): name another folder"):
        corpus.process("crop", out=tmp_path / "out", box="1,1,4,4")
    with pytest.raises(InputError, match="name another folder"):
        corpus.process("greyscale", out=tmp_path / "out")
    corpus.process("resize", out=tmp_path / "small", width="8")
    assert counts(corpus.process("resize", out=tmp_path / "small", width=8)) == [0, 0, 4]


def test_pictures_in_the_corpus_move_with_it(corpus, tmp_path):
    corpus.process("flip", out=corpus.folder / "media" / "flipped")
    assert derived(corpus)[0]["path"] == "media/flipped/p/a.jpg"


def test_stopped_half_way_the_rows_of_what_is_done_are_there(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(processing, "CHUNK", 2)
    real, made = processing.save, []

    def save(image, target):
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(target)
        return real(image, target)

    monkeypatch.setattr(processing, "save", save)
    monkeypatch.setattr(processing.os, "cpu_count", lambda: 1)
    with pytest.raises(KeyboardInterrupt):
        corpus.process("flip", out=tmp_path / "out")
    assert len(derived(corpus)) == 2
    monkeypatch.undo()
    assert counts(corpus.process("flip", out=tmp_path / "out")) == [2, 0, 2]
    assert len({row["id"] for row in derived(corpus)}) == len(derived(corpus)) == 4


def test_a_full_disk_stops_it_and_is_no_pictures_error(corpus, tmp_path, monkeypatch):
    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(processing.Path, "write_bytes", full)
    with pytest.raises(CorpusError, match="No space left on device"):
        corpus.process("flip", out=tmp_path / "out")
    assert derived(corpus) == []


def test_a_condition_can_take_derived_pictures_further(corpus, tmp_path):
    corpus.process("greyscale", out=tmp_path / "grey")
    corpus.process("flip", out=tmp_path / "both", where="parent IS NOT NULL")
    row = derived(corpus)[0]
    assert (row["id"], row["parent"]) == ("both/grey/p/a.jpg", "grey/p/a.jpg")
    pixels = np.asarray(Pillow.open(tmp_path / "both" / "grey" / "p" / "b.png"))
    assert (pixels[..., 0] == pixels[..., 1]).all()
