"""The measures that come with visanda, one idea a file; importing them registers them."""

from visanda.measures.age import age
from visanda.measures.classify import classify
from visanda.measures.clip import clip
from visanda.measures.colour import colour
from visanda.measures.composition import composition
from visanda.measures.embed import embed
from visanda.measures.expression import expression
from visanda.measures.faces import faces
from visanda.measures.flow import flow
from visanda.measures.gender import gender
from visanda.measures.hash import hash
from visanda.measures.hub_embed import hub_embed
from visanda.measures.identity import identity
from visanda.measures.loudness import loudness
from visanda.measures.motion import motion
from visanda.measures.objects import objects
from visanda.measures.own_model import own_model
from visanda.measures.sharpness import sharpness
from visanda.measures.shots import shots
from visanda.measures.signature import signature
from visanda.measures.skin_tone import skin_tone
from visanda.measures.speech import speech
from visanda.measures.text import text
from visanda.measures.zeroshot import zeroshot

__all__ = [
    "age",
    "classify",
    "clip",
    "colour",
    "composition",
    "embed",
    "expression",
    "faces",
    "flow",
    "gender",
    "hash",
    "hub_embed",
    "identity",
    "loudness",
    "motion",
    "objects",
    "own_model",
    "sharpness",
    "shots",
    "signature",
    "skin_tone",
    "speech",
    "text",
    "zeroshot",
]
