"""Loudness: against the standard's table and test signal, and sines whose level is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sound_clips import tone, write_sound

from visanda.measure import Stream
from visanda.measures.loudness import k_weighting, loudness
from visanda.media import Facts, Sound
from visanda.media.sound import seconds

FACTS = Facts("wav", "none", 0, 0)


def rows(samples: np.ndarray, rate: int = 16_000, since: int = 0, **arguments) -> list[dict]:
    sounds = (Sound(float(k), samples[k * rate : (k + 1) * rate], rate) for k in range(since, -(-len(samples) // rate)))
    return list(loudness.implementation(Stream(sounds, FACTS), **{**loudness(**arguments).arguments}))


def sine(levels: list[float], frequency: float = 997.0, rate: int = 16_000) -> np.ndarray:
    return tone(levels, rate, frequency)[:, 0].astype(np.float32)


def test_the_coefficients_are_the_standard_s():
    """ITU-R BS.1770-5, tables 1 and 2."""
    shelf = [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585]
    highpass = [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621]
    assert k_weighting(48_000).tolist() == [pytest.approx(shelf, abs=1e-8), pytest.approx(highpass, abs=1e-8)]


@pytest.mark.parametrize(("rate", "tolerance"), [(48_000, 0.005), (44_100, 0.01), (16_000, 0.07)])
def test_the_standard_s_signal(rate, tolerance):
    """A sine of 997 Hz at full scale in one channel is −3.01."""
    assert rows(sine([1.0, 1.0], rate=rate), rate)[1]["loudness"] == pytest.approx(-3.01, abs=tolerance)


@pytest.mark.parametrize("decibels", [-6.0, -20.0, -60.0])
def test_softer_is_as_much_softer(decibels):
    loud, soft = (rows(sine([level] * 2))[1] for level in (1.0, 10 ** (decibels / 20)))
    for column in ("loudness", "level", "peak"):
        assert soft[column] - loud[column] == pytest.approx(decibels, abs=0.002)


def test_level_and_peak():
    measured = rows(sine([1.0]))[0]
    assert measured["level"] == pytest.approx(-3.01, abs=0.001)
    assert measured["peak"] == pytest.approx(0, abs=0.001)
    assert rows(np.ones(16_000, np.float32))[0]["level"] == 0


def test_bass_counts_for_less_and_treble_for_more():
    bass, middle, treble = (rows(sine([0.5] * 2, f))[1]["loudness"] for f in (40.0, 500.0, 4000.0))
    assert bass < middle - 3 and treble > middle + 2


def test_a_row_a_second_and_the_last_is_shorter():
    measured = rows(sine([0.5, 0.5])[:24_000])
    assert [(row["start"], row["stop"]) for row in measured] == [(0.0, 1.0), (1.0, 1.5)]
    assert measured[1]["level"] == pytest.approx(measured[0]["level"], abs=0.01)


def test_digital_silence_has_no_level_and_leaves_nothing_behind():
    measured = rows(sine([0.5, 0.0, 0.5]))
    assert all(math.isnan(measured[1][column]) for column in ("loudness", "level", "peak"))
    assert [row["silent"] for row in measured] == [False, True, False]
    assert measured[2]["loudness"] == rows(sine([0.0, 0.5]))[1]["loudness"]


def test_the_threshold_of_silence():
    samples = sine([10 ** (-47 / 20), 10 ** (-30 / 20)])  # a sine's level is 3 below its peak: −50.01 and −33.01
    assert [row["silent"] for row in rows(samples)] == [True, False]
    assert [row["silent"] for row in rows(samples, threshold=-33)] == [True, True]
    assert [row["silent"] for row in rows(samples, threshold=-60)] == [False, False]


@pytest.mark.parametrize("since", [1, 5, 9])
def test_rows_are_the_same_where_a_run_goes_on(since):
    samples = np.random.default_rng(1).normal(0, 0.1, 16_000 * 10).astype(np.float32)
    before = round(loudness.feed.before)
    assert rows(samples, since=since - before)[before:] == rows(samples)[since:]


def test_of_a_file(tmp_path):
    path = write_sound(tmp_path / "a.mp4", np.repeat(tone([0.5, 0.05], 48_000), 2, 1), 48_000, codec="aac", pictures=2)
    measured = list(loudness.implementation(Stream(seconds(path), FACTS)))
    assert [row["level"] for row in measured[:2]] == pytest.approx([-9.03, -29.03], abs=0.2)
