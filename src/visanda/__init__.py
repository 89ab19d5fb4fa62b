"""visanda: images and video as data, from a folder of pictures to an honest hypothesis test.

>>> import visanda as vi
>>> corpus = vi.Corpus("study")                                          # doctest: +SKIP
>>> corpus.measure("colour", vi.embed())                                 # doctest: +SKIP
"""

# ruff: noqa: F403, F405 (__all__ names the measures that type checkers find by the star)

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from visanda import media, study
    from visanda.corpus import Corpus
    from visanda.errors import VisandaError
    from visanda.measure import Measure
    from visanda.measures import *
    from visanda.media import Image, contact_sheet
    from visanda.result import Result
    from visanda.timecode import Timecode

# Where a public name comes from; the others are measures.
_HOMES = {
    "Corpus": "visanda.corpus",
    "Image": "visanda.media",
    "Measure": "visanda.measure",
    "Result": "visanda.result",
    "Timecode": "visanda.timecode",
    "VisandaError": "visanda.errors",
    "contact_sheet": "visanda.media",
    "media": "visanda",
    "study": "visanda",
}

__all__ = [
    "Corpus",
    "Image",
    "Measure",
    "Result",
    "Timecode",
    "VisandaError",
    "age",
    "classify",
    "clip",
    "colour",
    "composition",
    "contact_sheet",
    "embed",
    "expression",
    "faces",
    "flow",
    "gender",
    "hash",
    "hub_embed",
    "identity",
    "loudness",
    "media",
    "motion",
    "objects",
    "own_model",
    "sharpness",
    "shots",
    "signature",
    "skin_tone",
    "speech",
    "study",
    "text",
    "zeroshot",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used: importing visanda costs next to nothing."""
    if name not in __all__:
        raise AttributeError(f"visanda has no {name!r}; its public names are: {', '.join(__all__)}")
    home = _HOMES.get(name, "visanda.measures")
    found = import_module(f"visanda.{name}") if home == "visanda" else getattr(import_module(home), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
