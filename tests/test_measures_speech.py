"""Speech: windows, times in the file, and the optional package; Whisper itself only where it is installed."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

import numpy as np
import pytest

from visanda.errors import InputError, MissingExtra
from visanda.measure import Stream
from visanda.measures.speech import EVERY, NEAR, Said, speech, transcript, windows
from visanda.media import Facts, Sound

RATE = 100  # samples a second: windows are about time, not about sound


def sounds(length: float, quiet: dict[int, float] | None = None, since: int = 0) -> Iterator[Sound]:
    """Noise, softer in some seconds."""
    samples = np.random.default_rng(1).normal(0, 0.1, round(length * RATE)).astype(np.float32)
    for second in range(since, -(-len(samples) // RATE)):
        block = samples[second * RATE : (second + 1) * RATE]
        yield Sound(float(second), block * (quiet or {}).get(second, 1.0), RATE)


def cuts(given: Iterator[Sound]) -> list[tuple[float, float]]:
    return [(begin, begin + len(samples) / rate) for begin, samples, rate in windows(given)]


# windows


def test_sound_is_cut_in_the_middle_of_the_quietest_second_near_the_end():
    assert cuts(sounds(700, {250: 0.1, 520: 0.1, 100: 0.0, 260: 0.2})) == [(0, 250.5), (250.5, 520.5), (520.5, 700)]


def test_windows_hold_all_of_the_sound_once():
    whole = np.concatenate([sound.samples for sound in sounds(1000.5)])
    found = list(windows(sounds(1000.5)))
    assert np.array_equal(np.concatenate([samples for _, samples, _ in found]), whole)
    assert max(len(samples) for _, samples, _ in found) <= (EVERY + NEAR) * RATE


@pytest.mark.parametrize("length", [0, 1, 10.25, EVERY])
def test_short_sound_is_a_window_or_none(length):
    total = sum(stop - start for start, stop in cuts(sounds(length)))
    assert total == length


@pytest.mark.parametrize("since", [10, 239, 240, 255, 300, 600])
def test_cuts_do_not_depend_on_where_listening_began(since):
    """All but the first, for which some of the seconds to choose from may be missing."""
    whole, part = cuts(sounds(1500)), cuts(sounds(1500, since=since))
    assert part[2:] == [window for window in whole if window[0] >= part[2][0]]
    assert part[2:]


# rows


def words(samples: np.ndarray) -> list[Said]:
    """Who counts instead of listening: a phrase every 50 seconds, its text the loudness of its first samples."""
    length = len(samples) / RATE
    starts = np.arange(0, length, 50)
    return [Said(s, min(s + 40, length), f"{samples[round(s * RATE)]:.6f}", "en", 0.5) for s in starts]


def test_times_are_those_of_the_file():
    rows = list(transcript(sounds(400, {255: 0.0}), words, 0.0))
    begins = [row["start"] for row in rows]
    assert begins == [0, 50, 100, 150, 200, 250, 255.5, 305.5, 355.5]
    assert rows[6] == {"start": 255.5, "stop": 295.5, "text": rows[6]["text"], "language": "en", "confidence": 0.5}


def test_rows_come_in_order_and_end_with_the_sound():
    def mixed(samples: np.ndarray) -> list[Said]:
        return [
            Said(7, 99, "beyond the end", "en", 0.1),
            Said(1, 2, "first", "en", 0.9),
            Said(10, 12, "in the padding", "en", 0.1),
            Said(3, 4, "", "en", 0.9),
        ]

    rows = list(transcript(sounds(10), mixed, 0.0))
    assert [(row["start"], row["stop"], row["text"]) for row in rows] == [(1, 2, "first"), (7, 10, "beyond the end")]


def test_nothing_is_transcribed_where_nothing_is_heard():
    def surely(samples: np.ndarray) -> list[Said]:
        raise AssertionError("digital silence was transcribed")

    silent = (Sound(float(second), np.zeros(RATE, np.float32), RATE) for second in range(400))
    assert list(transcript(silent, surely, 0.0)) == []


@pytest.mark.parametrize("last", [0, 3, 5, 6, 11, 17])
def test_the_same_rows_where_a_run_goes_on(last):
    """From as far before the last kept row as the measure asks for."""
    whole = list(transcript(sounds(1000), words, 0.0))
    kept = whole[last]["stop"]
    since = max(0, int(kept - speech.feed.before))
    again = [row for row in transcript(sounds(1000, since=since), words, kept) if row["stop"] > kept]
    assert again == whole[last + 1 :]


def test_what_was_transcribed_is_not_transcribed_again():
    heard: list[int] = []
    list(transcript(sounds(1000), lambda samples: heard.append(len(samples)) or [], 700.0))
    assert len(heard) == 2


# the optional package


def stream() -> Stream:
    return Stream(sounds(2), Facts("wav", "none", 0, 0))


@pytest.mark.skipif(find_spec("faster_whisper") is not None, reason="faster-whisper is installed")
def test_without_the_package_the_extra_is_named():
    with pytest.raises(MissingExtra, match=r"faster_whisper is not installed.*speech"):
        list(speech.implementation(stream()))


@pytest.mark.skipif(find_spec("faster_whisper") is None, reason="faster-whisper is not installed")
def test_a_folder_without_a_model(tmp_path):
    with pytest.raises(InputError, match="cannot be loaded"):
        list(speech.implementation(stream(), model=str(tmp_path)))
