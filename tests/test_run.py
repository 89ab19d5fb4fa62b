"""The runner and its verb: every picture measured once, whatever happens on the way."""

import json
import threading

import numpy as np
import pytest
from media_pictures import encoded, landscape

from visanda import Corpus, measure
from visanda.errors import CorpusError, InputError, MediaError, MissingExtra
from visanda.run import Item, Task, measure_shard, pictures, tasks


@pytest.fixture
def corpus(tmp_path):
    """Forty pictures, each of another brightness; the last is no picture."""
    (tmp_path / "p").mkdir()
    for number in range(39):
        picture = landscape(64, 48).point(lambda value, number=number: value * (60 + number) // 100)
        (tmp_path / "p" / f"{number:02d}.png").write_bytes(encoded(picture, "PNG"))
    (tmp_path / "p" / "39.png").write_bytes(b"no picture")
    corpus = Corpus.init(tmp_path / "study")
    corpus.add(tmp_path / "p")
    return corpus


@pytest.fixture
def registered():
    """Register measures for one test."""
    before = set(measure.registry._registry)
    yield measure.measure
    for name in set(measure.registry._registry) - before:
        del measure.registry._registry[name]


def table(corpus, name):
    return corpus.frame(f'SELECT * FROM "{name}" ORDER BY id')


def ids(corpus, name):
    return table(corpus, name)["id"].tolist()


def row(frame):
    return frame[["measured", "failed", "already there"]].iloc[0].tolist()


def test_every_picture_is_measured_once_and_a_second_run_does_nothing(corpus):
    assert row(corpus.measure("colour")) == [39, 1, 0]
    before = [path.read_bytes() for path in corpus.parts("colour").files()]
    assert row(corpus.measure("colour")) == [0, 0, 40]
    assert [path.read_bytes() for path in corpus.parts("colour").files()] == before
    assert ids(corpus, "colour") == [f"p/{number:02d}.png" for number in range(40)]
    assert "not a picture" in table(corpus, "colour")["error"].iloc[39]
    described = json.loads((corpus.folder / "tables" / "colour" / "measure.json").read_text())
    assert described["name"] == "colour" and described["versions"]["visanda"]


def test_the_number_of_workers_changes_nothing(corpus):
    corpus.measure("embed", name="one", workers=1)
    corpus.measure("embed", name="four", workers=4)
    one, four = table(corpus, "one"), table(corpus, "four")
    assert one["id"].tolist() == four["id"].tolist()
    assert np.array_equal(np.stack(one["embedding"][:39]), np.stack(four["embedding"][:39]))


def test_few_pictures_are_spread_over_all_workers(corpus, monkeypatch):
    monkeypatch.setattr(pictures, "BATCH", 4)
    threads = set()
    barrier = threading.Barrier(2)
    real = pictures.decode_at

    def decode_at(data, sizes):
        if threading.get_ident() not in threads:
            threads.add(threading.get_ident())
            barrier.wait(20)  # goes on only when another worker is here, too
        return real(data, sizes)

    monkeypatch.setattr(pictures, "decode_at", decode_at)
    corpus.measure("sharpness", workers=2)
    assert len(threads) == 2


def test_a_limit_takes_the_first_and_the_next_run_the_rest(corpus):
    assert row(corpus.measure("sharpness", limit=5)) == [5, 0, 0]
    assert ids(corpus, "sharpness") == [f"p/0{number}.png" for number in range(5)]
    assert row(corpus.measure("sharpness")) == [34, 1, 5]
    assert len(set(ids(corpus, "sharpness"))) == 40


def test_a_condition_chooses(corpus):
    assert row(corpus.measure("sharpness", where="id < 'p/03' AND width = 64")) == [3, 0, 0]
    with pytest.raises(InputError, match=r"SQL: .*nothing"):
        corpus.measure("sharpness", where="nothing = 1")


def test_several_measures_fill_up_what_each_of_them_lacks(corpus):
    corpus.measure("sharpness", limit=5)
    found = corpus.measure("sharpness", "composition").set_index("table")
    assert found["measured"].to_dict() == {"sharpness": 34, "composition": 39}
    assert len(ids(corpus, "sharpness")) == len(ids(corpus, "composition")) == 40


def test_a_picture_is_decoded_once_for_all_measures(corpus, monkeypatch):
    seen = []
    real = pictures.decode_at
    monkeypatch.setattr(pictures, "decode_at", lambda data, sizes: (seen.append(len(set(sizes))), real(data, sizes))[1])
    corpus.measure("sharpness", "composition", "colour", "embed")
    assert len(seen) == 39 and set(seen) == {
        len({measure.find(n).size for n in ("sharpness", "composition", "colour", "embed")})
    }


def test_other_arguments_say_what_would_be_replaced(corpus):
    corpus.measure("colour", colours=3)
    with pytest.raises(InputError, match=r"holds 40 rows made by colour\(colours=3\), not by colour\(colours=4\)."
                                         " Replace them with --replace, or keep both with --name colour2"):  # fmt: skip
        corpus.measure("colour", "sharpness", colours=4)
    assert "sharpness" not in corpus.tables()
    corpus.measure("colour", colours=4, name="colour2")
    corpus.measure("colour", colours=4, replace=True, limit=10)
    assert corpus.describe("colour")["arguments"] == {"colours": 4}
    assert len(ids(corpus, "colour")) == 10
    assert row(corpus.measure("colour", colours=4, replace=True)) == [29, 1, 10]  # goes on, does not start again


def test_nothing_is_replaced_where_one_of_several_tables_does_not_fit(corpus):
    corpus.measure("colour", colours=3)
    with corpus.parts("sharpness").writing():
        corpus.parts("sharpness").append(corpus.parts("colour").read(["id"]), "1")
    with pytest.raises(InputError, match="'sharpness' names a table that no measure made"):
        corpus.measure("colour", "sharpness", colours=4, replace=True)
    assert len(ids(corpus, "colour")) == 40


def test_a_table_whose_description_is_damaged_can_be_made_again(corpus):
    corpus.measure("sharpness")
    (corpus.folder / "tables" / "sharpness" / "measure.json").write_text("{")
    with pytest.raises(CorpusError, match=r"measure.json is damaged.*--replace"):
        corpus.measure("sharpness")
    assert row(corpus.measure("sharpness", replace=True)) == [39, 1, 0]


def test_failures_are_tried_again_when_the_file_is_mended(corpus, tmp_path):
    path = tmp_path / "p" / "05.png"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert row(corpus.measure("sharpness")) == [38, 2, 0]
    path.write_bytes(whole)
    assert row(corpus.measure("sharpness")) == [0, 0, 40]
    assert row(corpus.measure("sharpness", retry=True)) == [1, 0, 39]
    assert table(corpus, "sharpness")["error"].notna().sum() == 1
    assert len(set(ids(corpus, "sharpness"))) == 40


def test_a_measure_that_fails_on_one_picture_fails_on_that_one_alone(corpus, registered):
    @registered(columns={"mean": float}, source="here")
    def fussy(images):
        means = [float(image.pixels.mean()) for image in images]
        if any(abs(mean - means_of_7) < 1e-9 for mean in means):
            raise ZeroDivisionError("it is seven")
        return {"mean": means}

    seventh = (corpus.folder.parent / "p" / "07.png").read_bytes()
    means_of_7 = float(pictures.decode_at(seventh, [None])[None].pixels.mean())
    assert row(corpus.measure("fussy")) == [38, 2, 0]
    assert table(corpus, "fussy")["error"].iloc[7] == "fussy: ZeroDivisionError: it is seven"
    assert table(corpus, "fussy")["mean"].notna().sum() == 38


@pytest.mark.parametrize("error", [MissingExtra("rapidocr", "ocr"), InputError("no such label")])
def test_what_concerns_the_measure_and_no_picture_stops_the_run(corpus, registered, error):
    @registered(columns={"mean": float}, source="here")
    def lacking(images):
        raise error

    with pytest.raises(type(error), match=str(error)[:8]):
        corpus.measure("lacking")
    assert "lacking" not in corpus.tables()


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("bad data"), MediaError("cut off")])
def test_a_picture_that_no_decoder_takes_is_a_row(corpus, monkeypatch, error):
    real = pictures.read_file

    def read_file(path):
        if path.endswith("03.png"):
            raise error
        return real(path)

    monkeypatch.setattr(pictures, "read_file", read_file)
    assert row(corpus.measure("sharpness")) == [38, 2, 0]


def test_memory_is_bounded_whatever_the_pictures(corpus, monkeypatch):
    monkeypatch.setattr(pictures, "BATCH_BYTES", 2 * 64 * 48 * 3)
    sizes = []
    batches = pictures._decoded(
        [Item(f"{n}", str(corpus.folder.parent / "p" / f"{n:02d}.png"), None, frozenset()) for n in range(39)], {None}
    )
    for batch in batches:
        sizes.append(len(batch))
    assert sum(sizes) == 39 and max(sizes) == 3  # the one that is too much is the last


def test_a_shard_that_is_told_to_stop_keeps_what_it_has(corpus, monkeypatch):
    task = Task("sharpness", measure.find("sharpness")())
    stop = threading.Event()
    stop.set()
    items = [
        Item(f"p/{n:02d}.png", str(corpus.folder.parent / "p" / f"{n:02d}.png"), None, frozenset({"sharpness"}))
        for n in range(39)
    ]
    with corpus.parts("sharpness").writing():
        counts = measure_shard(corpus, [task], items, "x", stop, lambda done: None)
    assert counts["sharpness"].measured == len(ids(corpus, "sharpness")) == pictures.BATCH
    corpus.write_description("sharpness", tasks.description(task))
    assert row(corpus.measure("sharpness")) == [39 - pictures.BATCH, 1, pictures.BATCH]


def test_one_table_has_one_writer_and_others_are_free(corpus):
    corpus.measure("composition", limit=3)
    with corpus.parts("sharpness").writing():
        with pytest.raises(CorpusError, match=r"process \d+ on .* is writing the table 'sharpness' now"):
            corpus.measure("colour", "sharpness")
        assert row(corpus.measure("colour")) == [39, 1, 0]
        assert len(ids(corpus, "composition")) == 3


@pytest.mark.parametrize(
    ("options", "says"),
    [({"workers": -1}, "--workers must be at least 0"), ({"limit": -1}, "--limit must be at least 0")],
)
def test_numbers_that_make_no_sense_are_refused(corpus, options, says):
    with pytest.raises(InputError, match=says):
        corpus.measure("sharpness", **options)


def test_names_that_make_no_sense_are_refused(corpus, tmp_path):
    for given, says in (
        ([], "at least one measure"), (["colours"], "did you mean 'colour'"), (["colour", "colour"], "asked for twice"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=says):
            corpus.measure(*given)
    with pytest.raises(InputError, match="has the argument 'k'"):
        corpus.measure("colour", k=1)
    with pytest.raises(InputError, match="add pictures first"):
        Corpus.init(tmp_path / "empty").measure("colour")
    assert not (tmp_path / "empty" / "tables").exists()


def test_what_was_done_is_recorded(corpus):
    corpus.measure("sharpness", limit=0)
    corpus.measure("sharpness", retry=True)
    first, last = (json.loads(path.read_text()) for path in sorted((corpus.folder / "runs").glob("*-measure.json")))
    assert first["arguments"] == {"tables": {"sharpness": {}}, "limit": 0}
    assert last["arguments"]["retry"] is True
    assert last["counts"]["sharpness"]["measured"] == 39 and last["counts"]["sharpness"]["failed"] == 1
    assert list(last["counts"]["sharpness"]["reasons"]) == ["p/39.png"]


def test_derived_pictures_are_measured_like_any_other(corpus, tmp_path):
    corpus.process("resize", out=tmp_path / "small", width=20, limit=2)
    assert row(corpus.measure("sharpness")) == [41, 1, 0]
