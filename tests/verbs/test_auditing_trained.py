"""``audit`` of a classifier trained here: on codes that it learnt from, by predictions that had not seen them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from visanda.cli import main
from visanda.codes import append
from visanda.errors import DesignError, InputError
from visanda.learn.trained import load


def coded(corpus) -> pd.DataFrame:
    """Gold, predictions and probabilities of the draw of coded pictures."""
    frame = corpus.join("nature").set_index("id")
    return frame[frame["nature"].notna()]


def without_crossfit(corpus) -> None:
    """Leaves of the predictions what a model gives that was trained once."""
    table = corpus.parts("nature").read()
    kept = [name for name in table.column_names if "crossfit" not in name]
    stem = corpus.parts("nature").files()[0].stem
    with corpus.parts("nature").writing():
        corpus.parts("nature").replace_all(table.select(kept), stem)


def test_coded_pictures_are_judged_by_heads_that_had_not_seen_their_codes(studied):
    found = studied.audit("nature", by=["living"])
    rows = coded(studied)
    learnt = set(load(studied.models / "nature").rows["id"])
    said = np.where(rows["nature_crossfit_yes"] >= 0.5, "yes", "no")
    right = said == rows["nature"]
    assert found.table.loc[0, "n"] == 100
    assert found.table.loc[0, "accuracy"] == pytest.approx(np.average(right, weights=1 / rows["nature_pi"]))
    assert any(f"learnt from {len(learnt & set(rows.index))} of these 100 codes" in text for text in found.words)
    assert 0 < len(learnt) < 100
    missed = found.also[0].extra["rates"].query("rate == 'false negative rate' and group == 'all'").iloc[0]
    true = (rows["nature"] == "yes").to_numpy()
    assert missed["value"] == pytest.approx(np.average(~right[true], weights=1 / rows["nature_pi"][true]))


def test_groups_and_their_intersections_as_they_are_typed(studied, capsys):
    for by in ("author_known,wide", "author_known*wide"):
        media = studied.parts("media").read().to_pandas()
        media["author_known"] = np.where(media["author"].isna(), "no", np.where(media.index % 2, "yes", "no"))
        media["wide"] = np.where(media["width"] > media["height"], "wide", "tall")
        if "wide" not in studied.column_names("media"):
            table = type(studied.parts("media").read()).from_pandas(media, preserve_index=False)
            with studied.parts("media").writing():
                studied.parts("media").replace_all(table, "test")
        main_folder = str(studied.folder)
        with pytest.raises(SystemExit) as ended:
            main(["-C", main_folder, "audit", "nature", "--by", by])
        assert ended.value.code in (0, None)
        shown = capsys.readouterr().out
        assert "By author_known:" in shown and "By wide:" in shown
        assert ("author_known × wide" in shown) == ("*" in by)
        assert "What the machine's errors do to the share of yes by wide" in shown


def test_pictures_coded_outside_of_the_sample_do_not_count(studied):
    outside = studied.frame("SELECT id FROM media").query(
        "id not in @ids", local_dict={"ids": set(coded(studied).index)}
    )
    append(studied.folder, "nature", "ana", pd.DataFrame({"id": outside["id"].head(5), "value": "yes", "note": ""}))
    found = studied.audit("nature")
    assert found.table.loc[0, "n"] == 100
    assert any("5 coded units were not drawn" in text for text in found.warnings)


def test_codes_that_a_model_trained_once_has_learnt_from_are_left_out(studied):
    without_crossfit(studied)
    learnt = set(load(studied.models / "nature").rows["id"])
    found = studied.audit("nature")
    unseen = set(coded(studied).index) - learnt
    assert found.table.loc[0, "n"] == len(unseen)
    assert any("are left out: it was trained once" in text for text in found.words)
    assert any("opens the test set" in text for text in found.warnings)
    with pytest.raises(DesignError, match="has learnt from all"):
        codes = coded(studied)["nature"].rename("value").reset_index()
        studied.audit("nature", codes=codes[codes["id"].isin(learnt)])


def test_one_value_against_the_others_and_what_cannot_be_audited(studied):
    found = studied.audit("nature_yes")
    assert found.table.loc[0, "accuracy"] == pytest.approx(studied.audit("nature").table.loc[0, "accuracy"])
    with pytest.raises(InputError, match="is no value of nature: there are nature_no, nature_yes"):
        studied.audit("nature_fish")
    with pytest.raises(InputError, match="visanda sample nature --n 20"):
        studied.audit("nature", sample=20)
    with pytest.raises(InputError, match="100 coded units have no 'error'"):
        studied.audit("nature", cluster="error")
