"""Correction in words: what each way of correcting does, on what it rests, and whose it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from visanda.errors import InputError
from visanda.study.output import references as papers
from visanda.study.output.references import Reference

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


@dataclass(frozen=True)
class Correction:
    """A way of correcting: its sentence, with {cite}, {units} and {resamples} left open, and its papers."""

    said: str
    papers: tuple[Reference, ...] = ()

    @property
    def cite(self) -> str:
        """The papers as they are cited; years alone where the authors are the same."""
        first, *more = self.papers or (None,)
        if first is None:
            return ""
        same = all(paper.authors == first.authors for paper in more if paper)
        years = [str(paper.year) if same else paper.short for paper in more if paper]
        return (", " if same else "; ").join([first.short, *years])


METHODS = {
    "dsl": Correction(
        "The machine's errors were corrected by design-based supervised learning ({cite}). It is valid whatever "
        "the machine's errors, as long as the hand-coded {units} were drawn with known probabilities and the machine "
        "did not learn from their codes.",
        (papers.DSL, papers.DSL_GENERAL),
    ),
    "ppi": Correction(
        "The machine's errors were corrected by prediction-powered inference, in which the weight of the machine's "
        "predictions is chosen to minimise the variance (PPI++; {cite}). It is valid where the hand-coded {units} are "
        "a random sample of all and the machine did not learn from their codes.",
        (papers.PPI,),
    ),
    "ptd": Correction(
        "The machine's errors were corrected by predict-then-debias ({cite}): the model was fitted with the machine's "
        "values of all {units}, and corrected by how much fits with human and with machine values differ among the "
        "hand-coded {units}. Standard errors and intervals are those of a bootstrap{resamples}; intervals are its "
        "percentiles.",
        (papers.PTD,),
    ),
    "adjusted": Correction(
        "Shares were corrected for the machine's error rates, which were estimated on the hand-coded {units} ({cite}). "
        "This assumes that the error rates are the same among the {units} that were not coded by hand.",
        (papers.ADJUSTED,),
    ),
    "likelihood": Correction(
        "The machine's errors were modelled together with the outcome and estimated by maximum likelihood ({cite}). "
        "The estimates rest on the model of the errors being right.",
        (papers.LIKELIHOOD,),
    ),
    "simex": Correction(
        "The sensitivity of the estimates to the machine's errors was assessed by misclassification SIMEX ({cite}): "
        "errors were added at known rates, and the estimates extrapolated to no error.",
        (papers.SIMEX,),
    ),
    "gold": Correction(
        "Only the hand-coded {units} were analysed, each weighted by one over its probability of being drawn ({cite}).",
        (papers.SURVEY,),
    ),
    "naive": Correction("The machine's labels were taken as true; its errors were not corrected."),
}


def method_of(known: Mapping[str, Any]) -> str:
    """The method that a provenance names, by its short name.

    Raises:
        InputError: none, or one that is not known here.
    """
    method = str(known.get("method", "")).lower().replace("_", " ").strip()
    method = OTHER_NAMES.get(method, method)
    if method not in METHODS:
        raise InputError(f"method {known.get('method')!r}: name one of {', '.join(METHODS)} in the provenance")
    return method


def cross_fitting(known: Mapping[str, Any], method: str) -> tuple[list[str], list[Reference]]:
    """How expected codes were learnt, where the method does."""
    if method != "dsl" or "learner" not in known:
        return [], []
    if known["learner"] == "raw":
        return ["The machine's predictions were used as they are, without learning from the codes once more."], []
    learner = str(known["learner"])
    by = (
        "a ridge regression (logistic where codes are 0/1 or categories)"
        if learner == "linear"
        else f"a supervised learner ({learner})"
    )
    text = f"Expected codes were learnt from the machine's predictions and the observed variables by {by}"
    cited = []
    if known.get("folds"):
        whole = f", with each {known['cluster']} in one fold" if known.get("cluster") else ""
        text += f", cross-fitted over {known['folds']} folds{whole} ({papers.CROSS_FITTING.short})"
        cited.append(papers.CROSS_FITTING)
    if known.get("splits", 1) > 1:
        text += f"; estimates are medians over {known['splits']} random splits"
    return [text + "."], cited


def refined(known: Mapping[str, Any], method: str) -> tuple[list[str], list[Reference]]:
    """That the estimator differs from the published one, where it does."""
    if method != "dsl" or not known.get("refined"):
        return [], []
    said = (
        "Beyond the published estimator, two refinements for few codes were used: the bias of second order was "
        f"estimated by the jackknife ({papers.BIAS.short}) and taken out, and intervals and tests use quantiles of "
        f"Student's t, with approximate degrees of freedom ({papers.DEGREES.short}), in place of the normal "
        "distribution."
    )
    return [said], [papers.BIAS, papers.DEGREES]
