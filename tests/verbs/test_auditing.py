"""``audit``: faces to code that tell nothing, and what coders say of them against what the machine says."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import visanda
from visanda.corpus import Corpus
from visanda.corpus.auditing import Auditing
from visanda.errors import InputError

SAMPLE = Path(visanda.__file__).parent / "sample"


@pytest.fixture(scope="module")
def measured_faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Portraits and musicians, with a photo without a face, measured once."""
    corpus = Corpus.init(tmp_path_factory.mktemp("faces") / "study")
    music = sorted((SAMPLE / "photos").glob("expl_music__*"))
    corpus.add(str(SAMPLE / "faces"), *map(str, music), str(SAMPLE / "photos" / "expl_wa__koala.webp"))
    corpus.measure("faces")
    corpus.measure("gender", "age", on="face")
    return corpus.folder


@pytest.fixture
def corpus(measured_faces: Path, tmp_path: Path) -> Auditing:
    shutil.copytree(measured_faces, tmp_path / "study")
    return Auditing(tmp_path / "study")


def said(corpus: Auditing) -> pd.Series:
    """What the machine says, with a word for those it abstained from."""
    words = corpus.frame("SELECT id, perceived_gender FROM gender").set_index("id")["perceived_gender"]
    return words.where(words.notna(), "man")


def test_a_sample_to_code_does_not_tell_what_the_machine_says(corpus: Auditing, tmp_path: Path):
    drawn = corpus.audit("gender", sample=10, out=tmp_path / "faces.csv")
    sheet = pd.read_csv(tmp_path / "faces.csv")
    assert len(sheet) == sheet["id"].nunique() == 10
    assert sheet["value"].isna().all()
    assert sheet["pi"].between(0, 1, inclusive="right").all()
    assert not sheet.drop(columns=["pi", "id"]).isin(["woman", "man"]).any(axis=None)
    for name in sheet["picture"]:
        with Image.open(tmp_path / name) as crop:
            assert max(crop.size) >= 300
    assert (tmp_path / "faces" / "sheet-1.jpg").exists()
    machine = corpus.frame("SELECT id FROM gender")
    assert drawn.table["units"].sum() == len(machine)
    assert (1 / sheet["pi"]).sum() == pytest.approx(len(machine))
    assert any("visanda audit gender --codes" in words for words in drawn.words)
    again = tmp_path / "again.csv"
    corpus.audit("gender", sample=10, out=again)
    assert pd.read_csv(again)["id"].tolist() == sheet["id"].tolist()


def test_a_sheet_that_may_hold_codes_is_left_alone(corpus: Auditing, tmp_path: Path):
    (tmp_path / "faces.csv").write_text("mine")
    with pytest.raises(InputError, match="is there already"):
        corpus.audit("gender", sample=5, out=tmp_path / "faces.csv")
    assert (tmp_path / "faces.csv").read_text() == "mine"


def test_from_a_sample_by_two_coders_to_a_saved_audit(corpus: Auditing, tmp_path: Path):
    sheet_path = tmp_path / "sheet.csv"
    corpus.audit("gender", sample=12, allocate="equal", out=sheet_path)
    sheet = pd.read_csv(sheet_path, dtype={"value": object})
    other = {"woman": "man", "man": "woman"}
    told = corpus.frame("SELECT id FROM gender WHERE perceived_gender IS NOT NULL")["id"]
    wrong, differ, empty = sheet.index[sheet["id"].isin(told)][:3]
    anna = sheet.drop(columns="pi").assign(value=sheet["id"].map(said(corpus)))
    anna.loc[wrong, "value"] = other[anna["value"][wrong]]
    ben = anna.copy()
    ben.loc[differ, "value"] = other[ben["value"][differ]]
    ben.loc[empty, "value"] = ""
    anna["value"] = anna["value"].str.capitalize()
    anna.to_csv(tmp_path / "anna.csv", index=False)
    ben.to_excel(tmp_path / "ben.xlsx", index=False)
    codes = [str(tmp_path / name) for name in ("anna.csv", "ben.xlsx", "sheet.csv")]
    found = corpus.audit("gender", codes=codes, by=["age.perceived_age_group,faces.frontal"])
    assert found.table.loc[0, "n"] == 11  # one on which they differ
    assert any("split over 1" in text for text in found.warnings)
    assert any("weighted" in text for text in found.words)
    assert any("Krippendorff" in text for text in found.words)
    assert {"", "age.perceived_age_group", "faces.frontal"} == set(found.table["by"])
    counts = found.extra["confusion"].set_index("hand")
    assert counts.loc["man", "woman"] + counts.loc["woman", "man"] == 1
    for name in ("csv", "json", "png"):
        assert (corpus.results / f"gender-audit.{name}").exists()
    assert len(pd.read_csv(corpus.results / "gender-audit-confusion.csv")) == 2
    assert (corpus.results / "gender-audit-errors.jpg").exists()
    assert any((corpus.folder / "runs").glob("*-audit.json"))


def many_faces(corpus: Auditing, copies: int = 12) -> pd.DataFrame:
    """Makes the table gender ``copies`` times as long, in half of them with the other gender; hand codes of all.

    Coders find women in three of ten faces that the machine takes for men's, and agree with it otherwise.
    """
    rows = corpus.frame("SELECT * FROM gender WHERE perceived_gender IS NOT NULL ORDER BY id")
    parts = []
    for copy in range(copies):
        female = 1 - rows["perceived_female"] if copy % 2 else rows["perceived_female"]
        word = np.where(female > 0.5, "woman", "man")
        parts.append(rows.assign(id=rows["id"] + str(copy), perceived_female=female, perceived_gender=word))
    many = pd.concat(parts, ignore_index=True)
    put(corpus, "gender", many)
    missed = (many["perceived_gender"] == "man") & (np.random.default_rng(3).random(len(many)) < 0.3)
    return pd.DataFrame({"id": many["id"], "value": many["perceived_gender"].mask(missed, "woman")})


def put(corpus: Auditing, name: str, rows: pd.DataFrame) -> None:
    """Replaces the rows of a table."""
    parts = corpus.parts(name)
    table = parts.read()
    rows = rows.astype(object).where(rows.notna(), None)
    with parts.writing():
        parts.replace_all(type(table).from_pylist(rows.to_dict("records"), schema=table.schema), "test")


def test_groups_by_name_add_error_rates_and_what_they_do(corpus: Auditing):
    """``visanda audit gender --by ...``: rates, tests, worst group and consequence, on the screen and in results/."""
    codes = many_faces(corpus)
    shade = np.where(np.arange(len(codes)) % 2, "dark", "light")
    coded = codes.assign(shade=shade)
    found = corpus.audit("gender", codes=coded, by=["kind,shade"])
    bias = found.also[0]
    assert bias.title.startswith("Bias of perceived_gender")
    assert {"", "kind", "shade"} == set(bias.table["by"])
    missed = bias.extra["rates"].query("rate == 'false negative rate' and group == 'all'").iloc[0]
    women = codes["value"] == "woman"
    machine = corpus.frame("SELECT id, perceived_gender FROM gender").set_index("id")["perceived_gender"]
    right = machine.reindex(codes["id"]).to_numpy() == codes["value"].to_numpy()
    assert missed["n"] == women.sum()
    assert missed["value"] == pytest.approx(1 - right[women].mean())
    assert any("shade is known of coded units only" in text for text in bias.warnings)
    for name in ("gender-audit-bias.csv", "gender-audit-bias.png", "gender-audit-bias.json"):
        assert (corpus.results / name).exists()
    tests = pd.read_csv(corpus.results / "gender-audit-bias-tests.csv")
    assert set(tests["by"]) == {"shade"}
    worst = pd.read_csv(corpus.results / "gender-audit-bias-worst-groups.csv")
    assert list(worst["rate"]) == ["false positive rate", "false negative rate"]


def test_a_column_of_another_table_is_found_by_its_name_and_moves_shares(corpus: Auditing):
    codes = many_faces(corpus)
    ages = pd.DataFrame({"id": codes["id"], "perceived_age": np.linspace(8, 75, len(codes)), "error": None})
    put(corpus, "age", ages)
    half = codes.sample(len(codes) // 2, random_state=1).assign(pi=0.5)
    found = corpus.audit("gender", codes=half, by=["perceived_age*kind"])
    titles = [one.title for one in found.also]
    assert titles[1:] == ["What the machine's errors do to the share of woman by perceived_age"]
    quarters = found.also[1].table.query("what == 'share'")
    assert len(quarters) == 4 and quarters["rows"].sum() == len(codes)
    assert found.also[1].words[0].startswith("The machine")
    assert "perceived_age × kind" in set(found.also[0].table["by"]) & set(found.table["by"])
    assert (corpus.results / "gender-audit-perceived_age-woman.png").exists()
    assert any("shares of woman by kind cannot be said" in text for text in found.also[0].warnings)
    assert "false negative rate" in str(found)


def test_codes_are_found_where_audit_wrote_the_sheet(corpus: Auditing):
    corpus.audit("gender", sample=10)
    path = corpus.results / "gender-to-code.csv"
    sheet = pd.read_csv(path, dtype={"value": object})
    sheet.assign(value=sheet["id"].map(said(corpus))).to_csv(path, index=False)
    assert corpus.audit("gender", by=["kind"]).table.loc[0, "n"] == 10


def test_a_column_named_like_a_class_holds_yes_and_no(corpus: Auditing):
    machine = said(corpus)
    codes = pd.DataFrame({"id": machine.index, "woman": (machine == "woman").astype(int).to_numpy(), "hat": "no"})
    found = corpus.audit("gender", codes=codes, by=["hat"])
    assert found.table.loc[0, "accuracy"] == 1
    assert list(found.extra["confusion"]["hand"]) == ["no", "yes"]
    assert any("Brier score of the probability of yes" in words for words in found.words)
    same = corpus.audit("gender", codes=codes, column="woman")
    assert same.table.loc[0, "n"] == len(machine)


def test_a_name_of_a_picture_means_its_largest_face(corpus: Auditing):
    several = corpus.frame("SELECT id FROM faces_by_picture WHERE n_faces > 1")["id"][0]
    names = ["astronaut.jpg", "admiral.jpg", several.split("/")[-1], "expl_wa__nothing.webp"]
    found = corpus.audit("gender", codes=pd.DataFrame({"filename": names, "value": ["woman", "woman", "man", "man"]}))
    assert found.table.loc[0, "n"] == 3
    assert any("1 pictures" in text and "largest" in text for text in found.warnings)
    assert any("name nothing" in text and "nothing.webp" in text for text in found.warnings)


def test_ages_are_audited_as_numbers(corpus: Auditing, tmp_path: Path):
    ages = corpus.frame("SELECT id, perceived_age FROM age WHERE error IS NULL ORDER BY id")
    one = pd.DataFrame({"id": ages["id"], "value": (ages["perceived_age"] + 4).round(1)})
    one.to_csv(tmp_path / "one.csv", index=False)
    one.assign(value=one["value"] + 2).to_csv(tmp_path / "two.csv", index=False)
    found = corpus.audit("age", codes=[f"{tmp_path / 'one.csv'}", f"{tmp_path / 'two.csv'}"])
    assert found.table.loc[0, "bias"] == pytest.approx(-5, abs=0.06)  # of the coders' means
    with pytest.raises(InputError, match=r"age\.perceived_age_group"):
        corpus.audit("age", codes=one.assign(value="18-39"))
    groups = corpus.frame("SELECT id, perceived_age_group AS value FROM age WHERE error IS NULL")
    assert corpus.audit("age.perceived_age_group", codes=groups).table.loc[0, "accuracy"] == 1


def test_counts_in_pictures_and_coded_variables(corpus: Auditing):
    counted = corpus.frame("SELECT id, n_faces AS value FROM faces_by_picture ORDER BY id")
    found = corpus.audit("faces_by_picture.n_faces", codes=counted)
    assert (found.table.loc[0, "mae"], found.table.loc[0, "n"]) == (0, len(counted))
    coder = Corpus(corpus.folder)
    coder.code(
        "people", import_=counted.assign(value=np.where(counted["value"] > 0, counted["value"], 1)), coder="anna"
    )
    found = corpus.audit("faces_by_picture.n_faces", codes=["people"])
    assert found.table.loc[0, "n"] == len(counted)


def test_what_failed_is_counted(corpus: Auditing):
    rows = corpus.frame("SELECT * FROM gender ORDER BY id")
    rows.loc[:1, ["perceived_gender", "perceived_female"]] = None
    rows.loc[:1, "error"] = "the face has no landmarks"
    machine = said(corpus)
    table = corpus.parts("gender").read()
    with corpus.parts("gender").writing():
        corpus.parts("gender").replace_all(
            type(table).from_pandas(rows, schema=table.schema, preserve_index=False), "test"
        )
    found = corpus.audit("gender", codes=machine.rename("value").reset_index())
    assert found.table.loc[0, "failed"] == 2
    assert found.table.loc[0, "n"] == len(machine)


def test_what_cannot_be_audited_is_said(corpus: Auditing):
    with pytest.raises(InputError, match="--sample 200"):
        corpus.audit("gender")
    with pytest.raises(InputError, match="measure expression --on face"):
        corpus.audit("expression", sample=3)
    with pytest.raises(InputError, match="say which column: faces"):
        corpus.audit("faces", sample=3)
    with pytest.raises(InputError, match="no column 'sex'"):
        corpus.audit("gender.sex", sample=3)
    codes = said(corpus).rename("value").reset_index()
    with pytest.raises(InputError, match="neither a table"):
        corpus.audit("gender", codes=["nothing"])
    with pytest.raises(InputError, match="no column of the hand codes"):
        corpus.audit("gender", codes=codes, by=["skin"])
    Corpus(corpus.folder).measure("skin_tone", on="face")
    Corpus(corpus.folder).measure("skin_tone", name="again", on="face")
    with pytest.raises(InputError, match=r"several tables: say again\.ita or skin_tone\.ita"):
        corpus.audit("gender", codes=codes, by=["ita"])
    with pytest.raises(InputError, match="has no column 'its'"):
        corpus.audit("gender", codes=codes, by=["skin_tone.its"])
    assert set(corpus.audit("gender", codes=codes, by=["again.monk_tone"]).table["by"]) == {"", "again.monk_tone"}
    shaded = corpus.audit("gender", codes=codes, by=["again.ita"])
    ita = corpus.frame("SELECT id, ita FROM again").set_index("id")["ita"].reindex(codes["id"])
    sizes = shaded.table.set_index("group")["n"]
    assert sizes["5 brown"] == ita.between(-30, 10, inclusive="right").sum() > 0
    assert sizes["(missing)"] == ita.isna().sum()
    assert any("never a person's race" in text for text in shaded.words)
    with pytest.raises(InputError, match="no class in common"):
        corpus.audit("gender", codes=codes.assign(value="f"))
    with pytest.raises(InputError, match="fill it in"):
        corpus.audit("gender", codes=codes.assign(value=""))
    with pytest.raises(InputError, match="names anything"):
        corpus.audit("gender", codes=codes.assign(id="nobody.jpg"))


def test_sampled_units_without_a_code_are_said(corpus: Auditing, tmp_path: Path):
    corpus.audit("gender", sample=12, out=tmp_path / "sheet.csv")
    sheet = pd.read_csv(tmp_path / "sheet.csv", dtype={"value": object})
    sheet["value"] = sheet["id"].map(said(corpus))
    sheet.loc[:2, "value"] = None
    sheet.to_csv(tmp_path / "sheet.csv", index=False)
    result = corpus.audit("gender", codes=[str(tmp_path / "sheet.csv")])
    assert any("3 of 12 have no code" in text for text in result.warnings)
