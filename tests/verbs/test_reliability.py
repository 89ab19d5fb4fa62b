"""reliability: how far coders agree, and where they do not."""

import pandas as pd
import pytest
from PIL import Image

from visanda import codes


def test_two_coders_get_a_reliability(study):
    ids = study.population()["id"].head(60)
    living = study.frame("SELECT id, living FROM media").set_index("id")["living"].reindex(ids)
    other = living.copy()
    other.iloc[:6] = other.iloc[:6].map({"yes": "no", "no": "yes"})
    for coder, given in (("ana", living), ("ben", other)):
        study.code("nature", import_=given.rename("value").rename_axis("id").reset_index(), coder=coder)
    table = study.reliability("nature").table.set_index(study.reliability("nature").table.columns[0])
    assert pytest.approx(float(table.filter(like="agreement", axis=0).iloc[0, 0]), abs=1e-9) == 0.9


def test_who_settles_disagreements_is_no_third_coder(study):
    ids = study.population()["id"].head(20).tolist()
    for coder, value in (("ana", "yes"), ("ben", "no")):
        study.code("x", import_=pd.DataFrame({"id": ids, "value": value}), coder=coder)
    before = study.reliability("x").table
    study.code("x", import_=pd.DataFrame({"id": ids[:5], "value": "maybe"}), coder="gold")
    assert codes.gold(codes.read(study.folder, "x")).to_dict() == dict.fromkeys(ids[:5], "maybe")
    pd.testing.assert_frame_equal(study.reliability("x").table, before)


def test_where_coders_disagree_is_shown_in_pictures(photos):
    study = photos(8)
    ids = study.population()["id"].tolist()
    study.codebook("warm", scale="interval", low=0, high=100)
    study.code("warm", import_=pd.DataFrame({"id": ids, "value": range(0, 80, 10)}), coder="ana")
    study.code("warm", import_=pd.DataFrame({"id": ids, "value": [5, 10, 20, 30, 40, 50, 60, 95]}), coder="ben")
    said = study.reliability("warm")
    assert any("disagree on 1 units" in text for text in said.words), "0 and 5 are within a tenth of the scale"
    there = pd.read_csv(study.results / "warm-disagreements.csv")
    assert there[["id", "by_ana", "by_ben"]].to_numpy().tolist() == [[ids[7], 70, 95]]
    with Image.open(study.results / "warm-disagreements-1.jpg") as sheet:
        assert sheet.width > 160
    assert (study.results / "warm-reliability.csv").exists()
    assert any("disagree on 2 units" in text for text in study.reliability("warm", apart=1).words)
