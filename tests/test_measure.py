"""Registering a measure, giving it arguments, and what it may return."""

from __future__ import annotations

import inspect
import json
import pickle
import subprocess
import sys
import warnings
from typing import Annotated

import numpy as np
import pyarrow as pa
import pytest

import visanda as vi
from visanda.arguments import Between
from visanda.errors import InputError, MediaError, VisandaWarning
from visanda.measure import Measure, Vector, find, measure, nulls, registered, registry, rows
from visanda.media import Image

WHITE = np.full((4, 6, 3), 255, np.uint8)


@pytest.fixture(autouse=True)
def as_before(monkeypatch):
    """What a test registers is gone after it."""
    list(registered())
    monkeypatch.setattr(registry, "_registry", registry._Registry(registry._registry))


def make(columns=None, returns=None, name="redness", **options):
    """A measure with these columns that returns this."""

    def function(images):
        """Mean of the red channel."""
        return {"red": [image.pixels[:, :, 0].mean() / 255 for image in images]} if returns is None else returns

    function.__name__ = name
    return measure(columns=columns or {"red": float}, source="this test", **options)(function)


def test_a_function_becomes_a_measure():
    redness = make(size=64)
    assert redness()([WHITE]) == {"red": [1.0]}
    assert find("redness") is redness
    assert redness in list(registered())
    assert redness().schema == pa.schema([("id", pa.string()), ("red", pa.float64()), ("error", pa.string())])


def test_measures_of_one_test_are_not_there_in_another():
    assert "redness" not in [one.name for one in registered()]


def test_a_measure_of_ones_own_runs_on_a_corpus(tmp_path):
    make()
    (tmp_path / "photos").mkdir()
    vi.media.save(Image.of(WHITE), tmp_path / "photos" / "a.png")
    corpus = vi.Corpus.init(tmp_path / "study")
    corpus.add(tmp_path / "photos")
    corpus.measure("redness")
    assert corpus.table("redness")["red"].tolist() == [1.0]


def test_a_name_is_taken_once():
    with pytest.raises(InputError, match=r"already a measure 'colour', in visanda\.measures\.colour"):
        make(name="colour")


def test_a_notebook_cell_may_be_run_again():
    make(returns={"red": [1.0]})
    again = make(returns={"red": [2.0]})
    assert find("redness") is again
    assert find("redness")()([WHITE]) == {"red": [2.0]}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"columns": {"red": complex}}, "column 'red' of redness must be float, int, bool, str"),
        ({"columns": {"red": list[int]}}, "column 'red' of redness"),
        ({"columns": {"id": str}}, "cannot have a column 'id'"),
        ({"columns": {"error": str}}, "cannot have a column 'error'"),
        ({"on": "picture"}, "on one of image, video, shot, frame, face, object, line, not 'picture'"),
    ],
)
def test_a_registration_that_makes_no_sense_is_refused(given, message):
    with pytest.raises(InputError, match=message):
        make(**given)


def test_arguments_must_have_types_that_can_be_written_down():
    with pytest.raises(InputError, match="argument 'how' of untyped must stand after \\* and be of one of the types"):

        @measure(columns={"red": float}, source="this test")
        def untyped(images, how):
            """Mean of the red channel."""


def test_an_unknown_measure_gives_a_suggestion():
    with pytest.raises(InputError, match=r"no measure 'color'; did you mean 'colour'\? There are: .*clip, colour"):
        find("color")


@pytest.mark.parametrize(
    ("make_it", "message"),
    [
        (lambda: vi.colour(colors=3), "colour has no argument 'colors'; it takes: colours"),
        (lambda: vi.hash(bits=3), "hash has no argument 'bits'; it takes: no arguments"),
        (lambda: vi.zeroshot(), "zeroshot needs labels"),
        (lambda: vi.zeroshot(["a", "b"]), "name the arguments of zeroshot, as in name=value; it takes: labels"),
        (lambda: vi.colour(colours="many"), "colour's colours must be a whole number, not 'many'"),
        (lambda: vi.colour(colours=2.5), "colour's colours must be a whole number, not 2.5"),
        (lambda: vi.colour(colours=True), "colour's colours must be a whole number, not True"),
        (lambda: vi.colour(colours=None), "colour's colours must be a whole number, not None"),
        (lambda: vi.colour(colours=0), "colour's colours must be from 1 to 32, not 0"),
    ],
)
def test_wrong_arguments_are_told(make_it, message):
    with pytest.raises(InputError, match=message):
        make_it()


@pytest.fixture
def every_kind():
    @measure(columns={"x": float}, source="this test")
    def every_kind(
        images,
        *,
        n: Annotated[int, Between(1, 9)] = 1,
        x: float = 0.5,
        on: bool = False,
        word: str = "a",
        words: list[str],
    ):
        """Takes an argument of every kind."""
        return {"x": [x] * len(images)}

    return every_kind


def test_arguments_are_the_same_from_the_shell_from_json_and_from_python(every_kind):
    shell = every_kind(n="3", x="1e-3", on="true", word="b", words="p, q,")
    python = every_kind(n=3, x=0.001, on=True, word="b", words=["p", "q"])
    assert shell == python == Measure.from_json(python.to_json())
    assert python.arguments == {"n": 3, "x": 0.001, "on": True, "word": "b", "words": ["p", "q"]}
    assert every_kind(words=[]).arguments["n"] == 1
    assert every_kind(on="false", words=[]).arguments["on"] is False


@pytest.mark.parametrize("wrong", [{"on": "maybe"}, {"x": "nan"}, {"word": 3}, {"words": 3}, {"n": 10}])
def test_arguments_of_every_kind_are_checked(every_kind, wrong):
    with pytest.raises(InputError, match=f"every_kind's {next(iter(wrong))} must be"):
        every_kind(**{"words": [], **wrong})


def test_help_shows_the_words_and_arguments_of_the_function():
    assert str(inspect.signature(vi.zeroshot)) == "(*, labels: 'list[str]') -> visanda.measure.registry.Measure"
    assert vi.colour.__doc__.startswith(vi.colour.summary)


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ({"green": [1.0]}, r"declared \['red'\] and returned \['green'\]"),
        ({"red": [1.0], "green": [1.0]}, r"declared \['red'\] and returned \['green', 'red'\]"),
        ({"red": [1.0, 2.0]}, "2 values of red for 1 units"),
        ({"red": ["bright"]}, "the values of red are not <class 'float'>"),
    ],
)
def test_a_measure_that_breaks_its_word_is_told(returned, message):
    made = make(returns=returned)()
    with pytest.raises(InputError, match=message):
        rows(made, ["a"], made([WHITE]))


def test_a_vector_of_another_length_is_told():
    made = make(columns={"v": Vector(3)}, returns={"v": np.zeros((2, 4))})()
    with pytest.raises(InputError, match="the values of v are not Vector"):
        rows(made, ["a", "b"], made([WHITE, WHITE]))


def test_what_cannot_be_computed_is_null():
    columns = {"f": float, "many": list[float], "v": Vector(2), "s": str, "n": int, "b": bool}
    nan = float("nan")
    returned = {
        "f": np.array([1, nan]), "many": [[1.0, nan], None], "v": [[1, 2], [nan, 2]], "s": ["x", None],
        "n": [1, None], "b": np.array([True, False]),
    }  # fmt: skip
    made = make(columns=columns, returns=returned)()
    table = rows(made, ["a", "b"], made([WHITE, WHITE]))
    assert table.to_pylist() == [
        {"id": "a", "f": 1.0, "many": [1.0, None], "v": [1, 2], "s": "x", "n": 1, "b": True, "error": None},
        {"id": "b", "f": None, "many": None, "v": None, "s": None, "n": None, "b": False, "error": None},
    ]


def test_rows_of_failures():
    made = make(columns={"red": float, "v": Vector(3), "words": list[str]})()
    table = nulls(made, ["a"], ["truncated"])
    assert table.schema == made.schema
    assert table.to_pylist() == [{"id": "a", "red": None, "v": None, "words": None, "error": "truncated"}]


@pytest.mark.parametrize("single", ["a.jpg", WHITE, Image.of(WHITE)])
def test_a_single_picture_is_not_a_list(single):
    with pytest.raises(InputError, match=r"colour measures a list of pictures: put a single one in \[ \]"):
        vi.colour()(single)


def test_a_stack_of_pictures_is_a_list():
    assert vi.colour()(np.stack([WHITE, WHITE // 255]))["share_white"] == [1, 0]


def test_a_file_that_is_not_there_is_told():
    with pytest.raises(MediaError, match=r"nowhere\.jpg"):
        vi.colour()(["nowhere.jpg"])


def test_large_pictures_are_reduced_to_the_size_of_the_measure():
    seen = []

    @measure(columns={"red": float}, size=50, source="this test")
    def sizes(images):
        """Sees what it is given."""
        seen.extend((image.pixels.shape[:2], image.width, image.height) for image in images)
        return {"red": [0.0] * len(images)}

    sizes()([np.zeros((100, 300, 3), np.uint8), np.zeros((40, 300, 3), np.uint8)])
    assert seen == [((50, 150), 300, 100), ((40, 300), 300, 40)]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"name": "colour"}', "colour"])
def test_what_describes_no_measure_is_told(text):
    with pytest.raises(InputError, match="does not describe a measure"):
        Measure.from_json(text)


def test_json_is_readable():
    described = json.loads(vi.zeroshot(labels=["Straße", "道路"]).to_json())
    assert described == {"name": "zeroshot", "arguments": {"labels": ["Straße", "道路"]}}
    assert "Straße" in vi.zeroshot(labels=["Straße", "道路"]).to_json()


def test_a_measure_is_known_in_a_fresh_process():
    script = "import sys, pickle; print(pickle.load(sys.stdin.buffer).size)"
    done = subprocess.run([sys.executable, "-c", script], input=pickle.dumps(vi.colour(colours=3)), capture_output=True)
    assert done.stdout.decode().strip() == "256", done.stderr.decode()


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Another package, whose measures come in through entry points."""
    name = f"other_{tmp_path.name}"
    information = tmp_path / f"{name}-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(
        f"[visanda.measures]\nblueness = {name}:blueness\nbroken = {name}_that_is_not_there:broken\n"
    )
    (tmp_path / f"{name}.py").write_text(
        "from visanda.measure import measure\n\n"
        "@measure(columns={'blue': float}, source='another package')\n"
        "def blueness(images):\n"
        "    '''Mean of the blue channel.'''\n"
        "    return {'blue': [image.pixels[:, :, 2].mean() / 255 for image in images]}\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    return name


def test_another_package_brings_a_measure(installed):
    assert find("blueness")()([WHITE]) == {"blue": [1.0]}
    assert find("blueness").implementation.__module__ == installed


def test_a_broken_package_takes_no_other_measure_away(installed):
    with pytest.warns(VisandaWarning, match="brings no measure 'broken': No module named"):
        names = {one.name for one in registered()}
    assert {"blueness", "colour"} <= names and "broken" not in names
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        find("colour")
