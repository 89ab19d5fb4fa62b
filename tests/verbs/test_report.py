"""The report: complete, true to what was run, and alone in its file."""

import html
import re
import shutil

import pandas as pd
import pytest
from coder import code_by_category

from visanda.corpus import Corpus
from visanda.errors import DesignError
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


@pytest.fixture(scope="module")
def answered(measured, tmp_path_factory):
    """A study with an estimate of every correction, shares, a plan, an audit and a panel; nobody may change it."""
    study = Corpus(shutil.copytree(measured, tmp_path_factory.mktemp("answered") / "study"))
    code_by_category(study)
    study.train("nature")
    study.apply("nature")
    study.estimate("nature ~ brightness", cluster="author", margins=True)
    study.estimate("colourfulness ~ nature", method="likelihood", name="modelled")
    study.estimate("colourfulness ~ nature", method="debias", resamples=50, name="resampled")
    study.estimate("nature", name="share")
    study.shares("nature", by=["licence"], adjust=True, where="licence != 'Public domain'")
    study.plan("nature", target_se=0.02, by=["licence"])
    people = study.frame("SELECT id, living FROM media").rename(columns={"living": "value"})
    with pytest.raises(DesignError):  # what failed leaves nothing behind
        study.estimate("nature", method="ppi", name="refused")
    study.audit("nature.nature_predicted", codes=people)
    study.panel(unit=["licence"], measures=["colour", "nature"])
    return study


def text_of(page):
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


def test_every_result_is_shown_with_its_figure_and_words(answered):
    page = answered.report().read_text("utf-8")
    text = text_of(page)
    for title in ("Estimates", "Shares", "Codes that are needed", "Audits", "References"):
        assert re.search(rf"<h2[^>]*>{title}</h2>", page), title
    for name in ("estimate", "estimate-margins", "modelled", "resampled", "share", "nature-shares", "plan"):
        assert f"results/{name}, made 20" in text, name
        assert (answered.results / f"{name}.png").exists()
    for name in ("nature-shares-adjusted", "nature-nature_predicted-audit"):
        assert f"results/{name}, made 20" in text, name
    assert "results/refused" not in text
    assert "cluster author" in text and "resamples 50" in text and "formula nature" in text
    assert page.count('class="plot"') >= 9
    for words in ("units are coded: the standard error", "The machine's labels are furthest off in"):
        assert words in text


def test_methods_say_of_each_estimate_how_it_was_corrected(answered):
    page = answered.report().read_text("utf-8")
    text = text_of(page.split('id="methods"')[1].split('id="models"')[0])
    paragraph = dict(
        re.findall(
            r"(estimate|modelled|resampled|share|nature-shares(?:-adjusted)?): (We .*?) (?=\w[\w-]*: We|All steps)",
            text,
        )
    )
    assert "design-based supervised learning (Egami et al., 2023, 2024)" in paragraph["estimate"]
    assert "clustered by author" in paragraph["estimate"]
    assert "maximum likelihood (TeBlunthuis" in paragraph["modelled"]
    assert "predict-then-debias (Kluger" in paragraph["resampled"] and "50 resamples" in paragraph["resampled"]
    assert "(Rogan & Gladen, 1978)" in paragraph["nature-shares-adjusted"]
    for name in ("modelled", "resampled", "nature-shares-adjusted"):
        assert "design-based" not in paragraph[name]
    assert "on 218 pictures, 100 of them coded by hand" in paragraph["share"]
    assert "had not seen its code (cross-fitting)" in text
    assert "A table with a row for each licence was made of 218 pictures" in text
    listed = page.split('class="references"')[1].split("</ul>")[0]
    cited = re.findall(r"(?:\(|; )([A-Z][a-z]\w+)[^();]*?, (\d{4})", " ".join(paragraph.values()))
    assert len(set(cited)) >= 7
    for author, year in cited:
        assert re.search(rf"{author}.*\({year}\)", listed), (author, year)
    assert listed.count("<li>") == page.count("@article") + page.count("@inproceedings") + page.count("@unpublished")


def test_a_file_of_somebody_else_among_the_results_stops_no_report(photos):
    corpus = photos(3)
    corpus.results.mkdir(exist_ok=True)
    (corpus.results / "notes.json").write_text("[1, 2")
    (corpus.results / "list.json").write_text("[1, 2]")
    (corpus.results / "list.csv").write_text("a\n1\n")
    (corpus.results / "mine.json").write_text('{"title": "Mine", "words": ["So it is."], "warnings": []}')
    (corpus.results / "mine.csv").write_text("a_b,c\n1,0.5\n")
    text = text_of(corpus.report().read_text("utf-8"))
    assert "Other results Mine" in text and "So it is." in text


@pytest.mark.parametrize(
    ("value", "said"), [(1, "1"), (1.0, "1.000"), (-0.5, "−0.500"), (1234.5, "1,234.5"), (None, "–")]
)
def test_numbers_read_well(value, said):
    assert number(value) == said
