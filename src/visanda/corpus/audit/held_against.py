"""Held against: a machine's values and what people said of the same units, in the same classes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from visanda.codes import GOLD, decide, gold
from visanda.corpus.audit.audited import Audited, cast, numbers_of
from visanda.corpus.audit.handcodes import HandCodes
from visanda.corpus.audit.trained_here import TrainedHere, as_unseen
from visanda.errors import InputError
from visanda.study.sampling.rounds import probability_of_codes

NOT_KNOWN = (
    "no probabilities of a draw are known: the numbers speak of all units only if the coded ones are a simple random "
    "sample of them; if they are, say --assume-random"
)


@dataclass(frozen=True)
class Held:
    """Machine and people.

    Attributes:
        machine: by id, the machine's values of all units.
        hand: by id, what each coded unit counts as; numbers or classes, as the machine's.
        pi: by id, of coded units, the probability that they were drawn and coded; ``None`` where it is not known.
        probability: by id, the machine's probabilities of all units, a column a class; ``None`` where there are none.
        numeric: whether these are numbers.
        words: what the numbers are of.
        warnings: what was left out.
    """

    machine: pd.Series
    hand: pd.Series
    pi: pd.Series | None
    probability: pd.DataFrame | None
    numeric: bool
    words: list[str]
    warnings: list[str]


def held_against(said: Audited, given: HandCodes, assume_random: bool) -> Held:
    """Put hand codes beside what a machine says.

    Args:
        said: what is audited.
        given: the hand codes.
        assume_random: the coded units are a simple random sample, whatever the probabilities of a draw.

    Raises:
        InputError: codes that are no numbers where the machine's are; no code of known probability.
        DesignError: a classifier that learnt from all codes.
    """
    numeric = numbers_of(said, given.codes.set_index("id")["value"])
    hand, machine, probability = _numbers(said, given) if numeric else _classes(said, given)
    warnings = []
    if tied := given.codes["id"].nunique() - len(hand):
        warnings.append(f"coders are split over {tied} units, which are left out: settle them as the coder gold")
    hand, pi, said_of_pi = _drawn(hand, given, assume_random)
    if isinstance(said, TrainedHere):
        said, hand, words = as_unseen(replace(said, values=machine), hand)
        return Held(said.values, hand, _of(pi, hand), probability, numeric, words, warnings + said_of_pi)
    return Held(machine, hand, pi, probability, numeric, [], warnings + said_of_pi)


def _classes(said: Audited, given: HandCodes) -> tuple[pd.Series, pd.Series, pd.DataFrame | None]:
    """Gold by id, the machine's values and probabilities, in the same classes."""
    if given.variable is not None:  # what its coders meant is settled by the codebook, before classes are compared
        settled = _named(said, decide(given.codes, given.variable).astype(str))
        return cast(said, settled, given.column)
    values, machine, probability = cast(said, _named(said, given.codes["value"]), given.column)
    return gold(given.codes.assign(value=values)), machine, probability


def _named(said: Audited, codes: pd.Series) -> pd.Series:
    return said.in_words(codes) if isinstance(said, TrainedHere) else codes


def _numbers(said: Audited, given: HandCodes) -> tuple[pd.Series, pd.Series, None]:
    """What ``gold`` says of each unit, else the mean of what coders say."""
    rows = given.codes.assign(value=pd.to_numeric(given.codes["value"]))
    means = rows.groupby("id")["value"].mean()
    means.update(rows[rows["coder"] == GOLD].set_index("id")["value"])
    return means, said.values, None


def _drawn(hand: pd.Series, given: HandCodes, assume_random: bool) -> tuple[pd.Series, pd.Series | None, list[str]]:
    """Codes of units of known probability, these probabilities, and what to say of the others."""
    known = _known(hand, given)
    if known is None:
        return hand, None, [] if assume_random else [NOT_KNOWN]
    lost = known.isna()
    if lost.all():
        raise InputError(
            "none of the coded units was drawn with a known probability, so that nobody knows whom they speak for: "
            "code those that were drawn"
        )
    left = [f"{lost.sum()} coded units were not drawn with a known probability, and are left out"] if lost.any() else []
    return hand[~lost], known[~lost], left


def _known(hand: pd.Series, given: HandCodes) -> pd.Series | None:
    """By id, the probability that a unit was drawn and coded, missing where it was not drawn; ``None``: of no unit."""
    if given.design is None:
        return None if given.pi is None else given.pi.reindex(hand.index)
    drawn = hand.index.isin(given.design.loc[given.design["order"] > 0, "id"])
    known = probability_of_codes(given.design, set(hand.index[drawn])).reindex(hand.index)
    return known.where(drawn)


def _of(pi: pd.Series | None, hand: pd.Series) -> pd.Series | None:
    return None if pi is None else pi.reindex(hand.index)
