"""Choice: which correction is valid for a question and the way its rows were coded, and why."""

from __future__ import annotations

from typing import Literal

from visanda.errors import DesignError, InputError
from visanda.study.correct.coded import EQUAL

Method = Literal["auto", "dsl", "ppi", "debias", "likelihood"]

DSL = ("mean", "lm", "logit", "poisson", "multinomial")
DEBIAS = ("negbin", "ordinal", "mixed", "fepois")
LIKELIHOOD = ("lm", "logit", "poisson")

CALLED = {
    "dsl": "corrected (DSL)",
    "ppi": "corrected (PPI++)",
    "debias": "corrected (predict-then-debias)",
    "likelihood": "corrected (maximum likelihood)",
}
CITED = {
    "dsl": "design-based supervised learning (Egami et al. 2023)",
    "ppi": "prediction-powered inference with a tuned weight (PPI++, Angelopoulos, Duchi & Zrnic 2023)",
    "debias": "the predict-then-debias bootstrap (Kluger et al. 2025)",
    "likelihood": "maximum likelihood with a misclassified variable (TeBlunthuis, Hase & Chan 2024)",
}
WAYS_OUT = (
    "Name the column with each row's probability of being drawn (sample_prob). If the coded rows are a simple random "
    "sample of all rows, say sample_prob='equal'. If they were picked in another way, no correction is valid by "
    "design: method='likelihood' rests on a model of the errors instead, and simex shows how much they could matter."
)


def choose(method: Method, model: str, sample_prob: str | None, predicted: int) -> tuple[str, str]:
    """The method, and a sentence that says why.

    Args:
        method: as asked for; ``"auto"`` chooses.
        model: of the outcome; ``"mean"`` for a mean.
        sample_prob: column of probabilities, ``"equal"``, or None where they are not known.
        predicted: how many predicted variables the formula has.

    Raises:
        DesignError: what was asked for is not valid; says why and what would be.
        InputError: no such method.
    """
    if method not in ("auto", *CALLED):
        raise InputError(f"method={method!r}: choose auto, {', '.join(CALLED)}")
    if method == "likelihood":
        return method, _likelihood(model, predicted)
    if sample_prob is None:
        raise DesignError(
            f"it is not known how the coded rows were drawn, so that they cannot speak for all. {WAYS_OUT}"
        )
    if method == "auto":
        if model in DSL:
            return (
                "dsl",
                "DSL was chosen: rows were drawn for coding with known probabilities, and it covers this model.",
            )
        return "debias", (
            "Predict-then-debias was chosen: rows were drawn for coding with known probabilities, and this model has "
            "no closed correction."
        )
    if method == "dsl" and model not in DSL:
        raise DesignError(f"DSL is made for {', '.join(DSL)}; of a {model} the errors are taken out by debias")
    if method == "ppi" and sample_prob != EQUAL:
        raise DesignError(
            "PPI++ takes a simple random sample of coded rows, and these were drawn with different probabilities: use "
            "dsl"
        )
    if method == "ppi" and model in ("multinomial", *DEBIAS):
        raise DesignError(f"PPI++ is made for means, lm, logit and poisson; for a {model} use dsl or debias")
    return method, f"{method} was asked for."


def _likelihood(model: str, predicted: int) -> str:
    if predicted != 1 or model not in LIKELIHOOD:
        raise DesignError(
            "maximum likelihood takes one misclassified 0/1 variable in an lm, logit or poisson; with a sample of "
            "known probabilities, use DSL"
        )
    return (
        "Maximum likelihood rests on a model of the machine's errors, not on how rows were drawn: it is right as far "
        "as that model is."
    )
