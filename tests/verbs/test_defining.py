"""codebook: defining variables from the command, and what is said of changes."""

from __future__ import annotations

import pandas as pd
import pytest

from visanda import codes
from visanda.errors import InputError

KOALA = "photos/expl_wa__koala.webp"


def test_a_variable_is_defined_changed_and_shown(photos):
    study = photos(6)
    study.codebook(
        "nature",
        values=["yes,no"],
        definition="Is it alive?",
        meaning=["Yes=plants, animals", "no=things"],
        prompt=["yes=an animal;a plant"],
    )
    shown = study.codebook("nature", meaning=["no="], example=[f"borderline={study.population()['id'][0]}"])
    table = shown.table.set_index("value")
    assert table["meaning"].to_dict() == {"yes": "plants, animals", "no": "", "borderline": ""}
    assert table.loc["yes", "prompts"] == "an animal; a plant"
    assert shown.words[0] == "Is it alive? (nominal, each image, version 1)" and not shown.warnings
    assert study.codebook().table[["variable", "scale", "values"]].to_numpy().tolist() == [
        ["nature", "nominal", "yes, no"]
    ]


def test_the_page_for_coders_has_definitions_and_examples_as_pictures(photos):
    study = photos(6)
    name = study.population()["id"][0].split("/")[-1]
    study.codebook("nature", values=["<yes>", "no"], definition="A & B?", example=[f"<yes>={name};nowhere.jpg"])
    page = (study.results / "codebook.html").read_text("utf-8")
    assert "A &amp; B?" in page and "&lt;yes&gt;" in page
    assert page.count("data:image/jpeg;base64,/9j/") == 1 and page.count("(no picture)") == 1


def test_examples_that_are_nothing_here_are_named(photos):
    said = photos(3).codebook("x", values=["yes,no"], example=["yes=nowhere.jpg"])
    assert "nowhere.jpg" in said.warnings[0]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"values": ["yes,Yes"]}, "differ in case"),
        ({"values": ["yes,no"], "meaning": ["people march"]}, "names no value"),
        ({"values": ["yes,no"], "meaning": ["maybe=x"]}, "'maybe', which does not exist"),
        ({"scale": "interval", "low": 3, "high": 1}, "below high"),
    ],
)
def test_what_cannot_be_asked_is_refused(photos, options, says):
    with pytest.raises(InputError, match=says):
        photos(3).codebook("x", **options)


def test_a_variable_is_needed_and_must_not_be_a_table(photos):
    study = photos(3)
    with pytest.raises(InputError, match="which variable"):
        study.codebook(values=["yes,no"])
    with pytest.raises(InputError, match="another one"):
        study.codebook("media", values=["yes,no"])
    with pytest.raises(InputError, match="is not in the codebook"):
        study.codebook("x")
    assert "Nothing is defined yet" in study.codebook().words[0]


def test_a_codebook_that_changes_midway_is_said_wherever_codes_come_in(photos):
    study = photos(6)
    ids = study.population()["id"]
    study.codebook("x", values=["yes,no"])
    study.code("x", import_=pd.DataFrame({"id": ids[:4], "value": ["yes", "yes", "no", "no"]}), coder="ana")
    toml = study.folder / "codebook.toml"
    toml.write_text(toml.read_text("utf-8").replace('["yes", "no"]', '["yes", "unclear"]'), "utf-8")
    shown = study.codebook("x")
    assert any("values: yes, no → yes, unclear" in text and "version 2" in text for text in shown.words)
    assert any("2 codes of x" in text and "'no' (2)" in text for text in shown.warnings)
    said = study.code("x", import_=pd.DataFrame({"id": ids[4:], "value": "unclear"}), coder="ana")
    assert any("has changed since version 1" in text for text in said.words)
    assert any("4 under version 1" in text for text in said.words)
    assert study.sql("SELECT codebook, count(*) AS n FROM codes GROUP BY ALL ORDER BY ALL")["n"].tolist() == [4, 2]
    assert sorted(path.name for path in (study.folder / "codes/x").glob("*.toml")) == [
        "codebook-1.toml",
        "codebook-2.toml",
    ]
    assert set(codes.gold_of(study.folder, "x")) == {"yes", "unclear"}
    assert study.table("x")["x"].notna().sum() == 4


def test_a_whole_codebook_comes_from_elsewhere(photos, tmp_path):
    study = photos(3)
    (tmp_path / "theirs.toml").write_text("[a]\nvalues = ['x', 'y']\n[b]\nscale = 'pairwise'\n", "utf-8")
    assert study.codebook(from_=tmp_path / "theirs.toml").table["variable"].tolist() == ["a", "b"]


def test_another_scale_takes_its_ends_or_values_with_it(photos):
    study = photos(3)
    study.codebook("warm", scale="interval", low=0, high=10)
    assert study.codebook("warm", scale="ordinal", values=["cold,hot"]).table["value"].tolist() == ["cold", "hot"]
    study.codebook("warm", scale="interval", high=5)
    assert (study.folder / "codebook.toml").read_text("utf-8").splitlines()[2:] == [
        "[warm]",
        'scale = "interval"',
        "high = 5",
    ]
