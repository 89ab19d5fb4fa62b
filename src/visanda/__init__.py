"""visanda: images and video as data, from a folder of pictures to an honest hypothesis test.

>>> import visanda as vi
>>> corpus = vi.Corpus("study")                                          # doctest: +SKIP
>>> corpus.measure("colour", vi.embed())                                 # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from visanda import media, study
    from visanda.corpus import Corpus
    from visanda.errors import VisandaError
    from visanda.measure import Measure
    from visanda.measures import (
        age,
        classify,
        colour,
        composition,
        embed,
        expression,
        faces,
        flow,
        gender,
        hash,
        identity,
        loudness,
        motion,
        objects,
        sharpness,
        shots,
        signature,
        speech,
        text,
        zeroshot,
    )
    from visanda.media import Image, contact_sheet
    from visanda.result import Result
    from visanda.timecode import Timecode

_HOMES = {
    "visanda": ("media", "study"),
    "visanda.corpus": ("Corpus",),
    "visanda.errors": ("VisandaError",),
    "visanda.measure": ("Measure",),
    "visanda.measures": (
        "age",
        "classify",
        "colour",
        "composition",
        "embed",
        "expression",
        "faces",
        "flow",
        "gender",
        "hash",
        "identity",
        "loudness",
        "motion",
        "objects",
        "sharpness",
        "shots",
        "signature",
        "speech",
        "text",
        "zeroshot",
    ),
    "visanda.media": ("Image", "contact_sheet"),
    "visanda.result": ("Result",),
    "visanda.timecode": ("Timecode",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Corpus",
    "Image",
    "Measure",
    "Result",
    "Timecode",
    "VisandaError",
    "age",
    "classify",
    "colour",
    "composition",
    "contact_sheet",
    "embed",
    "expression",
    "faces",
    "flow",
    "gender",
    "hash",
    "identity",
    "loudness",
    "media",
    "motion",
    "objects",
    "sharpness",
    "shots",
    "signature",
    "speech",
    "study",
    "text",
    "zeroshot",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used: importing visanda costs next to nothing."""
    if name not in _HOME:
        raise AttributeError(f"visanda has no {name!r}; its public names are: {', '.join(__all__)}")
    home = _HOME[name]
    found = import_module(f"visanda.{name}") if home == "visanda" else getattr(import_module(home), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
