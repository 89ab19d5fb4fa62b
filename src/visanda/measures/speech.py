"""Speech: what is said, as rows of a transcript, by Whisper through the optional package faster-whisper."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from math import exp
from typing import Any, NamedTuple

import numpy as np

from visanda.errors import InputError
from visanda.extras import need
from visanda.measure import Row, Stream, stream
from visanda.media import Sound

EVERY = 270  # seconds: once in so many, speech is cut,
NEAR = 30  # at the quietest of the last so many, so that a window has EVERY + NEAR at most


class Said(NamedTuple):
    """A stretch of speech within a window.

    Attributes:
        start: seconds after the window's start.
        stop: seconds after the window's start.
        text: what is said.
        language: code of ISO 639-1, as ``en``.
        confidence: 0 to 1.
    """

    start: float
    stop: float
    text: str
    language: str
    confidence: float


@stream(
    columns={"text": str, "language": str, "confidence": float},
    of="sound",
    before=EVERY + NEAR,
    behind=EVERY + NEAR,
    source="Radford et al. (2023), Whisper; faster-whisper (SYSTRAN), with the voice detector Silero VAD",
)
def speech(stream: Stream, *, model: str = "small", language: str = "") -> Iterator[Row]:
    """What is said, and when: a row for every phrase, transcribed by Whisper.

    Needs the extra ``speech``. A model that is named is downloaded when it is first used, from the Hugging Face
    Hub; one in a folder needs no network. The search is a beam search without sampling, so that the same sound
    gives the same words. Whisper also writes what nobody said, mostly in music and noise (Koenecke et al. 2024):
    stretches without a voice are left out before, and ``confidence`` is low where it guesses; check a sample by ear.

    Args:
        stream: of sound.
        model: ``tiny``, ``base``, ``small``, ``medium``, ``large-v3``, ``turbo``; or a folder that holds a model in
            CTranslate2's format. Larger ones err less and take longer.
        language: spoken, a code such as ``en`` or ``de``; empty: detected, anew every five minutes.

    Returns:
        A row a phrase: ``text`` what is said; ``language`` it is said in, as a code; ``confidence`` geometric mean
        of the probabilities of the words' parts, 0 to 1.

    Raises:
        MissingExtra: faster-whisper is not installed.
        InputError: there is no such model or language, or the model cannot be downloaded.
    """
    kept = stream.last["stop"] if stream.last else 0.0
    yield from transcript(stream, _whisper(model, language), kept)


def transcript(
    sounds: Iterable[Sound], transcribe: Callable[[np.ndarray], Iterable[Said]], kept: float
) -> Iterator[Row]:
    """Rows of what is said, with times in the file, of sound that may be longer than memory.

    Args:
        sounds: a second each.
        transcribe: what is said in a window, (n,) float32.
        kept: seconds; windows that end before are not transcribed.
    """
    for begin, samples, rate in windows(sounds):
        end = begin + len(samples) / rate
        if end <= kept or not samples.any():
            continue
        for said in sorted(transcribe(samples), key=lambda one: one.stop):
            start = round(begin + said.start, 6)
            if said.text and start < end:  # Whisper pads a window with silence, and may find words there
                texts = {"text": said.text, "language": said.language, "confidence": said.confidence}
                yield {"start": start, "stop": round(min(begin + said.stop, end), 6), **texts}


def windows(sounds: Iterable[Sound]) -> Iterator[tuple[float, np.ndarray, int]]:
    """Sound in windows of minutes, cut in the middle of a quiet second.

    Where it is cut depends on the file's clock and the seconds around, not on where listening began.

    Args:
        sounds: a second each.

    Yields:
        When a window begins, in seconds; its samples, (n,); samples a second.
    """
    begin, held, rate = 0.0, list[np.ndarray](), 1
    for sound in sounds:
        if not held:
            begin, rate = sound.time, sound.rate
        held.append(sound.samples)
        if round(sound.time + 1) % EVERY == 0:
            quietest = min(range(max(0, len(held) - NEAR), len(held)), key=lambda k: float(np.square(held[k]).mean()))
            before, after = np.array_split(held[quietest], 2)
            window = np.concatenate((*held[:quietest], before))
            yield begin, window, rate
            begin, held = begin + len(window) / rate, [after, *held[quietest + 1 :]]
    if held:
        yield begin, np.concatenate(held), rate


def _whisper(model: str, language: str) -> Callable[[np.ndarray], Iterator[Said]]:
    whisper = _loaded(model)

    def transcribe(samples: np.ndarray) -> Iterator[Said]:
        try:
            segments, about = whisper.transcribe(
                samples,
                language=language or None,
                temperature=0.0,
                condition_on_previous_text=False,
                vad_filter=True,
            )
        except ValueError as error:
            raise InputError(f"speech cannot be transcribed: {error}") from error
        for one in segments:
            yield Said(one.start, one.end, one.text.strip(), about.language, exp(one.avg_logprob))

    return transcribe


@lru_cache(maxsize=1)
def _loaded(model: str) -> Any:
    module = need("faster_whisper", "speech")
    try:
        return module.WhisperModel(model, compute_type="int8")
    except Exception as error:  # of the hub, of its network, of the model's format: each has its own
        raise InputError(
            f"the speech model {model!r} cannot be loaded: {error}. Give a name, such as small, with a network to "
            "download it once, or a folder that holds a model in CTranslate2's format"
        ) from error
