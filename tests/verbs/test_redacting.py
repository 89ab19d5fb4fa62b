"""``redact``: copies in which nobody is found any more, and a list that says so."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image as Pillow

import visanda
from visanda.corpus import Corpus
from visanda.corpus import redacting as room
from visanda.corpus.looking import distinct
from visanda.corpus.redacting import Redacting
from visanda.corpus.sharing import Sharing
from visanda.errors import CorpusError, InputError
from visanda.measures.text import read_lines
from visanda.media import Video, load, save
from visanda.models import yunet
from visanda.privacy import metadata_left
from visanda.privacy.film import Film

SAMPLE = Path(visanda.__file__).parent / "sample"
FACES = SAMPLE / "faces"
MUSIC = SAMPLE / "photos" / "expl_music__mexico.webp"
GPS = {1: "N", 2: (52.0, 31.0, 0.0), 3: "E", 4: (13.0, 24.0, 0.0)}


def redact(corpus: Corpus, out: Path, **options):
    return Redacting(corpus.folder).redact(out=out, **options)


def listed(out: Path) -> pd.DataFrame:
    return pd.read_csv(out / "redactions.csv", keep_default_na=False).set_index("id")


def corpus_of(folder: Path, **pictures: Path | Pillow.Image | np.ndarray) -> Corpus:
    """A corpus of pictures beside it in ``pictures``; ids are pictures/NAME.jpg and the like."""
    media = folder / "pictures"
    media.mkdir(parents=True)
    for name, what in pictures.items():
        if isinstance(what, Path):
            shutil.copy(what, media / (name + what.suffix))
        elif isinstance(what, Pillow.Image):
            what.save(media / f"{name}.{'png' if what.mode in ('LA', 'RGBA', 'P') else 'jpg'}", quality=95)
        else:
            save(what, media / f"{name}.png")
    corpus = Corpus.init(folder / "study")
    corpus.add(str(media))
    return corpus


def video_of(path: Path, picture: Path, seconds: float = 1.0) -> Path:
    """A film of one picture that moves slowly to the side, with the sound of a sample."""
    pixels = load(picture).pixels[:400, :400]
    sample = SAMPLE / "videos" / "trailer.mp4"
    with Video(sample) as source, Film(path, "mp4", 25, sample) as film:
        for number, frame in enumerate(source.frames()):
            if frame.time > seconds:
                break
            film.add(frame, np.ascontiguousarray(np.roll(pixels, number, axis=1)))
        film.end()
    return path


def faces_in(path: Path, score: float = 0.7) -> int:
    return len(yunet.detect(load(path).pixels, score=score))


@pytest.mark.parametrize("how", ["blur", "pixelate", "fill"])
def test_no_face_is_found_in_the_copies(tmp_path: Path, how):
    corpus = corpus_of(tmp_path, one=FACES / "astronaut.jpg", two=FACES / "admiral.jpg", many=MUSIC)
    result = redact(corpus, tmp_path / "share", faces=how)
    rows = listed(tmp_path / "share")
    assert len(rows) == 3 and (rows["faces"] > 0).all() and (rows["error"] == "").all()
    for row in rows.itertuples():
        assert faces_in(tmp_path / row.file) > 0 and faces_in(tmp_path / "share" / row.file) == 0
    assert result.words[0].startswith(f"3 copies: {rows['faces'].sum()} faces hidden")
    assert (corpus.results / "redacted.jpg").exists()
    assert corpus.frame("SELECT count(*) AS n FROM media")["n"][0] == 3
    assert "not" in (tmp_path / "share" / "README.txt").read_text("utf-8")


def test_faces_that_lie_on_their_side_are_hidden_too(tmp_path: Path):
    pixels = load(FACES / "admiral.jpg").pixels
    turned = {f"turned{k}": np.ascontiguousarray(np.rot90(pixels, k)) for k in range(4)}
    corpus = corpus_of(tmp_path, **turned)
    redact(corpus, tmp_path / "share", faces="fill")
    for quarter in range(4):
        copy = np.rot90(load(tmp_path / "share" / "pictures" / f"turned{quarter}.png").pixels, -quarter)
        middle = copy[120 + 60 : 120 + 150, 183 + 40 : 183 + 130]
        assert middle.max() == 0, quarter


def test_nothing_but_the_pixels_is_in_a_copy_and_it_is_upright(tmp_path: Path):
    portrait = Pillow.open(FACES / "astronaut.jpg")
    exif = Pillow.Exif()
    exif[0x0112], exif[0x010F], exif[0x8825] = 6, "Camera of Jane", GPS
    (tmp_path / "pictures").mkdir()
    source = tmp_path / "pictures" / "jane.jpg"
    portrait.transpose(Pillow.Transpose.ROTATE_90).save(source, exif=exif, comment=b"Jane at home", quality=95)
    corpus = Corpus.init(tmp_path / "study")
    corpus.add(str(source.parent))
    assert "GPS" in metadata_left(source)
    redact(corpus, tmp_path / "share", faces="blur")
    copy = tmp_path / "share" / "pictures" / "jane.jpg"
    assert metadata_left(copy) == [] and b"Jane" not in copy.read_bytes()
    assert faces_in(copy) == 0
    below = np.s_[300:, :]  # her suit, where nothing is hidden: upright, it is where it was
    difference = np.abs(load(copy).pixels[below].astype(int) - load(FACES / "astronaut.jpg").pixels[below])
    assert difference.mean() < 4


def test_only_metadata_go_when_asked(tmp_path: Path):
    exif = Pillow.Exif()
    exif[0x8825] = GPS
    (tmp_path / "pictures").mkdir()
    Pillow.open(FACES / "astronaut.jpg").save(tmp_path / "pictures" / "a.jpg", exif=exif)
    corpus = Corpus.init(tmp_path / "study")
    corpus.add(str(tmp_path / "pictures"))
    redact(corpus, tmp_path / "share", metadata_only=True)
    copy = tmp_path / "share" / "pictures" / "a.jpg"
    assert metadata_left(copy) == [] and faces_in(copy) == 1


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "CMYK", "P"])
def test_pictures_of_all_kinds(tmp_path: Path, mode):
    picture = Pillow.open(FACES / "astronaut.jpg")
    converted = picture.convert("L").convert(mode) if mode == "LA" else picture.convert(mode)
    redact(corpus_of(tmp_path, a=converted), tmp_path / "share", faces="fill")
    (row,) = listed(tmp_path / "share").itertuples()
    assert row.faces >= 1 and faces_in(tmp_path / "share" / row.file) == 0


def test_a_picture_with_300_faces(tmp_path: Path):
    face = cv2.resize(load(FACES / "astronaut.jpg").pixels[20:260, 90:330], (80, 80), interpolation=cv2.INTER_AREA)
    crowd = np.tile(face, (15, 20, 1))
    redact(corpus_of(tmp_path, crowd=crowd), tmp_path / "share", faces="fill")
    (row,) = listed(tmp_path / "share").itertuples()
    assert row.faces >= 300 and row.remaining == 0
    assert len(yunet.detect(load(tmp_path / "share" / row.file).pixels, tiles=True)) == 0


def test_what_was_measured_is_hidden_though_it_is_not_found_now(tmp_path: Path, monkeypatch):
    corpus = corpus_of(tmp_path, a=FACES / "astronaut.jpg")
    corpus.measure("faces")
    monkeypatch.setattr(room.Search, "in_picture", lambda self, pixels: {"face": np.empty((0, 4))})
    redact(corpus, tmp_path / "share", faces="fill")
    assert listed(tmp_path / "share")["faces"].tolist() == [1]
    assert faces_in(tmp_path / "share" / "pictures" / "a.jpg") == 0


def test_people_are_hidden_whole(tmp_path: Path):
    corpus = corpus_of(tmp_path, a=FACES / "admiral.jpg")
    redact(corpus, tmp_path / "share", people=True)
    (row,) = listed(tmp_path / "share").itertuples()
    assert row.people >= 1 and row.faces == 0
    assert (load(tmp_path / "share" / row.file).pixels.max(axis=2) < 20).mean() > 0.4


def test_text_is_hidden_as_faces_are(tmp_path: Path):
    pytest.importorskip("rapidocr", reason="pip install '.[ocr]'")
    pixels = np.full((400, 700, 3), 255, np.uint8)
    cv2.putText(pixels, "MAIN STREET 42", (40, 120), cv2.FONT_HERSHEY_SIMPLEX, 2, (0, 0, 0), 4)
    pixels[180:, 450:] = load(FACES / "astronaut.jpg").pixels[:220, 90:340]
    redact(corpus_of(tmp_path, sign=pixels), tmp_path / "share", faces="blur", text=True)
    (row,) = listed(tmp_path / "share").itertuples()
    assert row.text == 1 and row.faces == 1 and row.remaining == 0
    copy = load(tmp_path / "share" / row.file)
    assert not [line for line in read_lines(copy, 2000) if line.polygon[:, 1].max() < 170]  # where the sign is


def test_a_broken_picture_is_a_line_and_no_file(tmp_path: Path):
    corpus = corpus_of(tmp_path, good=FACES / "astronaut.jpg", late=FACES / "admiral.jpg")
    (tmp_path / "pictures" / "broken.jpg").write_bytes((FACES / "admiral.jpg").read_bytes()[:9000])
    corpus.add(str(tmp_path / "pictures"))
    (tmp_path / "pictures" / "late.jpg").unlink()  # after it was added
    result = redact(corpus, tmp_path / "share", faces="blur")
    rows = listed(tmp_path / "share")
    assert rows.loc["pictures/good.jpg", "error"] == ""
    for name in ("broken", "late"):
        assert rows.loc[f"pictures/{name}.jpg", "error"] and rows.loc[f"pictures/{name}.jpg", "file"] == ""
    assert sorted(path.name for path in (tmp_path / "share" / "pictures").iterdir()) == ["good.jpg"]
    assert sum("no copy" in text for text in result.warnings) == 2
    assert str(tmp_path) not in (tmp_path / "share" / "redactions.csv").read_text("utf-8")


def test_what_is_there_is_not_made_again(tmp_path: Path):
    corpus = corpus_of(tmp_path, a=FACES / "astronaut.jpg", b=FACES / "admiral.jpg")
    out = tmp_path / "share"
    redact(corpus, out, faces="blur", limit=1)
    (first,) = (out / "pictures").iterdir()
    before = first.stat().st_mtime_ns
    redact(corpus, out, faces="blur")
    assert len(list((out / "pictures").iterdir())) == 2 and first.stat().st_mtime_ns == before
    first.unlink()
    redact(corpus, out, faces="blur")
    assert first.exists()
    with pytest.raises(InputError, match="--replace"):
        redact(corpus, out, faces="fill")
    redact(corpus, out, faces="fill", replace=True, limit=1)
    assert len(list((out / "pictures").iterdir())) == 1 and len(listed(out)) == 1


def test_a_killed_command_goes_on_where_it_was(tmp_path: Path):
    pictures = {f"p{number:02}": FACES / "astronaut.jpg" for number in range(30)}
    corpus = corpus_of(tmp_path, **pictures)
    out = tmp_path / "share"
    call = f"Redacting({str(corpus.folder)!r}).redact(out={str(out)!r}, faces='blur')"
    code = f"from visanda.corpus.redacting import Redacting; {call}"
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (out / "redactions.csv").exists() or (out / "redactions.csv").read_text().count("\n") < 4:
        assert child.poll() is None
        time.sleep(0.01)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    with (out / "redactions.csv").open("a") as file:
        file.write("pictures/p29.jpg,pictures/p2")  # a line without its end
    done = {path: path.stat().st_mtime_ns for path in (out / "pictures").glob("[!.]*")}
    assert 0 < len(done) < 30
    names = {row.file for row in listed(out).itertuples() if isinstance(row.file, str)}
    redact(corpus, out, faces="blur")
    rows = listed(out)
    assert len(rows) == 30 and (rows["error"] == "").all()
    assert sorted(path.name for path in (out / "pictures").iterdir()) == [f"p{number:02}.jpg" for number in range(30)]
    kept = [path for path, when in done.items() if path.stat().st_mtime_ns == when]
    assert len(kept) >= len(names) - 1


def test_a_full_disk_stops_the_work_and_says_so(tmp_path: Path, monkeypatch):
    corpus = corpus_of(tmp_path, a=FACES / "astronaut.jpg")

    def full(*arguments, **options):
        try:
            raise OSError(28, "No space left on device")
        except OSError as error:
            raise InputError("cannot be written") from error

    monkeypatch.setattr(room, "redact_picture", full)
    with pytest.raises(CorpusError, match="No space left"):
        redact(corpus, tmp_path / "share", faces="blur")


def test_originals_and_other_folders_are_left_alone(tmp_path: Path):
    corpus = corpus_of(tmp_path, a=FACES / "astronaut.jpg")
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "text.txt").write_text("mine")
    before = (tmp_path / "pictures" / "a.jpg").read_bytes()
    (tmp_path / "link").symlink_to(tmp_path / "pictures")
    for out in ("pictures", "link", "thesis", "thesis/text.txt", "study", "study/tables", ".", "study/tables/media"):
        with pytest.raises(InputError):
            redact(corpus, tmp_path / out, faces="blur")
    assert (tmp_path / "pictures" / "a.jpg").read_bytes() == before
    redact(corpus, corpus.folder / "share", faces="blur")
    assert (corpus.folder / "share" / "pictures" / "a.jpg").exists()


def test_names_never_leave_the_folder_and_never_meet():
    def row(id: str, format: str = "JPEG"):
        return {"id": id, "kind": "image", "path": id, "format": format, "duration": None, "error": None}

    ids = ["/etc/a.jpg", "../../b.jpg", "x/../c.jpg", "d.tif", "d.tif.png", "E.jpg", "e.jpg", "f%23.jpg", "g"]
    files = [one.file for one in room._targets([row(id, "TIFF" if id == "d.tif" else "JPEG") for id in ids])]
    assert files == [
        *("etc/a.jpg", "b.jpg", "x/c.jpg", "d.tif.png", "d.tif-2.png", "E.jpg", "e-2.jpg", "f#.jpg", "g.jpg")
    ]


def test_something_must_be_hidden(tmp_path: Path):
    corpus = corpus_of(tmp_path, a=FACES / "astronaut.jpg")
    for wrong in ({}, {"faces": "blur", "metadata_only": True}, {"faces": "blur", "score": 2.0}):
        with pytest.raises(InputError):
            redact(corpus, tmp_path / "share", **wrong)
    with pytest.raises(InputError, match="half a second"):
        redact(corpus, tmp_path / "share", faces="blur", every="2s")
    assert not (tmp_path / "share").exists()


def test_two_looks_at_one_face_are_one_box():
    boxes = np.array([[10, 10, 40, 50], [12, 9, 40, 50], [200, 10, 40, 50.0]])
    assert distinct(boxes).tolist() == [[10, 9, 42, 51], [200, 10, 40, 50]]
    assert distinct(np.empty((0, 4))).shape == (0, 4)


# videos


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of one second of a portrait that moves, with sound; copied by tests that write."""
    folder = tmp_path_factory.mktemp("filmed")
    (folder / "films").mkdir()
    video_of(folder / "films" / "portrait.mp4", FACES / "astronaut.jpg")
    corpus = Corpus.init(folder / "study")
    corpus.add(str(folder / "films"))
    return corpus.folder


@pytest.mark.parametrize("sound", [False, True])
def test_faces_in_videos_are_hidden_and_sound_is_kept_when_asked(filmed: Path, tmp_path: Path, sound):
    shutil.copytree(filmed, tmp_path / "study")
    redact(Corpus(tmp_path / "study"), tmp_path / "share", faces="pixelate", sound=sound)
    (row,) = listed(tmp_path / "share").itertuples()
    assert row.kind == "video" and row.faces >= 1 and row.remaining == 0 and row.error == ""
    copy = tmp_path / "share" / row.file
    with Video(copy) as video:
        assert (video.facts.audio is not None) is sound
        assert not any(len(yunet.detect(frame.image().pixels)) for frame in video.frames())
    assert metadata_left(copy) == []


def test_an_interrupted_video_leaves_nothing(filmed: Path, tmp_path: Path, monkeypatch):
    shutil.copytree(filmed, tmp_path / "study")

    def stopped(self, pixels):
        raise KeyboardInterrupt

    monkeypatch.setattr(room.Search, "in_frame", stopped)
    with pytest.raises(KeyboardInterrupt):
        redact(Corpus(tmp_path / "study"), tmp_path / "share", faces="blur")
    assert not list((tmp_path / "share").rglob("*.mp4")) and len(listed(tmp_path / "share")) == 0


# the copy of the copy


def test_thumbnails_of_a_shared_corpus_are_redacted(tmp_path: Path):
    corpus = corpus_of(tmp_path, a=FACES / "astronaut.jpg", b=FACES / "admiral.jpg", c=MUSIC)
    redact(corpus, tmp_path / "redacted", faces="fill", limit=2)
    result = Sharing(corpus.folder).share(tmp_path / "copy", redacted=tmp_path / "redacted")
    thumbnails = list((tmp_path / "copy" / "thumbnails").iterdir())
    assert len(thumbnails) == 2 and any("1 pictures have no clean copy" in text for text in result.warnings)
    for path in thumbnails:
        assert faces_in(path) == 0 and metadata_left(path) == []
