"""panel: from pictures to units in time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from visanda.corpus import Corpus
from visanda.corpus.dates import begins, dates
from visanda.errors import InputError
from visanda.study.panels import units_of


def dated(n: int) -> pd.DataFrame:
    """Outlets and dates for n pictures: days 1, 2 and 4 of March."""
    day = np.resize([1, 2, 2, 4], n)
    return pd.DataFrame({"outlet": np.resize(["a", "b", "a"], n), "published": [f"2024-03-{d:02d}" for d in day]})


@pytest.fixture
def corpus(photos, tmp_path):
    corpus = photos(16)
    files = corpus.frame("SELECT id FROM media ORDER BY id")["id"]
    known = pd.concat([files.str.split("/").str[-1].rename("filename"), dated(16)], axis=1)
    corpus.add(metadata=known)
    corpus.measure("colour", "hash")
    return corpus


def test_means_by_outlet_and_day_are_those_of_the_pictures(corpus, tmp_path):
    result = corpus.panel(unit=["outlet,day"], measures=["colour"], out=tmp_path / "panel.csv")
    pictures = corpus.table("colour")
    expected = pictures.groupby(["outlet", "published"])["brightness"].agg(["mean", "size"])
    assert result.table["brightness"].tolist() == pytest.approx(expected["mean"].tolist())
    assert result.table["n"].tolist() == expected["size"].tolist()
    written = pd.read_csv(tmp_path / "panel.csv")
    assert written["day"].tolist() == [day for _, day in expected.index]
    assert any("published" in text for text in result.words)


def test_fill_and_lags_go_by_true_distance(corpus):
    result = corpus.panel(unit=["outlet", "day"], measures=["colour"], lags=[1], fill=True)
    table = result.table.set_index(["outlet", "day"])
    assert len(table) == 2 * 4
    third, fourth = (("a", pd.Timestamp(f"2024-03-0{d}")) for d in (3, 4))
    assert table.loc[third, "filled"] and table.loc[third, "n"] == 0 and np.isnan(table.loc[third, "brightness"])
    second = ("a", pd.Timestamp("2024-03-02"))
    assert np.isnan(table.loc[fourth, "lag_brightness"])
    assert table.loc[third, "lag_brightness"] == pytest.approx(table.loc[second, "brightness"])


def test_lags_of_ones_own_stay_and_what_was_asked_for_stands_first(corpus):
    files = corpus.frame("SELECT id FROM media ORDER BY id")["id"]
    mine = pd.DataFrame({"filename": files.str.split("/").str[-1], "size": range(16), "lag_size": range(16)})
    corpus.add(metadata=mine)
    result = corpus.panel(unit=["outlet", "day"], measures=["colour"], lags=[1])
    assert {"lag_size", "lag_brightness"} <= set(result.table) and "lag_lag_size" in result.table
    assert any("of size of their own" in text for text in result.words)
    assert list(result.table)[:4] == ["outlet", "day", "n", "brightness"]


def test_a_column_of_quarters_is_a_time(corpus):
    files = corpus.frame("SELECT id FROM media ORDER BY id")["id"]
    quarter = pd.Series(np.resize(["2023-Q3", "2023-Q4", "2024-Q1", "2024-Q1"], 16), name="published_in")
    corpus.add(metadata=pd.concat([files.str.split("/").str[-1].rename("filename"), quarter], axis=1))
    table = corpus.panel(unit=["published_in"], measures=["colour"], lags=[1], leads=[1], differences=True).table
    assert table["published_in"].tolist() == ["2023-Q3", "2023-Q4", "2024-Q1"]
    brightness = table["brightness"].tolist()
    assert table["lag_brightness"].tolist()[1:] == brightness[:2]
    assert table["lead_brightness"].tolist()[:2] == brightness[1:]
    assert table["change_brightness"].tolist()[2] == pytest.approx(brightness[2] - brightness[1])


def test_pictures_count_as_much_as_their_reach(corpus):
    files = corpus.frame("SELECT id FROM media ORDER BY id")["id"]
    reach = pd.Series([1000, *[1] * 14, 0], name="reach")
    corpus.add(metadata=pd.concat([files.str.split("/").str[-1].rename("filename"), reach], axis=1))
    result = corpus.panel(unit=["outlet"], measures=["colour"], weights="reach")
    pictures = corpus.table("colour").merge(corpus.table("media")[["id", "reach"]], on="id", suffixes=("", "_media"))
    for outlet, mine in pictures.groupby("outlet"):
        expected = np.average(mine["brightness"], weights=mine["reach"])
        assert result.table.set_index("outlet").loc[outlet, "brightness"] == pytest.approx(expected)
    assert result.table["reach"].sum() == 1014
    with pytest.raises(InputError, match="'fame' is no column of the pictures"):
        corpus.panel(unit=["outlet"], weights="fame")


def test_without_measures_pictures_are_counted_and_what_cannot_be_averaged_is_named(corpus):
    assert corpus.panel(unit=["month"]).table["n"].tolist() == [16]
    assert any("phash" in text for text in corpus.panel(unit=["outlet"], measures=["hash"]).words)


def test_it_says_what_is_missing(corpus):
    with pytest.raises(InputError, match="'station' is no column"):
        corpus.panel(unit=["station"])
    with pytest.raises(InputError, match="need a time"):
        corpus.panel(unit=["outlet"], lags=[1])
    with pytest.raises(InputError, match="there is no table 'colours' yet"):
        corpus.panel(unit=["outlet"], measures=["colours"])
    with pytest.raises(InputError, match="holds no dates, such as"):
        corpus.panel(unit=["day"], date="outlet")
    with pytest.raises(InputError, match="a unit has one"):
        corpus.panel(unit=["day,month"])


def test_no_dates_and_several(photos):
    corpus = photos(3)
    with pytest.raises(InputError, match="no column holds dates"):
        corpus.panel(unit=["day"])


def test_dates_and_periods():
    assert dates(pd.Series(["2024-03-14", None, "2024-01-01 10:00"])).dt.day.tolist()[::2] == [14, 1]
    assert dates(pd.Series(["14.3.2024"])) is None and dates(pd.Series([2024.0])) is None
    stamps = pd.Series(pd.to_datetime(["2024-05-15"]))
    found = {period: str(begins(stamps, period).iloc[0])[:10] for period in ("day", "week", "month", "quarter", "year")}
    assert found == {
        "day": "2024-05-15", "week": "2024-05-13", "month": "2024-05-01", "quarter": "2024-04-01", "year": "2024",
    }  # fmt: skip


def test_coded_variables_come_corrected(studied: Corpus):
    files = studied.frame("SELECT id FROM media ORDER BY id")["id"]
    studied.add(metadata=pd.concat([files.str.split("/").str[-1].rename("filename"), dated(218)], axis=1))
    table = studied.panel(unit=["outlet", "day"], measures=["nature", "colour"]).table
    pictures = studied.join("nature").merge(
        studied.table("media")[["id", "published"]].rename(columns={"published": "day"}), on="id"
    )
    pictures["gold"] = pictures["nature"].map({"yes": 1.0, "no": 0.0})
    by_hand = units_of(
        pictures,
        ["outlet", "day"],
        values=[],
        predicted_var="gold",
        prediction="nature_crossfit_yes",
        sample_prob="nature_pi",
    ).table
    for mine, theirs in {
        "nature": "gold",
        "nature_gold": "gold_gold",
        "nature_se": "gold_se",
        "pi_unit": "pi_unit",
    }.items():
        assert table[mine].tolist() == pytest.approx(by_hand[theirs].tolist(), nan_ok=True), mine
    assert table["nature_coded"].sum() == 100
    assert list(table)[:4] == ["outlet", "day", "n", "nature"]
    alone = studied.panel(unit=["outlet", "day"], measures=["nature"]).table
    assert alone["nature"].tolist() == pytest.approx(table["nature"].tolist())
    assert np.average(table["nature"], weights=table["n"]) == pytest.approx(57 / 218, abs=0.06)


def test_what_was_found_is_counted_and_truth_values_with_gaps_are_shares(photos):
    corpus = photos(6)
    corpus.measure("faces")
    result = corpus.panel(unit=["category"], measures=["faces"])
    pictures = corpus.table("faces", on="image")
    assert result.table["n_faces_sum"].tolist() == pictures.groupby("category")["n_faces"].sum().tolist()
