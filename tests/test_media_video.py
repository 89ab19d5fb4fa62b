"""Video files of every kind: their frames, each once and at its time, from wherever one begins."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from media_pictures import encoded, landscape
from video_media import FRONT, make, number_of, numbered, packets_of, seen, truncated, turned

from visanda.errors import MediaError
from visanda.media import Picker, Still, Video, probe
from visanda.media import video as module

GOP = {"g": "8", "bf": "2"}
VARYING = np.cumsum([0] + [1001, 2002, 3003, 7777, 123] * 5)[:25].tolist()
UNEVEN = np.cumsum([0] + [33, 17, 50, 400, 10] * 5)[:25].tolist()
X265 = {"preset": "ultrafast", "x265-params": "keyint=8:bframes=2:log-level=none"}

KINDS = {
    "mp4": ("a.mp4", {"options": GOP}),
    "mp4, open groups": ("a.mp4", {"options": {**GOP, "x264-params": "open-gop=1:scenecut=0"}}),
    "mp4, fragmented": ("a.mp4", {"options": GOP, "muxer": {"movflags": "frag_keyframe+empty_moov"}}),
    "mp4, negative stamps": ("a.mp4", {"options": {"g": "10", "bf": "3"}, "pts": list(range(-5, 20))}),
    "mp4, one frame a second": ("a.mp4", {"rate": 1, "options": {"g": "10", "bf": "3"}}),
    "mp4, varying rate": ("a.mp4", {"pts": VARYING, "base": Fraction(1, 30000)}),
    "mp4, sound first": ("a.mp4", {"pts": list(range(25, 50)), "sound": (0.0, 2.0), "options": GOP}),
    "mp4, sound longer": ("a.mp4", {"sound": (0.0, 3.0), "options": GOP}),
    "mkv": ("a.mkv", {"options": GOP}),
    "mkv, varying rate": ("a.mkv", {"pts": UNEVEN, "base": Fraction(1, 1000)}),
    "ts": ("a.ts", {"options": GOP}),
    "ts, late": ("a.ts", {"options": GOP, "pts": list(range(50, 75)), "sound": (0.0, 1.0)}),
    "ts, open groups": ("a.ts", {"options": {**GOP, "x264-params": "open-gop=1:scenecut=0"}}),
    "ts, interlaced": ("a.ts", {"options": {"g": "8", "flags": "+ildct+ilme", "x264-params": "tff=1"}}),
    "ts, MPEG-2": ("a.ts", {"codec": "mpeg2video", "options": GOP}),
    "mpg": ("a.mpg", {"codec": "mpeg2video", "options": GOP, "container": "mpeg"}),
    "avi": ("a.avi", {"codec": "mpeg4", "options": GOP}),
    "avi, H.264": ("a.avi", {"options": GOP}),
    "avi, MJPEG": ("a.avi", {"codec": "mjpeg", "format": "yuvj420p"}),
    "webm": ("a.webm", {"codec": "libvpx-vp9", "options": {"g": "8"}}),
    "wmv": ("a.wmv", {"codec": "wmv2", "container": "asf", "options": {"g": "8"}}),
    "flv": ("a.flv", {"codec": "flv", "options": {"g": "8"}}),
    "H.265": ("a.mp4", {"codec": "libx265", "options": X265}),
    "no stamps": ("a.h264", {"container": "h264", "options": GOP}),
    "RGB": ("a.mov", {"codec": "qtrle", "format": "rgb24"}),
    "grey": ("a.mp4", {"format": "gray", "options": GOP}),
    "10 bits": ("a.mp4", {"format": "yuv420p10le", "options": GOP}),
    "one frame": ("a.mp4", {"frames": 1}),
    "one frame, mkv": ("a.mkv", {"frames": 1}),
}  # fmt: skip


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Makes each kind of file once."""
    made = {}

    def clip(kind):
        if kind not in made:
            name, how = KINDS[kind]
            made[kind] = make(tmp_path_factory.mktemp("kind") / name, how.pop("frames", 25), **how)
        return made[kind]

    return clip


@pytest.mark.parametrize("kind", KINDS)
def test_every_frame_is_there_once_in_order_and_at_its_time(clips, kind):
    with Video(clips(kind)) as video:
        found = seen(video.frames())
        assert video.damage == []
        times, keys = video.moments()
        assert video.damage == []
    numbers = [number for _, _, number in found]
    first = 5 if kind == "mp4, negative stamps" else 0  # an edit list leaves out what comes before 0
    assert numbers == list(range(first, 1 if "one frame" in kind and "second" not in kind else 25))
    assert list(zip(times, keys, strict=True)) == [(time, key) for time, key, _ in found]
    assert video.facts.first == times[0] and (keys[0] or first)


def test_times_are_exact(clips):
    def times(kind):
        with Video(clips(kind)) as video:
            return [frame.time for frame in video.frames()]

    assert times("mp4, varying rate") == [round(pts / 30000, 6) for pts in VARYING]
    even = [round(number / 25, 6) for number in range(25)]
    for kind in ("mp4", "ts", "mpg", "mkv", "no stamps", "avi, MJPEG", "webm", "wmv", "flv", "RGB"):
        assert times(kind) == even
    assert times("avi") == [round(time + 0.04, 6) for time in even]  # AVI says when frames are decoded
    assert times("mp4, negative stamps") == even[:20]
    assert times("mp4, sound first") == [round(1 + time, 6) for time in even]
    assert times("ts, late")[0] == pytest.approx(2, abs=0.07)  # AAC begins a packet before 0
    assert np.diff(times("ts, late")) == pytest.approx(0.04)


@pytest.mark.parametrize("kind", KINDS)
def test_from_the_middle_it_is_the_tail_with_the_same_pixels(clips, kind):
    with Video(clips(kind)) as video:
        whole = [(frame.time, frame.grey(180), frame.rgb(90)) for frame in video.frames()]
        times = [time for time, _, _ in whole]
        between = [(earlier + later) / 2 for earlier, later in zip(times[4::6], times[5::6], strict=False)]
        for since in [*times[::6], *between, times[-1]]:
            tail = [(frame.time, frame.grey(180), frame.rgb(90)) for frame in video.frames(since)]
            wanted = [one for one in whole if one[0] >= since]
            assert [time for time, _, _ in tail] == [time for time, _, _ in wanted]
            for (_, grey, rgb), (_, grey_there, rgb_there) in zip(tail, wanted, strict=True):
                assert np.array_equal(grey, grey_there) and np.array_equal(rgb, rgb_there)
        assert list(video.frames(times[-1] + 1)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_key_frames_alone_are_those_among_all(clips, kind):
    with Video(clips(kind)) as video:
        wanted = [one for one in seen(video.frames()) if one[1]]
        assert seen(video.frames(keys=True)) == wanted
        asked = [time for time, _, _ in wanted]
        found = [(time, number_of(frame.grey(180))) for time, frame in video.pictures(asked, keys=True)]
        assert found == [(time, number) for time, _, number in wanted]
        assert video.damage == []


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_are_what_is_shown_at_a_time(clips, kind, monkeypatch):
    monkeypatch.setattr(module, "FAR", 0.1)  # so that it goes back and forth in a short clip
    with Video(clips(kind)) as video:
        whole = seen(video.frames())
        times = [time for time, _, _ in whole]
        between = [(earlier + later) / 2 for earlier, later in zip(times[3::9], times[4::9], strict=False)]
        asked = [*times[::-5], *between, times[0]]
        found = [(time, number_of(frame.grey(180))) for time, frame in video.pictures(asked)]
    shown = np.searchsorted(times, np.unique(asked) + 1e-6, side="right") - 1
    assert found == [(time, whole[place][2]) for time, place in zip(np.unique(asked), shown, strict=True)]


def test_pictures_far_from_any_key_frame_come_and_do_not_take_for_ever(tmp_path, monkeypatch):
    """One key frame in a whole film, and seeking leads to it again and again."""
    monkeypatch.setattr(module, "FAR", 1.0)
    path = make(tmp_path / "a.mp4", 200, rate=10, options={"g": "999"})
    decoded = []
    monkeypatch.setattr(module, "Decoded", lambda *facts, make=module.Decoded: decoded.append(1) or make(*facts))
    with Video(path) as video:
        found = [(time, number_of(frame.grey(180))) for time, frame in video.pictures([19.0, 3.0, 10.0])]
    assert found == [(3.0, 30), (10.0, 100), (19.0, 190)]
    assert len(decoded) < 400


def test_pictures_before_the_first_frame_and_after_the_last(clips):
    with Video(clips("mp4, sound first")) as video:
        found = {time: number_of(frame.grey(180)) for time, frame in video.pictures([0.0, 1.99, 1.999, 2.1, 50.0])}
    assert found == {0.0: 0, 1.99: 24, 1.999: 24}


# facts


def test_facts(clips):
    facts = probe(clips("mp4"))
    assert (facts.format, facts.codec, facts.width, facts.height, facts.rotation) == ("mp4", "h264", 64, 48, 0)
    assert (facts.duration, facts.frame_rate, facts.nominal_rate, facts.frames) == (1.0, 25.0, 25.0, 25)
    assert (facts.first, facts.audio) == (0.0, None)
    assert probe(clips("webm")).format == "webm" and probe(clips("webm")).codec == "vp9"
    assert probe(clips("one frame")).duration == 0.04


def test_the_duration_is_that_of_the_pictures_where_sound_lasts_longer(clips):
    facts = probe(clips("mp4, sound longer"))
    assert facts.duration == 1.0 and facts.audio == "aac"


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_phone_video_stands_upright(tmp_path, degrees):
    upright = numbered(77, 96, 48)
    lying = np.ascontiguousarray(np.rot90(upright, degrees // 90))  # as the sensor saw it
    path = turned(make(tmp_path / "a.mp4", [lying] * 3), tmp_path / "b.mp4", degrees)
    with Video(path) as video:
        assert (video.facts.width, video.facts.height) == (96, 48)
        frame = next(video.frames())
        assert frame.grey(180).shape == (48, 96) and frame.rgb(24).shape == (24, 48, 3)
        assert frame.image().pixels.shape == (48, 96, 3)
        assert number_of(frame.grey(180)) == number_of(frame.rgb(24)) == number_of(frame.image().pixels) == 77


@pytest.mark.parametrize(
    ("name", "codec", "format"),
    [
        ("a.mkv", "ffv1", "yuv420p"),
        ("a.avi", "mjpeg", "yuvj420p"),
        ("a.mp4", "libx264", "yuv444p"),
        ("a.mov", "png", "rgb24"),
    ],
)
def test_odd_sizes(tmp_path, name, codec, format):
    path = make(tmp_path / name, [numbered(n, 321, 181) for n in range(3)], codec=codec, format=format)
    with Video(path) as video:
        for number, frame in enumerate(video.frames()):
            assert frame.image().pixels.shape == (181, 321, 3)
            assert frame.grey(180).shape == (180, 319) and frame.rgb(36).shape == (36, 64, 3)
            assert number_of(frame.grey(90)) == number_of(frame.image().pixels) == number


# what is no video


def sound_only(path):
    with av.open(str(path), "w", format="mp4") as out:
        stream = out.add_stream("aac", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16_000
        out.mux(stream.encode(frame))
        out.mux(stream.encode())


def cover_art(path):
    sound_only(path)
    whole = path.with_suffix(".whole")
    with av.open(str(path)) as sound, av.open(str(whole), "w", format="mp4") as out:
        track = out.add_stream_from_template(sound.streams.audio[0])
        cover = out.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 48, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        out.mux(cover.encode(av.VideoFrame.from_ndarray(numbered(1), format="rgb24")))
        out.mux(cover.encode())
        for packet in sound.demux(audio=0):
            if packet.size:
                packet.stream = track
                out.mux(packet)
    whole.rename(path)


@pytest.mark.parametrize(
    ("write", "says"),
    [
        (lambda path: path.write_text("This is a text, and a long one at that.\n" * 50), "not a video"),
        (lambda path: path.write_bytes(b""), "not a video"),
        (lambda path: None, "there is no file"),
        (lambda path: path.write_bytes(encoded(landscape(64, 48), "PNG")), r"a picture \(png\), not a video"),
        (lambda path: path.write_bytes(encoded(landscape(64, 48), "JPEG")), r"a picture \(.*\), not a video"),
        (sound_only, "no video stream"),
        (cover_art, "no video stream"),
        (lambda path: truncated(make(path, 25), path, 0.8), "end or index is missing"),
        (lambda path: truncated(make(path, 25, muxer=FRONT), path, 0.31), "no frame can be decoded|end or index"),
    ],
    ids=["text", "empty", "missing", "PNG", "JPEG", "sound", "cover art", "truncated", "nothing but a header"],
)  # fmt: skip
def test_what_is_no_video_says_why(tmp_path, write, says):
    write(tmp_path / "a.mp4")
    with pytest.raises(MediaError, match=says):
        probe(tmp_path / "a.mp4")


def test_a_video_of_no_frames(tmp_path):
    whole = make(tmp_path / "a.mkv", 5)
    begin = int(packets_of(whole)[0][0])
    (tmp_path / "b.mkv").write_bytes(whole.read_bytes()[: begin - 8])
    with pytest.raises(MediaError, match=r"no frame can be decoded|not a video"):
        probe(tmp_path / "b.mkv")


# pictures of it


PICTURED = [
    *[("a.mp4", "libx264", format, {"colorspace": space, "color_range": span})
      for format in ("yuv420p", "yuv444p", "yuv420p10le") for space in (1, 5) for span in (1, 2)],
    ("a.mp4", "libx264", "yuv422p", {}), ("a.mp4", "libx264", "yuvj420p", {}), ("a.avi", "mjpeg", "yuvj422p", {}),
    ("a.mkv", "ffv1", "gray", {}), ("a.mp4", "libx264", "gray10le", {}), ("a.mkv", "ffv1", "bgr0", {}),
    ("a.mkv", "ffv1", "yuv410p", {}), ("a.mkv", "ffv1", "gbrp10le", {}), ("a.mov", "qtrle", "rgb24", {}),
    ("a.mov", "png", "rgba", {}), ("a.mkv", "rawvideo", "nv12", {}), ("a.avi", "rawvideo", "uyvy422", {}),
    ("a.mov", "prores_ks", "yuv422p10le", {}),
]  # fmt: skip
GUESSED = [("a.mp4", "libx264", "yuv420p", {}), ("a.mkv", "ffv1", "bgr0", {})]  # by size, where colours are not said


@pytest.mark.parametrize(
    ("name", "codec", "format", "tag", "height"), [(*one, 360) for one in PICTURED] + [(*one, 720) for one in GUESSED]
)
def test_reduced_pictures_are_the_whole_one_made_smaller(tmp_path, name, codec, format, tag, height):
    """Within a few levels, in every format of pixels; and the whole one is what was encoded."""
    shapes = landscape(height * 16 // 9, height)
    picture = cv2.GaussianBlur(np.asarray(shapes.convert("RGB")), (0, 0), height / 180)
    options = {"qp": "8"} if codec == "libx264" else {"q": "2"} if codec == "mjpeg" else {}
    path = make(tmp_path / name, [picture], codec=codec, format=format, tag=tag, options=options)
    with Video(path) as video:
        frame = next(video.frames())
    whole = frame.image().pixels
    if tag and not format.startswith("gray"):
        assert np.abs(whole.astype(int) - picture).mean() < 3
    for size in (180, 90, 36):
        wanted = cv2.resize(whole, (size * 16 // 9, size), interpolation=cv2.INTER_AREA).astype(int)
        assert np.abs(frame.rgb(size) - wanted).mean() < 4
        luma = wanted @ ([0.2126, 0.7152, 0.0722] if frame._bt709 else [0.299, 0.587, 0.114])
        assert np.abs(frame.grey(size) - luma).mean() < 3


def test_a_reduced_picture_does_not_depend_on_what_else_is_asked_for(clips):
    for kind in ("mp4", "RGB", "10 bits"):
        with Video(clips(kind)) as video:
            alone = [frame.rgb(17) for frame in video.frames()]
            for frame, pixels in zip(video.frames(), alone, strict=True):
                frame.image(), frame.grey(33), frame.rgb(180), frame.grey(17)
                assert np.array_equal(frame.rgb(17), pixels)


def test_a_still_is_a_moment_of_a_file(clips):
    image = Still(clips("mp4"), 0.41).image()
    assert number_of(image.pixels) == 10 and (image.width, image.height) == (64, 48)
    with pytest.raises(MediaError, match="no frame can be decoded at 9 s"):
        Still(clips("mp4"), 9.0).image()


def test_a_picker_takes_each_time_once_in_order(clips):
    with Video(clips("mp4")) as video:
        picker = Picker([0.5, 0.2, 0.2, 0.21])
        found = [(time, number_of(frame.grey(180))) for one in video.frames() for time, frame in picker.push(one)]
    assert found == [(0.2, 5), (0.21, 5), (0.5, 12)] and not picker.left
