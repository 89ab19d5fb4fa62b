"""Perceived age: how old a face looks, with how unsure the network is."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

import numpy as np

from visanda.errors import InputError
from visanda.measure import Columns, Vector, measure
from visanda.media import Detail
from visanda.models.chips import aligned
from visanda.models.face_nets import AGE_CHIP, YEARS, ages, both_ways

OLDEST = 80  # the last class of the network


def _check(breaks: Sequence[int]) -> None:
    if not breaks or any(not 1 <= year <= OLDEST for year in breaks) or list(breaks) != sorted(set(breaks)):
        raise InputError(
            f"age's breaks must be whole years from 1 to {OLDEST}, each greater than the one before, as in 18,40,60, "
            f"not {', '.join(map(str, breaks)) or 'nothing'}"
        )


def _columns(breaks: list[int]) -> Columns:
    """The columns, the same for all arguments; breaks that cannot be are refused before any work."""
    _check(breaks)
    return {
        "perceived_age": float,
        "perceived_age_sd": float,
        "perceived_age_group": str,
        "perceived_ages": Vector(len(YEARS)),
    }


@measure(
    on="face",
    columns=_columns,
    models=["age_dlib"],
    source="Cydral (2024), dlib's dnn_age_predictor; Rothe, Timofte & Van Gool (2018) for the mean over classes; "
    "Jürgens et al. (2022) on validity; Buolamwini & Gebru (2018) on errors by group",
)
def age(
    faces: Sequence[Detail],
    *,
    breaks: list[int] = [18, 40, 60],  # noqa: B006 (read only, and shown as the default)
) -> dict[str, Any]:
    """How old a face looks to a network: a perceived attribute, not the person's age.

    Weak for a single face: it moves by several years, now and then by 20, with light and with the cut of the face,
    and old people and children are drawn towards the middle. Weak out of sample (compare Jürgens et al. 2022), and its
    errors differ by group, as by gender and skin tone (Buolamwini & Gebru 2018, of other classifiers of faces): a
    difference between groups may be the network's and not the pictures'. Use means of many faces and broad groups,
    and check them against hand codes of your own.

    Args:
        faces: n faces with landmarks, by which they are aligned.
        breaks: the ages at which a new group begins, whole years from 1 to 80, in order.

    Returns:
        ``perceived_age`` in years, 0.25 to 80, the mean of the network's probabilities; ``perceived_age_sd`` their
        standard deviation in years, which is too small as a measure of error: the network is surer than it is
        right; ``perceived_age_group`` the group of the mean, such as ``18-39`` or ``60+``; ``perceived_ages`` the
        probability of each year from 0 to 80.

    Raises:
        MediaError: a face has no landmarks; in a corpus, the ``error`` of its row.
    """
    mirrored = [aligned(face, *AGE_CHIP, mirror=True) for face in faces]
    probabilities = both_ways(ages, [aligned(face, *AGE_CHIP) for face in faces], mirrored)
    mean = probabilities.astype(float) @ YEARS
    variance = (probabilities * np.square(YEARS - mean[:, None])).sum(axis=1)
    return {
        "perceived_age": mean.tolist(),
        "perceived_age_sd": np.sqrt(variance).tolist(),
        "perceived_age_group": [_group(one, breaks) for one in mean],
        "perceived_ages": probabilities,
    }


def _group(years: float, starts: Sequence[int]) -> str:
    """The group that an age is in, by its first and last whole year."""
    place = bisect_right(starts, years)
    first = starts[place - 1] if place else 0
    return f"{first}+" if place == len(starts) else f"{first}-{starts[place] - 1}"
