"""Clips made for tests, whose cuts, dissolves, fades and moments are known.

A take is a list of RGB frames, (height, width, 3) uint8; joins put takes together to a clip.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

Take = list[np.ndarray]


@dataclass(frozen=True)
class Join:
    """How one take follows another.

    Attributes:
        kind: ``cut``; ``dissolve``: the takes overlap in ``frames`` frames; ``fade``: the first goes to ``level``
            and the second comes from it, in ``frames`` frames altogether.
        frames: length of a gradual transition.
        hold: frames of nothing but ``level`` in the middle of a fade.
        level: 0 for black to 255 for white.
    """

    kind: str = "cut"
    frames: int = 0
    hold: int = 0
    level: int = 0


@dataclass(frozen=True)
class Boundary:
    """Where a join lies in the clip: its middle frame (of a cut: the first new frame), kind and length in frames."""

    frame: int
    kind: str
    frames: int = 0


def write_video(
    path: Path,
    frames: Iterable[np.ndarray],
    rate: float | Fraction = 25,
    *,
    codec: str = "libx264",
    pts: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Encode RGB frames.

    Args:
        path: of the file; its ending decides the container.
        frames: of one size, with even sides.
        rate: frames a second.
        codec: of FFmpeg.
        pts: presentation time stamps in units of ``time_base``, where frames do not come at a constant rate.
        time_base: seconds a unit of ``pts``; one frame's duration by default.
        options: of the codec, as ``{"crf": "30"}``.
    """
    rate = Fraction(rate).limit_denominator(1001)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options=options or _options(codec))
        stream.pix_fmt = "yuv420p"
        stream.time_base = time_base or 1 / rate
        for i, pixels in enumerate(frames):
            if i == 0:
                stream.height, stream.width = pixels.shape[:2]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            frame.pts = pts[i] if pts else i
            frame.time_base = time_base or 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def _options(codec: str) -> dict[str, str]:
    return {"preset": "ultrafast", "crf": "23"} if codec == "libx264" else {}


def joined(takes: Iterable[Take], joins: Iterable[Join]) -> Iterator[np.ndarray]:
    """The frames of takes put together; one join fewer than takes, each no longer than the takes beside it."""
    held: Take = []
    joins = iter(joins)
    for i, take in enumerate(takes):
        held = _joined(held, take, next(joins)) if i else take
        # What the next join cannot touch may go: a join is never longer than the take it ends.
        yield from held[: max(0, len(held) - len(take))]
        held = held[max(0, len(held) - len(take)) :]
    yield from held


def _joined(first: Take, second: Take, join: Join) -> Take:
    n = join.frames
    share = (np.arange(n) + 0.5) / max(n, 1)
    if join.kind == "dissolve":
        mixed = [_mixed(a, b, s) for a, b, s in zip(first[-n:], second[:n], share, strict=True)]
        return first[:-n] + mixed + second[n:]
    if join.kind == "fade":
        flat = np.full_like(first[-1], join.level)
        out = [_mixed(a, flat, s) for a, s in zip(first[-(n // 2) :], share[::2], strict=False)]
        back = [_mixed(flat, b, s) for b, s in zip(second[: n // 2], share[::2], strict=False)]
        return first[: -(n // 2)] + out + [flat] * join.hold + back + second[n // 2 :]
    return first + second


def _mixed(first: np.ndarray, second: np.ndarray, share: float) -> np.ndarray:
    return cv2.addWeighted(first, 1 - share, second, share, 0)


def boundaries(lengths: Sequence[int], joins: Sequence[Join]) -> list[Boundary]:
    """Where the joins of takes of these lengths lie in the clip that :func:`joined` makes."""
    found, at = [], 0
    for length, join in zip(lengths, joins, strict=False):
        at += length
        if join.kind == "dissolve":
            found.append(Boundary(at - (join.frames + 1) // 2, join.kind, join.frames))
            at -= join.frames
        else:
            found.append(Boundary(at + join.hold // 2, join.kind, join.frames + join.hold))
            at += join.hold
    return found


# takes


def panned(
    photo: np.ndarray,
    frames: int,
    *,
    size: tuple[int, int] = (320, 180),
    begin: tuple[float, float, float] = (0.5, 0.5, 1.0),
    end: tuple[float, float, float] = (0.5, 0.5, 1.2),
    shake: float = 0.0,
    seed: int = 0,
) -> Take:
    """A take of a photo by a camera that goes from one view to another.

    Args:
        photo: RGB.
        frames: how many.
        size: width and height.
        begin: the first view: centre from left and from top, 0 to 1, and zoom; 1 is the largest view there is.
        end: the last view.
        shake: standard deviation of a hand's unsteadiness, in pixels of the result.
        seed: of the hand.
    """
    width, height = size
    largest = max(width / photo.shape[1], height / photo.shape[0])
    unsteady = np.cumsum(np.random.default_rng(seed).normal(0, shake, (frames, 2)), axis=0) if shake else None
    take = []
    for i, (x, y, zoom) in enumerate(np.linspace(begin, end, frames)):
        scale = largest * zoom
        across, down = width / scale, height / scale
        left = x * (photo.shape[1] - across)
        top = y * (photo.shape[0] - down)
        move = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
        if unsteady is not None:
            move[:, 2] += unsteady[i] - unsteady[max(0, i - 12) : i + 1].mean(axis=0)
        take.append(cv2.warpAffine(photo, move, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101))
    return take


def drifting(frames: int, *, size: tuple[int, int] = (320, 180), speed: float = 3.0, seed: int = 0) -> Take:
    """A take of coloured clouds that drift by ``speed`` pixels a frame: motion everywhere, no cut."""
    width, height = size
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (8, 24, 3), np.uint8)
    sky = cv2.resize(coarse, (3 * width, height), interpolation=cv2.INTER_CUBIC)
    offsets = (np.arange(frames) * speed).astype(int) % (2 * width)
    return [sky[:, o : o + width].copy() for o in offsets]


def still(picture: np.ndarray, frames: int) -> Take:
    """A take in which nothing moves."""
    return [picture] * frames


def flashed(take: Take, at: int, frames: int = 2, strength: float = 0.85) -> Take:
    """The take with a photographer's flash: ``frames`` frames from ``at`` on nearly white."""
    white = np.full_like(take[0], 255)
    return [_mixed(f, white, strength) if at <= i < at + frames else f for i, f in enumerate(take)]


def crossed(take: Take, by: np.ndarray, at: int, frames: int = 10) -> Take:
    """The take with a large object, an ellipse cut from the picture ``by``, going across from left to right."""
    height, width = take[0].shape[:2]
    big = cv2.resize(by, (width, height))
    changed = list(take)
    for i, x in enumerate(np.linspace(-0.4 * width, 1.4 * width, frames)):
        if at + i >= len(take):
            break
        mask = np.zeros((height, width, 1), np.uint8)
        cv2.ellipse(mask, (int(x), height // 2), (int(0.35 * width), int(0.6 * height)), 0, 0, 360, 1, -1)
        moved = cv2.warpAffine(big, np.array([[1.0, 0, x - width / 2], [0, 1, 0]]), (width, height))
        changed[at + i] = np.where(mask, moved, take[at + i])
    return changed
