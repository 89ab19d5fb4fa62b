"""Predict with the model in this folder: needs Python, numpy and onnxruntime, and Pillow to open pictures; no visanda.

    python predict.py PICTURE_OR_FOLDER ... > predictions.csv
    python predict.py --check

Before anything is predicted, the files are checked against SHA256SUMS.json, and the model against example.npz: the
same pixels must give the same scores as where it was trained.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

try:
    from PIL import Image, ImageOps
except ImportError:  # scores of pixels need none
    Image = ImageOps = None  # type: ignore[assignment]

HERE = Path(__file__).resolve().parent
CLOSE = 1e-4  # how far the scores of two machines may lie apart
ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp", ".avif")
CUBIC = -0.75  # OpenCV's


class Model:
    """The model of a folder, checked.

    Args:
        folder: with model.onnx and what was exported beside it.

    Raises:
        SystemExit: a file is damaged, or the model gives other scores than where it was trained.
    """

    def __init__(self, folder: Path = HERE) -> None:
        sums = json.loads((folder / "SHA256SUMS.json").read_text("utf-8"))
        for name, digest in sums.items():
            if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
                raise SystemExit(f"{folder / name} is damaged: it is not the file that was exported")
        self.labels = json.loads((folder / "labels.json").read_text("utf-8"))
        self.how = json.loads((folder / "preprocessing.json").read_text("utf-8"))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        with np.load(folder / "example.npz", allow_pickle=False) as example:
            self.apart = float(np.abs(self.scores(example["pixels"]) - example["scores"]).max())
        if not self.apart <= CLOSE:
            raise SystemExit(f"this onnxruntime gives other scores than where the model was trained ({self.apart:.2g})")

    def scores(self, pixels: np.ndarray) -> np.ndarray:
        """Scores (n, k) of squares (n, S, S, 3) uint8 RGB, one at a time, so that none depends on its neighbours."""
        rows = [self._session.run(["scores"], {"pixels": square[None]})[0] for square in pixels]
        return np.concatenate(rows) if rows else np.empty((0, 0), np.float32)

    def picture(self, path: Path) -> np.ndarray:
        """Scores (k,) of a picture's file."""
        return self.scores(squared(opened(path, self.how), self.how)[None])[0]

    def say(self, scores: np.ndarray) -> str:
        """What scores (k,) of a picture mean: a value, labels split by |, or a number."""
        scale, values = self.labels["scale"], self.labels["values"]
        if scale == "interval":
            return str(float(scores[0]))
        if scale == "multilabel":
            return "|".join(value for value, p in zip(values, scores, strict=True) if p >= 0.5) or "none"
        if scale == "ordinal":  # the median
            return str(values[min(int((np.cumsum(scores) < 0.5).sum()), len(values) - 1)])
        return str(values[int(scores.argmax())])


def opened(path: Path, how: dict[str, Any]) -> np.ndarray:
    """A file as (H, W, 3) uint8 RGB, upright, on white, with the shorter side reduced to what the square is made of."""
    if Image is None:
        raise SystemExit("opening pictures needs Pillow: pip install pillow")
    with Image.open(path) as picture:
        width, height = picture.size
        size = min(how["held"], width, height)
        want = [max(1, round(side * size / min(width, height))) for side in (width, height)]
        divisor = next(
            number
            for number in (8, 4, 2, 1)
            if all(-(-side // number) >= min(side, 2 * one) for side, one in zip((width, height), want, strict=True))
        )
        if picture.format == "JPEG" and divisor > 1:
            picture.draft("RGB", (width // divisor, height // divisor))
        turned = picture.getexif().get(0x0112, 1)
        pixels = resized(_flat(picture), want[0], want[1], enlarge=False)
        if turned == 1:
            return pixels
        upright = Image.fromarray(pixels)
        upright.getexif()[0x0112] = turned
        return np.asarray(ImageOps.exif_transpose(upright))


def _flat(picture: Any) -> np.ndarray:
    """8-bit RGB; what is transparent becomes white."""
    if picture.mode.startswith("I"):
        grey = (np.asarray(picture) >> 8).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        picture = Image.new("RGB", picture.size, "white")
        picture.paste(layer, mask=layer.getchannel("A"))
    return np.asarray(picture.convert("RGB"))


def squared(pixels: np.ndarray, how: dict[str, Any]) -> np.ndarray:
    """A picture (H, W, 3) as the network sees it: (S, S, 3)."""
    held, side = how["held"], how["pixels"]
    height, width = pixels.shape[:2]
    if how["crop"] == "square":
        shorter = min(height, width)
        pixels = pixels[(height - shorter) // 2 :, (width - shorter) // 2 :][:shorter, :shorter]
    pixels = resized(pixels, held, held, enlarge=min(pixels.shape[:2]) < held)
    edge = (held - side) // 2
    return np.ascontiguousarray(pixels[edge : edge + side, edge : edge + side])


def resized(pixels: np.ndarray, width: int, height: int, *, enlarge: bool) -> np.ndarray:
    """Averaged over areas, or enlarged by cubic interpolation, as OpenCV's INTER_AREA and INTER_CUBIC do."""
    rows, columns = pixels.shape[:2]
    if (rows, columns) == (height, width):
        return pixels
    if enlarge:  # in whole 2048ths, as OpenCV has them
        down, across = _cubic(rows, height), _cubic(columns, width)
        made = np.einsum("hr,rcx->hcx", down, np.einsum("wc,rcx->rwx", across, pixels.astype(np.int64)))
        return np.clip((made + 2**21) >> 22, 0, 255).astype(np.uint8)
    down_area, across_area = _area(rows, height), _area(columns, width)
    if rows == 2 * height and columns == 2 * width:  # OpenCV rounds halves up here, and to even numbers elsewhere
        four = pixels.astype(np.uint16).reshape(height, 2, width, 2, -1).sum(axis=(1, 3))
        return ((four + 2) // 4).astype(np.uint8)
    flat = across_area @ pixels.astype(np.float64).transpose(1, 0, 2).reshape(columns, -1)
    made_rows = flat.reshape(width, rows, 3).transpose(1, 0, 2).reshape(rows, -1)
    whole = (down_area @ made_rows).reshape(height, width, 3)
    return np.clip(np.rint(whole), 0, 255).astype(np.uint8)


@lru_cache(maxsize=64)
def _area(before: int, after: int) -> np.ndarray:
    """(after, before): what each pixel counts in the mean over the area that a new one covers."""
    scale = before / after
    starts, stops = np.arange(after)[:, None] * scale, (np.arange(after)[:, None] + 1) * scale
    pixels = np.arange(before)[None]
    covered = np.clip(np.minimum(stops, pixels + 1) - np.maximum(starts, pixels), 0, None)
    return np.asarray(covered / covered.sum(axis=1, keepdims=True))


@lru_cache(maxsize=64)
def _cubic(before: int, after: int) -> np.ndarray:
    """(after, before): coefficients in 2048ths."""
    made = np.zeros((after, before), np.int64)
    for row in range(after):
        place = np.float32((row + 0.5) * (before / after) - 0.5)
        first = int(np.floor(place))
        x = np.float32(place - first)
        a = np.float32(CUBIC)
        one, far = x + np.float32(1), np.float32(1) - x
        weights = [
            ((a * one - 5 * a) * one + 8 * a) * one - 4 * a,
            ((a + 2) * x - (a + 3)) * x * x + 1,
            ((a + 2) * far - (a + 3)) * far * far + 1,
        ]
        weights.append(np.float32(1) - weights[0] - weights[1] - weights[2])
        for number, weight in enumerate(weights):
            made[row, min(max(first - 1 + number, 0), before - 1)] += int(np.rint(weight * 2048))
    return made


def found(sources: list[str]) -> Iterator[Path]:
    """The pictures' files, those in folders in the order of their names."""
    for source in map(Path, sources):
        if source.is_dir():
            yield from (path for path in sorted(source.rglob("*")) if path.suffix.lower() in ENDINGS)
        else:
            yield source


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", nargs="*", help="files and folders")
    parser.add_argument("--check", action="store_true", help="only check the files and the model")
    parser.add_argument("--out", help="a CSV file; on the screen by default")
    given = parser.parse_args()
    model = Model()
    if given.check or not given.pictures:
        print(f"The files are those that were exported; example scores differ by {model.apart:.1g} at most.")
        return
    values = model.labels["values"] or ["value"]
    with open(given.out, "w", newline="", encoding="utf-8") if given.out else sys.stdout as out:  # noqa: PTH123
        writer = csv.writer(out)
        writer.writerow(["file", "predicted", *[f"p_{value}" for value in values], "error"])
        for path in found(given.pictures):
            try:
                scores = model.picture(path)
            except Exception as error:  # whatever is wrong with a file concerns that file only
                writer.writerow([path, "", *[""] * len(values), f"{type(error).__name__}: {error}"])
                continue
            writer.writerow([path, model.say(scores), *[repr(float(one)) for one in scores], ""])


if __name__ == "__main__":
    main()
