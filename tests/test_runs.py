import json
from datetime import datetime, timedelta

import pytest

from visanda import runs
from visanda.errors import CorpusError


def test_a_command_is_recorded_with_arguments_counts_versions_and_seconds(tmp_path):
    with runs.record(tmp_path, "measure", {"tables": ["colour"], "seed": 0, "limit": None, "replace": False}) as run:
        run.counts = {"measured": 3}
        assert runs.read(tmp_path)[0]["outcome"] == "running"  # so that a kill leaves a trace
    (found,) = runs.read(tmp_path)
    assert (found["verb"], found["outcome"], found["counts"]) == ("measure", "done", {"measured": 3})
    assert found["arguments"] == {"tables": ["colour"], "seed": 0}
    assert found["versions"]["visanda"] and found["versions"]["pandas"] and found["seconds"] >= 0


@pytest.mark.parametrize(("error", "outcome"), [(KeyboardInterrupt(), "interrupted"), (ValueError("no"), "failed: no")])
def test_what_ended_a_command_is_recorded(tmp_path, error, outcome):
    with pytest.raises(type(error)), runs.record(tmp_path, "add", {}) as run:
        run.counts = {"new": 1}
        raise error
    assert [(found["outcome"], found["counts"]) for found in runs.read(tmp_path)] == [(outcome, {"new": 1})]


def test_on_a_full_disk_the_first_error_is_the_one_that_is_told(tmp_path, monkeypatch):
    def full(path, data):
        raise CorpusError("the record cannot be written")

    with pytest.raises(CorpusError, match="the part cannot be written"), runs.record(tmp_path, "add", {}):
        monkeypatch.setattr(runs, "write_bytes", full)
        raise CorpusError("the part cannot be written")


def test_two_commands_of_one_moment_have_two_files(tmp_path, monkeypatch):
    class Clock(datetime):
        moments = iter([0, 0, 0, 0, 1, 1])

        @classmethod
        def now(cls, tz=None):
            return datetime(2026, 1, 1, tzinfo=tz) + timedelta(milliseconds=next(cls.moments))

    monkeypatch.setattr(runs, "datetime", Clock)
    stems = []
    for _ in range(2):
        with runs.record(tmp_path, "add", {}) as run:
            stems.append(run.stem)
    assert stems == ["20260101T000000000Z-add", "20260101T000000001Z-add"]


def test_a_damaged_record_is_named_and_an_unfinished_one_is_passed_over(tmp_path):
    (tmp_path / "20260101T000000000Z-add.json").touch()
    (tmp_path / "20260101T000000001Z-add.json").write_text(json.dumps({"verb": "add"}))
    assert runs.read(tmp_path) == [{"verb": "add"}]
    (tmp_path / "20260101T000000001Z-add.json").write_text("{")
    with pytest.raises(CorpusError, match=r"000000001Z-add.json is damaged"):
        runs.read(tmp_path)
