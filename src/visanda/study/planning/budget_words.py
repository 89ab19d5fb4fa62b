"""The words of a budget: what is known now, what a target takes, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from visanda.study.planning.parts import Parts
from visanda.study.regression.coefficients import Z95
from visanda.study.wording import number

FEW_CODES = 50
FEW_CLUSTERS = 300  # below which what clusters have in common is known roughly


@dataclass(frozen=True)
class Plan:
    """What is planned.

    Attributes:
        called: what is estimated, in words.
        place: of the coefficient.
        wanted: standard error.
        codes: that it takes; infinite where all are not enough.
        alone: that it takes without a machine; infinite where all are not enough.
        least: codes that an estimate takes at all.
        effect: that should be found, or None.
        power: with which.
        clusters: how many there are, or None.
    """

    called: str
    place: int
    wanted: float
    codes: float
    alone: float
    least: int
    effect: float | None
    power: float
    clusters: int | None


def plan_words(plan: Plan, parts: Parts, alone: Parts) -> list[str]:
    """What there is, what it takes, what the machine is worth, and what that rests on."""
    now, without = float(parts.now[plan.place]), float(alone.now[plan.place])
    goal = f"A standard error of {number(plan.wanted)} (an interval of ± {number(Z95 * plan.wanted)})"
    if plan.effect is not None:
        goal = f"To find an effect of {number(plan.effect)} with a power of {plan.power:.0%}, {plan.called} needs a "
        goal += f"standard error of {number(plan.wanted)}; that"
    words = [
        f"{parts.n_coded:,} of {parts.n:,} units are coded: the standard error of {plan.called} is {number(now)} "
        f"corrected, and {number(without)} from the codes alone."
    ]
    if not np.isfinite(plan.codes):
        floor = parts.se(plan.place, parts.n)
        words.append(
            f"{goal} cannot be reached: with all {parts.n:,} units coded it would be {number(floor)} (an interval of "
            f"± {number(Z95 * floor)}), the units being a sample of what could have been. More units are needed, not "
            "more codes."
        )
        return words
    if plan.codes <= parts.n_coded:
        words.append(f"{goal} is reached with the codes that there are; {plan.codes:,.0f} would be enough.")
    else:
        more = plan.codes - parts.n_coded
        words.append(f"{goal} takes about {plan.codes:,.0f} codes in all, {more:,.0f} more{_clusters(plan, parts)}.")
    if plan.codes == plan.least:
        words.append(f"Fewer would do for the standard error, but no estimate is made of fewer than {plan.least:,}.")
    if not np.isfinite(plan.alone):
        words.append(f"From the codes alone it could not be reached, even with all {parts.n:,} units coded.")
    else:
        words.append(
            f"From the codes alone it would take {plan.alone:,.0f}: the machine is worth "
            f"{max(plan.alone - plan.codes, 0):,.0f} codes here."
        )
    words.append("This holds if further units are drawn as these were, and if the machine stays as it is.")
    return words


def _clusters(plan: Plan, parts: Parts) -> str:
    """Of clusters that are drawn whole, how many."""
    if not parts.drawn.clusters or plan.clusters is None:
        return ""
    share = parts.drawn.at(parts.drawn.pi, parts.drawn.factor(plan.codes))
    many = plan.clusters * float(np.minimum(share, 1).mean())
    return f", in about {many:,.0f} of {plan.clusters:,} clusters"


def plan_warnings(plan: Plan, parts: Parts) -> list[str]:
    """What makes a plan rough."""
    found = []
    if parts.n_coded < FEW_CODES:
        found.append(
            f"{parts.n_coded} codes are few to plan from: the answer may be far off. Plan again after 50 more."
        )
    if plan.clusters is not None and plan.clusters < FEW_CLUSTERS:
        found.append(
            f"There are {plan.clusters:,} clusters. Below {FEW_CLUSTERS} the plan is rough: what clusters have in "
            "common, which no code removes, is itself known from so few. Plan again when more is coded."
        )
    return found
