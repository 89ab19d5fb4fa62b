"""Words in pictures: how many characters are read wrongly, by size, contrast, rotation, JPEG quality and language.

Renders text whose words are known and compares: error = Levenshtein distance / length of the truth. Reading order
counts, since the picture's whole text is compared, with all white space as one space.

    python benchmarks/text.py
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from visanda.measure import find_in
from visanda.measures.text import text
from visanda.media import Image

FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
PASSAGES = {
    "English": "The square was full by noon.\nNobody had planned a march, yet\nat one o'clock 12,500 people set\n"
    "off towards the old town hall:\n“We are here to stay!”",
    "German": "Über die Straße zogen früh\nam Morgen größere Züge;\nkein Mensch hätte für möglich\n"
    "gehalten, daß Österreichs Bürger\nmüde Füße so gern ertrügen.",
    "French": "Où étaient passés les élèves\nde la forêt ? Ça, nul garçon\nn'eût osé l'avouer : près du\n"
    "château, à Noël, même l'aïeule\ndu maître préférait le silence.",
    "Spanish": "¿Quién pidió más pan? El niño\nsoñó que mañana habría allí\nun jardín, cigüeñas y también\n"
    "música. ¡Qué ilusión! Así lo\ncontó él, según su corazón.",
    "Polish": "Zażółć gęślą jaźń: wśród mgły\nkrążył ślepy łoś, a źrebię\nżuło świeżą trawę. Później\n"
    "przyszedł chłód i śnieg.",
    "Turkish": "Şişli'de güneş doğuyordu.\nÇocuklar ağaçların altında\nsığırcık kuşlarını izledi;\n"
    "İstanbul ışıl ışıldı.",
    "Czech": "Příliš žluťoučký kůň úpěl\nďábelské ódy. Děti z města\nslyšely, jak řeka šumí\nnad mlýnem.",
    "Greek": "Η πλατεία γέμισε νωρίς.\nΚανείς δεν περίμενε τόσους\nανθρώπους στον δρόμο.",
    "Russian": "Площадь заполнилась рано.\nНикто не ждал столько людей\nна этой улице.",
    "Vietnamese": "Quảng trường đã đông người\ntừ sớm. Không ai ngờ rằng\nnhiều người đến thế.",
}


def distance(one: str, other: str) -> int:
    """Levenshtein's: the fewest characters to insert, delete or replace."""
    before = np.arange(len(other) + 1)
    letters = np.array(list(other))
    for number, letter in enumerate(one, 1):
        now = np.minimum(before[1:] + 1, before[:-1] + (letters != letter))
        # Insertions run along the row: the least of what came before, each a step further.
        steps = np.arange(len(other) + 1)
        before = np.minimum.accumulate(np.concatenate(([number], now)) - steps) + steps
    return int(before[-1])


def drawn(
    passage: str, size: int, font: str = "DejaVuSans.ttf", ink: int = 0, paper: int = 255, degrees: float = 0
) -> np.ndarray:
    face = ImageFont.truetype(FONTS / font, size)
    board = ImageDraw.Draw(Pillow.new("L", (8, 8)))
    left, top, right, bottom = board.multiline_textbbox((0, 0), passage, font=face, spacing=size // 3)
    picture = Pillow.new("L", (round(right - left + 4 * size), round(bottom - top + 4 * size)), paper)
    ImageDraw.Draw(picture).multiline_text((2 * size - left, 2 * size - top), passage, ink, face, spacing=size // 3)
    turned = picture.rotate(-degrees, Pillow.Resampling.BICUBIC, expand=True, fillcolor=paper)
    return np.array(turned.convert("RGB"))


def through_jpeg(pixels: np.ndarray, quality: int) -> np.ndarray:
    held = io.BytesIO()
    Pillow.fromarray(pixels).save(held, "JPEG", quality=quality)
    return np.array(Pillow.open(held))


def read(pixels: np.ndarray) -> str:
    return " ".join(find_in(text(), [Image.of(pixels)])[0].picture["text"].split())


def errors(picture_of: Callable[[str], np.ndarray], languages: list[str]) -> str:
    wrong = [distance(" ".join(PASSAGES[one].split()), read(picture_of(PASSAGES[one]))) for one in languages]
    lengths = [len(" ".join(PASSAGES[one].split())) for one in languages]
    return f"{sum(wrong) / sum(lengths):7.1%}"


def table(title: str, rows: dict[str, Callable[[str], np.ndarray]], languages: list[str]) -> None:
    print(f"\n{title}")
    for name, picture_of in rows.items():
        print(f"  {name:<28}{errors(picture_of, languages)}", flush=True)


def main() -> None:
    west = ["English", "German", "French", "Spanish"]
    sizes = (8, 10, 12, 16, 24, 48, 96)
    fonts = ("DejaVuSans.ttf", "DejaVuSerif.ttf", "DejaVuSansMono.ttf", "DejaVuSans-BoldOblique.ttf", "cmr10.ttf")
    inks = ((0, 255), (255, 0), (100, 160), (120, 140), (124, 132))
    turns = (2, 5, 10, 20, 30, 45, 60, 90, 180, 270)
    print("share of characters read wrongly; English, German, French and Spanish where none is named")
    table("size, pixels", {str(s): lambda p, s=s: drawn(p, s) for s in sizes}, west)
    table("fonts, 24 px", {f: lambda p, f=f: drawn(p, 24, f) for f in fonts}, ["English"])
    table(
        "ink on paper, 24 px", {f"{i} on {o}": lambda p, i=i, o=o: drawn(p, 24, ink=i, paper=o) for i, o in inks}, west
    )
    table("turned, degrees, 24 px", {str(d): lambda p, d=d: drawn(p, 24, degrees=d) for d in turns}, west)
    for size in (16, 24):
        rows = {str(q): lambda p, q=q, s=size: through_jpeg(drawn(p, s), q) for q in (90, 50, 30, 20, 10)}
        table(f"JPEG quality, {size} px", rows, west)
    print("\nlanguages, 16 and 32 px")
    for one in PASSAGES:
        small, large = (errors(lambda p, s=s: drawn(p, s), [one]) for s in (16, 32))
        print(f"  {one:<28}{small}{large}", flush=True)
    begin = time.perf_counter()
    read(np.full((1080, 1440, 3), 255, np.uint8))
    print(f"\nan empty picture of 1440 × 1080: {time.perf_counter() - begin:.2f} s on one thread")


if __name__ == "__main__":
    main()
