"""Groups of duplicates: who is in, who is kept, how far the others are."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from visanda.errors import InputError
from visanda.learn import duplicates
from visanda.learn.duplicates import find_duplicates, groups_for_split

BASE = 0x5A5A5A5A5A5A5A5A


def picture_table(rows: dict[str, tuple[str, int | None]], **columns: list) -> pd.DataFrame:
    """A table of pictures from ``id: (pixels, hash)``."""
    hashes = [None if value is None else f"{value:016x}" for _, value in rows.values()]
    pixels = [name for name, _ in rows.values()]
    return pd.DataFrame({"id": list(rows), "sha256_pixels": pixels, "phash": hashes, **columns})


def test_copies_and_look_alikes_are_told_apart():
    found = find_duplicates(
        picture_table(
            {
                "a.jpg": ("p", BASE),
                "b.jpg": ("p", BASE),
                "c.jpg": ("q", BASE ^ 0b111),
                "d.jpg": ("r", ~BASE % 2**64),
            }
        )
    ).set_index("id")
    assert found["kind"].to_dict() == {"a.jpg": "exact", "b.jpg": "exact", "c.jpg": "near"}
    assert found["distance"].to_dict() == {"a.jpg": 0, "b.jpg": 0, "c.jpg": 3}
    assert found["nearest"].to_dict() == {"a.jpg": "b.jpg", "b.jpg": "a.jpg", "c.jpg": "a.jpg"}
    assert found["group"].eq(1).all()
    assert found.index[found["keeper"]].tolist() == ["a.jpg"]


def test_the_picture_with_most_pixels_is_kept():
    rows = {name: ("p" + name, BASE) for name in ("a", "b", "c", "d")}
    pictures = picture_table(rows, width=[100, 400, 400, None], height=[100, 300, 300, None])
    found = find_duplicates(pictures).set_index("id")
    assert found.index[found["keeper"]].tolist() == ["b"]
    assert set(found["kind"]) == {"near"}


def test_groups_chain_and_the_distance_shows_it():
    found = find_duplicates(
        picture_table({"a": ("p", BASE), "b": ("q", BASE ^ 0xFF), "c": ("r", BASE ^ 0xFFFF)}), distance=8
    ).set_index("id")
    assert found["group"].tolist() == [1, 1, 1]
    assert found["distance"].to_dict() == {"a": 0, "b": 8, "c": 16}
    assert found["nearest"].to_dict() == {"a": "b", "b": "a", "c": "b"}


def test_groups_are_numbered_by_size_then_smallest_id():
    other, third = BASE ^ (0xFFFF << 20), BASE ^ (0xFFFF << 40)
    rows = {
        "z1": BASE,
        "z2": BASE,
        "z3": BASE,
        "b1": other,
        "b2": other,
        "a1": third,
        "c1": third,
        "alone": 0x1234,
    }
    found = find_duplicates(picture_table({name: (name, value) for name, value in rows.items()}))
    assert found.groupby("group")["id"].agg(list).to_dict() == {
        1: ["z1", "z2", "z3"],
        2: ["a1", "c1"],
        3: ["b1", "b2"],
    }


def test_rows_without_hashes_are_left_out_and_counted():
    pictures = picture_table({"a": ("p", BASE), "b": ("q", BASE), "broken": (None, None), "half": ("r", None)})
    found = find_duplicates(pictures)
    assert set(found["id"]) == {"a", "b"}
    assert found.attrs == {"pictures": 2, "left_out": 2, "flat": 0}


def test_flat_pictures_are_duplicates_only_by_their_pixels():
    flat = {
        "black": ("b", 0),
        "black2": ("b", 0),
        "red": ("r", 1 << 63),
        "blue": ("l", 1 << 63),
        "full": ("f", 2**64 - 1),
    }
    found = find_duplicates(picture_table(flat))
    assert found["id"].tolist() == ["black", "black2"]
    assert found["kind"].tolist() == ["exact", "exact"]
    assert found["nearest"].tolist() == ["black2", "black"]
    assert found.attrs["flat"] == 5


def test_hashes_of_real_flat_pictures_count_as_flat():
    from visanda.measures.hash import phash_of

    for grey in (0, 1, 127, 255):
        value = int(phash_of(np.full((90, 120), grey, dtype=np.uint8)), 16)
        assert duplicates._is_flat(np.array([value], dtype=np.uint64)).all()


def test_a_hundred_thousand_pictures_with_one_hash():
    n = 100_000
    pictures = pd.DataFrame(
        {
            "id": [f"{i:06}.jpg" for i in range(n)],
            "sha256_pixels": [str(i % 1000) for i in range(n)],
            "phash": f"{BASE:016x}",
        }
    )
    start = time.perf_counter()
    found = find_duplicates(pictures)
    assert time.perf_counter() - start < 10
    assert len(found) == n
    assert found["group"].eq(1).all()
    assert found["kind"].eq("exact").sum() == n // 1000
    assert found["nearest"].iloc[:3].tolist() == ["000001.jpg", "000000.jpg", "000000.jpg"]


def test_more_links_than_are_kept_change_nothing(monkeypatch):
    """Hashes of which each is near many: the links are reduced on the way."""
    rng = np.random.default_rng(0)
    low = rng.choice(2**12, 1500, replace=False)
    high = [BASE >> 12 << 12] * 750 + [(~BASE % 2**64) >> 12 << 12] * 750
    rows = {f"{i:04}": (str(i), h | int(v)) for i, (h, v) in enumerate(zip(high, low, strict=True))}
    whole = find_duplicates(picture_table(rows), distance=5)
    monkeypatch.setattr(duplicates, "_MOST_LINKS", 100)
    monkeypatch.setattr("visanda.learn.hamming._BLOCK_PAIRS", 500)
    assert_frame_equal(whole, find_duplicates(picture_table(rows), distance=5))
    assert whole["group"].max() == 2


def tables() -> st.SearchStrategy[pd.DataFrame]:
    """Pictures of few looks, near, equal and flat; equal pixels have equal hashes."""
    value = st.one_of(st.integers(0, 2**10).map(lambda low: BASE ^ low), st.integers(0, 2), st.integers(0, 2**64 - 1))
    picture = st.tuples(value, st.integers(0, 2), st.integers(1, 3), st.booleans())

    def table(drawn: list[tuple[int, int, int, bool]]) -> pd.DataFrame:
        rows = {
            f"{i:02}": (f"{h:x}/{variant}", None if broken and variant == 2 else h)
            for i, (h, variant, _, broken) in enumerate(drawn)
        }
        width = [width for *_, width, _ in drawn]
        return picture_table(rows, width=width, height=[1] * len(drawn))

    return st.lists(picture, max_size=25).map(table)


@settings(deadline=None, max_examples=80)
@given(tables(), st.integers(0, 10), st.randoms(use_true_random=False))
def test_what_holds_of_all_groups(pictures, distance, random):
    found = find_duplicates(pictures, distance)
    usable = pictures.dropna()
    values = {row.id: int(row.phash, 16) for row in usable.itertuples()}
    pixels = dict(zip(usable["id"], usable["sha256_pixels"], strict=True))
    group = dict(zip(found["id"], found["group"], strict=True))
    keeper = dict(zip(found["group"][found["keeper"]], found["id"][found["keeper"]], strict=True))
    area = dict(zip(usable["id"], usable["width"], strict=True))

    def alike(one: str, other: str) -> bool:
        if pixels[one] == pixels[other]:
            return True
        structured = all(1 < values[name].bit_count() < 63 for name in (one, other))
        return structured and (values[one] ^ values[other]).bit_count() <= distance

    for one in values:
        others = [other for other in values if other != one and alike(one, other)]
        assert (one in group) == bool(others)
        assert all(group[other] == group[one] for other in others)
    for row in found.itertuples():
        assert alike(row.id, row.nearest)
        assert row.nearest != row.id
        closest = min((values[row.id] ^ values[o]).bit_count() for o in values if o != row.id and alike(row.id, o))
        assert (values[row.id] ^ values[row.nearest]).bit_count() == closest
        kept = keeper[row.group]
        assert row.distance == (values[row.id] ^ values[kept]).bit_count()
        assert (-area[kept], kept) <= (-area[row.id], row.id)
        if row.id != kept:
            assert (row.kind == "exact") == (pixels[row.id] == pixels[kept])
    assert found["group"].value_counts(sort=False).sort_index().is_monotonic_decreasing
    assert len(found) + sum(name not in group for name in values) == found.attrs["pictures"]
    shuffled = pictures.iloc[random.sample(range(len(pictures)), len(pictures))]
    assert_frame_equal(find_duplicates(shuffled, distance), found)


def test_a_split_keeps_copies_frames_and_parents_together():
    rows = {
        "copy.jpg": ("q", BASE ^ 1),
        "video.mp4#t=1": ("r", BASE),
        "video.mp4#t=9": ("s", ~BASE % 2**64),
        "photo.jpg": ("t", 0x123456789),
        "photo.jpg#xywh=1,2,3,4": (None, None),
        "alone.jpg": ("u", 0xF0F0F0F0F0F0F0F0),
        "broken.jpg": (None, None),
    }
    parents = [None, "video.mp4", "video.mp4", None, "photo.jpg", None, None]
    groups = groups_for_split(picture_table(rows, parent=parents))
    assert groups.index.tolist() == list(rows)
    assert groups.tolist() == ["copy.jpg"] * 3 + ["photo.jpg"] * 2 + ["alone.jpg", "broken.jpg"]
    assert groups_for_split(picture_table(rows))["video.mp4#t=9"] == "video.mp4#t=9"


def test_no_pictures_no_duplicates():
    empty = pd.DataFrame({"id": [], "sha256_pixels": [], "phash": []}, dtype=object)
    found = find_duplicates(empty)
    assert found.columns.tolist() == ["id", "group", "kind", "keeper", "distance", "nearest"]
    assert len(found) == 0
    assert len(groups_for_split(empty)) == 0


@pytest.mark.parametrize(
    ("pictures", "message"),
    [
        (pd.DataFrame({"id": ["a"], "phash": ["0" * 16]}), "sha256_pixels"),
        (picture_table({"a": ("p", BASE)}).assign(phash="xyz"), "16 hexadecimal digits"),
        (picture_table({"a": ("p", BASE)}).assign(phash="0000 0000 0000 0"), "16 hexadecimal digits"),
        (pd.concat([picture_table({"a": ("p", BASE)})] * 2), "more than once"),
        (picture_table({"a": ("p", BASE)}).assign(id=[None]), "no id"),
    ],
)
def test_tables_that_do_not_fit_are_refused(pictures, message):
    with pytest.raises(InputError, match=message):
        find_duplicates(pictures)


def test_the_distance_is_checked():
    with pytest.raises(InputError, match="0 to 16"):
        find_duplicates(picture_table({"a": ("p", BASE)}), distance=20)
