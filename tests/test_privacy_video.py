"""In a redacted video nothing is bare for a moment, its times are kept, and the file tells nothing else."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from test_privacy_hide import find_red, with_discs
from video_media import make

from visanda.errors import InputError, MediaError
from visanda.media import Video
from visanda.privacy import metadata_left, redact_video
from visanda.privacy.follow import GAP, Follower, Playing
from visanda.privacy.hide import HOW

SHARP = {"crf": "12", "preset": "ultrafast", "g": "10"}
PROGRAM = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from test_privacy_hide import find_red
from visanda.privacy import redact_video
def find(pixels):
    time.sleep(0.01)
    return find_red(pixels)
redact_video(Path(sys.argv[1]), Path(sys.argv[2]), find, "blur", sound=False)
"""


def passing(frames=50, width=160, height=120, speed=2):
    """A red disc that goes from left to right."""
    return [with_discs((20 + speed * i, 60), width=width, height=height, radius=14) for i in range(frames)]


def times_of(path):
    with Video(path) as video:
        return video.moments()[0]


def frames_of(path):
    with Video(path) as video:
        return [frame.image().pixels for frame in video.frames()]


@pytest.fixture
def film(tmp_path):
    return make(tmp_path / "film.mp4", passing(), options=SHARP)


@pytest.mark.parametrize("how", HOW)
def test_what_moves_is_hidden_in_every_frame(film, tmp_path, how):
    done = redact_video(film, tmp_path / "out.mp4", find_red, how, sound=False)
    assert done.frames == 50 and done.hidden["face"] >= 1 and done.again[-1] == 0 and done.remaining == ()
    for pixels, before in zip(frames_of(done.path), frames_of(film), strict=True):
        assert pixels.shape == before.shape
        assert len(find_red(pixels)["face"]) == 0
        assert np.abs(pixels[:10].astype(int) - before[:10]).mean() < 6  # elsewhere it is the same picture


def test_a_detector_that_blinks_leaves_no_flash(film, tmp_path):
    seen = iter(range(1000))

    def blinking(pixels):
        """Sees something in one frame of ten."""
        return find_red(pixels) if next(seen) % 10 == 0 else {"face": np.empty((0, 4))}

    done = redact_video(film, tmp_path / "out.mp4", blinking, "fill", sound=False, check=False)
    assert [len(find_red(pixels)["face"]) for pixels in frames_of(done.path)] == [0] * 50
    assert done.again == () and done.hidden == {"face": 1}


def test_what_only_shows_after_encoding_is_hidden_in_another_round(film, tmp_path):
    calls = iter(range(1000))

    def late(pixels):
        """Sees nothing in the source."""
        return find_red(pixels) if next(calls) >= 50 else {"face": np.empty((0, 4))}

    done = redact_video(film, tmp_path / "out.mp4", late, "blur", sound=False)
    assert done.again[0] == 50 and done.again[-1] == 0
    assert all(len(find_red(pixels)["face"]) == 0 for pixels in frames_of(done.path))


def test_boxes_are_hidden_all_the_time_without_a_detector(film, tmp_path):
    done = redact_video(film, tmp_path / "out.mp4", None, "fill", sound=False, boxes={"text": [[100, 90, 40, 20]]})
    for pixels in frames_of(done.path):
        assert pixels[92:108, 102:138].max() < 24
    assert done.hidden == {"text": 1} and done.again == ()


@pytest.mark.parametrize(("ending", "within"), [("mp4", 0), ("mkv", 0.0006)])
def test_times_that_vary_are_kept(tmp_path, ending, within):
    stamps = [0, 400, 410, 1700, 1733, 2900, 4000, 4001, 5000, 7000]
    source = make(tmp_path / "a.mp4", passing(10), pts=stamps, base=Fraction(1, 1000), options=SHARP | {"bf": "0"})
    done = redact_video(source, tmp_path / f"out.{ending}", find_red, "blur", sound=False, around=1.5)
    assert np.abs(times_of(done.path) - times_of(source)).max() <= within


def test_an_odd_size_is_kept(tmp_path):
    source = make(tmp_path / "a.mkv", [f[:119, :159] for f in passing(5)], codec="ffv1", format="bgr0")
    done = redact_video(source, tmp_path / "out.mp4", find_red, "blur", sound=False)
    assert frames_of(done.path)[0].shape == (119, 159, 3)


def sound_of(path):
    with av.open(str(path)) as container:
        return [bytes(p) for p in container.demux(audio=0) if p.size] if container.streams.audio else None


def test_sound_is_copied_packet_by_packet_or_left_out(tmp_path):
    source = make(tmp_path / "loud.mp4", 50, sound=(0.0, 2.0))
    silent = redact_video(source, tmp_path / "a.mp4", None, "fill", sound=False, check=False)
    assert silent.sound is None and sound_of(silent.path) is None
    loud = redact_video(source, tmp_path / "b.mp4", None, "fill", sound=True, check=False)
    assert loud.sound == "aac" and sound_of(loud.path) == sound_of(source)
    with pytest.raises(InputError, match=r"webm cannot hold the sound.*\(aac\).*mkv"):
        redact_video(source, tmp_path / "c.webm", None, "fill", sound=True)
    assert not (tmp_path / "c.webm").exists()


def test_what_the_file_told_of_its_making_is_left_out(tmp_path, film):
    told = tmp_path / "told.mp4"
    with av.open(str(film)) as source, av.open(str(told), "w", options={"movflags": "use_metadata_tags"}) as out:
        out.metadata.update(
            {"title": "at home", "creation_time": "2020-01-01T00:00:00", "location": "+50.0+008.0/", "comment": "x"}
        )
        stream = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                out.mux(packet)
    assert {"tag title", "tag creation_time", "tag location", "tag comment"} <= set(metadata_left(told))
    for ending in ("mp4", "mkv"):
        done = redact_video(told, tmp_path / f"out.{ending}", find_red, "blur", sound=False)
        assert metadata_left(done.path) == []
        assert b"at home" not in done.path.read_bytes()


def test_progress_is_told_in_seconds_of_video(film, tmp_path):
    steps = []
    done = redact_video(film, tmp_path / "out.mp4", None, "fill", sound=False, advance=steps.append)
    assert sum(steps) == pytest.approx(3 * 2.0, abs=0.1) and min(steps) > 0 and done.frames == 50


class TestFaults:
    def test_damage_in_the_middle_is_said_and_the_rest_is_redacted(self, film, tmp_path):
        data = bytearray(film.read_bytes())
        start = data.find(b"mdat")
        middle = (start + len(data)) // 2
        data[middle : middle + 600] = bytes(600)
        broken = tmp_path / "broken.mp4"
        broken.write_bytes(data)
        done = redact_video(broken, tmp_path / "out.mp4", find_red, "fill", sound=False)
        assert done.damage and done.damage[0].stop is not None and 0 < done.damage[0].start < 2
        assert done.frames == len(frames_of(broken)) and done.remaining == ()

    def test_what_is_no_video_or_goes_elsewhere_is_refused(self, film, tmp_path):
        (tmp_path / "text.mp4").write_text("nothing to see")
        with pytest.raises(MediaError):
            redact_video(tmp_path / "text.mp4", tmp_path / "out.mp4", find_red, "blur", sound=False)
        for target, how, every, word in (
            (film, "blur", 0, "original"),
            (tmp_path / "out.avi", "blur", 0, "must end in"),
            (tmp_path / "out.mp4", "smear", 0, "how to hide"),
            (tmp_path / "out.mp4", "blur", 3, "every"),
        ):
            with pytest.raises(InputError, match=word):
                redact_video(film, target, find_red, how, sound=False, every=every)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["film.mp4", "text.mp4"]

    def start(self, film, target, **options):
        command = [sys.executable, "-c", PROGRAM, str(film), str(target), str(Path(__file__).parent)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)

    @pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
    def test_killed_it_leaves_nothing_under_the_name(self, film, tmp_path, how):
        target = tmp_path / "out.mp4"
        process = self.start(film, target)
        end = time.monotonic() + 60
        while not (tmp_path / ".out.part.mp4").exists():
            assert process.poll() is None and time.monotonic() < end, process.communicate()
            time.sleep(0.002)
        process.send_signal(how)
        process.communicate()
        assert process.returncode != 0 and not target.exists()
        if how == signal.SIGINT:
            assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]

    def test_a_file_that_may_grow_no_further_is_said_and_leaves_nothing(self, film, tmp_path):
        def small_files():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))

        process = self.start(film, tmp_path / "out.mp4", preexec_fn=small_files)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 1 and "InputError" in said.splitlines()[-1] and "out.mp4" in said
        assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


class TestFollowing:
    def box(self, x):
        return {"face": np.array([[x, 10.0, 20, 20]])}

    def test_between_two_findings_the_box_is_on_its_way_and_around_them_it_stays(self):
        follower = Follower(around=0.5)
        follower.add(1.0, self.box(10))
        follower.add(2.0, self.box(20))
        (track,) = follower.tracks
        x, y, width, height = track.at(1.5)
        assert x <= 15 and x + width >= 35 and (y, height) == (10, 20) and width < 25
        assert [bool(Playing([track]).at(time)) for time in (0.4, 0.6, 1.5, 2.4, 2.6)] == [
            False,
            True,
            True,
            True,
            False,
        ]
        for moment, there in ((0.6, 10), (2.4, 20)):
            x, _, width, _ = track.at(moment)
            assert x <= there and x + width >= there + 20

    def test_what_is_far_away_or_long_after_or_of_another_kind_is_another_thing(self):
        follower = Follower()
        follower.add(0.0, self.box(10))
        follower.add(0.1, self.box(100))
        follower.add(0.2, {"text": self.box(10)["face"]})
        follower.add(0.3 + GAP, self.box(10))
        assert len(follower.tracks) == 4

    def test_of_two_that_pass_each_other_none_is_left_out(self):
        follower = Follower()
        for step in range(21):
            both = np.array([[10 + 4.0 * step, 10, 20, 20], [90 - 4.0 * step, 12, 20, 20]])
            follower.add(step / 10, {"face": both})
            for box in both:
                hidden = [track.at(step / 10) for track in follower.tracks]
                assert any((h[:2] <= box[:2]).all() and (h[:2] + h[2:] >= box[:2] + box[2:]).all() for h in hidden)
