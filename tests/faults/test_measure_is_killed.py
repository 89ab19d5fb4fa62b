"""``visanda measure`` in a process of its own, to which bad things happen."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import visanda
from visanda import Corpus
from visanda.errors import CorpusError

PHOTOS = Path(visanda.__file__).parent / "sample" / "photos"
PATIENCE = 60  # seconds


@pytest.fixture
def corpus(tmp_path):
    corpus = Corpus.init(tmp_path / "study")
    corpus.add(PHOTOS / "cat_[fm]*")
    return corpus


def start(corpus, *words, **options):
    program = "from visanda.cli import main; main()"
    command = [sys.executable, "-c", program, "-C", str(corpus.folder), *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def wait_until(true, process):
    end = time.monotonic() + PATIENCE
    while not true():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.01)


def parts(corpus, table="embed"):
    return list((corpus.folder / "tables" / table).glob("part-*.parquet"))


def litter(corpus):
    return [path.name for path in corpus.folder.rglob(".*") if path.name != ".lock"]


def embeddings(corpus, table="embed"):
    frame = corpus.frame(f"SELECT id, embedding FROM {table} ORDER BY id")
    return frame["id"].tolist(), np.stack(frame["embedding"])


def test_killed_in_the_middle_and_run_again_it_is_as_if_nothing_had_been(corpus):
    corpus.add(PHOTOS)
    process = start(corpus, "measure", "embed", "--workers", "2")
    wait_until(lambda: parts(corpus), process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    (corpus.folder / "tables" / "embed" / ".new-part-x.parquet").write_bytes(b"what it was writing")
    before = len(embeddings(corpus)[0])
    assert 0 < before < 218

    done = corpus.measure("embed", workers=2)
    assert done["measured"].tolist() == [218 - before]
    corpus.measure("embed", name="undisturbed", workers=1)
    (ids, vectors), (ids_there, vectors_there) = embeddings(corpus), embeddings(corpus, "undisturbed")
    assert len(ids) == len(set(ids)) == 218 and ids == ids_there
    assert np.array_equal(vectors, vectors_there)
    assert litter(corpus) == [] and len(parts(corpus)) == 1


def test_interrupted_it_ends_with_130_keeps_what_is_finished_and_says_so(corpus):
    process = start(corpus, "measure", "embed", "--workers", "1")
    wait_until(lambda: parts(corpus), process)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "stopped. What was finished is kept; the same command goes on from there." in said
    assert "Traceback" not in said
    ids, _ = embeddings(corpus)
    assert 0 < len(ids) == len(set(ids)) < 55
    assert litter(corpus) == []
    run = json.loads(max((corpus.folder / "runs").glob("*-measure.json")).read_text())
    assert run["outcome"] == "interrupted" and run["counts"]["embed"]["measured"] == len(ids)


def test_while_one_measures_others_read_and_measure_elsewhere_but_not_the_same(corpus):
    process = start(corpus, "measure", "embed", "--workers", "1")
    wait_until(lambda: parts(corpus), process)
    with pytest.raises(CorpusError, match=f"process {process.pid} on .* is writing the table 'embed' now"):
        corpus.measure("embed")
    assert corpus.measure("sharpness", limit=5)["measured"].tolist() == [5]
    seen = [0]
    while process.poll() is None:
        seen.append(Corpus(corpus.folder).sql("SELECT count(*) AS n FROM embed")["n"][0])
    assert process.returncode == 0, process.communicate()
    assert seen == sorted(seen)  # rows come and never go, not even while parts are merged
    ids, _ = embeddings(corpus)
    assert len(ids) == len(set(ids)) == 55


def can_mount(folder):
    return os.geteuid() == 0 and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1200k", "tmpfs", folder], capture_output=True
    ).returncode == 0  # fmt: skip


def test_on_a_full_disk_it_says_so_keeps_what_is_finished_and_goes_on_when_there_is_room(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if not can_mount(disk):
        pytest.skip("no small disk can be mounted here; test_parts has a full disk of pretence")
    try:
        corpus = Corpus.init(disk / "study")
        corpus.add(PHOTOS / "cat_[fm]*")
        room = shutil.disk_usage(disk).free
        (disk / "ballast").write_bytes(bytes(room - 128 * 1024))  # a shard of 16 needs some 40 KiB
        process = start(corpus, "measure", "embed", "--workers", "1")
        _, said = process.communicate(timeout=PATIENCE)
        assert process.returncode == 1
        assert "cannot write" in said and "No space left on device" in said and "finished is kept" in said
        assert "Traceback" not in said
        ids, _ = embeddings(corpus)
        assert 0 < len(ids) < 55
        assert litter(corpus) == []
        (disk / "ballast").unlink()
        assert corpus.measure("embed", workers=1)["measured"].tolist() == [55 - len(ids)]
        assert len(set(embeddings(corpus)[0])) == 55
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_file_that_may_grow_no_further_is_like_a_full_disk(corpus):
    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    process = start(corpus, "measure", "embed", "--limit", "16", preexec_fn=small_files)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "cannot write" in said and "File too large" in said and "Traceback" not in said
    assert parts(corpus) == [] and litter(corpus) == []
    assert corpus.measure("embed", limit=16)["measured"].tolist() == [16]
