"""Colour, on pictures whose colours are known by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import CSS4_COLORS, XKCD_COLORS

import visanda as vi
from visanda.measures.basic_colours import NAMED, name_shares


def flat(code: str, height: int = 40, width: int = 60) -> np.ndarray:
    return np.full((height, width, 3), tuple(bytes.fromhex(code.lstrip("#"))), np.uint8)


def side_by_side(*codes: str) -> np.ndarray:
    return np.concatenate([flat(code) for code in codes], axis=1)


def measured(pixels: np.ndarray, **arguments) -> dict:
    return {name: values[0] for name, values in vi.colour(**arguments)([pixels]).items()}


def named(code: str) -> str:
    shares = name_shares(flat(code))
    name = max(shares, key=shares.__getitem__)
    assert shares[name] == 1
    return name


@pytest.mark.parametrize(
    ("pixels", "brightness", "contrast"),
    [
        (flat("000000"), 0, 0),
        (flat("ffffff"), 1, 0),
        (side_by_side("000000", "ffffff"), 0.5, 0.5),
        (flat("808080"), 128 / 255, 0),
        (side_by_side("404040", "404040", "404040", "c0c0c0"), 96 / 255, 55.42562584 / 255),
    ],
)
def test_brightness_and_contrast(pixels, brightness, contrast):
    row = measured(pixels)
    assert row["brightness"] == pytest.approx(brightness, abs=1e-9)
    assert row["contrast"] == pytest.approx(contrast, abs=1e-9)


def test_pure_red():
    row = measured(flat("ff0000"))
    assert (row["hue"], row["hue_variance"], row["saturation"]) == (0, 0, 1)
    assert (row["warm_share"], row["share_red"]) == (1, 1)
    assert row["palette"] == ["#ff0000"] and row["palette_shares"] == [1]


@pytest.mark.parametrize(("code", "hue"), [("ffff00", 60), ("00ff00", 120), ("0000ff", 240), ("ff00ff", 300)])
def test_hue_in_degrees(code, hue):
    assert measured(flat(code))["hue"] == pytest.approx(hue, abs=1)


def test_hue_is_a_circle():
    """Half a little to each side of red is red, not cyan."""
    row = measured(side_by_side("ff2000", "ff0020"))
    assert min(row["hue"], 360 - row["hue"]) < 1
    assert row["hue_variance"] < 0.02


def test_opposite_hues_spread_most():
    row = measured(side_by_side("ff0000", "00ffff"))
    assert row["hue_variance"] == pytest.approx(1)
    assert row["warm_share"] == 0.5


def test_pixels_count_for_hue_by_their_chroma():
    row = measured(side_by_side("ff0000", "001010", "f0ffff"))  # chroma 255 of red, 16 and 15 of cyan
    assert row["hue_variance"] == pytest.approx(1 - (255 - 31) / (255 + 31), abs=0.01)
    assert row["warm_share"] == pytest.approx(1 / 3)


def test_grey_has_no_hue():
    row = measured(side_by_side("000000", "808080", "ffffff"))
    assert np.isnan(row["hue"]) and np.isnan(row["hue_variance"])
    assert row["saturation"] == row["colourfulness"] == row["warm_share"] == 0


def hasler_suesstrunk(pixels: np.ndarray) -> float:
    """M3 as printed in the paper."""
    red, green, blue = pixels.reshape(-1, 3).astype(float).T
    rg, yb = red - green, (red + green) / 2 - blue
    return np.sqrt(rg.std() ** 2 + yb.std() ** 2) + 0.3 * np.sqrt(rg.mean() ** 2 + yb.mean() ** 2)


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 40))
def test_colourfulness_is_that_of_the_paper(seed, height, width):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    assert measured(pixels)["colourfulness"] == pytest.approx(hasler_suesstrunk(pixels), rel=1e-9)


@given(st.integers(0, 2**32 - 1), st.integers(1, 300), st.integers(1, 300))
def test_shares_add_up_to_one(seed, height, width):
    row = measured(np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8))
    assert sum(row[f"share_{name}"] for name in NAMED) == pytest.approx(1)
    assert sum(row["palette_shares"]) == pytest.approx(1)


def assert_near(codes: list[str], expected: list[str]) -> None:
    assert len(codes) == len(expected)
    for code, other in zip(codes, expected, strict=True):
        difference = flat(code, 1, 1).astype(int) - flat(other, 1, 1)
        assert np.abs(difference).max() <= 1, (codes, expected)


@pytest.mark.parametrize("colours", [3, 5])
@pytest.mark.parametrize("shares", [(1, 1, 1), (1, 2, 3), (1, 1, 46), (46, 1, 1), (1, 45, 2)])
def test_the_palette_of_three_colours(colours, shares):
    codes = ["204060", "c02030", "f0d080"]
    columns = [code for code, share in zip(codes, shares, strict=True) for _ in range(share)]
    pixels = np.concatenate([flat(code, 48, 1) for code in columns], axis=1)
    row = measured(pixels, colours=colours)
    assert row["palette_shares"] == pytest.approx([share / sum(shares) for share in sorted(shares, reverse=True)])
    assert_near(sorted(row["palette"]), sorted(codes))
    assert_near(row["palette"][:1], [codes[shares.index(max(shares))]] if max(shares) > 1 else row["palette"][:1])


def test_a_small_colour_is_found_beside_many_shades_of_another():
    greys = np.repeat(np.linspace(60, 200, 96).astype(np.uint8)[None, :, None], 96, axis=0).repeat(3, axis=2)
    greys[40:56, 40:56] = (220, 30, 30)
    row = measured(greys, colours=5)
    assert_near([code for code in row["palette"] if named(code) == "red"], ["dc1e1e"])


def test_the_palette_has_as_many_colours_as_asked_for():
    noise = np.random.default_rng(1).integers(0, 256, (100, 100, 3), np.uint8)
    for colours in (1, 2, 8, 32):
        row = measured(noise, colours=colours)
        assert len(row["palette"]) == len(row["palette_shares"]) == colours
        assert row["palette_shares"] == sorted(row["palette_shares"], reverse=True)


@pytest.mark.parametrize(
    ("name", "codes"),
    {
        "black": "000000 0a0a0a 101010 0c0c14",
        "white": "ffffff f5f5f5 fffaf0 fffff0 f8f8ff",
        "grey": "808080 404040 a9a9a9 c0c0c0 d3d3d3 696969 708090",
        "red": "ff0000 dc143c b22222 8b0000 e50000 ff2020 800000",
        "orange": "ffa500 ff8c00 ff7f00 f97306 ff4500 d2691e",
        "brown": "653700 8b4513 964b00 5c3317 d2b48c 3b2219 8d5524 c4a484",
        "yellow": "ffff00 ffee00 ffd700 ffff80 daa520 f0e68c",
        "green": "008000 00ff00 228b22 006400 90ee90 808000 2e8b57 98fb98",
        "blue": "0000ff 000080 87ceeb 4169e1 add8e6 191970 00bfff 4682b4",
        "purple": "800080 8b008b 9400d3 4b0082 9932cc bf77f6 dda0dd",
        "pink": "ffc0cb ff69b4 ff1493 ffb6c1 fa8072 f4c2c2",
    }.items(),
)
def test_basic_colours_and_their_shades(name, codes):
    assert {code: named(code) for code in codes.split()} == dict.fromkeys(codes.split(), name)


def test_the_css_colours_that_bear_a_basic_name_have_it():
    plain = {name: code for name, code in CSS4_COLORS.items() if name in NAMED}
    wrong = {name for name, code in plain.items() if named(code) != name}
    assert len(plain) == 11
    assert wrong == {"brown"}  # CSS's brown, #a52a2a, is what people call brick red


def test_the_table_is_that_of_the_survey():
    survey = {name.removeprefix("xkcd:"): code[1:] for name, code in XKCD_COLORS.items()}
    for name, codes in NAMED.items():
        said = {code for words, code in survey.items() if words.replace("gray", "grey").split()[-1] == name}
        assert set(codes.split()) <= said
        assert len(set(codes.split())) == len(codes.split())


def test_mixtures_have_the_name_of_one_of_their_colours():
    """Names of the survey that are not in the table, such as greenish blue."""
    inside = {code for codes in NAMED.values() for code in codes.split()}
    right, all_ = 0, 0
    for words, code in XKCD_COLORS.items():
        *before, last = words.removeprefix("xkcd:").replace("gray", "grey").split()
        if last in NAMED and len(before) == 1 and code[1:] not in inside:
            all_ += 1
            right += named(code) == last or before[0].startswith(named(code)[:4])
    assert all_ > 80
    assert right / all_ > 0.8
