import unicodedata

import pandas as pd
import pytest

from visanda.collect.match import match
from visanda.errors import InputError

IDS = ["photos/2019/a.jpg", "photos/2020/a.jpg", "photos/2020/b.png", "photos/für ü.jpg"]


def frame(*keys):
    return pd.DataFrame({"filename": list(keys), "age": range(len(keys))})


@pytest.mark.parametrize(
    "key", ["photos/2020/b.png", "2020/b.png", "b.png", "b", "./photos/2020/b.png", "2020\\b.png", " b.png "]
)
def test_a_picture_is_found_by_its_id_its_path_its_name_or_its_stem(key):
    assert match(frame(key), "filename", IDS).rows == {"photos/2020/b.png": 0}


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_umlauts_match_however_they_are_written(form):
    other = "NFD" if form == "NFC" else "NFC"
    ids = [unicodedata.normalize(other, id) for id in IDS]
    assert match(frame(unicodedata.normalize(form, "für ü.jpg")), "filename", ids).rows == {ids[3]: 0}


def test_both_directions_are_reported():
    found = match(frame("b.png", "nobody.jpg", None, "a.jpg", "2019/a.jpg"), "filename", IDS)
    assert found.rows == {"photos/2020/b.png": 0, "photos/2019/a.jpg": 4}
    assert found.unmatched == ["nobody.jpg", "(row 3: empty)", "a.jpg"]
    assert found.ambiguous == ["a.jpg"]


def test_numbers_can_be_names():
    assert match(pd.DataFrame({"k": [17, 18]}), "k", ["x/17.jpg", "x/19.jpg"]).rows == {"x/17.jpg": 0}


def test_a_key_that_repeats_is_refused_with_the_values_that_do():
    with pytest.raises(InputError, match=r"2 values of 'filename' repeat, such as 'b.png' \(3 times\)"):
        match(frame("b.png", "b.png", "./b.png", "x", "x"), "filename", IDS)


def test_a_key_that_is_not_there_comes_with_the_column_that_was_meant():
    table = pd.DataFrame({"image": ["b.png", "2019/a.jpg"], "age": [1, 2]})
    with pytest.raises(InputError, match="no column 'filename': 'image' names 2 of the pictures: --key image"):
        match(table, "filename", IDS)
    with pytest.raises(InputError, match=r"did you mean 'file_name'.*Its columns are: file_name, age"):
        match(pd.DataFrame({"file_name": ["x"], "age": [1]}), "filename", IDS)
    with pytest.raises(InputError, match="no column 'filename'"):
        match(pd.DataFrame(), "filename", IDS)
