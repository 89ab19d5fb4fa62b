"""Redacting a video: what is to be hidden is looked for in its frames, hidden in all around them, and looked for again.

Every frame is looked at unless asked otherwise: a face that turns away is seen in a few frames only, and each of
them counts. The video is read several times rather than kept: once to find, once to write and once to check what
was written, so that memory holds one frame, however long the video, and what is hidden in a frame may depend on what is
found half a second later.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from visanda.aside import written_aside
from visanda.errors import InputError
from visanda.media import Damage, Video
from visanda.media.frames import Decoded
from visanda.privacy.film import CONTAINERS, Film
from visanda.privacy.follow import AROUND, Follower, Playing, Track
from visanda.privacy.hide import HOW, Colours, mean_colours
from visanda.privacy.levels import (
    AGAIN,
    OVAL,
    ROUNDS,
    BoxesByKind,
    Find,
    Hidden,
    bare,
    hide_all,
    level,
    listed,
    overlap,
)

OTHER = 40.0  # mean difference of colours, of 255, from which on a box shows something else, as after a cut

Advance = Callable[[float], object]
"""Called with how many more seconds of video were gone through."""


@dataclass(frozen=True)
class RedactedVideo:
    """What became of a video.

    Attributes:
        path: the file written.
        frames: pictures in it.
        hidden: things followed and hidden, by kind; one that is lost for two seconds counts again, one that is found
            only afterwards where nothing was hidden before.
        again: in how many of the frames looked at something was found again, in each round; ``(0,)`` if in none,
            ``()`` if nobody looked.
        remaining: seconds of the frames written in which something is still found; empty but in the rarest cases.
        damage: stretches of the source that could not be decoded, or not surely; frames without pictures are left
            out, and times around them are kept.
        sound: codec of the sound, copied as it was; ``None`` where there is none.
    """

    path: Path
    frames: int
    hidden: dict[str, int]
    again: tuple[int, ...]
    remaining: tuple[float, ...]
    damage: tuple[Damage, ...]
    sound: str | None


def redact_video(
    source: Path,
    target: Path,
    find: Find | None,
    how: str,
    *,
    sound: bool,
    boxes: BoxesByKind | None = None,
    every: float = 0.0,
    around: float = AROUND,
    check: bool = True,
    advance: Advance | None = None,
) -> RedactedVideo:
    """Write a copy of a video in which what ``find`` sees is hidden, and that tells nothing but its pictures.

    What is found in one frame is hidden from half a second before to half a second after, across cuts as well, and
    between two findings up to two seconds apart. The mean colours that ``blur`` and ``pixelate`` show are taken once
    and kept while the light does not change, because many frames together would tell what one does not.

    Times are kept (exactly in .mp4, in milliseconds in .mkv and .webm), and so is the size, upright. Tags, place,
    title, time of making, chapters, subtitles, data and cover pictures are left out. The file appears under its name
    when all is done, or not at all.

    A voice is as personal as a face: keep the sound only if nobody is to be known by it.

    Args:
        source: the video.
        target: ends in .mp4, .mkv or .webm.
        find: gives the boxes by kind, (n, 4) x, y, width and height, that must not be seen in a picture; ``face`` is
            hidden under an oval, every other kind under a rectangle. ``None``: hide ``boxes`` alone.
        how: ``blur``, ``pixelate`` or ``fill``; see `hide`.
        sound: copy the first sound stream; else leave the sound out.
        boxes: to hide in all frames, by kind, such as the place of a name.
        every: seconds between frames that ``find`` looks at; 0: all of them.
        around: seconds that something is hidden before and after it was found; at least ``every``.
        check: look at the frames written, in the same steps, and hide harder what is found again, in up to
            `ROUNDS` rounds; each writes the video again.
        advance: told as it goes on; with ``check``, three times the length of the video in all, and two times more
            for each further round.

    Raises:
        MediaError: the source cannot be read, or no frame can be decoded.
        InputError: another ending, ``how`` or box; source and target are the same file; the file cannot be written,
            or cannot hold the sound.
    """
    source, target = Path(source), Path(target)
    _refuse(source, target, how, every, around)
    fixed = [Track(one.kind, 0, math.inf, [0.0], [one.box]) for one in listed(boxes or {})]
    again: list[int] = []
    try:
        with written_aside(target) as aside:
            seen = _search(source, find, every, Follower(around), advance)
            tracks = fixed + seen.tracks
            counts = Counter(track.kind for track in tracks)
            while True:
                written = _write(source, aside, tracks, how, sound, advance)
                if not check:
                    break
                harder = len(again) + 1
                # Longer each time: a detector that is in two minds sees another frame with each encoding.
                looked = _search(aside, find, every, Follower(around * 2**harder, harder), advance, (tracks, how))
                if looked.frames != written.frames:
                    raise InputError(
                        f"{target}: only {looked.frames} of {written.frames} frames can be read from what was written"
                    )
                again += [len(looked.times)] if find is not None else []
                if not looked.times or len(again) > ROUNDS:
                    break
                counts.update(track.kind for track in looked.tracks if not _known(track, tracks))
                tracks = tracks + looked.tracks
    except OSError as error:  # FFmpeg's errors about files are among them
        raise InputError(f"{target}: cannot be written: {error.strerror or error}") from error
    return RedactedVideo(
        path=target,
        frames=written.frames,
        hidden=dict(counts),
        again=tuple(again),
        remaining=tuple(looked.times) if check else (),
        damage=seen.damage,
        sound=written.sound,
    )


def _refuse(source: Path, target: Path, how: str, every: float, around: float) -> None:
    if target.suffix.lower() not in CONTAINERS:
        raise InputError(f"{target}: the name must end in one of {', '.join(CONTAINERS)}")
    if how not in HOW:
        raise InputError(f"how to hide must be one of {', '.join(HOW)}, not {how!r}")
    if not 0 <= every <= around:
        raise InputError(f"every is at least 0 and at most around ({around:g} s): what is not looked at must be hidden")
    if source.exists() and target.exists() and source.samefile(target):
        raise InputError(f"{target}: the redacted copy would take the place of the original: give it another name")


@dataclass(frozen=True)
class _Seen:
    """What was found in a video: tracks, the times of frames in which anything was, and how many frames there are."""

    tracks: list[Track]
    times: list[float]
    frames: int
    damage: tuple[Damage, ...]


def _known(track: Track, tracks: Sequence[Track]) -> bool:
    """Whether what was found again lies where something was hidden when it was first seen."""
    time, box = track.times[0], track.boxes[0][None]
    there = [old.at(time) for old in tracks if old.start <= time <= old.stop]
    return bool(there) and bool((overlap(box, np.array(there)) >= AGAIN).any())


def _search(
    path: Path,
    find: Find | None,
    every: float,
    follower: Follower,
    advance: Advance | None,
    hidden: tuple[Sequence[Track], str] = ((), "fill"),
) -> _Seen:
    """What is found in a video; ``hidden``: what is hidden in it, and how."""
    times, frames, due = [], 0, -math.inf
    playing, how = Playing(hidden[0]), hidden[1]
    with Video(path) as video:
        for frame in _told(video.frames(), advance):
            frames += 1
            if find is None or frame.time < due:
                continue
            due = frame.time + every - 1e-6
            pixels = frame.image().pixels
            now = [Hidden(track.kind, track.at(frame.time), track.level) for track in playing.at(frame.time)]
            found = bare(find(pixels), now, how, pixels.shape)
            follower.add(frame.time, found)
            if any(len(some) for some in found.values()):
                times.append(frame.time)
        return _Seen(follower.tracks, times, frames, tuple(video.damage))


@dataclass(frozen=True)
class _Written:
    frames: int
    sound: str | None


def _write(
    source: Path, aside: Path, tracks: Sequence[Track], how: str, sound: bool, advance: Advance | None
) -> _Written:
    playing, colours, frames = Playing(tracks), _Kept(how), 0
    container, copied = CONTAINERS[aside.suffix.lower()], source if sound else None
    with Video(source) as video, Film(aside, container, video.facts.frame_rate, copied) as film:
        for frame in _told(video.frames(), advance):
            pixels = frame.image().pixels
            film.add(frame, hide_all(pixels, colours.of(playing.at(frame.time), frame.time, pixels), how))
            frames += 1
        film.end()
        return _Written(frames, film.sound)


class _Kept:
    """The mean colours that each track shows, kept until what it hides looks different."""

    def __init__(self, how: str) -> None:
        self.how = how
        self._held: dict[int, Colours] = {}

    def of(self, tracks: Iterable[Track], time: float, pixels: np.ndarray) -> list[Hidden]:
        """What to hide in a frame."""
        found = []
        for track in tracks:
            box, asked = track.at(time), level(self.how, track.level)
            held = None
            if asked.how != "fill":
                new = mean_colours(pixels, box, track.kind in OVAL, asked.grow, asked.cells)
                held = self._held.get(id(track), new)
                if held.shape != new.shape or np.abs(held - new).mean() > OTHER:
                    held = new
                self._held[id(track)] = held
            found.append(Hidden(track.kind, box, track.level, held))
        return found


def _told(frames: Iterator[Decoded], advance: Advance | None) -> Iterator[Decoded]:
    """The same frames; tells how far they have come."""
    last = 0.0
    for frame in frames:
        yield frame
        if advance is not None:
            end = frame.time + frame.duration
            advance(end - last)
            last = end
