"""Perceived gender: whether strangers would take a face for a woman's or a man's, with abstention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from visanda.arguments import Between
from visanda.measure import measure
from visanda.media import Detail
from visanda.models.chips import aligned
from visanda.models.face_nets import GENDER_CHIP, both_ways, genders


@measure(
    on="face",
    columns={"perceived_female": float, "perceived_gender": str},
    models=["gender_dlib"],
    source="Cydral (2021), dlib's dnn_gender_classifier; Buolamwini & Gebru (2018) on errors by group; Jürgens et al. "
    "(2022) on validity",
)
def gender(faces: Sequence[Detail], *, band: Annotated[float, Between(0, 0.5)] = 0.15) -> dict[str, Any]:
    """Whether a face is perceived as a woman's or a man's: a perceived attribute, not how people identify.

    The network knows two genders. Weak out of sample, and its errors differ by group: such classifiers err most on
    women of dark skin (Buolamwini & Gebru 2018), on children and on unusual light and angles (Jürgens et al. 2022).
    It is surer than it is right: the admiral among the sample pictures, an old woman in uniform, is taken for a man
    with a probability of 0.98. So abstention leaves out only some of its errors. Check shares against hand codes of
    your own.

    Args:
        faces: n faces with landmarks, by which they are aligned.
        band: how far from 0.5 the probability must be for a word: 0 (always a word) to 0.5 (never). By the default
            a word needs 0.65, which small changes of size, light and cut seldom turn into its opposite.

    Returns:
        ``perceived_female`` the network's probability, 0 to 1; ``perceived_gender`` ``woman`` or ``man``, null where
        the probability is within ``band`` of 0.5.

    Raises:
        MediaError: a face has no landmarks; in a corpus, the ``error`` of its row.
    """
    mirrored = [aligned(face, *GENDER_CHIP, mirror=True) for face in faces]
    female = both_ways(genders, [aligned(face, *GENDER_CHIP) for face in faces], mirrored)[:, 0].tolist()
    words = [None if abs(share - 0.5) <= band else "woman" if share > 0.5 else "man" for share in female]
    return {"perceived_female": female, "perceived_gender": words}
