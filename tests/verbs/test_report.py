"""The report: complete, true to what was run, and alone in its file."""

import re

import pandas as pd
import pytest

from visanda.report.numbers import number


def test_the_report_has_every_part_of_the_study(studied):
    page = studied.report().read_text("utf-8")
    for part in ("Estimates", "Data", "Measures", "Copies", "Clusters", "Sample", "Codes", "Classifier", "Methods"):
        assert f">{part}" in page, part
    assert "efficientnet_lite0" in page and "Apache-2.0" in page
    assert "Egami" in page
    assert "seed 7" in page


def test_the_numbers_of_the_report_are_those_of_the_tables(studied):
    page = studied.report().read_text("utf-8")
    estimate = pd.read_csv(studied.results / "estimate.csv")
    for value in estimate["estimate"]:
        assert f"{value:.3f}".replace("-", "−") in page
    assert f"{studied.frame('select avg(brightness) as b from colour')['b'][0]:.3f}" in page


def test_the_report_makes_no_request(studied, chromium):
    page = chromium.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(studied.report().as_uri())
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert page.locator("img").count() > 20
    broken = page.evaluate("[...document.images].filter(i => !i.naturalWidth).length")
    assert broken == 0
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_corpus_with_pictures_only_has_a_report(photos, tmp_path):
    corpus = photos(6)
    page = corpus.report(out=tmp_path / "report.html").read_text("utf-8")
    assert re.search(r"<b>6</b><span>pictures</span>", page)
    assert "Estimates" not in page


def test_unreadable_pictures_are_counted_and_named(photos, tmp_path):
    corpus = photos(3)
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "<b>empty.jpg").write_bytes(b"")
    corpus.add(str(tmp_path / "bad"))
    page = corpus.report().read_text("utf-8")
    assert "<b>1</b><span>could not be read</span>" in page
    assert "bad/&lt;b&gt;empty.jpg" in page, "names of files must not become HTML"


@pytest.mark.parametrize(
    ("value", "said"), [(1, "1"), (1.0, "1.000"), (-0.5, "−0.500"), (1234.5, "1,234.5"), (None, "–")]
)
def test_numbers_read_well(value, said):
    assert number(value) == said
