"""The measures that come with visanda, one idea a file; importing them registers them."""

from visanda.measures.classify import classify
from visanda.measures.colour import colour
from visanda.measures.composition import composition
from visanda.measures.embed import embed
from visanda.measures.flow import flow
from visanda.measures.hash import hash
from visanda.measures.loudness import loudness
from visanda.measures.motion import motion
from visanda.measures.sharpness import sharpness
from visanda.measures.shots import shots
from visanda.measures.signature import signature
from visanda.measures.speech import speech
from visanda.measures.zeroshot import zeroshot

__all__ = [
    "classify",
    "colour",
    "composition",
    "embed",
    "flow",
    "hash",
    "loudness",
    "motion",
    "sharpness",
    "shots",
    "signature",
    "speech",
    "zeroshot",
]
