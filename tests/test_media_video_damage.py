"""Video files that are damaged: what can be decoded comes at its time, and the rest is told with its time."""

import pytest
from video_media import FRONT, damaged, make, noisy, packets_of, seen, truncated

from visanda.media import Video


@pytest.fixture(scope="module")
def noise(tmp_path_factory):
    """Five seconds, a key frame a second."""
    folder, made = tmp_path_factory.mktemp("noise"), {}

    def clip(name):
        if name not in made:
            codec = {".avi": "mpeg4", "webm": "libvpx-vp9"}.get(name[-4:], "libx264")
            muxer = FRONT if name == "front.mp4" else {}
            options = {"g": "25", "bf": "2"} if codec == "libx264" else {"g": "25"}
            made[name] = make(folder / name, noisy(125), codec=codec, options=options, muxer=muxer)
        return made[name]

    return clip


@pytest.mark.parametrize("name", ["front.mp4", "a.mkv", "a.avi"])
def test_a_truncated_file_gives_what_is_there_and_says_from_when_on_nothing_is(noise, tmp_path, name):
    with Video(truncated(noise(name), tmp_path / name, 0.6)) as video:
        frames = seen(video.frames())
        assert 50 < len(frames) < 90
        assert [number for _, _, number in frames[:-1]] == list(range(len(frames) - 1))
        (damage,) = video.damage
        assert damage.stop is None and frames[-1][0] <= damage.start <= frames[-1][0] + 0.2
        assert "the file ends early: it should last 5 seconds" in damage.why
        assert {time for time, _, _ in frames} <= set(video.moments()[0].tolist())
        assert len(video.damage) == 1


@pytest.mark.parametrize("length", [2000, 30_000])
@pytest.mark.parametrize("name", ["front.mp4", "a.mp4", "a.ts"])
def test_overwritten_bytes_cost_what_they_cover_and_a_row_says_from_when_to_when(noise, tmp_path, name, length):
    with Video(damaged(noise(name), tmp_path / name, 0.4, length)) as video:
        frames = seen(video.frames())
        (damage,) = video.damage
        assert 1.5 < damage.start < 2.5 and damage.start < damage.stop <= 4
        assert damage.stop in [time for time, key, _ in frames if key]
        sure = {time: number for time, _, number in frames if not damage.start <= time < damage.stop}
        assert sure == {round(number / 25, 6): number for number in sure.values()}
        assert min(sure) == 0 and max(sure) == 4.96
        assert len(sure) == 125 - round((damage.stop - damage.start) * 25)

        inside, after = (damage.start + damage.stop) / 2, damage.stop + 0.1
        found = dict(video.pictures([1.0, inside, damage.start, damage.stop, after]))
        assert set(found) == {1.0, damage.stop, after}
        assert video.damage == [damage]
    with Video(tmp_path / name) as again:  # the same stretch, wherever one begins before it ends
        tail = seen(again.frames(damage.start - 0.2))
        assert tail == [one for one in frames if one[0] >= damage.start - 0.2]
        assert again.damage == [damage]


@pytest.mark.parametrize("name", ["a.mkv", "a.webm"])
def test_of_matroska_frames_are_lost_in_silence_but_keep_their_times(noise, tmp_path, name):
    with Video(damaged(noise(name), tmp_path / name, 0.4, 3000)) as video:
        frames = seen(video.frames())
    assert 90 < len(frames) < 125 and frames[-1][2] == 124
    assert all(number == round(25 * time) for time, _, number in frames if not 1.5 < time < 4)


def test_of_a_damaged_avi_the_row_says_that_times_after_it_are_early(noise, tmp_path):
    with Video(damaged(noise("a.avi"), tmp_path / "a.avi", 0.4, 3000)) as video:
        frames = seen(video.frames())
        damage = video.damage[0]
    assert "all that follows comes too early" in damage.why
    assert all(number == round(25 * time) for time, _, number in frames if time < damage.start)
    assert frames[-1][2] == 124 and frames[-1][0] < 4.96


def test_a_truncated_stream_ends_where_it_ends(noise, tmp_path):
    with Video(truncated(noise("a.ts"), tmp_path / "a.ts", 0.6)) as video:
        frames = seen(video.frames())
    assert [number for _, _, number in frames[:-1]] == list(range(len(frames) - 1)) and 60 < len(frames) < 90


def test_time_stamps_that_jump_back_end_it_and_a_single_wrong_one_does_not(tmp_path):
    once = make(tmp_path / "a.ts", 30, rate=10, options={"g": "8", "bf": "2"}).read_bytes()
    (tmp_path / "twice.ts").write_bytes(once + once)
    with Video(tmp_path / "twice.ts") as video:
        assert [number for _, _, number in seen(video.frames())] == list(range(30))
        (damage,) = video.damage
        assert 2.9 <= damage.start <= 3 and damage.stop is None and "jump back" in damage.why
        assert len(video.moments()[0]) == 30 and len(video.damage) == 1


def test_a_single_wrong_time_stamp_costs_nothing(tmp_path):
    path = make(tmp_path / "a.ts", 30, rate=10, options={"g": "8", "bf": "0"})
    data = bytearray(path.read_bytes())
    stamp = data.index(b"\0\0\1\xe0", int(packets_of(path)[0][10])) + 9
    data[stamp] |= 0b1000  # of its 33 bits the first: 13 hours
    path.write_bytes(data)
    with Video(path) as video:
        assert [(round(10 * time), number) for time, _, number in seen(video.frames())] == [(n, n) for n in range(30)]
