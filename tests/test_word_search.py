"""Search for words in texts that a machine read: case, accents, errors, phrases, divided words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visanda.errors import InputError
from visanda.learn.word_search import edits, find_words, plain

WORDS = st.text("abcdeé", min_size=1, max_size=12)


def score(text: str, query: str, errors: int | None = None) -> float:
    return find_words([text], query, errors=errors)[0]


def test_a_score_for_each_text_in_order():
    assert find_words(["no parking", "", None, "parking"], "parking") == [1, 0, 0, 1]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("CAFÉ", "cafe"),
        ("Straße", "STRASSE"),
        ("Łódź", "lodz"),
        ("İstanbul ışıl", "istanbul isil"),
        ("Smørrebrød", "smorrebrod"),
        ("cafe\u0301", "café"),
        ("ﬁnal", "final"),
        ("禁止停车", "停车"),
        ("No smoking!", "smoking"),
    ],
)
def test_case_accents_and_signs_do_not_matter(text, query):
    assert score(text, query) == 1


def test_all_words_must_occur_in_any_order():
    assert score("Sports Centre and Car Parks", "parks sports") == 1
    assert score("Sports Centre and Car Parks", "parks library") == 0


def test_a_phrase_must_occur_just_so():
    assert score("No car parks here", '"car parks"') == 1
    assert score("No car park s here", '"car parks"') == 0
    assert score("parks for a car", '"car parks"') == 0
    assert score("scar parks", '"car parks"') == 0
    assert score("Car\nparks", "„car parks“") == 1
    assert score("car parks, open daily", '"car parks" daily') == 1
    assert score("cor parks", '"car parks"', errors=1) == 0
    assert score("at one o'clock", "o'clock") == 1


def test_longer_words_may_have_errors_and_short_ones_not():
    assert score("Wivennoe Park", "Wivenhoe") == 1 - 1 / 8
    assert score("c1imate", "climate") == 1 - 1 / 7
    assert score("dimate", "climate") == 0  # cl as d: two letters are wrong
    assert score("the cot", "cat") == 0
    assert score("the cot", "cat", errors=1) == 1 - 1 / 3
    assert score("c1imate", "climate", errors=0) == 0
    assert score("o", "a", errors=5) == 0


def test_a_word_inside_a_longer_one_is_found_unless_it_is_very_short():
    assert score("NOPARKING", "parking") == 0.9
    assert score("no", "n") == 0
    assert score("parking", "in") == 0


def test_divided_words_are_found_whole_and_in_parts():
    assert score("in 1 liter kokend wa-\nter laten", "water") == 1
    assert score("a well-\nknown", "known") == 1
    assert score("kokend wa-\nter laten", '"kokend water"') == 1
    assert score("wa - ter", "water") == 0


def test_a_query_needs_a_word():
    for query in ("", "  ", '""', "!?", '"…"'):
        with pytest.raises(InputError, match="no word"):
            find_words(["a"], query)
    with pytest.raises(InputError, match="negative"):
        find_words(["a"], "a", errors=-1)


def test_an_open_quotation_mark_is_no_phrase():
    assert score("parks and a car", '"car parks') == 1


def simple_distance(one: str, other: str) -> int:
    if not one or not other:
        return len(one) + len(other)
    return min(
        simple_distance(one[1:], other) + 1,
        simple_distance(one, other[1:]) + 1,
        simple_distance(one[1:], other[1:]) + (one[0] != other[0]),
    )


@given(st.text("ab", max_size=5), st.text("ab", max_size=5), st.integers(0, 5))
def test_edits_are_levenshteins(one, other, most):
    assert edits(one, other, most) == min(simple_distance(one, other), most + 1)


@given(WORDS, WORDS, st.integers(0, 3))
def test_whatever_is_near_enough_is_found(word, other, errors):
    """The pieces that spare comparisons miss nothing."""
    one, two = plain(word), plain(other)
    wrong, most = edits(one, two, 12), min(errors, len(one) - 1)
    found = score(other, word, errors)
    assert 0 <= found <= 1
    if wrong <= most:
        assert found >= 1 - wrong / len(one)
    elif one not in two:
        assert found == 0


@given(st.lists(WORDS, min_size=1, max_size=6))
def test_a_text_is_found_by_its_own_words(words):
    assert score(" ".join(words), " ".join(words)) == 1


def test_words_that_were_read_as_one_are_found():
    assert find_words(["NOPARKING here", "no dogs, parking"], "no parking") == [0.9, 1.0]
    assert find_words(["parking"], "no parking") == [0.0]
