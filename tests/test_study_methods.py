"""The methods paragraph: what was really done, whose methods these are, and references that BibTeX reads."""

import re
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from visanda.errors import InputError
from visanda.study import adjusted_shares, estimate, ordinary, shares_by
from visanda.study.output import references
from visanda.study.output.correction_words import METHODS
from visanda.study.output.methods_text import methods_text
from visanda.study.output.references import EVERY, Reference, bibtex


@pytest.fixture(scope="module")
def posts():
    random = np.random.default_rng(3)
    x = random.normal(size=600)
    protest = (random.random(600) < 1 / (1 + np.exp(-x))) * 1.0
    p = np.where(random.random(600) < 0.85, protest, 1 - protest)
    data = pd.DataFrame({"x": x, "protest": protest, "p": p, "outlet": np.arange(600) % 40})
    data.loc[200:, "protest"] = np.nan
    return data.assign(pi=np.where(np.arange(600) < 400, 0.4, 0.2), half=np.arange(600) % 2)


KNOWN = {"predicted_var": "protest", "prediction": "p", "sample_prob": "equal"}


@pytest.fixture(scope="module")
def result(posts):
    return estimate(posts, "protest ~ x", cluster="outlet", splits=2, **KNOWN)


def test_the_methods_paragraph_says_what_was_done(result):
    found = methods_text(result, units="posts")
    text = " ".join(found.sentences)
    assert "a logistic regression, protest ~ x, on 600 posts, 200 of them coded by hand." in text
    assert "are a simple random sample of all posts" in text
    assert "design-based supervised learning (Egami et al., 2023, 2024)" in text
    assert (
        "cross-fitted over 5 folds, with each outlet in one fold (Chernozhukov et al., 2018); estimates are medians"
        in text
    )
    assert "Standard errors are clustered by outlet (40 clusters; Liang & Zeger, 1986)" in text
    assert [paper.key for paper in found.references] == [
        "binder1983",
        "chernozhukov2018",
        "egami2023",
        "egami2024",
        "liang1986",
        "quenouille1956",
        "satterthwaite1946",
    ]


@pytest.mark.parametrize(
    ("method", "key"),
    [
        ("dsl", "egami2023"),
        ("PPI++", "angelopoulos2023"),
        ("predict-then-debias", "kluger2025"),
        ("adjusted counts", "rogan1978"),
        ("likelihood", "teblunthuis2024"),
        ("simex", "kuchenhoff2006"),
        ("gold", "binder1983"),
        ("naive", "mackinnon1985"),
    ],
)
def test_each_method_cites_its_paper_and_every_citation_is_listed(method, key):
    found = methods_text({"method": method, "model": "lm", "n": 4000, "n_coded": 400, "cluster": None})
    assert key in [paper.key for paper in found.references]
    text = " ".join(found.sentences)
    for paper in found.references:
        names, year = paper.short.rsplit(", ", 1)
        assert re.search(rf"{re.escape(names)}, (\d{{4}}, )*{year}", text), paper.key
    cited = re.findall(r"\d{4}(?=[);,])", text)
    assert len(cited) == len(found.references)


def test_the_sample_is_described_as_it_was_drawn():
    known = {"method": "dsl", "model": "lm", "sample_prob": "pi"}
    assert "with known, unequal probabilities" in methods_text({**known, "sampling": "unequal"}).text()
    assert "each with the same known probability" in methods_text({**known, "sampling": "equal"}).text()
    assert "with known probabilities." in methods_text(known).text()


def test_references_as_text_and_bibtex():
    found = methods_text({"method": "simex"})
    paper = next(paper for paper in found.references if paper.key == "kuchenhoff2006")
    assert paper.text() == (
        "Küchenhoff, H., Mwalili, S. M., & Lesaffre, E. (2006). A general method for dealing with misclassification "
        "in regression: The misclassification SIMEX. Biometrics, 62(1), 85–96. "
        "https://doi.org/10.1111/j.1541-0420.2005.00396.x"
    )
    assert r"author = {K{\"u}chenhoff, H. and Mwalili, S. M. and Lesaffre, E.}" in found.bibtex()
    assert "pages = {85--96}" in found.bibtex()


def test_every_bibtex_entry_is_whole():
    every = "".join(methods_text({"method": method}).bibtex() for method in METHODS)
    assert every.count("{") == every.count("}")
    assert not re.search(r"[^\x00-\x7f]", every)


def test_a_method_that_is_not_known_is_refused():
    with pytest.raises(InputError, match="dsl, ppi, ptd"):
        methods_text({"method": "magic"})
    with pytest.raises(InputError, match="name one of"):
        methods_text({"model": "lm"})


def test_probabilities_are_described_without_being_told(posts):
    unequal = estimate(posts, "protest ~ x", splits=1, **{**KNOWN, "sample_prob": "pi"})
    assert "with known, unequal probabilities" in methods_text(unequal).text()
    same = estimate(posts.assign(pi=1 / 3), "protest ~ x", splits=1, **{**KNOWN, "sample_prob": "pi"})
    assert "each with the same known probability" in methods_text(same).text()


def test_a_bootstrap_says_how_many_resamples_and_what_its_intervals_are(posts):
    counts = posts.assign(likes=np.random.default_rng(1).poisson(2 + posts["x"].abs() ** 2))
    found = estimate(counts, "likes ~ protest", model="negbin", resamples=50, **KNOWN)
    text = methods_text(found).text()
    assert "a bootstrap of 50 resamples; intervals are its percentiles" in text
    assert "design-based" not in text and "cross-fitted" not in text


def test_marginal_effects_are_written_beside_their_estimate(posts, tmp_path):
    found = estimate(posts, "protest ~ x", margins=True, splits=1, **KNOWN)
    names = {path.name for path in found.save(tmp_path, "estimate")}
    assert {"estimate-margins.csv", "estimate-margins.json", "estimate-margins.png"} <= names
    assert len(pd.read_csv(tmp_path / "estimate-margins.csv")) == len(found.also[0].table)
    assert "Average marginal effects are averages over all posts" in methods_text(found, units="posts").text()


def test_fixed_effects_are_named_and_folds_keep_clusters_whole(posts):
    found = estimate(posts, "x ~ protest | outlet", cluster="outlet", splits=1, **KNOWN)
    text = methods_text(found).text()
    assert "a linear regression with fixed effects, x ~ protest | outlet," in text
    assert "cross-fitted over 5 folds, with each outlet in one fold (Chernozhukov et al., 2018)" in text


def test_shares_and_adjusted_counts_have_their_paragraph(posts):
    by = shares_by(posts, "protest", by=["half"], prediction="p", splits=1)
    text = methods_text(by, units="posts").text()
    assert "the share of protest, in each group of half by itself, on 600 posts, 200 of them coded by hand." in text
    counts = methods_text(adjusted_shares(posts.assign(said=posts["p"]), "protest", "said"))
    assert "error rates" in counts.text() and "rogan1978" in [paper.key for paper in counts.references]
    assert "design-based" not in counts.text()


def test_refinements_for_few_codes_are_said_where_they_were_made():
    known = {"method": "dsl", "model": "lm"}
    assert "Student's t" in methods_text(known | {"refined": True}).text()
    for plain in (known, known | {"refined": False}):
        assert "Beyond the published" not in methods_text(plain).text()


def test_many_tests_are_said_with_their_paper():
    found = methods_text({"method": "dsl", "p_adjusted": "holm"})
    assert "Holm's method (Holm, 1979)" in found.text() and "holm1979" in [paper.key for paper in found.references]


def test_what_does_not_say_how_it_was_made_is_refused(posts):
    with pytest.raises(InputError, match="how the numbers of a table were made: give the Result of estimate"):
        methods_text(posts)
    with pytest.raises(InputError, match="how the numbers of Estimates were made"):
        methods_text(ordinary(posts, "p ~ x"))


# references


def entries(text):
    """A .bib file as BibTeX reads it: entries by key, fields with balanced braces."""
    found, place = {}, 0
    while (start := text.find("@", place)) >= 0:
        kind, key = re.match(r"@(\w+)\{([^,\s]+),", text[start:]).groups()
        assert key not in found, f"{key} stands there twice"
        place, values = start + len(kind) + len(key) + 3, {}
        while text[place:].lstrip()[0] != "}":
            field = re.match(r"\s*(\w+)\s*=\s*\{", text[place:])
            place += field.end()
            depth, begin = 1, place
            while depth:
                depth += {"{": 1, "}": -1}.get(text[place], 0)
                place += 1
            values[field[1]] = text[begin : place - 1]
            assert text[place] == ","
            place += 1
        found[key] = {"kind": kind, **values}
        place = text.index("}", place) + 1
    return found


def test_every_reference_is_whole_for_bibtex():
    found = entries(bibtex(list(EVERY)))
    assert len(found) == len(EVERY) == len([one for one in vars(references).values() if isinstance(one, Reference)])
    needed = {
        "article": {"author", "title", "journal", "year"},
        "inproceedings": {"author", "title", "booktitle", "year"},
        "unpublished": {"author", "title", "note", "year"},
    }
    for entry in found.values():
        assert needed[entry["kind"]] <= set(entry)
        assert entry.get("doi", "").count("_") == 0 and "\\" not in entry.get("url", "")
    assert found["egami2023"]["author"] == "Egami, N. and Hinck, M. and Stewart, B. M. and Wei, H."
    assert found["benjamini1995"]["title"].startswith("{Controlling")
    assert {"doi", "url"} <= {field.name for field in fields(Reference)}
    assert all(one.doi or one.url or one.key == "holm1979" for one in EVERY)
