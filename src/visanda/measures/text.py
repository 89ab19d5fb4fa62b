"""Text: what is written in pictures, line by line and in the order in which it is read."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from visanda.errors import InputError, VisandaError
from visanda.extras import need
from visanda.measure import Found, finder
from visanda.measures.reading_order import directions, reading_order, reads_right_to_left, running_text
from visanda.media import Image
from visanda.models import Model

MARGIN = 16  # pixels around a picture: letters at its very edge are found, too,
STEP = 32  # and sides are multiples of this, as the network needs them
UNSURE = 0.85  # lines read with less certainty may stand upside down: they are turned and read again
TALL = 1.5  # a line so many times as high as it is wide is read from above to below
# Chinese and Japanese are written without spaces: each of their characters counts as a word.
WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|(?:(?![\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff])[\w'’-])+"
)
lock = threading.Lock()

_PADDLE = "Baidu, PaddleOCR; PyPI rapidocr 3.10"
MODELS = {
    "Det": Model(
        name="ppocr6_detection",
        task="where lines of text are",
        file="PP-OCRv6_det_small.onnx",
        sha256="090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
        licence="Apache-2.0",
        source=f"{_PADDLE}; differentiable binarisation (Liao et al. 2020)",
        trained_on="scenes, documents and made-up text, collected by Baidu",
        intended_use="lines of print in photographs, posters, screenshots and scans",
        known_limits="misses lines lower than about eight pixels, bent lines and most ornamental writing",
    ),
    "Rec": Model(
        name="ppocr6_recognition",
        task="what a line of text says",
        file="PP-OCRv6_rec_small.onnx",
        sha256="6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
        licence="Apache-2.0",
        source=f"{_PADDLE}; SVTR (Du et al. 2022)",
        trained_on="lines of text in Chinese, Japanese and languages in Latin letters, collected by Baidu",
        intended_use="print in Latin letters with their accents, Chinese, Japanese",
        known_limits="has no Cyrillic, Arabic, Hebrew, Korean or Indian letters, no accented Greek ones and few of "
        "Vietnamese: it leaves them out or writes others, with high scores. Takes dirt for accents. Handwriting is "
        "read badly.",
    ),
}


class Line(NamedTuple):
    """A line of text.

    Attributes:
        text: what it says.
        score: mean probability of its characters, 0 to 1.
        polygon: (4, 2), x and y of where it begins above its letters, ends above them, ends below them, and begins
            below them, in pixels.
    """

    text: str
    score: float
    polygon: np.ndarray


@finder(
    finds="line",
    columns={"text": str, "score": float, "number": int, "angle": float, "share": float, "polygon": list[float]},
    per_picture={"text": str, "n_lines": int, "n_words": int, "text_share": float, "score": float},
    models=lambda score, longest: list(MODELS.values()),
    source="Cui et al. (2025), PP-OCR, through RapidOCR; recursive XY-cut (Nagy & Seth 1984) for the reading order",
)
def text(images: Sequence[Image], *, score: float = 0.5, longest: int = 2000) -> list[Found]:
    """What is written in each picture: a row for every line, and the whole text in the order in which it is read.

    Needs the extra ``ocr``, whose models come with it; nothing is downloaded. It reads print in Latin letters with
    accents and umlauts, Chinese and Japanese, in any direction. It has no letters of other scripts (Cyrillic,
    Arabic, Hebrew, Korean, Indian ones, accented Greek, most of Vietnamese): it leaves them out or writes others, and
    the score does not tell. Ornamental letters and handwriting are read badly, spaces between words are sometimes
    lost, dirt becomes an accent, and in photographs without text a thing may be taken for a letter or two.

    Args:
        images: n pictures.
        score: lines that are read with less certainty than this are left out, 0 to 1.
        longest: pixels; pictures whose longer side is longer are reduced to it. Letters must then be about ten
            pixels high; twice the length takes four times as long.

    Returns:
        A row a line: ``text`` what it says; ``score`` mean probability of its characters, 0 to 1, which is no
        probability that all of it is right; ``number`` its place in the reading order, from 1; ``angle`` that it
        runs in, degrees clockwise from level, −180 to 180; ``share`` of the picture that it covers, 0 to 1;
        ``polygon`` x and y, in pixels, of where it begins above its letters, ends above them, ends below them, and
        begins below them. A row a picture: ``text`` all lines in reading order, with an empty line between blocks,
        and words divided at a line's end left so; ``n_lines``; ``n_words``, each Chinese or Japanese character as
        one; ``text_share`` of the picture that is covered by text, 0 to 1; ``score`` mean of the lines', by their
        length, empty where there is none.

    Raises:
        MissingExtra: rapidocr is not installed.
        InputError: the score is not between 0 and 1, or the length is too small.
    """
    if not 0 <= score <= 1:
        raise InputError(f"score must be between 0 and 1, not {score}")
    if longest < STEP:
        raise InputError(f"longest must be at least {STEP} pixels, not {longest}")
    return [_found(image, [line for line in read_lines(image, longest) if line.score >= score]) for image in images]


def read_lines(image: Image, longest: int) -> list[Line]:
    """The lines of text in a picture, in no order, in pixels of the original.

    Args:
        image: the picture.
        longest: pixels that the longer side is reduced to.

    Raises:
        MissingExtra: rapidocr is not installed.
    """
    engine = _engine()
    height, width = image.pixels.shape[:2]
    scale = min(1.0, longest / max(height, width))
    small = image.pixels
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        small = cv2.resize(small, size, interpolation=cv2.INTER_AREA)
    places, _, words, cut = engine.run_ocr_steps(_bordered(small[:, :, ::-1]), {})
    if places.boxes is None or words.txts is None:
        return []
    readings = _turned_where_unsure(engine, cut, list(zip(words.txts, words.scores, strict=True)))
    back = np.array([image.width / small.shape[1], image.height / small.shape[0]])
    most = np.array([image.width, image.height])
    return [
        Line(said.strip(), float(sure), np.clip((_as_read(corners, turned) - MARGIN) * back, 0, most))
        for (said, sure, turned), corners in zip(readings, places.boxes, strict=True)
        if said.strip()
    ]


def count_words(said: str) -> int:
    """How many words a text has; each Chinese or Japanese character is one."""
    return sum(any(letter.isalnum() for letter in word) for word in WORD.findall(said))


def _found(image: Image, lines: list[Line]) -> Found:
    texts = [line.text for line in lines]
    polygons = np.array([line.polygon for line in lines]).reshape(-1, 4, 2)
    blocks = reading_order(polygons, right_to_left=reads_right_to_left(texts))
    ordered = [line for block in blocks for row in block for line in row]
    angles = np.degrees(directions(polygons))
    shares = np.array([cv2.contourArea(one.astype(np.float32)) for one in polygons]) / (image.width * image.height)
    things = [
        {
            "box": (*polygons[line].min(axis=0), *np.ptp(polygons[line], axis=0)),
            "text": texts[line],
            "score": lines[line].score,
            "number": number,
            "angle": float(angles[line]),
            "share": float(shares[line]),
            "polygon": polygons[line].ravel().tolist(),
        }
        for number, line in enumerate(ordered, 1)
    ]
    lengths = [len(one) for one in texts]
    whole = running_text(blocks, texts)
    picture = {
        "text": whole,
        "n_lines": len(lines),
        "n_words": count_words(whole),
        "text_share": min(1.0, float(shares.sum())),
        "score": float(np.average([line.score for line in lines], weights=lengths)) if lines else None,
    }
    return Found(things, picture)


def _bordered(pixels: np.ndarray) -> np.ndarray:
    """The picture with its edge drawn out, to sides that the network needs."""
    height, width = (-(-(side + 2 * MARGIN) // STEP) * STEP - side - MARGIN for side in pixels.shape[:2])
    return cv2.copyMakeBorder(np.ascontiguousarray(pixels), MARGIN, height, MARGIN, width, cv2.BORDER_REPLICATE)


def _turned_where_unsure(
    engine: Any, cut: Sequence[np.ndarray], readings: Sequence[tuple[str, float]]
) -> list[tuple[str, float, bool]]:
    """What lines say, how sure, and whether they stand upside down: whichever way they are read with more certainty.

    The engine's own model for this sees lines squeezed to one width, and turns long ones that stand upright.
    """
    best = [(said, sure, False) for said, sure in readings]
    unsure = [number for number, (_, sure) in enumerate(readings) if sure < UNSURE]
    if unsure:
        again = engine.recognize_txt([cv2.rotate(cut[number], cv2.ROTATE_180) for number in unsure])
        for number, said, sure in zip(unsure, again.txts, again.scores, strict=True):
            if sure > readings[number][1]:
                best[number] = (said, sure, True)
    return best


def _as_read(corners: np.ndarray, upside_down: bool) -> np.ndarray:
    """Corners of a line that begin at the upper left of the picture, as they follow each other in reading."""
    across = max(np.linalg.norm(corners[0] - corners[1]), np.linalg.norm(corners[2] - corners[3]))
    down = max(np.linalg.norm(corners[0] - corners[3]), np.linalg.norm(corners[1] - corners[2]))
    first = 1 if int(down) >= TALL * int(across) else 0
    return np.roll(corners, -first - (2 if upside_down else 0), axis=0).astype(float)


def _engine() -> Any:
    with lock:
        return _loaded()


@cache
def _loaded() -> Any:
    """The engine: loaded once a process, safe to use from several threads because its settings never change."""
    module = need("rapidocr", "ocr")
    folder = Path(str(module.__file__)).parent / "models"
    settings: dict[str, Any] = {
        "Global.log_level": "critical",
        "Global.use_vertical_padding": False,  # pictures come with a border
        "EngineConfig.onnxruntime.intra_op_num_threads": 1,  # the runner's workers are the parallelism
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        "Det.limit_type": "max",  # never enlarge: a strip would become huge
        "Det.limit_side_len": 1_000_000,
        "Global.use_cls": False,
    }
    for part, card in MODELS.items():
        settings[f"{part}.model_path"] = str(_checked(folder / card.file, card))  # what has a path is not downloaded
    return module.RapidOCR(params=settings)


def _checked(path: Path, card: Model) -> Path:
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != card.sha256:
        raise VisandaError(
            f"{path} is missing or is not the model that {card.name} describes: "
            'install it again, with pip install --force-reinstall "visanda[ocr]"'
        )
    return path
