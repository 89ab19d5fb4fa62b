"""Tables and sentences on a narrow screen: numbers whole, words whole, and nothing lost without being said."""

import io
import re

import pandas as pd
import pytest
from rich.console import Console

from visanda import cli
from visanda.result import Result
from visanda.study.wording import readable

TABLE = pd.DataFrame(
    {
        "method": ["naive", "corrected (predict-then-debias)"] * 2,
        "term": ["outlet[T.Tagesspiegel Berlin]", "outlet[T.Tagesspiegel Berlin]", "Intercept", "I(x ** 2)"],
        "estimate": [-0.50712, 0.5671, 12345.678, 0.000012],
        "se": [0.4995, 0.4781, 0.1, 0.2],
        "low": [-1.486, -0.37, 0.1, 0.2],
        "high": [0.4719, 1.504, 0.1, 0.2],
        "p": [0.00031, 0.236, float("nan"), 0.0100],
        "n": [218, 218, 1234567, 9],
    }
)
WORDS = [
    "The coefficient of x is -8.302 (95 % CI -11.535 to -5.070, p < .001); with the codes alone p = .045 ± 0.3. "
] * 3


@pytest.fixture
def shown(monkeypatch):
    def shown(what, width):
        screen = io.StringIO()
        monkeypatch.setattr(cli, "console", Console(file=screen, width=width, force_terminal=False))
        cli.show(what)
        return [line.rstrip() for line in screen.getvalue().splitlines()]

    return shown


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_numbers_and_words_are_never_broken(shown, width):
    lines = shown(Result("", TABLE, words=WORDS, warnings=WORDS), width)
    text = "\n".join(lines)
    assert max(map(len, lines)) <= width
    for number in ["-0.5071", "1.235e+04", "1.2e-05", "0.4995"]:
        assert re.search(rf"(^|\s){re.escape(number)}(\s|$)", text), number
    for word in ["Tagesspiegel", "Berlin", "outlet:", "Intercept", "x²", "debias)"]:
        assert re.search(rf"(^|[\s-]){re.escape(word)}(\s|$)", text), word
    for whole in ("p < .001", "95 % CI", "p = .045 ± 0.3"):
        assert text.count(whole) == 2 * len(WORDS)
    if width >= 80:
        assert " < .001" in text and re.search(r"0\.010", text) and "1,234,567" in text
    hidden = re.search(r"and (\d) more columns?: (.*)", text)
    assert bool(hidden) == (width < 80)


def test_what_is_the_same_in_all_rows_is_said_once_where_there_is_no_room(shown):
    table = TABLE.assign(term="share of nature in the pictures")
    lines = shown(table, 80)
    assert lines[0] == "term: share of nature in the pictures" and "term" not in lines[1]
    assert "share of nature in the pictures" in shown(table, 140)[1]


def test_text_with_brackets_is_printed_as_it_is(shown):
    assert any("[bold] x" in line for line in shown(pd.DataFrame({"a": ["[bold] x", "y"]}), 80))


@pytest.mark.parametrize(
    ("term", "said"),
    [
        ("I(x ** 2)", "x²"),
        ("I(`my x`**3)", "my x³"),
        ("I(np.log(x) ** 2)", "log(x)²"),
        ("I((a + b) ** 2)", "(a + b)²"),
        ("I(a + b)", "a + b"),
        ("x:C(year)[T.2021.0]", "x × year = 2021"),
        ("C(t)[T.12:30]:x", "t = 12:30 × x"),
        ("`log.likes`[T.many]", "log.likes = many"),
        ("bs(x, df=4)[2]", "bs(x, df=4)[2]"),
    ],
)
def test_terms_in_words(term, said):
    assert readable(term) == said
