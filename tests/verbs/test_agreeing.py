"""``agrees`` and ``known-groups``: columns by name, averaged over units, and beside tables that people bring."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import visanda as vi
from visanda.cli import main
from visanda.corpus import Corpus
from visanda.errors import DesignError, InputError


@pytest.fixture
def corpus(photos) -> Corpus:
    """Forty photos in the colours of four outlets and two days."""
    made = photos(40)
    media = made.parts("media").read().to_pandas()
    place = np.arange(len(media))
    media["outlet"] = np.array(["taz", "FAZ", "Bild", "Zeit"])[place % 4]
    media["date"] = np.where(place % 8 < 4, "2024-03-14", "2024-03-15")
    media["rated"] = place / 40
    media["account"] = place % 8
    table = type(made.parts("media").read()).from_pandas(media, preserve_index=False)
    with made.parts("media").writing():
        made.parts("media").replace_all(table, "test")
    made.measure("colour")
    return made


def test_two_columns_by_name_are_what_the_study_makes_of_them(corpus):
    found = corpus.agrees("brightness", "rated")
    rows = corpus.join("colour").set_index("id")
    by_hand = vi.study.agrees(rows["brightness"], rows["rated"])
    pd.testing.assert_frame_equal(found.table, by_hand.table)
    assert {path.name for path in corpus.results.glob("agrees*")} == {
        "agrees.csv",
        "agrees.json",
        "agrees.png",
        "agrees-pairs.csv",
    }
    assert any((corpus.folder / "runs").glob("*-agrees.json"))


def test_means_of_units_beside_a_table_of_the_same_units(corpus, tmp_path):
    rows = corpus.join("colour")
    means = rows.groupby(["outlet", "date"])["brightness"].mean().reset_index()
    means["expert"] = means.pop("brightness") * 2
    other = pd.DataFrame({"outlet": ["NZZ"], "date": ["2024-03-14"], "expert": [1.0]})
    pd.concat([means, other]).rename(columns={"date": "day"}).to_csv(tmp_path / "experts.csv", index=False)
    found = corpus.agrees("brightness", "expert", table=tmp_path / "experts.csv", unit=["outlet,day"])
    table = found.table.set_index("measure")
    assert (table.loc["Pearson correlation", "value"], table["n"].iloc[0]) == (pytest.approx(1), 8)
    assert table.loc["mean difference", "value"] == pytest.approx(-means["expert"].mean() / 2)
    assert any(
        "1 of 9 rows of experts.csv match nothing here, such as 'NZZ and 2024-03-14'" in w for w in found.warnings
    )
    pd.concat([means, means]).rename(columns={"date": "day"}).to_csv(tmp_path / "twice.csv", index=False)
    with pytest.raises(InputError, match="two rows for Bild and 2024-03-14"):
        corpus.agrees("brightness", "expert", table=tmp_path / "twice.csv", unit=["outlet,day"])


def test_a_table_of_pictures_is_found_by_their_names(corpus, tmp_path):
    names = corpus.frame("SELECT id, filename FROM media ORDER BY id").head(20)
    brought = pd.DataFrame({"filename": [*names["filename"], "lost.jpg"], "expert": np.arange(21.0)})
    brought.to_csv(tmp_path / "experts.csv", index=False)
    found = corpus.agrees("brightness", "expert", table=tmp_path / "experts.csv", cluster="account", by="outlet")
    assert found.table["n"].iloc[0] == 20
    assert any("20 rows without both" in text for text in found.words)
    assert any("lost.jpg" in text for text in found.warnings)
    assert any("Only 8 clusters" in text for text in found.warnings)
    with pytest.raises(InputError, match="no column 'experts'"):
        corpus.agrees("brightness", "experts", table=tmp_path / "experts.csv")


def test_known_groups_as_typed(corpus, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    words = ["-C", str(corpus.folder), "known-groups", "rated", "outlet", "--order", "taz,FAZ,Bild"]
    with pytest.raises(SystemExit) as ended:
        main([*words, "--unit", "outlet,day"])
    assert ended.value.code == 1
    assert "has only 2 units" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(words)
    shown = capsys.readouterr().out
    assert "as_expecte" in shown and "not shown" in shown
    assert (corpus.results / "known_groups.png").exists()


def test_a_coded_variable_is_one_and_zero_and_is_not_held_against_its_own_predictions(studied):
    rows = studied.join("nature", "colour").dropna(subset=["nature"])
    found = studied.agrees("colourfulness", "nature").table.set_index("measure")
    r = np.corrcoef(rows["colourfulness"], rows["nature"] == "yes")[0, 1]
    assert found.loc["Pearson correlation", "value"] == pytest.approx(r)
    for pair in (("nature_p_yes", "nature"), ("nature", "nature_crossfit_yes")):
        with pytest.raises(InputError, match="visanda evaluate nature"):
            studied.agrees(*pair)


def test_what_cannot_be_compared_is_said(corpus):
    with pytest.raises(InputError, match="did you mean 'brightness'"):
        corpus.agrees("brightnes", "rated")
    with pytest.raises(InputError, match="holds text"):
        corpus.agrees("brightness", "outlet")
    with pytest.raises(InputError, match="nothing has a brightness where"):
        corpus.agrees("brightness", "rated", where="outlet = 'NZZ'")
    with pytest.raises(DesignError, match="only 3 pairs"):
        corpus.agrees("brightness", "rated", where="rated < 0.06")
    with pytest.raises(InputError, match="'NZZ'"):
        corpus.known_groups("brightness", "outlet", order=["taz", "NZZ"])
