"""Copies between videos: which stretch is where, whatever the encoding, and what is no copy."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from PIL import Image as Pillow
from video_clips import panned, write_video

import visanda as vi
from visanda.errors import InputError
from visanda.learn.copies import copies, groups, seeds
from visanda.learn.copies.table import COLUMNS
from visanda.measure import Stream
from visanda.measures.signature import signature
from visanda.media import Frame, Video

PHOTOS = sorted((Path(vi.__file__).parent / "sample" / "photos").iterdir())


def noise(n: int, seed: int = 0) -> np.ndarray:
    """Hashes that have nothing to do with each other: a new picture in each sample."""
    return np.random.default_rng(seed).integers(0, 2**64, n, dtype=np.uint64)


def flipped(hashes: np.ndarray, bits: int, seed: int = 0) -> np.ndarray:
    """The hashes with so many bits of each changed."""
    rng = np.random.default_rng(seed)
    masks = [sum(1 << int(b) for b in rng.choice(64, bits, replace=False)) for _ in hashes]
    return hashes ^ np.array(masks, np.uint64)


def table(videos: dict[str, np.ndarray], every: float = 0.5, detail: float = 0.5) -> pd.DataFrame:
    """Signatures of videos given by their hashes."""
    parts = [
        pd.DataFrame(
            {
                "parent": name,
                "start": np.arange(len(hashes)) * every,
                "hash": [f"{value:016x}" for value in hashes.tolist()],
                "detail": detail,
            }
        )
        for name, hashes in videos.items()
    ]
    return pd.concat(parts, ignore_index=True)


def places(found: pd.DataFrame) -> list[tuple]:
    return list(found[["a", "a_start", "a_stop", "b", "b_start", "b_stop"]].itertuples(index=False, name=None))


def test_a_piece_is_found_with_its_times_in_both():
    film, other = noise(100), noise(60, 1)
    host = np.concatenate([other[:20], flipped(film[50:70], 6), other[20:]])
    found = copies(table({"film": film, "host": host, "else": noise(80, 2)}))
    assert places(found) == [("film", 25, 35, "host", 10, 20)]
    row = found.iloc[0]
    assert (row["seconds"], row["offset"], row["matched"], row["distance"]) == (10, -15, 1, 6)
    assert (row["looks"], row["a_length"], row["b_length"]) == (20, 50, 40)
    assert found.attrs == {"videos": 3, "samples": 260, "flat": 0, "common": 0}


@settings(deadline=None, max_examples=25)
@given(
    st.integers(0, 80), st.integers(0, 40), st.integers(8, 40), st.integers(0, 6), st.integers(0, 2**31), st.booleans()
)
def test_a_piece_is_found_wherever_it_lies(source, target, length, bits, seed, swapped):
    film, host = noise(120, seed), noise(80, seed + 1)
    host[target : target + length] = flipped(film[source : source + length], bits, seed)
    film_name, host_name = ("z", "a") if swapped else ("a", "z")
    expected = [film_name, source / 2, (source + length) / 2, host_name, target / 2, (target + length) / 2]
    shuffled = table({film_name: film, host_name: host}).sample(frac=1, random_state=seed)
    assert places(copies(shuffled)) == [tuple(expected[3:] + expected[:3] if swapped else expected)]


def test_pieces_in_another_order_are_each_found():
    film = noise(100)
    trailer = np.concatenate([film[80:92], film[10:18], film[40:50]])
    assert places(copies(table({"film": film, "trailer": trailer}))) == [
        ("film", 5, 9, "trailer", 6, 10),
        ("film", 20, 25, "trailer", 10, 15),
        ("film", 40, 46, "trailer", 0, 6),
    ]


def test_a_piece_left_out_makes_two_stretches():
    film = noise(60)
    assert places(copies(table({"film": film, "short": np.delete(film, slice(20, 40))}))) == [
        ("film", 0, 10, "short", 0, 10),
        ("film", 20, 30, "short", 10, 20),
    ]


def test_a_short_disturbance_does_not_split_a_stretch_but_counts():
    film = noise(40)
    copy = film.copy()
    copy[18:20] = noise(2, 5)
    (row,) = copies(table({"film": film, "copy": copy})).itertuples()
    assert (row.seconds, row.matched) == (20, 0.95)
    copy[15:25] = noise(10, 5)
    assert len(copies(table({"film": film, "copy": copy}))) == 2


def test_shorter_than_asked_for_is_left_out():
    film, host = noise(60), noise(60, 1)
    host[10:15] = film[30:35]
    signatures = table({"film": film, "host": host})
    assert copies(signatures).empty
    assert copies(signatures, at_least=3).equals(copies(signatures))
    assert places(copies(signatures, at_least=2.5)) == [("film", 15, 17.5, "host", 5, 7.5)]


def test_steps_that_do_not_begin_together():
    """A copy half a step off: each bit is from one of two neighbours, which differ in eight."""
    film = noise(1)[0] ^ np.bitwise_xor.accumulate(flipped(np.zeros(60, np.uint64), 8))
    mixed = film[:-1] ^ ((film[:-1] ^ film[1:]) & noise(59, 1))
    (row,) = copies(table({"film": film, "mixed": mixed})).itertuples()
    assert row.seconds >= 29
    assert abs(row.offset) <= 0.5


def test_a_faster_copy_is_found_and_shows_its_speed():
    film = noise(1)[0] ^ np.bitwise_xor.accumulate(flipped(np.zeros(400, np.uint64), 5))
    faster = film[np.floor(np.arange(0, 400, 25 / 24)).astype(int)]
    found = copies(table({"film": film, "pal": faster}))
    assert found["seconds"].sum() >= 180
    assert found["b_stop"].max() / found["a_stop"].max() == pytest.approx(24 / 25, abs=0.01)
    for row in found.itertuples():
        assert row.b_start == pytest.approx(row.a_start * 24 / 25, abs=1.5)
        assert row.b_stop == pytest.approx(row.a_stop * 24 / 25, abs=1.5)


def test_another_frame_rate_shifts_times_within_their_step():
    film = noise(40)
    signatures = table({"film": film, "copy": film})
    late = signatures["parent"].eq("copy")
    signatures.loc[late, "start"] += np.random.default_rng(0).uniform(0, 0.2, late.sum())
    (row,) = copies(signatures).itertuples()
    assert row.seconds == pytest.approx(20, abs=0.3)
    assert abs(row.offset) <= 0.2


def test_a_video_with_holes():
    film = noise(80)
    signatures = table({"film": film, "copy": film})
    gone = signatures["parent"].eq("copy") & (signatures["start"] % 1 == 0.5)
    (row,) = copies(signatures[~gone], at_least=5).itertuples()
    assert row.seconds >= 39
    signatures.loc[gone, "hash"] = None
    (null,) = copies(signatures, at_least=5).itertuples()
    assert null == row


def test_flat_samples_say_nothing():
    black = flipped(np.zeros(20, np.uint64), 1)
    signatures = table({"a": np.concatenate([noise(30), black]), "b": np.concatenate([black, noise(30, 1)])})
    assert len(copies(signatures)) == 1
    signatures.loc[[*range(30, 50), *range(50, 70)], "detail"] = [0.01, np.nan] * 20
    found = copies(signatures)
    assert found.empty
    assert list(found) == list(COLUMNS)
    assert found.attrs["flat"] == 40


def test_one_picture_that_stands_is_given_once_and_told():
    card = flipped(np.repeat(noise(1), 40), 2)
    (row,) = copies(table({"a": np.concatenate([noise(20, 1), card[:20]]), "b": card})).itertuples()
    assert row.looks == 1
    assert (row.a_start, row.a_stop, row.seconds) == (10, 20, 10)


def test_what_is_repeated_within_a_video_is_found_when_asked_for():
    video = noise(80)
    video[50:60] = flipped(video[10:20], 3)
    signatures = table({"a": video, "b": noise(80, 1)})
    assert copies(signatures).empty
    assert places(copies(signatures, within=True)) == [("a", 5, 10, "a", 25, 30)]


def test_the_commonest_looks_are_not_searched_from(monkeypatch):
    """Every video has the same card; two also share a scene that ends in it."""
    card = noise(1, 99)[0]
    videos = {f"{k:02}": np.concatenate([noise(30, k), flipped(np.repeat(card, 8), 2, k)]) for k in range(20)}
    videos["07"][18:30] = videos["03"][18:30]
    signatures = table(videos)
    everything = copies(signatures)
    assert len(everything) == 20 * 19 / 2
    monkeypatch.setattr(seeds, "MOST_PAIRS", 1000)
    found = copies(signatures)
    assert places(found) == [("03", 9, 19, "07", 9, 19)]
    assert found.attrs["common"] == 160


def test_the_size_of_blocks_does_not_matter(monkeypatch):
    rng = np.random.default_rng(3)
    looks = noise(6)
    videos = {f"v{k}": flipped(np.repeat(rng.choice(looks, 8), 6), 1, k) for k in range(6)}
    whole = copies(table(videos), within=True)
    assert len(whole) > 20
    monkeypatch.setattr(seeds, "_BLOCK", 7)
    monkeypatch.setattr(seeds, "_SEEDS", 50)
    assert_frame_equal(whole, copies(table(videos), within=True))


def test_no_videos_or_one():
    none = table({"a": noise(20)}).iloc[:0]
    assert copies(none).empty
    assert copies(none).attrs == {"videos": 0, "samples": 0, "flat": 0, "common": 0}
    assert copies(table({"a": noise(20)})).empty
    assert groups(copies(none)).empty


def test_progress_reaches_the_end():
    done: list[float] = []
    copies(table({"a": noise(300), "b": noise(300)}), progress=done.append)
    assert done[-1] == pytest.approx(1)


GOOD = table({"a": noise(4)})


@pytest.mark.parametrize(
    ("signatures", "arguments", "message"),
    [
        (GOOD.drop(columns="detail"), {}, "no column detail"),
        (GOOD.assign(hash="xyz"), {}, "16 hexadecimal digits"),
        (GOOD.assign(hash="00"), {}, "16 hexadecimal digits"),
        (GOOD.assign(parent=None), {}, "no parent"),
        (GOOD.assign(start=-1.0), {}, "before second 0"),
        (GOOD.assign(start=np.nan), {}, "no start"),
        (GOOD, {"distance": 17}, "0 to 16 bits"),
        (GOOD, {"distance": 2.5}, "whole number"),
        (GOOD, {"distance": True}, "whole number"),
        (GOOD, {"at_least": 0}, "more than 0 seconds"),
        (GOOD, {"every": -1}, "more than 0 seconds"),
        (GOOD, {"every": 2}, "closer than every=2"),
    ],
)
def test_bad_input(signatures, arguments, message):
    with pytest.raises(InputError, match=message):
        copies(signatures, **arguments)


# Groups.


def grouped(videos: dict[str, np.ndarray], share: float = 0.8) -> dict[int, list[str]]:
    return groups(copies(table(videos)), share).groupby("group")["id"].agg(list).to_dict()


def test_whole_copies_are_a_group_and_a_trailer_is_not_in_it():
    film, clip = noise(100), noise(40, 1)
    videos = {
        "film.mp4": film,
        "film.ogg": flipped(film, 5),
        "film.mpeg": flipped(film, 5, 1)[:90],
        "trailer": film[20:60],
        "clip2": clip,
        "clip1": clip,
        "alone": noise(50, 2),
    }
    found = groups(copies(table(videos)))
    assert found["id"].tolist() == ["film.mp4", "film.mpeg", "film.ogg", "clip1", "clip2"]
    assert found["group"].tolist() == [1, 1, 1, 2, 2]
    assert found["keeper"].tolist() == [True, False, False, True, False]
    by_id = found.set_index("id")
    assert by_id.loc["film.ogg", ["nearest", "share"]].tolist() == ["film.mp4", 1]
    assert by_id.loc["film.mpeg", ["nearest", "share"]].tolist() == ["film.mp4", 0.9]


def test_the_longest_is_kept():
    film = noise(100)
    found = groups(copies(table({"a": film[:90], "b": film, "c": film[5:]})))
    assert found["id"].tolist() == ["b", "a", "c"]
    assert found["keeper"].tolist() == [True, False, False]


def test_groups_chain_and_the_largest_is_first():
    film, other = noise(100), noise(40, 1)
    videos = {"x1": film[:80], "x2": film[10:90], "x3": film[20:], "a1": other, "a2": other}
    assert grouped(videos, 0.85) == {1: ["x1", "x2", "x3"], 2: ["a1", "a2"]}


def test_what_is_shown_twice_counts_once():
    film = noise(40)
    assert grouped({"film": film, "twice": np.concatenate([film[:20], film[:20]])}, 0.4) == {1: ["film", "twice"]}
    assert grouped({"film": film, "twice": np.concatenate([film[:20], film[:20]])}, 0.6) == {}


def test_black_at_the_end_does_not_make_another_video():
    signatures = table({"a": noise(40), "b": np.concatenate([noise(40), noise(30, 1)])})
    signatures.loc[80:, "detail"] = 0.0
    found = groups(copies(signatures))
    assert found["share"].tolist() == [1, 1]


@pytest.mark.parametrize("share", [0, 1.2, float("nan")])
def test_groups_of_an_impossible_share(share):
    with pytest.raises(InputError, match="above 0 and at most 1"):
        groups(copies(GOOD), share)


def test_groups_of_another_table():
    with pytest.raises(InputError, match="no column a, a_start"):
        groups(GOOD)


# Real files.


@pytest.fixture(scope="module")
def film() -> list[np.ndarray]:
    """Sixteen seconds at 24 frames a second: eight photos, each passed by the camera in two."""
    photos = [np.asarray(Pillow.open(PHOTOS[20 * k]).convert("RGB")) for k in range(8)]
    takes = [panned(p, 48, begin=(0.2, 0.4, 1.1), end=(0.7, 0.6, 1.4)) for p in photos]
    return [frame for take in takes for frame in take]


def measured(*paths: Path) -> pd.DataFrame:
    parts = []
    for path in paths:
        with Video(path) as video:
            frames = (Frame(f.time, f.duration, f.key, f.grey(90)) for f in video.frames())
            rows = list(signature.implementation(Stream(frames, video.facts), every=0.5))
        parts.append(pd.DataFrame(rows).assign(parent=path.name))
    return pd.concat(parts, ignore_index=True)


def shown_at(frames: list[np.ndarray], rate: int, start: float, stop: float, size: tuple[int, int]) -> list[np.ndarray]:
    """A piece of the film at another frame rate and size."""
    times = np.arange(start, stop - 1e-6, 1 / rate)
    return [cv2.resize(frames[int(t * 24 + 1e-6)], size, interpolation=cv2.INTER_AREA) for t in times]


def test_one_film_in_three_encodings_is_one_group(film, tmp_path):
    whole = write_video(tmp_path / "film.mp4", film, 24)
    small = write_video(
        tmp_path / "film.avi", shown_at(film, 25, 0, 16, (176, 100)), 25, codec="mpeg4", options={"b": "80000"}
    )
    slow = write_video(tmp_path / "film.mpg", shown_at(film, 30, 0, 16, (240, 180)), 30, codec="mpeg2video")
    other = write_video(tmp_path / "other.mp4", [f[::-1] for f in film], 24)
    found = groups(copies(measured(whole, small, slow, other)))
    assert found["id"].tolist() == ["film.avi", "film.mp4", "film.mpg"]
    assert found["group"].eq(1).all()


def test_pieces_of_a_film_are_found_in_another_video_to_half_a_second(film, tmp_path):
    whole = write_video(tmp_path / "film.mp4", film, 24)
    size = (240, 136)
    filler = panned(np.asarray(Pillow.open(PHOTOS[-1]).convert("RGB")), 25 * 9, size=size)
    pieces = [(8.3, 13.7), (1.1, 5.2)]
    first, second = (shown_at(film, 25, start, stop, size) for start, stop in pieces)
    frames = [*filler[:83], *first, *filler[83:170], *second, *filler[170:]]
    host = write_video(tmp_path / "host.mp4", frames, 25, options={"crf": "33", "preset": "ultrafast"})
    found = copies(measured(whole, host)).sort_values("b_start")
    begins = [83 / 25, (170 + len(first)) / 25]
    assert len(found) == 2
    for row, (start, stop), begin in zip(found.itertuples(), pieces, begins, strict=True):
        assert row.a_start == pytest.approx(start, abs=0.55)
        assert row.a_stop == pytest.approx(stop, abs=0.55)
        assert row.b_start == pytest.approx(begin, abs=0.55)
        assert row.b_stop == pytest.approx(begin + stop - start, abs=0.55)
