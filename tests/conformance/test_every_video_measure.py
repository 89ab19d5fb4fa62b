"""What every measure of video promises: a measure is tested by being registered."""

from __future__ import annotations

import math
import pickle
import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from sound_clips import tone, write_sound
from video_clips import Join, crossed, joined, panned, write_video

import visanda as vi
from visanda.measure import Measure, Registered, Row, Stream, registered, timed_rows, watch, watch_file
from visanda.media import Image

PHOTOS = sorted((Path(vi.__file__).parent / "sample" / "photos").glob("*.webp"))
MEASURES = [one for one in registered() if one.feed]
NEEDS = {"speech": "faster_whisper"}  # a measure that runs only where an extra is installed

each_measure = pytest.mark.parametrize("one", MEASURES, ids=lambda one: one.name)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Sixteen seconds with cuts, a dissolve and something that goes by; thirty seconds of tones."""
    folder = tmp_path_factory.mktemp("clips")
    photos = [Image.of(path).pixels for path in PHOTOS[:160:40]]
    takes = [panned(photo, 108, seed=seed) for seed, photo in enumerate(photos)]
    takes[1] = crossed(takes[1], photos[0], 30)
    seen = write_video(folder / "seen.mp4", joined(takes, [Join(), Join("dissolve", 20), Join()]))
    heard = write_sound(folder / "heard.mkv", tone([0.5, 0.1, 0.0, 0.2, 0.7, 0.0] * 5), pictures=30.0)
    return {"grey": seen, "rgb": seen, "sound": heard}


def rows_of(one: Registered, clips: dict[str, Path], **asked: object) -> list[Row]:
    if one.name in NEEDS and find_spec(NEEDS[one.name]) is None:
        pytest.skip(f"{NEEDS[one.name]} is not installed")
    return list(watch_file(one(**one.example), clips[one.feed.of], **asked))


def same(first: Row, second: Row) -> bool:
    return first.keys() == second.keys() and all(
        a == b or (isinstance(a, float) and isinstance(b, float) and (math.isnan(a) and math.isnan(b)))
        for a, b in zip(first.values(), second.values(), strict=True)
    )


@each_measure
def test_it_says_what_it_is_and_whom_to_cite(one: Registered):
    assert len(one.source) > 10
    assert one.summary.endswith(".")
    assert one.feed.before >= 0 and one.feed.behind >= 0


@each_measure
def test_every_column_and_argument_is_documented(one: Registered):
    for column in one(**one.example).columns:
        assert f"``{column}``" in one.__doc__, column
    for argument in one.parameters:
        assert re.search(rf"^    {argument}: ", one.__doc__, re.MULTILINE), argument


@each_measure
def test_rows_are_in_order_and_of_the_declared_types(one: Registered, clips: dict[str, Path]):
    measure = one(**one.example)
    found = rows_of(one, clips)
    table = timed_rows(measure, "a.mp4", found)
    assert len(table) > 2 and table.schema == measure.schema
    assert all(row["start"] <= row["stop"] for row in found)
    assert [row["stop"] for row in found] == sorted(row["stop"] for row in found)
    assert len(set(table["id"].to_pylist())) == len(table)
    for name in measure.columns:
        assert table[name].null_count < len(table), f"{name} is null throughout"


@each_measure
def test_the_same_again_after_pickle_and_json(one: Registered, clips: dict[str, Path]):
    measure = one(**one.example)
    whole = rows_of(one, clips)
    for again in (pickle.loads(pickle.dumps(measure)), Measure.from_json(measure.to_json())):
        assert again == measure
        assert all(map(same, watch_file(again, clips[one.feed.of]), whole))
    columns = measure(clips[one.feed.of])
    assert [len(values) for values in columns.values()] == [len(whole)] * len(columns)


@each_measure
def test_going_on_in_the_middle_gives_the_same_rows(one: Registered, clips: dict[str, Path]):
    whole = rows_of(one, clips)
    for until in np.linspace(0.2, whole[-1]["stop"], 7)[:-1]:
        before = [row for row in whole if row["stop"] <= until]
        since = max(0.0, min(until, before[-1]["stop"] if before else until) - one.feed.before)
        again = rows_of(one, clips, since=since, last=before[-1] if before else None)
        left = [row for row in again if row["stop"] > until]
        wanted = whole[len(before) :]
        assert len(left) == len(wanted), f"going on at {until} s"
        assert all(map(same, left, wanted)), f"going on at {until} s"


@each_measure
def test_rows_come_no_later_than_it_says(one: Registered, clips: dict[str, Path]):
    """Rows that end well before what has been seen must be there: the runner writes them."""
    measure, seen, late = one(**one.example), [0.0], []

    def noted(items):
        for item in items:
            seen[0] = item.time
            yield item

    if one.name in NEEDS and find_spec(NEEDS[one.name]) is None:
        pytest.skip(f"{NEEDS[one.name]} is not installed")
    with vi.media.Video(clips[one.feed.of]) as video:
        if one.feed.of == "sound":
            items = vi.media.seconds_of_sound(clips[one.feed.of])
        else:
            items = (frame.reduced(one.feed.of, measure.size or 180) for frame in video.frames())
        for row in watch(measure, Stream(noted(items), video.facts)):
            late.append(seen[0] - row["stop"])
    assert max(late) <= one.feed.behind + 1.0 + 1e-6  # a second of sound, or a frame, comes whole


@each_measure
def test_short_and_strange_videos(one: Registered, tmp_path: Path):
    if one.feed.of == "sound":
        pytest.skip("watches no pictures")
    noise = np.random.default_rng(1).integers(0, 256, (3, 40, 60, 3), np.uint8)
    videos = {
        "one frame": [noise[0]],
        "black": [np.zeros((90, 160, 3), np.uint8)] * 30,
        "noise": list(noise) * 4,
        "narrow": [np.full((16, 200, 3), 99, np.uint8)] * 5,
    }
    for name, frames in videos.items():
        path = write_video(tmp_path / f"{name}.mkv", frames, codec="ffv1")
        for row in watch_file(one(**one.example), path):
            assert 0 <= row["start"] <= row["stop"], name
            assert all(not isinstance(value, float) or not math.isinf(value) for value in row.values()), name
