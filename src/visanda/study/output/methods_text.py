"""Methods text: the paragraph of a paper that says how an estimate was made, with its references."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from visanda.errors import InputError
from visanda.result import Result
from visanda.study.estimating.choice import EQUAL
from visanda.study.output import references as papers
from visanda.study.output.correction_words import METHODS, OTHER_NAMES, cross_fitting, method_of, refined
from visanda.study.output.given import called
from visanda.study.output.references import Reference, bibtex

MODELS = {
    "mean": "a mean",
    "lm": "a linear regression",
    "logit": "a logistic regression",
    "poisson": "a Poisson regression",
    "multinomial": "a multinomial logistic regression",
    "negbin": "a negative binomial regression (NB2)",
    "fe": "a linear regression with fixed effects",
    "fepois": "a Poisson regression with fixed effects",
    "ordinal": "an ordinal (proportional odds) logistic regression",
    "mixed": "a linear mixed model",
}
BOOTSTRAPPED = ("ptd",)


@dataclass(frozen=True)
class MethodsText:
    """A methods paragraph: its ``sentences``, and the ``references`` that they cite, by author."""

    sentences: list[str]
    references: list[Reference]

    def text(self) -> str:
        """The paragraph, and below it the list of references."""
        listed = "\n".join(reference.text() for reference in self.references)
        return " ".join(self.sentences) + (f"\n\nReferences\n\n{listed}" if listed else "") + "\n"

    def markdown(self) -> str:
        """The same as a section of a Markdown file."""
        listed = "\n".join(f"- {reference.text()}" for reference in self.references)
        return f"# Methods\n\n{' '.join(self.sentences)}\n" + (f"\n## References\n\n{listed}\n" if listed else "")

    def bibtex(self) -> str:
        """The references as a .bib file."""
        return bibtex(self.references)

    def __str__(self) -> str:
        return self.text()


def methods_text(of: Result | Mapping[str, Any], *, units: str = "rows") -> MethodsText:
    """Say in the words of a methods section how an estimate was made.

    Only what is known is said: what is missing from the provenance is left out.

    Args:
        of: the Result of :func:`visanda.study.estimate`, ``shares_by``, ``adjusted_shares`` or ``simex``, or its
            provenance: method (``"dsl"``, ``"ppi"``, ``"ptd"``, ``"adjusted"``, ``"likelihood"``, ``"simex"``,
            ``"gold"`` or ``"naive"``), formula, model, predicted_var or prediction, n, n_coded, n_dropped, sample_prob,
            sampling (``"equal"`` or ``"unequal"`` probabilities), cluster, n_clusters, weights, learner, folds, splits,
            resamples, seed, compared (further methods shown beside), version, p_adjusted (``"holm"`` or ``"bh"``).
        units: what a row is, in the plural: "images", "articles".

    Raises:
        InputError: no method, or one that is not known here; something that does not say how it was made.

    Example:
        >>> known = {"method": "ppi", "formula": "protest ~ year", "model": "logit", "n": 4000, "n_coded": 400}
        >>> found = methods_text(known, units="images")
        >>> found.sentences[0]
        'We estimated a logistic regression, protest ~ year, on 4,000 images, 400 of them coded by hand.'
        >>> [reference.short for reference in found.references]
        ['Angelopoulos, Duchi & Zrnic, 2023', 'White, 1980']
    """
    known = _known(of)
    method = method_of(known)
    correction = METHODS[method]
    resampled = known.get("resamples") or known.get("replicates")
    said = correction.said.format(
        cite=correction.cite, units=units, resamples=f" of {resampled:,} resamples" if resampled else ""
    )
    learnt, cited = cross_fitting(known, method)
    beyond, few = refined(known, method)
    errors, more = _standard_errors(known, method, units)
    compared, others = _compared(known, method, units)
    tests, several = _many_tests(known)
    sentences = [_what(known, units), *_coded(known, method, units), said, *learnt, *beyond]
    sentences += [*errors, *_margins(of, units), *tests, *compared, _software(known)]
    unique = dict.fromkeys([*correction.papers, *cited, *few, *more, *several, *others])
    return MethodsText([text for text in sentences if text], sorted(unique, key=lambda one: (one.authors, one.year)))


def _known(of: Result | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(of, Mapping):
        return dict(of)
    if not isinstance(of, Result):
        raise InputError(
            f"not known how the numbers of {called(of)} were made: give the Result of estimate, or a dict such as "
            "{'method': 'dsl', 'formula': 'protest ~ x', 'model': 'logit', 'n': 4000, 'n_coded': 400}"
        )
    names = [str(name) for name in of.table["method"].unique()] if "method" in of.table else []
    corrected = [found[1].lower() for name in names if (found := re.match(r"corrected \((.+)\)", name))]
    plain = [name.split()[0] for name in names if name.startswith(("naive", "gold"))]
    guessed: dict[str, Any] = {"compared": plain if corrected else plain[1:]}
    if corrected or plain:
        guessed["method"] = (corrected or plain)[0]
    if "adjusted" in of.table:
        guessed |= {"method": "adjusted", "compared": [name for name in ("naive", "gold") if name in of.table]}
    if "MC-SIMEX" in names:
        guessed |= {"method": "simex", "compared": ["naive"]}
    if "term" in of.table and of.table["term"].astype(str).str.startswith("share of ").all():
        guessed["share"] = True
    if "group" in of.table and names:
        guessed |= _counts(of, names[-1])
    given = dict(of.provenance)
    if given.get("method") == "auto" or (plain and not corrected):  # what was asked for, not what could be done
        given.pop("method", None)
    return guessed | given


def _counts(of: Result, method: str) -> dict[str, Any]:
    """Rows of all groups together, those coded among them."""
    rows = of.table[of.table["method"] == method].drop_duplicates("group")
    return {name: int(rows[name].sum()) for name in ("n", "n_coded") if name in rows}


def _what(known: Mapping[str, Any], units: str) -> str:
    model = MODELS.get(str(known.get("model")), f"a model ({known['model']})" if known.get("model") else "a model")
    formula = known.get("formula")
    if formula and "|" in str(formula) and known.get("model") == "lm":
        model = MODELS["fe"]
    if known.get("model") == "mean" and formula:
        text = f"We estimated the {'share' if known.get('share') else 'mean'} of {formula}"
    elif known.get("variable") and not formula:
        by = [known["by"]] if isinstance(known.get("by"), str) else list(known.get("by") or [])
        each = f", in each group of {' × '.join(by)} by itself," if by else ""
        text = f"We estimated the share of {known['variable']}{each}"
    else:
        text = f"We estimated {model}" + (f", {formula}," if formula else "")
    if "n" not in known:
        return text.rstrip(",") + "."
    text += f" on {known['n']:,} {units}"
    if known.get("n_coded"):
        text += f", {known['n_coded']:,} of them coded by hand"
    if known.get("n_dropped"):
        text += f"; {known['n_dropped']:,} more were left out for missing values"
    return text + "."


def _coded(known: Mapping[str, Any], method: str, units: str) -> list[str]:
    named = known.get("predicted_var") or known.get("prediction") or []
    variables = [named] if isinstance(named, str) else list(named)
    found = []
    if variables:
        verb = "was" if len(variables) == 1 else "were"
        found.append(f"{' and '.join(variables)} {verb} coded by a machine in all {units}.")
    if method == "naive" or ("sample_prob" not in known and "sampling" not in known):
        return found
    if known.get("sample_prob") == EQUAL:
        return [*found, f"The hand-coded {units} are a simple random sample of all {units}."]
    if method == "likelihood" and known.get("sample_prob"):
        return [*found, f"The hand-coded {units} were drawn at random; the likelihood does not weight them."]
    ways = {
        "equal": f"The hand-coded {units} were drawn at random, each with the same known probability.",
        "unequal": f"The hand-coded {units} were drawn at random with known, unequal probabilities, the inverse of "
        "which weights them.",
    }
    if known.get("sampling") in ways:
        return [*found, ways[known["sampling"]]]
    if known.get("sample_prob") is None:
        return [*found, f"How the hand-coded {units} were chosen is not known."]
    return [*found, f"The hand-coded {units} were drawn at random with known probabilities."]


def _standard_errors(known: Mapping[str, Any], method: str, units: str) -> tuple[list[str], list[Reference]]:
    weighted = [f"{units.capitalize()} are weighted by {known['weights']}."] if known.get("weights") else []
    if known.get("cluster"):
        count = f"{known['n_clusters']:,} clusters" if known.get("n_clusters") else ""
        if method in BOOTSTRAPPED:
            whole = f"Whole clusters of {known['cluster']} were resampled" + (f" ({count})" if count else "")
            return [*weighted, f"{whole}. Intervals are 95 %, tests two-sided."], []
        cited = "; ".join(text for text in (count, papers.CLUSTERED.short) if text)
        said = f"Standard errors are clustered by {known['cluster']} ({cited}); intervals are 95 %, tests two-sided."
        return [*weighted, said], [papers.CLUSTERED]
    if method in BOOTSTRAPPED or method == "simex":
        return [*weighted, "Intervals are 95 %, tests two-sided."], []
    if method == "adjusted":
        return [*weighted, "Standard errors are those of the delta method; intervals are 95 %."], []
    which, paper = ("HC1", papers.ROBUST) if method == "naive" else ("sandwich estimator", papers.SANDWICH)
    said = f"Standard errors are robust to heteroskedasticity ({which}; {paper.short}); intervals are 95 %"
    return [*weighted, said + ("." if known.get("variable") else ", tests two-sided.")], [paper]


def _margins(of: Result | Mapping[str, Any], units: str) -> list[str]:
    """How marginal effects were averaged, where the result has some."""
    if not isinstance(of, Result) or all(one.name != "margins" for one in of.also):
        return []
    return [f"Average marginal effects are averages over all {units}, corrected in the same way."]


def _many_tests(known: Mapping[str, Any]) -> tuple[list[str], list[Reference]]:
    """How p values were corrected for their number."""
    ways = {
        "holm": ("for the number of tests by Holm's method", papers.HOLM),
        "bh": ("to control the false discovery rate", papers.FALSE_DISCOVERY),
    }
    if (asked := str(known.get("p_adjusted"))) not in ways:
        return [], []
    how, paper = ways[asked]
    return [f"P values were corrected {how} ({paper.short})."], [paper]


def _compared(known: Mapping[str, Any], method: str, units: str) -> tuple[list[str], list[Reference]]:
    """What stands beside the estimate."""
    plain = known.get("cluster") or method in ("adjusted", "naive")
    robust = "" if plain else f" (HC1 standard errors; {papers.ROBUST.short})"
    ways = {
        "naive": f"with the machine's labels taken as true{robust}",
        "gold": f"with the hand-coded {units} alone ({papers.SURVEY.short})",
    }
    compared: Sequence[str] = known.get("compared") or []
    names = [OTHER_NAMES.get(name, name) for name in compared]
    shown = [name for name in ways if name in names and name != method]
    if not shown:
        return [], []
    cited = [papers.SURVEY] if "gold" in shown else []
    cited += [papers.ROBUST] if "naive" in shown and robust else []
    return [f"For comparison, the same was estimated {' and '.join(ways[name] for name in shown)}."], cited


def _software(known: Mapping[str, Any]) -> str:
    seed = f" (seed {known['seed']})" if known.get("seed") is not None else ""
    used = f"visanda {known.get('version') or installed('visanda') or ''}".rstrip()
    return f"Computed with {used}{seed} in Python {platform.python_version()}."


def installed(package: str) -> str:
    """The version of a package that is installed; empty where it is not."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
