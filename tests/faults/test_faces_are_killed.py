"""``visanda measure faces`` in a process of its own, to which bad things happen: no face twice, and none lost."""

from __future__ import annotations

import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow
from video_media import make

import visanda
from visanda import Corpus
from visanda.media import Image

SAMPLE = Path(visanda.__file__).parent / "sample"
PATIENCE = 60  # seconds
TABLES = ("faces", "faces_by_picture")
# Small shards, and slow ones: parts are written often, and what happens to a run comes between them.
SLOW = """
import time
from visanda.run import pictures, album
pictures.SHARD = pictures.BATCH = album.SHARD = album.BATCH = 4
find_in, rows = pictures.find_in, pictures.rows
pictures.find_in = lambda *given: (time.sleep(0.15), find_in(*given))[1]
pictures.rows = lambda *given: (time.sleep(0.05), rows(*given))[1]
from visanda.cli import main
main()
"""
# Killed when faces of a shard are written, and the list of the pictures in which they are is not.
BETWEEN = """
import os, signal
from visanda.parts import Parts
from visanda.run import pictures, album
pictures.SHARD = pictures.BATCH = album.SHARD = album.BATCH = 4
append, written = Parts.append, []
def last_word(self, rows, stem):
    if self.folder.name == "faces_by_picture":
        written.append(stem)
        if len(written) == 3:
            os.kill(os.getpid(), signal.SIGKILL)
    return append(self, rows, stem)
Parts.append = last_word
from visanda.cli import main
main()
"""


def views(number: int) -> list[np.ndarray]:
    """Pictures with one or two portraits, somewhere else in each; every fifth shows nobody."""
    astronaut = Image.of(SAMPLE / "faces" / "astronaut.jpg").pixels
    admiral = cv2.resize(Image.of(SAMPLE / "faces" / "admiral.jpg").pixels, (300, 352))
    made = []
    for n in range(number):
        picture = np.full((240, 400, 3), 90, np.uint8)
        if n % 5:
            picture[:, 10 + n : 180 + n] = astronaut[20:260, 110:280]
        if n % 5 > 2:
            picture[:, 230:395] = admiral[40 + n : 280 + n, 75:240]
        made.append(picture)
    return made


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty pictures, of which one is none; and a video of them."""
    folder = tmp_path_factory.mktemp("killed") / "m"
    folder.mkdir()
    pictures = views(40)
    for number, pixels in enumerate(pictures):
        Pillow.fromarray(pixels).save(folder / f"{number:02d}.png")
    (folder / "07.png").write_bytes(b"no picture")
    make(folder / "film.mp4", pictures, rate=5, options={"g": "10"})
    return folder


def study(media: Path, folder: Path) -> Corpus:
    corpus = Corpus.init(folder)
    corpus.add(media)
    corpus.frames(nth=1)
    return corpus


@pytest.fixture(scope="module")
def undisturbed(media: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    """What a run gives to which nothing happens, on pictures and on frames."""
    corpus = study(media, tmp_path_factory.mktemp("undisturbed") / "study")
    found = {}
    for on in ("image", "frame"):
        corpus.measure("faces", on=on, replace=True, name=on)
        found[on] = rows(corpus, on)
    assert len(found["image"]["faces"]) > 40 and len(found["frame"]["faces"]) > 40
    return found


@pytest.fixture
def corpus(media: Path, tmp_path: Path) -> Corpus:
    return study(media, tmp_path / "study")


def rows(corpus: Corpus, name: str = "faces") -> dict[str, list]:
    """All rows of both tables; a face that is there twice is there twice."""
    return {
        table: corpus.parts(table.replace("faces", name, 1)).read().sort_by("id").to_pylist()
        for table in TABLES
    }  # fmt: skip


def start(corpus: Corpus, *words: str, program: str = SLOW, **options) -> subprocess.Popen:
    command = [sys.executable, "-c", program, "-C", str(corpus.folder), *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def parts(corpus: Corpus, table: str) -> list[Path]:
    return list((corpus.folder / "tables" / table).glob("part-*.parquet"))


def wait_until(true, process: subprocess.Popen) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.005)


def litter(corpus: Corpus) -> list[str]:
    return [path.name for path in corpus.folder.rglob(".*") if path.name != ".lock"]


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("on", ["image", "frame"])
def test_killed_in_the_middle_and_run_again_it_is_as_if_nothing_had_been(corpus, undisturbed, on, workers):
    process = start(corpus, "measure", "faces", "--on", on, "--workers", workers)
    wait_until(lambda: len(parts(corpus, "faces_by_picture")) > 1, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    there = rows(corpus)["faces_by_picture"]
    assert 4 < len(there) < 40
    said = corpus.measure("faces", on=on).set_index("table")
    assert said.loc["faces_by_picture", "measured"] + said.loc["faces_by_picture", "failed"] == 40 - len(there)
    assert rows(corpus) == undisturbed[on]
    assert litter(corpus) == []


@pytest.mark.parametrize("on", ["image", "frame"])
def test_killed_between_its_two_tables_it_takes_back_what_nobody_listed(corpus, undisturbed, on):
    process = start(corpus, "measure", "faces", "--on", on, "--workers", "1", program=BETWEEN)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGKILL
    there = rows(corpus)
    listed = {row["id"] for row in there["faces_by_picture"]}
    unlisted = {row["picture"] for row in there["faces"]} - listed
    assert len(listed) == 8 and unlisted, "the kill came too late to test anything"
    corpus.measure("faces", on=on)
    assert rows(corpus) == undisturbed[on]


def test_killed_again_and_again_it_comes_to_its_end(corpus, undisturbed):
    for turn in range(1, 4):
        process = start(corpus, "measure", "faces", "--workers", "1", program=BETWEEN)
        process.communicate(timeout=PATIENCE)
        assert process.returncode == -signal.SIGKILL
        assert len(rows(corpus)["faces_by_picture"]) == 8 * turn
    corpus.measure("faces")
    assert rows(corpus) == undisturbed["image"]


def test_killed_while_faces_are_measured_each_is_measured_once(corpus):
    corpus.measure("faces")
    process = start(corpus, "measure", "identity", "sharpness", "--on", "face", "--workers", "1")
    wait_until(lambda: len(parts(corpus, "sharpness")) > 1, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    ids = [row["id"] for row in rows(corpus)["faces"]]
    assert 0 < len(corpus.parts("sharpness")) < len(ids)
    corpus.measure("identity", "sharpness", on="face")
    corpus.measure("identity", name="undisturbed", on="face", workers=1)
    again, wanted = (corpus.parts(name).read().sort_by("id") for name in ("identity", "undisturbed"))
    assert again["id"].to_pylist() == ids == corpus.parts("sharpness").read().sort_by("id")["id"].to_pylist()
    assert again.to_pylist() == wanted.to_pylist()


def test_interrupted_it_ends_with_130_and_goes_on(corpus, undisturbed):
    process = start(corpus, "measure", "faces", "--on", "frame", "--workers", "1")
    wait_until(lambda: parts(corpus, "faces_by_picture"), process)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130 and "Traceback" not in said
    listed = [row["id"] for row in rows(corpus)["faces_by_picture"]]
    assert 0 < len(listed) == len(set(listed)) <= 40  # where the machine is busy, the signal comes late
    assert {row["picture"] for row in rows(corpus)["faces"]} <= set(listed)
    corpus.measure("faces", on="frame")
    assert rows(corpus) == undisturbed["frame"]


@pytest.mark.parametrize("on", ["image", "frame"])
def test_a_file_that_may_grow_no_further_is_like_a_full_disk(corpus, undisturbed, on):
    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, 4_000))  # a list of pictures fits, faces do not

    process = start(corpus, "measure", "faces", "--on", on, "--workers", "1", preexec_fn=small_files)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "cannot write" in said and "File too large" in said and "Traceback" not in said
    assert litter(corpus) == []
    corpus.measure("faces", on=on)
    assert rows(corpus) == undisturbed[on]


def test_on_a_full_disk_it_says_so_and_goes_on_when_there_is_room(media, tmp_path, undisturbed):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1200k", "tmpfs", disk]
    try:
        if subprocess.run(mount, capture_output=True).returncode:
            pytest.skip("no small disk can be mounted here; above, a file that may grow no further stands in for it")
    except FileNotFoundError:
        pytest.skip("nothing can be mounted here")
    try:
        corpus = study(media, disk / "study")
        room = shutil.disk_usage(disk).free
        (disk / "ballast").write_bytes(bytes(room - 96 * 1024))
        process = start(corpus, "measure", "faces", "--workers", "1")
        _, said = process.communicate(timeout=PATIENCE)
        assert process.returncode == 1
        assert "cannot write" in said and "No space left on device" in said and "Traceback" not in said
        listed = rows(corpus)["faces_by_picture"]
        assert 0 < len(listed) < 40 and litter(corpus) == []
        (disk / "ballast").unlink()
        corpus.measure("faces")
        assert rows(corpus) == undisturbed["image"]
    finally:
        subprocess.run(["umount", disk], check=True)
