"""``share``: what leaves home, and what does not."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import visanda
from visanda.corpus import Corpus
from visanda.corpus.share import archive as archive_module
from visanda.corpus.share.disclosure import plain_error
from visanda.corpus.sharing import Sharing
from visanda.errors import CorpusError, InputError
from visanda.media import decode, save
from visanda.privacy import Listing, Redaction

SAMPLE = Path(visanda.__file__).parent / "sample"


def share(corpus: Corpus, out: Path, **options):
    return Sharing(corpus.folder).share(out, **options)


def everything(folder: Path) -> str:
    """All that can be read in a folder: names of files, their text, and tables as text."""
    found = []
    for path in sorted(folder.rglob("*")):
        found.append(path.relative_to(folder).as_posix())
        if path.suffix == ".parquet":
            found += [json.dumps(pq.read_table(path).to_pylist(), default=str), str(pq.read_schema(path).metadata)]
        elif path.is_file():
            found.append(path.read_bytes().decode("utf-8", "replace"))
    return "\n".join(found)


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_nothing_in_the_copy_names_a_file_a_person_or_a_place(studied: Corpus, tmp_path: Path):
    rows = studied.frame("SELECT id, filename, author, source, sha256 FROM media")
    coder = next((studied.folder / "codes" / "nature").glob("*.csv"))
    coder.rename(coder.with_name("Annabella.csv"))
    share(studied, tmp_path / "copy", groups=["author"], keep=["category"])
    text = everything(tmp_path / "copy")
    names = {*rows["id"], *rows["filename"], *rows["sha256"], *rows["source"]}
    names |= {name.split(".")[0] for name in rows["filename"]}
    names |= {name for name in rows["author"] if len(name) > 4}
    names |= {str(SAMPLE), str(studied.folder), str(tmp_path), f"{Path.home()}/", "wikimedia", "://", "Annabella"}
    names -= {"anonymous"}  # an author, and a word of the manifest
    assert not {name for name in names if name in text}


def test_the_analysis_can_be_repeated_from_the_copy(studied: Corpus, tmp_path: Path):
    share(studied, tmp_path / "copy", keep=["category", "living"], groups=["author"])
    copy = Corpus(tmp_path / "copy")
    for formula in ("colourfulness ~ nature", "nature", "brightness ~ nature + category"):
        home = studied.estimate(formula).table
        there = copy.estimate(formula).table
        pd.testing.assert_frame_equal(home, there, check_exact=False, rtol=1e-9)
    home, there = studied.reliability("nature"), copy.reliability("nature")
    pd.testing.assert_frame_equal(home.table.select_dtypes("number"), there.table.select_dtypes("number"))
    assert copy.status().table["rows"].sum() == studied.status().table.set_index("table")["rows"].sum()
    assert len(copy.table("colour", "nature")) == 218
    assert set(copy.sql("select category from media")["category"]) == set(
        studied.sql("select category from media")["category"]
    )


def test_the_same_rows_say_the_same(studied: Corpus, tmp_path: Path):
    share(studied, tmp_path / "copy")
    names = pd.read_csv(studied.folder / "private" / "pseudonyms.csv").set_index("id")["pseudonym"]
    home = studied.frame("SELECT * FROM colour")
    there = Corpus(tmp_path / "copy").frame("SELECT * FROM colour").set_index("id")
    there = there.loc[names.loc[home["id"]]].reset_index(drop=True)
    pd.testing.assert_frame_equal(home.drop(columns="id"), there)


def test_videos_and_what_is_inside_them(tmp_path: Path):
    corpus = Corpus.init(tmp_path / "study")
    corpus.add(str(SAMPLE / "videos"))
    corpus.frames(every="10s")
    corpus.measure("colour", on="frame")
    corpus.measure("loudness")
    share(corpus, tmp_path / "copy")
    copy = Corpus(tmp_path / "copy")
    frames = copy.frame("SELECT * FROM frames")
    assert len(frames) == len(corpus.frame("SELECT * FROM frames"))
    assert set(frames["parent"]) == set(copy.frame("SELECT id FROM media")["id"])
    assert all(id.startswith(f"{parent}#t=") for id, parent in zip(frames["id"], frames["parent"], strict=True))
    text = everything(tmp_path / "copy")
    assert "session" not in text
    assert "trailer" not in text
    assert "no sound" in text  # why one failed is still said
    assert len(copy.table("colour", on="frame")) == len(frames)
    assert copy.progress("loudness").read()["id"].to_pylist()
    assert any("Times inside videos" in warning for warning in share(corpus, tmp_path / "again").warnings)


def test_the_same_corpus_gives_the_same_bytes(studied: Corpus, tmp_path: Path):
    share(studied, tmp_path / "one")
    share(studied, tmp_path / "two")
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


def test_the_manifest_lists_every_file_with_its_hash(studied: Corpus, tmp_path: Path):
    share(studied, tmp_path / "copy")
    said = json.loads((tmp_path / "copy" / "manifest.json").read_text())
    there = digests(tmp_path / "copy")
    assert said["files"] == {
        name: there[name] for name in there if name not in ("MANIFEST.md", "manifest.json", "README.md")
    }
    removed = {one["what"]: one for one in said["removed"]}
    assert removed["media.sha256"]["count"] == 218
    assert removed["embed.embedding"]["count"] == 218
    assert "media.source" in removed
    assert not [path for path in (tmp_path / "copy").rglob("*") if path.suffix in (".jpg", ".webp", ".html")]


def test_ones_own_columns_stay_at_home_unless_they_are_named(studied: Corpus, tmp_path: Path):
    result = share(studied, tmp_path / "copy", keep=["category"], groups="author,scene")
    media = Corpus(tmp_path / "copy").frame("SELECT * FROM media")
    assert {"category", "author", "scene"} <= set(media)
    assert not {"subject", "source", "filename", "licence", "taken", "camera", "bytes"} & set(media)
    home = studied.frame("SELECT author FROM media")["author"]
    assert sorted(media["author"].value_counts()) == sorted(home.value_counts())
    assert not set(media["author"]) & set(home)
    assert any("smallest group" in word for word in result.words)


def test_a_column_that_names_files_is_refused(studied: Corpus, tmp_path: Path):
    for column in ("filename", "source"):
        with pytest.raises(InputError, match="names of files"):
            share(studied, tmp_path / "copy", keep=[column])
    assert not (tmp_path / "copy").exists()
    assert not list(tmp_path.glob(".copy*"))


def test_what_an_estimate_needs_and_stays_at_home_is_said(studied: Corpus, tmp_path: Path):
    studied.estimate("colourfulness ~ nature + category")
    assert any("'category'" in text for text in share(studied, tmp_path / "one").warnings)
    assert not any("'category'" in text for text in share(studied, tmp_path / "two", keep=["category"]).warnings)


def test_the_condition_of_an_estimate_stays_at_home(studied: Corpus, tmp_path: Path):
    studied.estimate("nature", where="author <> 'Ada Lovelace'", name="some")
    share(studied, tmp_path / "copy")
    shared = (tmp_path / "copy" / "results" / "some.json").read_text("utf-8")
    assert "nature" in shared and "Lovelace" not in shared


def test_words_and_fingerprints_only_when_asked(studied: Corpus, tmp_path: Path):
    ids = studied.frame("SELECT id FROM media ORDER BY id LIMIT 3")["id"].to_list()
    rows = {"id": ids, "parent": ids, "text": ["Ada Lovelace", "STOP", None], "confidence": [0.9, 0.8, None]}
    faces = {"id": [f"{id}#xywh=1,2,30,40" for id in ids], "parent": ids, "person": ["Ada", "Ada", None]}
    faces |= {"age": [30.5, 40.0, 20.0], "identity": [[0.5] * 128] * 3, "error": [None, None, f"{ids[2]}: no face"]}
    for name, table in (("text", rows), ("faces", faces), ("persons", {"id": ["Ada"], "faces": [2]})):
        with studied.parts(name).writing():
            studied.parts(name).append(pa.table(table), "made")
    share(studied, tmp_path / "plain")
    plain = Corpus(tmp_path / "plain")
    assert plain.column_names("text") == ["id", "parent", "confidence"]
    assert set(plain.column_names("faces")) == {"id", "parent", "age", "error"}
    assert plain.frame("SELECT error FROM faces WHERE error IS NOT NULL")["error"].to_list() == ["no face"]
    assert "persons" not in plain.tables()
    assert "Lovelace" not in everything(tmp_path / "plain")
    assert plain.frame("SELECT * FROM faces JOIN media ON media.id = faces.parent").shape[0] == 3
    full = share(studied, tmp_path / "full", vectors=True, words=True, identities=True)
    there = Corpus(tmp_path / "full")
    assert {"person", "identity"} <= set(there.column_names("faces"))
    assert "embedding" in there.column_names("embed")
    assert "text" in there.column_names("text")
    assert any("names people" in text for text in full.warnings)
    assert any("age" in text for text in full.warnings)


def test_codes_that_look_like_free_text_stay_at_home(studied: Corpus, tmp_path: Path):
    ids = studied.frame("SELECT id FROM media ORDER BY id LIMIT 40")["id"]
    sheet = pd.DataFrame({"id": ids, "value": [f"a person called {i}" for i in range(40)]})
    studied.code("who", import_=sheet, coder="anna")
    share(studied, tmp_path / "copy")
    assert not (tmp_path / "copy" / "codes" / "who").exists()
    assert "called 7" not in everything(tmp_path / "copy")
    share(studied, tmp_path / "asked", keep=["who"])
    assert (tmp_path / "asked" / "codes" / "who").exists()


def test_thumbnails_come_from_clean_copies_only(photos: Callable[[int], Corpus], tmp_path: Path):
    corpus = photos(5)
    rows = corpus.frame("SELECT id, path FROM media ORDER BY id").to_dict("records")
    folder = tmp_path / "redacted"
    listing = Listing.open(folder, {"faces": "fill"}, "about", replace=False)
    for row in rows:
        pixels = np.array(decode(Path(row["path"]).read_bytes()).pixels)
        pixels[:40] = 0
        (folder / row["id"]).parent.mkdir(parents=True, exist_ok=True)
        save(pixels, folder / row["id"])
    for row, remaining in zip(rows[:4], (0, 0, 0, 1), strict=True):  # the last is not listed
        listing.add(Redaction(row["id"], row["id"], "image", remaining=remaining))
    result = share(corpus, tmp_path / "copy", redacted=folder)
    pictures = sorted((tmp_path / "copy" / "thumbnails").iterdir())
    assert len(pictures) == 3
    assert any("2 pictures have no clean copy" in text for text in result.warnings)
    shown = decode(pictures[0].read_bytes())
    assert max(shown.width, shown.height) <= 256
    assert shown.pixels[:5].max() < 40
    copy = Corpus(tmp_path / "copy")
    paths = copy.frame("SELECT path FROM media")["path"]
    assert sum(copy.resolve(path).exists() for path in paths) == 3
    shutil.copy(rows[0]["path"], folder / rows[0]["id"])
    with pytest.raises(InputError, match="is an original"):
        share(corpus, tmp_path / "other", redacted=folder)
    with pytest.raises(InputError, match="no folder of redacted copies"):
        share(corpus, tmp_path / "other", redacted=SAMPLE / "photos")


def test_a_folder_in_which_nothing_was_hidden_gives_no_thumbnails(photos: Callable[[int], Corpus], tmp_path: Path):
    Listing.open(tmp_path / "plain", {"faces": None, "people": False, "text": False}, "about", replace=False)
    with pytest.raises(InputError, match="nothing was hidden"):
        share(photos(2), tmp_path / "copy", redacted=tmp_path / "plain")


def test_pictures_that_were_not_shared_fail_with_a_reason(photos: Callable[[int], Corpus], tmp_path: Path):
    share(photos(3), tmp_path / "copy")
    copy = Corpus(tmp_path / "copy")
    copy.measure("sharpness")
    errors = copy.frame("SELECT error FROM sharpness")["error"]
    assert len(errors) == 3
    assert errors.str.contains("not-shared/u").all()


def test_names_are_kept_when_asked(photos: Callable[[int], Corpus], tmp_path: Path):
    corpus = photos(3)
    share(corpus, tmp_path / "copy", names=True)
    assert set(Corpus(tmp_path / "copy").frame("SELECT id FROM media")["id"]) == set(
        corpus.frame("SELECT id FROM media")["id"]
    )
    assert str(SAMPLE) not in everything(tmp_path / "copy")


def test_the_key_stays_at_home(photos: Callable[[int], Corpus], tmp_path: Path):
    corpus = photos(3)
    share(corpus, tmp_path / "copy")
    key = tomllib.loads((corpus.folder / "private" / "share-key.toml").read_text())["key"]
    assert key not in everything(tmp_path / "copy")
    names = pd.read_csv(corpus.folder / "private" / "pseudonyms.csv").set_index("id")["pseudonym"]
    assert set(Corpus(tmp_path / "copy").frame("SELECT id FROM media")["id"]) <= {*names}
    share(corpus, tmp_path / "other", key=tmp_path / "elsewhere" / "key.toml")
    assert not set(Corpus(tmp_path / "other").frame("SELECT id FROM media")["id"]) & {*names}
    assert (tmp_path / "elsewhere" / "pseudonyms.csv").exists()


def test_a_folder_that_holds_something_is_left_alone(photos: Callable[[int], Corpus], tmp_path: Path):
    corpus = photos(2)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="holds something"):
        share(corpus, tmp_path / "full")
    for inside in (corpus.folder / "copy", corpus.folder, corpus.folder.parent):
        with pytest.raises(InputError):
            share(corpus, inside)
    with pytest.raises(InputError, match="nothing here is called"):
        share(corpus, tmp_path / "copy", keep=["catgory"])
    (tmp_path / "empty").mkdir()
    share(corpus, tmp_path / "empty")
    assert Corpus(tmp_path / "empty").tables() == ["media"]


def test_a_full_disk_leaves_nothing(studied: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    whole, written = archive_module.pq.write_table, []

    def full(rows, target, *more):
        written.append(target)
        if len(written) == 4:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        whole(rows, target, *more)

    monkeypatch.setattr(archive_module.pq, "write_table", full)
    with pytest.raises(CorpusError, match="No space left"):
        share(studied, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    assert not list(tmp_path.glob(".copy*"))
    monkeypatch.undo()
    share(studied, tmp_path / "copy")
    assert Corpus(tmp_path / "copy").tables() == studied.tables()


KILLED = """
import os, sys, signal
from visanda.corpus.share import archive
from visanda.corpus.sharing import Sharing
whole, count = archive.pq.write_table, 0
def dying(*words):
    global count
    count += 1
    if count == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    whole(*words)
archive.pq.write_table = dying
Sharing(sys.argv[1]).share(sys.argv[2])
"""


def test_a_killed_copy_is_none(studied: Corpus, tmp_path: Path):
    out = tmp_path / "copy"
    ended = subprocess.run([sys.executable, "-c", KILLED, str(studied.folder), str(out)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert not out.exists()
    share(studied, out)
    assert Corpus(out).tables() == studied.tables()
    assert not list(tmp_path.glob(".copy*"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/home/ada/a b.jpg: there is no such file", "there is no such file"),
        ("no sound: the file has no sound stream", "no sound: the file has no sound stream"),
        ("C:\\pictures\\x.jpg: broken", "broken"),
        ("cannot open a_party.jpg", "failed; the reason stays at home"),
        ("colour: ValueError: in '/tmp/x'", "failed; the reason stays at home"),
    ],
)
def test_reasons_are_told_without_names(text: str, said: str):
    assert plain_error(text, "photos/a_party.jpg") == said
