"""Identity: 128 numbers a face that are near for faces of one person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from visanda.measure import Vector, measure
from visanda.media import Detail
from visanda.models.chips import aligned
from visanda.models.face_nets import IDENTITY_CHIP, identities


@measure(
    on="face",
    columns={"identity": Vector(128)},
    models=["face_recognition_dlib"],
    source="King (2017), dlib_face_recognition_resnet_model_v1; He et al. (2016) for the network; Umeyama (1991) for "
    "the alignment; Buolamwini & Gebru (2018) on errors by group",
)
def identity(faces: Sequence[Detail]) -> dict[str, Any]:
    """What a face looks like, as 128 numbers: two pictures of one person are near, of two people far apart.

    Nearness is Euclidean distance. Below 0.5 two faces are usually of one person; dlib's own threshold of 0.6 is too
    loose: large faces of different people who look alike come as near as 0.54, small or masked ones and statues
    nearer. A distance is a guess at identity, not a proof, and false matches are more frequent in groups that are
    rare in the training data (compare Buolamwini & Gebru 2018). Faces in profile, half covered or under 40 pixels
    are unreliable: a face reduced to a width of 40 pixels is about 0.2 from itself, at 20 pixels 0.4. Calibrate the
    threshold on pairs of your own, and identify only people whom you may lawfully identify.

    Args:
        faces: n faces with landmarks, by which they are aligned.

    Returns:
        ``identity`` (128 numbers of about −0.5 to 0.5).

    Raises:
        MediaError: a face has no landmarks; in a corpus, the ``error`` of its row.
    """
    return {"identity": identities([aligned(face, *IDENTITY_CHIP) for face in faces])}
