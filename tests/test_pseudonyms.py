"""Pseudonyms: the same key, the same names; no key, no names."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visanda.corpus.share.pseudonyms import Pseudonyms, read_key, split
from visanda.errors import CorpusError, InputError
from visanda.units import Unit, parse

KEY = bytes(range(32))
names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40)


@given(names, st.floats(0, 1e5), st.tuples(*(st.integers(0, 4000),) * 2, *(st.integers(1, 4000),) * 2))
def test_what_is_inside_a_file_stays_where_it_was_in_the_file(name, time, box):
    whole, part = Unit(name).id, Unit(name, (time,), box).id
    shared = Pseudonyms(KEY)
    assert parse(shared.unit(part)) == Unit(shared.unit(whole), (time,), box)


@given(st.lists(names, unique=True, max_size=20))
def test_different_files_have_different_pseudonyms_that_tell_nothing_of_the_name(files):
    ids = [Unit(name).id for name in files]
    found = Pseudonyms(KEY).files(ids)
    assert len(set(found.values())) == len(set(ids))
    assert all(len(pseudonym) == 17 and pseudonym.isalnum() for pseudonym in found.values())


def test_the_key_decides():
    assert Pseudonyms(KEY).unit("a.jpg") == Pseudonyms(KEY).unit("a.jpg") == "uffcebe9e25b9eaa9"
    assert Pseudonyms(KEY).unit("a.jpg") != Pseudonyms(bytes(32)).unit("a.jpg")


def test_a_fragment_that_is_none_is_part_of_the_name():
    assert split("a.jpg#jane") == ("a.jpg#jane", "", "")
    assert "jane" not in Pseudonyms(KEY).unit("a.jpg#jane")


def test_a_group_of_one_column_is_not_that_of_another():
    shared = Pseudonyms(KEY)
    assert shared.value("author", "Ada") == shared.value("author", "Ada")
    assert len({shared.value("author", "Ada"), shared.value("place", "Ada"), shared.coder("Ada")}) == 3


def test_two_files_never_share_a_pseudonym(monkeypatch):
    monkeypatch.setattr("visanda.corpus.share.pseudonyms.DIGITS", 1)
    with pytest.raises(InputError, match="would share the pseudonym"):
        Pseudonyms(KEY).files(f"{i}.jpg" for i in range(20))


def test_the_key_is_made_once_for_the_owner_only(tmp_path: Path):
    path = tmp_path / "private" / "key.toml"
    key = read_key(path)
    assert len(key) == 32
    assert read_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_key(tmp_path / "other.toml") != key


@pytest.mark.parametrize("text", ["", "key = 'xyz'", "key = 3", "not toml", "key = 'abcd'"])
def test_a_damaged_key_is_never_replaced_silently(tmp_path: Path, text: str):
    path = tmp_path / "key.toml"
    path.write_text(text)
    with pytest.raises(CorpusError, match="key"):
        read_key(path)
    assert path.read_text() == text
