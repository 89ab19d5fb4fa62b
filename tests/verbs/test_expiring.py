"""``expire``: what goes when its time is over, and what stays."""

from __future__ import annotations

import errno
import os
import shutil
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

import visanda
from visanda.corpus import Corpus
from visanda.corpus.share import retention
from visanda.corpus.sharing import Sharing
from visanda.errors import InputError

SAMPLE = Path(visanda.__file__).parent / "sample"


def expire(corpus: Corpus, *words, **options):
    return Sharing(corpus.folder).expire(*words, **options)


@pytest.fixture
def own_media(tmp_path: Path) -> Corpus:
    """A corpus that holds some of its pictures itself and refers to others; measured, with sheets and a report."""
    corpus = Corpus.init(tmp_path / "study")
    known = pd.read_csv(SAMPLE / "photos.csv").head(6)
    for place, names in (
        (corpus.folder / "media", known["filename"][:4]),
        (tmp_path / "outside", known["filename"][4:]),
    ):
        place.mkdir()
        for name in names:
            shutil.copy(SAMPLE / "photos" / name, place / name)
    corpus.add(str(corpus.folder / "media"), str(tmp_path / "outside"), metadata=known)
    corpus.process("greyscale", out=corpus.folder / "grey")
    corpus.measure("colour", "embed")
    corpus.cluster(k=2)
    corpus.report()
    (corpus.folder / "thesis.png").write_bytes(b"my own figure")
    return corpus


def test_a_day_is_set_and_nothing_is_deleted(own_media: Corpus):
    settings = own_media.folder / "corpus.toml"
    before = settings.read_text()
    expire(own_media, "2999-06-30")
    expire(own_media, "2001-01-01", where="category = 'fish'")
    assert settings.read_text().startswith(before.rstrip())
    assert [(rule.until, rule.where) for rule in retention.rules(own_media.settings())] == [
        (date(2001, 1, 1), "category = 'fish'"),
        (date(2999, 6, 30), ""),
    ]
    expire(own_media, "never", where="category = 'fish'")
    expire(own_media, "2999-12-31")
    assert [rule.until for rule in retention.rules(own_media.settings())] == [date(2999, 12, 31)]
    assert expire(own_media, yes=True).table["files"].sum() == 0
    assert len(list((own_media.folder / "media").iterdir())) == 4
    for wrong in ("tomorrow", "30.06.2027", "2027-02-30"):
        with pytest.raises(InputError, match="not a day"):
            expire(own_media, wrong)
    with pytest.raises(InputError, match="SQL"):
        expire(own_media, "2027-06-30", where="colour = nothing")


def test_media_go_and_measures_stay(own_media: Corpus, tmp_path: Path):
    tables = {name: own_media.frame(f"SELECT * FROM {name} ORDER BY id") for name in ("colour", "embed", "cluster")}
    expire(own_media, "2020-01-31")
    assert retention.reminder(own_media)
    listed = expire(own_media)
    assert (own_media.folder / "media").exists()
    assert listed.table["files"].to_list()[0] == 10  # four pictures and six grey ones
    assert len(list((own_media.folder / "media").iterdir())) == 4
    result = expire(own_media, yes=True)
    assert not (own_media.folder / "media").exists()
    assert not (own_media.folder / "grey").exists()
    assert not (own_media.folder / "results" / "report.html").exists()
    assert not list((own_media.folder / "results").rglob("*.jpg"))
    assert (own_media.folder / "thesis.png").exists()
    assert len(list((tmp_path / "outside").iterdir())) == 2
    assert any("--originals" in text for text in result.warnings)
    for name, before in tables.items():
        pd.testing.assert_frame_equal(own_media.frame(f"SELECT * FROM {name} ORDER BY id"), before)
    media = own_media.frame("SELECT * FROM media")
    assert media["expired"].notna().sum() == 10
    assert media["error"].isna().all()  # so that estimates still know them
    own_media.measure("sharpness")
    errors = own_media.frame("SELECT error FROM sharpness WHERE error IS NOT NULL")["error"]
    assert len(errors) == 10
    assert errors.str.contains("expired-2020-01-31/").all()
    expire(own_media, originals=True, yes=True)
    assert not list((tmp_path / "outside").iterdir())
    assert not retention.reminder(own_media)


def test_a_condition_says_which(own_media: Corpus):
    ids = own_media.frame("SELECT id FROM media WHERE parent IS NULL AND path LIKE 'media/%' ORDER BY id")["id"]
    expire(own_media, "2020-01-31", where=f"id = '{ids[0]}'")
    expire(own_media, yes=True)
    assert len(list((own_media.folder / "media").iterdir())) == 3
    assert len(list((own_media.folder / "grey").rglob("*.*"))) == 5  # what was made of it is gone with it


def test_frames_and_sound_of_a_video_go_with_it(tmp_path: Path):
    corpus = Corpus.init(tmp_path / "study")
    (corpus.folder / "videos").mkdir()
    shutil.copy(SAMPLE / "videos" / "trailer.mp4", corpus.folder / "videos" / "trailer.mp4")
    corpus.add(str(corpus.folder / "videos"))
    corpus.frames(every="20s", extract=corpus.folder / "stills")
    corpus.sound(out=corpus.folder / "sound")
    corpus.timeline("trailer.mp4")
    expire(corpus, "2020-01-31")
    expire(corpus, yes=True)
    left = [path for path in corpus.folder.rglob("*") if path.suffix in (".mp4", ".jpg", ".png", ".wav")]
    assert not left
    assert len(corpus.frame("SELECT * FROM frames"))


def test_killed_half_way_it_finishes_the_next_time(own_media: Corpus, monkeypatch: pytest.MonkeyPatch):
    expire(own_media, "2020-01-31")
    whole, count = Path.unlink, 0

    def dying(path: Path, missing_ok: bool = False) -> None:
        nonlocal count
        count += path.suffix == ".webp"
        if count == 3:
            raise KeyboardInterrupt
        whole(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", dying)
    with pytest.raises(KeyboardInterrupt):
        expire(own_media, yes=True)
    monkeypatch.undo()
    assert own_media.frame("SELECT * FROM media")["error"].isna().all()
    expire(own_media, yes=True)
    assert own_media.frame("SELECT * FROM media")["expired"].notna().sum() == 10
    assert not (own_media.folder / "media").exists()


def test_a_file_that_cannot_be_deleted_stays_due(own_media: Corpus, monkeypatch: pytest.MonkeyPatch):
    expire(own_media, "2020-01-31")
    whole, refused = Path.unlink, sorted((own_media.folder / "media").iterdir())[0]

    def unlink(path: Path, missing_ok: bool = False) -> None:
        if path == refused:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        whole(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink)
    result = expire(own_media, yes=True)
    assert any("1 files stay" in text for text in result.warnings)
    monkeypatch.undo()
    assert own_media.frame("SELECT * FROM media")["expired"].notna().sum() == 9
    assert retention.reminder(own_media)
    expire(own_media, yes=True)
    assert not refused.exists()
