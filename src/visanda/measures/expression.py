"""Expression: whether a face is shown smiling, and six expressions that are less credible."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from visanda.arguments import Between
from visanda.measure import measure
from visanda.media import Detail
from visanda.models.chips import upright
from visanda.models.face_nets import EXPRESSION_SIZE, EXPRESSIONS, both_ways, expressions

HAPPY = EXPRESSIONS.index("happy")


@measure(
    on="face",
    columns={**{f"expression_{name}": float for name in EXPRESSIONS}, "perceived_happy": bool},
    models=["face_expression"],
    source="Mühler (2018), face-api; Barrett et al. (2019) on what expressions say of emotions; Jürgens et al. (2022) "
    "and Buolamwini & Gebru (2018) on validity and on errors by group",
)
def expression(faces: Sequence[Detail], *, band: Annotated[float, Between(0, 0.5)] = 0.15) -> dict[str, Any]:
    """What a face expresses to a network: a perceived attribute of the picture, not what the person feels.

    Only happy against the rest, which is a smile, is moderately credible. Faces that look down are often read as sad
    and mouths that speak as surprised. An expression is no emotion: people smile without joy and are angry without
    a scowl (Barrett et al. 2019). Weak out of sample (compare Jürgens et al. 2022); errors differ by group, as
    Buolamwini & Gebru (2018) found of other classifiers of faces; the training data are not documented. Check it
    against hand codes of your own.

    Args:
        faces: n faces; landmarks are not needed.
        band: how far from 0.5 the probability of happy must be for a yes or no: 0 (always) to 0.5 (never).

    Returns:
        ``expression_neutral`` … ``expression_surprised`` seven probabilities, 0 to 1, which add up to 1;
        ``perceived_happy`` whether that of happy is above 0.5, null where it is within ``band`` of it.
    """
    crops = [upright(face, EXPRESSION_SIZE) for face in faces]
    probabilities = both_ways(expressions, crops, [crop[:, ::-1] for crop in crops])
    happy = [None if abs(share - 0.5) <= band else bool(share > 0.5) for share in probabilities[:, HAPPY].tolist()]
    columns = {f"expression_{name}": share.tolist() for name, share in zip(EXPRESSIONS, probabilities.T, strict=True)}
    return {**columns, "perceived_happy": happy}
