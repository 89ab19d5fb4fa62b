"""Sound: every container, codec, rate and number of channels, on the clock of the pictures."""

from __future__ import annotations

import itertools
import shutil
import tracemalloc
import wave
from pathlib import Path

import numpy as np
import pytest
from sound_clips import tone, write_sound

from visanda.errors import InputError, MediaError
from visanda.media import sound as module
from visanda.media.sound import Sound, extract, seconds

RATE = 16_000
LEVELS = [0.1, 0.2, 0.4, 0.3, 0.05]
LAME = 0.95  # the MP3 encoder makes everything so much softer

KINDS = [  # codec, container, samples a second, channels
    ("pcm_s16le", "wav", 8_000, 1),
    ("pcm_u8", "wav", 16_000, 1),
    ("pcm_f32le", "wav", 48_000, 2),
    ("pcm_s16le", "avi", 22_050, 2),
    ("pcm_s32le", "mkv", 32_000, 1),
    ("flac", "flac", 44_100, 6),
    ("aac", "mp4", 48_000, 6),
    ("aac", "ts", 48_000, 2),
    ("mp2", "mpg", 48_000, 2),
    ("libmp3lame", "mp3", 44_100, 2),
    ("libopus", "mkv", 48_000, 2),
]

each_kind = pytest.mark.parametrize(("codec", "ending", "rate", "channels"), KINDS)


def amplitude(sound: Sound) -> float:
    """Of a sine of the block's power."""
    return float(np.sqrt(2 * np.square(sound.samples, dtype=float).mean()))


def clicks(at: list[float], length: float, rate: int = RATE) -> np.ndarray:
    """Silence with single loud samples at these seconds."""
    samples = np.zeros((round(length * rate), 1))
    samples[np.round(np.array(at) * rate).astype(int)] = 0.9
    return samples


def heard(path: Path, since: float = 0.0) -> list[float]:
    """Seconds of the file at which there are clicks."""
    blocks = [(sound.time, np.flatnonzero(np.abs(sound.samples) > 0.3)) for sound in seconds(path, since=since)]
    return [round(time + sample / RATE, 4) for time, samples in blocks for sample in samples]


@each_kind
def test_every_second_is_as_loud_as_it_is(tmp_path, codec, ending, rate, channels):
    samples = np.repeat(tone(LEVELS, rate), channels, axis=1)
    pictures = 5.0 if ending in ("avi", "mkv", "mp4", "ts", "mpg") else 0.0
    path = write_sound(tmp_path / f"a.{ending}", samples, rate, codec=codec, pictures=pictures)
    blocks = list(seconds(path))
    assert [sound.time for sound in blocks[:5]] == [0, 1, 2, 3, 4]
    assert {len(sound.samples) for sound in blocks[:4]} == {RATE}
    assert sum(len(sound.samples) for sound in blocks) / RATE == pytest.approx(5, abs=0.06)  # codecs pad
    assert {(sound.rate, sound.samples.dtype.name, sound.samples.ndim) for sound in blocks} == {(RATE, "float32", 1)}
    expected = np.array(LEVELS) * (LAME if codec == "libmp3lame" else 1)
    middle = [amplitude(Sound(sound.time, sound.samples[4000:12_000], RATE)) for sound in blocks[:5]]
    assert middle == pytest.approx(expected.tolist(), rel=0.02)


def test_channels_are_weighed_so_that_the_mix_is_their_mean(tmp_path):
    left = tone([0.5, 0.5]) * [1, 0]
    path = write_sound(tmp_path / "left.wav", left)
    assert [amplitude(sound) for sound in seconds(path)] == pytest.approx([0.25, 0.25], rel=0.01)


def test_sound_that_begins_late_is_silent_before(tmp_path):
    path = write_sound(tmp_path / "late.mkv", clicks([0.25, 1.5], 2), offset=2.5, pictures=6)
    assert heard(path) == [2.75, 4.0]
    assert [bool(sound.samples.any()) for sound in seconds(path)] == [False, False, True, False, True]


def test_the_clock_is_the_one_of_the_file_that_begins_late(tmp_path):
    """A transport stream begins at 1.4 seconds of its own clock."""
    path = write_sound(tmp_path / "a.ts", clicks([0.25, 1.5], 3, 48_000), 48_000, codec="mp2", pictures=3)
    blocks = np.concatenate([sound.samples for sound in seconds(path)])
    loud = np.flatnonzero(np.abs(blocks) > 0.05) / RATE
    assert loud.min() == pytest.approx(0.25, abs=0.02)  # MP2 spreads a click
    assert loud.max() == pytest.approx(1.5, abs=0.02)


def test_what_is_missing_in_the_middle_is_silent(tmp_path):
    path = write_sound(tmp_path / "gap.mkv", clicks([0.5, 1.5, 2.25], 3), gap=(1.0, 3.0))
    assert heard(path) == [0.5, 3.5, 4.25]
    assert [len(sound.samples) for sound in seconds(path)] == [RATE] * 5


@pytest.mark.parametrize(("sounding", "pictures"), [(3, 1), (1, 3)])
def test_sound_may_be_longer_or_shorter_than_the_pictures(tmp_path, sounding, pictures):
    path = write_sound(tmp_path / "a.mp4", tone([0.5] * sounding), codec="aac", pictures=pictures)
    assert sum(len(sound.samples) for sound in seconds(path)) / RATE == pytest.approx(sounding, abs=0.2)


@pytest.mark.parametrize("rate", [8_000, 44_100])
def test_any_rate_can_be_had(tmp_path, rate):
    path = write_sound(tmp_path / "a.wav", tone(LEVELS))
    blocks = list(seconds(path, rate=rate))
    assert [len(sound.samples) for sound in blocks] == [rate] * 5
    assert [amplitude(sound) for sound in blocks] == pytest.approx(LEVELS, rel=0.02)


def test_samples_stay_within_full_scale(tmp_path):
    path = write_sound(tmp_path / "a.wav", tone([1.0]) * 3, codec="pcm_f32le")
    assert np.abs(next(iter(seconds(path))).samples).max() == 1


def test_a_change_of_channels_on_the_way(tmp_path):
    """As between programmes of a broadcast: two transport streams, one after the other."""
    stereo = write_sound(tmp_path / "1.ts", np.repeat(tone([0.2, 0.2], 48_000), 2, 1), 48_000, codec="mp2")
    mono = write_sound(tmp_path / "2.ts", tone([0.4, 0.4], 48_000), 48_000, codec="mp2", offset=2.0)
    path = tmp_path / "both.ts"
    path.write_bytes(stereo.read_bytes() + mono.read_bytes())
    middle = [amplitude(Sound(0, sound.samples[4000:12_000], RATE)) for sound in itertools.islice(seconds(path), 4)]
    assert middle == pytest.approx([0.2, 0.2, 0.4, 0.4], rel=0.05)


# going on in the middle


@pytest.mark.parametrize(("codec", "ending"), [("flac", "mkv"), ("aac", "mp4"), ("libopus", "webm")])
def test_from_the_middle_it_is_the_same_sound(tmp_path, monkeypatch, codec, ending):
    """Although Matroska rounds its time stamps; and little of what comes before is decoded."""
    monkeypatch.setattr(module, "ANCHOR", 2)
    mixed: list[int] = []
    monkeypatch.setattr(module, "_mixed", lambda *given, mix=module._mixed: mixed.append(1) or mix(*given))
    rate = 48_000 if codec == "libopus" else 44_100
    path = write_sound(tmp_path / f"a.{ending}", tone(LEVELS * 3, rate, 523.0), rate, codec=codec)
    whole = {sound.time: sound.samples for sound in seconds(path)}
    all_of_it = len(mixed)
    random = 1e-3 if codec == "aac" else 0  # its decoder replaces noise by noise of its own
    for since in (0.5, 3, 8.2, 13.9):
        mixed.clear()
        part = list(seconds(path, since=since))
        assert [sound.time for sound in part] == [time for time in whole if time > since - 1]
        assert max(np.abs(sound.samples - whole[sound.time]).max() for sound in part) <= random
        assert len(mixed) < all_of_it * (15 - since + 6) / 15


def test_from_beyond_the_end_there_is_nothing(tmp_path):
    assert list(seconds(write_sound(tmp_path / "a.wav", tone(LEVELS)), since=7)) == []


def test_memory_does_not_grow_with_length(tmp_path):
    path = write_sound(tmp_path / "long.wav", np.full((RATE * 60, 1), 0.1))
    tracemalloc.start()
    try:
        assert sum(1 for _ in seconds(path)) == 60
        assert tracemalloc.get_traced_memory()[1] < 2**20  # the samples alone are 3.8 MB
    finally:
        tracemalloc.stop()


# damage


def test_past_damage_it_goes_on(tmp_path):
    samples = tone([0.2] * 8, 44_100)
    path = write_sound(tmp_path / "a.mkv", samples, 44_100, codec="libmp3lame", pictures=8)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = np.random.default_rng(1).bytes(3000)
    path.write_bytes(data)
    levels = [amplitude(sound) for sound in seconds(path)]
    assert len(levels) == pytest.approx(8, abs=1)
    assert [levels[0], levels[1], levels[6], levels[7]] == pytest.approx([0.2 * LAME] * 4, rel=0.05)


@pytest.mark.parametrize("ending", ["mkv", "mp3"])
def test_a_file_that_breaks_off_ends_there(tmp_path, ending):
    path = write_sound(tmp_path / f"a.{ending}", tone([0.2] * 8, 44_100), 44_100, codec="libmp3lame")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    blocks = list(seconds(path))
    assert 3 <= len(blocks) <= 5
    assert amplitude(blocks[1]) == pytest.approx(0.2 * LAME, rel=0.05)


def test_empty_packets_of_ogg_take_no_time(tmp_path):
    """Its demuxer counts them as sound; players do not."""
    path = write_sound(tmp_path / "a.ogg", np.repeat(tone(LEVELS, 48_000), 2, 1), 48_000, codec="vorbis")
    path.write_bytes(with_empty_packets(path.read_bytes()))
    assert [amplitude(sound) for sound in seconds(path)][:5] == pytest.approx(LEVELS, rel=0.02)
    assert [amplitude(sound) for sound in seconds(path, since=3)][:2] == pytest.approx(LEVELS[3:], rel=0.02)


def with_empty_packets(data: bytes) -> bytes:
    """An Ogg file with an empty packet after each of sound."""
    pages, at = [], 0
    while at < len(data):
        count = data[at + 26]
        lacing = data[at + 27 : at + 27 + count]
        body = data[at + 27 + count : at + 27 + count + sum(lacing)]
        head = bytearray(data[at : at + 26])
        if int.from_bytes(head[18:22], "little") > 1:  # after the two pages of headers
            lacing = b"".join(bytes([size]) + (b"\0" if size < 255 else b"") for size in lacing)
        head[22:26] = bytes(4)
        page = bytes(head) + bytes([len(lacing)]) + lacing + body
        pages.append(page[:22] + checksum(page).to_bytes(4, "little") + page[26:])
        at += 27 + count + len(body)
    return b"".join(pages)


def checksum(page: bytes) -> int:
    """CRC-32 as Ogg has it: not mirrored, from 0."""
    value = 0
    for byte in page:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ 0x04C11DB7 if value & 0x80000000 else value << 1) & 0xFFFFFFFF
    return value


# what cannot be heard


def test_no_such_file(tmp_path):
    with pytest.raises(MediaError, match=r"there is no file .*gone\.mp4"):
        list(seconds(tmp_path / "gone.mp4"))


def test_text_is_no_sound(tmp_path):
    (tmp_path / "a.mp3").write_text("to be or not to be")
    with pytest.raises(MediaError, match="not a video or sound file that can be read"):
        list(seconds(tmp_path / "a.mp3"))


def test_a_silent_film(tmp_path):
    path = write_sound(tmp_path / "a.mp4", np.zeros((0, 1)), codec="aac", pictures=1)
    film = tmp_path / "film.mp4"
    remux_pictures(path, film)
    with pytest.raises(MediaError, match="no sound: the file has no sound stream"):
        list(seconds(film))


def remux_pictures(path: Path, out: Path) -> None:
    import av

    with av.open(str(path)) as source, av.open(str(out), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                target.mux(packet)


def test_nothing_that_can_be_decoded(tmp_path):
    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as track:
        track.setparams((1, 2, RATE, 0, "NONE", ""))
    with pytest.raises(MediaError, match="no sound can be decoded"):
        list(seconds(path))


def test_a_rate_must_be_a_number_of_samples(tmp_path):
    with pytest.raises(InputError, match="rate"):
        list(seconds(tmp_path / "a.wav", rate=0))


# WAV


def read_wav(path: Path) -> tuple[np.ndarray, int]:
    with wave.open(str(path)) as track:
        assert track.getsampwidth() == 2
        data = np.frombuffer(track.readframes(track.getnframes()), "<i2")
        return data.reshape(-1, track.getnchannels()) / 32767, track.getframerate()


def test_the_track_as_wav(tmp_path):
    path = write_sound(
        tmp_path / "a.mkv", np.repeat(tone(LEVELS, 44_100), 2, 1), 44_100, codec="flac", offset=1.5, pictures=1
    )
    out = extract(path, tmp_path / "new" / "a.wav")
    samples, rate = read_wav(out)
    expected = np.concatenate([sound.samples for sound in seconds(path)])
    assert (out, rate, samples.shape) == (tmp_path / "new" / "a.wav", RATE, (len(expected), 1))
    assert not samples[: RATE * 3 // 2 - 50].any()
    assert np.abs(samples[:, 0] - expected).max() < 2**-15


@pytest.mark.parametrize("channels", [1, 2])
def test_two_channels_stay_apart_and_one_becomes_two(tmp_path, channels):
    source = tone([0.5, 0.5], 48_000) * ([1] if channels == 1 else [1, 0.2])
    out = extract(write_sound(tmp_path / "a.wav", source, 48_000), tmp_path / "b.wav", rate=48_000, channels=2)
    samples, rate = read_wav(out)
    assert rate == 48_000
    assert np.abs(samples - source).max() < 1e-3


def test_more_channels_than_two_are_not_written(tmp_path):
    with pytest.raises(InputError, match="1 channel or 2"):
        extract(write_sound(tmp_path / "a.wav", tone([0.1])), tmp_path / "b.wav", channels=6)


def test_without_sound_no_file_is_written(tmp_path):
    (tmp_path / "a.mp4").write_text("no video")
    with pytest.raises(MediaError):
        extract(tmp_path / "a.mp4", tmp_path / "b.wav")
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_where_nothing_can_be_written(tmp_path):
    path = write_sound(tmp_path / "a.wav", tone([0.1]))
    (tmp_path / "b.wav").mkdir()
    with pytest.raises(InputError, match="cannot write"):
        extract(path, tmp_path / "b.wav")
    shutil.rmtree(tmp_path / "b.wav")
    assert [one.name for one in tmp_path.iterdir()] == ["a.wav"]


def test_a_wav_file_is_not_written_beyond_what_it_can_hold(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LARGEST", 50_000)
    with pytest.raises(InputError, match="4 GB"):
        extract(write_sound(tmp_path / "a.wav", tone(LEVELS)), tmp_path / "b.wav")
    assert [one.name for one in tmp_path.iterdir()] == ["a.wav"]
