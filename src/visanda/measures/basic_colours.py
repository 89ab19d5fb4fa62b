"""The eleven basic colours of English (Berlin & Kay 1969), as people name what they see on a screen.

A colour has the name of the nearest colour (CIELAB) in ``NAMED``: those that the xkcd colour survey (Munroe 2010;
public domain, CC0; 222,500 people) calls by a basic name alone or with one word before it, as in "navy blue"; left
out are mixtures such as "greenish blue". Each of these colours, named by the others alone, gets its own name in 98 of
100 cases. Skin is mostly brown, orange, pink or white: these words say nothing about people.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

NAMED = {
    "black": "000000 070d0d",
    "white": "ffffe4 ffffff",
    "grey": "363737 3c4142 59656d 6b7c85 6f828a 748b97 7d7f7c 929591 95a3a6 978a84 d8dcd6",
    "red": (
        "7b0323 840000 850e04 8f1402 980002 9a0200 9f2305 a50055 a90308 aa2704 af2f0d b9484e bb3f3f be013c "
        "c0022f d3494e d9544d db5856 e50000 ec2d01 f7022a fe2f4a ff000d ff073a ff474c"
    ),
    "orange": (
        "c04e01 c14a09 c45508 c65102 c87606 cd5909 d8863b dc4d01 f0833a f0944d f97306 fb7d07 fdaa48 fe4b03 "
        "ff5b00 ff964f ffa756"
    ),
    "brown": (
        "341c02 410200 411900 60460f 645403 653700 7a5901 7b5804 7d7103 7f5112 836539 876e4b 885f01 886806 "
        "8b3103 947706 964e02 ab7e4c ac7e04 ad8150 b1916e b2713d b27a01 c4a661 cba560"
    ),
    "yellow": (
        "bfac05 c2b709 c2be0e c7c10c cdc50a cfff04 d0c101 d0e429 d0fe1d d2bd0a d5ab09 d5b60a ddd618 eedc5b "
        "f1f33f fafe4b fce166 fdee73 fdff38 fec615 feff7f ffda03 ffdf22 fff917 fffd01 fffd37 fffd74 fffe40 "
        "fffe71 fffe7a ffff14 ffff84"
    ),
    "green": (
        "009337 014600 019529 01ff07 02590f 028f1e 02ab2e 02c14d 033500 044a05 048243 04f489 06470c 089404 "
        "08ff08 0a481e 0add08 0aff02 0b4008 0bf77d 0cdc73 0cff0c 10a674 12e193 154406 15b01a 1bfc06 21c36f "
        "21fc0d 25a36f 25ff29 287c37 2a7e19 2baf6a 2cfa1f 2fef10 33b864 35530a 35ad6b 39ad48 3ae57f 3d9973 "
        "3f9b0b 40fd14 419c03 4b5d16 4b6113 4da409 50a747 51b73b 526525 53fca1 548d44 58bc08 5c8b15 5ca904 "
        "5cb200 5fa052 606602 61de2a 61e160 638b27 63b365 657432 658b38 658d6d 667c3e 667e2c 677a04 699d4c "
        "69d84f 6ba353 6c7a0e 6f7c00 6fc276 70b23f 728639 748500 749551 74a662 758000 75b84f 75fd63 76a973 "
        "76cd26 7a9703 7af9ab 7bb274 87a922 88b378 89a203 89fe05 8cfd7e 8cff9e 8eab12 8ee53f 8fae22 8ffe09 "
        "8fff9f 90fda9 94ac02 94b21c 96b403 96f97b 99cc04 9aae07 9be5aa 9db92c 9dc100 a0bf16 a8b504 a9be70 "
        "a9f971 adf802 b0ff9d bdf8a3 c7fdb5"
    ),
    "blue": (
        "00035b 001146 004577 010fcc 01386a 014182 0165fc 016795 01889f 020035 0203e2 021bf9 02d8e9 030aa7 "
        "0339f8 0343df 03719c 040273 040348 047495 04d9ff 0504aa 056eee 0652ff 06b1c4 0804f9 0a437a 0c06f7 "
        "0e87cc 107ab0 152eff 1805db 247afd 26538d 276ab3 2c6fbb 31668a 3778bf 3a18b1 3b5b92 3b719f 3c73a8 "
        "3d7afd 3e82fc 3f829d 436bad 475f94 49759c 4984b8 4b57db 4e7496 4f738e 507b9c 510ac9 5170d7 5684ae "
        "5a7d9a 5a86ad 5b7c99 6488ea 658cbb 75bbfd 78d1b6 7bf2da 8ab8fe 8b88f8 8f99fb 95d0fc a2bffe a2cffe "
        "acc2d9 b1d1fc c4fff7 d0fefe d7fffe"
    ),
    "purple": (
        "280137 35063e 36013f 430541 4b006e 4e0550 5d1451 703be7 720058 734a65 751973 7e1e9c 805b87 825f87 "
        "84597e 895b7b 916e99 952e8f 9900fa 9e43a2 a00498 a442a0 a552e6 a55af4 a66fb5 aa23ff ad03de b790d4 "
        "bc13fe be03fd bf77f6 c071fe ca9bf7 caa0ff cb00f5"
    ),
    "pink": (
        "c77986 ca7b80 cb0162 cb416b cc7a8b cd7584 d1768f d5869d d58a94 da467d dd85d7 de9dac e78ea5 f36196 "
        "f6688e f7879a fb5581 fb5ffc fdb0c0 fe019a fe01b1 fe02a2 fe46a5 fe7b7c fe828c fe83cc ff028d ff0490 "
        "ff0789 ff6163 ff63e9 ff7fa7 ff81c0 ff9a8a ffb2d0 ffb7ce ffbacd ffcfdc ffd1df"
    ),
}

LEVELS = 32  # of each channel: a cube of 32,768 cells is named once


def name_shares(pixels: np.ndarray) -> dict[str, float]:
    """Share of pixels of each basic colour, 0 to 1; they add up to 1.

    Args:
        pixels: (H, W, 3) uint8, RGB.
    """
    cells = cv2.calcHist([pixels], [0, 1, 2], None, [LEVELS] * 3, [0, 256] * 3).ravel()
    counts = np.bincount(_name_of_cell(), weights=cells, minlength=len(NAMED))
    return dict(zip(NAMED, (counts / counts.sum()).tolist(), strict=True))


@cache
def _name_of_cell() -> np.ndarray:
    """(32768,) the position in ``NAMED`` of each cell's name; red varies slowest, blue fastest."""
    known = [(position, code) for position, codes in enumerate(NAMED.values()) for code in codes.split()]
    names = np.array([position for position, _ in known])
    examples = _lab(np.array([tuple(bytes.fromhex(code)) for _, code in known]))
    centres = (np.arange(LEVELS) + 0.5) * 256 / LEVELS - 0.5
    cube = _lab(np.stack(np.meshgrid(centres, centres, centres, indexing="ij"), axis=-1).reshape(-1, 3))
    square = (examples**2).sum(axis=1)
    nearest = [(square - 2 * part @ examples.T).argmin(axis=1) for part in np.split(cube, LEVELS)]
    return names[np.concatenate(nearest)]


def _lab(rgb: np.ndarray) -> np.ndarray:
    """CIELAB (n, 3) of sRGB colours (n, 3), 0 to 255."""
    return cv2.cvtColor((rgb[None] / 255).astype(np.float32), cv2.COLOR_RGB2LAB)[0]
