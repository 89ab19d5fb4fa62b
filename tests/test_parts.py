import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from visanda import parts as module
from visanda.errors import CorpusError
from visanda.parts import Parts


def rows(*ids, **columns):
    return pa.table({"id": list(ids), **columns})


@pytest.fixture
def parts(tmp_path):
    return Parts(tmp_path / "tables" / "colour")


def ids(parts):
    return parts.read(["id"])["id"].to_pylist()


def names(parts):
    return sorted(path.name for path in parts.folder.iterdir() if path.name != ".lock")


def test_rows_come_back_and_columns_that_older_parts_lack_are_null(parts):
    with parts.writing():
        parts.append(rows("a"), "1")
        parts.append(rows("b", "c", width=[1, 2]), "2")
    assert parts.read().to_pylist() == [
        {"id": "a", "width": None},
        {"id": "b", "width": 1},
        {"id": "c", "width": 2},
    ]
    assert len(parts) == 3


def test_rows_are_dropped_by_id_and_a_table_can_become_empty(parts):
    with parts.writing():
        parts.append(rows("a", "b"), "1")
        parts.append(rows("c"), "2")
        assert parts.drop(["b", "c", "nobody"], "3") == 2
        assert ids(parts) == ["a"]
        assert parts.drop(["a"], "4") == 1
    assert len(parts) == 0
    assert names(parts) == []


def test_many_small_parts_become_one_again_and_again(parts):
    for run in range(12):
        with parts.writing():
            parts.append(rows(f"{run}a"), f"20260101T{run:09d}Z-measure-0")
            parts.append(rows(f"{run}b"), f"20260101T{run:09d}Z-measure-1")
            parts.compact(f"20260101T{run:09d}Z-measure")
    assert sorted(ids(parts)) == sorted(f"{run}{half}" for run in range(12) for half in "ab")
    (name,) = names(parts)
    assert len(name) < 80  # names must not grow with every merge until no file system takes them


def test_merging_keeps_to_the_size_of_a_part(parts, monkeypatch):
    with parts.writing():
        for number in range(6):
            parts.append(rows(f"{number}"), str(number))
        monkeypatch.setattr(module, "PART_BYTES", 2.5 * parts.files()[0].stat().st_size)
        parts.compact("run")
    assert len(parts.files()) == 3
    assert sorted(ids(parts)) == list("012345")


def test_a_second_writer_is_told_who_the_first_is(parts):
    with parts.writing():
        says = r"process \d+ on .* is writing the table 'colour' now"
        with pytest.raises(CorpusError, match=says), Parts(parts.folder).writing():
            pass
        parts.append(rows("a"), "1")  # the first is not disturbed
    with parts.writing():
        pass


@pytest.mark.parametrize("killed", ["before the new part is in place", "half of it is done", "at its very end"])
def test_a_change_that_was_committed_is_done_though_its_writer_was_killed(parts, monkeypatch, killed):
    with parts.writing():
        for id in "abc":
            parts.append(rows(id), id)
        old = parts.files()
        monkeypatch.setattr(Parts, "_finish", lambda self: None)  # killed as soon as change.json is there
        parts.compact("run")
        monkeypatch.undo()
        (new,) = parts.folder.glob(".new-part-*")
        if killed != "before the new part is in place":
            new.rename(parts.folder / new.name.removeprefix(".new-"))
            old[0].unlink()
        if killed == "at its very end":
            old[1].unlink(), old[2].unlink()
        assert ids(parts) == ["a", "b", "c"]  # a reader, before anybody has cleaned up
    with parts.writing():
        assert ids(parts) == ["a", "b", "c"]
    assert len(names(parts)) == 1


def test_a_change_that_was_not_committed_leaves_nothing(parts):
    with parts.writing():
        parts.append(rows("a"), "1")
    for leftover in (".new-part-2.parquet", ".change.json.77", ".measure.json.77", ".writer"):
        (parts.folder / leftover).write_bytes(b"half")
    assert ids(parts) == ["a"]
    with parts.writing():
        pass
    assert names(parts) == ["part-1.parquet"]


@pytest.mark.parametrize("how", ["half", "zeros", "empty", "middle"])
def test_a_damaged_part_is_named(parts, how):
    with parts.writing():
        parts.append(rows(*map(str, range(1000))), "1")
    path = parts.folder / "part-1.parquet"
    whole = path.read_bytes()
    middle = whole[:4] + bytes(len(whole) // 2) + whole[4 + len(whole) // 2 :]
    path.write_bytes({"half": whole[: len(whole) // 2], "zeros": bytes(len(whole)), "empty": b""}.get(how, middle))
    with pytest.raises(CorpusError, match=r"part-1\.parquet is damaged .*run what made the table again"):
        parts.read()
    with pytest.raises(CorpusError, match=r"part-1\.parquet is damaged"):
        list(parts.batches(["id"]))
    if how != "middle":
        with pytest.raises(CorpusError, match=r"part-1\.parquet is damaged"):
            parts.check()


def test_reading_goes_on_when_parts_are_merged_between_listing_and_reading(parts, monkeypatch):
    with parts.writing():
        parts.append(rows("a"), "1")
        parts.append(rows("b"), "2")
        stale = parts.files()
        parts.compact("run")
        real, answers = Parts.files, [stale]
        monkeypatch.setattr(Parts, "files", lambda self: answers.pop() if answers else real(self))
        assert ids(parts) == ["a", "b"]
        answers.append(stale)
        parts.check()


def test_a_listing_that_missed_a_whole_change_is_not_believed(parts, monkeypatch):
    with parts.writing():
        parts.append(rows("a"), "1")
    real, seen = Parts._listed, [[]]  # as when the old part went and the new one came behind the reader's back
    monkeypatch.setattr(Parts, "_listed", lambda self: seen.pop() if seen else real(self))
    assert ids(parts) == ["a"]


def test_what_a_part_cannot_take_leaves_no_litter(parts, monkeypatch):
    def full(*args, **options):
        raise OSError(28, "No space left on device")

    with parts.writing():
        parts.append(rows("a", "b"), "1")
        monkeypatch.setattr(pq, "write_table", full)
        monkeypatch.setattr(pq.ParquetWriter, "write_table", full)
        for write in (
            lambda: parts.append(rows("c"), "2"),
            lambda: parts.drop(["a"], "3"),
            lambda: parts.replace_all(rows("c"), "4"),
        ):
            with pytest.raises(CorpusError, match=r"cannot write .*No space left on device.*finished is kept"):
                write()
            assert sorted(set(names(parts)) - {".writer"}) == ["part-1.parquet"]
    assert ids(parts) == ["a", "b"]
