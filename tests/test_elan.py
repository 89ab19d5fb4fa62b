"""ELAN: files as its schema has them, no overlaps within a tier, and annotations that come back."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visanda.corpus.elan import read_eaf, write_eaf
from visanda.errors import InputError

SHOTS = pd.DataFrame({"id": ["s1", "s2"], "parent": ["a.mp4"] * 2, "start": [0.0, 4.2], "stop": [4.2, 9.0004]})
XML = st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufffe\uffff")
stretches = st.tuples(st.integers(0, 20_000), st.integers(0, 3_000), st.text(XML, max_size=8))


@pytest.fixture(scope="module")
def one_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Written again and again, where every example of a property would need a folder of its own."""
    return tmp_path_factory.mktemp("round") / "round.eaf"


def written(tables: object, tmp_path: Path) -> ET.Element:
    return ET.parse(write_eaf(tables, tmp_path / "a.eaf", tmp_path / "a.mp4")).getroot()


def test_the_elements_stand_in_the_schema_s_order(tmp_path):
    """EAFv3.0.xsd of the Max Planck Institute for Psycholinguistics."""
    root = written(SHOTS.assign(kind=["cut", "fade"], length=[4.2, 4.8]), tmp_path)
    assert root.tag == "ANNOTATION_DOCUMENT" and {"AUTHOR", "DATE", "VERSION", "FORMAT"} <= set(root.attrib)
    tags = [child.tag for child in root]
    assert tags == ["HEADER", "TIME_ORDER", "TIER", "TIER", "LINGUISTIC_TYPE", *["CONSTRAINT"] * 4]
    assert [child.tag for child in root[0]] == ["MEDIA_DESCRIPTOR", "PROPERTY"]
    assert {tier.get("LINGUISTIC_TYPE_REF") for tier in root.iter("TIER")} == {root[4].get("LINGUISTIC_TYPE_ID")}
    ids = [one.get("ANNOTATION_ID") for one in root.iter("ALIGNABLE_ANNOTATION")]
    slots = {one.get("TIME_SLOT_ID"): int(one.get("TIME_VALUE")) for one in root.iter("TIME_SLOT")}
    used = [one.get(f"TIME_SLOT_REF{end}") for one in root.iter("ALIGNABLE_ANNOTATION") for end in "12"]
    assert len(set(ids)) == 4 and sorted(used) == sorted(slots)  # each annotation has slots of its own
    assert list(slots.values()) == sorted(slots.values())


def test_the_video_is_found_by_either_path(tmp_path):
    media = tmp_path / "clips" / "Rede #1 (ä).mp4"
    descriptor = ET.parse(write_eaf(SHOTS, tmp_path / "out" / "a.eaf", media)).getroot().find("HEADER/MEDIA_DESCRIPTOR")
    assert descriptor.get("MEDIA_URL") == media.as_uri()
    assert descriptor.get("RELATIVE_MEDIA_URL") == "../clips/Rede%20%231%20%28%C3%A4%29.mp4"
    assert descriptor.get("MIME_TYPE") == "video/mp4"


def test_a_tier_a_column(tmp_path):
    rows = SHOTS.assign(text=['a < b & "c"', "Zeile 1\nZeile 2 😀"], share=[0.1 + 0.2, None], tags=[["x", "y"], []])
    write_eaf(rows.assign(error=None), tmp_path / "a.eaf", "a.mp4")
    assert read_eaf(tmp_path / "a.eaf").to_numpy().tolist() == [
        ["text", 0.0, 4.2, 'a < b & "c"'],
        ["text", 4.2, 9.0, "Zeile 1\nZeile 2 😀"],
        ["share", 0.0, 4.2, "0.3"],
        ["tags", 0.0, 4.2, "x; y"],
        ["tags", 4.2, 9.0, ""],
    ]


def test_several_tables(tmp_path):
    write_eaf({"shots": SHOTS, "speech": SHOTS.assign(text=["a", "b"])}, tmp_path / "a.eaf", "a.mp4")
    assert read_eaf(tmp_path / "a.eaf")["tier"].tolist() == ["shots"] * 2 + ["speech: text"] * 2


def test_a_table_without_values_is_to_be_filled_in(tmp_path):
    write_eaf(SHOTS, tmp_path / "a.eaf", "a.mp4")
    assert read_eaf(tmp_path / "a.eaf")[["tier", "value"]].to_numpy().tolist() == [["units", ""]] * 2


def test_moments_can_be_seen(tmp_path):
    """For 40 milliseconds, or until the next."""
    rows = pd.DataFrame({"start": [1.0, 2.0, 2.01, 3.0], "stop": [1.0, 2.0, 2.01, 3.0001], "n": [1, 2, 3, 4]})
    write_eaf(rows, tmp_path / "a.eaf", "a.mp4")
    assert read_eaf(tmp_path / "a.eaf")[["start", "stop"]].to_numpy().tolist() == [
        [1.0, 1.04],
        [2.0, 2.01],
        [2.01, 2.05],
        [3.0, 3.001],
    ]


def test_rows_that_overlap_go_to_further_tiers(tmp_path):
    rows = pd.DataFrame({"start": [0, 1, 2, 5], "stop": [3, 4, 6, 7], "who": list("abcd")})
    write_eaf(rows, tmp_path / "a.eaf", "a.mp4")
    found = read_eaf(tmp_path / "a.eaf")
    assert found.groupby("tier", sort=False)["value"].sum().to_dict() == {"who": "ad", "who (2)": "b", "who (3)": "c"}


@given(st.lists(stretches, min_size=1, max_size=12))
def test_everything_comes_back_and_nothing_overlaps(one_file, rows):
    frame = pd.DataFrame([(start / 1000, (start + length + 1) / 1000, text) for start, length, text in rows])
    frame.columns = ["start", "stop", "value"]
    found = read_eaf(write_eaf(frame, one_file, "a.mp4"))
    given_, back = (sorted(map(tuple, one[["start", "stop", "value"]].to_numpy().tolist())) for one in (frame, found))
    assert back == given_
    for _, tier in found.groupby("tier"):
        assert (tier["start"].to_numpy()[1:] >= tier["stop"].to_numpy()[:-1]).all()


def test_what_xml_cannot_hold_is_left_out(tmp_path):
    write_eaf(SHOTS.assign(text=["a\x00b\x0bc", "d\uffff"]), tmp_path / "a.eaf", "a.mp4")
    assert read_eaf(tmp_path / "a.eaf")["value"].tolist() == ["abc", "d"]


def test_one_video_a_file(tmp_path):
    with pytest.raises(InputError, match=r"about one video, and these rows are about 2 \(a.mp4, b.mp4\)"):
        write_eaf(SHOTS.assign(parent=["a.mp4", "b.mp4"]), tmp_path / "a.eaf", "a.mp4")


# files that people made


def eaf(tmp_path: Path, slots: dict[str, int | None], tiers: str, header: str = "") -> Path:
    times = "".join(
        f'<TIME_SLOT TIME_SLOT_ID="{id}"' + ("/>" if at is None else f' TIME_VALUE="{at}"/>')
        for id, at in slots.items()
    )
    path = tmp_path / "by_hand.eaf"
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?><ANNOTATION_DOCUMENT AUTHOR="" DATE="" FORMAT="3.0" VERSION="3.0">'
        f"<HEADER>{header}</HEADER><TIME_ORDER>{times}</TIME_ORDER>{tiers}</ANNOTATION_DOCUMENT>",
        "utf-8",
    )
    return path


def aligned(id: str, first: str, second: str, value: str = "") -> str:
    return (
        f'<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="{id}" TIME_SLOT_REF1="{first}" TIME_SLOT_REF2="{second}">'
        f"<ANNOTATION_VALUE>{value}</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>"
    )


def referring(id: str, of: str, value: str) -> str:
    return (
        f'<ANNOTATION><REF_ANNOTATION ANNOTATION_ID="{id}" ANNOTATION_REF="{of}">'
        f"<ANNOTATION_VALUE>{value}</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION>"
    )


def test_annotations_that_refer_to_others_have_their_times(tmp_path):
    tiers = (
        f'<TIER TIER_ID="gloss">{referring("a4", "a3", "hi")}{referring("a9", "gone", "lost")}</TIER>'
        f'<TIER TIER_ID="talk">{aligned("a2", "ts3", "ts4", "bye")}{aligned("a1", "ts1", "ts2", "hello")}</TIER>'
        f'<TIER TIER_ID="words">{referring("a3", "a1", "hello")}</TIER>'
    )
    path = eaf(tmp_path, {"ts1": 1000, "ts2": 2500, "ts3": 3000, "ts4": 4000}, tiers)
    assert read_eaf(path).to_numpy().tolist() == [
        ["gloss", 1.0, 2.5, "hi"],
        ["talk", 1.0, 2.5, "hello"],
        ["talk", 3.0, 4.0, "bye"],
        ["words", 1.0, 2.5, "hello"],
    ]


def test_parts_without_times_share_theirs_evenly(tmp_path):
    tiers = (
        f'<TIER TIER_ID="talk">{aligned("a1", "ts1", "ts4")}</TIER>'
        f'<TIER TIER_ID="words">{aligned("a2", "ts1", "ts2")}{aligned("a3", "ts2", "ts3")}'
        f"{aligned('a4', 'ts3', 'ts4')}</TIER>"
    )
    found = read_eaf(eaf(tmp_path, {"ts1": 1000, "ts2": None, "ts3": None, "ts4": 4000}, tiers))
    assert found[["start", "stop"]].to_numpy().tolist() == [[1, 4], [1, 2], [2, 3], [3, 4]]


def test_times_are_those_of_the_video_s_file(tmp_path):
    """ELAN can begin a video later than its file does."""
    header = '<MEDIA_DESCRIPTOR MEDIA_URL="" MIME_TYPE="" TIME_ORIGIN="1500"/>'
    path = eaf(tmp_path, {"ts1": 0, "ts2": 500}, f'<TIER TIER_ID="t">{aligned("a1", "ts1", "ts2")}</TIER>', header)
    assert read_eaf(path)[["start", "stop"]].to_numpy().tolist() == [[1.5, 2.0]]


def test_a_file_without_annotations(tmp_path):
    found = read_eaf(eaf(tmp_path, {}, '<TIER TIER_ID="default"/>'))
    assert found.empty and found.columns.tolist() == ["tier", "start", "stop", "value"]


@pytest.mark.parametrize(
    ("content", "why"),
    [("", "no ELAN file"), ("<html/>", "it is a html"), ("start\tstop", "no ELAN file")],
)
def test_files_that_are_not_elan_s(tmp_path, content, why):
    (tmp_path / "a.eaf").write_text(content)
    with pytest.raises(InputError, match=why):
        read_eaf(tmp_path / "a.eaf")


def test_a_time_that_is_none(tmp_path):
    path = eaf(tmp_path, {"ts1": 0, "ts2": "soon"}, f'<TIER TIER_ID="t">{aligned("a1", "ts1", "ts2")}</TIER>')
    with pytest.raises(InputError, match="no number of milliseconds"):
        read_eaf(path)
