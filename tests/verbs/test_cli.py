"""The command: the whole list of the first issue, as a user types it."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import visanda
from visanda.cli import main

SAMPLE = Path(visanda.__file__).parent / "sample"


@pytest.fixture
def run(capsys):
    """Runs a command and gives its exit status, output and error output."""

    def run(*words):
        try:
            main([str(word) for word in words])
            status = 0
        except SystemExit as stopped:
            status = stopped.code or 0
        out, err = capsys.readouterr()
        return status, " ".join(out.split()), " ".join(err.split())

    return run


def test_the_whole_chain_as_typed(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("init", "study")[0] == 0
    monkeypatch.chdir(tmp_path / "study")

    def ok(*words):
        status, out, err = run(*words)
        assert status == 0, (words, out, err)
        return out

    out = ok("add", SAMPLE / "photos", "--metadata", SAMPLE / "photos.csv", "--key", "filename")
    assert "rows matched 218" in out
    ok("measure", "colour", "sharpness", "hash", "embed")
    assert "media 218" in ok("status")
    assert "3 groups" in ok("duplicates")
    assert "windmill" in ok("search", "a windmill", "--n", "5")
    assert "windmill" in ok("search", "--like", SAMPLE / "photos" / "cat_ren__windmill.webp", "--n", "3")
    ok("measure", "zeroshot", "--labels", "animal, building, tool")
    assert "8 clusters" in ok("cluster", "--k", "8")
    ok("sample", "nature", "--n", "100", "--by", "category", "--seed", "1")
    sheet = pd.read_csv("results/nature-sheet.csv", dtype=str)
    known = pd.read_csv(SAMPLE / "photos.csv").set_index("filename")["living"]
    sheet["value"] = sheet["id"].str.removeprefix("photos/").map(known)
    sheet.to_csv("codes.csv", index=False)
    assert "100 codes of nature by c1" in ok("code", "nature", "--import", "codes.csv", "--coder", "c1")
    ok("train", "nature")
    assert "accuracy" in ok("evaluate", "nature")
    assert "218 units predicted" in ok("apply", "nature")
    assert "corrected" in ok("estimate", "colourfulness ~ nature")
    assert "218 rows" in ok("table", "colour", "nature", "--format", "csv", "--out", "table.csv")
    table = pd.read_csv("table.csv")
    assert {"id", "category", "colourfulness", "nature", "nature_predicted", "nature_pi"} <= set(table.columns)
    assert "218" in ok("sql", "select count(*) as n from colour")
    assert "report.html" in ok("report").replace(" ", "")
    assert Path("results/report.html").stat().st_size > 100_000
    assert len(list(Path("runs").glob("*.json"))) >= 13


def test_dash_c_names_the_corpus_as_in_git(run, tmp_path):
    assert run("-C", tmp_path, "init", "study")[0] == 0
    assert run("-C", tmp_path / "study", "status")[0] == 0
    assert run("-C")[0] == 1


def test_errors_say_what_to_do_without_a_traceback(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, _, err = run("status")
    assert status == 1 and "visanda init" in err and "Traceback" not in err
    run("init", "study")
    status, _, err = run("-C", "study", "measure", "color")
    assert status == 1 and "colour" in err
    status, _, err = run("-C", "study", "measure", "colour", "--colors", "3")
    assert status == 1 and "colours" in err
    status, _, err = run("-C", "study", "add", "nowhere")
    assert status == 1 and "nowhere" in err


def test_a_wrong_verb_or_option_ends_in_an_error(run):
    assert run("mesure")[0] != 0
    assert run("cluster", "--kk", "3")[0] != 0


@pytest.mark.parametrize("verb", ["measures", "models"])
def test_what_there_is_can_be_listed(run, verb):
    status, out, _ = run(verb)
    assert status == 0 and "Tan & Le" in out


def test_the_demonstration_runs_and_is_made_anew(tmp_path):
    """As ``make demo`` calls it, in a process of its own."""
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-m", "visanda", "demo", tmp_path / "demo"], capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr and "Warning" not in done.stderr
    page = (tmp_path / "demo" / "results" / "report.html").read_text("utf-8")
    assert "made from the category" in page and "truth" in page


def test_the_demonstration_leaves_other_folders_alone(run, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    status, _, err = run("demo", tmp_path)
    assert status == 1 and "name another folder" in err
    assert (tmp_path / "mine.txt").exists()


def test_who_types_share_for_shares_gets_shares_and_is_told(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run("init", ".")
    for words in (("--by", "month", "--adjust"), ("--by=outlet, month",)):
        status, out, err = run("share", "protest", *words)
        assert status == 1 and "'protest' is not coded" in err and "visanda code" in err
        assert "taken as visanda shares protest --by" in " ".join(out.split()).replace("'--by", "--by")
    status, out, _ = run("share", tmp_path / "copy")
    assert "taken as" not in out  # a copy for an archive
