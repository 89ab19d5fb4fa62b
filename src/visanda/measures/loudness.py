"""Loudness: how loud is it, second by second, and where is silence."""

from __future__ import annotations

from collections.abc import Iterator
from math import log10, nan, pi, tan

import numpy as np
from scipy.signal import sosfilt

from visanda.measure import Row, Stream, stream

# K-weighting is a high shelf and a highpass. ITU-R BS.1770 gives their coefficients at 48 kHz only; frequency in
# Hz and quality, from which these follow, give them at any rate (De Man 2014).
SHELF, SHELF_Q, SHELF_GAIN, SHELF_SLOPE = 1681.974450955533, 0.7071752369554196, 3.999843853973347, 0.4996667741545416
PASS, PASS_Q = 38.13547087602444, 0.5003270373238773
OFFSET = -0.691  # makes a sine of 997 Hz at full scale −3.01 LUFS


@stream(
    columns={"loudness": float, "level": float, "peak": float, "silent": bool},
    of="sound",
    before=1.0,
    source="ITU-R BS.1770-5 (2023), K-weighting; De Man (2014), its filters at any sampling rate",
)
def loudness(stream: Stream, *, threshold: float = -50.0) -> Iterator[Row]:
    """Loudness, level and peak of every second of sound, and whether it is silent.

    Of the channels' mean at 16 kHz, so that all files compare. A broadcaster's figure, which adds the power of the
    channels, is about 3 LU higher for stereo with equal channels, more where they differ. Not gated: every second
    counts by itself.

    Args:
        stream: of sound.
        threshold: level in dBFS below which a second is silent.

    Returns:
        A row a second: ``loudness`` in LUFS, frequencies weighted as people hear them; ``level`` root mean
        square in decibels of full scale (dBFS), 0 at most, −3.01 for the loudest sine; ``peak`` largest sample in
        dBFS; ``silent`` level below the threshold. In digital silence, where every sample is 0, there is no level
        and the first three are null.
    """
    state = np.zeros((2, 2))
    for sound in stream:
        samples = sound.samples.astype(float)
        peak = np.abs(samples).max()
        if peak:
            weighted, state = sosfilt(k_weighting(sound.rate), samples, zi=state)
        else:
            weighted, state = samples, np.zeros((2, 2))  # a second of zeros empties the filters
        level = decibels(np.square(samples).mean())
        yield {
            "start": sound.time,
            "stop": round(sound.time + len(samples) / sound.rate, 6),
            "loudness": round(OFFSET + decibels(np.square(weighted).mean()), 3),
            "level": round(level, 3),
            "peak": round(decibels(peak**2), 3),
            "silent": not level >= threshold,
        }


def decibels(power: float) -> float:
    """Power as decibels of full scale; NaN for none at all."""
    return 10 * log10(power) if power > 0 else nan


def k_weighting(rate: int) -> np.ndarray:
    """Second-order sections of the K-weighting filters at a sampling rate: (2, 6), as scipy has them.

    At 16 kHz they are within 0.07 dB of those at 48 kHz, up to 7 kHz.

    >>> k_weighting(48_000)[0, :3].round(6).tolist()  # the table of the standard
    [1.535125, -2.691696, 1.198393]
    """
    gain = 10 ** (SHELF_GAIN / 20)
    shelf = _quadratic(rate, SHELF, SHELF_Q)
    shelved = _quadratic(rate, SHELF, SHELF_Q, gain, gain**SHELF_SLOPE)
    cut = _quadratic(rate, PASS, PASS_Q)
    standard = _quadratic(48_000, PASS, PASS_Q)  # where the highpass lets through a little more than 1
    passed = np.array([1, -2, 1]) * standard[0]
    return np.array([[*shelved / shelf[0], *shelf / shelf[0]], [*passed / cut[0], *cut / cut[0]]])


def _quadratic(rate: int, frequency: float, quality: float, square: float = 1.0, linear: float = 1.0) -> np.ndarray:
    """Coefficients in z of ``square`` s² + ``linear`` s / ``quality`` + 1, s in units of a frequency: bilinear."""
    k = tan(pi * frequency / rate)
    return np.array([square + linear * k / quality + k**2, 2 * (k**2 - square), square - linear * k / quality + k**2])
