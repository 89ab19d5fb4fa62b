"""Frames of a video: what a decoder gives, as grey or coloured pictures of the size that is wanted."""

from __future__ import annotations

from dataclasses import dataclass, field

import av
import cv2
import numpy as np

from visanda.media.image import Image

HALVED = 180  # the shorter side of the first reduction, which all smaller ones are made from
PLANAR = {"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p"}  # 8 bits: read without converting


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture of a video at its moment, reduced: what a measure of video is fed with.

    Attributes:
        time: seconds from the start of the file, from the presentation time stamp.
        duration: seconds that it is shown.
        key: whether it is a key frame, decoded without others.
        pixels: upright; (height, width) grey or (height, width, 3) RGB, uint8.
    """

    time: float
    duration: float
    key: bool
    pixels: np.ndarray


@dataclass(slots=True)
class Decoded:
    """A frame as the decoder gives it; pictures of it are made when they are asked for.

    A reduced picture is a function of the frame and of the size alone, whatever else is asked for.

    Attributes:
        raw: the decoder's frame.
        time: seconds from the start of the file.
        duration: seconds that it is shown.
        rotation: degrees counter-clockwise that make it upright.
        key: whether it is a key frame.
        damaged: since when frames before it are missing or mended, in seconds; ``None`` where none are.
        whole: it is not made from such frames.
    """

    raw: av.VideoFrame
    time: float
    duration: float
    rotation: int
    key: bool = False
    damaged: float | None = None
    whole: bool = True
    _planes: tuple[np.ndarray, ...] | None = field(default=None, repr=False)

    def image(self) -> Image:
        """The whole picture, upright, every pixel."""
        raw = self.raw
        if self._bt709:
            raw = raw.reformat(format="rgb24", src_colorspace="ITU709", dst_colorspace="ITU601")
        pixels = _turned(raw.to_ndarray(format="rgb24"), self.rotation)
        return Image(pixels, pixels.shape[1], pixels.shape[0])

    def grey(self, size: int) -> np.ndarray:
        """Its brightness, upright, (height, width) uint8, the shorter side ``size`` pixels or fewer."""
        luma = _shrunk(self._reduced()[0], size)
        return _turned(_full_range(luma) if self._limited else luma, self.rotation)

    def rgb(self, size: int) -> np.ndarray:
        """Its colours, upright, (height, width, 3) uint8, the shorter side ``size`` pixels or fewer."""
        luma, *chroma = self._reduced()
        small = _shrunk(luma, size)
        height, width = small.shape
        u, v = (cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA) for plane in chroma)
        if self._limited:
            small, u, v = _full_range(small), _full_chroma(u), _full_chroma(v)
        return _turned(_coloured(small, u, v, self._bt709), self.rotation)

    def reduced(self, of: str, size: int) -> Frame:
        """As a measure of video is fed with it: ``grey`` or ``rgb``."""
        pixels = self.grey(size) if of == "grey" else self.rgb(size)
        pixels.flags.writeable = False  # several measures look at one picture at a time
        return Frame(self.time, self.duration, self.key, pixels)

    @property
    def _limited(self) -> bool:
        """Whether brightness goes from 16 to 235, as in most video, and not from 0 to 255."""
        return self.raw.color_range != 2 and not self.raw.format.name.startswith("yuvj")

    @property
    def _bt709(self) -> bool:
        space = self.raw.colorspace
        guessed = space == 2 and self.raw.height >= 720 and not self.raw.format.is_rgb  # unspecified: as players do
        return space == 1 or guessed

    def _reduced(self) -> tuple[np.ndarray, ...]:
        """Brightness and colour planes, reduced once to about HALVED for all that want less."""
        if self._planes is None:
            raw = self.raw
            if raw.format.name not in PLANAR:
                raw = raw.reformat(format="yuv420p" if self._limited else "yuvj420p")
            luma, *chroma = (_plane(plane) for plane in raw.planes[:3])
            self._planes = (_halved(luma, HALVED), *(_halved(plane, HALVED // 2) for plane in chroma))
        return self._planes


def _plane(plane: av.video.plane.VideoPlane) -> np.ndarray:
    lines = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    return lines[:, : plane.width]


def _halved(plane: np.ndarray, least: int) -> np.ndarray:
    """Means of two by two pixels, again and again while ``least`` are left: faster than one step of any factor."""
    while min(plane.shape) >= 2 * least:
        height, width = plane.shape
        plane = cv2.resize(plane, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    return plane


def _shrunk(plane: np.ndarray, size: int) -> np.ndarray:
    height, width = plane.shape
    if min(height, width) <= size:
        return plane
    scale = size / min(height, width)
    target = (max(1, round(width * scale)), max(1, round(height * scale)))
    # By less than a half, two pixels of each two or three are mixed either way, and this is five times faster.
    how = cv2.INTER_LINEAR if scale > 0.5 else cv2.INTER_AREA
    return cv2.resize(plane, target, interpolation=how)


_LUMA = np.clip((np.arange(256) - 16) * (255 / 219) + 0.5, 0, 255).astype(np.uint8)
_CHROMA = np.clip((np.arange(256) - 128) * (255 / 224) + 128.5, 0, 255).astype(np.uint8)


def _full_range(plane: np.ndarray) -> np.ndarray:
    return cv2.LUT(plane, _LUMA)


def _full_chroma(plane: np.ndarray) -> np.ndarray:
    return cv2.LUT(plane, _CHROMA)


# Full-range Y, U, V to R, G, B (ITU-R BT.601 and BT.709).
_TO_RGB = {
    False: np.array([[1, 0, 1.402], [1, -0.344136, -0.714136], [1, 1.772, 0]], np.float32),
    True: np.array([[1, 0, 1.5748], [1, -0.187324, -0.468124], [1, 1.8556, 0]], np.float32),
}


def _coloured(luma: np.ndarray, u: np.ndarray, v: np.ndarray, bt709: bool) -> np.ndarray:
    matrix = _TO_RGB[bt709]
    shift = -128 * matrix[:, 1:].sum(axis=1, keepdims=True)
    return cv2.transform(cv2.merge((luma, u, v)), np.hstack((matrix, shift)))


def _turned(pixels: np.ndarray, rotation: int) -> np.ndarray:
    """Upright: turned counter-clockwise by so many degrees, as the file asks for."""
    quarters = round(rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(pixels, quarters)) if quarters else pixels
