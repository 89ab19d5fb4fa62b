"""Methods text: the paragraph of a paper that says how an estimate was made, with its references."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from visanda.errors import InputError
from visanda.result import Result
from visanda.study.estimating.choice import EQUAL
from visanda.study.output import references as papers
from visanda.study.output.references import Reference, bibtex

MODELS = {
    "mean": "a mean",
    "lm": "a linear regression",
    "logit": "a logistic regression",
    "poisson": "a Poisson regression",
    "multinomial": "a multinomial logistic regression",
    "negbin": "a negative binomial regression",
    "fe": "a linear regression with fixed effects",
    "ordinal": "an ordinal logistic regression",
    "mixed": "a linear mixed model",
}
OTHER_NAMES = {
    "ppi++": "ppi",
    "predict-then-debias": "ptd",
    "debias": "ptd",
    "adjusted counts": "adjusted",
    "adjusted count": "adjusted",
    "maximum likelihood": "likelihood",
    "ml": "likelihood",
    "mc-simex": "simex",
    "gold only": "gold",
}
# What was done, on what it rests, and the paper; {cite} is where it is cited.
METHODS: dict[str, tuple[str, Reference | None]] = {
    "dsl": (
        "The machine's errors were corrected by design-based supervised learning ({cite}). It is valid whatever "
        "the machine's errors, as long as the hand-coded {units} were drawn with known probabilities and the machine "
        "did not learn from their codes.",
        papers.DSL,
    ),
    "ppi": (
        "The machine's errors were corrected by prediction-powered inference, in which the weight of the machine's "
        "predictions is chosen to minimise the variance (PPI++; {cite}). It is valid where the hand-coded {units} are "
        "a random sample of all and the machine did not learn from their codes.",
        papers.PPI,
    ),
    "ptd": (
        "The machine's errors were corrected by predict-then-debias ({cite}): the model was fitted with the machine's "
        "values of all {units}, and corrected by how much fits with human and with machine values differ among the "
        "hand-coded {units}. Standard errors are those of a bootstrap{replicates}.",
        papers.PTD,
    ),
    "adjusted": (
        "Shares were corrected for the machine's error rates, which were estimated on the hand-coded {units} ({cite}). "
        "This assumes that the error rates are the same among the {units} that were not coded by hand.",
        papers.ADJUSTED,
    ),
    "likelihood": (
        "The machine's errors were modelled together with the outcome and estimated by maximum likelihood ({cite}). "
        "The estimates rest on the model of the errors being right.",
        papers.LIKELIHOOD,
    ),
    "simex": (
        "The sensitivity of the estimates to the machine's errors was assessed by misclassification SIMEX ({cite}): "
        "errors were added at known rates, and the estimates extrapolated to no error.",
        papers.SIMEX,
    ),
    "gold": (
        "Only the hand-coded {units} were analysed, each weighted by one over its probability of being drawn ({cite}).",
        papers.SURVEY,
    ),
    "naive": ("The machine's labels were taken as true; its errors were not corrected.", None),
}
BOOTSTRAPPED = ("ptd",)
CROSS_FITTED = ("dsl",)


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
        of: the Result of :func:`visanda.study.estimate`, or its provenance: method (``"dsl"``, ``"ppi"``, ``"ptd"``,
            ``"adjusted"``, ``"likelihood"``, ``"simex"``, ``"gold"`` or ``"naive"``), formula, model, predicted_var
            or prediction, n, n_coded, n_dropped, sample_prob, sampling (``"equal"`` or ``"unequal"`` probabilities),
            cluster, n_clusters, weights, learner, folds, splits, replicates, seed, compared (further methods shown
            beside), version.
        units: what a row is, in the plural: "images", "articles".

    Raises:
        InputError: no method, or one that is not known here.

    Example:
        >>> known = {"method": "ppi", "formula": "protest ~ year", "model": "logit", "n": 4000, "n_coded": 400}
        >>> found = methods_text(known, units="images")
        >>> found.sentences[0]
        'We estimated a logistic regression, protest ~ year, on 4,000 images, 400 of them coded by hand.'
        >>> [reference.short for reference in found.references]
        ['Angelopoulos, Duchi & Zrnic, 2023']
    """
    known = _known(of)
    method = _method(known)
    said, paper = METHODS[method]
    cited = [paper] if paper else []
    replicates = f" of {known['replicates']:,} resamples" if known.get("replicates") else ""
    cite = paper.short if paper else ""
    sentences = [
        _what(known, units),
        *_coded(known, method, units),
        said.format(cite=cite, units=units, replicates=replicates),
        *_cross_fitting(known, method),
    ]
    errors, more = _standard_errors(known, method, units)
    compared, others = _compared(known, method, units)
    cited += [*more, *others]
    sentences += [*errors, *compared, _software(known)]
    unique = list(dict.fromkeys(cited))
    return MethodsText([text for text in sentences if text], sorted(unique, key=lambda paper: paper.authors))


def _known(of: Result | Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(of, Result):
        return dict(of)
    names = [str(name) for name in of.table["method"].unique()] if "method" in of.table else []
    corrected = [found[1].lower() for name in names if (found := re.match(r"corrected \((.+)\)", name))]
    plain = [name.split()[0] for name in names if name.startswith(("naive", "gold"))]
    guessed: dict[str, Any] = {"compared": plain if corrected else plain[1:]}
    if corrected or plain:
        guessed["method"] = (corrected or plain)[0]
    given = {name: value for name, value in of.provenance.items() if not (name == "method" and value == "auto")}
    return guessed | given


def _method(known: Mapping[str, Any]) -> str:
    method = str(known.get("method", "")).lower().replace("_", " ").strip()
    method = OTHER_NAMES.get(method, method)
    if method not in METHODS:
        raise InputError(f"method {known.get('method')!r}: name one of {', '.join(METHODS)} in the provenance")
    return method


def _what(known: Mapping[str, Any], units: str) -> str:
    model = MODELS.get(str(known.get("model")), f"a model ({known['model']})" if known.get("model") else "a model")
    formula = known.get("formula")
    if known.get("model") == "mean" and formula:
        text = f"We estimated the mean of {formula}"
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
    ways = {
        "equal": f"The hand-coded {units} were drawn at random, each with the same known probability.",
        "unequal": f"The hand-coded {units} were drawn at random with known, unequal probabilities, the inverse of "
        "which weights them.",
    }
    if known.get("sampling") in ways:
        return [*found, ways[known["sampling"]]]
    if known.get("sample_prob") == EQUAL:
        return [*found, f"The hand-coded {units} are a simple random sample of all {units}."]
    if known.get("sample_prob") is None:
        return [*found, f"How the hand-coded {units} were chosen is not known."]
    return [*found, f"The hand-coded {units} were drawn at random with known probabilities."]


def _cross_fitting(known: Mapping[str, Any], method: str) -> list[str]:
    if method not in CROSS_FITTED or "learner" not in known:
        return []
    if known["learner"] == "raw":
        return ["The machine's predictions were used as they are, without cross-fitting."]
    learner = str(known["learner"])
    by = (
        "a ridge regression (logistic where codes are 0/1 or categories)"
        if learner == "linear"
        else f"a supervised learner ({learner})"
    )
    text = f"Expected codes were learnt from the machine's predictions and the observed variables by {by}"
    if known.get("folds"):
        text += f", cross-fitted over {known['folds']} folds"
    if known.get("splits", 1) > 1:
        text += f"; estimates are medians over {known['splits']} random splits"
    return [text + "."]


def _standard_errors(known: Mapping[str, Any], method: str, units: str) -> tuple[list[str], list[Reference]]:
    weighted = [f"{units.capitalize()} are weighted by {known['weights']}."] if known.get("weights") else []
    if known.get("cluster"):
        count = f"{known['n_clusters']:,} clusters" if known.get("n_clusters") else ""
        if method in BOOTSTRAPPED:
            whole = f"Whole clusters of {known['cluster']} were resampled" + (f" ({count})" if count else "")
            return [*weighted, f"{whole}."], []
        cited = "; ".join(text for text in (count, papers.CLUSTERED.short) if text)
        said = f"Standard errors are clustered by {known['cluster']} ({cited}); intervals are 95 %, tests two-sided."
        return [*weighted, said], [papers.CLUSTERED]
    if method in BOOTSTRAPPED or method == "simex":
        return [*weighted, "Intervals are 95 %, tests two-sided."], []
    if method in ("adjusted", "likelihood"):
        return [*weighted, "Intervals are 95 %."], []
    hc1 = method == "naive"
    which = f"HC1; {papers.ROBUST.short}" if hc1 else "sandwich estimator"
    said = f"Standard errors are robust to heteroskedasticity ({which}); intervals are 95 %, tests two-sided."
    return [*weighted, said], [papers.ROBUST] if hc1 else []


def _compared(known: Mapping[str, Any], method: str, units: str) -> tuple[list[str], list[Reference]]:
    """What stands beside the estimate."""
    robust = "" if known.get("cluster") else f" (HC1 standard errors; {papers.ROBUST.short})"
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
    return f"Computed with visanda {known.get('version') or installed('visanda') or ''}".rstrip() + f"{seed}."


def installed(package: str) -> str:
    """The version of a package that is installed; empty where it is not."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
